/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside snd-pcmbuf-test: a test has a card of its own, with a PCM of some
 * substreams that are opened without user space, and says what it expects.
 */
#ifndef __PCMBUF_TEST_H
#define __PCMBUF_TEST_H

#include <linux/mm.h>
#include <linux/types.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include <sound/pcmbuf.h>

/* Substreams of each stream of the test PCM */
#define PCMBUF_TEST_SUBSTREAMS	6

/* What no zeroed memory contains */
#define PCMBUF_TEST_DIRT	0x5a

/**
 * struct pcmbuf_test_kind - kind of memory a test runs on
 * @name: for the name of the test
 * @type: for the core
 * @host_type: what the host takes it for
 * @has_device: is it registered with the device of the test card?
 * @has_pages: has it pages that can be handed out?
 */
struct pcmbuf_test_kind {
	const char *name;
	enum snd_pcmbuf_type type;
	int host_type;
	bool has_device;
	bool has_pages;
};

/**
 * struct pcmbuf_test - a test that runs
 * @text: the report, in KTAP; @size bytes of which @len are in use
 * @size: see @text
 * @len: see @text
 * @failed: was something not as expected?
 * @skip: why the test could not be made, or NULL
 * @kind: kind of memory, NULL for a test of none in particular
 * @dev: parent of the card, with a DMA mask of 32 bits
 * @card: card of this test only; never registered
 * @pcm: its PCM
 * @file: what substreams are opened with
 * @substream: open substream or NULL
 * @fake: bytes that the test pretends the card had allocated
 * @left: bytes the card had when it was freed: must be none
 */
struct pcmbuf_test {
	char *text;
	size_t size;
	size_t len;
	bool failed;
	const char *skip;
	const struct pcmbuf_test_kind *kind;
	struct device *dev;
	struct snd_card *card;
	struct snd_pcm *pcm;
	struct file *file;
	struct snd_pcm_substream *substream;
	size_t fake;
	size_t left;
};

/**
 * struct pcmbuf_test_case - a test
 * @name: what is true if it passes
 * @run: says what it expects, by EXPECT() and its kin
 * @per_kind: run once for each kind of memory
 * @needs_pages: ... that is made of pages
 */
struct pcmbuf_test_case {
	const char *name;
	void (*run)(struct pcmbuf_test *t);
	bool per_kind;
	bool needs_pages;
};

/* Long enough for every name of a test */
#define PCMBUF_TEST_NAME_BYTES	96

/**
 * struct pcmbuf_test_run - a test on a kind of memory
 * @list: which of the lists of tests
 * @test: the test, one of that list
 * @kind: the kind of memory, if it is run once for each
 */
struct pcmbuf_test_run {
	unsigned int list;
	const struct pcmbuf_test_case *test;
	unsigned int kind;
};

/* One list of each file, ended by an empty entry */
extern const struct pcmbuf_test_case pcmbuf_test_malloc_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_prealloc_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_life_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_account_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_owner_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_lookup_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_map_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_dma_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_device_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_probe_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_watch_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_classic_cases[];
extern const struct pcmbuf_test_case pcmbuf_test_faults_cases[];

/* main.c */
__printf(2, 3) void pcmbuf_test_say(struct pcmbuf_test *t, const char *fmt,
				    ...);
bool pcmbuf_test_expect(struct pcmbuf_test *t, bool is, const char *what,
			const char *func, int line);
bool pcmbuf_test_expect_eq(struct pcmbuf_test *t, long long is,
			   long long wanted, const char *what,
			   const char *func, int line);

bool pcmbuf_test_next(struct pcmbuf_test_run *run);
void pcmbuf_test_name(const struct pcmbuf_test_run *run, char *name,
		      size_t size);
void pcmbuf_test_do(struct pcmbuf_test *t, const struct pcmbuf_test_run *run);

/* kunit.c: for kernels that have KUnit, the same tests as a suite of it */
#if IS_ENABLED(CONFIG_KUNIT)
void pcmbuf_test_kunit_init(void);
#else
static inline void pcmbuf_test_kunit_init(void) { }
#endif

/* Is it so? Both are true if it is, so that a test can stop where it is not. */
#define EXPECT(t, is) \
	pcmbuf_test_expect(t, is, #is, __func__, __LINE__)
#define EXPECT_EQ(t, is, wanted)					\
	pcmbuf_test_expect_eq(t, (long long)(is), (long long)(wanted),	\
			      #is " == " #wanted, __func__, __LINE__)

/* card.c */
int pcmbuf_test_card_new(struct pcmbuf_test *t);
void pcmbuf_test_card_free(struct pcmbuf_test *t);
void pcmbuf_test_set_ops(struct pcmbuf_test *t, bool copy);
int pcmbuf_test_open(struct pcmbuf_test *t);
void pcmbuf_test_close(struct pcmbuf_test *t);
int pcmbuf_test_register(struct pcmbuf_test *t, size_t size);
size_t pcmbuf_test_total(struct pcmbuf_test *t);
void pcmbuf_test_fake_total(struct pcmbuf_test *t, size_t bytes);
bool pcmbuf_test_parameter(const char *name, unsigned long *value);
size_t pcmbuf_test_limit(struct pcmbuf_test *t);
bool pcmbuf_test_preallocates(struct pcmbuf_test *t, unsigned int number);
void pcmbuf_test_expect_cleared(struct pcmbuf_test *t);
bool pcmbuf_test_is_zero(const void *area, size_t bytes);

/* map.c */
unsigned long pcmbuf_test_try_map(struct pcmbuf_test *t, size_t bytes);
unsigned long pcmbuf_test_map(struct pcmbuf_test *t, size_t bytes);

/* probe.c */
bool pcmbuf_test_let_fail(struct pcmbuf_test *t, const char *symbol);
void *pcmbuf_test_let_work(void);

#endif /* __PCMBUF_TEST_H */
