// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: what a driver registers for its substreams at probe, and the buffers
 * that are preallocated there and lent to one opener after the other.
 */

/**
 * DOC: life of a slot
 *
 * A driver may forget snd_pcmbuf_preallocate_free_for_all(), and may set
 * pcm->private_free() for itself after it has preallocated. So a slot hangs on
 * neither: it is a device of its own on the card, of type SNDRV_DEV_INFO. The
 * host frees a card's devices in an order by type, and that one goes after
 * every PCM and before the driver's own SNDRV_DEV_LOWLEVEL.
 *
 * When a PCM is freed alone, by snd_device_free(), the host frees its entries
 * in procfs with it. The one called prealloc tells the slot, which lets go of
 * its buffer then. A slot that has no such entry keeps the buffer until the
 * card is freed.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pcmbuf_local.h"

/* Below this many bytes a smaller preallocation is not tried. */
#define SND_PCMBUF_PREALLOC_MIN		16384

/* The tag is its address. */
static const char snd_pcmbuf_slot_tag;

/* The slot of a substream, or NULL when it has none. */
struct snd_pcmbuf_slot *snd_pcmbuf_slot_of(struct snd_pcm_substream *substream)
{
	struct snd_dma_buffer *dmab = &substream->dma_buffer;
	struct snd_pcmbuf_slot *slot = dmab->private_data;

	/*
	 * With an area or a size, or no type, the record is the host's. It keeps
	 * the size, and what private_data pointed to, when it frees the area.
	 */
	if (dmab->area || dmab->bytes ||
	    dmab->dev.type == SNDRV_DMA_TYPE_UNKNOWN || !slot)
		return NULL;
	return slot->tag == &snd_pcmbuf_slot_tag ? slot : NULL;
}

/* Bytes that are preallocated now. */
size_t snd_pcmbuf_slot_bytes(struct snd_pcmbuf_slot *slot)
{
	unsigned long flags;
	size_t bytes;

	spin_lock_irqsave(&snd_pcmbuf_lock, flags);
	bytes = slot->buf ? slot->buf->dmab.bytes : 0;
	spin_unlock_irqrestore(&snd_pcmbuf_lock, flags);
	return bytes;
}

/*
 * How large a buffer an application may be offered, which counts its bytes in 32
 * bits: any, when nothing is preallocated.
 */
void snd_pcmbuf_slot_set_limit(struct snd_pcmbuf_slot *slot, size_t bytes)
{
	slot->substream->buffer_bytes_max =
		bytes ? min_t(size_t, bytes, UINT_MAX) : UINT_MAX;
}

/*
 * Let a slot have a buffer, and the caller's reference to it, in place of the
 * one it had. NULL takes the old one away.
 */
void snd_pcmbuf_slot_store(struct snd_pcmbuf_slot *slot,
			   struct snd_pcmbuf *buf)
{
	struct snd_pcmbuf *old;
	unsigned long flags;

	spin_lock_irqsave(&snd_pcmbuf_lock, flags);
	old = slot->buf;
	slot->buf = buf;
	spin_unlock_irqrestore(&snd_pcmbuf_lock, flags);
	snd_pcmbuf_put(old);
}

static struct snd_pcmbuf *snd_pcmbuf_slot_get(struct snd_pcmbuf_slot *slot,
					      size_t size)
{
	struct snd_pcmbuf *buf;
	unsigned long flags;

	spin_lock_irqsave(&snd_pcmbuf_lock, flags);
	buf = slot->buf;
	if (buf && buf->dmab.bytes >= size)
		kref_get(&buf->ref);
	else
		buf = NULL;
	spin_unlock_irqrestore(&snd_pcmbuf_lock, flags);
	return buf;
}

static struct snd_pcmbuf *snd_pcmbuf_slot_renew(struct snd_pcmbuf_slot *slot,
						size_t size)
{
	struct snd_pcmbuf *buf;

	buf = snd_pcmbuf_create(slot->substream, slot->ops, slot->dev, size);
	if (IS_ERR(buf))
		return buf;
	kref_get(&buf->ref);
	snd_pcmbuf_slot_store(slot, buf);
	return buf;
}

/*
 * Will the host clear a buffer that hw_params is given now, before anybody can
 * see it? Not where the driver has a copy op; and a stream that is configured
 * anew, without hw_free, can be mapped all the while on some kernels. A state
 * that a client may forge says nothing; and some kernels resume a stream in any
 * state, to that in which it was suspended once, even while it is configured.
 */
static bool snd_pcmbuf_host_clears(struct snd_pcm_substream *substream)
{
	return snd_pcm_state_is_private &&
	       !substream->ops->snd_pcm_copy_op &&
	       snd_pcm_runtime_state(substream->runtime) ==
	       SNDRV_PCM_STATE_OPEN &&
	       snd_pcm_peek(snd_pcm_suspended_state(substream->runtime)) ==
	       SNDRV_PCM_STATE_OPEN;
}

