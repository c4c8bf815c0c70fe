// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCM devices: what the PCM core calls, in the order of a stream's life.
 */
#include <linux/math64.h>
#include <linux/time64.h>
#include <sound/pcm_params.h>

#include "position.h"

static struct vsnd_end *vsnd_substream_end(struct snd_pcm_substream *substream)
{
	return substream->runtime->private_data;
}

static struct vsnd_clock *
vsnd_substream_clock(struct snd_pcm_substream *substream)
{
	return READ_ONCE(vsnd_substream_end(substream)->cable->clock);
}

static int vsnd_pcm_open(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	struct vsnd_cable *cable = &pcm->cables[substream->number];
	struct vsnd_end *end = &cable->end[substream->stream];
	int err;

	err = vsnd_device_open(pcm);
	if (err < 0)
		return err;
	err = vsnd_hw_constrain(substream, pcm->config, cable->clock);
	if (err < 0)
		goto err_close_device;
	snd_pcm_set_sync(substream);
	substream->runtime->private_data = end;
	vsnd_end_open(end, substream);
	return 0;

err_close_device:
	vsnd_device_close(pcm);
	return err;
}

static int vsnd_pcm_hw_params(struct snd_pcm_substream *substream,
			      struct snd_pcm_hw_params *params)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	struct vsnd_end *end = vsnd_substream_end(substream);

	vsnd_end_halt(end);
	vsnd_end_forget_silence(end);
	vsnd_hw_check_wakeups(params, end->cable->clock->ops);
	return pcm->config->buffers->alloc(substream,
					   params_buffer_bytes(params));
}

/*
 * A prepare has a RESET as well. A linked stream has it with its group, and may
 * be closed by then as far as its end knows.
 */
static int vsnd_pcm_ioctl(struct snd_pcm_substream *substream, unsigned int cmd,
			  void *arg)
{
	struct vsnd_end *end = vsnd_substream_end(substream);
	int err;

	if (cmd != SNDRV_PCM_IOCTL1_RESET)
		return snd_pcm_lib_ioctl(substream, cmd, arg);
	snd_pcm_stream_lock_irq(substream);
	vsnd_begin_reset(substream->runtime);
	snd_pcm_stream_unlock_irq(substream);
	err = snd_pcm_lib_ioctl(substream, cmd, arg);
	snd_pcm_stream_lock_irq(substream);
	vsnd_end_reset(end);
	snd_pcm_stream_unlock_irq(substream);
	return err;
}

/*
 * A linked stream is prepared with its group, and may be on its way out: the
 * core unlinks it only after close.
 */
static int vsnd_pcm_prepare(struct snd_pcm_substream *substream)
{
	struct vsnd_end *end = vsnd_substream_end(substream);
	int err = -EBADFD;

	mutex_lock(&end->setup);
	if (substream->runtime->dma_area) {
		vsnd_end_halt(end);
		err = vsnd_end_prepare(end);
	}
	mutex_unlock(&end->setup);
	return err;
}

static bool vsnd_is_ours(struct snd_pcm_substream *substream,
			 struct snd_pcm_substream *member)
{
	return member->pcm->card == substream->pcm->card;
}

/* The core suspends and resumes all, but only those that ran run again. */
static bool vsnd_is_to_rest(struct snd_pcm_substream *member)
{
	const struct snd_pcm_runtime *runtime = member->runtime;
	snd_pcm_state_t before = runtime->status->suspended_state;

	if (snd_pcm_runtime_state(runtime) != SNDRV_PCM_STATE_SUSPENDED ||
	    before == SNDRV_PCM_STATE_RUNNING)
		return false;
	return before != SNDRV_PCM_STATE_DRAINING ||
	       member->stream == SNDRV_PCM_STREAM_CAPTURE;
}

/*
 * A trigger is for those of a linked group that are on this card, go by the
 * same clock and are in the same state as the stream that it comes for: a DRAIN
 * starts PREPARED players while others of the group may have no buffer.
 */
static bool vsnd_is_meant(struct snd_pcm_substream *substream,
			  struct snd_pcm_substream *member)
{
	return vsnd_is_ours(substream, member) &&
	       vsnd_substream_clock(member) ==
	       vsnd_substream_clock(substream) &&
	       snd_pcm_runtime_state(member->runtime) ==
	       snd_pcm_runtime_state(substream->runtime) &&
	       !vsnd_is_to_rest(member);
}

