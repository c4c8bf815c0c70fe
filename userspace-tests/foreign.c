// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams linked with another card's: if that one cannot start, ours have not
 * started either, and lose nothing by it; if it can, all start.
 *
 * The other card is snd-aloop, which refuses to start a recorder whose player
 * has been set to another rate after it.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "vstall.h"

#define FOREIGN		"hw:Loopback"

/* As in <sound/asound.h>, which does not go together with alsa-lib's headers */
#define HW_PARAMS \
	_IOC(_IOC_READ | _IOC_WRITE, 'A', 0x11, snd_pcm_hw_params_sizeof())
#define PREPARE		_IO('A', 0x40)

#define SLOW		(3 * VT_MS)

/**
 * struct job - a start with another card
 * @works: whether that card can start
 * @foreign_first: whether it is linked first
 * @slow: whether a start of ours takes so long that ours run before it is asked
 */
struct job {
	bool works, foreign_first, slow;
};

static void close_foreign(void *pcm)
{
	snd_pcm_close(pcm);
}

static snd_pcm_t *open_foreign(int device, snd_pcm_stream_t dir)
{
	char name[32];
	snd_pcm_t *pcm;

	snprintf(name, sizeof(name), FOREIGN ",%d", device);
	MUST(snd_pcm_open(&pcm, name, dir, 0));
	vt_defer(close_foreign, pcm);
	return pcm;
}

static void set_foreign(snd_pcm_t *pcm, unsigned int rate)
{
	MUST(snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE,
				SND_PCM_ACCESS_RW_INTERLEAVED, 2, rate, 0,
				100000));
}

/* Alsa-lib prepares what it sets; this only sets, as the kernel lets one do. */
static int set_only(snd_pcm_t *pcm, unsigned int rate)
{
	snd_pcm_hw_params_t *hw;
	struct pollfd fd;

	snd_pcm_hw_params_alloca(&hw);
	MUST(snd_pcm_hw_params_any(pcm, hw));
	MUST(snd_pcm_hw_params_set_format(pcm, hw, SND_PCM_FORMAT_S16_LE));
	MUST(snd_pcm_hw_params_set_channels(pcm, hw, 2));
	MUST(snd_pcm_hw_params_set_rate(pcm, hw, rate, 0));
	MUST(snd_pcm_hw_params_set_access(pcm, hw,
					  SND_PCM_ACCESS_RW_INTERLEAVED));
	MUST(snd_pcm_poll_descriptors(pcm, &fd, 1));
	SYS(ioctl(fd.fd, HW_PARAMS, hw));
	return fd.fd;
}

/*
 * A recorder; one that cannot start has a player that was set first, and was
 * prepared last.
 */
static snd_pcm_t *foreign_recorder(bool works)
{
	snd_pcm_t *recorder = open_foreign(1, SND_PCM_STREAM_CAPTURE);
	int player;

	if (works) {
		set_foreign(recorder, 48000);
		return recorder;
	}
	player = set_only(open_foreign(0, SND_PCM_STREAM_PLAYBACK), 44100);
	set_foreign(recorder, 48000);
	SYS(ioctl(player, PREPARE));
	return recorder;
}

static void expect_state(snd_pcm_t *pcm, snd_pcm_state_t state)
{
	EXPECT(snd_pcm_state(pcm) == state, "a stream is %s, wanted %s",
	       snd_pcm_state_name(snd_pcm_state(pcm)),
	       snd_pcm_state_name(state));
}

