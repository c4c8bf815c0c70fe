/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card's controls for the tests: which clock a device goes by, how that is
 * steered, the pitch. What a test has set is put back when it ends.
 */
#ifndef VCTL_H
#define VCTL_H

#include "vpcm.h"

#define VT_CLOCK	"PCM Clock"
#define VT_STEP		"PCM Clock Step"
#define VT_SCALE	"PCM Clock Scale"
#define VT_LATENCY	"PCM Latency"

/* The card's control device, closed at the end of the test */
snd_ctl_t *vt_ctl(void);

/* Controls of the interface PCM, by name, device and subdevice */
void vt_ctl_name(snd_ctl_elem_value_t *value, const char *name, int device,
		 int subdevice);
void vt_ctl_info(snd_ctl_t *ctl, snd_ctl_elem_info_t *info, const char *name,
		 int device, int subdevice);
int vt_ctl_set(snd_ctl_t *ctl, const char *name, int device, int subdevice,
	       long first, long second);
long vt_ctl_get(snd_ctl_t *ctl, const char *name, int device, int subdevice,
		unsigned int i);

/* Clocks by name; -ENOENT if there is none of that name */
int vt_clock_find(snd_ctl_t *ctl, int device, const char *name);
int vt_clock_set(snd_ctl_t *ctl, int device, const char *name);
const char *vt_clock_get(snd_ctl_t *ctl, int device);
int vt_step(int device, long frames);

/* Until the end of the test, after which the device is realtime again */
void vt_use_clock(int device, const char *name);
void vt_use_scale(int device, long mul, long div);

/* Until the end of the test, after which the device has no latency */
void vt_use_latency(int device, long frames);

/* Players by any access: fills the ring, starts, goes on until all is written */
void vt_play_on(struct vt_stream *s, uint64_t first, uint64_t frames);

/**
 * struct vt_face - a control that shows the pitch of a stream
 * @name: its name
 * @nominal: what stands for the nominal rate
 * @min: least value
 * @max: most
 * @slower: whether more is slower
 */
struct vt_face {
	const char *name;
	long nominal, min, max;
	bool slower;
};

#define VT_FACES		3
#define VT_NOMINAL		1000000000L	/* speed, ppb */
#define VT_PLAYBACK_PITCH	(&vt_faces[1])
#define VT_CAPTURE_PITCH	(&vt_faces[2])

extern const struct vt_face vt_faces[VT_FACES];

/* The speed in ppb that a face's value stands for, and the other way round */
long vt_speed_of(const struct vt_face *face, long value);
long vt_value_of(const struct vt_face *face, long speed);
void vt_expect_faces(snd_ctl_t *ctl, int device, int subdevice, long speed);

/* The device's streams have their nominal rates again after the test. */
snd_ctl_t *vt_use_pitch(int device);

/* Ways in which a device can be imperfect */
enum vt_flaw {
	VT_IMPERFECTION, VT_SEED, VT_DRIFT, VT_WANDER, VT_WANDER_PERIOD,
	VT_WALK, VT_WALK_LIMIT, VT_DELAY, VT_JITTER, VT_LOSS, VT_FLAWS
};

/**
 * struct vt_flaw_control - the control of a flaw
 * @name: its name
 * @initial: its value in a new card
 * @min: least value
 * @max: most
 */
struct vt_flaw_control {
	const char *name;
	long initial, min, max;
};

extern const struct vt_flaw_control vt_flaws[VT_FLAWS];

/*
 * The device may be spoilt until the end of the test, after which it is as
 * good as new. It is imperfect at once, but in nothing yet.
 */
snd_ctl_t *vt_use_imperfection(int device);
void vt_spoil(snd_ctl_t *ctl, int device, enum vt_flaw flaw, long value);

#endif
