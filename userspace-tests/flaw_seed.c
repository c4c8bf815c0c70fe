// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a seed stands for, worked out here once more: the walk of a clock and
 * the lateness of wake-ups are the same in every version, on every machine.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "vctl.h"

#define SEGMENT		(10 * VT_MS)	/* a step of the walk for each */
#define BILLION		1000000000L

/* What random numbers are for */
enum purpose {
	WALK, LATE_PLAYBACK, LATE_CAPTURE
};

/* A walk that begins with its stream, or amid a later segment */
struct walk {
	long seed, step, limit;
	unsigned int first;
};

/* How wake-ups are late, us, and one of how many is lost */
struct wakes {
	long delay, jitter, loss;
};

struct job {
	int device;
	snd_pcm_stream_t dir;
	const struct walk *walk;
	const struct wakes *wakes;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint32_t number(long seed, enum purpose purpose, uint64_t index)
{
	return mix(mix((uint64_t)seed << 32 | (purpose + 1)) + index) >> 32;
}

static long next_step(const struct walk *walk, long at, uint64_t segment)
{
	at += number(walk->seed, WALK, segment) & 1 ? walk->step : -walk->step;
	if (at > walk->limit)
		at = 2 * walk->limit - at;
	else if (at < -walk->limit)
		at = -2 * walk->limit - at;
	if (at > walk->limit)
		return walk->limit;
	return at < -walk->limit ? -walk->limit : at;
}

/* Frames that pass in so many ns of a walk from its start on */
static double walked(const struct walk *walk, unsigned int rate, int64_t ns)
{
	uint64_t segment = 0;
	double frames = 0;
	long at = 0;

	for (; ns > 0; ns -= SEGMENT) {
		frames += (double)rate * (ns < SEGMENT ? ns : SEGMENT) /
			  VT_SECOND * (BILLION + at) / BILLION;
		if (++segment > walk->first)
			at = next_step(walk, at, segment);
	}
	return frames;
}

static struct vt_stream *start(const struct job *job, const struct vt_params *p)
{
	struct vt_stream *s = vt_stream(job->device, job->dir, p);

	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p->buffer);
	MUST(snd_pcm_start(s->pcm));
	return s;
}

/* Switches it on where it is not to begin with the stream. */
static void begin(snd_ctl_t *ctl, const struct job *job, int64_t at)
{
	if (!job->walk->first)
		return;
	at += job->walk->first * SEGMENT;
	vt_sleep_until(at + SEGMENT / 4);
	vt_spoil(ctl, job->device, VT_IMPERFECTION, 1);
	EXPECT(vt_now() < at + SEGMENT, "switched on too late");
}

/* On the walk at any moment, to the frame */
static void test_walk(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;
	uint64_t seed = 1;
	unsigned int i;
	double wanted;

	vt_spoil(ctl, job->device, VT_SEED, job->walk->seed);
	vt_spoil(ctl, job->device, VT_WALK, job->walk->step);
	vt_spoil(ctl, job->device, VT_WALK_LIMIT, job->walk->limit);
	vt_spoil(ctl, job->device, VT_IMPERFECTION, !job->walk->first);
	p.stop = VT_NEVER;
	s = start(job, &p);
	vt_locate(s, &pos);
	begin(ctl, job, pos.trigger);
	for (i = 0; i < 300; i++) {
		vt_sleep_until(vt_now() + VT_MS + vt_random(&seed, 60 * VT_MS));
		vt_locate(s, &pos);
		wanted = walked(job->walk, p.rate, pos.stamp - pos.trigger);
		EXPECT(pos.frames >= floor(wanted - 0.001) &&
		       pos.frames <= floor(wanted + 0.001),
		       "at %lld after %lld ns, wanted %.3f",
		       (long long)pos.frames,
		       (long long)(pos.stamp - pos.trigger), wanted);
	}
}

/* Whether anybody has been woken since it was asked last */
static bool is_woken(int fd)
{
	struct epoll_event event;

	return SYS(epoll_wait(fd, &event, 1, 0));
}

static void close_descriptor(void *fd)
{
	close((intptr_t)fd);
}

