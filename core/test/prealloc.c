// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preallocation: how much of it there is and for whom, that it is used, and
 * that it comes back.
 */

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536

static void pcmbuf_test_reuse(struct pcmbuf_test *t)
{
	unsigned char *area;
	size_t total;

	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	total = pcmbuf_test_total(t);
	EXPECT(t, total >= 2 * PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT_EQ(t, t->substream->runtime->dma_bytes, 1000);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  0);
	area = t->substream->runtime->dma_area;
	pcmbuf_test_close(t);

	/* the next opener gets the same, the account is as it was */
	EXPECT_EQ(t, pcmbuf_test_open(t), 0);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  1);
	EXPECT(t, t->substream->runtime->dma_area == area);
	EXPECT_EQ(t, pcmbuf_test_total(t), total);

	/* a larger buffer comes on top and goes again */
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
					     PCMBUF_TEST_BYTES + 1), 1);
	EXPECT(t, t->substream->runtime->dma_area != area);
	EXPECT_EQ(t, pcmbuf_test_total(t),
		  total + PCMBUF_TEST_BYTES + PAGE_SIZE);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), total);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT(t, t->substream->runtime->dma_area == area);
}

/* No bytes are no buffer, though one is at hand. */
static void pcmbuf_test_no_bytes(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 0), -EINVAL);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 0), -EINVAL);
	pcmbuf_test_expect_cleared(t);
}

static void pcmbuf_test_expect_numbers(struct pcmbuf_test *t, int stream,
				       unsigned int preallocated)
{
	struct snd_pcm_substream *substream = t->pcm->streams[stream].substream;

	for (; substream; substream = substream->next) {
		size_t wanted = substream->number < preallocated ?
				PCMBUF_TEST_BYTES : UINT_MAX;

		EXPECT_EQ(t, substream->buffer_bytes_max, wanted);
		EXPECT_EQ(t, substream->dma_max, PCMBUF_TEST_BYTES);
	}
}

static void pcmbuf_test_numbers(struct pcmbuf_test *t)
{
	unsigned long enabled = 0, substreams = 0;
	unsigned int wanted;

	EXPECT(t, pcmbuf_test_parameter("preallocate_dma", &enabled));
	EXPECT(t, pcmbuf_test_parameter("maximum_substreams", &substreams));
	wanted = enabled ? min_t(unsigned long, substreams,
				 PCMBUF_TEST_SUBSTREAMS) : 0;
	EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0);
	pcmbuf_test_expect_numbers(t, SNDRV_PCM_STREAM_PLAYBACK, wanted);
	pcmbuf_test_expect_numbers(t, SNDRV_PCM_STREAM_CAPTURE, wanted);
	EXPECT_EQ(t, pcmbuf_test_total(t), 2 * wanted * PCMBUF_TEST_BYTES);
}

static int pcmbuf_test_register_one(struct pcmbuf_test *t, size_t size)
{
	return snd_pcmbuf_preallocate_pages(t->substream,
					    SND_PCMBUF_CONTINUOUS, NULL, size,
					    size);
}

static void pcmbuf_test_halving(struct pcmbuf_test *t)
{
	size_t limit = pcmbuf_test_limit(t);

	if (!limit || !pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	pcmbuf_test_fake_total(t, limit - 300 * 1024);
	EXPECT_EQ(t, pcmbuf_test_register_one(t, 1 << 20), 0);
	EXPECT_EQ(t, t->substream->buffer_bytes_max, 256 * 1024);
	EXPECT_EQ(t, t->substream->dma_max, 1 << 20);
	EXPECT_EQ(t, pcmbuf_test_total(t), 256 * 1024);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 256 * 1024), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), 256 * 1024);
}

/* Room for no more than the least */
static void pcmbuf_test_least(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *recorder = t->pcm->streams[1].substream;
	size_t limit = pcmbuf_test_limit(t);

	if (!limit || !pcmbuf_test_preallocates(t, 0))
		return;
	if (PAGE_SIZE > 16384) {
		t->skip = "a page is more than that";
		return;
	}
	pcmbuf_test_fake_total(t, limit - 20 * 1024);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(recorder, SND_PCMBUF_VMALLOC,
						  NULL, 1 << 20, 0), 0);
	EXPECT_EQ(t, recorder->buffer_bytes_max, 16384);
	EXPECT_EQ(t, pcmbuf_test_total(t), 16384);
}

