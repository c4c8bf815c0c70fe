// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xruns and recoveries, many times, of each end; the other end goes on and is
 * told the truth. $SOAK_XRUNS says how often.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "vpcm.h"

#define BURST	256	/* frames that a player writes before it is late */
#define RING	4096	/* frames that another one plays over and over */
#define SLACK	96	/* frames: 2 ms, from one look to the other */

static unsigned int xruns;

/* A recorder for ever, and what it hears of one burst: exactly that */
static void hear_burst(struct vt_stream *recorder, const uint32_t *burst,
		       unsigned int turn)
{
	static uint32_t heard[48000];
	unsigned int frames = MUST(snd_pcm_avail(recorder->pcm)), i, n = 0;

	EXPECT(frames <= ARRAY_SIZE(heard), "%u frames at once", frames);
	vt_read(recorder, heard, frames);
	for (i = 0; i < frames; i++) {
		if (!heard[i])
			continue;
		EXPECT(n < BURST && heard[i] == burst[n],
		       "turn %u: frame %u of %u is %08x", turn, n, BURST,
		       heard[i]);
		n++;
	}
	EXPECT(n == BURST, "turn %u: %u frames of %u", turn, n, BURST);
}

static void test_player(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	uint32_t burst[BURST];
	unsigned int i, j;

	p.period = 64;
	p.buffer = BURST;
	player = vt_player(*device, &p);
	p.period = 1024;
	p.buffer = 32768;
	p.stop = VT_NEVER;
	recorder = vt_recorder(*device, &p);
	MUST(snd_pcm_start(recorder->pcm));
	for (i = 0; i < xruns; i++) {
		for (j = 0; j < BURST; j++)
			burst[j] = 0x10001 + i * BURST + j;
		vt_write(player, burst, BURST);
		MUST(snd_pcm_start(player->pcm));
		vt_wait_state(player, SND_PCM_STATE_XRUN, VT_SECOND);
		REFUSED(-EPIPE, snd_pcm_writei(player->pcm, burst, 1));
		hear_burst(recorder, burst, i);
		vt_prepare(player);
	}
	vt_note("%u underruns", xruns);
}

/* No frame is silence, and each tells where in the player's ring it is. */
static uint32_t numbered(uint64_t frame)
{
	return 0x10001 + frame % RING;
}

static void play_numbers(struct vt_stream *player)
{
	uint32_t frames[RING];
	unsigned int i;

	for (i = 0; i < RING; i++)
		frames[i] = numbered(i);
	vt_write(player, frames, RING);
	MUST(snd_pcm_start(player->pcm));
}

/* A recorder that has just been started hears what is played from then on. */
static void hear_numbers(struct vt_stream *recorder, struct vt_stream *player,
			 unsigned int turn)
{
	struct vt_position here, there;
	uint32_t heard[BURST / 2];
	int64_t first;
	unsigned int i;

	vt_locate(player, &here);
	MUST(snd_pcm_start(recorder->pcm));
	vt_locate(recorder, &there);
	first = vt_frames(player, there.trigger - here.trigger);
	EXPECT(first >= here.frames - SLACK && first <= here.frames + SLACK,
	       "turn %u: begun at frame %lld, where %lld is played", turn,
	       (long long)first, (long long)here.frames);
	vt_read(recorder, heard, ARRAY_SIZE(heard));
	for (i = 0; i < ARRAY_SIZE(heard); i++)
		EXPECT(heard[i] == numbered(first + i),
		       "turn %u: frame %u is %08x, wanted %08x", turn, i,
		       heard[i], numbered(first + i));
}

/* What the recorder hears after it has begun anew is what is played then. */
static void test_recorder(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	uint32_t frame;
	unsigned int i;

	p.period = 1024;
	p.buffer = RING;
	p.stop = VT_NEVER;
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	player = vt_player(*device, &p);
	p = vt_plain;
	p.period = 64;
	p.buffer = 256;
	recorder = vt_recorder(*device, &p);
	play_numbers(player);
	for (i = 0; i < xruns; i++) {
		hear_numbers(recorder, player, i);
		vt_wait_state(recorder, SND_PCM_STATE_XRUN, VT_SECOND);
		REFUSED(-EPIPE, snd_pcm_readi(recorder->pcm, &frame, 1));
		vt_prepare(recorder);
	}
	vt_note("%u overruns", xruns);
	EXPECT(snd_pcm_state(player->pcm) == SND_PCM_STATE_RUNNING,
	       "the player has stopped");
}

int main(int argc, char **argv)
{
	const char *value = getenv("SOAK_XRUNS");
	int device;

	xruns = value ? strtoul(value, NULL, 0) : 200;
	vt_init(argc, argv, 600 + 4 * xruns);
	vt_plan(4);
	for (device = 0; device < 2; device++) {
		vt_run(test_player, &device, "device %d %u underruns", device,
		       xruns);
		vt_run(test_recorder, &device, "device %d %u overruns", device,
		       xruns);
	}
	return vt_finish();
}
