// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preallocated buffers: what the proc files tell and take, and what a change
 * does to the rings that can be had.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "vpcm.h"

#define DEVICE	1		/* the preallocated path of a default card */
#define KIB	16		/* frames of 64 bytes in a KiB */

static const char *dir_name;	/* "p" or "c" */
static snd_pcm_stream_t dir;

static void path(char *name, size_t bytes, int device, const char *file)
{
	snprintf(name, bytes, "/proc/asound/card%d/pcm%d%s/sub0/%s", vt_card,
		 device, dir_name, file);
}

/* A file's number, in KiB */
static unsigned long get(const char *file)
{
	char name[80], text[32];
	int fd, n;

	path(name, sizeof(name), DEVICE, file);
	fd = SYS(open(name, O_RDONLY));
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	EXPECT(n > 1 && text[n - 1] == '\n', "%s is not one line", file);
	text[n] = 0;
	return strtoul(text, NULL, 10);
}

/* Writes it in one go; 0 or the negative errno */
static int put(const char *text)
{
	char name[80];
	int fd, err = 0;

	path(name, sizeof(name), DEVICE, "prealloc");
	fd = SYS(open(name, O_WRONLY));
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	if (close(fd) < 0 && !err)
		err = -errno;
	return err;
}

static void put_number(unsigned long kib)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu\n", kib);
	MUST(put(text));
}

static unsigned long initial;	/* KiB, before the tests */

static void restore(void *unused)
{
	char text[32];

	(void)unused;
	snprintf(text, sizeof(text), "%lu\n", initial);
	if (put(text) < 0)
		vt_note("cannot put the preallocation back");
}

/* The largest ring that can be had, in KiB */
static unsigned long largest(void)
{
	struct vt_stream *s = vt_open(DEVICE, 0, dir, 0);
	snd_pcm_hw_params_t *hw;
	snd_pcm_uframes_t max;

	snd_pcm_hw_params_alloca(&hw);
	MUST(snd_pcm_hw_params_any(s->pcm, hw));
	MUST(snd_pcm_hw_params_set_access(s->pcm, hw,
					  SND_PCM_ACCESS_RW_INTERLEAVED));
	MUST(snd_pcm_hw_params_set_format(s->pcm, hw, SND_PCM_FORMAT_S8));
	MUST(snd_pcm_hw_params_set_channels(s->pcm, hw, 64));
	MUST(snd_pcm_hw_params_set_rate(s->pcm, hw, 48000, 0));
	MUST(snd_pcm_hw_params_get_buffer_size_max(hw, &max));
	vt_close(s);
	return max / KIB;
}

/* A ring of so many KiB works: it takes or gives frames all over. */
static void expect_ring(unsigned long kib)
{
	struct vt_stream *s = vt_open(DEVICE, 0, dir, 0);
	struct vt_params p = vt_plain;
	void *buf;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 64;
	p.period = kib * KIB / 4;
	p.buffer = kib * KIB;
	p.start = 1;
	MUST(vt_configure(s, &p));
	buf = vt_alloc(p.buffer * s->frame_bytes);
	if (dir == SND_PCM_STREAM_PLAYBACK)
		vt_write(s, buf, p.buffer);
	else
		vt_read(s, buf, p.buffer);
	MUST(snd_pcm_drop(s->pcm));
	vt_undo(free, buf);
	vt_close(s);
}

/* Who may read and write it; root does what he likes. */
static void expect_mode(const char *file, unsigned int mode)
{
	char name[80];
	struct stat st;

	path(name, sizeof(name), DEVICE, file);
	SYS(stat(name, &st));
	EXPECT((st.st_mode & 0777) == mode, "%s has mode %o", file,
	       st.st_mode & 0777);
}

