#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The core's own tests, which run in the kernel when their file is read, and
# print KTAP themselves.

. "$(dirname "$0")/lib.sh"

file=/sys/kernel/debug/snd-pcmbuf-test

modprobe snd-pcmbuf-test || bail_out "cannot load snd-pcmbuf-test"
cat $file >results || bail_out "cannot read $file"
cat results
rmmod snd_pcmbuf_test || bail_out "cannot unload snd-pcmbuf-test"
rmmod snd_pcmbuf || bail_out "cannot unload snd-pcmbuf"
grep -q '^not ok' results && exit 1
exit 0
