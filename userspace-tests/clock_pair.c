// SPDX-License-Identifier: GPL-2.0-only
/*
 * Player and recorder by the client clock: they move in lockstep, no faster
 * than the slower of the two, and every frame arrives once and in order.
 */

#include <signal.h>
#include <string.h>
#include "vctl.h"

#define PLAYED_MAX	100000000	/* frames: much more than is played */

struct job {
	int device;
	snd_pcm_access_t access;
};

static const snd_pcm_access_t accesses[] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
	SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
};

/*
 * Reads by mmap what there is. Whoever polls is woken by whole periods: for the
 * rest, where less than one is left to come, it has to look by itself.
 */
static void hear_mapped(struct vt_stream *s, uint64_t first, uint64_t frames,
			uint64_t left)
{
	uint64_t n;

	while (frames) {
		n = MUST(snd_pcm_avail_update(s->pcm));
		if (n > frames)
			n = frames;
		if (!n && left < s->p.period)
			vt_sleep_until(vt_now() + VT_MS);
		else if (!n)
			EXPECT(MUST(snd_pcm_wait(s->pcm, 10000)) == 1,
			       "nothing happened for 10 s");
		vt_hear(s, first, n);
		first += n;
		frames -= n;
		left -= n;
	}
}

/* One of the two ends of a pair, in a thread of its own */
struct side {
	struct vt_stream *s, *peer;
	uint64_t frames;
	int64_t dawdle;			/* ns between two reads */
	volatile uint64_t *written;
};

static void live_side(const void *arg)
{
	const struct side *side = arg;
	uint64_t n = 0, chunk;

	if (side->s->dir == SND_PCM_STREAM_PLAYBACK) {
		vt_play_on(side->s, 0, side->frames);
		MUST(snd_pcm_drain(side->s->pcm));
		vt_expect_state(side->s, SND_PCM_STATE_SETUP);
		return;
	}
	while (n < side->frames) {
		if (side->dawdle)
			vt_sleep_until(vt_now() + side->dawdle);
		EXPECT(!side->dawdle || side->peer->done <= n +
		       side->s->p.buffer + side->peer->p.buffer,
		       "wrote %llu frames when %llu were read",
		       (unsigned long long)side->peer->done,
		       (unsigned long long)n);
		chunk = 1 + (n * 6131) % (3 * side->s->p.period);
		if (chunk > side->frames - n)
			chunk = side->frames - n;
		if (vt_is_mmap(side->s))
			hear_mapped(side->s, n, chunk, side->frames - n);
		else
			vt_hear(side->s, n, chunk);
		n += chunk;
	}
	vt_expect_state(side->s, SND_PCM_STATE_RUNNING);
}

static void loop(int device, const struct vt_params *player,
		 const struct vt_params *recorder, uint64_t frames,
		 int64_t dawdle)
{
	struct side sides[2];

	vt_use_clock(device, "client");
	memset(sides, 0, sizeof(sides));
	sides[0].s = vt_player(device, player);
	sides[1].s = vt_recorder(device, recorder);
	sides[0].peer = sides[1].s;
	sides[1].peer = sides[0].s;
	sides[0].frames = frames;
	sides[1].frames = frames;
	sides[1].dawdle = dawdle;
	MUST(snd_pcm_start(sides[1].s->pcm));
	vt_threads(live_side, sides, sizeof(sides[0]), 2);
	vt_close(sides[0].s);
	vt_hear_silence(sides[1].s, 3000);
	vt_close(sides[1].s);
}

/* Periods and buffers of player and recorder */
static const snd_pcm_uframes_t shapes[][4] = {
	{ 480, 1920, 480, 1920 },
	{ 480, 960, 700, 2100 },
	{ 4800, 48000, 16, 32 },
	{ 16, 32, 4800, 48000 },
	{ 17, 51, 19, 57 },
	{ 1000, 2000, 333, 9990 },
};

static void test_pair(const void *arg)
{
	const struct job *job = arg;
	struct vt_params player = vt_plain, recorder = vt_plain;
	unsigned int i;

	player.access = job->access;
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		player.period = shapes[i][0];
		player.buffer = shapes[i][1];
		recorder.period = shapes[i][2];
		recorder.buffer = shapes[i][3];
		recorder.access = accesses[i % ARRAY_SIZE(accesses)];
		loop(job->device, &player, &recorder, vt_share(30011), 0);
	}
}

static void test_slow_reader(const void *arg)
{
	const struct job *job = arg;
	struct vt_params player = vt_plain, recorder = vt_plain;

	player.access = job->access;
	recorder.access = job->access;
	recorder.period = 700;
	recorder.buffer = 2100;
	loop(job->device, &player, &recorder, 48000, 50 * VT_MS);
}

