/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness: results in KTAP, steps that cannot fail unseen, undoing, time.
 *
 * A program finds the card with vt_init(), prints its plan with vt_plan(), runs
 * each test with vt_run() and returns vt_finish(). A test is a function without
 * a result: it passes when it returns. Its steps are wrapped in MUST(), SYS(),
 * REFUSED() and EXPECT(); the first that fails ends the test, whatever was
 * deferred is undone, and the reason is printed.
 */
#ifndef VTEST_H
#define VTEST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define VT_SECOND	1000000000LL	/* in ns, as all times here */
#define VT_MS		1000000LL
#define VT_US		1000LL
#define VT_LATE		(500 * VT_US)	/* at most, until a sleeper runs again */

/* A long that an int takes for 0, where a long is longer; else a negative one */
#define VT_BEYOND_INT	(sizeof(long) > sizeof(int) ? (long)(1LL << 32) : LONG_MIN)
#define VT_BELOW_INT	(sizeof(long) > sizeof(int) ? (long)-(1LL << 32) : LONG_MIN)

typedef void vt_test(const void *arg);

/* Results */
void vt_init(int argc, char **argv, unsigned int seconds);
void vt_plan(unsigned int tests);
void vt_run(vt_test *test, const void *arg, const char *name, ...)
	__attribute__((format(printf, 3, 4)));
int vt_finish(void);
void vt_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Steps. MUST: an alsa-lib call that returns a negative error. SYS: a system
 * call that returns -1 and sets errno. REFUSED: a call like MUST's that has to
 * fail with exactly this error. EXPECT: a condition, and what to say if not.
 */
#define MUST(call)	vt_must((call), #call, __FILE__, __LINE__)
#define SYS(call)	vt_sys((long)(call), #call, __FILE__, __LINE__)
#define REFUSED(want, call) \
	vt_refused((want), (call), #call, __FILE__, __LINE__)
#define EXPECT(cond, ...) \
	((cond) ? (void)0 : vt_fail(__FILE__, __LINE__, __VA_ARGS__))

long vt_must(long ret, const char *what, const char *file, int line);
long vt_sys(long ret, const char *what, const char *file, int line);
void vt_refused(long want, long ret, const char *what, const char *file,
		int line);
void vt_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void vt_skip(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/*
 * What a test has to undo: the last first, when the test ends in any way.
 * vt_undo() does it now. Each thread and process of a test has its own list.
 */
void vt_defer(void (*undo)(void *), void *arg);
void vt_undo(void (*undo)(void *), void *arg);
void *vt_alloc(size_t bytes);

/*
 * Runs a test's parts side by side; the test fails with the first of them.
 * Part i gets args + i * size.
 */
void vt_threads(vt_test *part, const void *args, size_t size, unsigned int n);
pid_t vt_fork(vt_test *part, const void *arg);
void vt_reap(pid_t pid, int signal);

/* The card: its number and how many PCM devices it has */
extern int vt_card;
void vt_find_card(void);	/* anew, when it was loaded again */
int vt_devices(void);
int vt_substreams(void);
void vt_sound(int device);	/* plays and records, every frame */

/* Time, in ns of CLOCK_MONOTONIC */
int vt_slow(void);
int64_t vt_share(int64_t whole);
bool vt_is_shared(unsigned int i);	/* is the i-th of many within it? */
int64_t vt_now(void);
void vt_sleep_until(int64_t when);
int64_t vt_jiffy(void);
unsigned long long vt_interrupts(void);	/* since boot */

void vt_go_down(void);	/* suspend, and resume */

/* Numbers that look random and are the same in every run */
uint64_t vt_random(uint64_t *state, uint64_t below);

#endif
