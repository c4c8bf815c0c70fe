// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer's lanes: one thread with anything, two threads that meet, and what
 * each of them leaves out.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fuzz.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

#define EPOCH		500	/* rounds with the same clocks */
#define DELAY_MOST	4096	/* turns by which one is held back */

/*
 * PREPARE and RESET of two members of a linked group at the same time hang in
 * the kernel's own core; where streams are linked one thread only does them.
 */
static const struct {
	const char *name;
	bool races;
	unsigned int without;
	unsigned int few;	/* operations among which each kind succeeds, */
	unsigned int many;	/* and the rare ones too */
} lanes[] = {
	{ "single", false, FUZZ_LINKS, 12000, 50000 },
	{ "linked", false, 0, 12000, 50000 },
	{ "race", true, FUZZ_LINKS | FUZZ_ALONE, 3000, 10000 },
	{ "race-linked", true, FUZZ_ALONE, 3000, 10000 },
	{ "kill", false, FUZZ_LINKS, 1, 1 },
};

struct side {
	struct fuzz_thread t;
	const struct fuzz_op *op;
	struct fuzz_slot *slot;
	unsigned int target;
	unsigned int delay;
};

static struct side sides[FUZZ_THREADS];
static uint64_t race_round;
static unsigned int race_go, race_over;

static int find_lane(const char *lane)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lanes); i++)
		if (!strcmp(lanes[i].name, lane))
			return i;
	return -1;
}

bool fuzz_is_lane(const char *lane)
{
	return find_lane(lane) >= 0;
}

bool fuzz_races(const char *lane)
{
	return lanes[find_lane(lane)].races;
}

/* Among how many this operation must succeed there; 0 if it need not at all */
uint64_t fuzz_least(const struct fuzz_op *op, const char *lane)
{
	unsigned int l = find_lane(lane);

	if (!strcmp(lane, "kill") && strcmp(op->name, "kill"))
		return 0;
	if (lanes[l].races && (op->flags & FUZZ_BLOCKS ||
			       !(op->flags & FUZZ_RACE)))
		return 0;
	if (op->flags & (lanes[l].without | FUZZ_NEVER))
		return 0;
	return op->flags & FUZZ_RARE ? lanes[l].many : lanes[l].few;
}

int64_t fuzz_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void nothing(int signal)
{
	(void)signal;
}

/* Signals: one ends waiting, the others are what streams send */
static void set_signals(void)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGIO, &action, NULL);
}

void fuzz_thread_init(struct fuzz_thread *t, unsigned int number)
{
	static struct fuzz_entry nowhere;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGALRM,
	};

	memset(t, 0, sizeof(*t));
	t->number = number;
	t->now = &nowhere;
	t->timer = -1;
	t->ctl = fuzz_open_ctl();
	t->scratch = mmap(NULL, FUZZ_SCRATCH + 65536, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	event.sigev_notify_thread_id = syscall(SYS_gettid);
	if (t->ctl < 0 || t->scratch == MAP_FAILED ||
	    mprotect(t->scratch, FUZZ_SCRATCH, PROT_READ | PROT_WRITE) ||
	    timer_create(CLOCK_MONOTONIC, &event, &t->alarm))
		fuzz_fail("a thread: %s", strerror(errno));
	memset(t->scratch, 0x5a, FUZZ_SCRATCH);
}

static void live_alone(const struct fuzz_limits *limits, unsigned int without)
{
	struct fuzz_thread *t = &sides[0].t;
	uint64_t n = limits->first, i;
	const struct fuzz_op *op;
	struct fuzz_slot *s;

	for (i = 0; !limits->ops || i < limits->ops; i++, n++) {
		if (limits->until && fuzz_now() > limits->until)
			break;
		fuzz_seed_op(t, n);
		s = &fuzz_slots[fuzz_below(t, FUZZ_SLOTS)];
		do
			op = fuzz_choose(t, s, s->state, without, 0);
		while (limits->only && strcmp(limits->only, op->name));
		fuzz_do(t, op, s, n);
	}
}

/* Everything as it was before, but for what the clocks are set to */
static void close_all(void)
{
	unsigned int i, j;

	for (i = 0; i < FUZZ_SLOTS; i++) {
		for (j = 0; j < FUZZ_THREADS; j++)
			if (sides[j].t.scratch)
				fuzz_unmap_slot(&sides[j].t, &fuzz_slots[i]);
		fuzz_close_slot(&sides[0].t, &fuzz_slots[i]);
	}
}

