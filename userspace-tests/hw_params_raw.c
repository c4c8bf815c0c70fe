// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that configure a stream, fed with what no library would send:
 * empty and inverted intervals, all bits set, chance. Nothing may come back
 * but success or a plain refusal, and the stream must be usable afterwards.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vraw.h"

#define CHANCES		3000
#define SYNC_BYTES	16

static void expect_usable(int fd)
{
	struct snd_pcm_hw_params p;

	vr_set_plain(&p, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 1920);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE));
}

/* Nothing but success, a plain refusal, or no memory for that much */
static int try_ioctl(int fd, unsigned long request, void *data)
{
	int err = ioctl(fd, request, data) < 0 ? errno : 0;

	EXPECT(!err || err == EINVAL || err == ENOMEM, "%s",
	       strerror(err));
	return err;
}

struct garbage {
	const char *what;
	void (*spoil)(struct snd_pcm_hw_params *p);
};

static void spoil_zero(struct snd_pcm_hw_params *p)
{
	memset(p, 0, sizeof(*p));
}

static void spoil_ones(struct snd_pcm_hw_params *p)
{
	memset(p, 0xff, sizeof(*p));
}

static void spoil_formats(struct snd_pcm_hw_params *p)
{
	memset(vr_mask(p, SNDRV_PCM_HW_PARAM_FORMAT), 0,
	       sizeof(struct snd_mask));
}

static void spoil_high_formats(struct snd_pcm_hw_params *p)
{
	spoil_formats(p);
	vr_mask(p, SNDRV_PCM_HW_PARAM_FORMAT)->bits[7] = ~0U;
}

static void spoil_inverted(struct snd_pcm_hw_params *p)
{
	vr_interval(p, SNDRV_PCM_HW_PARAM_RATE)->min = 96000;
	vr_interval(p, SNDRV_PCM_HW_PARAM_RATE)->max = 48000;
}

static void spoil_open(struct snd_pcm_hw_params *p)
{
	vr_set_one(p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	vr_interval(p, SNDRV_PCM_HW_PARAM_CHANNELS)->openmin = 1;
	vr_interval(p, SNDRV_PCM_HW_PARAM_CHANNELS)->openmax = 1;
}

static void spoil_empty(struct snd_pcm_hw_params *p)
{
	vr_interval(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE)->empty = 1;
}

static void spoil_contradiction(struct snd_pcm_hw_params *p)
{
	vr_set_one(p, SNDRV_PCM_HW_PARAM_BUFFER_BYTES, 4096);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE, 4096);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	vr_set_bit(p, SNDRV_PCM_HW_PARAM_FORMAT,
		   (int)SNDRV_PCM_FORMAT_S16_LE);
}

static void spoil_huge(struct snd_pcm_hw_params *p)
{
	vr_set_one(p, SNDRV_PCM_HW_PARAM_BUFFER_BYTES, ~0U);
}

static void spoil_zero_periods(struct snd_pcm_hw_params *p)
{
	vr_set_one(p, SNDRV_PCM_HW_PARAM_PERIODS, 0);
}

static void spoil_sample_bits(struct snd_pcm_hw_params *p)
{
	vr_set_one(p, SNDRV_PCM_HW_PARAM_SAMPLE_BITS, 13);
}

/* More channels than the kernel has memory for in one call */
static void spoil_planes(struct snd_pcm_hw_params *p)
{
	memset(vr_mask(p, SNDRV_PCM_HW_PARAM_ACCESS), 0,
	       sizeof(struct snd_mask));
	vr_set_bit(p, SNDRV_PCM_HW_PARAM_ACCESS,
		   (int)SNDRV_PCM_ACCESS_RW_NONINTERLEAVED);
	vr_set_one(p, SNDRV_PCM_HW_PARAM_CHANNELS, 200);
}

static const struct garbage garbage[] = {
	{ "all zero", spoil_zero },
	{ "no formats", spoil_formats },
	{ "formats that do not exist", spoil_high_formats },
	{ "an inverted interval", spoil_inverted },
	{ "an interval without its ends", spoil_open },
	{ "an interval marked empty", spoil_empty },
	{ "sizes that contradict", spoil_contradiction },
	{ "4 GiB", spoil_huge },
	{ "no periods", spoil_zero_periods },
	{ "13 bits", spoil_sample_bits },
	{ "200 channels one after the other", spoil_planes },
};

static void test_garbage(const void *arg)
{
	const struct garbage *g = arg;
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, SNDRV_PCM_STREAM_PLAYBACK);
	int err;

	vr_set_any(&p);
	g->spoil(&p);
	err = try_ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &p);
	EXPECT(err == EINVAL, "refine: %s", strerror(err));
	vr_set_any(&p);
	g->spoil(&p);
	err = try_ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p);
	EXPECT(err == EINVAL, "params: %s", strerror(err));
	expect_usable(fd);
}

