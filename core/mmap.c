// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings. Each holds a reference to the buffer it was made of, and looks only
 * at that: what becomes of the runtime meanwhile is nothing to it.
 */

/**
 * DOC: why a mapping is bound to a buffer
 *
 * The host's own mapping asks the substream for a page at each fault. Some
 * kernels let an mmap run beside a hw_params or hw_free that frees the buffer,
 * and the OSS emulation replaces it knowingly while it is mapped; a page that
 * is looked up can then be gone before it is referred to. A mapping of ours
 * still shows the buffer that it was made of, which lives until its last piece
 * is unmapped, and which nobody else is given meanwhile.
 */

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mm.h>

#include "pcmbuf_local.h"

/* A fork, a split or a move made one mapping more; the host counts them. */
static void snd_pcmbuf_vm_open(struct vm_area_struct *area)
{
	struct snd_pcmbuf *buf = area->vm_private_data;

	kref_get(&buf->ref);
	atomic_inc(&buf->substream->mmap_count);
}

static void snd_pcmbuf_vm_close(struct vm_area_struct *area)
{
	struct snd_pcmbuf *buf = area->vm_private_data;

	atomic_dec(&buf->substream->mmap_count);
	snd_pcmbuf_put(buf);
}

static vm_fault_t snd_pcmbuf_vm_fault(struct vm_fault *vmf)
{
	struct snd_pcmbuf *buf = vmf->vma->vm_private_data;
	struct page *page;

	if (vmf->pgoff >= buf->dmab.bytes >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	page = buf->ops->page(buf, vmf->pgoff << PAGE_SHIFT);
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct snd_pcmbuf_vm_ops = {
	.open	= snd_pcmbuf_vm_open,
	.close	= snd_pcmbuf_vm_close,
	.fault	= snd_pcmbuf_vm_fault,
};

/* For memory that is mapped at once: there is nothing left to fault. */
static const struct vm_operations_struct snd_pcmbuf_vm_ops_mapped = {
	.open	= snd_pcmbuf_vm_open,
	.close	= snd_pcmbuf_vm_close,
};

/*
 * The host has looked at the size of the buffer, but where mmap does not wait
 * for hw_params maybe at that of another one.
 */
static bool snd_pcmbuf_is_shown(struct snd_pcmbuf *buf,
				struct vm_area_struct *area)
{
	unsigned long shown = READ_ONCE(buf->shown) >> PAGE_SHIFT;
	unsigned long pages = vma_pages(area);

	return pages <= shown && area->vm_pgoff <= shown - pages;
}

/*
 * The host maps nothing of a stream without parameters; but where mmap does not
 * wait, a hw_free can come after it has looked, and then a hw_params that has
 * published a buffer which is still to be cleared.
 */
static bool snd_pcmbuf_is_clear(struct snd_pcm_runtime *runtime)
{
	snd_pcm_state_t state = snd_pcm_runtime_state(runtime);

	/* of one that is disconnected nothing is known */
	return state != SNDRV_PCM_STATE_OPEN &&
	       state != SNDRV_PCM_STATE_DISCONNECTED;
}

/*
 * Behind an IOMMU coherent memory is mapped page by page, and a page can be
 * pinned then; which ones are is not to be found out.
 */
static int snd_pcmbuf_map_at_once(struct snd_pcmbuf *buf,
				  struct vm_area_struct *area)
{
	int err = buf->ops->mmap(buf, area);

	if (area->vm_flags & VM_MIXEDMAP)
		WRITE_ONCE(buf->pinnable, true);
	return err;
}

static int snd_pcmbuf_map(struct snd_pcmbuf *buf, struct vm_area_struct *area)
{
	if (!snd_pcmbuf_is_shown(buf, area))
		return -ENXIO;
	vm_flags_set(area, VM_DONTEXPAND | VM_DONTDUMP);
	return buf->ops->mmap ? snd_pcmbuf_map_at_once(buf, area) : 0;
}

/**
 * snd_pcmbuf_mmap - the mmap op of a driver whose buffers are from here
 * @substream: open substream with a buffer
 * @area: where to map it, within the buffer by the host's check
 *
 * For every kind of memory, with any offset. Put it into &struct snd_pcm_ops
 * beside a page op or, better, alone: a page op is safe only on kernels where
 * mmap waits for hw_params and hw_free.
 *
 * Context: Process context under mmap_lock; called by the host, which counts
 * the mapping in substream->mmap_count when this succeeds.
 * Return: 0; -ENXIO when the runtime has no buffer from here, or @area is not
 * within it; -EBADFD when hw_params is about to clear it; otherwise what mapping
 * coherent memory failed with.
 */
int snd_pcmbuf_mmap(struct snd_pcm_substream *substream,
		    struct vm_area_struct *area)
{
	struct snd_pcmbuf *buf = snd_pcmbuf_get_published(substream->runtime);
	int err = -EBADFD;

	if (!buf)
		return -ENXIO;
	if (snd_pcmbuf_is_clear(substream->runtime))
		err = snd_pcmbuf_map(buf, area);
	if (err) {
		snd_pcmbuf_put(buf);
		return err;
	}
	area->vm_private_data = buf;
	area->vm_ops = buf->ops->mmap ? &snd_pcmbuf_vm_ops_mapped :
					&snd_pcmbuf_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(snd_pcmbuf_mmap);