/* Errors are of no account here: what counts is how often it gets there. */
static void drive(struct fuzz_thread *t, struct fuzz_slot *s,
		  unsigned int target)
{
	struct snd_pcm_hw_params p;
	snd_pcm_uframes_t all;
	unsigned int period;

	if (target == FUZZ_CLOSED) {
		fuzz_close_slot(t, s);
		return;
	}
	if (s->fd < 0 && fuzz_open_slot(s, true))
		return;
	ioctl(s->fd, SNDRV_PCM_IOCTL_DROP);
	ioctl(s->fd, SNDRV_PCM_IOCTL_UNLINK);
	period = 64 << fuzz_below(t, 5);
	fuzz_plain_params(&p, period, period * (2 + fuzz_below(t, 3)));
	p.masks[0].bits[0] = 1 << (fuzz_below(t, 2) ? 0 : 3);
	if (target == SNDRV_PCM_STATE_OPEN)
		ioctl(s->fd, SNDRV_PCM_IOCTL_HW_FREE);
	else if (!s->buffer || fuzz_once_in(t, 3))
		fuzz_set_params(s, &p);
	if (target < SNDRV_PCM_STATE_PREPARED)
		return;
	ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE);
	all = s->buffer;
	/* a player can be started if there is something to play */
	if (!s->capture &&
	    (target != SNDRV_PCM_STATE_PREPARED || !fuzz_once_in(t, 4)))
		ioctl(s->fd, SNDRV_PCM_IOCTL_FORWARD, &all);
	if (target == SNDRV_PCM_STATE_PREPARED)
		return;
	ioctl(s->fd, SNDRV_PCM_IOCTL_START);
	if (target == SNDRV_PCM_STATE_XRUN)
		ioctl(s->fd, SNDRV_PCM_IOCTL_XRUN);
	if (target == SNDRV_PCM_STATE_DRAINING)
		ioctl(s->fd, SNDRV_PCM_IOCTL_DRAIN);
	if (target == SNDRV_PCM_STATE_PAUSED)
		ioctl(s->fd, SNDRV_PCM_IOCTL_PAUSE, 1);
}

/* Is the stream where it was driven to? */
static bool is_there(const struct side *side)
{
	struct snd_pcm_sync_ptr sp;

	if (side->slot->fd < 0)
		return side->target == FUZZ_CLOSED;
	return fuzz_look(side->slot, &sp) &&
	       (unsigned int)sp.s.status.state == side->target;
}

static void run_side(struct side *side)
{
	volatile unsigned int i;

	for (i = 0; i < side->delay; i++)
		;
	fuzz_do(&side->t, side->op, side->slot, race_round);
}

static void *second(void *arg)
{
	unsigned int seen = 0;

	fuzz_thread_init(&sides[1].t, 1);
	__atomic_store_n(&race_over, 1, __ATOMIC_RELEASE);
	for (;;) {
		while (__atomic_load_n(&race_go, __ATOMIC_ACQUIRE) == seen)
			;
		seen++;
		run_side(&sides[1]);
		__atomic_store_n(&race_over, 1, __ATOMIC_RELEASE);
	}
	return arg;
}

static void wait_for_second(void)
{
	while (!__atomic_load_n(&race_over, __ATOMIC_ACQUIRE))
		sched_yield();
	race_over = 0;
}

static unsigned int a_target(struct fuzz_thread *t, bool may_close)
{
	static const unsigned int targets[] = {
		SNDRV_PCM_STATE_RUNNING, SNDRV_PCM_STATE_RUNNING,
		SNDRV_PCM_STATE_RUNNING, SNDRV_PCM_STATE_PREPARED,
		SNDRV_PCM_STATE_PREPARED, SNDRV_PCM_STATE_SETUP,
		SNDRV_PCM_STATE_XRUN, SNDRV_PCM_STATE_DRAINING,
		SNDRV_PCM_STATE_PAUSED, SNDRV_PCM_STATE_OPEN, FUZZ_CLOSED,
	};

	return targets[fuzz_below(t, ARRAY_SIZE(targets) - !may_close)];
}

