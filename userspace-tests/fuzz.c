// SPDX-License-Identifier: GPL-2.0-only
/*
 * A semantic fuzzer of the card: calls in any order, with good, odd and
 * impossible values, judged by what each may return and what may become of the
 * stream. fuzz.h says how it is made.
 *
 *	fuzz [lane=single] [seed=N] [ops=N] [seconds=N] [first=N] [op=NAME]
 *
 * A run is repeated by its seed: by one thread on a machine whose time is exact
 * too, until something hangs on less time than a call takes; and as to which
 * calls meet by two.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fuzz.h"

#define HANG		60	/* seconds without an operation */
#define SHOWN		40	/* operations that are printed */
#define REACHED		50	/* % of states that races are about */

struct fuzz_shared *fuzz_shared;
struct fuzz_slot fuzz_slots[FUZZ_SLOTS];
const struct fuzz_op *fuzz_ops[FUZZ_OPS];
unsigned int fuzz_op_count;
int fuzz_card = -1;
bool fuzz_racing;
uint64_t fuzz_seed;

static unsigned int results, not_ok;
static pid_t parent;

/* The first that fails says why; the parent prints it. */
void fuzz_fail(const char *fmt, ...)
{
	va_list ap;

	if (!__atomic_test_and_set(&fuzz_shared->failed, __ATOMIC_SEQ_CST)) {
		va_start(ap, fmt);
		vsnprintf(fuzz_shared->failure, sizeof(fuzz_shared->failure),
			  fmt, ap);
		va_end(ap);
	}
	if (getpid() == parent)
		printf("Bail out! %s\n", fuzz_shared->failure);
	_exit(1);
}

int fuzz_open_ctl(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/snd/controlC%d", fuzz_card);
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void find_card(void)
{
	struct snd_ctl_card_info info;
	int i, fd;

	for (i = 0; i < 32; i++) {
		fuzz_card = i;
		fd = fuzz_open_ctl();
		if (fd < 0)
			continue;
		if (!ioctl(fd, SNDRV_CTL_IOCTL_CARD_INFO, &info) &&
		    !strcmp((char *)info.driver, "snd-virtual"))
			return;	/* open: the module is to stay */
		close(fd);
	}
	bail_out("no card with the driver snd-virtual");
}

static void add_ops(const struct fuzz_op *table, unsigned int without)
{
	for (; table->name; table++) {
		if (table->flags & without)
			continue;
		if (fuzz_op_count == FUZZ_OPS)
			bail_out("too many kinds of operations");
		fuzz_ops[fuzz_op_count++] = table;
	}
}

static void add_all(void)
{
	bool lax = fuzz_resumes_any();

	if (lax)
		printf("# this kernel resumes what was not suspended\n");
	add_ops(fuzz_hw_ops, 0);
	add_ops(fuzz_pcm_ops, lax ? FUZZ_STRICT : FUZZ_LAX);
	add_ops(fuzz_data_ops, 0);
	add_ops(fuzz_ctl_ops, 0);
	add_ops(fuzz_timer_ops, 0);
	add_ops(fuzz_sys_ops, 0);
}

static void set_slots(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_SLOTS; i++) {
		fuzz_slots[i].fd = -1;
		fuzz_slots[i].device = i / 2;
		fuzz_slots[i].capture = i % 2;
		fuzz_slots[i].state = FUZZ_CLOSED;
	}
}

static void result(bool good, const char *name)
{
	not_ok += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", ++results, name);
}

static void print_entry(const struct fuzz_entry *e, unsigned int thread)
{
	unsigned int i;

	printf("# %u %10llu %-20s", thread, (unsigned long long)e->number,
	       fuzz_ops[e->op]->name);
	if (e->slot >= 0)
		printf(" pcm%u%c %s", fuzz_slots[e->slot].device,
		       fuzz_slots[e->slot].capture ? 'c' : 'p',
		       fuzz_state_name(e->before));
	if (e->over && e->slot >= 0)
		printf(" -> %s", fuzz_state_name(e->after));
	for (i = 0; i < e->args; i++)
		printf(" %#llx", (unsigned long long)e->arg[i]);
	printf(": %s\n", !e->over ? "not over" :
	       e->result < 0 ? strerror(-e->result) : "done");
}

static void print_log(void)
{
	unsigned int t, i;
	uint64_t n;

	for (t = 0; t < FUZZ_THREADS; t++) {
		n = fuzz_shared->logged[t];
		for (i = n < SHOWN ? n : SHOWN; i; i--)
			print_entry(&fuzz_shared->log[t][(n - i) % FUZZ_LOG],
				    t);
	}
}

/* Where the threads of a process that hangs are, if the kernel tells */
static void print_stacks(pid_t pid)
{
	char command[160];

	fflush(stdout);
	snprintf(command, sizeof(command),
		 "for t in /proc/%d/task/*; do grep State $t/status; cat $t/stack; done 2>&1 | sed 's/^/# /'",
		 pid);
	if (system(command))
		printf("# no stacks\n");
}

/* Waits for the end; false if it hangs */
static bool watch(pid_t pid, int *status)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	int64_t seen = fuzz_now();
	uint64_t beat = 0;

	while (!waitpid(pid, status, WNOHANG)) {
		nanosleep(&tick, NULL);
		if (fuzz_shared->beat != beat) {
			beat = fuzz_shared->beat;
			seen = fuzz_now();
		}
		if (fuzz_now() - seen > HANG * 1000000000LL)
			return false;
	}
	return true;
}

