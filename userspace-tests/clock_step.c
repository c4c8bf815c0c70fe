// SPDX-License-Identifier: GPL-2.0-only
/*
 * The step clock: nothing moves but by "PCM Clock Step", and then exactly as
 * told; when the write returns, whoever was due has been woken.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include "vctl.h"

#define TURNS	400

struct job {
	int device;
	const struct vt_params *player, *recorder;
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

/* A player with a full ring and a recorder, linked and started */
static void start_pair(const struct job *job, struct vt_stream **player,
		       struct vt_stream **recorder)
{
	*player = vt_player(job->device, job->player);
	*recorder = vt_recorder(job->device, job->recorder);
	vt_link(*player, *recorder);
	vt_play(*player, 0, (*player)->p.buffer);
	MUST(snd_pcm_start((*player)->pcm));
}

/* Exactly as many frames as told, and none by themselves, on both ends */
static void test_frames(const void *arg)
{
	static const unsigned int frames[] = {
		1, 479, 1, 0, 500, 2, 0, 7, 900,
	};
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	int64_t at = 0;
	unsigned int i;

	vt_use_clock(job->device, "step");
	vt_step(job->device, 1000);
	start_pair(job, &player, &recorder);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		expect_at(player, at);
		expect_at(recorder, at);
		vt_sleep_until(vt_now() + 1100 * VT_MS);
		expect_at(player, at);
		expect_at(recorder, at);
		MUST(vt_step(job->device, frames[i]));
		at += frames[i];
	}
	expect_at(recorder, at);
	expect_at(player, at);
	vt_hear(recorder, 0, at);
}

/* Time is frames for every stream of the device, and of no other. */
static void test_whose(const void *arg)
{
	const struct job *job = arg;
	int other = !job->device;
	struct vt_params p = vt_plain;
	struct vt_stream *mine[3], *theirs;
	unsigned int i, subdevice = vt_substreams() - 1;

	vt_use_clock(job->device, "step");
	vt_use_clock(other, "step");
	EXPECT(subdevice, "the card has only one substream");
	mine[0] = vt_recorder(job->device, &p);
	p.rate = 8000;
	p.period = 80;
	mine[1] = vt_open(job->device, subdevice, SND_PCM_STREAM_CAPTURE, 0);
	MUST(vt_configure(mine[1], &p));
	p.rate = 768000;
	mine[2] = vt_open(job->device, subdevice, SND_PCM_STREAM_PLAYBACK, 0);
	MUST(vt_configure(mine[2], &p));
	vt_play(mine[2], 0, p.buffer);
	theirs = vt_recorder(other, &vt_plain);
	for (i = 0; i < ARRAY_SIZE(mine); i++)
		MUST(snd_pcm_start(mine[i]->pcm));
	MUST(snd_pcm_start(theirs->pcm));
	MUST(vt_step(job->device, 1234));
	for (i = 0; i < ARRAY_SIZE(mine); i++)
		expect_at(mine[i], 1234);
	expect_at(theirs, 0);
	MUST(vt_step(other, 77));
	expect_at(theirs, 77);
	expect_at(mine[0], 1234);
}

/*
 * Sees wake-ups, and not only that there would be something to do: an edge is
 * a call of wake_up().
 */
static int watch(struct vt_stream *const *s, unsigned int n)
{
	int fd = SYS(epoll_create1(0));
	struct epoll_event event;
	unsigned int i;

	for (i = 0; i < n; i++) {
		event.events = EPOLLIN | EPOLLOUT | EPOLLET;
		event.data.u32 = i;
		SYS(epoll_ctl(fd, EPOLL_CTL_ADD, vt_descriptor(s[i]), &event));
	}
	return fd;
}

/* A mask of those that have been woken since the last look */
static unsigned int woken(int fd)
{
	struct epoll_event events[8];
	unsigned int mask = 0;
	int i, n = SYS(epoll_wait(fd, events, ARRAY_SIZE(events), 0));

	for (i = 0; i < n; i++)
		mask |= 1U << events[i].data.u32;
	return mask;
}

