// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked streams start at one instant and stop together: one device's ends,
 * ends of several devices, several substreams.
 */

#include "vctl.h"

#define ENDS	4

/* An end of a cable; those of one test are linked */
struct end {
	int device;
	int subdevice;
	snd_pcm_stream_t dir;
};

struct job {
	const char *what;
	unsigned int count;
	struct end ends[ENDS];
};

#define P	SND_PCM_STREAM_PLAYBACK
#define C	SND_PCM_STREAM_CAPTURE

static const struct job jobs[] = {
	{ "both ends", 2, { { 0, 0, P }, { 0, 0, C } } },
	{ "both ends, recorder first", 2, { { 0, 0, C }, { 0, 0, P } } },
	{ "both ends of device 1", 2, { { 1, 0, P }, { 1, 0, C } } },
	{ "two players", 2, { { 0, 0, P }, { 1, 0, P } } },
	{ "two recorders", 2, { { 1, 0, C }, { 0, 0, C } } },
	{ "two devices crosswise", 2, { { 0, 0, P }, { 1, 0, C } } },
	{ "two devices, both ends", 4,
	  { { 0, 0, P }, { 0, 0, C }, { 1, 0, P }, { 1, 0, C } } },
	{ "two substreams, both ends", 4,
	  { { 0, 0, P }, { 0, 0, C }, { 0, 1, P }, { 0, 1, C } } },
};

/* Each end with periods of its own; they all run for ever */
static void open_group(const struct job *job, struct vt_stream **s)
{
	struct vt_params p = vt_plain;
	unsigned int i;

	for (i = 0; i < job->count; i++) {
		const struct end *end = &job->ends[i];

		if (end->subdevice >= vt_substreams())
			vt_skip("one substream only");
		p.period = 480 + 16 * i;
		p.buffer = p.period * 10;
		p.stop = VT_NEVER;
		s[i] = vt_open(end->device, end->subdevice, end->dir, 0);
		MUST(vt_configure(s[i], &p));
		if (i)
			vt_link(s[0], s[i]);
	}
	for (i = 0; i < job->count; i++)
		if (s[i]->dir == P)
			vt_play(s[i], 0, 4800);
}

static void test_start(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[ENDS];
	struct vt_position pos;
	int64_t began = 0;
	unsigned int i;

	open_group(job, s);
	MUST(snd_pcm_start(s[0]->pcm));
	for (i = 0; i < job->count; i++) {
		vt_locate(s[i], &pos);
		EXPECT(pos.state == SND_PCM_STATE_RUNNING, "%u not running",
		       i);
		EXPECT(!i || pos.trigger == began, "%u began %lld ns off", i,
		       (long long)(pos.trigger - began));
		began = pos.trigger;
	}
	vt_sleep_until(began + 33 * VT_MS);
	for (i = 0; i < job->count; i++) {
		vt_locate(s[i], &pos);
		vt_expect_position(&pos, s[i], began, 0);
	}
}

/* Whoever is linked to its player hears it from the first frame on. */
static void test_hear(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[ENDS];
	unsigned int i, p;

	open_group(job, s);
	MUST(snd_pcm_start(s[0]->pcm));
	for (i = 0; i < job->count; i++) {
		bool played = false;

		if (s[i]->dir == P)
			continue;
		for (p = 0; p < job->count; p++)
			played |= s[p]->dir == P &&
				job->ends[p].device == job->ends[i].device &&
				job->ends[p].subdevice ==
				job->ends[i].subdevice;
		if (played)
			vt_hear(s[i], 0, 4000);
		else
			vt_hear_silence(s[i], 4000);
	}
}

static void expect_states(const struct job *job, struct vt_stream **s,
			  snd_pcm_state_t state)
{
	unsigned int i;

	for (i = 0; i < job->count; i++)
		EXPECT(snd_pcm_state(s[i]->pcm) == state, "%u is %s", i,
		       snd_pcm_state_name(snd_pcm_state(s[i]->pcm)));
}

