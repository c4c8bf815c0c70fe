// SPDX-License-Identifier: GPL-2.0-only
/*
 * How exactly streams tell and keep the time, with sound passing all along:
 *
 *	what=step	by how many frames the position moves when it is asked
 *			for again and again, less those that have passed
 *	what=wakeup	how far a reader's wake-ups lie off their rhythm, in 40
 *			runs of seconds=N
 *	what=rate	how far the rate is off after seconds=N; after=N seconds
 *			of waiting, so that several can run side by side
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "vbpcm.h"

#define EDGES		65	/* moves of the position that are timed */
#define WAKEUP_RUNS	40
#define WAKEUP_SKIP	10	/* wake-ups until a stream has settled */

static const unsigned int rates[] = {
	5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200,
	96000, 176400, 192000, 352800, 384000, 705600, 768000,
};

static void start_free_running(struct vb_pair *pair)
{
	struct vb_stream *player = pair->player;

	vb_stamp(player, player->ring, 0, player->buffer, player->buffer);
	MUST(snd_pcm_start(pair->recorder->pcm));
	MUST(snd_pcm_start(player->pcm));
}

/* Frames in so many ns, rounded down */
static int64_t frames_in(const struct vb_stream *s, int64_t ns)
{
	return ns / VT_SECOND * s->p.rate +
	       ns % VT_SECOND * s->p.rate / VT_SECOND;
}

/* The largest move of the position that time does not account for */
static int64_t largest_step(struct vb_stream *s, int64_t length)
{
	int64_t begin = vt_now(), before = begin, last = 0, now, moved;
	int64_t position, past, largest = 0;

	past = vb_position(s);
	while (before < begin + length) {
		now = vt_now();
		position = vb_position(s);
		moved = position - past - frames_in(s, vt_now() - before);
		EXPECT(position >= past, "the position moved back");
		if (last && position != past && moved > largest)
			largest = moved;
		last = 1;
		past = position;
		before = now;
	}
	return largest > 1 ? largest : 1;
}

static bool step_at(unsigned int rate, int64_t *largest)
{
	struct vb_params p = vb_params();
	int64_t step[2];
	struct vb_pair pair;
	char key[20];

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.forever = true;
	p.rate = rate;
	p.period = rate / 100;
	pair.recorder = vb_try_open(SND_PCM_STREAM_CAPTURE, 0, 0, &p);
	if (!pair.recorder)
		return false;
	pair.player = vb_open(SND_PCM_STREAM_PLAYBACK, 0, 0, &p);
	start_free_running(&pair);
	vt_sleep_until(vt_now() + VT_SECOND / 10);
	step[0] = largest_step(pair.player, VT_SECOND / 5);
	step[1] = largest_step(pair.recorder, VT_SECOND / 5);
	vb_close_pair(&pair);
	if (step[1] > step[0])
		step[0] = step[1];
	snprintf(key, sizeof(key), "step_%u", rate);
	vb_result(key, "%lld", (long long)step[0]);
	if (step[0] > *largest)
		*largest = step[0];
	return true;
}

static void measure_step(void)
{
	unsigned int i, n = 0;
	int64_t largest = 0;

	for (i = 0; i < ARRAY_SIZE(rates); i++)
		n += step_at(rates[i], &largest);
	vb_result("step", "%lld", (long long)largest);
	vb_result("step_rates", "%u", n);
}

/*
 * What wakes the reader is its stream alone. The player goes round in its ring;
 * there is none where nothing is carried, as its timer would only spare the
 * reader's interrupt some of the kernel's own work now and then.
 */
static void start_reader(struct vb_pair *pair, int64_t phase)
{
	struct vb_params p = vb_params();

	pair->recorder = vb_open(SND_PCM_STREAM_CAPTURE, 0, 0, &p);
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.forever = true;
	pair->player = NULL;
	if (vb_carries)
		pair->player = vb_open(SND_PCM_STREAM_PLAYBACK, 0, 0, &p);
	vt_sleep_until((vt_now() / VT_SECOND + 1) * VT_SECOND + phase);
	if (vb_carries)
		start_free_running(pair);
	else
		MUST(snd_pcm_start(pair->recorder->pcm));
}

