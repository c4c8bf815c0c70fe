// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver in the old style, which knows the classic names alone, and the tests
 * that it works. Nothing here but one line in the Kbuild says that the buffers
 * are not the kernel's.
 */

#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include <sound/pcm_params.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536

static int classic_open(struct snd_pcm_substream *substream)
{
	substream->runtime->hw.info = SNDRV_PCM_INFO_MMAP |
				      SNDRV_PCM_INFO_INTERLEAVED;
	substream->runtime->hw.formats = SNDRV_PCM_FMTBIT_S16_LE;
	substream->runtime->hw.rates = SNDRV_PCM_RATE_48000;
	substream->runtime->hw.rate_min = 48000;
	substream->runtime->hw.rate_max = 48000;
	substream->runtime->hw.channels_min = 2;
	substream->runtime->hw.channels_max = 2;
	substream->runtime->hw.buffer_bytes_max = PCMBUF_TEST_BYTES;
	substream->runtime->hw.period_bytes_min = 64;
	substream->runtime->hw.period_bytes_max = PCMBUF_TEST_BYTES / 2;
	substream->runtime->hw.periods_min = 2;
	substream->runtime->hw.periods_max = 1024;
	return 0;
}

static int classic_close(struct snd_pcm_substream *substream)
{
	return 0;
}

static int classic_vmalloc_hw_params(struct snd_pcm_substream *substream,
				     struct snd_pcm_hw_params *params)
{
	return snd_pcm_lib_alloc_vmalloc_buffer(substream,
						params_buffer_bytes(params));
}

static int classic_vmalloc_32_hw_params(struct snd_pcm_substream *substream,
					struct snd_pcm_hw_params *params)
{
	return snd_pcm_lib_alloc_vmalloc_32_buffer(substream,
						   params_buffer_bytes(params));
}

static int classic_flags_hw_params(struct snd_pcm_substream *substream,
				   struct snd_pcm_hw_params *params)
{
	return _snd_pcm_lib_alloc_vmalloc_buffer(substream,
						 params_buffer_bytes(params),
						 GFP_KERNEL | GFP_DMA32 |
						 __GFP_ZERO);
}

static int classic_vmalloc_hw_free(struct snd_pcm_substream *substream)
{
	return snd_pcm_lib_free_vmalloc_buffer(substream);
}

static int classic_pages_hw_params(struct snd_pcm_substream *substream,
				   struct snd_pcm_hw_params *params)
{
	return snd_pcm_lib_malloc_pages(substream, params_buffer_bytes(params));
}

static int classic_pages_hw_free(struct snd_pcm_substream *substream)
{
	return snd_pcm_lib_free_pages(substream);
}

static const struct snd_pcm_ops classic_vmalloc_ops = {
	.open		= classic_open,
	.close		= classic_close,
	.hw_params	= classic_vmalloc_hw_params,
	.hw_free	= classic_vmalloc_hw_free,
	.page		= snd_pcm_lib_get_vmalloc_page,
	.mmap		= snd_pcm_lib_mmap_vmalloc,
};

static const struct snd_pcm_ops classic_vmalloc_32_ops = {
	.open		= classic_open,
	.close		= classic_close,
	.hw_params	= classic_vmalloc_32_hw_params,
	.hw_free	= classic_vmalloc_hw_free,
	.page		= snd_pcm_lib_get_vmalloc_page,
};

static const struct snd_pcm_ops classic_flags_ops = {
	.open		= classic_open,
	.close		= classic_close,
	.hw_params	= classic_flags_hw_params,
	.hw_free	= classic_vmalloc_hw_free,
	.page		= snd_pcm_lib_get_vmalloc_page,
};

static const struct snd_pcm_ops classic_pages_ops = {
	.open		= classic_open,
	.close		= classic_close,
	.hw_params	= classic_pages_hw_params,
	.hw_free	= classic_pages_hw_free,
	.page		= snd_pcm_sgbuf_ops_page,
};

/* As the probe of a PCI card would: only to be compiled. */
static int __maybe_unused classic_pci_probe(struct snd_pcm *pcm,
					    struct pci_dev *pci)
{
	return snd_pcm_lib_preallocate_pages_for_all(pcm,
						     SNDRV_DMA_TYPE_DEV_UC_SG,
						     snd_dma_pci_data(pci),
						     65536, 65536);
}

