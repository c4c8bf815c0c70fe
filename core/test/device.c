// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is not as plain as those of a guest: what it sees is not where
 * the memory is, as behind an IOMMU, and its coherent memory is mapped page by
 * page.
 */

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

#define PCMBUF_TEST_PAGES	16
#define PCMBUF_TEST_BYTES	(PCMBUF_TEST_PAGES * PAGE_SIZE)
#define PCMBUF_TEST_HALF	(PCMBUF_TEST_BYTES / 2)

#if IS_ENABLED(CONFIG_DMA_OPS) || IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS)

/* Where the device sees coherent memory, and the first half of any other */
#define PCMBUF_TEST_SEEN	SZ_1M
#define PCMBUF_TEST_SEEN_REST	(PCMBUF_TEST_SEEN + 2 * PCMBUF_TEST_BYTES)

/**
 * struct pcmbuf_test_device_memory - coherent memory that the device gave last
 * @area: where it is
 * @size: bytes
 * @there: allocated and not freed, how often
 * @wrong: freed, or mapped, as another one
 * @rude: requests that may end in a kill, or that charge the client for it
 * @early: pages that were given back while the device still saw them
 * @users: of the device when it was last freed
 * @full: is there no more?
 * @hidden: can it not be mapped?
 */
struct pcmbuf_test_device_memory {
	void *area;
	size_t size;
	int there;
	int wrong;
	int rude;
	int early;
	unsigned int users;
	bool full;
	bool hidden;
};

static struct pcmbuf_test_device_memory pcmbuf_test_memory;

static void pcmbuf_test_check_memory(void *area, dma_addr_t addr, size_t size)
{
	pcmbuf_test_memory.wrong += area != pcmbuf_test_memory.area ||
				    size != pcmbuf_test_memory.size ||
				    addr != PCMBUF_TEST_SEEN;
}

static void *pcmbuf_test_device_alloc(struct device *dev, size_t size,
				      dma_addr_t *addr, gfp_t gfp,
				      unsigned long attrs)
{
	void *area = NULL;

	if (!(gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)) ||
	    gfp & __GFP_ACCOUNT)
		pcmbuf_test_memory.rude++;
	if (!pcmbuf_test_memory.full)
		area = alloc_pages_exact(size, gfp | __GFP_ZERO);
	if (!area)
		return NULL;
	*addr = PCMBUF_TEST_SEEN;
	pcmbuf_test_memory.area = area;
	pcmbuf_test_memory.size = size;
	pcmbuf_test_memory.there++;
	return area;
}

static void pcmbuf_test_device_free(struct device *dev, size_t size, void *area,
				    dma_addr_t addr, unsigned long attrs)
{
	/* the last, unless a mapping has kept it */
	if (area == pcmbuf_test_memory.area)
		pcmbuf_test_check_memory(area, addr, size);
	pcmbuf_test_memory.there--;
	pcmbuf_test_memory.users = kref_read(&dev->kobj.kref);
	free_pages_exact(area, size);
}

static int pcmbuf_test_device_mmap(struct device *dev,
				   struct vm_area_struct *area, void *memory,
				   dma_addr_t addr, size_t size,
				   unsigned long attrs)
{
	unsigned long i;
	int err = 0;

	pcmbuf_test_check_memory(memory, addr, size);
	if (pcmbuf_test_memory.hidden)
		return -ENXIO;
	for (i = 0; i < vma_pages(area) && !err; i++)
		err = vm_insert_page(area, area->vm_start + i * PAGE_SIZE,
				     virt_to_page(memory + i * PAGE_SIZE));
	return err;
}

/* An entry for each half, however many pages there are */
static int pcmbuf_test_device_map_sg(struct device *dev,
				     struct scatterlist *list, int nents,
				     enum dma_data_direction dir,
				     unsigned long attrs)
{
	struct scatterlist *rest = sg_next(list);

	sg_dma_address(list) = PCMBUF_TEST_SEEN;
	sg_dma_len(list) = PCMBUF_TEST_HALF;
	sg_dma_address(rest) = PCMBUF_TEST_SEEN_REST;
	sg_dma_len(rest) = PCMBUF_TEST_HALF;
	return 2;
}

static void pcmbuf_test_device_unmap_sg(struct device *dev,
					struct scatterlist *list, int nents,
					enum dma_data_direction dir,
					unsigned long attrs)
{
	struct scatterlist *entry;
	int i;

	for_each_sg(list, entry, nents, i)
		pcmbuf_test_memory.early += !page_ref_count(sg_page(entry));
}

static const struct dma_map_ops pcmbuf_test_device_ops = {
	.alloc = pcmbuf_test_device_alloc,
	.free = pcmbuf_test_device_free,
	.mmap = pcmbuf_test_device_mmap,
	.map_sg = pcmbuf_test_device_map_sg,
	.unmap_sg = pcmbuf_test_device_unmap_sg,
};

static void pcmbuf_test_set_device(struct pcmbuf_test *t,
				   const struct dma_map_ops *ops)
{
	set_dma_ops(t->dev, ops);
	/* the kernel works out with the mask whether there is much to sync */
	EXPECT_EQ(t, dma_set_mask(t->dev, *t->dev->dma_mask), 0);
}

static void pcmbuf_test_merged_chunks(struct pcmbuf_test *t)
{
	const unsigned int half = PCMBUF_TEST_HALF, all = PCMBUF_TEST_BYTES;
	struct snd_pcm_substream *s = t->substream;

	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, half - 1),
		  PCMBUF_TEST_SEEN + half - 1);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, half), PCMBUF_TEST_SEEN_REST);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, all - 1),
		  PCMBUF_TEST_SEEN_REST + half - 1);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 0, all), half);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, half, all), half);
	/* a few bytes beyond, of a page that is elsewhere */
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, half - 100, 200), 100);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 123, half - 122),
		  half - 123);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 123, half - 123),
		  half - 123);
}