/*
 * One run: when the reader woke, less when it should have by the rhythm alone;
 * what all wake-ups have in common, their mean, is latency, not error.
 */
static void wake_ups(double *error, unsigned int n, int64_t phase)
{
	struct vb_params p = vb_params();
	unsigned char *frames = vt_alloc(p.period * p.channels * 4);
	struct vb_pair pair;
	double latency = 0;
	int64_t begin = 0;
	unsigned int i;

	start_reader(&pair, phase);
	for (i = 0; i < n + WAKEUP_SKIP; i++) {
		EXPECT(MUST(snd_pcm_wait(pair.recorder->pcm, 2000)) == 1,
		       "nothing happened for 2 s");
		if (!begin)
			begin = vt_now();
		if (i >= WAKEUP_SKIP)
			error[i - WAKEUP_SKIP] = vt_now() - begin -
				vb_ns(pair.recorder, i * p.period);
		vb_read_period(pair.recorder, frames);
	}
	if (pair.player)
		vb_close(pair.player);
	vb_close(pair.recorder);
	for (i = 0; i < n; i++)
		latency += error[i] / n;
	for (i = 0; i < n; i++)
		error[i] -= latency;
}

/* Several runs: a rhythm may or may not coincide with the kernel's tick. */
static void measure_wakeup(void)
{
	unsigned int n = vb_arg("seconds", 3) * 48000 / vb_params().period;
	double *error = vt_alloc(WAKEUP_RUNS * n * sizeof(*error));
	unsigned int i;

	for (i = 0; i < WAKEUP_RUNS; i++)
		wake_ups(error + i * n, n, i * 1370 * VT_US);
	n *= WAKEUP_RUNS;
	vb_result("rms", "%.2f", vb_rms(error, n) / 1000);
	for (i = 0; i < n; i++)
		error[i] = fabs(error[i]);
	vb_result("p99", "%.2f", vb_percentile(error, n, 99) / 1000);
	vb_result("max", "%.2f", vb_percentile(error, n, 100) / 1000);
}

/* When the position was 0, reckoned from many of its moves, ns */
static double origin(struct vb_stream *s, uint64_t *frames)
{
	uint64_t past = vb_position(s), position, first = 0;
	double times[EDGES];
	int64_t before, last;
	unsigned int i = 0;

	last = vt_now();
	while (i < EDGES) {
		before = vt_now();
		position = vb_position(s);
		if (position != past) {
			if (!i)
				first = position;
			times[i++] = (last + vt_now()) / 2 -
				     vb_ns(s, position - first);
		}
		past = position;
		last = before;
	}
	*frames = first;
	return vb_median(times, EDGES);
}

static void measure_rate(void)
{
	int64_t length = vb_arg("seconds", 3600) * VT_SECOND;
	int64_t after = vb_arg("after", 0) * VT_SECOND + vt_now();
	struct vb_params p = vb_params();
	double begin, end, rate;
	uint64_t from, to;
	struct vb_pair pair;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.forever = true;
	vb_open_pair(&pair, 0, 0, &p);
	start_free_running(&pair);
	vt_sleep_until(after + VT_SECOND);
	begin = origin(pair.player, &from);
	vt_sleep_until(after + VT_SECOND + length);
	end = origin(pair.player, &to);
	rate = (to - from) / (end - begin) * VT_SECOND;
	vb_result("rate_ppm", "%.6f", fabs(rate / p.rate - 1) * 1e6);
}

static void measure(const void *arg)
{
	const char *what = vb_word("what", "");

	(void)arg;
	if (!strcmp(what, "step"))
		measure_step();
	else if (!strcmp(what, "wakeup"))
		measure_wakeup();
	else if (!strcmp(what, "rate"))
		measure_rate();
	else
		vt_skip("what is to be measured?");
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
