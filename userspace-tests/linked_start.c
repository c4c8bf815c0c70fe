// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams are started by a machine that takes long for each. Of a linked group
 * the instant at which they start comes before all have been, and other
 * processors have their timers. Whoever is started last has lost nothing.
 */

#include <sched.h>
#include "vstall.h"

#define SLOW	(3 * VT_MS)	/* later than the first start, which is within 1 ms */
#define PERIOD	48		/* frames: some end before the last start */
#define ROUNDS	50
#define RING	48000		/* frames: nothing is due meanwhile */

struct part {
	int device;
	int subdevice;
};

/* The timer, which serves the whole device, goes to who was the last to start. */
static void live(const void *arg)
{
	const struct part *part = arg;
	unsigned int i;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(part->subdevice, &set);
	SYS(sched_setaffinity(0, sizeof(set), &set));
	for (i = 0; i < ROUNDS; i++)
		vt_carry(part->device, part->subdevice,
			 SND_PCM_ACCESS_RW_INTERLEAVED, PERIOD);
}

static bool is_slow;

static void test_start(const void *arg)
{
	const int device = *(const int *)arg;
	const struct part parts[] = { { device, 0 }, { device, 1 } };

	if (!is_slow)
		vt_skip("this kernel has no kprobe for a start");
	vt_threads(live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
}

/*
 * A recorder that runs has been given silence when its player's start is through
 * at last. It has not been told: it hears the first frame at that start's
 * instant.
 */
static void test_beside(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	size_t silent, n;
	unsigned int i;
	char *heard;

	if (!is_slow)
		vt_skip("this kernel has no kprobe for a start");
	p.period = RING / 2;
	p.buffer = RING;
	p.stop = VT_NEVER;
	player = vt_player(device, &p);
	recorder = vt_recorder(device, &p);
	heard = vt_alloc(RING * recorder->frame_bytes);
	for (i = 0; i < 5; i++) {
		MUST(snd_pcm_drop(player->pcm));
		MUST(snd_pcm_drop(recorder->pcm));
		vt_prepare(player);
		vt_prepare(recorder);
		vt_play(player, 1, RING);
		MUST(snd_pcm_start(recorder->pcm));
		MUST(snd_pcm_start(player->pcm));
		vt_read(recorder, heard, RING / 2);
		silent = vt_silent(recorder, heard, RING / 2);
		n = vt_stamped(recorder, heard + silent * recorder->frame_bytes,
			       1, RING / 2 - silent);
		EXPECT(silent + n == RING / 2 && n > RING / 4,
		       "%zu frames of silence, then %zu that were played",
		       silent, n);
	}
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 60);
	is_slow = vt_slow_down("start", SLOW);
	vt_plan(2 * vt_devices());
	for (device = 0; device < vt_devices(); device++) {
		vt_run(test_start, &device,
		       "device %d loses nothing in a slow start", device);
		vt_run(test_beside, &device,
		       "device %d nor beside a recorder that runs", device);
	}
	return vt_finish();
}
