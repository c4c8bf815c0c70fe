// SPDX-License-Identifier: GPL-2.0-only
/*
 * The drain of a player while another thread takes the ring of the linked
 * recorder away, replaces it or prepares it. The machine survives, whoever is
 * refused is refused plainly, and the card carries every frame afterwards. Nor
 * is a drain given up while another thread opens and closes the next substream.
 */

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include "vctl.h"
#include "vhost.h"

#define RACE		(6 * VT_SECOND)
#define RACE_MAX	(18 * VT_SECOND)	/* until both had their way */
#define SPREAD		(300 * VT_US)	/* how far apart the two may begin */

/* ioctls past alsa-lib: it would do more than this one thing */
#define IOCTL_HW_PARAMS	_IOC(_IOC_READ | _IOC_WRITE, 'A', 0x11, \
			     snd_pcm_hw_params_sizeof())
#define IOCTL_HW_FREE	_IO('A', 0x12)
#define IOCTL_PREPARE	_IO('A', 0x40)

enum rival { FREES, CONFIGURES, PREPARES };

/**
 * struct race - what both threads know
 * @rival: what is done to the recorder
 * @player: drained by one thread
 * @recorder: its handle is used by that thread, between the rounds
 * @first: what the recorder is configured with before each round
 * @fd: the recorder's descriptor, for the other thread
 * @hw: parameters with a larger ring than the recorder has
 * @round: counts the rounds that have been begun
 * @answered: the round in which the other thread is done
 * @over: whether the race is over
 * @delay: how long the other thread waits in this round, ns
 * @did: how often the other thread was not refused
 */
struct race {
	enum rival rival;
	struct vt_stream *player, *recorder;
	struct vt_params first;
	int fd;
	snd_pcm_hw_params_t *hw;
	atomic_uint round, answered;
	atomic_bool over;
	int64_t delay;
	unsigned int did;
};

struct part {
	struct race *race;
	bool drains;
};

static struct vt_params params(snd_pcm_uframes_t period,
			       snd_pcm_uframes_t buffer)
{
	struct vt_params p = vt_plain;

	p.nonblock = true;
	p.period = period;
	p.buffer = buffer;
	return p;
}

static void spin(int64_t ns)
{
	int64_t until = vt_now() + ns;

	while (vt_now() < until)
		;
}

static int interfere(struct race *race)
{
	switch (race->rival) {
	case FREES:
		return ioctl(race->fd, IOCTL_HW_FREE);
	case CONFIGURES:
		return ioctl(race->fd, IOCTL_HW_PARAMS, race->hw);
	default:
		return ioctl(race->fd, IOCTL_PREPARE);
	}
}

static void live_rival(struct race *race)
{
	unsigned int seen = 0;
	int err;

	while (!race->over) {
		if (race->round == seen) {
			sched_yield();
			continue;
		}
		seen++;
		spin(race->delay);
		err = interfere(race);
		EXPECT(!err || errno == EBADFD || errno == EBUSY ||
		       errno == EAGAIN, "the recorder: %m");
		race->did += !err;
		race->answered = seen;
	}
}

static void end_race(void *race)
{
	((struct race *)race)->over = true;
}

/* Begins a round, so that the two calls meet at any of their points. */
static int drain_in_round(struct race *race, uint64_t *seed)
{
	int64_t late = (int64_t)vt_random(seed, 2 * SPREAD) - SPREAD;
	int64_t until = vt_now() + 5 * VT_SECOND;
	int err;

	race->delay = late > 0 ? late : 0;
	race->round++;
	spin(late < 0 ? -late : 0);
	err = snd_pcm_drain(race->player->pcm);
	while (race->answered != race->round) {
		EXPECT(vt_now() < until, "the other thread is stuck");
		sched_yield();
	}
	return err;
}

/* A recorder without parameters would keep linked streams from being stopped. */
static void begin_anew(struct race *race)
{
	struct vt_stream *player = race->player, *recorder = race->recorder;

	MUST(snd_pcm_drop(player->pcm));
	MUST(snd_pcm_unlink(recorder->pcm));
	MUST(snd_pcm_drop(player->pcm));
	/* alsa-lib would free it once more, which is refused */
	if (snd_pcm_state(recorder->pcm) == SND_PCM_STATE_OPEN)
		SYS(ioctl(race->fd, IOCTL_HW_PARAMS, race->hw));
	MUST(vt_configure(recorder, &race->first));
	vt_prepare(player);
	vt_play(player, 0, player->p.buffer);
	vt_link(player, recorder);
}

