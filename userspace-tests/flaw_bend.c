// SPDX-License-Identifier: GPL-2.0-only
/*
 * A speed that changes by itself is that of the frame in which it changes: for
 * whoever looks without a stamp, and for both ends, whatever their rates.
 */

#include <math.h>
#include "vctl.h"

#define SEGMENT		(10 * VT_MS)	/* in which the speed is constant */
#define PERIOD		100		/* ms of a wave: ten segments */
#define DEPTH		200000000	/* ppb */
#define FUZZ		0.02		/* frames: the kernel's sine is not this */

/* Seconds that pass at nominal speed in a time since the wave began */
static double passed(int64_t ns)
{
	double seconds = 0;
	int i;

	for (i = 0; ns > 0; i++, ns -= SEGMENT)
		seconds += (double)(ns < SEGMENT ? ns : SEGMENT) / VT_SECOND *
			   (1 + DEPTH / 1e9 * sin(2 * M_PI * (i + 0.5) *
						  SEGMENT / (PERIOD * VT_MS)));
	return seconds;
}

/* A stream that runs for ever, and may be started */
static struct vt_stream *get_ready(snd_pcm_stream_t dir, unsigned int rate)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.rate = rate;
	p.period = rate / 10;
	p.buffer = 8 * p.period;
	p.stop = VT_NEVER;
	s = vt_stream(0, dir, &p);
	if (dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p.buffer);
	return s;
}

static struct vt_stream *start(snd_pcm_stream_t dir, unsigned int rate,
			       bool stamps, int64_t *at)
{
	struct vt_stream *s = get_ready(dir, rate);
	snd_pcm_sw_params_t *sw;
	struct vt_position pos;

	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	*at = pos.trigger;
	if (stamps)
		return s;
	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(s->pcm, sw));
	MUST(snd_pcm_sw_params_set_tstamp_mode(s->pcm, sw,
					       SND_PCM_TSTAMP_NONE));
	MUST(snd_pcm_sw_params(s->pcm, sw));
	return s;
}

static void use_wave(void)
{
	snd_ctl_t *ctl = vt_use_imperfection(0);

	vt_spoil(ctl, 0, VT_WANDER, DEPTH);
	vt_spoil(ctl, 0, VT_WANDER_PERIOD, PERIOD);
}

/* Nobody is told for longer than it holds where the stream is. */
static void test_no_stamps(const void *arg)
{
	unsigned int rate = *(const unsigned int *)arg;
	int64_t at, before, after;
	snd_pcm_sframes_t is;
	struct vt_stream *s;
	double low, high;
	int round;

	use_wave();
	for (round = 0; round < 5; round++) {
		s = start(SND_PCM_STREAM_CAPTURE, rate, false, &at);
		do {
			before = vt_now();
			is = MUST(snd_pcm_avail(s->pcm));
			after = vt_now();
			low = floor(rate * passed(before - at) - FUZZ);
			high = floor(rate * passed(after - at) + FUZZ);
			EXPECT(is >= low && is <= high,
			       "at %ld, wanted %.0f to %.0f after %lld ns",
			       is, low, high, (long long)(after - at));
		} while (after < at + 300 * VT_MS);
		vt_close(s);
	}
}

/* Both see the wave of the first that was started. */
static void test_rates(const void *arg)
{
	static const unsigned int rates[] = { 48000, 44100 };
	struct vt_position pos;
	struct vt_stream *s[2];
	uint64_t seed = 3;
	int64_t at[2];
	double wanted;
	int i;

	(void)arg;
	use_wave();
	for (i = 0; i < 2; i++) {
		s[i] = start(i, rates[i], true, &at[i]);
		vt_sleep_until(vt_now() + 33 * VT_MS);
	}
	for (i = 0; i < 200; i++) {
		vt_sleep_until(vt_now() + vt_random(&seed, 20 * VT_MS));
		vt_locate(s[i % 2], &pos);
		wanted = rates[i % 2] * (passed(pos.stamp - at[0]) -
					 passed(at[i % 2] - at[0]));
		EXPECT(fabs(pos.frames - wanted) < 1 + 5 * FUZZ,
		       "%u Hz: at %lld, wanted %.2f", rates[i % 2],
		       (long long)pos.frames, wanted);
	}
}

/* Looks a few times, and finds it where it would be after so many seconds. */
static void expect_wave(struct vt_stream *s, int64_t at, uint64_t *seed)
{
	struct vt_position pos;
	double wanted;
	int i;

	for (i = 0; i < 10; i++) {
		vt_sleep_until(vt_now() + VT_MS + vt_random(seed, 9 * VT_MS));
		vt_locate(s, &pos);
		wanted = 48000 * passed(pos.stamp - at);
		EXPECT(fabs(pos.frames - wanted) < 1 + 5 * FUZZ,
		       "at %lld, wanted %.2f after %lld ns",
		       (long long)pos.frames, wanted,
		       (long long)(pos.stamp - at));
	}
}

/*
 * Switched on when the stream is started, but before the instant at which that
 * takes effect, which is amid the next millisecond: it begins there.
 */
