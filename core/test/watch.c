// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core asks the kernel for, as a probe sees it: which memory, and what
 * may be done to get it; that it is given back; that a sum is right before its
 * lock is let go.
 */

#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536

#if defined(CONFIG_KPROBES) && defined(CONFIG_X86_64)

/* Whose calls are meant: those of the test that runs, while it says so */
static struct task_struct *pcmbuf_test_watched;

static struct kprobe pcmbuf_test_probe;

static bool pcmbuf_test_probes(const char *symbol, kprobe_pre_handler_t handler)
{
	struct kprobe *probe = &pcmbuf_test_probe;

	memset(probe, 0, sizeof(*probe));
	probe->symbol_name = symbol;
	probe->pre_handler = handler;
	return !register_kprobe(probe);
}

/*
 * See the calls of a function, or have the test skipped. Where allocations are
 * profiled its name is another one.
 */
static bool pcmbuf_test_watch(struct pcmbuf_test *t, const char *symbol,
			      kprobe_pre_handler_t handler)
{
	char profiled[40];

	snprintf(profiled, sizeof(profiled), "%s_noprof", symbol);
	if (pcmbuf_test_probes(profiled, handler) ||
	    pcmbuf_test_probes(symbol, handler))
		return true;
	t->skip = "this kernel cannot probe the function";
	return false;
}

static int pcmbuf_test_watched_malloc(struct pcmbuf_test *t, size_t size)
{
	int err;

	WRITE_ONCE(pcmbuf_test_watched, current);
	err = snd_pcmbuf_malloc_pages(t->substream, size);
	WRITE_ONCE(pcmbuf_test_watched, NULL);
	return err;
}

/* Which argument of the function says how it is to be had */
static unsigned int pcmbuf_test_gfp_arg = 1;

/* The zones that were asked for last */
static gfp_t pcmbuf_test_zones;

/* Calls, and those that may end in a kill, or that charge the client for it */
static unsigned int pcmbuf_test_asked;
static unsigned int pcmbuf_test_killing;
static unsigned int pcmbuf_test_charging;

static int pcmbuf_test_before_alloc(struct kprobe *probe, struct pt_regs *regs)
{
	gfp_t gfp = (__force gfp_t)regs_get_kernel_argument(regs,
							    pcmbuf_test_gfp_arg);

	if (current != READ_ONCE(pcmbuf_test_watched))
		return 0;
	pcmbuf_test_zones = gfp & (GFP_DMA | GFP_DMA32);
	pcmbuf_test_asked++;
	if (!(gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)))
		pcmbuf_test_killing++;
	if (gfp & __GFP_ACCOUNT)
		pcmbuf_test_charging++;
	return 0;
}

static void pcmbuf_test_zone(struct pcmbuf_test *t, unsigned int bits,
			     gfp_t wanted)
{
	u64 mask = *t->dev->dma_mask;
	int err;

	*t->dev->dma_mask = DMA_BIT_MASK(bits);
	pcmbuf_test_zones = ~wanted;
	err = pcmbuf_test_watched_malloc(t, PCMBUF_TEST_BYTES);
	*t->dev->dma_mask = mask;
	EXPECT_EQ(t, err, 1);
	EXPECT_EQ(t, (__force u32)pcmbuf_test_zones, (__force u32)wanted);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
}

/* A machine of little memory has all of it below the masks of most devices. */
static void pcmbuf_test_asks_zone(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, t->dev, 0,
						       0), 0) ||
	    !pcmbuf_test_watch(t, "alloc_pages_exact",
			       pcmbuf_test_before_alloc))
		return;
	pcmbuf_test_zone(t, 64, 0);
	pcmbuf_test_zone(t, 63, GFP_DMA32);
	pcmbuf_test_zone(t, 33, GFP_DMA32);
	pcmbuf_test_zone(t, 32, GFP_DMA32);
	if (IS_ENABLED(CONFIG_ZONE_DMA)) {
		pcmbuf_test_zone(t, 31, GFP_DMA);
		pcmbuf_test_zone(t, 24, GFP_DMA);
	}
	unregister_kprobe(&pcmbuf_test_probe);
}

/*
 * Where memory is short a client is told so, and nobody is killed for it. What
 * a card may have is limited by the card, so that no cgroup is charged.
 */
static void pcmbuf_test_asks_mildly(struct pcmbuf_test *t)
{
	static const char *const symbols[] = {
		[SND_PCMBUF_CONTINUOUS]	= "alloc_pages_exact",
		[SND_PCMBUF_VMALLOC]	= "__vmalloc",
		[SND_PCMBUF_SG]		= "alloc_pages_exact",
	};

	if (t->kind->type == SND_PCMBUF_VMALLOC_32) {
		t->skip = "vmalloc_32() is not told how to go about it";
		return;
	}
	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !pcmbuf_test_watch(t, symbols[t->kind->type],
			       pcmbuf_test_before_alloc))
		return;
	pcmbuf_test_asked = 0;
	pcmbuf_test_killing = 0;
	pcmbuf_test_charging = 0;
	/* a run, and what is left beside one */
	EXPECT_EQ(t, pcmbuf_test_watched_malloc(t, PCMBUF_TEST_BYTES), 1);
	EXPECT_EQ(t, pcmbuf_test_watched_malloc(t, PCMBUF_TEST_BYTES +
						   PAGE_SIZE), 1);
	unregister_kprobe(&pcmbuf_test_probe);
	EXPECT(t, pcmbuf_test_asked >= 2);
	EXPECT_EQ(t, pcmbuf_test_killing, 0);
	EXPECT_EQ(t, pcmbuf_test_charging, 0);
}

