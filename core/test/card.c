// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card of a test: made before it, freed after it, and asked then whether
 * all memory has come back.
 */

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "test.h"

static const struct snd_pcm_hardware pcmbuf_test_hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
		SNDRV_PCM_INFO_INTERLEAVED,
	.formats = SNDRV_PCM_FMTBIT_S16_LE,
	.rates = SNDRV_PCM_RATE_48000,
	.rate_min = 48000,
	.rate_max = 48000,
	.channels_min = 2,
	.channels_max = 2,
	.buffer_bytes_max = 1 << 20,
	.period_bytes_min = 64,
	.period_bytes_max = 1 << 19,
	.periods_min = 2,
	.periods_max = 1024,
};

static int pcmbuf_test_pcm_open(struct snd_pcm_substream *substream)
{
	substream->runtime->hw = pcmbuf_test_hardware;
	return 0;
}

static int pcmbuf_test_pcm_close(struct snd_pcm_substream *substream)
{
	return 0;
}

static int pcmbuf_test_pcm_copy(struct snd_pcm_substream *substream,
				int channel, unsigned long pos,
				snd_pcm_copy_samples *samples,
				unsigned long bytes)
{
	return -EIO;
}

static const struct snd_pcm_ops pcmbuf_test_ops = {
	.open	= pcmbuf_test_pcm_open,
	.close	= pcmbuf_test_pcm_close,
	.mmap	= snd_pcmbuf_mmap,
};

static const struct snd_pcm_ops pcmbuf_test_copy_ops = {
	.open			= pcmbuf_test_pcm_open,
	.close			= pcmbuf_test_pcm_close,
	.snd_pcm_copy_op	= pcmbuf_test_pcm_copy,
};

/* The last that is heard of a card, when its devices are freed. */
static void pcmbuf_test_card_private_free(struct snd_card *card)
{
	struct pcmbuf_test *t = card->private_data;

	t->left = card->total_pcm_alloc_bytes;
}

/* Ops for all streams, with a copy op or without. */
void pcmbuf_test_set_ops(struct pcmbuf_test *t, bool copy)
{
	const struct snd_pcm_ops *ops;

	ops = copy ? &pcmbuf_test_copy_ops : &pcmbuf_test_ops;
	snd_pcm_set_ops(t->pcm, SNDRV_PCM_STREAM_PLAYBACK, ops);
	snd_pcm_set_ops(t->pcm, SNDRV_PCM_STREAM_CAPTURE, ops);
}

int pcmbuf_test_card_new(struct pcmbuf_test *t)
{
	int err;

	t->fake = 0;
	t->left = SIZE_MAX;
	t->card = NULL;
	t->file = kzalloc(sizeof(*t->file), GFP_KERNEL);
	if (!t->file)
		return -ENOMEM;
	err = snd_card_new(t->dev, -1, "PcmbufTest", THIS_MODULE, 0, &t->card);
	if (err < 0)
		goto err_free_file;
	t->card->private_data = t;
	t->card->private_free = pcmbuf_test_card_private_free;
	err = snd_pcm_new(t->card, "test", 0, PCMBUF_TEST_SUBSTREAMS,
			  PCMBUF_TEST_SUBSTREAMS, &t->pcm);
	if (err < 0)
		goto err_free_card;
	pcmbuf_test_set_ops(t, false);
	return 0;

err_free_card:
	snd_card_free(t->card);
	t->card = NULL;
err_free_file:
	kfree(t->file);
	return err;
}

/*
 * Closes what the test left open, and frees nothing that the core should. A test
 * that frees its card and cannot make another leaves none.
 */
void pcmbuf_test_card_free(struct pcmbuf_test *t)
{
	if (!t->card)
		return;
	pcmbuf_test_close(t);
	pcmbuf_test_fake_total(t, 0);
	snd_card_free(t->card);
	kfree(t->file);
}

