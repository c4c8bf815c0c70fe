// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample of a driver, when the host does two things with a stream at once, or
 * suspends it: its engine never runs on a buffer that is gone, nor is it told of
 * one. If it does, the kernel crashes.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vraw.h"

#define RACE	(3 * VT_SECOND)
#define BUFFER	4096		/* frames */
#define PERIOD	(BUFFER / 4)
#define BYTES	(BUFFER * 4)
#define MARK	0x5f
#define RW	SNDRV_PCM_ACCESS_RW_INTERLEAVED
#define DEVICES	3
#define PIECES	2		/* the device whose buffer is in pieces */

struct race {
	int dir;
	int fd;
	int64_t until;
	atomic_ulong done[2];
};

struct part {
	struct race *race;
	void (*live)(struct race *race, atomic_ulong *done);
};

/* Never stopped for what nobody writes or reads */
static void configure(int fd, int access)
{
	struct snd_pcm_hw_params hw;
	struct snd_pcm_sw_params sw;

	vr_set_plain(&hw, access, BUFFER);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	memset(&sw, 0, sizeof(sw));
	sw.avail_min = 1;
	sw.start_threshold = LONG_MAX;
	sw.stop_threshold = LONG_MAX;
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw));
}

/* What the other one does meanwhile may be a reason to refuse it. */
static bool call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	EXPECT(!ret || errno == EBADFD || errno == EBUSY || errno == EAGAIN,
	       "request %#lx: %m", request);
	return !ret;
}

static void live_preparing(struct race *race, atomic_ulong *done)
{
	while (vt_now() < race->until)
		*done += call(race->fd, SNDRV_PCM_IOCTL_PREPARE, NULL);
}

/* See linked_close: what is stopped by a close is linked once it is prepared. */
static void live_closing(struct race *race, atomic_ulong *done)
{
	uint64_t seed = 1;
	int64_t until;
	int fd;

	while (vt_now() < race->until) {
		fd = SYS(vr_open_now(PIECES, race->dir));
		configure(fd, RW);
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
		while (!call(race->fd, SNDRV_PCM_IOCTL_LINK, (void *)(long)fd))
			if (vt_now() > race->until)
				break;
		until = vt_now() + vt_random(&seed, VT_MS);
		while (vt_now() < until)
			;
		SYS(close(fd));
		++*done;
	}
}

static void live_draining(struct race *race, atomic_ulong *done)
{
	while (vt_now() < race->until)
		*done += call(race->fd, SNDRV_PCM_IOCTL_DRAIN, NULL) ||
			 errno == EAGAIN;
}

/* One that drains already is stopped first. */
static void live_replacing(struct race *race, atomic_ulong *done)
{
	snd_pcm_uframes_t frames = PERIOD;
	uint64_t seed = 1;
	int64_t until;

	while (vt_now() < race->until) {
		until = vt_now() + vt_random(&seed, 30 * VT_US);
		while (vt_now() < until)
			;
		if (!call(race->fd, SNDRV_PCM_IOCTL_HW_FREE, NULL)) {
			call(race->fd, SNDRV_PCM_IOCTL_DROP, NULL);
			continue;
		}
		configure(race->fd, RW);
		SYS(ioctl(race->fd, SNDRV_PCM_IOCTL_PREPARE));
		call(race->fd, SNDRV_PCM_IOCTL_FORWARD, &frames);
		++*done;
	}
}

static void live(const void *arg)
{
	const struct part *part = arg;
	struct race *race = part->race;
	atomic_ulong *done = &race->done[part->live == live_closing ||
					 part->live == live_replacing];

	part->live(race, done);
	EXPECT(*done, "nothing was done");
}

/* The work that stands in for the interrupt has another turn or two. */
static void run_race(struct race *race, const struct part *parts)
{
	race->until = vt_now() + vt_share(RACE);
	vt_threads(live, parts, sizeof(parts[0]), 2);
	vt_sleep_until(vt_now() + 100 * VT_MS);
	vt_note("%lu times, beside %lu", race->done[0], race->done[1]);
}

static void test_close(const void *arg)
{
	struct race race = { .dir = *(const int *)arg };
	const struct part parts[] = {
		{ &race, live_preparing }, { &race, live_closing },
	};

	race.fd = vr_open(0, SNDRV_PCM_STREAM_CAPTURE);
	configure(race.fd, RW);
	SYS(ioctl(race.fd, SNDRV_PCM_IOCTL_PREPARE));
	run_race(&race, parts);
}

static void test_drain(const void *arg)
{
	struct race race = { 0 };
	const struct part parts[] = {
		{ &race, live_draining }, { &race, live_replacing },
	};

	race.fd = vr_open(*(const int *)arg, SNDRV_PCM_STREAM_PLAYBACK);
	SYS(fcntl(race.fd, F_SETFL, O_NONBLOCK | O_RDWR));
	configure(race.fd, RW);
	run_race(&race, parts);
}

struct stream {
	int fd;
	unsigned char *ring;
};

static void open_stream(struct stream *stream, int device, int dir)
{
	stream->fd = vr_open(device, dir);
	configure(stream->fd, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED);
	stream->ring = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			    stream->fd, 0);
	EXPECT(stream->ring != MAP_FAILED, "mmap: %m");
}

/* Is what is in the player's ring heard within two turns of the recorder's? */
static bool is_heard(const struct stream s[2])
{
	memset(s[0].ring, MARK, BYTES);
	memset(s[1].ring, 0, BYTES);
	vt_sleep_until(vt_now() + 2 * BUFFER * VT_SECOND / 48000);
	return memchr(s[1].ring, MARK, BYTES);
}

static void start(const struct stream s[2])
{
	snd_pcm_uframes_t frames = PERIOD;
	int i;

	for (i = 0; i < 2; i++)
		SYS(ioctl(s[i].fd, SNDRV_PCM_IOCTL_PREPARE));
	SYS(ioctl(s[0].fd, SNDRV_PCM_IOCTL_FORWARD, &frames));
	for (i = 0; i < 2; i++)
		SYS(ioctl(s[i].fd, SNDRV_PCM_IOCTL_START));
	EXPECT(is_heard(s), "nothing is heard");
}

/* What is closed then gets no STOP: the host takes it for stopped. */
static void test_suspend(const void *arg)
{
	struct snd_pcm_status status = { 0 };
	struct stream s[2];
	int i;

	for (i = 0; i < 2; i++)
		open_stream(&s[i], *(const int *)arg, i);
	start(s);
	vt_go_down();
	SYS(ioctl(s[1].fd, SNDRV_PCM_IOCTL_STATUS, &status));
	EXPECT((int)status.state == (int)SNDRV_PCM_STATE_SUSPENDED,
	       "in state %d", (int)status.state);
	EXPECT(!is_heard(s), "suspended, and heard all the same");
	start(s);
	vt_go_down();
	for (i = 0; i < 2; i++)
		munmap(s[i].ring, BYTES);
}

int main(int argc, char **argv)
{
	int i;

	vt_init(argc, argv, 60);
	vt_plan(2 + 2 * DEVICES);
	for (i = 0; i < 2; i++)
		vt_run(test_close, &i, "%s closed while its group is prepared",
		       i ? "recorder" : "player");
	for (i = 0; i < DEVICES; i++)
		vt_run(test_drain, &i,
		       "device %d drained while its buffer is replaced", i);
	for (i = 0; i < DEVICES; i++)
		vt_run(test_suspend, &i, "device %d suspended", i);
	vt_sleep_until(vt_now() + 100 * VT_MS);
	return vt_finish();
}
