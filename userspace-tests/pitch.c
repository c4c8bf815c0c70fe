// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pitch of a stream: its cable runs by it from the instant of the change
 * on, without a jump.
 */

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include "vctl.h"

struct job {
	int device;
	const struct vt_face *face;
	unsigned int rate;
};

/*
 * Where a stream is at least and at most: a speed holds from a moment between
 * the two looks at the clock around the call that set it.
 */
struct track {
	struct vt_stream *s;
	double low, high;		/* frames at @since */
	int64_t since;
	long speed;			/* ppb */
};

static double frames_in(const struct track *t, int64_t ns, long speed)
{
	return (double)t->s->p.rate * speed / VT_NOMINAL * ns / VT_SECOND;
}

static void run_until(struct track *t, int64_t when, long low, long high)
{
	if (when <= t->since)
		return;
	t->low += frames_in(t, when - t->since, low);
	t->high += frames_in(t, when - t->since, high);
	t->since = when;
}

static void follow(struct track *t, int64_t before, int64_t after, long speed)
{
	run_until(t, before, t->speed, t->speed);
	run_until(t, after, speed < t->speed ? speed : t->speed,
		  speed > t->speed ? speed : t->speed);
	t->speed = speed;
}

static void set_pitch(snd_ctl_t *ctl, int device, const struct vt_face *face,
		      long value, struct track *tracks, unsigned int n)
{
	int64_t before = vt_now(), after;
	unsigned int i;

	MUST(vt_ctl_set(ctl, face->name, device, 0, value, 0));
	after = vt_now();
	for (i = 0; i < n; i++)
		follow(&tracks[i], before, after, vt_speed_of(face, value));
}

static void set_drift(snd_ctl_t *ctl, int device, long drift, struct track *t)
{
	int64_t before = vt_now();

	vt_spoil(ctl, device, VT_DRIFT, drift);
	follow(t, before, vt_now(), VT_NOMINAL + drift);
}

static void expect_there(struct track *t, const struct vt_position *pos)
{
	double low, high;

	low = floor(t->low + frames_in(t, pos->before - t->since, t->speed) -
		    0.001);
	high = floor(t->high + frames_in(t, pos->after - t->since, t->speed) +
		     0.001);
	EXPECT(pos->frames >= low && pos->frames <= high,
	       "%s at %lld, wanted %.0f to %.0f",
	       snd_pcm_stream_name(t->s->dir), (long long)pos->frames, low,
	       high);
}

static void expect_on_track(struct track *t)
{
	struct vt_position pos;

	vt_locate(t->s, &pos);
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "stopped");
	expect_there(t, &pos);
}

/* The same without a status */
static void expect_avail(struct track *t)
{
	struct vt_position pos;

	pos.before = vt_now();
	pos.frames = MUST(snd_pcm_avail(t->s->pcm));
	pos.after = vt_now();
	expect_there(t, &pos);
}

/* A stream that runs for ever, started, with its track */
static struct track start_periods(int device, int subdevice,
				  snd_pcm_stream_t dir, unsigned int rate,
				  long speed, unsigned int period,
				  unsigned int periods)
{
	struct track t = { .speed = speed };
	struct vt_params p = vt_plain;
	struct vt_position pos;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = rate;
	p.period = period;
	p.buffer = period * periods;
	p.stop = VT_NEVER;
	t.s = vt_open(device, subdevice, dir, 0);
	MUST(vt_configure(t.s, &p));
	if (dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(t.s, 0, p.buffer);
	MUST(snd_pcm_start(t.s->pcm));
	vt_locate(t.s, &pos);
	t.since = pos.trigger;
	vt_sleep_until(pos.trigger);
	return t;
}

static struct track start(int device, int subdevice, snd_pcm_stream_t dir,
			  unsigned int rate, long speed)
{
	return start_periods(device, subdevice, dir, rate, speed, rate / 10, 5);
}

/* Both ends, at one rate or at two, to the frame at every moment */
static void test_position(const void *arg)
{
	static const long percent[] = { 100, 125, 80, 101, 99, 125, 100, 81 };
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct track t[2];
	uint64_t seed = 5;
	unsigned int i, k;

	t[0] = start(job->device, 0, SND_PCM_STREAM_PLAYBACK, job->rate,
		     VT_NOMINAL);
	t[1] = start(job->device, 0, SND_PCM_STREAM_CAPTURE,
		     job->rate == 48000 ? 44100 : 48000, VT_NOMINAL);
	for (i = 0; i < ARRAY_SIZE(percent); i++) {
		long value = job->face->nominal * 100 / percent[i];

		if (!job->face->slower)
			value = job->face->nominal * percent[i] / 100;
		if (value > job->face->max)
			value = job->face->max;
		set_pitch(ctl, job->device, job->face, value, t, 2);
		for (k = 0; k < 30; k++) {
			expect_on_track(&t[k % 2]);
			vt_sleep_until(vt_now() + vt_random(&seed, 9 * VT_MS));
		}
	}
}

/* Who takes no stamps may be told again what was known of this frame. */
static void take_no_stamps(struct vt_stream *s)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(s->pcm, sw));
	MUST(snd_pcm_sw_params_set_tstamp_mode(s->pcm, sw,
					       SND_PCM_TSTAMP_NONE));
	MUST(snd_pcm_sw_params(s->pcm, sw));
}