/*
 * A DRAIN may get here beside hw_params, and a stream without any whose client
 * has forged its state, as Linux 5.10 lets it: both are refused then.
 */
static u64 vsnd_period_ns(const struct snd_pcm_runtime *runtime)
{
	u64 period = snd_pcm_peek(runtime->period_size);
	unsigned int rate = snd_pcm_peek(runtime->rate);

	return rate ? div_u64(period * NSEC_PER_SEC, rate) : 0;
}

/*
 * The instant at which a start takes effect: on the card's grid, as a USB
 * card starts with its next frame, so that streams tick at the same instants
 * and share interrupts; but never later than any stream's period. The grid
 * lies between the full milliseconds, at which the kernel itself is busy.
 */
static s64 vsnd_start_instant(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	struct vsnd_clock *clock = vsnd_substream_clock(substream);
	u64 grid = pcm->card->config->start_grid_ns;
	u64 now = vsnd_clock_now(clock);
	struct snd_pcm_substream *s;

	if (!clock->ops->monotonic)
		return now;
	snd_pcm_group_for_each_entry(s, substream)
		if (vsnd_is_meant(substream, s))
			grid = min(grid, vsnd_period_ns(s->runtime));
	if (!grid)
		return now;
	return div64_u64(now + grid / 2 + grid - 1, grid) * grid - grid / 2;
}

static int vsnd_start_one(struct snd_pcm_substream *substream, s64 at)
{
	struct vsnd_end *end = vsnd_substream_end(substream);
	int err;

	err = vsnd_end_start(end, &at);
	if (err < 0)
		return err;
	/* The core has set this back by 1000 s for a pause. */
	substream->runtime->hw_ptr_jiffies = jiffies;
	if (vsnd_substream_clock(substream)->ops->monotonic)
		vsnd_stamp_start(substream->runtime, at);
	else if (substream->stream == SNDRV_PCM_STREAM_PLAYBACK)
		/* A drain that begins with a start is not announced. */
		vsnd_device_drain(snd_pcm_substream_chip(substream));
	return 0;
}

/*
 * A DRAIN of a group starts its PREPARED players, but the core is done at once,
 * without a STOP, with one that has nothing to play.
 */
static bool vsnd_has_to_play(struct snd_pcm_substream *member)
{
	return member->stream == SNDRV_PCM_STREAM_CAPTURE ||
	       snd_pcm_runtime_state(member->runtime) !=
	       SNDRV_PCM_STATE_PREPARED ||
	       snd_pcm_playback_data(member);
}

static bool vsnd_is_to_start(struct snd_pcm_substream *substream,
			     struct snd_pcm_substream *member)
{
	return vsnd_is_meant(substream, member) &&
	       (member == substream || vsnd_has_to_play(member));
}

/*
 * Start all linked streams that are meant at one instant; none, if the one that
 * is asked for cannot start. Another one that cannot is left to the core, which
 * either did not mean it or is told so in its own trigger. The instant may come
 * before all are started: players go first, for a recorder that runs without its
 * player has heard silence, and one that starts late hears all that its player
 * has in the ring.
 */
static int vsnd_start_group(struct snd_pcm_substream *substream)
{
	s64 at = vsnd_start_instant(substream);
	struct snd_pcm_substream *s;
	int stream;

	if (!vsnd_substream_end(substream)->ready)
		return -EBADFD;
	for (stream = 0; stream <= SNDRV_PCM_STREAM_LAST; stream++) {
		snd_pcm_group_for_each_entry(s, substream) {
			if (s->stream != stream ||
			    !vsnd_is_to_start(substream, s))
				continue;
			if (!vsnd_start_one(s, at))
				snd_pcm_trigger_done(s, substream);
		}
	}
	return 0;
}

/* The core takes the time of this itself, unless told that it has one. */
static void vsnd_stop_one(struct snd_pcm_substream *substream, s64 now)
{
	vsnd_end_stop(vsnd_substream_end(substream), now);
	substream->runtime->trigger_tstamp_latched = false;
}

/* Those that are meant are about to be stopped, and are to be at one instant. */
static void vsnd_announce_stop(struct snd_pcm_substream *substream)
{
	struct snd_pcm_substream *s;

	snd_pcm_group_for_each_entry(s, substream)
		if (vsnd_is_meant(substream, s))
			WRITE_ONCE(vsnd_substream_end(s)->to_stop, true);
}

