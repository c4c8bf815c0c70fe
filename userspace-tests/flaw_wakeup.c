// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wake-ups that are late or lost on purpose: each by what was asked for, none
 * at another position than it should be, the same ones in each run.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "vctl.h"

#define WAKES	300

struct job {
	int device;
	snd_pcm_stream_t dir;
	unsigned int rate;
};

/* A wake-up: frames since START as the tick told them, and when it was seen */
struct wake {
	int64_t frames, seen;
};

/* Frames in so many us, rounded up */
static int64_t frames_in(unsigned int rate, int64_t us)
{
	return (us * rate + 999999) / 1000000;
}

/* A stream that runs for ever, and whose client is always ready to be woken */
static struct vt_stream *start(const struct job *job, unsigned int period)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = job->rate;
	p.period = period;
	p.buffer = p.period * 8;
	p.stop = VT_NEVER;
	p.avail_min = 1;
	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p.buffer);
	MUST(snd_pcm_start(s->pcm));
	return s;
}

/* Sees each call of wake_up() as an edge. */
static int watch(struct vt_stream *s)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int fd = SYS(epoll_create1(0));

	SYS(epoll_ctl(fd, EPOLL_CTL_ADD, vt_descriptor(s), &event));
	SYS(epoll_wait(fd, &event, 1, 0));
	return fd;
}

static void close_descriptor(void *fd)
{
	close((intptr_t)fd);
}

/* What the PCM core was told at its latest look, without another look */
static int64_t told(struct vt_stream *s)
{
	/* A player has written a ring at first and nothing since. */
	return MUST(snd_pcm_avail_update(s->pcm));
}

static void follow(struct vt_stream *s, struct wake *wakes, unsigned int n)
{
	intptr_t fd = watch(s);
	struct epoll_event event;
	unsigned int i;

	vt_defer(close_descriptor, (void *)fd);
	for (i = 0; i < n; i++) {
		EXPECT(SYS(epoll_wait(fd, &event, 1, 10000)) == 1,
		       "no wake-up %u for 10 s", i);
		wakes[i].seen = vt_now();
		wakes[i].frames = told(s);
	}
	vt_undo(close_descriptor, (void *)fd);
}

static struct wake *run(const struct job *job, unsigned int period,
			int64_t *at)
{
	struct wake *wakes = vt_alloc(WAKES * sizeof(*wakes));
	struct vt_stream *s = start(job, period);
	struct vt_position pos;

	vt_locate(s, &pos);
	*at = pos.trigger;
	follow(s, wakes, WAKES);
	vt_close(s);
	return wakes;
}

/* The handler of the timer takes up to 20 us, in which frames may pass. */
static int64_t passed(const struct job *job)
{
	return 1 + (int64_t)job->rate * vt_slow() / 50000;
}

static void expect_wake(const struct job *job, const struct wake *wake,
			int64_t at, int64_t frame)
{
	int64_t due = at + (frame * VT_SECOND + job->rate - 1) / job->rate;

	EXPECT(wake->frames >= frame && wake->frames <= frame + passed(job),
	       "woken at frame %lld, wanted %lld", (long long)wake->frames,
	       (long long)frame);
	vt_expect_time(wake->seen, due, VT_LATE, "a wake-up");
}

/* All by the same time, be it longer than a period or not a whole frame */
static void test_delay(const void *arg)
{
	static const unsigned int delays[] = { 0, 1, 500, 3333, 10000, 24321 };
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	unsigned int i, k, period = job->rate / 100;
	struct wake *wakes;
	int64_t at;

	for (i = 0; i < ARRAY_SIZE(delays); i++) {
		vt_spoil(ctl, job->device, VT_DELAY, delays[i]);
		wakes = run(job, period, &at);
		for (k = 0; k < WAKES; k++)
			expect_wake(job, &wakes[k], at, (k + 1) * period +
				    frames_in(job->rate, delays[i]));
	}
}

/* How late each is, in frames */
static void lateness(const struct job *job, struct wake *wakes)
{
	unsigned int k, period = job->rate / 100;

	for (k = 0; k < WAKES; k++)
		wakes[k].frames -= (k + 1) * period;
}

static unsigned int differences(const struct wake *a, const struct wake *b)
{
	unsigned int i, n = 0;

	for (i = 0; i < WAKES; i++)
		n += llabs(a[i].frames - b[i].frames) > 1;
	return n;
}

