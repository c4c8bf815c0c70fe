// SPDX-License-Identifier: GPL-2.0-only
/*
 * snd-pcmbuf-test: reading /sys/kernel/debug/snd-pcmbuf-test runs all tests and
 * gives their report in KTAP, whose plan comes first.
 *
 * Two lines in the kernel log belong to the tests: "cannot preallocate ...
 * bytes" and, once, "the buffer is not from snd-pcmbuf".
 */

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "test.h"

#define PCMBUF_TEST_REPORT_BYTES	65536

static const struct pcmbuf_test_kind pcmbuf_test_kinds[] = {
	{ "continuous",	SND_PCMBUF_CONTINUOUS,	SNDRV_DMA_TYPE_CONTINUOUS,
	  false,	true },
	{ "vmalloc",	SND_PCMBUF_VMALLOC,	SNDRV_DMA_TYPE_VMALLOC,
	  false,	true },
	{ "vmalloc32",	SND_PCMBUF_VMALLOC_32,	SNDRV_DMA_TYPE_VMALLOC,
	  false,	true },
	{ "sg",		SND_PCMBUF_SG,		SNDRV_DMA_TYPE_VMALLOC,
	  false,	true },
	{ "sg of a device", SND_PCMBUF_SG,	SNDRV_DMA_TYPE_VMALLOC,
	  true,		true },
	{ "coherent",	SND_PCMBUF_COHERENT,	SNDRV_DMA_TYPE_DEV,
	  true,		false },
};

static const struct pcmbuf_test_case *const pcmbuf_test_lists[] = {
	pcmbuf_test_malloc_cases,
	pcmbuf_test_prealloc_cases,
	pcmbuf_test_life_cases,
	pcmbuf_test_account_cases,
	pcmbuf_test_owner_cases,
	pcmbuf_test_lookup_cases,
	pcmbuf_test_map_cases,
	pcmbuf_test_dma_cases,
	pcmbuf_test_device_cases,
	pcmbuf_test_probe_cases,
	pcmbuf_test_watch_cases,
	pcmbuf_test_classic_cases,
#ifdef CONFIG_FAULT_INJECTION
	pcmbuf_test_faults_cases,	/* the last */
#endif
};

static bool faults;
module_param(faults, bool, 0444);
MODULE_PARM_DESC(faults,
		 "let each allocation fail once, where the kernel can (default 0)");

static struct platform_device *pcmbuf_test_device;
static struct dentry *pcmbuf_test_dentry;

/* Protects the substreams' owners of a run from each other: one at a time. */
static DEFINE_MUTEX(pcmbuf_test_mutex);

void pcmbuf_test_say(struct pcmbuf_test *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->len += vscnprintf(t->text + t->len, t->size - t->len, fmt, args);
	va_end(args);
}

bool pcmbuf_test_expect(struct pcmbuf_test *t, bool is, const char *what,
			const char *func, int line)
{
	if (is)
		return true;
	t->failed = true;
	pcmbuf_test_say(t, "# %s:%d: expected %s\n", func, line, what);
	return false;
}

bool pcmbuf_test_expect_eq(struct pcmbuf_test *t, long long is,
			   long long wanted, const char *what,
			   const char *func, int line)
{
	if (is == wanted)
		return true;
	t->failed = true;
	pcmbuf_test_say(t, "# %s:%d: expected %s: is %lld, not %lld\n", func,
			line, what, is, wanted);
	return false;
}

/*
 * Does a device see at once what the processor writes? Where it does not, the
 * core refuses it scatter-gather memory.
 */
