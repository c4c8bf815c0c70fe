// SPDX-License-Identifier: GPL-2.0-only
/*
 * A defect of the kernel's own core, kept as a known one: two threads that
 * PREPARE one stream each of a linked pair lock the pair's buffers in opposite
 * order, and hang for ever. It shows on any driver; what hangs cannot be killed,
 * so the guest has to be switched off afterwards.
 *
 *	link_prepare CARD	exit status 0: hangs; 1: does not; 2: trouble
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"

#define SECONDS	30	/* so long it is tried */
#define STILL	5	/* seconds without a PREPARE: it hangs */

static volatile unsigned long *prepares;

static void trouble(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	_exit(2);
}

static int open_stream(const char *card, char direction)
{
	struct snd_pcm_hw_params p;
	unsigned int i;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/dev/snd/pcmC%sD0%c", card, direction);
	fd = open(path, O_RDWR | O_NONBLOCK);
	if (fd < 0)
		trouble(path);
	memset(&p, 0, sizeof(p));
	memset(p.masks, 0xff, sizeof(p.masks));
	for (i = 0; i < ARRAY_SIZE(p.intervals); i++)
		p.intervals[i].max = 65536;
	p.rmask = ~0U;
	if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0)
		trouble("hw_params");
	return fd;
}

static void *live_preparing(void *arg)
{
	int fd = *(int *)arg;

	for (;;)
		if (!ioctl(fd, SNDRV_PCM_IOCTL_PREPARE))
			__atomic_add_fetch(prepares, 1, __ATOMIC_RELAXED);
	return arg;
}

static void live_linked(const char *card)
{
	int fds[2] = { open_stream(card, 'p'), open_stream(card, 'c') };
	pthread_t thread;

	if (ioctl(fds[0], SNDRV_PCM_IOCTL_LINK, fds[1]) < 0)
		trouble("link");
	/* one at a time does not hang */
	if (ioctl(fds[0], SNDRV_PCM_IOCTL_PREPARE) < 0)
		trouble("prepare");
	*prepares = 1;
	if (pthread_create(&thread, NULL, live_preparing, &fds[0]))
		trouble("a thread");
	live_preparing(&fds[1]);
}

/* The child that hangs is left where it is. */
static int watch(void)
{
	unsigned long seen = 0;
	unsigned int i, still = 0;

	for (i = 0; i < SECONDS; i++) {
		sleep(1);
		still = *prepares == seen ? still + 1 : 0;
		seen = *prepares;
		if (still >= STILL) {
			printf("hangs after %lu PREPAREs\n", seen);
			return seen ? 0 : 2;
		}
	}
	printf("%lu PREPAREs in %d s, and none hangs\n", seen, SECONDS);
	return 1;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc != 2)
		trouble("a number of a card is wanted");
	prepares = mmap(NULL, sizeof(*prepares), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (prepares == MAP_FAILED)
		trouble("no memory");
	pid = fork();
	if (pid < 0)
		trouble("fork");
	if (!pid)
		live_linked(argv[1]);
	return watch();
}
