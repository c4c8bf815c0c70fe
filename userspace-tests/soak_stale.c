// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings are handed from one owner to the next, many times, in all kinds of
 * memory and all sizes: whoever comes next finds zeros in all of its pages, the
 * tail of the last one included; and who has pinned a page of an earlier ring
 * keeps it as it was. $SOAK_STALE says how often, $SOAK_SEED what happens.
 *
 * Zeros, and not only the absence of what the former owner has left: a kernel
 * that poisons what is freed would have hidden that. All rings are of S8, whose
 * silence is zero as well.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "vraw.h"

#define CANARY	0xc9
#define NEXT	0x36	/* what the next owner leaves where a page is pinned */
#define PAGE	4096UL
#define LIMIT	(5 * VT_SECOND)

enum way { CLOSED, FREED, RESIZED, WAYS };

struct ring {
	int fd, device, dir;
	unsigned int frames;	/* of one byte */
	unsigned char *at;
	size_t bytes;		/* in whole pages */
};

static unsigned long handovers, pinned, ways[WAYS], dirs[2];
static uint64_t seed;

/* Small ones as often as large ones, up to 256 KiB */
static unsigned int draw_frames(void)
{
	unsigned int bits = 6 + vt_random(&seed, 12);

	return 2 * ((1U << (bits - 1)) + vt_random(&seed, 1U << (bits - 1)));
}