/* Open the first playback substream that is free: t->substream. */
int pcmbuf_test_open(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream;
	int err;

	mutex_lock(&t->pcm->open_mutex);
	err = snd_pcm_open_substream(t->pcm, SNDRV_PCM_STREAM_PLAYBACK, t->file,
				     &substream);
	mutex_unlock(&t->pcm->open_mutex);
	if (!err)
		t->substream = substream;
	return err;
}

/* As a driver's hw_free op and the host's close, if it is open. */
void pcmbuf_test_close(struct pcmbuf_test *t)
{
	if (!t->substream)
		return;
	atomic_set(&t->substream->mmap_count, 0);
	snd_pcmbuf_free_pages(t->substream);
	mutex_lock(&t->pcm->open_mutex);
	snd_pcm_release_substream(t->substream);
	mutex_unlock(&t->pcm->open_mutex);
	t->substream = NULL;
}

/* Register all substreams for the kind of the test. */
int pcmbuf_test_register(struct pcmbuf_test *t, size_t size)
{
	return snd_pcmbuf_preallocate_pages_for_all(t->pcm, t->kind->type,
						    t->kind->has_device ?
						    t->dev : NULL,
						    size, size);
}

/* Bytes that the card is charged with, without those that are pretended. */
size_t pcmbuf_test_total(struct pcmbuf_test *t)
{
	size_t total;

	mutex_lock(&t->card->memory_mutex);
	total = t->card->total_pcm_alloc_bytes - t->fake;
	mutex_unlock(&t->card->memory_mutex);
	return total;
}

/* Pretend that the card had so many bytes more. */
void pcmbuf_test_fake_total(struct pcmbuf_test *t, size_t bytes)
{
	mutex_lock(&t->card->memory_mutex);
	t->card->total_pcm_alloc_bytes += bytes - t->fake;
	t->fake = bytes;
	mutex_unlock(&t->card->memory_mutex);
}

/* What a parameter of the core was set to. */
bool pcmbuf_test_parameter(const char *name, unsigned long *value)
{
	char path[80], text[24];
	struct file *file;
	loff_t pos = 0;
	ssize_t len;
	bool truth;

	snprintf(path, sizeof(path), "/sys/module/snd_pcmbuf/parameters/%s",
		 name);
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return false;
	len = kernel_read(file, text, sizeof(text) - 1, &pos);
	filp_close(file, NULL);
	if (len <= 0)
		return false;
	text[len] = '\0';
	if (!kstrtoul(strim(text), 0, value))
		return true;
	if (kstrtobool(text, &truth))
		return false;
	*value = truth;
	return true;
}

/* Bytes a card may have; 0, and the test is skipped, where that is no limit. */
size_t pcmbuf_test_limit(struct pcmbuf_test *t)
{
	unsigned long limit = 0;

	EXPECT(t, pcmbuf_test_parameter("max_alloc_per_card", &limit));
	if (!limit)
		t->skip = "max_alloc_per_card is 0";
	return limit;
}

/* Does the core preallocate for this substream? If not the test is skipped. */
bool pcmbuf_test_preallocates(struct pcmbuf_test *t, unsigned int number)
{
	unsigned long enabled = 0, substreams = 0;

	EXPECT(t, pcmbuf_test_parameter("preallocate_dma", &enabled));
	EXPECT(t, pcmbuf_test_parameter("maximum_substreams", &substreams));
	if (enabled && number < substreams)
		return true;
	t->skip = "nothing is preallocated by the core's parameters";
	return false;
}

/* The runtime has no trace of a buffer. */
void pcmbuf_test_expect_cleared(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime = t->substream->runtime;

	EXPECT(t, !runtime->dma_area);
	EXPECT(t, !runtime->dma_buffer_p);
	EXPECT_EQ(t, runtime->dma_addr, 0);
	EXPECT_EQ(t, runtime->dma_bytes, 0);
}

bool pcmbuf_test_is_zero(const void *area, size_t bytes)
{
	return !memchr_inv(area, 0, bytes);
}
