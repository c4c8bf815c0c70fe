// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages and addresses of a buffer: the right ones, and none beyond its end.
 */

#include <linux/device.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>

#include "test.h"

#define PCMBUF_TEST_PAGES	256
#define PCMBUF_TEST_BYTES	(PCMBUF_TEST_PAGES * PAGE_SIZE)

static bool pcmbuf_test_get_buffer(struct pcmbuf_test *t, size_t bytes)
{
	return EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) &&
	       EXPECT_EQ(t, pcmbuf_test_open(t), 0) &&
	       EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, bytes), 1);
}

static bool pcmbuf_test_is_vmalloc(struct pcmbuf_test *t)
{
	return t->kind->type == SND_PCMBUF_VMALLOC ||
	       t->kind->type == SND_PCMBUF_VMALLOC_32;
}

static void pcmbuf_test_page(struct pcmbuf_test *t, unsigned long offset,
			     bool inside)
{
	struct page *page = snd_pcmbuf_sgbuf_ops_page(t->substream, offset);

	EXPECT_EQ(t, !!page, inside && t->kind->has_pages);
	if (pcmbuf_test_is_vmalloc(t))
		EXPECT(t, snd_pcmbuf_get_vmalloc_page(t->substream, offset) ==
			  page);
	else
		EXPECT(t, !snd_pcmbuf_get_vmalloc_page(t->substream, offset));
}

static void pcmbuf_test_page_bounds(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_get_buffer(t, 5 * PAGE_SIZE - 1))
		return;
	pcmbuf_test_page(t, 0, true);
	pcmbuf_test_page(t, 5 * PAGE_SIZE - 1, true);
	pcmbuf_test_page(t, 5 * PAGE_SIZE, false);
	pcmbuf_test_page(t, LONG_MAX, false);
	pcmbuf_test_page(t, ULONG_MAX & PAGE_MASK, false);

	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	/* the host lets every offset pass while dma_bytes is 0 */
	pcmbuf_test_page(t, 0, false);
	EXPECT(t, !snd_pcmbuf_sgbuf_ops_page(t->substream->next, 0));
	EXPECT(t, !snd_pcmbuf_get_vmalloc_page(NULL, 0));
}

static void pcmbuf_test_address_bounds(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *s;
	unsigned char *area;

	if (!pcmbuf_test_get_buffer(t, 5 * PAGE_SIZE - 1))
		return;
	s = t->substream;
	area = s->runtime->dma_area;
	EXPECT(t, snd_pcmbuf_sgbuf_get_ptr(s, 0) == area);
	EXPECT(t, snd_pcmbuf_sgbuf_get_ptr(s, 5 * PAGE_SIZE - 1) ==
		  area + 5 * PAGE_SIZE - 1);
	EXPECT(t, !snd_pcmbuf_sgbuf_get_ptr(s, 5 * PAGE_SIZE));
	EXPECT(t, !snd_pcmbuf_sgbuf_get_ptr(s, UINT_MAX));
	EXPECT(t, snd_pcmbuf_sgbuf_get_addr(s, 5 * PAGE_SIZE - 1));
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, 5 * PAGE_SIZE), 0);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, UINT_MAX), 0);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 0, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 10, 20), 20);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 5 * PAGE_SIZE - 1,
						     UINT_MAX), 1);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 5 * PAGE_SIZE, 1), 0);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, UINT_MAX, UINT_MAX), 0);

	EXPECT_EQ(t, snd_pcmbuf_free_pages(s), 0);
	EXPECT(t, !snd_pcmbuf_sgbuf_get_ptr(s, 0));
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(s, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_chunk_size(s, 0, 1), 0);
}

/* What is written to the buffer stands in its pages. */
static bool pcmbuf_test_check_page(struct pcmbuf_test *t, unsigned int i)
{
	struct page *page;
	unsigned char *own;

	page = snd_pcmbuf_sgbuf_ops_page(t->substream, i * PAGE_SIZE + 1);
	if (!EXPECT(t, page))
		return false;
	own = page_address(page);
	return (PageHighMem(page) || (EXPECT_EQ(t, own[0], i & 0xff) &&
				      EXPECT_EQ(t, own[1], i >> 8))) &&
	       EXPECT_EQ(t, page_count(page), 1);
}

static void pcmbuf_test_page_contents(struct pcmbuf_test *t)
{
	unsigned char *at;
	unsigned int i;

	if (!pcmbuf_test_get_buffer(t, PCMBUF_TEST_BYTES))
		return;
	for (i = 0; i < PCMBUF_TEST_PAGES; i++) {
		at = snd_pcmbuf_sgbuf_get_ptr(t->substream, i * PAGE_SIZE);
		if (!EXPECT(t, at))
			return;
		at[0] = i & 0xff;
		at[1] = i >> 8;
	}
	for (i = 0; i < PCMBUF_TEST_PAGES; i++)
		if (!pcmbuf_test_check_page(t, i))
			return;
}

