/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stalls of the machine for the tests, by way of the module snd-virtual-test,
 * which is for guests: the time of the whole machine jumps.
 */
#ifndef VSTALL_H
#define VSTALL_H

#include "vctl.h"

/* Until the end of the program; bails out where there is no such module */
void vt_load_stalls(void);

/*
 * Until the end of the program each "start" of a stream takes so much longer, or
 * what the PCM core does when it is "started" and before it says so, or each
 * "stop"; false where the kernel cannot put a kprobe there.
 */
bool vt_slow_down(const char *what, int64_t ns);

/* CLOCK_MONOTONIC jumps ahead; returns the time just after. */
int64_t vt_jump(int64_t ns);

/* The CPU stands still, interrupts off; returns the time just after. */
int64_t vt_irqs_off(int64_t ns);

#endif
