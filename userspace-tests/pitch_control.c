// SPDX-License-Identifier: GPL-2.0-only
/* The pitch's controls: three that show one value, tell of it, and refuse. */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include "vctl.h"

/* The least, the most, the nominal, then any */
static long a_value(const struct vt_face *face, unsigned int i, uint64_t *seed)
{
	const long first[] = { face->min, face->max, face->nominal };

	if (i < ARRAY_SIZE(first))
		return first[i];
	return face->min + vt_random(seed, face->max - face->min + 1);
}

static void test_faces(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_pitch(*device);
	int last = vt_substreams() - 1;
	snd_ctl_elem_info_t *info;
	unsigned int i, k;
	uint64_t seed = 1;
	long value;

	snd_ctl_elem_info_alloca(&info);
	for (i = 0; i < VT_FACES; i++) {
		vt_ctl_info(ctl, info, vt_faces[i].name, *device, last);
		EXPECT(snd_ctl_elem_info_get_min(info) == vt_faces[i].min &&
		       snd_ctl_elem_info_get_max(info) == vt_faces[i].max &&
		       snd_ctl_elem_info_get_count(info) == 1,
		       "%s: %ld..%ld", vt_faces[i].name,
		       snd_ctl_elem_info_get_min(info),
		       snd_ctl_elem_info_get_max(info));
	}
	vt_expect_faces(ctl, *device, last, VT_NOMINAL);
	for (i = 0; i < VT_FACES; i++)
		for (k = 0; k < 50; k++) {
			value = a_value(&vt_faces[i], k, &seed);
			MUST(vt_ctl_set(ctl, vt_faces[i].name, *device, last,
					value, 0));
			vt_expect_faces(ctl, *device, last,
					vt_speed_of(&vt_faces[i], value));
		}
}

/* What a coarse face shows already may be a change all the same. */
static void test_rounded(const void *arg)
{
	const struct vt_face *coarse = &vt_faces[0], *fine = VT_PLAYBACK_PITCH;
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_pitch(*device);

	MUST(vt_ctl_set(ctl, fine->name, *device, 0, fine->nominal + 3, 0));
	EXPECT(vt_ctl_get(ctl, coarse->name, *device, 0, 0) == coarse->nominal,
	       "the coarse one shows it");
	MUST(vt_ctl_set(ctl, coarse->name, *device, 0, coarse->nominal, 0));
	vt_expect_faces(ctl, *device, 0, VT_NOMINAL);
}

/* A mask of the faces that were told of a change since the last look */
static unsigned int told(snd_ctl_t *listener, int device, int subdevice)
{
	snd_ctl_event_t *event;
	unsigned int i, mask = 0;

	snd_ctl_event_alloca(&event);
	while (snd_ctl_read(listener, event) == 1) {
		EXPECT(snd_ctl_event_elem_get_mask(event) ==
		       SND_CTL_EVENT_MASK_VALUE, "another event");
		EXPECT((int)snd_ctl_event_elem_get_device(event) == device &&
		       (int)snd_ctl_event_elem_get_subdevice(event) ==
		       subdevice, "an event of another stream");
		for (i = 0; i < VT_FACES; i++)
			if (!strcmp(snd_ctl_event_elem_get_name(event),
				    vt_faces[i].name))
				mask |= 1U << i;
	}
	return mask;
}

static void test_events(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_pitch(*device), *listener = vt_ctl();
	unsigned int i, got;

	MUST(snd_ctl_nonblock(listener, 1));
	MUST(snd_ctl_subscribe_events(listener, 1));
	for (i = 0; i < VT_FACES; i++) {
		MUST(vt_ctl_set(ctl, vt_faces[i].name, *device, 0,
				vt_faces[i].nominal + 10 * (i + 1), 0));
		got = told(listener, *device, 0);
		EXPECT(got == 7, "by %s: told %x, wanted 7", vt_faces[i].name,
		       got);
		MUST(vt_ctl_set(ctl, vt_faces[i].name, *device, 0,
				vt_faces[i].nominal + 10 * (i + 1), 0));
		got = told(listener, *device, 0);
		EXPECT(!got, "no change by %s: told %x", vt_faces[i].name, got);
	}
}

static void test_range(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_pitch(*device);
	unsigned int i, k;

	for (i = 0; i < VT_FACES; i++) {
		const long bad[] = {
			vt_faces[i].min - 1, vt_faces[i].max + 1, 0, -1, LONG_MAX,
			LONG_MIN, vt_faces[i].nominal + VT_BEYOND_INT,
			-vt_faces[i].nominal,
		};

		for (k = 0; k < ARRAY_SIZE(bad); k++)
			REFUSED(-EINVAL, vt_ctl_set(ctl, vt_faces[i].name,
						    *device, 0, bad[k],
						    0));
	}
	vt_expect_faces(ctl, *device, 0, VT_NOMINAL);
}

/*
 * Every value there could be, or this run's share of them, for what a conversion
 * makes of a bad one
 */
static void test_every(const void *arg)
{
	const int *device = arg;
	const struct vt_face *face = &vt_faces[0];
	snd_ctl_t *ctl = vt_use_pitch(*device);
	const long step = 100 / vt_share(100);
	unsigned int wrong = 0;
	long value;
	bool good;
	int err;

	for (value = 0; value <= 2 * face->nominal; value += step) {
		good = value >= face->min && value <= face->max;
		err = vt_ctl_set(ctl, face->name, *device, 0, value, 0);
		if (good ? err >= 0 : err == -EINVAL)
			continue;
		if (wrong++ < 5)
			vt_note("%s %ld: %s", face->name, value,
				good ? "refused" : "accepted");
	}
	EXPECT(!wrong, "wrong about %u values", wrong);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "has three faces", test_faces },
	{ "can be told more finely by one than by another", test_rounded },
	{ "tells of changes", test_events },
	{ "takes no nonsense", test_range },
	{ "takes no other nonsense either", test_every },
};

int main(int argc, char **argv)
{
	unsigned int i;
	int device;

	vt_init(argc, argv, 60);
	vt_plan(2 * ARRAY_SIZE(tests));
	for (device = 0; device < 2; device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &device, "device %d pitch %s",
			       device, tests[i].name);
	return vt_finish();
}
