// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pause holds a stream where it is and takes nothing away; the other end of
 * the cable goes on, in silence.
 */

#include "vpcm.h"

#define RING		9600	/* 200 ms */

struct job {
	int device;
	snd_pcm_stream_t dir;
};

static struct vt_params params(void)
{
	struct vt_params p = vt_plain;

	p.buffer = RING;
	p.stop = VT_NEVER;
	return p;
}

static struct vt_stream *running(const struct job *job,
				 const struct vt_params *p, int64_t *began)
{
	struct vt_stream *s = vt_stream(job->device, job->dir, p);
	struct vt_position pos;

	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p->buffer);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	*began = pos.trigger;
	return s;
}

/*
 * Pauses for so long and tells how long the stream stood, at least and at
 * most: the release may take effect up to a millisecond later.
 */
static void pause_for(struct vt_stream *s, int64_t ns, int64_t *least,
		      int64_t *most)
{
	int64_t before, paused, release, released;

	before = vt_now();
	MUST(snd_pcm_pause(s->pcm, 1));
	paused = vt_now();
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_PAUSED, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	vt_sleep_until(paused + ns);
	release = vt_now();
	MUST(snd_pcm_pause(s->pcm, 0));
	released = vt_now();
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_RUNNING, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	*least += release - paused;
	*most += released - before + VT_MS;
}

/* Pause after pause, the position is the time that was not paused. */
static void expect_position(struct vt_stream *s, int64_t began, int64_t least,
			    int64_t most)
{
	struct vt_position pos;
	int64_t low, high;

	vt_locate(s, &pos);
	low = vt_frames(s, pos.before - began - most) - 1;
	high = vt_frames(s, pos.after - began - least) + 1;
	EXPECT(pos.frames >= low && pos.frames <= high,
	       "at frame %lld, wanted %lld to %lld", (long long)pos.frames,
	       (long long)low, (long long)high);
}

static void test_position(const void *arg)
{
	static const int64_t lengths[] = {
		VT_MS / 100, VT_MS, 10 * VT_MS, 10 * VT_MS, 777 * VT_MS,
	};
	const struct job *job = arg;
	struct vt_params p = params();
	int64_t began, least = 0, most = 0;
	struct vt_stream *s;
	unsigned int i;

	s = running(job, &p, &began);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		vt_sleep_until(vt_now() + 7 * VT_MS);
		expect_position(s, began, least, most);
		pause_for(s, lengths[i], &least, &most);
		/* what takes effect on the grid must have done so */
		vt_sleep_until(vt_now() + 2 * VT_MS);
		expect_position(s, began, least, most);
	}
}

/*
 * The core believes the pause to be a thousand seconds long when there are no
 * wake-ups, and calls that an xrun.
 */
static void test_no_wakeup(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	int64_t began, least = 0, most = 0;
	struct vt_stream *s;

	p.no_wakeup = true;
	p.nonblock = true;
	p.stop = 0;
	s = running(job, &p, &began);
	vt_sleep_until(began + 33 * VT_MS);
	pause_for(s, 500 * VT_MS, &least, &most);
	MUST(snd_pcm_avail(s->pcm));
	vt_sleep_until(vt_now() + 20 * VT_MS);
	MUST(snd_pcm_avail(s->pcm));
	expect_position(s, began, least, most);
}

static void test_states(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_stream(job->device, job->dir, &p);

	REFUSED(-EBADFD, snd_pcm_pause(s->pcm, 1));
	REFUSED(-EBADFD, snd_pcm_pause(s->pcm, 0));
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, RING);
	MUST(snd_pcm_start(s->pcm));
	REFUSED(-EBADFD, snd_pcm_pause(s->pcm, 0));
	MUST(snd_pcm_pause(s->pcm, 1));
	REFUSED(-EBADFD, snd_pcm_pause(s->pcm, 1));
	REFUSED(-EBADFD, snd_pcm_start(s->pcm));
	MUST(snd_pcm_drop(s->pcm));
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	vt_prepare(s);
}

/* Reads n frames: stamped ones in order from next on, or silence between. */
static uint64_t hear_with_gaps(struct vt_stream *s, uint64_t next, size_t n,
			       uint64_t *quiet)
{
	unsigned char *buf = vt_alloc(n * s->frame_bytes);
	size_t i = 0, good;

	vt_read(s, buf, n);
	while (i < n) {
		good = vt_stamped(s, buf + i * s->frame_bytes, next, n - i);
		next += good;
		i += good;
		if (good)
			continue;
		good = vt_silent(s, buf + i * s->frame_bytes, n - i);
		EXPECT(good, "recorded frame %zu is neither silent nor %llu",
		       i, (unsigned long long)next);
		*quiet += good;
		i += good;
	}
	return next;
}