/* What was known of the next frame is known no longer, at either end. */
static void test_next_frame(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct track t;
	unsigned int i, k;

	t = start(job->device, 0, !job->device, 5512, VT_NOMINAL);
	take_no_stamps(t.s);
	for (i = 0; i < 300; i++) {
		expect_avail(&t);
		set_pitch(ctl, job->device, job->face,
			  i % 2 ? job->face->min : job->face->max, &t, 1);
		for (k = 0; k < 20; k++)
			expect_avail(&t);
	}
}

/* The same by a drift, as long as the track is narrow */
static void test_next_drift(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct track t;
	unsigned int i, k;

	for (i = 0; i < 200; i++) {
		if (!(i % 5)) {
			vt_spoil(ctl, job->device, VT_DRIFT, 0);
			t = start(job->device, 0, i / 5 % 2, 5512, VT_NOMINAL);
			take_no_stamps(t.s);
		}
		expect_avail(&t);
		set_drift(ctl, job->device, i % 2 ? -200000000 : 200000000, &t);
		for (k = 0; k < 20; k++)
			expect_avail(&t);
		if (i % 5 == 4)
			vt_close(t.s);
	}
}

/* Whoever waits is woken by the new speed. */
static void test_wakeup(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	unsigned int period = job->rate / 6;
	int64_t due, late;
	struct track t;

	t = start_periods(job->device, 0, SND_PCM_STREAM_CAPTURE, job->rate,
			  VT_NOMINAL, period, 4);
	vt_sleep_until(t.since + 100 * VT_MS);
	set_pitch(ctl, job->device, VT_PLAYBACK_PITCH, 1250000, &t, 1);
	due = t.since + (period - t.high) / job->rate * VT_SECOND * 4 / 5;
	late = VT_LATE + (t.high - t.low) / job->rate * VT_SECOND + 2 * VT_US;
	MUST(snd_pcm_wait(t.s->pcm, 5000));
	vt_expect_time(vt_now(), due - VT_US, late, "a period");
}

/* One end goes, and comes again beside the other, whose rate is another. */
static void test_again(const void *arg)
{
	const struct job *job = arg;
	struct track t[2];
	unsigned int i, k;

	for (i = 0; i < 6; i++) {
		if (i >= 2)
			vt_close(t[i % 2].s);
		t[i % 2] = start(job->device, 0, i % 2, i % 2 ? 44100 : 48000,
				 VT_NOMINAL);
		for (k = 0; i && k < 20; k++) {
			expect_on_track(&t[k % 2]);
			vt_sleep_until(vt_now() + 7 * VT_MS);
		}
	}
}

/* A ring of one period, which passes faster than the core would think */
static void test_one_period(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	uint64_t seed = job->rate;
	struct track t;
	unsigned int i;

	t = start_periods(job->device, 0, SND_PCM_STREAM_CAPTURE, job->rate,
			  VT_NOMINAL, job->rate / 50 + 1, 1);
	set_pitch(ctl, job->device, job->face,
		  vt_value_of(job->face, VT_NOMINAL / 4 * 5), &t, 1);
	for (i = 0; i < 300; i++) {
		expect_on_track(&t);
		vt_sleep_until(vt_now() + vt_random(&seed, 99 * VT_MS));
	}
}

