// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timestamps: of whatever type, in whatever clock, the system's time and the
 * stream's belong to the position that they come with, to the frame; and so
 * does the delay, whatever the latency and the pitch.
 */

#include <string.h>
#include <time.h>
#include "vctl.h"

#define LATENCY		1000
#define PITCH		1100000		/* ppm of the nominal rate */
#define MET		(20 * VT_US)	/* a look is shorter, if nothing meets it */
#define SLACK		(2 * VT_US)	/* between two clocks that are read */

struct job {
	snd_pcm_stream_t dir;
	snd_pcm_tstamp_type_t type;
	bool latency, pitch;
};

/* As in <sound/asound.h>; what is offered is the default and 2 and 3. */
enum audio { COMPAT, DEFAULT, LINK, LINK_ABSOLUTE, ESTIMATED, SYNCHRONIZED };

struct look {
	int64_t before, after;		/* of CLOCK_MONOTONIC */
	int64_t trigger, system, driver, audio;
	int64_t frames, delay, avail;
	snd_pcm_audio_tstamp_report_t report;
};

static int64_t ns(const snd_htimestamp_t *ts)
{
	return ts->tv_sec * VT_SECOND + ts->tv_nsec;
}

static void look(struct vt_stream *s, enum audio type, bool delay,
		 struct look *l)
{
	snd_pcm_audio_tstamp_config_t config = {
		.type_requested = type,
		.report_delay = delay,
	};
	snd_pcm_status_t *status;
	snd_htimestamp_t ts;

	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &config);
	l->before = vt_now();
	MUST(snd_pcm_status(s->pcm, status));
	l->after = vt_now();
	EXPECT(snd_pcm_status_get_state(status) == SND_PCM_STATE_RUNNING,
	       "state %s",
	       snd_pcm_state_name(snd_pcm_status_get_state(status)));
	snd_pcm_status_get_trigger_htstamp(status, &ts);
	l->trigger = ns(&ts);
	snd_pcm_status_get_htstamp(status, &ts);
	l->system = ns(&ts);
	snd_pcm_status_get_driver_htstamp(status, &ts);
	l->driver = ns(&ts);
	snd_pcm_status_get_audio_htstamp(status, &ts);
	l->audio = ns(&ts);
	snd_pcm_status_get_audio_htstamp_report(status, &l->report);
	l->avail = snd_pcm_status_get_avail(status);
	l->delay = snd_pcm_status_get_delay(status);
	l->frames = s->done + l->avail;
	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		l->frames -= s->p.buffer;
}

/* The client's clock less CLOCK_MONOTONIC, ns */
static int64_t ahead(snd_pcm_tstamp_type_t type)
{
	static const clockid_t clocks[] = {
		[SND_PCM_TSTAMP_TYPE_GETTIMEOFDAY] = CLOCK_REALTIME,
		[SND_PCM_TSTAMP_TYPE_MONOTONIC] = CLOCK_MONOTONIC,
		[SND_PCM_TSTAMP_TYPE_MONOTONIC_RAW] = CLOCK_MONOTONIC_RAW,
	};
	int64_t before, after;
	struct timespec ts;

	if (type == SND_PCM_TSTAMP_TYPE_MONOTONIC)
		return 0;
	do {
		before = vt_now();
		SYS(clock_gettime(clocks[type], &ts));
		after = vt_now();
	} while (after - before > SLACK);	/* interrupted */
	return ts.tv_sec * VT_SECOND + ts.tv_nsec - (before + after) / 2;
}

static int64_t speed(const struct job *job)
{
	return 48000LL * (job->pitch ? PITCH : 1000000);
}

/* Frames that pass in a time at this pitch. Not every machine has 128 bits. */
static int64_t frames_in(const struct job *job, int64_t time)
{
	int64_t part = speed(job) / 1000;	/* without a remainder */

	return time < 0 ? 0 : (time / VT_SECOND * part +
			       time % VT_SECOND * part / VT_SECOND) / 1000;
}

