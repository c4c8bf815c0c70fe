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

#define STALL	(100 * VT_MS)	/* longer than the ring of a player lasts, */
#define SHORT	2400		/* which is so many frames */
#define SECONDS	40		/* more than a player plays */

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

struct pair {
	struct vt_stream *player, *recorder;
	volatile bool over;
};

struct side {
	struct pair *pair;
	void (*live)(struct pair *pair);
};

/* It looks all the time: its timer may be the one that waits for the start. */
static void live_playing(struct pair *pair)
{
	int64_t until = vt_now() + SECONDS / 2 * VT_SECOND;
	uint64_t n = SHORT;

	while (!pair->over && vt_now() < until) {
		if (snd_pcm_avail(pair->player->pcm) < SHORT / 4)
			continue;
		vt_play(pair->player, n, SHORT / 4);
		n += SHORT / 4;
	}
}

/* Which of all that may be played this is; it is mostly one of the next. */
static uint64_t played_frame(const struct vt_stream *s, const char *heard,
			     uint64_t next)
{
	uint64_t i, n;

	for (i = 0; i < SECONDS * RING; i++) {
		n = (next + i) % (SECONDS * RING);
		if (vt_stamped(s, heard, n, 1))
			return n;
	}
	return SECONDS * RING;
}

/*
 * Each frame that is not silent is a later one than that before it. Returns how
 * many there are.
 */
static size_t expect_in_order(const struct vt_stream *s, const char *heard,
			      size_t frames)
{
	uint64_t next = 0, n;
	size_t sound = 0;
	size_t i;

	for (i = 0; i < frames; i++, heard += s->frame_bytes) {
		if (vt_silent(s, heard, 1))
			continue;
		n = played_frame(s, heard, next);
		EXPECT(n < SECONDS * RING, "frame %zu was not played", i);
		EXPECT(n >= next, "recorded frame %zu is the played frame %llu after %llu",
		       i, (unsigned long long)n, (unsigned long long)next - 1);
		next = n + 1;
		sound++;
	}
	return sound;
}

static void live_recording(struct pair *pair)
{
	struct vt_stream *recorder = pair->recorder;
	char *heard = vt_alloc(RING / 4 * recorder->frame_bytes);
	struct vt_position pos;
	size_t sound = 0;
	unsigned int i;

	/* more turns where the machine had no time for sound in any */
	for (i = 0; i < 5 || (!sound && i < 20); i++) {
		MUST(snd_pcm_drop(recorder->pcm));
		vt_prepare(recorder);
		vt_slow_down("start", STALL);
		MUST(snd_pcm_start(recorder->pcm));
		vt_slow_down("start", 0);
		vt_read(recorder, heard, RING / 4);
		vt_locate(recorder, &pos);
		if (pos.frames < RING)	/* or its own ring has come round */
			sound += expect_in_order(recorder, heard, RING / 4);
	}
	pair->over = true;
	EXPECT(sound, "not a frame of sound");
}

static void live_side(const void *arg)
{
	const struct side *side = arg;

	side->live(side->pair);
}

/*
 * A recorder whose start takes longer than its player's ring lasts: what it has
 * missed may have been written over, and is not heard in place of that.
 */
static void test_late(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	struct pair pair = { NULL };
	const struct side sides[] = { { &pair, live_playing },
				      { &pair, live_recording } };

	if (!is_slow)
		vt_skip("this kernel has no kprobe for a start");
	vt_slow_down("start", 0);
	p.format = SND_PCM_FORMAT_S32_LE;	/* each frame is another one */
	p.stop = VT_NEVER;
	p.period = RING / 8;
	p.buffer = RING;
	pair.recorder = vt_recorder(device, &p);
	p.period = SHORT / 4;
	p.buffer = SHORT;
	pair.player = vt_player(device, &p);
	vt_play(pair.player, 0, SHORT);
	MUST(snd_pcm_start(pair.player->pcm));
	vt_threads(live_side, sides, sizeof(sides[0]), ARRAY_SIZE(sides));
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 100);
	is_slow = vt_slow_down("start", SLOW);
	vt_plan(3 * vt_devices());
	for (device = 0; device < vt_devices(); device++) {
		vt_run(test_start, &device,
		       "device %d loses nothing in a slow start", device);
		vt_run(test_beside, &device,
		       "device %d nor beside a recorder that runs", device);
		vt_run(test_late, &device,
		       "device %d nor hears what is written over it", device);
		is_slow = vt_slow_down("start", SLOW);
	}
	return vt_finish();
}
