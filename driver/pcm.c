// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCM devices: what the PCM core calls, in the order of a stream's life.
 */
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/time64.h>
#include <sound/pcm_params.h>

#include "vsnd.h"

static struct vsnd_end *vsnd_substream_end(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);

	return &pcm->cables[substream->number].end[substream->stream];
}

static struct vsnd_clock *
vsnd_substream_clock(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);

	return &pcm->card->clock;
}

static int vsnd_pcm_open(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	int err;

	err = vsnd_hw_constrain(substream->runtime, pcm->config);
	if (err < 0)
		return err;
	snd_pcm_set_sync(substream);
	vsnd_substream_end(substream)->substream = substream;
	return 0;
}

static int vsnd_pcm_hw_params(struct snd_pcm_substream *substream,
			      struct snd_pcm_hw_params *params)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	struct vsnd_end *end = vsnd_substream_end(substream);

	/* Runs still if a linked player's DRAIN started it: vsnd_end_start() */
	vsnd_end_stop(end, vsnd_clock_now(end->cable->clock));
	end->silent = 0;
	vsnd_hw_check_wakeups(params);
	return pcm->config->buffers->alloc(substream,
					   params_buffer_bytes(params));
}

static int vsnd_pcm_prepare(struct snd_pcm_substream *substream)
{
	struct vsnd_end *end = vsnd_substream_end(substream);

	vsnd_end_stop(end, vsnd_clock_now(end->cable->clock));
	vsnd_end_prepare(end);
	return 0;
}

/*
 * Of a linked group a trigger is for the streams of this card, and for those
 * in the master's state: a DRAIN starts its PREPARED players while others of
 * the group may have no buffer.
 */
static bool vsnd_is_meant(struct snd_pcm_substream *substream,
			  struct snd_pcm_substream *member)
{
	return member->pcm->card == substream->pcm->card &&
	       snd_pcm_runtime_state(member->runtime) ==
	       snd_pcm_runtime_state(substream->runtime);
}

/*
 * The instant at which a start takes effect: on the card's grid, as a USB
 * card starts with its next frame, so that streams tick at the same instants
 * and share interrupts; but never later than any stream's period.
 */
static s64 vsnd_start_instant(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	u64 now = vsnd_clock_now(&pcm->card->clock);
	u64 grid = pcm->card->config->start_grid_ns;
	struct snd_pcm_substream *s;
	struct snd_pcm_runtime *runtime;

	snd_pcm_group_for_each_entry(s, substream) {
		runtime = s->runtime;
		if (vsnd_is_meant(substream, s))
			grid = min(grid, div_u64((u64)runtime->period_size *
						 NSEC_PER_SEC, runtime->rate));
	}
	return grid ? div64_u64(now + grid - 1, grid) * grid : now;
}

/* The start's own instant is its timestamp, in the clock the client asked. */
static void vsnd_latch_start(struct snd_pcm_runtime *runtime, s64 at)
{
	ktime_t ahead = ktime_sub(ns_to_ktime(at), ktime_get());

	switch (runtime->tstamp_type) {
	case SNDRV_PCM_TSTAMP_TYPE_MONOTONIC:
		runtime->trigger_tstamp = ns_to_timespec64(at);
		break;
	case SNDRV_PCM_TSTAMP_TYPE_MONOTONIC_RAW:
		runtime->trigger_tstamp =
			ktime_to_timespec64(ktime_add(ktime_get_raw(), ahead));
		break;
	default:
		runtime->trigger_tstamp =
			ktime_to_timespec64(ktime_mono_to_real(ns_to_ktime(at)));
		break;
	}
	runtime->trigger_tstamp_latched = true;
}

static void vsnd_start_one(struct snd_pcm_substream *substream, s64 at)
{
	/* The core has set this back by 1000 s for a pause. */
	substream->runtime->hw_ptr_jiffies = jiffies;
	at = vsnd_end_start(vsnd_substream_end(substream), at);
	vsnd_latch_start(substream->runtime, at);
}

/* Start all linked streams of the card at one instant. */
static void vsnd_start_group(struct snd_pcm_substream *substream)
{
	s64 at = vsnd_start_instant(substream);
	struct snd_pcm_substream *s;

	snd_pcm_group_for_each_entry(s, substream) {
		if (!vsnd_is_meant(substream, s))
			continue;
		vsnd_start_one(s, at);
		snd_pcm_trigger_done(s, substream);
	}
}

/* The core takes the time of this itself, unless told that it has one. */
static void vsnd_stop_one(struct snd_pcm_substream *substream, s64 now)
{
	vsnd_end_stop(vsnd_substream_end(substream), now);
	substream->runtime->trigger_tstamp_latched = false;
}

