// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters wrap: 2^31 and 2^32 frames, the boundary of alsa-lib's pointers
 * where it is near enough (that of a 32-bit program or kernel is), and the
 * kernel's jiffies, which do so 5 minutes after it has booted. Nobody notices.
 */

#include <string.h>
#include "vstall.h"

#define RING	1048576UL	/* frames, and bytes: S8, mono */
#define PERIOD	(RING / 4)
#define NEAR	65536UL	/* frames around a wrap, all of which count */
#define LINK	2	/* as in <sound/asound.h> */

static const struct vt_params bytes = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S8,
	.channels = 1,
	.rate = 48000,
	.period = PERIOD,
	.buffer = RING,
};

struct pair {
	struct vt_stream *player, *recorder;
	uint64_t at;
};

static void start_pair(struct pair *pair)
{
	vt_use_clock(0, "step");
	pair->player = vt_player(0, &bytes);
	pair->recorder = vt_recorder(0, &bytes);
	pair->at = 0;
	vt_link(pair->player, pair->recorder);
	vt_play(pair->player, 0, RING);
	MUST(snd_pcm_start(pair->player->pcm));
}

/* Nothing is looked at on the way, but for that there is no xrun. */
static void hurry(struct pair *pair, uint64_t to)
{
	snd_pcm_uframes_t n;

	while (pair->at < to) {
		n = to - pair->at < RING - 16 ? to - pair->at : RING - 16;
		MUST(vt_step(0, n));
		EXPECT(MUST(snd_pcm_avail(pair->recorder->pcm)) == (long)n,
		       "not %lu frames at %llu", n,
		       (unsigned long long)pair->at);
		MUST(snd_pcm_avail(pair->player->pcm));
		EXPECT(MUST(snd_pcm_forward(pair->recorder->pcm, n)) == (long)n,
		       "cannot skip %lu frames", n);
		EXPECT(MUST(snd_pcm_forward(pair->player->pcm, n)) == (long)n,
		       "cannot skip %lu frames", n);
		pair->at += n;
	}
}

/* From here on the ring is full of what belongs there. */
static void refill(struct pair *pair)
{
	snd_pcm_sframes_t n = RING - 16;

	EXPECT(MUST(snd_pcm_rewind(pair->player->pcm, n)) == n,
	       "cannot rewind");
	vt_play(pair->player, pair->at + 16, n);
	hurry(pair, pair->at + 16);
}

/* Frame by frame, across the wrap and beyond */
static void crawl(struct pair *pair, uint64_t to)
{
	snd_pcm_uframes_t chunk = 1;
	snd_pcm_sframes_t avail, delay;

	while (pair->at < to) {
		chunk = chunk % 4000 + 37;
		MUST(vt_step(0, chunk));
		MUST(snd_pcm_avail_delay(pair->player->pcm, &avail, &delay));
		EXPECT(avail == (long)chunk && delay == (long)(RING - chunk),
		       "player: %ld frames free, a delay of %ld", avail, delay);
		vt_hear(pair->recorder, pair->at, chunk);
		vt_play(pair->player, pair->at + RING, chunk);
		pair->at += chunk;
	}
}

static void cross(struct pair *pair, uint64_t wrap)
{
	hurry(pair, wrap - NEAR);
	refill(pair);
	crawl(pair, wrap + NEAR);
}

static void test_step(const void *arg)
{
	static const uint64_t wraps[] = { 1ULL << 31, 1ULL << 32 };
	struct pair pair;
	unsigned int i;

	(void)arg;
	start_pair(&pair);
	vt_note("the boundary is %lu", pair.player->boundary);
	if (pair.player->boundary < 1ULL << 31)
		cross(&pair, pair.player->boundary);
	for (i = 0; i < ARRAY_SIZE(wraps); i++)
		cross(&pair, wraps[i]);
}

static int64_t ns(const snd_htimestamp_t *ts)
{
	return ts->tv_sec * VT_SECOND + ts->tv_nsec;
}

/* The link's time is that of all frames since START. */
static void expect_link_time(struct vt_stream *s, int64_t began)
{
	snd_pcm_audio_tstamp_config_t config = { .type_requested = LINK };
	snd_pcm_status_t *status;
	snd_htimestamp_t system, audio;
	int64_t off;

	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &config);
	MUST(snd_pcm_status(s->pcm, status));
	snd_pcm_status_get_htstamp(status, &system);
	snd_pcm_status_get_audio_htstamp(status, &audio);
	off = ns(&system) - began - ns(&audio);
	EXPECT(off >= -1 && off <= vt_duration(s, 1) + 1,
	       "%s: the link's time is off by %lld ns after %lld",
	       snd_pcm_stream_name(s->dir), (long long)off,
	       (long long)(ns(&system) - began));
}