/* Anything from none to all of it, by the seed and the direction alone */
static void test_jitter(const void *arg)
{
	const int64_t most = frames_in(((const struct job *)arg)->rate, 9000);
	const struct job *job = arg;
	struct job other = *job;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	unsigned int i, half = 0, tenth[2] = { 0, 0 };
	struct wake *wakes[4];
	int64_t at;

	vt_spoil(ctl, job->device, VT_JITTER, 9000);
	other.dir = !job->dir;
	for (i = 0; i < ARRAY_SIZE(wakes); i++) {
		vt_spoil(ctl, job->device, VT_SEED, 5 + (i == 2));
		wakes[i] = run(i == 3 ? &other : job, job->rate / 100, &at);
		lateness(job, wakes[i]);
	}
	for (i = 0; i < WAKES; i++) {
		EXPECT(wakes[0][i].frames >= 0 && wakes[0][i].frames <= most + 2,
		       "wake-up %u late by %lld frames", i,
		       (long long)wakes[0][i].frames);
		half += wakes[0][i].frames < most / 2;
		tenth[0] += wakes[0][i].frames < most / 10;
		tenth[1] += wakes[0][i].frames > most - most / 10;
	}
	EXPECT(half > WAKES * 2 / 5 && half < WAKES * 3 / 5 &&
	       tenth[0] > WAKES / 20 && tenth[1] > WAKES / 20,
	       "not even: %u, %u, %u of %u", tenth[0], half, tenth[1], WAKES);
	EXPECT(!differences(wakes[0], wakes[1]), "not the same again");
	EXPECT(differences(wakes[0], wakes[2]) > WAKES / 2, "for any seed");
	EXPECT(differences(wakes[0], wakes[3]) > WAKES / 2, "both ways");
}

/* None overtakes another, even if it has far less to wait. */
static void test_order(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct wake *wakes;
	unsigned int i;
	int64_t at;

	vt_spoil(ctl, job->device, VT_JITTER, 200000);
	wakes = run(job, job->rate / 1000, &at);
	for (i = 1; i < WAKES; i++)
		EXPECT(wakes[i].frames > wakes[i - 1].frames,
		       "wake-up %u at frame %lld, the one before at %lld", i,
		       (long long)wakes[i].frames,
		       (long long)wakes[i - 1].frames);
	EXPECT(wakes[WAKES - 1].frames > WAKES * job->rate / 1000 * 2,
	       "none was held up");
}

/* Each of that number, and no other */
static void test_loss(const void *arg)
{
	static const unsigned int losses[] = { 2, 3, 10, 300 };
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	unsigned int i, k, number, period = job->rate / 100;
	struct wake *wakes;
	int64_t at;

	for (i = 0; i < ARRAY_SIZE(losses); i++) {
		vt_spoil(ctl, job->device, VT_LOSS, losses[i]);
		wakes = run(job, period, &at);
		for (k = 0, number = 1; k < WAKES; k++, number++) {
			number += !(number % losses[i]);
			expect_wake(job, &wakes[k], at, number * period);
		}
	}
}

/* All are lost: nobody is woken, while time goes on, as seen modulo the ring */
static void test_silence(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct epoll_event event;
	struct vt_position pos;
	struct vt_stream *s;
	int64_t ahead;
	intptr_t fd;

	vt_spoil(ctl, job->device, VT_LOSS, 1);
	s = start(job, job->rate / 100);
	fd = watch(s);
	vt_defer(close_descriptor, (void *)fd);
	EXPECT(!SYS(epoll_wait(fd, &event, 1, 3000)), "woken");
	vt_locate(s, &pos);
	ahead = vt_frames(s, pos.stamp - pos.trigger) - pos.frames;
	EXPECT(!(ahead % (int64_t)s->p.buffer), "off by %lld frames",
	       (long long)ahead);
	vt_spoil(ctl, job->device, VT_LOSS, 0);
	EXPECT(SYS(epoll_wait(fd, &event, 1, 11)) == 1, "not woken afterwards");
}

/*
 * Who waits for what is lost is told by the PCM core that nothing comes, in 10 s
 * by older kernels; it waits for ever only where the device is not realtime.
 */
