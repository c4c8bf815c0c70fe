// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream that is not served stops with an xrun at the very frame, once, and
 * works again after it; where the client wants it to go on, it goes on, and
 * nothing old is ever heard.
 */

#include "vpcm.h"

struct job {
	int device;
	snd_pcm_stream_t dir;
};

static int64_t start(struct vt_stream *s)
{
	struct vt_position pos;

	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	return pos.trigger;
}

static int64_t wait_xrun(struct vt_stream *s)
{
	return vt_wait_state(s, SND_PCM_STATE_XRUN, VT_SECOND);
}

/* With whole periods the end is a wake-up: the xrun comes with it. */
static void test_underrun_time(const void *arg)
{
	static const unsigned int frames[] = { 480, 960, 1440, 1920 };
	const struct job *job = arg;
	struct vt_stream *s = vt_player(job->device, &vt_plain);
	struct vt_position pos;
	int64_t began, end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		vt_play(s, 0, frames[i]);
		began = start(s);
		end = began + vt_duration(s, frames[i]);
		vt_expect_time(wait_xrun(s), end, VT_LATE, "the xrun");
		vt_locate(s, &pos);
		vt_expect_time(pos.trigger, end, VT_LATE, "the xrun's stamp");
		vt_prepare(s);
	}
}

/* Within a period nobody wakes the client, but the xrun comes at its frame. */
static void test_underrun_within_period(const void *arg)
{
	static const unsigned int frames[] = { 1, 17, 479, 481, 1000, 1919 };
	const struct job *job = arg;
	struct vt_stream *s = vt_player(job->device, &vt_plain);
	unsigned int i;
	int64_t end;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		vt_play(s, 0, frames[i]);
		end = start(s) + vt_duration(s, frames[i]);
		vt_expect_time(wait_xrun(s), end, VT_LATE, "the xrun");
		vt_prepare(s);
	}
	vt_play(s, 0, 1000);
	end = start(s) + vt_duration(s, 1000);
	vt_sleep_until(end - 100 * VT_US * vt_slow());
	MUST(snd_pcm_avail(s->pcm));
	vt_sleep_until(end);
	REFUSED(-EPIPE, snd_pcm_avail(s->pcm));
}

static void test_overrun_time(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_recorder(job->device, &vt_plain);
	struct vt_position pos;
	int64_t end;

	end = start(s) + vt_duration(s, s->p.buffer);
	vt_expect_time(wait_xrun(s), end, VT_LATE, "the xrun");
	vt_locate(s, &pos);
	vt_expect_time(pos.trigger, end, VT_LATE, "the xrun's stamp");
}

/* Every call says so until the stream is prepared again. */
static void test_reported(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_stream(job->device, job->dir, &vt_plain);
	void *buf = vt_alloc(s->p.buffer * s->frame_bytes);
	snd_pcm_sframes_t avail;

	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, 480);
	start(s);
	wait_xrun(s);
	REFUSED(-EPIPE, snd_pcm_avail(s->pcm));
	REFUSED(-EPIPE, snd_pcm_avail_delay(s->pcm, &avail, &avail));
	REFUSED(-EPIPE, snd_pcm_wait(s->pcm, 100));
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		REFUSED(-EPIPE, snd_pcm_writei(s->pcm, buf, 1));
	else
		REFUSED(-EPIPE, snd_pcm_readi(s->pcm, buf, 1));
	MUST(snd_pcm_recover(s->pcm, -EPIPE, 1));
	s->done = 0;
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_PREPARED, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, 1000);
	start(s);
	MUST(snd_pcm_avail(s->pcm));
}

/* A thousand xruns and recoveries in a row */
static void test_recover(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t began;
	unsigned int i;

	p.period = 16;
	p.buffer = 48;
	s = vt_stream(job->device, job->dir, &p);
	for (i = 0; i < 1000; i++) {
		if (job->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, 1 + i % 48);
		began = start(s);
		vt_sleep_until(began + 2 * VT_MS);
		EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_XRUN,
		       "no xrun in round %u: %s", i,
		       snd_pcm_state_name(snd_pcm_state(s->pcm)));
		MUST(snd_pcm_recover(s->pcm, -EPIPE, 1));
		s->done = 0;
	}
}

/*
 * However long nobody serves or even looks at a stream without wake-ups, that
 * is one xrun, and after it the stream is as good as new.
 */
