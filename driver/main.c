// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: its parameters, and the configurations of cards they describe.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include "vsnd.h"

static int index[SNDRV_CARDS] = SNDRV_DEFAULT_IDX;
module_param_array(index, int, NULL, 0444);
MODULE_PARM_DESC(index, "ALSA card number of each card (default: any free)");

static char *id[SNDRV_CARDS] = SNDRV_DEFAULT_STR;
module_param_array(id, charp, NULL, 0444);
MODULE_PARM_DESC(id, "ALSA id of each card (default: Virtual)");

static bool enable[SNDRV_CARDS] = { true };
module_param_array(enable, bool, NULL, 0444);
MODULE_PARM_DESC(enable, "which of up to 32 cards to make (default: the first)");

static char *pcm_buffers[VSND_PCMS_MAX] = { "vmalloc", "continuous" };
static int pcm_count = 2;
module_param_array(pcm_buffers, charp, &pcm_count, 0444);
MODULE_PARM_DESC(pcm_buffers, "PCM devices of a card, by where each has its buffers from: vmalloc, vmalloc32, continuous, sg, dma (default: vmalloc,continuous)");

static char *pcm_clocks[VSND_PCMS_MAX];
static int clock_count;
module_param_array(pcm_clocks, charp, &clock_count, 0444);
MODULE_PARM_DESC(pcm_clocks, "clock of each PCM device: realtime, client, step, scaled, timer (default: realtime)");

static unsigned int pcm_substreams = 1;
module_param(pcm_substreams, uint, 0444);
MODULE_PARM_DESC(pcm_substreams, "substreams of a PCM device, 1..128 (default: 1)");

static unsigned int buffer_kb = 2048;
module_param(buffer_kb, uint, 0444);
MODULE_PARM_DESC(buffer_kb, "largest buffer of a stream in KiB, 64..32768 (default: 2048)");

static unsigned int prealloc_kb = 512;
module_param(prealloc_kb, uint, 0444);
MODULE_PARM_DESC(prealloc_kb, "preallocated for each stream of a continuous or dma device in KiB, 0..32768, at most buffer_kb of it (default: 512)");

static unsigned int rate_min = VSND_RATE_MIN;
module_param(rate_min, uint, 0444);
MODULE_PARM_DESC(rate_min, "lowest rate in Hz, 5512..rate_max (default: 5512)");

static unsigned int rate_max = VSND_RATE_MAX;
module_param(rate_max, uint, 0444);
MODULE_PARM_DESC(rate_max, "highest rate in Hz, 5512..768000 (default: 768000)");

static unsigned int channels_min = 1;
module_param(channels_min, uint, 0444);
MODULE_PARM_DESC(channels_min, "fewest channels, 1..channels_max (default: 1)");

static unsigned int channels_max = VSND_CHANNELS_MAX;
module_param(channels_max, uint, 0444);
MODULE_PARM_DESC(channels_max, "most channels, 1..256 (default: 256)");

static unsigned int latency_frames;
module_param(latency_frames, uint, 0444);
MODULE_PARM_DESC(latency_frames, "recorders hear this many frames later, 0..768000 (default: 0)");

static unsigned int start_grid_us = 1000;
module_param(start_grid_us, uint, 0444);
MODULE_PARM_DESC(start_grid_us, "spacing in us of the instants at which streams start, 0..10000, at most a period; 0: at once (default: 1000)");

struct workqueue_struct *vsnd_workqueue;

static struct platform_device *vsnd_devices[SNDRV_CARDS];

static int vsnd_check_range(const char *name, unsigned int value,
			    unsigned int min, unsigned int max)
{
	if (value >= min && value <= max)
		return 0;
	pr_err(VSND_NAME ": %s=%u: out of range %u..%u\n", name, value, min, max);
	return -EINVAL;
}

