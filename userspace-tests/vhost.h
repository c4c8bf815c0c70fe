/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tests host_*: what some kernels let in while a stream's buffer is
 * replaced must do no harm here. They race system calls past alsa-lib, whose
 * handles are for one thread only, and have a neighbour write into every page
 * that comes free.
 */
#ifndef VHOST_H
#define VHOST_H

#include <stdatomic.h>
#include <sys/ioctl.h>
#include "vpcm.h"

#define VH_HW_PARAMS	_IOC(_IOC_READ | _IOC_WRITE, 'A', 0x11, \
			     snd_pcm_hw_params_sizeof())
#define VH_HW_FREE	_IO('A', 0x12)
#define VH_SW_PARAMS	_IOC(_IOC_READ | _IOC_WRITE, 'A', 0x13, \
			     snd_pcm_sw_params_sizeof())
#define VH_PREPARE	_IO('A', 0x40)
#define VH_START	_IO('A', 0x42)
#define VH_DROP		_IO('A', 0x43)
#define VH_DRAIN	_IO('A', 0x44)
#define VH_FORWARD	_IOW('A', 0x49, snd_pcm_uframes_t)

#define VH_MARK		0x5f	/* what the neighbour writes */

/**
 * struct vh_race - what the threads of a race know
 * @device: where it takes place; the neighbour is on its next substream
 * @fd: the stream they race on
 * @hw: the two sets of parameters it is configured with in turn
 * @sw: for either of them, so that the stream never stops by itself
 * @bytes: how large the smaller of the two rings is
 * @until: when the race ends, ns
 * @done: what each part got through
 */
struct vh_race {
	int device;
	int fd;
	snd_pcm_hw_params_t *hw[2];
	snd_pcm_sw_params_t *sw[2];
	size_t bytes;
	int64_t until;
	atomic_ulong done[4];
};

/* A part of a race: which one counts where */
struct vh_part {
	struct vh_race *race;
	void (*live)(struct vh_race *race, atomic_ulong *done);
	atomic_ulong *done;
};

void vh_without_lockdep(void);
int vh_call(int fd, unsigned long request, void *arg, const char *what);
struct vt_stream *vh_begin(struct vh_race *race, int device,
			   snd_pcm_stream_t dir, int64_t lasts);
bool vh_goes_on(const struct vh_race *race, const atomic_ulong *done);
void vh_neighbour(struct vh_race *race, atomic_ulong *done);
void vh_live(const void *part);

#endif
