// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scaled clock is CLOCK_MONOTONIC times N/M, exactly, and everything else
 * is as it is in real time.
 */

#include <math.h>
#include "vctl.h"

struct job {
	int device;
	long mul, div;
};

static const long scales[][2] = {
	{ 1, 1 }, { 2, 1 }, { 100, 1 }, { 1, 3 }, { 1000, 1 }, { 1, 1000 },
	{ 997, 1000 }, { 3, 7 },
};

/* Frames in so many ns, not rounded */
static double frames_in(const struct job *job, const struct vt_stream *s,
			int64_t ns)
{
	return (double)ns * s->p.rate * job->mul / job->div / VT_SECOND;
}

static int64_t time_of(const struct job *job, const struct vt_stream *s,
		       uint64_t frames)
{
	return (double)frames * VT_SECOND * job->div / job->mul / s->p.rate;
}

static void use(const struct job *job)
{
	vt_use_scale(job->device, job->mul, job->div);
	vt_use_clock(job->device, "scaled");
}

/* Starts a stream that runs for ever; the start lies between two times. */
static struct vt_stream *start(const struct job *job, snd_pcm_stream_t dir,
			       unsigned int rate, int64_t *from, int64_t *to)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = rate;
	p.period = 50000;
	p.buffer = 500000;
	p.stop = VT_NEVER;
	s = vt_stream(job->device, dir, &p);
	if (dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, 1000);
	*from = vt_now();
	MUST(snd_pcm_start(s->pcm));
	*to = vt_now();
	return s;
}

static void expect_rate(const struct job *job, struct vt_stream *s,
			int64_t from, int64_t to)
{
	struct vt_position pos;
	double low, high;

	vt_locate(s, &pos);
	low = floor(frames_in(job, s, pos.before - to) - 0.001) - 1;
	high = floor(frames_in(job, s, pos.after - from) + 0.001) + 1;
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "stopped");
	EXPECT(pos.frames >= low && pos.frames <= high,
	       "at %lld, wanted %.0f to %.0f", (long long)pos.frames, low,
	       high);
}

/*
 * To a frame at slow scales; at fast ones a look takes some. Over 20 s an
 * error of the rate would be seen all the same.
 */
static void test_rate(const void *arg)
{
	static const unsigned int rates[] = { 8000, 44100 };
	const struct job *job = arg;
	struct vt_stream *s[2];
	int64_t from[2], to[2];
	uint64_t seed = 3;
	unsigned int i, j;

	use(job);
	for (i = 0; i < 2; i++)
		s[i] = start(job, i ? SND_PCM_STREAM_CAPTURE :
			     SND_PCM_STREAM_PLAYBACK, rates[i], &from[i],
			     &to[i]);
	for (j = 0; j < 100; j++) {
		vt_sleep_until(vt_now() + vt_random(&seed, 10 * VT_MS));
		for (i = 0; i < 2; i++)
			expect_rate(job, s[i], from[i], to[i]);
	}
	vt_sleep_until(from[0] + 20 * VT_SECOND + 123456789);
	for (i = 0; i < 2; i++)
		expect_rate(job, s[i], from[i], to[i]);
}

/* Both ends at one instant: as many frames as the client can keep up with */
static void test_loop(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;

	use(job);
	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = 8000;
	p.period = 20000;
	p.buffer = 400000;
	p.stop = VT_NEVER;
	if (job->mul < job->div) {
		p.period = 40;
		p.buffer = 400;
	}
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	if (job->mul < 1000) {
		vt_echo(player, recorder, p.period * 12 + 7, p.period);
		return;
	}
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, p.buffer / 2);
}

/*
 * A drain takes its time and is not given up, however slow: the core would
 * after about the time that the buffer lasts at its nominal rate.
 */
static void test_drain(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t from, to, took;

	use(job);
	p.buffer = 9600;
	s = vt_player(job->device, &p);
	vt_play(s, 0, 9600);
	from = vt_now();
	MUST(snd_pcm_start(s->pcm));
	to = vt_now();
	MUST(snd_pcm_drain(s->pcm));
	took = time_of(job, s, 9600);
	vt_expect_time(vt_now(), from + took, to - from + VT_LATE,
		       "the end");
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
}

/* A reader and a writer wait as long as a period takes. */
static void test_wait(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	int64_t from, to;

	use(job);
	player = vt_player(job->device, &vt_plain);
	recorder = vt_recorder(job->device, &vt_plain);
	vt_link(player, recorder);
	vt_play(player, 0, 1920);
	from = vt_now();
	MUST(snd_pcm_start(player->pcm));
	to = vt_now();
	vt_hear(recorder, 0, 480);
	vt_expect_time(vt_now(), from + time_of(job, recorder, 480),
		       to - from + VT_LATE, "a period");
	vt_play(player, 1920, 960);
	vt_expect_time(vt_now(), from + time_of(job, player, 960),
		       to - from + VT_LATE, "two periods");
	vt_hear(recorder, 480, 480);
}

/* As in real time, an xrun is at its frame. */
static void test_xrun(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s;
	int64_t from, to, took;

	use(job);
	s = vt_player(job->device, &vt_plain);
	vt_play(s, 0, 1900);
	from = vt_now();
	MUST(snd_pcm_start(s->pcm));
	to = vt_now();
	took = time_of(job, s, 1900);
	vt_sleep_until(from + took - VT_MS);
	vt_expect_time(vt_wait_state(s, SND_PCM_STATE_XRUN, took + VT_SECOND),
		       from + took, to - from + VT_LATE, "the xrun");
}

