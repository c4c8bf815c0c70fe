#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Has the kernel fail whatever may fail in loading the driver.

. "$(dirname "$0")/lib.sh"

# A kernel that counts coverage does so by memory, too.
expect_log "^gcov: could not (add|remove) '"

exec /test/guest/faults.sh faults_load