static void close_descriptor(void *fd)
{
	close(*(int *)fd);
}

/* -1 goes from period to period, and wakes whose period it is. */
static void test_periods(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[2];
	uint64_t due[2], next, played;
	unsigned int wanted, got, turn, i;
	int fd;

	vt_use_clock(job->device, "step");
	start_pair(job, &s[0], &s[1]);
	played = s[0]->p.buffer;
	due[0] = s[0]->p.period;
	due[1] = s[1]->p.period;
	fd = watch(s, 2);
	vt_defer(close_descriptor, &fd);
	woken(fd);
	for (turn = 0; turn < TURNS; turn++) {
		next = due[0] < due[1] ? due[0] : due[1];
		EXPECT(!woken(fd), "somebody was woken without a step");
		MUST(vt_step(job->device, -1));
		got = woken(fd);
		wanted = (due[0] == next) | (due[1] == next) << 1;
		EXPECT(got == wanted, "at %llu: woke %x, wanted %x",
		       (unsigned long long)next, got, wanted);
		for (i = 0; i < 2; i++)
			expect_at(s[i], next);
		if (wanted & 1) {
			vt_play(s[0], played, s[0]->p.period);
			played += s[0]->p.period;
			due[0] += s[0]->p.period;
		}
		if (wanted & 2) {
			vt_hear(s[1], due[1] - s[1]->p.period, s[1]->p.period);
			due[1] += s[1]->p.period;
		}
		woken(fd);
	}
}

/* Of streams whose periods end at one frame all are woken, and at once. */
static void test_together(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[2];
	unsigned int turn, i;
	int fd;

	vt_use_clock(job->device, "step");
	for (i = 0; i < 2; i++) {
		s[i] = vt_open(job->device, i * (vt_substreams() - 1),
			       SND_PCM_STREAM_CAPTURE, 0);
		MUST(vt_configure(s[i], &vt_plain));
		MUST(snd_pcm_start(s[i]->pcm));
	}
	fd = watch(s, 2);
	vt_defer(close_descriptor, &fd);
	woken(fd);
	for (turn = 0; turn < 20; turn++) {
		MUST(vt_step(job->device, -1));
		EXPECT(woken(fd) == 3, "not both are woken");
		for (i = 0; i < 2; i++)
			vt_hear_silence(s[i], vt_plain.period);
		woken(fd);
	}
}

/* Steps of any number of frames wake as the periods that they pass do. */
static void test_within(const void *arg)
{
	const struct job *job = arg;
	snd_pcm_uframes_t period = job->recorder->period;
	struct vt_stream *s;
	unsigned int i;
	int fd;

	vt_use_clock(job->device, "step");
	s = vt_recorder(job->device, job->recorder);
	MUST(snd_pcm_start(s->pcm));
	fd = watch(&s, 1);
	vt_defer(close_descriptor, &fd);
	woken(fd);
	for (i = 0; i < 20; i++) {
		MUST(vt_step(job->device, period - 1));
		EXPECT(!woken(fd), "woken a frame before the period's end");
		MUST(vt_step(job->device, 0));
		EXPECT(!woken(fd), "woken by nothing");
		MUST(vt_step(job->device, 1));
		EXPECT(woken(fd) == 1, "not woken at the period's end");
		vt_hear_silence(s, period);
		woken(fd);
	}
}

/*
 * Whoever is woken is where -1 stops, though another stream is looked at in that
 * very frame and is not: for sound is moved in pieces, of 256 KiB at most.
 */
static void test_pieces(const void *arg)
{
	const struct job *job = arg;
	const snd_pcm_uframes_t piece = (256 << 10) / (256 * 4);
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int i, subdevice;

	vt_use_clock(job->device, "step");
	p.stop = VT_NEVER;
	for (subdevice = 0; subdevice < 2; subdevice++) {
		p.format = subdevice ? SND_PCM_FORMAT_S32_LE : SND_PCM_FORMAT_S8;
		p.channels = subdevice ? 256 : 1;
		p.period = subdevice ? 2 * piece : piece;
		p.buffer = 4 * piece;
		s = vt_open(job->device, subdevice, SND_PCM_STREAM_CAPTURE, 0);
		MUST(vt_configure(s, &p));
		MUST(snd_pcm_start(s->pcm));
	}
	for (i = 1; i <= 10; i++) {
		MUST(vt_step(job->device, -1));
		expect_at(s, i * piece);
	}
}

