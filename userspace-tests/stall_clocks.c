// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalls of the machine with clocks other than realtime: scaled ones are where
 * the time is, those that stand still do not notice, one that follows a timer
 * is not faster than that; and a stall of any length costs the same to catch
 * up with.
 */

#include <stdlib.h>
#include <string.h>
#include "vstall.h"

#define RING	4800

struct scale {
	long mul, div;
};

static const struct scale scales[] = { { 2, 1 }, { 1, 3 }, { 100, 1 } };
static const int64_t stalls[] = {
	12345678, 123456789, 1234567890, 12345678901, 601234567890,
};

static struct vt_stream *recorder_for_ever(void)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.buffer = RING;
	p.stop = VT_NEVER;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	return s;
}

/* How far it is from one place in the ring to another, frames */
static int64_t turn(int64_t from, int64_t to)
{
	return ((to - from) % RING + RING) % RING;
}

/*
 * A scaled clock's epoch cannot be told from outside, so the distance counts,
 * modulo the ring, and is good to the time that it takes to ask.
 */
static void test_scaled(const void *arg)
{
	const struct scale *scale = arg;
	struct vt_position a, b;
	struct vt_stream *s;
	int64_t low, high;
	unsigned int i;

	vt_use_clock(0, "scaled");
	vt_use_scale(0, scale->mul, scale->div);
	s = recorder_for_ever();
	for (i = 0; i < ARRAY_SIZE(stalls); i++) {
		vt_locate(s, &a);
		vt_jump(stalls[i]);
		vt_locate(s, &b);
		EXPECT(b.state == SND_PCM_STATE_RUNNING, "state %s",
		       snd_pcm_state_name(b.state));
		low = vt_frames(s, (b.before - a.after) * scale->mul /
				scale->div);
		high = vt_frames(s, (b.after - a.before) * scale->mul /
				 scale->div) + 1;
		EXPECT(turn(low, b.frames - a.frames) <= high - low,
		       "%lld frames further, wanted %lld to %lld, modulo %d",
		       (long long)(b.frames - a.frames), (long long)low,
		       (long long)high, RING);
		vt_sleep_until(vt_now() + 50 * VT_MS);
	}
}

/* Time that is not the system's does not jump with it. */
static void test_standing(const void *arg)
{
	const char *clock = arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	uint64_t heard = 0;
	unsigned int i, j;

	vt_use_clock(0, clock);
	player = vt_player(0, &p);
	recorder = vt_recorder(0, &p);
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	for (i = 0; i < ARRAY_SIZE(stalls); i++) {
		vt_jump(stalls[i]);
		vt_sleep_until(vt_now() + 20 * VT_MS);
		for (j = 0; j < 10; j++) {
			if (!strcmp(clock, "step"))
				MUST(vt_step(0, 480));
			vt_hear(recorder, heard, 480);
			vt_play(player, heard + p.buffer, 480);
			heard += 480;
		}
	}
}

/* The high-resolution timer, which catches up tick by tick, and the system's */
static void test_timer(const void *arg)
{
	const int *device = arg;
	struct vt_position a, b;
	snd_ctl_t *ctl = vt_ctl();
	snd_ctl_elem_value_t *value;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	unsigned int i;
	int64_t most, moved;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, "PCM Clock Timer", 0, 0);
	snd_ctl_elem_value_set_integer(value, 0, 1);
	snd_ctl_elem_value_set_integer(value, 2, *device);
	MUST(snd_ctl_elem_write(ctl, value));
	vt_use_clock(0, "timer");
	p.buffer = 480000;
	p.stop = VT_NEVER;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_sleep_until(vt_now() + 100 * VT_MS);
	for (i = 0; i < 2; i++) {
		vt_locate(s, &a);
		if (i)
			vt_irqs_off(stalls[0]);
		else
			vt_jump(stalls[0]);
		vt_sleep_until(vt_now() + 100 * VT_MS);
		vt_locate(s, &b);
		moved = b.frames - a.frames;
		most = vt_frames(s, b.after - a.before) + 2 * 192;
		EXPECT(moved <= most && moved >= most - 4 * 192,
		       "%lld frames instead of at most %lld",
		       (long long)moved, (long long)most);
	}
}

/* Time that the CPU is not ours in the next 20 ms */
static int64_t stolen(int64_t now)
{
	int64_t until = now + 20 * VT_MS, sum = 0, then;

	while (now < until) {
		then = vt_now();
		if (then - now > 3 * VT_US)
			sum += then - now;
		now = then;
	}
	return sum;
}

/* A pair of which both ends have an xrun, or go on; the ring is 20 ms. */
static void start_pair(struct vt_stream *s[2], snd_pcm_uframes_t stop)
{
	struct vt_params p = vt_plain;

	p.buffer = 960;
	p.stop = stop;
	s[0] = vt_player(0, &p);
	s[1] = vt_recorder(0, &p);
	vt_link(s[0], s[1]);
	vt_play(s[0], 0, p.buffer);
	MUST(snd_pcm_start(s[0]->pcm));
}

struct cost {
	int64_t call, timer, kernel;
};

static void keep_least(int64_t *least, int64_t value)
{
	if (!*least || value < *least)
		*least = value;
}

