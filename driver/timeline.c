// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timelines: what is seldom needed of them.
 */
#include "timeline.h"

/**
 * vsnd_timeline_init() - let frames begin to count
 * @line: the timeline
 * @epoch: instant of frame 0, ns
 * @speed: nano-frames per second
 *
 * Context: Any; the caller keeps others from the timeline.
 */
void vsnd_timeline_init(struct vsnd_timeline *line, s64 epoch, u64 speed)
{
	line->epoch = epoch;
	line->frames = 0;
	line->rest = 0;
	line->speed = div_u64_rem(speed, NSEC_PER_SEC, &line->fine);
}

static void vsnd_timeline_add(struct vsnd_timeline *line, u64 nano)
{
	line->frames += div_u64_rem(line->rest + nano, NSEC_PER_SEC,
				    &line->rest);
}

/**
 * vsnd_timeline_skip() - move the epoch by whole seconds
 * @line: the timeline
 * @ns: time since the epoch
 *
 * Loses nothing: a second has a whole number of nano-frames.
 *
 * Context: Any; the caller keeps others from the timeline.
 * Return: time since the new epoch, less than a second, ns.
 */
u64 vsnd_timeline_skip(struct vsnd_timeline *line, u64 ns)
{
	u64 seconds;
	u32 rest;

	seconds = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	line->epoch += ns - rest;
	line->frames += seconds * line->speed;
	vsnd_timeline_add(line, seconds * line->fine);
	return rest;
}

/**
 * vsnd_timeline_bend() - go on at another speed
 * @line: the timeline
 * @now: instant of the change, ns
 * @speed: nano-frames per second from now on
 *
 * The count does not jump, nor does the part of a frame that has passed.
 *
 * Context: Any; the caller keeps others from the timeline.
 */
void vsnd_timeline_bend(struct vsnd_timeline *line, s64 now, u64 speed)
{
	if (now > line->epoch) {
		vsnd_timeline_count(line, now);
		vsnd_timeline_add(line, vsnd_timeline_part(line, now -
							   line->epoch));
		line->epoch = now;
	}
	line->next = line->epoch;
	line->speed = div_u64_rem(speed, NSEC_PER_SEC, &line->fine);
}

/**
 * vsnd_timeline_search() - how long it takes at a speed that is not whole
 * @line: the timeline
 * @nano: nano-frames from its epoch on
 *
 * Context: Any; the caller keeps others from the timeline.
 * Return: time in ns, rounded up.
 */
u64 vsnd_timeline_search(const struct vsnd_timeline *line, u64 nano)
{
	u64 seconds = 0, ns;
	u64 whole;
	s64 over;

	/* Fewer seconds than it takes, then some of those that are left. */
	while ((whole = div64_u64(nano, (line->speed + 1ULL) * NSEC_PER_SEC))) {
		nano -= whole * line->speed * NSEC_PER_SEC + whole * line->fine;
		seconds += whole;
	}

	/* From above, with steps that stay above while they are large. */
	ns = div_u64(nano, line->speed);
	while ((over = vsnd_timeline_part(line, ns) - nano) > line->speed)
		ns -= div_u64(over, line->speed + 1);
	while (vsnd_timeline_part(line, ns) < nano)
		ns++;
	while (ns && vsnd_timeline_part(line, ns - 1) >= nano)
		ns--;
	return seconds * NSEC_PER_SEC + ns;
}
