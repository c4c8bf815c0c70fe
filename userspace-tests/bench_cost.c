// SPDX-License-Identifier: GPL-2.0-only
/*
 * What streams cost: the processor's busy time per second of audio, less that
 * of a window of the same length in which nothing streams.
 *
 *	client=none	rings that run free: nobody is woken, but every frame
 *			has to be carried
 *	client=rw	threads that write, and read and compare, period by period
 *	pairs=N seconds=N apart_us=N channels= format= rate= period= periods=
 *
 * The streams have to run at the right speed, without xrun, and what is
 * recorded has to be what was played; else there is no result.
 */

#include <string.h>
#include <unistd.h>
#include "vbench.h"

#define PAIRS_MAX	128
#define SETTLE		VT_SECOND
#define PATTERN		4800	/* frames of it, when written period by period */

/* A client's stream and what passes through it; no stream: the watcher */
struct client {
	struct vb_stream *stream;
	const unsigned char *pattern;
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

static void report(const struct vb_window *base, const struct vb_window *w,
		   unsigned int pairs)
{
	double quiet = (double)base->busy / base->length;
	double us = ((double)w->busy / w->length - quiet) * 1e6;

	vb_result("busy", "%.1f", us);
	vb_result("busy_per_pair", "%.1f", us / pairs);
}

/* Free-running rings */

static void fill_ring(struct vb_stream *player, unsigned int first)
{
	vb_stamp(player, player->ring, first, player->buffer, player->buffer);
}

/*
 * The recorder's ring holds what the player's does, turned by some frames; by
 * how many is not known, but it is the same everywhere.
 */
static void expect_ring(const struct vb_pair *pair)
{
	const struct vb_stream *s = pair->recorder;
	int first = vb_number(s, s->ring, s->buffer);
	unsigned int i;
	int number;

	EXPECT(first >= 0, "nothing of what was played was recorded");
	for (i = 0; i < s->buffer; i++) {
		number = vb_number(s, s->ring + i * s->frame_bytes, s->buffer);
		EXPECT(number == (int)((first + i) % s->buffer),
		       "recorded frame %d where %d belongs", number,
		       (int)((first + i) % s->buffer));
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
				 pairs[i].recorder->buffer) < 0,
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

static void measure_free_running(unsigned int n, int64_t length)
{
	static struct vb_pair pairs[PAIRS_MAX];
	static struct place from[2 * PAIRS_MAX], to[2 * PAIRS_MAX];
	int64_t apart = vb_arg("apart_us", 0) * VT_US;
	struct vb_params p = vb_params();
	struct vb_window base, w;
	unsigned int i;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.forever = true;
	vb_watch(&base, length);
	for (i = 0; i < n; i++) {
		vb_open_pair(&pairs[i], 0, i, &p);
		fill_ring(pairs[i].player, 7 * i);
	}
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
	vb_watch(&w, length);
	locate_all(pairs, n, to);
	expect_all(pairs, n, from, to);
	expect_carried(pairs, n);
	report(&base, &w, n);
}

/* Clients that write and read */

static volatile bool ended;

static void play(const struct client *c)
{
	struct vb_stream *s = c->stream;
	const unsigned char *at;

	while (!ended) {
		at = c->pattern + s->done % PATTERN * s->frame_bytes;
		EXPECT(MUST(snd_pcm_writei(s->pcm, at, s->p.period)) ==
		       (long)s->p.period, "a write fell short");
		s->done += s->p.period;
	}
}

static void read_period(struct vb_stream *s, unsigned char *frames)
{
	EXPECT(MUST(snd_pcm_readi(s->pcm, frames, s->p.period)) ==
	       (long)s->p.period, "a read fell short");
	s->done += s->p.period;
}

/* Reads until the player is heard; the number of the next frame to come */
static uint64_t read_until_heard(struct vb_stream *s, unsigned char *frames)
{
	unsigned int i;
	int number;

	while (!ended) {
		read_period(s, frames);
		for (i = 0; i < s->p.period; i++) {
			number = vb_number(s, frames + i * s->frame_bytes,
					   PATTERN);
			if (number >= 0)
				return number + s->p.period - i;
		}
	}
	EXPECT(false, "nothing of what was played was recorded");
	return 0;
}

/* Where nothing is carried the same work is done, with silence. */
static void record(const struct client *c)
{
	struct vb_stream *s = c->stream;
	size_t bytes = s->p.period * s->frame_bytes;
	unsigned char *frames = vt_alloc(bytes);
	uint64_t next = vb_carries ? read_until_heard(s, frames) : 0;

	while (!ended) {
		read_period(s, frames);
		EXPECT(!memcmp(frames, c->pattern +
			       next % PATTERN * s->frame_bytes, bytes),
		       "frames were lost or changed");
		next += s->p.period;
	}
}

static struct client clients[2 * PAIRS_MAX + 1];
static struct vb_window rw_window;
static unsigned int streams;
static int64_t rw_length;

static void locate_clients(struct place *at)
{
	unsigned int i;

	for (i = 0; i < streams; i++) {
		at[i].position = clients[i].stream->done;
		at[i].time = vt_now();
	}
}

static void watch(void)
{
	static struct place from[2 * PAIRS_MAX], to[2 * PAIRS_MAX];
	unsigned int i;

	vt_sleep_until(vt_now() + SETTLE);
	locate_clients(from);
	vb_watch(&rw_window, rw_length);
	locate_clients(to);
	ended = true;
	for (i = 0; i < streams; i++)
		expect_speed(clients[i].stream, &from[i], &to[i]);
}

static void work(const void *arg)
{
	const struct client *c = arg;

	if (!c->stream)
		watch();
	else if (c->stream->dir == SND_PCM_STREAM_PLAYBACK)
		play(c);
	else
		record(c);
}

static void measure_rw(unsigned int n, int64_t length)
{
	struct vb_params p = vb_params();
	struct vb_window base;
	struct vb_pair pair = { NULL };
	unsigned char *pattern;
	unsigned int i;

	vb_watch(&base, length);
	pattern = vt_alloc((PATTERN + p.period) * p.channels * 8);
	for (i = 0; i < n; i++) {
		vb_open_pair(&pair, 0, i, &p);
		clients[streams++] = (struct client){ pair.recorder, pattern };
		clients[streams++] = (struct client){ pair.player, pattern };
	}
	if (vb_carries)
		vb_stamp(pair.player, pattern, 0, PATTERN + p.period, PATTERN);
	rw_length = length;
	vt_threads(work, clients, sizeof(*clients), streams + 1);
	report(&base, &rw_window, n);
}

static void measure(const void *arg)
{
	unsigned int pairs = vb_arg("pairs", 1);
	int64_t length = vb_arg("seconds", 10) * VT_SECOND;

	(void)arg;
	if (!strcmp(vb_word("client", "none"), "none"))
		measure_free_running(pairs, length);
	else
		measure_rw(pairs, length);
}

int main(int argc, char **argv)
{
	vb_init(argc, argv);
	return vb_main(measure);
}
