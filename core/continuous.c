// SPDX-License-Identifier: GPL-2.0-only
/*
 * Continuous memory: pages in one physical run, seen through the kernel's own
 * map. Split into single pages, so that each can be mapped on its own and
 * lives until its last user is gone.
 */

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "pcmbuf_local.h"

static int snd_pcmbuf_continuous_alloc(struct snd_pcmbuf *buf)
{
	void *area;

	area = alloc_pages_exact(buf->dmab.bytes,
				 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				 __GFP_RETRY_MAYFAIL);
	if (!area)
		return -ENOMEM;
	buf->dmab.area = area;
	/* the host maps the physical pages by this address */
	buf->dmab.addr = virt_to_phys(area);
	return 0;
}

static void snd_pcmbuf_continuous_free(struct snd_pcmbuf *buf)
{
	free_pages_exact(buf->dmab.area, buf->dmab.bytes);
}

static struct page *snd_pcmbuf_continuous_page(struct snd_pcmbuf *buf,
					       size_t offset)
{
	return virt_to_page(buf->dmab.area + offset);
}

static dma_addr_t snd_pcmbuf_continuous_addr(struct snd_pcmbuf *buf,
					     size_t offset)
{
	return buf->dmab.addr + offset;
}

const struct snd_pcmbuf_ops snd_pcmbuf_continuous_ops = {
	.host_type	= SNDRV_DMA_TYPE_CONTINUOUS,
	.alloc		= snd_pcmbuf_continuous_alloc,
	.free		= snd_pcmbuf_continuous_free,
	.page		= snd_pcmbuf_continuous_page,
	.addr		= snd_pcmbuf_continuous_addr,
};
