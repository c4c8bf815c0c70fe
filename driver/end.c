// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends: where a stream stands. Its position is computed from the time whenever
 * somebody asks, never counted; ticks only say that somebody should look.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "vsnd.h"

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

/**
 * vsnd_end_plan() - when is this end to be looked at next?
 * @end: a running end
 *
 * At the end of its period, where the core has to look, and before there is
 * too much to be moved at once.
 */
void vsnd_end_plan(struct vsnd_end *end)
{
	u64 limit = vsnd_end_limit(end);
	u64 n = vsnd_end_frames(end);

	lockdep_assert_held(&end->cable->lock);
	end->event = min(end->next_period, n + end->piece);
	if (limit > n && limit < end->event)
		end->event = limit;
}

/**
 * vsnd_end_room() - how far a stream may go without an xrun
 * @end: a running end
 *
 * A player up to what is written, a recorder up to a full ring; both stop a
 * frame before an xrun. Only a client that waits for more than it can get that
 * way gets its xrun, rather than sleep for ever.
 *
 * Return: frames that may pass from now on.
 */
u64 vsnd_end_room(const struct vsnd_end *end)
{
	const struct snd_pcm_runtime *runtime = end->substream->runtime;
	u64 limit = vsnd_end_limit(end);
	u64 until = vsnd_end_written(end);
	snd_pcm_uframes_t avail = end->ring.frames;
	u64 n = vsnd_end_frames(end);

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
	end->piece = max(VSND_MOVE_BYTES / (end->ring.sample_bytes *
					    end->ring.channels), 1U);
	end->base = 0;
	end->seen = 0;
	end->pos = 0;
	end->moved = 0;
	end->lost = false;
	end->next_period = end->period;
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
	vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	if (end->running) {
		end->base = end->seen;
		end->moved = end->seen;
		end->silent = 0;
	}
	if (!end->base)
		end->appl_start = READ_ONCE(runtime->control->appl_ptr);
	end->hw_ptr = runtime->status->hw_ptr;
	end->tick = false;
	vsnd_cable_join(cable, end, at);
	end->running = true;
	vsnd_end_plan(end);
	vsnd_cable_schedule(cable);
	at = vsnd_timeline_instant(&cable->line[end->line], end->from);
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
		vsnd_cable_advance(cable, now);
		end->base = vsnd_end_frames(end);
		end->running = false;
		vsnd_cable_schedule(cable);
	}
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

	spin_lock(&cable->lock);
	if (end->running) {
		vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
		vsnd_end_plan(end);
		vsnd_cable_schedule(cable);
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

	spin_lock(&cable->lock);
	if (!end->tick)
		vsnd_cable_advance(cable, vsnd_clock_now(cable->clock));
	/*
	 * The core takes a wake-up before the end of the period for a lost
	 * buffer if it has not looked for long: let it have looked now.
	 */
	else if (end->early)
		end->substream->runtime->hw_ptr_jiffies = jiffies;
	end->tick = false;
	pos = vsnd_end_report(end, vsnd_end_frames(end));
	spin_unlock(&cable->lock);
	return pos;
}

/**
 * vsnd_end_await() - expect the PCM core to look at a stream
 * @end: a running end, whose substream gets its snd_pcm_period_elapsed()
 * @early: which is not for the end of a period
 *
 * The core is then told the position that the cable has been brought to,
 * without another look at the clock.
 */
void vsnd_end_await(struct vsnd_end *end, bool early)
{
	lockdep_assert_held(&end->cable->lock);
	end->tick = true;
	end->early = early;
}

/**
 * vsnd_end_tick() - look at an end
 * @end: a running end; its cable has just been brought to the present
 *
 * Return: true if its client is to be told, by snd_pcm_period_elapsed() once
 * no lock is held.
 */
bool vsnd_end_tick(struct vsnd_end *end)
{
	u64 n = vsnd_end_frames(end);
	bool period = n >= end->next_period;
	bool wake = period && !end->substream->runtime->no_period_wakeup;
	bool told;

	lockdep_assert_held(&end->cable->lock);
	if (n < end->event)
		return false;
	told = wake || n >= vsnd_end_limit(end);
	if (told)
		vsnd_end_await(end, !wake);
	if (period)
		vsnd_end_next_period(end, n);
	vsnd_end_plan(end);
	return told;
}
