// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: opening, closing, and configuring: valid parameters, almost valid
 * ones, and garbage.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fuzz.h"

/* Rings, mostly: to clear larger ones takes most of the time. */
#define BUFFER_BYTES	(32 * 1024)
#define BUFFER_MORE	(256 * 1024)

static size_t buffer_most(struct fuzz_thread *t)
{
	return fuzz_once_in(t, 16) ? BUFFER_MORE : BUFFER_BYTES;
}

static struct snd_interval *interval(struct snd_pcm_hw_params *p, int var)
{
	return &p->intervals[var - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
}

static struct snd_mask *mask(struct snd_pcm_hw_params *p, int var)
{
	return &p->masks[var - SNDRV_PCM_HW_PARAM_FIRST_MASK];
}

static void set_any(struct snd_pcm_hw_params *p)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	memset(p->masks, 0xff, sizeof(p->masks));
	for (i = 0; i < ARRAY_SIZE(p->intervals); i++)
		p->intervals[i].max = UINT_MAX;
	p->rmask = UINT_MAX;
}

static void set_one(struct snd_pcm_hw_params *p, int var, unsigned int value)
{
	*interval(p, var) = (struct snd_interval){
		.min = value, .max = value, .integer = 1,
	};
}

static void set_bit(struct snd_pcm_hw_params *p, int var, unsigned int bit)
{
	memset(mask(p, var), 0, sizeof(struct snd_mask));
	mask(p, var)->bits[bit / 32] = 1U << bit % 32;
}

/* 48 kHz, stereo, 16 bit, by read and write calls */
void fuzz_plain_params(struct snd_pcm_hw_params *p, unsigned int period,
		       unsigned int buffer)
{
	set_any(p);
	set_bit(p, SNDRV_PCM_HW_PARAM_ACCESS, 3);
	set_bit(p, SNDRV_PCM_HW_PARAM_FORMAT, 2);
	set_one(p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	set_one(p, SNDRV_PCM_HW_PARAM_RATE, 48000);
	set_one(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, period);
	set_one(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE, buffer);
}

long fuzz_open_slot(struct fuzz_slot *s, bool nonblock)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%u%c", fuzz_card,
		 s->device, s->capture ? 'c' : 'p');
	fd = open(path, O_RDWR | O_CLOEXEC | (nonblock ? O_NONBLOCK : 0));
	if (fd < 0)
		return -errno;
	s->fd = fd;
	s->nonblock = nonblock;
	s->group = 0;
	s->tracked = false;
	s->boundary = 0;
	s->buffer = 0;
	return 0;
}

static void leave_group(struct fuzz_slot *s)
{
	struct fuzz_slot *other = NULL;
	unsigned int i, left = 0;

	if (!s->group)
		return;
	for (i = 0; i < FUZZ_SLOTS; i++) {
		if (&fuzz_slots[i] == s || fuzz_slots[i].group != s->group)
			continue;
		other = &fuzz_slots[i];
		left++;
	}
	s->group = 0;
	if (left == 1)
		other->group = 0;
}

void fuzz_close_slot(struct fuzz_thread *t, struct fuzz_slot *s)
{
	if (s->fd < 0)
		return;
	fuzz_unmap_slot(t, s);
	leave_group(s);
	close(s->fd);
	s->fd = -1;
	s->state = FUZZ_CLOSED;
}

static long run_open(struct fuzz_thread *t, struct fuzz_slot *s)
{
	bool nonblock = fuzz_arg(t, !fuzz_once_in(t, 3));

	if (s->fd >= 0)
		return 0;
	return fuzz_open_slot(s, fuzz_racing || nonblock);
}

static long run_close(struct fuzz_thread *t, struct fuzz_slot *s)
{
	if (s->fd < 0)
		return -EBADF;
	fuzz_close_slot(t, s);
	return 0;
}

static long run_pversion(struct fuzz_thread *t, struct fuzz_slot *s)
{
	int version = fuzz_once_in(t, 2) ? 0x2000e : fuzz_odd(t);
	int stamp = fuzz_arg(t, fuzz_below(t, 5));

	if (ioctl(s->fd, SNDRV_PCM_IOCTL_TTSTAMP, &stamp) < 0)
		return -errno;
	if (ioctl(s->fd, SNDRV_PCM_IOCTL_USER_PVERSION, &version) < 0)
		return -errno;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_PVERSION, &version));
}