static void test_ahead(const void *arg)
{
	snd_ctl_t *ctl = vt_use_imperfection(0);
	struct vt_position pos;
	struct vt_stream *s;
	uint64_t seed = 7;
	int64_t on;
	int i;

	(void)arg;
	use_wave();
	for (i = 0; i < 20; i++) {
		vt_spoil(ctl, 0, VT_IMPERFECTION, 0);
		s = get_ready(i % 2, 48000);
		vt_sleep_until((vt_now() / VT_MS + 2) * VT_MS + VT_MS / 2);
		MUST(snd_pcm_start(s->pcm));
		vt_spoil(ctl, 0, VT_IMPERFECTION, 1);
		on = vt_now();
		vt_locate(s, &pos);
		if (on >= pos.trigger && vt_slow() > 1)
			vt_skip("this kernel is too slow");
		EXPECT(on < pos.trigger, "switched on %lld ns too late",
		       (long long)(on - pos.trigger));
		expect_wave(s, pos.trigger, &seed);
		vt_close(s);
	}
}

/*
 * Switched on meanwhile it is where it would be, had it begun with the start:
 * from that very instant, and each change comes when it would.
 */
static void test_late(const void *arg)
{
	snd_ctl_t *ctl = vt_use_imperfection(0);
	int64_t at, before, after, wait;
	struct vt_position pos;
	struct vt_stream *s;
	uint64_t seed = 5;
	double wanted;
	int i, k;

	(void)arg;
	use_wave();
	for (i = 0; i < 30; i++) {
		vt_spoil(ctl, 0, VT_IMPERFECTION, 0);
		s = start(i % 2, 48000, true, &at);
		wait = VT_SECOND / 5 + vt_random(&seed, VT_SECOND / 5);
		vt_sleep_until(at + wait);
		before = vt_now();
		vt_spoil(ctl, 0, VT_IMPERFECTION, 1);
		after = vt_now();
		for (k = 0; k < 10; k++) {
			vt_sleep_until(vt_now() + vt_random(&seed, 9 * VT_MS));
			vt_locate(s, &pos);
			wanted = 48000 * ((before - at) / 1e9 +
					  passed(pos.stamp - at) -
					  passed(before - at));
			EXPECT(fabs(pos.frames - wanted) < 1 + 5 * FUZZ +
			       48000.0 * DEPTH / 1e18 * (after - before),
			       "on after %lld ns: at %lld, wanted %.2f",
			       (long long)(before - at), (long long)pos.frames,
			       wanted);
		}
		vt_close(s);
	}
}

/*
 * Released from a pause it begins to rise once more. Where it was then is worked
 * out: some kernels tell where it was looked at last.
 */
static void test_pause(const void *arg)
{
	struct vt_position pos;
	struct vt_stream *s;
	uint64_t seed = 6;
	double wanted, held = 0;
	int64_t at;
	int i, k;

	(void)arg;
	use_wave();
	s = start(SND_PCM_STREAM_CAPTURE, 48000, true, &at);
	for (i = 0; i < 20; i++) {
		vt_sleep_until(vt_now() + vt_random(&seed, VT_SECOND / 5));
		MUST(snd_pcm_pause(s->pcm, 1));
		vt_sleep_until(vt_now() + vt_random(&seed, VT_SECOND / 5));
		MUST(snd_pcm_pause(s->pcm, 0));
		for (k = 0; k < 10; k++) {
			vt_sleep_until(vt_now() + 2 * VT_MS +
				       vt_random(&seed, 9 * VT_MS));
			vt_locate(s, &pos);
			wanted = 48000 * passed(pos.stamp - pos.trigger);
			if (!k)
				held = pos.frames - wanted;
			EXPECT(fabs(pos.frames - held - wanted) < 1 + 10 * FUZZ,
			       "at %lld, wanted %.2f", (long long)pos.frames,
			       held + wanted);
		}
	}
}

/* The end of a period is met, however many bends there are before it. */
static void test_far(const void *arg)
{
	struct vt_params p = vt_plain;
	snd_pcm_sframes_t ahead;
	struct vt_stream *s;
	unsigned int i;

	(void)arg;
	use_wave();
	vt_spoil(vt_ctl(), 0, VT_WANDER_PERIOD, 1333);
	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.period = 2 * p.rate;
	p.buffer = 2 * p.period;
	p.stop = VT_NEVER;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	for (i = 0; i < 8; i++) {
		EXPECT(MUST(snd_pcm_wait(s->pcm, 10000)) == 1, "not woken");
		ahead = MUST(snd_pcm_avail(s->pcm)) - p.period;
		EXPECT(ahead >= 0 && ahead <= 2 * vt_frames(s, VT_LATE),
		       "woken %ld frames after period %u", ahead, i);
		MUST(snd_pcm_forward(s->pcm, p.period));
	}
}

int main(int argc, char **argv)
{
	static const unsigned int rates[] = { 5512, 8000 };
	unsigned int i;

	vt_init(argc, argv, 110);
	vt_plan(ARRAY_SIZE(rates) + 5);
	for (i = 0; i < ARRAY_SIZE(rates); i++)
		vt_run(test_no_stamps, &rates[i], "without stamps, %u Hz",
		       rates[i]);
	vt_run(test_rates, NULL, "ends of two rates");
	vt_run(test_ahead, NULL, "switched on just before the start");
	vt_run(test_late, NULL, "switched on meanwhile");
	vt_run(test_pause, NULL, "after a pause");
	vt_run(test_far, NULL, "wake-ups at the ends of long periods");
	return vt_finish();
}
