// SPDX-License-Identifier: GPL-2.0-only
/*
 * A drain waits for its last frame however long a clock takes to get there,
 * whether it finds the player PREPARED or RUNNING, alone or linked with the
 * recorder of its cable. The PCM core would give it up.
 */

#include "vctl.h"

#define FRAMES	1920			/* a full ring */
#define SLOW	100			/* how slow the scaled clock is */
#define LASTS	(40 * VT_MS * SLOW)	/* a full ring by it */

/**
 * struct job - a drain
 * @device: on which
 * @clock: by which clock, which tells how it ends
 * @running: whether the player has been started before
 * @linked: whether the recorder is linked to it, in the same state
 */
struct job {
	int device;
	enum { STEP, CLIENT, SCALED } clock;
	bool running;
	bool linked;
};

static const char *const clocks[] = { "step", "client", "scaled" };

/**
 * struct side - the one who drains, or the one who lets time pass
 * @job: the job
 * @player: the player
 * @drains: which of the two it is
 * @done: when the drain has returned; 0 before
 */
struct side {
	const struct job *job;
	struct vt_stream *player;
	bool drains;
	volatile int64_t *done;
};

static void step(const struct job *job, long frames)
{
	if (job->clock == STEP)
		MUST(vt_ctl_set(vt_ctl(), VT_STEP, job->device, 0, frames, 0));
}

/*
 * Time stands still for long; then it passes, up to the last frame. A drain
 * that does not end is ended.
 */
static void let_pass(const struct side *side)
{
	int64_t limit = VT_SECOND;

	if (side->job->clock == SCALED)
		limit += LASTS;
	if (side->job->clock == STEP) {
		vt_sleep_until(vt_now() + 3 * VT_SECOND);
		EXPECT(!*side->done, "done while time stood still");
		step(side->job, FRAMES - 1);
		vt_sleep_until(vt_now() + 3 * VT_SECOND);
		EXPECT(!*side->done, "done a frame too soon");
		step(side->job, 1);
	}
	vt_sleep_until(vt_now() + limit);
	if (*side->done)
		return;
	snd_pcm_drop(side->player->pcm);
	EXPECT(false, "not done a second after the last frame");
}

static void live_side(const void *arg)
{
	const struct side *side = arg;
	int64_t began = vt_now();
	int err;

	if (!side->drains) {
		let_pass(side);
		return;
	}
	err = snd_pcm_drain(side->player->pcm);
	*side->done = vt_now();
	EXPECT(!err, "drain: %s after %lld ms", snd_strerror(err),
	       (long long)((vt_now() - began) / VT_MS));
}

/* Tells when it has ended. */
static int64_t drain(const struct job *job, struct vt_stream *player)
{
	volatile int64_t done = 0;
	const struct side sides[] = {
		{ job, player, true, &done }, { job, player, false, &done },
	};

	vt_threads(live_side, sides, sizeof(sides[0]), ARRAY_SIZE(sides));
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(player->pcm)));
	return done;
}