static long run_info(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_info info = { .card = -1 };

	if (fuzz_arg(t, fuzz_once_in(t, 20)))
		return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_INFO, NULL));
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_INFO, &info));
}

static long run_channel_info(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_channel_info info = {
		.channel = fuzz_arg(t, fuzz_once_in(t, 4) ? fuzz_odd(t) :
				       fuzz_below(t, s->channels)),
	};

	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_CHANNEL_INFO, &info));
}

/* One of the bits that are left, or -1 */
static int pick_bit(struct fuzz_thread *t, const struct snd_mask *m)
{
	unsigned int n = 0, i, chosen;

	for (i = 0; i < 64; i++)
		n += m->bits[i / 32] >> i % 32 & 1;
	chosen = fuzz_below(t, n);
	for (i = 0; i < 64; i++)
		if (m->bits[i / 32] >> i % 32 & 1 && !chosen--)
			return i;
	return -1;
}

/* Parameters that must be taken: -1 if the card does not tell what it can */
static int set_valid(struct fuzz_thread *t, struct fuzz_slot *s,
		     struct snd_pcm_hw_params *p)
{
	static const unsigned int rates[] = {
		48000, 44100, 8000, 192000, 5512, 768000, 96000, 11025,
	};
	unsigned int rate = rates[fuzz_below(t, ARRAY_SIZE(rates))];
	unsigned int period = 16 + fuzz_below(t, 16 << fuzz_below(t, 8));
	unsigned int periods = 2 + fuzz_below(t, 7);
	unsigned int most = fuzz_once_in(t, 16) ? 128 : 8;
	unsigned int channels = 1 + fuzz_below(t, most);
	size_t bytes = buffer_most(t);
	struct snd_pcm_hw_params can;

	set_any(&can);
	if (ioctl(s->fd, SNDRV_PCM_IOCTL_HW_REFINE, &can) < 0)
		return -1;
	while (periods * period * 4000ULL < rate)
		period *= 2;
	while ((size_t)period * periods * channels * 8 > bytes)
		channels > 2 ? (channels /= 2) : (periods > 2 ? periods-- :
						  (period /= 2));
	while (periods * period * 4000ULL < rate)
		rate /= 2;
	set_any(p);
	set_bit(p, SNDRV_PCM_HW_PARAM_ACCESS,
		pick_bit(t, mask(&can, SNDRV_PCM_HW_PARAM_ACCESS)));
	set_bit(p, SNDRV_PCM_HW_PARAM_FORMAT,
		pick_bit(t, mask(&can, SNDRV_PCM_HW_PARAM_FORMAT)));
	set_one(p, SNDRV_PCM_HW_PARAM_CHANNELS, fuzz_arg(t, channels));
	set_one(p, SNDRV_PCM_HW_PARAM_RATE, fuzz_arg(t, rate));
	set_one(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, fuzz_arg(t, period));
	set_one(p, SNDRV_PCM_HW_PARAM_PERIODS, fuzz_arg(t, periods));
	if (fuzz_once_in(t, 12))
		p->flags |= SNDRV_PCM_HW_PARAMS_NO_PERIOD_WAKEUP;
	return 0;
}

static void spoil_interval(struct fuzz_thread *t, struct snd_interval *i)
{
	switch (fuzz_below(t, 5)) {
	case 0:
		i->min = fuzz_odd(t);
		break;
	case 1:
		i->max = fuzz_odd(t);
		break;
	case 2:
		i->min = fuzz_odd(t);
		i->max = fuzz_odd(t);
		break;
	case 3:
		i->min += fuzz_below(t, 5) - 2;
		i->max += fuzz_below(t, 5) - 2;
		break;
	default:
		i->openmin = fuzz_below(t, 2);
		i->openmax = fuzz_below(t, 2);
		i->integer = fuzz_below(t, 2);
		i->empty = fuzz_once_in(t, 8);
	}
}

