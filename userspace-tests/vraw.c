// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own interface, for tests. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "vraw.h"

/* As open(2) */
int vr_open_now(int device, int dir)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%d%c", vt_card, device,
		 dir == SNDRV_PCM_STREAM_PLAYBACK ? 'p' : 'c');
	return open(path, O_RDWR);
}

static void vr_close(void *data)
{
	int *fd = data;

	close(*fd);
}

int vr_open(int device, int dir)
{
	int *fd = vt_alloc(sizeof(*fd));

	*fd = SYS(vr_open_now(device, dir));
	vt_defer(vr_close, fd);
	return *fd;
}

struct snd_interval *vr_interval(struct snd_pcm_hw_params *p, int var)
{
	return &p->intervals[var - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
}

struct snd_mask *vr_mask(struct snd_pcm_hw_params *p, int var)
{
	return &p->masks[var - SNDRV_PCM_HW_PARAM_FIRST_MASK];
}

/* Everything is possible */
void vr_set_any(struct snd_pcm_hw_params *p)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	memset(p->masks, 0xff, sizeof(p->masks));
	for (i = 0; i < ARRAY_SIZE(p->intervals); i++)
		p->intervals[i].max = ~0U;
	p->rmask = ~0U;
}

void vr_set_one(struct snd_pcm_hw_params *p, int var, unsigned int value)
{
	struct snd_interval *i = vr_interval(p, var);

	memset(i, 0, sizeof(*i));
	i->min = value;
	i->max = value;
	i->integer = 1;
}

void vr_set_bit(struct snd_pcm_hw_params *p, int var, unsigned int bit)
{
	memset(vr_mask(p, var), 0, sizeof(struct snd_mask));
	vr_mask(p, var)->bits[bit / 32] = 1U << bit % 32;
}

void vr_set_plain(struct snd_pcm_hw_params *p, int access, unsigned int frames)
{
	vr_set_any(p);
	vr_set_bit(p, SNDRV_PCM_HW_PARAM_ACCESS, access);
	vr_set_bit(p, SNDRV_PCM_HW_PARAM_FORMAT,
		   (int)SNDRV_PCM_FORMAT_S16_LE);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_RATE, 48000);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, frames / 4);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE, frames);
}
