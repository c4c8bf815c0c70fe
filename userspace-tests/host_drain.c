// SPDX-License-Identifier: GPL-2.0-only
/*
 * The drain of a player while the stream that is linked to it is closed or
 * unlinked. A drain starts the whole group, and some kernels still look at the
 * other stream when it is gone: nothing of ours may be left running of it, and
 * the drain ends.
 */

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/utsname.h>
#include "vhost.h"

#define ROUNDS	40
#define LIMIT	(12 * VT_SECOND)	/* the core itself waits for 10 s */

struct job {
	snd_pcm_stream_t dir;	/* of the other stream */
	bool is_closed;
	const char *name;
	bool forgets_waiter;	/* by kernels without the fix */
};

/**
 * struct round - one drain
 * @device: where
 * @job: what happens to the other stream
 * @player: the stream that is drained
 * @delay: from the call of the drain until the other goes, ns
 * @linked: whether the other is there
 * @at: when it goes, 0 as long as that is not known
 */
struct round {
	int device;
	const struct job *job;
	struct vt_stream *player;
	int64_t delay;
	atomic_bool linked;
	atomic_llong at;
};

struct part {
	struct round *round;
	bool drains;
};

static void drain_player(struct round *r)
{
	int64_t began, until = vt_now() + 20 * VT_SECOND;
	int err;

	while (!r->linked) {
		EXPECT(vt_now() < until, "the other stream does not come");
		sched_yield();
	}
	began = vt_now();
	r->at = began + r->delay;
	err = snd_pcm_drain(r->player->pcm);
	EXPECT(!err || err == -EPIPE || err == -EBADFD || err == -EIO ||
	       err == -ESTRPIPE, "drain: %s", snd_strerror(err));
	EXPECT(vt_now() - began < LIMIT, "the drain took %lld ms",
	       (long long)((vt_now() - began) / VT_MS));
}

/*
 * The other plays longer than the player that is drained. Its ring is longer
 * than a busy machine may stand still: a drain that has waited for that long
 * gives up, and if the stream was unlinked leaves its waiter there, in all
 * kernels, with any card.
 */
static void leave(struct round *r)
{
	bool plays = r->job->dir == SND_PCM_STREAM_PLAYBACK;
	struct vt_stream *s = vt_open(r->device, plays, r->job->dir, 0);
	struct vt_params p = vt_plain;

	p.period = 960;
	p.buffer = 96000;
	p.stop = VT_NEVER;
	MUST(vt_configure(s, &p));
	if (plays)
		vt_play(s, 0, 4800);
	MUST(snd_pcm_link(r->player->pcm, s->pcm));
	r->linked = true;
	while (!r->at || vt_now() < r->at)
		sched_yield();
	if (!r->job->is_closed)
		MUST(snd_pcm_unlink(s->pcm));
	vt_close(s);
}

static void live(const void *arg)
{
	const struct part *part = arg;

	if (part->drains)
		drain_player(part->round);
	else
		leave(part->round);
}

struct place {
	int device;
	const struct job *job;
};

/*
 * There is no way to ask but to crash: the fix came after 5.10, and in 6.1
 * between 6.1.176 and 6.1.192, as a distribution's kernel tells in its version.
 */
static bool forgets_waiter(void)
{
	struct utsname name;
	const char *text;
	int n;

	SYS(uname(&name));
	if (!strncmp(name.release, "5.", 2))
		return true;
	text = strstr(name.version, " 6.1.");
	return text && sscanf(text, " 6.1.%d", &n) == 1 && n < 192;
}

static void test_drain(const void *arg)
{
	const struct place *place = arg;
	uint64_t seed = place->device;
	unsigned int i;

	if (place->job->forgets_waiter && forgets_waiter())
		vt_skip("this kernel would crash, with any card");
	vh_without_lockdep();
	for (i = 0; i < vt_share(ROUNDS); i++) {
		struct round r = { place->device, place->job };
		const struct part parts[] = { { &r, true }, { &r, false } };
		struct vt_params p = vt_plain;

		p.period = 96;
		p.buffer = 960;
		p.stop = VT_NEVER;
		r.player = vt_player(r.device, &p);
		vt_play(r.player, 0, p.buffer);
		r.delay = vt_random(&seed, i & 1 ? 300 * VT_US : 25 * VT_MS);
		vt_threads(live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
		/* whatever were left running would go on into what is gone */
		vt_sleep_until(vt_now() + 30 * VT_MS);
		vt_close(r.player);
	}
	vt_carry(place->device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

static const struct job jobs[] = {
	{ SND_PCM_STREAM_PLAYBACK, true, "player is closed" },
	{ SND_PCM_STREAM_PLAYBACK, false, "player is unlinked", true },
	{ SND_PCM_STREAM_CAPTURE, true, "recorder is closed" },
	{ SND_PCM_STREAM_CAPTURE, false, "recorder is unlinked" },
};

int main(int argc, char **argv)
{
	struct place place;
	unsigned int i;

	vt_init(argc, argv, 110);
	vt_plan(2 * ARRAY_SIZE(jobs));
	for (place.device = 0; place.device < 2; place.device++)
		for (i = 0; i < ARRAY_SIZE(jobs); i++) {
			place.job = &jobs[i];
			vt_run(test_drain, &place,
			       "device %d drain while the linked %s",
			       place.device, jobs[i].name);
		}
	return vt_finish();
}
