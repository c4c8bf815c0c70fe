// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine stands still, for 10 ms to 10 minutes, while streams run: that
 * is at most one xrun, and then every frame arrives in order and at the right
 * speed again; where a stream does not mind, it is where the time is.
 */

#include <string.h>
#include "vstall.h"

#define ODD	1234567		/* ns: a stall ends at no round time */
#define RING	4800		/* frames: 100 ms */

struct stall {
	const char *name;
	int64_t ns;
	bool irqs_off;
};

static const struct stall stalls[] = {
	{ "10 ms", 10 * VT_MS + ODD },
	{ "100 ms", 100 * VT_MS + ODD },
	{ "1 s", VT_SECOND + ODD },
	{ "10 s", 10 * VT_SECOND + ODD },
	{ "10 minutes", 600 * VT_SECOND + ODD },
	{ "10 ms, interrupts off", 10 * VT_MS + ODD, true },
	{ "150 ms, interrupts off", 150 * VT_MS + ODD, true },
	{ "250 ms, interrupts off", 250 * VT_MS + ODD, true },
};

static void stand_still(const struct stall *stall)
{
	if (stall->irqs_off)
		vt_irqs_off(stall->ns);
	else
		vt_jump(stall->ns);
}

static struct vt_params ring(snd_pcm_uframes_t frames, snd_pcm_uframes_t stop)
{
	struct vt_params p = vt_plain;

	p.buffer = frames;
	p.stop = stop;
	return p;
}

/* A loop by one client, which plays a period for each that it hears */
struct loop {
	struct vt_stream *player, *recorder;
	uint64_t heard;
	int64_t began;
};

static void start_loop(struct loop *loop)
{
	struct vt_position pos;

	vt_play(loop->player, 0, loop->player->p.buffer);
	MUST(snd_pcm_start(loop->player->pcm));
	loop->heard = 0;
	vt_locate(loop->player, &pos);
	loop->began = pos.trigger;
}

static void open_loop(struct loop *loop)
{
	struct vt_params p = ring(RING, 0);

	loop->player = vt_player(0, &p);
	loop->recorder = vt_recorder(0, &p);
	vt_link(loop->player, loop->recorder);
	start_loop(loop);
}

/* Every frame, once and in order, and at the right speed */
static void run_loop(struct loop *loop, unsigned int periods)
{
	snd_pcm_uframes_t n = loop->recorder->p.period;
	struct vt_position pos;

	while (periods--) {
		vt_hear(loop->recorder, loop->heard, n);
		vt_play(loop->player, loop->heard + RING, n);
		loop->heard += n;
	}
	vt_locate(loop->player, &pos);
	vt_expect_position(&pos, loop->player, loop->began, 0);
	vt_locate(loop->recorder, &pos);
	vt_expect_position(&pos, loop->recorder, loop->began, 0);
}

static void expect_one_xrun(struct loop *loop)
{
	EXPECT(snd_pcm_state(loop->recorder->pcm) == SND_PCM_STATE_XRUN,
	       "the linked recorder is %s",
	       snd_pcm_state_name(snd_pcm_state(loop->recorder->pcm)));
	REFUSED(-EPIPE, snd_pcm_avail(loop->player->pcm));
	vt_prepare(loop->player);
	loop->recorder->done = 0;
	start_loop(loop);
}

/* Asked directly after the stall, before any timer has fired */
static void test_asked(const void *arg)
{
	const struct stall *stall = arg;
	struct vt_position before, after;
	struct loop loop;

	open_loop(&loop);
	run_loop(&loop, 20);
	vt_locate(loop.player, &before);
	stand_still(stall);
	vt_locate(loop.player, &after);
	vt_sleep_until(after.after + 5 * VT_MS);	/* the kernel notices */
	EXPECT(after.frames >= before.frames, "back from %lld to %lld",
	       (long long)before.frames, (long long)after.frames);
	if (stall->ns < vt_duration(loop.player, RING / 2))
		vt_expect_position(&after, loop.player, loop.began, 0);
	else
		expect_one_xrun(&loop);
	run_loop(&loop, 60);
}

/* Found by the timer while the client sleeps */
static void test_told(const void *arg)
{
	const struct stall *stall = arg;
	struct loop loop;

	open_loop(&loop);
	run_loop(&loop, 20);
	stand_still(stall);
	if (stall->ns >= vt_duration(loop.player, RING)) {
		vt_wait_state(loop.player, SND_PCM_STATE_XRUN, 10 * VT_MS);
		expect_one_xrun(&loop);
	}
	run_loop(&loop, 60);
}

