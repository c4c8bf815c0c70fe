// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample of a driver, when the host suspends its streams: its engine stands,
 * and does not run on when they are closed. If it does, the kernel crashes.
 */

#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "vraw.h"

#define BUFFER	4096		/* frames */
#define PERIOD	(BUFFER / 4)
#define BYTES	(BUFFER * 4)
#define MARK	0x5f
#define DEVICES	3

/* Never stopped for what nobody writes or reads */
static void configure(int fd)
{
	struct snd_pcm_hw_params hw;
	struct snd_pcm_sw_params sw;

	vr_set_plain(&hw, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, BUFFER);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	memset(&sw, 0, sizeof(sw));
	sw.avail_min = 1;
	sw.start_threshold = LONG_MAX;
	sw.stop_threshold = LONG_MAX;
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw));
}

struct stream {
	int fd;
	unsigned char *ring;
};

static void open_stream(struct stream *stream, int device, int dir)
{
	stream->fd = vr_open(device, dir);
	configure(stream->fd);
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
	vt_plan(DEVICES);
	for (i = 0; i < DEVICES; i++)
		vt_run(test_suspend, &i, "device %d suspended", i);
	vt_sleep_until(vt_now() + 100 * VT_MS);
	return vt_finish();
}
