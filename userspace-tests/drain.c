// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draining plays every frame, and ends with the last one and not with its
 * period.
 */

#include "vpcm.h"

struct job {
	int device;
	struct vt_params p;
	uint64_t frames;
};

static const struct {
	unsigned int rate;
	snd_pcm_uframes_t period, buffer;
	uint64_t frames;
} jobs[] = {
	{ 48000, 480, 1920, 1 },
	{ 48000, 480, 1920, 15 },
	{ 48000, 480, 1920, 479 },
	{ 48000, 480, 1920, 480 },
	{ 48000, 480, 1920, 481 },
	{ 48000, 480, 1920, 1919 },
	{ 48000, 480, 1920, 1920 },
	{ 48000, 480, 1920, 4801 },
	{ 48000, 48000, 96000, 1000 },
	{ 48000, 48000, 96000, 50000 },
	{ 44100, 441, 882, 1234 },
	{ 5512, 1000, 3000, 17 },
	{ 768000, 4096, 16384, 20001 },
	{ 48000, 16, 32, 25 },
	{ 192000, 16, 16384, 16383 },
};

static const snd_pcm_access_t accesses[] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
	SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
};

/* Plays all of it: starts with a full ring, or by draining what there is. */
static int64_t play_all(struct vt_stream *s, uint64_t frames)
{
	uint64_t first = frames < s->p.buffer ? frames : s->p.buffer;
	struct vt_position pos;

	vt_play(s, 0, first);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	if (frames > first)
		vt_play(s, first, frames - first);
	return pos.trigger;
}

static void test_time(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_player(job->device, &job->p);
	int64_t began = play_all(s, job->frames);

	MUST(snd_pcm_drain(s->pcm));
	vt_expect_time(vt_now(), began + vt_duration(s, job->frames), VT_LATE,
		       "the end");
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
}

/* Every frame arrives, then silence; the recorder is not touched. */
static void test_data(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = job->p;
	struct vt_stream *player, *recorder;

	/* an xrun would stop both, where it comes before they are unlinked */
	if (vt_slow() > 1)
		p.stop = VT_NEVER;
	player = vt_player(job->device, &p);
	p.stop = VT_NEVER;
	p.period = p.rate / 100 < 16 ? 16 : p.rate / 100;
	p.buffer = (job->frames / p.period + 6) * p.period;
	recorder = vt_recorder(job->device, &p);
	vt_link(recorder, player);
	vt_play(player, 0, job->frames < player->p.buffer ? job->frames :
		player->p.buffer);
	MUST(snd_pcm_start(recorder->pcm));
	MUST(snd_pcm_unlink(recorder->pcm));
	if (job->frames > player->done)
		vt_play(player, player->done, job->frames - player->done);
	MUST(snd_pcm_drain(player->pcm));
	vt_hear(recorder, 0, job->frames);
	vt_hear_silence(recorder, p.period * 3);
}

/* Draining a prepared stream with data starts it; twice is once. */
static void test_prepared(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_player(job->device, &vt_plain);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		int64_t before = vt_now();

		vt_play(s, 0, 700);
		MUST(snd_pcm_drain(s->pcm));
		vt_expect_time(vt_now(), before + vt_duration(s, 700),
			       3 * VT_MS, "the end");
		MUST(snd_pcm_drain(s->pcm));
		vt_prepare(s);
	}
}

static void test_nothing(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_player(job->device, &vt_plain);
	int64_t before = vt_now();

	MUST(snd_pcm_drain(s->pcm));
	EXPECT(vt_now() - before < 2 * VT_MS, "draining nothing took time");
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	vt_prepare(s);
	vt_play(s, 0, 100);
	MUST(snd_pcm_drain(s->pcm));
}

/* Without period wake-ups somebody must still tell that it is over. */
static void test_no_wakeup(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t began;

	p.no_wakeup = true;
	p.nonblock = true;
	p.buffer = 4800;
	s = vt_player(job->device, &p);
	began = play_all(s, 4321);
	REFUSED(-EAGAIN, snd_pcm_drain(s->pcm));
	vt_expect_time(vt_wait_state(s, SND_PCM_STATE_SETUP, VT_SECOND),
		       began + vt_duration(s, 4321), VT_LATE, "the end");
}

