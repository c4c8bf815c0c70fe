#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzzer with one thread, where a run is repeated exactly: streams alone,
# and linked ones. $FUZZ_OPS and $FUZZ_SEED are those of a lane.

. "$(dirname "$0")/lib.sh"

plan 2
for lane in single linked; do
	fuzz_lane $lane "${FUZZ_OPS:-$(share 60000)}" "${FUZZ_SEED:-1}"
done
finish
