// SPDX-License-Identifier: GPL-2.0-only
/*
 * Through the OSS emulation, whose clients may configure a stream anew while
 * its ring is mapped: what they keep mapped never becomes somebody else's. And
 * which does not know of a delay that is not in the ring.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/soundcard.h>
#include <unistd.h>
#include "vctl.h"

#define MARK	0x5f

static void close_fd(void *data)
{
	int *fd = data;

	close(*fd);
}

/* Device 0 is dsp, device 1 adsp; with a number from the second card on */
static int open_dsp(int device, int flags)
{
	int *fd = vt_alloc(sizeof(*fd));
	char path[32];

	if (vt_card)
		snprintf(path, sizeof(path), "/dev/%sdsp%d",
			 device ? "a" : "", vt_card);
	else
		snprintf(path, sizeof(path), "/dev/%sdsp", device ? "a" : "");
	*fd = open(path, flags);
	if (*fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		vt_skip("no OSS emulation: %s: %s", path, strerror(errno));
	EXPECT(*fd >= 0, "%s: %s", path, strerror(errno));
	vt_defer(close_fd, fd);
	return *fd;
}

static void set(int fd, unsigned long request, int value)
{
	int got = value;

	SYS(ioctl(fd, request, &got));
	EXPECT(got == value, "asked for %d, got %d", value, got);
}

static void set_plain(int fd)
{
	set(fd, SNDCTL_DSP_SETFMT, AFMT_S16_LE);
	set(fd, SNDCTL_DSP_CHANNELS, 2);
	set(fd, SNDCTL_DSP_SPEED, 48000);
}

/* What is written to dsp is recorded by ALSA, all of it, in time. */
static void test_write(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *recorder;
	size_t n = 9600, quiet = 0, good;
	unsigned char *buf;
	int fd;

	fd = open_dsp(*device, O_WRONLY);
	set_plain(fd);
	p.stop = VT_NEVER;
	p.buffer = 48000;
	recorder = vt_recorder(*device, &p);
	MUST(snd_pcm_start(recorder->pcm));
	buf = vt_alloc(n * 2 * recorder->frame_bytes);
	vt_stamp(recorder, buf, 0, n);
	EXPECT(SYS(write(fd, buf, n * recorder->frame_bytes)) ==
	       (long)(n * recorder->frame_bytes), "a short write");
	SYS(ioctl(fd, SNDCTL_DSP_SYNC, NULL));
	vt_read(recorder, buf, n * 2);
	quiet = vt_silent(recorder, buf, n * 2);
	EXPECT(quiet < n, "silence for %zu frames", quiet);
	buf += quiet * recorder->frame_bytes;
	good = vt_stamped(recorder, buf, 0, n);
	EXPECT(good == n, "%zu frames of %zu", good, n);
}

static void test_read(const void *arg)
{
	const int *device = arg;
	unsigned char *buf = vt_alloc(48000);
	int64_t before;
	int fd;

	fd = open_dsp(*device, O_RDONLY);
	set_plain(fd);
	before = vt_now();
	EXPECT(SYS(read(fd, buf, 48000)) == 48000, "a short read");
	vt_expect_time(vt_now(), before + 250 * VT_MS, 100 * VT_MS,
		       "12000 frames");
	EXPECT(!buf[0] && !memcmp(buf, buf + 1, 47999), "not silent");
}

static void unmap_ring(void *data)
{
	munmap(data, 65536);
}

/* Somebody else's data, in memory that was just freed if any was */
static void fill_others(int device)
{
	struct vt_params p = vt_plain;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct vt_stream *other;
		unsigned char *mark;

		p.period = 4096 << i;
		p.buffer = p.period * 4;
		other = vt_player(!device, &p);
		mark = vt_alloc(p.buffer * other->frame_bytes);
		memset(mark, MARK, p.buffer * other->frame_bytes);
		vt_write(other, mark, p.buffer);
		vt_undo(free, mark);
		vt_close(other);
	}
}

