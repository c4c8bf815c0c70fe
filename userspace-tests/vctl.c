// SPDX-License-Identifier: GPL-2.0-only
/* The card's controls, clocks by name, the faces of the pitch. */

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include "vctl.h"

static void vt_close_ctl(void *ctl)
{
	snd_ctl_close(ctl);
}

snd_ctl_t *vt_ctl(void)
{
	snd_ctl_t *ctl;
	char name[16];

	snprintf(name, sizeof(name), "hw:%d", vt_card);
	MUST(snd_ctl_open(&ctl, name, 0));
	vt_defer(vt_close_ctl, ctl);
	return ctl;
}

void vt_ctl_name(snd_ctl_elem_value_t *value, const char *name, int device,
		 int subdevice)
{
	snd_ctl_elem_value_set_interface(value, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_value_set_name(value, name);
	snd_ctl_elem_value_set_device(value, device);
	snd_ctl_elem_value_set_subdevice(value, subdevice);
}

void vt_ctl_info(snd_ctl_t *ctl, snd_ctl_elem_info_t *info, const char *name,
		 int device, int subdevice)
{
	snd_ctl_elem_info_set_numid(info, 0);
	snd_ctl_elem_info_set_interface(info, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_info_set_name(info, name);
	snd_ctl_elem_info_set_device(info, device);
	snd_ctl_elem_info_set_subdevice(info, subdevice);
	MUST(snd_ctl_elem_info(ctl, info));
}

/* Sets a control of one or two integers; returns what alsa-lib says. */
int vt_ctl_set(snd_ctl_t *ctl, const char *name, int device, int subdevice,
	       long first, long second)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, name, device, subdevice);
	snd_ctl_elem_value_set_integer(value, 0, first);
	snd_ctl_elem_value_set_integer(value, 1, second);
	return snd_ctl_elem_write(ctl, value);
}

long vt_ctl_get(snd_ctl_t *ctl, const char *name, int device, int subdevice,
		unsigned int i)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, name, device, subdevice);
	MUST(snd_ctl_elem_read(ctl, value));
	return snd_ctl_elem_value_get_integer(value, i);
}

/* The item's name; valid until the next call of the same thread */
static const char *vt_clock_name(snd_ctl_t *ctl, int device, unsigned int item)
{
	static __thread char name[64];
	snd_ctl_elem_info_t *info;

	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_info_set_item(info, item);
	vt_ctl_info(ctl, info, VT_CLOCK, device, 0);
	snprintf(name, sizeof(name), "%s",
		 snd_ctl_elem_info_get_item_name(info));
	return name;
}

int vt_clock_find(snd_ctl_t *ctl, int device, const char *name)
{
	snd_ctl_elem_info_t *info;
	unsigned int i;

	snd_ctl_elem_info_alloca(&info);
	vt_ctl_info(ctl, info, VT_CLOCK, device, 0);
	for (i = 0; i < snd_ctl_elem_info_get_items(info); i++)
		if (!strcmp(vt_clock_name(ctl, device, i), name))
			return i;
	return -ENOENT;
}

int vt_clock_set(snd_ctl_t *ctl, int device, const char *name)
{
	int item = MUST(vt_clock_find(ctl, device, name));
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, VT_CLOCK, device, 0);
	snd_ctl_elem_value_set_enumerated(value, 0, item);
	return snd_ctl_elem_write(ctl, value);
}

const char *vt_clock_get(snd_ctl_t *ctl, int device)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, VT_CLOCK, device, 0);
	MUST(snd_ctl_elem_read(ctl, value));
	return vt_clock_name(ctl, device,
			     snd_ctl_elem_value_get_enumerated(value, 0));
}

static void vt_restore_clock(void *device)
{
	MUST(vt_clock_set(vt_ctl(), (intptr_t)device, "realtime"));
}

void vt_use_clock(int device, const char *name)
{
	vt_defer(vt_restore_clock, (void *)(intptr_t)device);
	MUST(vt_clock_set(vt_ctl(), device, name));
}

/* Advances a step clock, in whatever thread; returns what alsa-lib says. */
int vt_step(int device, long frames)
{
	snd_ctl_t *ctl;
	char name[16];
	int err;

	snprintf(name, sizeof(name), "hw:%d", vt_card);
	MUST(snd_ctl_open(&ctl, name, 0));
	err = vt_ctl_set(ctl, VT_STEP, device, 0, frames, 0);
	snd_ctl_close(ctl);
	return err;
}

static void vt_restore_scale(void *device)
{
	MUST(vt_ctl_set(vt_ctl(), VT_SCALE, (intptr_t)device, 0, 1, 1));
}

void vt_use_scale(int device, long mul, long div)
{
	vt_defer(vt_restore_scale, (void *)(intptr_t)device);
	MUST(vt_ctl_set(vt_ctl(), VT_SCALE, device, 0, mul, div));
}

