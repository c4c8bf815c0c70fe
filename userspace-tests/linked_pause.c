// SPDX-License-Identifier: GPL-2.0-only
/*
 * A player and a recorder, linked, are paused by a machine that takes long for
 * each, while another processor has their timer: neither goes on by a frame
 * without the other, whichever comes first.
 */

#include <sched.h>
#include "vstall.h"

#define SLOW	(3 * VT_MS)	/* in which some periods end */
#define PERIOD	48		/* frames */
#define RING	48000		/* frames: more than a pause takes */
#define ROUNDS	50

struct job {
	int device;
	bool recorder_first;
};

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	SYS(sched_setaffinity(0, sizeof(set), &set));
}

static bool is_slow;

/* Each pause is made by another processor than the one that has the timer. */
static void test_pause(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	snd_pcm_sframes_t n;
	uint64_t heard = 0;
	unsigned int i;

	if (!is_slow)
		vt_skip("this kernel has no kprobe for a stop");
	p.period = PERIOD;
	p.buffer = RING;
	player = vt_player(job->device, &p);
	recorder = vt_recorder(job->device, &p);
	if (job->recorder_first)
		vt_link(recorder, player);
	else
		vt_link(player, recorder);
	vt_play(player, 0, RING);
	go_to(1);
	MUST(snd_pcm_start(player->pcm));
	for (i = 0; i < ROUNDS; i++) {
		vt_sleep_until(vt_now() + 2 * VT_MS);
		go_to(0);
		MUST(snd_pcm_pause(player->pcm, 1));
		n = MUST(snd_pcm_avail(recorder->pcm));
		vt_hear(recorder, heard, n);
		vt_play(player, heard + RING, n);
		heard += n;
		go_to(1);
		MUST(snd_pcm_pause(player->pcm, 0));
	}
}

int main(int argc, char **argv)
{
	struct job job;
	int i;

	vt_init(argc, argv, 60);
	is_slow = vt_slow_down("stop", SLOW);
	vt_plan(2 * vt_devices());
	for (i = 0; i < 2 * vt_devices(); i++) {
		job.device = i / 2;
		job.recorder_first = i % 2;
		vt_run(test_pause, &job,
		       "device %d, %s first, loses nothing in a slow pause",
		       job.device, job.recorder_first ? "recorder" : "player");
	}
	return vt_finish();
}