static void test_files(const void *arg)
{
	char name[80];

	(void)arg;
	expect_mode("prealloc", 0644);
	expect_mode("prealloc_max", 0444);
	EXPECT(get("prealloc") > 0, "nothing is preallocated");
	EXPECT(get("prealloc_max") >= get("prealloc"),
	       "%lu of at most %lu KiB", get("prealloc"), get("prealloc_max"));
	path(name, sizeof(name), DEVICE, "prealloc_max");
	EXPECT(open(name, O_WRONLY) < 0, "prealloc_max can be written");
	path(name, sizeof(name), 0, "prealloc");
	EXPECT(access(name, F_OK) < 0, "the vmalloc path preallocates");
}

/* A ring up to the preallocation, and no larger one */
static void test_limit(const void *arg)
{
	(void)arg;
	EXPECT(largest() == get("prealloc"), "rings to %lu of %lu KiB",
	       largest(), get("prealloc"));
	expect_ring(get("prealloc"));
	expect_ring(64);
}

static const struct {
	const char *text;
	int err;
} refused[] = {
	{ "", 0 },		/* nothing written is nothing changed */
	{ "\n", -EINVAL },
	{ "garbage\n", -EINVAL },
	{ "64garbage\n", -EINVAL },
	{ "garbage64\n", -EINVAL },
	{ "-1\n", -EINVAL },
	{ "4\n", -EINVAL },	/* less than 8 KiB */
	{ "7\n", -EINVAL },
	{ "64 128\n", -EINVAL },
	{ "1e3\n", -EINVAL },
	{ "0x40\n", -EINVAL },
	{ "99999999\n", -EINVAL },	/* more than the maximum */
	{ "18014398509481984\n", -EINVAL },	/* 2^64 bytes */
	{ "18014398509482048\n", -EINVAL },	/* 2^64 bytes and 64 KiB */
	{ "18446744073709551616\n", -EINVAL },
	{ "99999999999999999999999999999999999999999999999\n", -EINVAL },
	{ "0000000000000000000000000000000000000000000000000000000000000064\n",
	  -EINVAL },	/* longer than any number has to be */
};

/* What is refused changes nothing. */
static void test_refused(const void *arg)
{
	const unsigned int *i = arg;

	REFUSED(refused[*i].err, put(refused[*i].text));
	EXPECT(get("prealloc") == initial, "now %lu KiB", get("prealloc"));
	EXPECT(largest() == initial, "now rings to %lu KiB", largest());
	expect_ring(initial);
}

/* Half a line is not a number, and neither is what follows it. */
static void test_piecemeal(const void *arg)
{
	char name[80];
	int fd;

	(void)arg;
	path(name, sizeof(name), DEVICE, "prealloc");
	fd = SYS(open(name, O_WRONLY));
	EXPECT(write(fd, "64\0garbage", 10) < 0 && errno == EINVAL,
	       "a line with a NUL: %s", strerror(errno));
	EXPECT(pwrite(fd, "64\n", 3, 1) < 0 && errno == EINVAL,
	       "taken at an offset");
	close(fd);
	EXPECT(get("prealloc") == initial, "now %lu KiB", get("prealloc"));
}

/* Neither a KiB nor a character more than there may be */
static void test_most(const void *arg)
{
	unsigned long kib = get("prealloc_max") + 1;
	char text[66];

	(void)arg;
	vt_defer(restore, NULL);
	snprintf(text, sizeof(text), "%lu\n", kib);
	REFUSED(-EINVAL, put(text));
	/* as long as all that the host passes on of a line */
	snprintf(text, sizeof(text), "%064d\n", 64);
	REFUSED(-EINVAL, put(text));
	EXPECT(get("prealloc") == initial, "now %lu KiB", get("prealloc"));
	MUST(put(text + 2));
	EXPECT(get("prealloc") == 64, "now %lu KiB", get("prealloc"));
}