/*
 * A reference to the preallocated buffer for a new owner, who sees nothing of
 * the last one's: NULL when it is too small, or there is none; or when a former
 * owner still has its pages, and there are not as many others.
 */
struct snd_pcmbuf *snd_pcmbuf_slot_take(struct snd_pcmbuf_slot *slot,
					size_t size)
{
	struct snd_pcmbuf *buf = snd_pcmbuf_slot_get(slot, size);
	struct snd_pcmbuf *fresh;

	if (!buf)
		return NULL;
	/* known: the slot's reference and ours */
	if (snd_pcmbuf_has_other_users(buf, 2)) {
		fresh = snd_pcmbuf_slot_renew(slot, buf->dmab.bytes);
		snd_pcmbuf_put(buf);
		return IS_ERR(fresh) ? NULL : fresh;
	}
	WRITE_ONCE(buf->shown, 0);
	if (!snd_pcmbuf_host_clears(slot->substream))
		memset(buf->dmab.area, 0, buf->dmab.bytes);
	return buf;
}

/* Runs after the PCM is freed: nothing of the substream may be touched. */
static int snd_pcmbuf_slot_dev_free(struct snd_device *device)
{
	struct snd_pcmbuf_slot *slot = device->device_data;

	snd_pcmbuf_slot_store(slot, NULL);
	put_device(slot->dev);
	kfree(slot);
	return 0;
}

static const struct snd_device_ops snd_pcmbuf_slot_dev_ops = {
	.dev_free = snd_pcmbuf_slot_dev_free,
};

static struct snd_pcmbuf_slot *
snd_pcmbuf_slot_create(struct snd_pcm_substream *substream,
		       const struct snd_pcmbuf_ops *ops, struct device *dev,
		       size_t max)
{
	struct snd_pcmbuf_slot *slot;
	int err;

	slot = kzalloc(sizeof(*slot), GFP_KERNEL);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	slot->tag = &snd_pcmbuf_slot_tag;
	slot->substream = substream;
	slot->card = substream->pcm->card;
	slot->ops = ops;
	slot->dev = get_device(dev);
	slot->max = max;

	err = snd_device_new(slot->card, SNDRV_DEV_INFO, slot,
			     &snd_pcmbuf_slot_dev_ops);
	if (err < 0) {
		put_device(dev);
		kfree(slot);
		return ERR_PTR(err);
	}
	return slot;
}

static void snd_pcmbuf_slot_attach(struct snd_pcmbuf_slot *slot)
{
	struct snd_pcm_substream *substream = slot->substream;
	struct snd_dma_buffer *dmab = &substream->dma_buffer;

	dmab->dev.type = slot->ops->host_type;
	dmab->dev.dev = slot->dev;
	dmab->private_data = slot;
	substream->dma_max = slot->max;
	snd_pcmbuf_slot_set_limit(slot, snd_pcmbuf_slot_bytes(slot));
}

static bool snd_pcmbuf_may_preallocate(struct snd_pcm_substream *substream)
{
	return snd_pcmbuf_preallocate_dma &&
	       substream->number < snd_pcmbuf_maximum_substreams;
}

/* As much of size as there is. None at all is no error, but worth a word. */
static int snd_pcmbuf_slot_fill(struct snd_pcmbuf_slot *slot, size_t size)
{
	struct snd_pcm_substream *substream = slot->substream;
	struct snd_pcmbuf *buf;
	size_t part = size;

	do {
		buf = snd_pcmbuf_create(substream, slot->ops, slot->dev, part);
		if (!IS_ERR(buf)) {
			snd_pcmbuf_slot_store(slot, buf);
			return 0;
		}
		if (PTR_ERR(buf) != -ENOMEM)
			return PTR_ERR(buf);
		part /= 2;
	} while (part >= SND_PCMBUF_PREALLOC_MIN);

	dev_warn(slot->card->dev,
		 "pcmC%dD%d%c,%d: cannot preallocate %zu bytes\n",
		 slot->card->number, substream->pcm->device,
		 substream->stream == SNDRV_PCM_STREAM_CAPTURE ? 'c' : 'p',
		 substream->number, size);
	return 0;
}

