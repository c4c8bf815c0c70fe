// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scatter-gather memory of a device: where the device reaches it, as it sees
 * it, and nothing of it left where it cannot.
 */

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "test.h"

#define PCMBUF_TEST_PAGES	256
#define PCMBUF_TEST_BYTES	(PCMBUF_TEST_PAGES * PAGE_SIZE)

static void pcmbuf_test_reaches(struct pcmbuf_test *t, u64 mask, u64 limit)
{
	u64 reach = limit ? min(mask, limit) : mask;
	size_t ofs;

	*t->dev->dma_mask = mask;
	t->dev->bus_dma_limit = limit;
	if (!EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						  PCMBUF_TEST_BYTES), 1))
		return;
	for (ofs = 0; ofs < PCMBUF_TEST_BYTES; ofs += PAGE_SIZE)
		if (!EXPECT(t, snd_pcmbuf_sgbuf_get_addr(t->substream, ofs) <=
			    reach))
			break;
	t->dev->bus_dma_limit = 0;
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
}

/*
 * Where a PC has its memory each of these masks reaches some of it. A bus may
 * reach less than the device.
 */
static void pcmbuf_test_masks(struct pcmbuf_test *t)
{
	u64 mask = *t->dev->dma_mask;

	if (!IS_ENABLED(CONFIG_X86)) {
		t->skip = "memory may begin above the smallest mask";
		return;
	}
	*t->dev->dma_mask = 0;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->pcm->streams[0].substream,
						  SND_PCMBUF_SG, t->dev, 0, 0),
		  -EINVAL);
	*t->dev->dma_mask = mask;
	if (EXPECT_EQ(t, pcmbuf_test_open(t), 0) &&
	    EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						      SND_PCMBUF_SG, t->dev, 0,
						      0), 0)) {
		pcmbuf_test_reaches(t, DMA_BIT_MASK(64), 0);
		pcmbuf_test_reaches(t, DMA_BIT_MASK(32), 0);
		pcmbuf_test_reaches(t, DMA_BIT_MASK(31), 0);
		if (IS_ENABLED(CONFIG_ZONE_DMA)) {
			pcmbuf_test_reaches(t, DMA_BIT_MASK(24), 0);
			pcmbuf_test_reaches(t, DMA_BIT_MASK(64),
					    DMA_BIT_MASK(24));
			pcmbuf_test_reaches(t, DMA_BIT_MASK(24),
					    DMA_BIT_MASK(32));
		}
	}
	*t->dev->dma_mask = mask;
}

#if IS_ENABLED(CONFIG_DMA_OPS) || IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS)

/* A device to which memory is copied, as with swiotlb: to 1 MiB and beyond */
static unsigned int pcmbuf_test_mapped;

/* How often it was not for both directions: a slot does not tell which */
static unsigned int pcmbuf_test_one_way;

/* Does a mapping fail, and with what? */
static bool pcmbuf_test_map_fails;
static int pcmbuf_test_map_err;

/* The pages that were mapped last */
static struct page *pcmbuf_test_pages[PCMBUF_TEST_PAGES];

/* Have most of them been given back? Some may be somebody else's by now. */
static bool pcmbuf_test_are_free(void)
{
	unsigned int i, held = 0;

	for (i = 0; i < PCMBUF_TEST_PAGES; i++)
		held += pcmbuf_test_pages[i] &&
			page_ref_count(pcmbuf_test_pages[i]) > 0;
	return held < PCMBUF_TEST_PAGES / 2;
}

static int pcmbuf_test_map_sg(struct device *dev, struct scatterlist *list,
			      int nents, enum dma_data_direction dir,
			      unsigned long attrs)
{
	struct scatterlist *entry;
	int i;

	if (pcmbuf_test_map_fails)
		return pcmbuf_test_map_err;
	for_each_sg(list, entry, nents, i) {
		sg_dma_address(entry) = SZ_1M + i * PAGE_SIZE;
		sg_dma_len(entry) = entry->length;
		if (i < PCMBUF_TEST_PAGES)
			pcmbuf_test_pages[i] = sg_page(entry);
	}
	pcmbuf_test_mapped++;
	pcmbuf_test_one_way += dir != DMA_BIDIRECTIONAL;
	return nents;
}

static void pcmbuf_test_unmap_sg(struct device *dev, struct scatterlist *list,
				 int nents, enum dma_data_direction dir,
				 unsigned long attrs)
{
	pcmbuf_test_mapped--;
	pcmbuf_test_one_way += dir != DMA_BIDIRECTIONAL;
}

static void pcmbuf_test_sync(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
}

static const struct dma_map_ops pcmbuf_test_bounce_ops = {
	.map_sg = pcmbuf_test_map_sg,
	.unmap_sg = pcmbuf_test_unmap_sg,
	.sync_single_for_cpu = pcmbuf_test_sync,
	.sync_single_for_device = pcmbuf_test_sync,
};

