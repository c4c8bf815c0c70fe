// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a buffer is: its pages for a mapping, its addresses for the hardware.
 * Offsets are checked against the whole buffer, not against its size in use.
 */

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "pcmbuf_local.h"

static struct snd_pcmbuf *snd_pcmbuf_at(struct snd_pcm_substream *substream,
					unsigned long ofs)
{
	struct snd_pcmbuf *buf;

	if (!substream || !substream->runtime)
		return NULL;
	buf = snd_pcmbuf_published(substream->runtime);
	return buf && ofs < buf->dmab.bytes ? buf : NULL;
}

static bool snd_pcmbuf_is_vmalloc(const struct snd_pcmbuf *buf)
{
	return buf->ops == &snd_pcmbuf_vmalloc_ops ||
	       buf->ops == &snd_pcmbuf_vmalloc_32_ops;
}

static struct page *snd_pcmbuf_page_at(struct snd_pcm_substream *substream,
				       unsigned long offset, bool only_vmalloc)
{
	struct page *page = NULL;
	struct snd_pcmbuf *buf;
	unsigned long flags;

	/* a fault can come while the buffer is being freed */
	spin_lock_irqsave(&snd_pcmbuf_lock, flags);
	buf = snd_pcmbuf_at(substream, offset);
	if (buf && buf->ops->page &&
	    (!only_vmalloc || snd_pcmbuf_is_vmalloc(buf)))
		page = buf->ops->page(buf, offset);
	spin_unlock_irqrestore(&snd_pcmbuf_lock, flags);
	return page;
}

/**
 * snd_pcmbuf_sgbuf_ops_page - the page op of a driver
 * @substream: open substream
 * @offset: byte offset into the buffer
 *
 * For every kind of memory that is made of pages. A driver does better with
 * snd_pcmbuf_mmap() alone: with a page op it is the host that refers to the
 * page, too late on kernels where a fault can meet a hw_free.
 *
 * Context: Any. The page is not referred to.
 * Return: the page, or NULL when there is no buffer from here, @offset is beyond
 * its end, or it is coherent memory.
 */
struct page *snd_pcmbuf_sgbuf_ops_page(struct snd_pcm_substream *substream,
				       unsigned long offset)
{
	return snd_pcmbuf_page_at(substream, offset, false);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_sgbuf_ops_page);

/**
 * snd_pcmbuf_get_vmalloc_page - the page op of a driver with vmalloc buffers
 * @substream: open substream
 * @offset: byte offset into the buffer
 *
 * Like snd_pcmbuf_sgbuf_ops_page(), for %SND_PCMBUF_VMALLOC and
 * %SND_PCMBUF_VMALLOC_32 only.
 *
 * Context: Any. The page is not referred to.
 * Return: the page, or NULL when there is no such buffer from here, or @offset
 * is beyond its end.
 */
struct page *snd_pcmbuf_get_vmalloc_page(struct snd_pcm_substream *substream,
					 unsigned long offset)
{
	return snd_pcmbuf_page_at(substream, offset, true);
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_get_vmalloc_page);

/**
 * snd_pcmbuf_sgbuf_get_addr - address of a place in the buffer, for hardware
 * @substream: open substream
 * @ofs: byte offset into the buffer
 *
 * Context: Any, while the buffer cannot be freed: from the hw_params op after
 * it was allocated, and from trigger, pointer, ack and copy. From prepare where
 * the driver keeps that from running beside close, by a mutex that both take: a
 * linked stream is prepared with its group, even while it is closed.
 * Return: the address for the device that the substream was registered with, or
 * the physical address without one; 0 when there is no buffer from here, or @ofs
 * is beyond its end.
 */
dma_addr_t snd_pcmbuf_sgbuf_get_addr(struct snd_pcm_substream *substream,
				     unsigned int ofs)
{
	struct snd_pcmbuf *buf = snd_pcmbuf_at(substream, ofs);

	return buf ? buf->ops->addr(buf, ofs) : 0;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_sgbuf_get_addr);

/**
 * snd_pcmbuf_sgbuf_get_ptr - kernel address of a place in the buffer
 * @substream: open substream
 * @ofs: byte offset into the buffer
 *
 * Context: Any, while the buffer cannot be freed, as in
 * snd_pcmbuf_sgbuf_get_addr().
 * Return: the address, from which all bytes to the end of the buffer follow; NULL
 * when there is no buffer from here, or @ofs is beyond its end.
 */
void *snd_pcmbuf_sgbuf_get_ptr(struct snd_pcm_substream *substream,
			       unsigned int ofs)
{
	struct snd_pcmbuf *buf = snd_pcmbuf_at(substream, ofs);

	return buf ? buf->dmab.area + ofs : NULL;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_sgbuf_get_ptr);

/**
 * snd_pcmbuf_sgbuf_get_chunk_size - bytes at consecutive hardware addresses
 * @substream: open substream
 * @ofs: byte offset into the buffer
 * @size: bytes wanted from there
 *
 * Context: Any, while the buffer cannot be freed, as in
 * snd_pcmbuf_sgbuf_get_addr(). Takes time in proportion to @size.
 * Return: how many of @size bytes from @ofs on have consecutive addresses, at
 * most up to the end of the buffer; 0 when there is no buffer from here, @ofs is
 * beyond its end, or @size is 0. A loop over the buffer has to end at 0.
 */
unsigned int
snd_pcmbuf_sgbuf_get_chunk_size(struct snd_pcm_substream *substream,
				unsigned int ofs, unsigned int size)
{
	struct snd_pcmbuf *buf = snd_pcmbuf_at(substream, ofs);
	dma_addr_t addr;
	size_t pos, end;

	if (!buf)
		return 0;
	end = ofs + min_t(size_t, size, buf->dmab.bytes - ofs);
	pos = ofs & PAGE_MASK;
	addr = buf->ops->addr(buf, pos);
	for (pos += PAGE_SIZE; pos < end; pos += PAGE_SIZE) {
		addr += PAGE_SIZE;
		if (buf->ops->addr(buf, pos) != addr)
			return pos - ofs;
	}
	return end - ofs;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_sgbuf_get_chunk_size);
