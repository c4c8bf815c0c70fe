/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ends: how far a stream has got, and what its client has done so far, in
 * frames of the stream. Inline, for it is asked at every step.
 */
#ifndef VSND_END_H
#define VSND_END_H

#include <linux/math64.h>
#include <linux/minmax.h>

#include "vsnd.h"

static inline struct vsnd_end *vsnd_end_peer(const struct vsnd_end *end)
{
	return &end->cable->end[!end->direction];
}

/*
 * The client's appl_ptr. It may be mapped, so it is read once and believed
 * nothing; and the core writes it under the stream lock, which the other end does
 * not hold.
 */
static inline snd_pcm_uframes_t vsnd_appl_ptr(const struct vsnd_end *end)
{
	/* Pairs with the client's barrier between its frames and appl_ptr. */
	return data_race(smp_load_acquire(&end->runtime->control->appl_ptr));
}

/* That ahead of the core's hw_ptr, in frames */
static inline snd_pcm_uframes_t vsnd_appl_ahead(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_uframes_t appl = vsnd_appl_ptr(end);

	if (appl >= runtime->boundary)
		return 0;
	if (appl < end->hw_ptr)
		appl += runtime->boundary;
	return appl - end->hw_ptr;
}

/**
 * vsnd_end_written() - up to where a player has written
 * @player: a running playback end
 *
 * Context: The cable's lock held.
 * Return: n of the first frame that is not valid.
 */
static inline u64 vsnd_end_written(const struct vsnd_end *player)
{
	snd_pcm_uframes_t ahead = vsnd_appl_ahead(player);

	lockdep_assert_held(&player->cable->lock);
	return player->seen + (ahead <= player->ring.frames ? ahead : 0);
}

/**
 * vsnd_end_read() - up to where a recorder has read
 * @recorder: a running capture end
 *
 * Context: The cable's lock held.
 * Return: n of the first frame that is waiting.
 */
static inline u64 vsnd_end_read(const struct vsnd_end *recorder)
{
	snd_pcm_uframes_t boundary = recorder->runtime->boundary;
	snd_pcm_uframes_t ahead = vsnd_appl_ahead(recorder);
	snd_pcm_uframes_t behind = ahead ? boundary - ahead : 0;

	return behind <= recorder->seen ? recorder->seen - behind : 0;
}

/* The client may change it while the stream runs: see vsnd_appl_ptr(). */
static inline snd_pcm_uframes_t
vsnd_end_stop_threshold(const struct vsnd_end *end)
{
	return snd_pcm_peek(end->runtime->stop_threshold);
}

static inline bool vsnd_end_never_stops(const struct vsnd_end *end)
{
	return vsnd_end_stop_threshold(end) >= end->runtime->boundary;
}

static inline bool vsnd_end_is_draining(const struct vsnd_end *end)
{
	return snd_pcm_runtime_state(end->runtime) == SNDRV_PCM_STATE_DRAINING;
}

/*
 * Does it run for the PCM core as well? Not if it is just being started, or if it
 * is a recorder that a drain has dragged along.
 */
static inline bool vsnd_end_is_under_way(const struct vsnd_end *end)
{
	snd_pcm_state_t state;

	if (!end->running)
		return false;
	state = snd_pcm_runtime_state(end->runtime);
	return state == SNDRV_PCM_STATE_RUNNING ||
	       state == SNDRV_PCM_STATE_DRAINING;
}

/* The period in which the stream is ends next. */
static inline void vsnd_end_align_period(struct vsnd_end *end)
{
	u32 rest;

	div_u64_rem(end->n, end->period, &rest);
	end->next_period = end->n - rest + end->period;
	end->late = 0;
}

/*
 * Where a player's xrun is. One that may lag behind what it has written has had
 * some of what its threshold tolerates already.
 */
static inline u64 vsnd_end_underrun(const struct vsnd_end *player)
{
	snd_pcm_uframes_t ahead = vsnd_appl_ahead(player);
	u64 limit = player->seen + vsnd_end_stop_threshold(player);
	u64 free = player->ring.frames;

	if (ahead <= player->ring.frames)
		limit += ahead;
	else
		free += player->runtime->boundary - ahead;
	return limit > free ? limit - free : 0;
}

