// SPDX-License-Identifier: GPL-2.0-only
/* Frames that tell their number, silence, and loops that check every frame. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "vpcm.h"

/*
 * A sample's bits depend on its frame and channel, so that a frame lost,
 * repeated, moved or mixed up with its neighbour is seen at once, and use the
 * whole of the memory: what a format calls padding has to arrive as well. The
 * first byte of frame 0 is no format's silence: it marks the beginning.
 */
static uint64_t vt_sample(uint64_t frame, unsigned int channel)
{
	uint64_t x = (frame * 257 + channel + 1) * 0x9e3779b97f4a7c15ULL;

	x ^= x >> 32;
	return frame || channel ? x : 0xa5a5a5a5a5a5a5a5ULL;
}

void vt_stamp(const struct vt_stream *s, void *buf, uint64_t first, size_t n)
{
	size_t bytes = s->sample_bytes;
	unsigned char *p = buf;
	unsigned int channel;
	uint64_t x;

	for (; n; n--, first++)
		for (channel = 0; channel < s->p.channels; channel++) {
			x = vt_sample(first, channel);
			memcpy(p, &x, bytes);
			p += bytes;
		}
}

/* How many frames from the start of buf are stamped as they should be */
size_t vt_stamped(const struct vt_stream *s, const void *buf, uint64_t first,
		  size_t n)
{
	size_t bytes = s->sample_bytes, i;
	const unsigned char *p = buf;
	unsigned int channel;
	uint64_t x;

	for (i = 0; i < n; i++, first++)
		for (channel = 0; channel < s->p.channels; channel++) {
			x = vt_sample(first, channel);
			if (memcmp(p, &x, bytes))
				return i;
			p += bytes;
		}
	return n;
}

/* How many frames from the start of buf are silent, as the format has it */
size_t vt_silent(const struct vt_stream *s, const void *buf, size_t n)
{
	unsigned char silence[8 * 256];
	const unsigned char *p = buf;
	size_t i;

	MUST(snd_pcm_format_set_silence(s->p.format, silence, s->p.channels));
	for (i = 0; i < n; i++, p += s->frame_bytes)
		if (memcmp(p, silence, s->frame_bytes))
			break;
	return i;
}

/* Every PCM format whose samples are whole bytes and that has a silence */
bool vt_is_offered(snd_pcm_format_t format)
{
	switch (format) {
	case SND_PCM_FORMAT_IMA_ADPCM:
	case SND_PCM_FORMAT_MPEG:
	case SND_PCM_FORMAT_GSM:
	case SND_PCM_FORMAT_SPECIAL:
	case SND_PCM_FORMAT_G723_24:
	case SND_PCM_FORMAT_G723_24_1B:
	case SND_PCM_FORMAT_G723_40:
	case SND_PCM_FORMAT_G723_40_1B:
		return false;
	default:
		return !!snd_pcm_format_name(format);
	}
}

/* Writes n stamped frames. */
void vt_play(struct vt_stream *s, uint64_t first, size_t n)
{
	void *buf = vt_alloc(n * s->frame_bytes);

	vt_stamp(s, buf, first, n);
	vt_write(s, buf, n);
	vt_undo(free, buf);
}

/* Reads n frames, which must be these. */
void vt_hear(struct vt_stream *s, uint64_t first, size_t n)
{
	void *buf = vt_alloc(n * s->frame_bytes);
	size_t good;

	vt_read(s, buf, n);
	good = vt_stamped(s, buf, first, n);
	EXPECT(good == n, "recorded frame %llu is not the played frame %llu",
	       (unsigned long long)(s->done - n + good),
	       (unsigned long long)(first + good));
	vt_undo(free, buf);
}

/* Reads n frames, which must be silent. */
void vt_hear_silence(struct vt_stream *s, size_t n)
{
	void *buf = vt_alloc(n * s->frame_bytes);
	size_t good;

	vt_read(s, buf, n);
	good = vt_silent(s, buf, n);
	EXPECT(good == n, "recorded frame %llu is not silent",
	       (unsigned long long)(s->done - n + good));
	vt_undo(free, buf);
}

/*
 * Plays frames 0 to frames - 1 and then nothing, and demands to record each of
 * them once and in order, then tail frames of silence. Both streams start at
 * one instant: the first frame recorded is the first frame played. The player
 * must not stop by itself (VT_NEVER) and its ring must outlast the recorder's
 * period.
 */
void vt_echo(struct vt_stream *player, struct vt_stream *recorder,
	     uint64_t frames, size_t tail)
{
	uint64_t heard = 0, played = frames;
	size_t n;

	if (played > player->p.buffer)
		played = player->p.buffer;
	vt_link(player, recorder);
	vt_play(player, 0, played);
	MUST(snd_pcm_start(player->pcm));
	while (heard < frames) {
		n = recorder->p.period;
		if (n > frames - heard)
			n = frames - heard;
		vt_hear(recorder, heard, n);
		heard += n;
		if (n > frames - played)
			n = frames - played;
		vt_play(player, played, n);
		played += n;
	}
	vt_hear_silence(recorder, tail);
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_drop(player->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
}

/* Reads n frames; false when the machine stood still for too long. */
static bool vt_read_in_time(struct vt_stream *s, unsigned char *buf, size_t n)
{
	snd_pcm_sframes_t got;

	while (n) {
		got = snd_pcm_readi(s->pcm, buf, n);
		if (got == -EPIPE || got == -EIO)
			return false;
		MUST(got);
		buf += got * s->frame_bytes;
		n -= got;
	}
	return true;
}

/*
 * The card carries every frame, on a machine that keeps no time: a few
 * periods, made before and looked at afterwards, in rings of a second; again
 * if the machine stood still for longer than that.
 */
void vt_carry(int device, int subdevice, snd_pcm_access_t access,
	      snd_pcm_uframes_t period)
{
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	unsigned int tries = 0;
	size_t n = period * 4;
	unsigned char *buf;
	bool in_time;

	p.access = access;
	p.channels = 1;
	p.period = period;
	p.buffer = p.rate / period * period;
	p.stop = VT_NEVER;
	player = vt_open(device, subdevice, SND_PCM_STREAM_PLAYBACK, 0);
	MUST(vt_configure(player, &p));
	p.access = SND_PCM_ACCESS_RW_INTERLEAVED;
	p.stop = 0;
	recorder = vt_open(device, subdevice, SND_PCM_STREAM_CAPTURE, 0);
	MUST(vt_configure(recorder, &p));
	vt_link(player, recorder);
	buf = vt_alloc(n * recorder->frame_bytes);
	do {
		EXPECT(tries++ < 20, "the machine is too slow");
		vt_play(player, 0, n);
		MUST(snd_pcm_start(player->pcm));
		in_time = vt_read_in_time(recorder, buf, n);
		MUST(snd_pcm_drop(player->pcm));
		vt_prepare(player);
	} while (!in_time);
	EXPECT(vt_stamped(recorder, buf, 0, n) == n,
	       "try %u: frame %zu is not what was played, %zu are silent", tries,
	       vt_stamped(recorder, buf, 0, n), vt_silent(recorder, buf, n));
	vt_undo(free, buf);
	vt_close(recorder);
	vt_close(player);
}

/* For tests that go past alsa-lib, whose headers do not agree with the kernel's */
void vt_sound(int device)
{
	vt_carry(device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}