/* The same, where what is copied is always up to date */
static const struct dma_map_ops pcmbuf_test_remap_ops = {
	.map_sg = pcmbuf_test_map_sg,
	.unmap_sg = pcmbuf_test_unmap_sg,
};

/* The kernel works out with the mask whether there is anything to sync. */
static void pcmbuf_test_set_dma(struct pcmbuf_test *t,
				const struct dma_map_ops *ops)
{
	set_dma_ops(t->dev, ops);
	EXPECT_EQ(t, dma_set_mask(t->dev, *t->dev->dma_mask), 0);
}

/* A registration that fails holds no memory, and no device, and can be made. */
static void pcmbuf_test_bounce_other(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *other = t->pcm->streams[1].substream;
	unsigned int users = kref_read(&t->dev->kobj.kref);

	if (pcmbuf_test_preallocates(t, 0))
		EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(other, SND_PCMBUF_SG,
							  t->dev,
							  PCMBUF_TEST_BYTES, 0),
			  -EIO);
	EXPECT(t, pcmbuf_test_are_free());
	EXPECT_EQ(t, kref_read(&t->dev->kobj.kref), users);
	if (!t->skip)
		EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(other,
							  SND_PCMBUF_VMALLOC,
							  NULL, 0, 0), 0);
}

/* Nobody would copy between the client's memory and the device's. */
static void pcmbuf_test_bounced(struct pcmbuf_test *t)
{
	size_t bytes = PCMBUF_TEST_BYTES;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, t->dev, 0,
						       0), 0))
		return;
	pcmbuf_test_one_way = 0;
	pcmbuf_test_set_dma(t, &pcmbuf_test_bounce_ops);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, bytes), -EIO);
	pcmbuf_test_expect_cleared(t);
	EXPECT(t, pcmbuf_test_are_free());
	pcmbuf_test_bounce_other(t);
	EXPECT_EQ(t, pcmbuf_test_mapped, 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);

	pcmbuf_test_set_dma(t, &pcmbuf_test_remap_ops);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, bytes), 1);
	EXPECT_EQ(t, pcmbuf_test_mapped, 1);
	EXPECT(t, !pcmbuf_test_are_free());
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(t->substream, 5 * PAGE_SIZE + 7),
		  SZ_1M + 5 * PAGE_SIZE + 7);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_mapped, 0);
	EXPECT_EQ(t, pcmbuf_test_one_way, 0);
	EXPECT(t, pcmbuf_test_are_free());
	pcmbuf_test_set_dma(t, NULL);
}

/* That there was no memory is all that is told apart. */
static void pcmbuf_test_unmapped(struct pcmbuf_test *t)
{
	static const int errors[] = { -EINVAL, -EIO, -ENOMEM };
	unsigned int i;
	int err;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, t->dev, 0,
						       0), 0))
		return;
	pcmbuf_test_set_dma(t, &pcmbuf_test_remap_ops);
	pcmbuf_test_map_fails = true;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		pcmbuf_test_map_err = dma_map_sg_error(errors[i]);
		err = pcmbuf_test_map_err == -ENOMEM ? -ENOMEM : -EIO;
		EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						     PCMBUF_TEST_BYTES), err);
		pcmbuf_test_expect_cleared(t);
		EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	}
	pcmbuf_test_map_fails = false;
	EXPECT_EQ(t, pcmbuf_test_mapped, 0);
	pcmbuf_test_set_dma(t, NULL);
}

/* With no place in the kernel's map the device does not keep it either. */
static void pcmbuf_test_no_area(struct pcmbuf_test *t)
{
	void *kept;
	int err;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, t->dev, 0,
						       0), 0) ||
	    !pcmbuf_test_let_fail(t, "vmap"))
		return;
	pcmbuf_test_set_dma(t, &pcmbuf_test_remap_ops);
	err = snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES);
	kept = pcmbuf_test_let_work();
	if (EXPECT_EQ(t, err, -ENOMEM) && EXPECT(t, kept))
		vunmap(kept);
	pcmbuf_test_expect_cleared(t);
	EXPECT(t, pcmbuf_test_are_free());
	EXPECT_EQ(t, pcmbuf_test_mapped, 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	pcmbuf_test_close(t);
	pcmbuf_test_mapped = 0;
	pcmbuf_test_set_dma(t, NULL);
}

#else

static void pcmbuf_test_bounced(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

static void pcmbuf_test_unmapped(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

static void pcmbuf_test_no_area(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

#endif

const struct pcmbuf_test_case pcmbuf_test_dma_cases[] = {
	{ "within the reach of the device", pcmbuf_test_masks },
	{ "as the device sees them, or not at all", pcmbuf_test_bounced },
	{ "what a device cannot map, and why", pcmbuf_test_unmapped },
	{ "mapped for the device, or not at all", pcmbuf_test_no_area },
	{ }
};
