// SPDX-License-Identifier: GPL-2.0-only
/*
 * However far the step clock is to go, whoever has it go there can be killed on
 * the way, and others get their turn meanwhile.
 */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include "vctl.h"

#define LIMIT	(VT_SECOND / 2)	/* longer than any turn or death takes */
#define PIECE	256		/* frames of 1 KiB: what is moved at once */

struct way {
	const char *name;
	long frames;		/* -1 in search of a wake-up: all are lost */
};

struct job {
	int device;
	const struct way *way;
	volatile bool *begun;
};

static const struct way ways[] = {
	{ "a long way", INT_MAX }, { "a way to no wake-up", -1 },
};

/* With the shortest of periods: an event every 16 frames */
static struct vt_stream *start_busy(int device)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.period = 16;
	p.buffer = 64;
	p.stop = VT_NEVER;
	s = vt_recorder(device, &p);
	MUST(snd_pcm_start(s->pcm));
	return s;
}

/* A pair of which much is moved at each event, sample by sample */
static void start_heavy(int device, struct vt_stream *s[2])
{
	struct vt_params p = vt_plain;
	int dir;

	p.format = SND_PCM_FORMAT_S32_LE;
	p.channels = 256;
	p.period = 4 * PIECE;
	p.buffer = 8 * PIECE;
	p.stop = VT_NEVER;
	for (dir = 0; dir < 2; dir++) {
		p.access = dir ? SND_PCM_ACCESS_MMAP_NONINTERLEAVED :
				 SND_PCM_ACCESS_MMAP_INTERLEAVED;
		s[dir] = vt_stream(device, dir, &p);
	}
	vt_link(s[0], s[1]);
}

/* Steps far; of that far more than can be done in the time that there is */
static int step_far(const struct job *job)
{
	struct vt_stream *s[2];

	if (job->way->frames > 0) {
		start_busy(job->device);
	} else {
		start_heavy(job->device, s);
		MUST(snd_pcm_start(s[0]->pcm));
	}
	if (job->begun)
		*job->begun = true;
	return vt_ctl_set(vt_ctl(), VT_STEP, job->device, 0, job->way->frames,
			  0);
}

static void live_stepping(const void *arg)
{
	MUST(step_far(arg));
}

/* All wake-ups are lost where one is searched, but not on another way. */
static void use_step(const struct job *job)
{
	vt_use_clock(job->device, "step");
	if (job->way->frames < 0)
		vt_spoil(vt_use_imperfection(job->device), job->device, VT_LOSS,
			 1);
}

static void unmap(void *page)
{
	munmap(page, sizeof(bool));
}

static void test_kill(const void *arg)
{
	struct job job = *(const struct job *)arg;
	void *page = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t before;
	pid_t pid;

	EXPECT(page != MAP_FAILED, "no memory to share");
	vt_defer(unmap, page);
	job.begun = page;
	use_step(&job);
	pid = vt_fork(live_stepping, &job);
	while (!*job.begun)
		vt_sleep_until(vt_now() + VT_MS);
	before = vt_now();
	vt_sleep_until(before + 200 * VT_MS);
	EXPECT(vt_now() - before < LIMIT, "a sleep of 200 ms took %lld ms",
	       (long long)((vt_now() - before) / VT_MS));
	before = vt_now();
	SYS(kill(pid, SIGKILL));
	vt_reap(pid, SIGKILL);
	EXPECT(vt_now() - before < LIMIT, "took %lld ms to die",
	       (long long)((vt_now() - before) / VT_MS));
}

/* Of one that nobody kills there is an end, too, for others wait for controls. */
static void test_end(const void *arg)
{
	const struct job *job = arg;
	int64_t before;

	use_step(job);
	before = vt_now();
	REFUSED(-EAGAIN, step_far(job));
	vt_expect_time(vt_now(), before + 9 * VT_SECOND, 3 * VT_SECOND,
		       "giving up");
}

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

static void stop_signals(void *timer)
{
	timer_delete(*(timer_t *)timer);
}

/* One a ms, which are no more than noticed */
static void send_signals(timer_t *timer)
{
	static const struct itimerspec often = {
		.it_interval = { 0, VT_MS }, .it_value = { 0, VT_MS },
	};
	struct sigaction action = {
		.sa_handler = count_signal,
		.sa_flags = SA_RESTART,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};

	SYS(sigaction(SIGUSR1, &action, NULL));
	SYS(timer_create(CLOCK_MONOTONIC, &event, timer));
	vt_defer(stop_signals, timer);
	SYS(timer_settime(*timer, 0, &often, NULL));
}

/* Signals that do not kill do not hold it up. */
static void test_signals(const void *arg)
{
	const struct job *job = arg;
	struct vt_position pos;
	struct vt_stream *s;
	timer_t timer;

	use_step(job);
	s = start_busy(job->device);
	signals = 0;
	send_signals(&timer);
	if (job->way->frames < 0) {
		REFUSED(-EAGAIN, vt_step(job->device, -1));
	} else {
		MUST(vt_step(job->device, 200000));
		vt_locate(s, &pos);
		EXPECT(pos.frames == 200000, "at frame %lld, wanted 200000",
		       (long long)pos.frames);
	}
	vt_undo(stop_signals, &timer);
	EXPECT(signals, "no signal came");
}

/* It comes sooner where nothing is moved: after so many events. */
static void test_events(const void *arg)
{
	const struct job *job = arg;
	int64_t before;

	use_step(job);
	start_busy(job->device);
	before = vt_now();
	REFUSED(-EAGAIN, vt_step(job->device, -1));
	before = vt_now() - before;
	EXPECT(before < 9 * VT_SECOND || vt_slow() > 1, "took %lld ms",
	       (long long)(before / VT_MS));
}

/* After it the clock goes as far as it is told again. */
static void test_after(const void *arg)
{
	const struct job *job = arg;
	struct vt_position pos;
	struct vt_stream *s;

	vt_use_clock(job->device, "step");
	s = start_busy(job->device);
	MUST(vt_step(job->device, 1000));
	vt_locate(s, &pos);
	EXPECT(pos.frames == 1000, "at frame %lld, wanted 1000",
	       (long long)pos.frames);
}

/* A step of many pieces moves them all. */
static void test_pieces(const void *arg)
{
	const snd_pcm_uframes_t frames = 8 * PIECE;
	const struct job *job = arg;
	struct vt_stream *s[2];

	vt_use_clock(job->device, "step");
	start_heavy(job->device, s);
	vt_play(s[0], 0, frames);
	MUST(snd_pcm_start(s[0]->pcm));
	MUST(vt_step(job->device, frames));
	vt_hear(s[1], 0, frames);
}

static void run_kills(struct job *job)
{
	vt_run(test_kill, job, "device %d %s, killed", job->device,
	       job->way->name);
	vt_run(test_after, job, "device %d a short way after %s", job->device,
	       job->way->name);
}

int main(int argc, char **argv)
{
	struct job job = { .device = 1, .way = &ways[0] };
	unsigned int i;

	vt_init(argc, argv, 110);
	vt_plan(2 + ARRAY_SIZE(ways) * 4 + 2);
	run_kills(&job);
	job.device = 0;		/* which has rings of many pieces */
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		job.way = &ways[i];
		run_kills(&job);
		vt_run(test_signals, &job, "%s amid signals", ways[i].name);
		vt_run(test_end, &job, "%s that is too long", ways[i].name);
	}
	vt_run(test_events, &job, "a way of too many events");
	vt_run(test_pieces, &job, "a way of many pieces");
	return vt_finish();
}
