// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an ioctl points to ends at a page that the client does not have, begins
 * after one, lies there as a whole, or cannot be written; and so does what is
 * pointed to from there, and what a file of procfs is given. The answer is
 * EFAULT, or nothing but reserved bytes was missing; and the next call is as
 * good as ever.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vraw.h"

#define ALIGN	8	/* of any field: no boundary lies within one */
#define PREALLOCATED	1	/* the device of a default card that is */

/* What is open: prepared streams, the card's control device, a timer */
enum file {
	PLAYER, RECORDER, PLANAR_PLAYER, PLANAR_RECORDER, CTL, TIMER, FILES
};

/**
 * struct subject - what the calls are made on
 * @fds: what is open
 * @page: a page between two that are not there
 * @page_bytes: its size
 */
struct subject {
	int fds[FILES];
	char *page;
	size_t page_bytes;
};

/**
 * struct call - an ioctl with a pointer
 * @name: its name
 * @request: its number, which tells the size and who writes
 * @file: what it is made on
 * @fill: makes a good argument of zeroes; NULL if zeroes are good
 * @used: bytes that are not reserved, which all others come after; 0 for all
 */
struct call {
	const char *name;
	unsigned long request;
	enum file file;
	void (*fill)(const struct subject *s, void *arg);
	size_t used;
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
	SYS(ioctl(s->fds[CTL], SNDRV_CTL_IOCTL_ELEM_READ, value));
}

/* Asks whether events are wanted */
static void fill_question(const struct subject *s, void *arg)
{
	int *subscribe = arg;

	(void)s;
	*subscribe = -1;
}

/* No frames, to be read to somewhere */
static void fill_frames(const struct subject *s, void *arg)
{
	static char frames[4];
	struct snd_xferi *xfer = arg;

	(void)s;
	xfer->buf = frames;
}

/* The same in planes */
static void fill_planes(const struct subject *s, void *arg)
{
	static void *planes[2];
	struct snd_xfern *xfer = arg;

	(void)s;
	xfer->bufs = planes;
}

/* That of the system, which is always there */
static void fill_timer(const struct subject *s, void *arg)
{
	struct snd_timer_id *id = arg;

	(void)s;
	id->dev_class = SNDRV_TIMER_CLASS_GLOBAL;
	id->dev_sclass = SNDRV_TIMER_SCLASS_NONE;
	id->card = -1;
}

static void fill_params(const struct subject *s, void *arg)
{
	struct snd_timer_params *params = arg;

	(void)s;
	params->ticks = 1;
}

