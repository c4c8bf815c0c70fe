// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure once, of loading the driver: whatever is allocated on behalf of
 * a module fails, the first of it, then the second, until nothing is left to
 * fail. Each time the driver refuses to load or does without, leaves nothing
 * behind, and afterwards the card plays as if nothing had been.
 *
 * It takes a kernel with fault injection; see /proc/self/fail-nth.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "vfault.h"

/*
 * The two kinds that preallocate, which all others do only in part; two
 * devices, for one has to go when the other fails. And little else: every fault
 * is a load.
 */
#define PARAMETERS	"pcm_buffers=continuous,dma pcm_substreams=1 " \
			"prealloc_kb=64"

/* A card of two devices allocates several hundred times. */
#define LEAST	200

static long load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long err;
	int why;

	if (fd < 0)
		return -1;
	err = syscall(SYS_finit_module, fd, parameters, 0);
	why = errno;
	close(fd);
	errno = why;
	return err;
}

static long unload(void)
{
	return syscall(SYS_delete_module, "snd_virtual", O_NONBLOCK);
}

static void reload(void *data)
{
	vf_anywhere();
	load(data, "");
}

static bool fail_load(const char *path, int nth, unsigned int *errors)
{
	bool used;
	long ret;
	int err;

	vf_begin(nth);
	ret = load(path, PARAMETERS);
	used = vf_end();
	err = ret < 0 ? errno : 0;
	if (!err)
		SYS(unload());
	EXPECT(used || !err, "with no fault: %s", strerror(err));
	/* device_add() says EINVAL of a device that has been left nameless. */
	EXPECT(!err || err == ENOMEM || err == EFAULT || err == EINVAL ||
	       err == ENODEV,
	       "fault %d: %s", nth, strerror(err));
	*errors += !!err;
	return !used;
}

static void test_load(const void *arg)
{
	unsigned int errors = 0;
	struct utsname name;
	char path[300];
	int nth = 1;

	(void)arg;
	SYS(uname(&name));
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/snd-virtual.ko",
		 name.release);
	SYS(unload());
	vt_defer(reload, path);
	/* What the kernel's loader of modules does by itself is not ours. */
	vf_only_between(VF_MODULES, ~0ULL);
	while (!fail_load(path, nth, &errors)) {
		nth++;
		EXPECT(nth < VF_MAX, "there is no end to the faults");
	}
	vt_note("%d faults, %u errors", nth - 1, errors);
	EXPECT(nth > LEAST && errors > LEAST / 2, "most of it was not tried");
	vt_undo(reload, path);
	/* The sound core loses the number of a card that it could not make. */
	vt_find_card();
	vt_sound(0);
}

int main(int argc, char **argv)
{
	vt_init(argc, argv, 3000);
	vf_init();
	vt_plan(1);
	vt_run(test_load, NULL, "load");
	return vt_finish();
}
