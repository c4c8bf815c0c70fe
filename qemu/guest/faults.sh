#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Has the kernel fail whatever may fail, silently, and runs faults, or $1.

. "$(dirname "$0")/lib.sh"

# the source of the timer clock; the kernel may not find it by itself here
modprobe snd-hrtimer
let_all_fail
# What the kernel says when it cannot have a device, a directory or a link.
expect_log '^(kobject|bus_add_driver): '
expect_log '^debugfs: out of free dentries, '
expect_log '^snd-virtual snd-virtual\.0: (Error in snd_pcm_stream_proc_init|unable to (create card info|register control minors))$'
expect_log '^snd-virtual snd-virtual\.0: (really_probe: driver_sysfs_add failed|probe with driver snd-virtual failed with error -(12|22))$'
# Who watches the DMA API has then no memory for what he notes.
expect_log '^DMA-API: cacheline tracking ENOMEM, dma-debug disabled$'

cd /tmp || exit 1
exec "/test/${1:-faults}"