/* Two streams, maybe the same, in chosen states, and a call for each thread */
static void set_round(unsigned int without)
{
	struct fuzz_thread *t = &sides[0].t;
	bool link = !(without & FUZZ_LINKS) && !fuzz_once_in(t, 4);
	unsigned int slot = fuzz_below(t, FUZZ_SLOTS), other, i;

	other = link ? slot ^ 1 : fuzz_once_in(t, 2) ? slot :
		fuzz_once_in(t, 2) ? slot ^ 1 : fuzz_below(t, FUZZ_SLOTS);
	sides[0].slot = &fuzz_slots[slot];
	sides[1].slot = &fuzz_slots[other];
	sides[0].target = a_target(t, slot != other);
	sides[1].target = link || slot == other ? sides[0].target :
						  a_target(t, true);
	for (i = 0; i < (slot == other ? 1 : 2); i++)
		drive(t, sides[i].slot, sides[i].target);
	for (i = 0; i < 2; i++) {
		sides[i].slot->state = sides[i].target;
		if (fuzz_once_in(t, 3))
			fuzz_map_slot(&sides[i].t, sides[i].slot);
	}
	if (link)
		ioctl(sides[0].slot->fd, SNDRV_PCM_IOCTL_LINK,
		      sides[1].slot->fd);
	if (slot == other)
		without |= FUZZ_OWN;
	for (i = 0; i < 2; i++) {
		sides[i].op = fuzz_choose(t, sides[i].slot,
					  sides[i].target, without,
					  FUZZ_RACE | FUZZ_OWN);
		sides[i].delay = 0;
		if (!(without & FUZZ_LINKS))
			without |= FUZZ_GROUP;
	}
	sides[fuzz_below(t, 2)].delay = fuzz_below(t, DELAY_MOST);
	sides[1].t.rng = fuzz_draw(t);
}

static void one_round(unsigned int without)
{
	struct snd_pcm_sync_ptr sp;
	unsigned int i;

	set_round(without);
	for (i = 0; i < FUZZ_THREADS; i++)
		fuzz_shared->reached += is_there(&sides[i]);
	fuzz_shared->targets += FUZZ_THREADS;
	fuzz_shared->digest = fuzz_shared->digest * 31 +
			      fuzz_index(sides[0].op) * 131 +
			      fuzz_index(sides[1].op);
	fuzz_racing = true;
	__atomic_add_fetch(&race_go, 1, __ATOMIC_RELEASE);
	run_side(&sides[0]);
	wait_for_second();
	fuzz_racing = false;
	for (i = 0; i < FUZZ_SLOTS; i++) {
		fuzz_unmap_slot(&sides[0].t, &fuzz_slots[i]);
		fuzz_unmap_slot(&sides[1].t, &fuzz_slots[i]);
		if (fuzz_slots[i].fd < 0)
			continue;
		if (!fuzz_look(&fuzz_slots[i], &sp) ||
		    (unsigned int)sp.s.status.state > SNDRV_PCM_STATE_PAUSED)
			fuzz_fail("after a race: state %d", sp.s.status.state);
	}
}

/* The clocks, which only closed devices change */
static void set_clocks(struct fuzz_thread *t)
{
	unsigned int device;

	close_all();
	for (device = 0; device < 2; device++) {
		struct snd_ctl_elem_value value = {
			.id.iface = SNDRV_CTL_ELEM_IFACE_PCM,
			.id.name = "PCM Clock",
			.id.device = device,
			.value.enumerated.item[0] =
				fuzz_once_in(t, 2) ? 0 : fuzz_below(t, 4),
		};

		if (ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_WRITE, &value) < 0 &&
		    errno != EPERM)
			fuzz_fail("a clock: %s", strerror(errno));
	}
}

static void live_racing(const struct fuzz_limits *limits, unsigned int without)
{
	uint64_t rounds = limits->ops / 2, i;
	pthread_t thread;

	if (pthread_create(&thread, NULL, second, NULL))
		fuzz_fail("no second thread");
	wait_for_second();
	for (i = 0; !limits->ops || i < rounds; i++) {
		if (limits->until && fuzz_now() > limits->until)
			break;
		race_round = limits->first + i;
		fuzz_seed_op(&sides[0].t, race_round);
		if (!(i % EPOCH))
			set_clocks(&sides[0].t);
		one_round(without);
	}
}

/* What the watched process does */
void fuzz_live(const struct fuzz_limits *limits)
{
	int lane = find_lane(limits->lane);
	struct fuzz_limits l = *limits;

	set_signals();
	fuzz_thread_init(&sides[0].t, 0);
	if (!strcmp(lanes[lane].name, "kill"))
		l.only = "kill";
	if (lanes[lane].races)
		live_racing(&l, lanes[lane].without);
	else
		live_alone(&l, lanes[lane].without);
}
