// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users without any rights ask for all there is: buffers up to the card's limit
 * and beyond, and files until there are no more. They are refused plainly, no
 * more than the limit is gone meanwhile, and all of it comes back. $SOAK_USERS
 * says how many rounds, $SOAK_SEED what they ask for.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "vmemory.h"
#include "vraw.h"

#define USERS		4
#define NOBODY		65534
#define FILES		64
#define LIMIT		(128 * 1024)	/* KiB: max_alloc_per_card */
#define OWN		(8 * 1024)	/* KiB that a user has beside buffers */
#define NOISE		1024	/* KiB by which free memory may vary */
#define STIR		4	/* KiB, and with each round */

struct told {
	unsigned int buffers;
	unsigned int no_memory;
	unsigned int no_files;
};

static struct told *told;
static uint64_t first_seed;

static void let_users_in(int devices)
{
	char path[40];
	int i;

	for (i = 0; i < devices * 2; i++) {
		snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%d%c", vt_card,
			 i / 2, i % 2 ? 'c' : 'p');
		SYS(chmod(path, 0666));
	}
}

/* What a user must never be let do */
static void expect_no_rights(void)
{
	char path[80];

	snprintf(path, sizeof(path),
		 "/proc/asound/card%d/pcm1p/sub0/prealloc", vt_card);
	EXPECT(open(path, O_WRONLY) < 0 && errno == EACCES,
	       "a user may preallocate");
	EXPECT(syscall(SYS_delete_module, "snd_virtual", O_NONBLOCK) < 0 &&
	       errno == EPERM, "a user may unload");
}

/* The largest buffer, or half of it, until there is no more */
static void take_buffer(int fd, uint64_t *seed)
{
	struct snd_pcm_hw_params p;
	struct snd_interval *bytes;

	vr_set_any(&p);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &p));
	bytes = vr_interval(&p, SNDRV_PCM_HW_PARAM_BUFFER_BYTES);
	bytes->min = bytes->max >> vt_random(seed, 2);
	p.rmask = ~0U;
	if (!ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p)) {
		__atomic_add_fetch(&told->buffers, 1, __ATOMIC_RELAXED);
		return;
	}
	EXPECT(errno == ENOMEM || errno == EINVAL, "hw_params: %s",
	       strerror(errno));
	if (errno == ENOMEM)
		__atomic_add_fetch(&told->no_memory, 1, __ATOMIC_RELAXED);
}

static int open_any(int number)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%d%c", vt_card,
		 number / 2 % 2, number % 2 ? 'c' : 'p');
	return open(path, O_RDWR | O_NONBLOCK);
}

static void live_greedy(const void *arg)
{
	const struct rlimit files = { FILES, FILES };
	uint64_t seed = *(const uint64_t *)arg;
	int fds[2 * FILES], n;

	SYS(setrlimit(RLIMIT_NOFILE, &files));
	SYS(setgid(NOBODY));
	SYS(setuid(NOBODY));
	expect_no_rights();
	for (n = 0; n < 2 * FILES; n++) {
		fds[n] = open_any(n);
		if (fds[n] >= 0) {
			take_buffer(fds[n], &seed);
			continue;
		}
		EXPECT(errno == EMFILE || errno == EBUSY || errno == ENOMEM,
		       "open: %s", strerror(errno));
		if (errno == EMFILE)
			__atomic_add_fetch(&told->no_files, 1,
					   __ATOMIC_RELAXED);
	}
}

static bool is_over(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	SYS(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT));
	return info.si_pid == pid;
}

/* What was free when they had most, until all of them are through */
static long least_free(const pid_t *pids)
{
	long least = LONG_MAX, now;
	unsigned int i = 0;

	while (i < USERS) {
		now = vm_free();
		if (now < least)
			least = now;
		while (i < USERS && is_over(pids[i]))
			i++;
	}
	for (i = 0; i < USERS; i++)
		vt_reap(pids[i], 0);
	return least;
}

static void expect_limit(long gone)
{
	EXPECT(gone > LIMIT * 3 / 4, "the limit was never near");
	EXPECT(gone < LIMIT + OWN * USERS, "more than the limit");
}

static void test_users(const void *arg)
{
	unsigned int rounds = *(const unsigned int *)arg, i, j;
	long before = 0, least = 0, now;
	uint64_t seeds[USERS];
	pid_t pids[USERS];

	let_users_in(2);
	for (i = 0; i <= rounds; i++) {
		/* the kernel has kept of the first round what it uses again */
		if (i == 1) {
			before = vm_free();
			least = before;
		}
		for (j = 0; j < USERS; j++) {
			seeds[j] = first_seed + i * USERS + j;
			pids[j] = vt_fork(live_greedy, &seeds[j]);
		}
		now = least_free(pids);
		if (now < least)
			least = now;
	}
	now = vm_free();
	vt_note("%u rounds: %u buffers, %u without memory, %u without files",
		rounds, told->buffers, told->no_memory, told->no_files);
	vt_note("memory: at most %ld KiB gone, %+ld KiB at the end",
		before - least, now - before);
	EXPECT(told->buffers && told->no_memory && told->no_files,
	       "a limit was never met");
	expect_limit(before - least);
	EXPECT(before - now < NOISE + (long)rounds * STIR, "memory is lost");
}

int main(int argc, char **argv)
{
	const char *value = getenv("SOAK_USERS"), *begin = getenv("SOAK_SEED");
	unsigned int rounds = value ? strtoul(value, NULL, 0) : 5;

	first_seed = begin ? strtoull(begin, NULL, 0) : 1;
	vt_init(argc, argv, 600 + rounds * 10);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	vt_plan(1);
	vt_note("seed %llu", (unsigned long long)first_seed);
	vt_run(test_users, &rounds, "%u rounds of greedy users", rounds);
	return vt_finish();
}