/* Each of two ends that are not linked has its own xrun, and only that. */
static void test_apart(const void *arg)
{
	const struct stall *stall = arg;
	struct loop loop;
	struct vt_position pos;

	open_loop(&loop);
	MUST(snd_pcm_unlink(loop.player->pcm));
	run_loop(&loop, 20);
	stand_still(stall);
	if (stall->ns >= vt_duration(loop.player, RING)) {
		REFUSED(-EPIPE, snd_pcm_avail(loop.player->pcm));
		vt_prepare(loop.player);
		vt_play(loop.player, 0, RING);
		MUST(snd_pcm_start(loop.player->pcm));
		vt_locate(loop.player, &pos);
		vt_sleep_until(pos.trigger + 20 * VT_MS);
		REFUSED(-EPIPE, snd_pcm_avail(loop.recorder->pcm));
		vt_prepare(loop.recorder);
		vt_expect_position(&pos, loop.player, pos.trigger, 0);
		MUST(snd_pcm_drop(loop.player->pcm));
		vt_prepare(loop.player);
		vt_link(loop.player, loop.recorder);
		start_loop(&loop);
	}
	run_loop(&loop, 60);
}

/* While it is paused a pair does not notice, and goes on with the next frame. */
static void test_paused(const void *arg)
{
	const struct stall *stall = arg;
	struct vt_position pos;
	struct loop loop;
	unsigned int i;

	open_loop(&loop);
	run_loop(&loop, 20);
	MUST(snd_pcm_pause(loop.player->pcm, 1));
	stand_still(stall);
	vt_locate(loop.player, &pos);
	EXPECT(pos.state == SND_PCM_STATE_PAUSED, "state %s",
	       snd_pcm_state_name(pos.state));
	MUST(snd_pcm_pause(loop.player->pcm, 0));
	for (i = 0; i < 60; i++) {
		vt_hear(loop.recorder, loop.heard, 480);
		vt_play(loop.player, loop.heard + RING, 480);
		loop.heard += 480;
	}
}

/* A recorder that is left alone with a ring of sound: then there is silence. */
static void test_alone(const void *arg)
{
	struct vt_params p = ring(RING, VT_NEVER);
	struct loop loop;

	loop.player = vt_player(0, &p);
	loop.recorder = vt_recorder(0, &p);
	vt_link(loop.player, loop.recorder);
	start_loop(&loop);
	vt_hear(loop.recorder, 0, RING);
	MUST(snd_pcm_unlink(loop.player->pcm));
	MUST(snd_pcm_drop(loop.player->pcm));
	/* to begin near the end of the ring */
	vt_sleep_until(vt_now() + 75 * VT_MS);
	stand_still(arg);
	vt_hear_silence(loop.recorder, 2 * RING);
}

/* The position within the ring is where the time is, however many turns. */
static void expect_phase(struct vt_stream *s, int64_t began)
{
	struct vt_position pos;
	int64_t low, high, off;

	vt_locate(s, &pos);
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "state %s",
	       snd_pcm_state_name(pos.state));
	low = vt_frames(s, pos.before - began);
	high = vt_frames(s, pos.after - began);
	off = (pos.frames - low) % (int64_t)s->p.buffer;
	if (off < 0)
		off += s->p.buffer;
	EXPECT(off <= high - low, "%s is off by %lld frames",
	       snd_pcm_stream_name(s->dir), (long long)off);
}

/* A recorder's ring of two turns of the player's ring, at equal places */
static void expect_turns(struct vt_stream *recorder, const void *frames,
			 uint64_t first)
{
	const unsigned char *turn = frames;
	unsigned int i;
	size_t good;

	MUST(snd_pcm_avail(recorder->pcm));
	for (i = 0; i < 2; i++) {
		good = vt_stamped(recorder, turn, first, RING);
		EXPECT(good == RING, "turn %u is wrong at frame %zu", i, good);
		turn += RING * recorder->frame_bytes;
	}
}

