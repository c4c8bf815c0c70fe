// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ticks: how a cable is brought to the present, when somebody has to look at it,
 * and what is done then. This is what a running stream costs, hence what is
 * inline here.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "end.h"

/* Where the recorder's frames go first. */
static inline struct vsnd_ring *vsnd_cable_into(struct vsnd_end *recorder)
{
	return recorder->latency ? &recorder->delay : &recorder->ring;
}

/* Silence for the recorder, which costs nothing where silence is already. */
static void vsnd_cable_silence(struct vsnd_end *recorder, u64 until)
{
	u64 frames = until - recorder->moved;

	if (recorder->latency || !vsnd_end_is_silent(recorder)) {
		vsnd_ring_silence(vsnd_cable_into(recorder), recorder->moved,
				  frames);
		recorder->silent += frames;
	}
	recorder->moved = until;
}

static __always_inline void
vsnd_cable_copy(struct vsnd_end *recorder, u64 until,
		const struct vsnd_end *player, u64 shift)
{
	u64 from = recorder->moved;

	vsnd_ring_copy(vsnd_cable_into(recorder), from, &player->ring,
		       from + shift, until - from);
	recorder->silent = 0;
	recorder->moved = until;
}

/* What went into the delay comes out of it, later by the latency. */
static void vsnd_cable_delay(struct vsnd_end *recorder, u64 from)
{
	const struct vsnd_ring *delay = &recorder->delay;

	vsnd_ring_copy(&recorder->ring, from, delay,
		       from + delay->frames - recorder->latency,
		       recorder->moved - from);
	recorder->silent = 0;
}

/*
 * The recorder has heard silence in place of frames that the player may yet
 * write by mmap, behind the core's back: they are lost, and it must be told.
 */
static void vsnd_cable_check_lost(struct vsnd_end *player, u64 n)
{
	if (n >= vsnd_end_underrun(player) && !vsnd_end_never_stops(player) &&
	    snd_pcm_runtime_state(player->runtime) == SNDRV_PCM_STATE_RUNNING)
		player->lost = true;
}

/* What a player has played a round ago is not heard again, but silence. */
static void vsnd_cable_skip_old(const struct vsnd_cable *cable,
				const struct vsnd_end *player,
				struct vsnd_end *recorder, u64 until)
{
	s64 fresh = min_t(s64, player->fresh - cable->shift, until);

	if (fresh > (s64)recorder->moved)
		vsnd_cable_silence(recorder, fresh);
}

/*
 * Move the recorder's frames up to @until. The player's are valid from the
 * beginning of its run up to what it has written.
 */
static __always_inline void
vsnd_cable_move(struct vsnd_cable *cable, struct vsnd_end *player,
		struct vsnd_end *recorder, u64 until)
{
	u64 end = until;

	if (recorder->moved < cable->begin)
		vsnd_cable_silence(recorder, min(cable->begin, until));
	if (!vsnd_end_is_free_running(player)) {
		end = vsnd_end_written(player) - cable->shift;
		if ((s64)(until - end) <= 0)
			end = until;
		else
			vsnd_cable_check_lost(player, until + cable->shift);
		if (unlikely(player->fresh))
			vsnd_cable_skip_old(cable, player, recorder, until);
	}
	if ((s64)(end - recorder->moved) > 0)
		vsnd_cable_copy(recorder, end, player, cable->shift);
	if (recorder->moved != until)
		vsnd_cable_silence(recorder, until);
}

/*
 * After a stall of more than the recorder's ring, only what fits is moved: it
 * has an overrun anyway, and the work is the same however long the stall was.
 * With a latency what is left out is silence, and no more than that: to silence
 * all could take longer than the ring lasts, which would be the next stall.
 */
static u64 vsnd_cable_skip(struct vsnd_end *recorder, u64 until)
{
	u64 moved = until - recorder->ring.frames;
	u64 left_out = moved - recorder->moved;

	if (recorder->latency)
		vsnd_ring_silence(&recorder->delay, recorder->moved,
				  min_t(u64, left_out, recorder->delay.frames));
	recorder->moved = moved;
	return moved;
}

static __always_inline void vsnd_cable_give(struct vsnd_cable *cable,
					    struct vsnd_end *player,
					    struct vsnd_end *recorder)
{
	u64 until = recorder->n;
	u64 from = recorder->moved;

	if (until == from)
		return;
	if (unlikely(until - from > recorder->ring.frames))
		from = vsnd_cable_skip(recorder, until);
	if (cable->heard)
		vsnd_cable_move(cable, player, recorder, until);
	else
		vsnd_cable_silence(recorder, until);
	if (unlikely(recorder->latency))
		vsnd_cable_delay(recorder, from);
}

/**
 * vsnd_cable_fill() - give the recorder what it is to hear until now
 * @cable: the cable, brought to the present
 *
 * Context: The cable's lock held.
 */
void vsnd_cable_fill(struct vsnd_cable *cable)
{
	vsnd_cable_give(cable, &cable->end[SNDRV_PCM_STREAM_PLAYBACK],
			&cable->end[SNDRV_PCM_STREAM_CAPTURE]);
}