/* Hold all linked streams that are meant at one instant. */
static void vsnd_pause_group(struct snd_pcm_substream *substream)
{
	s64 now = vsnd_clock_now(vsnd_substream_clock(substream));
	struct snd_pcm_substream *s;

	vsnd_announce_stop(substream);
	snd_pcm_group_for_each_entry(s, substream) {
		if (!vsnd_is_meant(substream, s))
			continue;
		vsnd_stop_one(s, now);
		snd_pcm_trigger_done(s, substream);
	}
}

/*
 * A STOP is for one stream; but for one that is still PREPARED it takes back
 * the start of a group, part of which is another card's that failed.
 */
static void vsnd_stop(struct snd_pcm_substream *substream)
{
	s64 now = vsnd_clock_now(vsnd_substream_clock(substream));
	struct snd_pcm_substream *s;

	vsnd_stop_one(substream, now);
	if (snd_pcm_runtime_state(substream->runtime) !=
	    SNDRV_PCM_STATE_PREPARED)
		return;
	snd_pcm_group_for_each_entry(s, substream)
		if (vsnd_is_meant(substream, s))
			vsnd_stop_one(s, now);
}

/*
 * Suspend all linked streams that are meant at one instant. The core then goes
 * through the others all the same, to ask each for its sync_stop.
 */
static void vsnd_suspend_group(struct snd_pcm_substream *substream)
{
	s64 now = vsnd_clock_now(vsnd_substream_clock(substream));
	struct snd_pcm_substream *s;

	vsnd_announce_stop(substream);
	snd_pcm_group_for_each_entry(s, substream)
		if (s == substream || vsnd_is_meant(substream, s))
			vsnd_stop_one(s, now);
}

/* For each stream of a group that drains, but not for those that it starts. */
static void vsnd_drain(struct snd_pcm_substream *substream)
{
	vsnd_end_hurry(vsnd_substream_end(substream));
	if (!vsnd_substream_clock(substream)->ops->monotonic)
		vsnd_device_drain(snd_pcm_substream_chip(substream));
}

/* Some kernels resume a stream in any state, once it has been suspended. */
static int vsnd_resume_group(struct snd_pcm_substream *substream)
{
	if (snd_pcm_runtime_state(substream->runtime) !=
	    SNDRV_PCM_STATE_SUSPENDED)
		return -EBADFD;
	return vsnd_start_group(substream);
}

/*
 * STOP is left to each linked stream: the core then asks each for its
 * sync_stop.
 */
static int vsnd_pcm_trigger(struct snd_pcm_substream *substream, int cmd)
{
	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_PAUSE_RELEASE:
		return vsnd_start_group(substream);
	case SNDRV_PCM_TRIGGER_RESUME:
		return vsnd_resume_group(substream);
	case SNDRV_PCM_TRIGGER_PAUSE_PUSH:
		vsnd_pause_group(substream);
		return 0;
	case SNDRV_PCM_TRIGGER_STOP:
		vsnd_stop(substream);
		return 0;
	case SNDRV_PCM_TRIGGER_SUSPEND:
		vsnd_suspend_group(substream);
		return 0;
	case SNDRV_PCM_TRIGGER_DRAIN:
		vsnd_drain(substream);
		return 0;
	}
	return -EINVAL;
}

static snd_pcm_uframes_t vsnd_pcm_pointer(struct snd_pcm_substream *substream)
{
	return vsnd_end_pointer(vsnd_substream_end(substream), false);
}

/* Each write, read and wake-up asks: without a detour to the clock's kind. */
static snd_pcm_uframes_t
vsnd_pcm_realtime_pointer(struct snd_pcm_substream *substream)
{
	return vsnd_end_pointer(vsnd_substream_end(substream), true);
}

static int
vsnd_pcm_get_time_info(struct snd_pcm_substream *substream,
		       struct timespec64 *system_ts, struct timespec64 *audio_ts,
		       struct snd_pcm_audio_tstamp_config *config,
		       struct snd_pcm_audio_tstamp_report *report)
{
	vsnd_stamp_get(vsnd_substream_end(substream), system_ts, audio_ts,
		       config, report);
	return 0;
}

