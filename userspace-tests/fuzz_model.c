// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: chance, one operation, and whether what came of it is allowed.
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fuzz.h"

#define MIX	0x9e3779b97f4a7c15ULL
#define TICK	(15 * 1000000L)		/* ns after which waiting is ended */

/* A call, and the group its stream was in before it */
struct fuzz_group {
	struct fuzz_slot *called;
	unsigned int others;		/* bits of slots */
	unsigned int before[FUZZ_SLOTS];
	unsigned int states;		/* of all of them before it */
};

static const struct {
	int number;
	const char *name;
} errors[] = {
	{ EAGAIN, "EAGAIN" }, { EBADF, "EBADF" }, { EBADFD, "EBADFD" },
	{ EBUSY, "EBUSY" }, { EFAULT, "EFAULT" }, { EINTR, "EINTR" },
	{ EINVAL, "EINVAL" }, { EIO, "EIO" }, { ENODEV, "ENODEV" },
	{ ENOENT, "ENOENT" }, { ENOMEM, "ENOMEM" }, { ENOSYS, "ENOSYS" },
	{ ENOTTY, "ENOTTY" }, { ENXIO, "ENXIO" }, { EPERM, "EPERM" },
	{ EPIPE, "EPIPE" }, { EEXIST, "EEXIST" }, { EALREADY, "EALREADY" },
	{ EACCES, "EACCES" }, { ESTRPIPE, "ESTRPIPE" },
	{ ENOSPC, "ENOSPC" },
};

const char *fuzz_error_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(errors) ? errors[bit].name : NULL;
}

