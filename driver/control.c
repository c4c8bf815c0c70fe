// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controls of the PCM interface: which clock a device goes by, and how that is
 * steered while it runs.
 */
#include <linux/math64.h>
#include <linux/time64.h>
#include <sound/control.h>

#include "vsnd.h"

/* How fast a stream may go, ppb of the nominal rate. */
#define VSND_PITCH_MIN		800000000U
#define VSND_PITCH_MAX		1250000000U

static int vsnd_clock_info(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_info *info)
{
	const char *names[VSND_CLOCKS];
	int i;

	for (i = 0; i < VSND_CLOCKS; i++)
		names[i] = vsnd_device_clock_name(i);
	return snd_ctl_enum_info(info, 1, VSND_CLOCKS, names);
}

static int vsnd_clock_get(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);

	value->value.enumerated.item[0] = READ_ONCE(pcm->kind);
	return 0;
}

static int vsnd_clock_put(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_value *value)
{
	unsigned int kind = value->value.enumerated.item[0];

	if (kind >= VSND_CLOCKS)
		return -EINVAL;
	return vsnd_device_set_clock(snd_kcontrol_chip(kctl), kind);
}

static int vsnd_step_info(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 1;
	info->value.integer.min = -1;
	info->value.integer.max = INT_MAX;
	return 0;
}

/* It is an order, not a state; and 0, which alsactl stores, does nothing. */
static int vsnd_step_get(struct snd_kcontrol *kctl,
			 struct snd_ctl_elem_value *value)
{
	value->value.integer.value[0] = 0;
	return 0;
}

static int vsnd_step_put(struct snd_kcontrol *kctl,
			 struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);
	long frames = value->value.integer.value[0];

	if (frames < -1 || frames > INT_MAX)
		return -EINVAL;
	if (!frames)
		return 0;
	return vsnd_step_advance(&pcm->step, frames < 0 ? 0 : frames);
}

static int vsnd_scale_info(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 2;
	info->value.integer.min = 1;
	info->value.integer.max = VSND_SCALE_MAX;
	return 0;
}

static int vsnd_scale_get(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);

	value->value.integer.value[0] = READ_ONCE(pcm->scaled.mul);
	value->value.integer.value[1] = READ_ONCE(pcm->scaled.div);
	return 0;
}

static int vsnd_scale_put(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_value *value)
{
	long mul = value->value.integer.value[0];
	long div = value->value.integer.value[1];

	if (mul < 1 || mul > VSND_SCALE_MAX || div < 1 || div > VSND_SCALE_MAX)
		return -EINVAL;
	return vsnd_device_set_scale(snd_kcontrol_chip(kctl), mul, div);
}

/* Class, card, device and subdevice, as in /proc/asound/timers and timer.h. */
static int vsnd_source_info(struct snd_kcontrol *kctl,
			    struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 4;
	info->value.integer.min = 0;
	info->value.integer.max = INT_MAX;
	return 0;
}

static int vsnd_source_get(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);

	value->value.integer.value[0] = pcm->follower.source.dev_class;
	value->value.integer.value[1] = pcm->follower.source.card;
	value->value.integer.value[2] = pcm->follower.source.device;
	value->value.integer.value[3] = pcm->follower.source.subdevice;
	return 0;
}

static int vsnd_source_put(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_value *value)
{
	const long *from = value->value.integer.value;
	struct snd_timer_id source = {
		.dev_class = from[0],
		.card = from[1],
		.device = from[2],
		.subdevice = from[3],
	};
	int i;

	if (from[0] < SNDRV_TIMER_CLASS_GLOBAL ||
	    from[0] > SNDRV_TIMER_CLASS_PCM)
		return -EINVAL;
	for (i = 1; i < 4; i++)
		if (from[i] < 0 || from[i] > INT_MAX)
			return -EINVAL;
	return vsnd_device_set_source(snd_kcontrol_chip(kctl), &source);
}

static int vsnd_latency_info(struct snd_kcontrol *kctl,
			     struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 1;
	info->value.integer.min = 0;
	info->value.integer.max = VSND_LATENCY_MAX;
	return 0;
}

