// SPDX-License-Identifier: GPL-2.0-only
/*
 * More sound than a processor can move: the largest frames at the highest rate,
 * on rings that nobody ever stops. A program beside it still has its share.
 */

#include <stdlib.h>
#include "vctl.h"

#define TURNS	(20 * 1000 * 1000UL)

/* The same work each time. Return: how long it has taken, ns. */
static int64_t work(void)
{
	volatile unsigned long turns = TURNS;
	int64_t before = vt_now();

	while (turns)
		turns--;
	return vt_now() - before;
}

static void flood_one(int device, int subdevice, snd_pcm_stream_t dir)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s = vt_open(device, subdevice, dir, 0);

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.format = SND_PCM_FORMAT_FLOAT64_LE;
	p.channels = 256;
	p.rate = 768000;
	p.period = 0;
	p.buffer = 0;
	p.stop = VT_NEVER;
	MUST(vt_configure(s, &p));
	MUST(snd_pcm_start(s->pcm));
}

static void flood(int device, int subdevice)
{
	flood_one(device, subdevice, SND_PCM_STREAM_PLAYBACK);
	flood_one(device, subdevice, SND_PCM_STREAM_CAPTURE);
}

struct job {
	int device;		/* this one and every other after it */
	const char *clock;	/* go by this clock */
	int pairs;		/* that run on each device */
};

static void test_share(const void *arg)
{
	int devices = vt_devices(), i;
	const struct job *job = arg;
	int64_t alone, beside;

	for (i = job->device; i < devices; i += 2)
		vt_use_clock(i, job->clock);
	alone = work();
	for (i = 0; i < devices * job->pairs; i++)
		flood(i / job->pairs, i % job->pairs);
	beside = work();
	vt_note("alone %lld us, beside %lld us", (long long)(alone / VT_US),
		(long long)(beside / VT_US));
	EXPECT(vt_slow() > 1 || beside > alone * 5 / 4, "too little was moved");
	EXPECT(beside < alone * (1 + 2 * vt_slow()),
	       "the processor is busy with sound");
}

/* For how long a program is kept from the processor at most, ns */
static int64_t longest_gap(void)
{
	int64_t now = vt_now(), until = now + 100 * VT_MS, gap = 0, last;

	while (now < until) {
		last = now;
		now = vt_now();
		if (now - last > gap)
			gap = now - last;
	}
	return gap;
}

/*
 * A clock of which little is wanted waits for one that floods as long as that
 * runs, and not for its rest besides.
 */
static void test_neighbour(const void *arg)
{
	struct vt_params p = vt_plain;
	int64_t began, gap, late = 0, now;
	struct vt_stream *s;
	char buf[48 * 4];
	int i;

	(void)arg;
	vt_use_clock(1, "scaled");
	for (i = 0; i < 8; i++)
		flood(0, i);
	gap = longest_gap();
	p.period = 48;
	p.buffer = 4800;
	s = vt_recorder(1, &p);
	MUST(snd_pcm_start(s->pcm));
	began = vt_now();
	for (i = 1; i <= 500; i++) {
		vt_read(s, buf, 48);
		now = vt_now();
		if (now - began - i * VT_MS > late)
			late = now - began - i * VT_MS;
	}
	vt_note("kept away for %lld us, late by %lld us",
		(long long)(gap / VT_US), (long long)(late / VT_US));
	EXPECT(late < gap * 3 / 2 + VT_LATE, "it waits for the other's rest");
}

#define PIECE	256		/* frames of 1 KiB: what is moved at once */

/* While sound of such a period is moved that lies otherwise at its other end */
static int64_t gap_beside(snd_pcm_uframes_t period)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s[2];
	int64_t gap;
	int dir;

	p.format = SND_PCM_FORMAT_S32_LE;
	p.channels = 256;
	p.period = period;
	p.buffer = 8 * PIECE;
	p.stop = VT_NEVER;
	for (dir = 0; dir < 2; dir++) {
		p.access = dir ? SND_PCM_ACCESS_MMAP_NONINTERLEAVED :
				 SND_PCM_ACCESS_MMAP_INTERLEAVED;
		s[dir] = vt_stream(0, dir, &p);
		MUST(snd_pcm_start(s[dir]->pcm));
	}
	gap = longest_gap();
	vt_close(s[1]);
	vt_close(s[0]);
	return gap;
}

/* It has its turn between two pieces, however long the period. */
static void test_pieces(const void *arg)
{
	int64_t piece = gap_beside(PIECE), period = gap_beside(4 * PIECE);

	(void)arg;
	vt_note("kept away for %lld us by a piece, %lld us by a period",
		(long long)(piece / VT_US), (long long)(period / VT_US));
	EXPECT(period < piece * 2, "a period is moved at once");
}

static void test_after(const void *arg)
{
	(void)arg;
	vt_sound(0);
}

int main(int argc, char **argv)
{
	static const struct job one = { 1, "realtime", 1 };
	static const struct job several = { 1, "scaled", 1 };
	static const struct job timer = { 0, "timer", 4 };

	vt_init(argc, argv, 120);
	vt_plan(6);
	if (system("modprobe snd-hrtimer"))
		vt_note("cannot load snd-hrtimer");
	vt_run(test_share, &one,
	       "a program has its share of the processor");
	vt_run(test_share, &several,
	       "a program has its share of it beside several clocks");
	vt_run(test_share, &timer,
	       "a program has its share of it whatever a timer asks for");
	vt_run(test_neighbour, NULL, "another clock has its share as well");
	vt_run(test_pieces, NULL, "a program has its turn in a long period");
	vt_run(test_after, NULL, "the card plays and records");
	return vt_finish();
}
