// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure once: whatever a system call allocates or copies is made to
 * fail, the first of it, then the second, until nothing is left to fail. Each
 * time the call has to give a plain error, and to be good when it is made
 * again, or to do without, and then has done all of it; and afterwards the card
 * plays as if nothing had been.
 *
 * It takes a kernel with fault injection; see /proc/self/fail-nth.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vfault.h"

/* Before: nothing, open, configured, prepared, running */
static void nothing(struct vf_subject *s)
{
	(void)s;
}

static void configured(struct vf_subject *s)
{
	vf_open(s);
	SYS(vf_set_params(s->fd, &vf_plain));
}

static void configured_mmap(struct vf_subject *s)
{
	vf_open(s);
	SYS(vf_set_params(s->fd, &vf_mapped));
}

/* What a recorder hears late is kept meanwhile: less than a page of it */
static void configured_late(struct vf_subject *s)
{
	vf_set_latency(s, 1);
	vf_open(s);
	SYS(vf_set_params(s->fd, &vf_page));
}

static void prepared(struct vf_subject *s)
{
	configured(s);
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE));
}

/* With something to play */
static void filled(struct vf_subject *s)
{
	snd_pcm_uframes_t frames = VF_FRAMES;

	prepared(s);
	if (vf_is_player(s))
		SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_FORWARD, &frames));
}

static void running(struct vf_subject *s)
{
	filled(s);
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_START));
	vt_sleep_until(vt_now() + 15 * VT_MS);
}

static void both_prepared(struct vf_subject *s)
{
	prepared(s);
	s->other = SYS(vr_open_now(s->device, !s->dir));
	SYS(vf_set_params(s->other, &vf_plain));
	SYS(ioctl(s->other, SNDRV_PCM_IOCTL_PREPARE));
}

static void mapped(struct vf_subject *s)
{
	configured_mmap(s);
	SYS(vf_map(s, VF_BYTES));
}

static void mapped_with_room(struct vf_subject *s)
{
	void *room;

	mapped(s);
	room = mmap(NULL, s->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	EXPECT(room != MAP_FAILED, "mmap: %m");
	s->room = room;
}

/* The calls */
static long act_open(struct vf_subject *s)
{
	s->fd = vr_open_now(s->device, s->dir);
	return s->fd < 0 ? -1 : 0;
}

static long act_refine(struct vf_subject *s)
{
	struct snd_pcm_hw_params p;

	vr_set_any(&p);
	return ioctl(s->fd, SNDRV_PCM_IOCTL_HW_REFINE, &p);
}

static long act_params(struct vf_subject *s)
{
	return vf_set_params(s->fd, s->hw);
}

static long act_free(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_HW_FREE);
}

static long act_prepare(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE);
}

static long act_link(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_LINK, s->other);
}

static long act_start(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_START);
}

static long act_pause(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_PAUSE, 1);
}

static long act_map(struct vf_subject *s)
{
	return vf_map(s, VF_BYTES);
}

static long act_touch(struct vf_subject *s)
{
	return vf_touch(s);
}

static long act_move(struct vf_subject *s)
{
	void *moved = mremap(s->map, s->map_bytes, s->map_bytes,
			     MREMAP_MAYMOVE | MREMAP_FIXED, s->room);

	if (moved == MAP_FAILED)
		return -1;
	s->map = moved;
	s->room = NULL;
	return 0;
}

static long act_poll(struct vf_subject *s)
{
	struct pollfd fd = { .fd = s->fd, .events = POLLIN | POLLOUT };
	int ready = poll(&fd, 1, 1000);

	EXPECT(ready, "nothing happened for 1 s");
	return ready < 0 ? -1 : 0;
}

static long act_status(struct vf_subject *s)
{
	struct snd_pcm_status status;

	memset(&status, 0, sizeof(status));
	return ioctl(s->fd, SNDRV_PCM_IOCTL_STATUS_EXT, &status);
}

static long act_drop(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_DROP);
}

static long act_drain(struct vf_subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_DRAIN);
}

/* After: a stream goes on, starts anew, has a ring and no more */
static void goes_on(struct vf_subject *s)
{
	SYS(vf_transfer(s));
}

