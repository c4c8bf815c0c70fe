/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Positions: what the pointer op tells the PCM core, and what the core must not
 * conclude from it. Inline, for it is asked at every look.
 */
#ifndef VSND_POSITION_H
#define VSND_POSITION_H

#include "end.h"

/* The position that a tick has worked out. */
static inline snd_pcm_uframes_t vsnd_end_take(struct vsnd_end *end)
{
	smp_rmb();	/* pairs with that in vsnd_end_report() */
	WRITE_ONCE(end->tick, false);
	vsnd_end_forget_stamp(end);
	return READ_ONCE(end->pos);
}

static __always_inline snd_pcm_uframes_t
vsnd_end_position(struct vsnd_end *end, bool monotonic, bool tick)
{
	s64 now;

	if (tick)
		return vsnd_end_take(end);
	now = monotonic ? ktime_to_ns(ktime_get()) :
			  vsnd_clock_now(end->cable->clock);
	if (unlikely(now >= atomic64_read(&end->stale)))
		return vsnd_end_look(end, now);
	smp_rmb();	/* pairs with that in vsnd_end_report() */
	return READ_ONCE(end->pos);
}

/* Does the core look because we have told it to, rather than a client? */
static inline bool vsnd_end_is_told_of(const struct vsnd_end *end)
{
	return READ_ONCE(end->teller) == current;
}

/*
 * Whether whole rings have passed, of which no position tells, the core works
 * out from jiffies and the nominal rate. Without wake-ups it does whenever it
 * looks: let it come to what is true. With them it does when it is told, and adds
 * one ring at most: let it add that one. While a RESET is under way on
 * another processor, its base is not that of its hw_ptr: let it add none.
 */
static inline void vsnd_end_set_jiffies(struct vsnd_end *end)
{
	unsigned int rounds = atomic_xchg(&end->rounds, 0);
	struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_uframes_t from = runtime->status->hw_ptr - runtime->hw_ptr_base;
	snd_pcm_uframes_t to = end->told;
	unsigned long since = 0;

	if (rounds && from < runtime->buffer_size) {
		if (to < from)
			to += runtime->buffer_size;
		since = rounds * runtime->hw_ptr_buffer_jiffies +
			(to - from) * HZ / runtime->rate;
		since = max(since, runtime->hw_ptr_buffer_jiffies / 2 + 2);
	}
	runtime->hw_ptr_jiffies = jiffies - since;
}

/*
 * A wake-up within a period, such as one before an xrun, or one that comes late
 * and whose position has been seen, the core takes for one that tells of a lost
 * ring if it has not looked for half of one, by jiffies. Let it have looked now.
 */
static inline void vsnd_end_keep_round(struct vsnd_end *end)
{
	struct snd_pcm_runtime *runtime = end->runtime;
	unsigned long since = jiffies - runtime->hw_ptr_jiffies;
	snd_pcm_uframes_t hw_ptr = runtime->hw_ptr_base + end->told;

	if (unlikely(since > runtime->hw_ptr_buffer_jiffies / 2) &&
	    hw_ptr >= runtime->status->hw_ptr &&
	    hw_ptr < runtime->hw_ptr_interrupt + runtime->period_size)
		runtime->hw_ptr_jiffies = jiffies;
}

/*
 * A RESET takes the stream lock again and again, and goes from one to the next
 * of hw_ptr, the base that it counts from, and appl_ptr: who looks in between
 * must see no move. The last thing that the core sets with the base is its
 * hw_ptr_interrupt, which is never at the boundary but here.
 */
static inline void vsnd_begin_reset(struct snd_pcm_runtime *runtime)
{
	runtime->hw_ptr_interrupt = runtime->boundary;
}

static inline bool vsnd_end_is_in_reset(const struct vsnd_end *end)
{
	return end->runtime->hw_ptr_interrupt == end->runtime->boundary;
}

/*
 * A PAUSE of a linked stream, too, must see no move and find no xrun where it
 * looks under the group's lock: to stop the group the core would wait for that
 * lock, which is its own, for ever. So while somebody holds it, only our own
 * telling finds that a stream has moved; it comes in any case, and so does a
 * release of the pause.
 */
static inline bool vsnd_end_is_held(const struct vsnd_end *end)
{
	return vsnd_end_is_in_reset(end) ||
	       (snd_pcm_group_is_locked(end->substream) &&
		!vsnd_end_is_told_of(end));
}

/*
 * Where the core believes the stream is. It must not believe that it has moved if
 * in the middle of a RESET its base is of another round; nor does it look wrong
 * for having waited. One that was never prepared has no place: its client has
 * forged its state.
 */
static inline snd_pcm_uframes_t vsnd_end_hold(struct vsnd_end *end)
{
	struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_uframes_t pos = runtime->status->hw_ptr - runtime->hw_ptr_base;

	vsnd_end_forget_stamp(end);
	if (!end->ring.frames)
		return SNDRV_PCM_POS_XRUN;
	runtime->hw_ptr_jiffies = jiffies;
	if (pos >= runtime->buffer_size) {
		pos = runtime->status->hw_ptr % runtime->buffer_size;
		runtime->hw_ptr_base = runtime->status->hw_ptr - pos;
	}
	return pos;
}

/**
 * vsnd_end_pointer() - the stream's position, for the PCM core
 * @end: the end
 * @monotonic: whether its clock is CLOCK_MONOTONIC, a constant
 *
 * Everything up to the position is moved before it is reported: after that
 * the core and the client are free to write over it. While the same frame
 * lasts, the answer is the same.
 *
 * Context: The pointer op: stream lock held.
 * Return: position in the ring in frames, or SNDRV_PCM_POS_XRUN.
 */
static __always_inline snd_pcm_uframes_t vsnd_end_pointer(struct vsnd_end *end,
							  bool monotonic)
{
	bool tick = READ_ONCE(end->tick);

	if (unlikely(vsnd_end_is_held(end))) {
		/* What a tick has worked out is no news after a RESET. */
		if (vsnd_end_is_in_reset(end))
			WRITE_ONCE(end->tick, false);
		end->told = vsnd_end_hold(end);
		return end->told;
	}
	end->told = vsnd_end_position(end, monotonic, tick);
	if (unlikely(!end->wakes || (atomic_read(&end->rounds) &&
				     vsnd_end_is_told_of(end))))
		vsnd_end_set_jiffies(end);
	else
		vsnd_end_keep_round(end);
	return end->told;
}

#endif /* VSND_POSITION_H */