/*
 * A pause may be longer than what is left of a period: the next wake-up comes
 * all the same.
 */
static void test_pause(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int i;

	use(job);
	p.buffer = 9600;
	p.stop = VT_NEVER;
	s = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(s->pcm));
	for (i = 0; i < 50; i++) {
		vt_sleep_until(vt_now() + 5 * VT_MS + 17 * VT_US * i);
		MUST(snd_pcm_pause(s->pcm, 1));
		vt_sleep_until(vt_now() + VT_MS);
		MUST(snd_pcm_pause(s->pcm, 0));
		/* Not by a reset, in which 5.10's core races its own ticks. */
		MUST(snd_pcm_forward(s->pcm, MUST(snd_pcm_avail(s->pcm))));
		EXPECT(MUST(snd_pcm_wait(s->pcm, 3000)) == 1,
		       "no wake-up in 3 s after pause %u", i);
	}
}

/* Switched while closed: each run by its own scale, from frame 0 */
static void test_switch(const void *arg)
{
	const struct job *job = arg;
	struct job now = *job;
	int64_t from, to;
	unsigned int i;

	use(job);
	for (i = 0; i < ARRAY_SIZE(scales); i++) {
		struct vt_stream *s;

		now.mul = scales[i][0];
		now.div = scales[i][1];
		MUST(vt_ctl_set(vt_ctl(), VT_SCALE, job->device, 0, now.mul,
				now.div));
		s = start(&now, SND_PCM_STREAM_PLAYBACK, 48000, &from, &to);
		expect_rate(&now, s, from, to);
		vt_sleep_until(vt_now() + 100 * VT_MS);
		expect_rate(&now, s, from, to);
		vt_close(s);
	}
}

/*
 * Its time is beyond 2^63 / 1000 ns when the stream starts. A timer that is
 * armed for the past fires as often as it may, which is each 100 us.
 */
static void test_hours(const void *arg)
{
	const struct job *job = arg;
	unsigned long long before;
	struct vt_stream *s;
	int64_t from, to;

	use(job);
	vt_recorder(job->device, &vt_plain);
	vt_sleep_until(vt_now() + 9300 * VT_SECOND);
	s = start(job, SND_PCM_STREAM_PLAYBACK, 5512, &from, &to);
	before = vt_interrupts();
	vt_sleep_until(vt_now() + VT_SECOND);
	expect_rate(job, s, from, to);
	before = vt_interrupts() - before;
	EXPECT(before < 3000, "%llu interrupts in a second", before);
}

/*
 * Where no instant is a whole number of nanoseconds, a timer that was a moment
 * early would have to come once more for most periods.
 */
static void test_once(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	unsigned long long before, count;
	unsigned long wakeups;
	struct vt_stream *s;

	use(job);
	p.rate = 96000;
	p.period = 16;
	p.buffer = 16384;
	p.stop = VT_NEVER;
	s = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(s->pcm));
	wakeups = p.rate / p.period * job->mul / job->div;
	before = vt_interrupts();
	vt_sleep_until(vt_now() + VT_SECOND);
	count = vt_interrupts() - before;
	EXPECT(count > wakeups * 9 / 10 / vt_slow() && count < wakeups * 7 / 5,
	       "%llu interrupts for %lu wake-ups", count, wakeups);
}

static const struct {
	const char *name;
	vt_test *test;
	long slowest, fastest;		/* scales, in thousandths */
} tests[] = {
	{ "is as fast", test_rate, 1, 1000000 },
	{ "carries every frame", test_loop, 1, 1000000 },
	{ "drains", test_drain, 1, 100000 },
	{ "has clients wait", test_wait, 1, 2000 },
	{ "has its xruns at their frame", test_xrun, 1, 100000 },
	{ "goes on after a pause", test_pause, 1000, 1000000 },
	{ "has one interrupt for a wake-up", test_once, 400, 999 },
	{ "is not hurried after hours", test_hours, 1000000, 1000000 },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i, j;

	vt_init(argc, argv, 21000);
	/*
	 * all the tests by all scales, but waiting by the fastest two, pauses
	 * by those slower than real time, interrupts by all but two of these,
	 * and hours by all but the fastest
	 */
	vt_plan(2 * (ARRAY_SIZE(scales) * ARRAY_SIZE(tests) - 4 - 4 - 6 - 7 +
		     1));
	for (job.device = 0; job.device < 2; job.device++) {
		for (i = 0; i < ARRAY_SIZE(scales); i++) {
			long speed = scales[i][0] * 1000 / scales[i][1];

			job.mul = scales[i][0];
			job.div = scales[i][1];
			for (j = 0; j < ARRAY_SIZE(tests); j++)
				if (speed >= tests[j].slowest &&
				    speed <= tests[j].fastest)
					vt_run(tests[j].test, &job,
					       "device %d %ld/%ld %s",
					       job.device, job.mul, job.div,
					       tests[j].name);
		}
		job.mul = 1;
		job.div = 1;
		vt_run(test_switch, &job, "device %d from scale to scale",
		       job.device);
	}
	return vt_finish();
}
