// SPDX-License-Identifier: GPL-2.0-only
/*
 * Change of owner: nobody sees what somebody else left in a buffer, and what
 * somebody still holds is given to nobody else.
 */

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536
#define PCMBUF_TEST_ROUNDS	8

static void pcmbuf_test_dirty(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime = t->substream->runtime;

	if (EXPECT(t, runtime->dma_buffer_p))
		memset(runtime->dma_area, PCMBUF_TEST_DIRT,
		       runtime->dma_buffer_p->bytes);
}

static bool pcmbuf_test_is_all_zero(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime = t->substream->runtime;

	return EXPECT(t, runtime->dma_buffer_p) &&
	       pcmbuf_test_is_zero(runtime->dma_area,
				   runtime->dma_buffer_p->bytes);
}

/* The pages that were just freed dirty are the first to be given again. */
static void pcmbuf_test_fresh(struct pcmbuf_test *t)
{
	unsigned int i;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	for (i = 0; i < PCMBUF_TEST_ROUNDS; i++) {
		if (!EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
							  PCMBUF_TEST_BYTES - 7),
			       1) ||
		    !EXPECT(t, pcmbuf_test_is_all_zero(t)))
			return;
		pcmbuf_test_dirty(t);
		EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	}
}

/* Leave the preallocated buffer dirty for the next owner. */
static bool pcmbuf_test_former_owner(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						  PCMBUF_TEST_BYTES), 1))
		return false;
	pcmbuf_test_dirty(t);
	return true;
}

/* Who opens after a client that left its sound behind */
static bool pcmbuf_test_next_owner(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_former_owner(t))
		return false;
	pcmbuf_test_close(t);
	return EXPECT_EQ(t, pcmbuf_test_open(t), 0);
}

static void pcmbuf_test_copy_op(struct pcmbuf_test *t)
{
	pcmbuf_test_set_ops(t, true);
	if (!pcmbuf_test_next_owner(t))
		return;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT(t, pcmbuf_test_is_all_zero(t));
}

/*
 * Clearing it twice would cost as much as all the rest of hw_params. It is done
 * where a client can pretend that the host has not to.
 */
static void pcmbuf_test_left_to_host(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_next_owner(t))
		return;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT_EQ(t, pcmbuf_test_is_all_zero(t), !snd_pcm_state_is_private);
}

/* Configured anew without hw_free: on some kernels it can be mapped already. */
static void pcmbuf_test_not_left_to_host(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;

	if (!pcmbuf_test_next_owner(t))
		return;
	runtime = t->substream->runtime;
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_SETUP);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT(t, pcmbuf_test_is_all_zero(t));
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_OPEN);
}

/* Suspended once: on some kernels it is resumed before the host has cleared. */
static void pcmbuf_test_suspended(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;

	if (!pcmbuf_test_next_owner(t))
		return;
	runtime = t->substream->runtime;
	snd_pcm_suspended_state(runtime) = SNDRV_PCM_STATE_PREPARED;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT(t, pcmbuf_test_is_all_zero(t));
	snd_pcm_suspended_state(runtime) = SNDRV_PCM_STATE_OPEN;
}

/*
 * An mmap that the host let in before a hw_free, on kernels where it does not
 * wait, and that comes here when the next hw_params has not cleared yet.
 */
static void pcmbuf_test_late_mmap(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;
	struct vm_area_struct *area;

	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area || !pcmbuf_test_former_owner(t))
		goto out;
	/* a page beyond the end, so that it is never mapped in earnest */
	area->vm_end = PAGE_SIZE;
	area->vm_pgoff = PCMBUF_TEST_BYTES / PAGE_SIZE;
	runtime = t->substream->runtime;
	EXPECT_EQ(t, snd_pcmbuf_mmap(t->substream, area), -EBADFD);
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_DISCONNECTED);
	EXPECT_EQ(t, snd_pcmbuf_mmap(t->substream, area), -EBADFD);
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_SETUP);
	EXPECT_EQ(t, snd_pcmbuf_mmap(t->substream, area), -ENXIO);
	area->vm_pgoff = 0;
	area->vm_end = PCMBUF_TEST_BYTES + PAGE_SIZE;
	EXPECT_EQ(t, snd_pcmbuf_mmap(t->substream, area), -ENXIO);
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_OPEN);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, snd_pcmbuf_mmap(t->substream, area), -ENXIO);
	/* nor a page that only a former owner had */
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	area->vm_pgoff = 1;
	area->vm_end = PAGE_SIZE;
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_SETUP);
	EXPECT_EQ(t, snd_pcmbuf_mmap(t->substream, area), -ENXIO);
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_OPEN);
	EXPECT(t, !area->vm_ops);
out:
	kfree(area);
}

