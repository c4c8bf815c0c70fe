// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system's clock is set forward and back, and made to run faster and
 * slower, while streams run: the position goes by CLOCK_MONOTONIC, and no frame
 * is lost; stamps in CLOCK_REALTIME show the clock as it has been set.
 */

#include <sys/timex.h>
#include <time.h>
#include "vctl.h"

#define HOUR	(3600 * VT_SECOND)
#define TURNED	(1100 * VT_US)	/* and if the kernel's timers are 9 % slow */

struct loop {
	struct vt_stream *player, *recorder;
	uint64_t heard;
	int64_t began;
};

static int64_t realtime(void)
{
	struct timespec ts;

	SYS(clock_gettime(CLOCK_REALTIME, &ts));
	return ts.tv_sec * VT_SECOND + ts.tv_nsec;
}

static void set_forward(int64_t ns)
{
	int64_t to = realtime() + ns;
	struct timespec ts = {
		.tv_sec = to / VT_SECOND,
		.tv_nsec = to % VT_SECOND,
	};

	SYS(clock_settime(CLOCK_REALTIME, &ts));
}

static void restore_frequency(void *unused)
{
	struct timex normal = {
		.modes = ADJ_TICK | ADJ_FREQUENCY,
		.tick = 10000,
	};

	(void)unused;
	SYS(adjtimex(&normal));
}

static void start_loop(struct loop *loop)
{
	const snd_pcm_tstamp_type_t wall = SND_PCM_TSTAMP_TYPE_GETTIMEOFDAY;
	struct vt_params p = vt_plain;
	snd_pcm_sw_params_t *sw;
	struct vt_position pos;

	p.buffer = 4800;
	loop->player = vt_player(0, &p);
	loop->recorder = vt_recorder(0, &p);
	vt_link(loop->player, loop->recorder);
	vt_play(loop->player, 0, p.buffer);
	MUST(snd_pcm_start(loop->player->pcm));
	vt_locate(loop->player, &pos);
	loop->began = pos.trigger;
	loop->heard = 0;
	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(loop->recorder->pcm, sw));
	MUST(snd_pcm_sw_params_set_tstamp_type(loop->recorder->pcm, sw, wall));
	MUST(snd_pcm_sw_params(loop->recorder->pcm, sw));
}

/* Ten periods, which are whole, in time, and stamped with the time that it is */
static void run_loop(struct loop *loop, int64_t late)
{
	struct vt_position pos;
	int64_t before, after;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		vt_hear(loop->recorder, loop->heard, 480);
		loop->heard += 480;
		vt_expect_time(vt_now(), loop->began +
			       vt_duration(loop->recorder, loop->heard), late,
			       "a period");
		vt_play(loop->player, loop->heard + 4800 - 480, 480);
		vt_locate(loop->player, &pos);
		vt_expect_position(&pos, loop->player, loop->began, 0);
		before = realtime();
		vt_locate(loop->recorder, &pos);
		after = realtime();
		vt_expect_position(&pos, loop->recorder, loop->began, 0);
		EXPECT(pos.stamp >= before - 21 * VT_US && pos.stamp <= after,
		       "stamped %lld ns from the time that it is",
		       (long long)(pos.stamp - before));
	}
}

static void test_set(const void *arg)
{
	static const int64_t steps[] = {
		1, VT_MS, VT_SECOND, HOUR, 24 * HOUR, 24 * 365 * HOUR,
	};
	struct loop loop;
	unsigned int i;

	(void)arg;
	start_loop(&loop);
	run_loop(&loop, VT_LATE);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		set_forward(steps[i]);
		run_loop(&loop, VT_LATE);
		set_forward(-2 * steps[i]);
		run_loop(&loop, VT_LATE);
		set_forward(steps[i]);
		run_loop(&loop, VT_LATE);
	}
}

/* CLOCK_MONOTONIC is made faster and slower too, and the stream with it. */
static void test_frequency(const void *arg)
{
	static const struct timex turns[] = {
		{ .modes = ADJ_FREQUENCY, .freq = 500 << 16 },
		{ .modes = ADJ_FREQUENCY, .freq = -(500 << 16) },
		{ .modes = ADJ_TICK, .tick = 10900 },
		{ .modes = ADJ_TICK, .tick = 9100 },
	};
	struct timex turn;
	struct loop loop;
	unsigned int i;

	(void)arg;
	vt_defer(restore_frequency, NULL);
	start_loop(&loop);
	for (i = 0; i < 4 * ARRAY_SIZE(turns); i++) {
		turn = turns[i % ARRAY_SIZE(turns)];
		SYS(adjtimex(&turn));
		run_loop(&loop, TURNED);
	}
}

int main(int argc, char **argv)
{
	vt_init(argc, argv, 60);
	vt_plan(2);
	vt_run(test_set, NULL, "set forward and back");
	vt_run(test_frequency, NULL, "made faster and slower");
	return vt_finish();
}
