// SPDX-License-Identifier: GPL-2.0-only
/* What the bench programs share: the driver, the command line, busy time. */

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vbench.h"

#define TIMER_LIST	"/proc/timer_list"
#define TIMER_LIST_MAX	(4 << 20)

const char *vb_driver;
bool vb_carries;
int vb_capture_device;

static int vb_argc;
static char **vb_argv;

/* Where snd-aloop's device 0 is heard; the other drivers have no crossing. */
void vb_init(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s CARD DRIVER [KEY=VALUE...]\n",
			argv[0]);
		exit(2);
	}
	vb_argc = argc;
	vb_argv = argv;
	vb_driver = argv[2];
	vb_carries = strcmp(vb_driver, "dummy");
	vb_capture_device = !strcmp(vb_driver, "aloop");
	vt_init(argc, argv, 24 * 3600);
	vt_plan(1);
}

static void vb_run(const void *arg)
{
	vt_test * const *test = arg;

	(*test)(NULL);
}

int vb_main(vt_test *test)
{
	vt_run(vb_run, &test, "%s", vb_driver);
	return vt_finish();
}

const char *vb_word(const char *key, const char *standard)
{
	size_t len = strlen(key);
	int i;

	for (i = 3; i < vb_argc; i++)
		if (!strncmp(vb_argv[i], key, len) && vb_argv[i][len] == '=')
			return vb_argv[i] + len + 1;
	return standard;
}

long vb_arg(const char *key, long standard)
{
	const char *word = vb_word(key, NULL);

	return word ? atol(word) : standard;
}

void vb_result(const char *key, const char *fmt, ...)
{
	va_list ap;

	printf("result %s ", key);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Zeroed memory that stays common after a fork */
void *vb_share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED, "out of memory");
	return p;
}

/*
 * How long the processors have been idle, ns. No other file tells it as
 * exactly; idle time does not pass while we read.
 */
static int64_t vb_idle(void)
{
	static const char key[] = ".idle_sleeptime";
	char *text = vt_alloc(TIMER_LIST_MAX), *p = text;
	int fd = SYS(open(TIMER_LIST, O_RDONLY));
	size_t have = 0;
	int64_t idle = 0;
	ssize_t n;

	do {
		n = SYS(read(fd, text + have, TIMER_LIST_MAX - 1 - have));
		have += n;
	} while (n);
	close(fd);
	EXPECT((p = strstr(p, key)), TIMER_LIST " tells no idle time");
	for (; p; p = strstr(p, key)) {
		p += strcspn(p, ":") + 1;
		idle += strtoll(p, &p, 10);
	}
	vt_undo(free, text);
	return idle;
}

/* Sleeps, and tells what the processor had to do meanwhile */
void vb_watch(struct vb_window *w, int64_t length)
{
	int64_t idle = vb_idle();
	int64_t begin = vt_now();
	int64_t end;

	vt_sleep_until(begin + length);
	end = vt_now();
	w->length = end - begin;
	w->busy = w->length - (vb_idle() - idle);
}

static int vb_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sorts the figures. */
double vb_median(double *x, unsigned int n)
{
	qsort(x, n, sizeof(*x), vb_compare);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* The figure which so many percent do not exceed; sorts the figures */
double vb_percentile(double *x, unsigned int n, double percent)
{
	qsort(x, n, sizeof(*x), vb_compare);
	return x[(unsigned int)ceil(n * percent / 100) - 1];
}

double vb_rms(const double *x, unsigned int n)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += x[i] * x[i];
	return sqrt(sum / n);
}

/* What looking at the clock costs, ns */
double vb_clock_cost(void)
{
	double ns[99];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ns); i++) {
		ns[i] = -vt_now();
		ns[i] += vt_now();
	}
	return vb_median(ns, ARRAY_SIZE(ns));
}
