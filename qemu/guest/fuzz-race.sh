#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzzer with two threads that meet in a stream or in the two ends of a
# cable, linked or not, and clients that are killed.

. "$(dirname "$0")/lib.sh"

# Two threads may both find a control missing, and add it.
expect_log '^snd-virtual snd-virtual\.[0-9]+: control .*Fuzz [0-9]+:0 is already present$'

plan 6
for lane in race race-linked kill; do
	ops=${FUZZ_RACES:-$(share 12000)}
	[ $lane != race-linked ] || ops=${FUZZ_RACES:-$(share 10000)}
	[ $lane != kill ] || ops=${FUZZ_KILLS:-$(share 200)}
	fuzz_lane $lane "$ops" "${FUZZ_SEED:-1}"
done
finish
