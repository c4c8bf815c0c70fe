// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting a runtime's buffer and taking it back: what is returned, what the
 * runtime says, and what happens with sizes nobody means.
 */

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "test.h"

#define PCMBUF_TEST_BYTES	65536

static void pcmbuf_test_returns(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream;
	unsigned char *area;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	substream = t->substream;

	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, PCMBUF_TEST_BYTES), 1);
	area = substream->runtime->dma_area;
	EXPECT(t, area);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, PCMBUF_TEST_BYTES), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, 1000), 0);
	EXPECT_EQ(t, substream->runtime->dma_bytes, 1000);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, PCMBUF_TEST_BYTES), 0);
	EXPECT_EQ(t, substream->runtime->dma_bytes, PCMBUF_TEST_BYTES);
	EXPECT(t, substream->runtime->dma_area == area);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, PCMBUF_TEST_BYTES + 1),
		  1);
	EXPECT_EQ(t, substream->runtime->dma_bytes, PCMBUF_TEST_BYTES + 1);
}

/* A driver that clears the address itself and frees nothing, as some do. */
static void pcmbuf_test_forgotten(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream;
	unsigned char *area;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	substream = t->substream;
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(substream, 5000), 1);
	area = substream->runtime->dma_area;
	substream->runtime->dma_area = NULL;
	substream->runtime->dma_bytes = 0;
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(substream, 5000), 1);
	EXPECT(t, substream->runtime->dma_area == area);
	EXPECT_EQ(t, substream->runtime->dma_bytes, 5000);
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(substream), 0);
	pcmbuf_test_expect_cleared(t);
}

/* The same of the hardware's address, for every kind. */
static void pcmbuf_test_forgotten_addr(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1))
		return;
	runtime = t->substream->runtime;
	runtime->dma_area = NULL;
	runtime->dma_addr = 0;
	runtime->dma_bytes = 0;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	EXPECT(t, runtime->dma_area == runtime->dma_buffer_p->area);
	EXPECT_EQ(t, runtime->dma_addr, runtime->dma_buffer_p->addr);
}

static void pcmbuf_test_fields(struct pcmbuf_test *t)
{
	struct device *dev = t->kind->has_device ? t->dev : NULL;
	struct snd_pcm_runtime *runtime;
	struct snd_dma_buffer *dmab;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	runtime = t->substream->runtime;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);

	dmab = runtime->dma_buffer_p;
	if (!EXPECT(t, dmab))
		return;
	EXPECT_EQ(t, runtime->dma_bytes, 5000);
	EXPECT_EQ(t, dmab->bytes, PAGE_ALIGN(5000));
	EXPECT(t, runtime->dma_area == dmab->area);
	EXPECT_EQ(t, runtime->dma_addr, dmab->addr);
	/* by the type the host maps it, if the driver has no op for that */
	EXPECT_EQ(t, dmab->dev.type, t->kind->host_type);
	EXPECT(t, dmab->dev.dev == dev);
	EXPECT_EQ(t, t->substream->dma_buffer.dev.type, t->kind->host_type);
	EXPECT(t, t->substream->dma_buffer.dev.dev == dev);
	/* the host frees by these */
	EXPECT(t, !t->substream->dma_buffer.area);
	EXPECT_EQ(t, t->substream->dma_buffer.bytes, 0);

	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

/* Where it was nothing is to be seen any more, but in the kernel's own map. */
static void pcmbuf_test_unmapped(struct pcmbuf_test *t)
{
	unsigned char *area;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0) ||
	    !EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1))
		return;
	area = t->substream->runtime->dma_area;
	EXPECT_EQ(t, is_vmalloc_addr(area),
		  t->kind->type != SND_PCMBUF_CONTINUOUS);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	if (is_vmalloc_addr(area))
		EXPECT(t, !vmalloc_to_page(area));
}

static void pcmbuf_test_failure(struct pcmbuf_test *t)
{
	size_t limit = pcmbuf_test_limit(t);

	if (!limit || !EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	pcmbuf_test_fake_total(t, limit);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 50000), -ENOMEM);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static void pcmbuf_test_mapped(struct pcmbuf_test *t)
{
	struct snd_pcm_runtime *runtime;
	unsigned char *area;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	runtime = t->substream->runtime;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	area = runtime->dma_area;

	atomic_set(&t->substream->mmap_count, 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 50000), -EBUSY);
	EXPECT(t, runtime->dma_area == area);
	EXPECT_EQ(t, runtime->dma_bytes, 5000);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 4000), 0);
	atomic_set(&t->substream->mmap_count, 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 50000), 1);
}

/* What the host has mapped without our help stays as long as it is mapped. */
static void pcmbuf_test_mapped_by_host(struct pcmbuf_test *t)
{
	unsigned char *area;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0))
		return;
	pcmbuf_test_set_ops(t, true);
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	area = t->substream->runtime->dma_area;
	atomic_set(&t->substream->mmap_count, 1);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), -EBUSY);
	EXPECT(t, t->substream->runtime->dma_area == area);
	EXPECT_EQ(t, pcmbuf_test_total(t), PAGE_ALIGN(5000));
	atomic_set(&t->substream->mmap_count, 0);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static const struct snd_pcm_ops pcmbuf_test_page_ops = {
	.page	= snd_pcmbuf_sgbuf_ops_page,
};

