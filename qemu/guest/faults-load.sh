#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Has the kernel fail whatever may fail in loading the driver.

exec /test/guest/faults.sh faults_load