static void test_values(const void *arg)
{
	static const long bad[] = {
		-2, -480, LONG_MIN, (long)(INT_MAX + 1LL), VT_BEYOND_INT,
		sizeof(long) > sizeof(int) ? LONG_MAX : LONG_MIN,
	};
	const struct job *job = arg;
	struct vt_stream *s;
	unsigned int i;

	REFUSED(-EAGAIN, vt_step(job->device, -1));
	vt_use_clock(job->device, "step");
	REFUSED(-EAGAIN, vt_step(job->device, -1));
	MUST(vt_step(job->device, 0));
	s = vt_recorder(job->device, job->recorder);
	REFUSED(-EAGAIN, vt_step(job->device, -1));
	MUST(snd_pcm_start(s->pcm));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		REFUSED(-EINVAL, vt_step(job->device, bad[i]));
	expect_at(s, 0);
	EXPECT(!vt_ctl_get(vt_ctl(), VT_STEP, job->device, 0, 0),
	       "does not read 0");
	MUST(vt_step(job->device, -1));
	expect_at(s, job->recorder->period);
	MUST(snd_pcm_drop(s->pcm));
	REFUSED(-EAGAIN, vt_step(job->device, -1));
}

/* What happened in a turn */
struct turn {
	int64_t step, played, heard;
	unsigned int woken;
};

/* Steps of any size, both ends served in any order: every frame in order */
static void interleave(const struct job *job, struct turn *turns)
{
	uint64_t seed = 7, played, heard = 0;
	snd_pcm_uframes_t most;
	struct vt_stream *s[2];
	struct turn *t;
	int64_t n;
	int fd;

	start_pair(job, &s[0], &s[1]);
	played = s[0]->p.buffer;
	fd = watch(s, 2);
	vt_defer(close_descriptor, &fd);
	for (t = turns; t < turns + TURNS; t++) {
		most = played - where(s[0]);
		if (most > s[1]->p.buffer - (where(s[1]) - heard))
			most = s[1]->p.buffer - (where(s[1]) - heard);
		if (most > 1) {
			t->step = 1 + vt_random(&seed, most - 1);
			MUST(vt_step(job->device, t->step));
		}
		t->woken = woken(fd);
		n = s[0]->p.buffer - (played - where(s[0]));
		t->played = vt_random(&seed, n + 1);
		vt_play(s[0], played, t->played);
		played += t->played;
		t->heard = vt_random(&seed, where(s[1]) - heard + 1);
		vt_hear(s[1], heard, t->heard);
		heard += t->heard;
	}
	EXPECT(heard > TURNS * 100, "only %llu frames heard",
	       (unsigned long long)heard);
	vt_undo(close_descriptor, &fd);
	vt_close(s[1]);
	vt_close(s[0]);
}

static void test_loop(const void *arg)
{
	const struct job *job = arg;
	struct turn *turns = vt_alloc(2 * TURNS * sizeof(*turns));
	unsigned int i;

	vt_use_clock(job->device, "step");
	interleave(job, turns);
	interleave(job, turns + TURNS);
	for (i = 0; i < TURNS; i++)
		EXPECT(!memcmp(&turns[i], &turns[TURNS + i], sizeof(*turns)),
		       "turn %u was another when done again", i);
}

