// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scatter-gather memory: runs of pages mapped contiguously for the kernel. With
 * a device they are mapped for its DMA as long as the buffer lives, without
 * one the hardware is taken to see physical addresses.
 */

#include <linux/bits.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pcmbuf_local.h"

/* How to ask for the lists of pages: nobody is killed for them either. */
#define SND_PCMBUF_SG_LIST	(GFP_KERNEL | __GFP_NOWARN | vmalloc_mayfail)

/* Pages in one run at most: what the page allocator still deems cheap. */
#define SND_PCMBUF_SG_RUN	BIT(PAGE_ALLOC_COSTLY_ORDER)

/**
 * struct snd_pcmbuf_sg - pages of a scatter-gather buffer
 * @count: number of @pages there are so far
 * @pages: each a page of its own, with one reference
 * @addrs: their addresses for the device; NULL without a device
 * @table: the mapping for the device
 *
 * Allocated and freed with its buffer.
 */
struct snd_pcmbuf_sg {
	unsigned int count;
	struct page **pages;
	dma_addr_t *addrs;
	struct sg_table table;
};

static int snd_pcmbuf_sg_check_device(struct device *dev)
{
	if (dev && (!dev->dma_mask || !*dev->dma_mask))
		return -EINVAL;
	return 0;
}

/*
 * Pages that the device reaches, and the bus that it is on: a bounced one would
 * not be what it plays.
 */
static gfp_t snd_pcmbuf_sg_gfp(struct device *dev)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;
	u64 reach = DMA_BIT_MASK(64);

	if (dev)
		reach = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	if (reach == DMA_BIT_MASK(64))
		return gfp;
	if (reach >= DMA_BIT_MASK(32))
		return gfp | GFP_DMA32;
	return gfp | GFP_DMA;
}

static int snd_pcmbuf_sg_get_pages(struct snd_pcmbuf_sg *sg, unsigned int total,
				   gfp_t gfp)
{
	unsigned int run = SND_PCMBUF_SG_RUN;
	unsigned int i;
	void *area;

	while (sg->count < total) {
		run = min(run, total - sg->count);
		area = alloc_pages_exact(run * PAGE_SIZE, gfp |
					 (run > 1 ? __GFP_NORETRY :
						    __GFP_RETRY_MAYFAIL));
		if (!area && run == 1)
			return -ENOMEM;
		if (!area) {
			run /= 2;
			continue;
		}
		for (i = 0; i < run; i++)
			sg->pages[sg->count++] =
				virt_to_page(area + i * PAGE_SIZE);
	}
	return 0;
}

static void snd_pcmbuf_sg_put_pages(struct snd_pcmbuf_sg *sg)
{
	while (sg->count)
		__free_page(sg->pages[--sg->count]);
}

static int snd_pcmbuf_sg_note_addrs(struct snd_pcmbuf_sg *sg,
				    struct device *dev)
{
	struct sg_dma_page_iter iter;
	unsigned int i = 0;

	for_each_sgtable_dma_page(&sg->table, &iter, 0) {
		dma_addr_t addr = sg_page_iter_dma_address(&iter);

		/* nobody would sync between a program and the device */
		if (dma_need_sync(dev, addr))
			return -EIO;
		sg->addrs[i++] = addr;
	}
	return 0;
}

static int snd_pcmbuf_sg_map_device(struct snd_pcmbuf_sg *sg,
				    struct device *dev)
{
	struct scatterlist *entry;
	unsigned int i;
	int err;

	sg->addrs = kvmalloc_array(sg->count, sizeof(*sg->addrs),
				   SND_PCMBUF_SG_LIST);
	if (!sg->addrs)
		return -ENOMEM;

	/* an entry for each page keeps every limit on the length of one */
	err = sg_alloc_table(&sg->table, sg->count, SND_PCMBUF_SG_LIST);
	if (err)
		goto err_free_addrs;
	for_each_sgtable_sg(&sg->table, entry, i)
		sg_set_page(entry, sg->pages[i], PAGE_SIZE, 0);

