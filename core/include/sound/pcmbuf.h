/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCM buffers for any ALSA driver: the classic buffer API on every kernel.
 *
 * Each function is described where it is defined; Documentation/pcmbuf.rst
 * shows them together.
 */
#ifndef __SOUND_PCMBUF_H
#define __SOUND_PCMBUF_H

#include <linux/device.h>
#include <linux/mm_types.h>
#include <sound/pcm.h>

/**
 * enum snd_pcmbuf_type - what a PCM buffer is made of
 * @SND_PCMBUF_CONTINUOUS: physically contiguous pages of the kernel's map;
 *	device argument unused, pass NULL
 * @SND_PCMBUF_VMALLOC: virtually contiguous pages; device unused
 * @SND_PCMBUF_VMALLOC_32: the same, each page below 4 GiB; device unused
 * @SND_PCMBUF_SG: scattered pages mapped contiguously; with a device they are
 *	mapped for its DMA, without one addresses are physical
 * @SND_PCMBUF_COHERENT: DMA-coherent memory of the device, which is required
 *
 * The numbers are this core's own, not SNDRV_DMA_TYPE_*: those differ between
 * kernel releases and know no 32-bit vmalloc.
 */
enum snd_pcmbuf_type {
	SND_PCMBUF_CONTINUOUS = 1,
	SND_PCMBUF_VMALLOC,
	SND_PCMBUF_VMALLOC_32,
	SND_PCMBUF_SG,
	SND_PCMBUF_COHERENT,
};

/* Preallocation: from the driver's probe */
int snd_pcmbuf_preallocate_pages(struct snd_pcm_substream *substream,
				 enum snd_pcmbuf_type type, struct device *data,
				 size_t size, size_t max);
int snd_pcmbuf_preallocate_pages_for_all(struct snd_pcm *pcm,
					 enum snd_pcmbuf_type type, void *data,
					 size_t size, size_t max);
int snd_pcmbuf_preallocate_free(struct snd_pcm_substream *substream);
int snd_pcmbuf_preallocate_free_for_all(struct snd_pcm *pcm);

/* A runtime's buffer: from the hw_params and hw_free ops */
int snd_pcmbuf_malloc_pages(struct snd_pcm_substream *substream, size_t size);
int snd_pcmbuf_free_pages(struct snd_pcm_substream *substream);

int snd_pcmbuf_alloc_vmalloc_buffer(struct snd_pcm_substream *substream,
				    size_t size);
int snd_pcmbuf_alloc_vmalloc_32_buffer(struct snd_pcm_substream *substream,
				       size_t size);
int snd_pcmbuf_free_vmalloc_buffer(struct snd_pcm_substream *substream);

/* The mmap and page ops */
int snd_pcmbuf_mmap(struct snd_pcm_substream *substream,
		    struct vm_area_struct *area);
struct page *snd_pcmbuf_sgbuf_ops_page(struct snd_pcm_substream *substream,
				       unsigned long offset);
struct page *snd_pcmbuf_get_vmalloc_page(struct snd_pcm_substream *substream,
					 unsigned long offset);

/* Where the pages are: for the hardware's scatter-gather tables */
dma_addr_t snd_pcmbuf_sgbuf_get_addr(struct snd_pcm_substream *substream,
				     unsigned int ofs);
void *snd_pcmbuf_sgbuf_get_ptr(struct snd_pcm_substream *substream,
			       unsigned int ofs);
unsigned int
snd_pcmbuf_sgbuf_get_chunk_size(struct snd_pcm_substream *substream,
				unsigned int ofs, unsigned int size);

#endif /* __SOUND_PCMBUF_H */
