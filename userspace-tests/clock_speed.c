// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pitch and imperfection by clocks other than realtime: they change the speed
 * of those that have one, in the clock's own time, and of no other.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "vctl.h"

#define RATE	48000
#define FAST	1250000		/* pitch, ppm */
#define DRIFT	-200000000	/* ppb; by both it is as fast as without */
#define DEPTH	200000000	/* of a wave, ppb */
#define WAVE	2000		/* its period, ms */
#define TICKS	3000		/* interrupts: one a ms, and others */

struct job {
	const char *clock;
	long mul, div;
	int64_t late;		/* ns: by how much the clock may be behind */
};

static void use(const struct job *job)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, "PCM Clock Timer", 0, 0);
	snd_ctl_elem_value_set_integer(value, 0, 1);
	snd_ctl_elem_value_set_integer(value, 2, 3);
	MUST(snd_ctl_elem_write(vt_ctl(), value));
	vt_use_scale(0, job->mul, job->div);
	vt_use_clock(0, job->clock);
}

static struct vt_stream *open_end(snd_pcm_stream_t dir)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = RATE;
	p.period = RATE / 4;
	p.buffer = 2 * RATE;
	p.stop = VT_NEVER;
	s = vt_stream(0, dir, &p);
	if (dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, 1000);
	return s;
}

static void set_speed(snd_ctl_t *ctl, long pitch, long drift)
{
	MUST(vt_ctl_set(ctl, VT_PLAYBACK_PITCH->name, 0, 0, pitch, 0));
	vt_spoil(ctl, 0, VT_DRIFT, drift);
}

/* The clock's time since the start, s: at least, and at most */
struct since {
	double low, high;
};

static struct since since(const struct job *job, int64_t from, int64_t to,
			  const struct vt_position *pos)
{
	double speed = (double)job->mul / job->div / VT_SECOND;

	return (struct since){
		(pos->before - to - job->late) * speed,
		(pos->after - from + job->late) * speed,
	};
}

/* As fast as both together have it, for both ends */
static void test_speed(const void *arg)
{
	static const struct {
		long pitch, drift;
		double speed;
	} speeds[] = {
		{ 1000000, 0, 1 }, { FAST, 0, 1.25 }, { 1000000, DRIFT, 0.8 },
		{ FAST, DRIFT, 1 }, { 800000, DRIFT, 0.64 },
	};
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(0);
	struct vt_position pos;
	struct since time;
	struct vt_stream *s;
	int64_t from, to;
	unsigned int i, k;

	vt_use_pitch(0);
	use(job);
	for (i = 0; i < ARRAY_SIZE(speeds); i++) {
		set_speed(ctl, speeds[i].pitch, speeds[i].drift);
		s = open_end(i % 2);
		from = vt_now();
		MUST(snd_pcm_start(s->pcm));
		to = vt_now();
		for (k = 1; k <= 5; k++) {
			vt_sleep_until(to + k * 123456789LL);
			vt_locate(s, &pos);
			time = since(job, from, to, &pos);
			EXPECT(pos.frames >= floor(time.low * RATE *
						   speeds[i].speed) - 1 &&
			       pos.frames <= time.high * RATE *
					     speeds[i].speed + 1,
			       "%.2f times: at %lld after %f to %f s",
			       speeds[i].speed, (long long)pos.frames,
			       time.low, time.high);
		}
		vt_close(s);
	}
}

/* Seconds that pass on a wave that begins to rise, in a time of its clock */
static double waved(double time)
{
	double turn = 2 * M_PI * 1000 / WAVE;

	return time + DEPTH / 1e9 / turn * (1 - cos(turn * time));
}

/* A wave is as long as the clock has it; its steps are worth a few frames. */
static void test_wave(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(0);
	struct vt_position pos;
	struct since time;
	struct vt_stream *s;
	int64_t from, to;
	unsigned int k;

	vt_spoil(ctl, 0, VT_WANDER, DEPTH);
	vt_spoil(ctl, 0, VT_WANDER_PERIOD, WAVE);
	use(job);
	s = open_end(SND_PCM_STREAM_CAPTURE);
	from = vt_now();
	MUST(snd_pcm_start(s->pcm));
	to = vt_now();
	for (k = 1; k <= 20; k++) {
		vt_sleep_until(to + k * VT_SECOND / 20 * job->div / job->mul);
		vt_locate(s, &pos);
		time = since(job, from, to, &pos);
		EXPECT(pos.frames >= RATE * waved(time.low) - 4 &&
		       pos.frames <= RATE * waved(time.high) + 4,
		       "at %lld, wanted %.1f to %.1f", (long long)pos.frames,
		       RATE * waved(time.low), RATE * waved(time.high));
	}
}

/* A clock that counts frames has no speed. */
static void test_counted(const void *arg)
{
	snd_ctl_t *ctl = vt_use_imperfection(0);
	struct vt_position pos;
	struct vt_stream *s;
	int64_t wanted = 0;
	int i;

	(void)arg;
	vt_use_pitch(0);
	set_speed(ctl, FAST, DRIFT / 2);
	vt_use_clock(0, "step");
	s = open_end(SND_PCM_STREAM_CAPTURE);
	MUST(snd_pcm_start(s->pcm));
	for (i = 1; i < 20; i++) {
		MUST(vt_step(0, i * 100));
		wanted += i * 100;
		vt_locate(s, &pos);
		EXPECT(pos.frames == wanted, "at %lld, wanted %lld",
		       (long long)pos.frames, (long long)wanted);
		set_speed(ctl, i % 2 ? 800000 : FAST, DRIFT / (i + 1));
	}
}

/* It takes no more of the timer's ticks than positions are told by. */
static void test_ticks(const void *arg)
{
	unsigned long long before;
	struct vt_stream *s;

	use(arg);
	s = open_end(SND_PCM_STREAM_CAPTURE);
	MUST(snd_pcm_start(s->pcm));
	before = vt_interrupts();
	vt_sleep_until(vt_now() + VT_SECOND);
	before = vt_interrupts() - before;
	vt_note("%llu interrupts in a second", before);
	EXPECT(before < TICKS, "%llu interrupts in a second", before);
}

int main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{ "realtime", 1, 1, VT_MS }, { "scaled", 1, 1, 0 },
		{ "scaled", 2, 1, 0 }, { "scaled", 1, 3, 0 },
		{ "timer", 1, 1, 2 * VT_MS },
	};
	unsigned int i;

	vt_init(argc, argv, 110);
	if (system("modprobe snd-hrtimer"))
		vt_note("cannot load snd-hrtimer");
	vt_plan(2 * ARRAY_SIZE(jobs) + 2);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		vt_run(test_speed, &jobs[i], "%s %ld/%ld: pitch and drift",
		       jobs[i].clock, jobs[i].mul, jobs[i].div);
		vt_run(test_wave, &jobs[i], "%s %ld/%ld: a wave",
		       jobs[i].clock, jobs[i].mul, jobs[i].div);
	}
	vt_run(test_ticks, &jobs[i - 1], "timer: ticks");
	vt_run(test_counted, NULL, "step: neither");
	return vt_finish();
}
