#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# alsaloop finds the rate control and keeps a loop in step by it: from a device
# at its nominal rate to one that runs faster or slower.

. "$(dirname "$0")/lib.sh"

# pitch_control NAME DEVICE
pitch_control()
{
	echo "iface=PCM,name='$1',device=$2"
}

# shift_of DEVICE: the value by which alsaloop steers
shift_of()
{
	amixer -c Virtual cget "$(pitch_control "PCM Rate Shift 100000" "$1")" |
		sed -n 's/.*: values=//p'
}

set_pitch()
{
	amixer -q -c Virtual cset "$(pitch_control "Playback Pitch 1000000" "$1")" "$2"
}

# steers PITCH LEAST MOST: a loop to device 1, which is set to that pitch
# while it runs (alsaloop sets it back when it opens it), has device 0 at a
# shift between the two. It moves by 10 ppm each 15 s.
steers()
{
	timeout 120 alsaloop -C hw:Virtual,0 -P hw:Virtual,1 -f S16_LE -c 2 \
		-r 48000 -t 100000 -S 5 -s 90 -v >loop.log 2>&1 &
	loop=$!
	sleep 2
	set_pitch 1 "$1"
	sleep 80
	shift=$(shift_of 0)
	wait "$loop"
	echo "alsaloop ended with $?, shift was $shift"
	grep sync loop.log
	tail -n 3 loop.log
	grep -q CAPTRATESHIFT loop.log && [ "$shift" -ge "$2" ] &&
		[ "$shift" -le "$3" ]
}

# found NAME VALUE: as PipeWire looks for it, by name alone, on the card that it has
# opened without a device number
found()
{
	amixer -q -D hw:Virtual cset "iface=PCM,name='$1'" "$2" || return
	amixer -c Virtual cget "$(pitch_control "$1" 0)" | grep "values=$2$"
}

plan 5
check "a faster player has the recorder hurry" steers 1000200 99900 99997
check "a slower player has the recorder dawdle" steers 999800 100003 100100
check "nominal afterwards" [ "$(shift_of 0)" = 100000 ]
check "PipeWire finds a player's pitch" \
	found "Playback Pitch 1000000" 1000123
check "and a recorder's" found "Capture Pitch 1000000" 999877
set_pitch 0 1000000
set_pitch 1 1000000
finish
