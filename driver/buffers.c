// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: the ways of the core to allocate a PCM buffer, under the names that
 * the parameter pcm_buffers knows.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "vsnd.h"

/* What the page allocator has in one piece, at best: order 10 of 4 KiB pages. */
#define VSND_PIECE_MAX		SZ_4M

static const struct vsnd_buffers vsnd_buffers[] = {
	{
		.name = "vmalloc",
		.type = SND_PCMBUF_VMALLOC,
		.alloc = snd_pcmbuf_alloc_vmalloc_buffer,
		.free = snd_pcmbuf_free_vmalloc_buffer,
	}, {
		.name = "vmalloc32",
		.type = SND_PCMBUF_VMALLOC_32,
		.alloc = snd_pcmbuf_alloc_vmalloc_32_buffer,
		.free = snd_pcmbuf_free_vmalloc_buffer,
	}, {
		.name = "continuous",
		.type = SND_PCMBUF_CONTINUOUS,
		.prealloc = true,
		.bytes_max = VSND_PIECE_MAX,
		.alloc = snd_pcmbuf_malloc_pages,
		.free = snd_pcmbuf_free_pages,
	}, {
		.name = "sg",
		.type = SND_PCMBUF_SG,
		.alloc = snd_pcmbuf_malloc_pages,
		.free = snd_pcmbuf_free_pages,
	}, {
		.name = "dma",
		.type = SND_PCMBUF_COHERENT,
		.prealloc = true,
		.bytes_max = VSND_PIECE_MAX,
		.alloc = snd_pcmbuf_malloc_pages,
		.free = snd_pcmbuf_free_pages,
	},
};

/**
 * vsnd_buffers_find() - look a way of allocating up
 * @name: its name
 *
 * Context: Any.
 * Return: it, or NULL if there is none of that name.
 */
const struct vsnd_buffers *vsnd_buffers_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vsnd_buffers); i++)
		if (!strcmp(vsnd_buffers[i].name, name))
			return &vsnd_buffers[i];
	return NULL;
}

/**
 * vsnd_buffers_bytes_max() - how large a device's buffers may be
 * @config: the device's configuration
 *
 * Context: Any.
 * Return: bytes.
 */
size_t vsnd_buffers_bytes_max(const struct vsnd_pcm_config *config)
{
	if (!config->buffers->bytes_max)
		return config->buffer_bytes_max;
	return min(config->buffer_bytes_max, config->buffers->bytes_max);
}

/**
 * vsnd_buffers_prepare() - register a device's memory, preallocate what is due
 * @pcm: the device, not yet registered
 *
 * The vmalloc helpers need no preparation: they serve any substream.
 *
 * Context: Process context, before the card is registered. May sleep.
 * Return: 0 or a negative error code.
 */
int vsnd_buffers_prepare(struct vsnd_pcm *pcm)
{
	const struct vsnd_pcm_config *config = pcm->config;
	const struct vsnd_buffers *buffers = config->buffers;
	size_t max = vsnd_buffers_bytes_max(config);
	struct device *dev = NULL;
	size_t size = 0;

	if (buffers->alloc != snd_pcmbuf_malloc_pages)
		return 0;
	if (buffers->type == SND_PCMBUF_COHERENT)
		dev = pcm->card->card->dev;
	if (buffers->prealloc)
		size = min(config->prealloc_bytes, max);
	return snd_pcmbuf_preallocate_pages_for_all(pcm->pcm, buffers->type,
						    dev, size, max);
}
