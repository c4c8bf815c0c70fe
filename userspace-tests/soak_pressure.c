// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardly any memory is left, for a neighbour has it all: rings of all sizes and
 * kinds are had, or refused for want of memory, while a loop goes on and
 * carries every frame; what was refused is had once the neighbour is gone; and
 * in the end nothing is lost. $SOAK_PRESSURE says how many neighbours there
 * are, $SOAK_SEED what is asked for.
 */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "vmemory.h"
#include "vpcm.h"

#define LEFT	(16 * 1024)	/* KiB that a neighbour leaves, and up to as */
#define MORE	(48 * 1024)	/* many more */
#define MARGIN	(8 * 1024)	/* KiB by which a ring fits, or does not */
#define LIMIT	(112 * 1024)	/* KiB of rings: max_alloc_per_card is more */
#define CHUNK	(1024 * 1024L)	/* bytes that a neighbour takes at once */
#define TURNS	200		/* rings asked for or given back beside each */
#define ROW	(4 * 1024)	/* KiB of pages in a row that are asked for */
#define RING	240000		/* frames of the loop: 5 s */
#define STEP	480		/* of them at a time */
#define NOISE	2048		/* KiB by which free memory may vary */

/* As the module was loaded */
enum kind { VMALLOC, CONTINUOUS, SG, DMA, VMALLOC32, KINDS };

struct ring {
	struct vt_stream *s;	/* NULL: nobody has it */
	enum kind kind;
	snd_pcm_stream_t dir;
	snd_pcm_uframes_t frames;
};

struct pressure {
	unsigned int had, refused, again, dead;
	struct vt_stream *player, *recorder;
	uint64_t heard;
	struct ring rings[2 * KINDS], missed;
	pid_t neighbour;
};

static uint64_t seed;
static volatile bool *is_full;

/* If memory is out the neighbour is to blame, and nobody else */
static void offer_oneself(void)
{
	int fd = SYS(open("/proc/self/oom_score_adj", O_WRONLY));

	SYS(write(fd, "1000", 4));
	close(fd);
}

/* How little each processor keeps, if that can be set: 0 is the kernel's own */
static void set_kept(void *fraction)
{
	int fd = open("/proc/sys/vm/percpu_pagelist_high_fraction", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, fraction, strlen(fraction)) < 0)
		vt_note("cannot say what processors keep: %m");
	close(fd);
}

static void live_greedy(const void *arg)
{
	const long *left = arg;
	void *at;

	offer_oneself();
	while (vm_room() > *left) {
		at = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		EXPECT(at != MAP_FAILED, "no room for a neighbour");
		memset(at, 1, CHUNK);
	}
	*is_full = true;
	for (;;)
		pause();
}

static void start_loop(struct pressure *t)
{
	struct vt_params p = vt_plain;

	p.buffer = RING;
	t->player = vt_player(VMALLOC, &p);
	t->recorder = vt_recorder(VMALLOC, &p);
	vt_link(t->player, t->recorder);
	vt_play(t->player, 0, RING);
	MUST(snd_pcm_start(t->player->pcm));
}

static void run_loop(struct pressure *t)
{
	vt_hear(t->recorder, t->heard, STEP);
	vt_play(t->player, t->heard + RING, STEP);
	t->heard += STEP;
}

/* Of 32 bytes: 8 KiB to 32 MiB, half of them large */
static snd_pcm_uframes_t draw_frames(enum kind kind)
{
	unsigned int shift = vt_random(&seed, 2) ? vt_random(&seed, 12) :
						   10 + vt_random(&seed, 2);
	snd_pcm_uframes_t n = (256 + 4 * vt_random(&seed, 64)) << shift;

	while ((kind == CONTINUOUS || kind == DMA) && n / 32 > ROW)
		n /= 2;
	return n;
}

static long ring_kib(const struct ring *r)
{
	return r->s ? r->frames / 32 : 0;
}

/* On the second substream, beside the loop; true if there was memory */
static bool ask(struct ring *r)
{
	struct vt_params p = vt_plain;
	int err;

	p.format = SND_PCM_FORMAT_S32_LE;
	p.channels = 8;
	p.rate = 192000;
	p.buffer = r->frames;
	p.period = p.buffer / 4;
	r->s = vt_open(r->kind, 1, r->dir, 0);
	err = vt_configure(r->s, &p);
	EXPECT(!err || err == -ENOMEM, "device %d, %lu frames: %s", r->kind,
	       (unsigned long)p.buffer, snd_strerror(err));
	return !err;
}

static void give_back(struct ring *r)
{
	vt_close(r->s);
	r->s = NULL;
}