/**
 * snd_pcmbuf_preallocate_pages - register a substream's kind of memory
 * @substream: substream of a PCM that belongs to a card
 * @type: kind of memory of all its buffers
 * @data: device for kinds that use one, else ignored. It is held until the card
 *	is freed.
 * @size: bytes to preallocate; 0 for none
 * @max: largest preallocation, in bytes, that may be asked for by writing to
 *	/proc/asound/cardN/pcmD{p,c}/subS/prealloc; 0 for no such file
 *
 * To be called once for a substream; it is needed for snd_pcmbuf_malloc_pages()
 * even when nothing is preallocated.
 *
 * The preallocation is halved, down to 16384 bytes, until there is memory for
 * it. It is not made when the module parameter preallocate_dma is off, or for
 * substreams from number maximum_substreams on. Buffers are then allocated when
 * they are asked for. With a preallocation, substream->buffer_bytes_max is its
 * size in bytes and limits the buffers that an application is offered.
 *
 * The memory is freed with the card at the latest.
 *
 * Context: Process context, may sleep. From the driver's probe: the card's list
 * of devices has no lock.
 * Return: 0, also when there was no memory for a preallocation; -EINVAL when
 * @type is unknown, when it needs a device and @data is none it can use, or when
 * the substream has been registered already, here or with the host; -ENOMEM
 * when there is no memory for the registration; otherwise what the kind of
 * memory cannot do with the device (-EIO: scatter-gather memory that would be
 * bounced).
 */
int snd_pcmbuf_preallocate_pages(struct snd_pcm_substream *substream,
				 enum snd_pcmbuf_type type, struct device *data,
				 size_t size, size_t max)
{
	const struct snd_pcmbuf_ops *ops = snd_pcmbuf_kind(type);
	struct snd_pcmbuf_slot *slot;
	int err = 0;

	might_sleep();
	if (!substream || !ops)
		return -EINVAL;
	if (substream->dma_buffer.dev.type != SNDRV_DMA_TYPE_UNKNOWN)
		return -EINVAL;
	if (!ops->check_device)
		data = NULL;
	else if (ops->check_device(data))
		return -EINVAL;

	slot = snd_pcmbuf_slot_create(substream, ops, data, max);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	if (size && snd_pcmbuf_may_preallocate(substream))
		err = snd_pcmbuf_slot_fill(slot, size);
	if (err) {
		snd_device_free(slot->card, slot);
		return err;
	}
	snd_pcmbuf_slot_attach(slot);
	if (max)
		snd_pcmbuf_proc_create(slot);
	return 0;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_preallocate_pages);

/**
 * snd_pcmbuf_preallocate_pages_for_all - register all substreams of a PCM
 * @pcm: the PCM
 * @type: kind of memory
 * @data: device (&struct device) for kinds that use one, else ignored
 * @size: bytes to preallocate for each substream
 * @max: largest preallocation of a substream, bytes
 *
 * Calls snd_pcmbuf_preallocate_pages() for each substream, playback first, up
 * to the first that fails. Those before it stay registered.
 *
 * Context: Process context, may sleep. From the driver's probe.
 * Return: 0 or the error of snd_pcmbuf_preallocate_pages(); -EINVAL without a
 * PCM.
 */
int snd_pcmbuf_preallocate_pages_for_all(struct snd_pcm *pcm,
					 enum snd_pcmbuf_type type, void *data,
					 size_t size, size_t max)
{
	struct snd_pcm_substream *substream;
	int stream;
	int err;

	if (!pcm)
		return -EINVAL;
	for_each_pcm_streams(stream) {
		substream = pcm->streams[stream].substream;
		for (; substream; substream = substream->next) {
			err = snd_pcmbuf_preallocate_pages(substream, type,
							   data, size, max);
			if (err < 0)
				return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_preallocate_pages_for_all);

/**
 * snd_pcmbuf_preallocate_free - free a substream's preallocated buffer
 * @substream: the substream
 *
 * The substream stays registered, with its files in procfs, and allocates its
 * buffers when they are asked for. A runtime that uses the preallocated buffer
 * keeps it. Nothing happens when there is none.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EINVAL without a substream.
 */
int snd_pcmbuf_preallocate_free(struct snd_pcm_substream *substream)
{
	struct snd_pcmbuf_slot *slot;

	might_sleep();
	if (!substream)
		return -EINVAL;
	slot = snd_pcmbuf_slot_of(substream);
	if (!slot)
		return 0;
	snd_pcmbuf_slot_store(slot, NULL);
	snd_pcmbuf_slot_set_limit(slot, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_preallocate_free);

/**
 * snd_pcmbuf_preallocate_free_for_all - free a PCM's preallocated buffers
 * @pcm: the PCM
 *
 * Calls snd_pcmbuf_preallocate_free() for each substream. A driver need not:
 * the memory goes with the card.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EINVAL without a PCM.
 */
int snd_pcmbuf_preallocate_free_for_all(struct snd_pcm *pcm)
{
	struct snd_pcm_substream *substream;
	int stream;

	if (!pcm)
		return -EINVAL;
	for_each_pcm_streams(stream) {
		substream = pcm->streams[stream].substream;
		for (; substream; substream = substream->next)
			snd_pcmbuf_preallocate_free(substream);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_preallocate_free_for_all);
