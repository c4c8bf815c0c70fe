// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends: where a stream stands. Its position is computed from the time whenever
 * somebody asks, never counted; ticks only say that somebody should look.
 */
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "end.h"

/* Sound moves in pieces of at most this many bytes, to bound irq-off time. */
#define VSND_MOVE_BYTES		(256U << 10)

/**
 * vsnd_end_moved() - the client has moved data, or changed what it waits for
 * @end: the end
 *
 * Nothing to a clock whose time passes anyway.
 *
 * Context: Any.
 */
void vsnd_end_moved(struct vsnd_end *end)
{
	struct vsnd_clock *clock = READ_ONCE(end->cable->clock);

	if (clock->ops->client)
		vsnd_clock_arm(clock);
}

/**
 * vsnd_end_open() - let an end belong to an open substream
 * @end: the end
 * @substream: the substream
 *
 * Context: The open op, or the close op. Takes the cable's lock.
 */
void vsnd_end_open(struct vsnd_end *end, struct snd_pcm_substream *substream)
{
	unsigned long flags;

	spin_lock_irqsave(&end->cable->lock, flags);
	end->substream = substream;
	end->runtime = substream ? substream->runtime : NULL;
	end->mapped = false;
	end->ring.frames = 0;
	end->tick = false;	/* a recorder that was dragged has one */
	atomic64_set(&end->stale, 0);
	spin_unlock_irqrestore(&end->cable->lock, flags);
}

/**
 * vsnd_end_close() - undo vsnd_end_open()
 * @end: an end that is stopped, with nothing of its clock under way
 *
 * Context: The close op. Takes the cable's lock, then the clock's.
 */
void vsnd_end_close(struct vsnd_end *end)
{
	vsnd_end_open(end, NULL);
	vsnd_end_moved(end);
}

/**
 * vsnd_end_undelay() - give back what a latency takes
 * @end: an end that is stopped
 *
 * Context: Process context, @setup of the end held. Takes the cable's lock. May
 * sleep.
 */
void vsnd_end_undelay(struct vsnd_end *end)
{
	unsigned long flags;

	spin_lock_irqsave(&end->cable->lock, flags);
	end->latency = 0;
	spin_unlock_irqrestore(&end->cable->lock, flags);
	vsnd_ring_free(&end->delay);
}

static void vsnd_end_forget_rounds(struct vsnd_end *end)
{
	atomic_set(&end->rounds, 0);
	end->behind = false;
	end->fresh = 0;
}

static void vsnd_end_rewind(struct vsnd_end *end)
{
	end->n = 0;
	end->seen = 0;
	end->pos = 0;
	vsnd_end_forget_rounds(end);
	end->moved = 0;
}

/**
 * vsnd_end_forget_silence() - an end's ring is given other memory
 * @end: the end, not running
 *
 * Context: The hw_params op. Takes the cable's lock.
 */
void vsnd_end_forget_silence(struct vsnd_end *end)
{
	spin_lock_irq(&end->cable->lock);
	WRITE_ONCE(end->silent, 0);
	spin_unlock_irq(&end->cable->lock);
}

/**
 * vsnd_end_map() - from now on an end's client may write to its ring
 * @end: the end, in any state
 *
 * Until it is closed: the PCM core counts a mapping only when the mmap op has
 * returned, and the end may be prepared in between.
 *
 * Context: The mmap op. Takes the cable's lock.
 */
void vsnd_end_map(struct vsnd_end *end)
{
	spin_lock_irq(&end->cable->lock);
	WRITE_ONCE(end->mapped, true);
	spin_unlock_irq(&end->cable->lock);
}

/**
 * vsnd_end_silence() - write silence into a player's ring, for the PCM core
 * @end: the end
 * @channel: the channel, 0 if interleaved
 * @pos: first byte of the channel
 * @bytes: how many
 *
 * A DRAIN comes here though its start was refused, as the buffer is just being
 * changed: then there is nothing to write to. In pieces, to bound irq-off time
 * where the caller has not turned them off anyway.
 *
 * Context: The fill_silence op. Takes the cable's lock.
 */