/* See vsnd_end_limit(); @direction is the end's, for a tick a constant. */
static __always_inline u64 vsnd_end_limit_of(const struct vsnd_end *end,
					     int direction)
{
	const struct snd_pcm_runtime *runtime = end->runtime;

	if (direction == SNDRV_PCM_STREAM_PLAYBACK &&
	    snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_RUNNING)
		return vsnd_end_written(end);
	if (vsnd_end_never_stops(end))
		return U64_MAX;
	if (direction == SNDRV_PCM_STREAM_CAPTURE)
		return vsnd_end_read(end) + vsnd_end_stop_threshold(end);
	return vsnd_end_underrun(end);
}

/**
 * vsnd_end_limit() - where a drain ends, where an xrun begins
 * @end: a running end
 *
 * There the PCM core has to look at the stream even between two periods. A
 * player that is not said to run yet may drain at once.
 *
 * Context: The cable's lock held.
 * Return: n, U64_MAX for nowhere.
 */
static inline u64 vsnd_end_limit(const struct vsnd_end *end)
{
	return vsnd_end_limit_of(end, end->direction);
}

/*
 * A player that is just being started is not said to run yet. It may drain, up
 * to what it has written; or run, and have its xrun before that. An xrun that is
 * there already is one as soon as a frame has passed.
 */
static inline u64 vsnd_end_first_limit(const struct vsnd_end *end)
{
	u64 limit = vsnd_end_limit(end);
	u64 xrun;

	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		return max(limit, end->n + 1);
	if (vsnd_end_is_draining(end) || vsnd_end_never_stops(end))
		return limit;
	xrun = max(vsnd_end_underrun(end), end->n + 1);
	return limit > end->n ? min(limit, xrun) : xrun;
}

/*
 * Bring a timeline to the present. What is known of its next frame is known up
 * to the next change of its speed only.
 */
static inline void vsnd_cable_count(struct vsnd_cable *cable,
				    struct vsnd_timeline *line)
{
	lockdep_assert_held(&cable->lock);
	vsnd_timeline_count(line, cable->now);
	if (unlikely(line->next > cable->wobble.bend))
		line->next = cable->wobble.bend;
}

/*
 * The core has moved its hw_ptr by whole buffers on its own account, as it does
 * for a RESET and after a stall, or has not taken the last report yet.
 */
static inline void vsnd_end_follow(struct vsnd_end *end,
				   snd_pcm_uframes_t hw_ptr)
{
	snd_pcm_uframes_t boundary = end->runtime->boundary;
	snd_pcm_uframes_t ahead = end->hw_ptr - hw_ptr;

	if (end->hw_ptr < hw_ptr)
		ahead += boundary;
	end->hw_ptr = hw_ptr + ahead % end->ring.frames;
	if (end->hw_ptr >= boundary)
		end->hw_ptr -= boundary;
}

/*
 * Whole rings have passed of which no position tells. How many of them the core
 * believes in is seen when it has taken the report, and has to be known before
 * what the client has written is: else it would seem to be as much more.
 */
static inline void vsnd_end_catch_up(struct vsnd_end *end)
{
	snd_pcm_uframes_t before = end->hw_ptr;

	vsnd_end_follow(end, snd_pcm_peek(end->runtime->status->hw_ptr));
	end->behind = end->hw_ptr == before;
	if (!end->behind)
		end->fresh = 0;
}

/* Bring a running end to where its timeline has got. */
static inline void vsnd_end_advance(struct vsnd_end *end)
{
	end->n = max(end->line->passed, end->from) - end->origin;
	if (unlikely(end->behind))
		vsnd_end_catch_up(end);
}

/**
 * vsnd_end_is_free_running() - does a player let its ring go round?
 * @player: a running playback end
 *
 * Such a client (dmix is one) maps the ring, never stops and never tells by
 * appl_ptr what it wrote: all of the ring is valid at all times. One that drains
 * has told.
 *
 * Context: The cable's lock held.
 * Return: true if the ring plays as it is.
 */
static inline bool vsnd_end_is_free_running(const struct vsnd_end *player)
{
	lockdep_assert_held(&player->cable->lock);
	return vsnd_end_never_stops(player) &&
	       atomic_read(&player->substream->mmap_count) > 0 &&
	       vsnd_appl_ptr(player) == player->appl_start &&
	       !vsnd_end_is_draining(player);
}

