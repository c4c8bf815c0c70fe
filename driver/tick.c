// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ticks: when somebody has to look at a cable, and what is done then. This is
 * what a running stream costs, hence what is inline here.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "end.h"

/*
 * The n at which the PCM core has to look at the stream even between two
 * periods: where a drain ends, where an xrun begins. A player that is not said
 * to run yet may drain at once.
 */
static __always_inline u64 vsnd_end_limit(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	u64 limit;

	if (end->direction == SNDRV_PCM_STREAM_PLAYBACK &&
	    snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_RUNNING)
		return vsnd_end_written(end);
	if (vsnd_end_never_stops(end))
		return U64_MAX;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		return vsnd_end_read(end) + runtime->stop_threshold;
	limit = vsnd_end_written(end) + runtime->stop_threshold;
	return limit > end->ring.frames ? limit - end->ring.frames : 0;
}

static void vsnd_end_plan_until(struct vsnd_end *end, u64 n, u64 limit)
{
	lockdep_assert_held(&end->cable->lock);
	end->event = min(end->next_period, n + end->piece);
	if (likely(limit > n))
		end->event = min(end->event, limit);
	else if (vsnd_end_is_draining(end))
		end->event = n + 1;	/* the core wants to see it move */
	/* A pause can end after a period of which nobody was told. */
	end->event = max(end->event, n);
}

/**
 * vsnd_end_plan() - when is this end to be looked at next?
 * @end: a running end
 *
 * At the end of its period, where the core has to look, and before there is
 * too much to be moved at once.
 */
void vsnd_end_plan(struct vsnd_end *end)
{
	vsnd_end_plan_until(end, end->n, vsnd_end_limit(end));
}

/*
 * How many frames may pass without an xrun: a player up to what is written, a
 * recorder up to a full ring; both stop a frame before an xrun. Only a client
 * that waits for more than it can get that way gets its xrun, rather than
 * sleep for ever.
 */
static u64 vsnd_end_room(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	u64 limit = vsnd_end_limit(end);
	u64 until = vsnd_end_written(end);
	snd_pcm_uframes_t avail = end->ring.frames;
	u64 n = end->n;

	/*
	 * An xrun already, or a drain with nothing left: the core finds it when
	 * it is told of another position.
	 */
	if (limit <= n &&
	    snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_PREPARED)
		return 1;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		until = vsnd_end_read(end) + end->ring.frames;
	if (!vsnd_end_is_draining(end) && limit && limit <= until) {
		avail -= until - (limit - 1);
		until = limit - 1;
		if (READ_ONCE(runtime->control->avail_min) > avail)
			until = limit;
	}
	return until > n ? until - n : 0;
}

/*
 * The core is about to look at the stream, for the end of a period or early.
 * It is then told the position that the cable has been brought to, without
 * another look at the clock.
 */
static void vsnd_end_await(struct vsnd_end *end, bool early)
{
	lockdep_assert_held(&end->cable->lock);
	end->tick = true;
	end->early = early;
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

/* Look at an end; true if its client is to be told. */
static __always_inline bool vsnd_end_tick(struct vsnd_end *end)
{
	u64 n = end->n;
	bool wake = false;
	bool told;
	u64 limit;

	if (n < end->event)
		return false;
	limit = vsnd_end_limit(end);
	if (n >= end->next_period)
		wake = vsnd_end_pass_period(end, n);
	told = wake || n >= limit;
	if (told)
		vsnd_end_await(end, !wake);
	vsnd_end_plan_until(end, n, limit);
	return told;
}

/* Timeline frame of an end's next event. */
static u64 vsnd_end_event(const struct vsnd_end *end)
{
	return end->from + (end->event - end->base);
}

static s64 vsnd_end_instant(const struct vsnd_end *end)
{
	return vsnd_timeline_instant(end->line, vsnd_end_event(end));
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
	const struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	const struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	s64 when = S64_MAX;
	u64 frame;

	lockdep_assert_held(&cable->lock);
	if (player->running && recorder->running &&
	    player->line == recorder->line) {
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
 * vsnd_cable_schedule() - set when the cable is to be looked at next
 * @cable: the cable, whose running ends have planned their next event
 *
 * Context: The cable's lock held.
 * Return: whether there is anything to be looked at.
 */
bool vsnd_cable_schedule(struct vsnd_cable *cable)
{
	s64 when = vsnd_cable_instant(cable);

	if (unlikely(when > cable->wobble.bend) && when != S64_MAX)
		when = vsnd_imperfect_deadline(cable, when);
	atomic64_set(&cable->deadline, when);
	return when != S64_MAX;
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
	struct snd_pcm_substream *playback = NULL;
	struct snd_pcm_substream *capture = NULL;
	unsigned long flags;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, now);
	if (player->running && vsnd_end_tick(player))
		playback = player->substream;
	if (recorder->running && vsnd_end_tick(recorder))
		capture = recorder->substream;
	vsnd_cable_schedule(cable);
	spin_unlock_irqrestore(&cable->lock, flags);

	if (playback)
		snd_pcm_period_elapsed(playback);
	if (capture)
		snd_pcm_period_elapsed(capture);
	return playback || capture;
}

/**
 * vsnd_cable_tell() - have the PCM core look at both ends
 * @cable: the cable
 *
 * Context: No stream lock held. Takes the cable's lock.
 */
void vsnd_cable_tell(struct vsnd_cable *cable)
{
	struct snd_pcm_substream *told[2] = { NULL, NULL };
	unsigned long flags;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	for (i = 0; i < 2; i++) {
		if (!cable->end[i].running)
			continue;
		vsnd_end_await(&cable->end[i], true);
		told[i] = cable->end[i].substream;
	}
	spin_unlock_irqrestore(&cable->lock, flags);
	for (i = 0; i < 2; i++)
		if (told[i])
			snd_pcm_period_elapsed(told[i]);
}

/* The DRAIN of a linked player has made it run, but its client has not. */
static bool vsnd_end_is_dragged(const struct vsnd_end *recorder)
{
	const struct vsnd_end *player = vsnd_end_peer(recorder);

	return player->running && vsnd_end_is_draining(player) &&
	       snd_pcm_runtime_state(recorder->runtime) ==
	       SNDRV_PCM_STATE_PREPARED;
}

/**
 * vsnd_cable_room() - how many frames may pass for all clients' sake
 * @cable: a cable that goes by the client clock
 *
 * As many as the slower of the running ends allows. A recorder waits for a
 * player that has opened the other end and is about to start.
 *
 * Context: Any. Takes the cable's lock.
 * Return: frames, 0 if nobody is to move.
 */
u64 vsnd_cable_room(struct vsnd_cable *cable)
{
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	unsigned long flags;
	u64 room = U64_MAX;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	if (player->running)
		room = vsnd_end_room(player);
	if (recorder->running && !vsnd_end_is_dragged(recorder))
		room = min(room, player->substream && !player->running ? 0 :
			   vsnd_end_room(recorder));
	spin_unlock_irqrestore(&cable->lock, flags);
	return room == U64_MAX ? 0 : room;
}
