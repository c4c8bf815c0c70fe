// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client clock: time passes as fast as the clients of a cable move data,
 * and not a frame faster: what is written is consumed, what is asked for is
 * produced, and both ends of a pair move as one.
 */
#include <linux/minmax.h>
#include <linux/sched.h>

#include "end.h"

#define VSND_CLIENT_TURNS	16	/* of the clock, in one go of its work */
#define VSND_CLIENT_WAITS	3	/* for starts, in a turn */

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
	mod_delayed_work(vsnd_workqueue, &vsnd_to_client(clock)->work, 0);
}

/**
 * vsnd_client_arm_later() - have time pass as far as it may, in a moment
 * @clock: a client clock
 *
 * Context: Any.
 */
void vsnd_client_arm_later(struct vsnd_clock *clock)
{
	queue_delayed_work(vsnd_workqueue, &vsnd_to_client(clock)->work, 1);
}

static void vsnd_client_cancel(struct vsnd_clock *clock)
{
	cancel_delayed_work_sync(&vsnd_to_client(clock)->work);
}

static const struct vsnd_clock_ops vsnd_client_ops = {
	.counts_frames = true,
	.client = true,
	.now = vsnd_client_now,
	.arm = vsnd_client_arm,
	.cancel = vsnd_client_cancel,
};

/*
 * A RESET has thrown away all that a player had, and it has none since. It runs,
 * or is just being let go on.
 */
static bool vsnd_end_is_emptied(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_state_t state = snd_pcm_runtime_state(runtime);

	if (state == SNDRV_PCM_STATE_SUSPENDED)
		state = snd_pcm_peek(runtime->status->suspended_state);
	return end->direction == SNDRV_PCM_STREAM_PLAYBACK &&
	       end->appl_start == runtime->boundary &&
	       vsnd_end_written(end) == end->n &&
	       snd_pcm_peek(runtime->control->avail_min) <= end->ring.frames &&
	       (state == SNDRV_PCM_STATE_RUNNING ||
		state == SNDRV_PCM_STATE_PAUSED);
}

/*
 * Up to where time may pass beyond @until, at which a full ring is there to be
 * written or read: its client may tolerate more, and wait for that. It stops a
 * frame before an xrun, @limit. Only a client that waits for more than it can
 * get that way gets its xrun, rather than sleep for ever.
 */
static u64 vsnd_end_until(const struct vsnd_end *end, u64 until, u64 limit)
{
	u64 stop = vsnd_end_stop_threshold(end);
	u64 avail, wanted;

	if (limit <= until)
		until = limit - 1;
	avail = until + stop - limit;
	wanted = snd_pcm_peek(end->runtime->control->avail_min);
	return wanted > avail ? until + min(wanted, stop) - avail : until;
}

/*
 * How many frames may pass without an xrun: a player up to what is written, a
 * recorder up to a full ring. One that has thrown away what it had is about to
 * write.
 */
static u64 vsnd_end_room(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	u64 limit = vsnd_end_limit(end);
	u64 until = vsnd_end_written(end);
	u64 n = end->n;

	/*
	 * An xrun already, or a drain with nothing left: the core finds it when
	 * it is told of another position.
	 */
	if (limit <= n &&
	    snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_PREPARED)
		return vsnd_end_is_emptied(end) ? 0 : 1;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		until = vsnd_end_read(end) + end->ring.frames;
	if (!vsnd_end_is_draining(end) && limit && limit != U64_MAX)
		until = vsnd_end_until(end, until, limit);
	return until > n ? until - n : 0;
}

/*
 * The DRAIN of a linked player has made it run, but its client has not: it is
 * PREPARED while the player drains, and stays what it is afterwards. So is one
 * that is just being started, but only until its stream lock is let go; and till
 * then one is PAUSED or SUSPENDED that is being let go on.
 */
static bool vsnd_end_is_dragged(const struct vsnd_end *recorder)
{
	const struct vsnd_end *player = vsnd_end_peer(recorder);

	switch (snd_pcm_runtime_state(recorder->runtime)) {
	case SNDRV_PCM_STATE_RUNNING:
	case SNDRV_PCM_STATE_PAUSED:
	case SNDRV_PCM_STATE_SUSPENDED:
		return false;
	case SNDRV_PCM_STATE_PREPARED:
		return recorder->dragged ||
		       (player->running && vsnd_end_is_draining(player));
	default:
		return true;
	}
}

/*
 * How many frames may pass for all clients' sake: as many as the slower of the
 * running ends allows. A recorder waits for a player that has opened the other
 * end and is about to start.
 */