/* Physical without a device; with one the same, unless something translates. */
static void pcmbuf_test_addresses(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;
	struct page *page;
	dma_addr_t addr;
	size_t ofs;

	if (!pcmbuf_test_get_buffer(t, PCMBUF_TEST_BYTES))
		return;
	runtime = t->substream->runtime;
	if (!pcmbuf_test_is_vmalloc(t))
		EXPECT_EQ(t, runtime->dma_addr,
			  snd_pcmbuf_sgbuf_get_addr(t->substream, 0));
	if (t->kind->type == SND_PCMBUF_CONTINUOUS)
		EXPECT_EQ(t, runtime->dma_addr, virt_to_phys(runtime->dma_area));
	if (!t->kind->has_pages ||
	    (t->kind->has_device && device_iommu_mapped(t->dev)))
		return;
	for (ofs = 100; ofs < PCMBUF_TEST_BYTES; ofs += PAGE_SIZE) {
		addr = snd_pcmbuf_sgbuf_get_addr(t->substream, ofs);
		page = snd_pcmbuf_sgbuf_ops_page(t->substream, ofs);
		if (!EXPECT_EQ(t, addr, page_to_phys(page) + 100))
			return;
	}
}

static bool pcmbuf_test_check_chunk(struct pcmbuf_test *t, unsigned int ofs,
				    unsigned int len)
{
	dma_addr_t start = snd_pcmbuf_sgbuf_get_addr(t->substream, ofs);
	unsigned int i;

	for (i = 1; i < len; i++)
		if (snd_pcmbuf_sgbuf_get_addr(t->substream, ofs + i) !=
		    start + i)
			return false;
	/* and no further */
	return ofs + len == PCMBUF_TEST_BYTES ||
	       snd_pcmbuf_sgbuf_get_addr(t->substream, ofs + len) !=
	       start + len;
}

static unsigned int pcmbuf_test_walk(struct pcmbuf_test *t, unsigned int ofs)
{
	unsigned int chunks = 0;
	unsigned int len;

	while (ofs < PCMBUF_TEST_BYTES) {
		len = snd_pcmbuf_sgbuf_get_chunk_size(t->substream, ofs,
						      PCMBUF_TEST_BYTES - ofs);
		if (!EXPECT(t, len && len <= PCMBUF_TEST_BYTES - ofs) ||
		    !EXPECT(t, pcmbuf_test_check_chunk(t, ofs, len)))
			break;
		ofs += len;
		chunks++;
	}
	return chunks;
}

static void pcmbuf_test_chunks(struct pcmbuf_test *t)
{
	unsigned int chunks;

	if (!pcmbuf_test_get_buffer(t, PCMBUF_TEST_BYTES))
		return;
	chunks = pcmbuf_test_walk(t, 0);
	EXPECT_EQ(t, pcmbuf_test_walk(t, 123), chunks);
	if (t->kind->type == SND_PCMBUF_CONTINUOUS ||
	    t->kind->type == SND_PCMBUF_COHERENT)
		EXPECT_EQ(t, chunks, 1);
	pcmbuf_test_say(t, "# %u chunks\n", chunks);
}

static bool pcmbuf_test_is_low(struct pcmbuf_test *t)
{
	size_t ofs;

	for (ofs = 0; ofs < PCMBUF_TEST_BYTES; ofs += PAGE_SIZE)
		if (snd_pcmbuf_sgbuf_get_addr(t->substream, ofs) > U32_MAX)
			return false;
	return true;
}

/* Plain memory has to be above, or nothing is shown. */
static void pcmbuf_test_low_memory(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(t->substream,
							  PCMBUF_TEST_BYTES),
		       1))
		return;
	if (pcmbuf_test_is_low(t)) {
		t->skip = "no memory in use is above 4 GiB";
		return;
	}
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_32_buffer(t->substream,
							PCMBUF_TEST_BYTES), 1);
	EXPECT(t, pcmbuf_test_is_low(t));
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(t->substream), 0);

	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream, SND_PCMBUF_SG,
						  t->dev, 0, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  1);
	EXPECT(t, pcmbuf_test_is_low(t));
}

const struct pcmbuf_test_case pcmbuf_test_lookup_cases[] = {
	{ "no page beyond the end", pcmbuf_test_page_bounds, true },
	{ "no address beyond the end", pcmbuf_test_address_bounds, true },
	{ "pages are those of the area", pcmbuf_test_page_contents, true,
	  true },
	{ "addresses are those of the pages", pcmbuf_test_addresses, true },
	{ "chunks are as long as can be", pcmbuf_test_chunks, true },
	{ "below 4 GiB where that is needed", pcmbuf_test_low_memory },
	{ }
};
