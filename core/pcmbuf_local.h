/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside snd-pcmbuf: the two objects, the table of a memory kind, the locks.
 */
#ifndef __PCMBUF_LOCAL_H
#define __PCMBUF_LOCAL_H

#include <linux/device.h>
#include <linux/kref.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <sound/core.h>
#include <sound/memalloc.h>
#include <sound/pcm.h>
#include <sound/pcmbuf.h>

/*
 * Locks, outermost first:
 *
 *   pcm->open_mutex	the host's; taken by proc.c only, keeps a substream
 *			from being opened while its preallocation changes
 *   runtime->buffer_mutex	the host's; held around hw_params and hw_free
 *   mmap_lock		held around mmap and the calls of a mapping
 *   card->memory_mutex	the host's; leaf: the card's count of bytes
 *   snd_pcmbuf_lock	leaf: which buffer a runtime or a slot has
 *
 * The last reference of a buffer may be dropped under mmap_lock, so freeing
 * takes nothing but card->memory_mutex.
 */

struct snd_info_entry;
struct snd_pcmbuf;

/**
 * struct snd_pcmbuf_ops - one kind of memory
 * @host_type: nearest SNDRV_DMA_TYPE_* of the host, never UNKNOWN. By it the
 *	host maps a buffer for a driver that has neither an mmap nor a page op.
 * @check_device: may the kind be used with this device, possibly NULL? 0 or
 *	-errno. Required for kinds that use a device; without it the device
 *	that a driver passes is ignored.
 * @alloc: get @dmab.bytes of memory, which are whole pages, all zero; set
 *	@dmab.area, contiguous in the kernel's map, and @dmab.addr. 0 or -errno,
 *	nothing in the kernel log (but vmalloc_32() cannot be told so).
 *	Required. Context: process, may sleep.
 * @free: give it back. Required. Context: process, may sleep; may run under
 *	mmap_lock.
 * @page: page at a byte offset below @dmab.bytes, of which any may be mapped
 *	and pinned on its own. Required unless @mmap is there: memory that is
 *	not made of ordinary pages has none to give away. Context: any.
 * @addr: address for the hardware at a byte offset below @dmab.bytes;
 *	physical where there is no device. Required. Context: any.
 * @mmap: map the whole of an area at once; 0 or -errno. Required exactly where
 *	@page is missing. Context: process, under mmap_lock.
 */
struct snd_pcmbuf_ops {
	int host_type;
	int (*check_device)(struct device *dev);
	int (*alloc)(struct snd_pcmbuf *buf);
	void (*free)(struct snd_pcmbuf *buf);
	struct page *(*page)(struct snd_pcmbuf *buf, size_t offset);
	dma_addr_t (*addr)(struct snd_pcmbuf *buf, size_t offset);
	int (*mmap)(struct snd_pcmbuf *buf, struct vm_area_struct *area);
};

extern const struct snd_pcmbuf_ops snd_pcmbuf_continuous_ops;
extern const struct snd_pcmbuf_ops snd_pcmbuf_vmalloc_ops;
extern const struct snd_pcmbuf_ops snd_pcmbuf_vmalloc_32_ops;
extern const struct snd_pcmbuf_ops snd_pcmbuf_sg_ops;
extern const struct snd_pcmbuf_ops snd_pcmbuf_coherent_ops;

/**
 * struct snd_pcmbuf - a buffer
 * @ref: one for the runtime that uses it, one for the slot that preallocated
 *	it, one for each mapping
 * @ops: its kind
 * @dmab: the memory, as the host sees it: runtime->dma_buffer_p points here.
 *	@bytes is the capacity, in whole pages; @private_data points back to the
 *	buffer and marks the record as ours, no part of the host reads it for
 *	the host types in use.
 * @data: the kind's own
 * @shown: bytes from the start that runtimes have had, in whole pages, since
 *	nobody else had any of them: no page beyond can be mapped or pinned.
 *	Changed by the ops of @substream only.
 * @pinnable: for a kind without a page op: has it been mapped by pages, any of
 *	which may still be pinned?
 * @substream: whose buffer it is; counts its mappings
 * @card: the card that is charged for it
 *
 * Allocated by snd_pcmbuf_create(), freed by the last snd_pcmbuf_put(). All
 * but @ref, @shown, @pinnable and the contents of the memory stay as they are
 * in between. @substream and @card outlive it: a mapping holds the file, the
 * file the card.
 */