/* One drain per round; frames pass for a while, into whatever ring there is. */
static void live_drainer(struct race *race)
{
	int64_t begun = vt_now(), lasts = vt_share(RACE);
	unsigned int rounds = 0, drained = 0;
	uint64_t seed = 3;
	int err;

	vt_defer(end_race, race);
	while (vt_now() < begun + lasts) {
		begin_anew(race);
		err = drain_in_round(race, &seed);
		EXPECT(!err || err == -EAGAIN || err == -EBADFD,
		       "drain: %s", snd_strerror(err));
		drained += err == -EAGAIN;
		vt_sleep_until(vt_now() + 8 * VT_MS);
		rounds++;
		lasts = drained && race->did ? vt_share(RACE) : RACE_MAX;
	}
	vt_note("%u rounds, %u drains, %u of the other's", rounds, drained,
		race->did);
	EXPECT(drained && race->did, "one of the two never had its way");
}

static void live(const void *arg)
{
	const struct part *part = arg;

	if (part->drains)
		live_drainer(part->race);
	else
		live_rival(part->race);
}

/* Everything is fixed but what follows from it. */
static void fill_hw(struct vt_stream *s, snd_pcm_hw_params_t *hw,
		    const struct vt_params *p)
{
	MUST(snd_pcm_hw_params_any(s->pcm, hw));
	MUST(snd_pcm_hw_params_set_access(s->pcm, hw, p->access));
	MUST(snd_pcm_hw_params_set_format(s->pcm, hw, p->format));
	MUST(snd_pcm_hw_params_set_channels(s->pcm, hw, p->channels));
	MUST(snd_pcm_hw_params_set_rate(s->pcm, hw, p->rate, 0));
	MUST(snd_pcm_hw_params_set_period_size(s->pcm, hw, p->period, 0));
	MUST(snd_pcm_hw_params_set_buffer_size(s->pcm, hw, p->buffer));
}

struct job {
	int device;
	enum rival rival;
};

static void test_race(const void *arg)
{
	const struct job *job = arg;
	struct vt_params p = params(96, 960), q = params(1024, 0);
	struct race race = { .rival = job->rival };
	const struct part parts[] = { { &race, true }, { &race, false } };

	/* as large as the device's memory can be */
	q.buffer = job->device ? 64 * 1024 : 256 * 1024;
	vh_without_lockdep();
	race.first = job->rival == CONFIGURES ? params(480, 960) : q;
	race.player = vt_player(job->device, &p);
	race.recorder = vt_recorder(job->device, &q);
	race.fd = vt_descriptor(race.recorder);
	snd_pcm_hw_params_alloca(&race.hw);
	fill_hw(race.recorder, race.hw, &q);
	vt_link(race.player, race.recorder);
	vt_threads(live, parts, sizeof(parts[0]), ARRAY_SIZE(parts));
	vt_close(race.recorder);
	vt_close(race.player);
	vt_carry(job->device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

#define SLOW	100		/* how slow the scaled clock is */
#define FRAMES	2400		/* that take 5 s by it */
#define LONG	96000		/* frames: the core waits for 2.2 s */

/* A drain, and who opens and closes another substream until that is over */
struct beside {
	int device;
	struct vt_stream *player;
	bool drains;
	volatile bool *over;
};

static void live_beside(const void *arg)
{
	const struct beside *beside = arg;
	struct vt_stream *s;
	int err;

	if (beside->drains) {
		err = snd_pcm_drain(beside->player->pcm);
		*beside->over = true;
		EXPECT(!err, "drain: %s", snd_strerror(err));
		return;
	}
	while (!*beside->over) {
		s = vt_open(beside->device, 1, SND_PCM_STREAM_PLAYBACK, 0);
		vt_close(s);
	}
}

/* The core is told that the drain goes on, however often it is busy opening. */
static void test_beside(const void *arg)
{
	const int device = *(const int *)arg;
	struct vt_params p = vt_plain;
	volatile bool over = false;
	struct beside sides[2];
	struct vt_stream *s;

	if (vt_substreams() < 2)
		vt_skip("one substream only");
	vt_use_scale(device, 1, SLOW);
	vt_use_clock(device, "scaled");
	p.period = LONG / 2;	/* it tells nothing meanwhile */
	p.buffer = LONG;
	s = vt_player(device, &p);
	vt_play(s, 0, FRAMES);
	MUST(snd_pcm_start(s->pcm));
	sides[0] = (struct beside){ device, s, true, &over };
	sides[1] = (struct beside){ device, s, false, &over };
	vt_threads(live_beside, sides, sizeof(sides[0]), ARRAY_SIZE(sides));
	vt_expect_state(s, SND_PCM_STATE_SETUP);
}

int main(int argc, char **argv)
{
	static const char *const rivals[] = {
		"is freed", "is replaced", "is prepared",
	};
	struct job job;
	unsigned int i;

	vt_init(argc, argv, 110);
	vt_plan(2 * (ARRAY_SIZE(rivals) + 1));
	for (job.device = 0; job.device < 2; job.device++) {
		for (i = 0; i < ARRAY_SIZE(rivals); i++) {
			job.rival = i;
			vt_run(test_race, &job,
			       "device %d drain while the recorder's ring %s",
			       job.device, rivals[i]);
		}
		vt_run(test_beside, &job.device,
		       "device %d drain while another stream comes and goes",
		       job.device);
	}
	return vt_finish();
}
