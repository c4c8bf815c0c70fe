// SPDX-License-Identifier: GPL-2.0-only
/*
 * With no player the recorder hears silence, as each format spells it, and in
 * real time. What it costs to write it does not depend on how it is spelt.
 */

#include "vpcm.h"

struct job {
	int device;
	struct vt_params p;
	unsigned int periods;	/* how much to record */
};

static const struct job speeds[] = {
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 480, 1920 }, 100 },
	{ 0, { SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_U16_LE,
	       2, 44100, 441, 1764 }, 100 },
	{ 0, { SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_FORMAT_U24_3BE,
	       6, 47999, 1000, 5000 }, 30 },
	{ 0, { SND_PCM_ACCESS_MMAP_NONINTERLEAVED, SND_PCM_FORMAT_U32_LE,
	       8, 32000, 320, 640 }, 30 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_A_LAW,
	       1, 5512, 64, 256 }, 50 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_DSD_U8,
	       2, 768000, 2048, 8192 }, 40 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_U16_BE,
	       256, 48000, 128, 1024 }, 30 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 24000, 48000 }, 4 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 64, 192 }, 300 },
};

/* Each period comes when it is full, not sooner and not later. */
static void test_speed(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_recorder(job->device, &job->p);
	struct vt_position pos;
	unsigned int i;

	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	for (i = 1; i <= job->periods; i++) {
		vt_hear_silence(s, s->p.period);
		vt_expect_time(vt_now(),
			       pos.trigger + vt_duration(s, s->done),
			       VT_LATE + 20 * VT_US + s->p.period *
			       s->frame_bytes * 50, "a period");
	}
}

static void test_silence(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_recorder(job->device, &job->p);

	MUST(snd_pcm_start(s->pcm));
	vt_hear_silence(s, s->p.buffer * 5 / 2);
}

/* A read of what is not there yet does not wait when it must not. */
static void test_nonblock(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	snd_pcm_sframes_t got;
	struct vt_stream *s;
	void *buf;

	p.nonblock = true;
	p.period = 4800;	/* longer than the debug kernels' own work */
	p.buffer = 19200;
	s = vt_recorder(job->device, &p);
	buf = vt_alloc(s->p.buffer * s->frame_bytes);
	MUST(snd_pcm_start(s->pcm));
	REFUSED(-EAGAIN, snd_pcm_readi(s->pcm, buf, s->p.buffer));
	EXPECT(MUST(snd_pcm_wait(s->pcm, 1000)) == 1, "no period in 1 s");
	got = MUST(snd_pcm_readi(s->pcm, buf, s->p.buffer));
	EXPECT(got >= (long)s->p.period && got < 2 * (long)s->p.period,
	       "%ld frames after a period", got);
}

/* ns to prepare a ring of some 400 KiB that is not silent yet */
static int64_t time_prepare(int device, snd_pcm_format_t format)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	int64_t began;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;	/* the client may write */
	p.format = format;
	p.period = 25000;
	p.buffer = 100000;
	s = vt_recorder(device, &p);
	began = vt_now();
	MUST(snd_pcm_prepare(s->pcm));
	began = vt_now() - began;
	vt_close(s);
	return began;
}

/* Silence of two bytes is not written byte by byte either. */
static void test_cost(const void *arg)
{
	const struct job *job = arg;
	int64_t one = time_prepare(job->device, SND_PCM_FORMAT_S16_LE);
	int64_t two = time_prepare(job->device, SND_PCM_FORMAT_U16_LE);

	EXPECT(two < 8 * one, "U16_LE %lld us, S16_LE %lld us",
	       (long long)two / VT_US, (long long)one / VT_US);
}

static void run_formats(int device)
{
	static const unsigned int rates[] = { 8000, 44100, 47993, 192000 };
	static const unsigned int channels[] = { 1, 2, 3, 8, 13 };
	struct job job = { .device = device, .p = vt_plain };
	snd_pcm_format_t f;

	for (f = 0; f <= SND_PCM_FORMAT_LAST; f++) {
		if (!vt_is_offered(f))
			continue;
		job.p.format = f;
		job.p.rate = rates[f % ARRAY_SIZE(rates)];
		job.p.channels = channels[f % ARRAY_SIZE(channels)];
		job.p.period = job.p.rate / 200;
		job.p.buffer = job.p.period * 4;
		vt_run(test_silence, &job, "device %d silence of %s", device,
		       snd_pcm_format_name(f));
	}
}

int main(int argc, char **argv)
{
	unsigned int formats = 0, i;
	snd_pcm_format_t f;
	struct job job;
	int device;

	for (f = 0; f <= SND_PCM_FORMAT_LAST; f++)
		formats += vt_is_offered(f);
	vt_init(argc, argv, 60);
	vt_plan(2 * (ARRAY_SIZE(speeds) + formats + 2));
	for (device = 0; device < 2; device++) {
		run_formats(device);
		for (i = 0; i < ARRAY_SIZE(speeds); i++) {
			job = speeds[i];
			job.device = device;
			vt_run(test_speed, &job,
			       "device %d records %s %s %u ch %u Hz %lu/%lu",
			       device, snd_pcm_access_name(job.p.access),
			       snd_pcm_format_name(job.p.format),
			       job.p.channels, job.p.rate, job.p.period,
			       job.p.buffer);
		}
		vt_run(test_nonblock, &job, "device %d without waiting",
		       device);
		vt_run(test_cost, &job, "device %d any silence costs the same",
		       device);
	}
	return vt_finish();
}
