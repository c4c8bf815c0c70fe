// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap beside hw_free and hw_params of the same stream, which some kernels let
 * run at once: a mapping has memory of its own until it is unmapped, zero when
 * it was made, and nobody else writes into it, not even to clear it.
 */

#include <string.h>
#include <sys/mman.h>
#include "vhost.h"

#define LASTS	(5 * VT_SECOND)
#define SPREAD	(40 * VT_US)	/* how far apart the two may begin */

static const size_t page = 4096;

/* Of each round: what the one that frees and the one that maps know */
static atomic_ulong begun, freed, replaced, mapped;
static atomic_bool over;

static void spin(int64_t ns)
{
	int64_t until = vt_now() + ns;

	while (vt_now() < until)
		;
}

/* until *counter has got that far; not if it never will */
static bool wait_for(const atomic_ulong *counter, unsigned long round,
		     const struct vh_race *race)
{
	while (*counter < round && !over &&
	       vt_now() < race->until + 20 * VT_SECOND)
		;
	return *counter >= round;
}

static int free_ring(struct vh_race *race)
{
	return vh_call(race->fd, VH_HW_FREE, NULL, "hw_free");
}

static int set_ring(struct vh_race *race, unsigned long round)
{
	return vh_call(race->fd, VH_HW_PARAMS, race->hw[round & 1],
		       "hw_params");
}

/*
 * Each round frees the ring just when it is mapped, and gets another one, until
 * both have had their way.
 */
static void live_replacing(struct vh_race *race, atomic_ulong *done)
{
	uint64_t seed = race->device;
	unsigned long round;
	bool is_free, is_set;

	for (round = 1;; round++) {
		if (!vh_goes_on(race, done) && !vh_goes_on(race, &race->done[1]))
			break;
		begun = round;
		spin(vt_random(&seed, SPREAD));
		is_free = !free_ring(race);
		*done += is_free;
		if (is_free)
			freed = round;
		/* refused where an mmap is still at it, or has won the race */
		is_set = is_free && !set_ring(race, round);
		replaced = round;
		if (!wait_for(&mapped, round, race))
			break;
		if (!is_free)
			SYS(free_ring(race));
		if (!is_set)
			SYS(set_ring(race, round));
	}
	over = true;
}

static void expect_all(const unsigned char *ring, size_t bytes,
		       unsigned char value, const char *when)
{
	size_t at;

	/* the pages from the last one: those are cleared last */
	for (at = bytes - page; at; at -= page)
		EXPECT(ring[at] == value, "%s: byte %zu is %#x, not %#x",
		       when, at, ring[at], value);
}

static void fill(unsigned char *ring, size_t bytes, unsigned char value)
{
	size_t at;

	for (at = bytes - page; at; at -= page)
		ring[at] = value;
}

/*
 * Half of the pages are touched late, when the buffer may be another one. false
 * if nothing was mapped.
 */
static bool map_once(struct vh_race *race, unsigned long round)
{
	unsigned char stamp = round % 64 + 1;
	size_t half = race->bytes / 2;
	bool was_first;
	unsigned char *ring;

	ring = mmap(NULL, race->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		    race->fd, 0);
	was_first = freed < round;
	if (ring == MAP_FAILED)
		return false;
	expect_all(ring, half, 0, "just mapped");
	fill(ring, half, stamp);
	wait_for(&replaced, round, race);
	expect_all(ring + half, half, 0, "looked at later");
	expect_all(ring, half, stamp, "stamped before");
	fill(ring, half, 0);
	race->done[3] += was_first && freed == round;
	SYS(munmap(ring, race->bytes));
	return true;
}

static void live_mapping(struct vh_race *race, atomic_ulong *done)
{
	uint64_t seed = race->device + 100;
	unsigned long round;

	for (round = 1; wait_for(&begun, round, race); round++) {
		spin(vt_random(&seed, SPREAD));
		*done += map_once(race, round);
		mapped = round;
	}
}

static void test_race(const void *arg)
{
	const int *device = arg;
	struct vh_race race;
	const struct vh_part parts[] = {
		{ &race, live_replacing, &race.done[0] },
		{ &race, live_mapping, &race.done[1] },
		{ &race, vh_neighbour, &race.done[2] },
	};

	begun = 0;
	freed = 0;
	replaced = 0;
	mapped = 0;
	over = false;
	vh_begin(&race, *device, SND_PCM_STREAM_PLAYBACK, vt_share(LASTS));
	SYS(free_ring(&race));
	SYS(set_ring(&race, 0));
	vt_threads(vh_live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
	vt_note("%lu rounds, %lu freed, %lu mapped, %lu freed while mapped",
		(unsigned long)begun, race.done[0], race.done[1],
		race.done[3]);
}

static void test_afterwards(const void *arg)
{
	const int *device = arg;

	vt_carry(*device, 0, SND_PCM_ACCESS_MMAP_INTERLEAVED, 480);
}

int main(int argc, char **argv)
{
	int device, devices;

	vt_init(argc, argv, 110);
	devices = vt_devices();
	vt_plan(2 * devices);
	for (device = 0; device < devices; device++) {
		vt_run(test_race, &device,
		       "device %d mapped while its ring is replaced", device);
		vt_run(test_afterwards, &device, "device %d afterwards",
		       device);
	}
	return vt_finish();
}
