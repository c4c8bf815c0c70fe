// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings that outlive what they were made of. The host refuses a hw_free while
 * a stream is mapped; but on some kernels an mmap comes between, and the OSS
 * emulation does not ask. Here the core's op is called without the host.
 */

#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	(4 * PAGE_SIZE)

/* As the host's, which counts the first mapping itself. */
static int pcmbuf_test_map_op(struct file *file, struct vm_area_struct *area)
{
	struct pcmbuf_test *t = file->private_data;
	struct snd_pcm_runtime *runtime = t->substream->runtime;
	int err;

	/* a host that could map it by itself would not look at the offset */
	if (t->kind && t->kind->has_pages && is_vmalloc_addr(runtime->dma_area))
		EXPECT_EQ(t, remap_vmalloc_range(area, runtime->dma_area, 0),
			  -EINVAL);
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_SETUP);
	err = snd_pcmbuf_mmap(t->substream, area);
	__snd_pcm_set_state(runtime, SNDRV_PCM_STATE_OPEN);
	if (err)
		return err;
	atomic_inc(&t->substream->mmap_count);
	/* what has no pages has none for a fault either */
	EXPECT(t, !t->kind || t->kind->has_pages == !!area->vm_ops->fault);
	return 0;
}

static const struct file_operations pcmbuf_test_map_fops = {
	.owner	= THIS_MODULE,
	.mmap	= pcmbuf_test_map_op,
};

/*
 * Map the buffer from its begin, for the process that runs the tests. Return:
 * where, or the error; 0 where the test is skipped or has failed.
 */
unsigned long pcmbuf_test_try_map(struct pcmbuf_test *t, size_t bytes)
{
	unsigned long at;
	struct file *file;

	if (!current->mm) {
		t->skip = "a kernel thread has no mappings";
		return 0;
	}
	file = anon_inode_getfile("snd-pcmbuf-test", &pcmbuf_test_map_fops, t,
				  O_RDWR);
	if (!EXPECT(t, !IS_ERR(file)))
		return 0;
	at = vm_mmap(file, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(file);
	return at;
}

/* The same; 0 also where it cannot be mapped. */
unsigned long pcmbuf_test_map(struct pcmbuf_test *t, size_t bytes)
{
	unsigned long at = pcmbuf_test_try_map(t, bytes);

	return EXPECT(t, !IS_ERR_VALUE(at)) ? at : 0;
}

static int pcmbuf_test_look(unsigned long at)
{
	unsigned char byte;

	return copy_from_user(&byte, (void __user *)at, 1) ? -EFAULT : byte;
}

/* A page is looked at for the first time when the runtime has another buffer. */
static void pcmbuf_test_outlives(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;
	unsigned long at;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						  PCMBUF_TEST_BYTES), 1))
		return;
	runtime = t->substream->runtime;
	memset(runtime->dma_area, PCMBUF_TEST_DIRT, PCMBUF_TEST_BYTES);
	at = pcmbuf_test_map(t, PCMBUF_TEST_BYTES);
	if (!at)
		return;
	EXPECT_EQ(t, pcmbuf_test_look(at), PCMBUF_TEST_DIRT);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, pcmbuf_test_look(at + PAGE_SIZE), PCMBUF_TEST_DIRT);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, PCMBUF_TEST_BYTES),
		  1);
	EXPECT(t, pcmbuf_test_is_zero(runtime->dma_area, PCMBUF_TEST_BYTES));
	EXPECT_EQ(t, pcmbuf_test_look(at), PCMBUF_TEST_DIRT);
	EXPECT_EQ(t, pcmbuf_test_look(at + 3 * PAGE_SIZE), PCMBUF_TEST_DIRT);
	EXPECT_EQ(t, pcmbuf_test_total(t), 2 * PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, vm_munmap(at, PCMBUF_TEST_BYTES), 0);
	EXPECT_EQ(t, atomic_read(&t->substream->mmap_count), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), PCMBUF_TEST_BYTES);
}

/* Not even a page that was never looked at is given to the next owner. */
static void pcmbuf_test_not_lent(struct pcmbuf_test *t)
{
	unsigned char *area;
	unsigned long at;
	size_t total;

	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_register(t, PCMBUF_TEST_BYTES), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream,
						  PCMBUF_TEST_BYTES), 1))
		return;
	area = t->substream->runtime->dma_area;
	total = pcmbuf_test_total(t);
	at = pcmbuf_test_map(t, PCMBUF_TEST_BYTES);
	if (!at)
		return;
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 1000), 1);
	EXPECT(t, t->substream->runtime->dma_area != area);
	EXPECT_EQ(t, pcmbuf_test_total(t), total + PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, vm_munmap(at, PCMBUF_TEST_BYTES), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), total);
}

const struct pcmbuf_test_case pcmbuf_test_map_cases[] = {
	{ "a mapping outlives its buffer's owner", pcmbuf_test_outlives, true },
	{ "what is mapped finds no new owner", pcmbuf_test_not_lent, true },
	{ }
};
