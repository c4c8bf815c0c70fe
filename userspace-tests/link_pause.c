// SPDX-License-Identifier: GPL-2.0-only
/*
 * A defect of the kernel's own core, kept as a known one: a PAUSE of a linked
 * stream looks where the stream is with the group's lock held. If it finds an
 * xrun there, it takes the lock a second time to stop the group, and never
 * returns, with interrupts off. The processor is lost; the guest has to be
 * switched off afterwards.
 *
 *	link_pause CARD		exit status 0: hangs; 1: does not; 2: trouble
 *
 * For an xrun that nobody has seen yet two players take back all that is left,
 * long before their card has a reason to look: both, for a card may have the core
 * look at one of them only. A PAUSE that is refused is trouble, for then the xrun
 * has been seen, and nothing has been shown.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fuzz.h"

#define RATE	8000
#define PERIOD	16384	/* frames: 2 s */
#define STILL	4	/* seconds without an answer: it hangs */

static void trouble(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	_exit(2);
}

static void set(struct snd_pcm_hw_params *p, int var, unsigned int value)
{
	struct snd_interval *i;

	i = &p->intervals[var - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
	i->min = value;
	i->max = value;
}

static int open_player(const char *card, int device)
{
	struct snd_pcm_hw_params p;
	unsigned int i;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/dev/snd/pcmC%sD%dp", card, device);
	fd = open(path, O_RDWR | O_NONBLOCK);
	if (fd < 0)
		trouble(path);
	memset(&p, 0, sizeof(p));
	memset(p.masks, 0xff, sizeof(p.masks));
	for (i = 0; i < ARRAY_SIZE(p.intervals); i++)
		p.intervals[i].max = ~0U;
	p.rmask = ~0U;
	set(&p, SNDRV_PCM_HW_PARAM_RATE, RATE);
	set(&p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	set(&p, SNDRV_PCM_HW_PARAM_SAMPLE_BITS, 16);
	set(&p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, PERIOD);
	set(&p, SNDRV_PCM_HW_PARAM_PERIODS, 4);
	if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0)
		trouble("hw_params");
	return fd;
}

static void stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		trouble("sched_setaffinity");
}

static void call(int player, unsigned long request, void *arg, const char *what)
{
	if (ioctl(player, request, arg) < 0)
		trouble(what);
}

static void pause_late(const char *card)
{
	int players[] = { open_player(card, 0), open_player(card, 1) };
	snd_pcm_uframes_t all;
	unsigned int i;

	stay_on(1);
	if (ioctl(players[0], SNDRV_PCM_IOCTL_LINK, players[1]) < 0)
		trouble("link");
	call(players[0], SNDRV_PCM_IOCTL_PREPARE, NULL, "prepare");
	for (i = 0; i < 2; i++) {
		all = PERIOD * 4;
		call(players[i], SNDRV_PCM_IOCTL_FORWARD, &all, "forward");
	}
	call(players[0], SNDRV_PCM_IOCTL_START, NULL, "start");
	for (i = 0; i < 2; i++) {
		all = PERIOD * 4;
		call(players[i], SNDRV_PCM_IOCTL_REWIND, &all, "rewind");
	}
	usleep(100000);
	if (ioctl(players[0], SNDRV_PCM_IOCTL_PAUSE, 1) < 0)
		trouble("pause");
	_exit(0);
}

int main(int argc, char **argv)
{
	int status, i;
	pid_t pid;

	if (argc != 2)
		trouble("a number of a card is wanted");
	setvbuf(stdout, NULL, _IOLBF, 0);
	stay_on(0);
	pid = fork();
	if (pid < 0)
		trouble("fork");
	if (!pid)
		pause_late(argv[1]);
	for (i = 0; i < STILL * 10; i++) {
		usleep(100000);
		if (waitpid(pid, &status, WNOHANG) != pid)
			continue;
		if (status)
			return 2;
		printf("does not hang\n");
		return 1;
	}
	printf("hangs\n");
	return 0;
}