void vsnd_end_silence(struct vsnd_end *end, unsigned int channel, size_t pos,
		      size_t bytes)
{
	struct vsnd_cable *cable = end->cable;
	unsigned long flags;
	size_t part;

	for (; bytes; bytes -= part, pos += part) {
		spin_lock_irqsave(&cable->lock, flags);
		part = bytes;
		if (end->ready) {
			part = min_t(size_t, bytes,
				     end->piece * end->ring.frame_stride);
			vsnd_ring_silence_bytes(&end->ring, channel, pos, part);
		}
		spin_unlock_irqrestore(&cable->lock, flags);
	}
}

static void vsnd_end_set_ring(struct vsnd_end *end)
{
	struct vsnd_ring ring;

	vsnd_ring_init(&ring, end->runtime);
	spin_lock_irq(&end->cable->lock);
	end->ring = ring;
	spin_unlock_irq(&end->cable->lock);
}

/* What a recorder hears goes through a ring that is longer by the latency. */
static int vsnd_end_delay(struct vsnd_end *end, unsigned int *latency)
{
	vsnd_end_undelay(end);
	*latency = 0;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		*latency = READ_ONCE(end->cable->pcm->latency);
	if (!*latency)
		return 0;
	return vsnd_ring_alloc_like(&end->delay, &end->ring,
				    end->ring.frames + *latency);
}

/*
 * The OSS emulation takes a delay for frames in the ring. Those that are not
 * there it skips, other ones in their place; and where it can skip none it never
 * ends.
 */
static bool vsnd_end_tells_delay(const struct vsnd_end *end)
{
#if IS_ENABLED(CONFIG_SND_PCM_OSS)
	return !end->substream->oss.oss;
#else
	return true;
#endif
}

/* Both locks: a DRAIN may look at the stream, though it could not start it. */
static void vsnd_end_set_ready(struct vsnd_end *end, unsigned int latency)
{
	struct snd_pcm_runtime *runtime = end->runtime;
	struct vsnd_ring *ring = &end->ring;

	snd_pcm_stream_lock_irq(end->substream);
	spin_lock(&end->cable->lock);
	end->latency = latency;
	runtime->delay = vsnd_end_tells_delay(end) ? latency : 0;
	end->wakes = !runtime->no_period_wakeup;
	end->period = end->wakes ? runtime->period_size : ring->frames / 2;
	end->piece = max(VSND_MOVE_BYTES /
			 (ring->sample_bytes * ring->channels), 1U);
	vsnd_end_rewind(end);
	end->lost = false;
	/* where the RESET that follows has them; START is not sure to come first */
	end->hw_ptr = 0;
	end->appl_start = 0;
	end->next_period = end->period;
	end->late = 0;
	end->ready = true;
	spin_unlock(&end->cable->lock);
	snd_pcm_stream_unlock_irq(end->substream);
}

/**
 * vsnd_end_prepare() - make an end ready to start at frame 0
 * @end: an open end with its parameters set, not running
 *
 * A recorder's ring is filled with silence, so that what is known of it is
 * true, and so that frames ahead of hw_ptr are no one's leftovers.
 *
 * Context: The prepare op: process context, no lock held. Takes the stream lock
 * and the cable's.
 * Return: 0, or -ENOMEM if there is no memory for the latency.
 */
int vsnd_end_prepare(struct vsnd_end *end)
{
	unsigned int latency;
	int err;

	vsnd_end_set_ring(end);
	err = vsnd_end_delay(end, &latency);
	if (err < 0)
		return err;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE &&
	    !vsnd_end_is_silent(end)) {
		vsnd_ring_silence(&end->ring, 0, end->ring.frames);
		WRITE_ONCE(end->silent, end->ring.frames);
	}
	vsnd_end_set_ready(end, latency);
	return 0;
}

/*
 * Not one that goes on after a pause: a start that is its stream's first, though
 * there may have been one that was taken back.
 */
static bool vsnd_end_is_new(const struct vsnd_end *end)
{
	return snd_pcm_runtime_state(end->runtime) == SNDRV_PCM_STATE_PREPARED;
}

