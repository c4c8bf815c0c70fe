// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends: where a stream stands. Its position is computed from the time whenever
 * somebody asks, never counted; ticks only say that somebody should look.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "vsnd.h"

/* Sound moves in pieces of at most this many bytes, to bound irq-off time. */
#define VSND_MOVE_BYTES		(256U << 10)

/**
 * vsnd_end_init() - make an end nobody has opened
 * @end: the end
 * @cable: the cable it is an end of
 * @direction: SNDRV_PCM_STREAM_PLAYBACK or _CAPTURE
 */
void vsnd_end_init(struct vsnd_end *end, struct vsnd_cable *cable,
		   int direction)
{
	end->cable = cable;
	end->direction = direction;
	timerqueue_init(&end->deadline);
}

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
	struct vsnd_clock *clock = end->cable->clock;

	if (clock->ops->client)
		clock->ops->arm(clock, 0);
}

/**
 * vsnd_end_open() - let an end belong to an open substream
 * @end: the end
 * @substream: the substream
 */
void vsnd_end_open(struct vsnd_end *end, struct snd_pcm_substream *substream)
{
	unsigned long flags;

	spin_lock_irqsave(&end->cable->lock, flags);
	end->substream = substream;
	spin_unlock_irqrestore(&end->cable->lock, flags);
}

/**
 * vsnd_end_close() - undo vsnd_end_open()
 * @end: an end that is stopped, with nothing of its clock under way
 */
void vsnd_end_close(struct vsnd_end *end)
{
	vsnd_end_open(end, NULL);
	vsnd_end_moved(end);
}

/**
 * vsnd_end_frames() - frames of the stream since START
 * @end: the end
 * @now: instant, ns; what vsnd_cable_advance() returned
 *
 * Return: n at @now.
 */
u64 vsnd_end_frames(const struct vsnd_end *end, s64 now)
{
	u64 frame;

	lockdep_assert_held(&end->cable->lock);
	if (!end->running)
		return end->base;
	frame = vsnd_timeline_frames(&end->time, now);
	return frame > end->from ? end->base + (frame - end->from) : end->base;
}

/*
 * The client's appl_ptr ahead of the core's hw_ptr, in frames. It may be
 * mapped, so it is read once and believed nothing.
 */
static snd_pcm_uframes_t vsnd_appl_ahead(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->substream->runtime;
	snd_pcm_uframes_t appl;

	/* Pairs with the client's barrier between its frames and appl_ptr. */
	appl = smp_load_acquire(&runtime->control->appl_ptr);
	if (appl >= runtime->boundary)
		return 0;
	if (appl < end->hw_ptr)
		appl += runtime->boundary;
	return appl - end->hw_ptr;
}

/**
 * vsnd_end_written() - up to where a player has written
 * @player: a running playback end
 *
 * Return: n of the first frame that is not valid.
 */
u64 vsnd_end_written(const struct vsnd_end *player)
{
	snd_pcm_uframes_t ahead = vsnd_appl_ahead(player);

	lockdep_assert_held(&player->cable->lock);
	return player->seen + (ahead <= player->ring.frames ? ahead : 0);
}

/* Up to where a recorder has read. */
static u64 vsnd_end_read(const struct vsnd_end *recorder)
{
	snd_pcm_uframes_t boundary = recorder->substream->runtime->boundary;
	snd_pcm_uframes_t ahead = vsnd_appl_ahead(recorder);
	snd_pcm_uframes_t behind = ahead ? boundary - ahead : 0;

	return behind <= recorder->seen ? recorder->seen - behind : 0;
}

static bool vsnd_end_never_stops(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->substream->runtime;

	return runtime->stop_threshold >= runtime->boundary;
}

/**
 * vsnd_end_is_free_running() - does a player let its ring go round?
 * @player: a running playback end
 *
 * Such a client (dmix is one) maps the ring, never stops and never tells by
 * appl_ptr what it wrote: all of the ring is valid at all times.
 *
 * Return: true if the ring plays as it is.
 */