/**
 * vsnd_end_is_silent() - is all of a recorder's ring known to be silence?
 * @recorder: a capture end
 *
 * Of one that its client can write to, or could, nothing is known.
 *
 * Context: The cable's lock held, or the prepare op.
 * Return: true if there is nothing to be silenced.
 */
static inline bool vsnd_end_is_silent(const struct vsnd_end *recorder)
{
	return READ_ONCE(recorder->silent) >= recorder->ring.frames &&
	       !READ_ONCE(recorder->mapped);
}

/*
 * A player has drained during a stall of a ring or more: nothing is lost, and
 * the drain has to end. The core must see the position move, and a whole ring
 * is no move: the last frame is left to the next look, which is due at once.
 */
static inline u32 vsnd_end_drained(const struct vsnd_end *player)
{
	u64 left = vsnd_end_written(player) - player->seen;

	return clamp_t(u64, left, 1, player->ring.frames - 1);
}

/*
 * Whether a stream may go on at @n, after a ring or more that nobody has seen
 * pass. With wake-ups the core would not hear of it, so that is an xrun however
 * much more is tolerated.
 */
static inline bool vsnd_end_bears(const struct vsnd_end *end, u64 n)
{
	return vsnd_end_never_stops(end) ||
	       (!end->wakes && n < vsnd_end_limit(end));
}

/*
 * Has all gone by that a player has played a round ago? What its client takes
 * back of that, it is about to write anew.
 */
static inline bool vsnd_end_pass_old(struct vsnd_end *player)
{
	player->fresh = min(player->fresh, vsnd_end_written(player));
	if (player->fresh <= player->n)
		player->fresh = 0;
	return !player->fresh;
}

/**
 * vsnd_end_report() - work out what the core is to be told
 * @end: an end, which has been brought to the present
 * @until: instant until which its n holds, ns
 * @tick: is the core about to look? What is worked out now then holds in any
 *	case
 *
 * The core sees positions modulo the buffer only, so that frames are lost by a
 * whole ring or behind the client's back is for us to say.
 *
 * Context: The cable's lock held.
 * Return: false if there is no position to be told, but an xrun.
 */
static __always_inline bool vsnd_end_report(struct vsnd_end *end, s64 until,
					    bool tick)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_uframes_t pos, hw_ptr;
	u64 n = end->n;
	u64 passed = n - end->seen;
	bool is_round = false;
	u32 step = passed;

	lockdep_assert_held(&end->cable->lock);
	if (unlikely(end->lost))
		return false;
	if (unlikely(passed >= end->ring.frames)) {
		if (!end->ring.frames) {
			/* never prepared: its client has forged its state */
			return false;
		} else if (vsnd_end_is_draining(end)) {
			step = vsnd_end_drained(end);
			n = end->seen + step;
			until = 0;
		} else if (vsnd_end_bears(end, n)) {
			atomic_add(div_u64_rem(passed, end->ring.frames, &step),
				   &end->rounds);
			is_round = true;
		} else {
			return false;
		}
	}
	end->seen = n;
	hw_ptr = snd_pcm_peek(runtime->status->hw_ptr);
	if (unlikely(hw_ptr != end->hw_ptr))
		vsnd_end_follow(end, hw_ptr);
	end->hw_ptr += step;
	pos = end->pos + step;
	if (pos >= end->ring.frames) {
		pos -= end->ring.frames;
		if (end->hw_ptr >= runtime->boundary)
			end->hw_ptr -= runtime->boundary;
	}
	if (unlikely(is_round)) {
		end->behind = true;
		if (end->direction == SNDRV_PCM_STREAM_PLAYBACK)
			end->fresh = U64_MAX;
	}
	if (unlikely(end->fresh) && !vsnd_end_pass_old(end))
		until = 0;
	WRITE_ONCE(end->pos, pos);
	smp_wmb();	/* pairs with those before @pos is read */
	atomic64_set(&end->stale, until);
	if (tick)
		WRITE_ONCE(end->tick, true);
	return true;
}

/*
 * The core asks for no stamp of the default type, and would take the type of
 * the last one for that of the next.
 */
static inline void vsnd_end_forget_stamp(struct vsnd_end *end)
{
	end->runtime->audio_tstamp_report.actual_type =
		SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT;
}

#endif /* VSND_END_H */
