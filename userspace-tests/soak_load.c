// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module is loaded and unloaded, many times: while nobody is there, and
 * while clients open what there is over and over. $SOAK_LOADS says how often;
 * with clients a tenth of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "vmemory.h"
#include "vpcm.h"

#define CLIENTS		2
#define WARM		20	/* loads after which memory is looked at */
#define NOISE		1024	/* KiB by which free memory may vary */
#define STIR		1	/* KiB, and with each load */

struct run {
	unsigned int loads;
	bool clients;
};

static char path[160];

/*
 * Names of files that are gone are kept as long as there is room, and much is
 * given back by a worker, later.
 */
static void settle(void)
{
	int fd;

	sleep(3);
	fd = SYS(open("/proc/sys/vm/drop_caches", O_WRONLY));
	SYS(write(fd, "4", 1));	/* and not a word of it in the log */
	SYS(write(fd, "3", 1));
	close(fd);
}

static long free_memory(void)
{
	settle();
	return vm_free();
}

/* Loads after which memory is looked at: what is kept has been taken then. */
static unsigned int warm_after(const struct run *run)
{
	return run->loads / 2 < WARM ? run->loads / 2 : WARM;
}

static void load(void)
{
	int fd = SYS(open(path, O_RDONLY | O_CLOEXEC));

	SYS(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
}

/* As soon as nobody has it open: how often it was refused before */
static unsigned int unload(void)
{
	unsigned int refused = 0;

	while (syscall(SYS_delete_module, "snd_virtual", O_NONBLOCK) < 0) {
		EXPECT(errno == EAGAIN || errno == EBUSY, "it does not go: %s",
		       strerror(errno));
		EXPECT(++refused < 1000000, "never free");
	}
	return refused;
}

static bool is_there(void)
{
	char name[40];

	snprintf(name, sizeof(name), "/proc/asound/card%d/pcm1c/info", vt_card);
	return !access(name, F_OK);
}

/* Opens, plays a little, closes; the card may be gone at any moment. */
static void live_opening(const void *arg)
{
	static const char silence[1920 * 4];
	snd_pcm_t *pcm;
	char name[16];

	snprintf(name, sizeof(name), "hw:%d,%d", vt_card, *(const int *)arg);
	for (;;) {
		if (snd_pcm_open(&pcm, name, SND_PCM_STREAM_PLAYBACK,
				 SND_PCM_NONBLOCK) < 0)
			continue;
		if (!snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE,
					SND_PCM_ACCESS_RW_INTERLEAVED, 2,
					48000, 0, 40000))
			snd_pcm_writei(pcm, silence, 1920);
		snd_pcm_close(pcm);
		usleep(500);
	}
}

static void test_loads(const void *arg)
{
	const struct run *run = arg;
	unsigned long refused = 0;
	pid_t pids[CLIENTS];
	long warm = free_memory(), lost;
	unsigned int i, loads;
	int devices[CLIENTS] = { 0, 1 };

	for (i = 0; run->clients && i < CLIENTS; i++)
		pids[i] = vt_fork(live_opening, &devices[i]);
	/* a few loads may be over before any client has begun */
	for (loads = 0; loads < run->loads || (run->clients && !refused);
	     loads++) {
		refused += unload();
		EXPECT(!is_there(), "the card is still there");
		load();
		EXPECT(is_there(), "no card");
		if (loads == warm_after(run) && !run->clients)
			warm = free_memory();
	}
	for (i = 0; run->clients && i < CLIENTS; i++) {
		SYS(kill(pids[i], SIGKILL));
		vt_reap(pids[i], SIGKILL);
	}
	lost = warm - free_memory();
	vt_note("%u times, refused %lu times while open, memory %+ld KiB",
		loads, refused, -lost);
	EXPECT(lost < NOISE + (long)loads * STIR, "memory is lost");
	vt_carry(0, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

static void quiet(const char *file, int line, const char *function, int err,
		  const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)err;
	(void)fmt;
}

int main(int argc, char **argv)
{
	const char *loads = getenv("SOAK_LOADS");
	struct run run = { .loads = loads ? strtoul(loads, NULL, 0) : 100 };
	struct utsname uts;

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/snd-virtual.ko",
		 uts.release);
	snd_lib_error_set_handler(quiet);
	vt_init(argc, argv, 600 + run.loads * 4);
	vt_plan(2);
	vt_run(test_loads, &run, "%u loads, idle", run.loads);
	run.loads /= 10;
	run.clients = true;
	vt_run(test_loads, &run, "%u loads, with clients", run.loads);
	return vt_finish();
}
