// SPDX-License-Identifier: GPL-2.0-only
/*
 * RESET of a stream that runs: what waits in the ring is thrown away, and the
 * PCM core counts its pointers from the ring's beginning again. What comes after
 * it is heard at once, however long the frame lasts in which all this is done:
 * the clock is mostly one whose frames last until somebody lets them pass.
 */

#include "vctl.h"

#define RING	1920		/* frames */

struct job {
	int device;
	snd_pcm_access_t access;
};

static struct vt_params params(const struct job *job)
{
	struct vt_params p = vt_plain;

	p.access = job->access;
	p.buffer = RING;
	p.stop = VT_NEVER;
	return p;
}

/* Who maps the ring has to ask where the clock has got. */
static void step(struct vt_stream *player, struct vt_stream *recorder,
		 const struct job *job, long frames)
{
	MUST(vt_step(job->device, frames));
	MUST(snd_pcm_hwsync(player->pcm));
	MUST(snd_pcm_hwsync(recorder->pcm));
}

/* A pair that has run for more than a ring, with almost half a ring left */
static void run_pair(const struct job *job, const struct vt_params *p,
		     struct vt_stream **player, struct vt_stream **recorder)
{
	struct vt_params long_ring = *p;

	vt_use_clock(job->device, "step");
	long_ring.buffer = 4 * RING;
	*player = vt_player(job->device, p);
	*recorder = vt_recorder(job->device, &long_ring);
	vt_link(*player, *recorder);
	vt_play(*player, 0, RING);
	MUST(snd_pcm_start((*player)->pcm));
	MUST(snd_pcm_unlink((*player)->pcm));
	step(*player, *recorder, job, RING - 100);
	vt_play(*player, RING, RING / 2);
	step(*player, *recorder, job, 600);
	vt_hear(*recorder, 0, RING + 500);
}

/* Not what was waiting is heard, but what is written then, all of it. */
static void test_written(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	unsigned int i;

	run_pair(job, &p, &player, &recorder);
	for (i = 1; i < 4; i++) {
		MUST(snd_pcm_reset(player->pcm));
		vt_play(player, i * 5000, RING);
		step(player, recorder, job, RING - i);
		vt_hear(recorder, i * 5000, RING - i);
	}
}

/* The same in a pause */
static void test_paused(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;

	run_pair(job, &p, &player, &recorder);
	MUST(snd_pcm_pause(player->pcm, 1));
	MUST(snd_pcm_reset(player->pcm));
	vt_play(player, 5000, RING);
	MUST(vt_step(job->device, 700));
	MUST(snd_pcm_hwsync(recorder->pcm));
	vt_hear_silence(recorder, 700);
	MUST(snd_pcm_pause(player->pcm, 0));
	step(player, recorder, job, RING);
	vt_hear(recorder, 5000, RING);
	step(player, recorder, job, 500);
	vt_hear_silence(recorder, 500);
}

/* Nor is a round forgotten there that nobody saw pass before the pause. */
static void test_paused_unseen(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player;
	snd_pcm_sframes_t avail;

	p.nonblock = true;
	p.no_wakeup = true;
	player = vt_player(job->device, &p);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	vt_sleep_until(vt_now() + vt_duration(player, RING + 960));
	MUST(snd_pcm_pause(player->pcm, 1));
	MUST(snd_pcm_reset(player->pcm));
	vt_play(player, 5000, RING);
	MUST(snd_pcm_pause(player->pcm, 0));
	vt_sleep_until(vt_now() + vt_duration(player, 480));
	avail = MUST(snd_pcm_avail(player->pcm));
	EXPECT(avail >= 400 && avail < 960, "%ld frames of room", avail);
}

/* When nothing is, silence, up to where the client wants it to be an xrun */
static void test_tolerated(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;

	p.stop = 2 * RING;
	run_pair(job, &p, &player, &recorder);
	MUST(snd_pcm_reset(player->pcm));
	step(player, recorder, job, RING - 1);
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_RUNNING,
	       "state %s", snd_pcm_state_name(snd_pcm_state(player->pcm)));
	vt_hear_silence(recorder, RING - 1);
	MUST(vt_step(job->device, 1));
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_XRUN,
	       "state %s", snd_pcm_state_name(snd_pcm_state(player->pcm)));
}

