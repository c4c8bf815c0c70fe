// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client's own pointer: moved back and forth as ALSA allows, and set to
 * anything at all through the mapped control page. Whatever stands there, what
 * is recorded is silence or the frame that belongs there, and nothing hangs.
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "vpcm.h"

#define OFFSET_CONTROL	0x81000000UL	/* of the control page */
#define RING		1920		/* frames */
#define ROUNDS		2000
#define LONG_BITS	(8 * sizeof(long))

struct job {
	int device;
};

static void unmap_page(void *at)
{
	munmap(at, 4096);
}

/* Where appl_ptr stands in the control page */
static volatile unsigned long *map_appl_ptr(struct vt_stream *s)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			vt_descriptor(s), OFFSET_CONTROL);

	if (at == MAP_FAILED && errno == ENXIO)
		vt_skip("no control page to map");
	EXPECT(at != MAP_FAILED, "control page: %s", strerror(errno));
	vt_defer(unmap_page, at);
	return at;
}

/* A value to confuse with, seldom a sensible one */
static unsigned long hostile(const struct vt_stream *s, uint64_t *seed)
{
	unsigned long near = vt_random(seed, RING * 4);

	switch (vt_random(seed, 8)) {
	case 0:
		return 0;
	case 1:
		return ~0UL - near;
	case 2:
		return s->boundary - near;
	case 3:
		return s->boundary + near;
	case 4:
		return 1UL << vt_random(seed, LONG_BITS);
	case 5:
		return (unsigned long)vt_random(seed, 1UL << 31) << LONG_BITS / 2 |
			near;
	default:
		return near;
	}
}

static void open_pair(const struct job *job, snd_pcm_access_t access,
		      struct vt_stream **player, struct vt_stream **recorder)
{
	struct vt_params p = vt_plain;

	p.access = access;
	p.stop = VT_NEVER;
	*player = vt_player(job->device, &p);
	p.buffer = 96000;
	*recorder = vt_recorder(job->device, &p);
	vt_link(*player, *recorder);
	vt_play(*player, 0, RING);
}

/* Each frame is silent or one of the ring's. */
static void expect_clean(struct vt_stream *s, const unsigned char *buf,
			 size_t n)
{
	size_t i, at = 0, tried;

	for (i = 0; i < n; i++, buf += s->frame_bytes) {
		if (vt_silent(s, buf, 1))
			continue;
		for (tried = 0; tried < RING; tried++) {
			if (vt_stamped(s, buf, at, 1))
				break;
			at = (at + 1) % RING;
		}
		EXPECT(tried < RING,
		       "frame %zu is neither silent nor the ring's", i);
		at = (at + 1) % RING;
	}
}

/* A value that makes the core see an xrun is answered by starting anew. */
static void restart_after(long err, struct vt_stream *player)
{
	if (err == -EPIPE) {
		vt_prepare(player);
		vt_play(player, 0, RING);
		err = snd_pcm_start(player->pcm);
	}
	MUST(err);
}

static void test_hostile(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	volatile unsigned long *appl_ptr;
	uint64_t seed = 77;
	unsigned char *buf;
	unsigned int i;
	size_t n;

	open_pair(job, SND_PCM_ACCESS_MMAP_INTERLEAVED, &player, &recorder);
	appl_ptr = map_appl_ptr(player);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	for (i = 0; i < ROUNDS; i++) {
		*appl_ptr = hostile(player, &seed);
		vt_sleep_until(vt_now() + vt_random(&seed, 300 * VT_US));
		if (i & 1)
			restart_after(snd_pcm_hwsync(player->pcm), player);
		else
			MUST(snd_pcm_hwsync(recorder->pcm));
	}
	n = MUST(snd_pcm_avail(recorder->pcm));
	EXPECT(n > 4800, "next to nothing was recorded");
	if (n > recorder->p.buffer)
		n = recorder->p.buffer;
	buf = vt_alloc(n * recorder->frame_bytes);
	vt_read(recorder, buf, n);
	EXPECT(vt_silent(recorder, buf, n) < n, "all silent");
	expect_clean(recorder, buf, n);
}

/* Draining with a pointer that runs about still comes to an end. */
static void test_hostile_drain(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	volatile unsigned long *appl_ptr;
	uint64_t seed = 78;
	unsigned int i;
	int64_t until;

	open_pair(job, SND_PCM_ACCESS_MMAP_INTERLEAVED, &player, &recorder);
	MUST(snd_pcm_unlink(player->pcm));
	appl_ptr = map_appl_ptr(player);
	MUST(snd_pcm_nonblock(player->pcm, 1));
	for (i = 0; i < 20; i++) {
		MUST(snd_pcm_start(player->pcm));
		REFUSED(-EAGAIN, snd_pcm_drain(player->pcm));
		until = vt_now() + 20 * VT_MS;
		while (vt_now() < until &&
		       snd_pcm_state(player->pcm) ==
		       SND_PCM_STATE_DRAINING) {
			*appl_ptr = hostile(player, &seed);
			vt_sleep_until(vt_now() + 200 * VT_US);
		}
		MUST(snd_pcm_drop(player->pcm));
		vt_prepare(player);
		vt_play(player, 0, RING);
	}
}

