// SPDX-License-Identifier: GPL-2.0-only
/*
 * A player that never lets the client clock rest: its threads make room as fast
 * as the clock uses it up, while many wait to be told of each frame. Whoever
 * else needs the clock for a moment gets it.
 */

#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "vraw.h"

#define LONG	(16 * 1024)	/* frames in a ring */
#define PERIOD	16		/* frames in which the player's waiters are told */
#define ROUNDS	20
#define SOON	(10 * VT_SECOND)

struct busy {
	int player;
	volatile bool over;
	volatile unsigned long frames;
	unsigned int closed;
	int64_t longest;		/* ns for which a close took */
};

struct part {
	struct busy *busy;
	bool closes;
};

static void configure(int fd, unsigned int period)
{
	struct snd_pcm_hw_params hw;

	vr_set_plain(&hw, SNDRV_PCM_ACCESS_RW_INTERLEAVED, LONG);
	vr_set_one(&hw, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, period);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
}

/* Until the last close is through, or one of them takes too long. */
static void live_playing(struct busy *busy)
{
	int64_t until = vt_now() + 2 * SOON;
	snd_pcm_uframes_t frames;

	while (!busy->over && vt_now() < until) {
		frames = LONG;
		SYS(ioctl(busy->player, SNDRV_PCM_IOCTL_FORWARD, &frames));
		busy->frames += frames;
	}
}

static void wait_for_more(const struct busy *busy)
{
	unsigned long frames = busy->frames;
	int64_t until = vt_now() + SOON;

	while (busy->frames == frames && vt_now() < until)
		sched_yield();
}

/* Its closing waits until the clock does nothing that began before. */
static void live_closing(struct busy *busy)
{
	int64_t before;
	int fd;

	while (busy->closed < vt_share(ROUNDS) && busy->longest < SOON) {
		fd = vr_open_now(0, SNDRV_PCM_STREAM_CAPTURE);
		SYS(fd);
		configure(fd, LONG / 4);
		wait_for_more(busy);
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_START));
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_DROP));
		before = vt_now();
		SYS(close(fd));
		if (busy->longest < vt_now() - before)
			busy->longest = vt_now() - before;
		busy->closed++;
	}
	busy->over = true;
}

static void live(const void *arg)
{
	const struct part *part = arg;

	if (part->closes)
		live_closing(part->busy);
	else
		live_playing(part->busy);
}

static void wait_for_room(int fd, int waiters)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int waiter;

	while (waiters--) {
		waiter = epoll_create1(EPOLL_CLOEXEC);
		SYS(waiter);
		SYS(epoll_ctl(waiter, EPOLL_CTL_ADD, fd, &event));
	}
}

static void test_close(const void *arg)
{
	struct busy busy = { .player = -1 };
	struct part parts[] = { { &busy, true }, { &busy }, { &busy } };
	snd_pcm_uframes_t frames = LONG;

	busy.player = vr_open(0, SNDRV_PCM_STREAM_PLAYBACK);
	configure(busy.player, PERIOD);
	wait_for_room(busy.player, *(const int *)arg);
	SYS(ioctl(busy.player, SNDRV_PCM_IOCTL_FORWARD, &frames));
	SYS(ioctl(busy.player, SNDRV_PCM_IOCTL_START));
	vt_threads(live, parts, sizeof(parts[0]), 3);
	vt_note("%u times closed in %lld ms at most, %lu frames played",
		busy.closed, (long long)(busy.longest / VT_MS), busy.frames);
	EXPECT(busy.frames, "nothing was played");
	EXPECT(busy.longest < SOON, "a close took %lld ms",
	       (long long)(busy.longest / VT_MS));
}

int main(int argc, char **argv)
{
	static const int waiters[] = { 1, 400 };
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(ARRAY_SIZE(waiters));
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		vt_run(test_close, &waiters[i],
		       "recorder closed while %d wait for a busy clock",
		       waiters[i]);
	return vt_finish();
}
