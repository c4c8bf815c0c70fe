// SPDX-License-Identifier: GPL-2.0-only
/*
 * No client ever sees what another left in a buffer: not through a mapping,
 * not in the tail of the last page, not by recording, whatever size and shape
 * the ring had before.
 */

#include <string.h>
#include <sys/mman.h>
#include "vctl.h"

#define CANARY		0xc9	/* no byte of any format's silence */
#define PAGE		4096UL
#define LATENCY		9600	/* frames */

static const struct {
	snd_pcm_format_t format;
	unsigned int channels;
	snd_pcm_uframes_t period, buffer;
} shapes[] = {
	{ SND_PCM_FORMAT_S16_LE, 2, 480, 1920 },
	{ SND_PCM_FORMAT_S8, 1, 16, 48 },
	{ SND_PCM_FORMAT_S32_LE, 8, 1024, 4096 },
	{ SND_PCM_FORMAT_S24_3LE, 1, 1001, 3003 },
	{ SND_PCM_FORMAT_FLOAT64_LE, 16, 512, 4096 },
	{ SND_PCM_FORMAT_S16_BE, 1, 2047, 4094 },
	{ SND_PCM_FORMAT_U16_LE, 3, 333, 999 },
	{ SND_PCM_FORMAT_S8, 1, 4095, 8190 },
	{ SND_PCM_FORMAT_S32_BE, 1, 32768, 131072 },
	{ SND_PCM_FORMAT_DSD_U8, 1, 4097, 8194 },
};

struct job {
	int device;
	snd_pcm_stream_t dir;
};

struct map {
	unsigned char *at;
	size_t bytes;
};

static void unmap(void *data)
{
	struct map *m = data;

	munmap(m->at, m->bytes);
}

static struct vt_params params(unsigned int shape)
{
	struct vt_params p = vt_plain;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.rate = 192000;
	p.format = shapes[shape].format;
	p.channels = shapes[shape].channels;
	p.period = shapes[shape].period;
	p.buffer = shapes[shape].buffer;
	p.stop = VT_NEVER;
	return p;
}

/* Whole pages, as any client can map them */
static struct map *map_pages(struct vt_stream *s, int prot)
{
	struct map *m = vt_alloc(sizeof(*m));

	m->bytes = (s->p.buffer * s->frame_bytes + PAGE - 1) / PAGE * PAGE;
	m->at = mmap(NULL, m->bytes, prot, MAP_SHARED, vt_descriptor(s), 0);
	EXPECT(m->at != MAP_FAILED, "cannot map %zu bytes", m->bytes);
	vt_defer(unmap, m);
	return m;
}

static void expect_no_canary(const struct map *m, const char *when)
{
	const unsigned char *found = memchr(m->at, CANARY, m->bytes);

	EXPECT(!found, "%s: byte %zu of %zu is somebody else's", when,
	       (size_t)(found - m->at), m->bytes);
}

/*
 * Leaves canaries in the whole of a ring. To a recorder they are played, which
 * is how the kernel fills its ring; the tail, where the kernel never writes, is
 * its owner's to fill.
 */
static void leave_canaries(const struct job *job, unsigned int shape)
{
	struct vt_params p = params(shape);
	struct vt_stream *player = vt_player(job->device, &p);
	struct map *m = map_pages(player, PROT_READ | PROT_WRITE);

	memset(m->at, CANARY, m->bytes);
	if (job->dir == SND_PCM_STREAM_CAPTURE) {
		struct vt_stream *recorder = vt_recorder(job->device, &p);
		struct map *heard = map_pages(recorder, PROT_READ | PROT_WRITE);
		size_t bytes = p.buffer * recorder->frame_bytes;
		unsigned char *buf = vt_alloc(bytes);

		vt_link(player, recorder);
		MUST(snd_pcm_start(player->pcm));
		vt_read(recorder, buf, p.buffer);
		EXPECT(buf[0] == CANARY, "no canaries to be recorded");
		memset(heard->at + bytes, CANARY, heard->bytes - bytes);
		vt_undo(unmap, heard);
		vt_undo(free, buf);
		vt_close(recorder);
	}
	vt_undo(unmap, m);
	vt_close(player);
}

/* Of all pairs of shapes; another share of them with each shape before */
static bool is_shared(unsigned int before, unsigned int after)
{
	unsigned int n = ARRAY_SIZE(shapes);

	return vt_is_shared(before * n + (after + before) % n);
}

/* A new owner of a ring of any shape finds nothing of the old one. */
static void test_next_owner(const void *arg)
{
	const struct job *job = arg;
	unsigned int before, after;

	for (before = 0; before < ARRAY_SIZE(shapes); before++)
		for (after = 0; after < ARRAY_SIZE(shapes); after++) {
			struct vt_params p = params(after);
			struct vt_stream *s;
			struct map *m;

			if (!is_shared(before, after))
				continue;
			leave_canaries(job, before);
			s = vt_stream(job->device, job->dir, &p);
			m = map_pages(s, PROT_READ);
			expect_no_canary(m, "prepared");
			vt_undo(unmap, m);
			vt_close(s);
		}
}

