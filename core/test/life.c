// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a slot hangs on: the card's devices and the files in procfs, so that its
 * memory comes back even if the driver forgets it, and when it should.
 */

#include <linux/dcache.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/namei.h>
#include <linux/path.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536

/* What is left with the card is looked at after every test. */
static void pcmbuf_test_forgotten(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0))
		return;
	EXPECT(t, pcmbuf_test_total(t) > 0);
}

static void pcmbuf_test_pcm_alone(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0))
		return;
	EXPECT(t, pcmbuf_test_total(t) > 0);
	snd_device_free(t->card, t->pcm);
	if (IS_ENABLED(CONFIG_SND_VERBOSE_PROCFS))
		EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

/* With no file in procfs nothing tells that the PCM is gone. */
static void pcmbuf_test_pcm_alone_no_file(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(t->pcm,
							  SND_PCMBUF_VMALLOC,
							  NULL,
							  PCMBUF_TEST_BYTES, 0),
		  0);
	EXPECT(t, pcmbuf_test_total(t) > 0);
	snd_device_free(t->card, t->pcm);
	EXPECT(t, pcmbuf_test_total(t) > 0);
}

/* Bytes of the card when a device of the driver's was freed */
static size_t pcmbuf_test_noted;

static int pcmbuf_test_note(struct snd_device *device)
{
	pcmbuf_test_noted = device->card->total_pcm_alloc_bytes;
	return 0;
}

/*
 * DMA memory may belong to a device of the driver's, and has to go before it.
 * With no file in procfs it does not go with the PCM.
 */
static void pcmbuf_test_order(struct pcmbuf_test *t, enum snd_device_type type)
{
	static const struct snd_device_ops ops = {
		.dev_free = pcmbuf_test_note,
	};

	pcmbuf_test_noted = SIZE_MAX;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(t->pcm,
							  SND_PCMBUF_VMALLOC,
							  NULL,
							  PCMBUF_TEST_BYTES, 0),
		  0);
	EXPECT_EQ(t, snd_device_new(t->card, type, t, &ops), 0);
	pcmbuf_test_card_free(t);
	EXPECT_EQ(t, t->left, 0);
}

static void pcmbuf_test_lowlevel(struct pcmbuf_test *t)
{
	if (!pcmbuf_test_preallocates(t, 0))
		return;
	pcmbuf_test_order(t, SNDRV_DEV_LOWLEVEL);
	EXPECT_EQ(t, pcmbuf_test_noted, 0);
	if (!EXPECT_EQ(t, pcmbuf_test_card_new(t), 0))
		return;
	/* what sees that it would be seen */
	pcmbuf_test_order(t, SNDRV_DEV_CODEC);
	EXPECT(t, pcmbuf_test_noted > 0 && pcmbuf_test_noted != SIZE_MAX);
	EXPECT_EQ(t, pcmbuf_test_card_new(t), 0);
}

static void pcmbuf_test_expect_file(struct pcmbuf_test *t, const char *name,
				    umode_t wanted)
{
	struct path path;
	char text[64];

	snprintf(text, sizeof(text), "/proc/asound/card%d/pcm0p/sub0/%s",
		 t->card->number, name);
	if (!EXPECT_EQ(t, kern_path(text, LOOKUP_FOLLOW, &path), 0))
		return;
	EXPECT_EQ(t, d_inode(path.dentry)->i_mode & 0777, wanted);
	path_put(&path);
}

/* A driver may let its device go; a buffer of it is still to be freed then. */
static void pcmbuf_test_holds_device(struct pcmbuf_test *t)
{
	unsigned int users = kref_read(&t->dev->kobj.kref);
	struct device *dev = t->kind->has_device ? t->dev : NULL;

	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->pcm->streams[1].substream,
						  t->kind->type, dev, 0, 0), 0);
	EXPECT_EQ(t, kref_read(&t->dev->kobj.kref), users + !!dev);
}

/* Before the card, the host makes the files when the card is registered. */
static void pcmbuf_test_files(struct pcmbuf_test *t)
{
	if (!IS_ENABLED(CONFIG_SND_VERBOSE_PROCFS)) {
		t->skip = "the kernel has no such files";
		return;
	}
	EXPECT_EQ(t, snd_card_register(t->card), 0);
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages_for_all(t->pcm,
							  SND_PCMBUF_VMALLOC,
							  NULL, 0,
							  PCMBUF_TEST_BYTES),
		  0);
	pcmbuf_test_expect_file(t, "prealloc", 0644);
	pcmbuf_test_expect_file(t, "prealloc_max", 0444);
}

const struct pcmbuf_test_case pcmbuf_test_life_cases[] = {
	{ "freed with the card if forgotten", pcmbuf_test_forgotten, true },
	{ "freed with the PCM alone", pcmbuf_test_pcm_alone, true },
	{ "or later, with no file", pcmbuf_test_pcm_alone_no_file },
	{ "freed before the driver's own device", pcmbuf_test_lowlevel },
	{ "its device is held by each", pcmbuf_test_holds_device, true },
	{ "files for a PCM that is later than its card", pcmbuf_test_files },
	{ }
};
