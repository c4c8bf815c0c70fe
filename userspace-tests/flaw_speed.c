// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks that are imperfect on purpose: drift to the frame, wander as a sine,
 * walk as its seed has it; and no frame is lost by any of it.
 */

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "vctl.h"

#define SEGMENT		0.01		/* s; speeds change that often */
#define BILLION		1000000000LL

struct job {
	int device;
	unsigned int rate;
	snd_pcm_stream_t dir;
	bool no_wakeup;
};

/* A stream that runs for ever, started */
static struct vt_stream *start(const struct job *job, int64_t *at)
{
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = job->rate;
	p.period = job->rate / 10;
	p.buffer = p.period * 5;
	p.stop = VT_NEVER;
	p.no_wakeup = job->no_wakeup;
	p.nonblock = job->no_wakeup;
	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p.buffer);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	*at = pos.trigger;
	return s;
}

/* Frames that pass in a time at a speed in ppb, rounded down */
static int64_t frames_in(const struct job *job, int64_t ns, long ppb)
{
	return vt_frames_in(ns, job->rate, ppb);
}

/*
 * Where it is at an instant a bit after @when, and how long since @at. The core
 * has no stamp before the end of the first frame, which a slow one may last.
 */
static int64_t where(struct vt_stream *s, int64_t at, int64_t when, int64_t *ns)
{
	struct vt_position pos;

	vt_sleep_until(at + when + 2 * VT_SECOND / s->p.rate);
	vt_locate(s, &pos);
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "stopped");
	*ns = pos.stamp - at;
	return pos.frames;
}

/* Each frame at its instant for minutes */
static void test_drift(const void *arg)
{
	static const long ppbs[] = {
		1, -1, 1000, 1000000, -1000000, 123456789, -200000000, 200000000,
	};
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	int64_t at, ns, is, wanted;
	struct vt_stream *s;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(ppbs); i++) {
		vt_spoil(ctl, job->device, VT_DRIFT, ppbs[i]);
		s = start(job, &at);
		for (k = 0; k <= 180; k += 9) {
			is = where(s, at, k * VT_SECOND + k * 1234567, &ns);
			wanted = frames_in(job, ns, BILLION + ppbs[i]);
			EXPECT(is == wanted, "%+ld ppb: %lld after %lld ns, wanted %lld",
			       ppbs[i], (long long)is, (long long)ns,
			       (long long)wanted);
		}
		vt_close(s);
	}
}

/* Pitch and drift multiply, and either changes without a jump. */
static void test_pitch(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	int64_t at, ns, was, is, wanted;
	struct vt_stream *s;
	unsigned int i;

	vt_use_pitch(job->device);
	MUST(vt_ctl_set(ctl, VT_PLAYBACK_PITCH->name, job->device, 0, 1250000,
			0));
	vt_spoil(ctl, job->device, VT_DRIFT, -200000000);
	s = start(job, &at);
	for (i = 0; i < 20; i++) {
		is = where(s, at, i * 777 * VT_MS, &ns);
		wanted = frames_in(job, ns, BILLION);
		EXPECT(is == wanted, "%lld after %lld ns, wanted %lld",
		       (long long)is, (long long)ns, (long long)wanted);
	}
	for (i = 0; i < 1000; i++) {
		was = where(s, at, 0, &ns);
		vt_spoil(ctl, job->device, VT_DRIFT, i % 2 ? 199999999 : 0);
		vt_spoil(ctl, job->device, VT_IMPERFECTION, i % 3 > 0);
		is = where(s, at, 0, &ns);
		EXPECT(is >= was && is - was <= job->rate / 1000 * vt_slow(),
		       "jumped by %lld", (long long)(is - was));
	}
}

/* How far it may be from a sine, frames: steps, sampled sine, a whole frame */
static double wander_bound(const struct job *job, double depth, double period)
{
	double turn = 2 * M_PI / period;

	return 1 + job->rate * depth * (turn * SEGMENT * SEGMENT / 6 +
					0.0001 / turn);
}

static double wandered(const struct job *job, double depth, double period,
		       int64_t ns)
{
	double turn = 2 * M_PI / period;
	double t = (double)ns / VT_SECOND;

	return job->rate * (t + depth / turn * (1 - cos(turn * t)));
}

