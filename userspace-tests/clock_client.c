// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client clock: as fast as the clients and not a frame faster. Nothing is
 * lost, nothing runs by itself, and nobody waits for nothing.
 */

#include <errno.h>
#include <sys/ioctl.h>
#include "vctl.h"

/* Past alsa-lib, whose handle is another thread's then */
#define REWIND		_IOW('A', 0x46, snd_pcm_uframes_t)

struct job {
	int device;
	snd_pcm_access_t access;
	bool nonblock;
};

static const snd_pcm_access_t accesses[] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
	SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
};

static int64_t where(struct vt_stream *s)
{
	struct vt_position pos;

	vt_locate(s, &pos);
	return pos.frames;
}

/* The work that moves time has run when nothing has changed for a while. */
static void settle(void)
{
	vt_sleep_until(vt_now() + 20 * VT_MS);
}

/*
 * Without waiting in the calls: writes what goes, polls for the rest. The
 * frames are of no interest here.
 */
static void play_polled(struct vt_stream *s, uint64_t frames)
{
	size_t size = 4 * s->p.buffer;
	unsigned char *buf = vt_alloc(size * s->frame_bytes);
	snd_pcm_sframes_t n;

	while (frames) {
		if (size > frames)
			size = frames;
		n = vt_is_mmap(s) ? snd_pcm_mmap_writei(s->pcm, buf, size) :
				    snd_pcm_writei(s->pcm, buf, size);
		if (n == -EAGAIN) {
			EXPECT(MUST(snd_pcm_wait(s->pcm, 10000)) == 1,
			       "nothing happened for 10 s");
			continue;
		}
		frames -= MUST(n);
	}
}

/* An hour in no time, by writing, by mmap, with and without waiting */
static void test_hour(const void *arg)
{
	const struct job *job = arg;
	int64_t seconds = vt_share(3600), before;
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	p.format = SND_PCM_FORMAT_U8;
	p.channels = 1;
	p.rate = 8000;
	p.period = 4000;
	p.buffer = 16000;
	p.start = 1;
	p.nonblock = job->nonblock;
	s = vt_player(job->device, &p);
	before = vt_now();
	play_polled(s, seconds * 8000);
	MUST(snd_pcm_nonblock(s->pcm, 0));
	MUST(snd_pcm_drain(s->pcm));
	vt_expect_state(s, SND_PCM_STATE_SETUP);
	vt_note("%lld s took %lld ms", (long long)seconds,
		(long long)((vt_now() - before) / VT_MS));
	EXPECT(vt_now() - before < 10 * VT_SECOND, "an hour took %lld ms",
	       (long long)((vt_now() - before) / VT_MS));
}

/* Time stops a frame before the underrun, and at it if there is none. */
static void test_consumed(const void *arg)
{
	static const struct {
		snd_pcm_uframes_t stop;
		int64_t left;		/* frames that stay */
	} rules[] = {
		{ 0, 1 }, { VT_NEVER, 0 }, { 1920 - 100, 101 },
		{ 1920 + 5, 0 },
	};
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int i;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		p.stop = rules[i].stop;
		s = vt_player(job->device, &p);
		vt_play_on(s, 0, 1000);
		settle();
		EXPECT(where(s) == 1000 - rules[i].left,
		       "stop threshold %lu: at %lld of 1000", p.stop,
		       (long long)where(s));
		vt_play(s, 1000, 1000);
		settle();
		EXPECT(where(s) == 2000 - rules[i].left,
		       "stop threshold %lu: at %lld of 2000", p.stop,
		       (long long)where(s));
		vt_expect_state(s, SND_PCM_STATE_RUNNING);
		vt_expect_drained(s);
		vt_close(s);
	}
}

/* A recorder with nobody to wait for hears silence as fast as it reads. */
static void test_lone_recorder(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t before;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	p.format = SND_PCM_FORMAT_U16_LE;
	s = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(s->pcm));
	settle();
	EXPECT(where(s) == 1919, "at %lld, wanted 1919", (long long)where(s));
	before = vt_now();
	vt_hear_silence(s, 480000);
	EXPECT(vt_now() - before < 2 * VT_SECOND, "10 s took %lld ms",
	       (long long)((vt_now() - before) / VT_MS));
	settle();
	EXPECT(where(s) == 480000 + 1919, "at %lld", (long long)where(s));
	vt_expect_state(s, SND_PCM_STATE_RUNNING);
}