/* Rings that run free go round as ever; only what is in them now is heard. */
static void test_free_running(const void *arg)
{
	const struct stall *stall = arg;
	struct vt_params p = ring(RING, VT_NEVER);
	struct vt_stream *player, *recorder;
	unsigned char *played, *heard;
	struct vt_position pos;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	player = vt_player(0, &p);
	p.buffer = 2 * RING;
	recorder = vt_recorder(0, &p);
	played = vt_ring(player);
	heard = vt_ring(recorder);
	vt_link(player, recorder);
	vt_stamp(player, played, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	vt_locate(player, &pos);
	vt_sleep_until(pos.trigger + 321 * VT_MS);
	expect_turns(recorder, heard, 0);
	vt_stamp(player, played, 1000000, RING);
	stand_still(stall);
	expect_phase(player, pos.trigger);
	expect_phase(recorder, pos.trigger);
	if (stall->ns > vt_duration(recorder, 2 * RING))
		expect_turns(recorder, heard, 1000000);
	vt_sleep_until(vt_now() + 321 * VT_MS);
	expect_turns(recorder, heard, 1000000);
	expect_phase(player, pos.trigger);
	expect_phase(recorder, pos.trigger);
}

/* The drain of a full ring, heard by a recorder that starts with it */
static void drain_once(struct vt_stream *player, struct vt_stream *recorder,
		       const struct stall *stall)
{
	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_nonblock(player->pcm, 1));
	REFUSED(-EAGAIN, snd_pcm_drain(player->pcm));
	if (stall)
		stand_still(stall);
	while (snd_pcm_state(player->pcm) == SND_PCM_STATE_DRAINING)
		vt_sleep_until(vt_now() + VT_MS);
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_SETUP,
	       "drained to the state %s",
	       snd_pcm_state_name(snd_pcm_state(player->pcm)));
	if (!stall || stall->ns < VT_SECOND * 3 / 2) {
		vt_hear(recorder, 0, RING);
		vt_hear_silence(recorder, 10);
	}
	MUST(snd_pcm_nonblock(player->pcm, 0));
	MUST(snd_pcm_drop(recorder->pcm));
	vt_prepare(player);
	vt_prepare(recorder);
}

/* A drain has nothing to lose: its frames are played, and it has drained. */
static void drain(const struct stall *stall, snd_pcm_uframes_t stop,
		  snd_pcm_access_t access)
{
	struct vt_params p = ring(RING, stop);
	struct vt_stream *player, *recorder;

	p.access = access;
	player = vt_player(0, &p);
	p = ring(96000, VT_NEVER);
	recorder = vt_recorder(0, &p);
	drain_once(player, recorder, stall);
	drain_once(player, recorder, NULL);
}

static void test_drain(const void *arg)
{
	drain(arg, 0, SND_PCM_ACCESS_RW_INTERLEAVED);
}

static void test_drain_never_stops(const void *arg)
{
	drain(arg, VT_NEVER, SND_PCM_ACCESS_RW_INTERLEAVED);
}

/* Its appl_ptr stays where it was at the start, as that of a ring run free. */
static void test_drain_mapped(const void *arg)
{
	drain(arg, VT_NEVER, SND_PCM_ACCESS_MMAP_INTERLEAVED);
}

/* After a late wake-up the next ones come at the ends of their periods. */
static void test_wakeups(const void *arg)
{
	const struct stall *stall = arg;
	struct vt_params p = ring(RING, VT_NEVER);
	struct vt_position pos;
	struct vt_stream *s;
	snd_pcm_sframes_t avail;
	unsigned int i, woken;
	int64_t began, now;

	p.period = 48;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	began = pos.trigger;
	for (i = 0; i < 3; i++) {
		vt_sleep_until(vt_now() + 333 * VT_US);
		stand_still(stall);
		EXPECT(MUST(snd_pcm_wait(s->pcm, 1000)) == 1, "not woken");
		for (woken = 0; woken < 50; woken++) {
			avail = MUST(snd_pcm_avail(s->pcm));
			MUST(snd_pcm_forward(s->pcm, avail));
			s->done += avail;
			EXPECT(MUST(snd_pcm_wait(s->pcm, 1000)) == 1,
			       "not woken any more");
			now = vt_now();
			vt_expect_time((now - began) % VT_MS, 0, VT_LATE,
				       "a wake-up");
		}
	}
	expect_phase(s, began);
}

/* Those of a stream that is not quite perfect, in nothing yet, do so, too. */
static void test_imperfect_wakeups(const void *arg)
{
	vt_use_imperfection(0);
	test_wakeups(arg);
}

