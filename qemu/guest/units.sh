#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The driver's own tests of what only computes, which run in the kernel when
# their file is read, and print KTAP themselves.

. "$(dirname "$0")/lib.sh"

file=/sys/kernel/debug/snd-virtual-test/tests

modprobe snd-virtual-test || bail_out "cannot load snd-virtual-test"
cat $file >results || bail_out "cannot read $file"
cat results
check_kunit snd-virtual
rmmod snd_virtual_test || bail_out "cannot unload snd-virtual-test"
grep -q '^not ok' results && exit 1
exit 0
