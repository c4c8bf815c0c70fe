// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: starting, stopping and moving about in a stream, and asking where
 * it is.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fuzz.h"

static long run_prepare(struct fuzz_thread *t, struct fuzz_slot *s)
{
	long ret = fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE));

	(void)t;
	if (!ret)
		s->hostile = false;
	return ret;
}

static long run_reset(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_RESET));
}

static long run_start(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_START));
}

static long run_drop(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_DROP));
}

static long run_drain(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_DRAIN));
}

static long run_pause(struct fuzz_thread *t, struct fuzz_slot *s)
{
	long push = fuzz_once_in(t, 20) ? fuzz_odd(t) | 1 : 1;

	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_PAUSE,
			      fuzz_arg(t, push)));
}

static long run_release(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_PAUSE, 0));
}

static long run_resume(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_RESUME));
}

/* Does this kernel resume a stream that was never suspended? */
bool fuzz_resumes_any(void)
{
	struct fuzz_slot *s = &fuzz_slots[0];
	struct snd_pcm_hw_params p;
	bool resumes;

	fuzz_plain_params(&p, 480, 1920);
	if (fuzz_open_slot(s, true) < 0 || fuzz_set_params(s, &p) < 0)
		fuzz_fail("a stream to look at: %s", strerror(errno));
	resumes = !ioctl(s->fd, SNDRV_PCM_IOCTL_RESUME);
	close(s->fd);
	s->fd = -1;
	return resumes;
}

static long run_xrun(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_XRUN));
}

static long run_hwsync(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_HWSYNC));
}

static long run_delay(struct fuzz_thread *t, struct fuzz_slot *s)
{
	snd_pcm_sframes_t delay = 0;

	if (fuzz_arg(t, fuzz_once_in(t, 20)))
		return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_DELAY, 8));
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_DELAY, &delay));
}

/* What is said of a stream nobody has lied about must be plausible. */
static long run_status(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_status status = { .audio_tstamp_data = fuzz_odd(t) };
	unsigned long request = SNDRV_PCM_IOCTL_STATUS;

	if (fuzz_arg(t, fuzz_once_in(t, 2)))
		request = SNDRV_PCM_IOCTL_STATUS_EXT;
	if (ioctl(s->fd, request, &status) < 0)
		return -errno;
	if (fuzz_racing || s->hostile || status.state != SNDRV_PCM_STATE_RUNNING)
		return 0;
	if (status.hw_ptr >= s->boundary || status.appl_ptr >= s->boundary)
		fuzz_fail("status: hw_ptr %lu, appl_ptr %lu, boundary %lu",
			  (unsigned long)status.hw_ptr,
			  (unsigned long)status.appl_ptr, s->boundary);
	return 0;
}

static long run_sync_ptr(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_sync_ptr sp;
	unsigned long step;

	if (!fuzz_look(s, &sp))
		return -errno;
	step = fuzz_arg(t, fuzz_below(t, s->period + 1));
	sp.flags = fuzz_arg(t, fuzz_below(t, 8));
	sp.c.control.appl_ptr += step;
	if (s->boundary && sp.c.control.appl_ptr >= s->boundary)
		sp.c.control.appl_ptr -= s->boundary;
	if (!(sp.flags & SNDRV_PCM_SYNC_PTR_APPL))
		s->hostile = true;	/* may be more than there is room for */
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_SYNC_PTR, &sp));
}

static long run_sync_hostile(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_sync_ptr sp = {
		.flags = fuzz_once_in(t, 4) ? fuzz_odd(t) : fuzz_below(t, 8),
		.c.control.appl_ptr = fuzz_odd(t),
		.c.control.avail_min = fuzz_odd(t),
	};
	void *at = &sp;

	if (fuzz_once_in(t, 3) && s->boundary)
		sp.c.control.appl_ptr %= s->boundary;
	if (fuzz_once_in(t, 10))
		at = t->scratch + FUZZ_SCRATCH - fuzz_below(t, sizeof(sp));
	s->hostile = true;
	fuzz_arg(t, sp.flags);
	fuzz_arg(t, sp.c.control.appl_ptr);
	fuzz_arg(t, sp.c.control.avail_min);
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_SYNC_PTR, at));
}

static snd_pcm_uframes_t some_frames(struct fuzz_thread *t, struct fuzz_slot *s)
{
	if (fuzz_once_in(t, 6))
		return fuzz_arg(t, fuzz_odd(t));
	return fuzz_arg(t, fuzz_below(t, s->buffer + 2));
}

/* The kernel tells how far it went, which is no further than asked. */
static long move(struct fuzz_slot *s, unsigned long request,
		 snd_pcm_uframes_t frames)
{
	snd_pcm_uframes_t moved = frames;

	if (ioctl(s->fd, request, &moved) < 0)
		return -errno;
	if (moved > frames)
		fuzz_fail("moved by %lu, not %lu", (unsigned long)moved,
			  (unsigned long)frames);
	return 0;
}

static long run_rewind(struct fuzz_thread *t, struct fuzz_slot *s)
{
	return move(s, SNDRV_PCM_IOCTL_REWIND, some_frames(t, s));
}

