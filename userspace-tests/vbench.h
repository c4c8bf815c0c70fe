/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bench programs share: the driver that is measured, its streams,
 * the processor's busy time, and results as lines "result KEY VALUE".
 *
 * usage of each: PROGRAM CARD DRIVER [KEY=VALUE...]
 *
 * DRIVER is virtual, aloop or dummy: it decides which capture device hears
 * playback device 0, and whether any does.
 */
#ifndef VBENCH_H
#define VBENCH_H

#include <alsa/asoundlib.h>
#include "vtest.h"

/**
 * struct vb_params - how a stream is to be configured
 * @access: as alsa-lib's
 * @format: as alsa-lib's
 * @channels: as alsa-lib's
 * @rate: frames per second
 * @period: frames
 * @periods: number of them in the buffer
 * @forever: never stop, and wake the client never; else as by default
 */
struct vb_params {
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	unsigned int channels;
	unsigned int rate;
	snd_pcm_uframes_t period;
	unsigned int periods;
	bool forever;
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

/* The driver */
extern bool vb_carries;			/* its capture hears its playback */
extern const char *vb_driver;

void vb_init(int argc, char **argv);
int vb_main(vt_test *test);
long vb_arg(const char *key, long standard);
const char *vb_word(const char *key, const char *standard);
void vb_result(const char *key, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Streams, closed at the end of the test or by vb_close() */
struct vb_params vb_params(void);
struct vb_stream *vb_open(snd_pcm_stream_t dir, int device, int subdevice,
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

/**
 * struct vb_window - a stretch of time
 * @length: ns
 * @busy: of that the processor was not idle, ns
 */
struct vb_window {
	int64_t length;
	int64_t busy;
};

void vb_watch(struct vb_window *w, int64_t length);

/* Figures */
void vb_sort(double *x, unsigned int n);
double vb_median(double *x, unsigned int n);
double vb_clock_cost(void);

#endif