/* The xrun is at its frame, whatever the step that passes it. */
static void test_xrun(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player;

	vt_use_clock(job->device, "step");
	player = vt_player(job->device, &vt_plain);
	vt_play(player, 0, 1000);
	MUST(snd_pcm_start(player->pcm));
	MUST(vt_step(job->device, 999));
	expect_at(player, 999);
	vt_play(player, 1000, 1);
	MUST(vt_step(job->device, 1));
	expect_at(player, 1000);
	MUST(vt_step(job->device, 1));
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_XRUN, "state %s",
	       snd_pcm_state_name(snd_pcm_state(player->pcm)));
	REFUSED(-EAGAIN, vt_step(job->device, -1));
	vt_prepare(player);
	vt_play(player, 0, 1000);
	MUST(snd_pcm_start(player->pcm));
	MUST(vt_step(job->device, 100000));
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_XRUN, "state %s",
	       snd_pcm_state_name(snd_pcm_state(player->pcm)));
}

/* Where every wake-up is lost and there is no xrun, -1 has nowhere to go. */
static void test_no_wakeup(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t at;

	vt_use_clock(job->device, "step");
	p.stop = VT_NEVER;
	s = vt_recorder(job->device, &p);
	vt_spoil(ctl, job->device, VT_LOSS, 1);
	MUST(snd_pcm_start(s->pcm));
	REFUSED(-EAGAIN, vt_step(job->device, -1));
	vt_spoil(ctl, job->device, VT_LOSS, 0);
	at = where(s);
	MUST(vt_step(job->device, -1));
	expect_at(s, at + p.period);
}

static void expect_paused_at(struct vt_stream *s, int64_t frames)
{
	struct vt_position pos;

	vt_locate(s, &pos);
	EXPECT(pos.state == SND_PCM_STATE_PAUSED && pos.frames == frames,
	       "%s at frame %lld, wanted %lld", snd_pcm_state_name(pos.state),
	       (long long)pos.frames, (long long)frames);
}

/* Streams of several clocks in a group: each goes and pauses by its own. */
static void test_group(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s[2];
	int64_t before;
	int first;

	vt_use_clock(job->device, "step");
	MUST(vt_step(job->device, 1000));
	for (first = 0; first < 2; first++) {
		s[0] = vt_recorder(job->device, job->recorder);
		s[1] = vt_recorder(!job->device, &vt_plain);
		vt_link(s[0], s[1]);
		before = vt_now();
		MUST(snd_pcm_start(s[first]->pcm));
		MUST(vt_step(job->device, 100));
		expect_at(s[0], 100);
		vt_hear_silence(s[1], 480);
		vt_expect_time(vt_now(), before + vt_duration(s[1], 480),
			       5 * VT_MS, "a period");
		expect_at(s[0], 100);
		MUST(snd_pcm_pause(s[first]->pcm, 1));
		MUST(vt_step(job->device, 50));
		expect_paused_at(s[0], 100);
		MUST(snd_pcm_pause(s[first]->pcm, 0));
		MUST(vt_step(job->device, 100));
		expect_at(s[0], 200);
		vt_hear_silence(s[1], 480);
		vt_close(s[1]);
		vt_close(s[0]);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "moves both ends by the frames told", test_frames },
	{ "is the device's own, in frames", test_whose },
	{ "goes from period to period and wakes", test_periods },
	{ "wakes all at once", test_together },
	{ "wakes at the end of a period only", test_within },
	{ "takes no nonsense", test_values },
	{ "loops every frame, twice the same way", test_loop },
	{ "has its xruns at their frame", test_xrun },
	{ "looks for a wake-up, but not for ever", test_no_wakeup },
	{ "in a group with a clock that goes", test_group },
};

int main(int argc, char **argv)
{
	static const struct vt_params mapped = {
		.access = SND_PCM_ACCESS_MMAP_INTERLEAVED,
		.format = SND_PCM_FORMAT_S16_LE,
		.channels = 2,
		.rate = 48000,
		.period = 700,
		.buffer = 4200,
	};
	struct job job = { .player = &vt_plain, .recorder = &mapped };
	unsigned int i;

	vt_init(argc, argv, 200);
	vt_plan(2 * ARRAY_SIZE(tests) + 1);
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &job, "device %d %s", job.device,
			       tests[i].name);
	job.device = 0;		/* which has rings of more than two pieces */
	vt_run(test_pieces, &job, "stops for whom it wakes");
	return vt_finish();
}
