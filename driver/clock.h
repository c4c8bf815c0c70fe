/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clocks: what makes the time of streams pass. One kind per file; all share
 * clock.c, which knows who waits for what.
 */
#ifndef VSND_CLOCK_H
#define VSND_CLOCK_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <sound/timer.h>

struct vsnd_cable;
struct vsnd_clock;

/*
 * The latest instant that a clock may tell, ns: some 146 years. What is worked
 * out from it lies ahead by less than the same again.
 */
#define VSND_TIME_MAX	(S64_MAX / 2)

/**
 * struct vsnd_clock_ops - a kind of clock
 * @monotonic: its time is CLOCK_MONOTONIC, which needs no @now. Streams then
 *	start on the card's grid, and the core's waits and jiffies make sense.
 * @counts_frames: its unit of time is not the ns but the frame, whatever the
 *	rate: "ns" then means frames
 * @client: it moves when its clients do: they have to say whenever they do
 * @open: get ready; the first stream of a device that uses it is being opened.
 *	0 or a negative error code. May sleep. Optional.
 * @close: undo @open; the last one is closed. May sleep. Optional.
 * @now: the clock's time, ns, at most VSND_TIME_MAX. Called in any context.
 *	Required but for CLOCK_MONOTONIC.
 * @tick: what its time moves by at once, ns; 0 if that is not known. Called
 *	while it is open. Optional: not for a clock whose time does not tick.
 * @arm: have vsnd_clock_run() called at @when, in any context that may take
 *	stream locks; replaces what was armed before. Called with the clock's
 *	lock held. Optional: not for a clock that runs by itself.
 * @cancel: disarm, and wait until a vsnd_clock_run() that is under way has
 *	returned. May sleep. Required.
 */
struct vsnd_clock_ops {
	bool monotonic;
	bool counts_frames;
	bool client;
	int (*open)(struct vsnd_clock *clock);
	void (*close)(struct vsnd_clock *clock);
	s64 (*now)(struct vsnd_clock *clock);
	u64 (*tick)(const struct vsnd_clock *clock);
	void (*arm)(struct vsnd_clock *clock, s64 when);
	void (*cancel)(struct vsnd_clock *clock);
};

/**
 * struct vsnd_clock - tells time and calls when a stream's next event is due
 * @ops: the kind of clock
 * @lock: innermost lock, see the locks in vsnd.h
 * @cables: those with a running end, in no order: nearly all are looked at in
 *	each run, and a deadline that is moved costs a store. Protected by
 *	@lock.
 *
 * First part of the structure of its kind. Arming has no state: whoever holds
 * the lock may arm for the soonest deadline, at any time and again.
 */
struct vsnd_clock {
	const struct vsnd_clock_ops *ops;
	spinlock_t lock;	/* innermost, see vsnd.h */
	struct list_head cables;
};

/**
 * struct vsnd_hrtimer - a clock on a high-resolution timer
 * @clock: the clock
 * @timer: the timer. Armed under the clock's lock.
 * @rest: instant before which there is no other run, ns of CLOCK_MONOTONIC.
 *	Written when it expires, as @rested and @most are.
 * @rested: whether the next run has been put off
 * @most: instant from which on it is not put off, ns of CLOCK_MONOTONIC
 * @real: when the clock's time was 0, ns of CLOCK_MONOTONIC
 * @mul: the clock's time passes @mul / @div times as fast
 * @div: see @mul
 *
 * The card's realtime clock, each device's scaled clock, and a part of its timer
 * clock. @real, @mul and @div are the scaled clock's, and change only while no
 * stream that uses it is open.
 */
struct vsnd_hrtimer {
	struct vsnd_clock clock;
	struct hrtimer timer;
	atomic64_t rest;
	bool rested;
	s64 most;
	atomic64_t real;
	unsigned int mul;
	unsigned int div;
};

/**
 * struct vsnd_step - a clock that is advanced by hand
 * @clock: the clock
 * @mutex: held while it advances
 * @run: held while it does what is due at one instant
 * @now: its time, frames. Written under @mutex.
 */
