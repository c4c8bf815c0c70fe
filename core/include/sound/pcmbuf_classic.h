/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The classic names of the buffer API, for a driver that was written to them.
 *
 * Either after the driver's own includes, in each of its files,
 *
 *	#include <sound/pcmbuf_classic.h>
 *
 * or, for all of a driver's files at once and without touching them, one line
 * in its Kbuild, with the place of the core's include folder filled in:
 *
 *	LINUXINCLUDE := -I<core>/include/classic $(LINUXINCLUDE)
 *
 * Every file of a driver has to see it: a buffer of this core must not be given
 * to the kernel's functions of the same names.
 *
 * Not to be had: the inside of struct snd_sg_buf; copy and silence ops of other
 * kernels; what a driver reads from substream->dma_buffer itself, which stays
 * empty (runtime->dma_area and dma_addr say the same).
 */
#ifndef __SOUND_PCMBUF_CLASSIC_H
#define __SOUND_PCMBUF_CLASSIC_H

#include <linux/gfp.h>
#include <sound/core.h>
#include <sound/memalloc.h>
#include <sound/pcm.h>

#include "pcmbuf.h"

/*
 * Uncached memory until 5.14 was write-combined memory since: both names. Here
 * it is cached, as coherent memory is.
 */
#ifndef SNDRV_DMA_TYPE_DEV_WC
#define SNDRV_DMA_TYPE_DEV_WC		SNDRV_DMA_TYPE_DEV_UC
#endif
#ifndef SNDRV_DMA_TYPE_DEV_UC
#define SNDRV_DMA_TYPE_DEV_UC		SNDRV_DMA_TYPE_DEV_WC
#endif
#ifndef SNDRV_DMA_TYPE_DEV_WC_SG
#define SNDRV_DMA_TYPE_DEV_WC_SG	SNDRV_DMA_TYPE_DEV_UC_SG
#endif
#ifndef SNDRV_DMA_TYPE_DEV_UC_SG
#define SNDRV_DMA_TYPE_DEV_UC_SG	SNDRV_DMA_TYPE_DEV_WC_SG
#endif

/* The device argument that used to carry allocation flags, and its kin */
#undef snd_dma_continuous_data
#define snd_dma_continuous_data(flags)	((struct device *)NULL)
#ifndef snd_dma_pci_data
#define snd_dma_pci_data(pci)		(&(pci)->dev)
#endif
#ifndef snd_dma_isa_data
#define snd_dma_isa_data()		((struct device *)NULL)
#endif

/*
 * The kernel's numbers differ between releases, and some names share one: so
 * neither stored nor switched over.
 */
static inline enum snd_pcmbuf_type snd_pcmbuf_classic_type(int type)
{
	if (type == SNDRV_DMA_TYPE_CONTINUOUS)
		return SND_PCMBUF_CONTINUOUS;
	if (type == SNDRV_DMA_TYPE_VMALLOC)
		return SND_PCMBUF_VMALLOC;
	if (type == SNDRV_DMA_TYPE_DEV || type == SNDRV_DMA_TYPE_DEV_WC ||
	    type == SNDRV_DMA_TYPE_DEV_IRAM)
		return SND_PCMBUF_COHERENT;
	if (type == SNDRV_DMA_TYPE_DEV_SG || type == SNDRV_DMA_TYPE_DEV_WC_SG)
		return SND_PCMBUF_SG;
	return (enum snd_pcmbuf_type)0;
}

/* Coherent memory of no device was that of the ISA bus: the card's parent */
static inline struct device *
snd_pcmbuf_classic_device(struct snd_card *card, int type, void *data)
{
	if (snd_pcmbuf_classic_type(type) == SND_PCMBUF_COHERENT && !data)
		return card->dev;
	return data;
}

static inline int
snd_pcmbuf_classic_preallocate_pages(struct snd_pcm_substream *substream,
				     int type, struct device *data, size_t size,
				     size_t max)
{
	struct snd_card *card = substream->pcm->card;

	return snd_pcmbuf_preallocate_pages(substream,
					    snd_pcmbuf_classic_type(type),
					    snd_pcmbuf_classic_device(card, type,
								      data),
					    size, max);
}

static inline int
snd_pcmbuf_classic_preallocate_pages_for_all(struct snd_pcm *pcm, int type,
					     void *data, size_t size,
					     size_t max)
{
	return snd_pcmbuf_preallocate_pages_for_all(pcm,
						    snd_pcmbuf_classic_type(type),
						    snd_pcmbuf_classic_device(pcm->card,
									      type,
									      data),
						    size, max);
}

/* Of the flags only the zone matters */
static inline int
snd_pcmbuf_classic_alloc_vmalloc(struct snd_pcm_substream *substream,
				 size_t size, gfp_t flags)
{
	if (flags & __GFP_DMA32)
		return snd_pcmbuf_alloc_vmalloc_32_buffer(substream, size);
	return snd_pcmbuf_alloc_vmalloc_buffer(substream, size);
}