/* What has been drained or dragged along is as good as new. */
static void expect_usable(const struct job *job, struct vt_stream *player,
			  struct vt_stream *recorder)
{
	if (job->linked)
		MUST(snd_pcm_unlink(recorder->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
	vt_prepare(player);
	vt_prepare(recorder);
	vt_link(player, recorder);
	vt_play(player, 7000, FRAMES);
	MUST(snd_pcm_start(player->pcm));
	step(job, 960);
	vt_hear(recorder, 7000, 960);
}

static void test_drain(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	const int last = vt_substreams() - 1;	/* others are closed */
	struct vt_params p = vt_plain;
	int64_t began, ended;

	vt_use_scale(job->device, 1, SLOW);
	vt_use_clock(job->device, clocks[job->clock]);
	p.stop = VT_NEVER;
	player = vt_open(job->device, last, SND_PCM_STREAM_PLAYBACK, 0);
	recorder = vt_open(job->device, last, SND_PCM_STREAM_CAPTURE, 0);
	MUST(vt_configure(player, &p));
	MUST(vt_configure(recorder, &p));
	if (job->linked)
		vt_link(player, recorder);
	vt_play(player, 0, FRAMES);
	began = vt_now();
	if (job->running)
		MUST(snd_pcm_start(player->pcm));
	/* what the driver does for a drain that follows at once is over */
	if (job->running && job->clock != CLIENT)
		vt_sleep_until(began + 100 * VT_MS);
	ended = drain(job, player);
	if (job->clock == SCALED)
		vt_expect_time(ended, began + LASTS, 10 * VT_MS,
			       "the end");
	expect_usable(job, player, recorder);
}

/* What drains with it, on another device, is waited for as well. */
static void test_both(const void *arg)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s[2];
	int i;

	(void)arg;
	p.stop = VT_NEVER;
	for (i = 0; i < 2; i++) {
		vt_use_scale(i, 1, SLOW);
		vt_use_clock(i, "scaled");
		s[i] = vt_player(i, &p);
		vt_play(s[i], 0, FRAMES / (2 - i));
	}
	vt_link(s[0], s[1]);
	MUST(snd_pcm_start(s[0]->pcm));
	/* what the driver does for a drain that follows at once is over */
	vt_sleep_until(vt_now() + 100 * VT_MS);
	MUST(snd_pcm_drain(s[0]->pcm));
	for (i = 0; i < 2; i++)
		EXPECT(snd_pcm_state(s[i]->pcm) == SND_PCM_STATE_SETUP,
		       "device %d is %s", i,
		       snd_pcm_state_name(snd_pcm_state(s[i]->pcm)));
}

/* Nor is it given up beside a player that does not drain, whichever is first. */
static void test_beside(const void *arg)
{
	const int *subdevice = arg;	/* that drains */
	const int last = vt_substreams() - 1;
	struct vt_stream *player, *other;

	EXPECT(last, "the card has only one substream");
	vt_use_scale(0, 1, SLOW);
	vt_use_clock(0, "scaled");
	player = vt_open(0, *subdevice, SND_PCM_STREAM_PLAYBACK, 0);
	other = vt_open(0, last - *subdevice, SND_PCM_STREAM_PLAYBACK, 0);
	MUST(vt_configure(player, &vt_plain));
	MUST(vt_configure(other, &vt_plain));
	vt_play(player, 0, FRAMES);
	vt_play(other, 0, FRAMES);
	MUST(snd_pcm_start(player->pcm));
	/* what the driver does for a drain that follows at once is over */
	vt_sleep_until(vt_now() + 100 * VT_MS);
	MUST(snd_pcm_drain(player->pcm));
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(player->pcm)));
}

/* A drain, and what happens on the other substream until that is over */
struct amid {
	struct vt_stream *s;
	bool drains;
	volatile bool *over;
};

static void live_amid(const void *arg)
{
	const struct amid *amid = arg;
	int err;

	if (amid->drains) {
		err = snd_pcm_drain(amid->s->pcm);
		*amid->over = true;
		EXPECT(!err, "drain: %s", snd_strerror(err));
		return;
	}
	while (!*amid->over) {
		vt_play(amid->s, 0, FRAMES);
		MUST(snd_pcm_start(amid->s->pcm));
		MUST(snd_pcm_drop(amid->s->pcm));
		vt_prepare(amid->s);
		vt_sleep_until(vt_now() + 10 * VT_MS);
	}
}

/* Nor while another player starts again and again: a start may be a drain's. */
static void test_amid(const void *arg)
{
	volatile bool over = false;
	struct amid sides[2];
	unsigned int i;

	(void)arg;
	EXPECT(vt_substreams() > 1, "the card has only one substream");
	vt_use_scale(0, 1, SLOW);
	vt_use_clock(0, "scaled");
	for (i = 0; i < 2; i++) {
		sides[i].s = vt_open(0, i, SND_PCM_STREAM_PLAYBACK, 0);
		MUST(vt_configure(sides[i].s, &vt_plain));
		sides[i].drains = !i;
		sides[i].over = &over;
	}
	vt_play(sides[0].s, 0, FRAMES);
	MUST(snd_pcm_start(sides[0].s->pcm));
	vt_threads(live_amid, sides, sizeof(sides[0]), ARRAY_SIZE(sides));
	vt_expect_state(sides[0].s, SND_PCM_STATE_SETUP);
}

static void run_clock(struct job *job)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		job->running = i & 1;
		job->linked = i & 2;
		vt_run(test_drain, job, "device %d %s: a %s player%s",
		       job->device, clocks[job->clock],
		       job->running ? "running" : "prepared",
		       job->linked ? ", linked" : "");
	}
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;
	int last;

	vt_init(argc, argv, 200);
	vt_plan(2 * ARRAY_SIZE(clocks) * 4 + 4);
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(clocks); i++) {
			job.clock = i;
			run_clock(&job);
		}
	vt_run(test_both, NULL, "players of two devices, linked");
	last = vt_substreams() - 1;
	vt_run(test_beside, &(const int){ 0 }, "the first beside another");
	vt_run(test_beside, &last, "the last beside another");
	vt_run(test_amid, NULL, "beside one that starts again and again");
	return vt_finish();
}