static int vsnd_check_ranges(void)
{
	const struct {
		const char *name;
		unsigned int value, min, max;
	} ranges[] = {
		{ "pcm_substreams", pcm_substreams, 1, VSND_SUBSTREAMS_MAX },
		{ "buffer_kb", buffer_kb, 64, VSND_BUFFER_BYTES_MAX >> 10 },
		{ "prealloc_kb", prealloc_kb, 0, VSND_BUFFER_BYTES_MAX >> 10 },
		{ "rate_max", rate_max, VSND_RATE_MIN, VSND_RATE_MAX },
		{ "rate_min", rate_min, VSND_RATE_MIN, rate_max },
		{ "channels_max", channels_max, 1, VSND_CHANNELS_MAX },
		{ "channels_min", channels_min, 1, channels_max },
		{ "latency_frames", latency_frames, 0, VSND_LATENCY_MAX },
		{ "start_grid_us", start_grid_us, 0, 10000 },
	};
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		err = vsnd_check_range(ranges[i].name, ranges[i].value,
				       ranges[i].min, ranges[i].max);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Negative numbers are ALSA's: a bit mask of the numbers to choose from. */
static int vsnd_check_indexes(void)
{
	size_t i;

	for (i = 0; i < SNDRV_CARDS; i++) {
		if (!enable[i] || index[i] < SNDRV_CARDS)
			continue;
		pr_err(VSND_NAME ": index=%d: larger than %d\n", index[i],
		       SNDRV_CARDS - 1);
		return -EINVAL;
	}
	return 0;
}

static int vsnd_check_clocks(void)
{
	if (clock_count <= pcm_count)
		return 0;
	pr_err(VSND_NAME ": pcm_clocks: %d clocks for %d PCM devices\n",
	       clock_count, pcm_count);
	return -EINVAL;
}

static int vsnd_fill_clock(struct vsnd_pcm_config *pcm, const char *clock)
{
	int kind = clock ? vsnd_device_find_clock(clock) : VSND_CLOCK_REALTIME;

	if (kind < 0) {
		pr_err(VSND_NAME ": pcm_clocks=%s: not one of realtime, client, step, scaled, timer\n",
		       clock);
		return -EINVAL;
	}
	pcm->clock = kind;
	return 0;
}

static int vsnd_fill_pcm(struct vsnd_pcm_config *pcm, const char *buffers)
{
	pcm->buffers = vsnd_buffers_find(buffers);
	if (!pcm->buffers) {
		pr_err(VSND_NAME ": pcm_buffers=%s: not one of vmalloc, vmalloc32, continuous, sg, dma\n",
		       buffers);
		return -EINVAL;
	}
	pcm->scale[0] = 1;
	pcm->scale[1] = 1;
	pcm->source.dev_class = SNDRV_TIMER_CLASS_GLOBAL;
	pcm->source.device = SNDRV_TIMER_GLOBAL_HRTIMER;
	pcm->substreams = pcm_substreams;
	pcm->latency = latency_frames;
	pcm->buffer_bytes_max = (size_t)buffer_kb << 10;
	pcm->prealloc_bytes = (size_t)min(prealloc_kb, buffer_kb) << 10;
	pcm->rate_min = rate_min;
	pcm->rate_max = rate_max;
	pcm->channels_min = channels_min;
	pcm->channels_max = channels_max;
	return 0;
}

/* What all cards have in common. */
static int vsnd_fill_config(struct vsnd_config *config)
{
	int err, i;

	err = vsnd_check_ranges();
	if (err < 0)
		return err;
	err = vsnd_check_indexes();
	if (err < 0)
		return err;
	err = vsnd_check_clocks();
	if (err < 0)
		return err;
	config->start_grid_ns = start_grid_us * NSEC_PER_USEC;
	config->pcm_count = pcm_count;
	for (i = 0; i < pcm_count; i++) {
		err = vsnd_fill_pcm(&config->pcms[i], pcm_buffers[i]);
		if (err < 0)
			return err;
		err = vsnd_fill_clock(&config->pcms[i], pcm_clocks[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

static int vsnd_create_card(struct vsnd_config *config, int number)
{
	struct platform_device *pdev;

	config->index = index[number];
	strscpy(config->id, id[number] ? id[number] : "Virtual",
		sizeof(config->id));
	pdev = platform_device_register_data(NULL, VSND_NAME, number, config,
					     sizeof(*config));
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	vsnd_devices[number] = pdev;
	return platform_get_drvdata(pdev) ? 0 : -ENODEV;
}

static void vsnd_destroy_cards(void)
{
	int i;

	for (i = SNDRV_CARDS - 1; i >= 0; i--)
		platform_device_unregister(vsnd_devices[i]);
}

static int vsnd_create_cards(void)
{
	struct vsnd_config *config;
	int err = 0;
	int i;

	config = kzalloc(sizeof(*config), GFP_KERNEL);
	if (!config)
		return -ENOMEM;
	err = vsnd_fill_config(config);
	for (i = 0; i < SNDRV_CARDS && !err; i++)
		if (enable[i])
			err = vsnd_create_card(config, i);
	kfree(config);
	return err;
}

static int __init vsnd_init(void)
{
	int err;

	/* Moving data is work for any CPU. */
	vsnd_workqueue = alloc_workqueue(VSND_NAME, WQ_UNBOUND, 0);
	if (!vsnd_workqueue)
		return -ENOMEM;
	err = platform_driver_register(&vsnd_driver);
	if (err < 0)
		goto err_destroy_workqueue;
	err = vsnd_create_cards();
	if (err < 0)
		goto err_destroy_cards;
	return 0;

err_destroy_cards:
	vsnd_destroy_cards();
	platform_driver_unregister(&vsnd_driver);
err_destroy_workqueue:
	destroy_workqueue(vsnd_workqueue);
	return err;
}
module_init(vsnd_init);

static void __exit vsnd_exit(void)
{
	vsnd_destroy_cards();
	platform_driver_unregister(&vsnd_driver);
	destroy_workqueue(vsnd_workqueue);
}
module_exit(vsnd_exit);

MODULE_AUTHOR("snd-virtual contributors");
MODULE_DESCRIPTION("Virtual sound card");
MODULE_LICENSE("GPL");
MODULE_VERSION(SND_VIRTUAL_VERSION);