static bool pcmbuf_test_is_coherent(struct device *dev)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL |
						       GFP_DMA32);
	bool coherent = true;
	dma_addr_t addr;

	if (!page)
		return true;
	addr = dma_map_single(dev, page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (!dma_mapping_error(dev, addr)) {
		coherent = !dma_need_sync(dev, addr);
		dma_unmap_single(dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	}
	free_page((unsigned long)page);
	return coherent;
}

static void pcmbuf_test_run_case(struct pcmbuf_test *t,
				 const struct pcmbuf_test_case *test)
{
	unsigned int users;

	t->failed = false;
	t->skip = NULL;
	if (t->kind && t->kind->type == SND_PCMBUF_SG && t->kind->has_device &&
	    !pcmbuf_test_is_coherent(t->dev)) {
		t->skip = "the device is not coherent with the processor here";
		return;
	}
	users = kref_read(&t->dev->kobj.kref);
	if (!EXPECT_EQ(t, pcmbuf_test_card_new(t), 0))
		return;
	test->run(t);
	pcmbuf_test_card_free(t);
	EXPECT_EQ(t, t->left, 0);
	EXPECT_EQ(t, kref_read(&t->dev->kobj.kref), users);
}

static bool pcmbuf_test_runs_on(const struct pcmbuf_test_case *test,
				unsigned int kind)
{
	if (!test->per_kind)
		return kind == 0;
	return pcmbuf_test_kinds[kind].has_pages || !test->needs_pages;
}

static unsigned int pcmbuf_test_list_count(void)
{
	if (IS_ENABLED(CONFIG_FAULT_INJECTION) && !faults)
		return ARRAY_SIZE(pcmbuf_test_lists) - 1;
	return ARRAY_SIZE(pcmbuf_test_lists);
}

/**
 * pcmbuf_test_next() - go through all runs of all tests
 * @run: a run, zeroed at first; becomes the next
 *
 * Context: Any.
 * Return: false at the end.
 */
bool pcmbuf_test_next(struct pcmbuf_test_run *run)
{
	if (run->test)
		run->kind++;
	else
		run->test = pcmbuf_test_lists[0];
	for (;;) {
		if (!run->test->name) {
			if (++run->list == pcmbuf_test_list_count())
				return false;
			run->test = pcmbuf_test_lists[run->list];
		} else if (run->kind == ARRAY_SIZE(pcmbuf_test_kinds)) {
			run->test++;
			run->kind = 0;
		} else {
			if (pcmbuf_test_runs_on(run->test, run->kind))
				return true;
			run->kind++;
		}
	}
}

/**
 * pcmbuf_test_name() - what a run is called
 * @run: the run
 * @name: where to
 * @size: of that, bytes
 *
 * Context: Any.
 */
void pcmbuf_test_name(const struct pcmbuf_test_run *run, char *name,
		      size_t size)
{
	if (run->test->per_kind)
		snprintf(name, size, "%s: %s",
			 pcmbuf_test_kinds[run->kind].name, run->test->name);
	else
		strscpy(name, run->test->name, size);
}

/**
 * pcmbuf_test_do() - make a run
 * @t: its report goes there; with memory for a text
 * @run: the run
 *
 * Context: Process context, may sleep.
 */
void pcmbuf_test_do(struct pcmbuf_test *t, const struct pcmbuf_test_run *run)
{
	t->dev = &pcmbuf_test_device->dev;
	t->kind = run->test->per_kind ? &pcmbuf_test_kinds[run->kind] : NULL;
	mutex_lock(&pcmbuf_test_mutex);
	pcmbuf_test_run_case(t, run->test);
	mutex_unlock(&pcmbuf_test_mutex);
}

static void pcmbuf_test_run_all(struct pcmbuf_test *t)
{
	struct pcmbuf_test_run run = { };
	unsigned int number = 0;
	char name[PCMBUF_TEST_NAME_BYTES];

	while (pcmbuf_test_next(&run))
		number++;
	pcmbuf_test_say(t, "KTAP version 1\n1..%u\n", number);
	memset(&run, 0, sizeof(run));
	for (number = 1; pcmbuf_test_next(&run); number++) {
		pcmbuf_test_do(t, &run);
		pcmbuf_test_name(&run, name, sizeof(name));
		pcmbuf_test_say(t, "%sok %u - %s", t->failed ? "not " : "",
				number, name);
		if (t->skip && !t->failed)
			pcmbuf_test_say(t, " # SKIP %s", t->skip);
		pcmbuf_test_say(t, "\n");
	}
}

static int pcmbuf_test_report_open(struct inode *inode, struct file *file)
{
	struct pcmbuf_test *t;

	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	t->size = PCMBUF_TEST_REPORT_BYTES;
	t->text = kvzalloc(t->size, GFP_KERNEL);
	if (!t->text) {
		kfree(t);
		return -ENOMEM;
	}
	pcmbuf_test_run_all(t);
	file->private_data = t;
	return 0;
}

static ssize_t pcmbuf_test_report_read(struct file *file, char __user *to,
				       size_t count, loff_t *pos)
{
	struct pcmbuf_test *t = file->private_data;

	return simple_read_from_buffer(to, count, pos, t->text, t->len);
}

static int pcmbuf_test_report_release(struct inode *inode, struct file *file)
{
	struct pcmbuf_test *t = file->private_data;

	kvfree(t->text);
	kfree(t);
	return 0;
}

static const struct file_operations pcmbuf_test_report_fops = {
	.owner		= THIS_MODULE,
	.open		= pcmbuf_test_report_open,
	.read		= pcmbuf_test_report_read,
	.llseek		= default_llseek,
	.release	= pcmbuf_test_report_release,
};

static int __init pcmbuf_test_init(void)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple("snd-pcmbuf-test",
					       PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	pcmbuf_test_device = pdev;
	pcmbuf_test_kunit_init();
	pcmbuf_test_dentry = debugfs_create_file("snd-pcmbuf-test", 0400, NULL,
						 NULL,
						 &pcmbuf_test_report_fops);
	return 0;
}

static void __exit pcmbuf_test_exit(void)
{
	debugfs_remove(pcmbuf_test_dentry);
	platform_device_unregister(pcmbuf_test_device);
}

module_init(pcmbuf_test_init);
module_exit(pcmbuf_test_exit);

MODULE_AUTHOR("snd-virtual contributors");
MODULE_DESCRIPTION("tests of snd-pcmbuf");
MODULE_LICENSE("GPL");
