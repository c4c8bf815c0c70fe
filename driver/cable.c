// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cables: every frame of the player arrives at the recorder, once and in
 * order; where the player has none, silence does.
 */
#include <linux/minmax.h>
#include <linux/time64.h>

#include "vsnd.h"

/**
 * vsnd_cable_init() - lay a cable
 * @cable: zeroed memory for it
 * @card: the card it belongs to
 */
void vsnd_cable_init(struct vsnd_cable *cable, struct snd_card *card)
{
	spin_lock_init(&cable->lock);
	cable->card = card;
	cable->plugged = true;
	cable->pitch = NSEC_PER_SEC;
	vsnd_client_init(&cable->client);
	vsnd_end_init(&cable->end[SNDRV_PCM_STREAM_PLAYBACK], cable,
		      SNDRV_PCM_STREAM_PLAYBACK);
	vsnd_end_init(&cable->end[SNDRV_PCM_STREAM_CAPTURE], cable,
		      SNDRV_PCM_STREAM_CAPTURE);
}

/* Silence for the recorder, which costs nothing where silence is already. */
static void vsnd_cable_silence(struct vsnd_end *recorder, u64 until)
{
	u64 frames = until - recorder->moved;

	if (!vsnd_end_is_silent(recorder)) {
		vsnd_ring_silence(&recorder->ring, recorder->moved, frames);
		recorder->silent += frames;
	}
	recorder->moved = until;
}

static void vsnd_cable_copy(struct vsnd_end *recorder, u64 until,
			    const struct vsnd_end *player, u64 shift)
{
	vsnd_ring_copy(&recorder->ring, recorder->moved, &player->ring,
		       recorder->moved + shift, until - recorder->moved);
	recorder->silent = 0;
	recorder->moved = until;
}

/*
 * The recorder has heard silence in place of frames that the player may yet
 * write by mmap, behind the core's back: they are lost, and it must be told.
 */
static void vsnd_cable_check_lost(struct vsnd_end *player, u64 n, u64 written)
{
	const struct snd_pcm_runtime *runtime = player->substream->runtime;
	s64 tolerated = (s64)runtime->stop_threshold - player->ring.frames;
	s64 missed = n - written;

	if (missed > 0 && missed >= tolerated &&
	    runtime->stop_threshold < runtime->boundary &&
	    snd_pcm_runtime_state(runtime) == SNDRV_PCM_STATE_RUNNING)
		player->lost = true;
}

/*
 * Move the recorder's frames up to @until. Frame r of the recorder is frame
 * r + shift of the player; the player's are valid from the beginning of its
 * run up to what it has written.
 */
static void vsnd_cable_move(struct vsnd_end *player, struct vsnd_end *recorder,
			    u64 until)
{
	u64 shift = (player->base - player->from) -
		    (recorder->base - recorder->from);
	s64 begin = player->base - shift;
	s64 end = until;

	if (!vsnd_end_is_free_running(player)) {
		u64 written = vsnd_end_written(player);

		vsnd_cable_check_lost(player, until + shift, written);
		end = min_t(s64, until, written - shift);
	}
	begin = clamp_t(s64, begin, recorder->moved, until);
	vsnd_cable_silence(recorder, begin);
	if (end > begin)
		vsnd_cable_copy(recorder, end, player, shift);
	vsnd_cable_silence(recorder, until);
}

static bool vsnd_cable_is_heard(const struct vsnd_cable *cable)
{
	const struct vsnd_end *player =
		&cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	const struct vsnd_end *recorder =
		&cable->end[SNDRV_PCM_STREAM_CAPTURE];

	return cable->plugged && player->running &&
	       vsnd_ring_matches(&player->ring, &recorder->ring);
}

/**
 * vsnd_cable_advance() - bring the cable up to an instant
 * @cable: the cable
 * @now: instant, ns; an earlier one than at the last call counts as that
 *
 * After a stall of more than the recorder's ring, only what fits is moved:
 * the recorder has an overrun anyway, and the work is the same however long
 * the stall was.
 *
 * Context: Any, with the cable's lock held.
 * Return: the instant at which positions are to be computed, ns.
 */
s64 vsnd_cable_advance(struct vsnd_cable *cable, s64 now)
{
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	u64 until;

	lockdep_assert_held(&cable->lock);
	cable->now = max(cable->now, now);
	if (!recorder->running)
		return cable->now;
	until = vsnd_end_frames(recorder, cable->now);
	if (until == recorder->moved)
		return cable->now;
	if (until - recorder->moved > recorder->ring.frames)
		recorder->moved = until - recorder->ring.frames;
	if (vsnd_cable_is_heard(cable))
		vsnd_cable_move(&cable->end[SNDRV_PCM_STREAM_PLAYBACK],
				recorder, until);
	else
		vsnd_cable_silence(recorder, until);
	return cable->now;
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
		vsnd_end_bend(&cable->end[i], now);
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
	spin_unlock_irqrestore(&cable->lock, flags);
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
	s64 now = vsnd_clock_now(cable->clock);
	unsigned long flags;
	u64 room = 0;

	spin_lock_irqsave(&cable->lock, flags);
	if (recorder->running && (player->running || !player->substream))
		room = vsnd_end_room(recorder, now);
	if (player->running)
		room = recorder->running ?
		       min(room, vsnd_end_room(player, now)) :
		       vsnd_end_room(player, now);
	spin_unlock_irqrestore(&cable->lock, flags);
	return room;
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
	for (i = 0; i < 2; i++)
		if (cable->end[i].running)
			told[i] = vsnd_end_tell(&cable->end[i],
						vsnd_clock_now(cable->clock),
						true);
	spin_unlock_irqrestore(&cable->lock, flags);
	for (i = 0; i < 2; i++)
		if (told[i])
			snd_pcm_period_elapsed(told[i]);
}
