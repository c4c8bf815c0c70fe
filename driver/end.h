/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ends: how far a stream has got, and what its client has done so far, in
 * frames of the stream. Inline, for it is asked at every step.
 */
#ifndef VSND_END_H
#define VSND_END_H

#include <linux/math64.h>

#include "vsnd.h"

static inline struct vsnd_end *vsnd_end_peer(const struct vsnd_end *end)
{
	return &end->cable->end[!end->direction];
}

/*
 * The client's appl_ptr ahead of the core's hw_ptr, in frames. It may be
 * mapped, so it is read once and believed nothing.
 */
static inline snd_pcm_uframes_t vsnd_appl_ahead(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_uframes_t appl;

	/* Pairs with the client's barrier between its frames and appl_ptr. */
	appl = smp_load_acquire(&runtime->control->appl_ptr);
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
 * Return: n of the first frame that is waiting.
 */
static inline u64 vsnd_end_read(const struct vsnd_end *recorder)
{
	snd_pcm_uframes_t boundary = recorder->runtime->boundary;
	snd_pcm_uframes_t ahead = vsnd_appl_ahead(recorder);
	snd_pcm_uframes_t behind = ahead ? boundary - ahead : 0;

	return behind <= recorder->seen ? recorder->seen - behind : 0;
}

static inline bool vsnd_end_never_stops(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;

	return runtime->stop_threshold >= runtime->boundary;
}

static inline bool vsnd_end_is_draining(const struct vsnd_end *end)
{
	return snd_pcm_runtime_state(end->runtime) == SNDRV_PCM_STATE_DRAINING;
}

/* The period in which the stream is ends next. */
static inline void vsnd_end_align_period(struct vsnd_end *end)
{
	u32 rest;

	div_u64_rem(end->n, end->period, &rest);
	end->next_period = end->n - rest + end->period;
	end->late = 0;
}

/**
 * vsnd_end_is_free_running() - does a player let its ring go round?
 * @player: a running playback end
 *
 * Such a client (dmix is one) maps the ring, never stops and never tells by
 * appl_ptr what it wrote: all of the ring is valid at all times.
 *
 * Return: true if the ring plays as it is.
 */
static inline bool vsnd_end_is_free_running(const struct vsnd_end *player)
{
	const struct snd_pcm_runtime *runtime = player->runtime;

	lockdep_assert_held(&player->cable->lock);
	return vsnd_end_never_stops(player) &&
	       atomic_read(&player->substream->mmap_count) > 0 &&
	       READ_ONCE(runtime->control->appl_ptr) == player->appl_start;
}

/**
 * vsnd_end_is_silent() - is all of a recorder's ring known to be silence?
 * @recorder: a capture end
 *
 * Of a mapped ring nothing is known: its client may write to it.
 *
 * Return: true if there is nothing to be silenced.
 */
static inline bool vsnd_end_is_silent(const struct vsnd_end *recorder)
{
	return recorder->silent >= recorder->ring.frames &&
	       !atomic_read(&recorder->substream->mmap_count);
}

#endif /* VSND_END_H */
