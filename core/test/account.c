// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account of a card: exact to a byte, within the limit, and even after
 * what failed.
 */

#include <linux/errno.h>
#include <linux/mm.h>

#include "test.h"

static void pcmbuf_test_charge(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5 * PAGE_SIZE - 1),
		  1);
	EXPECT_EQ(t, pcmbuf_test_total(t), 5 * PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PAGE_SIZE), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 5 * PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 9 * PAGE_SIZE), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), 9 * PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static void pcmbuf_test_boundary(struct pcmbuf_test *t)
{
	size_t limit = pcmbuf_test_limit(t);

	if (!limit || !EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	pcmbuf_test_fake_total(t, limit - 4 * PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 4 * PAGE_SIZE), 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 4 * PAGE_SIZE + 1),
		  -ENOMEM);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 4 * PAGE_SIZE), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), 4 * PAGE_SIZE);

	/* a sum that does not fit is above every limit */
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	pcmbuf_test_fake_total(t, SIZE_MAX - PAGE_SIZE + 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 4 * PAGE_SIZE),
		  -ENOMEM);
}

/* More than any page allocator gives in one run. */
static void pcmbuf_test_give_back(struct pcmbuf_test *t)
{
	size_t bytes = 96 << 20;
	size_t limit = pcmbuf_test_limit(t);

	if (t->failed || (limit && limit < bytes)) {
		t->skip = "max_alloc_per_card is below 96 MiB";
		return;
	}
	t->skip = NULL;
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						  SND_PCMBUF_CONTINUOUS, NULL,
						  0, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, bytes), -ENOMEM);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	pcmbuf_test_expect_cleared(t);
}

const struct pcmbuf_test_case pcmbuf_test_account_cases[] = {
	{ "charged in whole pages, given back", pcmbuf_test_charge, true },
	{ "the limit holds to a byte", pcmbuf_test_boundary, true },
	{ "a failed allocation is given back", pcmbuf_test_give_back },
	{ }
};