bool vsnd_end_is_free_running(const struct vsnd_end *player)
{
	const struct snd_pcm_runtime *runtime = player->substream->runtime;

	lockdep_assert_held(&player->cable->lock);
	return vsnd_end_never_stops(player) &&
	       atomic_read(&player->substream->mmap_count) > 0 &&
	       READ_ONCE(runtime->control->appl_ptr) == player->appl_start;
}

/*
 * The n at which the PCM core has to look at the stream even between two
 * periods: where a drain ends, where an xrun begins.
 */
static u64 vsnd_end_limit(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->substream->runtime;
	u64 limit;

	if (snd_pcm_runtime_state(runtime) == SNDRV_PCM_STATE_DRAINING)
		return vsnd_end_written(end);
	if (vsnd_end_never_stops(end))
		return U64_MAX;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		return vsnd_end_read(end) + runtime->stop_threshold;
	limit = vsnd_end_written(end) + runtime->stop_threshold;
	return limit > end->ring.frames ? limit - end->ring.frames : 0;
}

static void vsnd_end_schedule(struct vsnd_end *end, u64 n)
{
	unsigned int piece = VSND_MOVE_BYTES /
			     (end->ring.sample_bytes * end->ring.channels);
	u64 event = min_t(u64, end->next_period, n + max(piece, 1U));
	u64 limit = vsnd_end_limit(end);

	lockdep_assert_held(&end->cable->lock);
	if (limit > n)
		event = min(event, limit);
	vsnd_clock_queue(end->cable->clock, &end->deadline,
			 vsnd_timeline_instant(&end->time, end->from +
					       (event - end->base)));
}

/**
 * vsnd_end_room() - how far a stream may go without an xrun
 * @end: a running end
 * @now: instant, ns
 *
 * A player up to what is written, a recorder up to a full ring; both stop a
 * frame before an xrun. Only a client that waits for more than it can get that
 * way gets its xrun, rather than sleep for ever.
 *
 * Return: frames that may pass from @now on.
 */
u64 vsnd_end_room(const struct vsnd_end *end, s64 now)
{
	const struct snd_pcm_runtime *runtime = end->substream->runtime;
	u64 limit = vsnd_end_limit(end);
	u64 until = vsnd_end_written(end);
	snd_pcm_uframes_t avail = end->ring.frames;
	u64 n = vsnd_end_frames(end, now);

	/* An xrun already, which the core finds when it is told. */
	if (limit <= n &&
	    snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_DRAINING)
		return 1;
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE)
		until = vsnd_end_read(end) + end->ring.frames;
	if (snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_DRAINING &&
	    limit <= until) {
		avail -= until - (limit - 1);
		until = limit - 1;
		if (READ_ONCE(runtime->control->avail_min) > avail)
			until = limit;
	}
	return until > n ? until - n : 0;
}

static void vsnd_end_next_period(struct vsnd_end *end, u64 n)
{
	u32 rest;

	end->next_period += end->period;
	if (n < end->next_period)
		return;
	div_u64_rem(n, end->period, &rest);
	end->next_period = n - rest + end->period;
}

/**
 * vsnd_end_is_silent() - is all of a recorder's ring known to be silence?
 * @recorder: a capture end
 *
 * Of a mapped ring nothing is known: its client may write to it.
 *
 * Return: true if there is nothing to be silenced.
 */
bool vsnd_end_is_silent(const struct vsnd_end *recorder)
{
	return recorder->silent >= recorder->ring.frames &&
	       !atomic_read(&recorder->substream->mmap_count);
}

/**
 * vsnd_end_prepare() - make an end ready to start at frame 0
 * @end: an open end with its parameters set, not running
 *
 * A recorder's ring is filled with silence, so that what is known of it is
 * true, and so that frames ahead of hw_ptr are no one's leftovers.
 *
 * Context: The prepare op: process context, no lock held.
 */