/* While a stream is open its buffer is not changed under it. */
static void test_busy(const void *arg)
{
	struct vt_stream *s = vt_open(DEVICE, 0, dir, 0);

	(void)arg;
	REFUSED(-EBUSY, put("64\n"));
	MUST(vt_configure(s, &vt_plain));
	REFUSED(-EBUSY, put("0\n"));
	REFUSED(-EBUSY, put("64\n"));
	EXPECT(get("prealloc") == initial, "now %lu KiB", get("prealloc"));
	vt_close(s);
	expect_ring(initial);
}

static void test_change(const void *arg)
{
	static const unsigned int sizes[] = { 64, 128, 8, 500, 513, 64 };
	unsigned long kib, page = sysconf(_SC_PAGESIZE) / 1024;
	unsigned int i;

	(void)arg;
	vt_defer(restore, NULL);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] > get("prealloc_max"))
			continue;
		put_number(sizes[i]);
		kib = (sizes[i] + page - 1) / page * page;
		EXPECT(get("prealloc") == kib, "%lu instead of %lu KiB",
		       get("prealloc"), kib);
		EXPECT(largest() == kib, "rings to %lu with %lu KiB",
		       largest(), kib);
		expect_ring(kib);
	}
}

/* A number is decimal whatever it begins with, and may stand among blanks. */
static void test_spelling(const void *arg)
{
	static const struct {
		const char *text;
		unsigned int kib;
	} spelt[] = {
		{ "0200\n", 200 }, { " 64 ", 64 }, { "\t128", 128 },
	};
	unsigned long page = sysconf(_SC_PAGESIZE) / 1024;
	unsigned int i;

	(void)arg;
	vt_defer(restore, NULL);
	for (i = 0; i < ARRAY_SIZE(spelt); i++) {
		MUST(put(spelt[i].text));
		EXPECT(get("prealloc") ==
		       (spelt[i].kib + page - 1) / page * page,
		       "%lu KiB by \"%s\"", get("prealloc"), spelt[i].text);
	}
}

/* Nothing preallocated: rings are allocated when they are asked for. */
static void test_none(const void *arg)
{
	unsigned long most;

	(void)arg;
	vt_defer(restore, NULL);
	MUST(put("0\n"));
	EXPECT(get("prealloc") == 0, "still %lu KiB", get("prealloc"));
	most = largest();
	EXPECT(most > initial, "rings to %lu KiB only", most);
	expect_ring(64);
	expect_ring(initial * 2);
	vt_undo(restore, NULL);
	EXPECT(get("prealloc") == initial, "%lu KiB came back",
	       get("prealloc"));
	EXPECT(largest() == initial, "rings to %lu KiB", largest());
	expect_ring(initial);
}

/* Opened, used and closed many times, the same buffer serves. */
static void test_reuse(const void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		expect_ring(16 << i % 4);
	EXPECT(get("prealloc") == initial, "now %lu KiB", get("prealloc"));
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "files", test_files },
	{ "limits the ring", test_limit },
	{ "takes no piece of a line", test_piecemeal },
	{ "takes so much, and no more", test_most },
	{ "is busy while open", test_busy },
	{ "changes", test_change },
	{ "takes a number in any spelling", test_spelling },
	{ "none", test_none },
	{ "reused", test_reuse },
};

static void find_initial(const void *arg)
{
	(void)arg;
	initial = get("prealloc");
}

int main(int argc, char **argv)
{
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 * (1 + ARRAY_SIZE(tests) + ARRAY_SIZE(refused)));
	for (dir = 0; dir <= SND_PCM_STREAM_LAST; dir++) {
		dir_name = dir == SND_PCM_STREAM_PLAYBACK ? "p" : "c";
		vt_run(find_initial, NULL, "%s prealloc is there", dir_name);
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, NULL, "%s prealloc %s",
			       dir_name, tests[i].name);
		for (i = 0; i < ARRAY_SIZE(refused); i++)
			vt_run(test_refused, &i, "%s prealloc refuses %.*s",
			       dir_name, (int)strcspn(refused[i].text, "\n"),
			       refused[i].text);
	}
	return vt_finish();
}
