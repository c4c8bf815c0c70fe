#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A job of its own, for what hangs in it hangs for ever: a known defect of the
# kernel's core, on snd-aloop and on this card. It is ours only if snd-aloop
# has not got it.

try()
{
	echo "limit 90 link-prepare" >&3
	text=$(/test/link_prepare "$2")
	status=$?
	echo "$1: linked streams prepared at the same time: $text" >&3
	[ $status != 2 ] || exit 2
	return $status
}

modprobe snd-virtual index=0 || exit 2
modprobe snd-aloop index=1 || exit 2
aloop=no
virtual=no
try snd-aloop 1 && aloop=yes
try snd-virtual 0 && virtual=yes
[ $aloop = yes ] || [ $virtual = no ]