static void test_stall(const void *arg)
{
	static const unsigned int rings[] = { 1, 2, 10, 100 };
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;
	unsigned int i;
	int64_t began;

	p.no_wakeup = true;
	p.nonblock = true;
	s = vt_stream(job->device, job->dir, &p);
	for (i = 0; i < ARRAY_SIZE(rings); i++) {
		if (job->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, p.buffer);
		began = start(s);
		vt_sleep_until(began + vt_duration(s, rings[i] * p.buffer +
						   100));
		REFUSED(-EPIPE, snd_pcm_avail(s->pcm));
		MUST(snd_pcm_recover(s->pcm, -EPIPE, 1));
		s->done = 0;
		if (job->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, p.buffer);
		began = start(s);
		vt_sleep_until(began + 20 * VT_MS);
		vt_locate(s, &pos);
		EXPECT(pos.state == SND_PCM_STATE_RUNNING,
		       "a second xrun after %u rings", rings[i]);
		vt_expect_position(&pos, s, began, 0);
		MUST(snd_pcm_drop(s->pcm));
		vt_prepare(s);
	}
}

/* A reader that stays away is told; the peer does not notice. */
static void test_peer_goes_on(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	struct vt_position pos;
	int64_t began;

	recorder = vt_recorder(job->device, &p);
	p.buffer = 9600;
	player = vt_player(job->device, &p);
	vt_play(player, 0, 9600);
	began = start(player);
	start(recorder);
	wait_xrun(recorder);
	vt_locate(player, &pos);
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "the player stopped");
	vt_expect_position(&pos, player, began, 0);
	vt_prepare(recorder);
	start(recorder);
	vt_sleep_until(vt_now() + 10 * VT_MS);
	vt_locate(player, &pos);
	vt_expect_position(&pos, player, began, 0);
}

/* Told to go on, the player is silent where it has nothing, never stale. */
static void test_never_stale(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	p.stop = VT_NEVER;
	player = vt_player(job->device, &p);
	p.buffer = 24000;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 1000);
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, 1000);
	vt_hear_silence(recorder, 10000);
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_RUNNING,
	       "the player stopped");
}

/*
 * Late, a client skips what is past and goes on from here. Frames that were
 * due while it wrote are lost, all later ones are heard, nothing old is.
 */
static void test_catch_up(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	size_t quiet, lost = 0, good;
	snd_pcm_sframes_t avail;
	unsigned char *buf;

	p.stop = VT_NEVER;
	player = vt_player(job->device, &p);
	p.buffer = 24000;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 480);
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, 480);
	vt_hear_silence(recorder, 5000);
	avail = MUST(snd_pcm_avail(player->pcm));
	EXPECT(avail > (long)player->p.buffer + 5000, "%ld late", avail);
	MUST(snd_pcm_forward(player->pcm, avail - player->p.buffer));
	vt_play(player, 480, 960);
	buf = vt_alloc(4800 * recorder->frame_bytes);
	vt_read(recorder, buf, 4800);
	quiet = vt_silent(recorder, buf, 4800 - 960);
	buf += quiet * recorder->frame_bytes;
	while (lost < 100 && !vt_stamped(recorder, buf, 480 + lost, 1))
		lost++;
	good = vt_stamped(recorder, buf, 480 + lost, 960 - lost);
	EXPECT(good == 960 - lost, "%zu frames after %zu lost", good, lost);
	buf += good * recorder->frame_bytes;
	EXPECT(vt_silent(recorder, buf, 4800 - quiet - good) ==
	       4800 - quiet - good, "not silent afterwards");
	vt_note("%zu frames lost", lost);
}

/*
 * A larger threshold tolerates that many frames of silence more, whether or not
 * somebody hears them; then the xrun comes at its frame.
 */
static void test_tolerated(const void *arg)
{
	static const unsigned int more[] = { 1, 500, 960, 4800 };
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player;
	unsigned int i;
	int64_t end;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		p.stop = p.buffer + more[i];
		player = vt_player(job->device, &p);
		vt_play(player, 0, 1000);
		end = start(player) + vt_duration(player, 1000 + more[i]);
		vt_expect_time(wait_xrun(player), end, VT_LATE, "the xrun");
		vt_close(player);
	}
}

/* A smaller one is reached while there is room, or something left to play. */
static void test_below_ring(const void *arg)
{
	static const unsigned int stops[] = { 1, 17, 500, 960, 1919 };
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int i;
	int64_t end;

	for (i = 0; i < ARRAY_SIZE(stops); i++) {
		p.stop = stops[i];
		s = vt_stream(job->device, job->dir, &p);
		if (job->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, p.buffer);
		end = start(s) + vt_duration(s, stops[i]);
		vt_expect_time(wait_xrun(s), end, VT_LATE, "the xrun");
		vt_close(s);
	}
}

