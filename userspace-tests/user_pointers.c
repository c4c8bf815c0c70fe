// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an ioctl points to ends at a page that the client does not have, begins
 * after one, lies there as a whole, or cannot be written. The answer is EFAULT,
 * or nothing but reserved bytes was missing; and the next call is as good as
 * ever.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vraw.h"

#define ALIGN	8	/* of any field: no boundary lies within one */

/**
 * struct subject - what the calls are made on
 * @pcm: a prepared stream
 * @ctl: the card's control device
 * @page: a page between two that are not there
 * @page_bytes: its size
 */
struct subject {
	int pcm;
	int ctl;
	char *page;
	size_t page_bytes;
};

/**
 * struct call - an ioctl with a pointer
 * @name: its name
 * @request: its number, which tells the size and who writes
 * @on_ctl: of the control device, not of the stream
 * @fill: makes a good argument of zeroes; NULL if zeroes are good
 */
struct call {
	const char *name;
	unsigned long request;
	bool on_ctl;
	void (*fill)(const struct subject *s, void *arg);
};

static void fill_hw(const struct subject *s, void *arg)
{
	(void)s;
	vr_set_plain(arg, SNDRV_PCM_ACCESS_RW_INTERLEAVED, 1920);
}

static void fill_sw(const struct subject *s, void *arg)
{
	struct snd_pcm_sw_params *sw = arg;

	(void)s;
	sw->avail_min = 480;
	sw->start_threshold = 1920;
	sw->stop_threshold = 1920;
}

/* Changes nothing */
static void fill_sync(const struct subject *s, void *arg)
{
	struct snd_pcm_sync_ptr *sync = arg;

	(void)s;
	sync->flags = SNDRV_PCM_SYNC_PTR_APPL | SNDRV_PCM_SYNC_PTR_AVAIL_MIN;
}

static void fill_first(const struct subject *s, void *arg)
{
	struct snd_ctl_elem_id *id = arg;

	(void)s;
	id->numid = 1;
}

static void fill_value(const struct subject *s, void *arg)
{
	struct snd_ctl_elem_value *value = arg;

	value->id.numid = 1;
	SYS(ioctl(s->ctl, SNDRV_CTL_IOCTL_ELEM_READ, value));
}

/* Asks whether events are wanted */
static void fill_question(const struct subject *s, void *arg)
{
	int *subscribe = arg;

	(void)s;
	*subscribe = -1;
}

#define PCM(what, fill)	{ #what, SNDRV_PCM_IOCTL_ ## what, false, fill }
#define CTL(what, fill)	{ "control " #what, SNDRV_CTL_IOCTL_ ## what, true, fill }

static const struct call calls[] = {
	PCM(PVERSION, NULL),
	PCM(INFO, NULL),
	PCM(TTSTAMP, NULL),
	PCM(CHANNEL_INFO, NULL),
	PCM(STATUS, NULL),
	PCM(STATUS_EXT, NULL),
	PCM(DELAY, NULL),
	PCM(SYNC_PTR, fill_sync),
	PCM(REWIND, NULL),
	PCM(FORWARD, NULL),
	PCM(WRITEI_FRAMES, NULL),
	PCM(HW_REFINE, fill_hw),
	PCM(HW_PARAMS, fill_hw),
	PCM(SW_PARAMS, fill_sw),
	CTL(PVERSION, NULL),
	CTL(CARD_INFO, NULL),
	CTL(ELEM_LIST, NULL),
	CTL(ELEM_INFO, fill_first),
	CTL(ELEM_READ, fill_first),
	CTL(ELEM_WRITE, fill_value),
	CTL(SUBSCRIBE_EVENTS, fill_question),
	CTL(PCM_NEXT_DEVICE, NULL),
	CTL(PCM_INFO, NULL),
	CTL(PCM_PREFER_SUBDEVICE, NULL),
};

static void close_subject(void *data)
{
	struct subject *s = data;

	close(s->ctl);
	munmap(s->page - s->page_bytes, 3 * s->page_bytes);
}

