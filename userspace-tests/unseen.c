// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams that nobody looks at for longer than the ring lasts: their clients do
 * not, and there are no period wake-ups, or all are lost.
 */

#include "vctl.h"

#define RING	4800		/* frames */

struct job {
	int device;
	snd_pcm_stream_t dir;
};

static struct vt_params unseen(snd_pcm_uframes_t stop)
{
	struct vt_params p = vt_plain;

	p.nonblock = true;
	p.no_wakeup = true;
	p.buffer = RING;
	p.stop = stop;
	return p;
}

/* The xrun comes when that much more has passed than is tolerated, not sooner. */
static void test_tolerated(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = unseen(3 * RING);
	struct vt_stream *s;
	struct vt_position pos;
	snd_pcm_sframes_t avail;

	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, RING);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	vt_sleep_until(pos.trigger + vt_duration(s, 7200));
	avail = MUST(snd_pcm_avail(s->pcm));
	EXPECT(avail >= 7200 && avail < 7200 + 480, "at %ld", avail);
	vt_sleep_until(pos.trigger + vt_duration(s, 3 * RING - 1000));
	MUST(snd_pcm_avail(s->pcm));
	vt_sleep_until(pos.trigger + vt_duration(s, 3 * RING));
	REFUSED(-EPIPE, snd_pcm_avail(s->pcm));
}

/* A ring is played, and heard; both go on. */
static void play_ring(const struct job *job, struct vt_stream **player,
		      struct vt_stream **recorder)
{
	struct vt_params p = unseen(VT_NEVER);

	*player = vt_player(job->device, &p);
	p = vt_plain;
	p.buffer = 10 * RING;
	p.stop = VT_NEVER;
	*recorder = vt_recorder(job->device, &p);
	vt_link(*player, *recorder);
	vt_play(*player, 0, RING);
	MUST(snd_pcm_start((*player)->pcm));
	vt_hear(*recorder, 0, RING);
}

/* A player is silent when it has played all, and stays so. */
static void test_silent(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	unsigned int i;

	play_ring(job, &player, &recorder);
	for (i = 0; i < 3; i++) {
		vt_hear_silence(recorder, 960);
		MUST(snd_pcm_avail(player->pcm));
		vt_hear_silence(recorder, RING);
	}
}

/*
 * Late by rings, it goes on from here: what it writes now is heard, once, but
 * for what was due while it wrote.
 */
static void test_catch_up(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	snd_pcm_sframes_t avail;
	size_t quiet, good;
	unsigned char *buf;

	play_ring(job, &player, &recorder);
	vt_hear_silence(recorder, 2 * RING);
	avail = MUST(snd_pcm_avail(player->pcm));
	EXPECT(avail >= 3 * RING && avail < 3 * RING + 480, "at %ld", avail);
	MUST(snd_pcm_forward(player->pcm, avail - RING));
	vt_play(player, 5000, 960);
	buf = vt_alloc(RING * recorder->frame_bytes);
	vt_read(recorder, buf, RING);
	quiet = vt_silent(recorder, buf, RING);
	buf += quiet * recorder->frame_bytes;
	for (good = 960; good && !vt_stamped(recorder, buf, 5960 - good, 1);)
		good--;
	EXPECT(good > 960 - 100 &&
	       vt_stamped(recorder, buf, 5960 - good, good) == good,
	       "not heard, after %zu frames of silence", quiet);
	buf += good * recorder->frame_bytes;
	EXPECT(vt_silent(recorder, buf, RING - quiet - good) ==
	       RING - quiet - good, "not silent afterwards");
}

/* A ring is played, and 2000 frames later its client looks. */
static void lose_wakeups(const struct job *job, snd_pcm_access_t access,
			 struct vt_stream **player, struct vt_stream **recorder)
{
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;

	vt_use_clock(job->device, "step");
	vt_spoil(ctl, job->device, VT_LOSS, 1);
	p.buffer = RING;
	p.stop = VT_NEVER;
	p.access = access;
	*player = vt_player(job->device, &p);
	p.access = vt_plain.access;
	p.buffer = 10 * RING;
	*recorder = vt_recorder(job->device, &p);
	vt_link(*player, *recorder);
	vt_play(*player, 0, RING - 1);
	MUST(snd_pcm_start((*player)->pcm));
	/* or a mapped ring would go round */
	vt_play(*player, RING - 1, 1);
	MUST(vt_step(job->device, RING + 2000));
	MUST(snd_pcm_hwsync((*player)->pcm));
}

/*
 * With wake-ups the core takes a ring and more for less than a ring. What has
 * been played is not heard again; what is written then is, when its time comes.
 */
