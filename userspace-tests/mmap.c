// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings mapped by the client: their contents, what a mapping keeps alive, and
 * rings that run freely, as dmix keeps them.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "vpcm.h"

#define PAGE		((unsigned long)sysconf(_SC_PAGESIZE))
#define IOCTL_HW_FREE	_IO('A', 0x12)	/* past alsa-lib's own unmapping */

struct job {
	int device;
};

/* A mapping beside alsa-lib's own */
struct map {
	unsigned char *at;
	size_t bytes;
};

static void unmap(void *data)
{
	struct map *m = data;

	munmap(m->at, m->bytes);
}

static unsigned char *map_ring(struct vt_stream *s, size_t bytes, off_t offset)
{
	int prot = PROT_READ;
	struct map *m = vt_alloc(sizeof(*m));

	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		prot |= PROT_WRITE;
	m->bytes = bytes;
	m->at = mmap(NULL, bytes, prot, MAP_SHARED, vt_descriptor(s), offset);
	EXPECT(m->at != MAP_FAILED, "mmap of %zu at %ld: %s", bytes,
	       (long)offset, strerror(errno));
	vt_defer(unmap, m);
	return m->at;
}

/* 16 pages of ring, mapped by alsa-lib */
static struct vt_params params(void)
{
	struct vt_params p = vt_plain;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.period = PAGE;
	p.buffer = 4 * PAGE;
	return p;
}

/* Two mappings and the ring's own writes are one memory. */
static void test_same_memory(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_player(job->device, &p);
	unsigned char *a = map_ring(s, 16 * PAGE, 0);
	unsigned char *b = map_ring(s, 16 * PAGE, 0);
	unsigned char *third = map_ring(s, 2 * PAGE, 3 * PAGE);

	vt_play(s, 0, p.buffer);
	EXPECT(vt_stamped(s, a, 0, p.buffer) == p.buffer,
	       "a mapping does not show what was written");
	EXPECT(!memcmp(a, b, 16 * PAGE), "two mappings differ");
	EXPECT(!memcmp(a + 3 * PAGE, third, 2 * PAGE),
	       "an offset leads elsewhere");
	memset(third, 0x5a, PAGE);
	EXPECT(b[3 * PAGE] == 0x5a && b[4 * PAGE - 1] == 0x5a &&
	       b[4 * PAGE] != 0x5a, "a write through the offset is lost");
}

/* Nothing beyond the ring can be mapped. */
static void test_bounds(const void *arg)
{
	const struct {
		size_t bytes;
		off_t offset;
		int err;
	} tries[] = {
		{ 16 * PAGE, 0, 0 }, { PAGE, 15 * PAGE, 0 },
		{ 17 * PAGE, 0, EINVAL }, { PAGE, 16 * PAGE, EINVAL },
		{ 2 * PAGE, 15 * PAGE, EINVAL },
		{ PAGE, 0x7fff0000, EINVAL },
	};
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_player(job->device, &p);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		void *at = mmap(NULL, tries[i].bytes, PROT_READ, MAP_SHARED,
				vt_descriptor(s), tries[i].offset);
		int err = at == MAP_FAILED ? errno : 0;

		if (!err)
			SYS(munmap(at, tries[i].bytes));
		EXPECT(err == tries[i].err, "%zu bytes at %ld: %s",
		       tries[i].bytes, (long)tries[i].offset, strerror(err));
	}
}

static void check_in_child(const void *arg)
{
	const unsigned char *ring = arg;

	EXPECT(ring[5 * PAGE] == 0x77, "the child sees %02x", ring[5 * PAGE]);
	((unsigned char *)ring)[6 * PAGE] = 0x88;
}

