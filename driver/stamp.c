// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timestamps: the instant of a position, in the clock the client asks for.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "vsnd.h"

static struct timespec64 vsnd_stamp(const struct snd_pcm_runtime *runtime,
				    s64 at)
{
	ktime_t mono = ns_to_ktime(at);

	/* the client may change it at any time */
	switch (snd_pcm_peek(runtime->tstamp_type)) {
	case SNDRV_PCM_TSTAMP_TYPE_MONOTONIC:
		return ns_to_timespec64(at);
	case SNDRV_PCM_TSTAMP_TYPE_MONOTONIC_RAW:
		mono = ktime_sub(mono, ktime_get());
		return ktime_to_timespec64(ktime_add(ktime_get_raw(), mono));
	default:
		return ktime_to_timespec64(ktime_mono_to_real(mono));
	}
}

/**
 * vsnd_stamp_start() - tell the core when a stream starts
 * @runtime: the stream's
 * @at: instant of its first frame, ns of CLOCK_MONOTONIC
 *
 * The core takes the time of the call itself, unless told that it has one.
 *
 * Context: The trigger op: stream lock held.
 */
void vsnd_stamp_start(struct snd_pcm_runtime *runtime, s64 at)
{
	runtime->trigger_tstamp = vsnd_stamp(runtime, at);
	runtime->trigger_tstamp_latched = true;
}

/* The time that frames take at the nominal rate. */
static struct timespec64 vsnd_stamp_frames(u64 frames, unsigned int rate)
{
	u64 seconds;
	u32 rest;

	seconds = div_u64_rem(frames, rate, &rest);
	return (struct timespec64){
		.tv_sec = seconds,
		.tv_nsec = div_u64((u64)rest * NSEC_PER_SEC, rate),
	};
}

/* Since the card was made. */
static struct timespec64 vsnd_stamp_absolute(const struct vsnd_cable *cable,
					     s64 at)
{
	const struct vsnd_card *card = cable->card->private_data;

	return ns_to_timespec64(at - card->made);
}

/*
 * The frame that the core has just been told of. Ticks may have reported others
 * since, of the same ring.
 */
static u64 vsnd_stamp_frame(const struct vsnd_end *end)
{
	u32 frames = end->ring.frames;
	u32 since = 0;

	/* else it was told of an xrun */
	if (end->told < frames)
		since = (end->pos + frames - end->told) % frames;
	return end->seen - since;
}

/*
 * Before a start takes effect its first frame is still to come. A drain may
 * have begun of an end that cannot run, as its buffer is being changed.
 */
static s64 vsnd_stamp_instant(const struct vsnd_end *end, u64 n)
{
	if (!end->running)
		return end->cable->now;
	return min(vsnd_timeline_instant(end->line, n + end->origin),
		   end->cable->now);
}

/**
 * vsnd_stamp_get() - pair the stream's time with the system's
 * @end: an end of which the core takes it that it runs
 * @system: where to put the system's time, by the client's choice of clock
 * @audio: where to put the stream's time
 * @config: what the client asks for
 * @report: what it gets
 *
 * Both are of the instant at which the frame passed that the core has just been
 * told of, or of a change of speed after it. The stream's time is that of its
 * frames since START, or the time since the card was made; a clock other than
 * realtime has none but the position, which the core makes a stamp of.
 *
 * Context: The get_time_info op, after pointer: stream lock held.
 */
void vsnd_stamp_get(struct vsnd_end *end, struct timespec64 *system,
		    struct timespec64 *audio,
		    const struct snd_pcm_audio_tstamp_config *config,
		    struct snd_pcm_audio_tstamp_report *report)
{
	struct vsnd_cable *cable = end->cable;
	unsigned int rate;
	u64 n;
	s64 at;

	report->actual_type = SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT;
	if (!cable->clock->ops->monotonic)
		return;
	spin_lock(&cable->lock);
	rate = end->ring.rate;
	if (!rate)
		goto out;	/* see vsnd_end_report() */
	n = vsnd_stamp_frame(end);
	at = vsnd_stamp_instant(end, n);
	if (config->report_delay)
		n += end->latency;
	if (config->type_requested == SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK) {
		*audio = vsnd_stamp_frames(n, rate);
		report->actual_type = config->type_requested;
	} else if (config->type_requested ==
		   SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE) {
		*audio = vsnd_stamp_absolute(cable, at);
		report->actual_type = config->type_requested;
	}
	*system = vsnd_stamp(end->runtime, at);
	/* The next pointer op has to look, which forgets the type. */
	atomic64_set(&end->stale, 0);
	report->accuracy_report = 1;
	report->accuracy = DIV_ROUND_UP(NSEC_PER_SEC, rate);
out:
	spin_unlock(&cable->lock);
}