static void pcmbuf_test_growth(struct pcmbuf_test *t)
{
	unsigned char *area;

	if (!pcmbuf_test_next_owner(t))
		return;
	if (!EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1))
		return;
	area = t->substream->runtime->dma_area;
	/* mapped pages of this owner are his, the others not yet */
	area[0] = PCMBUF_TEST_DIRT;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 3 * PAGE_SIZE + 1),
		  0);
	EXPECT_EQ(t, area[0], PCMBUF_TEST_DIRT);
	EXPECT(t, pcmbuf_test_is_zero(area + PAGE_SIZE, 3 * PAGE_SIZE));
	/* nor is what he had once, and gave up, when he has it again */
	memset(area + PAGE_SIZE, PCMBUF_TEST_DIRT, 3 * PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 3 * PAGE_SIZE + 1),
		  0);
	EXPECT_EQ(t, area[0], PCMBUF_TEST_DIRT);
	EXPECT(t, pcmbuf_test_is_zero(area + PAGE_SIZE, 3 * PAGE_SIZE));
}

#define PCMBUF_TEST_LAST	(PCMBUF_TEST_BYTES - PAGE_SIZE)

/*
 * A pipe or direct I/O can keep a page long after everything is closed, of a
 * buffer of which less was used in the end. The page that is kept, or NULL; the
 * caller puts it.
 */
static struct page *pcmbuf_test_pin(struct pcmbuf_test *t, size_t offset)
{
	struct page *page;

	if (!pcmbuf_test_former_owner(t))
		return NULL;
	page = snd_pcmbuf_sgbuf_ops_page(t->substream, offset);
	if (!EXPECT(t, page))
		return NULL;
	get_page(page);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 0);
	pcmbuf_test_close(t);
	return page;
}

static void pcmbuf_test_pinned(struct pcmbuf_test *t, size_t offset)
{
	struct page *page = pcmbuf_test_pin(t, offset);
	unsigned char *area;

	if (!page)
		return;
	/* who begins with less can still grow */
	EXPECT_EQ(t, pcmbuf_test_open(t), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  0);
	EXPECT(t, snd_pcmbuf_sgbuf_ops_page(t->substream, offset) != page);
	EXPECT(t, pcmbuf_test_is_all_zero(t));
	pcmbuf_test_dirty(t);
	area = t->substream->runtime->dma_area;
	pcmbuf_test_close(t);
	put_page(page);

	/* what took its place is preallocated now, and nothing was lost */
	EXPECT_EQ(t, pcmbuf_test_open(t), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  1);
	EXPECT(t, t->substream->runtime->dma_area == area);
}

static void pcmbuf_test_pinned_first(struct pcmbuf_test *t)
{
	pcmbuf_test_pinned(t, 0);
}

static void pcmbuf_test_pinned_last(struct pcmbuf_test *t)
{
	pcmbuf_test_pinned(t, PCMBUF_TEST_LAST);
}

/* There may be room for what is wanted, if not for all that was preallocated. */
static void pcmbuf_test_pinned_small(struct pcmbuf_test *t)
{
	size_t limit = pcmbuf_test_limit(t);
	struct page *page = limit ? pcmbuf_test_pin(t, PCMBUF_TEST_LAST) : NULL;
	size_t total;

	if (!page)
		return;
	EXPECT_EQ(t, pcmbuf_test_open(t), 0);
	total = pcmbuf_test_total(t);
	pcmbuf_test_fake_total(t, limit - total - PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), total + PAGE_SIZE);
	EXPECT(t, snd_pcmbuf_sgbuf_ops_page(t->substream, 0) != page);
	put_page(page);
}

/* Rather no buffer than one that somebody else still sees. */
static void pcmbuf_test_pinned_full(struct pcmbuf_test *t)
{
	size_t limit = pcmbuf_test_limit(t);
	struct page *page = limit ? pcmbuf_test_pin(t, PCMBUF_TEST_LAST) : NULL;

	if (!page)
		return;
	EXPECT_EQ(t, pcmbuf_test_open(t), 0);
	pcmbuf_test_fake_total(t, limit);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  -ENOMEM);
	pcmbuf_test_expect_cleared(t);
	put_page(page);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  1);
}

const struct pcmbuf_test_case pcmbuf_test_owner_cases[] = {
	{ "fresh memory is zero to the last page", pcmbuf_test_fresh, true },
	{ "cleared for a driver with a copy op", pcmbuf_test_copy_op, true },
	{ "else cleared by the host alone", pcmbuf_test_left_to_host, true },
	{ "configured anew, cleared at once", pcmbuf_test_not_left_to_host,
	  true },
	{ "suspended once, cleared at once", pcmbuf_test_suspended, true },
	{ "a late mmap sees nothing uncleared", pcmbuf_test_late_mmap, true },
	{ "growth is cleared at once", pcmbuf_test_growth, true },
	{ "a pinned page finds no new owner", pcmbuf_test_pinned_last, true,
	  true },
	{ "neither does the first", pcmbuf_test_pinned_first, true, true },
	{ "nor when there is no other", pcmbuf_test_pinned_full, true, true },
	{ "nor when there is a smaller one", pcmbuf_test_pinned_small, true,
	  true },
	{ }
};