/* hw_params, as the host would call it, for a buffer of so many bytes */
static int classic_call_hw_params(struct pcmbuf_test *t, size_t bytes)
{
	struct snd_pcm_hw_params *params;
	int err;

	params = kzalloc(sizeof(*params), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	hw_param_interval(params, SNDRV_PCM_HW_PARAM_BUFFER_BYTES)->min = bytes;
	err = t->substream->ops->hw_params(t->substream, params);
	kfree(params);
	return err;
}

static bool classic_start(struct pcmbuf_test *t, const struct snd_pcm_ops *ops)
{
	snd_pcm_set_ops(t->pcm, SNDRV_PCM_STREAM_PLAYBACK, ops);
	return EXPECT_EQ(t, pcmbuf_test_open(t), 0);
}

/* There is no op for scatter-gather memory where the host has none. */
static struct page *classic_page(struct snd_pcm_substream *substream,
				 unsigned long offset)
{
	if (!substream->ops->page)
		return NULL;
	return substream->ops->page(substream, offset);
}

static void classic_life(struct pcmbuf_test *t, bool has_pages)
{
	struct snd_pcm_substream *substream = t->substream;

	if (!EXPECT_EQ(t, classic_call_hw_params(t, PCMBUF_TEST_BYTES), 1))
		return;
	EXPECT_EQ(t, substream->runtime->dma_bytes, PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, !!classic_page(substream, 5000),
		  has_pages && substream->ops->page);
	EXPECT(t, !classic_page(substream, PCMBUF_TEST_BYTES));
	EXPECT(t, snd_pcm_sgbuf_get_ptr(substream, 5000) ==
		  substream->runtime->dma_area + 5000);
	EXPECT(t, snd_pcm_sgbuf_get_addr(substream, 5000));
	EXPECT_EQ(t, snd_pcm_sgbuf_get_chunk_size(substream, 5000, 16), 16);
	EXPECT(t, snd_sgbuf_get_ptr(substream->runtime->dma_buffer_p, 5000) ==
		  substream->runtime->dma_area + 5000);
	EXPECT_EQ(t, classic_call_hw_params(t, 1000), 0);
	EXPECT_EQ(t, substream->ops->hw_free(substream), 0);
	pcmbuf_test_expect_cleared(t);
}

static void classic_test_vmalloc(struct pcmbuf_test *t)
{
	if (classic_start(t, &classic_vmalloc_ops))
		classic_life(t, true);
	EXPECT(t, classic_vmalloc_ops.mmap == snd_pcmbuf_mmap);
}

/* Which helper finds its own kind of memory, and keeps it? */
static void classic_expect_32(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream = t->substream;

	EXPECT_EQ(t, classic_call_hw_params(t, 1000), 1);
	EXPECT_EQ(t, snd_pcm_lib_alloc_vmalloc_32_buffer(substream, 1000), 0);
	EXPECT_EQ(t, snd_pcm_lib_alloc_vmalloc_buffer(substream, 1000), 1);
}

static void classic_test_vmalloc_32(struct pcmbuf_test *t)
{
	if (!classic_start(t, &classic_vmalloc_32_ops))
		return;
	classic_life(t, true);
	classic_expect_32(t);
}

static void classic_test_flags(struct pcmbuf_test *t)
{
	if (!classic_start(t, &classic_flags_ops))
		return;
	classic_life(t, true);
	classic_expect_32(t);
}

/* Any other flag is no wish for low memory. */
static void classic_test_no_zone(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream;

	if (!classic_start(t, &classic_flags_ops))
		return;
	substream = t->substream;
	EXPECT_EQ(t, _snd_pcm_lib_alloc_vmalloc_buffer(substream, 1000,
						       GFP_KERNEL |
						       __GFP_ZERO), 1);
	EXPECT_EQ(t, snd_pcm_lib_alloc_vmalloc_buffer(substream, 1000), 0);
}

/* The kernel's own number, mapped onto a kind of the core's. */
static void classic_type(struct pcmbuf_test *t, int type, void *data,
			 bool has_pages, bool is_vmalloc)
{
	size_t total;

	EXPECT_EQ(t, snd_pcm_lib_preallocate_pages_for_all(t->pcm, type, data,
							   PCMBUF_TEST_BYTES,
							   PCMBUF_TEST_BYTES),
		  0);
	total = pcmbuf_test_total(t);
	if (!classic_start(t, &classic_pages_ops))
		return;
	classic_life(t, has_pages);
	EXPECT_EQ(t, pcmbuf_test_total(t), total);

	EXPECT_EQ(t, classic_call_hw_params(t, 1000), 1);
	EXPECT_EQ(t, !!snd_pcm_lib_get_vmalloc_page(t->substream, 0),
		  is_vmalloc);
	if (is_vmalloc)
		EXPECT_EQ(t, snd_pcm_lib_alloc_vmalloc_buffer(t->substream,
							      1000), 0);
	EXPECT_EQ(t, snd_pcm_lib_free_pages(t->substream), 0);
	EXPECT_EQ(t, snd_pcm_lib_preallocate_free(t->substream), 0);
	EXPECT_EQ(t, snd_pcm_lib_preallocate_free_for_all(t->pcm), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static void classic_test_continuous(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_CONTINUOUS,
		     snd_dma_continuous_data(GFP_KERNEL), true, false);
}

static void classic_test_vmalloc_type(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_VMALLOC,
		     snd_dma_continuous_data(GFP_KERNEL), true, true);
}

static void classic_test_device(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_DEV, t->dev, false, false);
}

