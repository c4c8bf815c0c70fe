// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timelines against a plain computation in 128 bits: exact at every rate, for
 * centuries, at every speed, over every bend.
 */

#include <linux/kernel.h>
#include <linux/math64.h>

#include "../timeline.h"
#include "test.h"

/* The timeline of the driver, again: a module cannot have another's. */
#include "../timeline.c"

#define YEAR	(365ULL * 24 * 3600 * NSEC_PER_SEC)
#define CHANCES	2000

static const u32 vsnd_test_rates[] = {
	5512, 8000, 11025, 22050, 44100, 44101, 48000, 96000, 176400, 192000,
	384000, 767999, 768000,
};

/* Times from the epoch on, ns */
static const u64 vsnd_test_times[] = {
	0, 1, 20832, 20833, 20834, 999999999, 1000000000, 1000000001,
	3599999999999ULL, 3600000000000ULL, YEAR - 1, YEAR, 100 * YEAR + 12345,
};

/* floor(a * b / NSEC_PER_SEC), and what is left over */
static u64 vsnd_test_mul_div(u64 a, u64 b, u32 *rest)
{
	u64 low = (u64)(u32)a * (u32)b;
	u64 middle = (a >> 32) * (u32)b + (low >> 32);
	u64 cross = (u64)(u32)a * (b >> 32) + (u32)middle;
	u64 high = (a >> 32) * (b >> 32) + (middle >> 32) + (cross >> 32);
	u32 limb[4] = { (u32)low, (u32)cross, (u32)high, high >> 32 };
	u64 quotient = 0;
	u32 left = 0;
	int i;

	for (i = 3; i >= 0; i--)
		quotient = quotient << 32 |
			   div_u64_rem((u64)left << 32 | limb[i],
				       NSEC_PER_SEC, &left);
	*rest = left;
	return quotient;
}

static u64 vsnd_test_floor(u64 ns, u32 rate)
{
	u32 rest;

	return vsnd_test_mul_div(ns, rate, &rest);
}

static void vsnd_test_whole_rates(struct vsnd_test *t)
{
	struct vsnd_timeline line;
	const s64 epoch = 1234567891011LL;
	size_t r, i;

	for (r = 0; r < ARRAY_SIZE(vsnd_test_rates); r++) {
		u32 rate = vsnd_test_rates[r];

		vsnd_timeline_init(&line, epoch, (u64)rate * NSEC_PER_SEC);
		EXPECT_EQ(t, vsnd_timeline_frames(&line, epoch - 1), 0);
		for (i = 0; i < ARRAY_SIZE(vsnd_test_times); i++)
			EXPECT_EQ(t, vsnd_timeline_frames(&line, epoch +
							  vsnd_test_times[i]),
				  vsnd_test_floor(vsnd_test_times[i], rate));
	}
}

/* Asked every so often for hours, as a stream asks */
static void vsnd_test_steps(struct vsnd_test *t)
{
	struct vsnd_timeline line;
	u64 seed = 1;
	size_t r;
	int i;

	for (r = 0; r < ARRAY_SIZE(vsnd_test_rates); r++) {
		u32 rate = vsnd_test_rates[r];
		u64 ns = 0;

		vsnd_timeline_init(&line, 7, (u64)rate * NSEC_PER_SEC);
		for (i = 0; i < CHANCES; i++) {
			ns += vsnd_test_random(&seed, 5ULL * NSEC_PER_SEC);
			EXPECT_EQ(t, vsnd_timeline_frames(&line, 7 + ns),
				  vsnd_test_floor(ns, rate));
		}
	}
}

/*
 * At its instant a frame has passed, a nanosecond before it has not. A count
 * does not claim to hold longer than to the next one.
 */
static void vsnd_test_instant(struct vsnd_test *t, struct vsnd_timeline *line,
			      u64 frame)
{
	s64 at = vsnd_timeline_instant(line, frame);
	struct vsnd_timeline before = *line;

	EXPECT_EQ(t, vsnd_timeline_frames(&before, at - 1), frame - 1);
	EXPECT_EQ(t, before.next <= at, true);
	before = *line;
	EXPECT_EQ(t, vsnd_timeline_frames(&before, at), frame);
	EXPECT_EQ(t, before.next > at &&
		  before.next <= vsnd_timeline_instant(line, frame + 1), true);
}

