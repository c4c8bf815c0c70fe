// SPDX-License-Identifier: GPL-2.0-only
/* What the tests host_* share. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "vhost.h"

#define PROVE_LOCKING	"/proc/sys/kernel/prove_locking"

static void prove_locking(void *yes)
{
	FILE *file = fopen(PROVE_LOCKING, "w");

	if (!file)
		return;
	fputs(yes ? "1" : "0", file);
	fclose(file);
}

/*
 * For the rest of the test. A stream that meets the lock of its linked group
 * taken takes that first and its own then, which is of the same class: lockdep
 * is not told that this is meant, reports it of any card, and watches no more.
 */
void vh_without_lockdep(void)
{
	static char yes;

	prove_locking(NULL);
	vt_defer(prove_locking, &yes);
}

/* A call that may be refused because of what the others do, as 0 or -1 */
int vh_call(int fd, unsigned long request, void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	EXPECT(!ret || errno == EBADFD || errno == EBUSY || errno == EPIPE ||
	       errno == EAGAIN, "%s: %m", what);
	return ret;
}

/* Without alsa-lib, which would map the ring itself */
static void fill_hw(struct vt_stream *s, snd_pcm_hw_params_t *hw)
{
	MUST(snd_pcm_hw_params_any(s->pcm, hw));
	MUST(snd_pcm_hw_params_set_access(s->pcm, hw,
					  SND_PCM_ACCESS_MMAP_INTERLEAVED));
	MUST(snd_pcm_hw_params_set_format(s->pcm, hw, s->p.format));
	MUST(snd_pcm_hw_params_set_channels(s->pcm, hw, s->p.channels));
	MUST(snd_pcm_hw_params_set_rate(s->pcm, hw, s->p.rate, 0));
	MUST(snd_pcm_hw_params_set_period_size(s->pcm, hw, s->p.period, 0));
	MUST(snd_pcm_hw_params_set_buffer_size(s->pcm, hw, s->p.buffer));
}

static void fill(struct vt_stream *s, struct vh_race *race, unsigned int i,
		 snd_pcm_uframes_t frames)
{
	struct vt_params p = vt_plain;

	p.nonblock = true;
	p.period = frames / 4;
	p.buffer = frames;
	p.stop = VT_NEVER;
	race->hw[i] = vt_alloc(snd_pcm_hw_params_sizeof());
	race->sw[i] = vt_alloc(snd_pcm_sw_params_sizeof());
	MUST(vt_configure(s, &p));
	fill_hw(s, race->hw[i]);
	MUST(snd_pcm_sw_params_current(s->pcm, race->sw[i]));
}

/* A stream to race on, its parameters tried once */
struct vt_stream *vh_begin(struct vh_race *race, int device,
			   snd_pcm_stream_t dir, int64_t lasts)
{
	struct vt_stream *s = vt_open(device, 0, dir, 0);

	memset(race, 0, sizeof(*race));
	race->device = device;
	race->fd = vt_descriptor(s);
	fill(s, race, 1, 65536);
	fill(s, race, 0, 16384);
	race->bytes = 16384 * s->frame_bytes;
	race->until = vt_now() + lasts;
	return s;
}

/* On a busy host a part may get nothing done for long: it gets more time. */
bool vh_goes_on(const struct vh_race *race, const atomic_ulong *done)
{
	return vt_now() < race->until || !*done;
}

/* Takes what memory there is, marks all of it, gives it back, and so on. */
void vh_neighbour(struct vh_race *race, atomic_ulong *done)
{
	struct vt_params p = vt_plain;
	uint64_t seed = race->device;

	while (vh_goes_on(race, done)) {
		struct vt_stream *s = vt_open(race->device, 1,
					      SND_PCM_STREAM_PLAYBACK, 0);
		unsigned char *mark;

		p.period = vt_random(&seed, 2) ? 4096 : 16384;
		p.buffer = p.period * 4;
		MUST(vt_configure(s, &p));
		mark = vt_alloc(p.buffer * s->frame_bytes);
		memset(mark, VH_MARK, p.buffer * s->frame_bytes);
		vt_write(s, mark, p.buffer);
		vt_undo(free, mark);
		vt_close(s);
		++*done;
		/* two processors are for those who race */
		vt_sleep_until(vt_now() + 5 * VT_MS);
	}
}

void vh_live(const void *arg)
{
	const struct vh_part *part = arg;

	part->live(part->race, part->done);
	EXPECT(*part->done, "a part of the race got nothing done");
}
