/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Nth thing that may fail in a system call fails; /proc/self/fail-nth. It
 * takes a kernel with fault injection.
 */
#ifndef VFAULT_H
#define VFAULT_H

#include "vtest.h"

#define VF_MAX		20000	/* of one call: a leak of calls, not a fact */

void vf_init(void);	/* bails out where the kernel cannot do it */
void vf_begin(int nth);	/* counts from 1 and from now */
bool vf_end(void);	/* true if something failed */

#endif
