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

plan $(($(echo "$cases" | grep -c .) * 2))
for device in $devices; do
	while read -r format bytes quiet rate channels options; do
		[ -n "$format" ] || continue
		name="device $device $format ${rate}Hz ${channels}ch $options"
		if [ "$SLOW_CS" != 0 ] && [ "$channels" -gt 64 ]; then
			skip "$name" "too many channels for a debug kernel"
			continue
		fi
		# shellcheck disable=SC2086	# options
		check "$name" \
			round_trip "$device" "$format" "$bytes" "$quiet" \
			"$rate" "$channels" $options
	done <<-END
	$cases
	END
done
finish