static intptr_t watch(struct vt_stream *s)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	intptr_t fd = SYS(epoll_create1(0));

	vt_defer(close_descriptor, (void *)fd);
	SYS(epoll_ctl(fd, EPOLL_CTL_ADD, vt_descriptor(s), &event));
	is_woken(fd);
	return fd;
}

/* By how many frames the wake-up at the end of a period is late */
static uint64_t lateness(const struct job *job, long seed, unsigned int rate,
			 uint64_t period)
{
	enum purpose purpose = job->dir == SND_PCM_STREAM_PLAYBACK ?
			       LATE_PLAYBACK : LATE_CAPTURE;
	uint64_t us = (number(seed, purpose, period) *
		       (uint64_t)(job->wakes->jitter + 1)) >> 32;

	us += job->wakes->delay;
	return (us * rate + 999999) / 1000000;
}

/*
 * Frame by frame: woken where the seed has it, and nowhere else. Of those that
 * one has held up it is enough if a single one is not lost.
 */
static void test_wakes(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	const struct wakes *wakes = job->wakes;
	const long seed = 2147483647;
	struct vt_params p = vt_plain;
	uint64_t n, due, period = 1;
	struct vt_stream *s;
	bool wanted;
	int fd;

	vt_use_clock(job->device, "step");
	vt_spoil(ctl, job->device, VT_SEED, seed);
	vt_spoil(ctl, job->device, VT_DELAY, wakes->delay);
	vt_spoil(ctl, job->device, VT_JITTER, wakes->jitter);
	vt_spoil(ctl, job->device, VT_LOSS, wakes->loss);
	p.period = 96;
	p.buffer = 960;
	p.stop = VT_NEVER;
	p.avail_min = 1;
	s = start(job, &p);
	fd = watch(s);
	due = p.period + lateness(job, seed, p.rate, period);
	for (n = 1; n <= 50 * p.period; n++) {
		MUST(vt_ctl_set(ctl, VT_STEP, job->device, 0, 1, 0));
		for (wanted = false; n >= due; period++) {
			wanted |= !wakes->loss || period % wakes->loss;
			due = (period + 1) * p.period +
			      lateness(job, seed, p.rate, period + 1);
		}
		EXPECT(is_woken(fd) == wanted, "at frame %llu, period %llu: %s",
		       (unsigned long long)n, (unsigned long long)period,
		       wanted ? "not woken" : "woken");
	}
}

/*
 * Seldom at the limit, often, with steps that are longer than it, and such as
 * begin after more segments than are ever gone through at once, or fewer
 */
static const struct walk walks[] = {
	{ 0, 1000000, 50000000, 0 },
	{ 7, 7000000, 20000000, 0 },
	{ 2147483647, 10000000, 3000000, 0 },
	{ 1, 3000000, 150000000, 123 },
	{ 2, 10000000, 200000000, 321 },
};

/* By less than a period, by several, and so that most are held up */
static const struct wakes wakes[] = {
	{ 0, 1500, 0 }, { 700, 9000, 3 }, { 1234, 20000, 2 },
};

int main(int argc, char **argv)
{
	unsigned int i;
	struct job job;

	vt_init(argc, argv, 300);
	vt_plan(ARRAY_SIZE(walks) + 2 * ARRAY_SIZE(wakes));
	for (i = 0; i < ARRAY_SIZE(walks); i++) {
		job.device = i % 2;
		job.dir = i % 2 ? SND_PCM_STREAM_CAPTURE :
				  SND_PCM_STREAM_PLAYBACK;
		job.walk = &walks[i];
		vt_run(test_walk, &job,
		       "seed %ld walks to %ld by steps of %ld from %u on",
		       walks[i].seed, walks[i].limit, walks[i].step,
		       walks[i].first);
	}
	for (i = 0; i < 2 * ARRAY_SIZE(wakes); i++) {
		job.device = i % 2;
		job.dir = i % 2 ? SND_PCM_STREAM_CAPTURE :
				  SND_PCM_STREAM_PLAYBACK;
		job.wakes = &wakes[i / 2];
		vt_run(test_wakes, &job,
		       "a seed's wake-ups, %s, late by %ld to %ld us, loss %ld",
		       snd_pcm_stream_name(job.dir), job.wakes->delay,
		       job.wakes->delay + job.wakes->jitter, job.wakes->loss);
	}
	return vt_finish();
}
