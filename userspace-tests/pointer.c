// SPDX-License-Identifier: GPL-2.0-only
/*
 * The position is the time since the start, exact to the frame at every
 * moment, and never steps back. Each reading is held between two looks at the
 * clock, so it needs no tolerance.
 */

#include "vpcm.h"

struct job {
	int device;
	snd_pcm_stream_t dir;
	unsigned int rate;
};

/* A stream that runs for ever, with a ring of half a second */
static struct vt_stream *runner(const struct job *job, bool wakeup)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = job->rate;
	p.period = job->rate / 10;
	p.buffer = p.period * 5;
	p.stop = VT_NEVER;
	p.nonblock = !wakeup;
	p.no_wakeup = !wakeup;
	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p.buffer);
	return s;
}

static int64_t start(struct vt_stream *s, struct vt_position *pos)
{
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, pos);
	vt_expect_position(pos, s, pos->trigger, 0);
	return pos->trigger;
}

/* Looks at moments that have nothing to do with periods */
static void test_exact(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, true);
	struct vt_position pos;
	int64_t began, last = 0;
	uint64_t seed = job->rate;
	unsigned int i;

	began = start(s, &pos);
	for (i = 0; i < 300; i++) {
		vt_sleep_until(vt_now() + vt_random(&seed, 5 * VT_MS));
		vt_locate(s, &pos);
		EXPECT(pos.state == SND_PCM_STATE_RUNNING, "stopped");
		vt_expect_position(&pos, s, began, 0);
		EXPECT(pos.frames >= last, "back from %lld to %lld",
		       (long long)last, (long long)pos.frames);
		last = pos.frames;
	}
}

/* The time that comes with the position is the position's time. */
static void test_stamp(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, true);
	struct vt_position pos;
	uint64_t seed = job->rate;
	int64_t began, wanted;
	unsigned int i;

	began = start(s, &pos);
	for (i = 0; i < 100; i++) {
		vt_sleep_until(vt_now() + vt_random(&seed, 5 * VT_MS));
		vt_locate(s, &pos);
		/* the core keeps the stamp while the position is the same */
		EXPECT((!pos.frames || pos.stamp >= began) &&
		       pos.stamp <= pos.after, "the stamp is not of this run");
		if (!pos.frames)
			continue;
		wanted = vt_frames(s, pos.stamp - began);
		EXPECT(pos.frames == wanted ||
		       pos.frames == vt_frames(s, pos.stamp - began -
					       2 * VT_US),
		       "frame %lld, stamped as %lld", (long long)pos.frames,
		       (long long)wanted);
	}
}

/*
 * Watched without a pause, the position shows every single frame. If the kernel
 * makes a pause, there are no more than have passed in it.
 */
static void test_steps(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, true);
	int64_t last = 0, limit, before, passed;
	struct vt_position pos;

	limit = start(s, &pos) + VT_SECOND;
	while (last < 200) {
		before = pos.before;
		vt_locate(s, &pos);
		passed = vt_frames(s, pos.after - before);
		EXPECT(pos.frames >= last && pos.frames <= last + 1 + passed,
		       "from %lld to %lld", (long long)last,
		       (long long)pos.frames);
		last = pos.frames;
		EXPECT(pos.after < limit, "stands at %lld", (long long)last);
	}
}

/* A minute later, not a frame is missing or too many on any stream. */
static void test_no_drift(const void *arg)
{
	static const struct job jobs[] = {
		{ 0, SND_PCM_STREAM_PLAYBACK, 44100 },
		{ 0, SND_PCM_STREAM_CAPTURE, 47999 },
		{ 1, SND_PCM_STREAM_PLAYBACK, 192000 },
		{ 1, SND_PCM_STREAM_CAPTURE, 5513 },
	};
	struct vt_stream *s[ARRAY_SIZE(jobs)];
	int64_t began[ARRAY_SIZE(jobs)];
	struct vt_position pos;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		s[i] = runner(&jobs[i], true);
		began[i] = start(s[i], &pos);
	}
	vt_sleep_until(began[0] + 60 * VT_SECOND + 123456789);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		vt_locate(s[i], &pos);
		vt_expect_position(&pos, s[i], began[i], 0);
	}
}

