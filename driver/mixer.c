// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mixer: a switch for each PCM device that plugs its cables. Sound passes
 * untouched while it is on, and not at all while it is off.
 */
#include <sound/control.h>

#include "vsnd.h"

static int vsnd_switch_get(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);

	value->value.integer.value[0] = READ_ONCE(pcm->plugged);
	return 0;
}

/* Writers are serialised by the control core. */
static int vsnd_switch_put(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);
	bool plugged = value->value.integer.value[0];
	unsigned int i;

	if (plugged == pcm->plugged)
		return 0;
	WRITE_ONCE(pcm->plugged, plugged);
	for (i = 0; i < pcm->config->substreams; i++)
		vsnd_cable_plug(&pcm->cables[i], plugged);
	return 1;
}

static const struct snd_kcontrol_new vsnd_switch = {
	.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
	.name = "PCM Playback Switch",
	.info = snd_ctl_boolean_mono_info,
	.get = vsnd_switch_get,
	.put = vsnd_switch_put,
};

/**
 * vsnd_mixer_create() - add the card's controls
 * @card: the card, with its PCM devices
 *
 * Context: Process context, before the card is registered. May sleep.
 * Return: 0 or a negative error code.
 */
int vsnd_mixer_create(struct vsnd_card *card)
{
	struct snd_kcontrol *kctl;
	unsigned int i;
	int err;

	strscpy(card->card->mixername, "Virtual", sizeof(card->card->mixername));
	for (i = 0; i < card->config->pcm_count; i++) {
		kctl = snd_ctl_new1(&vsnd_switch, card->pcms[i]);
		if (!kctl)
			return -ENOMEM;
		kctl->id.index = i;
		err = snd_ctl_add(card->card, kctl);
		if (err < 0)
			return err;
	}
	return 0;
}
