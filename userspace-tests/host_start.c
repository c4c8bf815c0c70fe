// SPDX-License-Identifier: GPL-2.0-only
/*
 * START beside hw_free, hw_params and prepare of the same stream, which some
 * kernels let run at once: a stream never runs on a ring that is gone. Its
 * recorder would hear of that.
 */

#include <string.h>
#include "vhost.h"

#define LASTS	(6 * VT_SECOND)

static void live_starting(struct vh_race *race, atomic_ulong *done)
{
	while (vh_goes_on(race, done))
		*done += !vh_call(race->fd, VH_START, NULL, "start");
}

/*
 * A ring is freed while the stream is PREPARED, or after a DROP if it runs
 * already: then there was no race.
 */
static bool free_ring(struct vh_race *race)
{
	if (!vh_call(race->fd, VH_HW_FREE, NULL, "hw_free"))
		return true;
	vh_call(race->fd, VH_DROP, NULL, "drop");
	return !vh_call(race->fd, VH_HW_FREE, NULL, "hw_free");
}

static void live_replacing(struct vh_race *race, atomic_ulong *done)
{
	uint64_t seed = race->device;
	unsigned int i = 0;
	int64_t until;

	while (vh_goes_on(race, done)) {
		until = vt_now() + vt_random(&seed, 30 * VT_US);
		while (vt_now() < until)
			;
		if (!free_ring(race))
			continue;
		++*done;
		i = !i;
		SYS(ioctl(race->fd, VH_HW_PARAMS, race->hw[i]));
		SYS(ioctl(race->fd, VH_SW_PARAMS, race->sw[i]));
		SYS(ioctl(race->fd, VH_PREPARE));
	}
}

/* Nobody writes into the player's ring: there is nothing but silence in it. */
static void live_recording(struct vh_race *race, atomic_ulong *done)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.buffer = 24000;
	p.stop = VT_NEVER;
	s = vt_recorder(race->device, &p);
	MUST(snd_pcm_start(s->pcm));
	while (vh_goes_on(race, done)) {
		vt_hear_silence(s, 480);
		++*done;
	}
}

static void test_race(const void *arg)
{
	const int *device = arg;
	struct vh_race race;
	const struct vh_part parts[] = {
		{ &race, live_starting, &race.done[0] },
		{ &race, live_replacing, &race.done[1] },
		{ &race, live_recording, &race.done[2] },
		{ &race, vh_neighbour, &race.done[3] },
	};

	vh_begin(&race, *device, SND_PCM_STREAM_PLAYBACK, vt_share(LASTS));
	vt_threads(vh_live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
	vt_note("started %lu times, freed %lu", race.done[0], race.done[1]);
}

static void test_afterwards(const void *arg)
{
	const int *device = arg;

	vt_carry(*device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

int main(int argc, char **argv)
{
	int device, devices;

	vt_init(argc, argv, 110);
	devices = vt_devices();
	vt_plan(2 * devices);
	for (device = 0; device < devices; device++) {
		vt_run(test_race, &device,
		       "device %d started while its ring is replaced", device);
		vt_run(test_afterwards, &device, "device %d afterwards",
		       device);
	}
	return vt_finish();
}
