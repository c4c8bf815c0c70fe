/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams for the tests: opened and configured in one step, closed by
 * themselves at the end of the test, read and written by any access, with
 * frames that each tell their own number.
 */
#ifndef VPCM_H
#define VPCM_H

#include <alsa/asoundlib.h>
#include "vtest.h"

#define VT_NEVER	(~0UL)		/* stop threshold: run for ever */

/**
 * struct vt_params - how a stream is to be configured
 * @access: as alsa-lib's
 * @format: as alsa-lib's
 * @channels: as alsa-lib's
 * @rate: frames per second
 * @period: frames; 0 for whatever comes
 * @buffer: frames; 0 for whatever comes
 * @start: start threshold, frames; 0 to start by snd_pcm_start() only
 * @stop: stop threshold, frames; 0 for the buffer, VT_NEVER for the boundary
 * @avail_min: frames; 0 for the period
 * @nonblock: open without waiting, now and later
 * @no_wakeup: no period wake-ups; alsa-lib wants @nonblock with it
 * @keep_clean: have played frames overwritten with silence, as dmix does
 */
struct vt_params {
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	unsigned int channels;
	unsigned int rate;
	snd_pcm_uframes_t period;
	snd_pcm_uframes_t buffer;
	snd_pcm_uframes_t start;
	snd_pcm_uframes_t stop;
	snd_pcm_uframes_t avail_min;
	bool nonblock;
	bool no_wakeup;
	bool keep_clean;
};

/* 48 kHz, stereo, 16 bit, 4 periods of 10 ms by writei and readi */
extern const struct vt_params vt_plain;

/**
 * struct vt_stream - an open stream
 * @pcm: alsa-lib's handle
 * @dir: playback or capture
 * @p: as configured
 * @sample_bytes: size of a sample in memory
 * @frame_bytes: size of a frame in memory
 * @boundary: where alsa-lib's pointers wrap, frames
 * @done: frames written or read since the stream was prepared
 * @planar: scratch memory, a ring's worth
 */
struct vt_stream {
	snd_pcm_t *pcm;
	snd_pcm_stream_t dir;
	struct vt_params p;
	size_t sample_bytes;
	size_t frame_bytes;
	snd_pcm_uframes_t boundary;
	uint64_t done;
	unsigned char *planar;
};

/* Opening. Whatever is opened is closed when the test ends. */
struct vt_stream *vt_open(int device, int subdevice, snd_pcm_stream_t dir,
			  int mode);
int vt_configure(struct vt_stream *s, const struct vt_params *p);
struct vt_stream *vt_stream(int device, snd_pcm_stream_t dir,
			    const struct vt_params *p);
struct vt_stream *vt_player(int device, const struct vt_params *p);
struct vt_stream *vt_recorder(int device, const struct vt_params *p);
void vt_close(struct vt_stream *s);
void vt_prepare(struct vt_stream *s);
void vt_link(struct vt_stream *a, struct vt_stream *b);
int vt_descriptor(struct vt_stream *s);
unsigned char *vt_ring(struct vt_stream *s);
bool vt_is_mmap(const struct vt_stream *s);
bool vt_is_planar(const struct vt_stream *s);

/* Data, always interleaved in the caller's memory; all frames or failure */
void vt_write(struct vt_stream *s, const void *frames, size_t n);
void vt_read(struct vt_stream *s, void *frames, size_t n);
void vt_play(struct vt_stream *s, uint64_t first, size_t n);
void vt_hear(struct vt_stream *s, uint64_t first, size_t n);
void vt_hear_silence(struct vt_stream *s, size_t n);
void vt_echo(struct vt_stream *player, struct vt_stream *recorder,
	     uint64_t frames, size_t tail);
void vt_carry(int device, int subdevice, snd_pcm_access_t access,
	      snd_pcm_uframes_t period);

/* Frames: stamped with their number, or silent as the format has it */
void vt_stamp(const struct vt_stream *s, void *buf, uint64_t first, size_t n);
size_t vt_stamped(const struct vt_stream *s, const void *buf, uint64_t first,
		  size_t n);
size_t vt_silent(const struct vt_stream *s, const void *buf, size_t n);
bool vt_is_offered(snd_pcm_format_t format);

/**
 * struct vt_position - where a stream is
 * @before: time before the position was asked for
 * @after: time after it was told
 * @trigger: time of the last start or stop
 * @stamp: time that came with the position
 * @frames: frames played or recorded since the stream was prepared
 * @state: the stream's state
 */
struct vt_position {
	int64_t before;
	int64_t after;
	int64_t trigger;
	int64_t stamp;
	int64_t frames;
	snd_pcm_state_t state;
};

void vt_locate(struct vt_stream *s, struct vt_position *pos);
int64_t vt_frames_in(int64_t ns, unsigned int rate, int64_t ppb);
int64_t vt_frames(const struct vt_stream *s, int64_t ns);
int64_t vt_duration(const struct vt_stream *s, int64_t frames);
void vt_expect_position(const struct vt_position *pos,
			const struct vt_stream *s, int64_t start,
			int64_t slack);
void vt_expect_time(int64_t time, int64_t from, int64_t late,
		    const char *what);
void vt_expect_state(struct vt_stream *s, snd_pcm_state_t state);
int64_t vt_wait_state(struct vt_stream *s, snd_pcm_state_t state,
		      int64_t limit);
void vt_expect_drained(struct vt_stream *s);

#endif
