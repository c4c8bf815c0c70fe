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
#include "vbench.h"
#include "vraw.h"

#define ROUNDS_MAX	20001
#define FRAME_BYTES	4	/* stereo, 16 bit */

static const unsigned int sizes[] = { 64, 1024, 2048 };	/* KiB */

/* A size that the driver does not offer has no result. */
static void measure_size(int fd, unsigned int kib)
{
	unsigned int rounds = vb_arg("rounds", 101), i;
	static double ns[ROUNDS_MAX];
	struct snd_pcm_hw_params p;
	char key[20];

	EXPECT(rounds <= ROUNDS_MAX, "at most %u rounds", ROUNDS_MAX);
	vr_set_plain(&p, (int)SNDRV_PCM_ACCESS_RW_INTERLEAVED,
		     kib * 1024 / FRAME_BYTES);
	if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0)
		return;
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE));
	for (i = 0; i < rounds; i++) {
		vr_set_plain(&p, (int)SNDRV_PCM_ACCESS_RW_INTERLEAVED,
			     kib * 1024 / FRAME_BYTES);
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
		if (!size || size == (long)sizes[i])
			measure_size(fd, sizes[i]);
	close(fd);
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