const char *fuzz_state_name(unsigned int state)
{
	static const char *const names[] = {
		"OPEN", "SETUP", "PREPARED", "RUNNING", "XRUN", "DRAINING",
		"PAUSED", "SUSPENDED", "DISCONNECTED", "closed",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "no state";
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t fuzz_draw(struct fuzz_thread *t)
{
	t->rng += MIX;
	return mix(t->rng);
}

uint64_t fuzz_below(struct fuzz_thread *t, uint64_t n)
{
	return n ? fuzz_draw(t) % n : 0;
}

bool fuzz_once_in(struct fuzz_thread *t, unsigned int n)
{
	return !fuzz_below(t, n);
}

/* A number that programs stumble over */
uint64_t fuzz_odd(struct fuzz_thread *t)
{
	uint64_t n;

	t->now->odd = true;
	switch (fuzz_below(t, 4)) {
	case 0:
		return fuzz_below(t, 3) - 1;
	case 1:
		return fuzz_draw(t) >> fuzz_below(t, 64);
	default:
		n = 1ULL << fuzz_below(t, 64);
		return n + fuzz_below(t, 3) - 1;
	}
}

/* Remembers what an operation was done with */
uint64_t fuzz_arg(struct fuzz_thread *t, uint64_t value)
{
	if (t->now->args < FUZZ_ARGS)
		t->now->arg[t->now->args++] = value;
	return value;
}

/* Has the numbers of an operation depend on its place alone */
void fuzz_seed_op(struct fuzz_thread *t, uint64_t number)
{
	t->rng = mix(fuzz_seed + MIX * (number + 1)) + t->number;
}

/* -1 and errno become what the kernel returned */
long fuzz_ret(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* The stream's state and pointers, without touching them */
bool fuzz_look(struct fuzz_slot *s, struct snd_pcm_sync_ptr *sp)
{
	memset(sp, 0, sizeof(*sp));
	sp->flags = SNDRV_PCM_SYNC_PTR_APPL | SNDRV_PCM_SYNC_PTR_AVAIL_MIN;
	return !ioctl(s->fd, SNDRV_PCM_IOCTL_SYNC_PTR, sp);
}

static bool is_meant(const struct fuzz_op *op, const struct fuzz_slot *s,
		     unsigned int state, unsigned int without,
		     unsigned int only)
{
	if (op->flags & without || (only && !(op->flags & only)))
		return false;
	if (op->access && !(op->access & 1U << s->access))
		return false;
	return op->likely & 1U << state;
}

/*
 * Mostly one that makes sense in this state; one time in ten any. Always the
 * same number of draws for the same choice.
 */
const struct fuzz_op *fuzz_choose(struct fuzz_thread *t,
				  const struct fuzz_slot *s, unsigned int state,
				  unsigned int without, unsigned int only)
{
	bool any = fuzz_once_in(t, 10);
	unsigned int i, total = 0, point;

	for (i = 0; i < fuzz_op_count; i++)
		if (is_meant(fuzz_ops[i], s, state, without, only) ||
		    (any && !(fuzz_ops[i]->flags & without)))
			total += fuzz_ops[i]->weight;
	point = fuzz_below(t, total);
	for (i = 0; i < fuzz_op_count; i++) {
		if (!is_meant(fuzz_ops[i], s, state, without, only) &&
		    !(any && !(fuzz_ops[i]->flags & without)))
			continue;
		if (point < fuzz_ops[i]->weight)
			return fuzz_ops[i];
		point -= fuzz_ops[i]->weight;
	}
	fuzz_fail("no operation to choose from");
}

/* Where streams of these states stop by themselves */
static unsigned int stopped(unsigned int states)
{
	unsigned int stops = 0;

	if (states & S(RUNNING))
		stops |= S(XRUN);
	if (states & S(DRAINING))
		stops |= S(SETUP) | S(XRUN);
	return stops;
}

static void arm(struct fuzz_thread *t, long ns)
{
	struct itimerspec when = {
		.it_interval.tv_nsec = ns, .it_value.tv_nsec = ns,
	};

	if (timer_settime(t->alarm, 0, &when, NULL))
		fuzz_fail("timer_settime: %s", strerror(errno));
}

int fuzz_index(const struct fuzz_op *op)
{
	unsigned int i;

	for (i = 0; i < fuzz_op_count; i++)
		if (fuzz_ops[i] == op)
			return i;
	return -1;
}

static void begin(struct fuzz_thread *t, const struct fuzz_op *op,
		  struct fuzz_slot *s, uint64_t number)
{
	uint64_t *logged = &fuzz_shared->logged[t->number];

	t->now = &fuzz_shared->log[t->number][(*logged)++ % FUZZ_LOG];
	memset(t->now, 0, sizeof(*t->now));
	t->now->number = number;
	t->now->op = fuzz_index(op);
	t->now->slot = op->flags & FUZZ_STREAM ? s - fuzz_slots : -1;
	t->now->before = s->state;
}

/* Both checksums tell whether two runs were the same: ops, and results. */
static void count(struct fuzz_thread *t, long ret, int bit)
{
	struct fuzz_count *c = &fuzz_shared->count[t->number][t->now->op];
	uint64_t sum = t->now->op + 1;
	unsigned int i;

	c->done++;
	if (ret >= 0)
		c->good++;
	else
		c->bad[bit]++;
	__atomic_add_fetch(&fuzz_shared->ops, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&fuzz_shared->beat, 1, __ATOMIC_RELAXED);
	if (fuzz_racing)
		return;
	for (i = 0; i < t->now->args; i++)
		sum = mix(sum + t->now->arg[i]);
	fuzz_shared->digest = mix(fuzz_shared->digest ^ sum);
	sum += ret < 0 ? (uint64_t)ret : 0;
	fuzz_shared->results = mix(fuzz_shared->results ^
				   (sum + t->now->after));
}

static int judge_result(struct fuzz_thread *t, const struct fuzz_op *op,
			long ret)
{
	uint32_t allowed = op->errnos;
	unsigned int i;

	if (ret >= 0 && op->flags & FUZZ_NEVER)
		fuzz_fail("%s: done, which it never must be", op->name);
	if (ret >= 0)
		return 0;
	if (t->blocking)
		allowed |= E_INTR;
	if (op->flags & FUZZ_STREAM && t->now->before == FUZZ_CLOSED)
		allowed |= E_BADF;
	if (fuzz_racing && op->flags & FUZZ_STREAM)
		allowed |= E_BADFD | E_PIPE | E_BADF;
	if (fuzz_racing && op->flags & FUZZ_RING)
		allowed |= E_BUSY;
	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].number == -ret)
			break;
	if (i == ARRAY_SIZE(errors) || !(allowed & 1U << i))
		fuzz_fail("%s: %s, which it does not say", op->name,
			  strerror(-ret));
	return i;
}

/*
 * A stream of a group stops with any other that stops. Where one is OPEN the
 * kernel stops none, and XRUN does nothing where it is one: both say nothing.
 */
static void judge_state(const struct fuzz_op *op, const struct fuzz_slot *s,
			const struct fuzz_group *g, long ret)
{
	unsigned int before = g->before[s - fuzz_slots];
	unsigned int own = g->before[g->called - fuzz_slots];
	unsigned int allowed = op->anyway;

	if (!(S_ANY & 1U << s->state))
		fuzz_fail("%s: state %u", op->name, s->state);
	if (s != g->called && !(op->flags & (FUZZ_WHOLE | FUZZ_MOVES)))
		allowed = 0;
	if (ret >= 0 && op->success &&
	    (s == g->called || op->flags & FUZZ_WHOLE))
		allowed |= op->success;
	else
		allowed |= 1U << before;
	if (g->others && op->flags & FUZZ_WHOLE &&
	    (g->states & S(OPEN) || op->success & S(XRUN) & 1U << own))
		allowed |= 1U << before;
	allowed |= stopped(allowed) | (g->others ? stopped(g->states) : 0);
	if (!(allowed & 1U << s->state))
		fuzz_fail("%s: %s: pcm%u%c%s from %s to %s", op->name,
			  ret < 0 ? strerror(-ret) : "done", s->device,
			  s->capture ? 'c' : 'p',
			  s == g->called ? "" : ", linked,",
			  fuzz_state_name(before), fuzz_state_name(s->state));
}

static void judge_position(const struct fuzz_op *op, struct fuzz_slot *s,
			   const struct fuzz_group *g,
			   const struct snd_pcm_sync_ptr *sp)
{
	unsigned long hw_ptr = sp->s.status.hw_ptr, step;
	bool jumps = op->flags & FUZZ_JUMPS;

	if (s != g->called && !(op->flags & (FUZZ_WHOLE | FUZZ_GROUP)))
		jumps = false;
	if (jumps || !(S_RUN & 1U << s->state))
		s->tracked = false;
	if (s->tracked && s->boundary) {
		step = hw_ptr >= s->hw_ptr ? hw_ptr - s->hw_ptr :
		       hw_ptr + s->boundary - s->hw_ptr;
		if (hw_ptr >= s->boundary || step > s->boundary / 2)
			fuzz_fail("%s: position from %lu to %lu, boundary %lu",
				  op->name, s->hw_ptr, hw_ptr, s->boundary);
	}
	s->hw_ptr = hw_ptr;
	s->tracked = S_RUN & 1U << s->state;
}

static void judge_stream(const struct fuzz_op *op, struct fuzz_slot *s,
			 const struct fuzz_group *g, long ret)
{
	struct snd_pcm_sync_ptr sp;

	if (s->fd < 0) {
		s->state = FUZZ_CLOSED;
	} else if (fuzz_look(s, &sp)) {
		s->state = sp.s.status.state;
		judge_position(op, s, g, &sp);
	} else {
		fuzz_fail("after %s: a look: %s", op->name, strerror(errno));
	}
	judge_state(op, s, g, ret);
}

/* Who is linked to a stream now, and in which state each is */
static void find_group(struct fuzz_group *g, struct fuzz_slot *s)
{
	unsigned int i;

	g->called = s;
	g->others = 0;
	g->states = 1U << s->state;
	for (i = 0; i < FUZZ_SLOTS; i++) {
		g->before[i] = fuzz_slots[i].state;
		if (&fuzz_slots[i] == s || !s->group ||
		    fuzz_slots[i].group != s->group)
			continue;
		g->others |= 1U << i;
		g->states |= 1U << fuzz_slots[i].state;
	}
}

/* What is done to one stream of a group is done to the others too, or not. */
static void judge_group(const struct fuzz_op *op, const struct fuzz_group *g,
			long ret)
{
	unsigned int i;

	judge_stream(op, g->called, g, ret);
	for (i = 0; i < FUZZ_SLOTS; i++)
		if (g->others & 1U << i)
			judge_stream(op, &fuzz_slots[i], g, ret);
}

/* One operation, and whether what came of it is allowed */
void fuzz_do(struct fuzz_thread *t, const struct fuzz_op *op,
	     struct fuzz_slot *s, uint64_t number)
{
	struct fuzz_group group;
	int bit;
	long ret;

	begin(t, op, s, number);
	find_group(&group, s);
	t->blocking = op->flags & FUZZ_BLOCKS && !fuzz_racing && !t->quiet;
	if (t->blocking)
		arm(t, TICK);
	ret = op->run(t, s);
	if (t->blocking)
		arm(t, 0);
	t->now->result = ret;
	bit = judge_result(t, op, ret);
	if (op->flags & FUZZ_STREAM && !fuzz_racing)
		judge_group(op, &group, ret);
	t->now->after = s->state;
	t->now->over = true;
	if (!t->quiet)
		count(t, ret, bit);
}