static __always_inline s64 vsnd_cable_step(struct vsnd_cable *cable, s64 now)
{
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];

	lockdep_assert_held(&cable->lock);
	if (now <= cable->now)
		return cable->now;
	cable->now = now;
	if (unlikely(now >= cable->wobble.bend))
		vsnd_imperfect_bend(cable, now);
	if (player->running) {
		vsnd_cable_count(cable, player->line);
		vsnd_end_advance(player);
	}
	if (!cable->joint) {
		if (!recorder->running)
			return now;
		vsnd_cable_count(cable, recorder->line);
	}
	vsnd_end_advance(recorder);
	vsnd_cable_give(cable, player, recorder);
	return now;
}

/**
 * vsnd_cable_advance() - bring the cable up to an instant
 * @cable: the cable
 * @now: instant, ns; an earlier one than at the last call counts as that
 *
 * Context: Any, with the cable's lock held.
 * Return: the instant at which positions are to be computed, ns.
 */
s64 vsnd_cable_advance(struct vsnd_cable *cable, s64 now)
{
	return vsnd_cable_step(cable, now);
}

/**
 * vsnd_end_look() - bring an end to the present and take its position
 * @end: the end
 * @now: instant, ns
 *
 * Context: vsnd_end_pointer(): stream lock held.
 * Return: position in the ring in frames, or SNDRV_PCM_POS_XRUN.
 */
snd_pcm_uframes_t vsnd_end_look(struct vsnd_end *end, s64 now)
{
	struct vsnd_cable *cable = end->cable;
	snd_pcm_uframes_t pos = SNDRV_PCM_POS_XRUN;

	vsnd_end_forget_stamp(end);
	spin_lock(&cable->lock);
	vsnd_cable_step(cable, now);
	if (vsnd_end_report(end, end->running ? end->line->next : 0,
			    false))
		pos = end->pos;
	spin_unlock(&cable->lock);
	return pos;
}

static __always_inline u64 vsnd_end_next_event(const struct vsnd_end *end,
					       u64 n, u64 limit)
{
	u64 event = min(end->next_period, n + end->piece);

	lockdep_assert_held(&end->cable->lock);
	if (likely(limit > n))
		event = min(event, limit);
	else if (vsnd_end_is_draining(end))
		event = n + 1;	/* the core wants to see it move */
	return event;
}

/**
 * vsnd_end_plan() - when is this end to be looked at next?
 * @end: a running end
 *
 * At the end of its period, where the core has to look, and before there is
 * too much to be moved at once.
 *
 * Context: The cable's lock held.
 */
void vsnd_end_plan(struct vsnd_end *end)
{
	u64 limit = vsnd_end_first_limit(end);
	u64 event = vsnd_end_next_event(end, end->n, limit);

	/* A pause can end after a period of which nobody was told. */
	end->event = max(event, end->n);
}

/* The end of a period is to be reported; true if that wakes its client. */
static __always_inline bool vsnd_end_pass_period(struct vsnd_end *end, u64 n)
{
	if (unlikely(end->cable->imperfect.on))
		return vsnd_imperfect_wake(end);
	end->next_period += end->period;
	if (unlikely(n >= end->next_period))
		vsnd_end_align_period(end);
	return end->wakes;
}

/* Look at an end; its substream if its client is to be told. */
static __always_inline struct snd_pcm_substream *
vsnd_end_tick(struct vsnd_end *end, int direction)
{
	u64 limit, n;
	bool tick;

	/* one that does not run may be being prepared */
	if (!end->running)
		return NULL;
	n = end->n;
	if (n < end->event)
		return NULL;
	limit = vsnd_end_limit_of(end, direction);
	tick = n >= limit;
	if (n >= end->next_period && vsnd_end_pass_period(end, n))
		tick = true;
	end->event = vsnd_end_next_event(end, n, limit);
	if (!tick)
		return NULL;
	/* Of an xrun the core learns by looking itself. */
	vsnd_end_report(end, end->line->next, true);
	return end->substream;
}

/* Timeline frame of an end's next event. */
static u64 vsnd_end_event(const struct vsnd_end *end)
{
	return end->event + end->origin;
}

static s64 vsnd_end_instant(const struct vsnd_end *end)
{
	return vsnd_timeline_instant(end->line, vsnd_end_event(end));
}

static __always_inline s64
vsnd_cable_next_event(const struct vsnd_cable *cable)
{
	const struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	const struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	s64 when = S64_MAX;
	u64 frame;

	lockdep_assert_held(&cable->lock);
	if (likely(cable->joint)) {
		frame = min(vsnd_end_event(player), vsnd_end_event(recorder));
		return vsnd_timeline_instant(player->line, frame);
	}
	if (player->running)
		when = vsnd_end_instant(player);
	if (recorder->running)
		when = min(when, vsnd_end_instant(recorder));
	return when;
}

