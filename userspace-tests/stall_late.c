// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine stands still, and the client comes before the timer: what it writes
 * then is late, and a drain of nothing ends.
 */

#include <errno.h>
#include "vstall.h"

#define ROUNDS	10		/* the timer may be first, now and then */
#define RING	4800		/* frames */
#define FRAMES	1000		/* that are there in time */

struct late {
	struct vt_stream *player, *recorder;
	int64_t began;
};

/* A mapped player, for what such a one commits nobody looks at */
static void start_late(struct late *late, snd_pcm_uframes_t stop)
{
	struct vt_params p = vt_plain;
	struct vt_position pos;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.period = RING / 2;
	p.buffer = RING;
	p.stop = stop;
	late->player = vt_player(0, &p);
	p.buffer = 2 * RING;
	p.stop = VT_NEVER;
	late->recorder = vt_recorder(0, &p);
	vt_link(late->player, late->recorder);
	vt_play(late->player, 0, FRAMES);
	MUST(snd_pcm_start(late->player->pcm));
	MUST(snd_pcm_unlink(late->player->pcm));
	vt_locate(late->recorder, &pos);
	late->began = pos.trigger;
}

static void end_late(struct late *late)
{
	vt_close(late->player);
	vt_close(late->recorder);
}

/* alsa-lib would look itself where there is more room than it knows of. */
static void commit(struct vt_stream *s, snd_pcm_uframes_t frames)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, n = frames;
	unsigned char *area;

	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &n));
	EXPECT(n == frames, "room for %lu frames", n);
	area = areas[0].addr;
	vt_stamp(s, area + offset * s->frame_bytes, offset, n);
	MUST(snd_pcm_mmap_commit(s->pcm, offset, n));
}

/* The recorder has heard silence in their place: that was an xrun. */
static void test_commit(const void *arg)
{
	struct late late;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		start_late(&late, RING);
		vt_sleep_until(late.began + 15 * VT_MS);
		vt_jump(20 * VT_MS);
		MUST(snd_pcm_avail(late.recorder->pcm));
		commit(late.player, 2000);
		REFUSED(-EPIPE, snd_pcm_avail(late.player->pcm));
		end_late(&late);
	}
}

/* A RESET before it throws that away as well: nothing is missed. */
static void test_reset(const void *arg)
{
	struct late late;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		start_late(&late, RING + 480);
		vt_sleep_until(late.began + 15 * VT_MS);
		vt_jump(40 * VT_MS);
		MUST(snd_pcm_avail(late.recorder->pcm));
		MUST(snd_pcm_reset(late.player->pcm));
		commit(late.player, 2000);
		MUST(snd_pcm_avail(late.player->pcm));
		end_late(&late);
	}
}

/* All has been played when the drain begins; then the machine stands still. */
static void test_drain(const void *arg)
{
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;
	unsigned int i;

	(void)arg;
	p.rate = 5512;		/* a frame lasts until the jump */
	p.buffer = RING;
	p.stop = VT_NEVER;
	p.nonblock = true;
	s = vt_player(0, &p);
	for (i = 0; i < ROUNDS; i++) {
		vt_play(s, 0, 700);
		MUST(snd_pcm_start(s->pcm));
		vt_locate(s, &pos);
		vt_sleep_until(pos.trigger + vt_duration(s, 720));
		MUST(snd_pcm_avail(s->pcm));
		snd_pcm_drain(s->pcm);
		vt_jump(2 * VT_SECOND);
		vt_wait_state(s, SND_PCM_STATE_SETUP, VT_SECOND);
		vt_prepare(s);
	}
}

int main(int argc, char **argv)
{
	vt_init(argc, argv, 60);
	vt_load_stalls();
	vt_plan(3);
	vt_run(test_commit, NULL, "a commit that is late is an xrun");
	vt_run(test_reset, NULL, "a commit after a reset is not");
	vt_run(test_drain, NULL, "a drain with nothing left ends");
	return vt_finish();
}