static int vsnd_latency_get(struct snd_kcontrol *kctl,
			    struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);

	value->value.integer.value[0] = READ_ONCE(pcm->latency);
	return 0;
}

static int vsnd_latency_put(struct snd_kcontrol *kctl,
			    struct snd_ctl_elem_value *value)
{
	struct vsnd_pcm *pcm = snd_kcontrol_chip(kctl);
	long latency = value->value.integer.value[0];

	if (latency < 0 || latency > VSND_LATENCY_MAX)
		return -EINVAL;
	if (latency == pcm->latency)
		return 0;
	WRITE_ONCE(pcm->latency, latency);
	return 1;
}

/* One of each for a device. */
static const struct snd_kcontrol_new vsnd_device_controls[] = {
	{
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.name = "PCM Clock",
		.info = vsnd_clock_info,
		.get = vsnd_clock_get,
		.put = vsnd_clock_put,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.name = "PCM Clock Step",
		.access = SNDRV_CTL_ELEM_ACCESS_READWRITE |
			  SNDRV_CTL_ELEM_ACCESS_VOLATILE,
		.info = vsnd_step_info,
		.get = vsnd_step_get,
		.put = vsnd_step_put,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.name = "PCM Clock Scale",
		.info = vsnd_scale_info,
		.get = vsnd_scale_get,
		.put = vsnd_scale_put,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.name = "PCM Clock Timer",
		.info = vsnd_source_info,
		.get = vsnd_source_get,
		.put = vsnd_source_put,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.name = "PCM Latency",
		.info = vsnd_latency_info,
		.get = vsnd_latency_get,
		.put = vsnd_latency_put,
	},
};

/**
 * struct vsnd_pitch_face - a control that shows the pitch of a cable
 * @name: its name
 * @nominal: the value that stands for the nominal rate
 * @period: whether the value goes with the length of a frame, not with the rate
 */
struct vsnd_pitch_face {
	const char *name;
	unsigned int nominal;
	bool period;
};

/*
 * Faces of one value. The first is snd-aloop's, where more is slower, and which
 * alsaloop and CamillaDSP look for; the others are the USB gadget's, where more
 * is faster, and which PipeWire looks for.
 */
static const struct vsnd_pitch_face vsnd_pitch_faces[VSND_PITCH_CONTROLS] = {
	{ "PCM Rate Shift 100000", 100000, true },
	{ "Playback Pitch 1000000", 1000000, false },
	{ "Capture Pitch 1000000", 1000000, false },
};

static const struct vsnd_pitch_face *
vsnd_pitch_face_of(const struct snd_kcontrol *kctl)
{
	return &vsnd_pitch_faces[kctl->private_value];
}

/* A pitch in ppb as the control's value, and the other way round. */
static u32 vsnd_pitch_convert(const struct vsnd_pitch_face *face, u32 from,
			      u32 from_nominal, u32 to_nominal)
{
	u64 scale = (u64)from_nominal * to_nominal;

	if (face->period)
		return div_u64(scale + from / 2, from);
	return div_u64((u64)from * to_nominal + from_nominal / 2, from_nominal);
}

static u32 vsnd_pitch_to_value(const struct vsnd_pitch_face *face, u32 pitch)
{
	return vsnd_pitch_convert(face, pitch, NSEC_PER_SEC, face->nominal);
}

static u32 vsnd_pitch_from_value(const struct vsnd_pitch_face *face, u32 value)
{
	return vsnd_pitch_convert(face, value, face->nominal, NSEC_PER_SEC);
}

static void vsnd_pitch_range(const struct vsnd_pitch_face *face, u32 *min,
			     u32 *max)
{
	*min = vsnd_pitch_to_value(face, face->period ? VSND_PITCH_MAX :
							VSND_PITCH_MIN);
	*max = vsnd_pitch_to_value(face, face->period ? VSND_PITCH_MIN :
							VSND_PITCH_MAX);
}