struct vsnd_step {
	struct vsnd_clock clock;
	struct mutex mutex;	/* one advance at a time */
	struct mutex run;	/* see @run */
	atomic64_t now;
};

/**
 * struct vsnd_client - a clock that moves with the clients of its cable
 * @clock: the clock
 * @work: lets time pass as far as both ends allow
 * @now: its time, frames. Written by @work.
 */
struct vsnd_client {
	struct vsnd_clock clock;
	struct delayed_work work;
	atomic64_t now;
};

/**
 * struct vsnd_follower - a clock that follows an ALSA timer
 * @hr: the clock; its own timer does what the ticks have made due
 * @card: the card it belongs to, whose own PCM timers it cannot follow
 * @source: the timer. Changes only while no stream that uses the clock is open.
 * @timer: its instance while such a stream is open
 * @tick: what a tick of it was worth when it was opened, ns
 * @now: its time, ns; stands still between ticks. Written by the tick.
 */
struct vsnd_follower {
	struct vsnd_hrtimer hr;
	struct snd_card *card;
	struct snd_timer_id source;
	struct snd_timer_instance *timer;
	u64 tick;
	atomic64_t now;
};

/**
 * enum vsnd_clock_kind - the clocks a PCM device may go by
 * @VSND_CLOCK_REALTIME: CLOCK_MONOTONIC
 * @VSND_CLOCK_CLIENT: as fast as the clients of each cable
 * @VSND_CLOCK_STEP: by hand
 * @VSND_CLOCK_SCALED: CLOCK_MONOTONIC, a number of times as fast
 * @VSND_CLOCK_TIMER: an ALSA timer
 * @VSND_CLOCKS: how many there are
 */
enum vsnd_clock_kind {
	VSND_CLOCK_REALTIME,
	VSND_CLOCK_CLIENT,
	VSND_CLOCK_STEP,
	VSND_CLOCK_SCALED,
	VSND_CLOCK_TIMER,
	VSND_CLOCKS
};

/* clock.c */
void vsnd_clock_init(struct vsnd_clock *clock, const struct vsnd_clock_ops *ops);
bool vsnd_clock_run(struct vsnd_clock *clock, s64 now);
s64 vsnd_clock_deadline(struct vsnd_clock *clock);
void vsnd_clock_add(struct vsnd_clock *clock, struct vsnd_cable *cable);
void vsnd_clock_remove(struct vsnd_clock *clock, struct vsnd_cable *cable);
void vsnd_clock_arm(struct vsnd_clock *clock);
void vsnd_clock_sync(struct vsnd_clock *clock);

static inline void vsnd_clock_cancel(struct vsnd_clock *clock)
{
	clock->ops->cancel(clock);
}

static inline s64 vsnd_clock_now(struct vsnd_clock *clock)
{
	if (likely(clock->ops->monotonic))
		return ktime_to_ns(ktime_get());
	return clock->ops->now(clock);
}

/* step.c */
void vsnd_step_init(struct vsnd_step *step);
int vsnd_step_advance(struct vsnd_step *step, unsigned int frames);

/* client.c */
void vsnd_client_init(struct vsnd_client *client);
void vsnd_client_arm_later(struct vsnd_clock *clock);

/* follower.c */
void vsnd_follower_init(struct vsnd_follower *follower, struct snd_card *card);

/* realtime.c */
void vsnd_hrtimer_start(struct vsnd_hrtimer *hr, s64 when);
void vsnd_hrtimer_cancel(struct vsnd_clock *clock);
void vsnd_hrtimer_init(struct vsnd_hrtimer *hr,
		       const struct vsnd_clock_ops *ops);
void vsnd_realtime_init(struct vsnd_hrtimer *realtime);
void vsnd_scaled_set(struct vsnd_hrtimer *scaled, unsigned int mul,
		     unsigned int div);
void vsnd_scaled_init(struct vsnd_hrtimer *scaled, unsigned int mul,
		      unsigned int div);

#endif /* VSND_CLOCK_H */
