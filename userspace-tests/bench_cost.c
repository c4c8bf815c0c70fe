// SPDX-License-Identifier: GPL-2.0-only
/*
 * What streams cost: the processor's busy time per second of audio, less that
 * of a window of the same length in which nothing streams.
 *
 *	client=none	rings that run free: nobody is woken, but every frame
 *			has to be carried
 *	client=rw	threads that write, and read and compare, period by period
 *	pairs=N runs=N seconds=N channels= format= rate= period= periods=
 *	apart_us=N	time from one client's start to the next's
 *	phase_us=N	by which each run starts later in a second than the last
 *
 * The streams have to run at the right speed, without xrun, and what is
 * recorded has to be what was played; else there is no result.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "vbpcm.h"

#define PAIRS_MAX	128
#define SETTLE		VT_SECOND
#define LEAD		(5 * VT_MS)	/* of a stream before its client */

/* A client, which is a process, as players and recorders are */
struct client {
	struct vb_stream *stream;
	const unsigned char *pattern;
	unsigned int index;
};

/* What a driver's position may be off by: one of its steps, and a period */
static int64_t tolerance(const struct vb_stream *s)
{
	return vt_jiffy() * s->p.rate / VT_SECOND + s->p.period + 1;
}

struct place {
	uint64_t position;
	int64_t time;
};

static void locate(struct vb_stream *s, struct place *at)
{
	at->position = vb_position(s);
	at->time = vt_now();
}

static int64_t next_second(void)
{
	return (vt_now() / VT_SECOND + 1) * VT_SECOND;
}

static void expect_speed(const struct vb_stream *s, const struct place *from,
			 const struct place *to)
{
	int64_t ns = to->time - from->time;
	int64_t want = ns / VT_SECOND * s->p.rate +
		       ns % VT_SECOND * s->p.rate / VT_SECOND;
	int64_t got = to->position - from->position;

	EXPECT(got >= want - tolerance(s) && got <= want + tolerance(s),
	       "wrong speed: %lld frames in the time of %lld", (long long)got,
	       (long long)want);
}

/* Free-running rings */

/*
 * After how many frames the numbers of a ring repeat: so that they go on where
 * the ring begins anew, and fit into a sample.
 */
static unsigned int ring_cycle(const struct vb_stream *s)
{
	unsigned int parts = 1;

	while (s->buffer / parts > VB_NUMBERS_MAX || s->buffer % parts)
		parts++;
	return s->buffer / parts;
}

static void fill_ring(struct vb_stream *player, unsigned int first)
{
	vb_stamp(player, player->ring, first, player->buffer,
		 ring_cycle(player));
}

/*
 * The recorder's ring holds what the player's does, turned by some frames; by
 * how many is not known, but it is the same everywhere.
 */
static void expect_ring(const struct vb_pair *pair)
{
	const struct vb_stream *s = pair->recorder;
	unsigned int cycle = ring_cycle(s), i;
	int first = vb_number(s, s->ring, cycle);
	int number, want;

	EXPECT(first >= 0, "nothing of what was played was recorded");
	for (i = 0; i < s->buffer; i++) {
		number = vb_number(s, s->ring + i * s->frame_bytes, cycle);
		want = (first + i) % cycle;
		EXPECT(number == want, "recorded frame %d where %d belongs",
		       number, want);
	}
}

/* Changes what is played: it has to be heard a buffer later. */
static void expect_carried(struct vb_pair *pairs, unsigned int n)
{
	int64_t turn = vb_ns(pairs->player, pairs->player->buffer);
	unsigned int i;

	if (!vb_carries)
		return;
	for (i = 0; i < n; i++) {
		expect_ring(&pairs[i]);
		memset(pairs[i].player->ring, 0,
		       pairs[i].player->buffer * pairs[i].player->frame_bytes);
	}
	vt_sleep_until(vt_now() + 2 * turn + 4 * vt_jiffy());
	for (i = 0; i < n; i++)
		EXPECT(vb_number(pairs[i].recorder, pairs[i].recorder->ring,
				 VB_NUMBERS_MAX) < 0,
		       "what is recorded is not what is played now");
}

static void locate_all(struct vb_pair *pairs, unsigned int n, struct place *at)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		locate(pairs[i].player, &at[2 * i]);
		locate(pairs[i].recorder, &at[2 * i + 1]);
	}
}

static void expect_all(struct vb_pair *pairs, unsigned int n,
		       const struct place *from, const struct place *to)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		expect_speed(pairs[i].player, &from[2 * i], &to[2 * i]);
		expect_speed(pairs[i].recorder, &from[2 * i + 1],
			     &to[2 * i + 1]);
	}
}

static void measure_free_running(unsigned int n, int64_t phase,
				 struct vb_window *w)
{
	static struct vb_pair pairs[PAIRS_MAX];
	static struct place from[2 * PAIRS_MAX], to[2 * PAIRS_MAX];
	int64_t apart = vb_arg("apart_us", 0) * VT_US;
	struct vb_params p = vb_params();
	unsigned int i;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.forever = true;
	for (i = 0; i < n; i++) {
		vb_open_pair(&pairs[i], 0, i, &p);
		fill_ring(pairs[i].player, 7 * i);
	}
	vt_sleep_until(next_second() + phase);
	for (i = 0; i < n; i++) {
		MUST(snd_pcm_start(pairs[i].recorder->pcm));
		if (apart)
			vt_sleep_until(vt_now() + apart);
		MUST(snd_pcm_start(pairs[i].player->pcm));
		if (apart)
			vt_sleep_until(vt_now() + apart);
	}
	vt_sleep_until(vt_now() + SETTLE +
		       2 * vb_ns(pairs->player, pairs->player->buffer));
	locate_all(pairs, n, from);
	vb_watch(w, w->length);
	locate_all(pairs, n, to);
	expect_all(pairs, n, from, to);
	expect_carried(pairs, n);
	for (i = 0; i < n; i++)
		vb_close_pair(&pairs[i]);
}

