#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The tone of speaker-test comes back: on each channel in its turn, at its
# frequency and level, and the other channel is silent meanwhile.

. "$(dirname "$0")/lib.sh"

rate=8000
# Newer ones calculate it step by step, higher and louder the shorter its period.
tone=125
percent=80	# of full scale: what speaker-test plays

# measure CHANNEL: its frames of the capture, from the first that is not 0 to
# the last: "Hz peak frames", and how many frames of the other fall among them
measure()
{
	od -An -v -t u1 -w4 capture | awk -v c="$1" -v rate=$rate '
		function sample(c,    x)
		{
			x = $(2 * c + 1) + 256 * $(2 * c + 2)
			return x < 32768 ? x : x - 65536
		}
		{ mine = sample(c); other = sample(1 - c) }
		mine != 0 {
			if (!first)
				first = NR
			last = NR
			if (mine > peak)
				peak = mine
		}
		mine > 0 && before <= 0 {
			if (!rises++)
				from = NR
			to = NR
		}
		{ before = mine; loud[NR] = other != 0 }
		END {
			for (i = first; i <= last; i++)
				disturbed += loud[i]
			hz = to > from ? (rises - 1) * rate / (to - from) : 0
			print int(hz + 0.5), peak + 0, last - first + 1, disturbed + 0
		}'
}

near()
{
	[ "$1" -ge $(($2 - $3)) ] && [ "$1" -le $(($2 + $3)) ]
}

plan 6
arecord -q -D hw:Virtual,0 -t raw -f S16_LE -r $rate -c 2 >capture 2>arecord.log &
recorder=$!
wait_until 5 stream_is 0 c RUNNING || bail_out "arecord: $(cat arecord.log)"

# One loop is three seconds on each channel, longer with larger buffers.
check "speaker-test ends well" speaker-test -D hw:Virtual,0 -F S16_LE \
	-r $rate -c 2 -b 100000 -p 20000 -t sine -f $tone -l 1
sleep 0.5
kill -INT $recorder
wait $recorder
check "no xrun" sh -c '! grep run arecord.log'

for channel in 0 1; do
	read -r hz peak frames disturbed <<-END
	$(measure $channel)
	END
	diag "channel $channel: $hz Hz, peak $peak, $frames frames, $disturbed of the other channel among them"
	check "channel $channel: $tone Hz alone" near "$hz" $tone 1
	check "channel $channel: $percent % of full scale, the other silent" \
		sh -c "[ $peak -gt $((32767 * percent / 100 - 400)) ] &&
			[ $peak -lt $((32767 * percent / 100 + 400)) ] &&
			[ $frames -gt $rate ] && [ $disturbed = 0 ]"
done
finish
