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
 *
 * Context: Any; nobody else knows it yet.
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
		mutex_init(&cable->end[i].setup);
		cable->end[i].cable = cable;
		cable->end[i].direction = i;
	}
}

/*
 * Before which frame of its own the recorder may not hear the player any more:
 * the client has been told that it is played, and may be writing over it. Not if
 * it has not come round yet.
 */
static u64 vsnd_cable_overwritten(const struct vsnd_cable *cable,
				  const struct vsnd_end *player)
{
	snd_pcm_uframes_t untold =
		player->hw_ptr - snd_pcm_peek(player->runtime->status->hw_ptr);

	if (vsnd_end_written(player) <= player->ring.frames)
		return 0;
	if (untold > player->ring.frames)
		untold = 0;
	return max_t(s64, player->seen - untold - cable->shift, 0);
}

/**
 * vsnd_cable_connect() - work out what the recorder hears of the player
 * @cable: the cable, brought to the present; an end has started or stopped
 * @earliest: frame of the recorder before which it hears nothing of the player
 *
 * If a start takes effect at an instant that has passed meanwhile, as on a
 * machine that is late, the recorder has been given silence in place of the
 * player's first frames. What it has not been told of yet is given anew; but if
 * it is the recorder that is late, not what its player's client has written over.
 *
 * Context: The cable's lock held.
 */
void vsnd_cable_connect(struct vsnd_cable *cable, u64 earliest)
{
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	u64 begin;

	lockdep_assert_held(&cable->lock);
	cable->joint = player->running && recorder->running &&
		       player->line == recorder->line;
	cable->heard = cable->plugged && cable->joint &&
		       vsnd_ring_matches(&player->ring, &recorder->ring);
	if (!cable->heard)
		return;
	cable->shift = recorder->origin - player->origin;
	begin = max(player->from, recorder->from) - recorder->origin;
	cable->begin = max3(begin, earliest,
			    vsnd_cable_overwritten(cable, player));
	if (recorder->moved > max(recorder->seen, cable->begin)) {
		recorder->moved = max(recorder->seen, cable->begin);
		recorder->silent = 0;
	}
	vsnd_cable_fill(cable);
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
 *
 * Context: The cable's lock held.
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
	/* A copy, for the line must not be brought to what is still to come. */
	ahead = *line;
	end->from = vsnd_timeline_frames(&ahead, at);
	if (vsnd_timeline_instant(line, end->from) < at)
		end->from++;
	end->origin = end->from - end->n;
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
	struct vsnd_clock *clock;
	unsigned long flags;
	s64 now;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	clock = cable->clock;
	now = vsnd_cable_advance(cable, vsnd_clock_now(clock));
	cable->pitch = pitch;
	for (i = 0; i < 2; i++)
		atomic64_set(&cable->end[i].stale, 0);
	vsnd_cable_bend(cable, now);
	vsnd_cable_schedule(cable);
	spin_unlock_irqrestore(&cable->lock, flags);
	vsnd_clock_arm(clock);
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
	const struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	unsigned long flags;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	cable->plugged = plugged;
	vsnd_cable_connect(cable, recorder->running ? recorder->n : 0);
	spin_unlock_irqrestore(&cable->lock, flags);
}