/* The least is for halves: who asks for less is given it. */
static void pcmbuf_test_small(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *recorder = t->pcm->streams[1].substream;
	struct device *dev = t->kind->has_device ? t->dev : NULL;

	if (!pcmbuf_test_preallocates(t, 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(recorder, t->kind->type, dev,
						  5000, 5000), 0);
	EXPECT_EQ(t, recorder->buffer_bytes_max, PAGE_ALIGN(5000));
	EXPECT_EQ(t, pcmbuf_test_total(t), PAGE_ALIGN(5000));
}

static void pcmbuf_test_nothing_left(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *recorder = t->pcm->streams[1].substream;
	size_t limit = pcmbuf_test_limit(t);

	if (!limit || !pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	/* room for what is less than the least */
	pcmbuf_test_fake_total(t, limit - 12 * 1024);
	EXPECT_EQ(t, pcmbuf_test_register_one(t, 1 << 20), 0);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(recorder, SND_PCMBUF_VMALLOC,
						  NULL, 2 << 20, 0), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	EXPECT_EQ(t, t->substream->buffer_bytes_max, UINT_MAX);
	EXPECT_EQ(t, recorder->buffer_bytes_max, UINT_MAX);

	/* buffers are allocated when they are asked for */
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1 << 20), -ENOMEM);
	pcmbuf_test_fake_total(t, 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1 << 20), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), 1 << 20);
}

static void pcmbuf_test_second(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *other = t->pcm->streams[1].substream;
	static unsigned char not_a_slot[256] __aligned(8);
	size_t total;

	EXPECT_EQ(t, pcmbuf_test_open(t), 0);
	EXPECT_EQ(t, pcmbuf_test_register_one(t, PCMBUF_TEST_BYTES), 0);
	total = pcmbuf_test_total(t);
	EXPECT_EQ(t, pcmbuf_test_register_one(t, PCMBUF_TEST_BYTES), -EINVAL);
	EXPECT_EQ(t, pcmbuf_test_total(t), total);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);

	/* registered with the host */
	other->dma_buffer.dev.type = SNDRV_DMA_TYPE_VMALLOC;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(other, SND_PCMBUF_VMALLOC,
						  NULL, 0, 0), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free(other), 0);
	other->dma_buffer.private_data = not_a_slot;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free(other), 0);
	other->dma_buffer.area = not_a_slot;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free(other), 0);
	memset(&other->dma_buffer, 0, sizeof(other->dma_buffer));
	other->dma_buffer.dev.type = SNDRV_DMA_TYPE_UNKNOWN;
}

static void pcmbuf_test_refuse(struct pcmbuf_test *t, unsigned int type,
			       struct device *dev)
{
	struct snd_pcm_substream *substream = t->pcm->streams[0].substream;

	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(substream, type, dev,
						  PCMBUF_TEST_BYTES,
						  PCMBUF_TEST_BYTES), -EINVAL);
	EXPECT_EQ(t, substream->dma_buffer.dev.type, SNDRV_DMA_TYPE_UNKNOWN);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static void pcmbuf_test_bad_arguments(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream = t->pcm->streams[0].substream;
	/* a device that does no DMA */
	struct device *dev = &t->card->card_dev;

	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(NULL, SND_PCMBUF_VMALLOC,
						  NULL, 0, 0), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(NULL,
							  SND_PCMBUF_VMALLOC,
							  NULL, 0, 0), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free(NULL), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free_for_all(NULL), -EINVAL);
	pcmbuf_test_refuse(t, 0, NULL);
	pcmbuf_test_refuse(t, SND_PCMBUF_COHERENT + 1, NULL);
	pcmbuf_test_refuse(t, UINT_MAX, NULL);
	pcmbuf_test_refuse(t, SND_PCMBUF_COHERENT, NULL);
	pcmbuf_test_refuse(t, SND_PCMBUF_COHERENT, dev);
	pcmbuf_test_refuse(t, SND_PCMBUF_SG, dev);
	/* ignored, as old drivers pass flags for a device */
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(substream,
						  SND_PCMBUF_CONTINUOUS,
						  (struct device *)0xcc0, 0, 0),
		  0);
}

