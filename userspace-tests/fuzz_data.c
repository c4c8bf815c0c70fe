// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: moving frames by all calls that there are, mapping, and waiting.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "fuzz.h"

#define CHANNELS	256
#define PAGE		4096UL
#define SILENCE_MOST	1048576UL	/* frames, or bytes */

/*
 * Where the frames are, or go: mostly in the scratch memory, sometimes where
 * it ends early, is not at all, or is a mapped ring.
 */
static unsigned char *place(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m;

	switch (fuzz_arg(t, fuzz_below(t, 24))) {
	case 0:
		return NULL;
	case 1:
		return (unsigned char *)8;
	case 2:
		return t->scratch + FUZZ_SCRATCH - fuzz_below(t, 3 * PAGE);
	case 3:
		m = &t->map[s - fuzz_slots][0];
		return m->writable ? m->at : t->scratch;
	case 4:
		m = &t->map[(s - fuzz_slots) ^ 1][0];
		return m->writable ? m->at : t->scratch;
	default:
		return t->scratch + fuzz_below(t, 64);
	}
}

/*
 * Frames that fit into the scratch memory, or any number: pages that nobody can
 * touch lie behind it.
 */
static unsigned long frames(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned long most = s->buffer + s->period;

	if (fuzz_once_in(t, 16))
		return fuzz_arg(t, fuzz_odd(t));
	if (fuzz_once_in(t, 3))
		return fuzz_arg(t, s->period);
	return fuzz_arg(t, fuzz_below(t, most + 1));
}

/*
 * From nowhere comes silence, which ends at no page. A client that set its
 * position to anywhere has room for any number of frames: the PCM core writes
 * them all, and looks for a signal only when it has to wait.
 */
static unsigned long bounded(const void *from, unsigned long n)
{
	return from ? n : n % SILENCE_MOST;
}

/* No more than asked for may have been moved. */
static long moved(long err, long result, unsigned long asked)
{
	if (err < 0)
		return -errno;
	if (result < 0 || (unsigned long)result > asked)
		fuzz_fail("%ld frames of %lu", result, asked);
	return 0;
}

static long interleaved(struct fuzz_thread *t, struct fuzz_slot *s,
			unsigned long request)
{
	struct snd_xferi x = { .buf = place(t, s), .frames = frames(t, s) };
	long err;

	x.frames = bounded(x.buf, x.frames);
	err = ioctl(s->fd, request, &x);
	return moved(err, x.result, x.frames);
}

static long planar(struct fuzz_thread *t, struct fuzz_slot *s,
		   unsigned long request)
{
	void *planes[CHANNELS];
	struct snd_xfern x = { .bufs = planes, .frames = frames(t, s) };
	unsigned int i;
	long err;

	for (i = 0; i < CHANNELS; i++)
		planes[i] = t->scratch + i % 8 * PAGE;
	if (fuzz_once_in(t, 8))
		planes[fuzz_below(t, s->channels + 1) % CHANNELS] = place(t, s);
	if (s->channels == 1)
		x.frames = bounded(planes[0], x.frames);
	if (fuzz_once_in(t, 32))
		x.bufs = (void *)8;
	err = ioctl(s->fd, request, &x);
	return moved(err, x.result, x.frames);
}

/* Into a player all of these write, from a recorder they read; or refuse. */
static long run_rwi(struct fuzz_thread *t, struct fuzz_slot *s)
{
	bool wrong = fuzz_arg(t, fuzz_once_in(t, 16));

	return interleaved(t, s, wrong == s->capture ?
			   SNDRV_PCM_IOCTL_WRITEI_FRAMES :
			   SNDRV_PCM_IOCTL_READI_FRAMES);
}

static long run_rwn(struct fuzz_thread *t, struct fuzz_slot *s)
{
	bool wrong = fuzz_arg(t, fuzz_once_in(t, 16));

	return planar(t, s, wrong == s->capture ?
		      SNDRV_PCM_IOCTL_WRITEN_FRAMES :
		      SNDRV_PCM_IOCTL_READN_FRAMES);
}

static size_t bytes(struct fuzz_thread *t, struct fuzz_slot *s, size_t of_frame)
{
	size_t n = fuzz_below(t, s->buffer + 2) * of_frame;

	return fuzz_arg(t, fuzz_once_in(t, 10) ? fuzz_odd(t) : n);
}

static long run_rw(struct fuzz_thread *t, struct fuzz_slot *s)
{
	size_t n = bytes(t, s, s->frame_bytes);
	unsigned char *at = place(t, s);

	n = bounded(at, n);
	if (s->capture)
		return fuzz_ret(read(s->fd, at, n));
	return fuzz_ret(write(s->fd, at, n));
}