#define PCM(what, ...)	{ #what, SNDRV_PCM_IOCTL_ ## what, __VA_ARGS__ }
#define CONTROL(what, ...) \
	{ "control " #what, SNDRV_CTL_IOCTL_ ## what, CTL, ## __VA_ARGS__ }
#define CLOCK(what, ...) \
	{ "timer " #what, SNDRV_TIMER_IOCTL_ ## what, TIMER, ## __VA_ARGS__ }

/* Newer kernels copy a SYNC_PTR field by field. */
#define SYNC_USED	(offsetof(struct snd_pcm_sync_ptr, c) + \
			 sizeof(struct snd_pcm_mmap_control))

static const struct call calls[] = {
	PCM(PVERSION, PLAYER),
	PCM(INFO, PLAYER),
	PCM(TTSTAMP, PLAYER),
	PCM(CHANNEL_INFO, PLAYER),
	PCM(STATUS, PLAYER),
	PCM(STATUS_EXT, PLAYER),
	PCM(DELAY, PLAYER),
	PCM(SYNC_PTR, PLAYER, fill_sync, SYNC_USED),
	PCM(REWIND, PLAYER),
	PCM(FORWARD, PLAYER),
	PCM(WRITEI_FRAMES, PLAYER),
	PCM(READI_FRAMES, RECORDER, fill_frames),
	PCM(WRITEN_FRAMES, PLANAR_PLAYER, fill_planes),
	PCM(READN_FRAMES, PLANAR_RECORDER, fill_planes),
	PCM(HW_REFINE, PLAYER, fill_hw),
	PCM(HW_PARAMS, PLAYER, fill_hw),
	PCM(SW_PARAMS, PLAYER, fill_sw),
	CONTROL(PVERSION),
	CONTROL(CARD_INFO),
	CONTROL(ELEM_LIST),
	CONTROL(ELEM_INFO, fill_first),
	CONTROL(ELEM_READ, fill_first),
	CONTROL(ELEM_WRITE, fill_value),
	CONTROL(SUBSCRIBE_EVENTS, fill_question),
	CONTROL(PCM_NEXT_DEVICE),
	CONTROL(PCM_INFO),
	CONTROL(PCM_PREFER_SUBDEVICE),
	CLOCK(PVERSION),
	CLOCK(NEXT_DEVICE, fill_timer),
	CLOCK(GINFO, fill_timer),
	CLOCK(GSTATUS, fill_timer),
	CLOCK(SELECT, fill_timer),
	CLOCK(INFO),
	CLOCK(PARAMS, fill_params),
	CLOCK(STATUS),
};

/* Two identifiers; where to, is said later */
static void fill_space(const struct subject *s, void *arg)
{
	struct snd_ctl_elem_list *list = arg;

	(void)s;
	list->space = 2;
}

/* What is pointed to from within an argument: where from, and how many bytes */
static const struct array {
	struct call call;
	size_t at, bytes;
} arrays[] = {
	{ PCM(WRITEN_FRAMES, PLANAR_PLAYER, fill_planes),
	  offsetof(struct snd_xfern, bufs), 2 * sizeof(void *) },
	{ PCM(READN_FRAMES, PLANAR_RECORDER, fill_planes),
	  offsetof(struct snd_xfern, bufs), 2 * sizeof(void *) },
	{ CONTROL(ELEM_LIST, fill_space),
	  offsetof(struct snd_ctl_elem_list, pids),
	  2 * sizeof(struct snd_ctl_elem_id) },
};

static void close_subject(void *data)
{
	struct subject *s = data;

	if (s->fds[CTL] >= 0)
		close(s->fds[CTL]);
	if (s->fds[TIMER] >= 0)
		close(s->fds[TIMER]);
	munmap(s->page - s->page_bytes, 3 * s->page_bytes);
}

/* A page between two that are not there, and nothing open */
static struct subject *map_page(void)
{
	struct subject *s = vt_alloc(sizeof(*s));
	char *pages;

	memset(s->fds, -1, sizeof(s->fds));
	s->page_bytes = sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 3 * s->page_bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(pages != MAP_FAILED, "mmap: %m");
	s->page = pages + s->page_bytes;
	vt_defer(close_subject, s);
	SYS(mprotect(s->page, s->page_bytes, PROT_READ | PROT_WRITE));
	return s;
}

static int open_stream(int device, int dir, int access)
{
	int fd = vr_open(device, dir);
	struct snd_pcm_hw_params hw;

	vr_set_plain(&hw, access, 1920);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
	return fd;
}

/* Those of one device interleaved, those of the other not */
static void open_streams(int *fds)
{
	int i;

	for (i = PLAYER; i <= PLANAR_RECORDER; i++)
		fds[i] = open_stream(i / 2, i % 2, i / 2 ?
				     SNDRV_PCM_ACCESS_RW_NONINTERLEAVED :
				     SNDRV_PCM_ACCESS_RW_INTERLEAVED);
}

static int open_timer(void)
{
	struct snd_timer_select select;
	int fd = SYS(open("/dev/snd/timer", O_RDWR));

	memset(&select, 0, sizeof(select));
	fill_timer(NULL, &select.id);
	SYS(ioctl(fd, SNDRV_TIMER_IOCTL_SELECT, &select));
	return fd;
}

static struct subject *open_subject(void)
{
	struct subject *s = map_page();
	char path[40];

	open_streams(s->fds);
	snprintf(path, sizeof(path), "/dev/snd/controlC%d", vt_card);
	s->fds[CTL] = SYS(open(path, O_RDWR));
	s->fds[TIMER] = open_timer();
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
	int fd = job->s->fds[job->call->file];

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
	size_t used = job->call->used ? job->call->used : bytes;

	expect_fault(job, end, false);
	expect_fault(job, NULL, false);
	for (there = ALIGN; there < bytes; there += ALIGN) {
		memcpy(end - there, job->good, there);
		expect_fault(job, end - there, there >= used);
		memcpy(start, job->good + bytes - there, there);
		expect_fault(job, start - (bytes - there), false);
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

/* The argument is there as a whole, but of its array maybe only a part. */
static void expect_array(const struct subject *s, const struct array *array,
			 char *at, int wanted)
{
	char arg[256] __attribute__((aligned)) = "";
	int err;

	array->call.fill(s, arg);
	memcpy(arg + array->at, &at, sizeof(at));
	err = ioctl(s->fds[array->call.file], array->call.request, arg) < 0 ?
	      errno : 0;
	EXPECT(err == wanted, "the array at %+ld of the page: %s",
	       (long)(at - s->page), strerror(err));
}

static void test_array(const void *arg)
{
	const struct array *array = arg;
	const struct subject *s = open_subject();
	char *start = s->page, *end = start + s->page_bytes;
	size_t there;

	for (there = 0; there < array->bytes; there += sizeof(int)) {
		expect_array(s, array, end - there, EFAULT);
		expect_array(s, array, start - (array->bytes - there), EFAULT);
	}
	expect_array(s, array, NULL, EFAULT);
	expect_array(s, array, start, 0);
}

static int open_prealloc(void)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/asound/card%d/pcm%dp/sub0/prealloc",
		 vt_card, PREALLOCATED);
	return SYS(open(path, O_RDWR));
}

/* What the file says, as much as there is room for; as read(2) */
static long read_prealloc(char *at, size_t bytes)
{
	int fd = open_prealloc();
	long done = read(fd, at, bytes);
	int err = errno;

	close(fd);
	errno = err;
	return done;
}

static void expect_write_fault(const char *from, size_t bytes, size_t there)
{
	int fd = open_prealloc();
	long done = write(fd, from, bytes);
	int err = errno;

	close(fd);
	EXPECT(done < 0 && err == EFAULT, "%zu bytes of %zu: %s", there, bytes,
	       done < 0 ? strerror(err) : "taken");
}

/* Half of the size is as good a size as the whole, but not what was meant. */
static void test_proc_write(const void *arg)
{
	static const char text[] = "0000000000000000000000000000256\n";
	size_t bytes = strlen(text), there;
	struct subject *s = map_page();
	char *end = s->page + s->page_bytes, before[32] = "", after[32] = "";

	(void)arg;
	SYS(read_prealloc(before, sizeof(before) - 1));
	for (there = 0; there < bytes; there++) {
		memcpy(end - there, text, there);
		expect_write_fault(end - there, bytes, there);
		memcpy(s->page, text + bytes - there, there);
		expect_write_fault(s->page - (bytes - there), bytes, there);
	}
	expect_write_fault(NULL, bytes, 0);
	SYS(read_prealloc(after, sizeof(after) - 1));
	EXPECT(!strcmp(before, after), "now %s", after);
}

/* As much is read as there is room for, and what was read is right. */
static void test_proc_read(const void *arg)
{
	struct subject *s = map_page();
	char *end = s->page + s->page_bytes, text[32] = "";
	long bytes = SYS(read_prealloc(text, sizeof(text) - 1)), room, done;

	(void)arg;
	EXPECT(read_prealloc(NULL, bytes) < 0 && errno == EFAULT,
	       "read to nowhere");
	for (room = 0; room < bytes; room++) {
		memset(s->page, 0, s->page_bytes);
		done = read_prealloc(end - room, bytes);
		EXPECT(done <= room && (done > 0 || errno == EFAULT),
		       "%ld bytes, with room for %ld: %m", done, room);
		EXPECT(done < 0 || !memcmp(end - room, text, done),
		       "%.*s, not %s", (int)done, end - room, text);
		EXPECT(read_prealloc(s->page - 1 - room, bytes + room) < 0 &&
		       errno == EFAULT, "read from behind");
	}
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
	vt_plan(ARRAY_SIZE(calls) + ARRAY_SIZE(arrays) + 3);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		vt_run(test_call, &calls[i], "%s", calls[i].name);
	for (i = 0; i < ARRAY_SIZE(arrays); i++)
		vt_run(test_array, &arrays[i], "array of %s",
		       arrays[i].call.name);
	vt_run(test_proc_write, NULL, "writing a size of procfs");
	vt_run(test_proc_read, NULL, "reading a size of procfs");
	vt_run(test_afterwards, NULL, "the card plays as ever");
	return vt_finish();
}