/* For the client clock only: the others' time passes anyway. */
static int vsnd_pcm_ack(struct snd_pcm_substream *substream)
{
	vsnd_end_moved(vsnd_substream_end(substream));
	return 0;
}

static int vsnd_pcm_mmap(struct snd_pcm_substream *substream,
			 struct vm_area_struct *area)
{
	vsnd_end_map(vsnd_substream_end(substream));
	return snd_pcmbuf_mmap(substream, area);
}

static int vsnd_pcm_fill_silence(struct snd_pcm_substream *substream,
				 int channel, unsigned long pos,
				 unsigned long bytes)
{
	vsnd_end_silence(vsnd_substream_end(substream), channel, pos, bytes);
	return 0;
}

static int vsnd_pcm_sync_stop(struct snd_pcm_substream *substream)
{
	vsnd_clock_sync(vsnd_substream_clock(substream));
	return 0;
}

/*
 * Without a buffer there is nothing to be resumed: kernels that resume in any
 * state would have the state in which the stream was suspended last, when it
 * had a buffer.
 */
static void vsnd_refuse_resume(struct snd_pcm_runtime *runtime)
{
	if (runtime->status->suspended_state != SNDRV_PCM_STATE_OPEN)
		runtime->info &= ~SNDRV_PCM_INFO_RESUME;
}

static int vsnd_pcm_hw_free(struct snd_pcm_substream *substream)
{
	struct vsnd_pcm *pcm = snd_pcm_substream_chip(substream);
	struct vsnd_end *end = vsnd_substream_end(substream);
	int err;

	vsnd_refuse_resume(substream->runtime);
	mutex_lock(&end->setup);
	vsnd_end_halt(end);
	vsnd_end_undelay(end);
	err = pcm->config->buffers->free(substream);
	mutex_unlock(&end->setup);
	return err;
}

static int vsnd_pcm_close(struct snd_pcm_substream *substream)
{
	/* The core does so only if its own state is right: see RESUME. */
	vsnd_pcm_hw_free(substream);
	/* The core asks for it only after a STOP of this very stream. */
	vsnd_clock_sync(vsnd_substream_clock(substream));
	vsnd_end_close(vsnd_substream_end(substream));
	vsnd_device_close(snd_pcm_substream_chip(substream));
	return 0;
}

#define VSND_PCM_OPS					\
	.open = vsnd_pcm_open,				\
	.ioctl = vsnd_pcm_ioctl,			\
	.hw_params = vsnd_pcm_hw_params,		\
	.prepare = vsnd_pcm_prepare,			\
	.trigger = vsnd_pcm_trigger,			\
	.get_time_info = vsnd_pcm_get_time_info,	\
	.sync_stop = vsnd_pcm_sync_stop,		\
	.hw_free = vsnd_pcm_hw_free,			\
	.close = vsnd_pcm_close,			\
	.fill_silence = vsnd_pcm_fill_silence,		\
	.mmap = vsnd_pcm_mmap

static const struct snd_pcm_ops vsnd_pcm_ops = {
	VSND_PCM_OPS,
	.pointer = vsnd_pcm_pointer,
};

static const struct snd_pcm_ops vsnd_pcm_realtime_ops = {
	VSND_PCM_OPS,
	.pointer = vsnd_pcm_realtime_pointer,
};

static const struct snd_pcm_ops vsnd_pcm_client_ops = {
	VSND_PCM_OPS,
	.pointer = vsnd_pcm_pointer,
	.ack = vsnd_pcm_ack,
};

/**
 * vsnd_pcm_set_ops() - have the PCM core call us
 * @pcm: a PCM device, none of whose streams has been opened yet
 * @clock: the kind of clock they go by
 *
 * Context: Process context; where the device is registered, under the PCM's
 * open_mutex.
 */
void vsnd_pcm_set_ops(struct snd_pcm *pcm, enum vsnd_clock_kind clock)
{
	const struct snd_pcm_ops *ops = &vsnd_pcm_ops;

	if (clock == VSND_CLOCK_REALTIME)
		ops = &vsnd_pcm_realtime_ops;
	else if (clock == VSND_CLOCK_CLIENT)
		ops = &vsnd_pcm_client_ops;
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_PLAYBACK, ops);
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_CAPTURE, ops);
}
