// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client clock costs nothing while no client moves, whatever state they
 * stand still in, and be it one in which the core finds no xrun.
 */

#include <errno.h>
#include "vctl.h"

struct job {
	int device;
	snd_pcm_access_t access;
};

static const snd_pcm_access_t accesses[] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
	SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
};

/* The work that moves time has run when nothing has changed for a while. */
static void settle(void)
{
	vt_sleep_until(vt_now() + 20 * VT_MS);
}

/* Ticks of the CPU in which it had something to do, in 1/100 s */
static long busy_ticks(void)
{
	long t[8] = { 0 };
	FILE *f = fopen("/proc/stat", "r");
	int n;

	EXPECT(f, "cannot read /proc/stat");
	n = fscanf(f, "cpu %ld %ld %ld %ld %ld %ld %ld %ld", &t[0], &t[1],
		   &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
	fclose(f);
	EXPECT(n == 8, "/proc/stat is unreadable");
	return t[0] + t[1] + t[2] + t[5] + t[6];
}

/* How often anything was scheduled */
static long scheduled(void)
{
	FILE *f = fopen("/proc/stat", "r");
	char line[4096];
	long n = -1;

	EXPECT(f, "cannot read /proc/stat");
	while (n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "ctxt %ld", &n) != 1)
			n = -1;
	fclose(f);
	EXPECT(n >= 0, "no switches in /proc/stat");
	return n;
}

/* How much is done and scheduled in two seconds in which no client does a thing */
struct activity {
	long busy, switched;
};

static struct activity activity(void)
{
	struct activity a;

	settle();
	a.busy = busy_ticks();
	a.switched = scheduled();
	vt_sleep_until(vt_now() + 2 * VT_SECOND);
	a.busy = busy_ticks() - a.busy;
	a.switched = scheduled() - a.switched;
	return a;
}

/* What the kernel does when all is closed; some kernels are busier by far. */
static struct activity at_rest;

/*
 * A card that wakes up for each period would be scheduled 400 times; what keeps
 * a drain from being given up is 170 times, or 260 with PREEMPT_RT.
 */
static void expect_idle(const char *when)
{
	struct activity a = activity();

	EXPECT(a.busy <= at_rest.busy + 4, "busy for %ld of 200 ticks, %s",
	       a.busy, when);
	EXPECT(a.switched < at_rest.switched + 300,
	       "%ld times scheduled in 2 s, %s; at rest %ld times", a.switched,
	       when, at_rest.switched);
}

/* Nothing runs by itself, in whatever state the clients stand still. */
static void test_idle(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	player = vt_player(job->device, &p);
	vt_play_on(player, 0, 3000);
	expect_idle("a player that writes no more");
	recorder = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(recorder->pcm));
	expect_idle("a pair and nobody writes");
	vt_play(player, 3000, 1920);
	vt_play(player, 4920, 1000);
	expect_idle("a pair and nobody reads");
	MUST(snd_pcm_pause(player->pcm, 1));
	expect_idle("a paused player");
	MUST(snd_pcm_pause(player->pcm, 0));
	MUST(snd_pcm_nonblock(player->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(player->pcm));
	expect_idle("a drain and nobody reads");
	MUST(snd_pcm_drop(player->pcm));
	expect_idle("a recorder that waits for a player");
	vt_close(player);
	expect_idle("a recorder that reads no more");
}

/*
 * Some kernels resume what was not suspended: that runs on, in a state in which
 * the core finds no xrun any longer. Nobody looks for one for ever.
 */
static void test_resumed(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	recorder = vt_recorder(job->device, &p);
	p.avail_min = p.buffer;
	player = vt_player(job->device, &p);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(recorder->pcm));
	MUST(snd_pcm_start(player->pcm));
	settle();
	if (!snd_pcm_resume(player->pcm))
		vt_expect_state(player, SND_PCM_STATE_OPEN);
	else
		vt_expect_state(player, SND_PCM_STATE_RUNNING);
	MUST(snd_pcm_drop(recorder->pcm));
	expect_idle("a player with an xrun");
	vt_close(player);
	expect_idle("nobody");
}

/*
 * A drain starts its player, and with it the linked recorder, of which its
 * client knows nothing: it holds nobody up and costs nothing.
 */
static void test_dragged(const void *arg)
{
	static const snd_pcm_uframes_t avail_min[] = { 1920, 1919, 480 };
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	unsigned int i;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	for (i = 0; i < ARRAY_SIZE(avail_min); i++) {
		p.avail_min = 0;
		player = vt_player(job->device, &p);
		p.avail_min = avail_min[i];
		recorder = vt_recorder(job->device, &p);
		vt_link(player, recorder);
		vt_play(player, 0, 1920);
		vt_expect_drained(player);
		MUST(snd_pcm_unlink(recorder->pcm));
		vt_expect_state(recorder, SND_PCM_STATE_PREPARED);
		expect_idle("a recorder dragged along by a drain");
		vt_close(player);
		expect_idle("a recorder left behind by a drain");
		vt_close(recorder);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "nobody moves", test_idle },
	{ "no xrun is found", test_resumed },
	{ "drained with a recorder linked", test_dragged },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i, a;

	vt_init(argc, argv, 400);
	vt_plan(2 * ARRAY_SIZE(accesses) * ARRAY_SIZE(tests));
	at_rest = activity();
	for (job.device = 0; job.device < 2; job.device++)
		for (a = 0; a < ARRAY_SIZE(accesses); a++)
			for (i = 0; i < ARRAY_SIZE(tests); i++) {
				job.access = accesses[a];
				vt_run(tests[i].test, &job, "device %d, %s, %s",
				       job.device, tests[i].name,
				       snd_pcm_access_name(job.access));
			}
	return vt_finish();
}
