// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system suspends (to idle, devices only) while streams run: they are
 * suspended where they are, clients are told by -ESTRPIPE, and what resumes
 * goes on with the next frame; a drain and a pause come back too.
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vctl.h"

#define RING	24000	/* frames: it may take 0.1 s until a device suspends */
#define RESUME	_IO('A', 0x47)

struct job {
	const char *clock;
	bool linked;
};

struct loop {
	const char *clock;
	struct vt_stream *player, *recorder;
	uint64_t heard;
};

static void start_loop(struct loop *loop, const struct job *job)
{
	struct vt_params p = vt_plain;

	p.buffer = RING;
	vt_use_clock(0, job->clock);
	loop->clock = job->clock;
	loop->player = vt_player(0, &p);
	loop->recorder = vt_recorder(0, &p);
	loop->heard = 0;
	vt_link(loop->player, loop->recorder);
	vt_play(loop->player, 0, RING);
	MUST(snd_pcm_start(loop->player->pcm));
	if (!job->linked)
		MUST(snd_pcm_unlink(loop->player->pcm));
}

static void run_loop(struct loop *loop, unsigned int periods)
{
	while (periods--) {
		if (!strcmp(loop->clock, "step"))
			MUST(vt_step(0, 480));
		vt_hear(loop->recorder, loop->heard, 480);
		vt_play(loop->player, loop->heard + RING, 480);
		loop->heard += 480;
	}
}

static void expect_suspended(struct vt_stream *s)
{
	char frame[8];

	vt_expect_state(s, SND_PCM_STATE_SUSPENDED);
	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		REFUSED(-ESTRPIPE, snd_pcm_writei(s->pcm, frame, 1));
	else
		REFUSED(-ESTRPIPE, snd_pcm_readi(s->pcm, frame, 1));
}

/*
 * Linked streams resume at one instant, so no frame is missing. Of two that are
 * not, each resumes with its next frame; the other may be ahead by then.
 */
static void test_resume(const void *arg)
{
	const struct job *job = arg;
	unsigned int i, rounds = job->linked ? 3 : 1;
	struct vt_position before, after;
	struct loop loop;

	start_loop(&loop, job);
	for (i = 0; i < rounds; i++) {
		run_loop(&loop, 10);
		vt_locate(loop.recorder, &before);
		vt_go_down();
		expect_suspended(loop.player);
		expect_suspended(loop.recorder);
		vt_locate(loop.recorder, &after);
		EXPECT(after.frames >= before.frames, "went back");
		before = after;
		MUST(snd_pcm_resume(loop.player->pcm));
		if (!job->linked)
			MUST(snd_pcm_resume(loop.recorder->pcm));
		vt_expect_state(loop.player, SND_PCM_STATE_RUNNING);
		vt_expect_state(loop.recorder, SND_PCM_STATE_RUNNING);
		vt_locate(loop.recorder, &after);
		/* the client clock makes up for what there was room for */
		EXPECT(!strcmp(job->clock, "client") ||
		       after.frames - before.frames < 480 * vt_slow(),
		       "jumped by %lld frames",
		       (long long)(after.frames - before.frames));
		if (job->linked)
			run_loop(&loop, 30);
	}
}

/* A client that prepares anew instead has lost nothing but time. */
static void test_prepare(const void *arg)
{
	const struct job *job = arg;
	struct loop loop;

	start_loop(&loop, job);
	run_loop(&loop, 10);
	vt_go_down();
	expect_suspended(loop.player);
	MUST(snd_pcm_drop(loop.player->pcm));
	MUST(snd_pcm_drop(loop.recorder->pcm));
	MUST(snd_pcm_unlink(loop.player->pcm));
	vt_prepare(loop.player);
	vt_prepare(loop.recorder);
	vt_link(loop.player, loop.recorder);
	vt_play(loop.player, 0, RING);
	MUST(snd_pcm_start(loop.player->pcm));
	loop.heard = 0;
	run_loop(&loop, 30);
}

