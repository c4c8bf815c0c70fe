// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: processes that inherit or die, the files in /proc, and attempts
 * to unload the module meanwhile.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fuzz.h"

#define FILES		128
#define DELAY_BITS	11	/* a child is killed within 16 us << this */

static char files[FILES][96];
static char sizes[FILES][16];	/* what preallocation files said */
static unsigned int file_count;

static bool is_prealloc(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && !strcmp(name, "/prealloc");
}

static void read_size(unsigned int i)
{
	int fd = open(files[i], O_RDONLY);

	if (fd < 0 || read(fd, sizes[i], sizeof(sizes[i]) - 1) < 0)
		fuzz_fail("%s: %s", files[i], strerror(errno));
	close(fd);
}

static int find_file(const char *path, const struct stat *st, int type,
		     struct FTW *at)
{
	(void)st;
	(void)at;
	if (type != FTW_F || file_count == FILES ||
	    strlen(path) >= sizeof(files[0]))
		return 0;
	strcpy(files[file_count], path);
	if (is_prealloc(path))
		read_size(file_count);
	file_count++;
	return 0;
}

void fuzz_find_files(void)
{
	char root[40];

	snprintf(root, sizeof(root), "/proc/asound/card%d", fuzz_card);
	if (nftw(root, find_file, 8, FTW_PHYS) || !file_count)
		fuzz_fail("no files in %s", root);
}

void fuzz_restore_files(void)
{
	unsigned int i;
	int fd;

	for (i = 0; i < file_count; i++) {
		if (!sizes[i][0])
			continue;
		fd = open(files[i], O_WRONLY);
		if (fd < 0 || write(fd, sizes[i], strlen(sizes[i])) < 0)
			fuzz_fail("restoring %s: %s", files[i],
				  strerror(errno));
		close(fd);
	}
}

static long run_proc_read(struct fuzz_thread *t, struct fuzz_slot *s)
{
	const char *path = files[fuzz_arg(t, fuzz_below(t, file_count))];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	(void)s;
	if (fd < 0)
		return -errno;
	if (fuzz_once_in(t, 4))
		lseek(fd, fuzz_arg(t, fuzz_odd(t)), SEEK_SET);
	ret = fuzz_ret(read(fd, t->scratch, 1 + fuzz_below(t, 4096)));
	close(fd);
	return ret;
}

static const char *prealloc_of(struct fuzz_thread *t)
{
	unsigned int first = fuzz_below(t, file_count), i;

	for (i = 0; i < file_count; i++)
		if (sizes[(first + i) % file_count][0])
			return files[(first + i) % file_count];
	return "";
}

static long run_prealloc(struct fuzz_thread *t, struct fuzz_slot *s)
{
	int fd = open(prealloc_of(t), O_RDWR | O_CLOEXEC);
	char text[64];
	size_t n;
	long ret;

	(void)s;
	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)
		     fuzz_arg(t, fuzz_once_in(t, 6) ? fuzz_odd(t) :
				 64 * fuzz_below(t, 9)));
	if (fuzz_once_in(t, 8))
		text[fuzz_below(t, n)] = fuzz_draw(t);
	if (fuzz_once_in(t, 8))
		n = fuzz_below(t, sizeof(text));
	ret = fuzz_ret(write(fd, text, n));
	close(fd);
	return ret;
}

/* An xrun by the kernel's own file for it, where there is one */
static long run_inject(struct fuzz_thread *t, struct fuzz_slot *s)
{
	char path[80];
	int fd;
	long ret;

	(void)t;
	snprintf(path, sizeof(path),
		 "/proc/asound/card%d/pcm%u%c/sub0/xrun_injection", fuzz_card,
		 s->device, s->capture ? 'c' : 'p');
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = fuzz_ret(write(fd, "1", 1));
	close(fd);
	return ret;
}

static long run_unload(struct fuzz_thread *t, struct fuzz_slot *s)
{
	(void)s;
	return fuzz_ret(syscall(SYS_delete_module,
				fuzz_arg(t, fuzz_below(t, 2)) ? "snd_virtual" :
								"snd_pcmbuf",
				O_NONBLOCK));
}

/* A child has the same files and mappings, touches them, and goes. */
static long run_fork(struct fuzz_thread *t, struct fuzz_slot *s)
{
	unsigned int slot = s - fuzz_slots, i;
	bool closes = fuzz_arg(t, fuzz_below(t, 2));
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		for (i = 0; i < FUZZ_MAPS; i++)
			if (t->map[slot][i].writable)
				t->map[slot][i].at[0]++;
		if (closes)
			close(s->fd);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EIO : 0;
}

/*
 * What a child does until it is killed: any operations on one stream. The control
 * file is its own: a subdevice that it prefers for a moment, or a lock, is not to
 * outlive it.
 */
static void __attribute__((noreturn)) child(struct fuzz_thread *t,
					    struct fuzz_slot *s)
{
	unsigned int i, without = FUZZ_ALONE | FUZZ_LINKS;
	struct fuzz_thread own = *t;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(own.map, 0, sizeof(own.map));
	own.quiet = true;
	own.number = 1;
	own.timer = -1;
	own.ctl = fuzz_open_ctl();
	for (i = 0; ; i++)
		fuzz_do(&own, fuzz_choose(&own, s, s->state, without,
					  FUZZ_STREAM), s, i);
}

/* A child with a stream of its own is killed in whatever it is doing. */
static long run_kill(struct fuzz_thread *t, struct fuzz_slot *s)
{
	long us = fuzz_below(t, 16 << fuzz_below(t, DELAY_BITS));
	struct timespec ts = { .tv_nsec = fuzz_arg(t, us) * 1000 };
	int status;
	pid_t pid;

	if (s->fd >= 0)
		return -EBUSY;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child(t, s);
	nanosleep(&ts, NULL);
	if (kill(pid, SIGKILL) < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -EIO;
}

const struct fuzz_op fuzz_sys_ops[] = {
	{ "proc read", run_proc_read, 2, 0, S_ANY, 0, 0,
	  E_INVAL | E_IO },	/* some are only written to */
	{ "proc prealloc", run_prealloc, 2, FUZZ_RACE | FUZZ_RARE, S_ANY, 0, 0,
	  E_INVAL | E_BUSY | E_NOMEM },
	{ "proc xrun_injection", run_inject, 1, FUZZ_STREAM | FUZZ_MOVES,
	  S(RUNNING), 0, S(XRUN), 0 },
	{ "unload", run_unload, 1, FUZZ_NEVER, S_ANY, 0, 0, E_AGAIN | E_BUSY },
	{ "fork", run_fork, 1, FUZZ_STREAM | FUZZ_ALONE, S_OPEN, 0, 0, 0 },
	{ "kill", run_kill, 3, FUZZ_STREAM | FUZZ_ALONE, S_CLOSED, S_CLOSED, 0,
	  E_BUSY },
	{ }
};
