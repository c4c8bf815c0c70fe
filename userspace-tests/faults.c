// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure once: whatever a system call allocates or copies is made to
 * fail, the first of it, then the second, until nothing is left to fail. Each
 * time the call has to give a plain error or to do without, and afterwards the
 * card plays as if nothing had been.
 *
 * It takes a kernel with fault injection; see /proc/self/fail-nth.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vfault.h"
#include "vraw.h"

#define FRAMES		1920
#define BYTES		(FRAMES * 4)
#define PAGE_FRAMES	960	/* less than a page */

/**
 * struct subject - what a call is made on
 * @device: PCM device
 * @dir: its direction
 * @fd: what is open, or -1
 * @map: the ring, when mapped
 * @buf: a ring's worth of memory
 * @late: whether the device has been given a latency
 */
struct subject {
	int device;
	int dir;
	int fd;
	bool late;
	unsigned char *map;
	unsigned char *buf;
};

/**
 * struct call - a system call that may fail
 * @name: what it does
 * @before: brings the subject to where the call can be made
 * @act: the call; 0 or -1 and errno
 * @sure: error that it is sure to give once, for there is nothing that it could
 *	do without; 0 for none
 */
struct call {
	const char *name;
	void (*before)(struct subject *s);
	long (*act)(struct subject *s);
	int sure;
};

static void open_subject(struct subject *s)
{
	s->fd = SYS(vr_open_now(s->device, s->dir));
}

static int open_control(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/snd/controlC%d", vt_card);
	return SYS(open(path, O_RDWR));
}

static void set_latency(struct subject *s, long frames)
{
	struct snd_ctl_elem_value value = {
		.id = { .iface = SNDRV_CTL_ELEM_IFACE_PCM,
			.device = s->device, .name = "PCM Latency" },
		.value.integer.value[0] = frames,
	};
	int fd = open_control();

	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
	close(fd);
	s->late = frames;
}

static void close_subject(void *data)
{
	struct subject *s = data;

	if (s->map)
		munmap(s->map, BYTES);
	if (s->fd >= 0)
		close(s->fd);
	s->map = NULL;
	s->fd = -1;
	if (s->late)
		set_latency(s, 0);
}

static long set_params(struct subject *s, int access, unsigned int buffer)
{
	struct snd_pcm_hw_params p;

	vr_set_plain(&p, access, buffer);
	return ioctl(s->fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p);
}

/* Before: nothing, open, configured, prepared, running */
static void nothing(struct subject *s)
{
	(void)s;
}

static void configured(struct subject *s)
{
	open_subject(s);
	SYS(set_params(s, SNDRV_PCM_ACCESS_RW_INTERLEAVED, FRAMES));
}

static void configured_mmap(struct subject *s)
{
	open_subject(s);
	SYS(set_params(s, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, FRAMES));
}

/* What a recorder hears late is kept meanwhile: less than a page of it */
static void configured_late(struct subject *s)
{
	set_latency(s, 1);
	open_subject(s);
	SYS(set_params(s, SNDRV_PCM_ACCESS_RW_INTERLEAVED, PAGE_FRAMES));
}

static void prepared(struct subject *s)
{
	configured(s);
	SYS(ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE));
}

static long map_ring(struct subject *s)
{
	int prot = s->dir == SNDRV_PCM_STREAM_PLAYBACK ? PROT_READ | PROT_WRITE :
		   PROT_READ;
	void *map = mmap(NULL, BYTES, prot, MAP_SHARED, s->fd, 0);

	if (map == MAP_FAILED)
		return -1;
	s->map = map;
	return 0;
}

static void mapped(struct subject *s)
{
	configured_mmap(s);
	SYS(map_ring(s));
}

static void running(struct subject *s)
{
	prepared(s);
	if (s->dir == SNDRV_PCM_STREAM_PLAYBACK)
		SYS(write(s->fd, s->buf, BYTES));
	if (ioctl(s->fd, SNDRV_PCM_IOCTL_START) < 0)
		EXPECT(errno == EBADFD, "start: %s", strerror(errno));
	vt_sleep_until(vt_now() + 15 * VT_MS);
}

/* The calls */
static long act_open(struct subject *s)
{
	s->fd = vr_open_now(s->device, s->dir);
	return s->fd < 0 ? -1 : 0;
}

static long act_small(struct subject *s)
{
	return set_params(s, SNDRV_PCM_ACCESS_RW_INTERLEAVED, FRAMES);
}

/* In one piece, of which there is no half. */
static long act_page(struct subject *s)
{
	return set_params(s, SNDRV_PCM_ACCESS_RW_INTERLEAVED, PAGE_FRAMES);
}

static long act_large(struct subject *s)
{
	return set_params(s, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 96000);
}

static long act_planar(struct subject *s)
{
	return set_params(s, SNDRV_PCM_ACCESS_RW_NONINTERLEAVED, 48000);
}

static long act_free(struct subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_HW_FREE);
}

static long act_prepare(struct subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE);
}

static long act_transfer(struct subject *s)
{
	long done;

	if (s->dir == SNDRV_PCM_STREAM_PLAYBACK)
		done = write(s->fd, s->buf, BYTES / 4);
	else
		done = read(s->fd, s->buf, BYTES / 4);
	return done < 0 ? -1 : 0;
}

static long act_status(struct subject *s)
{
	struct snd_pcm_status status;

	memset(&status, 0, sizeof(status));
	return ioctl(s->fd, SNDRV_PCM_IOCTL_STATUS_EXT, &status);
}

static long act_drop(struct subject *s)
{
	return ioctl(s->fd, SNDRV_PCM_IOCTL_DROP);
}

static sigjmp_buf no_page;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(no_page, 1);
}

