// SPDX-License-Identifier: GPL-2.0-only
/*
 * An end that is started while its peer runs, at any moment of a frame of it: it
 * begins with the next whole frame, and a recorder that runs already hears its
 * player from the first frame on.
 */

#include <stdlib.h>
#include "vpcm.h"

#define ROUNDS	300
#define FRAMES	1024

struct job {
	snd_pcm_stream_t dir;		/* of the one that is started */
	unsigned int rate;
};

static struct vt_stream *open_end(const struct job *job, snd_pcm_stream_t dir,
				  snd_pcm_uframes_t buffer)
{
	struct vt_params p = vt_plain;

	p.rate = job->rate;
	p.channels = 1;
	p.period = buffer / 4;
	p.buffer = buffer;
	p.stop = VT_NEVER;
	return vt_stream(0, dir, &p);
}

static void prepare_again(struct vt_stream *s)
{
	MUST(snd_pcm_drop(s->pcm));
	vt_prepare(s);
}

/* The first frame passed at the very instant that is told for the start. */
static void expect_exact(struct vt_stream *s)
{
	struct vt_position pos;
	int64_t passed;

	vt_sleep_until(vt_now() + 2 * VT_SECOND / s->p.rate);
	vt_locate(s, &pos);
	passed = pos.frames * VT_SECOND / s->p.rate;
	EXPECT(llabs(pos.stamp - pos.trigger - passed) <= 1,
	       "%lld frames in %lld ns", (long long)pos.frames,
	       (long long)(pos.stamp - pos.trigger));
}

/* At most a frame later than it was asked for, and never before */
static void test_instant(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *runs, *s;
	struct vt_position pos;
	int64_t before, after;
	uint64_t seed = job->rate;
	unsigned int i;

	runs = open_end(job, !job->dir, FRAMES);
	s = open_end(job, job->dir, FRAMES);
	if (runs->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(runs, 0, FRAMES);
	MUST(snd_pcm_start(runs->pcm));
	for (i = 0; i < ROUNDS; i++) {
		prepare_again(s);
		if (s->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, FRAMES);
		vt_sleep_until(vt_now() + vt_random(&seed, 2 * VT_MS));
		before = vt_now();
		MUST(snd_pcm_start(s->pcm));
		after = vt_now();
		vt_locate(s, &pos);
		EXPECT(pos.trigger >= before &&
		       pos.trigger <= after + VT_SECOND / job->rate + 1,
		       "began %lld ns after the call, which took %lld",
		       (long long)(pos.trigger - before),
		       (long long)(after - before));
		expect_exact(s);
	}
}

/* Silence, and then all that is played: a start takes part of a frame, too. */
static void test_hears(const void *arg)
{
	const struct job *job = arg;
	const int64_t a_while = FRAMES * VT_SECOND / job->rate;
	const size_t ring = 4 * FRAMES;
	struct vt_stream *player, *recorder;
	uint64_t seed = job->rate;
	size_t silent, n;
	unsigned int i;
	char *heard;

	player = open_end(job, SND_PCM_STREAM_PLAYBACK, FRAMES);
	recorder = open_end(job, SND_PCM_STREAM_CAPTURE, ring);
	heard = vt_alloc(ring * recorder->frame_bytes);
	for (i = 0; i < ROUNDS; i++) {
		prepare_again(player);
		prepare_again(recorder);
		vt_play(player, 1, FRAMES);
		MUST(snd_pcm_start(recorder->pcm));
		vt_sleep_until(vt_now() + vt_random(&seed, a_while));
		MUST(snd_pcm_start(player->pcm));
		vt_read(recorder, heard, ring);
		silent = vt_silent(recorder, heard, ring);
		EXPECT(silent <= ring - FRAMES, "%zu frames of silence",
		       silent);
		n = vt_stamped(recorder, heard + silent * recorder->frame_bytes,
			       1, FRAMES);
		EXPECT(n == FRAMES, "after %zu of silence the frame %zu is off",
		       silent, n);
	}
}

int main(int argc, char **argv)
{
	static const unsigned int rates[] = { 8000, 48000, 768000 };
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 580);
	vt_plan(3 * ARRAY_SIZE(rates));
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		job.rate = rates[i];
		for (job.dir = 0; job.dir <= SND_PCM_STREAM_LAST; job.dir++)
			vt_run(test_instant, &job, "a %s beside its peer, %u Hz",
			       job.dir ? "recorder" : "player", job.rate);
		vt_run(test_hears, &job, "the first frame is heard, %u Hz",
		       job.rate);
	}
	return vt_finish();
}
