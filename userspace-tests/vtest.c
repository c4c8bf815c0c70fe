// SPDX-License-Identifier: GPL-2.0-only
/* The harness: results, steps, undoing, the card, time. */

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <alsa/asoundlib.h>
#include "vtest.h"

#define VT_DRIVER	"snd-virtual"
#define VT_NAME_LEN	160

enum vt_verdict { VT_PASS, VT_FAIL, VT_SKIP };

struct vt_deferred {
	struct vt_deferred *next;
	void (*undo)(void *arg);
	void *arg;
};

/* One per thread or process that runs steps */
struct vt_context {
	jmp_buf end;
	struct vt_deferred *deferred;
	char why[VT_NAME_LEN];		/* reason of a skip */
};

int vt_card = -1;

static __thread struct vt_context *vt_current;
static unsigned int vt_planned, vt_seen, vt_count[3];

void vt_note(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("# %s\n", text);
}

static void __attribute__((noreturn)) vt_bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void __attribute__((noreturn)) vt_end(enum vt_verdict verdict)
{
	if (!vt_current)
		vt_bail_out("a step failed outside of a test");
	longjmp(vt_current->end, verdict);
}

void vt_fail(const char *file, int line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vt_note("%s:%d: %s", file, line, text);
	vt_end(VT_FAIL);
}

void vt_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vt_current)
		vsnprintf(vt_current->why, sizeof(vt_current->why), fmt, ap);
	va_end(ap);
	vt_end(VT_SKIP);
}

long vt_must(long ret, const char *what, const char *file, int line)
{
	if (ret < 0)
		vt_fail(file, line, "%s: %s", what, snd_strerror(ret));
	return ret;
}

long vt_sys(long ret, const char *what, const char *file, int line)
{
	if (ret == -1)
		vt_fail(file, line, "%s: %s", what, strerror(errno));
	return ret;
}

void vt_refused(long want, long ret, const char *what, const char *file,
		int line)
{
	if (ret != want)
		vt_fail(file, line, "%s: %s, wanted: %s", what,
			ret < 0 ? snd_strerror(ret) : "done",
			snd_strerror(want));
}

void vt_defer(void (*undo)(void *), void *arg)
{
	struct vt_deferred *d = malloc(sizeof(*d));

	if (!d || !vt_current)
		vt_bail_out("nowhere to defer to");
	d->undo = undo;
	d->arg = arg;
	d->next = vt_current->deferred;
	vt_current->deferred = d;
}

void vt_undo(void (*undo)(void *), void *arg)
{
	struct vt_deferred **p = &vt_current->deferred, *d;

	while (*p && ((*p)->undo != undo || (*p)->arg != arg))
		p = &(*p)->next;
	if (!*p)
		vt_bail_out("undoing what was never deferred");
	d = *p;
	*p = d->next;
	free(d);
	undo(arg);
}

void *vt_alloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (!p)
		vt_bail_out("out of memory");
	vt_defer(free, p);
	return p;
}

static enum vt_verdict vt_call(struct vt_context *ctx, vt_test *test,
			       const void *arg)
{
	struct vt_context *outer = vt_current;
	int verdict;

	vt_current = ctx;
	verdict = setjmp(ctx->end);
	if (verdict == VT_PASS)
		test(arg);
	while (ctx->deferred)
		vt_undo(ctx->deferred->undo, ctx->deferred->arg);
	vt_current = outer;
	return verdict;
}

/*
 * The reason for which a test cannot be done here, if there is one: a line of
 * $VT_SKIP has "program", a pattern of the names, and it, each after a tab.
 */
static const char *vt_why_not(const char *name, char *line, size_t size)
{
	const char *path = getenv("VT_SKIP"), *program, *pattern, *why = NULL;
	FILE *file = path ? fopen(path, "r") : NULL;

	while (file && !why && fgets(line, size, file)) {
		program = strtok(line, "\t\n");
		pattern = strtok(NULL, "\t\n");
		why = strtok(NULL, "\t\n");
		if (!why || strcmp(program, program_invocation_short_name) ||
		    fnmatch(pattern, name, 0))
			why = NULL;
	}
	if (file)
		fclose(file);
	return why;
}

