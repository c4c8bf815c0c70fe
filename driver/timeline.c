// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timelines: frames as a function of time, and back. Integers throughout, in
 * nano-frames, so that nothing is lost however long a stream runs and however
 * often its speed changes.
 */
#include <linux/math64.h>
#include <linux/time64.h>

#include "vsnd.h"

/**
 * vsnd_timeline_init() - let frames begin to count
 * @line: the timeline
 * @epoch: instant of frame 0, ns
 * @speed: nano-frames per second
 */
void vsnd_timeline_init(struct vsnd_timeline *line, s64 epoch, u64 speed)
{
	line->epoch = epoch;
	line->frames = 0;
	line->rest = 0;
	line->speed = div_u64_rem(speed, NSEC_PER_SEC, &line->fine);
}

/* Nano-frames in less than some seconds. */
static u64 vsnd_timeline_part(const struct vsnd_timeline *line, u64 ns)
{
	u64 nano = ns * line->speed;

	return line->fine ? nano + div_u64(ns * line->fine, NSEC_PER_SEC) :
			    nano;
}

static u64 vsnd_timeline_split(const struct vsnd_timeline *line, s64 at,
			       u32 *rest)
{
	u64 seconds, nano;
	u32 ns;

	if (at <= line->epoch) {
		*rest = line->rest;
		return line->frames;
	}
	seconds = div_u64_rem(at - line->epoch, NSEC_PER_SEC, &ns);
	nano = line->rest + seconds * line->fine +
	       vsnd_timeline_part(line, ns);
	return line->frames + seconds * line->speed +
	       div_u64_rem(nano, NSEC_PER_SEC, rest);
}

/**
 * vsnd_timeline_frames() - how many frames have passed
 * @line: the timeline
 * @at: instant, ns; before the epoch counts as the epoch
 *
 * Exact: at a whole number of frames per second it is floor(ns * speed / 1e9)
 * for ever, for whole seconds are multiplied by themselves.
 *
 * Return: whole frames.
 */
u64 vsnd_timeline_frames(const struct vsnd_timeline *line, s64 at)
{
	u32 rest;

	return vsnd_timeline_split(line, at, &rest);
}

/**
 * vsnd_timeline_instant() - when a number of frames will have passed
 * @line: the timeline
 * @frames: number of frames
 *
 * At this instant vsnd_timeline_frames() has got to @frames, a nanosecond
 * before it has not: a timer that fires then is never early.
 *
 * Return: instant in ns, the epoch at least.
 */
s64 vsnd_timeline_instant(const struct vsnd_timeline *line, u64 frames)
{
	u64 seconds, nano, ns;
	s64 over;

	if (frames <= line->frames)
		return line->epoch;
	frames -= line->frames;

	/* Fewer seconds than it takes, by one or two. */
	seconds = div_u64(frames, line->speed + 1);
	if (seconds)
		seconds--;
	nano = (frames - seconds * line->speed) * NSEC_PER_SEC - line->rest -
	       seconds * line->fine;

	/* From above, with steps that stay above while they are large. */
	ns = div_u64(nano, line->speed);
	while ((over = vsnd_timeline_part(line, ns) - nano) > line->speed)
		ns -= div_u64(over, line->speed + 1);
	while (vsnd_timeline_part(line, ns) < nano)
		ns++;
	while (ns && vsnd_timeline_part(line, ns - 1) >= nano)
		ns--;
	return line->epoch + seconds * NSEC_PER_SEC + ns;
}

/**
 * vsnd_timeline_bend() - go on at another speed
 * @line: the timeline
 * @now: instant of the change, ns
 * @speed: nano-frames per second from now on
 *
 * The count does not jump, nor does the part of a frame that has passed.
 */
void vsnd_timeline_bend(struct vsnd_timeline *line, s64 now, u64 speed)
{
	u32 rest;

	line->frames = vsnd_timeline_split(line, now, &rest);
	line->rest = rest;
	if (now > line->epoch)
		line->epoch = now;
	line->speed = div_u64_rem(speed, NSEC_PER_SEC, &line->fine);
}
