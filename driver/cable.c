// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cables: every frame of the player arrives at the recorder, once and in
 * order; where the player has none, silence does.
 */
#include <linux/minmax.h>
#include <linux/time64.h>

#include "end.h"

/**
 * vsnd_cable_init() - lay a cable
 * @cable: zeroed memory for it
 * @pcm: the PCM device it belongs to
 */
void vsnd_cable_init(struct vsnd_cable *cable, struct vsnd_pcm *pcm)
{
	int i;

	spin_lock_init(&cable->lock);
	cable->card = pcm->card->card;
	cable->pcm = pcm;
	cable->plugged = true;
	cable->pitch = NSEC_PER_SEC;
	cable->wobble.speed = NSEC_PER_SEC;
	cable->wobble.bend = S64_MAX;
	vsnd_client_init(&cable->client);
	INIT_LIST_HEAD(&cable->running);
	for (i = 0; i < 2; i++) {
		cable->end[i].cable = cable;
		cable->end[i].direction = i;
	}
}

static void vsnd_cable_count(struct vsnd_cable *cable,
			     struct vsnd_timeline *line)
{
	line->passed = vsnd_timeline_frames(line, cable->now);
}

/* Bring a running end to where its timeline has got. */
static void vsnd_end_advance(struct vsnd_end *end)
{
	u64 passed = end->line->passed;

	end->n = end->base;
	if (passed > end->from)
		end->n += passed - end->from;
}

/* Where the recorder's frames go first. */
static struct vsnd_ring *vsnd_cable_into(struct vsnd_end *recorder)
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
		if (atomic_read(&recorder->substream->mmap_count))
			recorder->silent = 0;
		else
			recorder->silent += frames;
	}
	recorder->moved = until;
}

static void vsnd_cable_copy(struct vsnd_end *recorder, u64 until,
			    const struct vsnd_end *player, u64 shift)
{
	vsnd_ring_copy(vsnd_cable_into(recorder), recorder->moved,
		       &player->ring, recorder->moved + shift,
		       until - recorder->moved);
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
static void vsnd_cable_check_lost(struct vsnd_end *player, s64 missed)
{
	const struct snd_pcm_runtime *runtime = player->runtime;
	s64 tolerated = (s64)runtime->stop_threshold - player->ring.frames;

	if (missed >= tolerated &&
	    runtime->stop_threshold < runtime->boundary &&
	    snd_pcm_runtime_state(runtime) == SNDRV_PCM_STATE_RUNNING)
		player->lost = true;
}

/*
 * Move the recorder's frames up to @until. The player's are valid from the
 * beginning of its run up to what it has written.
 */
static void vsnd_cable_move(struct vsnd_cable *cable, struct vsnd_end *player,
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
			vsnd_cable_check_lost(player, until - end);
	}
	if ((s64)(end - recorder->moved) > 0)
		vsnd_cable_copy(recorder, end, player, cable->shift);
	if (recorder->moved != until)
		vsnd_cable_silence(recorder, until);
}

/*
 * After a stall of more than the recorder's ring, only what fits is moved: it
 * has an overrun anyway, and the work is the same however long the stall was.
 */
static u64 vsnd_cable_skip(struct vsnd_end *recorder, u64 until)
{
	recorder->moved = until - recorder->ring.frames;
	if (recorder->latency)
		vsnd_ring_silence(&recorder->delay, 0, recorder->delay.frames);
	return recorder->moved;
}

/* Give the recorder what it is to hear until now. */
static void vsnd_cable_fill(struct vsnd_cable *cable, struct vsnd_end *player,
			    struct vsnd_end *recorder)
{
	u64 until = recorder->n;
	u64 from = recorder->moved;

	if (until == from)
		return;
	if (until - from > recorder->ring.frames)
		from = vsnd_cable_skip(recorder, until);
	if (cable->heard)
		vsnd_cable_move(cable, player, recorder, until);
	else
		vsnd_cable_silence(recorder, until);
	if (unlikely(recorder->latency))
		vsnd_cable_delay(recorder, from);
}

/**
 * vsnd_cable_connect() - work out what the recorder hears of the player
 * @cable: the cable, brought to the present; an end has started or stopped
 * @earliest: frame of the recorder before which it hears nothing of the player
 *
 * If a start takes effect at an instant that has passed meanwhile, as on a
 * machine that is late, the recorder has been given silence in place of the
 * player's first frames. What it has not been told of yet is given anew.
 */
