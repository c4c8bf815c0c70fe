#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Imperfection from the shell: the clock drifts as told; alsactl restores how,
# and never switches it on.

. "$(dirname "$0")/lib.sh"

# control NAME
control()
{
	echo "iface=PCM,name='$1',device=0"
}

spoil()
{
	amixer -q -c Virtual cset "$(control "$1")" -- "$2"
}

# value_is NAME VALUE
value_is()
{
	amixer -c Virtual cget "$(control "$1")" | grep ": values=$2\$"
}

alsactl_card()
{
	alsactl -f "$work/state" "$1" Virtual
}

# lasts SECONDS LEAST MOST: to record that long takes that many hundredths
lasts()
{
	before=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
	arecord -q -D hw:Virtual,0 -f dat -d "$1" /dev/null || return
	took=$(($(cut -d ' ' -f 1 /proc/uptime | tr -d .) - before))
	echo "took $took cs"
	[ "$took" -ge "$2" ] && [ "$took" -le $(($3 + SLOW_CS)) ]
}

work=$PWD

plan 13
check "a clock that is right" lasts 10 1000 1004
check "set a drift" spoil "PCM Clock Drift" -100000000
check "which does nothing yet" lasts 10 1000 1004
check "switch it on" spoil "PCM Imperfection" on
check "the switch is on" value_is "PCM Imperfection" on
check "the clock is slow" lasts 10 1111 1116

check "store it" alsactl_card store
check "switch it off" spoil "PCM Imperfection" off
check "restore it" alsactl_card restore
check "it is still off" value_is "PCM Imperfection" off
rmmod snd_virtual && modprobe snd-virtual
check "restore it into a new card" alsactl_card restore
check "it is off" value_is "PCM Imperfection" off
check "the drift is restored" value_is "PCM Clock Drift" -100000000
finish
