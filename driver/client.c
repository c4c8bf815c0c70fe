// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client clock: time passes as fast as the clients of a cable move data,
 * and not a frame faster: what is written is consumed, what is asked for is
 * produced, and both ends of a pair move as one.
 */
#include <linux/minmax.h>
#include <linux/sched.h>

#include "vsnd.h"

static struct vsnd_client *vsnd_to_client(struct vsnd_clock *clock)
{
	return container_of(clock, struct vsnd_client, clock);
}

static s64 vsnd_client_now(struct vsnd_clock *clock)
{
	return atomic64_read(&vsnd_to_client(clock)->now);
}

/*
 * Whoever calls holds a stream lock, so that no client can be told at once: a
 * work item does it.
 */
static void vsnd_client_arm(struct vsnd_clock *clock, s64 when)
{
	queue_work(vsnd_workqueue, &vsnd_to_client(clock)->work);
}

static void vsnd_client_cancel(struct vsnd_clock *clock)
{
	cancel_work_sync(&vsnd_to_client(clock)->work);
}

static const struct vsnd_clock_ops vsnd_client_ops = {
	.counts_frames = true,
	.client = true,
	.now = vsnd_client_now,
	.arm = vsnd_client_arm,
	.cancel = vsnd_client_cancel,
};

/* Let time pass to the next event, or as far as there is room. */
static bool vsnd_client_turn(struct vsnd_client *client)
{
	struct vsnd_cable *cable = container_of(client, struct vsnd_cable,
						client);
	u64 room = vsnd_cable_room(cable);
	s64 now = atomic64_read(&client->now);
	s64 next = vsnd_clock_deadline(&client->clock);

	if (!room)
		return false;
	now = min_t(s64, now + room, max(next, now));
	atomic64_set(&client->now, now);
	vsnd_clock_run(&client->clock, now);
	return true;
}

/*
 * Where the room ends no period need end, but a client may wait for just what
 * there is: both are told in any case.
 */
static void vsnd_client_work(struct work_struct *work)
{
	struct vsnd_client *client = container_of(work, struct vsnd_client,
						  work);
	bool moved = false;

	while (vsnd_client_turn(client)) {
		moved = true;
		cond_resched();
	}
	if (moved)
		vsnd_cable_tell(container_of(client, struct vsnd_cable,
					     client));
}

/**
 * vsnd_client_init() - make a client clock
 * @client: the clock, part of a cable
 */
void vsnd_client_init(struct vsnd_client *client)
{
	vsnd_clock_init(&client->clock, &vsnd_client_ops);
	INIT_WORK(&client->work, vsnd_client_work);
}