/* The first that is refused ends it; those before it stay as they are. */
static void pcmbuf_test_refuse_all(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *recorder = t->pcm->streams[1].substream;

	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(t->pcm, 0, NULL, 0,
							  0), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(t->pcm,
							  SND_PCMBUF_COHERENT,
							  NULL, 0, 0), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(recorder, SND_PCMBUF_VMALLOC,
						  NULL, 0, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(t->pcm,
							  SND_PCMBUF_VMALLOC,
							  NULL, 0, 0), -EINVAL);
	EXPECT_EQ(t, recorder->next->dma_buffer.dev.type,
		  SNDRV_DMA_TYPE_UNKNOWN);
	if (EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
}

/* One that no program can open has no directory for the files. */
static void pcmbuf_test_no_node(struct pcmbuf_test *t)
{
	struct snd_pcm *pcm;

	if (!EXPECT_EQ(t, snd_pcm_new_internal(t->card, "inner", 1, 1, 1, &pcm),
		       0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(pcm,
							  SND_PCMBUF_VMALLOC,
							  NULL,
							  PCMBUF_TEST_BYTES,
							  PCMBUF_TEST_BYTES),
		  0);
}

static void pcmbuf_test_free(struct pcmbuf_test *t)
{
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free_for_all(t->pcm), 0);
	if (!EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free_for_all(t->pcm), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	EXPECT_EQ(t, t->substream->buffer_bytes_max, UINT_MAX);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free_for_all(t->pcm), 0);

	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PAGE_SIZE), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), PAGE_SIZE);
}

static void pcmbuf_test_free_in_use(struct pcmbuf_test *t)
{
	unsigned char *area;

	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						  PCMBUF_TEST_BYTES), 1))
		return;
	area = t->substream->runtime->dma_area;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_free_for_all(t->pcm), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), PCMBUF_TEST_BYTES);
	EXPECT(t, t->substream->runtime->dma_area == area);
	memset(area, PCMBUF_TEST_DIRT, PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 0);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

/* A record of the host's has private data, too, and an area. */
static void pcmbuf_test_host_record(struct pcmbuf_test *t)
{
	struct snd_dma_buffer *dmab;
	void *foreign;

	foreign = kzalloc(sizeof(*dmab), GFP_KERNEL);
	if (!foreign || !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		goto out;
	dmab = &t->substream->dma_buffer;
	dmab->dev.type = SNDRV_DMA_TYPE_DEV;
	dmab->private_data = foreign;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), -EINVAL);
	dmab->dev.type = SNDRV_DMA_TYPE_UNKNOWN;
	dmab->private_data = NULL;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream, SND_PCMBUF_SG,
						  NULL, 0, 0), 0);
	dmab->area = foreign;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), -EINVAL);
	/* as the host leaves it when it has freed the area */
	dmab->area = NULL;
	dmab->bytes = PAGE_SIZE;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), -EINVAL);
	dmab->bytes = 0;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
out:
	kfree(foreign);
}

const struct pcmbuf_test_case pcmbuf_test_prealloc_cases[] = {
	{ "used by one opener after the other", pcmbuf_test_reuse, true },
	{ "not for a buffer of no bytes", pcmbuf_test_no_bytes, true },
	{ "made for the substreams it should", pcmbuf_test_numbers, true },
	{ "halved where there is too little", pcmbuf_test_halving },
	{ "halved to 16 KiB", pcmbuf_test_least },
	{ "a few bytes, too, where they are asked for", pcmbuf_test_small,
	  true },
	{ "none where there is nothing", pcmbuf_test_nothing_left },
	{ "a second registration is refused", pcmbuf_test_second },
	{ "the host's record is not ours", pcmbuf_test_host_record },
	{ "bad arguments leave nothing behind", pcmbuf_test_bad_arguments },
	{ "all of a PCM, or an error", pcmbuf_test_refuse_all },
	{ "made for a PCM without nodes", pcmbuf_test_no_node },
	{ "freed before the card", pcmbuf_test_free, true },
	{ "freed while a runtime uses it", pcmbuf_test_free_in_use, true },
	{ }
};