/* Nor for the lists of pages that a device's memory has besides */
static void pcmbuf_test_lists_mildly(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, t->dev, 0,
						       0), 0) ||
	    !pcmbuf_test_watch(t, "sg_alloc_table", pcmbuf_test_before_alloc))
		return;
	pcmbuf_test_asked = 0;
	pcmbuf_test_killing = 0;
	pcmbuf_test_gfp_arg = 2;
	EXPECT_EQ(t, pcmbuf_test_watched_malloc(t, PCMBUF_TEST_BYTES), 1);
	pcmbuf_test_gfp_arg = 1;
	unregister_kprobe(&pcmbuf_test_probe);
	EXPECT_EQ(t, pcmbuf_test_asked, 1);
	EXPECT_EQ(t, pcmbuf_test_killing, 0);
}

static bool pcmbuf_test_open_vmalloc(struct pcmbuf_test *t)
{
	return EXPECT_EQ(t, pcmbuf_test_open(t), 0) &&
	       EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
							 SND_PCMBUF_VMALLOC,
							 NULL, 0, 0), 0);
}

/* Pieces of memory that were given back */
static unsigned int pcmbuf_test_freed;

static int pcmbuf_test_before_free(struct kprobe *probe, struct pt_regs *regs)
{
	if (current == READ_ONCE(pcmbuf_test_watched) &&
	    regs_get_kernel_argument(regs, 0))
		pcmbuf_test_freed++;
	return 0;
}

/* Of a buffer beyond the limit there is a record already. */
static void pcmbuf_test_refused(struct pcmbuf_test *t)
{
	size_t limit = pcmbuf_test_limit(t);
	int err;

	if (!limit || !pcmbuf_test_open_vmalloc(t) ||
	    !pcmbuf_test_watch(t, "kfree", pcmbuf_test_before_free))
		return;
	pcmbuf_test_fake_total(t, limit);
	pcmbuf_test_freed = 0;
	err = pcmbuf_test_watched_malloc(t, PCMBUF_TEST_BYTES);
	unregister_kprobe(&pcmbuf_test_probe);
	EXPECT_EQ(t, err, -ENOMEM);
	EXPECT(t, pcmbuf_test_freed);
}

/* The card's account, and what stood there when it could first be seen */
static struct snd_card *pcmbuf_test_card;
static size_t pcmbuf_test_seen;

static int pcmbuf_test_before_unlock(struct kprobe *probe,
				     struct pt_regs *regs)
{
	struct snd_card *card = pcmbuf_test_card;
	unsigned long mutex = regs_get_kernel_argument(regs, 0);

	if (current == READ_ONCE(pcmbuf_test_watched) &&
	    mutex == (unsigned long)&card->memory_mutex && !pcmbuf_test_seen)
		pcmbuf_test_seen = card->total_pcm_alloc_bytes;
	return 0;
}

/* Else two could find the same room, and both take it. */
static void pcmbuf_test_charged_at_once(struct pcmbuf_test *t)
{
	int err;

	if (!pcmbuf_test_open_vmalloc(t))
		return;
	pcmbuf_test_fake_total(t, PAGE_SIZE);
	pcmbuf_test_card = t->card;
	pcmbuf_test_seen = 0;
	if (!pcmbuf_test_watch(t, "mutex_unlock", pcmbuf_test_before_unlock))
		return;
	err = pcmbuf_test_watched_malloc(t, PCMBUF_TEST_BYTES);
	unregister_kprobe(&pcmbuf_test_probe);
	EXPECT_EQ(t, err, 1);
	EXPECT_EQ(t, pcmbuf_test_seen, PAGE_SIZE + PCMBUF_TEST_BYTES);
}

#else

static void pcmbuf_test_no_probe(struct pcmbuf_test *t)
{
	t->skip = "there is no probe for this architecture";
}

#define pcmbuf_test_asks_zone		pcmbuf_test_no_probe
#define pcmbuf_test_asks_mildly		pcmbuf_test_no_probe
#define pcmbuf_test_lists_mildly	pcmbuf_test_no_probe
#define pcmbuf_test_refused		pcmbuf_test_no_probe
#define pcmbuf_test_charged_at_once	pcmbuf_test_no_probe

#endif

const struct pcmbuf_test_case pcmbuf_test_watch_cases[] = {
	{ "a device has memory of its own zone", pcmbuf_test_asks_zone },
	{ "no program is killed or charged for it", pcmbuf_test_asks_mildly,
	  true, true },
	{ "nor for the lists of a device's pages", pcmbuf_test_lists_mildly },
	{ "nothing is left of a buffer beyond the limit",
	  pcmbuf_test_refused },
	{ "charged before others can look", pcmbuf_test_charged_at_once },
	{ }
};