/* The largest ring of two periods that a stream of this kind can have, frames */
static snd_pcm_uframes_t largest(int device, const struct vt_params *p)
{
	struct vt_stream *s = vt_open(device, 0, SND_PCM_STREAM_PLAYBACK, 0);
	snd_pcm_uframes_t max;
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	MUST(snd_pcm_hw_params_any(s->pcm, hw));
	MUST(snd_pcm_hw_params_set_access(s->pcm, hw, p->access));
	MUST(snd_pcm_hw_params_set_format(s->pcm, hw, p->format));
	MUST(snd_pcm_hw_params_set_channels(s->pcm, hw, p->channels));
	MUST(snd_pcm_hw_params_set_rate(s->pcm, hw, p->rate, 0));
	MUST(snd_pcm_hw_params_set_periods(s->pcm, hw, 2, 0));
	MUST(snd_pcm_hw_params_get_buffer_size_max(hw, &max));
	vt_close(s);
	return max / 2 * 2;
}

/* The PCM core waits as long as a ring lasts, by a sum that has to fit. */
static void test_largest(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_U8;
	p.channels = 1;
	p.rate = 768000;
	p.buffer = largest(job->device, &p);
	p.period = p.buffer / 2;
	s = vt_player(job->device, &p);
	EXPECT(snd_pcm_forward(s->pcm, p.buffer) == (long)p.buffer, "stuck");
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	MUST(snd_pcm_drain(s->pcm));
	vt_expect_time(vt_now(), pos.trigger + vt_duration(s, p.buffer),
		       VT_LATE, "the end");
}

/* A stream that stops for nothing still ends when drained. */
static void test_never_stopping(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t began;

	p.stop = VT_NEVER;
	s = vt_player(job->device, &p);
	began = play_all(s, 5000);
	MUST(snd_pcm_drain(s->pcm));
	vt_expect_time(vt_now(), began + vt_duration(s, 5000), VT_LATE,
		       "the end");
}

/* Without waiting, the end is seen by polling. */
static void test_nonblock(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t began;

	p.nonblock = true;
	s = vt_player(job->device, &p);
	began = play_all(s, 1000);
	REFUSED(-EAGAIN, snd_pcm_drain(s->pcm));
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_DRAINING, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	vt_expect_time(vt_wait_state(s, SND_PCM_STATE_SETUP, VT_SECOND),
		       began + vt_duration(s, 1000), VT_LATE, "the end");
}

/* A drained recorder stops, and keeps what it had. */
static void test_recorder(const void *arg)
{
	const struct job *job = arg;
	const snd_pcm_channel_area_t *areas;
	struct vt_params p = vt_plain;
	snd_pcm_uframes_t offset, avail;
	struct vt_position pos;
	struct vt_stream *s;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	s = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	vt_sleep_until(pos.trigger + 15 * VT_MS);
	avail = MUST(snd_pcm_avail(s->pcm));
	EXPECT(avail >= 719, "%lu frames in 15 ms", avail);
	MUST(snd_pcm_nonblock(s->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(s->pcm));
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_DRAINING, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &avail));
	EXPECT(avail >= 719 && avail < 800, "kept %lu frames", avail);
	MUST(snd_pcm_mmap_commit(s->pcm, offset, avail));
	MUST(snd_pcm_drop(s->pcm));
}

/*
 * Draining a linked player calls START for the whole group, of which the core
 * then leaves the recorder prepared.
 */
static void test_linked(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player = vt_player(job->device, &vt_plain);
	struct vt_stream *recorder = vt_recorder(job->device, &vt_plain);

	vt_link(player, recorder);
	vt_play(player, 0, 700);
	MUST(snd_pcm_drain(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
	vt_prepare(recorder);
	MUST(snd_pcm_start(recorder->pcm));
	vt_hear_silence(recorder, 2000);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "a prepared stream", test_prepared },
	{ "nothing", test_nothing },
	{ "without wake-ups", test_no_wakeup },
	{ "a stream that never stops", test_never_stopping },
	{ "without waiting", test_nonblock },
	{ "the largest ring", test_largest },
	{ "a recorder", test_recorder },
	{ "a linked player", test_linked },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * (2 * ARRAY_SIZE(jobs) + ARRAY_SIZE(tests)));
	for (job.device = 0; job.device < 2; job.device++) {
		for (i = 0; i < ARRAY_SIZE(jobs); i++) {
			job.p = vt_plain;
			job.p.access = accesses[i % ARRAY_SIZE(accesses)];
			job.p.rate = jobs[i].rate;
			job.p.period = jobs[i].period;
			job.p.buffer = jobs[i].buffer;
			job.frames = jobs[i].frames;
			vt_run(test_time, &job,
			       "device %d end of %llu frames, %u Hz %lu/%lu",
			       job.device, (unsigned long long)job.frames,
			       job.p.rate, job.p.period, job.p.buffer);
			vt_run(test_data, &job,
			       "device %d all of %llu frames, %u Hz %lu/%lu",
			       job.device, (unsigned long long)job.frames,
			       job.p.rate, job.p.period, job.p.buffer);
		}
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &job, "device %d draining %s",
			       job.device, tests[i].name);
	}
	return vt_finish();
}