/* A drain that ends within a period, at a reader's leisure of a second */
static void test_drain(const void *arg)
{
	static const uint64_t frames[] = {
		1, 15, 479, 480, 481, 1919, 1920, 4801,
	};
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	unsigned int i;

	p.access = job->access;
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		loop(job->device, &p, &p, frames[i], 0);
	p.buffer = 960;
	loop(job->device, &p, &p, 2000, 1200 * VT_MS);
}

/* Each frame that it plays is another one. */
static void live_forever(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;

	p.access = job->access;
	p.format = SND_PCM_FORMAT_S32_LE;
	vt_play_on(vt_player(job->device, &p), 0, ~0ULL);
}

/* The number of a frame that was played */
static uint64_t number_of(const struct vt_stream *s, const void *frame)
{
	uint64_t n = 0;

	while (n < PLAYED_MAX && !vt_stamped(s, frame, n, 1))
		n++;
	EXPECT(n < PLAYED_MAX, "the first frame is none that was played");
	return n;
}

/* A player is killed while it waits: its last frames are gone, no more. */
static void test_kill(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *recorder;
	size_t heard, silent, n = 10000;
	unsigned char *buf, *rest;
	unsigned int i;
	pid_t pid;

	vt_use_clock(job->device, "client");
	p.format = SND_PCM_FORMAT_S32_LE;
	for (i = 0; i < 5; i++) {
		recorder = vt_recorder(job->device, &p);
		buf = vt_alloc(n * recorder->frame_bytes);
		pid = vt_fork(live_forever, job);
		vt_sleep_until(vt_now() + (50 + i) * VT_MS);
		MUST(snd_pcm_start(recorder->pcm));
		vt_read(recorder, buf, 1234);
		SYS(kill(pid, SIGKILL));
		vt_reap(pid, SIGKILL);
		vt_read(recorder, buf + 1234 * recorder->frame_bytes, n - 1234);
		heard = vt_stamped(recorder, buf, number_of(recorder, buf), n);
		rest = buf + heard * recorder->frame_bytes;
		silent = vt_silent(recorder, rest, n - heard);
		EXPECT(heard + silent == n && heard >= 1234 &&
		       heard <= 1234 + p.buffer,
		       "%zu frames, then %zu of silence", heard, silent);
		vt_close(recorder);
		loop(job->device, &vt_plain, &vt_plain, 5000, 0);
	}
}

/* Plays three rings to a recorder that has not been started: none waits. */
static void expect_alone(const struct job *job)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.access = job->access;
	s = vt_player(job->device, &p);
	vt_play_on(s, 0, 3 * p.buffer);
	MUST(snd_pcm_drain(s->pcm));
	vt_close(s);
}

/*
 * A drain starts the linked recorder, which is left behind PREPARED or in SETUP,
 * and does not hold up who plays next; nor when it has been started itself and
 * stopped again.
 */
static void test_left_behind(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	int unlinked;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	for (unlinked = 0; unlinked < 2; unlinked++) {
		player = vt_player(job->device, &p);
		recorder = vt_recorder(job->device, &p);
		vt_link(player, recorder);
		vt_play(player, 0, 960);
		MUST(snd_pcm_drain(player->pcm));
		if (unlinked)
			MUST(snd_pcm_unlink(recorder->pcm));
		vt_close(player);
		expect_alone(job);
		MUST(snd_pcm_drop(recorder->pcm));
		vt_prepare(recorder);
		MUST(snd_pcm_start(recorder->pcm));
		vt_hear_silence(recorder, 480);
		MUST(snd_pcm_drop(recorder->pcm));
		expect_alone(job);
		vt_close(recorder);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "moves in lockstep", test_pair },
	{ "waits for a slow reader", test_slow_reader },
	{ "drains", test_drain },
	{ "survives a killed player", test_kill },
	{ "waits for none that was left behind", test_left_behind },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i, a;

	vt_init(argc, argv, 300);
	vt_plan(2 * 4 * ARRAY_SIZE(tests));
	for (job.device = 0; job.device < 2; job.device++)
		for (a = 0; a < ARRAY_SIZE(accesses); a++)
			for (i = 0; i < ARRAY_SIZE(tests); i++) {
				job.access = accesses[a];
				vt_run(tests[i].test, &job,
				       "device %d pair %s, %s", job.device,
				       tests[i].name,
				       snd_pcm_access_name(job.access));
			}
	return vt_finish();
}