/* A recorder goes on with the next frame. */
static void test_recorder(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	snd_pcm_sframes_t avail;

	run_pair(job, &p, &player, &recorder);
	vt_play(player, RING + RING / 2, 500);
	step(player, recorder, job, 300);
	MUST(snd_pcm_reset(recorder->pcm));
	avail = MUST(snd_pcm_avail(recorder->pcm));
	EXPECT(!avail, "%ld frames after a reset", avail);
	step(player, recorder, job, 400);
	vt_hear(recorder, RING + 800, 400);
}

/* So does one that is paused. */
static void test_recorder_paused(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	snd_pcm_sframes_t avail;

	run_pair(job, &p, &player, &recorder);
	MUST(vt_step(job->device, 200));
	MUST(snd_pcm_pause(recorder->pcm, 1));
	MUST(snd_pcm_reset(recorder->pcm));
	MUST(vt_step(job->device, 100));
	MUST(snd_pcm_pause(recorder->pcm, 0));
	avail = MUST(snd_pcm_avail(recorder->pcm));
	EXPECT(!avail, "%ld frames after a reset", avail);
	step(player, recorder, job, 100);
	vt_hear(recorder, RING + 800, 100);
}

/* One that lets its ring go round lets it go round all the same. */
static void test_free_running(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	unsigned int i;

	vt_use_clock(job->device, "step");
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_stamp(player, vt_ring(player), 0, RING);
	vt_link(player, recorder);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	for (i = 0; i < 3; i++) {
		step(player, recorder, job, RING - 10);
		vt_hear(recorder, 0, RING - 10);
		MUST(snd_pcm_reset(player->pcm));
		step(player, recorder, job, 10);
		vt_hear(recorder, RING - 10, 10);
	}
}

/* The client clock goes on when a recorder that was full has room again. */
static void test_room(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	struct vt_position pos;
	unsigned int i;

	vt_use_clock(job->device, "client");
	p.stop = 0;
	recorder = vt_recorder(job->device, &p);
	p.buffer = 4 * RING;
	player = vt_player(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 4 * RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	for (i = 1; i < 4; i++) {
		vt_sleep_until(vt_now() + 20 * VT_MS);
		vt_locate(player, &pos);
		EXPECT(pos.frames == i * (RING - 1), "at frame %lld",
		       (long long)pos.frames);
		MUST(snd_pcm_reset(recorder->pcm));
	}
	vt_sleep_until(vt_now() + 20 * VT_MS);
	vt_hear(recorder, 3 * (RING - 1), RING - 1);
}

/* It waits for a player that has nothing now, whatever the recorder does. */
static void test_waits(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	unsigned int i;

	vt_use_clock(job->device, "client");
	p.stop = 0;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	for (i = 0; i < 3; i++) {
		vt_hear(recorder, i * 5000, RING - 100);
		vt_sleep_until(vt_now() + 20 * VT_MS);
		MUST(snd_pcm_reset(player->pcm));
		MUST(snd_pcm_avail(recorder->pcm));
		vt_hear(recorder, i * 5000 + RING - 100, 99);
		vt_sleep_until(vt_now() + 20 * VT_MS);
		vt_play(player, (i + 1) * 5000, RING);
	}
}

/* So it does in a pause, before anything has been played. */
static void test_waits_paused(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.stop = 0;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 1);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_pause(player->pcm, 1));
	MUST(snd_pcm_reset(player->pcm));
	MUST(snd_pcm_pause(player->pcm, 0));
	vt_sleep_until(vt_now() + 20 * VT_MS);
	vt_play(player, 5000, RING);
	vt_hear(recorder, 5000, RING - 1);
}