/* With a page op it has referred to each page that is seen: the rest may go. */
static void pcmbuf_test_mapped_by_page(struct pcmbuf_test *t)
{
	const struct snd_pcm_ops *ops;

	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	ops = t->substream->ops;
	t->substream->ops = &pcmbuf_test_page_ops;
	atomic_set(&t->substream->mmap_count, 1);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
	atomic_set(&t->substream->mmap_count, 0);
	t->substream->ops = ops;
}

static void pcmbuf_test_good_size(struct pcmbuf_test *t, size_t size)
{
	struct snd_pcm_runtime *runtime = t->substream->runtime;

	if (!EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, size), 1))
		return;
	EXPECT_EQ(t, runtime->dma_bytes, size);
	EXPECT_EQ(t, runtime->dma_buffer_p->bytes, PAGE_ALIGN(size));
	EXPECT_EQ(t, pcmbuf_test_total(t), PAGE_ALIGN(size));
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), 0);
}

static void pcmbuf_test_bad_size(struct pcmbuf_test *t, size_t size,
				 int wanted)
{
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, size), wanted);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static void pcmbuf_test_sizes(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_register(t, 0), 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	pcmbuf_test_good_size(t, 1);
	pcmbuf_test_good_size(t, PAGE_SIZE - 1);
	pcmbuf_test_good_size(t, PAGE_SIZE);
	pcmbuf_test_good_size(t, PAGE_SIZE + 1);
	pcmbuf_test_good_size(t, 1000003);

	pcmbuf_test_bad_size(t, 0, -EINVAL);
	pcmbuf_test_bad_size(t, SIZE_MAX, -ENOMEM);
	pcmbuf_test_bad_size(t, SIZE_MAX - PAGE_SIZE, -ENOMEM);
	pcmbuf_test_bad_size(t, SIZE_MAX / 2 + 1, -ENOMEM);
	pcmbuf_test_bad_size(t, (totalram_pages() + 1) * PAGE_SIZE, -ENOMEM);
}

static void pcmbuf_test_arguments(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *closed = t->pcm->streams[0].substream;

	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(NULL, 5000), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(NULL), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(NULL, 5000), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(NULL), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(closed, 5000), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(closed), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_32_buffer(closed, 5000), -EINVAL);

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	/* open, but never registered */
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), -EINVAL);
	pcmbuf_test_expect_cleared(t);
}

static void pcmbuf_test_helper(struct pcmbuf_test *t,
			       int (*alloc)(struct snd_pcm_substream *, size_t))
{
	struct snd_pcm_runtime *runtime = t->substream->runtime;

	EXPECT_EQ(t, alloc(t->substream, PCMBUF_TEST_BYTES), 1);
	EXPECT(t, runtime->dma_area);
	EXPECT_EQ(t, pcmbuf_test_total(t), PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, alloc(t->substream, 1000), 0);
	EXPECT_EQ(t, runtime->dma_bytes, 1000);
	EXPECT_EQ(t, alloc(t->substream, 2 * PCMBUF_TEST_BYTES), 1);
	EXPECT_EQ(t, runtime->dma_bytes, 2 * PCMBUF_TEST_BYTES);
	EXPECT_EQ(t, alloc(t->substream, SIZE_MAX), -ENOMEM);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, alloc(t->substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(t->substream), 0);
	pcmbuf_test_expect_cleared(t);
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

static void pcmbuf_test_helpers(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	pcmbuf_test_helper(t, snd_pcmbuf_alloc_vmalloc_buffer);
	pcmbuf_test_helper(t, snd_pcmbuf_alloc_vmalloc_32_buffer);
}

/* Another kind of memory is another buffer, however large the old one is. */
static void pcmbuf_test_mixture(struct pcmbuf_test *t)
{
	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						  SND_PCMBUF_CONTINUOUS, NULL,
						  0, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(t->substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_32_buffer(t->substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 5000), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), PAGE_ALIGN(5000));
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(t->substream), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t), 0);
}

/* What is preallocated is of another kind, and waits for who asks for it. */
static void pcmbuf_test_mixture_prealloc(struct pcmbuf_test *t)
{
	struct snd_pcm_substream *substream;

	if (!pcmbuf_test_preallocates(t, 0) ||
	    !EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	substream = t->substream;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(substream,
						  SND_PCMBUF_CONTINUOUS, NULL,
						  PCMBUF_TEST_BYTES, 0), 0);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(substream, 5000), 1);
	EXPECT(t, snd_pcmbuf_get_vmalloc_page(substream, 0));
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(substream, 5000), 0);
	EXPECT_EQ(t, pcmbuf_test_total(t),
		  PCMBUF_TEST_BYTES + PAGE_ALIGN(5000));
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, 5000), 1);
	EXPECT_EQ(t, pcmbuf_test_total(t), PCMBUF_TEST_BYTES);
}

