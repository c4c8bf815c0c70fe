// SPDX-License-Identifier: GPL-2.0-only
/*
 * A clock that wanders and walks, on a machine that stands still: the stall is
 * caught up with at once, however many changes of speed, or late wake-ups, fell
 * into it.
 */

#include <stdlib.h>
#include "vctl.h"
#include "vstall.h"

#define DRIFT	1000000		/* ppb, as all here */
#define WANDER	50000000
#define WALK	30000000

/* A longer stall is passed at mean speed */
#define EXACT	(5 * VT_SECOND / 2)

struct stall {
	const char *name;
	int64_t ns;
};

/* Of a drift all is seen, of what averages out no more than 2.5 s at most */
static void expect_caught_up(struct vt_stream *s, int64_t frames, int64_t ns)
{
	int64_t wanted = vt_frames_in(ns, s->p.rate, 1000000000 + DRIFT);
	int64_t seconds = ns < 5 * VT_SECOND ? 5 : 10;
	int64_t bound = seconds * (WANDER + WALK) / 1000 * s->p.rate / 1000000;
	int64_t ring = s->p.buffer;
	int64_t off = (frames - wanted) % ring;

	/* Who has not looked for long sees the position modulo the ring. */
	if (off > ring / 2)
		off -= ring;
	else if (off < -ring / 2)
		off += ring;
	vt_note("off by %lld frames after %lld ms, bound %lld", (long long)off,
		(long long)(ns / VT_MS), (long long)bound);
	EXPECT(llabs(off) <= bound,
	       "at %lld after %lld ns, wanted %lld", (long long)frames,
	       (long long)ns, (long long)wanted);
}

static struct vt_stream *start(int64_t *at)
{
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;

	p.format = SND_PCM_FORMAT_S8;
	p.channels = 1;
	p.period = 48000;
	p.buffer = 480000;
	p.stop = VT_NEVER;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	*at = pos.trigger;
	return s;
}

/*
 * Where it would be without the stall: a stream of the same seed has the same
 * speeds, which are at most a tenth from the nominal one.
 */
static void expect_as_without(int64_t frames, int64_t ns)
{
	struct vt_position pos;
	struct vt_stream *s;
	int64_t at, more;

	s = start(&at);
	vt_sleep_until(at + ns);
	vt_locate(s, &pos);
	more = vt_frames(s, pos.stamp - at - ns);
	EXPECT(llabs(pos.frames - frames - more) <= 2 + more / 10,
	       "at %lld after %lld ns; without the stall at %lld, %lld ns later",
	       (long long)frames, (long long)ns, (long long)pos.frames,
	       (long long)(pos.stamp - at - ns));
	vt_close(s);
}

static void test_stall(const void *arg)
{
	const struct stall *stall = arg;
	snd_ctl_t *ctl = vt_use_imperfection(0);
	struct vt_position pos;
	struct vt_stream *s;
	int64_t at, took;

	vt_spoil(ctl, 0, VT_DRIFT, DRIFT);
	vt_spoil(ctl, 0, VT_WANDER, WANDER);
	vt_spoil(ctl, 0, VT_WANDER_PERIOD, 700);
	vt_spoil(ctl, 0, VT_WALK, 1000000);
	vt_spoil(ctl, 0, VT_WALK_LIMIT, WALK);
	s = start(&at);
	vt_sleep_until(at + 1234 * VT_MS);
	vt_jump(stall->ns);
	vt_locate(s, &pos);
	took = pos.after - pos.before;
	EXPECT(pos.state == SND_PCM_STATE_RUNNING, "stopped");
	vt_note("found in %lld us", (long long)(took / VT_US));
	EXPECT(took < VT_MS, "took %lld us", (long long)(took / VT_US));
	expect_caught_up(s, pos.frames, pos.stamp - at);
	vt_sleep_until(pos.after + VT_SECOND);
	vt_locate(s, &pos);
	expect_caught_up(s, pos.frames, pos.stamp - at);
	vt_close(s);
	if (stall->ns < EXACT)
		expect_as_without(pos.frames, pos.stamp - at);
}

/* However many wake-ups a stall has held up, the next are late as ever. */
static void test_late(const void *arg)
{
	const int64_t late = 250 * VT_US;	/* whole frames */
	const struct stall *stall = arg;
	snd_ctl_t *ctl = vt_use_imperfection(0);
	struct vt_params p = vt_plain;
	struct vt_position pos;
	struct vt_stream *s;
	unsigned int i, woken;

	vt_spoil(ctl, 0, VT_DELAY, late / VT_US);
	p.period = 48;
	p.buffer = 4800;
	p.stop = VT_NEVER;
	s = vt_recorder(0, &p);
	MUST(snd_pcm_start(s->pcm));
	vt_locate(s, &pos);
	for (i = 0; i < 3; i++) {
		vt_sleep_until(vt_now() + 333 * VT_US);
		vt_jump(stall->ns);
		EXPECT(MUST(snd_pcm_wait(s->pcm, 1000)) == 1, "not woken");
		for (woken = 0; woken < 50; woken++) {
			MUST(snd_pcm_forward(s->pcm,
					     MUST(snd_pcm_avail(s->pcm))));
			EXPECT(MUST(snd_pcm_wait(s->pcm, 1000)) == 1,
			       "not woken any more");
			vt_expect_time((vt_now() - pos.trigger) % VT_MS, late,
				       VT_LATE, "a wake-up");
		}
	}
}

int main(int argc, char **argv)
{
	static const struct stall stalls[] = {
		{ "20 ms", 20 * VT_MS },
		{ "2 s", 2 * VT_SECOND },
		{ "10 s", 10 * VT_SECOND },
		{ "50 minutes", 3000 * VT_SECOND },
	};
	unsigned int i;

	vt_init(argc, argv, 8000);
	vt_load_stalls();
	vt_plan(ARRAY_SIZE(stalls) + 3);
	for (i = 0; i < ARRAY_SIZE(stalls); i++)
		vt_run(test_stall, &stalls[i], "a stall of %s", stalls[i].name);
	for (i = 0; i < 3; i++)
		vt_run(test_late, &stalls[i], "late wake-ups after %s",
		       stalls[i].name);
	return vt_finish();
}