/* Clients that write and read, on streams that have been started for them */

/* What all processes of a run know */
struct run {
	int64_t begin;		/* time at which the first stream starts */
	int64_t apart;		/* ns from one stream's start to the next's */
	volatile bool ended;
};

static struct run *run;

static void play(const struct client *c)
{
	while (!run->ended)
		vb_write_period(c->stream, c->pattern);
}

static void record(const struct client *c)
{
	struct vb_stream *s = c->stream;
	unsigned char *frames = vt_alloc(s->p.period * s->frame_bytes);
	uint64_t next = vb_read_until_heard(s, frames, &run->ended);

	while (!run->ended) {
		vb_read_period(s, frames);
		vb_expect_pattern(s, frames, c->pattern, next);
		next += s->p.period;
	}
}

static void work(const void *arg)
{
	const struct client *c = arg;

	vt_sleep_until(run->begin + c->index * run->apart + LEAD);
	if (c->stream->dir == SND_PCM_STREAM_PLAYBACK)
		play(c);
	else
		record(c);
}

static void locate_clients(const struct client *clients, unsigned int n,
			   struct place *at)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		at[i].position = clients[i].stream->done;
		at[i].time = vt_now();
	}
}

static void watch(const struct client *clients, unsigned int n,
		  struct vb_window *w)
{
	static struct place from[2 * PAIRS_MAX], to[2 * PAIRS_MAX];
	unsigned int i;

	locate_clients(clients, n, from);
	vb_watch(w, w->length);
	locate_clients(clients, n, to);
	for (i = 0; i < n; i++)
		expect_speed(clients[i].stream, &from[i], &to[i]);
}

static void end_clients(void *data)
{
	(void)data;
	run->ended = true;
	while (wait(NULL) > 0)
		;
}

static void measure_rw(unsigned int n, int64_t phase, struct vb_window *w)
{
	static struct client clients[2 * PAIRS_MAX];
	static struct vb_pair pairs[PAIRS_MAX];
	static pid_t pids[2 * PAIRS_MAX];
	struct vb_params p = vb_params();
	unsigned char *pattern = vb_pattern(&p);
	unsigned int i;

	p.manual = true;
	for (i = 0; i < n; i++) {
		vb_open_pair(&pairs[i], 0, i, &p);
		while (pairs[i].player->done < pairs[i].player->buffer)
			vb_write_period(pairs[i].player, pattern);
		clients[2 * i] = (struct client){
			pairs[i].recorder, pattern, 2 * i };
		clients[2 * i + 1] = (struct client){
			pairs[i].player, pattern, 2 * i + 1 };
	}
	run = vb_share(sizeof(*run));
	run->begin = next_second() + VT_SECOND + phase;
	run->apart = vb_arg("apart_us", 0) * VT_US;
	vt_defer(end_clients, NULL);
	for (i = 0; i < 2 * n; i++)
		pids[i] = vt_fork(work, &clients[i]);
	for (i = 0; i < 2 * n; i++) {
		vt_sleep_until(run->begin + i * run->apart);
		MUST(snd_pcm_start(clients[i].stream->pcm));
	}
	vt_sleep_until(run->begin + 2 * n * run->apart + SETTLE);
	watch(clients, 2 * n, w);
	run->ended = true;
	for (i = 0; i < 2 * n; i++)
		vt_reap(pids[i], 0);
	vt_undo(end_clients, NULL);
	vt_undo(free, pattern);
	for (i = 0; i < n; i++)
		vb_close_pair(&pairs[i]);
}

static double busy(const struct vb_window *w)
{
	return (double)w->busy / w->length * 1e6;
}

/*
 * What is spent depends on how the streams lie to the kernel's tick and to
 * each other: each run starts at another phase, and their mean counts.
 */
static void measure(const void *arg)
{
	bool rw = !strcmp(vb_word("client", "none"), "rw");
	int64_t length = vb_arg("seconds", 10) * VT_SECOND;
	unsigned int pairs = vb_arg("pairs", 1), i;
	int64_t phase = vb_arg("phase_us", 2930) * VT_US;
	unsigned int runs = vb_arg("runs", 1);
	double us, sum = 0, least = INFINITY, most = 0;
	struct vb_window base, w;

	(void)arg;
	vb_watch(&base, length);
	for (i = 0; i < runs; i++) {
		w.length = length;
		if (rw)
			measure_rw(pairs, i * phase, &w);
		else
			measure_free_running(pairs, i * phase, &w);
		us = busy(&w) - busy(&base);
		vt_note("run %u: %.1f us per second", i, us);
		sum += us;
		least = fmin(least, us);
		most = fmax(most, us);
	}
	vb_result("busy", "%.1f", sum / runs);
	vb_result("busy_least", "%.1f", least);
	vb_result("busy_most", "%.1f", most);
	vb_result("busy_per_pair", "%.1f", sum / runs / pairs);
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
