#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Has the kernel fail whatever may fail, silently, and runs faults.

. "$(dirname "$0")/lib.sh"

cd /sys/kernel/debug || exit 1
for knob in failslab/ignore-gfp-wait fail_page_alloc/ignore-gfp-wait \
	    fail_page_alloc/ignore-gfp-highmem; do
	[ ! -e $knob ] || echo N >$knob
done
[ ! -e fail_page_alloc/min-order ] || echo 0 >fail_page_alloc/min-order
for knob in failslab/verbose fail_page_alloc/verbose fail_usercopy/verbose; do
	[ ! -e $knob ] || echo 0 >$knob
done
cd /tmp || exit 1
exec /test/faults
