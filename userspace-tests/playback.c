// SPDX-License-Identifier: GPL-2.0-only
/*
 * Playback takes every frame and takes exactly the time that the frames last,
 * by every access, at any rate.
 */

#include "vpcm.h"

struct job {
	int device;
	struct vt_params p;
	unsigned int ms;	/* how much to play */
};

static const struct job jobs[] = {
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 480, 1920 }, 1000 },
	{ 0, { SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 44100, 441, 1764 }, 1000 },
	{ 0, { SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_FORMAT_S24_3LE,
	       6, 96000, 1000, 5000 }, 300 },
	{ 0, { SND_PCM_ACCESS_MMAP_NONINTERLEAVED, SND_PCM_FORMAT_FLOAT_LE,
	       8, 32000, 320, 640 }, 300 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_MU_LAW,
	       1, 5512, 64, 256 }, 1000 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S32_BE,
	       2, 768000, 2048, 8192 }, 100 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       256, 48000, 128, 1024 }, 100 },
	{ 0, { SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_FORMAT_S8,
	       128, 22050, 221, 1105 }, 200 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_DSD_U32_BE,
	       2, 88200, 997, 4985 }, 500 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 24000, 48000 }, 2500 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 16, 16384 }, 1000 },
	{ 0, { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE,
	       2, 48000, 64, 192 }, 300 },
};

/* When the stream began to run, which is soon after it was told to */
static int64_t start(struct vt_stream *s)
{
	int64_t before = vt_now(), grid = VT_MS, period;
	struct vt_position pos;

	period = vt_duration(s, s->p.period);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	vt_expect_time(pos.trigger, before,
		       pos.after - before + (period < grid ? period : grid),
		       "start");
	return pos.trigger;
}

static void test_speed(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_player(job->device, &job->p);
	uint64_t frames = (uint64_t)job->p.rate * job->ms / 1000 + 7;
	unsigned int chunk = job->p.period * 3 / 4 + 1;
	void *silence = vt_alloc(s->p.buffer * s->frame_bytes);
	int64_t began;

	vt_write(s, silence, s->p.buffer);
	began = start(s);
	while (s->done < frames) {
		if (chunk > frames - s->done)
			chunk = frames - s->done;
		vt_write(s, silence, chunk);
	}
	MUST(snd_pcm_drain(s->pcm));
	vt_expect_time(vt_now(), began + vt_duration(s, frames), VT_LATE,
		       "the end");
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_SETUP, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
}

/* The start threshold starts the stream with the frame that reaches it. */
static void test_start_threshold(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	void *silence;

	p.start = 1000;
	s = vt_player(job->device, &p);
	silence = vt_alloc(p.buffer * s->frame_bytes);
	vt_write(s, silence, 999);
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_PREPARED,
	       "started early");
	vt_write(s, silence, 1);
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_RUNNING,
	       "did not start");
	MUST(snd_pcm_drop(s->pcm));
}

/* A start without data is refused by the core; a full ring takes no more. */
static void test_empty_and_full(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	void *silence;

	p.nonblock = true;
	s = vt_player(job->device, &p);
	silence = vt_alloc(s->p.buffer * s->frame_bytes);
	REFUSED(-EPIPE, snd_pcm_start(s->pcm));
	vt_prepare(s);
	vt_write(s, silence, s->p.buffer);
	REFUSED(-EAGAIN, snd_pcm_writei(s->pcm, silence, 1));
	EXPECT(MUST(snd_pcm_avail(s->pcm)) == 0, "room in a full ring");
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * (ARRAY_SIZE(jobs) + 2));
	for (job.device = 0; job.device < 2; job.device++) {
		int device = job.device;

		for (i = 0; i < ARRAY_SIZE(jobs); i++) {
			job = jobs[i];
			job.device = device;
			vt_run(test_speed, &job,
			       "device %d plays %s %s %u ch %u Hz %lu/%lu",
			       device, snd_pcm_access_name(job.p.access),
			       snd_pcm_format_name(job.p.format),
			       job.p.channels, job.p.rate, job.p.period,
			       job.p.buffer);
		}
		vt_run(test_start_threshold, &job,
		       "device %d starts at the threshold", device);
		vt_run(test_empty_and_full, &job,
		       "device %d empty and full", device);
	}
	return vt_finish();
}