void vsnd_end_prepare(struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->substream->runtime;

	vsnd_ring_init(&end->ring, runtime);
	if (end->direction == SNDRV_PCM_STREAM_CAPTURE &&
	    !vsnd_end_is_silent(end)) {
		vsnd_ring_silence(&end->ring, 0, end->ring.frames);
		end->silent = end->ring.frames;
	}
	end->period = runtime->period_size;
	if (runtime->no_period_wakeup)
		end->period = max(end->period, end->ring.frames / 2);
	end->base = 0;
	end->seen = 0;
	end->pos = 0;
	end->moved = 0;
	end->lost = false;
	end->next_period = end->period;
}

/* Nano-frames in a second of the clock. */
static u64 vsnd_end_speed(const struct vsnd_end *end)
{
	if (end->cable->clock->ops->counts_frames)
		return (u64)NSEC_PER_SEC * NSEC_PER_SEC;
	return (u64)end->ring.rate * end->cable->pitch;
}

/* The timeline: the peer's if it runs at the same rate, else one of its own. */
static void vsnd_end_join(struct vsnd_end *end, s64 at)
{
	const struct vsnd_end *peer = vsnd_end_peer(end);

	if (peer->running && peer->ring.rate == end->ring.rate)
		end->time = peer->time;
	else
		vsnd_timeline_init(&end->time, at, vsnd_end_speed(end));
	end->from = vsnd_timeline_frames(&end->time, at);
	if (vsnd_timeline_instant(&end->time, end->from) < at)
		end->from++;
}

/**
 * vsnd_end_bend() - go on at the cable's new pitch
 * @end: an end, running or not
 * @now: instant, ns
 */
void vsnd_end_bend(struct vsnd_end *end, s64 now)
{
	lockdep_assert_held(&end->cable->lock);
	if (!end->running)
		return;
	vsnd_timeline_bend(&end->time, now, vsnd_end_speed(end));
	vsnd_end_schedule(end, vsnd_end_frames(end, now));
}

/**
 * vsnd_end_start() - let frames pass
 * @end: a prepared or stopped end
 * @at: instant at which it takes effect, ns
 *
 * If the peer runs at the same rate both ends count the same frames from now
 * on: the start is moved to the next frame of the peer's, which is less than a
 * frame later.
 *
 * An end that runs already begins anew at what was last reported: the DRAIN of
 * a linked player makes the core start the whole group, though it leaves a
 * recorder in it PREPARED.
 *
 * Context: The trigger op: stream lock held.
 * Return: the instant of its first frame, ns.
 */
s64 vsnd_end_start(struct vsnd_end *end, s64 at)
{
	struct snd_pcm_runtime *runtime = end->substream->runtime;
	struct vsnd_cable *cable = end->cable;

	spin_lock(&cable->lock);
	if (end->running) {
		end->base = end->seen;
		end->moved = end->seen;
		end->silent = 0;
	}
	if (!end->base)
		end->appl_start = READ_ONCE(runtime->control->appl_ptr);
	end->hw_ptr = runtime->status->hw_ptr;
	end->tick = 0;
	vsnd_end_join(end, at);
	end->running = true;
	vsnd_end_schedule(end, end->base);
	at = vsnd_timeline_instant(&end->time, end->from);
	spin_unlock(&cable->lock);
	vsnd_clock_arm(cable->clock);
	return at;
}

/**
 * vsnd_end_stop() - let no more frames pass
 * @end: an end, running or not
 * @now: instant, ns
 *
 * What has passed until now is moved first. The count is kept, for a pause.
 *
 * Context: Any. Takes the cable's lock.
 */
void vsnd_end_stop(struct vsnd_end *end, s64 now)
{
	struct vsnd_cable *cable = end->cable;
	unsigned long flags;

	spin_lock_irqsave(&cable->lock, flags);
	if (end->running) {
		now = vsnd_cable_advance(cable, now);
		end->base = vsnd_end_frames(end, now);
		end->running = false;
	}
	vsnd_clock_forget(cable->clock, &end->deadline);
	spin_unlock_irqrestore(&cable->lock, flags);
	vsnd_end_moved(end);
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
	s64 now;

	spin_lock(&cable->lock);
	if (end->running) {
		now = vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
		vsnd_end_schedule(end, vsnd_end_frames(end, now));
	}
	spin_unlock(&cable->lock);
	vsnd_clock_arm(cable->clock);
}

