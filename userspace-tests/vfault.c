// SPDX-License-Identifier: GPL-2.0-only
/* See vfault.h. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vfault.h"

#define PAGE	4096

static int fail_nth = -1;
static sigjmp_buf no_page;

const struct vf_hw vf_mapped = {
	SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, (int)SNDRV_PCM_FORMAT_S16_LE,
	VF_FRAMES, 4,
};

const struct vf_hw vf_plain = {
	SNDRV_PCM_ACCESS_RW_INTERLEAVED, (int)SNDRV_PCM_FORMAT_S16_LE,
	VF_FRAMES, 4,
};

const struct vf_hw vf_page = {
	SNDRV_PCM_ACCESS_RW_INTERLEAVED, (int)SNDRV_PCM_FORMAT_S16_LE,
	VF_PAGE_FRAMES, 4,
};

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(no_page, 1);
}

void vf_init(void)
{
	struct sigaction action = { .sa_handler = on_bus_error };

	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	if (fail_nth >= 0 && !sigaction(SIGBUS, &action, NULL))
		return;
	printf("Bail out! this kernel cannot inject faults\n");
	exit(1);
}

void vf_begin(int nth)
{
	char text[12];
	int length = snprintf(text, sizeof(text), "%d", nth);

	SYS(pwrite(fail_nth, text, length, 0));
}

/*
 * What reads the answer may itself be the one that fails, and that is a call
 * which had nothing left to fail.
 */
bool vf_end(void)
{
	char text[12] = "";
	int err = errno;
	bool used = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 &&
		    !atoi(text);

	while (!used && pwrite(fail_nth, "0", 1, 0) < 0)
		;
	errno = err;
	return used;
}

static void tell_all(const char *file, unsigned long long address)
{
	static const char *const dirs[] = { "failslab", "fail_page_alloc",
					    "fail_usercopy" };
	char path[80], text[32];
	unsigned int i;
	int fd;

	snprintf(text, sizeof(text), "%#llx", address);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s",
			 dirs[i], file);
		fd = SYS(open(path, O_WRONLY));
		SYS(write(fd, text, strlen(text)));
		close(fd);
	}
}

void vf_only_between(unsigned long long start, unsigned long long end)
{
	tell_all("require-start", start);
	tell_all("require-end", end);
}

void vf_anywhere(void)
{
	vf_only_between(0, ~0ULL);
}

/* From its first function to its last: its data may lie elsewhere. */
void vf_only_in(const char *module)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long long address, start = ~0ULL, end = 0;
	char line[400], name[64], type;

	EXPECT(file, "/proc/kallsyms: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %*s [%63[^]]", &address, &type,
			   name) != 3 ||
		    (type != 't' && type != 'T') || strcmp(name, module))
			continue;
		start = address < start ? address : start;
		end = address > end ? address : end;
	}
	fclose(file);
	EXPECT(start < end, "no function of %s", module);
	vf_only_between(start, end);
}

bool vf_is_player(const struct vf_subject *s)
{
	return s->dir == SNDRV_PCM_STREAM_PLAYBACK;
}

int vf_open_control(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/snd/controlC%d", vt_card);
	return SYS(open(path, O_RDWR));
}

void vf_open(struct vf_subject *s)
{
	s->fd = SYS(vr_open_now(s->device, s->dir));
}

void vf_set_latency(struct vf_subject *s, long frames)
{
	struct snd_ctl_elem_value value = {
		.id = { .iface = SNDRV_CTL_ELEM_IFACE_PCM,
			.device = s->device, .name = "PCM Latency" },
		.value.integer.value[0] = frames,
	};
	int fd = vf_open_control();

	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
	close(fd);
	s->late = frames;
}

void vf_close(void *subject)
{
	struct vf_subject *s = subject;

	if (s->map)
		munmap(s->map, s->map_bytes);
	if (s->room)
		munmap(s->room, s->map_bytes);
	if (s->other >= 0)
		close(s->other);
	if (s->fd >= 0)
		close(s->fd);
	s->map = NULL;
	s->room = NULL;
	s->other = -1;
	s->fd = -1;
	if (s->late)
		vf_set_latency(s, 0);
}

long vf_set_params(int fd, const struct vf_hw *hw)
{
	struct snd_pcm_hw_params p;

	vr_set_plain(&p, hw->access, hw->frames);
	vr_set_bit(&p, SNDRV_PCM_HW_PARAM_FORMAT, hw->format);
	return ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p);
}

long vf_map(struct vf_subject *s, size_t bytes)
{
	int prot = vf_is_player(s) ? PROT_READ | PROT_WRITE : PROT_READ;
	void *map = mmap(NULL, bytes, prot, MAP_SHARED, s->fd, 0);

	if (map == MAP_FAILED)
		return -1;
	s->map = map;
	s->map_bytes = bytes;
	return 0;
}