/* The mapping as a whole and in pieces, in a child, moved and cut */
static void test_pieces(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_player(job->device, &p);
	unsigned char *ring = map_ring(s, 16 * PAGE, 0), *moved;

	ring[5 * PAGE] = 0x77;
	vt_reap(vt_fork(check_in_child, ring), 0);
	EXPECT(ring[6 * PAGE] == 0x88, "the child's write is lost");
	SYS(munmap(ring + 8 * PAGE, PAGE));
	ring[7 * PAGE] = 1;
	ring[9 * PAGE] = 2;
	/* refused for memory that has no page references */
	if (madvise(ring + 5 * PAGE, PAGE, MADV_DONTNEED) < 0)
		EXPECT(errno == EINVAL, "madvise: %s", strerror(errno));
	EXPECT(ring[5 * PAGE] == 0x77, "MADV_DONTNEED lost the contents");
	moved = mremap(ring + 5 * PAGE, 2 * PAGE, 2 * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED,
		       mmap(NULL, 2 * PAGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	EXPECT(moved != MAP_FAILED, "mremap: %s", strerror(errno));
	EXPECT(moved[0] == 0x77 && moved[PAGE] == 0x88,
	       "moved, it shows something else");
	EXPECT(mremap(moved, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE) ==
	       MAP_FAILED, "a mapping grew beyond what was mapped");
	SYS(munmap(moved, 2 * PAGE));
}

/* As long as any piece is mapped, the ring stays; then it goes. */
static void test_keeps(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_player(job->device, &p);
	unsigned char *ring;
	int fd = vt_descriptor(s);

	ring = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    0);
	EXPECT(ring != MAP_FAILED, "mmap: %s", strerror(errno));
	memset(ring, 0x3c, 4 * PAGE);
	REFUSED(-EBADFD, snd_pcm_hw_free(s->pcm));
	SYS(munmap(ring, PAGE));
	EXPECT(ioctl(fd, IOCTL_HW_FREE) < 0 && errno == EBADFD,
	       "freed while three pages are mapped");
	SYS(munmap(ring + 2 * PAGE, 2 * PAGE));
	EXPECT(ioctl(fd, IOCTL_HW_FREE) < 0 && errno == EBADFD,
	       "freed while a page is mapped");
	EXPECT(ring[PAGE] == 0x3c && ring[2 * PAGE - 1] == 0x3c,
	       "the contents changed");
	SYS(munmap(ring + PAGE, PAGE));
	SYS(ioctl(fd, IOCTL_HW_FREE));
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED,
	       "mapped what is not there");
}

static void close_pipe(void *data)
{
	int *fds = data;

	close(fds[0]);
	close(fds[1]);
}

/* The flags of the mapping that begins there, as /proc/self/smaps has them */
static void read_flags(const void *at, char *flags, size_t bytes)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long from, to, begin = 0;
	char line[300];

	if (!maps)
		vt_skip("no /proc/self/smaps");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			begin = from;
		if (begin == (unsigned long)at && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, bytes, "%s", line + 8);
	}
	fclose(maps);
}

/* Coherent memory may have no pages; the name tells the kind of buffers. */
static bool has_pages(struct vt_stream *s)
{
	snd_pcm_info_t *info;

	snd_pcm_info_alloca(&info);
	MUST(snd_pcm_info(s->pcm, info));
	return strcmp(snd_pcm_info_get_name(info), "Virtual dma cable");
}

/* It does not grow, and what is heard is not in a core dump. */
static void test_flags(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_player(job->device, &p);
	unsigned char *ring = map_ring(s, 16 * PAGE, 0);
	char flags[300] = "";

	read_flags(ring, flags, sizeof(flags));
	EXPECT(strstr(flags, " de") && strstr(flags, " dd"), "flags%s", flags);
	/* else direct I/O and debuggers are kept out */
	EXPECT(!has_pages(s) || (!strstr(flags, " io") && !strstr(flags, " pf")),
	       "flags%s", flags);
}