static int vsnd_pitch_info(struct snd_kcontrol *kctl,
			   struct snd_ctl_elem_info *info)
{
	u32 min, max;

	vsnd_pitch_range(vsnd_pitch_face_of(kctl), &min, &max);
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 1;
	info->value.integer.min = min;
	info->value.integer.max = max;
	return 0;
}

static int vsnd_pitch_get(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_value *value)
{
	struct vsnd_cable *cable = snd_kcontrol_chip(kctl);

	value->value.integer.value[0] =
		vsnd_pitch_to_value(vsnd_pitch_face_of(kctl),
				    READ_ONCE(cable->pitch));
	return 0;
}

static int vsnd_pitch_put(struct snd_kcontrol *kctl,
			  struct snd_ctl_elem_value *value)
{
	const struct vsnd_pitch_face *face = vsnd_pitch_face_of(kctl);
	struct vsnd_cable *cable = snd_kcontrol_chip(kctl);
	long wanted = value->value.integer.value[0];
	u32 min, max, pitch;
	int i;

	vsnd_pitch_range(face, &min, &max);
	if (wanted < min || wanted > max)
		return -EINVAL;
	pitch = vsnd_pitch_from_value(face, wanted);
	if (pitch == cable->pitch)
		return 0;
	vsnd_cable_set_pitch(cable, pitch);
	for (i = 0; i < VSND_PITCH_CONTROLS; i++)
		if (cable->pitch_controls[i] != kctl)
			snd_ctl_notify(cable->card, SNDRV_CTL_EVENT_MASK_VALUE,
				       &cable->pitch_controls[i]->id);
	return 1;
}

/**
 * vsnd_control_add() - add a control to a PCM device
 * @pcm: the device
 * @subdevice: substream to which it belongs, 0 if to all
 * @template: what it is like
 * @data: its private data
 *
 * Context: Process context, before the card is registered. May sleep.
 * Return: the control, or an error pointer.
 */
struct snd_kcontrol *vsnd_control_add(struct vsnd_pcm *pcm,
				      unsigned int subdevice,
				      const struct snd_kcontrol_new *template,
				      void *data)
{
	struct snd_kcontrol *kctl = snd_ctl_new1(template, data);
	int err;

	if (!kctl)
		return ERR_PTR(-ENOMEM);
	kctl->id.device = pcm->pcm->device;
	kctl->id.subdevice = subdevice;
	err = snd_ctl_add(pcm->card->card, kctl);
	return err < 0 ? ERR_PTR(err) : kctl;
}

static int vsnd_control_create_pitch(struct vsnd_pcm *pcm,
				     unsigned int subdevice)
{
	struct vsnd_cable *cable = &pcm->cables[subdevice];
	struct snd_kcontrol_new template = {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.info = vsnd_pitch_info,
		.get = vsnd_pitch_get,
		.put = vsnd_pitch_put,
	};
	struct snd_kcontrol *kctl;
	int i;

	for (i = 0; i < VSND_PITCH_CONTROLS; i++) {
		template.name = vsnd_pitch_faces[i].name;
		template.private_value = i;
		kctl = vsnd_control_add(pcm, subdevice, &template, cable);
		if (IS_ERR(kctl))
			return PTR_ERR(kctl);
		cable->pitch_controls[i] = kctl;
	}
	return 0;
}

/**
 * vsnd_control_create() - add the controls of a PCM device
 * @pcm: the device
 *
 * Context: Process context, before the card is registered. May sleep.
 * Return: 0 or a negative error code.
 */
int vsnd_control_create(struct vsnd_pcm *pcm)
{
	struct snd_kcontrol *kctl;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(vsnd_device_controls); i++) {
		kctl = vsnd_control_add(pcm, 0, &vsnd_device_controls[i], pcm);
		if (IS_ERR(kctl))
			return PTR_ERR(kctl);
	}
	for (i = 0; i < pcm->config->substreams; i++) {
		err = vsnd_control_create_pitch(pcm, i);
		if (err < 0)
			return err;
	}
	return vsnd_imperfect_create_controls(pcm);
}