/* Its threshold is where it starts. */
static void stop_at_once(struct vt_stream *s)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(s->pcm, sw));
	MUST(snd_pcm_sw_params_set_stop_threshold(s->pcm, sw, 0));
	MUST(snd_pcm_sw_params(s->pcm, sw));
}

/*
 * What is there when it starts is not enough even then. By mmap: after a write
 * the core itself looks.
 */
static void test_at_once(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t began;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.stop = 960;
	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, 600);
	else
		stop_at_once(s);
	began = vt_now();
	MUST(snd_pcm_start(s->pcm));
	/* it takes effect within a millisecond, and a period is ten */
	vt_expect_time(wait_xrun(s), began, 2 * VT_MS + VT_LATE, "the xrun");
}

static void test_tolerated_heard(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	struct vt_position pos;

	p.stop = p.buffer + 4800;
	player = vt_player(job->device, &p);
	p.buffer = 24000;
	p.stop = VT_NEVER;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 1000);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_hear(recorder, 0, 1000);
	vt_hear_silence(recorder, 1000);
	vt_locate(player, &pos);
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "the player stopped");
	vt_expect_time(wait_xrun(player), pos.trigger +
		       vt_duration(player, 1000 + 4800), VT_LATE, "the xrun");
}

/*
 * By mmap a client can write late without the core's noticing. The recorder
 * has heard silence there: that was an underrun and has to be called one.
 */
static void test_late_commit(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	snd_pcm_uframes_t offset, n = 960;
	const snd_pcm_channel_area_t *areas;
	struct vt_position pos;
	unsigned char *buf;
	size_t good;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	player = vt_player(job->device, &p);
	p.buffer = 24000;
	p.stop = VT_NEVER;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 700);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_locate(recorder, &pos);
	vt_sleep_until(pos.trigger + vt_duration(recorder, 800));
	MUST(snd_pcm_avail(recorder->pcm));	/* it has heard it */
	MUST(snd_pcm_mmap_begin(player->pcm, &areas, &offset, &n));
	EXPECT(n == 960 && offset == 700, "%lu frames at %lu", n, offset);
	vt_stamp(player, (char *)areas[0].addr + offset * player->frame_bytes,
		 700, n);
	MUST(snd_pcm_mmap_commit(player->pcm, offset, n));
	/* at the next look, long before what came late is at its end */
	vt_expect_time(wait_xrun(player),
		       pos.trigger + vt_duration(recorder, 800),
		       vt_duration(recorder, 160) + VT_LATE, "the xrun");
	buf = vt_alloc(2400 * recorder->frame_bytes);
	vt_read(recorder, buf, 2400);
	good = vt_stamped(recorder, buf, 0, 2400);
	EXPECT(good == 700, "%zu frames of 700", good);
	/* then silence, and no frame of those that came too late is early */
	good += vt_silent(recorder, buf + good * recorder->frame_bytes,
			  2400 - good);
	EXPECT(good >= 800, "silence up to frame %zu only", good);
}

static const struct {
	const char *name;
	vt_test *test;
	int dirs;
} tests[] = {
	{ "at the end of the data", test_underrun_time, 1 },
	{ "within a period", test_underrun_within_period, 1 },
	{ "of a full ring", test_overrun_time, 1 },
	{ "reported by every call", test_reported, 2 },
	{ "and recovery, 1000 times", test_recover, 2 },
	{ "once per stall", test_stall, 2 },
	{ "without the peer", test_peer_goes_on, 1 },
	{ "below the ring", test_below_ring, 2 },
	{ "at once", test_at_once, 2 },
	{ "beyond what is tolerated", test_tolerated, 1 },
	{ "beyond what is tolerated, heard", test_tolerated_heard, 1 },
	{ "not wanted: silence, nothing stale", test_never_stale, 1 },
	{ "not wanted: catching up", test_catch_up, 1 },
	{ "of a commit that came late", test_late_commit, 1 },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * (9 + 2 * 5));
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			for (job.dir = 0; (int)job.dir < tests[i].dirs;
			     job.dir++)
				vt_run(tests[i].test, &job,
				       "device %d %s xrun %s", job.device,
				       tests[i].dirs > 1 ?
				       snd_pcm_stream_name(job.dir) : "an",
				       tests[i].name);
	return vt_finish();
}