/* Spoils a few fields, known or reserved */
static void spoil(struct fuzz_thread *t, struct snd_pcm_hw_params *p,
		  unsigned int n)
{
	struct snd_interval *i;

	t->now->odd = true;
	while (n--)
		switch (fuzz_below(t, 8)) {
		case 0:
			p->masks[fuzz_below(t, ARRAY_SIZE(p->masks))]
				.bits[fuzz_below(t, 8)] = fuzz_odd(t);
			break;
		case 1:
			p->rmask = fuzz_odd(t);
			break;
		case 2:
			p->flags = fuzz_odd(t);
			break;
		default:
			i = p->intervals;
			i += fuzz_below(t, ARRAY_SIZE(p->intervals));
			spoil_interval(t, i);
		}
}

static void set_garbage(struct fuzz_thread *t, struct snd_pcm_hw_params *p)
{
	struct snd_interval *bytes;

	set_any(p);
	spoil(t, p, 1 + fuzz_below(t, 6));
	bytes = interval(p, SNDRV_PCM_HW_PARAM_BUFFER_BYTES);
	if (bytes->max > BUFFER_BYTES && !fuzz_once_in(t, 32))
		bytes->max = buffer_most(t);
}

static unsigned int value_of(struct snd_pcm_hw_params *p, int var)
{
	return interval(p, var)->min;
}

static unsigned int first_bit(const struct snd_mask *m)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		if (m->bits[i / 32] >> i % 32 & 1)
			break;
	return i;
}

static void remember(struct fuzz_slot *s, struct snd_pcm_hw_params *p)
{
	s->access = first_bit(mask(p, SNDRV_PCM_HW_PARAM_ACCESS));
	s->format = first_bit(mask(p, SNDRV_PCM_HW_PARAM_FORMAT));
	s->channels = value_of(p, SNDRV_PCM_HW_PARAM_CHANNELS);
	s->rate = value_of(p, SNDRV_PCM_HW_PARAM_RATE);
	s->period = value_of(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE);
	s->buffer = value_of(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE);
	s->frame_bytes = value_of(p, SNDRV_PCM_HW_PARAM_FRAME_BITS) / 8;
	s->boundary = s->buffer;
	while (s->boundary * 2 <= LONG_MAX - s->buffer)
		s->boundary *= 2;
	s->tracked = false;
	s->hostile = false;
}

long fuzz_set_params(struct fuzz_slot *s, struct snd_pcm_hw_params *p)
{
	struct snd_interval *tick = interval(p, SNDRV_PCM_HW_PARAM_TICK_TIME);

	/*
	 * The kernel's own core returns what it has chosen as an int, which
	 * for more than INT_MAX is any error at all, or none and negative. It
	 * chooses one more than the least where that is left out.
	 */
	if (tick->min >= INT_MAX)
		tick->min = INT_MAX - 1;
	if (ioctl(s->fd, SNDRV_PCM_IOCTL_HW_PARAMS, p) < 0)
		return -errno;
	remember(s, p);
	return 0;
}

static long run_refine(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_hw_params p;

	if (set_valid(t, s, &p) < 0)
		return -EBADF;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_HW_REFINE, &p));
}

static long run_refine_garbage(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_hw_params p;

	if (fuzz_once_in(t, 20))
		return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_HW_REFINE,
				      (void *)(long)fuzz_arg(t, 8)));
	set_garbage(t, &p);
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_HW_REFINE, &p));
}

static long run_params(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_hw_params p;

	if (set_valid(t, s, &p) < 0)
		return -EBADF;
	return fuzz_set_params(s, &p);
}

static long run_params_near(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_hw_params p;

	if (set_valid(t, s, &p) < 0)
		return -EBADF;
	spoil(t, &p, 1);
	return fuzz_set_params(s, &p);
}

static long run_params_garbage(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_hw_params p;

	set_garbage(t, &p);
	return fuzz_set_params(s, &p);
}

static long run_hw_free(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)t;
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_HW_FREE));
}