/* All bits set is a strange way to say nothing: either answer will do. */
static void test_ones(const void *arg)
{
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, SNDRV_PCM_STREAM_PLAYBACK);

	(void)arg;
	spoil_ones(&p);
	try_ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &p);
	spoil_ones(&p);
	try_ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p);
	expect_usable(fd);
}

static void test_bad_pointer(const void *arg)
{
	int fd = vr_open(0, SNDRV_PCM_STREAM_PLAYBACK);

	(void)arg;
	EXPECT(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, NULL) < 0 &&
	       errno == EFAULT, "no EFAULT");
	expect_usable(fd);
}

/* A mapping keeps the ring: nothing that would free it is done meanwhile. */
static void test_mapped(const void *arg)
{
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, *(const int *)arg);
	int prot = *(const int *)arg == SNDRV_PCM_STREAM_PLAYBACK ?
		   PROT_READ | PROT_WRITE : PROT_READ;
	void *ring;

	vr_set_plain(&p, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, 1920);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p));
	ring = mmap(NULL, 4096, prot, MAP_SHARED, fd,
		    SNDRV_PCM_MMAP_OFFSET_DATA);
	EXPECT(ring != MAP_FAILED, "mmap: %s", strerror(errno));
	EXPECT(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE) < 0 && errno == EBADFD,
	       "hw_free while mapped");
	vr_set_plain(&p, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 1920);
	EXPECT(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0 &&
	       errno == EBADFD, "hw_params while mapped");
	EXPECT(*(volatile char *)ring == 0, "a fresh ring is not zero");
	SYS(munmap(ring, 4096));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE));
	expect_usable(fd);
}

/* What a running stream is cannot change under it. */
static void test_running(const void *arg)
{
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, *(const int *)arg);

	vr_set_plain(&p, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 1920);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
	if (*(const int *)arg == SNDRV_PCM_STREAM_PLAYBACK) {
		struct snd_xferi all = {
			.buf = vt_alloc(1920 * 4), .frames = 1920,
		};

		/* starts by itself: the default threshold is one frame */
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &all));
	} else {
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_START));
	}
	EXPECT(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0 &&
	       errno == EBADFD, "hw_params while running");
	EXPECT(ioctl(fd, SNDRV_PCM_IOCTL_HW_FREE) < 0 && errno == EBADFD,
	       "hw_free while running");
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_DROP));
	expect_usable(fd);
}

/* Figures as they come, some of them sensible */
static void set_chance(struct snd_pcm_hw_params *p, uint64_t *seed)
{
	unsigned int changes = 1 + vt_random(seed, 6), i;
	struct snd_interval *iv;

	vr_set_any(p);
	for (i = 0; i < changes; i++) {
		iv = &p->intervals[vt_random(seed, ARRAY_SIZE(p->intervals))];
		iv->min = vt_random(seed, 1ULL << vt_random(seed, 32));
		iv->max = iv->min + vt_random(seed, 1 << vt_random(seed, 20));
		iv->openmin = !vt_random(seed, 5);
		iv->openmax = !vt_random(seed, 5);
		iv->integer = !vt_random(seed, 3);
		iv->empty = !vt_random(seed, 20);
		p->masks[vt_random(seed, 3)].bits[vt_random(seed, 2)] &=
			vt_random(seed, 1ULL << 31);
	}
	p->rmask = vt_random(seed, 4) ? ~0U : vt_random(seed, 1ULL << 31);
	p->flags = vt_random(seed, 4) ? 0 : vt_random(seed, 1ULL << 31);
}

static void test_chance(const void *arg)
{
	unsigned int i, taken = 0, prepared = 0, chances = vt_share(CHANCES);
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, *(const int *)arg);
	uint64_t seed = 2;

	for (i = 0; i < chances; i++) {
		set_chance(&p, &seed);
		try_ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &p);
		set_chance(&p, &seed);
		/* small rings: it is not about the time that clearing takes */
		if (vr_interval(&p, SNDRV_PCM_HW_PARAM_BUFFER_BYTES)->max == ~0U)
			vr_interval(&p, SNDRV_PCM_HW_PARAM_BUFFER_BYTES)->max =
				65536;
		if (try_ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p))
			continue;
		taken++;
		if (!ioctl(fd, SNDRV_PCM_IOCTL_PREPARE))
			prepared++;
	}
	vt_note("%u of %u taken", taken, chances);
	EXPECT(taken > chances / 100, "next to nothing taken: %u", taken);
	EXPECT(taken < chances, "everything taken");
	EXPECT(prepared == taken, "%u taken, %u prepared", taken, prepared);
	expect_usable(fd);
}

