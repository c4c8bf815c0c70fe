// SPDX-License-Identifier: GPL-2.0-only
/* Stalls of the machine for the tests. */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "vstall.h"

#define MODULE		"snd-virtual-test"
#define DIRECTORY	"/sys/kernel/debug/" MODULE "/"
#define SOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define RCU		"/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress"
#define LOCKUP		"/proc/sys/kernel/soft_watchdog"
#define WORK		"/sys/module/workqueue/parameters/watchdog_thresh"

static int64_t vt_order(const char *file, long long value)
{
	int fd = SYS(open(file, O_WRONLY));
	int64_t now;
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", value);

	SYS(write(fd, text, n));
	now = vt_now();
	close(fd);
	return now;
}

/*
 * The kernel's watchdogs would take a jump for a CPU that hangs, or for work
 * that does; not every machine has all.
 */
static const struct {
	const char *file, *off, *on;
} vt_watchdogs[] = {
	{ RCU, "1", "0" }, { LOCKUP, "0", "1" }, { WORK, "0", "30" },
};

static char vt_source[64];	/* that the kernel went by */

static void vt_unload_module(void)
{
	if (system("modprobe -r " MODULE))
		_exit(1);
}

static void vt_load_module(void)
{
	if (system("modprobe " MODULE)) {
		printf("Bail out! no " MODULE "\n");
		exit(1);
	}
	atexit(vt_unload_module);
}

static void vt_go_by(const char *source)
{
	FILE *f = fopen(SOURCE, "w");

	if (!f || fputs(source, f) < 0 || fclose(f)) {
		printf("Bail out! cannot go by %s\n", source);
		_exit(1);
	}
}

static void vt_watch(bool yes)
{
	unsigned int i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(vt_watchdogs); i++) {
		f = fopen(vt_watchdogs[i].file, "w");
		if (f && (fputs(yes ? vt_watchdogs[i].on : vt_watchdogs[i].off,
				f) < 0 || fclose(f))) {
			printf("Bail out! %s is not taken\n",
			       vt_watchdogs[i].file);
			_exit(1);
		}
	}
}

static void vt_end_stalls(void)
{
	vt_go_by(vt_source);
	vt_watch(true);
}

void vt_load_stalls(void)
{
	FILE *f = fopen(SOURCE, "r");

	if (!f || fscanf(f, "%63s", vt_source) != 1) {
		printf("Bail out! no clock source\n");
		exit(1);
	}
	fclose(f);
	vt_load_module();
	vt_watch(false);
	vt_go_by(MODULE);
	atexit(vt_end_stalls);
}

bool vt_slow_down(const char *what, int64_t ns)
{
	char path[80];
	FILE *f;
	bool good;

	vt_load_module();
	snprintf(path, sizeof(path), DIRECTORY "slow_%s", what);
	f = fopen(path, "w");
	if (!f)
		return false;
	fprintf(f, "%lld", (long long)ns);
	good = !fflush(f);
	fclose(f);
	return good;
}

int64_t vt_jump(int64_t ns)
{
	return vt_order(DIRECTORY "jump", ns);
}

int64_t vt_irqs_off(int64_t ns)
{
	return vt_order(DIRECTORY "irqs_off", ns);
}
