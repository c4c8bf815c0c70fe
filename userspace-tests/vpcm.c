// SPDX-License-Identifier: GPL-2.0-only
/* Streams for the tests: opening, transfer by any access, position. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "vpcm.h"

const struct vt_params vt_plain = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2,
	.rate = 48000,
	.period = 480,
	.buffer = 1920,
};

bool vt_is_mmap(const struct vt_stream *s)
{
	return s->p.access == SND_PCM_ACCESS_MMAP_INTERLEAVED ||
	       s->p.access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

bool vt_is_planar(const struct vt_stream *s)
{
	return s->p.access == SND_PCM_ACCESS_RW_NONINTERLEAVED ||
	       s->p.access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

static void vt_close_stream(void *data)
{
	struct vt_stream *s = data;

	snd_pcm_close(s->pcm);
	free(s->planar);
	free(s);
}

/* The mode is alsa-lib's: 0 or SND_PCM_NONBLOCK */
struct vt_stream *vt_open(int device, int subdevice, snd_pcm_stream_t dir,
			  int mode)
{
	struct vt_stream *s = calloc(1, sizeof(*s));
	char name[40];
	int err;

	snprintf(name, sizeof(name), "hw:%d,%d,%d", vt_card, device,
		 subdevice);
	EXPECT(s, "out of memory");
	s->dir = dir;
	err = snd_pcm_open(&s->pcm, name, dir, mode);
	if (err < 0) {
		free(s);
		EXPECT(false, "open %s: %s", name, snd_strerror(err));
	}
	vt_defer(vt_close_stream, s);
	return s;
}

void vt_close(struct vt_stream *s)
{
	vt_undo(vt_close_stream, s);
}

static int vt_set_hw(struct vt_stream *s, const struct vt_params *p)
{
	snd_pcm_hw_params_t *hw;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	err = snd_pcm_hw_params_any(s->pcm, hw);
	if (err >= 0)
		err = snd_pcm_hw_params_set_rate_resample(s->pcm, hw, 0);
	if (err >= 0)
		err = snd_pcm_hw_params_set_access(s->pcm, hw, p->access);
	if (err >= 0)
		err = snd_pcm_hw_params_set_format(s->pcm, hw, p->format);
	if (err >= 0)
		err = snd_pcm_hw_params_set_channels(s->pcm, hw, p->channels);
	if (err >= 0)
		err = snd_pcm_hw_params_set_rate(s->pcm, hw, p->rate, 0);
	if (err >= 0 && p->period)
		err = snd_pcm_hw_params_set_period_size(s->pcm, hw, p->period,
							0);
	if (err >= 0 && p->buffer)
		err = snd_pcm_hw_params_set_buffer_size(s->pcm, hw, p->buffer);
	if (err >= 0 && p->no_wakeup)
		err = snd_pcm_hw_params_set_period_wakeup(s->pcm, hw, 0);
	if (err >= 0)
		err = snd_pcm_hw_params(s->pcm, hw);
	if (err < 0)
		return err;
	s->p = *p;
	err = snd_pcm_hw_params_get_period_size(hw, &s->p.period, NULL);
	if (err >= 0)
		err = snd_pcm_hw_params_get_buffer_size(hw, &s->p.buffer);
	return err;
}

