// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCM devices: made of a configuration, with the cables of their substreams
 * and the clocks that these may go by.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vsnd.h"

/* Well below the 100 ms after which the core gives up at the earliest. */
#define VSND_BEAT_MS		20

static const char *const vsnd_clock_names[VSND_CLOCKS] = {
	[VSND_CLOCK_REALTIME] = "realtime",
	[VSND_CLOCK_CLIENT] = "client",
	[VSND_CLOCK_STEP] = "step",
	[VSND_CLOCK_SCALED] = "scaled",
	[VSND_CLOCK_TIMER] = "timer",
};

/**
 * vsnd_device_find_clock() - look a clock up
 * @name: its name
 *
 * Context: Any.
 * Return: enum vsnd_clock_kind, or -ENOENT if there is none of that name.
 */
int vsnd_device_find_clock(const char *name)
{
	int i = match_string(vsnd_clock_names, VSND_CLOCKS, name);

	return i < 0 ? -ENOENT : i;
}

/**
 * vsnd_device_clock_name() - what a clock is called
 * @kind: the clock
 *
 * Context: Any.
 * Return: its name in parameters and controls.
 */
const char *vsnd_device_clock_name(enum vsnd_clock_kind kind)
{
	return vsnd_clock_names[kind];
}

static struct vsnd_clock *vsnd_device_clock(struct vsnd_pcm *pcm,
					    struct vsnd_cable *cable,
					    enum vsnd_clock_kind kind)
{
	switch (kind) {
	case VSND_CLOCK_CLIENT:
		return &cable->client.clock;
	case VSND_CLOCK_STEP:
		return &pcm->step.clock;
	case VSND_CLOCK_SCALED:
		return &pcm->scaled.clock;
	case VSND_CLOCK_TIMER:
		return &pcm->follower.hr.clock;
	default:
		return &pcm->card->realtime.clock;
	}
}

static void vsnd_device_use_clock(struct vsnd_pcm *pcm,
				  enum vsnd_clock_kind kind)
{
	struct vsnd_cable *cable = pcm->cables;
	unsigned int i;

	WRITE_ONCE(pcm->kind, kind);
	for (i = 0; i < pcm->config->substreams; i++, cable++) {
		vsnd_clock_cancel(&cable->client.clock);
		spin_lock_irq(&cable->lock);
		WRITE_ONCE(cable->clock, vsnd_device_clock(pcm, cable, kind));
		cable->now = 0;
		spin_unlock_irq(&cable->lock);
	}
}

/**
 * vsnd_device_set_clock() - have a device go by another clock
 * @pcm: the device
 * @kind: the clock
 *
 * Context: Process context. Takes the device's settings mutex.
 * Return: 1 if it did not go by that clock before, 0 if it did, -EBUSY while
 * one of its streams is open or being opened.
 */
int vsnd_device_set_clock(struct vsnd_pcm *pcm, enum vsnd_clock_kind kind)
{
	int err = 1;

	mutex_lock(&pcm->settings);
	if (pcm->kind == kind)
		err = 0;
	else if (pcm->opened)
		err = -EBUSY;
	else
		vsnd_device_use_clock(pcm, kind);
	mutex_unlock(&pcm->settings);
	return err;
}

/**
 * vsnd_device_set_scale() - set how fast a device's scaled clock is
 * @pcm: the device
 * @mul: it is @mul / @div times as fast as CLOCK_MONOTONIC
 * @div: see @mul
 *
 * Context: Process context. Takes the device's settings mutex.
 * Return: 1 if that is a change, 0 if not, -EBUSY while a stream is open, or
 * being opened, that goes by this clock.
 */
int vsnd_device_set_scale(struct vsnd_pcm *pcm, unsigned int mul,
			  unsigned int div)
{
	struct vsnd_hrtimer *scaled = &pcm->scaled;
	int err = 1;

	mutex_lock(&pcm->settings);
	if (scaled->mul == mul && scaled->div == div)
		err = 0;
	else if (pcm->opened && pcm->kind == VSND_CLOCK_SCALED)
		err = -EBUSY;
	else
		vsnd_scaled_set(scaled, mul, div);
	mutex_unlock(&pcm->settings);
	return err;
}

/**
 * vsnd_device_set_source() - set which timer a device's timer clock follows
 * @pcm: the device
 * @source: the ALSA timer
 *
 * Whether there is such a timer is found when a stream is opened.
 *
 * Context: Process context. Takes the device's settings mutex.
 * Return: 1 if that is a change, 0 if not, -EBUSY while a stream is open, or
 * being opened, that goes by this clock.
 */
int vsnd_device_set_source(struct vsnd_pcm *pcm,
			   const struct snd_timer_id *source)
{
	int err = 1;

	mutex_lock(&pcm->settings);
	if (!memcmp(&pcm->follower.source, source, sizeof(*source)))
		err = 0;
	else if (pcm->opened && pcm->kind == VSND_CLOCK_TIMER)
		err = -EBUSY;
	else
		pcm->follower.source = *source;
	mutex_unlock(&pcm->settings);
	return err;
}

/**
 * vsnd_device_drain() - a stream of the device drains, or may do so soon
 * @pcm: the device
 *
 * Context: Any.
 */
void vsnd_device_drain(struct vsnd_pcm *pcm)
{
	queue_delayed_work(vsnd_workqueue, &pcm->heartbeat,
			   msecs_to_jiffies(VSND_BEAT_MS));
}

static bool vsnd_device_beat(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	bool draining;

	snd_pcm_stream_lock_irq(substream);
	draining = snd_pcm_runtime_state(runtime) == SNDRV_PCM_STATE_DRAINING;
	if (draining)
		wake_up(&runtime->sleep);
	snd_pcm_stream_unlock_irq(substream);
	return draining;
}