static void vsnd_end_begin(struct vsnd_end *end, s64 at)
{
	struct vsnd_cable *cable = end->cable;

	lockdep_assert_held(&cable->lock);
	if (vsnd_end_is_new(end) && (end->running || end->n)) {
		if (end->latency)
			vsnd_ring_silence(&end->delay, 0,
					  min_t(u64, end->moved,
						end->delay.frames));
		end->silent = 0;
		vsnd_end_rewind(end);
		vsnd_end_align_period(end);
	}
	if (vsnd_end_is_new(end)) {
		end->appl_start = vsnd_appl_ptr(end);
		end->hw_ptr = end->runtime->status->hw_ptr;
	}
	end->tick = false;
	end->dragged = false;
	WRITE_ONCE(end->to_stop, false);
	atomic64_set(&end->stale, 0);
	vsnd_cable_join(cable, end, at);
	vsnd_imperfect_plan(end);
	vsnd_end_plan(end);
	vsnd_cable_schedule(cable);
	vsnd_clock_add(cable->clock, cable);
}

/**
 * vsnd_end_start() - let frames pass
 * @end: a prepared or stopped end
 * @at: instant at which it takes effect, ns; where to put that of its first
 *	frame
 *
 * If the peer runs at the same rate both ends count the same frames from now
 * on: the start is moved to the next frame of the peer's, which is less than a
 * frame later.
 *
 * The client clock may have gone on since somebody looked at it: who starts is not
 * to miss what has passed meanwhile, for there are no xruns on that clock.
 *
 * An end that runs already begins anew: the DRAIN of a linked player makes the
 * core start the whole group, though it leaves a recorder in it PREPARED, and
 * does not look where that has got.
 *
 * Context: The trigger op: stream lock held.
 * Return: 0, or -EBADFD if the buffer is being changed: some kernels let a
 * start in then, and all do for one that comes with another stream's drain.
 */
int vsnd_end_start(struct vsnd_end *end, s64 *at)
{
	struct vsnd_cable *cable = end->cable;
	int err = -EBADFD;
	s64 now;

	spin_lock(&cable->lock);
	if (end->ready) {
		now = vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
		if (cable->clock->ops->client)
			*at = max(*at, now);
		vsnd_end_begin(end, *at);
		*at = vsnd_timeline_instant(end->line, end->from);
		err = 0;
	}
	spin_unlock(&cable->lock);
	vsnd_clock_arm(READ_ONCE(cable->clock));
	return err;
}

static void vsnd_end_cease(struct vsnd_end *end)
{
	lockdep_assert_held(&end->cable->lock);
	end->running = false;
	if (vsnd_end_is_draining(end))
		vsnd_end_peer(end)->dragged = true;
	atomic64_set(&end->stale, 0);
}

/**
 * vsnd_end_stop() - let no more frames pass
 * @end: an end, running or not
 * @now: instant, ns
 *
 * What has passed until now is moved first. The count is kept, for a pause. A
 * recorder that a linked player's drain has dragged along is left behind by it.
 *
 * If the peer is to stop as well, by its @to_stop, it does so at once: in between
 * a tick of another processor might let it go on by a frame.
 *
 * Context: Any. Takes the cable's lock.
 */
void vsnd_end_stop(struct vsnd_end *end, s64 now)
{
	struct vsnd_end *peer = vsnd_end_peer(end);
	struct vsnd_cable *cable = end->cable;
	unsigned long flags;

	spin_lock_irqsave(&cable->lock, flags);
	if (end->running) {
		vsnd_cable_advance(cable, now);
		vsnd_end_cease(end);
		if (peer->running && READ_ONCE(peer->to_stop))
			vsnd_end_cease(peer);
		vsnd_cable_connect(cable, 0);
		if (!vsnd_cable_schedule(cable))
			vsnd_clock_remove(cable->clock, cable);
	}
	WRITE_ONCE(end->to_stop, false);
	spin_unlock_irqrestore(&cable->lock, flags);
	vsnd_end_moved(end);
}

/**
 * vsnd_end_halt() - keep an end from running while its buffer may change
 * @end: an end whose stream is not running, as far as the PCM core knows
 *
 * It runs all the same if the DRAIN of a linked player has started it. One that
 * is not ready does not, and only prepare makes it ready.
 *
 * Context: The ops hw_params, prepare and hw_free, of which the PCM core has
 * one at a time, but for a close beside a prepare: both hold @setup of the end.
 * Takes the stream lock and the cable's.
 */
