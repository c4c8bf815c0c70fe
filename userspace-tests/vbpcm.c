// SPDX-License-Identifier: GPL-2.0-only
/* Streams for the bench: opening, position, frames that tell their number. */

#include <string.h>
#include <sys/mman.h>
#include "vbpcm.h"

/* As the command line has them: 48 kHz, stereo, 16 bit, 480 x 4 by default */
struct vb_params vb_params(void)
{
	struct vb_params p = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED,
		.format = snd_pcm_format_value(vb_word("format", "S16_LE")),
		.channels = vb_arg("channels", 2),
		.rate = vb_arg("rate", 48000),
		.period = vb_arg("period", 480),
		.periods = vb_arg("periods", 4),
	};

	return p;
}

static int vb_set_hw(struct vb_stream *s)
{
	const struct vb_params *p = &s->p;
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
	if (err >= 0)
		err = snd_pcm_hw_params_set_period_size(s->pcm, hw, p->period,
							0);
	if (err >= 0)
		err = snd_pcm_hw_params_set_periods(s->pcm, hw, p->periods, 0);
	if (err >= 0)
		err = snd_pcm_hw_params(s->pcm, hw);
	return err;
}

/* A recorder starts by its first read, a player when its buffer is full. */
static void vb_set_sw(struct vb_stream *s)
{
	bool play = s->dir == SND_PCM_STREAM_PLAYBACK;
	snd_pcm_uframes_t start = play ? s->buffer : 1;
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(s->pcm, sw));
	MUST(snd_pcm_sw_params_get_boundary(sw, &s->boundary));
	if (s->p.manual)
		start = s->boundary;
	MUST(snd_pcm_sw_params_set_start_threshold(s->pcm, sw, start));
	if (s->p.forever) {
		MUST(snd_pcm_sw_params_set_stop_threshold(s->pcm, sw,
							  s->boundary));
		MUST(snd_pcm_sw_params_set_avail_min(s->pcm, sw,
						     s->boundary));
	}
	MUST(snd_pcm_sw_params(s->pcm, sw));
}

static void vb_map(struct vb_stream *s)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, n = s->buffer;

	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &n));
	s->ring = areas[0].addr;
}

static void vb_close_stream(void *data)
{
	struct vb_stream *s = data;

	snd_pcm_close(s->pcm);
	munmap(s, sizeof(*s));
}

void vb_close(struct vb_stream *s)
{
	vt_undo(vb_close_stream, s);
}

/* NULL if the driver does not offer this */
struct vb_stream *vb_try_open(snd_pcm_stream_t dir, int device, int subdevice,
			      const struct vb_params *p)
{
	struct vb_stream *s;
	char name[40];
	int err;

	if (dir == SND_PCM_STREAM_CAPTURE)
		device += vb_capture_device;
	snprintf(name, sizeof(name), "hw:%d,%d,%d", vt_card, device, subdevice);
	s = vb_share(sizeof(*s));
	err = snd_pcm_open(&s->pcm, name, dir, 0);
	if (err < 0) {
		munmap(s, sizeof(*s));
		/* More streams than there are, by number or in total */
		if (err == -ENOENT || err == -ENODEV || err == -EBUSY)
			return NULL;
		EXPECT(false, "open %s: %s", name, snd_strerror(err));
	}
	vt_defer(vb_close_stream, s);
	s->dir = dir;
	s->p = *p;
	s->buffer = p->period * p->periods;
	s->frame_bytes = p->channels *
			 snd_pcm_format_physical_width(p->format) / 8;
	err = vb_set_hw(s);
	if (err == -EINVAL) {
		vb_close(s);
		return NULL;
	}
	MUST(err);
	vb_set_sw(s);
	if (p->access == SND_PCM_ACCESS_MMAP_INTERLEAVED)
		vb_map(s);
	return s;
}

struct vb_stream *vb_open(snd_pcm_stream_t dir, int device, int subdevice,
			  const struct vb_params *p)
{
	struct vb_stream *s = vb_try_open(dir, device, subdevice, p);

	if (!s)
		vt_skip("not offered");
	return s;
}

