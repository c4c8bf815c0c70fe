#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The sample of a driver that knows the classic names alone: what is played on
# each of its devices is what is captured, byte for byte, written and mapped,
# over buffers of many sizes.

. "$(dirname "$0")/lib.sh"
CARD=/proc/asound/Sample

# device: period and buffer in frames (a page is 1024 frames, or more)
cases="
0	1024	4096
0	4096	16384
0	1500	4500
1	1024	4096
1	2048	8192
2	1024	4096
2	1500	4500
2	4096	16384
"

round_trips()
{
	while read -r device period buffer; do
		[ -n "$device" ] || continue
		for transfer in "" -M; do
			# shellcheck disable=SC2086	# none, or one
			check "device $device, $period of $buffer frames $transfer" \
				round_trip "$device" S16_LE 2 000 48000 2 \
				--period-size="$period" --buffer-size="$buffer" \
				$transfer
		done
	done <<-END
	$cases
	END
}

# preallocated DEVICE KIB
preallocated()
{
	for stream in p c; do
		[ "$(cat "$CARD/pcm$1$stream/sub0/prealloc")" = "$2" ] || return
		[ "$(cat "$CARD/pcm$1$stream/sub0/prealloc_max")" = 64 ] || return
	done
}

# preallocate DEVICE KIB
preallocate()
{
	for stream in p c; do
		echo "$2" >"$CARD/pcm$1$stream/sub0/prealloc" || return
	done
	preallocated "$1" "$2"
}

# offered DEVICE BYTES: for a buffer, at most
offered()
{
	head -c 8192 /dev/zero | aplay -q --dump-hw-params -D "hw:Sample,$1" \
		-t raw -f S16_LE -r 48000 -c 2 2>&1 |
		grep "^BUFFER_BYTES: .* $2]"
}

plan $(($(echo "$cases" | grep -c .) * 2 + 13))

modprobe snd-sample || bail_out "cannot load snd-sample"
check "its buffers are those of snd-pcmbuf" \
	[ -d /sys/module/snd_pcmbuf/holders/snd_sample ]
refused "snd-pcmbuf stays while it is there" rmmod snd_pcmbuf
check "nothing is preallocated for vmalloc buffers" \
	[ ! -e "$CARD/pcm0p/sub0/prealloc" ]
check "32 KiB are for continuous ones" preallocated 1 32
check "64 KiB are for scatter-gather ones" preallocated 2 64

round_trips

check "no buffer above the preallocated one is offered" offered 1 32768
check "the preallocated one can be made larger" preallocate 1 64
check "then as much is offered" offered 1 65536
check "and works" round_trip 1 S16_LE 2 000 48000 2 \
	--period-size=4096 --buffer-size=16384
check "it can be given up" preallocate 1 0
check "then as much as before is offered" offered 1 65536
check "and allocated" round_trip 1 S16_LE 2 000 48000 2 -M \
	--period-size=4096 --buffer-size=16384

check "it goes" rmmod snd_sample
finish
