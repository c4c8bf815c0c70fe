// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imperfection on demand: a clock whose speed is off, or changes by itself,
 * and wake-ups that are late or lost. The same each time, for the same seed.
 */
#include <linux/bug.h>
#include <linux/fixp-arith.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "end.h"

/*
 * A speed that changes does so at the ends of segments of this length, counted
 * from the instant at which the first end of the cable starts. In between it is
 * constant, so that a position is exact at any time.
 */
#define VSND_SEGMENT_MS		10
#define VSND_SEGMENT_NS		(VSND_SEGMENT_MS * NSEC_PER_MSEC)

/* Segments gone through one by one. A longer stall is passed at mean speed. */
#define VSND_SEGMENTS_MAX	250

/* Segments that are looked ahead for the instant of an event. */
#define VSND_SEGMENTS_AHEAD	100

/* Overdue wake-ups gone through one by one. */
#define VSND_WAKES_MAX		64

/* Parts of a circle: one degree is a power of two of them. */
#define VSND_CIRCLE		(360 << 9)

enum vsnd_random {
	VSND_RANDOM_WALK,
	VSND_RANDOM_LATE	/* and one more, for the other direction */
};

/**
 * vsnd_imperfect_init() - have a device be perfect
 * @pcm: the device
 *
 * What is not 0 then only says how, once something is to be wrong.
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_imperfect_init(struct vsnd_pcm *pcm)
{
	pcm->imperfect.wander_ms = 10 * MSEC_PER_SEC;
	pcm->imperfect.walk_max = 100000;
}

static u64 vsnd_random_mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* A number of 32 bits: the index-th of those that are for one purpose. */
static u32 vsnd_random(const struct vsnd_imperfect *imperfect, u32 purpose,
		       u64 index)
{
	u64 start = (u64)imperfect->seed << 32 | (purpose + 1);

	return vsnd_random_mix(vsnd_random_mix(start) + index) >> 32;
}

/* ------------------------------------------------------------------------
 * Speed
 */

static bool vsnd_imperfect_changes(const struct vsnd_cable *cable)
{
	const struct vsnd_imperfect *imperfect = &cable->imperfect;

	return imperfect->on && (imperfect->wander || imperfect->walk) &&
	       !cable->clock->ops->counts_frames;
}

/* The sine in the middle of the segment, ppb. */
static s32 vsnd_wobble_wander(const struct vsnd_cable *cable)
{
	const struct vsnd_imperfect *imperfect = &cable->imperfect;
	u64 ms = cable->wobble.segment * VSND_SEGMENT_MS + VSND_SEGMENT_MS / 2;
	u32 rest;

	if (!imperfect->wander)
		return 0;
	div_u64_rem(ms, imperfect->wander_ms, &rest);
	rest = div_u64((u64)rest * VSND_CIRCLE, imperfect->wander_ms);
	return div_s64((s64)imperfect->wander *
		       fixp_sin32_rad(rest, VSND_CIRCLE), S32_MAX);
}

/* A step up or down; what would go too far is thrown back. */
static void vsnd_wobble_walk(struct vsnd_cable *cable)
{
	const struct vsnd_imperfect *imperfect = &cable->imperfect;
	s32 max = imperfect->walk_max;
	s32 walk = cable->wobble.walk;

	if (vsnd_random(imperfect, VSND_RANDOM_WALK, cable->wobble.segment) & 1)
		walk += imperfect->walk;
	else
		walk -= imperfect->walk;
	if (walk > max)
		walk = 2 * max - walk;
	else if (walk < -max)
		walk = -2 * max - walk;
	cable->wobble.walk = clamp(walk, -max, max);
}

/* Work out what holds in the segment that has been set. */
static void vsnd_wobble_renew(struct vsnd_cable *cable)
{
	const struct vsnd_imperfect *imperfect = &cable->imperfect;
	struct vsnd_wobble *wobble = &cable->wobble;

	wobble->speed = NSEC_PER_SEC;
	if (imperfect->on)
		wobble->speed += imperfect->drift + wobble->walk +
				 vsnd_wobble_wander(cable);
	wobble->bend = S64_MAX;
	if (vsnd_imperfect_changes(cable))
		wobble->bend = wobble->begin +
			       (wobble->segment + 1) * VSND_SEGMENT_NS;
}

/* Enter the next segment. */
static void vsnd_wobble_step(struct vsnd_cable *cable)
{
	s64 at = cable->wobble.bend;

	cable->wobble.segment++;
	if (cable->imperfect.walk)
		vsnd_wobble_walk(cable);
	vsnd_wobble_renew(cable);
	vsnd_cable_bend(cable, at);
}

/* Leave out segments, with the speed that they have on average. */
static void vsnd_wobble_skip(struct vsnd_cable *cable, u64 segments)
{
	struct vsnd_wobble *wobble = &cable->wobble;

	wobble->speed = NSEC_PER_SEC + cable->imperfect.drift;
	vsnd_cable_bend(cable, wobble->bend);
	wobble->segment += segments;
	wobble->bend += segments * VSND_SEGMENT_NS;
}

/**
 * vsnd_imperfect_begin() - let the segments of a cable count from now on
 * @cable: the cable, none of whose ends runs
 * @at: instant at which the first one starts, ns
 *
 * Context: The cable's lock held.
 */
void vsnd_imperfect_begin(struct vsnd_cable *cable, s64 at)
{
	lockdep_assert_held(&cable->lock);
	cable->wobble.begin = at;
	cable->wobble.segment = 0;
	cable->wobble.walk = 0;
	vsnd_wobble_renew(cable);
}

/**
 * vsnd_imperfect_bend() - bring the speed of a cable up to an instant
 * @cable: the cable
 * @now: instant, ns, at which its segment is over
 *
 * Each change takes effect at its own instant, however late it is found. The
 * work is bounded, however long a stall was.
 *
 * Context: The cable's lock held.
 */
