// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalls of the machine, by request, for tests in a guest: files in
 * /sys/kernel/debug/snd-virtual-test, to which a number of ns is written:
 *
 *	jump		CLOCK_MONOTONIC jumps ahead, as on a machine that has
 *			stood still; timers are late, and nobody has run
 *	irqs_off	this CPU does nothing for so long, interrupts off
 *	slow_start	from now on each start of a stream takes so much longer,
 *			in whole ms, up to 1 s
 *	slow_started	so does what the PCM core does of each when it runs, before
 *			it says so
 *	slow_stop	so does each stop
 *	slow_reset	so does each RESET, in what the driver does of it
 *	slow_tell	so does the PCM core until it looks at a stream it is told of
 *
 * For a jump the kernel has to go by the clock source of this module, which has
 * its name; see /sys/devices/system/clocksource/clocksource0/.
 */
#include <linux/atomic.h>
#include <linux/clocksource.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nmi.h>
#include <linux/sched/clock.h>
#include <linux/time64.h>

#include "test.h"

#define VSND_TEST_SHIFT		22	/* 73 minutes until a product overflows */
#define VSND_TEST_JUMP_MAX	(3600ULL * NSEC_PER_SEC)
#define VSND_TEST_OFF_MAX	(10ULL * NSEC_PER_SEC)
#define VSND_TEST_SLOW_MAX	NSEC_PER_SEC

static atomic64_t vsnd_test_jumped;

static u64 notrace vsnd_test_read(struct clocksource *source)
{
	return sched_clock() + atomic64_read(&vsnd_test_jumped);
}

static struct clocksource vsnd_test_source = {
	.name = "snd-virtual-test",
	.owner = THIS_MODULE,
	.rating = 1,	/* not to be taken by itself, to verify others by it */
	.read = vsnd_test_read,
	.mask = CLOCKSOURCE_MASK(64),
	.mult = 1 << VSND_TEST_SHIFT,
	.shift = VSND_TEST_SHIFT,
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
};

static int vsnd_test_jump(void *data, u64 ns)
{
	if (ns > VSND_TEST_JUMP_MAX)
		return -EINVAL;
	atomic64_add(ns, &vsnd_test_jumped);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(vsnd_test_jump_fops, NULL, vsnd_test_jump, "%llu\n");

static void vsnd_test_spin(u64 ns)
{
	u64 until = sched_clock() + ns;

	while (sched_clock() < until)
		cpu_relax();
	touch_softlockup_watchdog();
}

static int vsnd_test_irqs_off(void *data, u64 ns)
{
	unsigned long flags;

	if (ns > VSND_TEST_OFF_MAX)
		return -EINVAL;
	local_irq_save(flags);
	vsnd_test_spin(ns);
	local_irq_restore(flags);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(vsnd_test_irqs_off_fops, NULL, vsnd_test_irqs_off,
			 "%llu\n");

/**
 * struct vsnd_test_slow - something that takes longer on request
 * @name: file
 * @probe: at its beginning
 * @ms: how much longer
 * @there: is @probe registered?
 */
struct vsnd_test_slow {
	const char *name;
	struct kprobe probe;
	unsigned int ms;
	bool there;
};

/* By no clock: with interrupts off, that of a machine without a TSC stands. */
static int vsnd_test_be_slow(struct kprobe *probe, struct pt_regs *regs)
{
	const struct vsnd_test_slow *slow =
		container_of(probe, struct vsnd_test_slow, probe);

	mdelay(READ_ONCE(slow->ms));
	touch_softlockup_watchdog();
	return 0;
}

static struct vsnd_test_slow vsnd_test_slows[] = {
	{ "slow_start", { .symbol_name = "vsnd_end_start" } },
	{ "slow_started", { .symbol_name = "snd_pcm_post_start" } },
	{ "slow_stop", { .symbol_name = "vsnd_end_stop" } },
	{ "slow_reset", { .symbol_name = "vsnd_end_reset" } },
	{ "slow_tell", { .symbol_name = "snd_pcm_period_elapsed" } },
};

static DEFINE_MUTEX(vsnd_test_slow_lock);

/*
 * The driver has to be there; the probe stays until this module goes. A kernel
 * may have no kprobes, or may have merged its own function into another. One of
 * the driver's can only have got another name: that is an error in the log.
 */
static int vsnd_test_set_slow(void *data, u64 ns)
{
	struct vsnd_test_slow *slow = data;
	int err = 0;

	if (ns > VSND_TEST_SLOW_MAX)
		return -EINVAL;
	mutex_lock(&vsnd_test_slow_lock);
	WRITE_ONCE(slow->ms, (u32)ns / (u32)NSEC_PER_MSEC);
	slow->probe.pre_handler = vsnd_test_be_slow;
	if (!slow->there)
		err = register_kprobe(&slow->probe);
	if (err == -ENOENT && !strncmp(slow->probe.symbol_name, "vsnd_", 5))
		pr_err("snd-virtual-test: no %s here\n", slow->probe.symbol_name);
	slow->there = !err;
	mutex_unlock(&vsnd_test_slow_lock);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(vsnd_test_slow_fops, NULL, vsnd_test_set_slow,
			 "%llu\n");

/**
 * vsnd_test_stall_init() - offer stalls
 * @dir: directory for the files
 *
 * Context: The module's init. May sleep.
 * Return: 0 or a negative error code.
 */
int vsnd_test_stall_init(struct dentry *dir)
{
	unsigned int i;
	int err;

	err = __clocksource_register(&vsnd_test_source);
	if (err)
		return err;
	debugfs_create_file("jump", 0200, dir, NULL, &vsnd_test_jump_fops);
	debugfs_create_file("irqs_off", 0200, dir, NULL,
			    &vsnd_test_irqs_off_fops);
	for (i = 0; i < ARRAY_SIZE(vsnd_test_slows); i++)
		debugfs_create_file(vsnd_test_slows[i].name, 0200, dir,
				    &vsnd_test_slows[i], &vsnd_test_slow_fops);
	return 0;
}

/**
 * vsnd_test_stall_exit() - offer them no longer, the files are gone
 *
 * Context: The module's exit.
 */
void vsnd_test_stall_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vsnd_test_slows); i++)
		if (vsnd_test_slows[i].there)
			unregister_kprobe(&vsnd_test_slows[i].probe);
	clocksource_unregister(&vsnd_test_source);
}
