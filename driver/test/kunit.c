// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests as a suite of KUnit, which runs it when the module is loaded:
 * /sys/kernel/debug/kunit/snd-virtual/results.
 */

#include <kunit/test.h>

#include "test.h"

#define VSND_TEST_CASES_MAX	50

static struct kunit_case vsnd_test_kunit_cases[VSND_TEST_CASES_MAX + 1];

/* A case of KUnit knows nothing but its name. */
static void vsnd_test_kunit_run(struct kunit *kunit)
{
	const struct vsnd_test_case *test;
	struct vsnd_test t = { };
	unsigned int i = 0;

	do {
		test = vsnd_test_get(i++);
		KUNIT_ASSERT_NOT_NULL(kunit, test);
	} while (strcmp(test->name, kunit->name));
	test->run(&t);
	if (t.failed)
		KUNIT_FAIL(kunit, "%s", t.why);
}

/**
 * vsnd_test_kunit_init() - make a case of KUnit of every test
 *
 * Context: The module's init, before KUnit looks for its suites.
 */
void vsnd_test_kunit_init(void)
{
	const struct vsnd_test_case *test;
	struct kunit_case *to;
	unsigned int i;

	for (i = 0; (test = vsnd_test_get(i)); i++) {
		if (WARN_ON(i == VSND_TEST_CASES_MAX))
			return;
		to = &vsnd_test_kunit_cases[i];
		/* KUnit never writes to it. */
		to->name = (char *)test->name;
		to->run_case = vsnd_test_kunit_run;
		to->module_name = KBUILD_MODNAME;
	}
}

static struct kunit_suite vsnd_test_suite = {
	.name = "snd-virtual",
	.test_cases = vsnd_test_kunit_cases,
};

kunit_test_suite(vsnd_test_suite);
