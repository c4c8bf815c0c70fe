// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to give a stream a buffer and to take it away: the ioctls
 * HW_PARAMS and HW_FREE with every parameter settled, without what a library
 * does around them; medians, in us.
 *
 *	device=N	of the card
 *	size=N		only this one of the sizes, KiB
 *	rounds=N	how often
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <sound/asound.h>
#include "vbench.h"

#define ROUNDS_MAX	20001
#define PERIODS		4
#define FRAME_BYTES	4	/* stereo, 16 bit */

static const unsigned int sizes[] = { 64, 1024, 2048 };	/* KiB */

static void set_mask(struct snd_pcm_hw_params *p, int var, unsigned int bit)
{
	struct snd_mask *m = &p->masks[var - SNDRV_PCM_HW_PARAM_FIRST_MASK];

	memset(m, 0, sizeof(*m));
	m->bits[bit / 32] = 1U << bit % 32;
}

static void set_interval(struct snd_pcm_hw_params *p, int var,
			 unsigned int value)
{
	struct snd_interval *i =
		&p->intervals[var - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

	memset(i, 0, sizeof(*i));
	i->min = value;
	i->max = value;
	i->integer = 1;
}

static void set_params(struct snd_pcm_hw_params *p, unsigned int kib)
{
	unsigned int frames = kib * 1024 / FRAME_BYTES, i;

	memset(p, 0, sizeof(*p));
	memset(p->masks, 0xff, sizeof(p->masks));
	for (i = 0; i < ARRAY_SIZE(p->intervals); i++)
		p->intervals[i].max = ~0U;
	p->rmask = ~0U;
	set_mask(p, SNDRV_PCM_HW_PARAM_ACCESS,
		 (int)SNDRV_PCM_ACCESS_RW_INTERLEAVED);
	set_mask(p, SNDRV_PCM_HW_PARAM_FORMAT, (int)SNDRV_PCM_FORMAT_S16_LE);
	set_interval(p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	set_interval(p, SNDRV_PCM_HW_PARAM_RATE, 48000);
	set_interval(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, frames / PERIODS);
	set_interval(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE, frames);
}

/* A size that the driver does not offer has no result. */
static void measure_size(int fd, unsigned int kib)
{
	unsigned int rounds = vb_arg("rounds", 101), i;
	static double ns[ROUNDS_MAX];
	struct snd_pcm_hw_params p;
	char key[20];

	EXPECT(rounds <= ROUNDS_MAX, "at most %u rounds", ROUNDS_MAX);
	set_params(&p, kib);
	if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0)
		return;
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE));
	for (i = 0; i < rounds; i++) {
		set_params(&p, kib);
		ns[i] = -vt_now();
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p));
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE));
		ns[i] += vt_now();
	}
	snprintf(key, sizeof(key), "params_%u", kib);
	vb_result(key, "%.2f",
		  (vb_median(ns, rounds) - vb_clock_cost()) / 1000);
}

static void measure(const void *arg)
{
	char path[40];
	long size = vb_arg("size", 0);
	unsigned int i;
	int fd;

	(void)arg;
	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%ldp", vt_card,
		 vb_arg("device", 0));
	fd = SYS(open(path, O_RDWR));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!size || size == sizes[i])
			measure_size(fd, sizes[i]);
	close(fd);
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