/* A paused player: the recorder hears silence, then the very next frame. */
static void test_player(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *player = vt_player(job->device, &p);
	struct vt_stream *recorder = vt_recorder(job->device, &p);
	int64_t least = 0, most = 0;
	uint64_t quiet = 0, next;

	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	next = hear_with_gaps(recorder, 0, 1000, &quiet);
	EXPECT(next == 1000 && !quiet, "silence before the pause");
	pause_for(player, 50 * VT_MS, &least, &most);
	next = hear_with_gaps(recorder, next, RING, &quiet);
	EXPECT((int64_t)quiet >= vt_frames(recorder, least) - 1 &&
	       (int64_t)quiet <= vt_frames(recorder, most) + 1,
	       "%llu silent frames, wanted %lld to %lld",
	       (unsigned long long)quiet,
	       (long long)vt_frames(recorder, least),
	       (long long)vt_frames(recorder, most));
	next = hear_with_gaps(recorder, next, quiet, &quiet);
	EXPECT(next == RING, "only %llu frames of %d were heard",
	       (unsigned long long)next, RING);
}

/* Many short pauses: no frame is lost, repeated or out of order. */
static void test_many(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *player = vt_player(job->device, &p);
	struct vt_stream *recorder = vt_recorder(job->device, &p);
	uint64_t quiet = 0, next = 0, played = RING, seed = 5;
	int64_t least = 0, most = 0;
	unsigned int i;

	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	for (i = 0; i < 200; i++) {
		pause_for(player, vt_random(&seed, 3 * VT_MS), &least, &most);
		next = hear_with_gaps(recorder, next, vt_random(&seed, 300),
				      &quiet);
		while (played + 480 <= next + RING) {
			vt_play(player, played, 480);
			played += 480;
		}
	}
	next = hear_with_gaps(recorder, next, RING * 2, &quiet);
	EXPECT(next == played, "heard %llu of %llu frames",
	       (unsigned long long)next, (unsigned long long)played);
}

/* A paused recorder: the player goes on; later it hears what plays then. */
static void test_recorder(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *player = vt_player(job->device, &p);
	struct vt_stream *recorder = vt_recorder(job->device, &p);
	int64_t least = 0, most = 0, low, high;
	struct vt_position pos;
	unsigned char *buf;

	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_locate(player, &pos);
	vt_hear(recorder, 0, 1000);
	pause_for(recorder, 50 * VT_MS, &least, &most);
	buf = vt_alloc(2000 * recorder->frame_bytes);
	vt_read(recorder, buf, 2000);
	/* frames from before the pause, then frames from after it */
	low = vt_stamped(recorder, buf, 1000, 2000);
	for (high = low; high < RING - 2000; high++)
		if (vt_stamped(recorder, buf + low * recorder->frame_bytes,
			       1000 + high, 2000 - low) ==
		    (size_t)(2000 - low))
			break;
	high -= low;
	EXPECT(high >= vt_frames(recorder, least) - 1 &&
	       high <= vt_frames(recorder, most) + 1,
	       "missed %lld frames, wanted %lld to %lld", (long long)high,
	       (long long)vt_frames(recorder, least),
	       (long long)vt_frames(recorder, most));
}

/* Draining ends a pause: everything is played. */
static void test_drain(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s;
	int64_t began, before;

	s = running(job, &p, &began);
	vt_sleep_until(began + 50 * VT_MS);
	MUST(snd_pcm_pause(s->pcm, 1));
	vt_sleep_until(vt_now() + 300 * VT_MS);
	before = vt_now();
	MUST(snd_pcm_drain(s->pcm));
	vt_expect_time(vt_now(), before + 149 * VT_MS, 4 * VT_MS, "the end");
}

/* What is in the ring is thrown away and written anew: that is no xrun. */
static void test_reset(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *player, *recorder;
	int i;

	recorder = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(recorder->pcm));
	p.stop = 0;
	player = vt_player(job->device, &p);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	vt_play(player, RING, RING);
	for (i = 0; i < 3; i++) {
		MUST(snd_pcm_pause(player->pcm, 1));
		MUST(snd_pcm_reset(player->pcm));
		vt_play(player, 0, RING);
		MUST(snd_pcm_pause(player->pcm, 0));
		vt_sleep_until(vt_now() + 50 * VT_MS);
		EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_RUNNING,
		       "state %s", snd_pcm_state_name(snd_pcm_state(player->pcm)));
		vt_play(player, RING, RING / 4);
	}
	MUST(snd_pcm_drain(player->pcm));
}

static const struct {
	const char *name;
	vt_test *test;
	int dirs;
} tests[] = {
	{ "position", test_position, 2 },
	{ "without wake-ups is no xrun", test_no_wakeup, 2 },
	{ "states", test_states, 2 },
	{ "player alone", test_player, 1 },
	{ "many times", test_many, 1 },
	{ "recorder alone", test_recorder, 1 },
	{ "and drain", test_drain, 1 },
	{ "and reset", test_reset, 1 },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * (2 * 3 + 5));
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			for (job.dir = 0; (int)job.dir < tests[i].dirs;
			     job.dir++)
				vt_run(tests[i].test, &job,
				       "device %d %s pause %s", job.device,
				       snd_pcm_stream_name(job.dir),
				       tests[i].name);
	return vt_finish();
}
