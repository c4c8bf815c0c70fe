// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream wakes its client once per period, at the period's end; or never,
 * where the client asked for that and it is safe.
 */

#include "vctl.h"

struct job {
	snd_pcm_stream_t dir;
	unsigned int rate;
	snd_pcm_uframes_t period;
	unsigned int periods;
	unsigned int count;
};

static const struct job jobs[] = {
	{ 0, 48000, 480, 4, 200 },
	{ 0, 48000, 480, 2, 200 },
	{ 0, 44100, 441, 4, 200 },
	{ 0, 47999, 1000, 3, 100 },
	{ 0, 48000, 64, 8, 500 },
	{ 0, 48000, 16, 16, 1000 },
	{ 0, 5512, 100, 5, 50 },
	{ 0, 768000, 1024, 8, 500 },
	{ 0, 48000, 48000, 2, 4 },
	{ 0, 96000, 16, 1024, 500 },
};

/* A stream that runs for ever and has everything to play */
static struct vt_stream *runner(const struct job *job, bool wakeup)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.rate = job->rate;
	p.period = job->period;
	p.buffer = job->period * job->periods;
	p.stop = VT_NEVER;
	p.nonblock = !wakeup;
	p.no_wakeup = !wakeup;
	s = vt_stream(0, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p.buffer);
	return s;
}

/* Waits for the stream's next wake-up; false when none came in time. */
static bool wait_wakeup(struct vt_stream *s, int ms)
{
	struct pollfd fd;

	EXPECT(MUST(snd_pcm_poll_descriptors(s->pcm, &fd, 1)) == 1,
	       "not one descriptor");
	return SYS(poll(&fd, 1, ms)) == 1;
}

/* Moves appl_ptr on by a period: what was played is free again. */
static void serve(struct vt_stream *s)
{
	EXPECT(MUST(snd_pcm_forward(s->pcm, s->p.period)) ==
	       (long)s->p.period, "cannot go a period on");
	s->done += s->p.period;
}

static void test_wakeups(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, true);
	struct vt_position pos;
	int64_t began, due;
	unsigned int i;

	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	began = pos.trigger;
	for (i = 1; i <= job->count; i++) {
		due = began + vt_duration(s, (int64_t)i * job->period);
		EXPECT(wait_wakeup(s, 5000), "no wake-up %u", i);
		vt_expect_time(vt_now(), due, VT_LATE, "wake-up");
		serve(s);
		vt_locate(s, &pos);
		vt_expect_position(&pos, s, began, 0);
	}
}

/* One period in the ring: the position is the same at every wake-up. */
static void test_one_period(const void *arg)
{
	const struct job *job = arg;
	struct job one = *job;
	struct vt_position pos;
	struct vt_stream *s;
	unsigned int i;
	int64_t began;

	one.period = 5 * vt_jiffy() * one.rate / VT_SECOND;
	s = runner(&one, true);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	began = pos.trigger;
	for (i = 1; i <= one.count; i++) {
		EXPECT(wait_wakeup(s, 5000), "no wake-up %u", i);
		vt_expect_time(vt_now(), began +
			       vt_duration(s, (int64_t)i * one.period), VT_LATE,
			       "wake-up");
		serve(s);
		vt_locate(s, &pos);
		vt_expect_position(&pos, s, began, 0);
	}
}

/* No wake-ups: nothing happens for twenty periods, but the time passes. */
static void test_no_wakeup(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, false);
	int ms = job->period * 20 * 1000 / job->rate + 1;
	struct vt_position pos;
	int64_t began;

	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	began = pos.trigger;
	EXPECT(!wait_wakeup(s, ms), "woken after %lld ns",
	       (long long)(vt_now() - began));
	vt_locate(s, &pos);
	vt_expect_position(&pos, s, began, 0);
	EXPECT(pos.frames >= 20 * (int64_t)job->period, "the time stood still");
}

/* Nor is there an interrupt for each period, but two for the whole ring. */
static void test_no_interrupts(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, false);
	unsigned long long before = vt_interrupts();

	MUST(snd_pcm_start(s->pcm));
	vt_sleep_until(vt_now() + VT_SECOND);
	before = vt_interrupts() - before;
	EXPECT(before < 3000, "%llu interrupts in a second, of %u periods",
	       before, job->rate / (unsigned int)job->period);
}

