// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many clients at once: on all substreams, on both ends of one cable, and
 * several threads on one stream. Whatever is refused is refused plainly, and
 * the card carries every frame afterwards.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vpcm.h"

#define THREADS		8
/* How long a race lasts; on a busy host longer, until each part did something */
#define RACE		(2 * VT_SECOND)

/* ioctls past alsa-lib, whose handles are for one thread only */
#define IOCTL_HW_FREE	_IO('A', 0x12)
#define IOCTL_PREPARE	_IO('A', 0x40)
#define IOCTL_RESET	_IO('A', 0x41)
#define IOCTL_START	_IO('A', 0x42)
#define IOCTL_DROP	_IO('A', 0x43)
#define IOCTL_HWSYNC	_IO('A', 0x22)

struct part {
	int device;
	int subdevice;
	unsigned int number;
	int64_t until;
	struct vt_stream *s;	/* in races on one stream: the stream */
	unsigned long *done;	/* what each part got through */
};

static struct part *make_parts(int device, unsigned int n,
			       struct vt_stream *s)
{
	struct part *parts = vt_alloc(n * sizeof(*parts));
	unsigned long *done = vt_alloc(n * sizeof(*done));
	unsigned int i;

	for (i = 0; i < n; i++) {
		parts[i].device = device;
		parts[i].number = i;
		parts[i].until = vt_now() + vt_share(RACE);
		parts[i].s = s;
		parts[i].done = done + i;
	}
	return parts;
}

static void expect_all_did(const struct part *parts, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		EXPECT(*parts[i].done, "part %u did not get anything done", i);
}

static void expect_usable(int device)
{
	vt_carry(device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

static void live_looping(const void *arg)
{
	const struct part *part = arg;
	uint64_t seed = part->number;

	while (vt_now() < part->until || !*part->done) {
		vt_carry(part->device, part->number,
			 vt_random(&seed, 2) ? SND_PCM_ACCESS_MMAP_INTERLEAVED :
					       SND_PCM_ACCESS_RW_NONINTERLEAVED,
			 480 + vt_random(&seed, 1000));
		++*part->done;
	}
}

/* Each substream its own client: none disturbs another. */
static void test_substreams(const void *arg)
{
	const int *device = arg;
	int n = vt_substreams();
	struct part *parts;

	if (n > THREADS)
		n = THREADS;
	if (n < 2)
		vt_skip("one substream only");
	parts = make_parts(*device, n, NULL);
	vt_threads(live_looping, parts, sizeof(*parts), n);
	expect_all_did(parts, n);
}

/* Opens whatever is free; busy is the only excuse. */
static void live_opening(const void *arg)
{
	const struct part *part = arg;
	uint64_t seed = part->number;
	snd_pcm_t *pcm;
	char name[32];
	int err;

	while (vt_now() < part->until || !*part->done) {
		snprintf(name, sizeof(name), "hw:%d,%d,%d", vt_card,
			 part->device, (int)vt_random(&seed, 2));
		err = snd_pcm_open(&pcm, name, part->number & 1,
				   SND_PCM_NONBLOCK);
		if (err == -EAGAIN || err == -EBUSY || err == -ENOENT)
			continue;
		MUST(err);
		err = snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE,
					 SND_PCM_ACCESS_RW_INTERLEAVED, 2,
					 48000, 0, 20000);
		if (!err)
			err = snd_pcm_prepare(pcm);
		if (!err && part->number & 1)
			err = snd_pcm_start(pcm);
		MUST(err);
		MUST(snd_pcm_close(pcm));
		++*part->done;
	}
}

static void test_opening(const void *arg)
{
	const int *device = arg;
	struct part *parts = make_parts(*device, THREADS, NULL);

	vt_threads(live_opening, parts, sizeof(*parts), THREADS);
	expect_all_did(parts, THREADS);
	expect_usable(*device);
}

/* One end keeps coming and going while the other one streams. */
static void live_peer(const void *arg)
{
	static const unsigned int rates[] = { 48000, 44100, 48000, 768000 };
	const struct part *part = arg;
	snd_pcm_stream_t dir = part->number & 1;
	uint64_t seed = part->number;

	while (vt_now() < part->until || !*part->done) {
		struct vt_stream *s = vt_open(part->device, 0, dir, 0);
		unsigned int i;

		for (i = 0; i < 5; i++) {
			struct vt_params p = vt_plain;

			p.stop = VT_NEVER;
			p.rate = rates[vt_random(&seed, ARRAY_SIZE(rates))];
			p.channels = 1 + vt_random(&seed, 2);
			p.period = 192 + vt_random(&seed, 500);
			p.buffer = p.period * (2 + vt_random(&seed, 8));
			MUST(vt_configure(s, &p));
			if (dir == SND_PCM_STREAM_PLAYBACK)
				vt_play(s, 0, p.buffer);
			MUST(snd_pcm_start(s->pcm));
			vt_sleep_until(vt_now() + vt_random(&seed, 2 * VT_MS));
			MUST(snd_pcm_avail(s->pcm));
			if (vt_random(&seed, 2))
				MUST(snd_pcm_drop(s->pcm));
			else
				MUST(snd_pcm_pause(s->pcm, 1));
			MUST(snd_pcm_drop(s->pcm));
			++*part->done;
		}
		vt_close(s);
	}
}

static void test_peers(const void *arg)
{
	const int *device = arg;
	struct part *parts = make_parts(*device, 2, NULL);

	vt_threads(live_peer, parts, sizeof(*parts), 2);
	expect_all_did(parts, 2);
	expect_usable(*device);
}

/* What a call may say when others work on the same stream meanwhile */
static void allowed(long ret, const char *what)
{
	int err = ret < 0 ? errno : 0;

	EXPECT(!err || err == EBADFD || err == EPIPE || err == EBUSY ||
	       err == EINVAL || err == EAGAIN || err == ENXIO || err == EINTR,
	       "%s: %s", what, strerror(err));
}

/*
 * Touches a mapping of the ring. While it is mapped nobody can free it; it
 * must never show what another stream's client wrote.
 */
static void race_mapping(int fd)
{
	volatile char *ring = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (ring == MAP_FAILED)
		return;
	EXPECT(ring[0] != 0x5f && ring[4095] != 0x5f,
	       "somebody else's data");
	SYS(munmap((void *)ring, 4096));
}

/* Each thread does one thing over and over, all on one stream. */
static void live_racing(const void *arg)
{
	static const struct {
		unsigned long request;
		const char *name;
	} calls[] = {
		{ IOCTL_PREPARE, "prepare" }, { IOCTL_START, "start" },
		{ IOCTL_DROP, "drop" }, { IOCTL_HW_FREE, "hw_free" },
		{ IOCTL_RESET, "reset" }, { IOCTL_HWSYNC, "hwsync" },
	};
	const struct part *part = arg;
	unsigned int n = part->number % THREADS;
	int fd = vt_descriptor(part->s);

	while (vt_now() < part->until || !*part->done) {
		if (n < ARRAY_SIZE(calls))
			allowed(ioctl(fd, calls[n].request), calls[n].name);
		else if (n == ARRAY_SIZE(calls))
			race_mapping(fd);
		else	/* it fails when others are between its steps */
			(void)vt_configure(part->s, &part->s->p);
		++*part->done;
	}
}

static void test_one_stream(const void *arg)
{
	static const snd_pcm_stream_t dirs[] = { 0, 1 };
	const int *device = arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		struct vt_params p = vt_plain;
		struct vt_stream *s;
		struct part *parts;

		p.nonblock = true;
		p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
		s = vt_stream(*device, dirs[i], &p);
		parts = make_parts(*device, THREADS, s);
		vt_threads(live_racing, parts, sizeof(*parts), THREADS);
		expect_all_did(parts, THREADS);
		vt_close(s);
		expect_usable(*device);
	}
}

