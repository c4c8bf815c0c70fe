// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call costs its caller on a running stream: snd_pcm_writei() of a
 * period, and snd_pcm_avail(); medians, in us.
 *
 *	recorder=0	nobody records what is played; by default it is recorded
 *	writes=N	periods
 *	batches=N	of 100 calls of snd_pcm_avail()
 */

#include <string.h>
#include "vbpcm.h"

#define WRITES_MAX	100000
#define BATCHES_MAX	100000
#define BATCH		100	/* calls of snd_pcm_avail() timed at once */

static double time_writes(struct vb_stream *s, const unsigned char *pattern,
			  unsigned int writes)
{
	static double ns[WRITES_MAX];
	unsigned int i;

	EXPECT(writes <= WRITES_MAX, "at most %u writes", WRITES_MAX);
	for (i = 0; i < s->p.periods; i++)
		vb_write_period(s, pattern);
	for (i = 0; i < writes; i++) {
		EXPECT(MUST(snd_pcm_wait(s->pcm, 2000)) == 1,
		       "nothing happened for 2 s");
		ns[i] = -vt_now();
		vb_write_period(s, pattern);
		ns[i] += vt_now();
	}
	return vb_median(ns, writes) - vb_clock_cost();
}

static double time_avails(struct vb_stream *s, unsigned int batches)
{
	static double ns[BATCHES_MAX];
	unsigned int i, j;

	EXPECT(batches <= BATCHES_MAX, "at most %u batches", BATCHES_MAX);
	for (i = 0; i < batches; i++) {
		ns[i] = -vt_now();
		for (j = 0; j < BATCH; j++)
			MUST(snd_pcm_avail(s->pcm));
		ns[i] += vt_now();
	}
	return (vb_median(ns, batches) - vb_clock_cost()) / BATCH;
}

static void measure(const void *arg)
{
	struct vb_params p = vb_params(), free_running = p;
	unsigned char *pattern = vb_pattern(&p);
	struct vb_stream *recorder, *player;

	(void)arg;
	free_running.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	free_running.forever = true;
	if (vb_arg("recorder", 1)) {
		recorder = vb_open(SND_PCM_STREAM_CAPTURE, 0, 0,
				   &free_running);
		MUST(snd_pcm_start(recorder->pcm));
	}
	player = vb_open(SND_PCM_STREAM_PLAYBACK, 0, 0, &p);
	vb_result("writei", "%.3f",
		  time_writes(player, pattern, vb_arg("writes", 1000)) / 1000);
	vb_close(player);
	player = vb_open(SND_PCM_STREAM_PLAYBACK, 0, 0, &free_running);
	vb_stamp(player, player->ring, 0, player->buffer, player->buffer);
	MUST(snd_pcm_start(player->pcm));
	vt_sleep_until(vt_now() + VT_SECOND);
	vb_result("avail", "%.3f",
		  time_avails(player, vb_arg("batches", 1000)) / 1000);
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