/* Periods that are too short for it share an interrupt: one in 100 us. */
static void test_spacing(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, true);
	unsigned long long before;

	MUST(snd_pcm_start(s->pcm));
	before = vt_interrupts();
	vt_sleep_until(vt_now() + VT_SECOND);
	before = vt_interrupts() - before;
	EXPECT(before > 6000ULL / vt_slow() && before < 12000,
	       "%llu interrupts in a second", before);
}

/* Nor does anything happen on a device that may be imperfect. */
static void test_no_wakeup_imperfect(const void *arg)
{
	vt_use_imperfection(0);
	test_no_wakeup(arg);
}

/*
 * A ring shorter than the core's ticks would hang the machine without wake-ups:
 * there the wish is not granted, and the wake-ups come.
 */
static void test_short_ring(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, false);
	struct vt_position pos;
	int64_t began;
	unsigned int i;

	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	began = pos.trigger;
	vt_sleep_until(began + 100 * VT_MS);
	for (i = 0; i < 100; i++) {
		vt_locate(s, &pos);
		vt_expect_position(&pos, s, began, 0);
		vt_sleep_until(vt_now() + VT_MS);
	}
	EXPECT(wait_wakeup(s, 1000), "no wake-up in 1 s");
}

/* Just long enough for doing without, or just not */
static void test_border(const void *arg)
{
	const struct job *job = arg;
	snd_pcm_uframes_t border = 4 * vt_jiffy() * job->rate / VT_SECOND;
	struct job at = *job;
	unsigned int longer;

	at.periods = 2;
	for (longer = 0; longer < 2; longer++) {
		struct vt_stream *s;

		at.period = border / 2 - 1 + longer;
		s = runner(&at, false);
		MUST(snd_pcm_start(s->pcm));
		EXPECT(wait_wakeup(s, 200) != longer, "%lu frames: %s",
		       s->p.buffer, longer ? "woken" : "not woken");
		vt_close(s);
	}
}

static const struct {
	const char *name;
	vt_test *test;
	struct job job;
} others[] = {
	{ "one period", test_one_period, { 0, 48000, 0, 1, 100 } },
	{ "one period", test_one_period, { 0, 44100, 0, 1, 100 } },
	{ "no wake-ups", test_no_wakeup, { 0, 48000, 480, 4, 0 } },
	{ "no wake-ups", test_no_wakeup, { 0, 44100, 1024, 8, 0 } },
	{ "no wake-ups", test_no_wakeup, { 0, 5512, 64, 16, 0 } },
	{ "no interrupts", test_no_interrupts, { 0, 96000, 16, 1024, 0 } },
	{ "no interrupts", test_no_interrupts, { 0, 192000, 32, 500, 0 } },
	{ "shared interrupts", test_spacing, { 0, 768000, 16, 1024, 0 } },
	{ "no wake-ups with imperfection", test_no_wakeup_imperfect,
	  { 0, 48000, 480, 4, 0 } },
	{ "a short ring", test_short_ring, { 0, 48000, 16, 2, 0 } },
	{ "a short ring", test_short_ring, { 0, 768000, 96, 2, 0 } },
	{ "a short ring", test_short_ring, { 0, 48000, 96, 2, 0 } },
	{ "a short ring", test_short_ring, { 0, 48000, 64, 8, 0 } },
	{ "wake-ups below 4 ticks", test_border, { 0, 48000, 0, 2, 0 } },
};

static void run_all(snd_pcm_stream_t dir)
{
	const char *name = snd_pcm_stream_name(dir);
	struct job job;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		job = jobs[i];
		job.dir = dir;
		vt_run(test_wakeups, &job, "%s %u wake-ups, %u Hz %lu x %u",
		       name, job.count, job.rate, job.period, job.periods);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		job = others[i].job;
		job.dir = dir;
		vt_run(others[i].test, &job, "%s %s, %u Hz %lu x %u", name,
		       others[i].name, job.rate, job.period, job.periods);
	}
}

int main(int argc, char **argv)
{
	vt_init(argc, argv, 120);
	vt_plan(2 * (ARRAY_SIZE(jobs) + ARRAY_SIZE(others)));
	run_all(SND_PCM_STREAM_PLAYBACK);
	run_all(SND_PCM_STREAM_CAPTURE);
	return vt_finish();
}