/*
 * Report n to the core. It sees positions modulo the buffer only, so that
 * frames are lost by a whole ring or behind the client's back is for us to
 * say.
 */
static snd_pcm_uframes_t vsnd_end_report(struct vsnd_end *end, u64 n)
{
	struct snd_pcm_runtime *runtime = end->substream->runtime;
	u64 passed = n - end->seen;
	u32 step;

	if (end->lost ||
	    (passed >= end->ring.frames && !vsnd_end_never_stops(end)))
		return SNDRV_PCM_POS_XRUN;
	if (passed < end->ring.frames)
		step = passed;
	else
		div_u64_rem(passed, end->ring.frames, &step);
	end->seen = n;
	end->pos += step;
	if (end->pos >= end->ring.frames)
		end->pos -= end->ring.frames;
	end->hw_ptr = runtime->status->hw_ptr + step;
	if (end->hw_ptr >= runtime->boundary)
		end->hw_ptr -= runtime->boundary;
	return end->pos;
}

/**
 * vsnd_end_pointer() - the stream's position, for the PCM core
 * @end: the end
 *
 * Everything up to the position is moved before it is reported: after that
 * the core and the client are free to write over it.
 *
 * Context: The pointer op: stream lock held.
 * Return: position in the ring in frames, or SNDRV_PCM_POS_XRUN.
 */
snd_pcm_uframes_t vsnd_end_pointer(struct vsnd_end *end)
{
	struct vsnd_cable *cable = end->cable;
	snd_pcm_uframes_t pos;
	s64 now;

	spin_lock(&cable->lock);
	now = end->tick ? end->tick : vsnd_clock_now(cable->clock);
	now = vsnd_cable_advance(cable, now);
	/*
	 * The core takes a wake-up before the end of the period for a lost
	 * buffer if it has not looked for long: let it have looked now.
	 */
	if (end->tick && end->early)
		end->substream->runtime->hw_ptr_jiffies = jiffies;
	end->tick = 0;
	pos = vsnd_end_report(end, vsnd_end_frames(end, now));
	spin_unlock(&cable->lock);
	return pos;
}

/**
 * vsnd_end_tell() - have the PCM core look at a stream
 * @end: a running end
 * @now: instant, ns
 * @early: this is not for the end of a period
 *
 * Return: the substream, for snd_pcm_period_elapsed() once no lock is held.
 */
struct snd_pcm_substream *vsnd_end_tell(struct vsnd_end *end, s64 now,
					bool early)
{
	lockdep_assert_held(&end->cable->lock);
	end->tick = now;
	end->early = early;
	return end->substream;
}

/**
 * vsnd_end_tick() - a deadline of the end has passed
 * @end: the end
 * @now: instant, ns
 *
 * Context: From vsnd_clock_run(), no lock held.
 * Return: the substream if its client is to be told, else NULL.
 */
struct snd_pcm_substream *vsnd_end_tick(struct vsnd_end *end, s64 now)
{
	struct snd_pcm_substream *told = NULL;
	struct vsnd_cable *cable = end->cable;
	bool period, wake;
	unsigned long flags;
	u64 n;

	spin_lock_irqsave(&cable->lock, flags);
	if (end->running) {
		now = vsnd_cable_advance(cable, now);
		n = vsnd_end_frames(end, now);
		period = n >= end->next_period;
		wake = period && !end->substream->runtime->no_period_wakeup;
		if (wake || n >= vsnd_end_limit(end))
			told = vsnd_end_tell(end, now, !wake);
		if (period)
			vsnd_end_next_period(end, n);
		vsnd_end_schedule(end, n);
	}
	spin_unlock_irqrestore(&cable->lock, flags);
	return told;
}