/* A part of the ring, or as much as there is; 0, or -1 and errno */
long vf_transfer(struct vf_subject *s)
{
	static unsigned char buf[VF_BYTES];
	long done = vf_is_player(s) ? write(s->fd, buf, VF_PART) :
				      read(s->fd, buf, VF_PART);

	EXPECT(done < 0 || (done && done <= VF_PART && !(done % 4)),
	       "%ld bytes went through", done);
	return done < 0 ? -1 : 0;
}

/* Nothing has been written into it so far. */
long vf_touch(const struct vf_subject *s)
{
	volatile unsigned char *map = s->map;
	volatile size_t i;

	if (sigsetjmp(no_page, 1)) {
		errno = EFAULT;
		return -1;
	}
	for (i = 0; i < s->map_bytes; i += PAGE)
		EXPECT(!map[i], "byte %zu is %#x", i, map[i]);
	return 0;
}

void vf_expect_ring(struct vf_subject *s)
{
	size_t i;

	SYS(vf_touch(s));
	for (i = 0; i < s->map_bytes && vf_is_player(s); i += PAGE)
		s->map[i] = i / PAGE % 255 + 1;
	for (i = 0; i < s->map_bytes && vf_is_player(s); i += PAGE)
		EXPECT(s->map[i] == i / PAGE % 255 + 1, "byte %zu is %#x", i,
		       s->map[i]);
}

/* Only where nothing is left open the clock changes. */
static void expect_closed(int device)
{
	struct snd_ctl_elem_value value = {
		.id = { .iface = SNDRV_CTL_ELEM_IFACE_PCM,
			.device = device, .name = "PCM Clock" },
	};
	unsigned int *item = value.value.enumerated.item;
	int fd = vf_open_control();
	unsigned int clock;

	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_READ, &value));
	clock = *item;
	*item = !clock;
	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
	*item = clock;
	SYS(ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
	close(fd);
}

struct job {
	const struct vf_call *call;
	int device;
	int dir;
};

/* What came of a call's faults: how many, and how many times the sure error */
struct errors {
	unsigned int all;
	unsigned int sure;
};

/* Makes the call, with its Nth fault; what became of it, or 0 */
static int act_once(const struct vf_call *call, struct vf_subject *s, int nth,
		    bool *used)
{
	long ret;
	int err;

	vf_begin(nth);
	ret = call->act(s);
	*used = vf_end();
	err = ret < 0 ? errno : 0;
	EXPECT(*used || !err, "with no fault: %s", strerror(err));
	EXPECT(!err || err == ENOMEM || err == EFAULT || err == EAGAIN,
	       "fault %d: %s", nth, strerror(err));
	return err;
}

/* true when there was nothing left to fail */
static bool fail_once(const struct job *job, int nth, struct errors *errors)
{
	const struct vf_call *call = job->call;
	static struct vf_subject s;	/* closed when this has been left */
	bool used;
	int err;

	s = (struct vf_subject){
		.device = job->device, .dir = job->dir, .fd = -1, .other = -1,
		.hw = call->hw.frames ? &call->hw : &vf_mapped,
	};
	vt_defer(vf_close, &s);
	call->before(&s);
	err = act_once(call, &s, nth, &used);
	if (err && call->after)
		SYS(call->act(&s));
	if (call->after)
		call->after(&s);
	vt_undo(vf_close, &s);
	errors->all += !!err;
	errors->sure += err && err == call->sure;
	return !used;
}

static bool is_sure(const struct job *job)
{
	struct vf_subject s = { .device = job->device, .dir = job->dir };

	return job->call->sure && (!job->call->where || job->call->where(&s));
}

static void fail_anywhere(void *unused)
{
	(void)unused;
	vf_anywhere();
}

static void test_call(const void *arg)
{
	const struct job *job = arg;
	struct errors errors = { 0, 0 };
	int nth = 1;

	vt_defer(fail_anywhere, NULL);
	if (job->call->module)
		vf_only_in(job->call->module);
	while (!fail_once(job, nth, &errors)) {
		nth++;
		EXPECT(nth < VF_MAX, "there is no end to the faults");
	}
	vt_note("%d faults, %u errors", nth - 1, errors.all);
	EXPECT(!is_sure(job) || errors.sure, "never: %s",
	       strerror(job->call->sure));
	vt_undo(fail_anywhere, NULL);
	expect_closed(job->device);
	vt_sound(job->device);
}

/* Each call on each device, either way */
void vf_fail_all(const struct vf_call *calls, unsigned int n)
{
	static const char *const dirs[] = { "playback", "capture" };
	int device, dir, devices = vt_devices();
	unsigned int i;

	vt_plan(devices * 2 * n);
	for (device = 0; device < devices; device++)
		for (dir = 0; dir < 2; dir++)
			for (i = 0; i < n; i++) {
				struct job job = { &calls[i], device, dir };

				vt_run(test_call, &job, "device %d, %s: %s",
				       device, dirs[dir], calls[i].name);
			}
}
