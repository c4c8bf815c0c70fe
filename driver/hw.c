// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware: what the card says it can do, and nothing that it cannot hold.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/time64.h>
#include <sound/pcm_params.h>

#include "vsnd.h"

/*
 * Two periods of 16 frames are the shortest buffer up to this; above about
 * 128 kHz a clock that runs at most each 100 us needs more of them.
 */
#define VSND_BUFFER_TIME_MIN	250	/* us */

/*
 * With one period the core tells a full turn of the ring from none by
 * jiffies; they must be fine enough for it.
 */
#define VSND_LONE_PERIOD_JIFFIES	5

/* The core checks a stream without wake-ups by jiffies as well. */
#define VSND_NO_WAKEUP_JIFFIES		4

/*
 * The core waits for a tenth longer than a ring lasts, and works that out in ms:
 * frames times 1100, which on 32 bits have to fit.
 */
#define VSND_BUFFER_MAX							\
	min_t(unsigned long, ULONG_MAX / 1100, UINT_MAX)	/* frames */

/* READN and WRITEN take no more channels in the PCM core. */
#define VSND_RW_NONINTERLEAVED_MAX	128

/* Their access type, as a mask has it: the last of all. */
#define VSND_RW_NONINTERLEAVED						\
	((__force unsigned int)SNDRV_PCM_ACCESS_RW_NONINTERLEAVED)

/*
 * Every format of whole bytes that has a silence pattern. Left out are those
 * that pack frames (ADPCM, G.723), that have no silence (MPEG, GSM), and
 * SPECIAL.
 */
#define VSND_FORMATS						\
	(SNDRV_PCM_FMTBIT_S8 | SNDRV_PCM_FMTBIT_U8 |		\
	 SNDRV_PCM_FMTBIT_S16_LE | SNDRV_PCM_FMTBIT_S16_BE |	\
	 SNDRV_PCM_FMTBIT_U16_LE | SNDRV_PCM_FMTBIT_U16_BE |	\
	 SNDRV_PCM_FMTBIT_S18_3LE | SNDRV_PCM_FMTBIT_S18_3BE |	\
	 SNDRV_PCM_FMTBIT_U18_3LE | SNDRV_PCM_FMTBIT_U18_3BE |	\
	 SNDRV_PCM_FMTBIT_S20_LE | SNDRV_PCM_FMTBIT_S20_BE |	\
	 SNDRV_PCM_FMTBIT_U20_LE | SNDRV_PCM_FMTBIT_U20_BE |	\
	 SNDRV_PCM_FMTBIT_S20_3LE | SNDRV_PCM_FMTBIT_S20_3BE |	\
	 SNDRV_PCM_FMTBIT_U20_3LE | SNDRV_PCM_FMTBIT_U20_3BE |	\
	 SNDRV_PCM_FMTBIT_S24_LE | SNDRV_PCM_FMTBIT_S24_BE |	\
	 SNDRV_PCM_FMTBIT_U24_LE | SNDRV_PCM_FMTBIT_U24_BE |	\
	 SNDRV_PCM_FMTBIT_S24_3LE | SNDRV_PCM_FMTBIT_S24_3BE |	\
	 SNDRV_PCM_FMTBIT_U24_3LE | SNDRV_PCM_FMTBIT_U24_3BE |	\
	 SNDRV_PCM_FMTBIT_S32_LE | SNDRV_PCM_FMTBIT_S32_BE |	\
	 SNDRV_PCM_FMTBIT_U32_LE | SNDRV_PCM_FMTBIT_U32_BE |	\
	 SNDRV_PCM_FMTBIT_FLOAT_LE | SNDRV_PCM_FMTBIT_FLOAT_BE |	\
	 SNDRV_PCM_FMTBIT_FLOAT64_LE | SNDRV_PCM_FMTBIT_FLOAT64_BE |	\
	 SNDRV_PCM_FMTBIT_IEC958_SUBFRAME_LE |			\
	 SNDRV_PCM_FMTBIT_IEC958_SUBFRAME_BE |			\
	 SNDRV_PCM_FMTBIT_MU_LAW | SNDRV_PCM_FMTBIT_A_LAW |	\
	 SNDRV_PCM_FMTBIT_DSD_U8 |				\
	 SNDRV_PCM_FMTBIT_DSD_U16_LE | SNDRV_PCM_FMTBIT_DSD_U16_BE |	\
	 SNDRV_PCM_FMTBIT_DSD_U32_LE | SNDRV_PCM_FMTBIT_DSD_U32_BE)

/* Smallest period in bytes: one-byte samples, one channel. */
#define VSND_PERIOD_BYTES_MIN	VSND_PERIOD_MIN

