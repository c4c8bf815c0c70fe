// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: when is the next event of which stream. What makes the time pass is
 * a table of functions, see realtime.c.
 */
#include "vsnd.h"

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
	if (next && clock->ops->arm)
		clock->ops->arm(clock, next->expires);
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

/**
 * vsnd_clock_deadline() - when is the next event?
 * @clock: the clock
 *
 * Context: Any. Takes the clock's lock.
 * Return: instant in ns, S64_MAX if nobody waits.
 */
s64 vsnd_clock_deadline(struct vsnd_clock *clock)
{
	struct timerqueue_node *next;
	unsigned long flags;
	s64 when;

	spin_lock_irqsave(&clock->lock, flags);
	next = timerqueue_getnext(&clock->deadlines);
	when = next ? next->expires : S64_MAX;
	spin_unlock_irqrestore(&clock->lock, flags);
	return when;
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
 * Return: whether a client was told.
 */
bool vsnd_clock_run(struct vsnd_clock *clock, s64 now)
{
	struct snd_pcm_substream *substream;
	struct vsnd_end *end;
	unsigned long flags;
	bool told = false;

	spin_lock_irqsave(&clock->lock, flags);
	while ((end = vsnd_clock_next(clock, now))) {
		spin_unlock_irqrestore(&clock->lock, flags);
		substream = vsnd_end_tick(end, now);
		if (substream) {
			snd_pcm_period_elapsed(substream);
			told = true;
		}
		spin_lock_irqsave(&clock->lock, flags);
	}
	if (!clock->ops->client)
		vsnd_clock_arm_locked(clock);
	spin_unlock_irqrestore(&clock->lock, flags);
	return told;
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
	vsnd_clock_cancel(clock);
	vsnd_clock_arm(clock);
}