static void expect_between(int64_t is, int64_t low, int64_t high,
			   const char *what)
{
	EXPECT(is >= low && is <= high, "%s is %lld, wanted %lld to %lld",
	       what, (long long)is, (long long)low, (long long)high);
}

/*
 * The position is the time since the start, as the stamps tell both; it may be
 * older by @late.
 */
static void expect_position(const struct job *job, const struct look *l,
			    int64_t late, int64_t slack)
{
	int64_t passed = l->system - l->trigger;

	expect_between(l->frames, frames_in(job, passed - late - slack),
		       frames_in(job, passed + slack), "the position");
}

static void expect_system(const struct job *job, const struct look *l)
{
	int64_t off = ahead(job->type);

	/* a position holds for a frame, which is 21 us */
	expect_between(l->system - off, l->before - 21 * VT_US - SLACK,
		       l->after + SLACK, "the system's time");
	/* kernels of 32 bits repeat the stream's time instead, for any card */
	if (sizeof(long) == 4 && l->driver == l->audio)
		return;
	expect_between(l->driver - off, l->before - SLACK, l->after + SLACK,
		       "the driver's time");
	EXPECT(l->driver >= l->system, "the driver's time is before");
}

static void expect_report(const struct look *l, enum audio requested)
{
	unsigned int actual = requested < ESTIMATED ? requested : DEFAULT;

	EXPECT(l->report.valid == (requested != COMPAT), "valid is %u",
	       l->report.valid);
	if (requested == COMPAT)
		return;
	EXPECT(l->report.actual_type == actual, "type %u instead of %u",
	       l->report.actual_type, actual);
	if (actual == LINK || actual == LINK_ABSOLUTE)
		EXPECT(l->report.accuracy_report &&
		       l->report.accuracy == 20834,
		       "accuracy %u: %u ns", l->report.accuracy_report,
		       l->report.accuracy);
}

static int64_t begun;		/* this program, once there was a card */

static void expect_audio(const struct vt_stream *s, const struct look *l,
			 bool delay, int64_t latency, int64_t *made)
{
	int64_t frames = l->frames + (delay ? latency : 0);

	if (l->report.actual_type != LINK_ABSOLUTE) {
		expect_between(l->audio, frames * VT_SECOND / s->p.rate,
			       frames * VT_SECOND / s->p.rate,
			       "the stream's time");
		return;
	}
	/* which tells when the card was made, always the same: just before */
	expect_between(l->audio, l->after - begun,
		       l->after - begun + 5 * VT_SECOND * vt_slow(),
		       "the time since the card was made");
	if (!*made)
		*made = l->system - l->audio;
	expect_between(l->system - l->audio, *made - SLACK, *made + SLACK,
		       "when the card was made");
}

static void expect_delay(const struct vt_stream *s, const struct look *l,
			 int64_t latency)
{
	int64_t wanted = s->dir == SND_PCM_STREAM_CAPTURE ?
			 l->avail + latency :
			 (int64_t)s->p.buffer - l->avail;

	expect_between(l->delay, wanted, wanted, "the delay");
}

static struct vt_stream *open_stream(const struct job *job)
{
	struct vt_params p = vt_plain;
	snd_pcm_sw_params_t *sw;
	struct vt_stream *s;

	vt_use_latency(0, job->latency ? LATENCY : 0);
	MUST(vt_ctl_set(vt_use_pitch(0), VT_PLAYBACK_PITCH->name, 0, 0,
			job->pitch ? PITCH : 1000000, 0));
	p.buffer = 192000;
	s = vt_stream(0, job->dir, &p);
	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(s->pcm, sw));
	MUST(snd_pcm_sw_params_set_tstamp_type(s->pcm, sw, job->type));
	MUST(snd_pcm_sw_params(s->pcm, sw));
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, 192000);
	return s;
}

