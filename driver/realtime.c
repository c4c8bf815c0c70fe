// SPDX-License-Identifier: GPL-2.0-only
/*
 * The realtime clock: CLOCK_MONOTONIC, and a high-resolution timer that calls
 * when something is due. A timer that is late does no harm, for positions are
 * computed from the time and not counted by ticks.
 */
#include "vsnd.h"

static s64 vsnd_realtime_now(struct vsnd_clock *clock)
{
	return ktime_to_ns(ktime_get());
}

static void vsnd_realtime_arm(struct vsnd_clock *clock, s64 when)
{
	lockdep_assert_held(&clock->lock);
	hrtimer_start(&clock->timer, ns_to_ktime(when), HRTIMER_MODE_ABS);
}

static void vsnd_realtime_cancel(struct vsnd_clock *clock)
{
	hrtimer_cancel(&clock->timer);
}

static const struct vsnd_clock_ops vsnd_realtime_ops = {
	.now = vsnd_realtime_now,
	.arm = vsnd_realtime_arm,
	.cancel = vsnd_realtime_cancel,
};

/*
 * Never HRTIMER_RESTART: the run has armed the timer itself, and so may a
 * START on another CPU while it ran.
 */
static enum hrtimer_restart vsnd_realtime_expired(struct hrtimer *timer)
{
	struct vsnd_clock *clock = container_of(timer, struct vsnd_clock,
						timer);

	vsnd_clock_run(clock, vsnd_realtime_now(clock));
	return HRTIMER_NORESTART;
}

/**
 * vsnd_realtime_init() - make a realtime clock
 * @clock: the clock
 *
 * A plain absolute timer: its callback runs in hard interrupt context, and in
 * a thread on PREEMPT_RT, where spinlocks sleep.
 */
void vsnd_realtime_init(struct vsnd_clock *clock)
{
	vsnd_clock_init(clock, &vsnd_realtime_ops);
	hrtimer_setup(&clock->timer, vsnd_realtime_expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS);
}