static int vt_set_sw(struct vt_stream *s)
{
	const struct vt_params *p = &s->p;
	snd_pcm_uframes_t start, stop, avail_min;
	const snd_pcm_tstamp_type_t clock = SND_PCM_TSTAMP_TYPE_MONOTONIC;
	snd_pcm_sw_params_t *sw;
	int err;

	snd_pcm_sw_params_alloca(&sw);
	err = snd_pcm_sw_params_current(s->pcm, sw);
	if (err >= 0)
		err = snd_pcm_sw_params_get_boundary(sw, &s->boundary);
	if (err < 0)
		return err;
	start = p->start ? p->start : s->boundary;
	stop = p->stop ? p->stop : p->buffer;
	if (stop == VT_NEVER)
		stop = s->boundary;
	avail_min = p->avail_min ? p->avail_min : p->period;
	err = snd_pcm_sw_params_set_start_threshold(s->pcm, sw, start);
	if (err >= 0)
		err = snd_pcm_sw_params_set_stop_threshold(s->pcm, sw, stop);
	if (err >= 0)
		err = snd_pcm_sw_params_set_avail_min(s->pcm, sw, avail_min);
	if (err >= 0 && p->keep_clean)
		err = snd_pcm_sw_params_set_silence_threshold(s->pcm, sw, 0);
	if (err >= 0 && p->keep_clean)
		err = snd_pcm_sw_params_set_silence_size(s->pcm, sw,
							 s->boundary);
	if (err >= 0)
		err = snd_pcm_sw_params_set_tstamp_mode(s->pcm, sw,
							SND_PCM_TSTAMP_ENABLE);
	if (err >= 0)
		err = snd_pcm_sw_params_set_tstamp_type(s->pcm, sw, clock);
	if (err >= 0)
		err = snd_pcm_sw_params(s->pcm, sw);
	return err;
}

/* Configures as asked or returns the error; the stream is then prepared. */
int vt_configure(struct vt_stream *s, const struct vt_params *p)
{
	int err = vt_set_hw(s, p);

	if (err < 0)
		return err;
	s->sample_bytes = snd_pcm_format_physical_width(p->format) / 8;
	s->frame_bytes = s->sample_bytes * p->channels;
	s->done = 0;
	free(s->planar);
	s->planar = calloc(s->p.buffer, s->frame_bytes);
	if (!s->planar)
		return -ENOMEM;
	return vt_set_sw(s);
}

struct vt_stream *vt_stream(int device, snd_pcm_stream_t dir,
			    const struct vt_params *p)
{
	struct vt_stream *s = vt_open(device, 0, dir,
				      p->nonblock ? SND_PCM_NONBLOCK : 0);

	MUST(vt_configure(s, p));
	return s;
}

struct vt_stream *vt_player(int device, const struct vt_params *p)
{
	return vt_stream(device, SND_PCM_STREAM_PLAYBACK, p);
}

struct vt_stream *vt_recorder(int device, const struct vt_params *p)
{
	return vt_stream(device, SND_PCM_STREAM_CAPTURE, p);
}

void vt_prepare(struct vt_stream *s)
{
	MUST(snd_pcm_prepare(s->pcm));
	s->done = 0;
}

void vt_link(struct vt_stream *a, struct vt_stream *b)
{
	MUST(snd_pcm_link(a->pcm, b->pcm));
}

/* The kernel's file, for what alsa-lib does not do */
int vt_descriptor(struct vt_stream *s)
{
	struct pollfd fd;

	EXPECT(MUST(snd_pcm_poll_descriptors(s->pcm, &fd, 1)) == 1,
	       "not one descriptor");
	return fd.fd;
}

/* The first frame of its ring, which its access has mapped */
unsigned char *vt_ring(struct vt_stream *s)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, n = s->p.buffer;

	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &n));
	return areas[0].addr;
}

/*
 * Moves frames between the caller's interleaved memory and areas; from areas
 * when the stream is a recorder, to them when it is a player.
 */
static void vt_move(const struct vt_stream *s,
		    const snd_pcm_channel_area_t *areas,
		    snd_pcm_uframes_t offset, unsigned char *frames, size_t n)
{
	size_t b = s->sample_bytes, step = areas[0].step / 8, i;
	bool play = s->dir == SND_PCM_STREAM_PLAYBACK;
	unsigned char *there, *here;
	unsigned int ch;

	if (!vt_is_planar(s)) {
		there = (unsigned char *)areas[0].addr + offset * step;
		memcpy(play ? there : frames, play ? frames : there,
		       n * s->frame_bytes);
		return;
	}
	for (ch = 0; ch < s->p.channels; ch++) {
		there = (unsigned char *)areas[ch].addr + areas[ch].first / 8 +
			offset * (areas[ch].step / 8);
		here = frames + ch * b;
		for (i = 0; i < n; i++) {
			memcpy(play ? there : here, play ? here : there, b);
			there += areas[ch].step / 8;
			here += s->frame_bytes;
		}
	}
}