void vsnd_cable_connect(struct vsnd_cable *cable, u64 earliest)
{
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	s64 begin;

	lockdep_assert_held(&cable->lock);
	cable->heard = cable->plugged && player->running &&
		       recorder->running &&
		       vsnd_ring_matches(&player->ring, &recorder->ring);
	if (!cable->heard)
		return;
	cable->shift = (player->base - player->from) -
		       (recorder->base - recorder->from);
	begin = player->base - cable->shift;
	cable->begin = max3(begin, (s64)recorder->base, (s64)earliest);
	if (recorder->moved > max(recorder->seen, cable->begin)) {
		recorder->moved = max(recorder->seen, cable->begin);
		recorder->silent = 0;
	}
	vsnd_cable_fill(cable, player, recorder);
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
	if (!recorder->running)
		return now;
	if (!player->running || player->line != recorder->line)
		vsnd_cable_count(cable, recorder->line);
	vsnd_end_advance(recorder);
	vsnd_cable_fill(cable, player, recorder);
	return now;
}

/* Nano-frames that pass in a second of the clock. */
static u64 vsnd_cable_speed(const struct vsnd_cable *cable, unsigned int rate)
{
	if (cable->clock->ops->counts_frames)
		return (u64)NSEC_PER_SEC * NSEC_PER_SEC;
	return mul_u64_u32_div((u64)rate * cable->pitch, cable->wobble.speed,
			       NSEC_PER_SEC);
}

/**
 * vsnd_cable_join() - let an end count frames
 * @cable: the cable, brought to the present
 * @end: the end, prepared or stopped
 * @at: instant of its first frame, ns
 *
 * It runs from now on: by the timeline of its peer if that runs at the same
 * rate, beginning with the next whole frame of it; else by one of its own.
 */
void vsnd_cable_join(struct vsnd_cable *cable, struct vsnd_end *end, s64 at)
{
	const struct vsnd_end *peer = vsnd_end_peer(end);
	struct vsnd_timeline *line = &cable->line[0];
	struct vsnd_timeline ahead;

	lockdep_assert_held(&cable->lock);
	if (peer->running && peer->ring.rate == end->ring.rate) {
		line = peer->line;
	} else {
		if (!peer->running)
			vsnd_imperfect_begin(cable, at);
		else if (peer->line == line)
			line = &cable->line[1];
		vsnd_timeline_init(line, at,
				   vsnd_cable_speed(cable, end->ring.rate));
		vsnd_cable_count(cable, line);
	}
	end->line = line;
	end->base = end->n;
	/* A copy, for the line must not be brought to what is still to come. */
	ahead = *line;
	end->from = vsnd_timeline_frames(&ahead, at);
	if (vsnd_timeline_instant(line, end->from) < at)
		end->from++;
	end->running = true;
	vsnd_end_advance(end);
	vsnd_cable_connect(cable, 0);
}

/**
 * vsnd_cable_bend() - let the ends that run go on at their present speed
 * @cable: the cable, whose speed has changed
 * @at: instant of the change, ns, to which no end has been brought yet or all
 *	have been
 *
 * Context: The cable's lock held.
 */
void vsnd_cable_bend(struct vsnd_cable *cable, s64 at)
{
	unsigned int rate[2] = { 0, 0 };
	int i;

	lockdep_assert_held(&cable->lock);
	for (i = 0; i < 2; i++)
		if (cable->end[i].running)
			rate[cable->end[i].line - cable->line] =
				cable->end[i].ring.rate;
	for (i = 0; i < 2; i++)
		if (rate[i])
			vsnd_timeline_bend(&cable->line[i], at,
					   vsnd_cable_speed(cable, rate[i]));
}

/**
 * vsnd_cable_set_pitch() - have frames pass faster or slower
 * @cable: the cable
 * @pitch: rate, ppb of the nominal one
 *
 * Takes effect at this instant, for both ends alike, without a jump in their
 * positions. A clock that counts frames has no rate to be changed.
 *
 * Context: Any. Takes the cable's lock.
 */
void vsnd_cable_set_pitch(struct vsnd_cable *cable, u32 pitch)
{
	unsigned long flags;
	s64 now;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	now = vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	cable->pitch = pitch;
	for (i = 0; i < 2; i++)
		WRITE_ONCE(cable->end[i].stale, 0);
	vsnd_cable_bend(cable, now);
	vsnd_cable_schedule(cable);
	spin_unlock_irqrestore(&cable->lock, flags);
	vsnd_clock_arm(cable->clock);
}

/**
 * vsnd_cable_plug() - have the player heard, or not
 * @cable: the cable
 * @plugged: false for silence
 *
 * Takes effect at this instant: what has passed before is moved as it was.
 *
 * Context: Any. Takes the cable's lock.
 */
void vsnd_cable_plug(struct vsnd_cable *cable, bool plugged)
{
	unsigned long flags;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	cable->plugged = plugged;
	vsnd_cable_connect(cable, cable->end[SNDRV_PCM_STREAM_CAPTURE].n);
	spin_unlock_irqrestore(&cable->lock, flags);
}