/* On the sine at any moment, and on time after each whole period */
static void test_wander(const void *arg)
{
	static const struct {
		long depth, period;
	} waves[] = {
		{ 1000000, 2000 }, { 200000000, 100 }, { 200000000, 730 },
		{ 100000, 60000 }, { 200000000, 60000 },
	};
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	double depth, period, bound, off, most;
	struct vt_stream *s;
	int64_t at, ns, is;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(waves); i++) {
		vt_spoil(ctl, job->device, VT_WANDER, waves[i].depth);
		vt_spoil(ctl, job->device, VT_WANDER_PERIOD, waves[i].period);
		depth = (double)waves[i].depth / BILLION;
		period = waves[i].period / 1e3;
		bound = wander_bound(job, depth, period);
		most = 0;
		s = start(job, &at);
		for (k = 0; k <= 120; k++) {
			is = where(s, at, k * waves[i].period * VT_MS / 12, &ns);
			off = is - wandered(job, depth, period, ns);
			EXPECT(fabs(off) <= bound,
			       "%ld ppb, %ld ms: off by %f frames after %lld ns, bound %f",
			       waves[i].depth, waves[i].period, off,
			       (long long)ns, bound);
			off = is - (double)job->rate * ns / VT_SECOND;
			most = fmax(most, off);
			EXPECT(k % 12 || fabs(off) <= 2 * bound + depth * job->rate
			       * 0.0002, "off by %f after whole periods", off);
		}
		vt_note("%ld ppb, %ld ms: up to %.1f frames ahead, bound %.2f",
			waves[i].depth, waves[i].period, most, bound);
		vt_close(s);
	}
}

#define LOOKS	500

struct look {
	int64_t ns, frames;
};

static void walk(const struct job *job, snd_ctl_t *ctl, long seed,
		 struct look *looks)
{
	struct vt_stream *s;
	int64_t at;
	int i;

	vt_spoil(ctl, job->device, VT_SEED, seed);
	s = start(job, &at);
	for (i = 0; i < LOOKS; i++)
		looks[i].frames = where(s, at, i * 103 * VT_MS, &looks[i].ns);
	vt_close(s);
}

/* The same in each run, another with another seed, and within its limit */
static void test_walk(const void *arg)
{
	const double limit = 0.05;
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct look *looks[3];
	int64_t apart, most = 0;
	double fast = 0, speed;
	unsigned int i;

	vt_spoil(ctl, job->device, VT_WALK, 3000000);
	vt_spoil(ctl, job->device, VT_WALK_LIMIT, BILLION * limit);
	for (i = 0; i < 3; i++) {
		looks[i] = vt_alloc(LOOKS * sizeof(**looks));
		walk(job, ctl, 7 + i / 2, looks[i]);
	}
	for (i = 0; i < LOOKS; i++) {
		apart = llabs(looks[0][i].frames - looks[1][i].frames);
		EXPECT(apart <= (looks[0][i].ns == looks[1][i].ns ? 0 : 1) +
		       llabs(looks[0][i].ns - looks[1][i].ns) * 2 * job->rate /
		       VT_SECOND, "look %u: %lld frames apart", i,
		       (long long)apart);
		apart = llabs(looks[0][i].frames - looks[2][i].frames);
		most = apart > most ? apart : most;
		if (!i)
			continue;
		speed = (double)(looks[0][i].frames - looks[0][i - 1].frames) /
			(looks[0][i].ns - looks[0][i - 1].ns) * VT_SECOND /
			job->rate - 1;
		fast = fmax(fast, fabs(speed));
		EXPECT(fabs(speed) <= limit + 10.0 / job->rate * 2,
		       "%f times too fast", speed);
	}
	vt_note("up to %.4f too fast, another seed %lld frames apart", fast,
		(long long)most);
	EXPECT(fast > limit * 0.8, "never faster than %f", fast);
	EXPECT(most > job->rate / 10, "another seed is but %lld frames apart",
	       (long long)most);
}

static void spoil_all(snd_ctl_t *ctl, int device)
{
	vt_spoil(ctl, device, VT_SEED, 99);
	vt_spoil(ctl, device, VT_DRIFT, 3000000);
	vt_spoil(ctl, device, VT_WANDER, 100000000);
	vt_spoil(ctl, device, VT_WANDER_PERIOD, 333);
	vt_spoil(ctl, device, VT_WALK, 1000000);
	vt_spoil(ctl, device, VT_WALK_LIMIT, 50000000);
	vt_spoil(ctl, device, VT_DELAY, 1500);
	vt_spoil(ctl, device, VT_JITTER, 4000);
	vt_spoil(ctl, device, VT_LOSS, 7);
}