/* The turns of a stall that a closed stream was not told of are its own. */
static void test_next_stream(const void *arg)
{
	struct vt_params p = ring(RING, VT_NEVER);
	struct vt_stream *s = vt_recorder(0, &p);
	struct vt_position pos;

	MUST(snd_pcm_start(s->pcm));
	vt_sleep_until(vt_now() + VT_MS);
	stand_still(arg);
	MUST(snd_pcm_avail(s->pcm));
	vt_close(s);
	vt_sleep_until(vt_now() + 5 * VT_MS);	/* the kernel notices */
	p.no_wakeup = true;
	p.nonblock = true;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	vt_expect_position(&pos, s, pos.trigger, 0);
}

/*
 * What was on its way for longer than the ring is lost. The recorder does not
 * hear what is left of earlier frames in its place, but silence.
 */
static void test_delayed(const void *arg)
{
	const struct stall *stall = arg;
	const size_t all = 2 * RING, late = RING / 4, soon = RING / 100;
	struct vt_params p = ring(RING, VT_NEVER);
	struct vt_stream *player, *recorder;
	unsigned char *heard, *copy;
	size_t at, i;

	vt_use_latency(0, late);
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	player = vt_player(0, &p);
	p.buffer = all;
	recorder = vt_recorder(0, &p);
	heard = vt_ring(recorder);
	copy = vt_alloc(all * recorder->frame_bytes);
	vt_link(player, recorder);
	vt_stamp(player, vt_ring(player), 1, RING);
	MUST(snd_pcm_start(player->pcm));
	vt_sleep_until(vt_now() + 500 * VT_MS);
	stand_still(stall);
	at = MUST(snd_pcm_avail(recorder->pcm)) % all;
	memcpy(copy, heard, all * recorder->frame_bytes);
	for (i = soon; i < all; i++) {	/* older ones may be new by now */
		const unsigned char *frame =
			copy + (at + i) % all * recorder->frame_bytes;

		if (i < late - soon)	/* the timer may have been first */
			EXPECT(vt_silent(recorder, frame, 1),
			       "frame %zu is not silence", i);
		else if (i >= late)
			EXPECT(vt_stamped(recorder, frame, 1 +
					  (at + i - late) % RING, 1),
			       "frame %zu is not played", i);
	}
}

/* What had been on its way before the stall is heard when its time comes. */
static void test_in_time(const void *arg)
{
	struct vt_params p = ring(RING, VT_NEVER);
	struct vt_stream *player, *recorder;

	(void)arg;
	vt_use_latency(0, 2 * RING);
	player = vt_player(0, &p);
	p = ring(RING / 2, VT_NEVER);
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	recorder = vt_recorder(0, &p);
	vt_link(player, recorder);
	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	vt_sleep_until(vt_now() + vt_duration(player, RING / 2));
	vt_jump(vt_duration(player, RING * 7 / 4));
	MUST(snd_pcm_avail(recorder->pcm));
	EXPECT(vt_stamped(recorder, vt_ring(recorder), 0, RING / 5) == RING / 5,
	       "it is lost");
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "a loop, asked at once", test_asked },
	{ "a loop, told by the timer", test_told },
	{ "a loop of two that are not linked", test_apart },
	{ "a paused loop", test_paused },
	{ "a recorder alone", test_alone },
	{ "rings that run free", test_free_running },
	{ "a drain", test_drain },
	{ "a drain without a stop threshold", test_drain_never_stops },
	{ "a drain of a mapped ring without one", test_drain_mapped },
	{ "wake-ups", test_wakeups },
};

int main(int argc, char **argv)
{
	unsigned int i, j;

	vt_init(argc, argv, 9000);
	vt_load_stalls();
	vt_plan(ARRAY_SIZE(tests) * ARRAY_SIZE(stalls) + 3 * 2 + 1);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		for (j = 0; j < ARRAY_SIZE(stalls); j++)
			vt_run(tests[i].test, &stalls[j], "%s: %s",
			       tests[i].name, stalls[j].name);
	for (j = 2; j < 4; j++) {
		vt_run(test_delayed, &stalls[j], "with latency: %s",
		       stalls[j].name);
		vt_run(test_imperfect_wakeups, &stalls[j],
		       "wake-ups with imperfection: %s", stalls[j].name);
		vt_run(test_next_stream, &stalls[j], "the next stream: %s",
		       stalls[j].name);
	}
	vt_run(test_in_time, NULL, "with a longer latency");
	return vt_finish();
}
