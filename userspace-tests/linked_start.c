// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of linked streams is started by a machine that takes long for each:
 * the instant at which they start comes before all have been, and other
 * processors have their timers. Whoever is started last has lost nothing.
 */

#include <sched.h>
#include "vstall.h"

#define SLOW	(3 * VT_MS)	/* later than the first start, which is within 1 ms */
#define PERIOD	48		/* frames: some end before the last start */
#define ROUNDS	50

struct part {
	int device;
	int subdevice;
};

/* The timer, which serves the whole device, goes to who was the last to start. */
static void live(const void *arg)
{
	const struct part *part = arg;
	unsigned int i;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(part->subdevice, &set);
	SYS(sched_setaffinity(0, sizeof(set), &set));
	for (i = 0; i < ROUNDS; i++)
		vt_carry(part->device, part->subdevice,
			 SND_PCM_ACCESS_RW_INTERLEAVED, PERIOD);
}

static bool is_slow;

static void test_start(const void *arg)
{
	const int device = *(const int *)arg;
	const struct part parts[] = { { device, 0 }, { device, 1 } };

	if (!is_slow)
		vt_skip("this kernel has no kprobe for a start");
	vt_threads(live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 60);
	is_slow = vt_slow_starts(SLOW);
	vt_plan(vt_devices());
	for (device = 0; device < vt_devices(); device++)
		vt_run(test_start, &device,
		       "device %d loses nothing in a slow start", device);
	return vt_finish();
}