static void test_stamps(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = open_stream(job);
	int64_t latency = job->latency && job->dir == SND_PCM_STREAM_CAPTURE ?
			  LATENCY : 0;
	uint64_t seed = 1;
	int64_t made = 0;
	enum audio audio;
	unsigned int i;
	struct look l;
	bool delay;

	MUST(snd_pcm_start(s->pcm));
	vt_sleep_until(vt_now() + 3 * VT_MS);
	for (i = 0; i < 240; i++) {
		audio = i % 6;
		delay = i / 6 % 2;
		if (i == 200)	/* beyond a second, and another */
			vt_sleep_until(vt_now() + 1500 * VT_MS);
		vt_sleep_until(vt_now() + vt_random(&seed, 5 * VT_MS));
		look(s, audio, delay, &l);
		expect_report(&l, audio);
		expect_system(job, &l);
		/*
		 * The core asks for the time after the position, and may
		 * be kept from it meanwhile. Of the link's time the system's
		 * is that of the very position, unless a tick comes between
		 * the two; conversions to the client's clock round.
		 */
		if (l.report.actual_type == DEFAULT)
			expect_position(job, &l, l.after - l.before,
					3 * VT_US * vt_slow());
		else
			expect_position(job, &l, l.after - l.before > MET ?
					l.after - l.before : 0, job->type ==
					SND_PCM_TSTAMP_TYPE_MONOTONIC_RAW ?
					VT_US : 1);
		expect_audio(s, &l, delay, latency, &made);
		expect_delay(s, &l, latency);
	}
}

/* A pause is a start anew for the trigger's stamp, but not for the frames. */
static void test_pause(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = open_stream(job);
	int64_t off = ahead(job->type), paused, first = 0;
	struct vt_position pos;
	struct look l, then;
	unsigned int i;

	MUST(snd_pcm_start(s->pcm));
	for (i = 0; i < 5; i++) {
		vt_sleep_until(vt_now() + 12345 * VT_US);
		look(s, LINK, false, &then);
		paused = vt_now();
		MUST(snd_pcm_pause(s->pcm, 1));
		vt_locate(s, &pos);
		expect_between(pos.trigger - off, paused - SLACK,
			       vt_now() + SLACK, "the time of the pause");
		vt_sleep_until(vt_now() + 23456 * VT_US);
		MUST(snd_pcm_pause(s->pcm, 0));
		vt_sleep_until(vt_now() + 3456 * VT_US);
		look(s, LINK, false, &l);
		EXPECT(l.trigger > then.system, "not a new trigger time");
		expect_between(l.audio, l.frames * VT_SECOND / s->p.rate,
			       l.frames * VT_SECOND / s->p.rate,
			       "the stream's time");
		/* all that passed before the pause, and since it */
		first = then.frames + frames_in(job, paused -
						(then.system - off));
		expect_between(l.frames, first +
			       frames_in(job, l.system - l.trigger - SLACK) - 1,
			       first + 3 +
			       frames_in(job, l.system - l.trigger + SLACK),
			       "the position");
	}
}

/* Before the instant at which it takes effect, too */
static void test_at_once(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = open_stream(job);
	unsigned int i;
	struct look l;

	for (i = 0; i < 20; i++) {
		MUST(snd_pcm_start(s->pcm));
		look(s, i % 2 ? LINK : LINK_ABSOLUTE, false, &l);
		if (i % 2 == 0)
			expect_system(job, &l);
		MUST(snd_pcm_drop(s->pcm));
		vt_prepare(s);
		if (job->dir == SND_PCM_STREAM_PLAYBACK)
			vt_play(s, 0, s->p.buffer);
	}
}

