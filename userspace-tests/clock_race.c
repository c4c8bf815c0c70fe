// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client clock moves on one processor while a client does something on the
 * other: whatever that is, it comes before the time that passes or after it.
 */

#include <sys/ioctl.h>
#include "vstall.h"

#define SLOW	(3 * VT_MS)
#define PERIOD	16		/* frames in which time passes */
#define RING	1024		/* frames */
#define RESETS	100
#define PAUSES	1000
#define HWSYNC	_IO('A', 0x22)
#define PAUSE	_IOW('A', 0x45, int)

static bool is_slow;

static void use_clock(int device, struct vt_params *p)
{
	vt_use_clock(device, "client");
	p->period = PERIOD;
	p->buffer = RING;
}

/*
 * The clock looks before the core has said that the player drains: it may not
 * be taken for one that runs, and would have an xrun after its last frame.
 */
static void test_drain(const void *arg)
{
	const int device = *(const int *)arg;
	static const size_t frames[] = { 1, PERIOD - 1, PERIOD, 2 * PERIOD - 1 };
	struct vt_params p = vt_plain;
	struct vt_stream *player;
	unsigned int i;

	if (!is_slow)
		vt_skip("this kernel has no kprobe there");
	use_clock(device, &p);
	p.nonblock = true;
	player = vt_player(device, &p);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		vt_play(player, 0, frames[i]);
		snd_pcm_drain(player->pcm);
		vt_wait_state(player, SND_PCM_STATE_SETUP, 5 * VT_SECOND);
		vt_prepare(player);
	}
}

struct pair {
	struct vt_stream *player, *recorder;
	volatile bool over;
};

struct part {
	struct pair *pair;
	void (*live)(struct pair *pair);
};

static void live(const void *arg)
{
	const struct part *part = arg;

	part->live(part->pair);
}

static void live_pausing(struct pair *pair)
{
	int64_t until = vt_now() + 20 * VT_SECOND;
	int fd = vt_descriptor(pair->player);

	while (!pair->over && vt_now() < until) {
		ioctl(fd, PAUSE, 1);
		ioctl(fd, PAUSE, 0);
	}
}

static void live_hearing(struct pair *pair)
{
	uint64_t frames = vt_share(PAUSES) * PERIOD;
	uint64_t heard;

	for (heard = 0; heard < frames; heard += PERIOD) {
		vt_hear(pair->recorder, heard, PERIOD);
		vt_play(pair->player, heard + RING / 2, PERIOD);
	}
	pair->over = true;
}

/* A recorder waits for a player that is paused, from its first frame on. */
static void test_pause(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	struct pair pair = { NULL };
	struct part parts[] = { { &pair, live_hearing }, { &pair, live_pausing } };

	use_clock(device, &p);
	pair.player = vt_player(device, &p);
	pair.recorder = vt_recorder(device, &p);
	vt_link(pair.player, pair.recorder);
	vt_play(pair.player, 0, RING / 2);
	MUST(snd_pcm_start(pair.player->pcm));
	MUST(snd_pcm_unlink(pair.player->pcm));
	vt_threads(live, parts, sizeof(parts[0]), 2);
}

static void live_looking(struct pair *pair)
{
	int64_t until = vt_now() + 20 * VT_SECOND;
	int fd = vt_descriptor(pair->player);

	while (!pair->over && vt_now() < until)
		ioctl(fd, HWSYNC);
}

static void live_resetting(struct pair *pair)
{
	unsigned int i;

	for (i = 0; i < vt_share(RESETS); i++) {
		vt_play(pair->player, 0, RING / 2);
		MUST(snd_pcm_reset(pair->player->pcm));
	}
	pair->over = true;
}

/*
 * What is thrown away has not passed, so that there is time to write; and who
 * looks before the PCM core is through with it finds no xrun.
 */
static void test_reset(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	struct pair pair = { NULL };
	struct part parts[] = { { &pair, live_resetting }, { &pair, live_looking } };

	use_clock(device, &p);
	pair.player = vt_player(device, &p);
	vt_play(pair.player, 0, RING / 2);
	MUST(snd_pcm_start(pair.player->pcm));
	vt_threads(live, parts, sizeof(parts[0]), 2);
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 60);
	is_slow = vt_slow_down("started", SLOW);
	vt_plan(3 * vt_devices());
	for (device = 0; device < vt_devices(); device++) {
		vt_run(test_drain, &device,
		       "device %d: drained before it is said to run", device);
		vt_slow_down("started", 0);
		vt_slow_down("reset", SLOW);
		vt_run(test_reset, &device, "device %d: reset while time passes",
		       device);
		vt_slow_down("reset", 0);
		vt_run(test_pause, &device, "device %d: paused while time passes",
		       device);
		vt_slow_down("started", SLOW);
	}
	return vt_finish();
}