/* Written into the other substream's ring all the while: the foreign data */
static void live_marking(const void *arg)
{
	const struct part *part = arg;

	while (vt_now() < part->until || !*part->done) {
		struct vt_params p = vt_plain;
		struct vt_stream *s = vt_open(part->device, 1,
					      SND_PCM_STREAM_PLAYBACK, 0);
		void *mark;

		p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
		MUST(vt_configure(s, &p));
		mark = vt_alloc(p.buffer * s->frame_bytes);
		memset(mark, 0x5f, p.buffer * s->frame_bytes);
		vt_write(s, mark, p.buffer);
		vt_undo(free, mark);
		vt_close(s);
		++*part->done;
	}
}

static void live_any(const void *arg)
{
	const struct part *part = arg;

	if (part->number < THREADS)
		live_racing(arg);
	else
		live_marking(arg);
}

/* The same race while another client fills and frees memory of its own */
static void test_foreign(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct part *parts;
	struct vt_stream *s;

	if (vt_substreams() < 2)
		vt_skip("one substream only");
	p.nonblock = true;
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	s = vt_player(*device, &p);
	parts = make_parts(*device, THREADS + 1, s);
	vt_threads(live_any, parts, sizeof(*parts), THREADS + 1);
	expect_all_did(parts, THREADS + 1);
	vt_close(s);
	expect_usable(*device);
}

#define LINK	2	/* the type of audio stamp, as in <sound/asound.h> */

