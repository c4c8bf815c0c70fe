// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux 5.10 lets a client write to the page in which the PCM core keeps the
 * state of its stream: one without parameters then starts, runs or drains, as
 * far as the core knows. Nothing comes of it but errors.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vraw.h"

#define PAGE	4096

struct job {
	int dir, state;
	bool used;		/* there were parameters before, of another client */
};

/* One for those that have never had parameters, one for the others */
static int device_of(const struct job *job)
{
	return job->used ? 0 : 1;
}

static const struct {
	int state;
	const char *name;
} states[] = {
	{ SNDRV_PCM_STATE_PREPARED, "PREPARED" },
	{ SNDRV_PCM_STATE_RUNNING, "RUNNING" },
	{ SNDRV_PCM_STATE_DRAINING, "DRAINING" },
	{ SNDRV_PCM_STATE_PAUSED, "PAUSED" },
	{ SNDRV_PCM_STATE_XRUN, "XRUN" },
	{ SNDRV_PCM_STATE_SUSPENDED, "SUSPENDED" },
};

static volatile struct snd_pcm_mmap_status *map_status(int fd)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  SNDRV_PCM_MMAP_OFFSET_STATUS);

	EXPECT(page != MAP_FAILED, "cannot map the status: %m");
	return page;
}

/* Whether the kernel lets nobody write there: it says so without a signal. */
static bool is_kept(void)
{
	int fd = vr_open_now(0, SNDRV_PCM_STREAM_CAPTURE);
	int zero = open("/dev/zero", O_RDONLY);
	void *page;
	ssize_t got;

	SYS(fd);
	SYS(zero);
	page = (void *)map_status(fd);
	got = read(zero, page, sizeof(int));
	EXPECT(got == sizeof(int) || errno == EFAULT, "cannot write: %m");
	SYS(munmap(page, PAGE));
	close(zero);
	close(fd);
	return got < 0;
}

static void use(const struct job *job)
{
	int fd = vr_open_now(device_of(job), job->dir);
	struct snd_pcm_hw_params hw;
	snd_pcm_uframes_t all = 1024;

	SYS(fd);
	vr_set_plain(&hw, SNDRV_PCM_ACCESS_RW_INTERLEAVED, all);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
	if (job->dir == SNDRV_PCM_STREAM_PLAYBACK)
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_FORWARD, &all));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_START));
	SYS(close(fd));
}

/* The core then asks for a stamp even where no position is to be told. */
static void want_stamps(int fd)
{
	struct snd_pcm_sw_params sw = {
		.tstamp_mode = SNDRV_PCM_TSTAMP_ENABLE,
		.avail_min = 1,
		.period_step = 1,
		.stop_threshold = 1,
		.tstamp_type = SNDRV_PCM_TSTAMP_TYPE_MONOTONIC,
		.proto = SNDRV_PCM_VERSION,
	};
	volatile struct snd_pcm_mmap_status *status = map_status(fd);

	status->state = SNDRV_PCM_STATE_SETUP;
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw));
	SYS(munmap((void *)status, PAGE));
}

static void ask(int fd, volatile struct snd_pcm_mmap_status *status, int state)
{
	static const unsigned int types[] = {
		SNDRV_PCM_AUDIO_TSTAMP_TYPE_COMPAT,
		SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK,
		SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE,
	};
	struct snd_pcm_status all = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		all.audio_tstamp_data = types[i];
		status->state = state;
		ioctl(fd, SNDRV_PCM_IOCTL_STATUS_EXT, &all);
	}
}

/* Not RESET, in which the PCM core itself divides by 0. */
static void test_forged(const void *arg)
{
	static const struct {
		unsigned long call;
		long arg;
	} calls[] = {
		{ SNDRV_PCM_IOCTL_START }, { SNDRV_PCM_IOCTL_HWSYNC },
		{ SNDRV_PCM_IOCTL_PAUSE, 1 }, { SNDRV_PCM_IOCTL_PAUSE, 0 },
		{ SNDRV_PCM_IOCTL_RESUME }, { SNDRV_PCM_IOCTL_DROP },
		{ SNDRV_PCM_IOCTL_XRUN }, { SNDRV_PCM_IOCTL_DRAIN },
	};
	const struct job *job = arg;
	volatile struct snd_pcm_mmap_status *status;
	unsigned int i;
	struct pollfd p;
	int fd;

	if (is_kept())
		vt_skip("this kernel lets nobody write there");
	if (job->used)
		use(job);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		fd = vr_open_now(device_of(job), job->dir);
		SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
		want_stamps(fd);
		status = map_status(fd);
		status->state = job->state;
		ioctl(fd, calls[i].call, calls[i].arg);
		ask(fd, status, job->state);
		status->state = job->state;
		p = (struct pollfd){ fd, POLLIN | POLLOUT };
		SYS(poll(&p, 1, 0));
		status->state = SNDRV_PCM_STATE_OPEN;
		SYS(munmap((void *)status, PAGE));
		SYS(close(fd));
	}
	vt_sound(0);
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 120);
	vt_plan(ARRAY_SIZE(states) * 2 * 2);
	for (i = 0; i < ARRAY_SIZE(states) * 2 * 2; i++) {
		job = (struct job){ i & 1, states[i / 4].state, i & 2 };
		vt_run(test_forged, &job, "%s is %s by its own account%s",
		       job.dir ? "recorder" : "player", states[i / 4].name,
		       job.used ? ", and was" : "");
	}
	return vt_finish();
}