static void test_given_up(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	int64_t before;
	struct vt_stream *s;
	char frame[4] = { 0 };

	vt_use_clock(job->device, "step");
	vt_close(vt_stream(job->device, job->dir, &p));
	MUST(vt_clock_set(ctl, job->device, "realtime"));
	vt_spoil(ctl, job->device, VT_LOSS, 1);
	p.rate = job->rate;
	p.stop = VT_NEVER;
	s = vt_stream(job->device, job->dir, &p);
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		vt_play(s, 0, p.buffer);
	MUST(snd_pcm_start(s->pcm));
	before = vt_now();
	if (job->dir == SND_PCM_STREAM_PLAYBACK)
		REFUSED(-EIO, snd_pcm_writei(s->pcm, frame, 1));
	else
		REFUSED(-EIO, snd_pcm_readi(s->pcm, frame, 1));
	EXPECT(vt_now() - before < 20 * VT_SECOND, "after %lld ms",
	       (long long)((vt_now() - before) / VT_MS));
}

/*
 * Nor is sound that nobody waits for moved late, however long the periods: the
 * player's ring goes round and is written anew, by the time alone, long before
 * the recorder looks.
 */
static void test_unwatched(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	struct vt_position pos;
	unsigned int i, half;
	unsigned char *ring;

	vt_spoil(ctl, job->device, VT_DELAY, 700000);
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.rate = job->rate;
	p.buffer = job->rate / 10;
	p.period = p.buffer / (job->dir == SND_PCM_STREAM_PLAYBACK ? 10 : 1);
	p.stop = VT_NEVER;
	p.no_wakeup = true;
	p.nonblock = true;
	half = p.buffer / 2;
	player = vt_player(job->device, &p);
	p.period = job->rate;
	p.buffer = p.period * 2;
	recorder = vt_recorder(job->device, &p);
	ring = vt_ring(player);
	vt_stamp(player, ring, 0, 2 * half);
	vt_link(player, recorder);
	MUST(snd_pcm_start(player->pcm));
	vt_locate(player, &pos);
	for (i = 1; i <= 24; i++) {
		/* amid a half, the other one */
		vt_sleep_until(pos.trigger + vt_duration(player, i * half) -
			       25 * VT_MS);
		vt_stamp(player, ring + i % 2 * half * player->frame_bytes,
			 i * half, half);
	}
	MUST(snd_pcm_avail(recorder->pcm));
	vt_hear(recorder, 0, 20 * half);
}

/* On a clock that wanders widely, at the ends of periods all the same */
static void test_wander(const void *arg)
{
	static const unsigned int divs[] = { 1000, 100, 10, 3 };
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	unsigned int i, k, period;
	struct wake *wakes;
	int64_t at, ahead;

	vt_spoil(ctl, job->device, VT_WANDER, 200000000);
	vt_spoil(ctl, job->device, VT_WANDER_PERIOD, 100);
	vt_spoil(ctl, job->device, VT_DRIFT, -100000000);
	for (i = 0; i < ARRAY_SIZE(divs); i++) {
		period = job->rate / divs[i];
		wakes = run(job, period, &at);
		for (k = 0; k < WAKES; k++) {
			ahead = wakes[k].frames - (int64_t)(k + 1) * period;
			EXPECT(ahead >= 0 && ahead <= passed(job),
			       "1/%u s: wake-up %u at %lld frames after its period",
			       divs[i], k, (long long)ahead);
		}
	}
}

/* What is late or lost is a wake-up: an xrun and the end of a drain are not. */
static void test_ends(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;
	int64_t end;

	vt_spoil(ctl, job->device, VT_DELAY, 700000);
	vt_spoil(ctl, job->device, VT_LOSS, 1);
	p.rate = job->rate;
	s = vt_player(job->device, &p);
	vt_play(s, 0, 1111);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	end = pos.trigger + vt_duration(s, 1111);
	MUST(snd_pcm_drain(s->pcm));
	vt_expect_time(vt_now(), end, VT_LATE, "the end");
	vt_prepare(s);
	vt_play(s, 0, 1111);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	end = pos.trigger + vt_duration(s, 1111);
	vt_expect_time(vt_wait_state(s, SND_PCM_STATE_XRUN, VT_SECOND), end,
		       VT_LATE, "the xrun");
}