void vsnd_end_halt(struct vsnd_end *end)
{
	struct vsnd_cable *cable;
	unsigned long flags;
	bool running;

	if (!end->ready)
		return;
	cable = end->cable;
	snd_pcm_stream_lock_irqsave(end->substream, flags);
	spin_lock(&cable->lock);
	end->ready = false;
	running = end->running;
	spin_unlock(&cable->lock);
	snd_pcm_stream_unlock_irqrestore(end->substream, flags);
	if (running)
		vsnd_end_stop(end, vsnd_clock_now(READ_ONCE(cable->clock)));
}

/* Has it been started and will go on, by the PCM core's account? */
static bool vsnd_end_is_resting(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->runtime;
	snd_pcm_state_t state = snd_pcm_runtime_state(runtime);

	return state == SNDRV_PCM_STATE_PAUSED ||
	       (state == SNDRV_PCM_STATE_SUSPENDED &&
		runtime->status->suspended_state != SNDRV_PCM_STATE_PREPARED);
}

/* Where the stream is: the core is to count from there, not from 0. */
static void vsnd_end_rebase(struct vsnd_end *end)
{
	u32 pos;

	div_u64_rem(end->pos + end->n - end->seen, end->ring.frames, &pos);
	end->seen = end->n;
	WRITE_ONCE(end->pos, pos);
	atomic64_set(&end->stale, 0);
	end->hw_ptr = pos;
	end->runtime->status->hw_ptr = pos;
}

/**
 * vsnd_end_reset() - follow the PCM core in a RESET
 * @end: an end that the core has just given another hw_ptr
 *
 * Not at the next look, which may come after the client has written: its
 * appl_ptr would be taken for one that belongs to the old hw_ptr. So would the
 * old one for one that belongs to the new hw_ptr, if a tick came before the core
 * has set it: that is done here already. A ring that goes round goes on.
 *
 * It goes on where it is now: of a stream that rests the core believes that it
 * has gone back to the ring's beginning, and of one that runs it has not been
 * told. Not even of an xrun: what is thrown away is not missed.
 *
 * There may be room for the client clock to go on now. Later: until the core is
 * through with its part of the RESET, no position is told.
 *
 * A prepare has a RESET as well, in which there is nothing to follow; a linked
 * stream may be closed meanwhile, as it is prepared with its group. Nor is there
 * in that of a recorder that only a drain lets run: its START begins anew.
 *
 * Context: The ioctl op: stream lock held. Takes the cable's lock.
 */
void vsnd_end_reset(struct vsnd_end *end)
{
	struct vsnd_clock *clock = READ_ONCE(end->cable->clock);
	struct snd_pcm_runtime *runtime;
	bool goes_round, is_reset;

	spin_lock(&end->cable->lock);
	is_reset = end->ready && (vsnd_end_is_under_way(end) ||
				  vsnd_end_is_resting(end));
	if (is_reset) {
		runtime = end->runtime;
		goes_round = vsnd_end_is_free_running(end);
		vsnd_cable_advance(end->cable, vsnd_clock_now(clock));
		vsnd_end_rebase(end);
		vsnd_end_forget_rounds(end);
		end->lost = false;
		runtime->control->appl_ptr = runtime->status->hw_ptr;
		runtime->hw_ptr_base = 0;
		end->appl_start = goes_round ? vsnd_appl_ptr(end) :
					       runtime->boundary;
	}
	spin_unlock(&end->cable->lock);
	if (is_reset && clock->ops->client)
		vsnd_client_arm_later(clock);
}

/**
 * vsnd_end_hurry() - look again when the next event is
 * @end: an end whose stream begins to drain
 *
 * Context: The trigger op: stream lock held.
 */
void vsnd_end_hurry(struct vsnd_end *end)
{
	struct vsnd_cable *cable = end->cable;

	spin_lock(&cable->lock);
	if (end->running) {
		vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
		vsnd_end_plan(end);
		vsnd_cable_schedule(cable);
	}
	spin_unlock(&cable->lock);
	vsnd_clock_arm(READ_ONCE(cable->clock));
}