void vt_run(vt_test *test, const void *arg, const char *fmt, ...)
{
	struct vt_context ctx = { .deferred = NULL };
	char name[VT_NAME_LEN], line[256];
	enum vt_verdict verdict;
	const char *why;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	why = vt_why_not(name, line, sizeof(line));
	if (why) {
		verdict = VT_SKIP;
		snprintf(ctx.why, sizeof(ctx.why), "%s", why);
	} else {
		verdict = vt_call(&ctx, test, arg);
	}
	vt_count[verdict]++;
	vt_seen++;
	printf("%s %u - %s%s%s\n", verdict == VT_FAIL ? "not ok" : "ok",
	       vt_seen, name, verdict == VT_SKIP ? " # SKIP " : "",
	       verdict == VT_SKIP ? ctx.why : "");
}

int vt_finish(void)
{
	if (vt_seen != vt_planned)
		vt_note("planned %u tests, ran %u", vt_planned, vt_seen);
	vt_note("%u passed, %u failed, %u skipped", vt_count[VT_PASS],
		vt_count[VT_FAIL], vt_count[VT_SKIP]);
	if (vt_count[VT_PASS] + vt_count[VT_SKIP] != vt_planned)
		return 1;
	return vt_count[VT_PASS] ? 0 : 4;
}

struct vt_thread {
	pthread_t id;
	struct vt_context ctx;
	enum vt_verdict verdict;
	vt_test *part;
	const void *arg;
};

static void *vt_thread_main(void *data)
{
	struct vt_thread *t = data;

	t->verdict = vt_call(&t->ctx, t->part, t->arg);
	return NULL;
}

void vt_threads(vt_test *part, const void *args, size_t size, unsigned int n)
{
	struct vt_thread *t = vt_alloc(n * sizeof(*t));
	unsigned int i, failed = 0;

	for (i = 0; i < n; i++) {
		t[i].part = part;
		t[i].arg = (const char *)args + i * size;
		if (pthread_create(&t[i].id, NULL, vt_thread_main, &t[i]))
			vt_bail_out("cannot create a thread");
	}
	for (i = 0; i < n; i++) {
		if (pthread_join(t[i].id, NULL))
			vt_bail_out("cannot join a thread");
		failed += t[i].verdict == VT_FAIL;
	}
	EXPECT(!failed, "%u of %u threads failed", failed, n);
}

pid_t vt_fork(vt_test *part, const void *arg)
{
	struct vt_context ctx = { .deferred = NULL };
	pid_t pid;

	fflush(stdout);
	pid = SYS(fork());
	if (!pid) {
		enum vt_verdict verdict = vt_call(&ctx, part, arg);

		fflush(stdout);
		_exit(verdict == VT_FAIL);
	}
	return pid;
}

/* Waits for a child that has to end well, or by this signal. */
void vt_reap(pid_t pid, int signal)
{
	int status;

	SYS(waitpid(pid, &status, 0));
	if (WIFEXITED(status))
		EXPECT(!WEXITSTATUS(status), "process %d failed", pid);
	else
		EXPECT(WTERMSIG(status) == signal, "process %d: %s", pid,
		       strsignal(WTERMSIG(status)));
}

/* How many times as slow as others the kernel may be: a debug kernel is. */
int vt_slow(void)
{
	const char *times = getenv("VT_SLOW");

	return times ? atoi(times) : 1;
}

/* What this run is to do of something that is done for long or often. */
int64_t vt_share(int64_t whole)
{
	const char *percent = getenv("VT_SHARE");

	return percent ? (whole * atoi(percent) + 99) / 100 : whole;
}

/* They are spread evenly, and the last is one of them. */
bool vt_is_shared(unsigned int i)
{
	return vt_share(1000 * (int64_t)(i + 1)) / 1000 >
	       vt_share(1000 * (int64_t)i) / 1000;
}