void vb_open_pair(struct vb_pair *pair, int device, int subdevice,
		  const struct vb_params *p)
{
	pair->recorder = vb_open(SND_PCM_STREAM_CAPTURE, device, subdevice, p);
	pair->player = vb_open(SND_PCM_STREAM_PLAYBACK, device, subdevice, p);
}

void vb_close_pair(struct vb_pair *pair)
{
	vb_close(pair->player);
	vb_close(pair->recorder);
}

/* Frames played or recorded since the stream was prepared */
uint64_t vb_position(struct vb_stream *s)
{
	snd_pcm_sframes_t avail = MUST(snd_pcm_avail(s->pcm));

	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		avail -= s->buffer;
	return s->done + avail;
}

int64_t vb_ns(const struct vb_stream *s, uint64_t frames)
{
	return frames / s->p.rate * VT_SECOND +
	       frames % s->p.rate * VT_SECOND / s->p.rate;
}

/*
 * Every sample of a frame is its number plus one, in its upper 16 bits: silence
 * is no number.
 */
void vb_stamp(const struct vb_stream *s, void *frames, unsigned int first,
	      unsigned int n, unsigned int length)
{
	size_t bytes = s->frame_bytes / s->p.channels;
	unsigned char *p = frames;
	unsigned int channel;
	uint16_t number;

	for (; n; n--, first++)
		for (channel = 0; channel < s->p.channels; channel++) {
			number = first % length + 1;
			memset(p, 0, bytes);
			memcpy(p + bytes - 2, &number, 2);
			p += bytes;
		}
}

/* The number of a frame, or -1 if it is none that was stamped */
int vb_number(const struct vb_stream *s, const void *frame,
	      unsigned int length)
{
	size_t bytes = s->frame_bytes / s->p.channels;
	const unsigned char *p = frame;
	uint16_t first, number;
	unsigned int channel;

	memcpy(&first, p + bytes - 2, 2);
	if (!first || first > length)
		return -1;
	for (channel = 1; channel < s->p.channels; channel++) {
		memcpy(&number, p + (channel + 1) * bytes - 2, 2);
		if (number != first)
			return -1;
	}
	return first - 1;
}

/* So long that a period can be taken at any place of the pattern */
unsigned char *vb_pattern(const struct vb_params *p)
{
	struct vb_stream s = {
		.p = *p,
		.frame_bytes = p->channels *
			       snd_pcm_format_physical_width(p->format) / 8,
	};
	unsigned int n = VB_PATTERN + p->period;
	unsigned char *pattern = vt_alloc(n * s.frame_bytes);

	if (vb_carries)
		vb_stamp(&s, pattern, 0, n, VB_PATTERN);
	return pattern;
}

void vb_write_period(struct vb_stream *s, const unsigned char *pattern)
{
	const void *at = pattern + s->done % VB_PATTERN * s->frame_bytes;

	EXPECT(MUST(snd_pcm_writei(s->pcm, at, s->p.period)) ==
	       (long)s->p.period, "a write fell short");
	s->done += s->p.period;
}

void vb_read_period(struct vb_stream *s, unsigned char *frames)
{
	EXPECT(MUST(snd_pcm_readi(s->pcm, frames, s->p.period)) ==
	       (long)s->p.period, "a read fell short");
	s->done += s->p.period;
}

/*
 * Reads until the player is heard; returns the number of the next frame to
 * come. Where nothing is carried silence does as well.
 */
uint64_t vb_read_until_heard(struct vb_stream *s, unsigned char *frames,
			     const volatile bool *ended)
{
	unsigned int i;
	int number;

	while (vb_carries && !*ended) {
		vb_read_period(s, frames);
		for (i = 0; i < s->p.period; i++) {
			number = vb_number(s, frames + i * s->frame_bytes,
					   VB_PATTERN);
			if (number >= 0)
				return number + s->p.period - i;
		}
	}
	EXPECT(!vb_carries, "nothing of what was played was recorded");
	return 0;
}

/* A period of frames, the first with this number */
void vb_expect_pattern(const struct vb_stream *s, const unsigned char *frames,
		       const unsigned char *pattern, uint64_t number)
{
	EXPECT(!memcmp(frames,
		       pattern + number % VB_PATTERN * s->frame_bytes,
		       s->p.period * s->frame_bytes),
	       "frames were lost or changed");
}