/* Every frame arrives, with everything wrong at once. */
static void test_loop(const void *arg)
{
	static const snd_pcm_access_t accesses[] = {
		SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
	};
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	unsigned int i;

	spoil_all(ctl, job->device);
	p.stop = VT_NEVER;
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		p.access = accesses[i];
		p.rate = job->rate;
		p.period = job->rate / 100;
		p.buffer = p.period * 8;
		player = vt_player(job->device, &p);
		recorder = vt_recorder(job->device, &p);
		vt_echo(player, recorder, job->rate * 5, p.period);
		vt_close(player);
		vt_close(recorder);
	}
}

/* Anything may change at any time: no frame is lost, no position goes back. */
static void test_change(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	struct vt_position pos[3];
	uint64_t seed = 4;
	unsigned int i, flaw;
	long value;

	p.rate = job->rate;
	p.period = job->rate / 100;
	p.buffer = p.period * 16;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	spoil_all(ctl, job->device);
	for (i = 0; i < 500; i++) {
		vt_hear(recorder, (uint64_t)i * p.period, p.period);
		vt_play(player, p.buffer + (uint64_t)i * p.period, p.period);
		flaw = vt_random(&seed, VT_FLAWS);
		value = vt_flaws[flaw].max;
		if (flaw == VT_DELAY || flaw == VT_JITTER)
			value = 10000;
		value = vt_flaws[flaw].min +
			vt_random(&seed, value - vt_flaws[flaw].min + 1);
		if (flaw == VT_LOSS)
			value += value == 1;
		vt_locate(player, &pos[0]);
		vt_spoil(ctl, job->device, flaw, value);
		vt_locate(recorder, &pos[1]);
		vt_locate(player, &pos[2]);
		EXPECT(pos[1].frames >= pos[0].frames &&
		       pos[1].frames <= pos[2].frames &&
		       pos[2].frames - pos[0].frames <=
		       job->rate / 1000 * vt_slow(),
		       "player at %lld to %lld, recorder at %lld",
		       (long long)pos[0].frames, (long long)pos[2].frames,
		       (long long)pos[1].frames);
	}
}

/* Spoilt in everything, but not switched on: as if it were not. */
static void test_off(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	int64_t at, ns, is, wanted;
	struct vt_stream *s;
	unsigned int i;

	spoil_all(ctl, job->device);
	vt_spoil(ctl, job->device, VT_IMPERFECTION, 0);
	s = start(job, &at);
	for (i = 0; i < 100; i++) {
		is = where(s, at, i * 333 * VT_MS, &ns);
		wanted = frames_in(job, ns, BILLION);
		EXPECT(is == wanted, "%lld after %lld ns, wanted %lld",
		       (long long)is, (long long)ns, (long long)wanted);
	}
}

/*
 * Without wake-ups the core works out from the nominal rate how often the ring
 * has gone round, of which half a second is half a turn: it is not misled.
 */
static void test_no_wakeup(const void *arg)
{
	static const struct {
		long pitch, drift, percent;
	} speeds[] = {
		{ 800000, -200000000, 64 }, { 1250000, 200000000, 150 },
		{ 1000000, -200000000, 80 }, { 1000000, 0, 100 },
	};
	struct job job = *(const struct job *)arg;
	snd_ctl_t *ctl = vt_use_imperfection(job.device);
	int64_t at, ns, is, wanted;
	uint64_t seed = job.rate;
	struct vt_stream *s;
	unsigned int i, k;

	job.no_wakeup = true;
	vt_use_pitch(job.device);
	for (i = 0; i < ARRAY_SIZE(speeds); i++) {
		MUST(vt_ctl_set(ctl, VT_PLAYBACK_PITCH->name, job.device, 0,
				speeds[i].pitch, 0));
		vt_spoil(ctl, job.device, VT_DRIFT, speeds[i].drift);
		s = start(&job, &at);
		for (k = 0, ns = 0; k < 12; k++) {
			is = where(s, at, ns + vt_random(&seed, 3 * VT_SECOND),
				   &ns);
			wanted = frames_in(&job, ns, BILLION / 100 *
					   speeds[i].percent);
			EXPECT(is == wanted,
			       "%ld %%: %lld after %lld ns, wanted %lld",
			       speeds[i].percent, (long long)is, (long long)ns,
			       (long long)wanted);
		}
		vt_close(s);
	}
}