static void test_stop(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[ENDS];
	unsigned int last = job->count - 1, i;

	open_group(job, s);
	MUST(snd_pcm_start(s[0]->pcm));
	vt_sleep_until(vt_now() + 15 * VT_MS);
	MUST(snd_pcm_drop(s[last]->pcm));
	expect_states(job, s, SND_PCM_STATE_SETUP);
	/* again, from the other side */
	for (i = 0; i < job->count; i++)
		vt_prepare(s[i]);
	for (i = 0; i < job->count; i++)
		if (s[i]->dir == P)
			vt_play(s[i], 0, 4800);
	MUST(snd_pcm_start(s[last]->pcm));
	expect_states(job, s, SND_PCM_STATE_RUNNING);
	MUST(snd_pcm_drop(s[0]->pcm));
	expect_states(job, s, SND_PCM_STATE_SETUP);
}

static void test_pause(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[ENDS];
	struct vt_position pos, other;
	unsigned int i;

	open_group(job, s);
	MUST(snd_pcm_start(s[0]->pcm));
	vt_sleep_until(vt_now() + 15 * VT_MS);
	MUST(snd_pcm_pause(s[0]->pcm, 1));
	expect_states(job, s, SND_PCM_STATE_PAUSED);
	vt_sleep_until(vt_now() + 100 * VT_MS);
	MUST(snd_pcm_pause(s[0]->pcm, 0));
	expect_states(job, s, SND_PCM_STATE_RUNNING);
	vt_sleep_until(vt_now() + 15 * VT_MS);
	vt_locate(s[0], &pos);
	for (i = 1; i < job->count; i++) {
		vt_locate(s[i], &other);
		EXPECT(other.frames >= pos.frames &&
		       other.frames <= pos.frames + 1 +
		       vt_frames(s[i], other.after - pos.before),
		       "%u is at %lld, 0 at %lld", i,
		       (long long)other.frames, (long long)pos.frames);
	}
}

/* Unlinked, each is on its own again. */
static void test_unlink(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[ENDS];
	unsigned int i;

	open_group(job, s);
	MUST(snd_pcm_start(s[0]->pcm));
	MUST(snd_pcm_unlink(s[0]->pcm));
	MUST(snd_pcm_drop(s[0]->pcm));
	for (i = 1; i < job->count; i++)
		EXPECT(snd_pcm_state(s[i]->pcm) == SND_PCM_STATE_RUNNING,
		       "%u stopped with another", i);
}

/* An xrun of one is everybody's. */
static void test_xrun(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s[ENDS];
	unsigned int i;

	for (i = 0; i < job->count; i++) {
		const struct end *end = &job->ends[i];

		if (end->subdevice >= vt_substreams())
			vt_skip("one substream only");
		p.stop = i ? VT_NEVER : 0;
		s[i] = vt_open(end->device, end->subdevice, end->dir, 0);
		MUST(vt_configure(s[i], &p));
		if (i)
			vt_link(s[0], s[i]);
		if (end->dir == P)
			vt_play(s[i], 0, 1000);
	}
	MUST(snd_pcm_start(s[0]->pcm));
	vt_wait_state(s[0], SND_PCM_STATE_XRUN, VT_SECOND);
	expect_states(job, s, SND_PCM_STATE_XRUN);
}

/*
 * Players take back all that is left, and are paused before their card has any
 * reason to look. Until Linux 6.4 a PAUSE looks itself at the first of a group,
 * with the group's lock held: if the card tells it of the xrun then, the core
 * never returns.
 */
static void test_pause_xrun(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s[ENDS];
	unsigned int i;

	for (i = 0; i < job->count; i++) {
		p.stop = job->ends[i].dir == P ? 0 : VT_NEVER;
		s[i] = vt_open(job->ends[i].device, 0, job->ends[i].dir, 0);
		MUST(vt_configure(s[i], &p));
		if (i)
			vt_link(s[0], s[i]);
		if (s[i]->dir == P)
			vt_play(s[i], 0, 1000);
	}
	MUST(snd_pcm_start(s[0]->pcm));
	for (i = 0; i < job->count; i++)
		EXPECT(s[i]->dir == C ||
		       MUST(snd_pcm_rewind(s[i]->pcm, 1000)) > 900, "stuck");
	vt_sleep_until(vt_now() + 2 * VT_MS);
	MUST(snd_pcm_pause(s[0]->pcm, 1));
	expect_states(job, s, SND_PCM_STATE_PAUSED);
	vt_sleep_until(vt_now() + 100 * VT_MS);
	expect_states(job, s, SND_PCM_STATE_PAUSED);
	MUST(snd_pcm_pause(s[0]->pcm, 0));
	vt_sleep_until(vt_now() + VT_LATE + VT_MS);
	expect_states(job, s, SND_PCM_STATE_XRUN);
}

