// SPDX-License-Identifier: GPL-2.0-only
/*
 * The step clock: time stands still until it is told to pass, frame by frame,
 * so that a test decides what happens before what.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "vsnd.h"

/*
 * Events that are gone through in search of a wake-up: where all are lost, there
 * would be no end, and all controls of the card would wait for it.
 */
#define VSND_STEP_EVENTS_MAX	100000

/* And so they do for as long as it takes, with many frames to be moved. */
#define VSND_STEP_SECONDS_MAX	10

static struct vsnd_step *vsnd_to_step(struct vsnd_clock *clock)
{
	return container_of(clock, struct vsnd_step, clock);
}

static s64 vsnd_step_now(struct vsnd_clock *clock)
{
	return atomic64_read(&vsnd_to_step(clock)->now);
}

/* A run is over when its mutex is free: not so a long way, which has many. */
static void vsnd_step_cancel(struct vsnd_clock *clock)
{
	struct vsnd_step *step = vsnd_to_step(clock);

	mutex_lock(&step->run);
	mutex_unlock(&step->run);
}

static const struct vsnd_clock_ops vsnd_step_ops = {
	.counts_frames = true,
	.now = vsnd_step_now,
	.cancel = vsnd_step_cancel,
};

/**
 * vsnd_step_init() - make a step clock
 * @step: the clock
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_step_init(struct vsnd_step *step)
{
	vsnd_clock_init(&step->clock, &vsnd_step_ops);
	mutex_init(&step->mutex);
	mutex_init(&step->run);
}

/*
 * Go to a deadline; true if a client was told. One of a stream that starts
 * just now can have been passed already.
 */
static bool vsnd_step_to(struct vsnd_step *step, s64 when)
{
	bool told;

	mutex_lock(&step->run);
	when = max_t(s64, when, atomic64_read(&step->now));
	atomic64_set(&step->now, when);
	told = vsnd_clock_run(&step->clock, when);
	mutex_unlock(&step->run);
	return told;
}

static int vsnd_step_to_period(struct vsnd_step *step)
{
	unsigned long latest = jiffies + VSND_STEP_SECONDS_MAX * HZ;
	unsigned int i;
	s64 next;

	for (i = 0; i < VSND_STEP_EVENTS_MAX; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, latest))
			break;
		next = vsnd_clock_deadline(&step->clock);
		if (next == S64_MAX)
			break;
		if (vsnd_step_to(step, next))
			return 0;
		cond_resched();
	}
	return -EAGAIN;
}

static int vsnd_step_by(struct vsnd_step *step, unsigned int frames)
{
	s64 now = atomic64_read(&step->now);
	s64 until = now + min_t(s64, frames, VSND_TIME_MAX - now);
	unsigned long latest = jiffies + VSND_STEP_SECONDS_MAX * HZ;
	s64 next;

	while ((next = vsnd_clock_deadline(&step->clock)) <= until) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, latest))
			return -EAGAIN;
		vsnd_step_to(step, next);
		cond_resched();
	}
	atomic64_set(&step->now, until);
	return 0;
}

/**
 * vsnd_step_advance() - let time pass
 * @step: the clock
 * @frames: how much, frames; 0 to stop where the next client is woken
 *
 * Goes from one event to the next. When it returns, all that is due has been
 * moved and the clients have been woken, though they may not have run yet.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EAGAIN if there is no event to go to, none that wakes a client
 * for very long, or if the way is too long, or -EINTR if the caller was killed
 * on it.
 */
int vsnd_step_advance(struct vsnd_step *step, unsigned int frames)
{
	int err;

	mutex_lock(&step->mutex);
	err = frames ? vsnd_step_by(step, frames) : vsnd_step_to_period(step);
	mutex_unlock(&step->mutex);
	return err;
}
