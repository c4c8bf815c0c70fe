/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside snd-virtual-test: a test says what it expects, and the first thing that
 * is not so ends up in its report.
 */
#ifndef VSND_TEST_H
#define VSND_TEST_H

#include <linux/types.h>

#define VSND_TEST_WHY_BYTES	160

/**
 * struct vsnd_test - a test that runs
 * @failed: was something not as expected?
 * @why: what, and where
 */
struct vsnd_test {
	bool failed;
	char why[VSND_TEST_WHY_BYTES];
};

/**
 * struct vsnd_test_case - a test
 * @name: what is true if it passes
 * @run: says what it expects, by EXPECT_EQ()
 */
struct vsnd_test_case {
	const char *name;
	void (*run)(struct vsnd_test *t);
};

/* One list of each file, ended by an empty entry */
extern const struct vsnd_test_case vsnd_test_timeline_cases[];
extern const struct vsnd_test_case vsnd_test_ring_cases[];

/* main.c */
const struct vsnd_test_case *vsnd_test_get(unsigned int number);
bool vsnd_test_expect_eq(struct vsnd_test *t, u64 is, u64 wanted,
			 const char *what, const char *func, int line);
u64 vsnd_test_random(u64 *state, u64 below);

/* Is it so? True if it is, so that a test can stop where it is not. */
#define EXPECT_EQ(t, is, wanted)				\
	vsnd_test_expect_eq(t, is, wanted, #is " == " #wanted,	\
			    __func__, __LINE__)

/* stall.c */
struct dentry;
int vsnd_test_stall_init(struct dentry *dir);
void vsnd_test_stall_exit(void);

/* kunit.c: for kernels that have KUnit, the same tests as a suite of it */
#if IS_ENABLED(CONFIG_KUNIT)
void vsnd_test_kunit_init(void);
#else
static inline void vsnd_test_kunit_init(void) { }
#endif

#endif /* VSND_TEST_H */