/* One after the other, at other moments of the kernel's own work */
static void measure_once(int64_t stall, snd_pcm_uframes_t stop,
			 int64_t moment, struct cost *cost)
{
	struct vt_stream *s[2];
	int64_t now;

	start_pair(s, stop);
	vt_sleep_until(vt_now() + moment);
	now = vt_jump(stall);
	snd_pcm_avail(s[1]->pcm);
	keep_least(&cost->call, vt_now() - now);
	vt_close(s[1]);
	vt_close(s[0]);
	start_pair(s, stop);
	vt_sleep_until(vt_now() + moment);
	keep_least(&cost->timer, stolen(vt_jump(stall)));
	vt_close(s[1]);
	vt_close(s[0]);
	vt_sleep_until(vt_now() + moment);
	keep_least(&cost->kernel, stolen(vt_jump(stall)));
}

/* What a stall costs: the first call, the timer, and the kernel without us */
static struct cost measure(int64_t stall, snd_pcm_uframes_t stop)
{
	struct cost cost = { 0 };
	unsigned int i;

	for (i = 0; i < 3; i++)
		measure_once(stall, stop, 10100 * VT_US + i * 432 * VT_US,
			     &cost);
	vt_note("%lld ms: %lld ns in the first call; in 20 ms %lld, %lld of it without a stream",
		(long long)(stall / VT_MS), (long long)cost.call,
		(long long)cost.timer, (long long)cost.kernel);
	return cost;
}

/*
 * The kernel itself counts second by second what its tick has not noticed yet,
 * whenever somebody asks for the time: some ten us for 10 minutes, and in the
 * timer something between one and three ms. By periods it would be 60,000.
 */
static void test_cost(const void *arg)
{
	const snd_pcm_uframes_t *stop = arg;
	struct cost some, much;

	measure(9 * VT_MS, *stop);
	some = measure(VT_SECOND, *stop);
	much = measure(600 * VT_SECOND, *stop);
	EXPECT(much.call < some.call + 80 * VT_US, "the call takes longer");
	EXPECT(much.timer - much.kernel <
	       some.timer - some.kernel + 5 * VT_MS,
	       "the timer takes longer");
}

/*
 * What a stall of some turns leaves out is silence, and not all that may be on
 * its way: 16 s of sound here.
 */
static void test_cost_delayed(const void *arg)
{
	struct cost some, much;

	(void)arg;
	some = measure(100 * VT_MS, VT_NEVER);
	vt_use_latency(0, 768000);
	much = measure(100 * VT_MS, VT_NEVER);
	EXPECT(much.call < some.call + 200 * VT_US, "the call takes longer");
}

/* The stream's time goes on beyond 2^32 frames. */
static void test_far(const void *arg)
{
	snd_pcm_audio_tstamp_config_t link = { .type_requested = 2 };
	struct vt_params p = vt_plain;
	snd_htimestamp_t trigger, now, audio;
	snd_pcm_status_t *status;
	int64_t passed, told;
	struct vt_stream *s;

	(void)arg;
	p.rate = 768000;
	p.buffer = 76800;
	p.stop = VT_NEVER;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	/* the kernel would not take all of it at once */
	vt_jump(3000 * VT_SECOND);
	vt_sleep_until(vt_now() + 20 * VT_MS);
	vt_jump(3000 * VT_SECOND);
	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &link);
	MUST(snd_pcm_status(s->pcm, status));
	snd_pcm_status_get_trigger_htstamp(status, &trigger);
	snd_pcm_status_get_htstamp(status, &now);
	snd_pcm_status_get_audio_htstamp(status, &audio);
	passed = (now.tv_sec - trigger.tv_sec) * VT_SECOND +
		 now.tv_nsec - trigger.tv_nsec;
	told = audio.tv_sec * VT_SECOND + audio.tv_nsec;
	EXPECT(passed > 6000 * VT_SECOND && told > passed - VT_MS &&
	       told <= passed, "%lld ns of %lld", (long long)told,
	       (long long)passed);
}

int main(int argc, char **argv)
{
	static const snd_pcm_uframes_t stops[] = { 0, VT_NEVER };
	static const int timers[] = { 0, 3 };
	unsigned int i;

	vt_init(argc, argv, 24000);
	vt_load_stalls();
	if (system("modprobe snd-hrtimer"))
		vt_note("cannot load snd-hrtimer");
	vt_plan(ARRAY_SIZE(scales) + 2 + 2 + 2 + 2);
	for (i = 0; i < ARRAY_SIZE(scales); i++)
		vt_run(test_scaled, &scales[i], "scaled by %ld/%ld",
		       scales[i].mul, scales[i].div);
	vt_run(test_standing, "client", "as fast as the clients");
	vt_run(test_standing, "step", "by steps");
	for (i = 0; i < ARRAY_SIZE(timers); i++)
		vt_run(test_timer, &timers[i], "by global timer %d", timers[i]);
	vt_run(test_far, NULL, "stamps of a stream of many frames");
	for (i = 0; i < ARRAY_SIZE(stops); i++)
		vt_run(test_cost, &stops[i], "the cost of a stall, %s",
		       stops[i] ? "free-running" : "with an xrun");
	vt_run(test_cost_delayed, NULL, "the cost of a stall, with a latency");
	return vt_finish();
}