/* Hold all linked streams of the card at one instant. */
static void vsnd_pause_group(struct snd_pcm_substream *substream)
{
	s64 now = vsnd_clock_now(vsnd_substream_clock(substream));
	struct snd_pcm_substream *s;

	snd_pcm_group_for_each_entry(s, substream) {
		if (!vsnd_is_meant(substream, s))
			continue;
		vsnd_stop_one(s, now);
		snd_pcm_trigger_done(s, substream);
	}
}

/*
 * STOP, SUSPEND and RESUME are left to each linked stream: the core then asks
 * each for its sync_stop, and resumes only those that ran.
 */
static int vsnd_pcm_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct vsnd_clock *clock = vsnd_substream_clock(substream);

	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_PAUSE_RELEASE:
		vsnd_start_group(substream);
		return 0;
	case SNDRV_PCM_TRIGGER_RESUME:
		vsnd_start_one(substream, vsnd_start_instant(substream));
		return 0;
	case SNDRV_PCM_TRIGGER_PAUSE_PUSH:
		vsnd_pause_group(substream);
		return 0;
	case SNDRV_PCM_TRIGGER_STOP:
	case SNDRV_PCM_TRIGGER_SUSPEND:
		vsnd_stop_one(substream, vsnd_clock_now(clock));
		return 0;
	case SNDRV_PCM_TRIGGER_DRAIN:
		vsnd_end_hurry(vsnd_substream_end(substream));
		return 0;
	}
	return -EINVAL;
}

static snd_pcm_uframes_t vsnd_pcm_pointer(struct snd_pcm_substream *substream)
{
	return vsnd_end_pointer(vsnd_substream_end(substream));
}

static int vsnd_pcm_sync_stop(struct snd_pcm_substream *substream)
{
	vsnd_clock_sync(vsnd_substream_clock(substream));
	return 0;
}

static int vsnd_pcm_hw_free(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	struct vsnd_end *end = vsnd_substream_end(substream);

	/* As in hw_params */
	vsnd_end_stop(end, vsnd_clock_now(end->cable->clock));
	return pcm->config->buffers->free(substream);
}

static int vsnd_pcm_close(struct snd_pcm_substream *substream)
{
	/* The core asks for it only after a STOP of this very stream. */
	vsnd_clock_sync(vsnd_substream_clock(substream));
	vsnd_substream_end(substream)->substream = NULL;
	return 0;
}

static const struct snd_pcm_ops vsnd_pcm_ops = {
	.open = vsnd_pcm_open,
	.hw_params = vsnd_pcm_hw_params,
	.prepare = vsnd_pcm_prepare,
	.trigger = vsnd_pcm_trigger,
	.pointer = vsnd_pcm_pointer,
	.sync_stop = vsnd_pcm_sync_stop,
	.hw_free = vsnd_pcm_hw_free,
	.close = vsnd_pcm_close,
	.mmap = snd_pcmbuf_mmap,
};

static void vsnd_pcm_private_free(struct snd_pcm *pcm)
{
	kvfree(pcm->private_data);
}

static struct vsnd_pcm *vsnd_pcm_alloc(struct vsnd_card *card,
				       const struct vsnd_pcm_config *config)
{
	struct vsnd_pcm *pcm;
	unsigned int i;

	pcm = kvzalloc(struct_size(pcm, cables, config->substreams),
		       GFP_KERNEL);
	if (!pcm)
		return NULL;
	pcm->card = card;
	pcm->config = config;
	pcm->plugged = true;
	for (i = 0; i < config->substreams; i++)
		vsnd_cable_init(&pcm->cables[i], &card->clock);
	return pcm;
}

/**
 * vsnd_pcm_create() - add a PCM device to a card
 * @card: the card
 * @device: its number, which is its place in the card's configuration
 *
 * Return: 0 or a negative error code; what was made goes with the card.
 */
int vsnd_pcm_create(struct vsnd_card *card, unsigned int device)
{
	const struct vsnd_pcm_config *config = &card->config->pcms[device];
	struct vsnd_pcm *pcm;
	int err;

	pcm = vsnd_pcm_alloc(card, config);
	if (!pcm)
		return -ENOMEM;
	err = snd_pcm_new(card->card, "Virtual", device, config->substreams,
			  config->substreams, &pcm->pcm);
	if (err < 0) {
		kvfree(pcm);
		return err;
	}
	pcm->pcm->private_data = pcm;
	pcm->pcm->private_free = vsnd_pcm_private_free;
	card->pcms[device] = pcm;
	snprintf(pcm->pcm->name, sizeof(pcm->pcm->name), "Virtual %s cable",
		 config->buffers->name);
	snd_pcm_set_ops(pcm->pcm, SNDRV_PCM_STREAM_PLAYBACK, &vsnd_pcm_ops);
	snd_pcm_set_ops(pcm->pcm, SNDRV_PCM_STREAM_CAPTURE, &vsnd_pcm_ops);
	return vsnd_buffers_prepare(pcm);
}
