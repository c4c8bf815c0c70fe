// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure once: whatever a call allocates fails, the first of it, then the
 * second, until nothing is left to fail. Each time the call gives -ENOMEM and
 * leaves nothing behind, or does without.
 *
 * For kernels with fault injection, which has to be told to fail what may sleep,
 * too, as guest/pcmbuf.sh does; and only with faults=1, for what watches memory
 * fails as well. Not vmalloc32: vmalloc_32() cannot be told to say nothing of it.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536
#define PCMBUF_TEST_FAULTS	1000	/* of one call: there is an end */

static void pcmbuf_test_fail(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Nothing fails from now on; has something failed until now? */
static bool pcmbuf_test_has_failed(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

/* Says how often something failed; never is no proof, so that is a skip. */
static void pcmbuf_test_count(struct pcmbuf_test *t, unsigned int faults)
{
	pcmbuf_test_say(t, "# %u faults\n", faults);
	if (!faults)
		t->skip = "the kernel was not told to let anything fail";
}

static bool pcmbuf_test_is_quiet(struct pcmbuf_test *t)
{
	if (t->kind->type != SND_PCMBUF_VMALLOC_32)
		return true;
	t->skip = "vmalloc_32() is not silent when it fails";
	return false;
}

/* Return: whether something has failed. */
static bool pcmbuf_test_malloc_fails(struct pcmbuf_test *t, unsigned int nth,
				     size_t size)
{
	bool failed;
	int err;

	pcmbuf_test_fail(nth);
	err = snd_pcmbuf_malloc_pages(t->substream, size);
	failed = pcmbuf_test_has_failed();
	if (err == 1) {
		EXPECT(t, pcmbuf_test_is_zero(t->substream->runtime->dma_area,
					      PAGE_ALIGN(size)));
	} else {
		EXPECT(t, failed);
		EXPECT_EQ(t, err, -ENOMEM);
		pcmbuf_test_expect_cleared(t);
	}
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	return failed;
}

static void pcmbuf_test_malloc_faults(struct pcmbuf_test *t)
{
	static const size_t sizes[] = { 1, PCMBUF_TEST_BYTES, 1 << 20 };
	unsigned int i, nth, faults = 0;

	if (!pcmbuf_test_is_quiet(t) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (nth = 1; nth < PCMBUF_TEST_FAULTS && !t->failed; nth++)
			if (!pcmbuf_test_malloc_fails(t, nth, sizes[i]))
				break;
		EXPECT(t, nth < PCMBUF_TEST_FAULTS);
		faults += nth - 1;
	}
	pcmbuf_test_count(t, faults);
}

/* Return: whether something has failed. */
static bool pcmbuf_test_register_fails(struct pcmbuf_test *t, unsigned int nth)
{
	struct device *dev = t->kind->has_device ? t->dev : NULL;
	bool failed;
	int err;

	pcmbuf_test_fail(nth);
	err = snd_pcmbuf_preallocate_pages(t->substream, t->kind->type, dev,
					   PCMBUF_TEST_BYTES,
					   PCMBUF_TEST_BYTES);
	failed = pcmbuf_test_has_failed();
	/* without as much, or without a file, it is still registered */
	EXPECT(t, !err || (failed && err == -ENOMEM));
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000),
		  err ? -EINVAL : 1);
	return failed;
}

/* A substream is registered but once, so that each fault has a card. */
static void pcmbuf_test_register_faults(struct pcmbuf_test *t)
{
	unsigned int nth;
	bool failed = true;

	if (!pcmbuf_test_is_quiet(t))
		return;
	for (nth = 1; failed && nth < PCMBUF_TEST_FAULTS && !t->failed; nth++) {
		if (nth > 1) {
			pcmbuf_test_card_free(t);
			EXPECT_EQ(t, t->left, 0);
			if (!EXPECT_EQ(t, pcmbuf_test_card_new(t), 0))
				return;
		}
		if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
			return;
		failed = pcmbuf_test_register_fails(t, nth);
	}
	EXPECT(t, !failed);
	pcmbuf_test_count(t, nth - 2);
}

const struct pcmbuf_test_case pcmbuf_test_faults_cases[] = {
	{ "every failure of an allocation", pcmbuf_test_malloc_faults, true },
	{ "every failure of a registration", pcmbuf_test_register_faults,
	  true },
	{ }
};
