// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings against a plain model: sample by sample, in every layout, over every
 * wrap, and not a byte beside.
 */

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "test.h"

/* The rings of the driver, again: a module cannot have another's. */
#include "../ring.c"

#define ROUNDS		400
#define FRAMES_MAX	97
#define CHANNELS_MAX	9
#define GUARD		64	/* bytes on both sides */
#define AREA_MAX	(FRAMES_MAX * CHANNELS_MAX * 8)
#define DIRT		0xa5

static const snd_pcm_format_t vsnd_test_formats[] = {
	SNDRV_PCM_FORMAT_S8, SNDRV_PCM_FORMAT_U8, SNDRV_PCM_FORMAT_S16_LE,
	SNDRV_PCM_FORMAT_U16_BE, SNDRV_PCM_FORMAT_S24_3LE,
	SNDRV_PCM_FORMAT_U24_3LE, SNDRV_PCM_FORMAT_S32_LE,
	SNDRV_PCM_FORMAT_FLOAT_BE, SNDRV_PCM_FORMAT_FLOAT64_LE,
};

/**
 * struct vsnd_test_rings - two rings, and what the second has to become
 * @memory: of both and of the model, with guards
 * @src: ring to copy from
 * @dst: ring to copy to
 * @wanted: what has to be in @dst, guards included
 */
struct vsnd_test_rings {
	u8 memory[3][AREA_MAX + 2 * GUARD];
	struct vsnd_ring src;
	struct vsnd_ring dst;
	u8 *wanted;
};

/* As a stream of these parameters would have it */
static void vsnd_test_lay(struct vsnd_ring *ring, u8 *area,
			  snd_pcm_format_t format, unsigned int channels,
			  unsigned int frames, bool interleaved)
{
	struct snd_pcm_runtime *runtime;

	runtime = kzalloc(sizeof(*runtime), GFP_KERNEL);
	if (!runtime)
		return;
	runtime->format = format;
	runtime->rate = 48000;
	runtime->channels = channels;
	runtime->buffer_size = frames;
	runtime->access = interleaved ? SNDRV_PCM_ACCESS_RW_INTERLEAVED :
			  SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED;
	runtime->dma_area = area;
	runtime->dma_bytes = frames * channels *
			     snd_pcm_format_physical_width(format) / 8;
	vsnd_ring_init(ring, runtime);
	kfree(runtime);
}

static void vsnd_test_draw(struct vsnd_test_rings *r, u64 *seed)
{
	snd_pcm_format_t format;
	unsigned int channels;
	size_t i;

	format = vsnd_test_formats[vsnd_test_random(seed,
				   ARRAY_SIZE(vsnd_test_formats))];
	channels = 1 + vsnd_test_random(seed, CHANNELS_MAX);
	vsnd_test_lay(&r->src, r->memory[0] + GUARD, format, channels,
		      1 + vsnd_test_random(seed, FRAMES_MAX),
		      vsnd_test_random(seed, 2));
	vsnd_test_lay(&r->dst, r->memory[1] + GUARD, format, channels,
		      1 + vsnd_test_random(seed, FRAMES_MAX),
		      vsnd_test_random(seed, 2));
	for (i = 0; i < sizeof(r->memory[0]); i++)
		r->memory[0][i] = vsnd_test_random(seed, 256);
	memset(r->memory[1], DIRT, sizeof(r->memory[1]));
	memset(r->memory[2], DIRT, sizeof(r->memory[2]));
	r->wanted = r->memory[2] + GUARD;
}

/* Where a sample lies, by the definition of both layouts */
static size_t vsnd_test_offset(const struct vsnd_ring *ring, u64 n,
			       unsigned int channel)
{
	u32 index;

	div_u64_rem(n, ring->frames, &index);
	if (ring->interleaved)
		return (index * ring->channels + channel) *
		       ring->sample_bytes;
	return (channel * ring->frames + index) * ring->sample_bytes;
}

static void vsnd_test_expect_wanted(struct vsnd_test *t,
				    const struct vsnd_test_rings *r)
{
	EXPECT_EQ(t, memcmp(r->memory[1], r->memory[2],
			    sizeof(r->memory[1])), 0);
}

