// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks on a high-resolution timer: realtime, which is CLOCK_MONOTONIC, and
 * scaled, which is the same a number of times as fast; follower.c has another.
 * A timer that is late does no harm, for positions are computed from the time
 * and not counted by ticks.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/time64.h>

#include "vsnd.h"

/*
 * Two runs of a clock are at least this far apart, and all of them on a CPU take
 * half of it in the long run: no streams, however many, however short their
 * periods and however much they move, let their clocks keep a CPU.
 */
#define VSND_RUN_SPACING_NS	(100 * NSEC_PER_USEC)

/*
 * They may be ahead of that half by this much, for a hypervisor can take the CPU
 * away during a run, now and then. After a run the rest is as the other at most:
 * the virtual machine may have been stopped.
 */
#define VSND_RUN_AHEAD_NS	(5 * NSEC_PER_MSEC)
#define VSND_REST_MAX_NS	(20 * NSEC_PER_MSEC)

/* A clock rests this many times as long as its run at most: others took it. */
#define VSND_REST_TIMES		64

/*
 * A scaled clock counts from the first open on. There it stands still, rather
 * than to overflow: after 53 days.
 */
#define VSND_SCALED_NS_MAX	(VSND_TIME_MAX / VSND_SCALE_MAX)

/* When the runs on this CPU will have had half of it, ns of CLOCK_MONOTONIC */
static DEFINE_PER_CPU(s64, vsnd_half);

static struct vsnd_hrtimer *vsnd_to_hrtimer(struct vsnd_clock *clock)
{
	return container_of(clock, struct vsnd_hrtimer, clock);
}

/**
 * vsnd_hrtimer_start() - have a clock run at an instant, or when it has rested
 * @hr: the clock
 * @when: the instant, ns of CLOCK_MONOTONIC; 0 for at once
 *
 * Context: The arm op: the clock's lock held.
 */
void vsnd_hrtimer_start(struct vsnd_hrtimer *hr, s64 when)
{
	lockdep_assert_held(&hr->clock.lock);
	when = max_t(s64, when, atomic64_read(&hr->rest));
	hrtimer_start(&hr->timer, ns_to_ktime(when), HRTIMER_MODE_ABS);
}

/**
 * vsnd_hrtimer_cancel() - disarm, and wait until no run is under way
 * @clock: the clock
 *
 * Context: The cancel op: may sleep.
 */
void vsnd_hrtimer_cancel(struct vsnd_clock *clock)
{
	hrtimer_cancel(&vsnd_to_hrtimer(clock)->timer);
}

/*
 * Whoever is switched away from has not kept the CPU: on PREEMPT_RT a run is a
 * thread's, and what takes long may be the client that it has woken.
 */
static unsigned long vsnd_switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/*
 * Whether this CPU has to rest: then the run is put off, and nothing that others
 * do meanwhile puts it off again.
 */
static bool vsnd_hrtimer_rests(struct vsnd_hrtimer *hr, s64 now)
{
	s64 until = min(this_cpu_read(vsnd_half) - VSND_RUN_AHEAD_NS, hr->most);

	hr->rested = until > now && !hr->rested;
	atomic64_set(&hr->rest, hr->rested ? until : now + VSND_RUN_SPACING_NS);
	return hr->rested;
}

static void vsnd_hrtimer_run(struct vsnd_hrtimer *hr, s64 now)
{
	const struct vsnd_clock_ops *ops = hr->clock.ops;
	unsigned long switches = vsnd_switches();
	s64 end, rest;

	vsnd_clock_run(&hr->clock, ops->now ? ops->now(&hr->clock) : now);
	if (unlikely(vsnd_switches() != switches))
		return;
	end = ktime_to_ns(ktime_get());
	rest = min_t(s64, end - now, VSND_REST_MAX_NS);
	hr->most = end + VSND_REST_TIMES * rest;
	this_cpu_write(vsnd_half, max(this_cpu_read(vsnd_half), now) +
				  end - now + rest);
}

/*
 * Never HRTIMER_RESTART: the run has armed the timer itself, and so may a
 * START on another CPU while it ran.
 */