/* A delay that is taken back does not hold up what it has delayed. */
static void test_change(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	unsigned int period = job->rate / 100;
	struct vt_position pos;
	struct wake wakes[3];
	struct vt_stream *s;

	vt_spoil(ctl, job->device, VT_DELAY, 1000000);
	s = start(job, period);
	vt_locate(s, &pos);
	vt_sleep_until(pos.trigger + 55 * VT_MS);
	vt_spoil(ctl, job->device, VT_IMPERFECTION, 0);
	vt_sleep_until(pos.trigger + 57 * VT_MS);
	EXPECT(told(s) >= vt_frames(s, 55 * VT_MS) &&
	       told(s) < vt_frames(s, 56 * VT_MS), "last told at %lld",
	       (long long)told(s));
	follow(s, wakes, 2);
	expect_wake(job, &wakes[0], pos.trigger, 6 * period);
	expect_wake(job, &wakes[1], pos.trigger, 7 * period);
	vt_spoil(ctl, job->device, VT_DELAY, 2000);
	vt_spoil(ctl, job->device, VT_IMPERFECTION, 1);
	follow(s, wakes, 2);
	expect_wake(job, &wakes[0], pos.trigger, 8 * period +
		    frames_in(job->rate, 2000));
	expect_wake(job, &wakes[1], pos.trigger, 9 * period +
		    frames_in(job->rate, 2000));
}

/* By hand: to the frame, and the same interleaving again */
static void test_step(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_use_imperfection(job->device);
	int64_t *frames[3], at, due;
	struct vt_position pos;
	struct vt_stream *s;
	unsigned int i, k;

	vt_use_clock(job->device, "step");
	vt_spoil(ctl, job->device, VT_DELAY, 1000);
	vt_spoil(ctl, job->device, VT_JITTER, 30000);
	vt_spoil(ctl, job->device, VT_LOSS, 4);
	vt_spoil(ctl, job->device, VT_DRIFT, 1000000);
	vt_spoil(ctl, job->device, VT_WANDER, 1000000);
	for (i = 0; i < 3; i++) {
		frames[i] = vt_alloc(WAKES * sizeof(**frames));
		vt_spoil(ctl, job->device, VT_SEED, i / 2);
		s = start(job, 480);
		for (k = 0; k < WAKES; k++) {
			MUST(vt_step(job->device, -1));
			vt_locate(s, &pos);
			frames[i][k] = pos.frames;
		}
		vt_close(s);
	}
	EXPECT(!memcmp(frames[0], frames[1], WAKES * sizeof(**frames)),
	       "another interleaving when done again");
	EXPECT(memcmp(frames[0], frames[2], WAKES * sizeof(**frames)),
	       "the same interleaving by another seed");
	vt_spoil(ctl, job->device, VT_JITTER, 0);
	s = start(job, 480);
	for (k = 0, due = 480; k < WAKES; k++, due += 480) {
		due += due / 480 % 4 ? 0 : 480;
		MUST(vt_step(job->device, -1));
		vt_locate(s, &pos);
		at = pos.frames - frames_in(job->rate, 1000);
		EXPECT(at == due, "stepped to %lld, wanted %lld",
		       (long long)at, (long long)due);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "late by a time", test_delay },
	{ "late at random", test_jitter },
	{ "late, but in order", test_order },
	{ "lost", test_loss },
	{ "all lost", test_silence },
	{ "all lost, after a clock that stands", test_given_up },
	{ "that nobody asked for", test_unwatched },
	{ "on a clock that wanders", test_wander },
	{ "are not xruns or ends of a drain", test_ends },
	{ "late until it is changed", test_change },
	{ "late and lost by hand", test_step },
};

int main(int argc, char **argv)
{
	static const unsigned int rates[] = { 48000, 44100, 192000 };
	unsigned int i, r;
	struct job job;

	vt_init(argc, argv, 3000);
	vt_plan(2 * ARRAY_SIZE(tests) * ARRAY_SIZE(rates));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		for (r = 0; r < ARRAY_SIZE(rates); r++)
			for (job.dir = 0; job.dir <= SND_PCM_STREAM_LAST;
			     job.dir++) {
				job.device = (r + job.dir) % 2;
				job.rate = rates[r];
				vt_run(tests[i].test, &job,
				       "device %d, %s, %u Hz: wake-ups %s",
				       job.device, snd_pcm_stream_name(job.dir),
				       job.rate, tests[i].name);
			}
	return vt_finish();
}