static void classic_test_uncached(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_DEV_UC, t->dev, false, false);
}

static void classic_test_isa(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_DEV, snd_dma_isa_data(), false, false);
}

static void classic_test_combined(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_DEV_WC, t->dev, false, false);
}

static void classic_test_on_chip(struct pcmbuf_test *t)
{
	classic_type(t, SNDRV_DMA_TYPE_DEV_IRAM, t->dev, false, false);
}

/* One number with coherent memory where the kernel has no such buffers. */
static void classic_sg(struct pcmbuf_test *t, int type)
{
	classic_type(t, type, t->dev,
		     type != SNDRV_DMA_TYPE_DEV && type != SNDRV_DMA_TYPE_DEV_WC,
		     false);
}

static void classic_test_sg(struct pcmbuf_test *t)
{
	classic_sg(t, SNDRV_DMA_TYPE_DEV_SG);
}

static void classic_test_sg_uncached(struct pcmbuf_test *t)
{
	classic_sg(t, SNDRV_DMA_TYPE_DEV_UC_SG);
}

static void classic_test_sg_combined(struct pcmbuf_test *t)
{
	classic_sg(t, SNDRV_DMA_TYPE_DEV_WC_SG);
}

static void classic_test_one(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *player = t->pcm->streams[0].substream;
	struct snd_pcm_substream *recorder = t->pcm->streams[1].substream;

	if (!pcmbuf_test_preallocates(t, 0))
		return;
	EXPECT_EQ(t, snd_pcm_lib_preallocate_pages(player,
						   SNDRV_DMA_TYPE_CONTINUOUS,
						   NULL, 16384,
						   PCMBUF_TEST_BYTES), 0);
	EXPECT_EQ(t, player->buffer_bytes_max, PAGE_ALIGN(16384));
	EXPECT_EQ(t, player->dma_max, PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, snd_pcm_lib_preallocate_pages(recorder,
						   SNDRV_DMA_TYPE_DEV, NULL,
						   16384, PCMBUF_TEST_BYTES),
		  0);
	EXPECT(t, recorder->dma_buffer.dev.dev == t->dev);
}

/* Every name of coherent memory: of no device it is of the card's parent. */
static void classic_test_no_device(struct pcmbuf_test *t)
{
	static const int types[] = {
		SNDRV_DMA_TYPE_DEV, SNDRV_DMA_TYPE_DEV_UC,
		SNDRV_DMA_TYPE_DEV_WC, SNDRV_DMA_TYPE_DEV_IRAM,
	};
	struct snd_pcm_substream *recorder = t->pcm->streams[1].substream;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++, recorder = recorder->next) {
		EXPECT_EQ(t, snd_pcm_lib_preallocate_pages(recorder, types[i],
							   NULL, 0, 0), 0);
		EXPECT(t, recorder->dma_buffer.dev.dev == t->dev);
	}
}

