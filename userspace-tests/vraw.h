/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that speak to the kernel without alsa-lib, whose headers do not go
 * together with the kernel's: devices and hardware parameters.
 */
#ifndef VRAW_H
#define VRAW_H

#include <sound/asound.h>
#include "vtest.h"

/* A PCM device of the card; vr_open() closes it at the end of the test */
int vr_open_now(int device, int dir);
int vr_open(int device, int dir);

/* Parts of a space of parameters */
struct snd_interval *vr_interval(struct snd_pcm_hw_params *p, int var);
struct snd_mask *vr_mask(struct snd_pcm_hw_params *p, int var);
void vr_set_any(struct snd_pcm_hw_params *p);
void vr_set_one(struct snd_pcm_hw_params *p, int var, unsigned int value);
void vr_set_bit(struct snd_pcm_hw_params *p, int var, unsigned int bit);

/* Stereo, 16 bit, 48 kHz, a ring of four periods */
void vr_set_plain(struct snd_pcm_hw_params *p, int access,
		  unsigned int frames);

#endif