	/* why it failed kernels say in different ways, and some in the log */
	err = dma_map_sgtable(dev, &sg->table, DMA_BIDIRECTIONAL,
			      DMA_ATTR_NO_WARN);
	if (err && err != -ENOMEM)
		err = -EIO;
	if (err)
		goto err_free_table;
	err = snd_pcmbuf_sg_note_addrs(sg, dev);
	if (err)
		goto err_unmap;
	return 0;

err_unmap:
	dma_unmap_sgtable(dev, &sg->table, DMA_BIDIRECTIONAL, 0);
err_free_table:
	sg_free_table(&sg->table);
err_free_addrs:
	kvfree(sg->addrs);
	sg->addrs = NULL;
	return err;
}

static void snd_pcmbuf_sg_unmap_device(struct snd_pcmbuf_sg *sg,
				       struct device *dev)
{
	if (!sg->addrs)
		return;
	dma_unmap_sgtable(dev, &sg->table, DMA_BIDIRECTIONAL, 0);
	sg_free_table(&sg->table);
	kvfree(sg->addrs);
}

static dma_addr_t snd_pcmbuf_sg_addr(struct snd_pcmbuf *buf, size_t offset)
{
	struct snd_pcmbuf_sg *sg = buf->data;
	size_t i = offset >> PAGE_SHIFT;
	dma_addr_t page_addr;

	page_addr = sg->addrs ? sg->addrs[i] : page_to_phys(sg->pages[i]);
	return page_addr + offset_in_page(offset);
}

static int snd_pcmbuf_sg_alloc(struct snd_pcmbuf *buf)
{
	unsigned int total = buf->dmab.bytes >> PAGE_SHIFT;
	struct device *dev = buf->dmab.dev.dev;
	struct snd_pcmbuf_sg *sg;
	int err = -ENOMEM;

	sg = kzalloc(sizeof(*sg), GFP_KERNEL);
	if (!sg)
		return -ENOMEM;
	sg->pages = kvmalloc_array(total, sizeof(*sg->pages),
				   SND_PCMBUF_SG_LIST);
	if (!sg->pages)
		goto err_free_sg;
	err = snd_pcmbuf_sg_get_pages(sg, total, snd_pcmbuf_sg_gfp(dev));
	if (err)
		goto err_put_pages;
	err = dev ? snd_pcmbuf_sg_map_device(sg, dev) : 0;
	if (err)
		goto err_put_pages;

	buf->data = sg;
	buf->dmab.addr = snd_pcmbuf_sg_addr(buf, 0);
	buf->dmab.area = vmap(sg->pages, total, VM_MAP, PAGE_KERNEL);
	if (buf->dmab.area)
		return 0;

	err = -ENOMEM;
	snd_pcmbuf_sg_unmap_device(sg, dev);
err_put_pages:
	snd_pcmbuf_sg_put_pages(sg);
	kvfree(sg->pages);
err_free_sg:
	kfree(sg);
	return err;
}

static void snd_pcmbuf_sg_free(struct snd_pcmbuf *buf)
{
	struct snd_pcmbuf_sg *sg = buf->data;

	vunmap(buf->dmab.area);
	snd_pcmbuf_sg_unmap_device(sg, buf->dmab.dev.dev);
	snd_pcmbuf_sg_put_pages(sg);
	kvfree(sg->pages);
	kfree(sg);
}

static struct page *snd_pcmbuf_sg_page(struct snd_pcmbuf *buf, size_t offset)
{
	struct snd_pcmbuf_sg *sg = buf->data;

	return sg->pages[offset >> PAGE_SHIFT];
}

const struct snd_pcmbuf_ops snd_pcmbuf_sg_ops = {
	/* what the kernel sees of it is a vmap, page by page like vmalloc */
	.host_type	= SNDRV_DMA_TYPE_VMALLOC,
	.check_device	= snd_pcmbuf_sg_check_device,
	.alloc		= snd_pcmbuf_sg_alloc,
	.free		= snd_pcmbuf_sg_free,
	.page		= snd_pcmbuf_sg_page,
	.addr		= snd_pcmbuf_sg_addr,
};