/* Registered for a kind, or asked of its helper, it is the same. */
static void pcmbuf_test_helpers_kind(struct pcmbuf_test *t, bool is_32)
{
	struct snd_pcm_substream *substream;
	enum snd_pcmbuf_type type = is_32 ? SND_PCMBUF_VMALLOC_32 :
					    SND_PCMBUF_VMALLOC;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	substream = t->substream;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(substream, type, NULL, 0, 0),
		  0);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, 5000), 1);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_32_buffer(substream, 5000),
		  !is_32);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(substream, 5000), !is_32);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(substream, 5000), is_32);
}

static void pcmbuf_test_helpers_low(struct pcmbuf_test *t)
{
	pcmbuf_test_helpers_kind(t, true);
}

static void pcmbuf_test_helpers_any(struct pcmbuf_test *t)
{
	pcmbuf_test_helpers_kind(t, false);
}

static void pcmbuf_test_foreign(struct pcmbuf_test *t)
{
	static unsigned char area[16];
	struct snd_pcm_runtime *runtime;

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						  SND_PCMBUF_VMALLOC, NULL,
						  0, 0), 0);
	runtime = t->substream->runtime;
	runtime->dma_area = area;
	runtime->dma_bytes = sizeof(area);
	EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_free_vmalloc_buffer(t->substream), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 8), -EINVAL);
	EXPECT_EQ(t, snd_pcmbuf_alloc_vmalloc_buffer(t->substream, 8), -EINVAL);
	EXPECT(t, runtime->dma_area == area);
	EXPECT_EQ(t, runtime->dma_bytes, sizeof(area));
	EXPECT(t, !snd_pcmbuf_sgbuf_ops_page(t->substream, 0));
	EXPECT(t, !snd_pcmbuf_get_vmalloc_page(t->substream, 0));
	EXPECT(t, !snd_pcmbuf_sgbuf_get_ptr(t->substream, 0));
	runtime->dma_area = NULL;
	runtime->dma_bytes = 0;
}

static void pcmbuf_test_foreign_record(struct pcmbuf_test *t, void *data)
{
	static unsigned char area[16];
	static struct snd_dma_buffer foreign;
	struct snd_pcm_runtime *runtime = t->substream->runtime;

	foreign.area = area;
	foreign.bytes = sizeof(area);
	foreign.private_data = data;
	runtime->dma_buffer_p = &foreign;
	/* all else would call what there is not, if it were taken for ours */
	if (EXPECT(t, !snd_pcmbuf_sgbuf_get_ptr(t->substream, 0))) {
		EXPECT(t, !snd_pcmbuf_sgbuf_ops_page(t->substream, 0));
		EXPECT_EQ(t, snd_pcmbuf_sgbuf_get_addr(t->substream, 0), 0);
		EXPECT_EQ(t, snd_pcmbuf_free_pages(t->substream), -EINVAL);
		EXPECT_EQ(t, snd_pcmbuf_malloc_pages(t->substream, 8), -EINVAL);
		EXPECT(t, runtime->dma_buffer_p == &foreign);
	}
	runtime->dma_buffer_p = NULL;
}

/* Memory that the kernel does not map has no address, but a record. */
static void pcmbuf_test_foreign_records(struct pcmbuf_test *t)
{
	static unsigned long data[8];

	if (!EXPECT_EQ(t, pcmbuf_test_open(t), 0))
		return;
	EXPECT_EQ(t, snd_pcmbuf_preallocate_pages(t->substream,
						  SND_PCMBUF_VMALLOC, NULL,
						  0, 0), 0);
	pcmbuf_test_foreign_record(t, NULL);
	/* as of its scattered memory */
	pcmbuf_test_foreign_record(t, data);
}

const struct pcmbuf_test_case pcmbuf_test_malloc_cases[] = {
	{ "1 when changed, 0 when kept", pcmbuf_test_returns, true },
	{ "an address that the driver has cleared", pcmbuf_test_forgotten },
	{ "every address that it has cleared", pcmbuf_test_forgotten_addr,
	  true },
	{ "fields are set, and cleared by free", pcmbuf_test_fields, true },
	{ "what is freed is not mapped", pcmbuf_test_unmapped, true,
	  true },
	{ "fields are cleared by a failure", pcmbuf_test_failure, true },
	{ "a mapped buffer is not replaced", pcmbuf_test_mapped, true },
	{ "nor freed where nothing else keeps it", pcmbuf_test_mapped_by_host,
	  true },
	{ "but where a page op does", pcmbuf_test_mapped_by_page, true },
	{ "sizes of a byte to all memory", pcmbuf_test_sizes, true },
	{ "missing arguments are refused", pcmbuf_test_arguments },
	{ "vmalloc helpers need no registration", pcmbuf_test_helpers },
	{ "kinds of memory replace each other", pcmbuf_test_mixture },
	{ "but not by the preallocated one", pcmbuf_test_mixture_prealloc },
	{ "vmalloc helpers: as registered", pcmbuf_test_helpers_any },
	{ "vmalloc helpers: as registered, 32 bits", pcmbuf_test_helpers_low },
	{ "a foreign buffer is left alone", pcmbuf_test_foreign },
	{ "so is one of which there is a record", pcmbuf_test_foreign_records },
	{ }
};