void vsnd_imperfect_bend(struct vsnd_cable *cable, s64 now)
{
	struct vsnd_wobble *wobble = &cable->wobble;
	u64 behind;

	lockdep_assert_held(&cable->lock);
	behind = div_u64(now - wobble->bend, VSND_SEGMENT_NS);
	if (behind > VSND_SEGMENTS_MAX)
		vsnd_wobble_skip(cable, behind);
	while (now >= wobble->bend)
		vsnd_wobble_step(cable);
}

/**
 * vsnd_imperfect_deadline() - the instant of a cable's next event
 * @cable: a cable of which an end runs
 * @when: that instant at the present speed, ns, after the next bend
 *
 * As the speeds to come are known, so is the instant: it is found by going
 * there, and back again. No timer is needed for the changes themselves.
 *
 * Context: The cable's lock held.
 * Return: instant in ns; that of a bend before it if it is far away.
 */
s64 vsnd_imperfect_deadline(struct vsnd_cable *cable, s64 when)
{
	const struct vsnd_timeline line[2] = { cable->line[0], cable->line[1] };
	const struct vsnd_wobble wobble = cable->wobble;
	int i;

	lockdep_assert_held(&cable->lock);
	for (i = 0; i < VSND_SEGMENTS_AHEAD && when > cable->wobble.bend; i++) {
		vsnd_wobble_step(cable);
		when = vsnd_cable_instant(cable);
	}
	when = min(when, cable->wobble.bend);
	cable->line[0] = line[0];
	cable->line[1] = line[1];
	cable->wobble = wobble;
	return when;
}

/* ------------------------------------------------------------------------
 * Wake-ups
 */

/* Number of the period whose end is to be reported next, from 1 on. */
static u64 vsnd_end_number(const struct vsnd_end *end)
{
	return div_u64(end->next_period - end->late, end->period);
}

/* By how many frames that is late. */
static unsigned int vsnd_end_late(const struct vsnd_end *end)
{
	const struct vsnd_imperfect *imperfect = &end->cable->imperfect;
	u64 us = imperfect->delay_us;
	u64 random;

	if (!imperfect->on || !end->wakes)
		return 0;
	if (imperfect->jitter_us) {
		random = vsnd_random(imperfect,
				     VSND_RANDOM_LATE + end->direction,
				     vsnd_end_number(end));
		us += random * (imperfect->jitter_us + 1) >> 32;
	}
	return div_u64(us * end->ring.rate + USEC_PER_SEC - 1, USEC_PER_SEC);
}

static bool vsnd_end_is_lost(const struct vsnd_end *end)
{
	u32 loss = end->cable->imperfect.loss;
	u32 rest;

	if (!loss)
		return false;
	div_u64_rem(vsnd_end_number(end), loss, &rest);
	return !rest;
}

/**
 * vsnd_imperfect_plan() - when is the end of the present period reported?
 * @end: an end
 *
 * Context: The cable's lock held.
 */
void vsnd_imperfect_plan(struct vsnd_end *end)
{
	unsigned int late = vsnd_end_late(end);

	lockdep_assert_held(&end->cable->lock);
	end->next_period += late;
	end->next_period -= end->late;
	end->late = late;
}

/**
 * vsnd_imperfect_wake() - the end of a period is to be reported now
 * @end: a running end
 *
 * One that was late has held up those that were due meanwhile: they are
 * reported as one.
 *
 * Context: The cable's lock held.
 * Return: whether the client is to be woken; not if all of them are lost.
 */
bool vsnd_imperfect_wake(struct vsnd_end *end)
{
	bool wake = false;
	int i;

	lockdep_assert_held(&end->cable->lock);
	for (i = 0; i < VSND_WAKES_MAX && end->n >= end->next_period; i++) {
		if (!vsnd_end_is_lost(end))
			wake = end->wakes;
		end->next_period += end->period;
		vsnd_imperfect_plan(end);
	}
	if (end->n >= end->next_period) {
		vsnd_end_align_period(end);
		vsnd_imperfect_plan(end);
	}
	return wake;
}

/**
 * vsnd_imperfect_apply() - have a cable be imperfect in another way
 * @cable: the cable, whose device's clock does not change meanwhile
 * @imperfect: the way
 *
 * Takes effect at this instant, without a jump in a position.
 *
 * Context: Any. Takes the cable's lock.
 */
void vsnd_imperfect_apply(struct vsnd_cable *cable,
			  const struct vsnd_imperfect *imperfect)
{
	struct vsnd_wobble *wobble = &cable->wobble;
	s32 max = imperfect->walk ? imperfect->walk_max : 0;
	struct vsnd_clock *clock;
	unsigned long flags;
	s64 now;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	clock = cable->clock;
	now = vsnd_cable_advance(cable, vsnd_clock_now(clock));
	if (!cable->imperfect.on)
		wobble->walk = 0;
	wobble->walk = clamp(wobble->walk, -max, max);
	wobble->segment = 0;
	if (now > wobble->begin)
		wobble->segment = div_u64(now - wobble->begin, VSND_SEGMENT_NS);
	cable->imperfect = *imperfect;
	vsnd_wobble_renew(cable);
	vsnd_cable_bend(cable, now);
	for (i = 0; i < 2; i++) {
		atomic64_set(&cable->end[i].stale, 0);
		if (!cable->end[i].running)
			continue;
		vsnd_imperfect_plan(&cable->end[i]);
		vsnd_end_plan(&cable->end[i]);
	}
	vsnd_cable_schedule(cable);
	spin_unlock_irqrestore(&cable->lock, flags);
	vsnd_clock_arm(clock);
}