static void vsnd_test_instants(struct vsnd_test *t)
{
	struct vsnd_timeline line;
	u64 seed = 2;
	u64 speed;
	size_t r;
	int i;

	for (r = 0; r < ARRAY_SIZE(vsnd_test_rates); r++)
		for (i = 0; i < CHANCES; i++) {
			/* nominal, then by up to a fifth off, to the ppb */
			speed = (u64)vsnd_test_rates[r] * NSEC_PER_SEC;
			if (i & 1)
				speed = (u64)vsnd_test_rates[r] *
					(800000000 +
					 vsnd_test_random(&seed, 400000001));
			vsnd_timeline_init(&line, 99, speed);
			line.frames = vsnd_test_random(&seed, 1ULL << 40);
			vsnd_test_instant(t, &line, line.frames + 1 +
					  vsnd_test_random(&seed, 10000000));
		}
}

/*
 * Where a whole number of nano-frames has passed at a nanosecond, that is the
 * first one of it; and far ahead, at a speed that is far from whole.
 */
static void vsnd_test_search(struct vsnd_test *t)
{
	struct vsnd_timeline line;
	u64 ppb, nano, ns;
	u64 seed = 6;
	size_t r;
	int i;

	for (r = 0; r < ARRAY_SIZE(vsnd_test_rates); r++)
		for (i = 0; i < CHANCES; i++) {
			ppb = 320000000 + vsnd_test_random(&seed, 1180000001);
			vsnd_timeline_init(&line, 0, vsnd_test_rates[r] * ppb);
			ns = vsnd_test_random(&seed, NSEC_PER_SEC);
			nano = vsnd_timeline_part(&line, ns);
			EXPECT_EQ(t, vsnd_timeline_search(&line, nano), ns);
			vsnd_test_instant(t, &line, 1 +
					  vsnd_test_random(&seed, 10000000000));
		}
}

/*
 * At each bend less than a nano-frame is lost, which a sum of all that has
 * passed shows: frames and the rest, kept apart.
 */
static void vsnd_test_bends(struct vsnd_test *t)
{
	u64 frames = 0, seed = 3, now = 5, nano = 0, speed, ns, last = 0, is;
	struct vsnd_timeline line;
	u32 left;
	int i;

	speed = 48000ULL * NSEC_PER_SEC;
	vsnd_timeline_init(&line, now, speed);
	for (i = 0; i < CHANCES; i++) {
		ns = vsnd_test_random(&seed, 3ULL * NSEC_PER_SEC);
		nano += vsnd_test_mul_div(ns, speed, &left);
		frames += div_u64_rem(nano, NSEC_PER_SEC, &left);
		nano = left;
		now += ns;
		speed = 48000ULL * (800000000 +
				    vsnd_test_random(&seed, 400000001));
		vsnd_timeline_bend(&line, now, speed);
		is = vsnd_timeline_frames(&line, now);
		EXPECT_EQ(t, is >= last, true);
		EXPECT_EQ(t, vsnd_timeline_instant(&line, is), now);
		EXPECT_EQ(t, (is - frames) * NSEC_PER_SEC + line.rest + CHANCES
			  - nano <= 2 * CHANCES, true);
		last = is;
		vsnd_test_instant(t, &line, is + 1 +
				  vsnd_test_random(&seed, 480000));
	}
}

/* Where time counts frames, a nanosecond is one. */
static void vsnd_test_counting(struct vsnd_test *t)
{
	struct vsnd_timeline line;
	u64 seed = 4;
	u64 n = 0;
	int i;

	vsnd_timeline_init(&line, 0, (u64)NSEC_PER_SEC * NSEC_PER_SEC);
	for (i = 0; i < CHANCES; i++) {
		n += vsnd_test_random(&seed, 1 << 30);
		EXPECT_EQ(t, vsnd_timeline_frames(&line, n), n);
		EXPECT_EQ(t, vsnd_timeline_instant(&line, n + 1000), n + 1000);
	}
	EXPECT_EQ(t, n > 1ULL << 32, true);
}

const struct vsnd_test_case vsnd_test_timeline_cases[] = {
	{ "frames are floor(time * rate), for a century",
	  vsnd_test_whole_rates },
	{ "and however often one asks", vsnd_test_steps },
	{ "an instant is the first of its frame", vsnd_test_instants },
	{ "and the first of its nano-frames, however far", vsnd_test_search },
	{ "a bend neither jumps nor loses a nano-frame", vsnd_test_bends },
	{ "a clock of frames counts them", vsnd_test_counting },
	{ }
};