static void vt_restore_latency(void *device)
{
	MUST(vt_ctl_set(vt_ctl(), VT_LATENCY, (intptr_t)device, 0, 0, 0));
}

void vt_use_latency(int device, long frames)
{
	vt_defer(vt_restore_latency, (void *)(intptr_t)device);
	MUST(vt_ctl_set(vt_ctl(), VT_LATENCY, device, 0, frames, 0));
}

/* Fills the ring, starts, goes on: mmap clients have to start themselves. */
void vt_play_on(struct vt_stream *s, uint64_t first, uint64_t frames)
{
	uint64_t n = frames < s->p.buffer ? frames : s->p.buffer;

	vt_play(s, first, n);
	MUST(snd_pcm_start(s->pcm));
	while (n < frames) {
		uint64_t chunk = 1 + (n * 7919) % (2 * s->p.period);

		if (chunk > frames - n)
			chunk = frames - n;
		vt_play(s, first + n, chunk);
		n += chunk;
	}
}

const struct vt_face vt_faces[VT_FACES] = {
	{ "PCM Rate Shift 100000", 100000, 80000, 125000, true },
	{ "Playback Pitch 1000000", 1000000, 800000, 1250000, false },
	{ "Capture Pitch 1000000", 1000000, 800000, 1250000, false },
};

/* The speed that a face's value stands for, ppb, rounded */
long vt_speed_of(const struct vt_face *face, long value)
{
	return face->slower ?
		lround((double)VT_NOMINAL * face->nominal / value) :
		lround((double)VT_NOMINAL * value / face->nominal);
}

long vt_value_of(const struct vt_face *face, long speed)
{
	return face->slower ?
		lround((double)VT_NOMINAL * face->nominal / speed) :
		lround((double)speed * face->nominal / VT_NOMINAL);
}

/* All faces show this speed. */
void vt_expect_faces(snd_ctl_t *ctl, int device, int subdevice, long speed)
{
	unsigned int i;
	long value;

	for (i = 0; i < VT_FACES; i++) {
		value = vt_ctl_get(ctl, vt_faces[i].name, device, subdevice, 0);
		EXPECT(value == vt_value_of(&vt_faces[i], speed),
		       "%s is %ld, wanted %ld", vt_faces[i].name, value,
		       vt_value_of(&vt_faces[i], speed));
	}
}

static void vt_restore_pitch(void *device)
{
	snd_ctl_t *ctl = vt_ctl();
	int i;

	for (i = 0; i < vt_substreams(); i++)
		MUST(vt_ctl_set(ctl, VT_PLAYBACK_PITCH->name, (intptr_t)device, i,
				VT_PLAYBACK_PITCH->nominal, 0));
}

snd_ctl_t *vt_use_pitch(int device)
{
	vt_defer(vt_restore_pitch, (void *)(intptr_t)device);
	return vt_ctl();
}

const struct vt_flaw_control vt_flaws[VT_FLAWS] = {
	[VT_IMPERFECTION] = { "PCM Imperfection", 0, 0, 1 },
	[VT_SEED] = { "PCM Imperfection Seed", 0, 0, INT_MAX },
	[VT_DRIFT] = { "PCM Clock Drift", 0, -200000000, 200000000 },
	[VT_WANDER] = { "PCM Clock Wander", 0, 0, 200000000 },
	[VT_WANDER_PERIOD] = { "PCM Clock Wander Period", 10000, 100, 3600000 },
	[VT_WALK] = { "PCM Clock Walk", 0, 0, 10000000 },
	[VT_WALK_LIMIT] = { "PCM Clock Walk Limit", 100000, 0, 200000000 },
	[VT_DELAY] = { "PCM Wakeup Delay", 0, 0, 1000000 },
	[VT_JITTER] = { "PCM Wakeup Jitter", 0, 0, 1000000 },
	[VT_LOSS] = { "PCM Wakeup Loss", 0, 0, 1000000 },
};

void vt_spoil(snd_ctl_t *ctl, int device, enum vt_flaw flaw, long value)
{
	MUST(vt_ctl_set(ctl, vt_flaws[flaw].name, device, 0, value, 0));
}

static void vt_restore_perfection(void *device)
{
	snd_ctl_t *ctl = vt_ctl();
	int i;

	for (i = 0; i < VT_FLAWS; i++)
		vt_spoil(ctl, (intptr_t)device, i, vt_flaws[i].initial);
}

snd_ctl_t *vt_use_imperfection(int device)
{
	snd_ctl_t *ctl = vt_ctl();

	vt_defer(vt_restore_perfection, (void *)(intptr_t)device);
	vt_spoil(ctl, device, VT_IMPERFECTION, 1);
	return ctl;
}
