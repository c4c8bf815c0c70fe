/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timelines: frames as a function of time, and back. Integers throughout, in
 * nano-frames, so that nothing is lost however long a stream runs and however
 * often its speed changes. Inline, for a stream asks at every step.
 */
#ifndef VSND_TIMELINE_H
#define VSND_TIMELINE_H

#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <linux/types.h>

/**
 * struct vsnd_timeline - frames as a function of time
 * @epoch: an instant, ns
 * @frames: whole frames that have passed until @epoch
 * @rest: and nano-frames beyond, less than one frame
 * @speed: whole frames per second from @epoch on
 * @fine: and nano-frames per second beyond, less than one frame
 * @passed: frames that have passed when somebody last counted
 * @next: instant before which no other frame passes, ns; found then, too
 */
struct vsnd_timeline {
	s64 epoch;
	u64 frames;
	u32 rest;
	u32 speed;
	u32 fine;
	u64 passed;
	s64 next;
};

void vsnd_timeline_init(struct vsnd_timeline *line, s64 epoch, u64 speed);
void vsnd_timeline_bend(struct vsnd_timeline *line, s64 now, u64 speed);
u64 vsnd_timeline_skip(struct vsnd_timeline *line, u64 ns);
u64 vsnd_timeline_search(const struct vsnd_timeline *line, u64 nano);

/* Nano-frames in a time of at most some seconds, ns. */
static inline u64 vsnd_timeline_part(const struct vsnd_timeline *line, u64 ns)
{
	u64 nano = ns * line->speed;

	if (unlikely(line->fine))
		nano += div_u64(ns * line->fine, NSEC_PER_SEC);
	return nano;
}

/**
 * vsnd_timeline_count() - how many frames have passed
 * @line: the timeline, whose epoch may be moved by whole seconds
 * @at: instant, ns; before the epoch counts as the epoch
 *
 * Exact: at a whole number of frames per second @passed is
 * floor(ns * speed / 1e9) for ever, for whole seconds are multiplied by
 * themselves. @next may be early by a little, never late.
 *
 * Context: Any; the caller keeps others from the timeline.
 */
static inline void vsnd_timeline_count(struct vsnd_timeline *line, s64 at)
{
	u64 ns = at - line->epoch;
	u32 part;

	if (unlikely(at <= line->epoch)) {
		line->passed = line->frames;
		line->next = line->epoch;
		return;
	}
	if (unlikely(ns >= NSEC_PER_SEC))
		ns = vsnd_timeline_skip(line, ns);
	line->passed = line->frames +
		       div_u64_rem(line->rest + vsnd_timeline_part(line, ns),
				   NSEC_PER_SEC, &part);
	line->next = at + ((u32)NSEC_PER_SEC - part) / (line->speed + 1);
}

/**
 * vsnd_timeline_frames() - the same, where only the frames matter
 * @line: see vsnd_timeline_count()
 * @at: see vsnd_timeline_count()
 *
 * Context: Any; the caller keeps others from the timeline.
 * Return: whole frames.
 */
static inline u64 vsnd_timeline_frames(struct vsnd_timeline *line, s64 at)
{
	vsnd_timeline_count(line, at);
	return line->passed;
}

/**
 * vsnd_timeline_instant() - when a number of frames will have passed
 * @line: the timeline
 * @frames: number of frames, at most some 10^10 ahead of the epoch's
 *
 * At this instant vsnd_timeline_frames() has got to @frames, a nanosecond
 * before it has not: a timer that fires then is never early.
 *
 * Context: Any; the caller keeps others from the timeline.
 * Return: instant in ns, the epoch at least.
 */
static inline s64 vsnd_timeline_instant(const struct vsnd_timeline *line,
					u64 frames)
{
	u64 nano;

	if (frames <= line->frames)
		return line->epoch;
	nano = (frames - line->frames) * NSEC_PER_SEC - line->rest;
	if (unlikely(line->fine))
		return line->epoch + vsnd_timeline_search(line, nano);
	return line->epoch + div_u64(nano + line->speed - 1, line->speed);
}

#endif /* VSND_TIMELINE_H */
