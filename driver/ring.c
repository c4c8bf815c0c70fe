// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings: how frames lie in a stream's buffer, and how they are copied from one
 * buffer to another or silenced. Samples are opaque bits here.
 */
#include <linux/minmax.h>
#include <linux/vmalloc.h>

#include "vsnd.h"

/* Whole samples of every size; a few lines of the cache. */
#define VSND_SILENCE_BYTES	192

static int vsnd_silence_byte(snd_pcm_format_t format, unsigned int bytes)
{
	const unsigned char *pattern = snd_pcm_format_silence_64(format);
	unsigned int i;

	for (i = 1; i < bytes; i++)
		if (pattern[i] != pattern[0])
			return -1;
	return pattern[0];
}

/**
 * vsnd_ring_init() - take the geometry of a stream's buffer
 * @ring: where to
 * @runtime: the stream's, with its parameters set
 *
 * Context: Any; the runtime keeps its buffer as long as the ring is used.
 */
void vsnd_ring_init(struct vsnd_ring *ring,
		    const struct snd_pcm_runtime *runtime)
{
	unsigned int bytes = snd_pcm_format_physical_width(runtime->format) / 8;
	bool interleaved = runtime->channels == 1 ||
		runtime->access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED ||
		runtime->access == SNDRV_PCM_ACCESS_RW_INTERLEAVED;

	ring->area = runtime->dma_area;
	ring->frames = runtime->buffer_size;
	ring->format = runtime->format;
	ring->rate = runtime->rate;
	ring->channels = runtime->channels;
	ring->sample_bytes = bytes;
	ring->frame_stride = interleaved ? bytes * runtime->channels : bytes;
	ring->channel_stride = interleaved ? bytes :
			       runtime->dma_bytes / runtime->channels;
	ring->interleaved = interleaved;
	ring->silence = vsnd_silence_byte(runtime->format, bytes);
}

/**
 * vsnd_ring_matches() - can frames of one ring be frames of the other?
 * @a: a ring
 * @b: another
 *
 * How the frames lie in memory may differ, and so may the rings' sizes.
 *
 * Context: Any.
 * Return: true if format, channels and rate are the same.
 */
bool vsnd_ring_matches(const struct vsnd_ring *a, const struct vsnd_ring *b)
{
	return a->format == b->format && a->channels == b->channels &&
	       a->rate == b->rate;
}

/* One sample at a time; inline, so that the compiler knows its size. */
static __always_inline void
vsnd_copy_samples(u8 *dst, size_t dst_step, const u8 *src, size_t src_step,
		  unsigned int count, size_t size)
{
	for (; count; count--) {
		memcpy(dst, src, size);
		dst += dst_step;
		src += src_step;
	}
}

static void vsnd_copy_channel(u8 *dst, size_t dst_step, const u8 *src,
			      size_t src_step, unsigned int frames,
			      unsigned int bytes)
{
	if (dst_step == bytes && src_step == bytes) {
		memcpy(dst, src, (size_t)frames * bytes);
		return;
	}
	switch (bytes) {
	case 1:
		vsnd_copy_samples(dst, dst_step, src, src_step, frames, 1);
		break;
	case 2:
		vsnd_copy_samples(dst, dst_step, src, src_step, frames, 2);
		break;
	case 3:
		vsnd_copy_samples(dst, dst_step, src, src_step, frames, 3);
		break;
	case 4:
		vsnd_copy_samples(dst, dst_step, src, src_step, frames, 4);
		break;
	case 8:
		vsnd_copy_samples(dst, dst_step, src, src_step, frames, 8);
		break;
	}
}

static void vsnd_copy_planes(const struct vsnd_ring *dst, u32 to,
			     const struct vsnd_ring *src, u32 from,
			     unsigned int frames)
{
	unsigned int channel;

	for (channel = 0; channel < dst->channels; channel++)
		vsnd_copy_channel(vsnd_ring_sample(dst, to, channel),
				  dst->frame_stride,
				  vsnd_ring_sample(src, from, channel),
				  src->frame_stride, frames, dst->sample_bytes);
}

/**
 * vsnd_ring_copy_pieces() - copy frames that may wrap, or lie differently
 * @dst: ring to write
 * @out: first frame's place there
 * @src: ring to read; must match, see vsnd_ring_matches()
 * @in: first frame's place there
 * @frames: how many
 *
 * Context: Any; the caller keeps the memory from being freed.
 */
