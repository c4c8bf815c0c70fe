// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: when is the next event of which stream. What makes the time pass is
 * a table of functions, see realtime.c.
 */
#include <linux/time64.h>

#include "vsnd.h"

/*
 * Two runs are at least this far apart: no set of streams, however many and
 * however short their periods, can keep a CPU busy with interrupts alone.
 */
#define VSND_RUN_SPACING_NS	(100 * NSEC_PER_USEC)

/**
 * vsnd_clock_init() - make a clock that nobody waits for
 * @clock: the clock
 * @ops: its kind
 */
void vsnd_clock_init(struct vsnd_clock *clock, const struct vsnd_clock_ops *ops)
{
	clock->ops = ops;
	spin_lock_init(&clock->lock);
	timerqueue_init_head(&clock->deadlines);
}

static void vsnd_clock_arm_locked(struct vsnd_clock *clock)
{
	struct timerqueue_node *next = timerqueue_getnext(&clock->deadlines);

	lockdep_assert_held(&clock->lock);
	if (next)
		clock->ops->arm(clock, max_t(s64, next->expires, clock->ran +
					     VSND_RUN_SPACING_NS));
}

/**
 * vsnd_clock_arm() - have the clock run at the soonest deadline
 * @clock: the clock
 *
 * Context: Any. Takes the clock's lock.
 */
void vsnd_clock_arm(struct vsnd_clock *clock)
{
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	vsnd_clock_arm_locked(clock);
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * vsnd_clock_queue() - set or move a deadline
 * @clock: the clock
 * @deadline: whose
 * @when: instant, ns
 *
 * Does not arm: a run arms once when it is done, others call
 * vsnd_clock_arm().
 *
 * Context: Any. Takes the clock's lock.
 */
void vsnd_clock_queue(struct vsnd_clock *clock,
		      struct timerqueue_node *deadline, s64 when)
{
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	if (!RB_EMPTY_NODE(&deadline->node))
		timerqueue_del(&clock->deadlines, deadline);
	deadline->expires = when;
	timerqueue_add(&clock->deadlines, deadline);
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * vsnd_clock_forget() - take a deadline back
 * @clock: the clock
 * @deadline: whose; may be none
 *
 * A run that has already taken it from the queue goes on with it;
 * vsnd_clock_sync() waits for that.
 *
 * Context: Any. Takes the clock's lock.
 */
void vsnd_clock_forget(struct vsnd_clock *clock,
		       struct timerqueue_node *deadline)
{
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	if (!RB_EMPTY_NODE(&deadline->node))
		timerqueue_del(&clock->deadlines, deadline);
	spin_unlock_irqrestore(&clock->lock, flags);
}

static struct vsnd_end *vsnd_clock_next(struct vsnd_clock *clock, s64 now)
{
	struct timerqueue_node *next = timerqueue_getnext(&clock->deadlines);

	lockdep_assert_held(&clock->lock);
	if (!next || next->expires > now)
		return NULL;
	timerqueue_del(&clock->deadlines, next);
	return container_of(next, struct vsnd_end, deadline);
}

/**
 * vsnd_clock_run() - do what is due
 * @clock: the clock
 * @now: its time, ns
 *
 * Ends whose deadline has passed move their sound, queue their next deadline
 * and, if a client is to know, report to the PCM core. That report takes the
 * stream lock, so it is made with no lock held: a STOP may come in between,
 * and the core then finds the stream stopped.
 *
 * Context: Any that may take stream locks; one run of a clock at a time.
 */
void vsnd_clock_run(struct vsnd_clock *clock, s64 now)
{
	struct snd_pcm_substream *substream;
	struct vsnd_end *end;
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	clock->ran = now;
	while ((end = vsnd_clock_next(clock, now))) {
		spin_unlock_irqrestore(&clock->lock, flags);
		substream = vsnd_end_tick(end, now);
		if (substream)
			snd_pcm_period_elapsed(substream);
		spin_lock_irqsave(&clock->lock, flags);
	}
	vsnd_clock_arm_locked(clock);
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * vsnd_clock_sync() - wait until no run is under way that began before
 * @clock: the clock
 *
 * Context: Process context, may sleep; no stream lock held.
 */
void vsnd_clock_sync(struct vsnd_clock *clock)
{
	might_sleep();
	clock->ops->cancel(clock);
	vsnd_clock_arm(clock);
}
