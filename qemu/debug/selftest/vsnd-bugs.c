// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bugs on purpose, one for each detector of a debug kernel: a detector that has
 * never been seen to speak proves nothing by its silence. Loading the module
 * commits the bug named by the parameter; never on a machine that matters.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <sound/core.h>
#include <sound/pcm.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which one to commit");

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);
static int racy;

/* What the compiler must not see through. */
static noinline int opaque(int value)
{
	OPTIMIZER_HIDE_VAR(value);
	return value;
}

static void bug_slab(void)
{
	char *p = kmalloc(24, GFP_KERNEL);

	if (p)
		p[opaque(24)] = 1;
	kfree(p);
}

static void bug_use_after_free(void)
{
	char *p = kmalloc(24, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(*p, 1);
}

static void bug_vmalloc(void)
{
	char *p = vmalloc(PAGE_SIZE - 24);

	if (p)
		p[opaque(PAGE_SIZE - 24)] = 1;
	vfree(p);
}

static void bug_stack(void)
{
	char text[16];
	char *p = text;

	OPTIMIZER_HIDE_VAR(p);
	p[opaque(16)] = 1;
}

static void bug_inversion(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

static void bug_sleep(void)
{
	spin_lock(&lock_a);
	msleep(20);
	spin_unlock(&lock_a);
}

static void bug_shift(void)
{
	pr_info("%d\n", 1 << opaque(40));
}

static void bug_preempt(void)
{
	pr_info("on %u\n", smp_processor_id());
}

static void bug_bounds(void)
{
	int values[4] = { 1, 2, 3, 4 };

	pr_info("%d\n", values[opaque(4)]);
}

/* DMA memory that is freed by another size */
static void bug_dma(void)
{
	struct platform_device *pdev;
	dma_addr_t addr;
	void *area;

	pdev = platform_device_register_simple("vsnd-bugs", -1, NULL, 0);
	if (IS_ERR(pdev))
		return;
	dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	area = dma_alloc_coherent(&pdev->dev, 2 * PAGE_SIZE, &addr, GFP_KERNEL);
	if (area)
		dma_free_coherent(&pdev->dev, PAGE_SIZE, area, addr);
	platform_device_unregister(pdev);
}

/* What only a sound system for debugging looks at */
static void bug_sound(void)
{
	snd_pcm_period_elapsed(NULL);
}

static void bug_leak(void)
{
	void *p = kmalloc(1234, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
}

static void timer_expired(struct timer_list *timer)
{
}

struct timed {
	struct timer_list timer;
};

static void bug_timer(void)
{
	struct timed *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(&t->timer, timer_expired, 0);
	mod_timer(&t->timer, jiffies + 1000 * HZ);
	kfree(t);
}

static void bug_list(void)
{
	struct list_head a, b;

	INIT_LIST_HEAD(&a);
	list_add(&b, &a);
	b.next = &b;
	list_del(&b);
}

static void bug_copy(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	if (p && copy_to_user((void __user *)8, p, opaque(4096)))
		pr_info("not copied\n");
	kfree(p);
}

static int race_thread(void *data)
{
	int i;

	for (i = 0; i < 2000000 && !kthread_should_stop(); i++) {
		racy++;
		if (!(i & 0xfff))
			cond_resched();
	}
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void bug_race(void)
{
	struct task_struct *a = kthread_run(race_thread, NULL, "racer-a");
	struct task_struct *b = kthread_run(race_thread, NULL, "racer-b");

	msleep(5000);
	if (!IS_ERR(a))
		kthread_stop(a);
	if (!IS_ERR(b))
		kthread_stop(b);
}

static int hang_thread(void *data)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(60 * HZ);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* Longer than kernel.hung_task_timeout_secs, which has to be small. */
static void bug_hang(void)
{
	struct task_struct *t = kthread_run(hang_thread, NULL, "sleeper");

	msleep(20000);
	if (IS_ERR(t))
		return;
	wake_up_process(t);
	kthread_stop(t);
}

static void bug_warn(void)
{
	WARN(1, "on purpose\n");
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "slab", bug_slab },
	{ "use-after-free", bug_use_after_free },
	{ "vmalloc", bug_vmalloc },
	{ "stack", bug_stack },
	{ "inversion", bug_inversion },
	{ "sleep", bug_sleep },
	{ "preempt", bug_preempt },
	{ "shift", bug_shift },
	{ "bounds", bug_bounds },
	{ "dma", bug_dma },
	{ "sound", bug_sound },
	{ "leak", bug_leak },
	{ "timer", bug_timer },
	{ "list", bug_list },
	{ "copy", bug_copy },
	{ "race", bug_race },
	{ "hang", bug_hang },
	{ "warn", bug_warn },
};

/* It never stays loaded, so that it can be loaded for the next bug. */
static int __init vsnd_bugs_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bug, bugs[i].name))
			continue;
		bugs[i].commit();
		return -ECANCELED;
	}
	return -EINVAL;
}
module_init(vsnd_bugs_init);

MODULE_AUTHOR("snd-virtual contributors");
MODULE_DESCRIPTION("Bugs on purpose, for the detectors of debug kernels");
MODULE_LICENSE("GPL");