/* Limits that depend on the device are set by vsnd_hw_constrain(). */
static const struct snd_pcm_hardware vsnd_hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
		SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_NONINTERLEAVED |
		SNDRV_PCM_INFO_BLOCK_TRANSFER | SNDRV_PCM_INFO_PAUSE |
		SNDRV_PCM_INFO_RESUME | SNDRV_PCM_INFO_SYNC_START |
		SNDRV_PCM_INFO_NO_PERIOD_WAKEUP |
		SNDRV_PCM_INFO_DRAIN_TRIGGER |
		SNDRV_PCM_INFO_HAS_LINK_ATIME |
		SNDRV_PCM_INFO_HAS_LINK_ABSOLUTE_ATIME,
	.formats = VSND_FORMATS,
	.rates = SNDRV_PCM_RATE_CONTINUOUS,
	.period_bytes_min = VSND_PERIOD_BYTES_MIN,
	.periods_min = 1,
	.periods_max = VSND_PERIODS_MAX,
};

/* The same as a time, us. */
#define VSND_LONE_PERIOD_TIME						\
	(VSND_LONE_PERIOD_JIFFIES * USEC_PER_SEC / HZ)

/*
 * The rules. What they refine by is constant, for the core asks each of them
 * whenever a client sets its parameters.
 */
static const struct snd_interval vsnd_several_periods = {
	.min = 2, .max = UINT_MAX,
};

static const struct snd_interval vsnd_lone_period_time = {
	.min = VSND_LONE_PERIOD_TIME, .max = UINT_MAX,
};

static const struct snd_interval vsnd_rw_nonint_channels = {
	.max = VSND_RW_NONINTERLEAVED_MAX,
};

static int vsnd_rule_periods(struct snd_pcm_hw_params *params,
			     struct snd_pcm_hw_rule *rule)
{
	const struct snd_interval *time =
		hw_param_interval_c(params, SNDRV_PCM_HW_PARAM_BUFFER_TIME);

	if (time->max - time->openmax >= VSND_LONE_PERIOD_TIME)
		return 0;
	return snd_interval_refine(hw_param_interval(params, rule->var),
				   &vsnd_several_periods);
}

static int vsnd_rule_buffer_time(struct snd_pcm_hw_params *params,
				 struct snd_pcm_hw_rule *rule)
{
	const struct snd_interval *periods =
		hw_param_interval_c(params, SNDRV_PCM_HW_PARAM_PERIODS);

	if (periods->max > 1)
		return 0;
	return snd_interval_refine(hw_param_interval(params, rule->var),
				   &vsnd_lone_period_time);
}

static int vsnd_rule_channels(struct snd_pcm_hw_params *params,
			      struct snd_pcm_hw_rule *rule)
{
	const struct snd_mask *access =
		hw_param_mask_c(params, SNDRV_PCM_HW_PARAM_ACCESS);
	struct snd_interval *channels = hw_param_interval(params, rule->var);

	if (channels->max <= VSND_RW_NONINTERLEAVED_MAX ||
	    snd_mask_min(access) < VSND_RW_NONINTERLEAVED)
		return 0;
	return snd_interval_refine(channels, &vsnd_rw_nonint_channels);
}

static int vsnd_rule_access(struct snd_pcm_hw_params *params,
			    struct snd_pcm_hw_rule *rule)
{
	const struct snd_interval *channels =
		hw_param_interval_c(params, SNDRV_PCM_HW_PARAM_CHANNELS);
	struct snd_mask *access = hw_param_mask(params, rule->var);

	if (channels->min <= VSND_RW_NONINTERLEAVED_MAX ||
	    !snd_mask_test(access, VSND_RW_NONINTERLEAVED))
		return 0;
	snd_mask_reset(access, VSND_RW_NONINTERLEAVED);
	return snd_mask_empty(access) ? -EINVAL : 1;
}

/* What each rule refines, what it goes by, and above how many channels */
static const struct {
	snd_pcm_hw_rule_func_t refine;
	int what;
	int by;
	unsigned int channels;
} vsnd_rules[] = {
	{ vsnd_rule_periods, SNDRV_PCM_HW_PARAM_PERIODS,
	  SNDRV_PCM_HW_PARAM_BUFFER_TIME },
	{ vsnd_rule_buffer_time, SNDRV_PCM_HW_PARAM_BUFFER_TIME,
	  SNDRV_PCM_HW_PARAM_PERIODS },
	{ vsnd_rule_access, SNDRV_PCM_HW_PARAM_ACCESS,
	  SNDRV_PCM_HW_PARAM_CHANNELS, VSND_RW_NONINTERLEAVED_MAX },
	{ vsnd_rule_channels, SNDRV_PCM_HW_PARAM_CHANNELS,
	  SNDRV_PCM_HW_PARAM_ACCESS, VSND_RW_NONINTERLEAVED_MAX },
};

