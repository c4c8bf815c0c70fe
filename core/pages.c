// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffer of a runtime: what a driver's hw_params and hw_free ops call.
 *
 * Two families, as drivers know them: malloc_pages for a substream that was
 * registered with its kind of memory, and the vmalloc helpers, which need no
 * registration. One substream may use either, even in turn.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "pcmbuf_local.h"

/*
 * Has a runtime that has no buffer of ours another one? A driver that set an
 * area of its own is not to have it freed or replaced by us; it has lost track
 * of which is which, so it is told.
 */
static inline bool snd_pcmbuf_is_foreign(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;

	if (likely(!runtime->dma_area && !runtime->dma_buffer_p))
		return false;
	dev_err_once(substream->pcm->card->dev,
		     "pcmC%dD%d: the buffer is not from snd-pcmbuf\n",
		     substream->pcm->card->number, substream->pcm->device);
	return true;
}

/*
 * Another size within what the runtime has. What is added may be left from a
 * former owner, and where mmap does not wait for hw_params a mapping can be
 * faster than the host's clearing. Some drivers clear the address by themselves
 * where they should free the buffer: it is put back.
 */
static void snd_pcmbuf_resize(struct snd_pcm_runtime *runtime,
			      struct snd_pcmbuf *buf, size_t size)
{
	size_t seen = PAGE_ALIGN(runtime->dma_bytes);

	if (PAGE_ALIGN(size) > seen)
		memset(buf->dmab.area + seen, 0, PAGE_ALIGN(size) - seen);
	runtime->dma_area = buf->dmab.area;
	runtime->dma_addr = buf->dmab.addr;
	snd_pcmbuf_set_size(runtime, buf, size);
}

static bool snd_pcmbuf_fits(const struct snd_pcmbuf *buf,
			    const struct snd_pcmbuf_ops *ops,
			    const struct device *dev, size_t size)
{
	return buf->ops == ops && buf->dmab.dev.dev == dev &&
	       size && size <= buf->dmab.bytes;
}

/*
 * Give the runtime a buffer: 1 when it is another one, or the driver has
 * forgotten where it is, 0 when only the size changed. The old one goes first,
 * both need not fit into memory or limit.
 */
static int snd_pcmbuf_provide(struct snd_pcm_substream *substream,
			      struct snd_pcmbuf_slot *slot,
			      const struct snd_pcmbuf_ops *ops, size_t size)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	struct device *dev = slot ? slot->dev : NULL;
	struct snd_pcmbuf *buf;
	bool forgotten;

	buf = snd_pcmbuf_published(runtime);
	if (!buf && snd_pcmbuf_is_foreign(substream))
		return -EINVAL;
	if (buf) {
		if (snd_pcmbuf_fits(buf, ops, dev, size)) {
			forgotten = !runtime->dma_area;
			snd_pcmbuf_resize(runtime, buf, size);
			return forgotten;
		}
		if (atomic_read(&substream->mmap_count))
			return -EBUSY;
		snd_pcmbuf_unpublish(runtime);
	}

	buf = slot && size ? snd_pcmbuf_slot_take(slot, size) : NULL;
	if (!buf)
		buf = snd_pcmbuf_create(substream, ops, dev, size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	snd_pcmbuf_publish(runtime, buf, size);
	return 1;
}

/*
 * Does an application have pages of the buffer in a mapping that has no
 * reference to it? Without an op for it the host maps the memory as it is; and it
 * lets the OSS emulation change parameters meanwhile.
 */
static bool snd_pcmbuf_is_mapped_by_host(struct snd_pcm_substream *substream)
{
	return !substream->ops->mmap && !substream->ops->page &&
	       atomic_read(&substream->mmap_count);
}

static int snd_pcmbuf_free(struct snd_pcm_substream *substream)
{
	might_sleep();
	if (!substream || !substream->runtime)
		return -EINVAL;
	if (snd_pcmbuf_is_mapped_by_host(substream))
		return -EBUSY;
	if (!snd_pcmbuf_unpublish(substream->runtime) &&
	    snd_pcmbuf_is_foreign(substream))
		return -EINVAL;
	return 0;
}

static int snd_pcmbuf_alloc_vmalloc(struct snd_pcm_substream *substream,
				    const struct snd_pcmbuf_ops *ops,
				    size_t size)
{
	might_sleep();
	if (!substream || !substream->runtime)
		return -EINVAL;
	return snd_pcmbuf_provide(substream, NULL, ops, size);
}