/*
 * Nobody looks for longer than a ring: whole rings must not get lost. Without
 * wake-ups the core counts them by its own ticks.
 */
static void test_unwatched(const void *arg)
{
	static const unsigned int ms[] = { 510, 1300, 760, 1705 };
	const struct job *job = arg;
	struct vt_stream *s = runner(job, false);
	struct vt_position pos;
	unsigned int i;
	int64_t began;

	began = start(s, &pos);
	for (i = 0; i < ARRAY_SIZE(ms); i++) {
		vt_sleep_until(vt_now() + ms[i] * VT_MS);
		vt_locate(s, &pos);
		EXPECT(pos.state == SND_PCM_STATE_RUNNING, "stopped");
		vt_expect_position(&pos, s, began, 0);
	}
}

static void test_delay(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = runner(job, true);
	struct vt_position pos;
	snd_pcm_sframes_t delay, avail;
	int64_t began, before, after, frames, passed;

	began = start(s, &pos);
	vt_sleep_until(began + 77 * VT_MS);
	before = vt_frames(s, vt_now() - began);
	MUST(snd_pcm_avail_delay(s->pcm, &avail, &delay));
	after = vt_frames(s, vt_now() - began);
	frames = avail;
	/* alsa-lib asks for one after the other */
	passed = delay - avail;
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		passed = s->p.buffer - avail - delay;
	EXPECT(passed >= 0 && passed <= after - before,
	       "avail %ld, delay %ld", avail, delay);
	EXPECT(frames >= before && frames <= after,
	       "%lld frames, wanted %lld to %lld", (long long)frames,
	       (long long)before, (long long)after);
}

static unsigned int start_grid(void)
{
	static const char path[] =
		"/sys/module/snd_virtual/parameters/start_grid_us";
	FILE *f = fopen(path, "r");
	unsigned int us;
	int n;

	EXPECT(f, "cannot read %s", path);
	n = fscanf(f, "%u", &us);
	fclose(f);
	EXPECT(n == 1, "no number in %s", path);
	return us;
}

/*
 * A start takes effect at the next multiple of the grid, no more than a
 * period later, and is stamped with that instant; the position is 0 until
 * then.
 */
static void test_grid(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	int64_t grid = start_grid() * VT_US, period, before;
	struct vt_position pos;
	uint64_t seed = 9;
	struct vt_stream *s;
	unsigned int i;

	p.period = job->rate;	/* here a size: the rate is 48000 */
	p.buffer = p.period * 4;
	s = vt_stream(job->device, job->dir, &p);
	period = vt_duration(s, p.period);
	for (i = 0; i < 20; i++) {
		vt_sleep_until(vt_now() + vt_random(&seed, 3 * VT_MS));
		if (job->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, p.buffer);
		before = vt_now();
		start(s, &pos);
		vt_expect_time(pos.trigger, before,
			       (grid < period ? grid : period) +
			       pos.before - before, "start");
		EXPECT(!grid || grid > period || pos.trigger % grid == grid / 2,
		       "%lld ns off the grid",
		       (long long)(pos.trigger % grid));
		MUST(snd_pcm_drop(s->pcm));
		vt_prepare(s);
	}
}