/**
 * vsnd_cable_instant() - when is the next event of a cable?
 * @cable: the cable, whose running ends have planned their next event
 *
 * Context: The cable's lock held.
 * Return: instant at the present speed, ns; S64_MAX if none of them runs.
 */
s64 vsnd_cable_instant(const struct vsnd_cable *cable)
{
	return vsnd_cable_next_event(cable);
}

static __always_inline bool vsnd_cable_plan(struct vsnd_cable *cable)
{
	s64 when = vsnd_cable_next_event(cable);

	if (unlikely(when > cable->wobble.bend) && when != S64_MAX)
		when = vsnd_imperfect_deadline(cable, when);
	atomic64_set(&cable->deadline, when);
	return when != S64_MAX;
}

/**
 * vsnd_cable_schedule() - set when the cable is to be looked at next
 * @cable: the cable, whose running ends have planned their next event
 *
 * Context: The cable's lock held.
 * Return: whether there is anything to be looked at.
 */
bool vsnd_cable_schedule(struct vsnd_cable *cable)
{
	return vsnd_cable_plan(cable);
}

/*
 * Have the PCM core look at a stream, under its lock and maybe its group's. Of
 * two tasks that do it at once the second looks in any case.
 */
static __always_inline void vsnd_end_tell(struct vsnd_end *end,
					  struct snd_pcm_substream *substream)
{
	WRITE_ONCE(end->teller, current);
	snd_pcm_period_elapsed(substream);
	cmpxchg(&end->teller, current, NULL);
}

/**
 * vsnd_cable_tick() - a deadline of the cable has passed
 * @cable: the cable
 * @now: instant, ns
 *
 * Brings it to the present and tells the clients that are to know. For that
 * the PCM core takes the stream lock, so no lock is held: a STOP may come in
 * between, and the core then finds the stream stopped.
 *
 * Context: From vsnd_clock_run(), no lock held.
 * Return: whether a client was told.
 */
bool vsnd_cable_tick(struct vsnd_cable *cable, s64 now)
{
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	struct snd_pcm_substream *playback, *capture;
	unsigned long flags;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_step(cable, now);
	playback = vsnd_end_tick(player, SNDRV_PCM_STREAM_PLAYBACK);
	capture = vsnd_end_tick(recorder, SNDRV_PCM_STREAM_CAPTURE);
	vsnd_cable_plan(cable);
	spin_unlock_irqrestore(&cable->lock, flags);

	if (playback)
		vsnd_end_tell(player, playback);
	if (capture)
		vsnd_end_tell(recorder, capture);
	return playback || capture;
}

/* Is a stream further than the PCM core has seen, which looks only where it runs? */
static bool vsnd_end_is_untold(const struct vsnd_end *end)
{
	return vsnd_end_is_under_way(end) &&
	       (end->n != end->seen ||
		end->hw_ptr != snd_pcm_peek(end->runtime->status->hw_ptr));
}

/*
 * Has a client what it waits for, though nothing has moved? A RESET gives a player
 * room, and so does who takes frames back, while another thread sleeps.
 */
static bool vsnd_end_has_enough(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	u64 avail, wanted;

	if (!vsnd_end_is_under_way(end))
		return false;
	if (end->direction == SNDRV_PCM_STREAM_PLAYBACK)
		avail = end->seen + end->ring.frames - vsnd_end_written(end);
	else
		avail = end->seen - vsnd_end_read(end);
	wanted = snd_pcm_peek(runtime->twake);
	if (!wanted)
		wanted = snd_pcm_peek(runtime->control->avail_min);
	return avail >= wanted;
}

static void vsnd_wake_client(struct snd_pcm_substream *substream)
{
	wake_up(&substream->runtime->sleep);
	wake_up(&substream->runtime->tsleep);
}

/**
 * vsnd_cable_tell() - have the PCM core look at the ends of which it has not seen
 *	all, and wake who has what he waits for at the others
 * @cable: the cable; nobody is told if it has another clock than the client clock
 *
 * Context: No stream lock held. Takes the cable's lock.
 * Return: whether the core was to look. It need not have seen all now: not if
 * the stream is just being paused, or is in the middle of a RESET.
 */
bool vsnd_cable_tell(struct vsnd_cable *cable)
{
	struct snd_pcm_substream *told[2] = { NULL, NULL };
	struct snd_pcm_substream *woken[2] = { NULL, NULL };
	struct vsnd_end *end;
	unsigned long flags;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	for (i = 0; i < 2; i++) {
		end = &cable->end[i];
		/* a late member of a linked group: see vsnd_client_room() */
		if (cable->clock != &cable->client.clock)
			continue;
		if (vsnd_end_is_untold(end)) {
			vsnd_end_report(end, end->line->next, true);
			told[i] = end->substream;
		} else if (vsnd_end_has_enough(end)) {
			woken[i] = end->substream;
		}
	}
	spin_unlock_irqrestore(&cable->lock, flags);
	for (i = 0; i < 2; i++) {
		if (told[i])
			vsnd_end_tell(&cable->end[i], told[i]);
		else if (woken[i])
			vsnd_wake_client(woken[i]);
	}
	return told[0] || told[1];
}