/* But not if its client waits for more than it can get. */
static void test_waits_in_vain(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.stop = 0;
	recorder = vt_recorder(job->device, &p);
	p.buffer = 4 * RING;
	p.avail_min = 4 * RING + 1;
	player = vt_player(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 2 * RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_sleep_until(vt_now() + 20 * VT_MS);
	MUST(snd_pcm_reset(player->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
	REFUSED(-EPIPE, snd_pcm_wait(player->pcm, 1000));
}

struct sleeper {
	struct vt_stream *player;
	bool polls;
};

struct part {
	const struct sleeper *sleeper;
	void (*live)(const void *sleeper);
};

/* A ring more than what has been written, of which there is no room for a frame */
static void live_writing(const void *arg)
{
	const struct sleeper *sleeper = arg;

	vt_play(sleeper->player, RING, RING - 1);
	if (sleeper->polls)
		EXPECT(MUST(snd_pcm_wait(sleeper->player->pcm, 5000)) == 1,
		       "nobody is told of the room");
	vt_play(sleeper->player, 2 * RING - 1, RING);
}

static void live_resetting(const void *arg)
{
	const struct sleeper *sleeper = arg;

	vt_sleep_until(vt_now() + 20 * VT_MS);
	MUST(snd_pcm_reset(sleeper->player->pcm));
}

static void live_part(const void *arg)
{
	const struct part *part = arg;

	part->live(part->sleeper);
}

/* Who waits for room has it then, though no time has passed. */
static void test_asleep(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *recorder;
	struct sleeper sleeper;
	struct part parts[] = { { &sleeper, live_writing },
				{ &sleeper, live_resetting } };
	int polls;

	vt_use_clock(job->device, "client");
	p.stop = 0;
	for (polls = 0; polls < 2; polls++) {
		sleeper.polls = polls;
		sleeper.player = vt_player(job->device, &p);
		recorder = vt_recorder(job->device, &p);
		vt_link(sleeper.player, recorder);
		vt_play(sleeper.player, 0, RING);
		MUST(snd_pcm_start(recorder->pcm));
		MUST(snd_pcm_unlink(recorder->pcm));
		vt_threads(live_part, parts, sizeof(parts[0]), 2);
		vt_hear(recorder, 0, RING - 1);
		vt_hear(recorder, 2 * RING - 1, RING - 1);
		vt_close(sleeper.player);
		vt_close(recorder);
	}
}

/*
 * A recorder that only its linked player's drain lets run begins at its START
 * with what has been heard since.
 */
static void test_dragged(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(job);
	struct vt_stream *player, *recorder;
	snd_pcm_sframes_t avail;

	vt_use_clock(job->device, "step");
	recorder = vt_recorder(job->device, &p);
	player = vt_player(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_nonblock(player->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(player->pcm));
	MUST(vt_step(job->device, 720));
	MUST(snd_pcm_unlink(recorder->pcm));
	MUST(snd_pcm_reset(recorder->pcm));
	MUST(snd_pcm_start(recorder->pcm));
	MUST(vt_step(job->device, 48));
	avail = MUST(snd_pcm_avail(recorder->pcm));
	EXPECT(avail == 48, "%ld frames in 48", avail);
	vt_hear(recorder, 720, 48);
}

static const struct {
	const char *name;
	vt_test *test;
	bool mapped;
} tests[] = {
	{ "what is written after it", test_written },
	{ "what is committed after it", test_written, true },
	{ "in a pause", test_paused },
	{ "in a pause, mapped", test_paused, true },
	{ "in a pause, a round unseen", test_paused_unseen },
	{ "with nothing after it", test_tolerated },
	{ "of a recorder", test_recorder },
	{ "of a recorder in a pause", test_recorder_paused },
	{ "of a recorder that was full", test_room },
	{ "of a player that is waited for", test_waits },
	{ "of one that has played nothing", test_waits_paused },
	{ "of one that waits in vain", test_waits_in_vain },
	{ "of one whose client sleeps", test_asleep },
	{ "of a recorder in another one's drain", test_dragged },
	{ "of a ring that plays as it is", test_free_running, true },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * ARRAY_SIZE(tests));
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++) {
			job.access = tests[i].mapped ?
				SND_PCM_ACCESS_MMAP_INTERLEAVED :
				SND_PCM_ACCESS_RW_INTERLEAVED;
			vt_run(tests[i].test, &job, "device %d reset, %s",
			       job.device, tests[i].name);
		}
	return vt_finish();
}