static long run_rwv(struct fuzz_thread *t, struct fuzz_slot *s)
{
	size_t n = bytes(t, s, fuzz_once_in(t, 8) ? 1 : s->frame_bytes);
	unsigned int count = fuzz_once_in(t, 10) ? fuzz_below(t, CHANNELS) :
						   s->channels;
	struct iovec v[CHANNELS];
	unsigned int i;

	for (i = 0; i < count && i < CHANNELS; i++) {
		v[i].iov_base = t->scratch + i % 8 * PAGE;
		v[i].iov_len = n;
	}
	if (fuzz_once_in(t, 10) && i)
		v[fuzz_below(t, i)].iov_base = place(t, s);
	if (i == 1)
		v[0].iov_len = bounded(v[0].iov_base, n);
	if (s->capture)
		return fuzz_ret(readv(s->fd, v, i));
	return fuzz_ret(writev(s->fd, v, i));
}

static size_t pages(size_t bytes)
{
	return (bytes + PAGE - 1) & ~(PAGE - 1);
}

/* All that can be mapped of a stream, as far as it can be */
void fuzz_map_slot(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m = &t->map[s - fuzz_slots][0];
	size_t size = pages(s->buffer * s->frame_bytes);
	int prot = PROT_READ | PROT_WRITE;
	void *at;

	at = mmap(NULL, PAGE, prot, MAP_SHARED, s->fd,
		  SNDRV_PCM_MMAP_OFFSET_CONTROL);
	if (at != MAP_FAILED)
		t->control[s - fuzz_slots] = at;
	if (!size)
		return;
	at = mmap(NULL, size, prot, MAP_SHARED, s->fd, 0);
	if (at == MAP_FAILED)
		return;
	m->at = at;
	m->bytes = size;
	m->writable = true;
}

void fuzz_unmap_slot(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned int slot = s - fuzz_slots, i;

	for (i = 0; i < FUZZ_MAPS; i++)
		if (t->map[slot][i].at)
			munmap(t->map[slot][i].at, t->map[slot][i].bytes);
	memset(t->map[slot], 0, sizeof(t->map[slot]));
	if (t->status[slot])
		munmap((void *)t->status[slot], PAGE);
	if (t->control[slot])
		munmap((void *)t->control[slot], PAGE);
	t->status[slot] = NULL;
	t->control[slot] = NULL;
}

static long run_mmap(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m = t->map[s - fuzz_slots];
	size_t whole = pages(s->buffer * s->frame_bytes);
	size_t size = whole, offset = 0;
	int prot = PROT_READ | PROT_WRITE;
	void *at;

	if (fuzz_once_in(t, 2)) {
		offset = fuzz_below(t, whole / PAGE + 1) * PAGE;
		size = (1 + fuzz_below(t, whole / PAGE + 1)) * PAGE;
	}
	if (fuzz_once_in(t, 4))
		prot = fuzz_below(t, 4);
	if (fuzz_once_in(t, 16))
		offset = fuzz_odd(t) & 0x7ffff000;
	if (m->at)
		m++;
	if (m->at)
		munmap(m->at, m->bytes);
	memset(m, 0, sizeof(*m));
	fuzz_arg(t, offset);
	fuzz_arg(t, size);
	at = mmap(NULL, size, prot, MAP_SHARED, s->fd, offset);
	if (at == MAP_FAILED)
		return -errno;
	m->at = at;
	m->bytes = size;
	m->writable = prot == (PROT_READ | PROT_WRITE);
	return 0;
}

static struct fuzz_map *a_map(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m = t->map[s - fuzz_slots];
	unsigned int i = fuzz_arg(t, fuzz_below(t, FUZZ_MAPS));

	return m[i].at ? &m[i] : m[!i].at ? &m[!i] : NULL;
}

static long run_touch(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m = a_map(t, s);
	size_t i;

	if (!m || !m->writable)
		return -EINVAL;
	for (i = fuzz_below(t, PAGE); i < m->bytes; i += PAGE)
		m->at[i]++;
	return 0;
}

static long run_munmap(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m = a_map(t, s);
	size_t half;

	if (!m)
		return -EINVAL;
	half = pages(m->bytes / 2);
	if (fuzz_once_in(t, 3) && half < m->bytes) {
		if (munmap(m->at + half, m->bytes - half))
			return -errno;
		m->bytes = half;
		return 0;
	}
	if (munmap(m->at, m->bytes))
		return -errno;
	memset(m, 0, sizeof(*m));
	return 0;
}

static long run_mremap(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct fuzz_map *m = a_map(t, s);
	size_t size;
	void *at;

	if (!m)
		return -EINVAL;
	size = fuzz_once_in(t, 3) ? m->bytes + PAGE :
	       (1 + fuzz_below(t, m->bytes / PAGE)) * PAGE;
	fuzz_arg(t, size);
	at = mremap(m->at, m->bytes, size, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return -errno;
	m->at = at;
	m->bytes = size;
	return 0;
}

static long run_map_status(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned int slot = s - fuzz_slots;
	void *at;

	if (t->status[slot])
		return t->status[slot]->state <= SNDRV_PCM_STATE_LAST ? 0 :
								     -EIO;
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, s->fd,
		  SNDRV_PCM_MMAP_OFFSET_STATUS);
	if (at == MAP_FAILED)
		return -errno;
	t->status[slot] = at;
	return 0;
}