/* Does the operations in a child; true if nothing was found */
static bool run(const struct fuzz_limits *limits)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail_out("cannot fork");
	if (!pid) {
		fuzz_live(limits);
		_exit(0);
	}
	if (!watch(pid, &status)) {
		printf("# hangs: nothing was done for %d s\n", HANG);
		print_log();
		print_stacks(pid);
		bail_out("an operation hangs");
	}
	if (!status)
		return true;
	if (WIFSIGNALED(status))
		printf("# %s\n", strsignal(WTERMSIG(status)));
	printf("# %s\n", fuzz_shared->failure);
	print_log();
	return false;
}

static struct fuzz_count total(unsigned int op)
{
	struct fuzz_count c = fuzz_shared->count[0][op];
	const struct fuzz_count *other = &fuzz_shared->count[1][op];
	unsigned int i;

	c.done += other->done;
	c.good += other->good;
	for (i = 0; i < ARRAY_SIZE(c.bad); i++)
		c.bad[i] += other->bad[i];
	return c;
}

/* Must this kind have succeeded by now? */
static bool is_due(const struct fuzz_op *op, const char *lane)
{
	uint64_t least = fuzz_least(op, lane);

	return least && fuzz_shared->ops >= least;
}

static void print_count(unsigned int op, const char *note)
{
	struct fuzz_count c = total(op);
	unsigned int i;

	printf("# %-22s %10llu %10llu ", fuzz_ops[op]->name,
	       (unsigned long long)c.done, (unsigned long long)c.good);
	for (i = 0; i < ARRAY_SIZE(c.bad); i++)
		if (c.bad[i])
			printf(" %s %llu", fuzz_error_name(i),
			       (unsigned long long)c.bad[i]);
	printf("%s\n", note);
}

/* Prints what was done, and whether each kind has succeeded */
static void judge_counts(const struct fuzz_limits *l, bool good)
{
	unsigned int never = 0, undue = 0, op;

	printf("# %-22s %10s %10s\n", "operation", "done", "good");
	for (op = 0; op < fuzz_op_count; op++) {
		bool due = is_due(fuzz_ops[op], l->lane);
		bool failed = due && good && !l->only && !total(op).good;

		undue += !due && fuzz_least(fuzz_ops[op], l->lane);
		never += failed;
		if (total(op).done || failed)
			print_count(op, failed ? "  NEVER SUCCEEDED" : "");
	}
	if (!never && (!good || l->only || undue))
		printf("ok %u - each kind has succeeded # SKIP %s\n",
		       ++results, good && !l->only ?
		       "too few operations for some kinds" :
		       "not all kinds were done");
	else
		result(!never, "each kind has succeeded");
}

/* A race is about two calls in the states that they were chosen for. */
static void judge_targets(void)
{
	uint64_t all = fuzz_shared->targets, reached = fuzz_shared->reached;

	printf("# of %llu states to begin a race in %llu were reached\n",
	       (unsigned long long)all, (unsigned long long)reached);
	result(reached * 100 >= all * REACHED,
	       "most races began in the states they are about");
}

static void parse(int argc, char **argv, struct fuzz_limits *l)
{
	int i;

	for (i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		unsigned long long n = value ? strtoull(value + 1, NULL, 0) : 0;

		if (value)
			*value++ = '\0';
		if (!value)
			bail_out("an argument is not NAME=VALUE");
		else if (!strcmp(argv[i], "lane") && fuzz_is_lane(value))
			l->lane = value;
		else if (!strcmp(argv[i], "op"))
			l->only = value;
		else if (!strcmp(argv[i], "seed"))
			fuzz_seed = n;
		else if (!strcmp(argv[i], "ops"))
			l->ops = n;
		else if (!strcmp(argv[i], "seconds"))
			l->until = fuzz_now() + n * 1000000000LL;
		else if (!strcmp(argv[i], "first"))
			l->first = n;
		else
			bail_out("an argument of no known name");
	}
}

static void finish(const struct fuzz_limits *l, bool good)
{
	unsigned int device;
	const char *why;
	char name[80];

	printf("# %llu operations, digest %016llx, results %016llx\n",
	       (unsigned long long)fuzz_shared->ops,
	       (unsigned long long)fuzz_shared->digest,
	       (unsigned long long)fuzz_shared->results);
	result(good, "nothing has come but what may come");
	judge_counts(l, good);
	if (fuzz_races(l->lane))
		judge_targets();
	for (device = 0; device < 2; device++) {
		snprintf(name, sizeof(name),
			 "device %u carries every frame afterwards", device);
		why = good ? fuzz_carry(device) : "not tried";
		if (why)
			printf("# %s\n", why);
		result(!why, name);
	}
}

int main(int argc, char **argv)
{
	struct fuzz_limits l = { .lane = "single" };
	bool good;
	int ctl;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	parent = getpid();
	fuzz_seed = fuzz_now();
	fuzz_shared = mmap(NULL, sizeof(*fuzz_shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fuzz_shared == MAP_FAILED)
		bail_out("no memory");
	parse(argc, argv, &l);
	printf("1..%u\n", fuzz_races(l.lane) ? 5 : 4);
	if (!l.ops && !l.until)
		l.ops = 100000;
	find_card();
	set_slots();
	add_all();
	ctl = fuzz_open_ctl();
	fuzz_find_controls(ctl);
	fuzz_find_files();
	printf("# fuzz lane=%s seed=%llu ops=%llu first=%llu\n", l.lane,
	       (unsigned long long)fuzz_seed, (unsigned long long)l.ops,
	       (unsigned long long)l.first);
	good = run(&l);
	fuzz_restore_controls(ctl);
	fuzz_restore_files();
	finish(&l, good);
	return not_ok ? 1 : 0;
}