struct race {
	struct vt_stream *s;
	volatile unsigned long *appl_ptr;
	int64_t until;
	bool client;
};

/* One flips the pointer as fast as it can, the other uses the stream. */
static void live_racing(const void *arg)
{
	const struct race *race = arg;
	uint64_t seed = 79;

	while (vt_now() < race->until) {
		if (!race->client) {
			*race->appl_ptr = hostile(race->s, &seed);
			continue;
		}
		snd_pcm_prepare(race->s->pcm);
		snd_pcm_start(race->s->pcm);
		snd_pcm_hwsync(race->s->pcm);
		snd_pcm_avail(race->s->pcm);
		snd_pcm_drop(race->s->pcm);
	}
}

static void test_flipping(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	struct race race[2];

	open_pair(job, SND_PCM_ACCESS_MMAP_INTERLEAVED, &player, &recorder);
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_start(recorder->pcm));
	race[0].s = player;
	race[0].appl_ptr = map_appl_ptr(player);
	race[0].until = vt_now() + VT_SECOND;
	race[0].client = false;
	race[1] = race[0];
	race[1].client = true;
	vt_threads(live_racing, race, sizeof(race[0]), 2);
	MUST(snd_pcm_avail(recorder->pcm));
	EXPECT(snd_pcm_state(recorder->pcm) == SND_PCM_STATE_RUNNING,
	       "the recorder stopped");
}

/* What was written may be taken back and written anew before it is due. */
static void test_rewind(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;

	open_pair(job, SND_PCM_ACCESS_RW_INTERLEAVED, &player, &recorder);
	EXPECT(MUST(snd_pcm_rewind(player->pcm, 500)) == 500, "stuck");
	vt_play(player, 10000, 500);
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, 480);
	/* 480 and a little are gone: 1000 of the rest can be taken back */
	EXPECT(MUST(snd_pcm_rewindable(player->pcm)) >= 1000, "too few");
	EXPECT(MUST(snd_pcm_rewind(player->pcm, 1000)) == 1000, "stuck");
	vt_play(player, 20000, 1000);
	vt_hear(recorder, 480, 440);
	vt_hear(recorder, 20000, 1000);
	vt_hear_silence(recorder, 2400);
}

/* Frames skipped by moving on are what the ring had there. */
static void test_forward(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;

	open_pair(job, SND_PCM_ACCESS_RW_INTERLEAVED, &player, &recorder);
	EXPECT(MUST(snd_pcm_rewind(player->pcm, RING)) == RING, "stuck");
	EXPECT(MUST(snd_pcm_forward(player->pcm, 700)) == 700, "stuck");
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, 700);
	vt_hear_silence(recorder, 2400);
}

/* RESET while running moves the core's pointers by whole rings. */
static void test_reset(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	struct vt_position pos;
	snd_pcm_sframes_t avail;
	int64_t began, before, after;
	unsigned int i;

	open_pair(job, SND_PCM_ACCESS_MMAP_INTERLEAVED, &player, &recorder);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_locate(recorder, &pos);
	began = pos.trigger;
	for (i = 1; i < 6; i++) {
		vt_sleep_until(began + i * 33 * VT_MS);
		MUST(snd_pcm_reset(player->pcm));
		before = vt_frames(player, vt_now() - began);
		avail = MUST(snd_pcm_avail(player->pcm));
		after = vt_frames(player, vt_now() - began);
		EXPECT(avail - RING >= 0 && avail - RING <= after - before + 48,
		       "%ld frames after a reset", avail - RING);
		vt_locate(recorder, &pos);
		vt_expect_position(&pos, recorder, began, 0);
	}
}

/* What is written after it is heard; a few frames are lost while that is done. */
static void test_reset_written(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	size_t quiet, lost = 0, good;
	unsigned char *buf;

	open_pair(job, SND_PCM_ACCESS_RW_INTERLEAVED, &player, &recorder);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_hear(recorder, 0, RING);
	vt_hear_silence(recorder, 1000);
	MUST(snd_pcm_reset(player->pcm));
	vt_play(player, 5000, 960);
	buf = vt_alloc(4800 * recorder->frame_bytes);
	vt_read(recorder, buf, 4800);
	quiet = vt_silent(recorder, buf, 4800 - 960);
	buf += quiet * recorder->frame_bytes;
	while (lost < 480 && !vt_stamped(recorder, buf, 5000 + lost, 1))
		lost++;
	good = vt_stamped(recorder, buf, 5000 + lost, 960 - lost);
	EXPECT(good == 960 - lost, "%zu frames after %zu lost", good, lost);
	buf += good * recorder->frame_bytes;
	EXPECT(vt_silent(recorder, buf, 4800 - quiet - good) ==
	       4800 - quiet - good, "not silent afterwards");
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "anything at all", test_hostile },
	{ "anything at all while draining", test_hostile_drain },
	{ "flipping", test_flipping },
	{ "moved back", test_rewind },
	{ "moved on", test_forward },
	{ "reset", test_reset },
	{ "reset, and moved on by writing", test_reset_written },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * ARRAY_SIZE(tests));
	for (job.device = 0; job.device < 2; job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &job, "device %d appl_ptr %s",
			       job.device, tests[i].name);
	return vt_finish();
}
