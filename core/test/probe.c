// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only a probe brings about, or sees: that a function of the kernel fails
 * once, and silently; that a lock is held.
 */

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536

/* Whose calls are meant: those of the test that runs */
static struct task_struct *pcmbuf_test_caller __maybe_unused;

#if defined(CONFIG_KRETPROBES) && defined(CONFIG_HAVE_FUNCTION_ERROR_INJECTION)

/* What the function has returned, and its caller has not seen */
static void *pcmbuf_test_kept;

static int pcmbuf_test_return_null(struct kretprobe_instance *instance,
				   struct pt_regs *regs)
{
	if (current != READ_ONCE(pcmbuf_test_caller) || pcmbuf_test_kept)
		return 0;
	pcmbuf_test_kept = (void *)regs_return_value(regs);
	regs_set_return_value(regs, 0);
	return 0;
}

static struct kretprobe pcmbuf_test_return_probe;

/*
 * Let a function fail that returns memory: the next time it is called from
 * here. If that cannot be done the test is skipped.
 */
bool pcmbuf_test_let_fail(struct pcmbuf_test *t, const char *symbol)
{
	struct kretprobe *probe = &pcmbuf_test_return_probe;

	memset(probe, 0, sizeof(*probe));
	probe->kp.symbol_name = symbol;
	probe->handler = pcmbuf_test_return_null;
	pcmbuf_test_kept = NULL;
	WRITE_ONCE(pcmbuf_test_caller, current);
	if (!register_kretprobe(probe))
		return true;
	t->skip = "this kernel cannot probe the function";
	return false;
}

/* It works again. Return: what it has got when it failed. */
void *pcmbuf_test_let_work(void)
{
	unregister_kretprobe(&pcmbuf_test_return_probe);
	WRITE_ONCE(pcmbuf_test_caller, NULL);
	return pcmbuf_test_kept;
}

#else

bool pcmbuf_test_let_fail(struct pcmbuf_test *t, const char *symbol)
{
	t->skip = "this kernel has no probes that return";
	return false;
}

void *pcmbuf_test_let_work(void)
{
	return NULL;
}

#endif

/* Where allocations are profiled the name is another one. */
static bool pcmbuf_test_let_alloc_fail(struct pcmbuf_test *t,
				       const char *symbol)
{
	char profiled[40];

	snprintf(profiled, sizeof(profiled), "%s_noprof", symbol);
	if (!pcmbuf_test_let_fail(t, profiled) &&
	    !pcmbuf_test_let_fail(t, symbol))
		return false;
	t->skip = NULL;
	return true;
}

static void pcmbuf_test_no_memory(struct pcmbuf_test *t)
{
	static const char *const symbols[] = {
		[SND_PCMBUF_CONTINUOUS]	= "alloc_pages_exact",
		[SND_PCMBUF_VMALLOC]	= "__vmalloc",
		[SND_PCMBUF_VMALLOC_32]	= "vmalloc_32",
		[SND_PCMBUF_SG]		= "alloc_pages_exact",
	};
	void *kept;
	int err;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !pcmbuf_test_let_alloc_fail(t, symbols[t->kind->type]))
		return;
	/* a page, of which there is no smaller part to be tried */
	err = snd_pcmbuf_malloc_pages(t->substream, PAGE_SIZE);
	kept = pcmbuf_test_let_work();
	EXPECT_EQ(t, err, -ENOMEM);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	if (!EXPECT(t, kept))
		return;
	if (is_vmalloc_addr(kept))
		vfree(kept);
	else
		free_pages_exact(kept, PAGE_SIZE);
}

/* Scattered memory is for when there are no longer runs. */
static void pcmbuf_test_shorter_runs(struct pcmbuf_test *t)
{
	size_t run = PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER;
	void *kept;
	int err;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						       SND_PCMBUF_SG, NULL, 0,
						       0), 0) ||
	    !pcmbuf_test_let_alloc_fail(t, "alloc_pages_exact"))
		return;
	err = snd_pcmbuf_malloc_pages(t->substream, 2 * run);
	kept = pcmbuf_test_let_work();
	if (EXPECT(t, kept))
		free_pages_exact(kept, run);
	if (EXPECT_EQ(t, err, 1))
		EXPECT(t, pcmbuf_test_is_zero(t->substream->runtime->dma_area,
					      2 * run));
}

#if defined(CONFIG_KPROBES) && defined(CONFIG_X86)

static unsigned int pcmbuf_test_lookups;
static unsigned int pcmbuf_test_interruptible;

static int pcmbuf_test_before_lookup(struct kprobe *probe,
				     struct pt_regs *regs)
{
	if (current != READ_ONCE(pcmbuf_test_caller))
		return 0;
	pcmbuf_test_lookups++;
	if (regs->flags & X86_EFLAGS_IF)
		pcmbuf_test_interruptible++;
	return 0;
}

/* The lock that keeps the buffer has interrupts off, so they tell of it. */
static void pcmbuf_test_expect_lock(struct pcmbuf_test *t)
{
	static struct kprobe probe;

	memset(&probe, 0, sizeof(probe));
	probe.symbol_name = "vmalloc_to_page";
	probe.pre_handler = pcmbuf_test_before_lookup;
	pcmbuf_test_lookups = 0;
	pcmbuf_test_interruptible = 0;
	if (register_kprobe(&probe)) {
		t->skip = "this kernel cannot probe the function";
		return;
	}
	/* a probe may look pages up itself while it is set up or taken away */
	WRITE_ONCE(pcmbuf_test_caller, current);
	EXPECT(t, snd_pcmbuf_sgbuf_ops_page(t->substream, 0));
	WRITE_ONCE(pcmbuf_test_caller, NULL);
	unregister_kprobe(&probe);
	EXPECT_EQ(t, pcmbuf_test_lookups, 1);
	EXPECT_EQ(t, pcmbuf_test_interruptible, 0);
}

#else

static void pcmbuf_test_expect_lock(struct pcmbuf_test *t)
{
}

#endif

/* A fault can meet a hw_free, and the op be called with interrupts off. */
static void pcmbuf_test_locked(struct pcmbuf_test *t)
{
	unsigned long flags;
	struct page *page;
	bool off;

	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		t->skip = "locks leave interrupts on";
		return;
	}
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(t->substream,
							  PCMBUF_TEST_BYTES),
		       1))
		return;
	local_irq_save(flags);
	page = snd_pcmbuf_sgbuf_ops_page(t->substream, 0);
	off = irqs_disabled();
	local_irq_restore(flags);
	EXPECT(t, page);
	EXPECT(t, off);
	pcmbuf_test_expect_lock(t);
}

const struct pcmbuf_test_case pcmbuf_test_probe_cases[] = {
	{ "no memory is no buffer", pcmbuf_test_no_memory, true, true },
	{ "shorter runs where there are no longer ones",
	  pcmbuf_test_shorter_runs },
	{ "a page is looked up under a lock", pcmbuf_test_locked },
	{ }
};