/* Many small changes: a part of a frame lost at each would be hundreds. */
static void test_many(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct vt_position was, is;
	uint64_t seed = 8;
	struct track t;
	unsigned int i;

	t = start(job->device, 0, SND_PCM_STREAM_PLAYBACK, job->rate,
		  VT_NOMINAL);
	for (i = 0; i < 2000; i++) {
		vt_locate(t.s, &was);
		set_pitch(ctl, job->device, VT_PLAYBACK_PITCH,
			  1000000 + (long)vt_random(&seed, 5) - 2, &t, 1);
		vt_locate(t.s, &is);
		EXPECT(is.frames >= was.frames, "back by %lld",
		       (long long)(was.frames - is.frames));
		vt_sleep_until(vt_now() + vt_random(&seed, 100 * VT_US));
	}
	EXPECT(t.high - t.low < 0.1 * vt_slow(), "the test's own error is %f frames",
	       t.high - t.low);
	expect_on_track(&t);
}

/* The smallest change is seen, if one waits. */
static void test_smallest(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct track t;
	long sign;

	t = start(job->device, 0, SND_PCM_STREAM_CAPTURE, job->rate, VT_NOMINAL);
	for (sign = -1; sign <= 1; sign += 2) {
		set_pitch(ctl, job->device, job->face, job->face->nominal +
			  sign, &t, 1);
		vt_sleep_until(t.since + 60 * VT_SECOND);
		EXPECT(frames_in(&t, 60 * VT_SECOND, 1000) > 2, "too short");
		expect_on_track(&t);
	}
}

/* Both ends of a running pair stay side by side, and every frame arrives. */
static void test_loop(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	struct vt_position pos[3];
	uint64_t seed = 4;
	unsigned int i;

	p.rate = job->rate;
	p.period = job->rate / 100;
	p.buffer = p.period * 8;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	for (i = 0; i < 300; i++) {
		vt_hear(recorder, (uint64_t)i * p.period, p.period);
		vt_play(player, p.buffer + (uint64_t)i * p.period, p.period);
		MUST(vt_ctl_set(ctl, VT_CAPTURE_PITCH->name, job->device, 0,
				800000 + vt_random(&seed, 450001), 0));
		vt_locate(player, &pos[0]);
		vt_locate(recorder, &pos[1]);
		vt_locate(player, &pos[2]);
		EXPECT(pos[1].frames >= pos[0].frames &&
		       pos[1].frames <= pos[2].frames,
		       "player at %lld to %lld, recorder at %lld",
		       (long long)pos[0].frames, (long long)pos[2].frames,
		       (long long)pos[1].frames);
	}
}

/* What waits is woken when it is time by the new speed. */
static void test_deadline(const void *arg)
{
	static const long values[] = { 1250000, 800000, 1000001 };
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct track t = { 0 };
	unsigned int i;
	double left;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = job->rate;
	p.period = job->rate / 4;
	p.buffer = p.period * 2;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		t.s = vt_player(job->device, &p);
		vt_play(t.s, 0, p.buffer - 11);
		MUST(snd_pcm_start(t.s->pcm));
		vt_locate(t.s, &pos);
		t.since = pos.trigger;
		t.low = 0;
		t.high = 0;
		t.speed = VT_NOMINAL;
		vt_sleep_until(t.since + 100 * VT_MS);
		set_pitch(ctl, job->device, VT_PLAYBACK_PITCH, values[i], &t, 1);
		left = (p.buffer - 11 - t.high) / frames_in(&t, VT_SECOND,
							  t.speed);
		MUST(snd_pcm_drain(t.s->pcm));
		vt_expect_time(vt_now(), t.since + left * VT_SECOND - 10,
			       350 * VT_US, "the end");
		vt_close(t.s);
		MUST(vt_ctl_set(ctl, VT_PLAYBACK_PITCH->name, job->device, 0, 1000000,
				0));
	}
}