/* Software parameters by chance: refused or harmless when running */
static void test_sw_chance(const void *arg)
{
	struct snd_pcm_sw_params sw;
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, *(const int *)arg);
	uint64_t seed = 3;
	unsigned int i;

	vr_set_plain(&p, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 1920);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p));
	for (i = 0; i < vt_share(CHANCES / 10); i++) {
		memset(&sw, 0, sizeof(sw));
		sw.avail_min = vt_random(&seed, 1ULL << vt_random(&seed, 40));
		sw.start_threshold = vt_random(&seed, 4000);
		sw.stop_threshold = vt_random(&seed, 2) ?
			~0UL : vt_random(&seed, 1ULL << vt_random(&seed, 40));
		sw.silence_threshold = vt_random(&seed, 2500);
		sw.silence_size = vt_random(&seed, 2) ?
			0 : vt_random(&seed, 1ULL << vt_random(&seed, 40));
		sw.period_step = vt_random(&seed, 3);
		sw.tstamp_mode = vt_random(&seed, 3);
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
		if (try_ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw))
			continue;
		if (ioctl(fd, SNDRV_PCM_IOCTL_START) < 0)
			EXPECT(errno == EPIPE, "start: %s", strerror(errno));
		if (ioctl(fd, SNDRV_PCM_IOCTL_HWSYNC) < 0)
			EXPECT(errno == EPIPE || errno == EBADFD,
			       "hwsync: %s", strerror(errno));
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_DROP));
	}
	expect_usable(fd);
}

/*
 * By what a stream goes: at the place of bytes that were reserved before the
 * PCM core told it.
 */
static void get_sync_id(int device, int dir, void *id)
{
	struct snd_pcm_hw_params p;
	int fd = vr_open(device, dir), version;

	SYS(ioctl(fd, SNDRV_PCM_IOCTL_PVERSION, &version));
	if (version < SNDRV_PROTOCOL_VERSION(2, 0, 17))
		vt_skip("no kernel tells before 6.11");
	vr_set_plain(&p, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 1920);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p));
	memcpy(id, &p.fifo_size + 1, SYNC_BYTES);
}

/* All streams of the card go by one clock, and say so. */
static void test_sync_id(const void *arg)
{
	static const unsigned char none[SYNC_BYTES];
	unsigned char id[2][SYNC_BYTES];
	int i;

	(void)arg;
	get_sync_id(0, 0, id[0]);
	EXPECT(memcmp(id[0], none, SYNC_BYTES), "no sync id");
	for (i = 1; i < 4; i++) {
		get_sync_id(i / 2, i % 2, id[1]);
		EXPECT(!memcmp(id[0], id[1], SYNC_BYTES), "another sync id");
	}
}

/* What one parameter takes from another is said to have changed. */
static void test_changed(const void *arg)
{
	const unsigned int access = SNDRV_PCM_HW_PARAM_ACCESS;
	struct snd_pcm_hw_params p;
	int fd = vr_open(0, 0);

	(void)arg;
	vr_set_any(&p);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &p));
	EXPECT(vr_mask(&p, access)->bits[0] &
	       1U << (int)SNDRV_PCM_ACCESS_RW_NONINTERLEAVED, "not offered");
	vr_interval(&p, SNDRV_PCM_HW_PARAM_CHANNELS)->min = 200;
	p.rmask = 1U << SNDRV_PCM_HW_PARAM_CHANNELS;
	p.cmask = 0;
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &p));
	EXPECT(!(vr_mask(&p, access)->bits[0] &
		 1U << (int)SNDRV_PCM_ACCESS_RW_NONINTERLEAVED),
	       "still offered");
	EXPECT(p.cmask & 1U << access, "changed: %x", p.cmask);
}

int main(int argc, char **argv)
{
	unsigned int i;
	int d;

	vt_init(argc, argv, 60);
	vt_plan(ARRAY_SIZE(garbage) + 4 + 2 * 4);
	for (i = 0; i < ARRAY_SIZE(garbage); i++)
		vt_run(test_garbage, &garbage[i], "%s is refused",
		       garbage[i].what);
	vt_run(test_ones, NULL, "all bits set");
	vt_run(test_bad_pointer, NULL, "a bad pointer is refused");
	vt_run(test_changed, NULL, "what has changed is told");
	vt_run(test_sync_id, NULL, "one sync id for all");
	for (d = 0; d < 2; d++) {
		const char *dir = d ? "c" : "p";

		vt_run(test_mapped, &d, "a mapping holds the ring, %s", dir);
		vt_run(test_running, &d, "nothing changes when running, %s",
		       dir);
		vt_run(test_chance, &d, "%u setups by chance, %s",
		       (unsigned int)vt_share(CHANCES), dir);
		vt_run(test_sw_chance, &d,
		       "software parameters by chance, %s", dir);
	}
	return vt_finish();
}