void vsnd_ring_copy_pieces(const struct vsnd_ring *dst, u32 out,
			   const struct vsnd_ring *src, u32 in,
			   unsigned int frames)
{
	unsigned int run;

	while (frames) {
		run = min3(frames, dst->frames - out, src->frames - in);
		if (dst->interleaved && src->interleaved)
			memcpy(vsnd_ring_sample(dst, out, 0),
			       vsnd_ring_sample(src, in, 0),
			       run * dst->frame_stride);
		else
			vsnd_copy_planes(dst, out, src, in, run);
		frames -= run;
		out = out + run == dst->frames ? 0 : out + run;
		in = in + run == src->frames ? 0 : in + run;
	}
}

/* From memory of our own: what lies in a ring may be written by its client. */
static void vsnd_copy_silence(const struct vsnd_ring *ring, u8 *samples,
			      size_t bytes)
{
	u8 silence[VSND_SILENCE_BYTES];
	size_t part = min(bytes, sizeof(silence));

	snd_pcm_format_set_silence(ring->format, silence,
				   part / ring->sample_bytes);
	for (; bytes; bytes -= part, samples += part) {
		part = min(bytes, sizeof(silence));
		memcpy(samples, silence, part);
	}
}

static void vsnd_silence_samples(const struct vsnd_ring *ring, u8 *samples,
				 unsigned int count)
{
	size_t bytes = (size_t)count * ring->sample_bytes;

	if (ring->silence >= 0)
		memset(samples, ring->silence, bytes);
	else
		vsnd_copy_silence(ring, samples, bytes);
}

/* Silence frames that do not wrap. */
static void vsnd_ring_silence_run(const struct vsnd_ring *ring, u32 at,
				  unsigned int frames)
{
	unsigned int channel;

	if (ring->interleaved) {
		vsnd_silence_samples(ring, vsnd_ring_sample(ring, at, 0),
				     frames * ring->channels);
		return;
	}
	for (channel = 0; channel < ring->channels; channel++)
		vsnd_silence_samples(ring, vsnd_ring_sample(ring, at, channel),
				     frames);
}

/**
 * vsnd_ring_silence() - write silence
 * @ring: the ring
 * @at: first frame, counted from the stream's start
 * @frames: how many, at most the ring
 *
 * Context: Any; the caller keeps the memory from being freed.
 */
void vsnd_ring_silence(const struct vsnd_ring *ring, u64 at,
		       unsigned int frames)
{
	u32 index = vsnd_ring_index(ring, at);
	unsigned int run = min(frames, ring->frames - index);

	vsnd_ring_silence_run(ring, index, run);
	vsnd_ring_silence_run(ring, 0, frames - run);
}

/**
 * vsnd_ring_silence_bytes() - write silence, placed as the PCM core places it
 * @ring: the ring
 * @channel: the channel, 0 if interleaved
 * @pos: first byte, from that of the first frame of the channel
 * @bytes: how many, of whole samples
 *
 * Context: Any; the caller keeps the memory from being freed.
 */
void vsnd_ring_silence_bytes(const struct vsnd_ring *ring,
			     unsigned int channel, size_t pos, size_t bytes)
{
	vsnd_silence_samples(ring, vsnd_ring_sample(ring, 0, channel) + pos,
			     bytes / ring->sample_bytes);
}

/**
 * vsnd_ring_free() - free a ring of the driver's own
 * @ring: the ring; may be empty
 *
 * Context: Process context, may sleep.
 */
void vsnd_ring_free(struct vsnd_ring *ring)
{
	vfree(ring->area);
	ring->area = NULL;
}

/**
 * vsnd_ring_alloc_like() - make a ring of the driver's own
 * @ring: where to; what is there is freed
 * @like: ring whose frames it is to hold
 * @frames: its size
 *
 * It is interleaved, and filled with silence. The memory is charged to the
 * memory cgroup of whoever asks.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM if it would have more than VSND_BUFFER_BYTES_MAX or
 * there is no memory; the ring is empty then.
 */
int vsnd_ring_alloc_like(struct vsnd_ring *ring, const struct vsnd_ring *like,
			 unsigned int frames)
{
	size_t frame_bytes = like->sample_bytes * like->channels;
	u8 *area;

	vsnd_ring_free(ring);
	if (frames > VSND_BUFFER_BYTES_MAX / frame_bytes)
		return -ENOMEM;
	area = __vmalloc(frames * frame_bytes, GFP_KERNEL_ACCOUNT |
			 __GFP_NOWARN | vmalloc_mayfail);
	if (!area)
		return -ENOMEM;
	*ring = *like;
	ring->area = area;
	ring->frames = frames;
	ring->interleaved = true;
	ring->frame_stride = frame_bytes;
	ring->channel_stride = like->sample_bytes;
	vsnd_ring_silence(ring, 0, frames);
	return 0;
}