/*
 * One turn of an mmap transfer: what fits, 0 after waiting for a period. Only
 * what came with whole periods counts: whoever takes more finds less than
 * avail_min at the next one, and waits for the one after it.
 */
static size_t vt_mmap_turn(struct vt_stream *s, unsigned char *frames,
			   size_t n)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, chunk = n;
	snd_pcm_uframes_t avail = MUST(snd_pcm_avail_update(s->pcm));

	if (avail < n && avail < s->p.period) {
		EXPECT(MUST(snd_pcm_wait(s->pcm, 10000)) == 1,
		       "nothing happened for 10 s");
		return 0;
	}
	if (chunk > avail)
		chunk = avail;
	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &chunk));
	vt_move(s, areas, offset, frames, chunk);
	EXPECT(MUST(snd_pcm_mmap_commit(s->pcm, offset, chunk)) ==
	       (long)chunk, "a commit fell short");
	return chunk;
}

/* One turn of a transfer by read or write calls, through planes if need be */
static size_t vt_rw_turn(struct vt_stream *s, unsigned char *frames, size_t n)
{
	bool play = s->dir == SND_PCM_STREAM_PLAYBACK;
	snd_pcm_channel_area_t areas[256];
	void *planes[256];
	unsigned int ch;
	size_t done;

	if (!vt_is_planar(s))
		return play ? MUST(snd_pcm_writei(s->pcm, frames, n)) :
			      MUST(snd_pcm_readi(s->pcm, frames, n));
	if (n > s->p.buffer)
		n = s->p.buffer;
	for (ch = 0; ch < s->p.channels; ch++) {
		planes[ch] = s->planar + ch * n * s->sample_bytes;
		areas[ch].addr = planes[ch];
		areas[ch].first = 0;
		areas[ch].step = s->sample_bytes * 8;
	}
	if (play)
		vt_move(s, areas, 0, frames, n);
	done = play ? MUST(snd_pcm_writen(s->pcm, planes, n)) :
		      MUST(snd_pcm_readn(s->pcm, planes, n));
	if (!play)
		vt_move(s, areas, 0, frames, done);
	return done;
}

static void vt_transfer(struct vt_stream *s, unsigned char *frames, size_t n)
{
	size_t moved;

	while (n) {
		moved = vt_is_mmap(s) ? vt_mmap_turn(s, frames, n) :
					vt_rw_turn(s, frames, n);
		EXPECT(moved <= n, "%zu frames of %zu", moved, n);
		frames += moved * s->frame_bytes;
		s->done += moved;
		n -= moved;
	}
}

void vt_write(struct vt_stream *s, const void *frames, size_t n)
{
	vt_transfer(s, (unsigned char *)frames, n);
}

void vt_read(struct vt_stream *s, void *frames, size_t n)
{
	vt_transfer(s, frames, n);
}

static int64_t vt_ns(const snd_htimestamp_t *ts)
{
	return ts->tv_sec * VT_SECOND + ts->tv_nsec;
}

/*
 * Frames that pass in a time at a speed in ppb, rounded down. Not every machine
 * has 128 bits: whole units of the product first, then what is left.
 */
int64_t vt_frames_in(int64_t ns, unsigned int rate, int64_t ppb)
{
	int64_t product = ns * rate;

	return (product / VT_SECOND * ppb + product % VT_SECOND * ppb / VT_SECOND) /
	       VT_SECOND;
}