/* Suspended in a pause and in a drain, which ends with its last frame */
static void test_pause_and_drain(const void *arg)
{
	const struct job *job = arg;
	struct loop loop;

	start_loop(&loop, job);
	run_loop(&loop, 10);
	MUST(snd_pcm_pause(loop.player->pcm, 1));
	vt_go_down();
	if (snd_pcm_state(loop.player->pcm) == SND_PCM_STATE_SUSPENDED)
		MUST(snd_pcm_resume(loop.player->pcm));
	if (snd_pcm_state(loop.player->pcm) == SND_PCM_STATE_PAUSED)
		MUST(snd_pcm_pause(loop.player->pcm, 0));
	run_loop(&loop, 30);
	MUST(snd_pcm_unlink(loop.player->pcm));
	MUST(snd_pcm_nonblock(loop.player->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(loop.player->pcm));
	vt_go_down();
	vt_expect_state(loop.player, SND_PCM_STATE_SUSPENDED);
	MUST(snd_pcm_resume(loop.player->pcm));
	MUST(snd_pcm_resume(loop.recorder->pcm));
	vt_expect_state(loop.player, SND_PCM_STATE_DRAINING);
	if (!strcmp(job->clock, "step"))
		MUST(vt_step(0, RING));
	vt_wait_state(loop.player, SND_PCM_STATE_SETUP, VT_SECOND);
}

static void unmap(void *ring)
{
	munmap(ring, RING * 4);
}

/* In a group each is held, and goes on, by its own clock, whoever is first. */
static void test_clocks(const void *arg)
{
	const int device = *(const int *)arg;	/* that goes by hand */
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s[2];
	int i;

	p.buffer = RING;
	p.stop = VT_NEVER;
	vt_use_clock(device, "step");
	for (i = 0; i < 2; i++)
		s[i] = vt_recorder(i, &p);
	vt_link(s[0], s[1]);
	MUST(snd_pcm_start(s[0]->pcm));
	MUST(vt_step(device, 480));
	vt_go_down();
	for (i = 0; i < 2; i++)
		vt_expect_state(s[i], SND_PCM_STATE_SUSPENDED);
	MUST(snd_pcm_resume(s[0]->pcm));
	MUST(vt_step(device, 480));
	vt_locate(s[device], &pos);
	EXPECT(pos.frames == 960, "at %lld, wanted 960", (long long)pos.frames);
	vt_hear_silence(s[!device], 960);
}

/*
 * The core suspends and resumes a whole group, but what did not run does not
 * then: a recorder that a drain has stopped, or has left PREPARED.
 */
static void expect_rest(const struct job *job, bool running)
{
	snd_pcm_state_t rest = running ? SND_PCM_STATE_DRAINING :
			       SND_PCM_STATE_PREPARED;
	struct vt_params p = vt_plain;
	struct loop loop;
	void *ring;

	p.buffer = RING;
	vt_use_clock(0, job->clock);
	loop.player = vt_player(0, &p);
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	loop.recorder = vt_recorder(0, &p);
	ring = mmap(NULL, RING * 4, PROT_READ, MAP_SHARED,
		    vt_descriptor(loop.recorder), 0);
	EXPECT(ring != MAP_FAILED, "mmap: %s", strerror(errno));
	vt_defer(unmap, ring);
	vt_link(loop.player, loop.recorder);
	vt_play(loop.player, 0, RING);
	if (running)
		MUST(snd_pcm_start(loop.player->pcm));
	vt_sleep_until(vt_now() + 15 * VT_MS);
	MUST(snd_pcm_nonblock(loop.player->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(loop.player->pcm));
	vt_expect_state(loop.recorder, rest);
	vt_go_down();
	vt_expect_state(loop.player, SND_PCM_STATE_SUSPENDED);
	vt_expect_state(loop.recorder, SND_PCM_STATE_SUSPENDED);
	MUST(snd_pcm_resume(loop.player->pcm));
	vt_expect_state(loop.player, SND_PCM_STATE_DRAINING);
	vt_expect_state(loop.recorder, rest);
	vt_wait_state(loop.player, SND_PCM_STATE_SETUP, VT_SECOND);
	/* a turn of its ring later it would have heard the silence after it */
	vt_sleep_until(vt_now() + VT_SECOND);
	EXPECT(!running || vt_stamped(loop.recorder, ring, 0, 480) == 480,
	       "the recorder runs");
	vt_undo(unmap, ring);
	MUST(snd_pcm_unlink(loop.player->pcm));
	vt_close(loop.player);
	vt_close(loop.recorder);
}

static void test_rest(const void *arg)
{
	expect_rest(arg, true);
	expect_rest(arg, false);
}

/* Some kernels pass this on, or take the stream for what it was then. */
static void expect_refused(struct vt_stream *s)
{
	snd_pcm_state_t before = snd_pcm_state(s->pcm);

	EXPECT(ioctl(vt_descriptor(s), RESUME) < 0, "resumed when %s",
	       snd_pcm_state_name(before));
	EXPECT(errno == EBADFD || errno == ENOSYS, "resume: %s",
	       strerror(errno));
	EXPECT(snd_pcm_state(s->pcm) == before, "%s when resumed when %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)),
	       snd_pcm_state_name(before));
}

/* What is resumed once is not resumed again, whatever has become of it. */
static void test_again(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct loop loop;

	start_loop(&loop, job);
	run_loop(&loop, 10);
	vt_go_down();
	MUST(snd_pcm_resume(loop.player->pcm));
	expect_refused(loop.player);
	expect_refused(loop.recorder);
	run_loop(&loop, 30);
	MUST(snd_pcm_pause(loop.player->pcm, 1));
	expect_refused(loop.player);
	MUST(snd_pcm_drop(loop.player->pcm));
	MUST(snd_pcm_unlink(loop.player->pcm));
	expect_refused(loop.player);
	vt_prepare(loop.player);
	expect_refused(loop.player);
	MUST(snd_pcm_hw_free(loop.player->pcm));
	expect_refused(loop.player);
	MUST(vt_configure(loop.player, &p));
	expect_refused(loop.player);
}

/* Nor is one whose buffer is gone, whatever it was when suspended. */
static void test_freed(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	vt_use_clock(0, job->clock);
	s = vt_player(0, &p);
	vt_go_down();
	vt_expect_state(s, SND_PCM_STATE_SUSPENDED);
	MUST(snd_pcm_resume(s->pcm));
	vt_expect_state(s, SND_PCM_STATE_PREPARED);
	MUST(snd_pcm_hw_free(s->pcm));
	expect_refused(s);
}

/*
 * A RESET meanwhile throws away what each has; both go on where they are. Not
 * out of a pause on the client clock: the first that is let go on runs ahead.
 */
static void expect_reset(const struct job *job, bool paused)
{
	struct vt_stream *s[2];
	struct loop loop;
	int i;

	start_loop(&loop, job);
	s[0] = loop.player;
	s[1] = loop.recorder;
	run_loop(&loop, 10);
	if (!strcmp(job->clock, "step"))
		MUST(vt_step(0, 240));
	for (i = 0; i < 2 && paused; i++)
		MUST(snd_pcm_pause(s[i]->pcm, 1));
	vt_go_down();
	for (i = 0; i < 2; i++) {
		vt_expect_state(s[i], SND_PCM_STATE_SUSPENDED);
		MUST(snd_pcm_reset(s[i]->pcm));
		MUST(snd_pcm_resume(s[i]->pcm));
	}
	vt_play(loop.player, 5000, RING);
	for (i = 0; i < 2 && paused; i++)
		MUST(snd_pcm_pause(s[i]->pcm, 0));
	loop.heard = 5000;
	run_loop(&loop, 2 * RING / 480);
	vt_close(loop.player);
	vt_close(loop.recorder);
}

static void test_reset(const void *arg)
{
	const struct job *job = arg;

	expect_reset(job, false);
	if (strcmp(job->clock, "client"))
		expect_reset(job, true);
}

int main(int argc, char **argv)
{
	static const struct job resets[] = {
		{ "step", false }, { "client", false },
	};
	static const struct job jobs[] = {
		{ "realtime", true }, { "realtime", false },
		{ "scaled", true }, { "step", true }, { "client", true },
	};
	unsigned int i;
	int device;

	vt_init(argc, argv, 120);
	vt_plan(5 + 4 + 3 + 7);
	for (i = 0; i < 5; i++)
		vt_run(test_resume, &jobs[i], "%s%s: suspended and resumed",
		       jobs[i].clock, jobs[i].linked ? "" : ", not linked");
	for (i = 0; i < 5; i++)
		if (jobs[i].linked)
			vt_run(test_prepare, &jobs[i],
			       "%s: suspended and prepared", jobs[i].clock);
	for (i = 0; i < 4; i++)
		if (jobs[i].linked)
			vt_run(test_pause_and_drain, &jobs[i],
			       "%s: suspended in a pause and a drain",
			       jobs[i].clock);
	vt_run(test_rest, &jobs[0], "suspended where not all run");
	for (device = 0; device < 2; device++)
		vt_run(test_clocks, &device,
		       "a group of two clocks suspended, device %d by hand",
		       device);
	for (i = 0; i < ARRAY_SIZE(resets); i++)
		vt_run(test_reset, &resets[i], "%s: reset while suspended",
		       resets[i].clock);
	vt_run(test_again, &jobs[0], "resumed twice");
	vt_run(test_freed, &jobs[0], "resumed without a buffer");
	return vt_finish();
}
