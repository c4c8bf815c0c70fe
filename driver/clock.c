// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: when is the next event of which stream. What makes the time pass is
 * a table of functions, see realtime.c.
 */
#include "vsnd.h"

/* Cables that are looked after between two looks at the queue. */
#define VSND_RUN_BATCH	8

/**
 * vsnd_clock_init() - make a clock that nobody waits for
 * @clock: the clock
 * @ops: its kind
 */
void vsnd_clock_init(struct vsnd_clock *clock, const struct vsnd_clock_ops *ops)
{
	clock->ops = ops;
	spin_lock_init(&clock->lock);
	INIT_LIST_HEAD(&clock->deadlines);
}

static struct vsnd_deadline *vsnd_clock_first(struct vsnd_clock *clock)
{
	lockdep_assert_held(&clock->lock);
	return list_first_entry_or_null(&clock->deadlines,
					struct vsnd_deadline, list);
}

static void vsnd_clock_arm_locked(struct vsnd_clock *clock)
{
	struct vsnd_deadline *first = vsnd_clock_first(clock);

	if (first && clock->ops->arm)
		clock->ops->arm(clock, first->when);
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
 * Context: Interrupts off, the cable's lock held. Takes the clock's lock.
 */
void vsnd_clock_queue(struct vsnd_clock *clock, struct vsnd_deadline *deadline,
		      s64 when)
{
	struct vsnd_deadline *before;

	spin_lock(&clock->lock);
	list_del(&deadline->list);
	deadline->when = when;
	list_for_each_entry_reverse(before, &clock->deadlines, list)
		if (before->when <= when)
			break;
	list_add(&deadline->list, &before->list);
	spin_unlock(&clock->lock);
}

/**
 * vsnd_clock_forget() - take a deadline back
 * @clock: the clock
 * @deadline: whose; may be none
 *
 * A run that has already taken it from the queue goes on with it;
 * vsnd_clock_sync() waits for that.
 *
 * Context: Interrupts off, the cable's lock held. Takes the clock's lock.
 */
void vsnd_clock_forget(struct vsnd_clock *clock, struct vsnd_deadline *deadline)
{
	spin_lock(&clock->lock);
	list_del_init(&deadline->list);
	spin_unlock(&clock->lock);
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
	struct vsnd_deadline *first;
	unsigned long flags;
	s64 when;

	spin_lock_irqsave(&clock->lock, flags);
	first = vsnd_clock_first(clock);
	when = first ? first->when : S64_MAX;
	spin_unlock_irqrestore(&clock->lock, flags);
	return when;
}

/* Take some of what is due from the queue. */
static int vsnd_clock_take(struct vsnd_clock *clock, s64 now,
			   struct vsnd_cable **due)
{
	struct vsnd_deadline *first;
	unsigned long flags;
	int count = 0;

	spin_lock_irqsave(&clock->lock, flags);
	while (count < VSND_RUN_BATCH) {
		first = vsnd_clock_first(clock);
		if (!first || first->when > now)
			break;
		list_del_init(&first->list);
		due[count++] = container_of(first, struct vsnd_cable, deadline);
	}
	spin_unlock_irqrestore(&clock->lock, flags);
	return count;
}

/**
 * vsnd_clock_run() - do what is due
 * @clock: the clock
 * @now: its time, ns
 *
 * Context: Any that may take stream locks; one run of a clock at a time.
 * Return: whether a client was told.
 */
bool vsnd_clock_run(struct vsnd_clock *clock, s64 now)
{
	struct vsnd_cable *due[VSND_RUN_BATCH];
	bool told = false;
	int count, i;

	do {
		count = vsnd_clock_take(clock, now, due);
		for (i = 0; i < count; i++)
			if (vsnd_cable_tick(due[i], now))
				told = true;
	} while (count == VSND_RUN_BATCH);
	if (!clock->ops->client)
		vsnd_clock_arm(clock);
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
