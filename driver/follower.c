// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer clock: time passes as an ALSA timer ticks, be it the system's, a
 * high-resolution one, or that of another card's PCM. Between ticks it stands.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "vsnd.h"

/* Timers that tick faster are asked for a tick at this interval. */
#define VSND_FOLLOWER_TICK_NS	NSEC_PER_MSEC

static struct vsnd_follower *vsnd_to_follower(struct vsnd_clock *clock)
{
	return container_of(clock, struct vsnd_follower, hr.clock);
}

/*
 * Takes note of the time, and that is all: what is due is done by the clock's own
 * timer, which keeps no CPU, whatever the source is, however fast it ticks and
 * on however many CPUs at once, and which can be waited for.
 */
static void vsnd_follower_tick(struct snd_timer_instance *timer,
			       unsigned long resolution, unsigned long ticks)
{
	struct vsnd_follower *follower = timer->callback_data;
	s64 now = atomic64_read(&follower->now);
	u64 passed;

	/* a program may have made the timer, and call a tick what it likes */
	do
		passed = min_t(u64, (u64)resolution * ticks,
			       VSND_TIME_MAX - now);
	while (!atomic64_try_cmpxchg(&follower->now, &now, now + passed));
	vsnd_clock_arm(&follower->hr.clock);
}

static bool vsnd_follower_is_own(const struct vsnd_follower *follower)
{
	return follower->source.dev_class == SNDRV_TIMER_CLASS_PCM &&
	       follower->source.card == follower->card->number;
}

/*
 * Opening a timer of a card that is not there would load a module, which may
 * wait for whom waits for us. The host looks a card up without a check.
 */
static bool vsnd_follower_is_there(const struct vsnd_follower *follower)
{
	struct snd_card *card;

	if (follower->source.dev_class == SNDRV_TIMER_CLASS_GLOBAL)
		return true;
	if (follower->source.card < 0 || follower->source.card >= SNDRV_CARDS)
		return false;
	card = snd_card_ref(follower->source.card);
	if (card)
		snd_card_unref(card);
	return card;
}

/* A PCM can be set up anew, with periods of another length, at any time. */
static int vsnd_follower_start(struct vsnd_follower *follower,
			       struct snd_timer_instance *timer)
{
	unsigned long resolution = snd_timer_resolution(timer);
	unsigned long ticks = 1;
	int err;

	if (resolution && follower->source.dev_class != SNDRV_TIMER_CLASS_PCM)
		ticks = max(VSND_FOLLOWER_TICK_NS / resolution, 1UL);
	follower->tick = (u64)resolution * ticks;
	err = snd_timer_start(timer, ticks);
	return min(err, 0);
}

static int vsnd_follower_open(struct vsnd_clock *clock)
{
	struct vsnd_follower *follower = vsnd_to_follower(clock);
	struct snd_timer_id source = follower->source;
	struct snd_timer_instance *timer;
	int err;

	if (vsnd_follower_is_own(follower))
		return -EINVAL;
	if (!vsnd_follower_is_there(follower))
		return -ENODEV;
	timer = snd_timer_instance_new(VSND_NAME);
	if (!timer)
		return -ENOMEM;
	timer->flags |= SNDRV_TIMER_IFLG_AUTO;
	timer->callback = vsnd_follower_tick;
	timer->callback_data = follower;
	atomic64_set(&follower->now, 0);
	err = snd_timer_open(timer, &source, 0);
	if (err < 0)
		goto err_free_instance;
	err = vsnd_follower_start(follower, timer);
	if (err < 0)
		goto err_close_timer;
	follower->timer = timer;
	return 0;

err_close_timer:
	snd_timer_close(timer);
err_free_instance:
	snd_timer_instance_free(timer);
	return err;
}

/* Waits until no tick is under way, then until nothing is that it has begun. */
static void vsnd_follower_close(struct vsnd_clock *clock)
{
	struct vsnd_follower *follower = vsnd_to_follower(clock);

	snd_timer_close(follower->timer);
	snd_timer_instance_free(follower->timer);
	follower->timer = NULL;
	vsnd_hrtimer_cancel(clock);
}

static s64 vsnd_follower_now(struct vsnd_clock *clock)
{
	return atomic64_read(&vsnd_to_follower(clock)->now);
}

static u64 vsnd_follower_tick_ns(const struct vsnd_clock *clock)
{
	return container_of(clock, const struct vsnd_follower, hr.clock)->tick;
}

/* What is not due yet waits for a tick. */
static void vsnd_follower_arm(struct vsnd_clock *clock, s64 when)
{
	struct vsnd_follower *follower = vsnd_to_follower(clock);

	if (when <= atomic64_read(&follower->now))
		vsnd_hrtimer_start(&follower->hr, 0);
}

static const struct vsnd_clock_ops vsnd_follower_ops = {
	.open = vsnd_follower_open,
	.close = vsnd_follower_close,
	.now = vsnd_follower_now,
	.tick = vsnd_follower_tick_ns,
	.arm = vsnd_follower_arm,
	.cancel = vsnd_hrtimer_cancel,
};

/**
 * vsnd_follower_init() - make a clock on an ALSA timer
 * @follower: the clock
 * @card: the card it belongs to
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_follower_init(struct vsnd_follower *follower, struct snd_card *card)
{
	vsnd_hrtimer_init(&follower->hr, &vsnd_follower_ops);
	follower->card = card;
}