/* Set before, kept after, and changed while it is paused or closed */
static void test_kept(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct vt_position was, is;
	struct track t;
	unsigned int i;

	set_pitch(ctl, job->device, VT_PLAYBACK_PITCH, 1200000, NULL, 0);
	for (i = 0; i < 2; i++) {
		t = start(job->device, 0, SND_PCM_STREAM_PLAYBACK, job->rate,
			  1200000000);
		vt_sleep_until(t.since + 333 * VT_MS);
		expect_on_track(&t);
		vt_close(t.s);
		vt_expect_faces(ctl, job->device, 0, 1200000000);
	}
	t = start(job->device, 0, SND_PCM_STREAM_CAPTURE, job->rate,
		  1200000000);
	MUST(snd_pcm_pause(t.s->pcm, 1));
	vt_locate(t.s, &was);
	set_pitch(ctl, job->device, VT_PLAYBACK_PITCH, 900000, NULL, 0);
	vt_sleep_until(vt_now() + 100 * VT_MS);
	vt_locate(t.s, &is);
	EXPECT(is.frames == was.frames, "a paused stream moves");
	MUST(snd_pcm_pause(t.s->pcm, 0));
	vt_locate(t.s, &was);
	vt_sleep_until(was.trigger + VT_SECOND);
	vt_locate(t.s, &is);
	i = job->rate * 9 / 10;
	EXPECT(llabs(is.frames - was.frames - i) < i / 100,
	       "%lld frames in a second after the pause, wanted %u",
	       (long long)(is.frames - was.frames), i);
}

/* A substream's pitch is its own. */
static void test_others(const void *arg)
{
	const struct job *job = arg;
	int other = vt_substreams() - 1, i;
	snd_ctl_t *ctl = vt_use_pitch(job->device);
	struct track t[3];

	EXPECT(other, "the card has only one substream");
	t[0] = start(job->device, 0, SND_PCM_STREAM_PLAYBACK, job->rate,
		     VT_NOMINAL);
	t[1] = start(job->device, other, SND_PCM_STREAM_PLAYBACK, job->rate,
		     VT_NOMINAL);
	t[2] = start(!job->device, 0, SND_PCM_STREAM_PLAYBACK, job->rate,
		     VT_NOMINAL);
	set_pitch(ctl, job->device, job->face, job->face->max, t, 1);
	for (i = 0; i < 30; i++) {
		vt_sleep_until(vt_now() + 33 * VT_MS);
		expect_on_track(&t[i % 3]);
	}
	vt_expect_faces(ctl, job->device, other, VT_NOMINAL);
	vt_expect_faces(ctl, !job->device, 0, VT_NOMINAL);
}

static const struct {
	const char *name;
	vt_test *test;
	bool by_face, by_rate;
} tests[] = {
	{ "moves the position", test_position, true, true },
	{ "many times in a row", test_many, false, true },
	{ "and the very next frame", test_next_frame, true },
	{ "or drifts at the next frame", test_next_drift },
	{ "and who waits", test_wakeup, false, true },
	{ "of two rates, again", test_again },
	{ "in a single period", test_one_period, false, true },
	{ "by the smallest step", test_smallest, true },
	{ "in a loop", test_loop, false, true },
	{ "and the next wake-up", test_deadline, false, true },
	{ "is kept", test_kept, false, true },
	{ "of one stream only", test_others, true },
};

int main(int argc, char **argv)
{
	static const unsigned int rates[] = { 48000, 44100, 768000 };
	unsigned int i, f, r;
	struct job job;

	vt_init(argc, argv, 1500);
	/* one by face and rate; three by face; six by rate; two */
	vt_plan(2 * (9 + 3 * 3 + 6 * 3 + 2));
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			for (f = 0; f < (tests[i].by_face ? 3 : 1); f++)
				for (r = 0; r < (tests[i].by_rate ? 3 : 1);
				     r++) {
					job.face = &vt_faces[f];
					job.rate = rates[r];
					vt_run(tests[i].test, &job,
					       "device %d pitch %s, %s, %u Hz",
					       job.device, tests[i].name,
					       vt_faces[f].name, rates[r]);
				}
	return vt_finish();
}