/* How much too fast a stream is, over a second that begins now */
static double measure(struct vt_stream *s)
{
	struct vt_position from, to;

	vt_locate(s, &from);
	vt_sleep_until(vt_now() + VT_SECOND);
	vt_locate(s, &to);
	return (double)(to.frames - from.frames) / (to.stamp - from.stamp) *
		VT_SECOND / s->p.rate - 1;
}

static void expect_speed(struct vt_stream *s, double least, double most,
			 const char *when)
{
	double fast = measure(s);
	double fuzz = 3.0 / s->p.rate;

	EXPECT(fast >= least - fuzz && fast <= most + fuzz,
	       "%s: %f off, wanted %f to %f", when, fast, least, most);
}

/* Walks until it is far off that way, and stays there: a step of 1 is none. */
static void go_astray(snd_ctl_t *ctl, int device, struct vt_stream *s, int way)
{
	double fast = 0;
	unsigned int i;

	vt_spoil(ctl, device, VT_WALK_LIMIT, BILLION / 5);
	for (i = 0; i < 100 && fast < 0.05; i++) {
		vt_spoil(ctl, device, VT_WALK, BILLION / 100);
		vt_sleep_until(vt_now() + 300 * VT_MS);
		vt_spoil(ctl, device, VT_WALK, 1);
		fast = way * measure(s);
	}
	EXPECT(fast >= 0.05, "it gets no further than %f", fast);
}

/* A walk ends where it is told to, at once, and begins anew from the rate. */
static void test_walk_ends(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct job peer = *job;
	struct vt_stream *s;
	int64_t at;
	int way;

	s = start(job, &at);
	vt_sleep_until(at + VT_SECOND);
	go_astray(ctl, job->device, s, 1);
	/* of both ends, whatever their rates: one that joins does not mend it */
	peer.dir = !job->dir;
	peer.rate = job->rate / 2;
	start(&peer, &at);
	expect_speed(s, 0.05, 0.2, "beside another rate");
	for (way = 1; way >= -1; way -= 2) {
		go_astray(ctl, job->device, s, way);
		vt_spoil(ctl, job->device, VT_WALK_LIMIT, BILLION / 100);
		expect_speed(s, way * 0.01, way * 0.01, "with a limit");
		vt_spoil(ctl, job->device, VT_WALK, 0);
		expect_speed(s, 0, 0, "without a walk");
	}

	go_astray(ctl, job->device, s, 1);
	vt_spoil(ctl, job->device, VT_IMPERFECTION, 0);
	expect_speed(s, 0, 0, "while it is perfect");
	vt_spoil(ctl, job->device, VT_IMPERFECTION, 1);
	expect_speed(s, 0, 0, "from the rate");
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "drifts to the frame", test_drift },
	{ "drifts from its pitch", test_pitch },
	{ "drifts without wake-ups", test_no_wakeup },
	{ "wanders along a sine", test_wander },
	{ "walks as its seed says", test_walk },
	{ "walks no further than it is told", test_walk_ends },
	{ "loses nothing in a loop", test_loop },
	{ "loses nothing when it changes", test_change },
	{ "is perfect when it is off", test_off },
};

int main(int argc, char **argv)
{
	static const unsigned int rates[] = { 48000, 44100, 192000 };
	unsigned int i, r;
	struct job job = { .no_wakeup = false };

	vt_init(argc, argv, 11900);
	vt_plan(ARRAY_SIZE(tests) * ARRAY_SIZE(rates));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		for (r = 0; r < ARRAY_SIZE(rates); r++) {
			job.device = (i + r) % 2;
			job.rate = rates[r];
			job.dir = r % 2 ? SND_PCM_STREAM_CAPTURE :
					  SND_PCM_STREAM_PLAYBACK;
			vt_run(tests[i].test, &job, "device %d, %u Hz: %s",
			       job.device, job.rate, tests[i].name);
		}
	return vt_finish();
}