/*
 * Never one that just fits, for the next page that anybody needs would cost the
 * neighbour its life; nor one of vmalloc_32() that does not, which would as
 * well, for it cannot be told to rather fail.
 */
static bool is_clear(const struct pressure *t, const struct ring *r)
{
	long kib = r->frames / 32, beyond = kib - vm_room(), held = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t->rings); i++)
		held += ring_kib(&t->rings[i]);
	if (held + kib > LIMIT)
		return false;
	if (beyond < -MARGIN)
		return true;
	return beyond > MARGIN + vm_kept() && r->kind != VMALLOC32;
}

/* A ring is given back, or asked for */
static void take_turn(struct pressure *t)
{
	struct ring *r = &t->rings[vt_random(&seed, ARRAY_SIZE(t->rings))];

	if (r->s) {
		give_back(r);
		return;
	}
	r->frames = draw_frames(r->kind);
	if (!is_clear(t, r))
		return;
	if (ask(r)) {
		t->had++;
		return;
	}
	give_back(r);
	t->refused++;
	/* single pages: it is not that there are none in a row */
	if (r->kind == VMALLOC || r->kind == SG)
		t->missed = *r;
}

static bool is_dead(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	SYS(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT));
	return info.si_pid == pid;
}

static void end_neighbour(void *data)
{
	struct pressure *t = data;

	kill(t->neighbour, SIGKILL);
	waitpid(t->neighbour, NULL, 0);
}

/* One that leaves so many KiB; another one if it does not live to */
static void have_neighbour(struct pressure *t)
{
	long left = LEFT + vt_random(&seed, MORE);

	for (;;) {
		*is_full = false;
		t->neighbour = vt_fork(live_greedy, &left);
		vt_defer(end_neighbour, t);
		while (!*is_full && !is_dead(t->neighbour))
			run_loop(t);
		if (*is_full)
			return;
		vt_undo(end_neighbour, t);
		t->dead++;
		EXPECT(t->dead < 100, "no neighbour lives");
	}
}

/* What was missed is there once the neighbour is gone */
static void ask_again(struct pressure *t)
{
	if (!t->missed.frames)
		return;
	EXPECT(ask(&t->missed), "refused of all memory: device %d, %lu frames",
	       t->missed.kind, (unsigned long)t->missed.frames);
	give_back(&t->missed);
	t->missed.frames = 0;
	t->again++;
}

static void give_all_back(struct pressure *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t->rings); i++)
		if (t->rings[i].s)
			give_back(&t->rings[i]);
}

static void live_beside(struct pressure *t)
{
	unsigned int i;

	have_neighbour(t);
	for (i = 0; i < TURNS; i++) {
		if (is_dead(t->neighbour)) {
			vt_undo(end_neighbour, t);
			t->dead++;
			/* the next one would inherit them */
			give_all_back(t);
			have_neighbour(t);
		}
		take_turn(t);
		run_loop(t);
	}
	give_all_back(t);
	vt_undo(end_neighbour, t);
	ask_again(t);
}

static void test_pressure(const void *arg)
{
	unsigned int rounds = *(const unsigned int *)arg, i;
	static struct pressure t;	/* is there when the test is undone */
	long before = 0, now;

	for (i = 0; i < ARRAY_SIZE(t.rings); i++) {
		t.rings[i].kind = i / 2;
		t.rings[i].dir = i % 2;
	}
	vt_defer(set_kept, "0");
	set_kept("1000");
	start_loop(&t);
	for (i = 0; i <= rounds; i++) {
		/* the kernel has kept of the first round what it uses again */
		if (i == 1)
			before = vm_free();
		live_beside(&t);
	}
	now = vm_free();
	vt_note("%u rings, %u refused, %u had later, %u neighbours died",
		t.had, t.refused, t.again, t.dead);
	vt_note("%llu frames compared; memory: %+ld KiB at the end",
		(unsigned long long)t.heard, now - before);
	EXPECT(t.had && t.again, "no memory was short, or all was");
	EXPECT(before - now < NOISE, "memory is lost");
}

int main(int argc, char **argv)
{
	const char *value = getenv("SOAK_PRESSURE");
	const char *begin = getenv("SOAK_SEED");
	unsigned int rounds = value ? strtoul(value, NULL, 0) : 10;

	seed = begin ? strtoull(begin, NULL, 0) : 1;
	/* else the scratch memory of a ring is cleared, and takes as much */
	mallopt(M_MMAP_THRESHOLD, CHUNK / 8);
	vt_init(argc, argv, 600 + rounds * 60);
	is_full = mmap(NULL, sizeof(*is_full), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	vt_plan(1);
	vt_note("seed %llu", (unsigned long long)seed);
	vt_run(test_pressure, &rounds, "%u neighbours who leave little memory",
	       rounds);
	return vt_finish();
}