/* Whether there was one: not before the first frame */
static bool expect_stamp(struct vt_stream *s)
{
	snd_pcm_audio_tstamp_config_t config = { .type_requested = LINK };
	snd_pcm_audio_tstamp_report_t report;
	snd_pcm_status_t *status;
	snd_htimestamp_t ts;
	int64_t frames, stamp;

	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &config);
	MUST(snd_pcm_status(s->pcm, status));
	snd_pcm_status_get_audio_htstamp_report(status, &report);
	if (report.actual_type != LINK)
		return false;
	snd_pcm_status_get_audio_htstamp(status, &ts);
	stamp = (int64_t)ts.tv_sec * s->p.rate +
		((int64_t)ts.tv_nsec * s->p.rate + VT_SECOND - 1) / VT_SECOND;
	frames = snd_pcm_status_get_avail(status);
	/* on a busy host the core may miss a whole ring */
	EXPECT((stamp - frames) % (int64_t)s->p.buffer == 0,
	       "%lld frames, and the stamp of %lld", (long long)frames,
	       (long long)stamp);
	return true;
}

static void live_looking(const void *arg)
{
	const struct part *part = arg;
	unsigned long stamps = 0;

	while (vt_now() < part->until || !*part->done) {
		if (part->number)
			stamps += expect_stamp(part->s);
		else
			MUST(snd_pcm_avail(part->s->pcm));
		++*part->done;
	}
	EXPECT(!part->number || stamps > *part->done / 2,
	       "only %lu stamps in %lu looks", stamps, *part->done);
}

/* The peer brings the cable further on: a stamp is that of its position. */
static void test_stamps(const void *arg)
{
	const int *device = arg;
	struct part *parts = make_parts(*device, 2, NULL);
	struct vt_params p = vt_plain;
	unsigned int i;

	p.stop = VT_NEVER;
	for (i = 0; i < 2; i++) {
		parts[i].s = vt_stream(*device, i, &p);
		if (i == SND_PCM_STREAM_PLAYBACK)
			vt_play(parts[i].s, 0, p.buffer);
		MUST(snd_pcm_start(parts[i].s->pcm));
	}
	vt_threads(live_looking, parts, sizeof(*parts), 2);
	expect_all_did(parts, 2);
}

#define PREALLOCATED	1	/* the device that is, on a default card */

static int open_prealloc(int flags)
{
	char name[80];

	snprintf(name, sizeof(name), "/proc/asound/card%d/pcm%dp/sub0/prealloc",
		 vt_card, PREALLOCATED);
	return SYS(open(name, flags));
}

static void write_prealloc(const char *kib)
{
	int fd = open_prealloc(O_WRONLY);

	SYS(write(fd, kib, strlen(kib)));
	close(fd);
}

static unsigned long read_prealloc(void)
{
	int fd = open_prealloc(O_RDONLY);
	char text[32] = "";

	SYS(read(fd, text, sizeof(text) - 1));
	close(fd);
	return strtoul(text, NULL, 10);
}

/* One changes the preallocation, the other reads one size or the other. */
static void live_prealloc(const void *arg)
{
	const struct part *part = arg;
	unsigned long kib;

	while (vt_now() < part->until || !*part->done) {
		if (part->number) {
			kib = read_prealloc();
			EXPECT(kib == 64 || kib == 128, "%lu KiB", kib);
		} else {
			write_prealloc(*part->done % 2 ? "64" : "128");
		}
		++*part->done;
	}
}

static void restore_prealloc(void *kib)
{
	write_prealloc(kib);
}

static void test_prealloc(const void *arg)
{
	struct part *parts = make_parts(PREALLOCATED, 2, NULL);
	char initial[32];

	(void)arg;
	snprintf(initial, sizeof(initial), "%lu", read_prealloc());
	vt_defer(restore_prealloc, initial);
	write_prealloc("64");
	vt_threads(live_prealloc, parts, sizeof(*parts), 2);
	expect_all_did(parts, 2);
	vt_undo(restore_prealloc, initial);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "a client per substream", test_substreams },
	{ "opening and closing", test_opening },
	{ "both ends come and go", test_peers },
	{ "many threads, one stream", test_one_stream },
	{ "many threads beside foreign data", test_foreign },
	{ "stamps beside a busy peer", test_stamps },
};

static void say_nothing(const char *file, int line, const char *function,
			int err, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)err;
	(void)fmt;
}

int main(int argc, char **argv)
{
	unsigned int i;
	int device;

	/* alsa-lib's messages: refusals are what races are made of */
	MUST(snd_lib_error_set_handler(say_nothing));

	vt_init(argc, argv, 110);
	vt_plan(2 * ARRAY_SIZE(tests) + 1);
	for (device = 0; device < 2; device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &device, "device %d %s", device,
			       tests[i].name);
	vt_run(test_prealloc, NULL, "a preallocation that changes is read");
	return vt_finish();
}