struct snd_pcmbuf {
	struct kref ref;
	const struct snd_pcmbuf_ops *ops;
	struct snd_dma_buffer dmab;
	void *data;
	size_t shown;
	bool pinnable;
	struct snd_pcm_substream *substream;
	struct snd_card *card;
};

/*
 * The buffer that a runtime has from us, or NULL when it has none or somebody
 * else's. For those who keep it from being freed: the ops of the substream, or
 * holders of snd_pcmbuf_lock.
 */
static inline struct snd_pcmbuf *
snd_pcmbuf_published(struct snd_pcm_runtime *runtime)
{
	struct snd_dma_buffer *dmab = READ_ONCE(runtime->dma_buffer_p);
	struct snd_pcmbuf *buf;

	if (!dmab)
		return NULL;
	buf = container_of(dmab, struct snd_pcmbuf, dmab);
	return dmab->private_data == buf ? buf : NULL;
}

/**
 * struct snd_pcmbuf_slot - what a substream was given before it was opened
 * @tag: &snd_pcmbuf_slot_tag, to be told from the host's own private data
 * @substream: whose slot it is; not to be touched once the PCM is freed
 * @card: the card both belong to
 * @ops: kind of its buffers
 * @dev: device for it, held, or NULL
 * @max: largest preallocation that may be asked for in procfs, bytes
 * @buf: the preallocated buffer or NULL. Protected by snd_pcmbuf_lock.
 *
 * Allocated by snd_pcmbuf_preallocate_pages(), freed with the card's devices,
 * after its PCM; found by substream->dma_buffer.private_data, of which @area
 * stays NULL so that the host never frees it.
 */
struct snd_pcmbuf_slot {
	const void *tag;
	struct snd_pcm_substream *substream;
	struct snd_card *card;
	const struct snd_pcmbuf_ops *ops;
	struct device *dev;
	size_t max;
	struct snd_pcmbuf *buf;
};

/* main.c */
extern bool snd_pcmbuf_preallocate_dma;
extern unsigned int snd_pcmbuf_maximum_substreams;
extern unsigned long snd_pcmbuf_max_alloc_per_card;

const struct snd_pcmbuf_ops *snd_pcmbuf_kind(enum snd_pcmbuf_type type);

/* account.c */
int snd_pcmbuf_charge(struct snd_card *card, size_t bytes);
void snd_pcmbuf_uncharge(struct snd_card *card, size_t bytes);
long snd_pcmbuf_live_buffers(void);
long snd_pcmbuf_live_bytes(void);

/* buffer.c */
extern spinlock_t snd_pcmbuf_lock;

struct snd_pcmbuf *snd_pcmbuf_create(struct snd_pcm_substream *substream,
				     const struct snd_pcmbuf_ops *ops,
				     struct device *dev, size_t size);
void snd_pcmbuf_put(struct snd_pcmbuf *buf);
bool snd_pcmbuf_has_other_users(struct snd_pcmbuf *buf, unsigned int known);
struct snd_pcmbuf *snd_pcmbuf_get_published(struct snd_pcm_runtime *runtime);
void snd_pcmbuf_publish(struct snd_pcm_runtime *runtime,
			struct snd_pcmbuf *buf, size_t size);
void snd_pcmbuf_set_size(struct snd_pcm_runtime *runtime,
			 struct snd_pcmbuf *buf, size_t size);
bool snd_pcmbuf_unpublish(struct snd_pcm_runtime *runtime);

/* prealloc.c */
struct snd_pcmbuf_slot *snd_pcmbuf_slot_of(struct snd_pcm_substream *substream);
struct snd_pcmbuf *snd_pcmbuf_slot_take(struct snd_pcmbuf_slot *slot,
					size_t size);
void snd_pcmbuf_slot_store(struct snd_pcmbuf_slot *slot,
			   struct snd_pcmbuf *buf);
size_t snd_pcmbuf_slot_bytes(struct snd_pcmbuf_slot *slot);
void snd_pcmbuf_slot_set_limit(struct snd_pcmbuf_slot *slot, size_t bytes);

/* proc.c */
#ifdef CONFIG_SND_VERBOSE_PROCFS
void snd_pcmbuf_proc_create(struct snd_pcmbuf_slot *slot);
#else
static inline void snd_pcmbuf_proc_create(struct snd_pcmbuf_slot *slot)
{
}
#endif

#endif /* __PCMBUF_LOCAL_H */