/* Closing a linked stream while it runs leaves the others running. */
static void test_close(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[ENDS];
	unsigned int i;

	open_group(job, s);
	MUST(snd_pcm_start(s[0]->pcm));
	vt_sleep_until(vt_now() + 5 * VT_MS);
	MUST(snd_pcm_unlink(s[0]->pcm));
	vt_close(s[0]);
	for (i = 1; i < job->count; i++) {
		MUST(snd_pcm_avail(s[i]->pcm));
		EXPECT(snd_pcm_state(s[i]->pcm) == SND_PCM_STATE_RUNNING,
		       "%u stopped with another", i);
	}
}

/*
 * The drain of a player that has not started yet starts it with its group, in
 * which the core leaves a recorder PREPARED: that one begins when it is started.
 */
static void test_drained(const void *arg)
{
	const struct job *job = &jobs[0];
	struct vt_stream *s[ENDS];
	struct vt_position pos;

	(void)arg;
	open_group(job, s);
	MUST(snd_pcm_nonblock(s[0]->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(s[0]->pcm));
	vt_sleep_until(vt_now() + 15 * VT_MS);
	EXPECT(snd_pcm_state(s[0]->pcm) == SND_PCM_STATE_DRAINING,
	       "the player does not drain");
	EXPECT(snd_pcm_state(s[1]->pcm) == SND_PCM_STATE_PREPARED,
	       "the recorder is not left alone");
	MUST(snd_pcm_unlink(s[1]->pcm));
	MUST(snd_pcm_start(s[1]->pcm));
	EXPECT(MUST(snd_pcm_wait(s[1]->pcm, 10000)) == 1, "no period");
	vt_locate(s[1], &pos);
	vt_expect_time(vt_now(), pos.trigger +
		       vt_duration(s[1], s[1]->p.period), VT_LATE,
		       "its first period");
	vt_sleep_until(vt_now() + 5 * VT_MS);
	vt_locate(s[1], &pos);
	vt_expect_position(&pos, s[1], pos.trigger, 0);
}

/* A recorder whose linked player begins to drain a ring with so many frames */
static struct vt_stream *drag(snd_pcm_access_t access, snd_pcm_uframes_t ring,
			      size_t frames)
{
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;

	p.stop = VT_NEVER;
	p.access = access;
	recorder = vt_recorder(0, &p);
	p.buffer = ring;
	player = vt_player(0, &p);
	vt_link(player, recorder);
	vt_play(player, 0, frames);
	MUST(snd_pcm_nonblock(player->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(player->pcm));
	return recorder;
}

/* It hears later, and not what has passed while it was dragged along. */
static void test_drained_late(const void *arg)
{
	struct vt_stream *recorder;

	(void)arg;
	vt_use_latency(0, 500);
	recorder = drag(vt_plain.access, 9600, 9600);
	/* longer than its ring, with the latency */
	vt_sleep_until(vt_now() + 60 * VT_MS);
	MUST(snd_pcm_unlink(recorder->pcm));
	MUST(snd_pcm_start(recorder->pcm));
	vt_hear_silence(recorder, 480);
}

/* Nor does its ring still show any of that. */
static void test_drained_before(const void *arg)
{
	struct vt_stream *recorder = drag(vt_plain.access, vt_plain.buffer,
					  vt_plain.buffer - 20);

	(void)arg;
	/* silence in a part of the ring, sound in the rest of it */
	vt_sleep_until(vt_now() + 50 * VT_MS);
	MUST(snd_pcm_unlink(recorder->pcm));
	MUST(snd_pcm_start(recorder->pcm));
	vt_hear_silence(recorder, vt_plain.buffer);
}

/* Prepared, it hears no more of the drain: its ring stays silent. */
static void test_drained_prepared(const void *arg)
{
	struct vt_stream *recorder;
	size_t quiet;

	(void)arg;
	vt_use_clock(0, "step");
	recorder = drag(SND_PCM_ACCESS_MMAP_INTERLEAVED, 1920, 1920);
	MUST(vt_step(0, 240));
	MUST(snd_pcm_unlink(recorder->pcm));
	vt_prepare(recorder);
	MUST(vt_step(0, 480));
	quiet = vt_silent(recorder, vt_ring(recorder), 1920);
	EXPECT(quiet == 1920, "sound in frame %zu of the ring", quiet);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "start together", test_start },
	{ "hear from the first frame", test_hear },
	{ "stop together", test_stop },
	{ "pause together", test_pause },
	{ "unlink", test_unlink },
	{ "xrun together", test_xrun },
	{ "close one", test_close },
};

/* One that has run dry, as it may, holds nobody back when a pause ends. */
static void test_pause_empty(const void *arg)
{
	struct vt_params p = vt_plain;
	struct vt_position a, b;
	struct vt_stream *s[2];
	int first;

	(void)arg;
	for (first = 0; first < 2; first++) {
		p.buffer = 9600;
		p.stop = 10 * p.buffer;
		s[0] = vt_player(0, &p);
		s[1] = vt_player(1, &p);
		vt_play(s[0], 0, p.buffer);
		vt_play(s[1], 0, 480);
		vt_link(s[first], s[!first]);
		MUST(snd_pcm_start(s[0]->pcm));
		vt_sleep_until(vt_now() + 30 * VT_MS);
		MUST(snd_pcm_pause(s[0]->pcm, 1));
		vt_locate(s[0], &a);
		MUST(snd_pcm_pause(s[0]->pcm, 0));
		vt_sleep_until(vt_now() + 20 * VT_MS);
		vt_locate(s[0], &b);
		EXPECT(b.state == SND_PCM_STATE_RUNNING, "state %s",
		       snd_pcm_state_name(b.state));
		EXPECT(b.frames >= a.frames + vt_frames(s[0], 18 * VT_MS) &&
		       b.frames <= a.frames + vt_frames(s[0], 22 * VT_MS),
		       "at %lld, then at %lld", (long long)a.frames,
		       (long long)b.frames);
		EXPECT(snd_pcm_state(s[1]->pcm) == SND_PCM_STATE_RUNNING,
		       "the empty one is %s",
		       snd_pcm_state_name(snd_pcm_state(s[1]->pcm)));
		vt_close(s[0]);
		vt_close(s[1]);
	}
}

/*
 * What has nothing to play is done as soon as it is to drain, and runs no more
 * than it plays, while another one's drain starts the group.
 */
static void test_drained_empty(const void *arg)
{
	struct vt_stream *s[2];
	unsigned int i;

	(void)arg;
	vt_use_clock(0, "step");
	for (i = 0; i < 2; i++) {
		s[i] = vt_open(0, i, SND_PCM_STREAM_PLAYBACK, 0);
		MUST(vt_configure(s[i], &vt_plain));
	}
	vt_link(s[0], s[1]);
	for (i = 0; i < 2; i++) {
		vt_play(s[i], 0, 480);
		MUST(snd_pcm_nonblock(s[i]->pcm, 1));
		REFUSED(-EAGAIN, snd_pcm_drain(s[i]->pcm));
		EXPECT(snd_pcm_state(s[!i]->pcm) == SND_PCM_STATE_SETUP,
		       "the empty one is %s",
		       snd_pcm_state_name(snd_pcm_state(s[!i]->pcm)));
		MUST(vt_step(0, -1));
		EXPECT(snd_pcm_state(s[i]->pcm) == SND_PCM_STATE_SETUP,
		       "the other one is %s",
		       snd_pcm_state_name(snd_pcm_state(s[i]->pcm)));
		REFUSED(-EAGAIN, vt_step(0, -1));
		MUST(snd_pcm_nonblock(s[i]->pcm, 0));
		vt_prepare(s[i]);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, t;

	vt_init(argc, argv, 60);
	vt_plan(ARRAY_SIZE(jobs) * ARRAY_SIZE(tests) + 10);
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		for (t = 0; t < ARRAY_SIZE(tests); t++)
			vt_run(tests[t].test, &jobs[i], "%s: %s",
			       jobs[i].what, tests[t].name);
	for (i = 0; i < 4; i++)
		vt_run(test_pause_xrun, &jobs[i], "%s: pause in an unseen xrun",
		       jobs[i].what);
	vt_run(test_pause_empty, NULL, "an empty player in a pause");
	vt_run(test_drained_empty, NULL, "an empty player in a drain");
	vt_run(test_drained, NULL, "a recorder after its player's drain");
	vt_run(test_drained_late, NULL, "the same, with latency");
	vt_run(test_drained_before, NULL, "the same, and what it heard before");
	vt_run(test_drained_prepared, NULL, "the same, prepared meanwhile");
	return vt_finish();
}