static void configure(struct ring *r)
{
	struct snd_pcm_hw_params hw;

	vr_set_any(&hw);
	vr_set_bit(&hw, SNDRV_PCM_HW_PARAM_ACCESS,
		   SNDRV_PCM_ACCESS_MMAP_INTERLEAVED);
	vr_set_bit(&hw, SNDRV_PCM_HW_PARAM_FORMAT, (int)SNDRV_PCM_FORMAT_S8);
	vr_set_one(&hw, SNDRV_PCM_HW_PARAM_CHANNELS, 1);
	vr_set_one(&hw, SNDRV_PCM_HW_PARAM_RATE, 192000);
	vr_set_one(&hw, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, r->frames / 2);
	vr_set_one(&hw, SNDRV_PCM_HW_PARAM_BUFFER_SIZE, r->frames);
	SYS(ioctl(r->fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
}

/* Whole pages, as any client can map them: to write as well, either end */
static void map_ring(struct ring *r)
{
	r->bytes = (r->frames + PAGE - 1) / PAGE * PAGE;
	r->at = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		     0);
	EXPECT(r->at != MAP_FAILED, "cannot map %zu bytes: %m", r->bytes);
}

static struct ring open_ring(int device, int dir, unsigned int frames)
{
	struct ring r = { .device = device, .dir = dir, .frames = frames };

	r.fd = vr_open_now(device, dir);
	SYS(r.fd);
	configure(&r);
	map_ring(&r);
	return r;
}

static void unmap_ring(struct ring *r)
{
	SYS(munmap(r->at, r->bytes));
}

static void close_ring(struct ring *r)
{
	unmap_ring(r);
	SYS(close(r->fd));
}

/*
 * Canaries are played to a recorder, which is how the kernel fills its ring;
 * its owner leaves them in the tail, where the kernel never writes.
 */
static void record_canaries(struct ring *recorder)
{
	struct ring player = open_ring(recorder->device,
				       SNDRV_PCM_STREAM_PLAYBACK,
				       recorder->frames);
	snd_pcm_uframes_t all = recorder->frames;
	int64_t until = vt_now() + LIMIT;

	memset(player.at, CANARY, player.bytes);
	SYS(ioctl(player.fd, SNDRV_PCM_IOCTL_PREPARE));
	SYS(ioctl(recorder->fd, SNDRV_PCM_IOCTL_PREPARE));
	SYS(ioctl(player.fd, SNDRV_PCM_IOCTL_FORWARD, &all));
	SYS(ioctl(player.fd, SNDRV_PCM_IOCTL_LINK, recorder->fd));
	SYS(ioctl(player.fd, SNDRV_PCM_IOCTL_START));
	while (recorder->at[recorder->frames - 2] != CANARY) {
		EXPECT(vt_now() < until, "no canaries are recorded");
		usleep(recorder->frames * 6);
		/* in the end there is an overrun */
		ioctl(recorder->fd, SNDRV_PCM_IOCTL_HWSYNC);
	}
	close_ring(&player);
	ioctl(recorder->fd, SNDRV_PCM_IOCTL_DROP);
	memset(recorder->at + recorder->frames, CANARY,
	       recorder->bytes - recorder->frames);
}

static struct ring leave_canaries(int device, int dir)
{
	struct ring r = open_ring(device, dir, draw_frames());

	if (dir == SNDRV_PCM_STREAM_PLAYBACK)
		memset(r.at, CANARY, r.bytes);
	else
		record_canaries(&r);
	return r;
}

/* Coherent memory may have no pages; the name tells the kind of buffers. */
static bool has_pages(const struct ring *r)
{
	struct snd_pcm_info info;

	memset(&info, 0, sizeof(info));
	SYS(ioctl(r->fd, SNDRV_PCM_IOCTL_INFO, &info));
	return strcmp((const char *)info.name, "Virtual dma cable");
}

/*
 * A page of a ring, which its owner keeps in a pipe: memory that is mapped at
 * once cannot be pinned.
 */
static bool pin_page(const struct ring *r, int pipe_fd, unsigned char *copy)
{
	struct iovec page = { .iov_len = PAGE };

	page.iov_base = r->at + vt_random(&seed, r->bytes / PAGE) * PAGE;
	memcpy(copy, page.iov_base, PAGE);
	if (vmsplice(pipe_fd, &page, 1, 0) == (ssize_t)PAGE)
		return true;
	EXPECT(errno == EFAULT && !has_pages(r), "vmsplice: %m");
	return false;
}

/* It shows what it showed, and not what the next owner does. */
static void expect_kept(int pipe_fd, const unsigned char *copy)
{
	unsigned char got[PAGE];
	size_t n = 0;

	while (n < PAGE)
		n += SYS(read(pipe_fd, got + n, PAGE - n));
	EXPECT(!memchr(got, NEXT, PAGE), "a pinned page is the next owner's");
	EXPECT(!memcmp(got, copy, PAGE), "a pinned page has changed");
}

static void give_up(struct ring *r, enum way way)
{
	if (way == CLOSED) {
		close_ring(r);
		return;
	}
	unmap_ring(r);
	if (way == FREED)
		SYS(ioctl(r->fd, SNDRV_PCM_IOCTL_HW_FREE));
}

static void take_over(struct ring *r, enum way way)
{
	unsigned int frames = draw_frames();

	if (way == CLOSED) {
		*r = open_ring(r->device, r->dir, frames);
		return;
	}
	r->frames = frames;
	configure(r);
	map_ring(r);
}

static void expect_zero(const struct ring *r, unsigned int before, enum way way)
{
	static const char *const names[] = { "close", "hw_free", "hw_params" };
	size_t i;

	if (!r->at[0] && !memcmp(r->at, r->at + 1, r->bytes - 1))
		return;
	for (i = 0; !r->at[i]; i++)
		;
	vt_fail(__FILE__, __LINE__,
		"hand-over %lu by %s: %s of %u bytes after one of %u: byte %zu is %02x",
		handovers, names[way], r->dir ? "recorder" : "player",
		r->frames, before, i, r->at[i]);
}

static void hand_over(int device)
{
	int dir = vt_random(&seed, 2);
	enum way way = vt_random(&seed, WAYS);
	struct ring r = leave_canaries(device, dir);
	unsigned int before = r.frames;
	unsigned char copy[PAGE];
	bool is_pinned;
	int fds[2];

	SYS(pipe(fds));
	/* what is only resized keeps its pages, and its owner */
	is_pinned = way != RESIZED && vt_random(&seed, 2) &&
		    pin_page(&r, fds[1], copy);
	give_up(&r, way);
	take_over(&r, way);
	expect_zero(&r, before, way);
	if (dir == SNDRV_PCM_STREAM_PLAYBACK)
		memset(r.at, NEXT, r.bytes);
	if (is_pinned)
		expect_kept(fds[0], copy);
	close_ring(&r);
	SYS(close(fds[0]));
	SYS(close(fds[1]));
	pinned += is_pinned;
	ways[way]++;
	dirs[dir]++;
	handovers++;
}

struct job {
	int device;
	unsigned long rounds;
};

static void test_handovers(const void *arg)
{
	const struct job *job = arg;
	unsigned long i;

	for (i = 0; i < job->rounds; i++)
		hand_over(job->device);
	vt_note("so far: %lu hand-overs, %lu of players, %lu of recorders",
		handovers, dirs[0], dirs[1]);
	vt_note("by close %lu, hw_free %lu, hw_params %lu; %lu with a pinned page",
		ways[CLOSED], ways[FREED], ways[RESIZED], pinned);
}

int main(int argc, char **argv)
{
	const char *value = getenv("SOAK_STALE"), *begin = getenv("SOAK_SEED");
	unsigned long rounds = value ? strtoul(value, NULL, 0) : 500;
	int devices;
	struct job job;

	seed = begin ? strtoull(begin, NULL, 0) : 1;
	vt_init(argc, argv, 600 + rounds);
	devices = vt_devices();
	job.rounds = (rounds + devices - 1) / devices;
	vt_plan(devices);
	vt_note("seed %llu", (unsigned long long)seed);
	for (job.device = 0; job.device < devices; job.device++)
		vt_run(test_handovers, &job, "device %d %lu hand-overs",
		       job.device, job.rounds);
	return vt_finish();
}
