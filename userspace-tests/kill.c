// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients killed at any moment: inside a read, a write, a drain, with a ring
 * mapped or another stream linked. They are gone at once, and the card is as
 * good as before.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "vpcm.h"

#define KILLS		40
#define LIMIT		(2 * VT_SECOND)	/* to be gone, in real time, of a stock kernel */

struct client {
	const char *what;
	vt_test *live;		/* for ever */
	unsigned int kills;
};

static int device_of(const void *arg)
{
	return *(const int *)arg;
}

/* A stream with a ring of half a second, in any of its shapes */
static struct vt_params params(snd_pcm_access_t access)
{
	struct vt_params p = vt_plain;

	p.access = access;
	p.buffer = 24000;
	p.stop = VT_NEVER;
	p.start = 1;
	return p;
}

/* This machine keeps no time: what is too late begins anew. */
static void expect_late(struct vt_stream *s, long err)
{
	if (err >= 0)
		return;
	EXPECT(err == -EPIPE || err == -EIO, "%s", snd_strerror(err));
	MUST(snd_pcm_drop(s->pcm));
	vt_prepare(s);
}

static void live_writing(const void *arg)
{
	struct vt_params p = params(SND_PCM_ACCESS_RW_INTERLEAVED);
	struct vt_stream *s = vt_player(device_of(arg), &p);
	void *buf = vt_alloc(333 * s->frame_bytes);

	for (;;)
		expect_late(s, snd_pcm_writei(s->pcm, buf, 333));
}

static void live_reading(const void *arg)
{
	struct vt_params p = params(SND_PCM_ACCESS_RW_NONINTERLEAVED);
	struct vt_stream *s = vt_recorder(device_of(arg), &p);
	void *planes[2];

	planes[0] = vt_alloc(333 * s->frame_bytes);
	planes[1] = vt_alloc(333 * s->frame_bytes);
	for (;;)
		expect_late(s, snd_pcm_readn(s->pcm, planes, 333));
}

static void live_mapped(const void *arg)
{
	struct vt_params p = params(SND_PCM_ACCESS_MMAP_INTERLEAVED);
	struct vt_stream *s = vt_player(device_of(arg), &p);
	void *buf = vt_alloc(333 * s->frame_bytes);

	for (;;)
		expect_late(s, snd_pcm_mmap_writei(s->pcm, buf, 333));
}

/* Waits for ever for what never comes: the ring is full, nothing runs. */
static void live_waiting(const void *arg)
{
	struct vt_params p = params(SND_PCM_ACCESS_RW_INTERLEAVED);
	struct vt_stream *s;

	p.start = 0;
	s = vt_player(device_of(arg), &p);
	vt_play(s, 0, p.buffer);
	for (;;)
		MUST(snd_pcm_wait(s->pcm, -1));
}

static void live_draining(const void *arg)
{
	struct vt_params p = params(SND_PCM_ACCESS_RW_INTERLEAVED);
	struct vt_stream *s;

	p.period = 4800;
	p.buffer = 96000;
	s = vt_player(device_of(arg), &p);
	for (;;) {
		vt_play(s, 0, p.buffer);
		expect_late(s, snd_pcm_drain(s->pcm));
		vt_prepare(s);
	}
}

static void live_linked(const void *arg)
{
	struct vt_params p = params(SND_PCM_ACCESS_RW_INTERLEAVED);
	struct vt_stream *player = vt_player(device_of(arg), &p);
	struct vt_stream *recorder = vt_recorder(device_of(arg), &p);
	void *buf = vt_alloc(p.buffer * recorder->frame_bytes);

	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	for (;;) {
		expect_late(recorder, snd_pcm_readi(recorder->pcm, buf, 480));
		expect_late(player, snd_pcm_writei(player->pcm, buf, 480));
	}
}

static void live_configuring(const void *arg)
{
	struct vt_stream *s = vt_open(device_of(arg), 0,
				      SND_PCM_STREAM_CAPTURE, 0);
	uint64_t seed = getpid();

	for (;;) {
		struct vt_params p = vt_plain;

		p.period = 64 + vt_random(&seed, 4000);
		p.buffer = p.period * (2 + vt_random(&seed, 6));
		MUST(vt_configure(s, &p));
		MUST(snd_pcm_start(s->pcm));
		MUST(snd_pcm_drop(s->pcm));
	}
}

static const struct client clients[] = {
	{ "writing", live_writing, KILLS },
	{ "reading", live_reading, KILLS },
	{ "writing a mapped ring", live_mapped, KILLS },
	{ "waiting", live_waiting, KILLS / 4 },
	{ "draining", live_draining, KILLS / 2 },
	{ "with linked streams", live_linked, KILLS },
	{ "configuring", live_configuring, KILLS },
};

/* The card carries every frame, as if nothing had happened. */
static void expect_usable(int device)
{
	vt_carry(device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

struct job {
	int device;
	const struct client *client;
};

static void test_kill(const void *arg)
{
	const struct job *job = arg;
	uint64_t seed = vt_now();
	int64_t begun;
	unsigned int i;
	pid_t pid;

	vt_note("seed %llu", (unsigned long long)seed);
	for (i = 0; i < vt_share(job->client->kills); i++) {
		pid = vt_fork(job->client->live, &job->device);
		vt_sleep_until(vt_now() + vt_random(&seed, 60 * VT_MS));
		begun = vt_now();
		SYS(kill(pid, SIGKILL));
		vt_reap(pid, SIGKILL);
		EXPECT(vt_now() - begun < LIMIT * vt_slow(), "took %lld ms to die",
		       (long long)((vt_now() - begun) / VT_MS));
	}
	expect_usable(job->device);
}

/* A player and a recorder of one cable, killed in any order */
static void test_both(const void *arg)
{
	const struct job *job = arg;
	uint64_t seed = vt_now();
	unsigned int i;
	pid_t pid[2];

	vt_note("seed %llu", (unsigned long long)seed);
	for (i = 0; i < vt_share(KILLS); i++) {
		pid[0] = vt_fork(live_writing, &job->device);
		pid[1] = vt_fork(live_configuring, &job->device);
		vt_sleep_until(vt_now() + vt_random(&seed, 60 * VT_MS));
		SYS(kill(pid[i & 1], SIGKILL));
		SYS(kill(pid[!(i & 1)], SIGKILL));
		vt_reap(pid[0], SIGKILL);
		vt_reap(pid[1], SIGKILL);
	}
	expect_usable(job->device);
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 110);
	vt_plan(2 * (ARRAY_SIZE(clients) + 1));
	for (job.device = 0; job.device < 2; job.device++) {
		for (i = 0; i < ARRAY_SIZE(clients); i++) {
			job.client = &clients[i];
			vt_run(test_kill, &job,
			       "device %d %u clients killed %s", job.device,
			       (unsigned int)vt_share(clients[i].kills),
			       clients[i].what);
		}
		vt_run(test_both, &job, "device %d both ends killed",
		       job.device);
	}
	return vt_finish();
}