/* Two looks within a frame get what either asks for. */
static void test_same_frame(const void *arg)
{
	struct vt_params p = vt_plain;
	unsigned int i, same = 0;
	struct vt_stream *s;
	struct look l, then;

	(void)arg;
	p.rate = 5512;
	p.buffer = 9600;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_sleep_until(vt_now() + 3 * VT_MS);
	for (i = 0; i < 200; i++) {
		look(s, i % 2 ? LINK : LINK_ABSOLUTE, false, &then);
		look(s, DEFAULT, false, &l);
		EXPECT(l.report.actual_type == DEFAULT, "type %u",
		       l.report.actual_type);
		expect_audio(s, &l, false, 0, NULL);
		same += l.frames == then.frames;
	}
	EXPECT(same > 20 || vt_slow() > 1, "only %u in one frame", same);
}

/* Prepared again after its latency is gone, a stream has a delay without it. */
static void test_latency_gone(const void *arg)
{
	const struct job job = { .dir = SND_PCM_STREAM_CAPTURE,
				 .type = SND_PCM_TSTAMP_TYPE_MONOTONIC,
				 .latency = true };
	struct vt_stream *s = open_stream(&job);
	long latency = LATENCY;
	struct look l;

	(void)arg;
	for (;; latency = 0) {
		MUST(snd_pcm_start(s->pcm));
		vt_sleep_until(vt_now() + 5 * VT_MS);
		look(s, DEFAULT, true, &l);
		expect_delay(s, &l, latency);
		if (!latency)
			break;
		MUST(snd_pcm_drop(s->pcm));
		vt_use_latency(0, 0);
		vt_prepare(s);
	}
}

/*
 * Another clock has no link: its stream's time is that of the position. Its
 * start is still told in the system's time.
 */
static void test_other_clock(const void *arg)
{
	const struct job job = { .type = SND_PCM_TSTAMP_TYPE_MONOTONIC };
	struct vt_params p = vt_plain;
	const char *clock = arg;
	int64_t before, after;
	struct vt_stream *s;
	unsigned int i;
	struct look l;

	vt_use_scale(0, 3, 1);
	vt_use_clock(0, clock);
	p.buffer = 192000;
	s = vt_recorder(0, &p);
	before = vt_now();
	MUST(snd_pcm_start(s->pcm));
	after = vt_now();
	for (i = 0; i < 24; i++) {
		if (strcmp(clock, "step"))
			vt_sleep_until(vt_now() + 7 * VT_MS);
		else
			MUST(vt_step(0, 777));
		look(s, i % 6, i / 6 % 2, &l);
		EXPECT(l.report.actual_type == DEFAULT || i % 6 == COMPAT,
		       "type %u instead of %u", l.report.actual_type, i % 6);
		expect_system(&job, &l);
		expect_audio(s, &l, false, 0, NULL);
		expect_between(l.trigger, before, after, "the start's time");
	}
	EXPECT(l.frames > 7000, "at %lld only", (long long)l.frames);
}

static const char *const type_names[] = { "REALTIME", "MONOTONIC", "RAW" };

static void run(vt_test *test, const struct job *job, const char *what)
{
	vt_run(test, job, "%s %s%s%s%s", snd_pcm_stream_name(job->dir),
	       type_names[job->type], what, job->latency ? ", latency" : "",
	       job->pitch ? ", pitch" : "");
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 120);
	begun = vt_now();
	vt_plan(2 * 3 * 4 * 3 + 4);
	for (i = 0; i < 2 * 3 * 4; i++) {
		job.dir = i % 2;
		job.type = i / 2 % 3;
		job.latency = i / 6 % 2;
		job.pitch = i / 12;
		run(test_stamps, &job, "");
		run(test_pause, &job, ", pauses");
		run(test_at_once, &job, ", at once");
	}
	vt_run(test_same_frame, NULL, "two looks in a frame");
	vt_run(test_latency_gone, NULL, "a latency that is gone");
	vt_run(test_other_clock, "scaled", "none of a link, scaled clock");
	vt_run(test_other_clock, "step", "none of a link, step clock");
	return vt_finish();
}
