// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits by the step clock waits until time has passed for it, however long
 * it stands still.
 */

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include "vctl.h"

struct job {
	int device;
};

static int64_t where(struct vt_stream *s)
{
	struct vt_position pos;

	vt_locate(s, &pos);
	EXPECT(pos.state == SND_PCM_STATE_RUNNING ||
	       pos.state == SND_PCM_STATE_DRAINING, "state %s",
	       snd_pcm_state_name(pos.state));
	return pos.frames;
}

static void expect_at(struct vt_stream *s, int64_t wanted)
{
	int64_t at = where(s);

	EXPECT(at == wanted, "%s at frame %lld, wanted %lld",
	       snd_pcm_stream_name(s->dir), (long long)at, (long long)wanted);
}

/* A client that waits, and the one who lets time pass meanwhile */
struct side {
	struct vt_stream *player, *recorder;
	int device;
	enum { DRAINS, WRITES, READS, STEPS_TO_END, STEPS_PERIOD } does;
	volatile int *done;
};

static void live_side(const void *arg)
{
	const struct side *side = arg;

	switch (side->does) {
	case DRAINS:
		MUST(snd_pcm_drain(side->player->pcm));
		break;
	case WRITES:
		vt_play(side->player, side->player->done, 480);
		break;
	case READS:
		vt_hear(side->recorder, side->recorder->done, 480);
		break;
	case STEPS_TO_END:
		vt_sleep_until(vt_now() + 5 * VT_SECOND);
		EXPECT(!*side->done, "done while time stood still");
		MUST(vt_step(side->device, 300));
		vt_sleep_until(vt_now() + 5 * VT_SECOND);
		EXPECT(!*side->done, "done too soon");
		expect_at(side->player, 300);
		MUST(vt_step(side->device, side->player->done - 301));
		vt_sleep_until(vt_now() + 100 * VT_MS);
		EXPECT(!*side->done, "done a frame too soon");
		MUST(vt_step(side->device, -1));
		return;
	case STEPS_PERIOD:
		vt_sleep_until(vt_now() + 12 * VT_SECOND);
		EXPECT(!*side->done, "done while time stood still");
		MUST(vt_step(side->device, 479));
		vt_sleep_until(vt_now() + 12 * VT_SECOND);
		EXPECT(!*side->done, "done a frame too soon");
		MUST(vt_step(side->device, 1));
		return;
	}
	*side->done = 1;
}

static void wait_for_steps(const struct job *job, int does, int steps,
			   uint64_t frames)
{
	volatile int done = 0;
	struct side sides[2];

	vt_use_clock(job->device, "step");
	sides[0].player = vt_player(job->device, &vt_plain);
	sides[0].recorder = vt_recorder(job->device, &vt_plain);
	vt_link(sides[0].player, sides[0].recorder);
	vt_play(sides[0].player, 0, frames);
	MUST(snd_pcm_start(sides[0].player->pcm));
	MUST(snd_pcm_unlink(sides[0].player->pcm));
	sides[0].device = job->device;
	sides[0].done = &done;
	sides[1] = sides[0];
	sides[0].does = does;
	sides[1].does = steps;
	vt_threads(live_side, sides, sizeof(sides[0]), 2);
	EXPECT(done, "the client is not done");
	if (does == DRAINS)
		EXPECT(snd_pcm_state(sides[0].player->pcm) ==
		       SND_PCM_STATE_SETUP, "not drained");
	vt_hear(sides[0].recorder, sides[0].recorder->done,
		(does == DRAINS ? frames : 480) - sides[0].recorder->done);
}

static void test_drain(const void *arg)
{
	wait_for_steps(arg, DRAINS, STEPS_TO_END, 1000);
}

static void test_short_drain(const void *arg)
{
	wait_for_steps(arg, DRAINS, STEPS_TO_END, 479);
}

static void live_step(const void *arg)
{
	MUST(vt_step(*(const int *)arg, 1));
}

/* A step of one frame, which is given up if it does not return */
static void expect_step(int device)
{
	int64_t until = vt_now() + 2 * VT_SECOND;
	pid_t pid = vt_fork(live_step, &device);
	int status;

	while (!SYS(waitpid(pid, &status, WNOHANG))) {
		if (vt_now() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			EXPECT(false, "the step does not return");
		}
		vt_sleep_until(vt_now() + VT_MS);
	}
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "the step failed");
}

/* All is played already: a frame more is enough, whatever the period. */
static void test_late_drain(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int i;
	int err;

	vt_use_clock(job->device, "step");
	p.stop = VT_NEVER;
	for (i = 0; i < 3; i++) {
		s = vt_player(job->device, &p);
		vt_play(s, 0, 700);
		MUST(snd_pcm_start(s->pcm));
		MUST(vt_step(job->device, 700 + i * 10));
		expect_at(s, 700 + i * 10);
		MUST(snd_pcm_nonblock(s->pcm, 1));
		err = snd_pcm_drain(s->pcm);
		EXPECT(!err || err == -EAGAIN, "drain: %s", snd_strerror(err));
		expect_step(job->device);
		vt_wait_state(s, SND_PCM_STATE_SETUP, VT_SECOND);
		vt_close(s);
	}
}

static void test_write(const void *arg)
{
	wait_for_steps(arg, WRITES, STEPS_PERIOD, 1920);
}

static void test_read(const void *arg)
{
	wait_for_steps(arg, READS, STEPS_PERIOD, 1920);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "a drain waits", test_drain },
	{ "a drain of less than a period waits", test_short_drain },
	{ "a drain of what has all been played", test_late_drain },
	{ "a writer waits", test_write },
	{ "a reader waits", test_read },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 200);
	vt_plan(2 * ARRAY_SIZE(tests));
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &job, "device %d step, %s",
			       job.device, tests[i].name);
	return vt_finish();
}
