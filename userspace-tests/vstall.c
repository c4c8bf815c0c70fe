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
 * The kernel's watchdogs would take a jump for a CPU that hangs; not every
 * machine has both.
 */
#define WATCH(yes)	"{ [ ! -e " LOCKUP " ] || echo " yes " >" LOCKUP "; }"

static const char vt_load[] = "modprobe " MODULE " && echo " MODULE " >" SOURCE
	" && echo 1 >" RCU " && " WATCH("0");
static const char vt_unload[] = "modprobe -r " MODULE "; echo 0 >" RCU "; "
	WATCH("1");

static void vt_unload_stalls(void)
{
	if (system(vt_unload))
		_exit(1);
}

void vt_load_stalls(void)
{
	if (system(vt_load)) {
		printf("Bail out! no " MODULE "\n");
		exit(1);
	}
	atexit(vt_unload_stalls);
}

static void vt_unload_module(void)
{
	if (system("modprobe -r " MODULE))
		_exit(1);
}

void vt_slow_starts(int64_t ns)
{
	if (system("modprobe " MODULE)) {
		printf("Bail out! no " MODULE "\n");
		exit(1);
	}
	atexit(vt_unload_module);
	vt_order(DIRECTORY "slow_start", ns);
}

int64_t vt_jump(int64_t ns)
{
	return vt_order(DIRECTORY "jump", ns);
}

int64_t vt_irqs_off(int64_t ns)
{
	return vt_order(DIRECTORY "irqs_off", ns);
}
