/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Nth thing that may fail in a system call fails; /proc/self/fail-nth. It
 * takes a kernel with fault injection. And what such calls are made on.
 */
#ifndef VFAULT_H
#define VFAULT_H

#include "vraw.h"

#define VF_MAX		20000	/* of one call: a leak of calls, not a fact */

/* Where modules begin on x86-64 */
#define VF_MODULES	0xffffffffa0000000ULL

void vf_init(void);	/* bails out where the kernel cannot do it */
void vf_begin(int nth);	/* counts from 1 and from now */
bool vf_end(void);	/* true if something failed */

/*
 * From now on, only that fails which is done on behalf of code from start to
 * end, of this module or of any code. (fail-nth looks at the addresses on the
 * stack from 6.12 on.)
 */
void vf_only_between(unsigned long long start, unsigned long long end);
void vf_only_in(const char *module);
void vf_anywhere(void);

/* A ring, and what is transferred at a time */
#define VF_FRAMES	1920
#define VF_BYTES	(VF_FRAMES * 4)
#define VF_PART		(VF_BYTES / 4)
#define VF_PAGE_FRAMES	960		/* less than a page */

/**
 * struct vf_hw - parameters of a stereo stream at 48 kHz
 * @access: how its frames lie
 * @format: of its samples
 * @frames: the ring
 * @frame_bytes: bytes of one
 */
struct vf_hw {
	int access;
	int format;
	unsigned int frames;
	size_t frame_bytes;
};

/* What can be mapped, and what is read and written */
extern const struct vf_hw vf_mapped, vf_plain, vf_page;

/**
 * struct vf_subject - what a call is made on
 * @device: PCM device
 * @dir: its direction
 * @fd: what is open, or -1
 * @other: a stream the other way, or -1
 * @late: whether the device has been given a latency
 * @hw: what the call configures it with
 * @map: the ring, when mapped
 * @room: where it may move to
 * @map_bytes: how much of either
 */
struct vf_subject {
	int device;
	int dir;
	int fd;
	int other;
	bool late;
	const struct vf_hw *hw;
	unsigned char *map;
	unsigned char *room;
	size_t map_bytes;
};

bool vf_is_player(const struct vf_subject *s);
int vf_open_control(void);
void vf_open(struct vf_subject *s);
void vf_close(void *subject);
void vf_set_latency(struct vf_subject *s, long frames);
long vf_set_params(int fd, const struct vf_hw *hw);
long vf_map(struct vf_subject *s, size_t bytes);
long vf_transfer(struct vf_subject *s);

/* All of the ring can be had; or as much of it is read, SIGBUS being EFAULT. */
void vf_expect_ring(struct vf_subject *s);
long vf_touch(const struct vf_subject *s);

/**
 * struct vf_call - a system call that may fail
 * @name: what it does
 * @before: brings the subject to where the call can be made
 * @act: the call; 0 or -1 and errno
 * @after: fails unless all is there that the call is for; NULL for a call that
 *	is for nothing, and is not made again when it has failed
 * @sure: error that it is sure to give once, for there is nothing that it could
 *	do without; 0 for none
 * @where: whether this subject is one that gives it; NULL if any is
 * @module: only what is done on behalf of this module fails; NULL for all
 * @hw: what the subject is configured with
 */
struct vf_call {
	const char *name;
	void (*before)(struct vf_subject *s);
	long (*act)(struct vf_subject *s);
	void (*after)(struct vf_subject *s);
	int sure;
	bool (*where)(const struct vf_subject *s);
	const char *module;
	struct vf_hw hw;
};

void vf_fail_all(const struct vf_call *calls, unsigned int n);

#endif