static void goes_on_alone(struct vf_subject *s)
{
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_UNLINK));
	goes_on(s);
}

static void has_started(struct vf_subject *s)
{
	EXPECT(ioctl(s->fd, SNDRV_PCM_IOCTL_START) < 0 && errno == EBADFD,
	       "it did not start");
	goes_on(s);
}

static void is_paused(struct vf_subject *s)
{
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_PAUSE, 0));
	goes_on(s);
}

/* A recorder that drains still has what was recorded. */
static void has_stopped(struct vf_subject *s)
{
	EXPECT(ioctl(s->fd, SNDRV_PCM_IOCTL_PAUSE, 1) < 0 && errno == EBADFD,
	       "it did not stop");
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_DROP));
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE));
	goes_on(s);
}

static void has_ring(struct vf_subject *s)
{
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE));
	if (!s->map)
		SYS(vf_map(s, s->hw->frames * s->hw->frame_bytes));
	vf_expect_ring(s);
}

static void is_open(struct vf_subject *s)
{
	EXPECT(ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE) < 0 && errno == EBADFD,
	       "prepared without parameters");
	s->hw = &vf_mapped;
	SYS(vf_set_params(s->fd, s->hw));
	has_ring(s);
}

static long open_and_read(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	long done;
	int err;

	if (fd < 0)
		return -1;
	do {
		done = read(fd, text, sizeof(text));
	} while (done > 0);
	err = errno;
	close(fd);
	errno = err;
	return done;
}

static long act_proc(struct vf_subject *s)
{
	static const char *const files[] = { "info", "sub0/info",
		"sub0/hw_params", "sub0/sw_params", "sub0/status",
		"sub0/prealloc", "sub0/prealloc_max" };
	char path[80];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/asound/card%d/pcm%d%c/%s",
			 vt_card, s->device,
			 vf_is_player(s) ? 'p' : 'c',
			 files[i]);
		if (open_and_read(path) < 0 && errno != ENOENT)
			return -1;
	}
	return 0;
}

static int open_prealloc(const struct vf_subject *s, int mode)
{
	char path[80];

	snprintf(path, sizeof(path),
		 "/proc/asound/card%d/pcm%d%c/sub0/prealloc", vt_card,
		 s->device, vf_is_player(s) ? 'p' : 'c');
	return open(path, mode);
}

static bool has_prealloc(const struct vf_subject *s)
{
	int fd = open_prealloc(s, O_RDONLY);

	close(fd);
	return fd >= 0;
}

/* It takes effect in the write, which says what has failed. */
static long write_prealloc(struct vf_subject *s, const char *kib)
{
	int fd = open_prealloc(s, O_WRONLY), err;
	long done;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	done = write(fd, kib, strlen(kib));
	err = errno;
	close(fd);
	errno = err;
	return done < 0 ? -1 : 0;
}

/* As large as it was when the driver was loaded */
static void default_prealloc(struct vf_subject *s)
{
	SYS(write_prealloc(s, "512"));
}

static long act_prealloc(struct vf_subject *s)
{
	return write_prealloc(s, "256");
}

static void is_preallocated(struct vf_subject *s)
{
	int fd = open_prealloc(s, O_RDONLY);
	char text[8] = "";

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) < 0)
		vt_note("prealloc: %m");
	close(fd);
	EXPECT(!strcmp(text, "256\n"), "%s KiB are preallocated", text);
}

/* All of its memory has to be allocated then, of any kind. */
static void open_bare(struct vf_subject *s)
{
	SYS(write_prealloc(s, "0"));
	vf_open(s);
}

static bool is_recorder(const struct vf_subject *s)
{
	return !vf_is_player(s);
}