/* With the player's end open it waits for its start, and misses no frame. */
static void test_waiting_recorder(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(recorder->pcm));
	EXPECT(!MUST(snd_pcm_wait(recorder->pcm, 1000)), "something came");
	EXPECT(!where(recorder), "at %lld", (long long)where(recorder));
	vt_play(player, 0, 1920);
	EXPECT(!MUST(snd_pcm_wait(recorder->pcm, 100)), "something came");
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, 1919);
	EXPECT(!MUST(snd_pcm_wait(recorder->pcm, 100)), "something came");
	/* its underrun stops nobody: the player starts anew when it likes */
	MUST(snd_pcm_drop(player->pcm));
	vt_prepare(player);
	EXPECT(!MUST(snd_pcm_wait(recorder->pcm, 100)), "something came");
	vt_play_on(player, 50000, 1000);
	vt_hear(recorder, 50000, 999);
	vt_close(player);
	vt_hear_silence(recorder, 10000);
}

/* A recorder that is open and not started makes nobody wait. */
static void test_idle_recorder(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_play_on(player, 0, 20000);
	settle();
	EXPECT(where(player) == 19999, "at %lld", (long long)where(player));
	EXPECT(!where(recorder), "the recorder runs");
}

/* Only what waits for more than it can get has an xrun, and has it at once. */
static void test_avail_min(const void *arg)
{
	static const struct {
		snd_pcm_uframes_t stop, avail_min;
		int64_t at;	/* 0: in an xrun */
	} rules[] = {
		{ 1920, 1919, 1919 }, { 1920, 1920, 0 },
		{ 1000, 999, 999 }, { 1000, 1000, 0 }, { 1000, 1500, 0 },
		{ 3000, 1000, 1920 }, { 3000, 1921, 1921 },
		{ 3000, 2999, 2999 }, { 3000, 3000, 0 }, { 3000, 9000, 0 },
	};
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	unsigned int i;
	int dir;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		for (dir = 0; dir < 2; dir++) {
			struct vt_stream *s;

			p.stop = rules[i].stop;
			p.avail_min = rules[i].avail_min;
			s = vt_stream(job->device, dir, &p);
			if (dir == SND_PCM_STREAM_PLAYBACK)
				vt_play(s, 0, p.buffer);
			MUST(snd_pcm_start(s->pcm));
			settle();
			vt_expect_state(s, rules[i].at ? SND_PCM_STATE_RUNNING :
				     SND_PCM_STATE_XRUN);
			EXPECT(!rules[i].at || where(s) == rules[i].at,
			       "%lu/%lu: at %lld", p.stop, p.avail_min,
			       (long long)where(s));
			vt_close(s);
		}
}

static void test_pause(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	MUST(snd_pcm_start(recorder->pcm));
	vt_play_on(player, 0, 1000);
	settle();
	MUST(snd_pcm_pause(player->pcm, 1));
	vt_play(player, 1000, 500);
	vt_hear(recorder, 0, 999);
	EXPECT(!MUST(snd_pcm_wait(recorder->pcm, 500)),
	       "a paused player is not waited for");
	EXPECT(where(player) == 999, "a paused player moves");
	MUST(snd_pcm_pause(player->pcm, 0));
	vt_hear(recorder, 999, 500);
	MUST(snd_pcm_drop(player->pcm));
}

/*
 * A player that its recorder has held up goes on when that is stopped or paused,
 * though nobody else has moved.
 */
static void test_let_go(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	int paused, i;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	for (paused = 0; paused < 2; paused++) {
		player = vt_player(job->device, &p);
		recorder = vt_recorder(job->device, &p);
		vt_play(player, 0, p.buffer);
		MUST(snd_pcm_start(player->pcm));
		MUST(snd_pcm_start(recorder->pcm));
		for (i = 0; i < 3; i++) {
			settle();
			vt_play(player, 0, MUST(snd_pcm_avail(player->pcm)));
		}
		settle();
		EXPECT(MUST(snd_pcm_avail(player->pcm)) < 480,
		       "not held up: %ld", snd_pcm_avail(player->pcm));
		MUST(paused ? snd_pcm_pause(recorder->pcm, 1) :
			      snd_pcm_drop(recorder->pcm));
		EXPECT(MUST(snd_pcm_wait(player->pcm, 1000)) == 1,
		       "held up by a recorder that does not run");
		vt_close(recorder);
		vt_close(player);
	}
}

/*
 * Who waits for the last frame that can be had is told of it, however many
 * periods it has taken the clock to get there.
 */
