// SPDX-License-Identifier: GPL-2.0-only
/*
 * More sound than a processor can move: the largest frames at the highest rate,
 * on rings that nobody ever stops. A program beside it still has its share.
 */

#include "vpcm.h"

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

static struct vt_stream *flood(int device, snd_pcm_stream_t dir)
{
	struct vt_params p = vt_plain;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.format = SND_PCM_FORMAT_FLOAT64_LE;
	p.channels = 256;
	p.rate = 768000;
	p.period = 0;
	p.buffer = 0;
	p.stop = VT_NEVER;
	return vt_stream(device, dir, &p);
}

static void test_share(const void *arg)
{
	int devices = vt_devices(), i;
	int64_t alone, beside;

	(void)arg;
	alone = work();
	for (i = 0; i < devices; i++) {
		MUST(snd_pcm_start(flood(i, SND_PCM_STREAM_PLAYBACK)->pcm));
		MUST(snd_pcm_start(flood(i, SND_PCM_STREAM_CAPTURE)->pcm));
	}
	beside = work();
	vt_note("alone %lld us, beside %lld us", (long long)(alone / VT_US),
		(long long)(beside / VT_US));
	EXPECT(vt_slow() > 1 || beside > alone * 5 / 4, "too little was moved");
	EXPECT(beside < alone * (1 + 2 * vt_slow()),
	       "the processor is busy with sound");
}

static void test_after(const void *arg)
{
	(void)arg;
	vt_sound(0);
}

int main(int argc, char **argv)
{
	vt_init(argc, argv, 120);
	vt_plan(2);
	vt_run(test_share, NULL, "a program has its share of the processor");
	vt_run(test_after, NULL, "the card plays and records");
	return vt_finish();
}
