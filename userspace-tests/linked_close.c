// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of linked streams is prepared while one of them is being closed: the
 * host takes it out of the group only when it is closed already. Its ring is
 * not written to any more, and it does not begin to run.
 */

#include <errno.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vraw.h"

#define RACE	(3 * VT_SECOND)
#define SPREAD	(4 * VT_MS)	/* some time within a PREPARE or two */

/*
 * The one that stays has a ring that takes its time to be silenced, and is
 * mapped so that it always is.
 */
#define LONG	(64 * 1024)
#define SHORT	1024

struct race {
	int dir;
	int stays;
	int64_t until;
	atomic_ulong prepared, refused, closed;
};

struct part {
	struct race *race;
	bool closes;
};

static void configure(int fd, unsigned int frames)
{
	struct snd_pcm_hw_params hw;

	vr_set_plain(&hw, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, frames);
	SYS(ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw));
}

static void live_preparing(struct race *race)
{
	while (vt_now() < race->until) {
		if (!ioctl(race->stays, SNDRV_PCM_IOCTL_PREPARE)) {
			race->prepared++;
			continue;
		}
		EXPECT(errno == EBADFD || errno == EBUSY, "prepare: %m");
		race->refused++;
	}
}

/*
 * The close before this one stopped the other stream as well: it is linked as
 * soon as it is prepared again, which nobody does any more after the race.
 */
static bool linked(const struct race *race, int fd)
{
	while (ioctl(race->stays, SNDRV_PCM_IOCTL_LINK, fd) < 0) {
		EXPECT(errno == EBADFD, "link: %m");
		if (vt_now() > race->until)
			return false;
	}
	return true;
}

static void live_closing(struct race *race)
{
	uint64_t seed = 1;
	int64_t until;
	int fd;

	while (vt_now() < race->until) {
		fd = vr_open_now(1, race->dir);
		SYS(fd);
		configure(fd, SHORT);
		SYS(ioctl(fd, SNDRV_PCM_IOCTL_PREPARE));
		if (linked(race, fd)) {
			until = vt_now() + vt_random(&seed, SPREAD);
			while (vt_now() < until)
				;
			race->closed++;
		}
		SYS(close(fd));
	}
}

static void live(const void *arg)
{
	const struct part *part = arg;

	if (part->closes)
		live_closing(part->race);
	else
		live_preparing(part->race);
}

static void unmap(void *map)
{
	munmap(map, LONG * 4);
}

static void test_close(const void *arg)
{
	struct race race = { .dir = *(const int *)arg };
	struct part parts[] = { { &race, true }, { &race, false } };
	void *map;

	race.stays = vr_open(0, SNDRV_PCM_STREAM_CAPTURE);
	configure(race.stays, LONG);
	map = mmap(NULL, LONG * 4, PROT_READ | PROT_WRITE, MAP_SHARED,
		   race.stays, 0);
	EXPECT(map != MAP_FAILED, "cannot map: %m");
	vt_defer(unmap, map);
	SYS(ioctl(race.stays, SNDRV_PCM_IOCTL_PREPARE));
	race.until = vt_now() + vt_share(RACE);
	vt_threads(live, parts, sizeof(parts[0]), 2);
	vt_note("%lu times prepared, %lu times refused, %lu times closed",
		race.prepared, race.refused, race.closed);
	EXPECT(race.prepared && race.closed, "nothing was done");
	vt_sound(1);
}

int main(int argc, char **argv)
{
	int dir;

	vt_init(argc, argv, 60);
	vt_plan(2);
	for (dir = 0; dir < 2; dir++)
		vt_run(test_close, &dir, "%s closed while its group is prepared",
		       dir ? "recorder" : "player");
	return vt_finish();
}
