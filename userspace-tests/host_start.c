// SPDX-License-Identifier: GPL-2.0-only
/*
 * START and DRAIN beside hw_free, hw_params and prepare of the same stream, which
 * some kernels let run at once: a stream never runs on a ring that is gone, nor
 * is silence written to it. Its recorder would hear of that.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "vhost.h"

#define LASTS	(5 * VT_SECOND)

static void live_starting(struct vh_race *race, atomic_ulong *done)
{
	while (vh_goes_on(race, done))
		*done += !vh_call(race->fd, VH_START, NULL, "start");
}

/* All kernels write silence though the start was refused. */
static void live_draining(struct vh_race *race, atomic_ulong *done)
{
	while (vh_goes_on(race, done))
		*done += !vh_call(race->fd, VH_DRAIN, NULL, "drain") ||
			 errno == EAGAIN;
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
	snd_pcm_uframes_t frames;
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
		/* without a frame to play there is no drain */
		frames = 480;
		vh_call(race->fd, VH_FORWARD, &frames, "forward");
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

/* Have all that is not written be silent, always. */
static void keep_silent(struct vt_stream *s, snd_pcm_sw_params_t *sw)
{
	MUST(snd_pcm_sw_params_set_silence_threshold(s->pcm, sw, 0));
	MUST(snd_pcm_sw_params_set_silence_size(s->pcm, sw, s->boundary));
}

static void run_race(int device, bool drains)
{
	struct vh_race race;
	struct vt_stream *s;
	const struct vh_part parts[] = {
		{ &race, drains ? live_draining : live_starting,
		  &race.done[0] },
		{ &race, live_replacing, &race.done[1] },
		{ &race, live_recording, &race.done[2] },
		{ &race, vh_neighbour, &race.done[3] },
	};

	s = vh_begin(&race, device, SND_PCM_STREAM_PLAYBACK, vt_share(LASTS));
	if (drains) {
		SYS(fcntl(race.fd, F_SETFL, O_NONBLOCK | O_RDWR));
		keep_silent(s, race.sw[0]);
		keep_silent(s, race.sw[1]);
	}
	vt_threads(vh_live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
	vt_note("%s %lu times, freed %lu", drains ? "drained" : "started",
		race.done[0], race.done[1]);
}

static void test_race(const void *arg)
{
	run_race(*(const int *)arg, false);
}

static void test_drain(const void *arg)
{
	run_race(*(const int *)arg, true);
}

static void test_afterwards(const void *arg)
{
	const int *device = arg;

	vt_carry(*device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

int main(int argc, char **argv)
{
	int device, devices;

	vt_init(argc, argv, 170);
	devices = vt_devices();
	vt_plan(3 * devices);
	for (device = 0; device < devices; device++) {
		vt_run(test_race, &device,
		       "device %d started while its ring is replaced", device);
		vt_run(test_drain, &device,
		       "device %d drained while its ring is replaced", device);
		vt_run(test_afterwards, &device, "device %d afterwards",
		       device);
	}
	return vt_finish();
}
