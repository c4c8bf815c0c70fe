// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer's last question: does the card still carry every frame, once and
 * in order?
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fuzz.h"

#define PLAYED	8192		/* frames */
#define HEARD	20000
#define RING	65536		/* of the recorder: so late may we be */
#define TRIES	5

static uint32_t played[PLAYED], heard[HEARD];

static int set_up(struct fuzz_slot *s, unsigned int buffer)
{
	struct snd_pcm_sw_params sw = {
		.tstamp_mode = 1, .period_step = 1, .avail_min = 1024,
	};
	struct snd_pcm_hw_params p;

	fuzz_plain_params(&p, 1024, buffer);
	if (fuzz_open_slot(s, false) || fuzz_set_params(s, &p))
		return -1;
	sw.start_threshold = s->boundary;
	sw.stop_threshold = s->boundary;
	if (ioctl(s->fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw) < 0)
		return -1;
	return ioctl(s->fd, SNDRV_PCM_IOCTL_PREPARE);
}

static const char *compare(void)
{
	unsigned int first = 0, i;

	while (first < HEARD && !heard[first])
		first++;
	if (first + PLAYED > HEARD)
		return "the recorder has not heard it";
	for (i = 0; i < PLAYED; i++)
		if (heard[first + i] != played[i])
			return "a frame is another";
	for (i = first + PLAYED; i < HEARD; i++)
		if (heard[i])
			return "sound after the end";
	return NULL;
}

/* Has the recorder got beyond this frame? What it does not tell is no. */
static bool is_beyond(struct fuzz_slot *recorder, unsigned long frame)
{
	struct snd_pcm_sync_ptr sp = {
		.flags = SNDRV_PCM_SYNC_PTR_HWSYNC | SNDRV_PCM_SYNC_PTR_APPL |
			 SNDRV_PCM_SYNC_PTR_AVAIL_MIN,
	};

	return !ioctl(recorder->fd, SNDRV_PCM_IOCTL_SYNC_PTR, &sp) &&
	       (unsigned long)sp.s.status.hw_ptr > frame;
}

/*
 * Were we too late: the player began after what is heard, or what was heard has
 * been recorded over?
 */
static const char *carry(struct fuzz_slot *player, struct fuzz_slot *recorder,
			 bool *late)
{
	struct snd_xferi out = { .buf = played, .frames = PLAYED };
	struct snd_xferi in = { .buf = heard, .frames = HEARD };

	if (set_up(player, PLAYED) || set_up(recorder, RING))
		return "it cannot be set up";
	if (ioctl(player->fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &out) < 0)
		return "it cannot be written";
	if (ioctl(recorder->fd, SNDRV_PCM_IOCTL_START) < 0 ||
	    ioctl(player->fd, SNDRV_PCM_IOCTL_START) < 0)
		return "it cannot be started";
	*late = is_beyond(recorder, HEARD - PLAYED);
	if (ioctl(recorder->fd, SNDRV_PCM_IOCTL_READI_FRAMES, &in) < 0)
		return "it cannot be read";
	*late |= is_beyond(recorder, RING);
	return compare();
}

/* Where time is exact nothing is late. */
static bool is_timed(void)
{
	const char *machine = getenv("machine");

	return machine && !strcmp(machine, "timed");
}

static void close_both(struct fuzz_slot *player, struct fuzz_slot *recorder)
{
	if (player->fd >= 0)
		close(player->fd);
	if (recorder->fd >= 0)
		close(recorder->fd);
	player->fd = -1;
	recorder->fd = -1;
}

/*
 * On a machine that is busy with other things more than the ring can pass
 * before it is read: that is tried again, and nothing else.
 */
const char *fuzz_carry(unsigned int device)
{
	struct fuzz_slot player = { .device = device, .fd = -1 };
	struct fuzz_slot recorder = {
		.device = device, .capture = true, .fd = -1,
	};
	unsigned int tries = is_timed() ? 1 : TRIES, i;
	const char *why;
	bool late;

	for (i = 0; i < PLAYED; i++)
		played[i] = 0x10001 * (i + 1) ^ 0x5a5a0000;
	do {
		memset(heard, 0, sizeof(heard));
		late = false;
		why = carry(&player, &recorder, &late);
		close_both(&player, &recorder);
	} while (why && late && --tries);
	return why;
}