/**
 * snd_pcmbuf_malloc_pages - get the buffer for a runtime
 * @substream: open substream, registered by snd_pcmbuf_preallocate_pages()
 * @size: bytes of the buffer, params_buffer_bytes()
 *
 * A buffer that is there and large enough is kept. Otherwise it is given up for
 * the preallocated one, if that is large enough, or for a new one.
 *
 * runtime->dma_area, dma_addr, dma_bytes and dma_buffer_p are set. dma_bytes is
 * @size, not what the buffer could hold. What an application may come to see is
 * zero by the time hw_params is over.
 *
 * Context: Process context, may sleep. From the hw_params op.
 * Return: 1 when the buffer is another one, so that its address has to be
 * programmed; 0 when it is the same; otherwise there is no buffer and the fields
 * of the runtime are cleared, except for -EBUSY, when the old one would have to
 * go but an application has it mapped: it stays as it was. -EINVAL when @size is
 * 0, the substream is not open, or it is not registered or the runtime has a
 * buffer that is not from here (in both cases what there is stays); -ENOMEM when
 * there is no memory, or the card has reached max_alloc_per_card; -EIO when the
 * device cannot use the memory there is.
 */
int snd_pcmbuf_malloc_pages(struct snd_pcm_substream *substream, size_t size)
{
	struct snd_pcmbuf_slot *slot;

	might_sleep();
	if (!substream || !substream->runtime)
		return -EINVAL;
	slot = snd_pcmbuf_slot_of(substream);
	if (!slot)
		return -EINVAL;
	return snd_pcmbuf_provide(substream, slot, slot->ops, size);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_malloc_pages);

/**
 * snd_pcmbuf_free_pages - take a runtime's buffer back
 * @substream: open substream
 *
 * Clears the fields that snd_pcmbuf_malloc_pages() set. A preallocated buffer
 * is kept for the next opener, and what is still mapped for its mappings.
 * Without a buffer nothing happens, as hw_free may be called twice.
 *
 * Context: Process context, may sleep. From the hw_free op.
 * Return: 0; -EINVAL when the substream is not open, or when the runtime has a
 * buffer that is not from here; -EBUSY when it is mapped, and the driver has
 * neither an mmap op nor a page op, so that the mapping does not keep it: nothing
 * is touched then.
 */
int snd_pcmbuf_free_pages(struct snd_pcm_substream *substream)
{
	return snd_pcmbuf_free(substream);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_free_pages);

/**
 * snd_pcmbuf_alloc_vmalloc_buffer - get a vmalloc buffer for a runtime
 * @substream: open substream; need not be registered
 * @size: bytes of the buffer, params_buffer_bytes()
 *
 * Like snd_pcmbuf_malloc_pages() for a substream of %SND_PCMBUF_VMALLOC with
 * nothing preallocated.
 *
 * Context: Process context, may sleep: not under a spinlock.
 * Return: as snd_pcmbuf_malloc_pages().
 */
int snd_pcmbuf_alloc_vmalloc_buffer(struct snd_pcm_substream *substream,
				    size_t size)
{
	return snd_pcmbuf_alloc_vmalloc(substream, &snd_pcmbuf_vmalloc_ops,
					size);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_alloc_vmalloc_buffer);

/**
 * snd_pcmbuf_alloc_vmalloc_32_buffer - get a vmalloc buffer below 4 GiB
 * @substream: open substream; need not be registered
 * @size: bytes of the buffer, params_buffer_bytes()
 *
 * Like snd_pcmbuf_alloc_vmalloc_buffer(), from pages that hardware with 32
 * address bits can reach, where the machine has a zone for them.
 *
 * Context: Process context, may sleep: not under a spinlock.
 * Return: as snd_pcmbuf_malloc_pages().
 */
int snd_pcmbuf_alloc_vmalloc_32_buffer(struct snd_pcm_substream *substream,
				       size_t size)
{
	return snd_pcmbuf_alloc_vmalloc(substream, &snd_pcmbuf_vmalloc_32_ops,
					size);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_alloc_vmalloc_32_buffer);

/**
 * snd_pcmbuf_free_vmalloc_buffer - take a runtime's vmalloc buffer back
 * @substream: open substream
 *
 * Context: Process context, may sleep: not under a spinlock.
 * Return: as snd_pcmbuf_free_pages().
 */
int snd_pcmbuf_free_vmalloc_buffer(struct snd_pcm_substream *substream)
{
	return snd_pcmbuf_free(substream);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_free_vmalloc_buffer);
