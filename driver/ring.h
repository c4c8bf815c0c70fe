/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings: how frames lie in a stream's buffer. Inline is what is copied at every
 * step; the rest is in ring.c.
 */
#ifndef VSND_RING_H
#define VSND_RING_H

#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/types.h>
#include <sound/pcm.h>

/**
 * struct vsnd_ring - a stream's buffer and how frames lie in it
 * @area: the memory
 * @frames: size of the ring, frames
 * @format: sample format
 * @rate: frames per second
 * @channels: samples in a frame
 * @sample_bytes: bytes of one sample
 * @frame_stride: bytes from a sample to the next frame's, same channel
 * @channel_stride: bytes from a sample to the next channel's, same frame
 * @interleaved: whether the samples of a frame lie side by side
 * @silence: the byte of which this format's silence consists, or -1 where
 *	its bytes differ
 *
 * The driver's own copy, taken in prepare: the peer never has to look into a
 * runtime that may be changing.
 */
struct vsnd_ring {
	u8 *area;
	unsigned int frames;
	snd_pcm_format_t format;
	unsigned int rate;
	unsigned int channels;
	unsigned int sample_bytes;
	size_t frame_stride;
	size_t channel_stride;
	bool interleaved;
	int silence;
};

void vsnd_ring_init(struct vsnd_ring *ring,
		    const struct snd_pcm_runtime *runtime);
int vsnd_ring_alloc_like(struct vsnd_ring *ring, const struct vsnd_ring *like,
			 unsigned int frames);
void vsnd_ring_free(struct vsnd_ring *ring);
bool vsnd_ring_matches(const struct vsnd_ring *a, const struct vsnd_ring *b);
void vsnd_ring_copy_pieces(const struct vsnd_ring *dst, u32 out,
			   const struct vsnd_ring *src, u32 in,
			   unsigned int frames);
void vsnd_ring_silence(const struct vsnd_ring *ring, u64 at,
		       unsigned int frames);
void vsnd_ring_silence_bytes(const struct vsnd_ring *ring,
			     unsigned int channel, size_t pos, size_t bytes);

static inline u32 vsnd_ring_index(const struct vsnd_ring *ring, u64 n)
{
	u32 index;

	div_u64_rem(n, ring->frames, &index);
	return index;
}

static inline u8 *vsnd_ring_sample(const struct vsnd_ring *ring, u32 index,
				   unsigned int channel)
{
	return ring->area + index * ring->frame_stride +
	       channel * ring->channel_stride;
}

/**
 * vsnd_ring_copy() - copy frames from one ring to another
 * @dst: ring to write
 * @to: first frame there, counted from the stream's start
 * @src: ring to read; must match, see vsnd_ring_matches()
 * @from: first frame there
 * @frames: how many
 *
 * Context: Any; the caller keeps the memory from being freed.
 */
static inline void vsnd_ring_copy(const struct vsnd_ring *dst, u64 to,
				  const struct vsnd_ring *src, u64 from,
				  unsigned int frames)
{
	u32 out = vsnd_ring_index(dst, to);
	u32 in = vsnd_ring_index(src, from);

	if (likely(dst->interleaved && src->interleaved &&
		   frames <= dst->frames - out && frames <= src->frames - in))
		memcpy(vsnd_ring_sample(dst, out, 0),
		       vsnd_ring_sample(src, in, 0),
		       frames * dst->frame_stride);
	else
		vsnd_ring_copy_pieces(dst, out, src, in, frames);
}

#endif /* VSND_RING_H */