/* All controls of the card: listed, described, read, and written back */
static long act_controls(struct vf_subject *s)
{
	static struct snd_ctl_elem_id ids[512];
	struct snd_ctl_elem_list list = { .space = ARRAY_SIZE(ids),
					  .pids = ids };
	struct snd_ctl_elem_value value;
	struct snd_ctl_elem_info info;
	unsigned int i;
	long err;

	err = ioctl(s->fd, SNDRV_CTL_IOCTL_ELEM_LIST, &list);
	for (i = 0; i < list.used && !err; i++) {
		memset(&info, 0, sizeof(info));
		memset(&value, 0, sizeof(value));
		info.id = ids[i];
		value.id = ids[i];
		err = ioctl(s->fd, SNDRV_CTL_IOCTL_ELEM_INFO, &info);
		if (!err && info.access & SNDRV_CTL_ELEM_ACCESS_READ)
			err = ioctl(s->fd, SNDRV_CTL_IOCTL_ELEM_READ, &value);
		if (!err && info.access & SNDRV_CTL_ELEM_ACCESS_READ &&
		    info.access & SNDRV_CTL_ELEM_ACCESS_WRITE &&
		    ioctl(s->fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value) < 0)
			err = -1;
	}
	return err;
}

static void control(struct vf_subject *s)
{
	s->fd = vf_open_control();
}

#define HW(how, what, frames, frame_bytes) \
	.hw = { SNDRV_PCM_ACCESS_MMAP_ ## how, \
		(int)SNDRV_PCM_FORMAT_ ## what, frames, frame_bytes }

/*
 * In most of them the PCM core itself is sure to fail; our memory has a line of
 * its own for each kind.
 */
static const struct vf_call calls[] = {
	{ "open", nothing, act_open, is_open, ENOMEM },
	{ "hw_refine", vf_open, act_refine, is_open, ENOMEM },
	/* in one piece, of which there is no half */
	{ "hw_params of a page", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, S16_LE, VF_PAGE_FRAMES, 4) },
	{ "hw_params of a small buffer", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, S16_LE, VF_FRAMES, 4) },
	{ "hw_params of a large buffer", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, S16_LE, 96000, 4) },
	{ "hw_params without interleaving", vf_open, act_params, has_ring,
	  ENOMEM, HW(NONINTERLEAVED, S16_LE, 48000, 4) },
	{ "hw_params of a larger buffer", configured, act_params, has_ring,
	  ENOMEM, HW(INTERLEAVED, S16_LE, 96000, 4) },
	{ "hw_free", configured, act_free, is_open },
	{ "prepare", configured, act_prepare, goes_on },
	{ "prepare with a latency", configured_late, act_prepare, goes_on,
	  ENOMEM, is_recorder },
	{ "hw_params of 8 bits", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, S8, VF_FRAMES, 2) },
	{ "hw_params of 24 bits", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, S24_3LE, VF_FRAMES, 6) },
	{ "hw_params of 32 bits", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, S32_LE, VF_FRAMES, 8) },
	{ "hw_params of 64 bits", vf_open, act_params, has_ring, ENOMEM,
	  HW(INTERLEAVED, FLOAT64_LE, VF_FRAMES, 16) },
	{ "mmap", configured_mmap, act_map, has_ring, ENOMEM },
	{ "mremap", mapped_with_room, act_move, has_ring, ENOMEM },
	{ "page faults", mapped, act_touch, has_ring },
	{ "link", both_prepared, act_link, goes_on_alone, ENOMEM },
	{ "start", filled, act_start, has_started },
	{ "poll", running, act_poll, goes_on, EFAULT },
	{ "pause", running, act_pause, is_paused },
	{ "drain", running, act_drain, has_stopped },
	{ "read or write", running, vf_transfer, goes_on, EFAULT },
	{ "status", running, act_status, goes_on, EFAULT },
	{ "drop", running, act_drop, has_stopped },
	{ "proc files", running, act_proc },
	{ "preallocation", default_prealloc, act_prealloc, is_preallocated,
	  ENOMEM, has_prealloc },
	{ "memory of hw_params", open_bare, act_params, has_ring, ENOMEM,
	  NULL, "snd_pcmbuf", HW(INTERLEAVED, S16_LE, 96000, 4) },
	{ "controls", control, act_controls, NULL, EFAULT },
};

int main(int argc, char **argv)
{
	vt_init(argc, argv, 1800);
	vf_init();
	vf_fail_all(calls, ARRAY_SIZE(calls));
	return vt_finish();
}
