// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc memory: single pages behind one range of kernel addresses, from
 * anywhere or, for hardware that sees no further, from below 4 GiB.
 */

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "pcmbuf_local.h"

static int snd_pcmbuf_vmalloc_alloc(struct snd_pcmbuf *buf)
{
	/*
	 * Not vmalloc_user(): the host could then map the range by itself, and
	 * would ignore the offset.
	 */
	buf->dmab.area = __vmalloc(buf->dmab.bytes,
				   GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				   vmalloc_mayfail);
	return buf->dmab.area ? 0 : -ENOMEM;
}

static int snd_pcmbuf_vmalloc_32_alloc(struct snd_pcmbuf *buf)
{
	/* newer kernels refuse a zone in the flags of __vmalloc() */
	buf->dmab.area = vmalloc_32(buf->dmab.bytes);
	if (!buf->dmab.area)
		return -ENOMEM;
	memset(buf->dmab.area, 0, buf->dmab.bytes);
	return 0;
}

static void snd_pcmbuf_vmalloc_free(struct snd_pcmbuf *buf)
{
	vfree(buf->dmab.area);
}

static struct page *snd_pcmbuf_vmalloc_page(struct snd_pcmbuf *buf,
					    size_t offset)
{
	return vmalloc_to_page(buf->dmab.area + offset);
}

static dma_addr_t snd_pcmbuf_vmalloc_addr(struct snd_pcmbuf *buf,
					  size_t offset)
{
	return page_to_phys(snd_pcmbuf_vmalloc_page(buf, offset)) +
	       offset_in_page(offset);
}

const struct snd_pcmbuf_ops snd_pcmbuf_vmalloc_ops = {
	.host_type	= SNDRV_DMA_TYPE_VMALLOC,
	.alloc		= snd_pcmbuf_vmalloc_alloc,
	.free		= snd_pcmbuf_vmalloc_free,
	.page		= snd_pcmbuf_vmalloc_page,
	.addr		= snd_pcmbuf_vmalloc_addr,
};

const struct snd_pcmbuf_ops snd_pcmbuf_vmalloc_32_ops = {
	.host_type	= SNDRV_DMA_TYPE_VMALLOC,
	.alloc		= snd_pcmbuf_vmalloc_32_alloc,
	.free		= snd_pcmbuf_vmalloc_free,
	.page		= snd_pcmbuf_vmalloc_page,
	.addr		= snd_pcmbuf_vmalloc_addr,
};
