// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controls of a device's imperfection: off at first, within their ranges,
 * and the device's own.
 */

#include <errno.h>
#include <limits.h>
#include "vctl.h"

static void expect_new(snd_ctl_t *ctl, int device)
{
	long value;
	int i;

	for (i = 0; i < VT_FLAWS; i++) {
		value = vt_ctl_get(ctl, vt_flaws[i].name, device, 0, 0);
		EXPECT(value == vt_flaws[i].initial, "%s is %ld, wanted %ld",
		       vt_flaws[i].name, value, vt_flaws[i].initial);
	}
}

/* Only the switch is inactive, which has alsactl leave it alone. */
static void test_info(const void *arg)
{
	const int *device = arg;
	snd_ctl_elem_info_t *info;
	snd_ctl_t *ctl = vt_ctl();
	int i;

	snd_ctl_elem_info_alloca(&info);
	expect_new(ctl, *device);
	for (i = 0; i < VT_FLAWS; i++) {
		vt_ctl_info(ctl, info, vt_flaws[i].name, *device, 0);
		EXPECT(snd_ctl_elem_info_get_count(info) == 1, "%s: not one",
		       vt_flaws[i].name);
		EXPECT(snd_ctl_elem_info_is_inactive(info) ==
		       (i == VT_IMPERFECTION), "%s: inactive or not",
		       vt_flaws[i].name);
		if (i == VT_IMPERFECTION)
			continue;
		EXPECT(snd_ctl_elem_info_get_min(info) == vt_flaws[i].min &&
		       snd_ctl_elem_info_get_max(info) == vt_flaws[i].max,
		       "%s: range %ld..%ld", vt_flaws[i].name,
		       snd_ctl_elem_info_get_min(info),
		       snd_ctl_elem_info_get_max(info));
	}
}

/* Either end of each range is taken, and told, by a device that streams. */
static void test_range(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_imperfection(*device);
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int i, end;
	long value;

	p.stop = VT_NEVER;
	s = vt_recorder(*device, &p);
	MUST(snd_pcm_start(s->pcm));
	for (i = 0; i < VT_FLAWS; i++)
		for (end = 0; end < 2; end++) {
			value = end ? vt_flaws[i].max : vt_flaws[i].min;
			vt_spoil(ctl, *device, i, value);
			EXPECT(vt_ctl_get(ctl, vt_flaws[i].name, *device, 0, 0) ==
			       value, "%s: not %ld", vt_flaws[i].name, value);
			vt_sleep_until(vt_now() + 30 * VT_MS);
		}
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_RUNNING, "stopped");
}

static void test_nonsense(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_imperfection(*device);
	unsigned int i, k;

	for (i = 0; i < VT_FLAWS; i++) {
		const long bad[] = {
			vt_flaws[i].min - 1, vt_flaws[i].max + 1, LONG_MAX,
			LONG_MIN, VT_BEYOND_INT, VT_BELOW_INT,
		};

		for (k = 0; k < ARRAY_SIZE(bad); k++) {
			/* beyond the range of a long there is nothing */
			if (bad[k] >= vt_flaws[i].min &&
			    bad[k] <= vt_flaws[i].max)
				continue;
			REFUSED(-EINVAL, vt_ctl_set(ctl, vt_flaws[i].name,
						    *device, 0, bad[k], 0));
		}
	}
	vt_spoil(ctl, *device, VT_IMPERFECTION, 0);
	expect_new(ctl, *device);
}

/* Changes are told to those who listen, and nothing else is. */
static void test_events(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_imperfection(*device), *listener = vt_ctl();
	snd_ctl_event_t *event;
	int i, turn;

	snd_ctl_event_alloca(&event);
	MUST(snd_ctl_nonblock(listener, 1));
	MUST(snd_ctl_subscribe_events(listener, 1));
	for (i = 1; i < VT_FLAWS; i++)
		for (turn = 0; turn < 2; turn++) {
			vt_spoil(ctl, *device, i, vt_flaws[i].max);
			if (turn) {
				REFUSED(-EAGAIN, snd_ctl_read(listener, event));
				continue;
			}
			EXPECT(MUST(snd_ctl_read(listener, event)) == 1 &&
			       (int)snd_ctl_event_elem_get_device(event) == *device,
			       "%s: not told", vt_flaws[i].name);
		}
}

/* What is wrong with one device is not with the other. */
static void test_others(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_imperfection(*device);
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;

	vt_spoil(ctl, *device, VT_DRIFT, 200000000);
	expect_new(ctl, !*device);
	p.stop = VT_NEVER;
	p.buffer = 48000;
	s = vt_recorder(!*device, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	vt_sleep_until(pos.trigger + 500 * VT_MS);
	vt_locate(s, &pos);
	vt_expect_position(&pos, s, pos.trigger, 0);
}

/* And it is with all of its substreams. */
static void test_substreams(const void *arg)
{
	const int *device = arg;
	snd_ctl_t *ctl = vt_use_imperfection(*device);
	struct vt_params p = vt_plain;
	struct vt_position pos[2];
	struct vt_stream *s;
	double fast;
	int sub;

	vt_spoil(ctl, *device, VT_DRIFT, 200000000);
	p.stop = VT_NEVER;
	for (sub = 0; sub < vt_substreams(); sub++) {
		s = vt_open(*device, sub, SND_PCM_STREAM_CAPTURE, 0);
		MUST(vt_configure(s, &p));
		MUST(snd_pcm_start(s->pcm));
		vt_sleep_until(vt_now() + 10 * VT_MS);
		vt_locate(s, &pos[0]);
		vt_sleep_until(vt_now() + 200 * VT_MS);
		vt_locate(s, &pos[1]);
		fast = (double)(pos[1].frames - pos[0].frames) * VT_SECOND /
			p.rate / (pos[1].stamp - pos[0].stamp) - 1;
		EXPECT(fast > 0.19 && fast < 0.21, "substream %d is %f fast",
		       sub, fast);
		vt_close(s);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "is as documented", test_info },
	{ "may be anything in its range", test_range },
	{ "takes no nonsense", test_nonsense },
	{ "tells of changes", test_events },
	{ "is of one device only", test_others },
	{ "is of all its substreams", test_substreams },
};

int main(int argc, char **argv)
{
	unsigned int i;
	int device;

	vt_init(argc, argv, 60);
	vt_plan(2 * ARRAY_SIZE(tests));
	for (device = 0; device < 2; device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &device, "device %d imperfection %s",
			       device, tests[i].name);
	return vt_finish();
}
