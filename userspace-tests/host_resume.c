// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some kernels resume a stream that was never suspended: they take it for OPEN
 * from then on, whatever it does, and free nothing of it when it is closed. No
 * buffer is lost by that, nothing goes on running, and the next client has what
 * it always has. The test suspend looks at streams that were suspended before.
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "vraw.h"

#define FRAMES	1024

static const char *const names[] = {
	"OPEN", "SETUP", "PREPARED", "RUNNING", "XRUN", "DRAINING", "PAUSED",
};

struct job {
	int device, dir, state;
};

static unsigned int let_in;

static void close_now(void *fd)
{
	close(*(int *)fd);
}

/* Has it closed when the test ends at the latest */
static int *open_stream(const struct job *job)
{
	int *fd = vt_alloc(sizeof(*fd));

	*fd = vr_open_now(job->device, job->dir);
	SYS(*fd);
	vt_defer(close_now, fd);
	return fd;
}

static void reach(int fd, const struct job *job)
{
	struct snd_pcm_hw_params hw;
	snd_pcm_uframes_t all = FRAMES;

	vr_set_plain(&hw, SNDRV_PCM_ACCESS_RW_INTERLEAVED, FRAMES);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	if (job->state == SNDRV_PCM_STATE_OPEN)
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE));
	if (job->state >= SNDRV_PCM_STATE_PREPARED)
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
	if (job->state < SNDRV_PCM_STATE_RUNNING)
		return;
	if (job->dir == SNDRV_PCM_STREAM_PLAYBACK)
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_FORWARD, &all));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_START));
	if (job->state == SNDRV_PCM_STATE_XRUN)
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_XRUN));
	if (job->state == SNDRV_PCM_STATE_PAUSED)
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_PAUSE, 1));
	if (job->state == SNDRV_PCM_STATE_DRAINING &&
	    ioctl(fd, SNDRV_PCM_IOCTL_DRAIN) < 0)
		EXPECT(errno == EAGAIN, "drain: %s", strerror(errno));
}

static int state_of(int fd)
{
	struct snd_pcm_status status;

	memset(&status, 0, sizeof(status));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_STATUS, &status));
	return (int)status.state;
}

static void try_resume(int fd)
{
	int before = state_of(fd);

	if (ioctl(fd, SNDRV_PCM_IOCTL_RESUME) < 0) {
		EXPECT(errno == EBADFD || errno == ENOSYS, "resume: %s",
		       strerror(errno));
		EXPECT(state_of(fd) == before, "refused, and %s all the same",
		       names[state_of(fd)]);
		return;
	}
	EXPECT(state_of(fd) == SNDRV_PCM_STATE_OPEN, "resumed to %d",
	       state_of(fd));
	let_in++;
}

/* Closed as it is then, or first configured anew */
static void test_resume(const void *arg)
{
	const struct job *job = arg;
	struct job prepared = *job;
	int i, *fd;

	for (i = 0; i < 2; i++) {
		fd = open_stream(job);
		reach(*fd, job);
		try_resume(*fd);
		if (i) {
			ioctl(*fd, SNDRV_PCM_IOCTL_DROP);
			prepared.state = SNDRV_PCM_STATE_PREPARED;
			reach(*fd, &prepared);
		}
		vt_undo(close_now, fd);
		vt_sound(job->device);
	}
}

int main(int argc, char **argv)
{
	struct job job;
	int state;

	vt_init(argc, argv, 60);
	vt_plan(2 * ARRAY_SIZE(names) * vt_devices());
	for (job.device = 0; job.device < vt_devices(); job.device++)
		for (job.dir = 0; job.dir < 2; job.dir++)
			for (state = 0; state < (int)ARRAY_SIZE(names);
			     state++) {
				job.state = state;
				vt_run(test_resume, &job,
				       "device %d %s RESUME when %s",
				       job.device,
				       job.dir ? "capture" : "playback",
				       names[state]);
			}
	vt_note(let_in ? "this kernel resumes what was not suspended" :
			 "this kernel refuses");
	return vt_finish();
}