static long run_sw_params(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_sw_params sw = {
		.tstamp_mode = fuzz_below(t, 2),
		.period_step = 1,
		.avail_min = 1 + fuzz_below(t, s->buffer),
		.start_threshold = fuzz_once_in(t, 3) ? s->boundary :
				   1 + fuzz_below(t, s->buffer),
		.stop_threshold = fuzz_once_in(t, 2) ? s->buffer :
				  s->boundary,
		.proto = 0x2000c,
		.tstamp_type = fuzz_below(t, 3),
	};

	if (fuzz_once_in(t, 4)) {
		sw.silence_size = s->boundary;
	} else if (fuzz_once_in(t, 3)) {
		sw.silence_threshold = fuzz_below(t, s->buffer + 1);
		sw.silence_size = fuzz_below(t, sw.silence_threshold + 1);
	}
	fuzz_arg(t, sw.start_threshold);
	fuzz_arg(t, sw.stop_threshold);
	fuzz_arg(t, sw.silence_size);
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw));
}

static long run_sw_garbage(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_pcm_sw_params sw = {
		.tstamp_mode = fuzz_odd(t),
		.avail_min = fuzz_odd(t),
		.start_threshold = fuzz_odd(t),
		.stop_threshold = fuzz_odd(t),
		.silence_threshold = fuzz_once_in(t, 2) ? 0 : fuzz_odd(t),
		.silence_size = fuzz_once_in(t, 2) ? 0 : fuzz_odd(t),
		.boundary = fuzz_odd(t),
		.proto = fuzz_odd(t),
		.tstamp_type = fuzz_odd(t),
	};

	if (fuzz_once_in(t, 2))
		sw.tstamp_mode = 0;
	if (fuzz_once_in(t, 2))
		sw.tstamp_type = 0;
	fuzz_arg(t, sw.start_threshold);
	fuzz_arg(t, sw.stop_threshold);
	fuzz_arg(t, sw.silence_size);
	return fuzz_ret(ioctl(s->fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw));
}

#define STREAM	FUZZ_STREAM
#define SET	(E_INVAL | E_BADFD | E_NOMEM | E_FAULT)
#define SW	(E_BADFD | E_INVAL | E_PIPE)

const struct fuzz_op fuzz_hw_ops[] = {
	{ "open", run_open, 16, STREAM | FUZZ_OWN | FUZZ_JUMPS, S_CLOSED,
	  S_ANY, 0, E_AGAIN | E_BUSY | E_NODEV | E_INVAL | E_NOMEM },
	/* what was linked to it stops */
	{ "close", run_close, 1, STREAM | FUZZ_OWN | FUZZ_JUMPS | FUZZ_MOVES,
	  S_OPEN, S_CLOSED, S(SETUP), E_BADF },
	{ "pversion", run_pversion, 1, STREAM, S_OPEN, 0, 0, E_INVAL },
	{ "info", run_info, 1, STREAM, S_OPEN, 0, 0, E_FAULT },
	{ "channel_info", run_channel_info, 1, STREAM, S_SET, 0, 0,
	  E_BADFD | E_INVAL },
	{ "hw_refine", run_refine, 3, STREAM, S_OPEN, 0, 0, E_INVAL },
	{ "hw_refine garbage", run_refine_garbage, 4, STREAM, S_OPEN, 0, 0,
	  E_INVAL | E_FAULT },
	{ "hw_params", run_params, 12,
	  STREAM | FUZZ_JUMPS | FUZZ_RACE | FUZZ_RING,
	  S(OPEN) | S(SETUP), S(SETUP), S(OPEN), SET },
	{ "hw_params near", run_params_near, 4,
	  STREAM | FUZZ_JUMPS | FUZZ_RACE | FUZZ_RING,
	  S(OPEN) | S(SETUP) | S(PREPARED), S(SETUP), S(OPEN), SET },
	{ "hw_params garbage", run_params_garbage, 4,
	  STREAM | FUZZ_JUMPS | FUZZ_RACE | FUZZ_RING,
	  S(OPEN) | S(SETUP) | S(PREPARED), S(SETUP), S(OPEN), SET },
	{ "hw_free", run_hw_free, 2,
	  STREAM | FUZZ_JUMPS | FUZZ_RACE | FUZZ_RING,
	  S(SETUP) | S(PREPARED) | S(OPEN), S(OPEN), 0, E_BADFD },
	{ "sw_params", run_sw_params, 6, STREAM | FUZZ_RACE, S_SET, 0, 0,
	  SW },
	{ "sw_params garbage", run_sw_garbage, 2, STREAM | FUZZ_RACE, S_SET,
	  0, 0, SW },
	{ }
};
