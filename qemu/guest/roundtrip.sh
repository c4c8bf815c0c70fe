#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What aplay plays is what arecord captures, byte for byte, with silence
# around it: over formats, rates, channels, both kinds of transfer, and both
# buffer paths.

. "$(dirname "$0")/lib.sh"

# format bytes-of-a-sample silence rate channels options
cases="
U8		1 200	8000	1
S16_LE		2 000	5512	1
S16_LE		2 000	44100	2
S16_LE		2 000	44100	2	-M
S16_BE		2 000	22050	1
S24_3LE		3 000	48000	2
S24_LE		4 000	48000	2
S32_LE		4 000	192000	8
FLOAT_LE	4 000	96000	6
FLOAT64_LE	8 000	48000	2
MU_LAW		1 177	8000	1
DSD_U8		1 151	88200	2
S16_LE		2 000	48000	256
S16_LE		2 000	768000	2
"
devices="0 1"

# A quarter of a second that begins with a byte that is silence nowhere.
make_data()
{
	{ printf '\377'; cat /dev/urandom; } | head -c "$1" >data
}

# silence: without end, in bytes of the format
silence()
{
	tr '\0' "\\$quiet" </dev/zero
}

# the player's frames, at their place in the capture, nothing else around
same_frames()
{
	first=$(silence | cmp capture - 2>/dev/null |
		sed 's/.*\(char\|byte\) \([0-9]*\),.*/\2/')
	[ -n "$first" ] || { echo "the capture is silent"; return 1; }
	before=$((first - 1))
	[ $((before % frame)) = 0 ] ||
		{ echo "heard at byte $before: not a whole frame"; return 1; }
	cmp -n "$size" capture data "$before" 0 || return
	tail -c +$((before + size + 1)) capture >rest
	[ -s rest ] || { echo "the capture ends too early"; return 1; }
	silence | cmp -n "$(stat -c %s rest)" rest - ||
		{ echo "sound after the end"; return 1; }
	[ "$before" -gt 0 ] || { echo "no silence before it"; return 1; }
}

round_trip()
{
	frame=$((bytes * channels))
	size=$((rate * frame / 4 / frame * frame))
	make_data "$size"
	# shellcheck disable=SC2086	# options
	arecord -q -D "hw:Virtual,$device" $options -t raw -f "$format" \
		-r "$rate" -c "$channels" >capture 2>arecord.log &
	recorder=$!
	wait_until 5 stream_is "$device" c RUNNING ||
		{ cat arecord.log; return 1; }
	sleep 0.1
	# shellcheck disable=SC2086
	aplay -q -D "hw:Virtual,$device" $options -t raw -f "$format" \
		-r "$rate" -c "$channels" data >aplay.log 2>&1
	status=$?
	sleep 0.3
	kill -INT "$recorder"
	wait "$recorder"
	grep -v 'Aborted by signal' aplay.log arecord.log && return 1
	[ "$status" = 0 ] || { echo "aplay: status $status"; return 1; }
	same_frames
}

plan $(($(echo "$cases" | grep -c .) * 2))
for device in $devices; do
	while read -r format bytes quiet rate channels options; do
		[ -n "$format" ] || continue
		check "device $device $format ${rate}Hz ${channels}ch $options" \
			round_trip
	done <<-END
	$cases
	END
done
finish