static int vsnd_hw_add_rules(struct snd_pcm_runtime *runtime)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(vsnd_rules) && err >= 0; i++)
		if (runtime->hw.channels_max > vsnd_rules[i].channels)
			err = snd_pcm_hw_rule_add(runtime, 0,
						  vsnd_rules[i].what,
						  vsnd_rules[i].refine, NULL,
						  vsnd_rules[i].by, -1);
	return err;
}

/*
 * The core measures other clocks by jiffies in vain: it could not tell a full
 * turn of a ring with one period, nor a stream that stands still from a broken
 * one. It is to wait as long as it takes.
 */
static void vsnd_hw_fit_clock(struct snd_pcm_substream *substream,
			      const struct vsnd_clock_ops *clock)
{
	struct snd_pcm_hardware *hw = &substream->runtime->hw;

	substream->wait_time = 0;
	if (clock->client)
		hw->info |= SNDRV_PCM_INFO_SYNC_APPLPTR;
	if (clock->monotonic)
		return;
	hw->info &= ~(SNDRV_PCM_INFO_NO_PERIOD_WAKEUP |
		      SNDRV_PCM_INFO_HAS_LINK_ATIME |
		      SNDRV_PCM_INFO_HAS_LINK_ABSOLUTE_ATIME);
	hw->periods_min = 2;
	substream->wait_time = MAX_SCHEDULE_TIMEOUT;
}

/* A ring that one tick of the clock passes is an xrun at each of them. */
static unsigned int vsnd_hw_buffer_time_min(const struct vsnd_clock *clock)
{
	u64 us = 0;

	if (clock->ops->tick)
		us = div_u64(clock->ops->tick(clock), NSEC_PER_USEC);
	return min_t(u64, us + VSND_BUFFER_TIME_MIN, UINT_MAX);
}

static int vsnd_hw_add_limits(struct snd_pcm_runtime *runtime,
			      const struct vsnd_clock *clock)
{
	const struct {
		int what;
		unsigned int min;
		unsigned int max;
	} limits[] = {
		{ SNDRV_PCM_HW_PARAM_PERIOD_SIZE, VSND_PERIOD_MIN, UINT_MAX },
		{ SNDRV_PCM_HW_PARAM_BUFFER_SIZE, 1, VSND_BUFFER_MAX },
		{ SNDRV_PCM_HW_PARAM_BUFFER_TIME,
		  vsnd_hw_buffer_time_min(clock), UINT_MAX },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(limits) && err >= 0; i++)
		err = snd_pcm_hw_constraint_minmax(runtime, limits[i].what,
						   limits[i].min,
						   limits[i].max);
	return err;
}

/**
 * vsnd_hw_constrain() - tell the core what a stream can be set to
 * @substream: the stream, in its open op
 * @config: the device's configuration
 * @clock: the clock that the stream goes by, which is open
 *
 * Context: The open op: the PCM's open_mutex is held.
 * Return: 0 or a negative error code.
 */
int vsnd_hw_constrain(struct snd_pcm_substream *substream,
		      const struct vsnd_pcm_config *config,
		      const struct vsnd_clock *clock)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	int err;

	runtime->hw = vsnd_hardware;
	vsnd_hw_fit_clock(substream, clock->ops);
	runtime->hw.rate_min = config->rate_min;
	runtime->hw.rate_max = config->rate_max;
	runtime->hw.channels_min = config->channels_min;
	runtime->hw.channels_max = config->channels_max;
	runtime->hw.buffer_bytes_max = vsnd_buffers_bytes_max(config);
	runtime->hw.period_bytes_max = vsnd_buffers_bytes_max(config);

	err = snd_pcm_hw_constraint_integer(runtime,
					    SNDRV_PCM_HW_PARAM_PERIODS);
	if (err < 0)
		return err;
	err = vsnd_hw_add_limits(runtime, clock);
	if (err < 0)
		return err;
	return vsnd_hw_add_rules(runtime);
}

/**
 * vsnd_hw_check_wakeups() - refuse to go without wake-ups where that is unsafe
 * @params: parameters that are being set
 * @clock: the clock that the stream goes by
 *
 * The core checks a stream without period wake-ups against the buffer's length
 * in jiffies, and subtracts zero for ever when that is zero. It looks at
 * @params->info after the hw_params op, so taking the bit away there refuses the
 * request and leaves the wake-ups on.
 *
 * Context: The hw_params op.
 */
void vsnd_hw_check_wakeups(struct snd_pcm_hw_params *params,
			   const struct vsnd_clock_ops *clock)
{
	snd_pcm_uframes_t size = params_buffer_size(params);

	if (!clock->monotonic ||
	    (u64)size * HZ < (u64)params_rate(params) * VSND_NO_WAKEUP_JIFFIES)
		params->info &= ~SNDRV_PCM_INFO_NO_PERIOD_WAKEUP;
}
