// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuring a stream: what is allowed is accepted and reported exactly,
 * what is not is refused and leaves the stream as good as new.
 */

#include "vpcm.h"

#define RWI	SND_PCM_ACCESS_RW_INTERLEAVED
#define RWN	SND_PCM_ACCESS_RW_NONINTERLEAVED
#define MMI	SND_PCM_ACCESS_MMAP_INTERLEAVED
#define MMN	SND_PCM_ACCESS_MMAP_NONINTERLEAVED
#define MMC	SND_PCM_ACCESS_MMAP_COMPLEX
#define F(f)	SND_PCM_FORMAT_##f

struct setup {
	const char *what;
	struct vt_params p;
};

static const struct setup good[] = {
	{ "least of all", { RWI, F(U8), 1, 5512, 16, 32 } },
	{ "plain", { RWI, F(S16_LE), 2, 48000, 480, 1920 } },
	{ "highest rate", { RWI, F(S32_LE), 2, 768000, 96, 192 } },
	{ "most channels", { RWI, F(S16_LE), 256, 48000, 64, 512 } },
	{ "most channels planar", { MMN, F(S24_3BE), 256, 48000, 64, 512 } },
	{ "most channels by writen", { RWN, F(U16_BE), 128, 44100, 64, 512 } },
	{ "widest frames at the highest rate",
	  { MMI, F(FLOAT64_BE), 256, 768000, 16, 192 } },
	{ "most periods", { RWI, F(S8), 1, 48000, 16, 16384 } },
	{ "one period", { RWI, F(S16_LE), 2, 48000, 48000, 48000 } },
	{ "two shortest periods", { RWI, F(S16_LE), 2, 48000, 16, 32 } },
	{ "odd figures", { MMI, F(S24_3LE), 7, 12345, 1001, 3003 } },
	{ "prime figures", { RWN, F(DSD_U32_BE), 3, 47993, 997, 4985 } },
	{ "half a megabyte", { MMI, F(S16_LE), 2, 48000, 32768, 131072 } },
};

static const struct setup bad[] = {
	{ "MMAP_COMPLEX", { MMC, F(S16_LE), 2, 48000, 480, 1920 } },
	{ "ADPCM", { RWI, F(IMA_ADPCM), 2, 48000, 480, 1920 } },
	{ "SPECIAL", { RWI, F(SPECIAL), 2, 48000, 480, 1920 } },
	{ "no channels", { RWI, F(S16_LE), 0, 48000, 480, 1920 } },
	{ "257 channels", { RWI, F(S16_LE), 257, 48000, 480, 1920 } },
	{ "2^31 channels", { RWI, F(S16_LE), 1U << 31, 48000, 480, 1920 } },
	{ "writen of 129 channels", { RWN, F(S8), 129, 48000, 480, 1920 } },
	{ "5511 Hz", { RWI, F(S16_LE), 2, 5511, 480, 1920 } },
	{ "768001 Hz", { RWI, F(S16_LE), 2, 768001, 480, 1920 } },
	{ "0 Hz", { RWI, F(S16_LE), 2, 0, 480, 1920 } },
	{ "periods of 15 frames", { RWI, F(S16_LE), 2, 48000, 15, 480 } },
	{ "1025 periods", { RWI, F(S8), 1, 48000, 16, 1025 * 16 } },
	{ "2.5 periods", { RWI, F(S16_LE), 2, 48000, 480, 1200 } },
	{ "a period beyond its buffer",
	  { RWI, F(S16_LE), 2, 48000, 1920, 480 } },
	{ "one short period", { RWI, F(S16_LE), 2, 48000, 64, 64 } },
	{ "a buffer of 208 us", { RWI, F(S16_LE), 2, 768000, 80, 160 } },
	{ "a buffer of 64 MiB", { RWI, F(S32_LE), 1, 48000, 4 << 20,
				  16 << 20 } },
	{ "a buffer of 2^31 frames", { RWI, F(FLOAT64_LE), 256, 48000, 0,
				       1UL << 31 } },
};

struct job {
	int device;
	snd_pcm_stream_t dir;
	const struct setup *setup;
};