static void vt_watchdog(int signal)
{
	static const char text[] = "Bail out! the watchdog barked\n";

	(void)signal;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static snd_ctl_t *vt_open_ctl(int card)
{
	snd_ctl_t *ctl;
	char name[16];
	int err;

	snprintf(name, sizeof(name), "hw:%d", card);
	err = snd_ctl_open(&ctl, name, 0);
	if (err < 0) {
		vt_note("%s: %s", name, snd_strerror(err));
		vt_bail_out("cannot open a card's control device");
	}
	return ctl;
}

static bool vt_is_ours(int card)
{
	snd_ctl_card_info_t *info;
	snd_ctl_t *ctl = vt_open_ctl(card);
	bool ours;

	snd_ctl_card_info_alloca(&info);
	if (snd_ctl_card_info(ctl, info) < 0)
		vt_bail_out("a card that does not tell its name");
	ours = !strcmp(snd_ctl_card_info_get_driver(info), VT_DRIVER);
	snd_ctl_close(ctl);
	return ours;
}

void vt_find_card(void)
{
	int card = -1;

	vt_card = -1;
	while (vt_card < 0 && snd_card_next(&card) >= 0 && card >= 0)
		if (vt_is_ours(card))
			vt_card = card;
	if (vt_card < 0)
		vt_bail_out("no card with the driver " VT_DRIVER);
}

/*
 * Finds the card, which the first argument may name by its number, and gives
 * the whole program so many seconds.
 */
void vt_init(int argc, char **argv, unsigned int seconds)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	if (signal(SIGALRM, vt_watchdog) == SIG_ERR)
		vt_bail_out("no watchdog");
	alarm(seconds * vt_slow());
	if (argc > 1)
		vt_card = atoi(argv[1]);
	else
		vt_find_card();
}

void vt_plan(unsigned int tests)
{
	vt_planned = tests;
	printf("1..%u\n", tests);
}

int vt_devices(void)
{
	snd_ctl_t *ctl = vt_open_ctl(vt_card);
	int device = -1, n = 0;

	while (snd_ctl_pcm_next_device(ctl, &device) >= 0 && device >= 0)
		n++;
	snd_ctl_close(ctl);
	return n;
}

int vt_substreams(void)
{
	snd_ctl_t *ctl = vt_open_ctl(vt_card);
	snd_pcm_info_t *info;
	int n = 0;

	snd_pcm_info_alloca(&info);
	if (snd_ctl_pcm_info(ctl, info) >= 0)
		n = snd_pcm_info_get_subdevices_count(info);
	snd_ctl_close(ctl);
	return n;
}

int64_t vt_now(void)
{
	struct timespec ts;
	int err;

#ifdef __powerpc__
	/* its vDSO goes by the timebase, whatever the kernel goes by */
	err = syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
#else
	err = clock_gettime(CLOCK_MONOTONIC, &ts);
#endif
	if (err)
		vt_bail_out("no monotonic clock");
	return ts.tv_sec * VT_SECOND + ts.tv_nsec;
}

void vt_sleep_until(int64_t when)
{
	struct timespec ts = {
		.tv_sec = when / VT_SECOND,
		.tv_nsec = when % VT_SECOND,
	};
	int err;

	if (when <= 0)
		return;
	do {
		err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
				      NULL);
	} while (err == EINTR);
	if (err)
		vt_bail_out("cannot sleep");
}

/* The kernel's tick, which its coarse clock shows */
int64_t vt_jiffy(void)
{
	struct timespec ts;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts))
		vt_bail_out("no coarse clock");
	return ts.tv_nsec;
}

/* Of all processors */
unsigned long long vt_interrupts(void)
{
	FILE *stat = fopen("/proc/stat", "r");
	unsigned long long count = 0;
	char word[100];

	EXPECT(stat, "/proc/stat: %s", strerror(errno));
	while (fscanf(stat, "%99s", word) == 1)
		if (!strcmp(word, "intr")) {
			EXPECT(fscanf(stat, "%llu", &count) == 1,
			       "no interrupts in /proc/stat");
			break;
		}
	fclose(stat);
	return count;
}

static void vt_order(const char *file, const char *value)
{
	int fd = SYS(open(file, O_WRONLY));

	SYS(write(fd, value, strlen(value)));
	close(fd);
}

/* The system suspends, down to the devices, and comes back at once. */
void vt_go_down(void)
{
	if (access("/sys/power/pm_test", W_OK) < 0)
		vt_skip("this kernel has no test of a suspend");
	vt_order("/sys/power/pm_test", "devices");
	vt_order("/sys/module/suspend/parameters/pm_test_delay", "0");
	vt_order("/sys/power/state", "freeze");
	vt_order("/sys/power/pm_test", "none");
}

uint64_t vt_random(uint64_t *state, uint64_t below)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % below;
}
