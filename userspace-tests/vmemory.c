// SPDX-License-Identifier: GPL-2.0-only
/* How much memory the machine has left. */

#include <unistd.h>
#include "vtest.h"
#include "vmemory.h"

/* Sum of a number that a file of /proc has once or many times */
static long vm_sum(const char *path, const char *format)
{
	long value, sum = 0;
	char line[160];
	FILE *f = fopen(path, "r");

	EXPECT(f, "no %s", path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, format, &value) == 1)
			sum += value;
	fclose(f);
	return sum;
}

/* What each processor keeps for the next who asks there */
long vm_kept(void)
{
	return vm_sum("/proc/zoneinfo", " count: %ld") *
	       (sysconf(_SC_PAGESIZE) / 1024);
}

long vm_free(void)
{
	return vm_sum("/proc/meminfo", "MemAvailable: %ld") + vm_kept();
}

long vm_room(void)
{
	return vm_sum("/proc/meminfo", "MemFree: %ld") -
	       vm_sum("/proc/zoneinfo", " min %ld") *
	       (sysconf(_SC_PAGESIZE) / 1024);
}
