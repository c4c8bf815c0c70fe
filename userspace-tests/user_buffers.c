// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of the client's memory is not there while frames are written from it
 * or read into it: the call tells how far it came, or EFAULT, and going on from
 * there loses no frame and plays none twice.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vpcm.h"

#define RING		8192	/* frames */
#define BEFORE		(RING * 3 / 4)
#define PART		(RING / 2)	/* goes on beyond the ring's end */
#define CHANNELS	2
#define SAMPLE		4	/* bytes */
#define SKEW		2	/* bytes: no page boundary is one of frames */
#define START		(5 * VT_MS)	/* at most, until a stream has started */

struct job {
	int device;
	snd_pcm_stream_t dir;
	snd_pcm_access_t access;
};

/**
 * struct area - the client's memory, for PART frames
 * @at: its pages
 * @bytes: size of them all
 * @page: size of one, bytes
 * @plane: from one channel to the next, bytes; 0 if they are interleaved
 */
struct area {
	char *at;
	size_t bytes;
	size_t page;
	size_t plane;
};

static void unmap_area(void *data)
{
	struct area *area = data;

	munmap(area->at, area->bytes);
}

static struct area *map_area(bool planar)
{
	struct area *area = vt_alloc(sizeof(*area));

	area->page = sysconf(_SC_PAGESIZE);
	area->plane = planar ? PART * SAMPLE : 0;
	area->bytes = PART * CHANNELS * SAMPLE + area->page;
	area->at = mmap(NULL, area->bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(area->at != MAP_FAILED, "mmap: %m");
	vt_defer(unmap_area, area);
	return area;
}

/* One call, from the frame @from of the part on */
static long transfer(struct vt_stream *s, const struct area *area, size_t from)
{
	void *planes[CHANNELS];
	size_t step = SAMPLE * (area->plane ? 1 : CHANNELS);
	long n;
	int c;

	for (c = 0; c < CHANNELS; c++)
		planes[c] = area->at + SKEW + from * step + c * area->plane;
	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		n = area->plane ? snd_pcm_writen(s->pcm, planes, PART - from) :
		    snd_pcm_writei(s->pcm, planes[0], PART - from);
	else
		n = area->plane ? snd_pcm_readn(s->pcm, planes, PART - from) :
		    snd_pcm_readi(s->pcm, planes[0], PART - from);
	if (n > 0)
		s->done += n;
	return n;
}

/* Between interleaved frames and the area's order of them */
static void arrange(const struct area *area, char *frames, bool out)
{
	char *sample;
	size_t i;

	for (i = 0; i < PART * CHANNELS; i++, frames += SAMPLE) {
		sample = area->at + SKEW;
		sample += area->plane ? i / CHANNELS * SAMPLE +
			  i % CHANNELS * area->plane : i * SAMPLE;
		memcpy(out ? sample : frames, out ? frames : sample, SAMPLE);
	}
}

/* The part is moved with a page missing, then what is left of it with all. */
static bool transfer_around(struct vt_stream *s, const struct area *area,
			    size_t page)
{
	char *missing = area->at + page * area->page;
	long n;

	SYS(mprotect(missing, area->page, PROT_NONE));
	n = transfer(s, area, 0);
	SYS(mprotect(missing, area->page, PROT_READ | PROT_WRITE));
	EXPECT(n == -EFAULT || (n > 0 && n < PART),
	       "without page %zu: %ld", page, n);
	if (n < 0)
		n = 0;
	EXPECT(transfer(s, area, n) == PART - n, "the rest failed");
	return n > 0;
}

static bool play_around(struct vt_stream *player, struct vt_stream *recorder,
			const struct area *area, size_t page)
{
	char *frames = vt_alloc(PART * CHANNELS * SAMPLE);
	bool in_part;

	vt_play(player, 0, BEFORE);
	MUST(snd_pcm_start(player->pcm));
	vt_sleep_until(vt_now() + vt_duration(player, PART) + START);
	vt_stamp(player, frames, BEFORE, PART);
	arrange(area, frames, true);
	in_part = transfer_around(player, area, page);
	vt_hear(recorder, 0, BEFORE + PART);
	vt_undo(free, frames);
	return in_part;
}

static bool record_around(struct vt_stream *player, struct vt_stream *recorder,
			  const struct area *area, size_t page)
{
	char *frames = vt_alloc(PART * CHANNELS * SAMPLE);
	bool in_part;
	size_t good;

	vt_play(player, 0, RING);
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, BEFORE);
	vt_play(player, RING, PART);
	vt_sleep_until(vt_now() + vt_duration(recorder, PART) + START);
	in_part = transfer_around(recorder, area, page);
	arrange(area, frames, false);
	good = vt_stamped(recorder, frames, BEFORE, PART);
	EXPECT(good == PART, "without page %zu: frame %zu of the part is wrong",
	       page, good);
	vt_undo(free, frames);
	return in_part;
}

static void test_pages(const void *arg)
{
	const struct job *job = arg;
	bool plays = job->dir == SND_PCM_STREAM_PLAYBACK;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	unsigned int parts = 0;
	struct area *area;
	size_t page;

	p.format = SND_PCM_FORMAT_S32;
	p.buffer = RING;
	p.period = RING / 8;
	p.stop = VT_NEVER;
	p.access = plays ? job->access : SND_PCM_ACCESS_RW_INTERLEAVED;
	player = vt_player(job->device, &p);
	p.access = plays ? SND_PCM_ACCESS_RW_INTERLEAVED : job->access;
	recorder = vt_recorder(job->device, &p);
	vt_link(player, recorder);
	area = map_area(job->access == SND_PCM_ACCESS_RW_NONINTERLEAVED);
	for (page = 0; page < area->bytes / area->page; page++) {
		vt_prepare(player);
		parts += plays ? play_around(player, recorder, area, page) :
			 record_around(player, recorder, area, page);
		MUST(snd_pcm_drop(player->pcm));
	}
	vt_note("%zu pages, %u times a part was moved", page, parts);
	EXPECT(parts && parts < page, "one of the two answers never came");
}

int main(int argc, char **argv)
{
	static const snd_pcm_access_t accesses[] = {
		SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
	};
	struct job job;
	int i;

	vt_init(argc, argv, 120);
	vt_plan(4 * vt_devices());
	for (job.device = 0; job.device < vt_devices(); job.device++)
		for (i = 0; i < 4; i++) {
			job.access = accesses[i / 2];
			job.dir = i % 2 ? SND_PCM_STREAM_CAPTURE :
				  SND_PCM_STREAM_PLAYBACK;
			vt_run(test_pages, &job, "device %d %s %s", job.device,
			       snd_pcm_access_name(job.access),
			       snd_pcm_stream_name(job.dir));
		}
	return vt_finish();
}
