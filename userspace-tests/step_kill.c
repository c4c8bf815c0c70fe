// SPDX-License-Identifier: GPL-2.0-only
/*
 * However far the step clock is to go, whoever has it go there can be killed on
 * the way, and others get their turn meanwhile.
 */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include "vctl.h"

#define LIMIT	(VT_SECOND / 2)	/* longer than any turn or death takes */

struct job {
	int device;
	volatile bool *begun;
};

/* With the shortest of periods: an event every 16 frames */
static struct vt_stream *start_busy(int device)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.period = 16;
	p.buffer = 64;
	p.stop = VT_NEVER;
	s = vt_recorder(device, &p);
	MUST(snd_pcm_start(s->pcm));
	return s;
}

static void live_stepping(const void *arg)
{
	const struct job *job = arg;

	start_busy(job->device);
	*job->begun = true;
	MUST(vt_ctl_set(vt_ctl(), VT_STEP, job->device, 0, INT_MAX, 0));
}

static void unmap(void *page)
{
	munmap(page, sizeof(bool));
}

static void test_kill(const void *arg)
{
	struct job job = { .device = *(const int *)arg };
	void *page = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t before;
	pid_t pid;

	EXPECT(page != MAP_FAILED, "no memory to share");
	vt_defer(unmap, page);
	job.begun = page;
	vt_use_clock(job.device, "step");
	pid = vt_fork(live_stepping, &job);
	while (!*job.begun)
		vt_sleep_until(vt_now() + VT_MS);
	before = vt_now();
	vt_sleep_until(before + 200 * VT_MS);
	EXPECT(vt_now() - before < LIMIT, "a sleep of 200 ms took %lld ms",
	       (long long)((vt_now() - before) / VT_MS));
	before = vt_now();
	SYS(kill(pid, SIGKILL));
	vt_reap(pid, SIGKILL);
	EXPECT(vt_now() - before < LIMIT, "took %lld ms to die",
	       (long long)((vt_now() - before) / VT_MS));
}

/* Of one that nobody kills there is an end, too, for others wait for controls. */
static void test_end(const void *arg)
{
	const int *device = arg;
	int64_t before;

	vt_use_clock(*device, "step");
	start_busy(*device);
	before = vt_now();
	REFUSED(-EAGAIN, vt_ctl_set(vt_ctl(), VT_STEP, *device, 0, INT_MAX, 0));
	vt_expect_time(vt_now(), before + 9 * VT_SECOND, 3 * VT_SECOND,
		       "giving up");
}

/* After it the clock goes as far as it is told again. */
static void test_after(const void *arg)
{
	const int *device = arg;
	struct vt_position pos;
	struct vt_stream *s;

	vt_use_clock(*device, "step");
	s = start_busy(*device);
	MUST(vt_ctl_set(vt_ctl(), VT_STEP, *device, 0, 1000, 0));
	vt_locate(s, &pos);
	EXPECT(pos.frames == 1000, "at frame %lld, wanted 1000",
	       (long long)pos.frames);
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 30);
	vt_plan(2 * 2 + 1);
	for (device = 0; device < 2; device++) {
		vt_run(test_kill, &device, "device %d a long way, killed",
		       device);
		vt_run(test_after, &device, "device %d a short way after it",
		       device);
	}
	device = 0;
	vt_run(test_end, &device, "a way that is too long");
	return vt_finish();
}
