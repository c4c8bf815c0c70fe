// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards: built from a configuration object, which comes as the platform data
 * of the card's device.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/string.h>

#include "vsnd.h"

static void vsnd_card_private_free(struct snd_card *card)
{
	struct vsnd_card *vcard = card->private_data;

	vsnd_clock_cancel(&vcard->realtime.clock);
}

static int vsnd_card_build(struct vsnd_card *card)
{
	unsigned int i;
	int err;

	for (i = 0; i < card->config->pcm_count; i++) {
		err = vsnd_device_create(card, i);
		if (err < 0)
			return err;
		err = vsnd_control_create(card->pcms[i]);
		if (err < 0)
			return err;
	}
	return vsnd_mixer_create(card);
}

static void vsnd_card_name(struct snd_card *card, int number)
{
	strscpy(card->driver, VSND_NAME, sizeof(card->driver));
	strscpy(card->shortname, "Virtual", sizeof(card->shortname));
	snprintf(card->longname, sizeof(card->longname), "Virtual %i",
		 number + 1);
}

/*
 * When the capture stream of a PCM cannot be registered, the PCM core leaves the
 * playback stream registered, whose device then keeps its parent: to free the
 * card would wait for ever. Those that are registered as a whole lose nothing,
 * since the card goes in any case.
 */
static void vsnd_card_unregister(struct vsnd_card *card)
{
	struct snd_pcm_str *stream;
	unsigned int i;

	for (i = 0; i < card->config->pcm_count; i++) {
		stream = &card->pcms[i]->pcm->streams[SNDRV_PCM_STREAM_PLAYBACK];
		snd_unregister_device(snd_pcm_stream_device(stream));
	}
}

static int vsnd_probe(struct platform_device *pdev)
{
	const struct vsnd_config *config = dev_get_platdata(&pdev->dev);
	struct vsnd_card *vcard;
	struct snd_card *card;
	int err;

	/* One that somebody bound by hand has no description of a card. */
	if (!config || strcmp(pdev->name, VSND_NAME))
		return -ENODEV;
	err = snd_devm_card_new(&pdev->dev, config->index, config->id,
				THIS_MODULE, sizeof(*vcard), &card);
	if (err < 0)
		return err;
	vcard = card->private_data;
	vcard->card = card;
	vcard->config = config;
	vcard->made = ktime_to_ns(ktime_get());
	vsnd_realtime_init(&vcard->realtime);
	card->private_free = vsnd_card_private_free;
	vsnd_card_name(card, pdev->id);
	err = vsnd_card_build(vcard);
	if (err < 0)
		return err;
	err = snd_card_register(card);
	if (err < 0) {
		vsnd_card_unregister(vcard);
		return err;
	}
	platform_set_drvdata(pdev, card);
	return 0;
}

/* The PCM core suspends the streams by itself. */
static int vsnd_suspend(struct device *dev)
{
	snd_power_change_state(dev_get_drvdata(dev), SNDRV_CTL_POWER_D3hot);
	return 0;
}

static int vsnd_resume(struct device *dev)
{
	snd_power_change_state(dev_get_drvdata(dev), SNDRV_CTL_POWER_D0);
	return 0;
}

static const struct dev_pm_ops vsnd_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(vsnd_suspend, vsnd_resume)
};

/*
 * Synchronous, so that whoever creates a card's device knows at once whether
 * there is a card.
 */
struct platform_driver vsnd_driver = {
	.probe = vsnd_probe,
	.driver = {
		.name = VSND_NAME,
		.pm = pm_sleep_ptr(&vsnd_pm_ops),
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};
