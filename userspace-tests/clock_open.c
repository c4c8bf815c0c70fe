// SPDX-License-Identifier: GPL-2.0-only
/*
 * A timer clock, whose timer is there or is not: an open, refused or not, leaves
 * neither memory behind nor a device that is in use.
 */

#include <errno.h>
#include <string.h>
#include "vctl.h"

#define TIMER	"PCM Clock Timer"
#define TIMES	5000
#define LEFT	25	/* bytes each, on average: less than any structure */

/* A global timer: the system's, or of a number that no module is looked for */
enum timer { SYSTEM = 0, NONE = 9 };

struct job {
	int device;
	enum timer timer;
};

static int set_timer(const struct job *job, enum timer timer)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, TIMER, job->device, 0);
	snd_ctl_elem_value_set_integer(value, 0, 1);
	snd_ctl_elem_value_set_integer(value, 2, timer);
	return snd_ctl_elem_write(vt_ctl(), value);
}

static void use_timer(const struct job *job)
{
	MUST(set_timer(job, job->timer));
	vt_use_clock(job->device, "timer");
}

static void open_often(const struct job *job, unsigned int times)
{
	char name[16];
	snd_pcm_t *pcm;
	unsigned int i;

	snprintf(name, sizeof(name), "hw:%d,%d", vt_card, job->device);
	for (i = 0; i < times; i++)
		if (job->timer == NONE) {
			REFUSED(-ENODEV, snd_pcm_open(&pcm, name, i % 2, 0));
		} else {
			MUST(snd_pcm_open(&pcm, name, i % 2, 0));
			MUST(snd_pcm_close(pcm));
		}
}

/* What the kernel holds in small pieces and cannot take back, bytes */
static long held(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[100];
	long kib = 0;

	EXPECT(file, "/proc/meminfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib << 10;
}

static void test_memory(const void *arg)
{
	const struct job *job = arg;
	unsigned int times = vt_share(TIMES);
	long before, more;

	if (vt_slow() > 1)
		vt_skip("a debug kernel keeps what is freed for a while");
	use_timer(job);
	open_often(job, times / 10);
	before = held();
	open_often(job, times);
	more = held() - before;
	vt_note("%ld KiB more after %u", more / 1024, times);
	EXPECT(more < (long)times * LEFT, "%ld bytes more after %u opens",
	       more, times);
}

static void test_free(const void *arg)
{
	const struct job *job = arg;

	use_timer(job);
	open_often(job, 3);
	MUST(vt_clock_set(vt_ctl(), job->device, "realtime"));
	vt_sound(job->device);
}

static void expect_timer(const struct job *job)
{
	long timer = vt_ctl_get(vt_ctl(), TIMER, job->device, 0, 2);

	EXPECT(timer == (long)job->timer, "another timer, %ld", timer);
}

/* Who goes by it keeps it. */
static void test_busy(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s;

	use_timer(job);
	s = vt_open(job->device, 0, SND_PCM_STREAM_PLAYBACK, 0);
	REFUSED(-EBUSY, set_timer(job, NONE));
	expect_timer(job);
	MUST(set_timer(job, job->timer));
	vt_close(s);
	MUST(set_timer(job, NONE));
	MUST(set_timer(job, job->timer));
	expect_timer(job);
}

int main(int argc, char **argv)
{
	static const enum timer timers[] = { NONE, SYSTEM };
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 110);
	vt_plan(2 * (2 * ARRAY_SIZE(timers) + 1));
	for (job.device = 0; job.device < 2; job.device++) {
		for (i = 0; i < ARRAY_SIZE(timers); i++) {
			job.timer = timers[i];
			vt_run(test_free, &job, "device %d is free, timer %d",
			       job.device, job.timer);
			vt_run(test_memory, &job,
			       "device %d has lost no memory, timer %d",
			       job.device, job.timer);
		}
		vt_run(test_busy, &job, "device %d keeps its timer while open",
		       job.device);
	}
	return vt_finish();
}
