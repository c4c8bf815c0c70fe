/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Imperfection on demand: clocks that are not quite right, wake-ups that are
 * late or lost. What is random is a function of a seed.
 */
#ifndef VSND_IMPERFECT_H
#define VSND_IMPERFECT_H

#include <linux/types.h>

struct vsnd_cable;
struct vsnd_end;
struct vsnd_pcm;

/**
 * struct vsnd_imperfect - what is to be wrong
 * @on: else nothing is, whatever the rest says
 * @seed: what is random is a function of this
 * @drift: how much faster the clock is, ppb
 * @wander: amplitude of a sine of its speed, ppb
 * @wander_ms: period of that sine, ms
 * @walk: step of a random walk of its speed, ppb
 * @walk_max: how far it walks, ppb
 * @delay_us: how late wake-ups are, us
 * @jitter_us: how much later they may be at random, us
 * @loss: one in so many wake-ups is lost; 0 for none
 */
struct vsnd_imperfect {
	s32 on;
	s32 seed;
	s32 drift;
	s32 wander;
	s32 wander_ms;
	s32 walk;
	s32 walk_max;
	s32 delay_us;
	s32 jitter_us;
	s32 loss;
};

/**
 * struct vsnd_wobble - a speed that changes by itself
 * @begin: instant from which the segments count, ns
 * @segment: the one it is in
 * @walk: where its random walk has got, ppb
 * @speed: in this segment, ppb of the speed that a perfect clock would have
 * @bend: instant at which the next segment begins, ns; S64_MAX if the speed
 *	does not change
 *
 * One for both ends of a cable, whatever their rates: they have one crystal.
 */
struct vsnd_wobble {
	s64 begin;
	u64 segment;
	s32 walk;
	u32 speed;
	s64 bend;
};

/* imperfect.c */
void vsnd_imperfect_init(struct vsnd_pcm *pcm);
void vsnd_imperfect_begin(struct vsnd_cable *cable, s64 at);
void vsnd_imperfect_bend(struct vsnd_cable *cable, s64 now);
s64 vsnd_imperfect_deadline(struct vsnd_cable *cable, s64 when);
void vsnd_imperfect_plan(struct vsnd_end *end);
bool vsnd_imperfect_wake(struct vsnd_end *end);
void vsnd_imperfect_apply(struct vsnd_cable *cable,
			  const struct vsnd_imperfect *imperfect);

/* spoil.c */
int vsnd_imperfect_create_controls(struct vsnd_pcm *pcm);

#endif /* VSND_IMPERFECT_H */