static long run_forward(struct fuzz_thread *t, struct fuzz_slot *s)
{
	return move(s, SNDRV_PCM_IOCTL_FORWARD, some_frames(t, s));
}

static long run_link(struct fuzz_thread *t, struct fuzz_slot *s)
{
	static unsigned int groups;
	struct fuzz_slot *o = &fuzz_slots[fuzz_arg(t, fuzz_below(t,
								 FUZZ_SLOTS))];
	int fd = fuzz_once_in(t, 20) ? (int)fuzz_odd(t) : o->fd;

	if (ioctl(s->fd, SNDRV_PCM_IOCTL_LINK, fd) < 0)
		return -errno;
	if (fuzz_racing)
		return 0;
	if (!s->group)
		s->group = ++groups;
	/* an odd number may name any stream */
	for (o = fuzz_slots; o < fuzz_slots + FUZZ_SLOTS; o++)
		if (o->fd == fd)
			o->group = s->group;
	return 0;
}

static long run_unlink(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned int i, left = 0;
	struct fuzz_slot *other = NULL;

	(void)t;
	if (ioctl(s->fd, SNDRV_PCM_IOCTL_UNLINK) < 0)
		return -errno;
	if (fuzz_racing)
		return 0;
	for (i = 0; i < FUZZ_SLOTS; i++) {
		if (&fuzz_slots[i] == s || fuzz_slots[i].group != s->group)
			continue;
		other = &fuzz_slots[i];
		left++;
	}
	s->group = 0;
	if (left == 1)
		other->group = 0;
	return 0;
}

#define STREAM	FUZZ_STREAM
#define RACE	(FUZZ_STREAM | FUZZ_RACE)
#define WHOLE	(RACE | FUZZ_WHOLE)
#define STATE	(E_BADFD | E_PIPE)

const struct fuzz_op fuzz_pcm_ops[] = {
	{ "prepare", run_prepare, 10, WHOLE | FUZZ_JUMPS | FUZZ_GROUP,
	  S(SETUP) | S(XRUN) | S(PREPARED) | S(DRAINING), S(PREPARED),
	  S(SETUP), E_BADFD | E_BUSY | E_NOMEM },
	{ "reset", run_reset, 2, RACE | FUZZ_JUMPS | FUZZ_GROUP | FUZZ_RING,
	  S(PREPARED) | S(RUNNING), 0, 0, E_BADFD },
	{ "start", run_start, 6, WHOLE | FUZZ_JUMPS, S(PREPARED),
	  S(RUNNING), 0, E_BADFD | E_PIPE },
	{ "drop", run_drop, 2, WHOLE, S_SET, S(SETUP), 0, E_BADFD },
	{ "drain", run_drain, 2, RACE | FUZZ_BLOCKS | FUZZ_MOVES,
	  S_RUN | S(PREPARED), S(SETUP),
	  S(DRAINING) | S(SETUP) | S(XRUN) | S(PREPARED),
	  E_BADFD | E_AGAIN | E_IO | E_PIPE },
	{ "pause", run_pause, 3, WHOLE, S(RUNNING), S(PAUSED), 0,
	  E_BADFD | E_NOSYS },
	{ "pause release", run_release, 8, WHOLE | FUZZ_JUMPS, S(PAUSED),
	  S(RUNNING), 0, E_BADFD | E_NOSYS },
	{ "resume", run_resume, 1, STREAM | FUZZ_NEVER | FUZZ_STRICT,
	  S(RUNNING), 0, 0, E_BADFD | E_NOSYS },
	{ "resume lax", run_resume, 1, WHOLE | FUZZ_JUMPS | FUZZ_LAX, S_SET,
	  S(OPEN), 0, E_NOSYS },
	{ "xrun", run_xrun, 2, WHOLE, S(RUNNING), S(XRUN), 0, E_BADFD },
	{ "hwsync", run_hwsync, 2, RACE, S_RUN | S(PREPARED), 0, 0, STATE },
	{ "delay", run_delay, 2, RACE, S_RUN | S(PREPARED), 0, 0,
	  STATE | E_FAULT },
	{ "status", run_status, 2, RACE, S_RUN, 0, 0, 0 },
	{ "sync_ptr", run_sync_ptr, 3, RACE, S_RUN | S(PREPARED), 0, 0,
	  STATE | E_INVAL },
	{ "sync_ptr hostile", run_sync_hostile, 1, RACE, S_RUN | S(PREPARED),
	  0, 0, STATE | E_INVAL | E_FAULT },
	{ "rewind", run_rewind, 2, RACE, S(RUNNING) | S(PREPARED) | S(PAUSED),
	  0, 0, STATE },
	{ "forward", run_forward, 2, RACE, S(RUNNING) | S(PREPARED), 0, 0,
	  STATE | E_INVAL },
	{ "link", run_link, 2, STREAM | FUZZ_LINKS, S_SET, 0, 0,
	  E_BADFD | E_INVAL | E_ALREADY | E_BADF },
	{ "unlink", run_unlink, 1, STREAM | FUZZ_LINKS, S_SET, 0, 0,
	  E_ALREADY },
	{ }
};
