// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests as a suite of KUnit, which runs it when the module is loaded:
 * /sys/kernel/debug/kunit/snd-pcmbuf/results.
 */

#include <linux/slab.h>
#include <kunit/test.h>

#include "test.h"

#define PCMBUF_TEST_RUNS_MAX	300
#define PCMBUF_TEST_TEXT_BYTES	2048

static struct kunit_case pcmbuf_test_kunit_cases[PCMBUF_TEST_RUNS_MAX + 1];
static char pcmbuf_test_names[PCMBUF_TEST_RUNS_MAX][PCMBUF_TEST_NAME_BYTES];

/* A case of KUnit knows nothing but its name. */
static bool pcmbuf_test_find(struct pcmbuf_test_run *run, const char *wanted)
{
	char name[PCMBUF_TEST_NAME_BYTES];

	while (pcmbuf_test_next(run)) {
		pcmbuf_test_name(run, name, sizeof(name));
		if (!strcmp(name, wanted))
			return true;
	}
	return false;
}

static void pcmbuf_test_kunit_run(struct kunit *kunit)
{
	struct pcmbuf_test_run run = { };
	struct pcmbuf_test *t;

	t = kunit_kzalloc(kunit, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(kunit, t);
	t->size = PCMBUF_TEST_TEXT_BYTES;
	t->text = kunit_kzalloc(kunit, t->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(kunit, t->text);
	KUNIT_ASSERT_TRUE(kunit, pcmbuf_test_find(&run, kunit->name));
	pcmbuf_test_do(t, &run);
	if (t->failed)
		KUNIT_FAIL(kunit, "%s", t->text);
	else if (t->skip)
		kunit_skip(kunit, "%s", t->skip);
}

/**
 * pcmbuf_test_kunit_init() - make a case of KUnit of every run
 *
 * Context: The module's init, before KUnit looks for its suites.
 */
void pcmbuf_test_kunit_init(void)
{
	struct pcmbuf_test_run run = { };
	unsigned int i;

	for (i = 0; pcmbuf_test_next(&run); i++) {
		if (WARN_ON(i == PCMBUF_TEST_RUNS_MAX))
			return;
		pcmbuf_test_name(&run, pcmbuf_test_names[i],
				 PCMBUF_TEST_NAME_BYTES);
		pcmbuf_test_kunit_cases[i].name = pcmbuf_test_names[i];
		pcmbuf_test_kunit_cases[i].run_case = pcmbuf_test_kunit_run;
		pcmbuf_test_kunit_cases[i].module_name = KBUILD_MODNAME;
	}
}

static struct kunit_suite pcmbuf_test_suite = {
	.name = "snd-pcmbuf",
	.test_cases = pcmbuf_test_kunit_cases,
};

kunit_test_suite(pcmbuf_test_suite);
