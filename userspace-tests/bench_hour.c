// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes to play, loop, record and compare an hour of sound on a
 * clock that goes as fast as its clients, in seconds of time.
 *
 *	device=N seconds=N	of sound
 */

#include <sys/wait.h>
#include "vbpcm.h"

static unsigned char *pattern;
static volatile bool never;

static void play(const void *arg)
{
	struct vb_pair *pair = *(struct vb_pair * const *)arg;
	uint64_t frames = vb_arg("seconds", 3600) * pair->player->p.rate;

	while (pair->player->done < frames)
		vb_write_period(pair->player, pattern);
	MUST(snd_pcm_drain(pair->player->pcm));
}

static void record(struct vb_stream *s, uint64_t frames)
{
	unsigned char *heard = vt_alloc(s->p.period * s->frame_bytes);
	uint64_t next = vb_read_until_heard(s, heard, &never);

	while (next + s->p.period <= frames) {
		vb_read_period(s, heard);
		vb_expect_pattern(s, heard, pattern, next);
		next += s->p.period;
	}
}

static void measure(const void *arg)
{
	uint64_t seconds = vb_arg("seconds", 3600);
	struct vb_params p = vb_params();
	struct vb_pair pair, *shared = &pair;
	int64_t begin;
	pid_t player;

	(void)arg;
	pattern = vb_pattern(&p);
	vb_open_pair(&pair, vb_arg("device", 0), 0, &p);
	begin = vt_now();
	player = vt_fork(play, &shared);
	record(pair.recorder, seconds * p.rate);
	vt_reap(player, 0);
	vb_result("hour", "%.2f", (double)(vt_now() - begin) / VT_SECOND);
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
