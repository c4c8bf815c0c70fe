// SPDX-License-Identifier: GPL-2.0-only
/*
 * A clock moves on one processor, most often the client clock, while a client
 * does something on the other: whatever that is, it comes before the time that
 * passes or after it.
 */

#include <sched.h>
#include <sys/ioctl.h>
#include "vstall.h"

#define SLOW	(3 * VT_MS)
#define PERIOD	16		/* frames in which time passes */
#define RING	1024		/* frames */
#define RESETS	100
#define JOINS	50
#define LATE	(40 * VT_MS)	/* more than half a ring, in jiffies */
#define LATES	20
#define ODD	5		/* frames: less than a period */
#define WHOLE	19200		/* frames: a ring of one period, 400 ms */
#define WHOLES	10
#define TRIES	8
#define TELL	(50 * VT_MS)	/* later is it told of */
#define PAUSES	1000
#define HWSYNC	_IO('A', 0x22)
#define PAUSE	_IOW('A', 0x45, int)

static bool is_slow;

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	SYS(sched_setaffinity(0, sizeof(set), &set));
}

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
	char *heard;
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

static void live_playing(struct pair *pair)
{
	int64_t until = vt_now() + 20 * VT_SECOND;

	while (!pair->over && vt_now() < until)
		vt_play(pair->player, 0, WHOLE / 4);
}

static void live_joining(struct pair *pair)
{
	unsigned int i;

	for (i = 0; i < vt_share(JOINS); i++) {
		MUST(snd_pcm_start(pair->recorder->pcm));
		vt_read(pair->recorder, pair->heard, PERIOD);
		MUST(snd_pcm_drop(pair->recorder->pcm));
		vt_prepare(pair->recorder);
	}
	pair->over = true;
}

/*
 * A recorder that starts beside a player at full speed has its first frame when
 * it starts, and not where the clock was when it was about to.
 */
static void test_join(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	struct pair pair = { NULL };
	struct part parts[] = { { &pair, live_joining }, { &pair, live_playing } };

	if (!vt_slow_down("start", SLOW))
		vt_skip("this kernel has no kprobe there");
	use_clock(device, &p);
	pair.recorder = vt_recorder(device, &p);
	pair.heard = vt_alloc(PERIOD * pair.recorder->frame_bytes);
	p.period = WHOLE / 20;
	p.buffer = WHOLE;
	pair.player = vt_player(device, &p);
	vt_play(pair.player, 0, WHOLE / 2);
	MUST(snd_pcm_start(pair.player->pcm));
	vt_threads(live, parts, sizeof(parts[0]), 2);
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

static void live_resetting_both(struct pair *pair)
{
	char *heard = vt_alloc(RING / 4 * pair->recorder->frame_bytes);
	unsigned int i;

	for (i = 0; i < vt_share(RESETS); i++) {
		vt_play(pair->player, 0, RING / 2);
		vt_read(pair->recorder, heard, RING / 4);
		MUST(snd_pcm_reset(pair->player->pcm));
	}
	pair->over = true;
}

/*
 * To pause a group the core looks where it is, on some kernels under the group's
 * lock, which to stop it for an xrun it would wait for.
 */
static void test_reset_linked(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	struct pair pair = { NULL };
	struct part parts[] = { { &pair, live_resetting_both },
				{ &pair, live_pausing } };

	use_clock(device, &p);
	pair.player = vt_player(device, &p);
	pair.recorder = vt_recorder(device, &p);
	vt_link(pair.player, pair.recorder);
	vt_play(pair.player, 0, RING / 2);
	MUST(snd_pcm_start(pair.player->pcm));
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

	if (!vt_slow_down("reset", SLOW))
		vt_skip("this kernel has no kprobe there");
	use_clock(device, &p);
	pair.player = vt_player(device, &p);
	vt_play(pair.player, 0, RING / 2);
	MUST(snd_pcm_start(pair.player->pcm));
	vt_threads(live, parts, sizeof(parts[0]), 2);
}

/*
 * What is passed on within a period is told late, and the client has looked long
 * before: no ring has passed for that.
 */
static void test_late(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	uint64_t i;

	if (!vt_slow_down("tell", LATE))
		vt_skip("this kernel has no kprobe there");
	use_clock(device, &p);
	player = vt_player(device, &p);
	recorder = vt_recorder(device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, ODD + 1);
	MUST(snd_pcm_start(player->pcm));
	for (i = 0; i < LATES; i++) {
		vt_hear(recorder, i * ODD, ODD);
		vt_play(player, (i + 1) * ODD + 1, ODD);
	}
}

/* Frames that the stream has in so many rings, each second of which is looked at */
static int64_t count_rings(struct vt_stream *s)
{
	struct vt_position pos;
	int64_t start;
	int i;

	vt_prepare(s);
	go_to(0);	/* with the timer */
	MUST(snd_pcm_start(s->pcm));
	go_to(1);
	vt_locate(s, &pos);
	start = pos.trigger;
	for (i = 2; i <= WHOLES; i += 2) {
		vt_sleep_until(start + i * vt_duration(s, WHOLE) + TELL / 2);
		vt_locate(s, &pos);
	}
	vt_sleep_until(pos.after + TELL);
	vt_locate(s, &pos);
	MUST(snd_pcm_drop(s->pcm));
	return pos.frames;
}

/*
 * Of every second ring nobody sees the beginning, and its end is told late: who
 * looks before that must not be taken for who is told, or the ring is lost. So
 * is one if the machine stands still for longer: that is tried again.
 */
static void test_ring(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int tries = 0;
	int64_t frames;

	if (!vt_slow_down("tell", TELL))
		vt_skip("this kernel has no kprobe there");
	p.period = WHOLE;
	p.buffer = WHOLE;
	p.stop = VT_NEVER;
	s = vt_recorder(device, &p);
	do {
		frames = count_rings(s);
	} while (frames < WHOLES * WHOLE && ++tries < TRIES);
	EXPECT(tries < TRIES, "%lld frames in the time of %d",
	       (long long)frames, WHOLES * WHOLE);
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 200);
	is_slow = vt_slow_down("started", SLOW);
	vt_plan(7 * vt_devices());
	for (device = 0; device < vt_devices(); device++) {
		vt_run(test_drain, &device,
		       "device %d: drained before it is said to run", device);
		vt_slow_down("started", 0);
		vt_run(test_join, &device,
		       "device %d: recorded beside a player at full speed",
		       device);
		vt_slow_down("start", 0);
		vt_run(test_reset, &device, "device %d: reset while time passes",
		       device);
		vt_slow_down("reset", 0);
		vt_run(test_reset_linked, &device,
		       "device %d: a pair is reset while it is paused", device);
		vt_run(test_late, &device, "device %d: told late", device);
		vt_run(test_ring, &device, "device %d: told late of a ring", device);
		vt_slow_down("tell", 0);
		vt_run(test_pause, &device, "device %d: paused while time passes",
		       device);
		vt_slow_down("started", SLOW);
	}
	return vt_finish();
}