static long act_touch(struct subject *s)
{
	unsigned char sum = 0;
	int i;

	if (sigsetjmp(no_page, 1)) {
		errno = EFAULT;
		return -1;
	}
	for (i = 0; i < BYTES; i += 4096)
		sum |= *(volatile unsigned char *)(s->map + i);
	return sum ? -1 : 0;
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

static long act_proc(struct subject *s)
{
	static const char *const files[] = { "info", "sub0/info",
		"sub0/hw_params", "sub0/sw_params", "sub0/status",
		"sub0/prealloc", "sub0/prealloc_max" };
	char path[80];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/asound/card%d/pcm%d%c/%s",
			 vt_card, s->device,
			 s->dir == SNDRV_PCM_STREAM_PLAYBACK ? 'p' : 'c',
			 files[i]);
		if (open_and_read(path) < 0 && errno != ENOENT)
			return -1;
	}
	return 0;
}

/* It takes effect when the file is closed, and says nothing of a failure. */
static long write_prealloc(struct subject *s, const char *kib)
{
	char path[80];
	long done;
	int fd, err;

	snprintf(path, sizeof(path),
		 "/proc/asound/card%d/pcm%d%c/sub0/prealloc", vt_card,
		 s->device, s->dir == SNDRV_PCM_STREAM_PLAYBACK ? 'p' : 'c');
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	done = write(fd, kib, strlen(kib));
	err = errno;
	close(fd);
	errno = err;
	return done < 0 ? -1 : 0;
}

/* As large as it was when the driver was loaded */
static void default_prealloc(struct subject *s)
{
	SYS(write_prealloc(s, "512"));
}

static long act_prealloc(struct subject *s)
{
	return write_prealloc(s, "256");
}

/* All controls of the card: listed, described, read, and written back */
static long act_controls(struct subject *s)
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

static void control(struct subject *s)
{
	s->fd = open_control();
}

static const struct call calls[] = {
	{ "open", nothing, act_open, ENOMEM },
	{ "hw_params of a page", open_subject, act_page, ENOMEM },
	{ "hw_params of a small buffer", open_subject, act_small, ENOMEM },
	{ "hw_params of a large buffer", open_subject, act_large, ENOMEM },
	{ "hw_params without interleaving", open_subject, act_planar, ENOMEM },
	{ "hw_params of a larger buffer", configured, act_large, ENOMEM },
	{ "hw_free", configured, act_free },
	{ "prepare", configured, act_prepare },
	{ "prepare with a latency", configured_late, act_prepare },
	{ "mmap", configured_mmap, map_ring, ENOMEM },
	{ "page faults", mapped, act_touch },
	{ "read or write", running, act_transfer },
	{ "status", running, act_status, EFAULT },
	{ "drop", running, act_drop },
	{ "proc files", running, act_proc },
	{ "preallocation", default_prealloc, act_prealloc },
	{ "controls", control, act_controls, EFAULT },
};

/* Only where nothing is left open the clock changes. */
static void expect_closed(int device)
{
	struct snd_ctl_elem_value value = {
		.id = { .iface = SNDRV_CTL_ELEM_IFACE_PCM,
			.device = device, .name = "PCM Clock" },
	};
	unsigned int *item = value.value.enumerated.item;
	int fd = open_control();
	unsigned int clock;

	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_READ, &value));
	clock = *item;
	*item = !clock;
	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
	*item = clock;
	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
	close(fd);
}

struct job {
	const struct call *call;
	int device;
	int dir;
};

/* What came of a call's faults: how many, and how many times the sure error */
struct errors {
	unsigned int all;
	unsigned int sure;
};

/* true when there was nothing left to fail */
static bool fail_once(const struct job *job, int nth, struct errors *errors)
{
	static unsigned char buf[BYTES];
	struct subject s = { .device = job->device, .dir = job->dir,
			     .fd = -1, .buf = buf };
	bool used;
	long ret;
	int err;

	vt_defer(close_subject, &s);
	job->call->before(&s);
	vf_begin(nth);
	ret = job->call->act(&s);
	used = vf_end();
	err = ret < 0 ? errno : 0;
	vt_undo(close_subject, &s);
	EXPECT(used || !err, "with no fault: %s", strerror(err));
	EXPECT(!err || err == ENOMEM || err == EFAULT || err == EAGAIN,
	       "fault %d: %s", nth, strerror(err));
	errors->all += !!err;
	errors->sure += err && err == job->call->sure;
	return !used;
}

static void test_call(const void *arg)
{
	const struct job *job = arg;
	struct errors errors = { 0, 0 };
	int nth = 1;

	while (!fail_once(job, nth, &errors)) {
		nth++;
		EXPECT(nth < VF_MAX, "there is no end to the faults");
	}
	vt_note("%d faults, %u errors", nth - 1, errors.all);
	EXPECT(!job->call->sure || errors.sure, "never: %s",
	       strerror(job->call->sure));
	expect_closed(job->device);
	vt_sound(job->device);
}

int main(int argc, char **argv)
{
	static const char *const dirs[] = { "playback", "capture" };
	struct sigaction action = { .sa_handler = on_bus_error };
	unsigned int i;
	int device, dir, devices;

	vt_init(argc, argv, 1800);
	vf_init();
	SYS(sigaction(SIGBUS, &action, NULL));
	devices = vt_devices();
	vt_plan(devices * 2 * ARRAY_SIZE(calls));
	for (device = 0; device < devices; device++)
		for (dir = 0; dir < 2; dir++)
			for (i = 0; i < ARRAY_SIZE(calls); i++) {
				struct job job = { &calls[i], device, dir };

				vt_run(test_call, &job, "device %d, %s: %s",
				       device, dirs[dir], calls[i].name);
			}
	return vt_finish();
}
