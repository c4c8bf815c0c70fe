// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine stands still, its time jumps, and its clock is set, very many
 * times, at any moment, while a loop runs by each clock: that is at most one
 * xrun, and none where the clock stands still with the machine; and every frame
 * arrives in order, before and after. $SOAK_STALLS says how often, $SOAK_SEED
 * what happens when.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "vstall.h"

#define RING	4800			/* frames: 100 ms */
#define PERIOD	480
#define SHORT	(50 * VT_MS)		/* at most: the ring outlasts that */
#define LONG	(100 * VT_MS)		/* at least: it does not */

enum kind { JUMP, IRQS_OFF, SET, KINDS };

struct run {
	const char *clock;
	unsigned int stalls;
	bool stands, steps;
};

struct loop {
	const struct run *run;
	struct vt_stream *player, *recorder;
	uint64_t heard;
	int64_t began;
};

static uint64_t seed;

static void start_loop(struct loop *loop)
{
	struct vt_position pos;

	vt_play(loop->player, 0, RING);
	MUST(snd_pcm_start(loop->player->pcm));
	loop->heard = 0;
	vt_locate(loop->player, &pos);
	loop->began = pos.trigger;
}

static void expect_in_time(const struct loop *loop, struct vt_stream *s)
{
	struct vt_position pos;

	vt_locate(s, &pos);
	vt_expect_position(&pos, s, loop->began, 0);
}

/* Every frame, once and in order, and at the right speed */
static void run_loop(struct loop *loop, unsigned int periods)
{
	while (periods--) {
		if (loop->run->steps)
			MUST(vt_step(0, PERIOD));
		vt_hear(loop->recorder, loop->heard, PERIOD);
		vt_play(loop->player, loop->heard + RING, PERIOD);
		loop->heard += PERIOD;
	}
	if (strcmp(loop->run->clock, "realtime"))
		return;
	expect_in_time(loop, loop->player);
	expect_in_time(loop, loop->recorder);
}

static void set_forward(int64_t ns)
{
	struct timespec ts;
	int64_t to;

	SYS(clock_gettime(CLOCK_REALTIME, &ts));
	to = ts.tv_sec * VT_SECOND + ts.tv_nsec + ns;
	ts.tv_sec = to / VT_SECOND;
	ts.tv_nsec = to % VT_SECOND;
	SYS(clock_settime(CLOCK_REALTIME, &ts));
}

/* Up to some minutes, a few ms as often; never so that both might be true */
static int64_t draw_length(enum kind kind)
{
	if (vt_random(&seed, 2))
		return 1 + vt_random(&seed, SHORT);
	if (kind == IRQS_OFF)
		return LONG + vt_random(&seed, 150 * VT_MS);
	return (LONG << vt_random(&seed, 13)) + vt_random(&seed, LONG);
}

/* How long the streams' time has gone on meanwhile */
static int64_t disturb(enum kind kind, int64_t ns)
{
	switch (kind) {
	case JUMP:
		vt_jump(ns);
		return ns;
	case IRQS_OFF:
		vt_irqs_off(ns);
		return ns;
	default:
		set_forward(ns);
		set_forward(-2 * ns);
		set_forward(ns);
		return 0;
	}
}

static void recover(struct loop *loop)
{
	vt_wait_state(loop->player, SND_PCM_STATE_XRUN, 10 * VT_MS);
	vt_expect_state(loop->recorder, SND_PCM_STATE_XRUN);
	REFUSED(-EPIPE, snd_pcm_avail(loop->player->pcm));
	vt_prepare(loop->player);
	loop->recorder->done = 0;
	start_loop(loop);
}

static void test_stalls(const void *arg)
{
	struct loop loop = { .run = arg };
	struct vt_params p = vt_plain;
	unsigned int i, kinds[KINDS] = { 0 }, xruns = 0;

	p.period = PERIOD;
	p.buffer = RING;
	vt_use_clock(0, loop.run->clock);
	loop.player = vt_player(0, &p);
	loop.recorder = vt_recorder(0, &p);
	vt_link(loop.player, loop.recorder);
	start_loop(&loop);
	for (i = 0; i < loop.run->stalls; i++) {
		enum kind kind = vt_random(&seed, KINDS);
		int64_t ns = draw_length(kind);

		run_loop(&loop, 1 + vt_random(&seed, 20));
		vt_sleep_until(vt_now() + vt_random(&seed, 10 * VT_MS));
		kinds[kind]++;
		if (disturb(kind, ns) < LONG || loop.run->stands)
			continue;
		recover(&loop);
		xruns++;
	}
	run_loop(&loop, 60);
	vt_note("%u jumps, %u with interrupts off, %u times set, %u xruns",
		kinds[JUMP], kinds[IRQS_OFF], kinds[SET], xruns);
}

int main(int argc, char **argv)
{
	const char *value = getenv("SOAK_STALLS"), *begin = getenv("SOAK_SEED");
	unsigned int stalls = value ? strtoul(value, NULL, 0) : 100, i;
	struct run runs[] = {
		{ "realtime", stalls }, { "scaled", stalls },
		{ "client", stalls, true }, { "step", stalls, true, true },
	};

	seed = begin ? strtoull(begin, NULL, 0) : 1;
	vt_init(argc, argv, 600 + stalls * 800);
	vt_load_stalls();
	vt_plan(ARRAY_SIZE(runs));
	vt_note("seed %llu", (unsigned long long)seed);
	for (i = 0; i < ARRAY_SIZE(runs); i++)
		vt_run(test_stalls, &runs[i], "%s: %u stalls", runs[i].clock,
		       stalls);
	return vt_finish();
}
