// SPDX-License-Identifier: GPL-2.0-only
/*
 * Players that let their rings go round: what stands in the ring is heard, until
 * they say by a commit what is to be.
 */

#include "vpcm.h"

struct job {
	int device;
};

static struct vt_params free_running(void)
{
	struct vt_params p = vt_plain;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.stop = VT_NEVER;
	return p;
}

/* A ring that nobody commits to plays as it is, round after round. */
static void test_free_running(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = free_running();
	struct vt_stream *player = vt_player(job->device, &p);
	struct vt_stream *recorder;
	unsigned char *ring = vt_ring(player);
	unsigned int round;

	p.buffer = 9600;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_stamp(player, ring, 0, 1920);
	MUST(snd_pcm_start(player->pcm));
	for (round = 0; round < 5; round++)
		vt_hear(recorder, 0, 1920);
	/* what is written ahead of the position is heard in its turn */
	vt_hear(recorder, 0, 480);
	vt_stamp(player, ring + 1440 * player->frame_bytes, 5000, 480);
	vt_hear(recorder, 480, 960);
	vt_hear(recorder, 5000, 480);
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_RUNNING,
	       "the player stopped");
}

/* What it committed before the start says nothing of what comes after it. */
static void test_filled(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = free_running();
	struct vt_stream *player = vt_player(job->device, &p);
	struct vt_stream *recorder;
	unsigned int round;

	p.buffer = 9600;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 1920);
	MUST(snd_pcm_start(player->pcm));
	for (round = 0; round < 3; round++)
		vt_hear(recorder, 0, 1920);
}

/* As dmix: what was played is silenced by the core, and heard once. */
static void test_kept_clean(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = free_running();
	struct vt_stream *player, *recorder;
	unsigned char *ring;

	p.keep_clean = true;
	player = vt_player(job->device, &p);
	ring = vt_ring(player);
	p.keep_clean = false;
	p.buffer = 9600;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	MUST(snd_pcm_start(player->pcm));
	vt_hear_silence(recorder, 480);
	/* position 480 and a little: the third period is still to come */
	vt_stamp(player, ring + 960 * player->frame_bytes, 0, 480);
	vt_hear_silence(recorder, 480);
	vt_hear(recorder, 0, 480);
	vt_hear_silence(recorder, 1920 * 2);
}

/*
 * All of a ring that is larger than what is silenced at once, by bytes of all
 * sorts, is silent when it starts; planar as well.
 */
static void test_kept_clean_large(const void *arg)
{
	static const snd_pcm_access_t accesses[] = {
		SND_PCM_ACCESS_MMAP_INTERLEAVED,
		SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
	};
	const struct job *job = arg;
	struct vt_params p = free_running();
	struct vt_stream *player;
	unsigned char *ring;
	unsigned int i;
	size_t n;

	p.format = SND_PCM_FORMAT_U24_3LE;
	p.period = 3000;
	p.buffer = 87000;
	p.keep_clean = true;
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		p.access = accesses[i];
		player = vt_player(job->device, &p);
		ring = vt_ring(player);
		vt_stamp(player, ring, 0, p.buffer);
		MUST(snd_pcm_start(player->pcm));
		/* all samples are one there, wherever those of a frame lie */
		n = vt_silent(player, ring, p.buffer);
		EXPECT(n == p.buffer, "%s: %zu of %lu frames are silent",
		       snd_pcm_access_name(p.access), n, p.buffer);
		vt_close(player);
	}
}

/* Hears 480 frames; 1200 are committed by then, and in all of the ring is sound. */
static void start_committed(const struct job *job, struct vt_stream **player,
			    struct vt_stream **recorder)
{
	struct vt_params p = free_running();
	unsigned char *ring;

	*player = vt_player(job->device, &p);
	ring = vt_ring(*player);
	p.buffer = 9600;
	*recorder = vt_recorder(job->device, &p);
	vt_link(*player, *recorder);
	vt_play(*player, 0, 1000);
	vt_stamp(*player, ring + 1000 * (*player)->frame_bytes, 7000, 920);
	MUST(snd_pcm_start((*player)->pcm));
	vt_hear(*recorder, 0, 480);
	vt_play(*player, 1000, 200);
}

/* Once it has committed, a client says what is to be heard, and no more. */
static void test_committed(const void *arg)
{
	struct vt_stream *player, *recorder;

	start_committed(arg, &player, &recorder);
	vt_hear(recorder, 480, 720);
	vt_hear_silence(recorder, 4000);
}

/* A pause, which is silence, does not change that. */
static void test_committed_paused(const void *arg)
{
	struct vt_stream *player, *recorder;
	unsigned char *buf;
	size_t i, next = 480;

	start_committed(arg, &player, &recorder);
	buf = vt_alloc(4000 * recorder->frame_bytes);
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_pause(player->pcm, 1));
	MUST(snd_pcm_pause(player->pcm, 0));
	vt_read(recorder, buf, 4000);
	for (i = 0; i < 4000; i++, buf += recorder->frame_bytes)
		if (next < 1200 && vt_stamped(recorder, buf, next, 1))
			next++;
		else
			EXPECT(vt_silent(recorder, buf, 1),
			       "frame %zu after %zu of 1200", i, next);
	EXPECT(next == 1200, "%zu frames of 1200", next);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "goes round", test_free_running },
	{ "goes round, filled before the start", test_filled },
	{ "goes round, kept clean", test_kept_clean },
	{ "that is large is clean at first", test_kept_clean_large },
	{ "does not after a commit", test_committed },
	{ "does not after a pause", test_committed_paused },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(vt_devices() * ARRAY_SIZE(tests));
	for (job.device = 0; job.device < vt_devices(); job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &job, "device %d: a ring %s",
			       job.device, tests[i].name);
	return vt_finish();
}
