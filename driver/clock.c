// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: which cable is to be looked at, and when. What makes the time pass
 * is a table of functions, see realtime.c.
 */
#include <linux/minmax.h>

#include "vsnd.h"

/**
 * vsnd_clock_init() - make a clock that nobody waits for
 * @clock: the clock
 * @ops: its kind
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_clock_init(struct vsnd_clock *clock, const struct vsnd_clock_ops *ops)
{
	clock->ops = ops;
	spin_lock_init(&clock->lock);
	INIT_LIST_HEAD(&clock->cables);
}

static s64 vsnd_clock_deadline_locked(const struct vsnd_clock *clock)
{
	const struct vsnd_cable *cable;
	s64 soonest = S64_MAX;

	lockdep_assert_held(&clock->lock);
	list_for_each_entry(cable, &clock->cables, running)
		soonest = min_t(s64, soonest, atomic64_read(&cable->deadline));
	return soonest;
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
	unsigned long flags;
	s64 soonest;

	spin_lock_irqsave(&clock->lock, flags);
	soonest = vsnd_clock_deadline_locked(clock);
	spin_unlock_irqrestore(&clock->lock, flags);
	return soonest;
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
	s64 soonest;

	spin_lock_irqsave(&clock->lock, flags);
	soonest = vsnd_clock_deadline_locked(clock);
	if (clock->ops->arm && (soonest != S64_MAX || clock->ops->client))
		clock->ops->arm(clock, soonest);
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * vsnd_clock_add() - look after a cable
 * @clock: the clock
 * @cable: the cable, of which an end runs; may be there already
 *
 * Does not arm: see vsnd_clock_arm().
 *
 * Context: Interrupts off, the cable's lock held. Takes the clock's lock.
 */
void vsnd_clock_add(struct vsnd_clock *clock, struct vsnd_cable *cable)
{
	spin_lock(&clock->lock);
	if (list_empty(&cable->running))
		list_add_tail(&cable->running, &clock->cables);
	spin_unlock(&clock->lock);
}

/**
 * vsnd_clock_remove() - look after a cable no longer
 * @clock: the clock
 * @cable: the cable, of which no end runs; may be gone already
 *
 * A run that has already found it due goes on with it; vsnd_clock_sync() waits
 * for that.
 *
 * Context: Interrupts off, the cable's lock held. Takes the clock's lock.
 */
void vsnd_clock_remove(struct vsnd_clock *clock, struct vsnd_cable *cable)
{
	spin_lock(&clock->lock);
	list_del_init(&cable->running);
	spin_unlock(&clock->lock);
}

/* The cables that are due, chained in the order of the list. */
static struct vsnd_cable *vsnd_clock_find_due(struct vsnd_clock *clock, s64 now)
{
	struct vsnd_cable *cable, *first = NULL, **link = &first;
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	list_for_each_entry(cable, &clock->cables, running) {
		if (atomic64_read(&cable->deadline) > now)
			continue;
		*link = cable;
		link = &cable->next_due;
	}
	*link = NULL;
	spin_unlock_irqrestore(&clock->lock, flags);
	return first;
}

/**
 * vsnd_clock_run() - do what is due
 * @clock: the clock
 * @now: its time, ns
 *
 * Each cable that is due moves its deadline beyond @now.
 *
 * Context: Any that may take stream locks; one run of a clock at a time.
 * Return: whether a client was told.
 */
bool vsnd_clock_run(struct vsnd_clock *clock, s64 now)
{
	struct vsnd_cable *cable = vsnd_clock_find_due(clock, now);
	bool told = false;

	for (; cable; cable = cable->next_due)
		told |= vsnd_cable_tick(cable, now);
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