/* For buffers of the kernel's allocator too: all are contiguous here */
static inline void *snd_pcmbuf_classic_get_ptr(struct snd_dma_buffer *dmab,
					       size_t offset)
{
	return dmab->area + offset;
}

/*
 * Is the buffer the kernel's own? Drivers of 5.5 and later let the kernel
 * allocate, some of them for a part of their streams, and ask for addresses all
 * the same.
 */
static inline bool
snd_pcmbuf_classic_is_kernels(struct snd_pcm_substream *substream)
{
	return substream->runtime->dma_buffer_p &&
	       !snd_pcmbuf_sgbuf_get_ptr(substream, 0);
}

static inline dma_addr_t
snd_pcmbuf_classic_sgbuf_get_addr(struct snd_pcm_substream *substream,
				  unsigned int ofs)
{
	if (snd_pcmbuf_classic_is_kernels(substream))
		return snd_pcm_sgbuf_get_addr(substream, ofs);
	return snd_pcmbuf_sgbuf_get_addr(substream, ofs);
}

static inline void *
snd_pcmbuf_classic_sgbuf_get_ptr(struct snd_pcm_substream *substream,
				 unsigned int ofs)
{
	if (snd_pcmbuf_classic_is_kernels(substream))
		return substream->runtime->dma_area + ofs;
	return snd_pcmbuf_sgbuf_get_ptr(substream, ofs);
}

static inline unsigned int
snd_pcmbuf_classic_sgbuf_get_chunk_size(struct snd_pcm_substream *substream,
					unsigned int ofs, unsigned int size)
{
	if (snd_pcmbuf_classic_is_kernels(substream))
		return snd_pcm_sgbuf_get_chunk_size(substream, ofs, size);
	return snd_pcmbuf_sgbuf_get_chunk_size(substream, ofs, size);
}

/*
 * The names. As objects, so that they also work where no call is made, as in
 * ".page = snd_pcm_lib_get_vmalloc_page".
 */
#undef snd_pcm_lib_preallocate_pages
#define snd_pcm_lib_preallocate_pages	snd_pcmbuf_classic_preallocate_pages
#undef snd_pcm_lib_preallocate_pages_for_all
#define snd_pcm_lib_preallocate_pages_for_all \
	snd_pcmbuf_classic_preallocate_pages_for_all
#undef snd_pcm_lib_preallocate_free
#define snd_pcm_lib_preallocate_free	snd_pcmbuf_preallocate_free
#undef snd_pcm_lib_preallocate_free_for_all
#define snd_pcm_lib_preallocate_free_for_all snd_pcmbuf_preallocate_free_for_all

#undef snd_pcm_lib_malloc_pages
#define snd_pcm_lib_malloc_pages	snd_pcmbuf_malloc_pages
#undef snd_pcm_lib_free_pages
#define snd_pcm_lib_free_pages		snd_pcmbuf_free_pages

#undef _snd_pcm_lib_alloc_vmalloc_buffer
#define _snd_pcm_lib_alloc_vmalloc_buffer snd_pcmbuf_classic_alloc_vmalloc
#undef snd_pcm_lib_alloc_vmalloc_buffer
#define snd_pcm_lib_alloc_vmalloc_buffer snd_pcmbuf_alloc_vmalloc_buffer
#undef snd_pcm_lib_alloc_vmalloc_32_buffer
#define snd_pcm_lib_alloc_vmalloc_32_buffer snd_pcmbuf_alloc_vmalloc_32_buffer
#undef snd_pcm_lib_free_vmalloc_buffer
#define snd_pcm_lib_free_vmalloc_buffer	snd_pcmbuf_free_vmalloc_buffer
#undef snd_pcm_lib_get_vmalloc_page
#define snd_pcm_lib_get_vmalloc_page	snd_pcmbuf_get_vmalloc_page
#undef snd_pcm_lib_mmap_vmalloc
#define snd_pcm_lib_mmap_vmalloc	snd_pcmbuf_mmap

/*
 * Where the architecture has no scatter-gather memory, its type is that of
 * coherent memory, which the host maps without a page op, as it always did.
 */
#undef snd_pcm_sgbuf_ops_page
#ifdef CONFIG_SND_DMA_SGBUF
#define snd_pcm_sgbuf_ops_page		snd_pcmbuf_sgbuf_ops_page
#else
#define snd_pcm_sgbuf_ops_page		NULL
#endif
#undef snd_pcm_sgbuf_get_addr
#define snd_pcm_sgbuf_get_addr		snd_pcmbuf_classic_sgbuf_get_addr
#undef snd_pcm_sgbuf_get_ptr
#define snd_pcm_sgbuf_get_ptr		snd_pcmbuf_classic_sgbuf_get_ptr
#undef snd_pcm_sgbuf_get_chunk_size
#define snd_pcm_sgbuf_get_chunk_size \
	snd_pcmbuf_classic_sgbuf_get_chunk_size
#undef snd_sgbuf_get_ptr
#define snd_sgbuf_get_ptr		snd_pcmbuf_classic_get_ptr
#undef snd_pcm_substream_sgbuf

#endif /* __SOUND_PCMBUF_CLASSIC_H */