/* Of linked streams the shortest period counts, and all start at one instant. */
static void test_linked_grid(const void *arg)
{
	const struct job *job = arg;
	int64_t grid = start_grid() * VT_US, period, before;
	struct vt_params p = vt_plain;
	struct vt_stream *s, *other;
	struct vt_position pos, its;
	unsigned int i;

	s = vt_stream(0, job->dir, &p);
	p.period = job->rate;
	other = vt_stream(1, job->dir, &p);
	period = vt_duration(other, p.period);
	for (i = 0; i < 20; i++) {
		/* of a group one is asked to start all: the one or the other */
		vt_link(i % 2 ? other : s, i % 2 ? s : other);
		if (job->dir == SND_PCM_STREAM_PLAYBACK) {
			vt_play(s, 0, s->p.buffer);
			vt_play(other, 0, p.buffer);
		}
		/* as long before the grid as can be */
		vt_sleep_until((vt_now() / VT_MS + 2) * VT_MS + grid / 2 +
			       10 * VT_US);
		before = vt_now();
		start(s, &pos);
		vt_locate(other, &its);
		vt_expect_time(pos.trigger, before, (grid < period ? grid :
			       period) + pos.before - before, "start");
		EXPECT(pos.trigger == its.trigger, "%lld ns apart",
		       (long long)(its.trigger - pos.trigger));
		MUST(snd_pcm_drop(s->pcm));
		MUST(snd_pcm_unlink(s->pcm));
		vt_prepare(s);
		vt_prepare(other);
	}
}

/*
 * The other end starts just before a full second of this one's, with an instant
 * of effect that may lie beyond it: this one stays where time has it.
 */
static void test_peer(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s = runner(job, true), *peer;
	int64_t grid = start_grid() * VT_US, began, at;
	struct vt_position pos;
	unsigned int i;

	p.stop = VT_NEVER;
	p.rate = job->rate;
	peer = vt_stream(0, !job->dir, &p);
	began = start(s, &pos);
	for (i = 1; i <= 30; i++) {
		if (peer->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(peer, 0, p.buffer);
		at = began + i * VT_SECOND - grid * i / 25 - 10 * VT_US;
		vt_sleep_until(at);
		MUST(snd_pcm_start(peer->pcm));
		vt_locate(s, &pos);
		vt_expect_position(&pos, s, began, 0);
		vt_locate(peer, &pos);
		EXPECT(pos.frames >= 0 && pos.frames <= 1 +
		       vt_frames(peer, pos.after - pos.trigger),
		       "the other end at %lld", (long long)pos.frames);
		vt_locate(s, &pos);
		vt_expect_position(&pos, s, began, 0);
		MUST(snd_pcm_drop(peer->pcm));
		vt_prepare(peer);
	}
}

static const unsigned int rates[] = {
	5512, 8000, 11025, 44100, 47999, 48000, 96000, 705600, 767999,
};

static const struct {
	const char *name;
	vt_test *test;
	unsigned int rate;
} tests[] = {
	{ "stamped at 44100 Hz", test_stamp, 44100 },
	{ "frame by frame at 5512 Hz", test_steps, 5512 },
	{ "after whole rings unwatched at 48000 Hz", test_unwatched, 48000 },
	{ "and delay agree", test_delay, 48000 },
	{ "from the grid, periods of 480", test_grid, 480 },
	{ "from the grid, periods of 16", test_grid, 16 },
	{ "from the grid, linked with periods of 16", test_linked_grid, 16 },
	{ "while the other end starts", test_peer, 48000 },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 240);
	vt_plan(2 * 2 * ARRAY_SIZE(rates) + 2 * ARRAY_SIZE(tests) + 1);
	for (job.dir = 0; job.dir <= SND_PCM_STREAM_LAST; job.dir++) {
		const char *dir = snd_pcm_stream_name(job.dir);

		for (job.device = 0; job.device < 2; job.device++)
			for (i = 0; i < ARRAY_SIZE(rates); i++) {
				job.rate = rates[i];
				vt_run(test_exact, &job,
				       "device %d %s exact at %u Hz",
				       job.device, dir, job.rate);
			}
		job.device = 0;
		for (i = 0; i < ARRAY_SIZE(tests); i++) {
			job.rate = tests[i].rate;
			vt_run(tests[i].test, &job, "%s %s", dir,
			       tests[i].name);
		}
	}
	vt_run(test_no_drift, NULL, "four streams without drift for a minute");
	return vt_finish();
}
