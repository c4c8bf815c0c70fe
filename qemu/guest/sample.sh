#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The program sample, on the sample of a driver.

. "$(dirname "$0")/lib.sh"

modprobe snd-sample index=0 || bail_out "cannot load snd-sample"
suspending /test/sample 0