/* Mapped, and then configured anew: refused, or the mapping stays its own. */
static void test_mapped(const void *arg)
{
	static const int fragments[] = {
		0x00020009, 0x0010000c, 0x7fff000f, 0x00040004,
	};
	const int *device = arg;
	unsigned char *ring;
	int fd, value;
	unsigned int i;

	fd = open_dsp(*device, O_RDWR);
	value = 0x0008000d;		/* 8 fragments of 8 KiB */
	SYS(ioctl(fd, SNDCTL_DSP_SETFRAGMENT, &value));
	set_plain(fd);
	ring = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		vt_skip("this ring cannot be mapped: %s", strerror(errno));
	vt_defer(unmap_ring, ring);
	memset(ring, 0x11, 65536);
	for (i = 0; i < ARRAY_SIZE(fragments); i++) {
		value = fragments[i];
		/* any answer will do to each of these */
		if (ioctl(fd, SNDCTL_DSP_SETFRAGMENT, &value) < 0)
			vt_note("fragments: %s", strerror(errno));
		value = i & 1 ? 44100 : 96000;
		if (ioctl(fd, SNDCTL_DSP_SPEED, &value) < 0)
			vt_note("speed: %s", strerror(errno));
		value = PCM_ENABLE_OUTPUT;
		if (ioctl(fd, SNDCTL_DSP_SETTRIGGER, &value) < 0)
			vt_note("trigger: %s", strerror(errno));
		fill_others(*device);
		EXPECT(!memchr(ring, MARK, 65536),
		       "the mapping shows somebody else's data");
	}
}

/* The card is as good as before. */
static void test_afterwards(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	p.stop = VT_NEVER;
	player = vt_player(*device, &p);
	recorder = vt_recorder(*device, &p);
	vt_echo(player, recorder, 6000, 480);
}

/* A reader that is late, but not too late, on a device with a latency */
static void test_latency(const void *arg)
{
	const long latency = *(const long *)arg;
	const size_t part = 1024, all = 24 * part;
	int fd, fragments = 4 << 16 | 13;	/* 4 of 2^13 bytes */
	struct vt_params p = vt_plain;
	struct vt_stream *player;
	size_t n, quiet, good;
	unsigned char *buf;

	vt_use_latency(0, latency);
	p.period = part;
	p.buffer = 2 * all;
	p.stop = VT_NEVER;
	player = vt_player(0, &p);
	vt_play(player, 1, 2 * all);
	fd = open_dsp(0, O_RDONLY);
	SYS(ioctl(fd, SNDCTL_DSP_SETFRAGMENT, &fragments));
	set_plain(fd);
	buf = vt_alloc(all * player->frame_bytes);
	for (n = 0; n < all; n += part) {
		SYS(read(fd, buf + n * player->frame_bytes,
			 part * player->frame_bytes));
		if (!n)
			MUST(snd_pcm_start(player->pcm));
		if (n == all / 2)
			vt_sleep_until(vt_now() + 125 * VT_MS);
	}
	quiet = vt_silent(player, buf, all);
	EXPECT(quiet < all || latency > (long)all, "nothing but silence");
	buf += quiet * player->frame_bytes;
	good = vt_stamped(player, buf, 1, all - quiet);
	EXPECT(good == all - quiet, "%zu frames, then others", good);
}

int main(int argc, char **argv)
{
	/* the last is more than a ring */
	static const long latencies[] = { 0, 1000, 5000, 100000 };
	unsigned int i;
	bool load;
	int device;

	vt_init(argc, argv, 60);
	vt_plan(2 * 4 + ARRAY_SIZE(latencies));
	/* not there on every kernel: then each test is skipped */
	load = access("/sys/module/snd_pcm_oss", F_OK) < 0;
	if (load && system("modprobe -q snd-pcm-oss"))
		vt_note("cannot load snd-pcm-oss");
	for (device = 0; device < 2; device++) {
		vt_run(test_write, &device, "device %d OSS write", device);
		vt_run(test_read, &device, "device %d OSS read", device);
		vt_run(test_mapped, &device,
		       "device %d OSS mapped and configured anew", device);
		vt_run(test_afterwards, &device, "device %d after OSS",
		       device);
	}
	for (i = 0; i < ARRAY_SIZE(latencies); i++)
		vt_run(test_latency, &latencies[i],
		       "OSS read with a latency of %ld", latencies[i]);
	if (load && system("modprobe -q -r snd-pcm-oss"))
		vt_note("cannot unload snd-pcm-oss");
	return vt_finish();
}