/*
 * The core gives a drain up when nothing has woken it for about the length of
 * the buffer. While it lasts, wake it: it looks again, and goes on waiting. One
 * that was suspended is announced anew when it is resumed.
 * Never waits for open_mutex: under that of another card, whose clock followed
 * one of our timers, this card may be freed and wait for the work.
 */
static void vsnd_device_heartbeat(struct work_struct *work)
{
	struct vsnd_pcm *pcm = container_of(work, struct vsnd_pcm,
					    heartbeat.work);
	struct snd_pcm_substream *substream;
	bool again = false;

	if (!mutex_trylock(&pcm->pcm->open_mutex)) {
		vsnd_device_drain(pcm);
		return;
	}
	substream = pcm->pcm->streams[SNDRV_PCM_STREAM_PLAYBACK].substream;
	for (; substream; substream = substream->next)
		if (substream->runtime && vsnd_device_beat(substream))
			again = true;
	mutex_unlock(&pcm->pcm->open_mutex);
	if (again)
		vsnd_device_drain(pcm);
}

static void vsnd_device_count(struct vsnd_pcm *pcm, int streams)
{
	mutex_lock(&pcm->settings);
	pcm->opened += streams;
	mutex_unlock(&pcm->settings);
}

static int vsnd_device_open_clock(struct vsnd_pcm *pcm)
{
	struct vsnd_clock *clock = pcm->cables[0].clock;
	int err;

	vsnd_pcm_set_ops(pcm->pcm, pcm->kind);
	if (!clock->ops->open)
		return 0;
	err = clock->ops->open(clock);
	if (err < 0)
		return err;
	/* Its time may begin anew. */
	mutex_lock(&pcm->settings);
	vsnd_device_use_clock(pcm, pcm->kind);
	mutex_unlock(&pcm->settings);
	return 0;
}

/**
 * vsnd_device_open() - a stream of the device is being opened
 * @pcm: the device
 *
 * From here on until vsnd_device_close() the clock stays what it is. One that
 * has to be opened is one for all cables of the device. That is done outside
 * the settings mutex: what a clock takes at close may be what is held when a
 * control is written.
 *
 * Context: The open op: the PCM's open_mutex is held.
 * Return: 0 or a negative error code of the clock.
 */
int vsnd_device_open(struct vsnd_pcm *pcm)
{
	int err = 0;

	vsnd_device_count(pcm, 1);
	if (pcm->opened == 1)
		err = vsnd_device_open_clock(pcm);
	if (err < 0)
		vsnd_device_count(pcm, -1);
	return err;
}

/**
 * vsnd_device_close() - a stream of the device is being closed
 * @pcm: the device
 *
 * Context: The close op, or the open op that fails: the PCM's open_mutex is
 * held.
 */
void vsnd_device_close(struct vsnd_pcm *pcm)
{
	struct vsnd_clock *clock = pcm->cables[0].clock;

	if (pcm->opened == 1 && clock->ops->close)
		clock->ops->close(clock);
	vsnd_device_count(pcm, -1);
}

static void vsnd_device_private_free(struct snd_pcm *pcm)
{
	struct vsnd_pcm *vpcm = pcm->private_data;
	unsigned int i;

	cancel_delayed_work_sync(&vpcm->heartbeat);
	for (i = 0; i < vpcm->config->substreams; i++)
		vsnd_clock_cancel(&vpcm->cables[i].client.clock);
	vsnd_clock_cancel(&vpcm->scaled.clock);
	kvfree(vpcm);
}

static struct vsnd_pcm *
vsnd_device_alloc(struct vsnd_card *card, const struct vsnd_pcm_config *config)
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
	pcm->latency = config->latency;
	mutex_init(&pcm->settings);
	vsnd_imperfect_init(pcm);
	INIT_DELAYED_WORK(&pcm->heartbeat, vsnd_device_heartbeat);
	vsnd_step_init(&pcm->step);
	vsnd_follower_init(&pcm->follower, card->card);
	pcm->follower.source = config->source;
	vsnd_scaled_init(&pcm->scaled, config->scale[0], config->scale[1]);
	for (i = 0; i < config->substreams; i++)
		vsnd_cable_init(&pcm->cables[i], pcm);
	vsnd_device_use_clock(pcm, config->clock);
	return pcm;
}

/**
 * vsnd_device_create() - add a PCM device to a card
 * @card: the card
 * @device: its number, which is its place in the card's configuration
 *
 * Context: Process context, before the card is registered. May sleep.
 * Return: 0 or a negative error code; what was made goes with the card.
 */
int vsnd_device_create(struct vsnd_card *card, unsigned int device)
{
	const struct vsnd_pcm_config *config = &card->config->pcms[device];
	struct vsnd_pcm *pcm;
	int err;

	pcm = vsnd_device_alloc(card, config);
	if (!pcm)
		return -ENOMEM;
	err = snd_pcm_new(card->card, "Virtual", device, config->substreams,
			  config->substreams, &pcm->pcm);
	if (err < 0) {
		kvfree(pcm);
		return err;
	}
	pcm->pcm->private_data = pcm;
	pcm->pcm->private_free = vsnd_device_private_free;
	card->pcms[device] = pcm;
	snprintf(pcm->pcm->name, sizeof(pcm->pcm->name), "Virtual %s cable",
		 config->buffers->name);
	vsnd_pcm_set_ops(pcm->pcm, config->clock);
	return vsnd_buffers_prepare(pcm);
}
