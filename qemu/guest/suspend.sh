#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the program suspend.

. "$(dirname "$0")/lib.sh"

suspending /test/suspend