static void test_lost_wakeups(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;

	lose_wakeups(job, vt_plain.access, &player, &recorder);
	vt_play(player, 5000, 1000);
	MUST(vt_step(job->device, 4800));
	MUST(snd_pcm_hwsync(recorder->pcm));
	vt_hear(recorder, 0, RING);
	vt_hear_silence(recorder, RING);
	vt_hear(recorder, 5000, 1000);
	vt_hear_silence(recorder, 1000);
}

/* So is what takes the place of what has been played, and was taken back. */
static void test_lost_rewound(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;

	lose_wakeups(job, vt_plain.access, &player, &recorder);
	EXPECT(MUST(snd_pcm_rewind(player->pcm, 1000)) == 1000, "less");
	vt_play(player, 5000, 1000);
	MUST(vt_step(job->device, 4800));
	MUST(snd_pcm_hwsync(recorder->pcm));
	vt_hear(recorder, 0, RING);
	vt_hear_silence(recorder, RING - 1000);
	vt_hear(recorder, 5000, 1000);
	vt_hear_silence(recorder, 2000);
}

/* A RESET begins anew: all that is committed after it is heard, and at once. */
static void test_lost_reset(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;

	lose_wakeups(job, SND_PCM_ACCESS_MMAP_INTERLEAVED, &player, &recorder);
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_reset(player->pcm));
	vt_play(player, 5000, RING);
	MUST(vt_step(job->device, RING));
	MUST(snd_pcm_hwsync(recorder->pcm));
	vt_hear(recorder, 0, RING);
	vt_hear_silence(recorder, 2000);
	vt_hear(recorder, 5000, RING);
}

/* Much more than a ring is an xrun there, whatever is tolerated. */
static void test_lost_tolerated(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	vt_use_clock(job->device, "step");
	vt_spoil(ctl, job->device, VT_LOSS, 1);
	p.buffer = RING;
	p.stop = 3 * RING;
	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, RING);
	MUST(snd_pcm_start(s->pcm));
	MUST(vt_step(job->device, RING - 1));
	MUST(snd_pcm_hwsync(s->pcm));
	MUST(vt_step(job->device, RING));
	REFUSED(-EPIPE, snd_pcm_hwsync(s->pcm));
}

/*
 * Of a group without wake-ups the core works out by the time how many rings have
 * passed; but not in a pause, where it has waited for a lock only.
 */
static void test_pause_no_wakeup(const void *arg)
{
	struct vt_params p = unseen(VT_NEVER);
	struct vt_position before, after;
	struct vt_stream *s[2];
	int64_t paused;
	unsigned int i;

	(void)arg;
	p.buffer = 2 * RING;
	s[0] = vt_player(0, &p);
	s[1] = vt_recorder(0, &p);
	vt_link(s[0], s[1]);
	vt_play(s[0], 0, 2 * RING);
	MUST(snd_pcm_start(s[0]->pcm));
	vt_locate(s[0], &before);
	vt_sleep_until(before.trigger + 150 * VT_MS);
	MUST(snd_pcm_pause(s[0]->pcm, 1));
	paused = vt_frames(s[0], vt_now() - before.trigger);
	MUST(snd_pcm_pause(s[0]->pcm, 0));
	vt_sleep_until(vt_now() + 20 * VT_MS);
	for (i = 0; i < 2; i++) {
		vt_locate(s[i], &after);
		EXPECT(after.frames > paused && after.frames < paused + 1200,
		       "at frame %lld, paused at %lld",
		       (long long)after.frames, (long long)paused);
	}
}

static const struct {
	const char *name;
	vt_test *test;
	int dirs;
} tests[] = {
	{ "an xrun that is tolerated", test_tolerated, 2 },
	{ "silence after the last frame", test_silent, 1 },
	{ "catching up", test_catch_up, 1 },
	{ "silence, wake-ups lost", test_lost_wakeups, 1 },
	{ "taken back, wake-ups lost", test_lost_rewound, 1 },
	{ "thrown away, wake-ups lost", test_lost_reset, 1 },
	{ "an xrun, wake-ups lost", test_lost_tolerated, 2 },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * (5 + 2 * 2) + 1);
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			for (job.dir = 0; (int)job.dir < tests[i].dirs;
			     job.dir++)
				vt_run(tests[i].test, &job,
				       "device %d %s unseen: %s", job.device,
				       snd_pcm_stream_name(job.dir),
				       tests[i].name);
	vt_run(test_pause_no_wakeup, NULL, "a linked pair unseen: a pause");
	return vt_finish();
}