static long run_map_control(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned int slot = s - fuzz_slots;
	void *at;

	if (t->control[slot])
		return 0;
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
		  SNDRV_PCM_MMAP_OFFSET_CONTROL);
	if (at == MAP_FAILED)
		return -errno;
	t->control[slot] = at;
	return 0;
}

/* Behind the kernel's back; below the boundary, or anything */
static long run_poke(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned int slot = s - fuzz_slots;
	unsigned long value = fuzz_odd(t);

	if (!t->control[slot])
		return -EINVAL;
	if (s->boundary && !fuzz_once_in(t, 4))
		value %= s->boundary;
	s->hostile = true;
	if (fuzz_arg(t, fuzz_below(t, 4)))
		t->control[slot]->appl_ptr = fuzz_arg(t, value);
	else
		t->control[slot]->avail_min = fuzz_arg(t, value);
	return 0;
}

static long run_poll(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct pollfd p = {
		.fd = s->fd,
		.events = fuzz_once_in(t, 4) ? POLLIN | POLLOUT | POLLPRI :
			  s->capture ? POLLIN : POLLOUT,
	};

	return fuzz_ret(poll(&p, 1, fuzz_racing ? 0 :
			     fuzz_arg(t, fuzz_below(t, 8))));
}

static long run_fasync(struct fuzz_thread *t, struct fuzz_slot *s)
{
	int flags = fcntl(s->fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (fcntl(s->fd, F_SETOWN, getpid()) < 0)
		return -errno;
	return fuzz_ret(fcntl(s->fd, F_SETFL, fuzz_arg(t, fuzz_below(t, 2)) ?
			      flags | O_ASYNC : flags & ~O_ASYNC));
}

#define STREAM	FUZZ_STREAM
/* The core shows them where it trusts the caches, for 64 bits only. */
#if defined(__x86_64__) || defined(__powerpc64__)
#define PAGES	0
#else
#define PAGES	FUZZ_NEVER
#endif
#define RACE	(FUZZ_STREAM | FUZZ_RACE)
#define GO	(S(RUNNING) | S(PREPARED))
#define MOVES	(S(RUNNING) | S(XRUN) | S(SETUP))
#define PLAIN	0x08	/* access: RW_INTERLEAVED, */
#define PLANAR	0x10	/* RW_NONINTERLEAVED, */
#define MAPPED	0x03	/* the two that are mapped */
#define XFER	(RACE | FUZZ_BLOCKS | FUZZ_MOVES | FUZZ_RING)
#define RW	(E_AGAIN | E_BADFD | E_FAULT | E_INVAL | E_IO | E_PIPE)

const struct fuzz_op fuzz_data_ops[] = {
	{ "readi writei", run_rwi, 8, XFER, GO, 0, MOVES,
	  RW, PLAIN },
	{ "readn writen", run_rwn, 6, XFER, GO, 0, MOVES,
	  RW, PLANAR },
	{ "read write", run_rw, 4, XFER, GO, 0, MOVES, RW,
	  PLAIN },
	{ "readv writev", run_rwv, 4, XFER, GO, 0, MOVES,
	  RW, PLANAR },
	{ "mmap", run_mmap, 5, RACE, S_SET, 0, 0,
	  E_ACCES | E_AGAIN | E_BADFD | E_BUSY | E_INVAL | E_NOMEM | E_NXIO,
	  MAPPED },
	{ "touch", run_touch, 3, RACE, S_SET, 0, 0, E_INVAL, MAPPED },
	{ "munmap", run_munmap, 3, RACE, S_SET, 0, 0, E_INVAL, MAPPED },
	{ "mremap", run_mremap, 2, RACE | FUZZ_RARE, S_SET, 0, 0,
	  E_INVAL | E_FAULT | E_NOMEM, MAPPED },
	{ "mmap status", run_map_status, 1, STREAM | PAGES, S_OPEN, 0, 0,
	  E_NXIO | E_BADFD | E_INVAL },
	{ "mmap control", run_map_control, 1, STREAM | PAGES, S_OPEN, 0, 0,
	  E_NXIO | E_BADFD | E_INVAL },
	{ "poke appl_ptr", run_poke, 2, RACE | PAGES, S_RUN | S(PREPARED), 0, 0,
	  E_INVAL },
	{ "poll", run_poll, 2, RACE, S_RUN | S(PREPARED), 0, 0, E_INTR },
	{ "fasync", run_fasync, 1, RACE, S_OPEN, 0, 0, 0 },
	{ }
};