static struct subject *open_subject(void)
{
	struct subject *s = vt_alloc(sizeof(*s));
	struct snd_pcm_hw_params hw;
	char path[40], *pages;

	s->pcm = vr_open(0, SNDRV_PCM_STREAM_PLAYBACK);
	fill_hw(s, &hw);
	SYS(ioctl(s->pcm, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	SYS(ioctl(s->pcm, SNDRV_PCM_IOCTL_PREPARE));
	snprintf(path, sizeof(path), "/dev/snd/controlC%d", vt_card);
	s->ctl = SYS(open(path, O_RDWR));
	s->page_bytes = sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 3 * s->page_bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(pages != MAP_FAILED, "mmap: %m");
	s->page = pages + s->page_bytes;
	vt_defer(close_subject, s);
	SYS(mprotect(s->page, s->page_bytes, PROT_READ | PROT_WRITE));
	return s;
}

/**
 * struct job - a call that is being tried
 * @s: what it is made on
 * @call: the call
 * @good: a good argument
 * @faults: how often it said EFAULT
 * @spared: how often it did without what was not there
 */
struct job {
	const struct subject *s;
	const struct call *call;
	char good[4096];
	unsigned int faults, spared;
};

static int make_call(const struct job *job, void *arg)
{
	int fd = job->call->on_ctl ? job->s->ctl : job->s->pcm;

	return ioctl(fd, job->call->request, arg) < 0 ? errno : 0;
}

static void expect_good(const struct job *job)
{
	int err;

	memcpy(job->s->page, job->good, _IOC_SIZE(job->call->request));
	err = make_call(job, job->s->page);
	EXPECT(!err, "with good memory: %s", strerror(err));
}

/* Of the argument at @arg, only the first or last bytes are there, or none. */
static void expect_fault(struct job *job, char *arg, bool may_do)
{
	int err = make_call(job, arg);

	EXPECT(err == EFAULT || (!err && may_do), "at %+ld of the page: %s",
	       (long)(arg - job->s->page), strerror(err));
	job->faults += err == EFAULT;
	job->spared += !err;
}

static void try_boundaries(struct job *job)
{
	char *start = job->s->page, *end = start + job->s->page_bytes;
	size_t bytes = _IOC_SIZE(job->call->request), there;

	expect_fault(job, end, false);
	expect_fault(job, NULL, false);
	for (there = ALIGN; there < bytes; there += ALIGN) {
		memcpy(end - there, job->good, there);
		expect_fault(job, end - there, true);
		memcpy(start, job->good + bytes - there, there);
		expect_fault(job, start - (bytes - there), true);
	}
}

static void try_read_only(struct job *job)
{
	const struct subject *s = job->s;

	memcpy(s->page, job->good, _IOC_SIZE(job->call->request));
	SYS(mprotect(s->page, s->page_bytes, PROT_READ));
	expect_fault(job, s->page, !(_IOC_DIR(job->call->request) & _IOC_READ));
	SYS(mprotect(s->page, s->page_bytes, PROT_READ | PROT_WRITE));
}

static void test_call(const void *arg)
{
	struct job *job = vt_alloc(sizeof(*job));

	memset(job, 0, sizeof(*job));
	job->call = arg;
	job->s = open_subject();
	if (job->call->fill)
		job->call->fill(job->s, job->good);
	expect_good(job);
	try_boundaries(job);
	try_read_only(job);
	expect_good(job);
	vt_note("%u times refused, %u times only reserved bytes were missing",
		job->faults, job->spared);
}

static void test_afterwards(const void *arg)
{
	(void)arg;
	vt_sound(0);
}

int main(int argc, char **argv)
{
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(ARRAY_SIZE(calls) + 1);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		vt_run(test_call, &calls[i], "%s", calls[i].name);
	vt_run(test_afterwards, NULL, "the card plays as ever");
	return vt_finish();
}
