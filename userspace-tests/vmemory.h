/* SPDX-License-Identifier: GPL-2.0-only */
/* How much memory the machine has left, for tests that nothing must be lost in. */
#ifndef VMEMORY_H
#define VMEMORY_H

/* KiB that are free, or would be for who asks */
long vm_free(void);

#endif