static void test_start(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	const unsigned char *heard;
	snd_pcm_t *foreign;
	struct vt_position pos;
	size_t silent;

	foreign = foreign_recorder(job->works);
	player = vt_player(0, &p);
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	recorder = vt_recorder(0, &p);
	heard = vt_ring(recorder);
	vt_play(player, 0, p.buffer);
	if (job->foreign_first) {
		MUST(snd_pcm_link(foreign, player->pcm));
		MUST(snd_pcm_link(foreign, recorder->pcm));
	} else {
		MUST(snd_pcm_link(recorder->pcm, player->pcm));
		MUST(snd_pcm_link(recorder->pcm, foreign));
	}
	if (job->works) {
		MUST(snd_pcm_start(player->pcm));
		expect_state(foreign, SND_PCM_STATE_RUNNING);
	} else {
		if (job->slow && !vt_slow_down("start", SLOW))
			vt_skip("no kprobe for a slow start");
		REFUSED(-EIO, snd_pcm_start(player->pcm));
		if (job->slow)
			vt_slow_down("start", 0);
		expect_state(player->pcm, SND_PCM_STATE_PREPARED);
		expect_state(recorder->pcm, SND_PCM_STATE_PREPARED);
		vt_sleep_until(vt_now() + 10 * VT_MS);
		/* a player and a recorder that ran would have left this */
		silent = vt_silent(recorder, heard, p.buffer);
		EXPECT(silent == p.buffer || job->slow,
		       "frame %zu was heard", silent);
		MUST(snd_pcm_unlink(foreign));
		MUST(snd_pcm_unlink(player->pcm));
		/* and a player that runs would be heard */
		MUST(snd_pcm_start(recorder->pcm));
		vt_hear_silence(recorder, 960);
		MUST(snd_pcm_drop(recorder->pcm));
		vt_prepare(recorder);
		MUST(snd_pcm_link(recorder->pcm, player->pcm));
		MUST(snd_pcm_start(player->pcm));
	}
	vt_hear(recorder, 0, 1440);
	vt_locate(player, &pos);
	vt_expect_position(&pos, player, pos.trigger, 0);
	if (job->works) {
		vt_play(player, p.buffer, 960);
		MUST(snd_pcm_pause(player->pcm, 1));
		expect_state(foreign, SND_PCM_STATE_PAUSED);
		MUST(snd_pcm_pause(player->pcm, 0));
		vt_hear(recorder, 1440, 240);
	}
	MUST(snd_pcm_drop(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
}

/* What drains together drains whole, each by its own card's clock. */
static void test_drain(const void *arg)
{
	static const char *const clocks[] = { "realtime", "scaled" };
	const char *clock = clocks[*(const unsigned int *)arg];
	static short silence[4800 * 2];
	struct vt_stream *player;
	struct vt_params p = vt_plain;
	snd_pcm_t *foreign;

	vt_use_clock(0, clock);
	foreign = open_foreign(0, SND_PCM_STREAM_PLAYBACK);
	set_foreign(foreign, 48000);
	player = vt_player(0, &p);
	MUST(snd_pcm_link(player->pcm, foreign));
	MUST(snd_pcm_writei(foreign, silence, 2400));
	vt_play(player, 0, p.buffer);
	if (snd_pcm_state(player->pcm) == SND_PCM_STATE_PREPARED)
		MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_drain(player->pcm));
	expect_state(player->pcm, SND_PCM_STATE_SETUP);
	expect_state(foreign, SND_PCM_STATE_SETUP);
	MUST(snd_pcm_unlink(player->pcm));
}

int main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{ true, false }, { true, true },
		{ false, false }, { false, true },
		{ false, false, true }, { false, true, true },
	};
	unsigned int i;

	vt_init(argc, argv, 60);
	if (system("modprobe snd-aloop"))
		vt_note("cannot load snd-aloop");
	vt_plan(ARRAY_SIZE(jobs) + 2);
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		vt_run(test_start, &jobs[i], "linked %s another card that %s%s",
		       jobs[i].foreign_first ? "after" : "before",
		       jobs[i].works ? "starts" : "cannot start",
		       jobs[i].slow ? ", slowly" : "");
	for (i = 0; i < 2; i++)
		vt_run(test_drain, &i, "a drain with another card, %s",
		       i ? "scaled" : "realtime");
	if (system("modprobe -r snd-aloop"))
		vt_note("cannot unload snd-aloop");
	return vt_finish();
}