/* Memory of the device that the driver names, not of the card's parent */
static void classic_test_other_device(struct pcmbuf_test *t)
{
	struct platform_device *other;

	other = platform_device_register_simple("snd-pcmbuf-test", 1, NULL, 0);
	if (!EXPECT(t, !IS_ERR(other)))
		return;
	EXPECT_EQ(t, snd_pcm_lib_preallocate_pages_for_all(t->pcm,
							   SNDRV_DMA_TYPE_DEV,
							   &other->dev, 0, 0),
		  0);
	if (classic_start(t, &classic_pages_ops) &&
	    EXPECT_EQ(t, classic_call_hw_params(t, 1000), 1)) {
		EXPECT(t, t->substream->runtime->dma_buffer_p->dev.dev ==
			  &other->dev);
		EXPECT_EQ(t, snd_pcm_lib_free_pages(t->substream), 0);
	}
	platform_device_unregister(other);
}

static void classic_test_unknown(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream = t->pcm->streams[0].substream;

	EXPECT_EQ(t, snd_pcm_lib_preallocate_pages(substream, 77, NULL, 0, 0),
		  -EINVAL);
	EXPECT_EQ(t, snd_pcm_lib_preallocate_pages(substream,
						   SNDRV_DMA_TYPE_UNKNOWN,
						   NULL, 0, 0), -EINVAL);
}

/* A driver of later years, which has the kernel allocate and only asks where. */
static void classic_test_kernels_own(struct pcmbuf_test *t)
{
	struct snd_dma_buffer dmab = { };

	if (!classic_start(t, &classic_pages_ops))
		return;
	if (!EXPECT_EQ(t, snd_dma_alloc_pages(SNDRV_DMA_TYPE_DEV, t->dev,
					      PCMBUF_TEST_BYTES, &dmab), 0))
		return;
	EXPECT_EQ(t, snd_pcm_sgbuf_get_addr(t->substream, 0), 0);
	EXPECT(t, !snd_pcm_sgbuf_get_ptr(t->substream, 0));

	snd_pcm_set_runtime_buffer(t->substream, &dmab);
	EXPECT(t, snd_pcm_sgbuf_get_addr(t->substream, 5000) ==
		  dmab.addr + 5000);
	EXPECT(t, snd_pcm_sgbuf_get_ptr(t->substream, 5000) ==
		  dmab.area + 5000);
	EXPECT_EQ(t, snd_pcm_sgbuf_get_chunk_size(t->substream, 5000, 16), 16);
	snd_pcm_set_runtime_buffer(t->substream, NULL);
	snd_dma_free_pages(&dmab);
}

const struct pcmbuf_test_case pcmbuf_test_classic_cases[] = {
	{ "classic names: vmalloc helpers", classic_test_vmalloc },
	{ "classic names: vmalloc helpers, 32 bits", classic_test_vmalloc_32 },
	{ "classic names: vmalloc helpers, flags", classic_test_flags },
	{ "classic names: vmalloc helpers, no zone", classic_test_no_zone },
	{ "classic names: continuous", classic_test_continuous },
	{ "classic names: vmalloc", classic_test_vmalloc_type },
	{ "classic names: of a device", classic_test_device },
	{ "classic names: uncached", classic_test_uncached },
	{ "classic names: write-combined", classic_test_combined },
	{ "classic names: on the chip", classic_test_on_chip },
	{ "classic names: of another device", classic_test_other_device },
	{ "classic names: of the ISA bus", classic_test_isa },
	{ "classic names: of no device", classic_test_no_device },
	{ "classic names: scatter-gather", classic_test_sg },
	{ "classic names: scatter-gather, uncached", classic_test_sg_uncached },
	{ "classic names: scatter-gather, write-combined",
	  classic_test_sg_combined },
	{ "classic names: one substream", classic_test_one },
	{ "classic names: unknown type", classic_test_unknown },
	{ "classic names: a buffer of the kernel's", classic_test_kernels_own },
	{ }
};