static enum hrtimer_restart vsnd_hrtimer_expired(struct hrtimer *timer)
{
	struct vsnd_hrtimer *hr = container_of(timer, struct vsnd_hrtimer,
					       timer);
	s64 now = ktime_to_ns(ktime_get());

	if (unlikely(vsnd_hrtimer_rests(hr, now)))
		vsnd_clock_arm(&hr->clock);
	else
		vsnd_hrtimer_run(hr, now);
	return HRTIMER_NORESTART;
}

static void vsnd_realtime_arm(struct vsnd_clock *clock, s64 when)
{
	vsnd_hrtimer_start(vsnd_to_hrtimer(clock), when);
}

static const struct vsnd_clock_ops vsnd_realtime_ops = {
	.monotonic = true,
	.arm = vsnd_realtime_arm,
	.cancel = vsnd_hrtimer_cancel,
};

static s64 vsnd_scaled_now(struct vsnd_clock *clock)
{
	const struct vsnd_hrtimer *hr = vsnd_to_hrtimer(clock);
	s64 passed = ktime_to_ns(ktime_get()) - atomic64_read(&hr->real);

	/* a control may have read the time before the first stream was opened */
	passed = clamp_t(s64, passed, 0, VSND_SCALED_NS_MAX);
	return mul_u64_u32_div(passed, hr->mul, hr->div);
}

/* Rounded up twice over, for a timer must not be early. */
static void vsnd_scaled_arm(struct vsnd_clock *clock, s64 when)
{
	struct vsnd_hrtimer *hr = vsnd_to_hrtimer(clock);
	s64 end = mul_u64_u32_div(VSND_SCALED_NS_MAX, hr->mul, hr->div);

	/* there it stands still */
	if (when > end)
		return;
	when = max_t(s64, when, 0);
	vsnd_hrtimer_start(hr, atomic64_read(&hr->real) + 1 +
			   mul_u64_u32_div(when, hr->div, hr->mul));
}

static int vsnd_scaled_open(struct vsnd_clock *clock)
{
	atomic64_set(&vsnd_to_hrtimer(clock)->real, ktime_to_ns(ktime_get()));
	return 0;
}

static const struct vsnd_clock_ops vsnd_scaled_ops = {
	.open = vsnd_scaled_open,
	.now = vsnd_scaled_now,
	.arm = vsnd_scaled_arm,
	.cancel = vsnd_hrtimer_cancel,
};

/**
 * vsnd_hrtimer_init() - make a clock on a high-resolution timer
 * @hr: the clock
 * @ops: its kind
 *
 * A plain absolute timer: its callback runs in hard interrupt context, and in
 * a thread on PREEMPT_RT, where spinlocks sleep.
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_hrtimer_init(struct vsnd_hrtimer *hr,
		       const struct vsnd_clock_ops *ops)
{
	vsnd_clock_init(&hr->clock, ops);
	hrtimer_setup(&hr->timer, vsnd_hrtimer_expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS);
}

/**
 * vsnd_realtime_init() - make a realtime clock
 * @realtime: the clock
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_realtime_init(struct vsnd_hrtimer *realtime)
{
	vsnd_hrtimer_init(realtime, &vsnd_realtime_ops);
}

/**
 * vsnd_scaled_set() - set how fast a scaled clock is
 * @scaled: the clock; no stream that is open goes by it
 * @mul: it is @mul / @div times as fast as CLOCK_MONOTONIC, 1 to
 *	VSND_SCALE_MAX
 * @div: see @mul
 *
 * Context: The device's settings mutex held, or nobody else knows it yet.
 */
void vsnd_scaled_set(struct vsnd_hrtimer *scaled, unsigned int mul,
		     unsigned int div)
{
	scaled->mul = mul;
	scaled->div = div;
}

/**
 * vsnd_scaled_init() - make a scaled clock
 * @scaled: the clock
 * @mul: see vsnd_scaled_set()
 * @div: see vsnd_scaled_set()
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_scaled_init(struct vsnd_hrtimer *scaled, unsigned int mul,
		      unsigned int div)
{
	vsnd_hrtimer_init(scaled, &vsnd_scaled_ops);
	vsnd_scaled_set(scaled, mul, div);
	vsnd_scaled_open(&scaled->clock);
}
