// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a buffer: made, published in a runtime, referred to, freed.
 *
 * A mapping may be made at any time, on some kernels while hw_params replaces
 * the buffer. So whoever wants a reference takes it under the lock under which
 * the runtime's pointer changes, and finds a buffer that is still whole.
 */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/slab.h>

#include "pcmbuf_local.h"

/*
 * Protects runtime->dma_buffer_p of our runtimes and the buf of a slot against
 * readers that take a reference or look up a page. Never held over anything
 * that sleeps.
 */
DEFINE_SPINLOCK(snd_pcmbuf_lock);

/*
 * A buffer of at least size bytes with one reference, charged to the card, all
 * zero; or -EINVAL for no bytes at all, -ENOMEM, or what the kind says.
 */
struct snd_pcmbuf *snd_pcmbuf_create(struct snd_pcm_substream *substream,
				     const struct snd_pcmbuf_ops *ops,
				     struct device *dev, size_t size)
{
	size_t bytes = PAGE_ALIGN(size);
	struct snd_pcmbuf *buf;
	int err;

	if (!size)
		return ERR_PTR(-EINVAL);
	/* allocators may complain in the log about the absurd */
	if (bytes < size || bytes >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);

	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);

	kref_init(&buf->ref);
	buf->ops = ops;
	buf->substream = substream;
	buf->card = substream->pcm->card;
	buf->dmab.dev.type = ops->host_type;
	buf->dmab.dev.dev = dev;
	buf->dmab.bytes = bytes;
	buf->dmab.private_data = buf;

	err = snd_pcmbuf_charge(buf->card, bytes);
	if (err)
		goto err_free_buf;

	err = ops->alloc(buf);
	if (err)
		goto err_uncharge;
	return buf;

err_uncharge:
	snd_pcmbuf_uncharge(buf->card, bytes);
err_free_buf:
	kfree(buf);
	return ERR_PTR(err);
}

static void snd_pcmbuf_release(struct kref *ref)
{
	struct snd_pcmbuf *buf = container_of(ref, struct snd_pcmbuf, ref);

	buf->ops->free(buf);
	snd_pcmbuf_uncharge(buf->card, buf->dmab.bytes);
	kfree(buf);
}

/* Drop a reference; the last one frees the memory. NULL is fine. */
void snd_pcmbuf_put(struct snd_pcmbuf *buf)
{
	if (buf)
		kref_put(&buf->ref, snd_pcmbuf_release);
}

/*
 * Does anybody beside the known references still see a buffer that is not
 * published? A mapping holds a reference, or pages; pages can also be pinned,
 * by a pipe or by direct I/O, long after the mapping is gone. A reference that
 * the kernel takes in passing is as good: then a buffer is replaced in vain.
 */
bool snd_pcmbuf_has_other_users(struct snd_pcmbuf *buf, unsigned int known)
{
	size_t offset;

	if (kref_read(&buf->ref) > known)
		return true;
	if (!buf->ops->page)
		return READ_ONCE(buf->pinnable);
	for (offset = 0; offset < buf->shown; offset += PAGE_SIZE)
		if (page_ref_count(buf->ops->page(buf, offset)) > 1)
			return true;
	return false;
}

/* As snd_pcmbuf_published(), with a reference, for anybody. */
struct snd_pcmbuf *snd_pcmbuf_get_published(struct snd_pcm_runtime *runtime)
{
	struct snd_pcmbuf *buf;
	unsigned long flags;

	spin_lock_irqsave(&snd_pcmbuf_lock, flags);
	buf = snd_pcmbuf_published(runtime);
	if (buf)
		kref_get(&buf->ref);
	spin_unlock_irqrestore(&snd_pcmbuf_lock, flags);
	return buf;
}

/* How much of its buffer a runtime uses. */
void snd_pcmbuf_set_size(struct snd_pcm_runtime *runtime,
			 struct snd_pcmbuf *buf, size_t size)
{
	WRITE_ONCE(buf->shown, max_t(size_t, buf->shown, PAGE_ALIGN(size)));
	runtime->dma_bytes = size;
}

/* Let a runtime have a buffer, and the caller's reference to it. May sleep. */
void snd_pcmbuf_publish(struct snd_pcm_runtime *runtime,
			struct snd_pcmbuf *buf, size_t size)
{
	spin_lock_irq(&snd_pcmbuf_lock);
	WRITE_ONCE(runtime->dma_buffer_p, &buf->dmab);
	runtime->dma_area = buf->dmab.area;
	runtime->dma_addr = buf->dmab.addr;
	snd_pcmbuf_set_size(runtime, buf, size);
	spin_unlock_irq(&snd_pcmbuf_lock);
}

/*
 * Take it back, if there is one of ours, and leave no trace: true if there was.
 * May sleep.
 */
bool snd_pcmbuf_unpublish(struct snd_pcm_runtime *runtime)
{
	struct snd_pcmbuf *buf = snd_pcmbuf_published(runtime);

	if (!buf)
		return false;
	spin_lock_irq(&snd_pcmbuf_lock);
	WRITE_ONCE(runtime->dma_buffer_p, NULL);
	runtime->dma_area = NULL;
	runtime->dma_addr = 0;
	runtime->dma_bytes = 0;
	spin_unlock_irq(&snd_pcmbuf_lock);
	snd_pcmbuf_put(buf);
	return true;
}