static void vsnd_test_copy_once(struct vsnd_test *t, struct vsnd_test_rings *r,
				u64 *seed)
{
	u64 to = vsnd_test_random(seed, 1ULL << 40);
	u64 from = vsnd_test_random(seed, 1ULL << 40);
	unsigned int frames = vsnd_test_random(seed, r->dst.frames + 1);
	unsigned int bytes = r->dst.sample_bytes;
	unsigned int i, channel;

	for (i = 0; i < frames; i++)
		for (channel = 0; channel < r->dst.channels; channel++)
			memcpy(r->wanted +
			       vsnd_test_offset(&r->dst, to + i, channel),
			       r->src.area +
			       vsnd_test_offset(&r->src, from + i, channel),
			       bytes);
	vsnd_ring_copy(&r->dst, to, &r->src, from, frames);
	vsnd_test_expect_wanted(t, r);
}

static void vsnd_test_silence_once(struct vsnd_test *t,
				   struct vsnd_test_rings *r, u64 *seed)
{
	u64 at = vsnd_test_random(seed, 1ULL << 40);
	unsigned int frames = vsnd_test_random(seed, r->dst.frames + 1);
	unsigned int i, channel;

	for (i = 0; i < frames; i++)
		for (channel = 0; channel < r->dst.channels; channel++)
			memcpy(r->wanted +
			       vsnd_test_offset(&r->dst, at + i, channel),
			       snd_pcm_format_silence_64(r->dst.format),
			       r->dst.sample_bytes);
	vsnd_ring_silence(&r->dst, at, frames);
	vsnd_test_expect_wanted(t, r);
}

static void vsnd_test_rounds(struct vsnd_test *t, u64 seed,
			     void (*once)(struct vsnd_test *t,
					  struct vsnd_test_rings *r, u64 *seed))
{
	struct vsnd_test_rings *r = kvzalloc(sizeof(*r), GFP_KERNEL);
	int i;

	if (!EXPECT_EQ(t, !r, false))
		return;
	for (i = 0; i < ROUNDS && !t->failed; i++) {
		vsnd_test_draw(r, &seed);
		once(t, r, &seed);
	}
	kvfree(r);
}

static void vsnd_test_copies(struct vsnd_test *t)
{
	vsnd_test_rounds(t, 1, vsnd_test_copy_once);
}

static void vsnd_test_silences(struct vsnd_test *t)
{
	vsnd_test_rounds(t, 2, vsnd_test_silence_once);
}

static void vsnd_test_own_ring(struct vsnd_test *t)
{
	struct vsnd_ring like, ring = { };
	u32 frame_bytes;
	u8 area[8];

	vsnd_test_lay(&like, area, SNDRV_PCM_FORMAT_S32_LE, 256, 1, false);
	frame_bytes = 4 * 256;
	EXPECT_EQ(t, vsnd_ring_alloc_like(&ring, &like, VSND_BUFFER_BYTES_MAX /
					  frame_bytes + 1), -ENOMEM);
	EXPECT_EQ(t, !ring.area, true);
	EXPECT_EQ(t, vsnd_ring_alloc_like(&ring, &like, UINT_MAX), -ENOMEM);
	if (!EXPECT_EQ(t, vsnd_ring_alloc_like(&ring, &like, 100), 0))
		return;
	EXPECT_EQ(t, vsnd_ring_matches(&ring, &like), true);
	EXPECT_EQ(t, ring.frames, 100);
	EXPECT_EQ(t, !memchr_inv(ring.area, 0, 100 * frame_bytes), true);
	vsnd_ring_free(&ring);
	EXPECT_EQ(t, !ring.area, true);
}

const struct vsnd_test_case vsnd_test_ring_cases[] = {
	{ "frames are copied between any two layouts", vsnd_test_copies },
	{ "silence is that of the format", vsnd_test_silences },
	{ "a ring of the driver's own is bounded and silent",
	  vsnd_test_own_ring },
	{ }
};
