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
	int device, dir, state;
	bool used;		/* there were parameters before, of another client */
};

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
	int fd = vr_open_now(job->device, job->dir);
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
	struct snd_pcm_status all = {};
	unsigned int i;
	struct pollfd p;
	int fd;

	if (is_kept())
		vt_skip("this kernel lets nobody write there");
	if (job->used)
		use(job);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		fd = vr_open_now(job->device, job->dir);
		SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
		status = map_status(fd);
		status->state = job->state;
		ioctl(fd, calls[i].call, calls[i].arg);
		status->state = job->state;
		ioctl(fd, SNDRV_PCM_IOCTL_STATUS, &all);
		status->state = job->state;
		p = (struct pollfd){ fd, POLLIN | POLLOUT };
		SYS(poll(&p, 1, 0));
		status->state = SNDRV_PCM_STATE_OPEN;
		SYS(munmap((void *)status, PAGE));
		SYS(close(fd));
	}
	vt_sound(job->device);
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 120);
	vt_plan(ARRAY_SIZE(states) * 2 * 2);
	for (i = 0; i < ARRAY_SIZE(states) * 2 * 2; i++) {
		job = (struct job){ 0, i & 1, states[i / 4].state, i & 2 };
		vt_run(test_forged, &job, "%s is %s by its own account%s",
		       job.dir ? "recorder" : "player", states[i / 4].name,
		       job.used ? ", and was" : "");
	}
	return vt_finish();
}