static void pcmbuf_test_merged(struct pcmbuf_test *t)
{
	if (!IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH)) {
		t->skip = "what is mapped is as long as what is not";
		return;
	}
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, t->dev, 0,
						       0), 0))
		return;
	memset(&pcmbuf_test_memory, 0, sizeof(pcmbuf_test_memory));
	pcmbuf_test_set_device(t, &pcmbuf_test_device_ops);
	if (EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						 PCMBUF_TEST_BYTES), 1))
		pcmbuf_test_merged_chunks(t);
	pcmbuf_test_close(t);
	EXPECT_EQ(t, pcmbuf_test_memory.early, 0);
	pcmbuf_test_set_device(t, NULL);
}

static void pcmbuf_test_coherent_pages(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *s = t->substream;
	unsigned char *area;
	unsigned long at;

	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(s, PCMBUF_TEST_BYTES), 1);
	EXPECT_EQ(t, s->runtime->dma_addr, PCMBUF_TEST_SEEN);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, PAGE_SIZE + 7),
		  PCMBUF_TEST_SEEN + PAGE_SIZE + 7);
	area = s->runtime->dma_area;
	/* whoever only has used it can be followed by anybody */
	EXPECT_EQ(t, snd_pcmbuf_free_pages(s), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(s, PCMBUF_TEST_BYTES), 1);
	EXPECT(t, s->runtime->dma_area == area);
	at = pcmbuf_test_map(t, PCMBUF_TEST_BYTES);
	if (!at)
		return;
	EXPECT_EQ(t, vm_munmap(at, PCMBUF_TEST_BYTES), 0);
	/* whoever has had its pages in a mapping may have pinned any */
	EXPECT_EQ(t, snd_pcmbuf_free_pages(s), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(s, PCMBUF_TEST_BYTES), 1);
	EXPECT_EQ(t, pcmbuf_test_memory.there, 1);
	EXPECT(t, s->runtime->dma_area != area);
}

/* The device is there as long as there is memory of it. */
static void pcmbuf_test_last(struct pcmbuf_test *t)
{
	unsigned int users = kref_read(&t->dev->kobj.kref);

	memset(&pcmbuf_test_memory, 0, sizeof(pcmbuf_test_memory));
	pcmbuf_test_set_device(t, &pcmbuf_test_device_ops);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->pcm->streams[0].substream,
						  SND_PCMBUF_COHERENT, t->dev,
						  PCMBUF_TEST_BYTES, 0), 0);
	pcmbuf_test_card_free(t);
	EXPECT_EQ(t, t->left, 0);
	EXPECT_EQ(t, pcmbuf_test_memory.there, 0);
	if (pcmbuf_test_memory.area)
		EXPECT_EQ(t, pcmbuf_test_memory.users, users + 1);
	pcmbuf_test_set_device(t, NULL);
	EXPECT_EQ(t, pcmbuf_test_card_new(t), 0);
}

static void pcmbuf_test_coherent_none(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_COHERENT,
						       t->dev, 0, 0), 0))
		return;
	memset(&pcmbuf_test_memory, 0, sizeof(pcmbuf_test_memory));
	pcmbuf_test_memory.full = true;
	pcmbuf_test_set_device(t, &pcmbuf_test_device_ops);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  -ENOMEM);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	pcmbuf_test_set_device(t, NULL);
}

static void pcmbuf_test_coherent(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	memset(&pcmbuf_test_memory, 0, sizeof(pcmbuf_test_memory));
	pcmbuf_test_set_device(t, &pcmbuf_test_device_ops);
	if (EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						      SND_PCMBUF_COHERENT,
						      t->dev, PCMBUF_TEST_BYTES,
						      0), 0))
		pcmbuf_test_coherent_pages(t);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free(t->substream), 0);
	pcmbuf_test_close(t);
	EXPECT_EQ(t, pcmbuf_test_memory.there, 0);
	EXPECT_EQ(t, pcmbuf_test_memory.wrong, 0);
	EXPECT_EQ(t, pcmbuf_test_memory.rude, 0);
	pcmbuf_test_set_device(t, NULL);
}

/* What the device says is what the program is told. */
static void pcmbuf_test_coherent_hidden(struct pcmbuf_test *t)
{
	long err;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_COHERENT,
						       t->dev, 0, 0), 0))
		return;
	memset(&pcmbuf_test_memory, 0, sizeof(pcmbuf_test_memory));
	pcmbuf_test_memory.hidden = true;
	pcmbuf_test_set_device(t, &pcmbuf_test_device_ops);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  1);
	err = pcmbuf_test_try_map(t, PCMBUF_TEST_BYTES);
	if (err)
		EXPECT_EQ(t, err, -ENXIO);
	pcmbuf_test_close(t);
	pcmbuf_test_set_device(t, NULL);
}

#else

static void pcmbuf_test_merged(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

static void pcmbuf_test_coherent(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

static void pcmbuf_test_coherent_none(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

static void pcmbuf_test_coherent_hidden(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

static void pcmbuf_test_last(struct pcmbuf_test *t)
{
	t->skip = "every device maps its memory directly here";
}

#endif

const struct pcmbuf_test_case pcmbuf_test_device_cases[] = {
	{ "pages that the device sees as one piece", pcmbuf_test_merged },
	{ "coherent memory that is mapped by pages", pcmbuf_test_coherent },
	{ "coherent memory of a device without", pcmbuf_test_coherent_none },
	{ "coherent memory that cannot be mapped",
	  pcmbuf_test_coherent_hidden },
	{ "a device is let go after its memory", pcmbuf_test_last },
	{ }
};