/* Nor does the same client after configuring anew. */
static void test_reconfigured(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_open(job->device, 0, job->dir, 0);
	unsigned int before, after;
	struct map *m;

	if (job->dir == SND_PCM_STREAM_CAPTURE)
		vt_skip("a recorder cannot write its ring");
	for (before = 0; before < ARRAY_SIZE(shapes); before++)
		for (after = 0; after < ARRAY_SIZE(shapes); after++) {
			struct vt_params p = params(before);

			if (!is_shared(before, after))
				continue;
			MUST(vt_configure(s, &p));
			m = map_pages(s, PROT_READ | PROT_WRITE);
			memset(m->at, CANARY, m->bytes);
			vt_undo(unmap, m);
			p = params(after);
			MUST(vt_configure(s, &p));
			m = map_pages(s, PROT_READ);
			expect_no_canary(m, "configured anew");
			vt_undo(unmap, m);
		}
}

/* A player closed with a full ring: who records then hears none of it. */
static void test_recorded(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(0);
	struct vt_stream *player, *recorder;
	unsigned char *buf;
	unsigned int round;
	size_t bytes;

	for (round = 0; round < 5; round++) {
		player = vt_player(job->device, &p);
		bytes = p.buffer * player->frame_bytes;
		buf = vt_alloc(bytes);
		memset(buf, CANARY, bytes);
		vt_write(player, buf, p.buffer);
		MUST(snd_pcm_start(player->pcm));
		vt_sleep_until(vt_now() + 7 * VT_MS);
		if (round & 1)
			vt_close(player);
		recorder = vt_recorder(job->device, &p);
		if (!(round & 1))
			vt_close(player);
		MUST(snd_pcm_start(recorder->pcm));
		vt_hear_silence(recorder, p.buffer * 3);
		vt_close(recorder);
	}
}

/* A recorder's ring holds silence before the first frame, in its format. */
static void test_fresh_recorder(const void *arg)
{
	const struct job *job = arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct vt_params p = params(i);
		struct job capture = { job->device, SND_PCM_STREAM_CAPTURE };
		struct vt_stream *s;
		struct map *m;

		leave_canaries(&capture, i);
		s = vt_recorder(job->device, &p);
		m = map_pages(s, PROT_READ);
		EXPECT(vt_silent(s, m->at, p.buffer) == p.buffer,
		       "shape %u: the ring is not silent", i);
		vt_undo(unmap, m);
		vt_close(s);
	}
}

/* Prepared again, a recorder's ring holds nothing of the last take. */
static void test_prepared_again(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(0);
	struct vt_stream *player = vt_player(job->device, &p);
	struct vt_stream *recorder = vt_recorder(job->device, &p);
	struct map *ring = map_pages(player, PROT_READ | PROT_WRITE);
	struct map *heard = map_pages(recorder, PROT_READ);

	memset(ring->at, CANARY, ring->bytes);
	vt_link(player, recorder);
	MUST(snd_pcm_start(player->pcm));
	vt_sleep_until(vt_now() + 30 * VT_MS);
	MUST(snd_pcm_avail(recorder->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	MUST(snd_pcm_drop(player->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
	EXPECT(memchr(heard->at, CANARY, heard->bytes),
	       "no canaries were recorded");
	vt_prepare(recorder);
	expect_no_canary(heard, "prepared again");
}

/* Nor does it if what it heard came late, out of a latency that is gone now. */
static void test_prepared_without_latency(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	struct vt_position pos;

	vt_use_latency(job->device, LATENCY);
	p.stop = VT_NEVER;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_locate(recorder, &pos);
	/* all of the ring is what was played */
	vt_sleep_until(pos.trigger + vt_duration(recorder, LATENCY + p.buffer));
	MUST(snd_pcm_drop(player->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
	vt_use_latency(job->device, 0);
	vt_prepare(recorder);
	MUST(snd_pcm_start(recorder->pcm));
	vt_hear_silence(recorder, p.buffer);
}

static const struct {
	const char *name;
	vt_test *test;
	int dirs;
} tests[] = {
	{ "next owner", test_next_owner, 2 },
	{ "reconfigured", test_reconfigured, 1 },
	{ "recorded after the player's end", test_recorded, 1 },
	{ "fresh recorder", test_fresh_recorder, 1 },
	{ "prepared again", test_prepared_again, 1 },
	{ "prepared again, without latency", test_prepared_without_latency, 1 },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 100);
	vt_plan(vt_devices() * 7);
	for (job.device = 0; job.device < vt_devices(); job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			for (job.dir = 0; (int)job.dir < tests[i].dirs;
			     job.dir++)
				vt_run(tests[i].test, &job,
				       "device %d %s: %s", job.device,
				       tests[i].dirs > 1 ?
				       snd_pcm_stream_name(job.dir) : "cable",
				       tests[i].name);
	return vt_finish();
}
