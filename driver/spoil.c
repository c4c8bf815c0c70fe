// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controls of the PCM interface by which a device is made imperfect.
 */
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/stddef.h>
#include <sound/control.h>

#include "vsnd.h"

/**
 * struct vsnd_imperfect_control - a control of a member of vsnd_imperfect
 * @name: its name
 * @offset: of the member
 * @min: least value
 * @max: greatest value
 */
struct vsnd_imperfect_control {
	const char *name;
	size_t offset;
	s32 min;
	s32 max;
};

#define VSND_CONTROL(name, member, min, max) \
	{ name, offsetof(struct vsnd_imperfect, member), min, max }

static const struct vsnd_imperfect_control vsnd_imperfect_controls[] = {
	VSND_CONTROL("PCM Imperfection", on, 0, 1),
	VSND_CONTROL("PCM Imperfection Seed", seed, 0, S32_MAX),
	VSND_CONTROL("PCM Clock Drift", drift, -200000000, 200000000),
	VSND_CONTROL("PCM Clock Wander", wander, 0, 200000000),
	VSND_CONTROL("PCM Clock Wander Period", wander_ms, 100, 3600000),
	VSND_CONTROL("PCM Clock Walk", walk, 0, 10000000),
	VSND_CONTROL("PCM Clock Walk Limit", walk_max, 0, 200000000),
	VSND_CONTROL("PCM Wakeup Delay", delay_us, 0, 1000000),
	VSND_CONTROL("PCM Wakeup Jitter", jitter_us, 0, 1000000),
	VSND_CONTROL("PCM Wakeup Loss", loss, 0, 1000000),
};

static const struct vsnd_imperfect_control *
vsnd_imperfect_control_of(const struct snd_kcontrol *kctl)
{
	return &vsnd_imperfect_controls[kctl->private_value];
}

static bool vsnd_imperfect_is_switch(const struct vsnd_imperfect_control *control)
{
	return control->offset == offsetof(struct vsnd_imperfect, on);
}

/* The device's setting that a control stands for. */
static s32 *vsnd_imperfect_setting(const struct snd_kcontrol *kctl)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);

	return (void *)&pcm->imperfect + vsnd_imperfect_control_of(kctl)->offset;
}

static int vsnd_imperfect_info(struct snd_kcontrol *kctl,
			       struct snd_ctl_elem_info *info)
{
	const struct vsnd_imperfect_control *control =
		vsnd_imperfect_control_of(kctl);

	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	if (vsnd_imperfect_is_switch(control))
		info->type = SNDRV_CTL_ELEM_TYPE_BOOLEAN;
	info->count = 1;
	info->value.integer.min = control->min;
	info->value.integer.max = control->max;
	return 0;
}

static int vsnd_imperfect_get(struct snd_kcontrol *kctl,
			      struct snd_ctl_elem_value *value)
{
	value->value.integer.value[0] = READ_ONCE(*vsnd_imperfect_setting(kctl));
	return 0;
}

static int vsnd_imperfect_set(struct vsnd_pcm *pcm, s32 *setting, s32 value)
{
	bool was_on = pcm->imperfect.on;
	unsigned int i;

	lockdep_assert_held(&pcm->settings);
	if (*setting == value)
		return 0;
	WRITE_ONCE(*setting, value);
	if (was_on || pcm->imperfect.on)
		for (i = 0; i < pcm->config->substreams; i++)
			vsnd_imperfect_apply(&pcm->cables[i], &pcm->imperfect);
	return 1;
}

static int vsnd_imperfect_put(struct snd_kcontrol *kctl,
			      struct snd_ctl_elem_value *value)
{
	const struct vsnd_imperfect_control *control =
		vsnd_imperfect_control_of(kctl);
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);
	long wanted = value->value.integer.value[0];
	int changed;

	if (wanted < control->min || wanted > control->max)
		return -EINVAL;
	mutex_lock(&pcm->settings);
	changed = vsnd_imperfect_set(pcm, vsnd_imperfect_setting(kctl), wanted);
	mutex_unlock(&pcm->settings);
	return changed;
}

/**
 * vsnd_imperfect_create_controls() - add the controls of a device's imperfection
 * @pcm: the device
 *
 * alsactl leaves a control alone that is inactive. The switch says so, for a
 * machine must not come up with a bad clock because a test ended badly.
 *
 * Context: Process context, before the card is registered. May sleep.
 * Return: 0 or a negative error code.
 */
int vsnd_imperfect_create_controls(struct vsnd_pcm *pcm)
{
	struct snd_kcontrol_new template = {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.info = vsnd_imperfect_info,
		.get = vsnd_imperfect_get,
		.put = vsnd_imperfect_put,
	};
	struct snd_kcontrol *kctl;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vsnd_imperfect_controls); i++) {
		template.name = vsnd_imperfect_controls[i].name;
		template.private_value = i;
		template.access = SNDRV_CTL_ELEM_ACCESS_READWRITE;
		if (vsnd_imperfect_is_switch(&vsnd_imperfect_controls[i]))
			template.access |= SNDRV_CTL_ELEM_ACCESS_INACTIVE;
		kctl = vsnd_control_add(pcm, 0, &template, pcm);
		if (IS_ERR(kctl))
			return PTR_ERR(kctl);
	}
	return 0;
}