/* Rings that run free on the realtime clock, as time jumps by an hour */
static void test_jumps(const void *arg)
{
	struct vt_params p = bytes;
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, n = RING;
	struct vt_position pos;
	struct vt_stream *s[2];
	int64_t began, low, off;
	unsigned int i, j;
	size_t good;

	(void)arg;
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.rate = 768000;
	p.stop = VT_NEVER;
	s[0] = vt_player(0, &p);
	s[1] = vt_recorder(0, &p);
	vt_link(s[0], s[1]);
	MUST(snd_pcm_mmap_begin(s[0]->pcm, &areas, &offset, &n));
	vt_stamp(s[0], areas[0].addr, 0, RING);
	MUST(snd_pcm_start(s[0]->pcm));
	vt_locate(s[0], &pos);
	began = pos.trigger;
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 2; j++) {
			vt_locate(s[j], &pos);
			low = vt_frames(s[j], pos.before - began);
			off = (pos.frames - low) % (int64_t)RING;
			off = (off + RING) % RING;
			EXPECT(off <= vt_frames(s[j], pos.after - began) - low,
			       "%s is off by %lld frames after %lld",
			       snd_pcm_stream_name(s[j]->dir), (long long)off,
			       (long long)low);
			if (i)	/* there is none before the first frame */
				expect_link_time(s[j], began);
		}
		vt_jump(3599 * VT_SECOND + 12345678);
		vt_sleep_until(vt_now() + 10 * VT_MS);
	}
	vt_note("%lld frames", (long long)low);
	EXPECT(low > 1LL << 32, "that is no wrap");
	n = RING;
	MUST(snd_pcm_mmap_begin(s[1]->pcm, &areas, &offset, &n));
	MUST(snd_pcm_avail(s[1]->pcm));
	good = vt_stamped(s[1], areas[0].addr, 0, RING);
	EXPECT(good == RING, "wrong at frame %zu of the ring", good);
}

/* The jiffies that /proc/timer_list shows: it is about their low 32 bits. */
static uint32_t ticks(void)
{
	unsigned long long value = 0;
	char line[200];
	FILE *file = fopen("/proc/timer_list", "r");

	EXPECT(file, "no /proc/timer_list");
	while (!value && fgets(line, sizeof(line), file))
		if (!strncmp(line, "jiffies: ", 9))
			value = strtoull(line + 9, NULL, 10);
	fclose(file);
	EXPECT(value, "no jiffies");
	return value;
}

/* A loop whose client sleeps by the clock and not by wake-ups */
struct loop {
	struct vt_stream *player, *recorder;
	uint64_t heard;
	int64_t began;
};

static void start_loop(struct loop *loop, int device, bool no_wakeup)
{
	struct vt_params p = vt_plain;
	struct vt_position pos;

	p.no_wakeup = no_wakeup;
	p.nonblock = no_wakeup;
	loop->player = vt_player(device, &p);
	loop->recorder = vt_recorder(device, &p);
	loop->heard = 0;
	vt_link(loop->player, loop->recorder);
	vt_play(loop->player, 0, p.buffer);
	MUST(snd_pcm_start(loop->player->pcm));
	vt_locate(loop->player, &pos);
	loop->began = pos.trigger;
}

static void run_loop(struct loop *loop)
{
	struct vt_stream *player = loop->player, *recorder = loop->recorder;
	struct vt_position pos;

	vt_sleep_until(loop->began + vt_duration(recorder, loop->heard + 480) +
		       100 * VT_US);
	vt_hear(recorder, loop->heard, 480);
	loop->heard += 480;
	vt_play(player, loop->heard + player->p.buffer - 480, 480);
	vt_locate(player, &pos);
	vt_expect_position(&pos, player, loop->began, 0);
	vt_locate(recorder, &pos);
	vt_expect_position(&pos, recorder, loop->began, 0);
}

/* Jumps to a second before their wrap: loops with and without wake-ups */
static void test_jiffies(const void *arg)
{
	uint32_t before = ticks();
	struct loop loops[2];
	unsigned int i;

	(void)arg;
	EXPECT(-before < 300 * VT_SECOND / vt_jiffy(),
	       "the machine has been up for more than 5 minutes");
	vt_jump((uint32_t)-before * vt_jiffy() - VT_SECOND);
	vt_sleep_until(vt_now() + 20 * VT_MS);
	for (i = 0; i < 2; i++)
		start_loop(&loops[i], i, i);
	for (i = 0; i < 2 * 200; i++)
		run_loop(&loops[i % 2]);
	EXPECT(ticks() < before, "jiffies have not wrapped: %u to %u",
	       before, ticks());
}

int main(int argc, char **argv)
{
	vt_init(argc, argv, 16000);
	vt_load_stalls();
	vt_plan(3);
	vt_run(test_jiffies, NULL, "jiffies");
	vt_run(test_step, NULL, "frames, step by step");
	vt_run(test_jumps, NULL, "frames of hours that pass at once");
	return vt_finish();
}