/* Where the stream is, between two looks at the clock */
void vt_locate(struct vt_stream *s, struct vt_position *pos)
{
	snd_pcm_status_t *status;
	snd_htimestamp_t ts;

	snd_pcm_status_alloca(&status);
	pos->before = vt_now();
	MUST(snd_pcm_status(s->pcm, status));
	pos->after = vt_now();
	pos->state = snd_pcm_status_get_state(status);
	snd_pcm_status_get_trigger_htstamp(status, &ts);
	pos->trigger = vt_ns(&ts);
	snd_pcm_status_get_htstamp(status, &ts);
	pos->stamp = vt_ns(&ts);
	pos->frames = s->done + snd_pcm_status_get_avail(status);
	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		pos->frames -= s->p.buffer;
}

/* Whole frames in so many ns, rounded down; none in the time before */
int64_t vt_frames(const struct vt_stream *s, int64_t ns)
{
	if (ns < 0)
		return 0;
	return ns / VT_SECOND * s->p.rate +
	       ns % VT_SECOND * s->p.rate / VT_SECOND;
}

/* How long so many frames last, ns, rounded up */
int64_t vt_duration(const struct vt_stream *s, int64_t frames)
{
	return frames / s->p.rate * VT_SECOND +
	       (frames % s->p.rate * VT_SECOND + s->p.rate - 1) / s->p.rate;
}

/* The position must be what the time since the start makes it. */
void vt_expect_position(const struct vt_position *pos,
			const struct vt_stream *s, int64_t start,
			int64_t slack)
{
	int64_t low = vt_frames(s, pos->before - start) - slack;
	int64_t high = vt_frames(s, pos->after - start) + slack;

	EXPECT(pos->frames >= low && pos->frames <= high,
	       "at frame %lld after %lld ns, wanted %lld to %lld",
	       (long long)pos->frames, (long long)(pos->before - start),
	       (long long)low, (long long)high);
}

/*
 * Something must happen at a time, never sooner, and not much later than a
 * kernel that is as slow as this one may be.
 */
void vt_expect_time(int64_t time, int64_t from, int64_t late,
		    const char *what)
{
	late *= vt_slow();
	EXPECT(time >= from, "%s: %lld ns early", what,
	       (long long)(from - time));
	EXPECT(time <= from + late, "%s: %lld ns late", what,
	       (long long)(time - from));
}

void vt_expect_state(struct vt_stream *s, snd_pcm_state_t state)
{
	snd_pcm_state_t is = snd_pcm_state(s->pcm);

	EXPECT(is == state, "the %s stream is %s, wanted %s",
	       snd_pcm_stream_name(s->dir), snd_pcm_state_name(is),
	       snd_pcm_state_name(state));
}

/*
 * Waits until the stream is in a state, by poll, which a change of state ends;
 * returns when it was seen.
 */
int64_t vt_wait_state(struct vt_stream *s, snd_pcm_state_t state,
		      int64_t limit)
{
	int64_t until = vt_now() + limit;
	struct pollfd fd;

	EXPECT(MUST(snd_pcm_poll_descriptors(s->pcm, &fd, 1)) == 1,
	       "not one descriptor");
	while (snd_pcm_state(s->pcm) != state) {
		EXPECT(vt_now() < until, "still %s, wanted %s",
		       snd_pcm_state_name(snd_pcm_state(s->pcm)),
		       snd_pcm_state_name(state));
		SYS(poll(&fd, 1, 10));
	}
	return vt_now();
}

/* A drain that would hang otherwise is a failure like others. */
void vt_expect_drained(struct vt_stream *s)
{
	int err;

	MUST(snd_pcm_nonblock(s->pcm, 1));
	err = snd_pcm_drain(s->pcm);
	EXPECT(!err || err == -EAGAIN, "drain: %s", snd_strerror(err));
	vt_wait_state(s, SND_PCM_STATE_SETUP, 5 * VT_SECOND);
}