/* Gives whoever unmaps 16 pages of ring in the end other memory instead. */
static void replace_ring(void *ring)
{
	void *at = mmap(ring, 16 * PAGE, PROT_READ, MAP_PRIVATE |
			MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(at == ring, "mmap: %s", strerror(errno));
}

/*
 * A page in a pipe outlives the mapping and the stream, with its contents: it
 * is not given to anybody else. Coherent memory cannot be held like this.
 */
static void test_pinned(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *s = vt_player(job->device, &p);
	unsigned char *ring = map_ring(s, 16 * PAGE, 0);
	struct iovec page = { ring + 2 * PAGE, PAGE };
	unsigned char *got = vt_alloc(PAGE);
	int *fds = vt_alloc(2 * sizeof(int));
	unsigned int i;
	size_t n = 0;

	SYS(pipe(fds));
	vt_defer(close_pipe, fds);
	for (i = 0; i < PAGE; i++)
		ring[2 * PAGE + i] = i * 7;
	if (vmsplice(fds[1], &page, 1, 0) < 0) {
		EXPECT(errno == EFAULT && !has_pages(s), "vmsplice: %s",
		       strerror(errno));
		vt_skip("memory that cannot be pinned");
	}
	/* unmap everything, free it, and let others have memory */
	replace_ring(ring);
	MUST(snd_pcm_hw_free(s->pcm));
	vt_close(s);
	for (i = 0; i < 4; i++) {
		s = vt_player(job->device, &p);
		vt_play(s, i, p.buffer);
		vt_close(s);
	}
	while (n < PAGE)
		n += SYS(read(fds[0], got + n, PAGE - n));
	for (i = 0; i < PAGE; i++)
		EXPECT(got[i] == (unsigned char)(i * 7),
		       "byte %u is %02x", i, got[i]);
}

/* The largest ring, every page of it, looped through */
static void test_largest(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	struct vt_stream *player, *recorder;
	snd_pcm_hw_params_t *hw;
	snd_pcm_uframes_t max;
	struct vt_stream *s;
	unsigned char *buf;
	size_t good;

	snd_pcm_hw_params_alloca(&hw);
	s = vt_open(job->device, 0, SND_PCM_STREAM_PLAYBACK, 0);
	MUST(snd_pcm_hw_params_any(s->pcm, hw));
	p.format = SND_PCM_FORMAT_S32_LE;
	p.channels = 64;
	p.rate = 192000;
	MUST(snd_pcm_hw_params_set_format(s->pcm, hw, p.format));
	MUST(snd_pcm_hw_params_set_channels(s->pcm, hw, p.channels));
	MUST(snd_pcm_hw_params_set_rate(s->pcm, hw, p.rate, 0));
	MUST(snd_pcm_hw_params_get_buffer_size_max(hw, &max));
	vt_close(s);
	p.buffer = max / 4 * 4;
	p.period = p.buffer / 4;
	p.stop = VT_NEVER;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	vt_note("%lu KiB", (unsigned long)(p.buffer * player->frame_bytes >> 10));
	vt_link(player, recorder);
	/* the last frame of the first round lies in the last page */
	vt_play(player, 0, p.buffer);
	buf = vt_alloc(p.buffer * recorder->frame_bytes);
	MUST(snd_pcm_start(player->pcm));
	vt_read(recorder, buf, p.buffer);
	good = vt_stamped(recorder, buf, 0, p.buffer);
	EXPECT(good == p.buffer, "frame %zu of %lu differs", good, p.buffer);
}

static void *map_writable(struct vt_stream *s)
{
	void *at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			vt_descriptor(s), 0);

	EXPECT(at != MAP_FAILED, "mmap: %s", strerror(errno));
	return at;
}

/* What a client has left in its recorder's ring is not what it hears. */
static void test_leftovers(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params();
	snd_pcm_uframes_t offset, frames = p.buffer;
	struct vt_stream *s;
	unsigned char *silence = vt_alloc(16 * PAGE);
	const snd_pcm_channel_area_t *areas;
	unsigned int prepare;
	size_t heard;
	void *ring;

	p.stop = VT_NEVER;
	s = vt_recorder(job->device, &p);
	/* alsa-lib's own mapping, without which the ring is not mapped */
	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &frames));
	replace_ring(areas->addr);
	for (prepare = 0; prepare < 2; prepare++) {
		ring = map_writable(s);
		if (prepare)
			MUST(snd_pcm_prepare(s->pcm));
		memset(ring, 0x55, 16 * PAGE);
		SYS(munmap(ring, 16 * PAGE));
		MUST(snd_pcm_start(s->pcm));
		EXPECT(MUST(snd_pcm_wait(s->pcm, 10000)) == 1, "no period");
		heard = MUST(snd_pcm_avail(s->pcm)) * s->frame_bytes;
		ring = map_writable(s);
		EXPECT(heard && !memcmp(ring, silence, heard),
		       "%zu bytes are not silence", heard);
		SYS(munmap(ring, 16 * PAGE));
		MUST(snd_pcm_drop(s->pcm));
		MUST(snd_pcm_prepare(s->pcm));
	}
	/* written when silence has gone through all of it, and mapped */
	MUST(snd_pcm_start(s->pcm));
	ring = map_writable(s);
	vt_sleep_until(vt_now() + vt_duration(s, 2 * p.buffer));
	memset(ring, 0x55, 16 * PAGE);
	SYS(munmap(ring, 16 * PAGE));
	vt_sleep_until(vt_now() + vt_duration(s, 2 * p.buffer));
	ring = map_writable(s);
	EXPECT(!memcmp(ring, silence, 16 * PAGE), "not silence after a round");
	SYS(munmap(ring, 16 * PAGE));
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "one memory through many mappings", test_same_memory },
	{ "nothing beyond the ring", test_bounds },
	{ "pieces", test_pieces },
	{ "no growth and no dump", test_flags },
	{ "a mapping keeps the ring", test_keeps },
	{ "a pinned page keeps its contents", test_pinned },
	{ "the largest ring", test_largest },
	{ "leftovers in a recorder's ring", test_leftovers },
};

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(vt_devices() * ARRAY_SIZE(tests));
	for (job.device = 0; job.device < vt_devices(); job.device++)
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			vt_run(tests[i].test, &job, "device %d: %s",
			       job.device, tests[i].name);
	return vt_finish();
}
