// SPDX-License-Identifier: GPL-2.0-only
/*
 * snd-pcmbuf: the module, its parameters and its kinds of memory.
 */

/**
 * DOC: buffers of a PCM
 *
 * A substream that is opened needs memory for its samples. This core gets it,
 * publishes it in the runtime, maps it into programs and takes it back. Two
 * objects do that:
 *
 * - A buffer, &struct snd_pcmbuf, is memory of one kind with a reference count.
 *   The runtime that plays from it, the slot that preallocated it and every
 *   mapping hold a reference; the last one to go frees the memory and gives
 *   its bytes back to the card's account.
 * - A slot, &struct snd_pcmbuf_slot, is what a driver registers for a substream
 *   at probe: the kind of memory, the device, and possibly a preallocated
 *   buffer that is handed to one opener after the other. The helpers for
 *   vmalloc memory do without.
 *
 * Neither needs a table to be found: a runtime points to its buffer by
 * dma_buffer_p, a substream to its slot by the private data of its own
 * dma_buffer record, which is otherwise left empty.
 *
 * Nobody is shown what somebody else left in a buffer. Fresh memory is zero. A
 * preallocated buffer is cleared by the host after hw_params, or by this core
 * where the host leaves it to the driver's copy op, and it is replaced when
 * pages of it are still mapped or pinned by a former user.
 *
 * Bytes are charged to the card without charging the memory cgroup: that keeps
 * statistics per page, for which every hw_params would pay, and the limit per
 * card bounds what a user can pin down.
 */

#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "pcmbuf_local.h"

bool snd_pcmbuf_preallocate_dma = true;
module_param_named(preallocate_dma, snd_pcmbuf_preallocate_dma, bool, 0444);
MODULE_PARM_DESC(preallocate_dma,
		 "preallocate buffers where the driver asks for it (default 1)");

unsigned int snd_pcmbuf_maximum_substreams = 4;
module_param_named(maximum_substreams, snd_pcmbuf_maximum_substreams, uint,
		   0444);
MODULE_PARM_DESC(maximum_substreams,
		 "substreams of each PCM and direction to preallocate buffers for (default 4)");

unsigned long snd_pcmbuf_max_alloc_per_card = 128UL << 20;
module_param_named(max_alloc_per_card, snd_pcmbuf_max_alloc_per_card, ulong,
		   0444);
MODULE_PARM_DESC(max_alloc_per_card,
		 "bytes of buffers a card may have, 0 for no limit (default 134217728)");

static const struct snd_pcmbuf_ops *const snd_pcmbuf_kinds[] = {
	[SND_PCMBUF_CONTINUOUS]	= &snd_pcmbuf_continuous_ops,
	[SND_PCMBUF_VMALLOC]	= &snd_pcmbuf_vmalloc_ops,
	[SND_PCMBUF_VMALLOC_32]	= &snd_pcmbuf_vmalloc_32_ops,
	[SND_PCMBUF_SG]		= &snd_pcmbuf_sg_ops,
	[SND_PCMBUF_COHERENT]	= &snd_pcmbuf_coherent_ops,
};

/* The table of a kind, or NULL for a number that is none. */
const struct snd_pcmbuf_ops *snd_pcmbuf_kind(enum snd_pcmbuf_type type)
{
	unsigned int index = type;

	return index < ARRAY_SIZE(snd_pcmbuf_kinds) ?
		snd_pcmbuf_kinds[index] : NULL;
}

/*
 * Every driver that can hold a buffer has been unloaded before us, so a buffer
 * that is left has leaked.
 */
static void __exit snd_pcmbuf_exit(void)
{
	WARN(snd_pcmbuf_live_buffers() || snd_pcmbuf_live_bytes(),
	     "%ld buffers leaked, %ld bytes\n",
	     snd_pcmbuf_live_buffers(), snd_pcmbuf_live_bytes());
}

module_exit(snd_pcmbuf_exit);

MODULE_AUTHOR("snd-virtual contributors");
MODULE_DESCRIPTION("PCM buffers for any ALSA driver");
MODULE_LICENSE("GPL");
MODULE_VERSION(SND_VIRTUAL_VERSION);
