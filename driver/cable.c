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
	int i;

	spin_lock_init(&cable->lock);
	cable->card = card;
	cable->plugged = true;
	cable->pitch = NSEC_PER_SEC;
	vsnd_client_init(&cable->client);
	INIT_LIST_HEAD(&cable->deadline.list);
	for (i = 0; i < 2; i++) {
		cable->end[i].cable = cable;
		cable->end[i].direction = i;
	}
}

/* How far has a timeline got? */
static void vsnd_cable_count(struct vsnd_cable *cable, int line)
{
	cable->passed[line] = vsnd_timeline_frames(&cable->line[line],
						   cable->now);
}

/* Silence for the recorder, which costs nothing where silence is already. */
static void vsnd_cable_silence(struct vsnd_end *recorder, u64 until)
{
	u64 frames = until - recorder->moved;

	if (!frames)
		return;
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
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	u64 until;

	lockdep_assert_held(&cable->lock);
	if (now <= cable->now)
		return cable->now;
	cable->now = now;
	if (player->running)
		vsnd_cable_count(cable, player->line);
	if (!recorder->running)
		return now;
	if (!player->running || player->line != recorder->line)
		vsnd_cable_count(cable, recorder->line);
	until = vsnd_end_frames(recorder);
	if (until == recorder->moved)
		return now;
	if (until - recorder->moved > recorder->ring.frames)
		recorder->moved = until - recorder->ring.frames;
	if (vsnd_cable_is_heard(cable))
		vsnd_cable_move(player, recorder, until);
	else
		vsnd_cable_silence(recorder, until);
	return now;
}

/* Nano-frames that pass in a second of the clock. */
static u64 vsnd_cable_speed(const struct vsnd_cable *cable, unsigned int rate)
{
	if (cable->clock->ops->counts_frames)
		return (u64)NSEC_PER_SEC * NSEC_PER_SEC;
	return (u64)rate * cable->pitch;
}

/**
 * vsnd_cable_join() - let an end count frames
 * @cable: the cable, brought to the present
 * @end: the end, about to run
 * @at: instant of its first frame, ns
 *
 * It goes by the timeline of its peer if that runs at the same rate, and then
 * begins with the next whole frame of it; else by one of its own.
 */
void vsnd_cable_join(struct vsnd_cable *cable, struct vsnd_end *end, s64 at)
{
	const struct vsnd_end *peer = vsnd_end_peer(end);
	struct vsnd_timeline *line;

	lockdep_assert_held(&cable->lock);
	if (peer->running && peer->ring.rate == end->ring.rate) {
		end->line = peer->line;
		line = &cable->line[end->line];
	} else {
		end->line = peer->running ? !peer->line : 0;
		line = &cable->line[end->line];
		vsnd_timeline_init(line, at,
				   vsnd_cable_speed(cable, end->ring.rate));
		vsnd_cable_count(cable, end->line);
	}
	end->from = vsnd_timeline_frames(line, at);
	if (vsnd_timeline_instant(line, end->from) < at)
		end->from++;
}

/**
 * vsnd_cable_schedule() - queue the next event of either end
 * @cable: the cable, whose running ends have planned it
 *
 * Context: Interrupts off, the cable's lock held. Takes the clock's lock.
 */
void vsnd_cable_schedule(struct vsnd_cable *cable)
{
	u64 frame[2] = { U64_MAX, U64_MAX };
	struct vsnd_end *end;
	s64 when = S64_MAX;
	int i;

	lockdep_assert_held(&cable->lock);
	for (i = 0; i < 2; i++) {
		end = &cable->end[i];
		if (end->running)
			frame[end->line] = min(frame[end->line], end->from +
					       (end->event - end->base));
	}
	for (i = 0; i < 2; i++)
		if (frame[i] != U64_MAX)
			when = min(when, vsnd_timeline_instant(&cable->line[i],
							       frame[i]));
	if (when != S64_MAX)
		vsnd_clock_queue(cable->clock, &cable->deadline, when);
	else
		vsnd_clock_forget(cable->clock, &cable->deadline);
}

static bool vsnd_cable_elapsed(struct snd_pcm_substream *const told[2])
{
	int i;

	for (i = 0; i < 2; i++)
		if (told[i])
			snd_pcm_period_elapsed(told[i]);
	return told[0] || told[1];
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
	struct snd_pcm_substream *told[2] = { NULL, NULL };
	unsigned long flags;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, now);
	for (i = 0; i < 2; i++)
		if (cable->end[i].running && vsnd_end_tick(&cable->end[i]))
			told[i] = cable->end[i].substream;
	vsnd_cable_schedule(cable);
	spin_unlock_irqrestore(&cable->lock, flags);
	return vsnd_cable_elapsed(told);
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
	vsnd_cable_elapsed(told);
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
	unsigned int rate[2] = { 0, 0 };
	unsigned long flags;
	s64 now;
	int i;

	spin_lock_irqsave(&cable->lock, flags);
	now = vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	cable->pitch = pitch;
	for (i = 0; i < 2; i++)
		if (cable->end[i].running)
			rate[cable->end[i].line] = cable->end[i].ring.rate;
	for (i = 0; i < 2; i++)
		if (rate[i])
			vsnd_timeline_bend(&cable->line[i], now,
					   vsnd_cable_speed(cable, rate[i]));
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
	unsigned long flags;
	u64 room = U64_MAX;

	spin_lock_irqsave(&cable->lock, flags);
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	if (player->running)
		room = vsnd_end_room(player);
	if (recorder->running)
		room = min(room, player->substream && !player->running ? 0 :
			   vsnd_end_room(recorder));
	spin_unlock_irqrestore(&cable->lock, flags);
	return room == U64_MAX ? 0 : room;
}
