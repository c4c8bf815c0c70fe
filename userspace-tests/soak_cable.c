// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hours of simulated time through a cable: every frame tells its number, and
 * arrives once, in order, unaltered, at the position where it has to be.
 * $SOAK_HOURS says how many; $SOAK_RATE at how many frames per second.
 */

#include <stdlib.h>
#include <string.h>
#include "vpcm.h"

#define PERIODS		4
#define NOISE		1024	/* KiB by which free memory may vary */

struct run {
	int device;
	unsigned int hours;
	unsigned int rate;
};

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

/* KiB that are free, or were borrowed for a while */
static long free_memory(void)
{
	long kib = -1;
	char line[80];
	FILE *f = fopen("/proc/meminfo", "r");

	EXPECT(f, "no /proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	fclose(f);
	EXPECT(kib >= 0, "/proc/meminfo does not tell what is available");
	return kib;
}

/* Four bytes are a frame: two channels of 16 bits; odd, thus never silence. */
static uint32_t stamp(uint64_t n)
{
	return (uint32_t)n * 2654435761U | 1;
}

static void write_stamps(struct vt_stream *s, uint32_t *buf, size_t n)
{
	uint64_t first = s->done;
	size_t i;

	for (i = 0; i < n; i++)
		buf[i] = stamp(first + i);
	vt_write(s, buf, n);
}

static void read_stamps(struct vt_stream *s, uint32_t *buf, size_t n)
{
	uint64_t first = s->done;
	size_t i;

	vt_read(s, buf, n);
	for (i = 0; i < n; i++)
		EXPECT(buf[i] == stamp(first + i),
		       "frame %llu is %08x, wanted %08x",
		       (unsigned long long)(first + i), buf[i],
		       stamp(first + i));
}

/* Since the one start the position is what the time makes it. */
static void check_position(struct vt_stream *s, int64_t start)
{
	struct vt_position pos;

	vt_locate(s, &pos);
	EXPECT(pos.trigger == start, "started anew");
	vt_expect_position(&pos, s, start, 1);
}

static void test_hours(const void *arg)
{
	const struct run *run = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	uint64_t hour = 3600ULL * run->rate;
	struct vt_position pos;
	uint32_t *buf;
	long at_first, now = 0;
	unsigned int i;

	p.rate = run->rate;
	p.period = run->rate;
	p.buffer = PERIODS * p.period;
	player = vt_player(run->device, &p);
	recorder = vt_recorder(run->device, &p);
	vt_link(player, recorder);
	buf = vt_alloc(p.period * recorder->frame_bytes);
	at_first = free_memory();
	for (i = 0; i < PERIODS; i++)
		write_stamps(player, buf, p.period);
	MUST(snd_pcm_start(player->pcm));
	vt_locate(player, &pos);
	for (i = 0; i < run->hours; i++) {
		while (recorder->done < (i + 1) * hour) {
			read_stamps(recorder, buf, p.period);
			write_stamps(player, buf, p.period);
		}
		check_position(player, pos.trigger);
		check_position(recorder, pos.trigger);
		now = free_memory();
		EXPECT(now > at_first - NOISE, "hour %u: %ld KiB free of %ld",
		       i, now, at_first);
	}
	vt_note("%u hours, %llu frames compared, memory %+ld KiB", run->hours,
		(unsigned long long)recorder->done, now - at_first);
}

int main(int argc, char **argv)
{
	struct run run = {
		.hours = setting("SOAK_HOURS", 1),
		.rate = setting("SOAK_RATE", 8000),
	};

	vt_init(argc, argv, 2 * (run.hours * 3600 + 600));
	vt_plan(1);
	vt_run(test_hours, &run, "%u hours at %u Hz", run.hours, run.rate);
	return vt_finish();
}