static u64 vsnd_client_room(struct vsnd_cable *cable)
{
	struct vsnd_end *player = &cable->end[SNDRV_PCM_STREAM_PLAYBACK];
	struct vsnd_end *recorder = &cable->end[SNDRV_PCM_STREAM_CAPTURE];
	u64 room = U64_MAX;

	lockdep_assert_held(&cable->lock);
	/* a late member of a linked group may ask when the clock has changed */
	if (cable->clock != &cable->client.clock)
		return 0;
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	if (player->running)
		room = vsnd_end_room(player);
	if (recorder->running && !vsnd_end_is_dragged(recorder))
		room = min(room, player->substream && !player->running ? 0 :
			   vsnd_end_room(recorder));
	return room == U64_MAX ? 0 : room;
}

/*
 * Who is just being started is neither RUNNING nor DRAINING until its stream
 * lock is let go, and what it waits for is not known before.
 */
static struct snd_pcm_substream *
vsnd_client_starting(const struct vsnd_cable *cable)
{
	snd_pcm_state_t state;
	int i;

	lockdep_assert_held(&cable->lock);
	for (i = 0; i < 2; i++) {
		if (!cable->end[i].running)
			continue;
		state = snd_pcm_runtime_state(cable->end[i].runtime);
		if (state != SNDRV_PCM_STATE_RUNNING &&
		    state != SNDRV_PCM_STATE_DRAINING)
			return cable->end[i].substream;
	}
	return NULL;
}

/*
 * Takes the cable's lock when nobody is just being started. Who is dragged along
 * by a drain looks as if it was all the time, so that this is not for ever.
 */
static void vsnd_client_lock(struct vsnd_cable *cable, unsigned long *flags)
	__acquires(&cable->lock)
{
	struct snd_pcm_substream *substream;
	unsigned int waits;

	for (waits = 0; ; waits++) {
		spin_lock_irqsave(&cable->lock, *flags);
		substream = vsnd_client_starting(cable);
		if (!substream || waits == VSND_CLIENT_WAITS)
			return;
		spin_unlock_irqrestore(&cable->lock, *flags);
		snd_pcm_stream_lock_irqsave(substream, *flags);
		snd_pcm_stream_unlock_irqrestore(substream, *flags);
	}
}

/*
 * Let time pass to the next event, or as far as there is room: true if there may
 * be more. It passes before anybody else can take the room. Not after a last
 * frame, or a stream in an xrun would make room for ever if the core does not
 * find it: some kernels resume what was not suspended, and then believe it in
 * any state.
 */
static bool vsnd_client_turn(struct vsnd_client *client)
{
	struct vsnd_cable *cable = container_of(client, struct vsnd_cable,
						client);
	unsigned long flags;
	s64 now, end;
	u64 room;

	vsnd_client_lock(cable, &flags);
	room = vsnd_client_room(cable);
	now = atomic64_read(&client->now);
	end = now + room;
	if (room) {
		now = min_t(s64, end, max(vsnd_clock_deadline(&client->clock),
					  now));
		atomic64_set(&client->now, now);
		vsnd_cable_advance(cable, now);
	}
	spin_unlock_irqrestore(&cable->lock, flags);
	if (!room)
		return false;
	vsnd_clock_run(&client->clock, now);
	return now < end || room > 1;
}

/*
 * Where the room ends no period need end, but a client may wait for just what
 * there is: it is told in any case, and again if it could not be. Clients may
 * make room for as long as they like, but whoever waits for the work, such as the
 * close of the other end, waits for one go of it only.
 */
static void vsnd_client_work(struct work_struct *work)
{
	struct vsnd_client *client = container_of(to_delayed_work(work),
						  struct vsnd_client, work);
	unsigned int turns = 0;

	while (vsnd_client_turn(client)) {
		if (++turns == VSND_CLIENT_TURNS) {
			vsnd_client_arm(&client->clock, 0);
			return;
		}
		cond_resched();
	}
	if (vsnd_cable_tell(container_of(client, struct vsnd_cable, client)))
		vsnd_client_arm_later(&client->clock);
}

/**
 * vsnd_client_init() - make a client clock
 * @client: the clock, part of a cable
 *
 * Context: Any; nobody else knows it yet.
 */
void vsnd_client_init(struct vsnd_client *client)
{
	vsnd_clock_init(&client->clock, &vsnd_client_ops);
	INIT_DELAYED_WORK(&client->work, vsnd_client_work);
}