static void expect_current(struct vt_stream *s, const struct vt_params *p)
{
	snd_pcm_uframes_t period, buffer;
	unsigned int rate, channels;
	snd_pcm_hw_params_t *hw;
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	int dir = 0;

	snd_pcm_hw_params_alloca(&hw);
	MUST(snd_pcm_hw_params_current(s->pcm, hw));
	MUST(snd_pcm_hw_params_get_access(hw, &access));
	MUST(snd_pcm_hw_params_get_format(hw, &format));
	MUST(snd_pcm_hw_params_get_channels(hw, &channels));
	MUST(snd_pcm_hw_params_get_rate(hw, &rate, &dir));
	EXPECT(!dir, "the rate is not whole");
	MUST(snd_pcm_hw_params_get_period_size(hw, &period, &dir));
	EXPECT(!dir, "the period is not whole");
	MUST(snd_pcm_hw_params_get_buffer_size(hw, &buffer));
	EXPECT(access == p->access && format == p->format, "got %s %s",
	       snd_pcm_access_name(access), snd_pcm_format_name(format));
	EXPECT(channels == p->channels && rate == p->rate,
	       "got %u channels at %u Hz", channels, rate);
	EXPECT(period == p->period && buffer == p->buffer,
	       "got periods of %lu in %lu", period, buffer);
}

/* The stream works: configured plainly it takes or gives a ring of frames. */
static void expect_usable(struct vt_stream *s)
{
	struct vt_params p = vt_plain;
	void *buf;

	p.start = 1;
	MUST(vt_configure(s, &p));
	expect_current(s, &p);
	buf = vt_alloc(p.buffer * s->frame_bytes);
	if (s->dir == SND_PCM_STREAM_PLAYBACK) {
		vt_write(s, buf, p.buffer);
		MUST(snd_pcm_drain(s->pcm));
	} else {
		vt_read(s, buf, p.buffer);
		MUST(snd_pcm_drop(s->pcm));
	}
	vt_undo(free, buf);
}

static void test_good(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_open(job->device, 0, job->dir, 0);

	MUST(vt_configure(s, &job->setup->p));
	expect_current(s, &job->setup->p);
	EXPECT(snd_pcm_state(s->pcm) == SND_PCM_STATE_PREPARED, "state %s",
	       snd_pcm_state_name(snd_pcm_state(s->pcm)));
	expect_usable(s);
}

static void test_bad(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_open(job->device, 0, job->dir, 0);

	REFUSED(-EINVAL, vt_configure(s, &job->setup->p));
	expect_usable(s);
	REFUSED(-EINVAL, vt_configure(s, &job->setup->p));
	expect_usable(s);
}

/* One setup after the other on one handle, larger and smaller */
static void test_again(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s = vt_open(job->device, 0, job->dir, 0);
	unsigned int i, round;

	for (round = 0; round < 8; round++)
		for (i = 0; i < ARRAY_SIZE(good); i++) {
			const struct vt_params *p =
				&good[(i * 5 + round) % ARRAY_SIZE(good)].p;

			MUST(vt_configure(s, p));
			expect_current(s, p);
			if (i & 1)
				MUST(snd_pcm_hw_free(s->pcm));
		}
	expect_usable(s);
}

static void run_end(struct job *job)
{
	const char *dir = snd_pcm_stream_name(job->dir);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		job->setup = &good[i];
		vt_run(test_good, job, "device %d %s takes %s", job->device,
		       dir, good[i].what);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		job->setup = &bad[i];
		vt_run(test_bad, job, "device %d %s refuses %s", job->device,
		       dir, bad[i].what);
	}
	vt_run(test_again, job, "device %d %s takes setup after setup",
	       job->device, dir);
}

int main(int argc, char **argv)
{
	struct job job;

	vt_init(argc, argv, 100);
	vt_plan(2 * 2 * (ARRAY_SIZE(good) + ARRAY_SIZE(bad) + 1));
	for (job.device = 0; job.device < 2; job.device++)
		for (job.dir = 0; job.dir <= SND_PCM_STREAM_LAST; job.dir++)
			run_end(&job);
	return vt_finish();
}
