// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA-coherent memory of a device. Where it comes from is the platform's own
 * affair; it may have no pages to speak of, so none is ever handed out, and a
 * mapping is made in one piece and kept valid by its reference alone.
 */

#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>

#include "pcmbuf_local.h"

static int snd_pcmbuf_coherent_check_device(struct device *dev)
{
	return dev && dev->coherent_dma_mask ? 0 : -EINVAL;
}

static int snd_pcmbuf_coherent_alloc(struct snd_pcmbuf *buf)
{
	/* always zero: dma_alloc_coherent() promises it */
	buf->dmab.area = dma_alloc_coherent(buf->dmab.dev.dev, buf->dmab.bytes,
					    &buf->dmab.addr,
					    GFP_KERNEL | __GFP_NOWARN |
					    __GFP_RETRY_MAYFAIL);
	return buf->dmab.area ? 0 : -ENOMEM;
}

static void snd_pcmbuf_coherent_free(struct snd_pcmbuf *buf)
{
	dma_free_coherent(buf->dmab.dev.dev, buf->dmab.bytes, buf->dmab.area,
			  buf->dmab.addr);
}

static dma_addr_t snd_pcmbuf_coherent_addr(struct snd_pcmbuf *buf,
					   size_t offset)
{
	return buf->dmab.addr + offset;
}

static int snd_pcmbuf_coherent_mmap(struct snd_pcmbuf *buf,
				    struct vm_area_struct *area)
{
	return dma_mmap_coherent(buf->dmab.dev.dev, area, buf->dmab.area,
				 buf->dmab.addr, buf->dmab.bytes);
}

const struct snd_pcmbuf_ops snd_pcmbuf_coherent_ops = {
	.host_type	= SNDRV_DMA_TYPE_DEV,
	.check_device	= snd_pcmbuf_coherent_check_device,
	.alloc		= snd_pcmbuf_coherent_alloc,
	.free		= snd_pcmbuf_coherent_free,
	.addr		= snd_pcmbuf_coherent_addr,
	.mmap		= snd_pcmbuf_coherent_mmap,
};
