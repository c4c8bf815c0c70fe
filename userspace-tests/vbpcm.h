/* SPDX-License-Identifier: GPL-2.0-only */
/* Streams for the bench: configured as plain clients do, checked cheaply. */
#ifndef VBPCM_H
#define VBPCM_H

#include <alsa/asoundlib.h>
#include "vbench.h"

/* Frames of what is written period by period, again and again */
#define VB_PATTERN	4800

/* How many frames can be told apart by their numbers */
#define VB_NUMBERS_MAX	65534

/**
 * struct vb_params - how a stream is to be configured
 * @access: as alsa-lib's
 * @format: as alsa-lib's
 * @channels: as alsa-lib's
 * @rate: frames per second
 * @period: frames
 * @periods: number of them in the buffer
 * @forever: never stop, and wake the client never; else as by default
 * @manual: start by snd_pcm_start() only
 */
struct vb_params {
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	unsigned int channels;
	unsigned int rate;
	snd_pcm_uframes_t period;
	unsigned int periods;
	bool forever;
	bool manual;
};

/**
 * struct vb_stream - an open stream
 * @pcm: alsa-lib's handle
 * @dir: playback or capture
 * @p: as configured
 * @buffer: frames
 * @frame_bytes: size of a frame
 * @boundary: where alsa-lib's pointers wrap, frames
 * @ring: the buffer, if mapped
 * @done: frames written or read
 *
 * In memory that stays common after a fork.
 */
struct vb_stream {
	snd_pcm_t *pcm;
	snd_pcm_stream_t dir;
	struct vb_params p;
	snd_pcm_uframes_t buffer;
	size_t frame_bytes;
	snd_pcm_uframes_t boundary;
	unsigned char *ring;
	volatile uint64_t done;
};

/* A player and the recorder that hears it; the recorder is opened first. */
struct vb_pair {
	struct vb_stream *recorder;
	struct vb_stream *player;
};

/* Streams, closed at the end of the test or by vb_close() */
struct vb_params vb_params(void);
struct vb_stream *vb_open(snd_pcm_stream_t dir, int device, int subdevice,
			  const struct vb_params *p);
struct vb_stream *vb_try_open(snd_pcm_stream_t dir, int device, int subdevice,
			      const struct vb_params *p);
void vb_open_pair(struct vb_pair *pair, int device, int subdevice,
		  const struct vb_params *p);
void vb_close(struct vb_stream *s);
void vb_close_pair(struct vb_pair *pair);
uint64_t vb_position(struct vb_stream *s);
int64_t vb_ns(const struct vb_stream *s, uint64_t frames);

/* Frames: each tells its number, modulo a length */
void vb_stamp(const struct vb_stream *s, void *frames, unsigned int first,
	      unsigned int n, unsigned int length);
int vb_number(const struct vb_stream *s, const void *frame,
	      unsigned int length);

/* Clients that write and read period by period, and compare */
unsigned char *vb_pattern(const struct vb_params *p);
void vb_write_period(struct vb_stream *s, const unsigned char *pattern);
void vb_read_period(struct vb_stream *s, unsigned char *frames);
uint64_t vb_read_until_heard(struct vb_stream *s, unsigned char *frames,
			     const volatile bool *ended);
void vb_expect_pattern(const struct vb_stream *s, const unsigned char *frames,
		       const unsigned char *pattern, uint64_t number);

#endif
