// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loop through a client: whatever is recorded is followed by a period that is
 * played. With period= and periods= as given, every frame has to come back,
 * once and in order, at the right speed; then the result is how many frames
 * later a frame comes back that the client plays as soon as it has recorded it.
 *
 *	seconds=N	for how long
 */

#include "vbpcm.h"

#define NUMBERS		48000	/* frames until their numbers repeat */

/* Numbered frames, each period at a place of its own in the cycle */
static unsigned char *numbered(const struct vb_stream *s)
{
	unsigned char *frames;

	frames = vt_alloc((NUMBERS + s->buffer) * s->frame_bytes);
	vb_stamp(s, frames, 0, NUMBERS + s->buffer, NUMBERS);
	return frames;
}

static void play(struct vb_stream *s, const unsigned char *numbers,
		 snd_pcm_uframes_t n)
{
	EXPECT(MUST(snd_pcm_writei(s->pcm, numbers + s->done % NUMBERS *
				   s->frame_bytes, n)) == (long)n,
	       "a write fell short");
	s->done += n;
}

/*
 * The first frame that was played: how much later than it should, it was
 * recorded. Negative if the player began sooner.
 */
static int64_t find_start(const struct vb_stream *s,
			  const unsigned char *frames)
{
	unsigned int i;
	int number;

	for (i = 0; i < s->p.period; i++) {
		number = vb_number(s, frames + i * s->frame_bytes, NUMBERS);
		if (number >= 0)
			return (int64_t)(s->done - s->p.period + i) - number;
	}
	return -1;
}

static bool check(const struct vb_stream *s, const unsigned char *frames,
		  int64_t late)
{
	uint64_t first = s->done - s->p.period;
	unsigned int i;
	int number;

	for (i = 0; i < s->p.period; i++) {
		if ((int64_t)(first + i) < late)
			continue;
		number = vb_number(s, frames + i * s->frame_bytes, NUMBERS);
		if (number != (int)((first + i - late) % NUMBERS))
			return false;
	}
	return true;
}

static void measure(const void *arg)
{
	struct vb_params p = vb_params();
	uint64_t frames = vb_arg("seconds", 3) * p.rate;
	unsigned char *heard, *numbers;
	int64_t begin, took, want, late = 0;
	bool found = false;
	struct vb_pair pair;

	(void)arg;
	if (!vb_carries)
		vt_skip("carries no sound");
	vb_open_pair(&pair, 0, 0, &p);
	numbers = numbered(pair.player);
	heard = vt_alloc(p.period * pair.recorder->frame_bytes);
	MUST(snd_pcm_link(pair.player->pcm, pair.recorder->pcm));
	begin = vt_now();
	play(pair.player, numbers, pair.player->buffer);
	if (snd_pcm_state(pair.player->pcm) == SND_PCM_STATE_PREPARED)
		MUST(snd_pcm_start(pair.player->pcm));
	while (pair.recorder->done < frames) {
		vb_read_period(pair.recorder, heard);
		play(pair.player, numbers, p.period);
		if (!found) {
			late = find_start(pair.recorder, heard);
			found = vb_number(pair.recorder, heard + (p.period - 1) *
					  pair.recorder->frame_bytes,
					  NUMBERS) >= 0;
		}
		EXPECT(!found || check(pair.recorder, heard, late),
		       "frames were lost or changed before frame %llu",
		       (unsigned long long)pair.recorder->done);
	}
	took = vt_now() - begin;
	want = vb_ns(pair.recorder, pair.recorder->done);
	EXPECT(found, "nothing of what was played was recorded");
	EXPECT(took > want - want / 100 && took < want + want / 100 +
	       2 * vt_jiffy(), "wrong speed: %lld ms took %lld ms",
	       (long long)(want / VT_MS), (long long)(took / VT_MS));
	vb_result("latency", "%lld",
		  (long long)(late + (int64_t)pair.player->buffer));
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
