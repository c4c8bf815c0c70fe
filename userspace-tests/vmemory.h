/* SPDX-License-Identifier: GPL-2.0-only */
/* How much memory the machine has left, for tests that nothing must be lost in. */
#ifndef VMEMORY_H
#define VMEMORY_H

/* KiB that are free, or would be for who asks */
long vm_free(void);

/*
 * KiB that can be had before the kernel has to kill somebody for more; and what
 * may be had beside, if it is of the kind that is asked for
 */
long vm_room(void);
long vm_kept(void);

#endif