static void test_last(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player;
	unsigned int periods;

	vt_use_clock(job->device, "client");
	p.access = job->access;
	p.period = 48;
	p.avail_min = p.buffer - 1;
	for (periods = 1; periods <= 40; periods++) {
		player = vt_player(job->device, &p);
		vt_play(player, 0, periods * p.period);
		MUST(snd_pcm_start(player->pcm));
		EXPECT(MUST(snd_pcm_wait(player->pcm, 1000)) == 1,
		       "not told after %u periods", periods);
		vt_close(player);
	}
}

/**
 * struct sleeper - a recorder that sleeps until a thread takes frames back
 * @recorder: the recorder
 * @polls: does it poll, rather than read?
 * @frames: how many it wants, and gets
 * @awake: has it got them?
 */
struct sleeper {
	struct vt_stream *recorder;
	bool polls;
	snd_pcm_uframes_t frames;
	volatile bool awake;
};

struct part {
	struct sleeper *sleeper;
	void (*live)(struct sleeper *sleeper);
};

static void live_asleep(struct sleeper *sleeper)
{
	if (sleeper->polls)
		EXPECT(MUST(snd_pcm_wait(sleeper->recorder->pcm, 5000)) == 1,
		       "nobody is told of the frames");
	vt_hear_silence(sleeper->recorder, sleeper->frames);
	sleeper->awake = true;
}

/* One that sleeps on has its sleep ended. */
static void live_rewinding(struct sleeper *sleeper)
{
	snd_pcm_uframes_t frames = sleeper->frames;

	settle();
	SYS(ioctl(vt_descriptor(sleeper->recorder), REWIND, &frames));
	EXPECT(frames == sleeper->frames, "only %lu frames taken back",
	       frames);
	vt_sleep_until(vt_now() + VT_SECOND);
	if (sleeper->awake)
		return;
	snd_pcm_drop(sleeper->recorder->pcm);
	EXPECT(false, "asleep a second after %lu frames were taken back",
	       frames);
}

static void live_part(const void *arg)
{
	const struct part *part = arg;

	part->live(part->sleeper);
}

/*
 * A recorder that has read all sleeps, while time stands for a player that has
 * not started: what another thread takes back is told at once. Who reads is
 * content with less than a period.
 */
static void test_taken_back(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct sleeper sleepers[] = {
		{ NULL, false, p.period, false },
		{ NULL, true, p.period, false },
		{ NULL, false, 100, false },
	}, *sleeper;
	struct vt_stream *player;
	unsigned int i;

	vt_use_clock(job->device, "client");
	for (i = 0; i < ARRAY_SIZE(sleepers); i++) {
		struct part parts[] = { { &sleepers[i], live_asleep },
					{ &sleepers[i], live_rewinding } };

		sleeper = &sleepers[i];
		sleeper->recorder = vt_recorder(job->device, &p);
		MUST(snd_pcm_start(sleeper->recorder->pcm));
		settle();
		player = vt_player(job->device, &p);
		vt_hear_silence(sleeper->recorder,
				MUST(snd_pcm_avail(sleeper->recorder->pcm)));
		EXPECT(!MUST(snd_pcm_avail(sleeper->recorder->pcm)),
		       "time does not stand");
		vt_threads(live_part, parts, sizeof(parts[0]), 2);
		vt_close(player);
		vt_close(sleeper->recorder);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "plays up to the frame before an xrun", test_consumed },
	{ "gives a lone recorder silence", test_lone_recorder },
	{ "has a recorder wait for its player", test_waiting_recorder },
	{ "does not wait for an idle recorder", test_idle_recorder },
	{ "has an xrun rather than a hang", test_avail_min },
	{ "tells who waits for the last frame", test_last },
	{ "pauses", test_pause },
	{ "is let go by its recorder", test_let_go },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i, a;

	vt_init(argc, argv, 600);
	vt_plan(2 * (5 + 4 * ARRAY_SIZE(tests)));
	for (job.device = 0; job.device < 2; job.device++) {
		for (a = 0; a < 4; a++) {
			job.access = accesses[a % 2];
			job.nonblock = a / 2;
			vt_run(test_hour, &job, "device %d an hour, %s%s",
			       job.device, snd_pcm_access_name(job.access),
			       job.nonblock ? ", polling" : "");
		}
		vt_run(test_taken_back, &job,
		       "device %d wakes whose frames are taken back",
		       job.device);
		for (a = 0; a < ARRAY_SIZE(accesses); a++)
			for (i = 0; i < ARRAY_SIZE(tests); i++) {
				job.access = accesses[a];
				vt_run(tests[i].test, &job, "device %d %s, %s",
				       job.device, tests[i].name,
				       snd_pcm_access_name(job.access));
			}
	}
	return vt_finish();
}
