// SPDX-License-Identifier: GPL-2.0-only
/*
 * snd-virtual-test: reading tests in /sys/kernel/debug/snd-virtual-test runs all
 * tests of what only computes, and gives their report in KTAP. For what else is
 * there, see stall.c.
 */

#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "test.h"

#define VSND_TEST_REPORT_BYTES	16384

static const struct vsnd_test_case *const vsnd_test_lists[] = {
	vsnd_test_timeline_cases,
	vsnd_test_ring_cases,
};

static struct dentry *vsnd_test_dir;

bool vsnd_test_expect_eq(struct vsnd_test *t, u64 is, u64 wanted,
			 const char *what, const char *func, int line)
{
	if (is == wanted)
		return true;
	if (!t->failed)
		snprintf(t->why, sizeof(t->why),
			 "%s:%d: expected %s: is %llu, not %llu", func, line,
			 what, is, wanted);
	t->failed = true;
	return false;
}

/**
 * vsnd_test_random() - a number that looks random, the same in every run
 * @state: of the series; any number at first
 * @below: what it is below, at least 1
 *
 * Context: Any.
 * Return: the number.
 */
u64 vsnd_test_random(u64 *state, u64 below)
{
	u64 x;
	u64 rest;

	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	x = *state ^ (*state >> 29);
	div64_u64_rem(x, below, &rest);
	return rest;
}

/**
 * vsnd_test_get() - a test by its number
 * @number: from 0 on
 *
 * Context: Any.
 * Return: the test, NULL beyond the last.
 */
const struct vsnd_test_case *vsnd_test_get(unsigned int number)
{
	const struct vsnd_test_case *test;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vsnd_test_lists); i++)
		for (test = vsnd_test_lists[i]; test->name; test++)
			if (!number--)
				return test;
	return NULL;
}

static int vsnd_test_show(struct seq_file *file, void *data)
{
	const struct vsnd_test_case *test;
	unsigned int i, count = 0;

	while (vsnd_test_get(count))
		count++;
	seq_printf(file, "KTAP version 1\n1..%u\n", count);
	for (i = 0; i < count; i++) {
		struct vsnd_test t = { };

		test = vsnd_test_get(i);
		test->run(&t);
		if (t.failed)
			seq_printf(file, "# %s\n", t.why);
		seq_printf(file, "%sok %u - %s\n", t.failed ? "not " : "",
			   i + 1, test->name);
	}
	return 0;
}

/* The buffer holds the whole report, so that nothing is run twice. */
static int vsnd_test_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, vsnd_test_show, NULL,
				VSND_TEST_REPORT_BYTES);
}

static const struct file_operations vsnd_test_fops = {
	.owner		= THIS_MODULE,
	.open		= vsnd_test_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init vsnd_test_init(void)
{
	int err;

	vsnd_test_dir = debugfs_create_dir("snd-virtual-test", NULL);
	err = vsnd_test_stall_init(vsnd_test_dir);
	if (err) {
		debugfs_remove(vsnd_test_dir);
		return err;
	}
	debugfs_create_file("tests", 0400, vsnd_test_dir, NULL,
			    &vsnd_test_fops);
	vsnd_test_kunit_init();
	return 0;
}
module_init(vsnd_test_init);

static void __exit vsnd_test_exit(void)
{
	debugfs_remove(vsnd_test_dir);
	vsnd_test_stall_exit();
}
module_exit(vsnd_test_exit);

MODULE_AUTHOR("snd-virtual contributors");
MODULE_DESCRIPTION("Tests of snd-virtual, and stalls of the machine for tests");
MODULE_LICENSE("GPL");
