#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A job of its own, for it takes a processor away for good: a known defect of
# the kernel's core, on snd-aloop. This card comes first, and is not to have it:
# see vsnd_end_is_held().

try()
{
	echo "limit 60 link-pause" >&3
	# not through a pipe: what hangs keeps it open
	/test/link_pause "$2" >text
	status=$?
	text=$(cat text)
	echo "$1: a linked stream paused in an unseen xrun: $text" >&3
	[ $status -le 1 ] || exit 2
	return $status
}

# The other one is lost in the end.
taskset -p 1 $$ || exit 2
modprobe snd-virtual index=0 || exit 2
modprobe snd-aloop index=1 || exit 2
try snd-virtual 0 && exit 1
try snd-aloop 1
# Nothing can be unmounted or powered off with a processor lost.
echo "end 0" >&3
echo b >/proc/sysrq-trigger
