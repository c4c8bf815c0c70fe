#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make run: plays a recording with aplay through each PCM device of the card
# while arecord captures, and compares every frame. The recording and the
# captures are left in out/run/.
#
# WAV=FILE plays that file instead of a sample of alsa-utils.

set -eu
. "$(dirname "$0")/lib.sh"

SAMPLE=/usr/share/sounds/alsa/Front_Center.wav
dir=$OUT/run
wavcmp=$CACHE/wavcmp

# align: columns that are separated by "|"
align()
{
	awk -F '|' '
		{ row[NR] = $0 }
		{ for (i = 1; i <= NF; i++) if (length($i) > w[i]) w[i] = length($i) }
		END {
			for (r = 1; r <= NR; r++) {
				n = split(row[r], cell, "|")
				for (i = 1; i < n; i++)
					printf "%-" w[i] "s  ", cell[i]
				print cell[n]
			}
		}'
}

# value KEY FILE: of a line "KEY=value"
value()
{
	sed -n "s/^$1=//p" "$2"
}

"$QEMU/setup.sh"

mkdir -p "$CACHE"
[ "$wavcmp" -nt "$QEMU/wavcmp.c" ] ||
	gcc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra \
		-o "$wavcmp" "$QEMU/wavcmp.c"

wav=${WAV:-$SAMPLE}
info=$("$wavcmp" info "$wav") || exit 1
format=$(value format <(echo "$info"))
rate=$(value rate <(echo "$info"))
channels=$(value channels <(echo "$info"))
frames=$(value frames <(echo "$info"))
bytes=$(value bytes <(echo "$info"))
seconds=$((frames / rate + 1))
# aplay itself would take another rate, and say so in passing.
if [ "$rate" -lt 5512 ] || [ "$rate" -gt 768000 ]; then
	die "$wav: $rate Hz: the card does 5512 to 768000 Hz"
fi
[ "$channels" -le 256 ] ||
	die "$wav: $channels channels: the card does 1 to 256"
say "recording: $wav, $format, $rate Hz, $channels channel(s), $frames frames"

kernel=$("$QEMU/kernel.sh")
say "kernel: $(cat "$kernel/release")"
tree=$("$QEMU/build.sh" "$kernel")
say "build: done"
image=$("$QEMU/image.sh" "$kernel" "$tree")
ACCEL=$("$QEMU/accel.sh" "$kernel" "$image")
export ACCEL
# The guest holds the recording and one capture in memory, if the host can
# spare that much. Else they stay on the host's disk, and then the time must
# be real: where idle time is skipped, hours pass while a player waits.
machine=timed
[ "$ACCEL" != kvm ] || machine=smp
spare=$(awk '/^MemAvailable:/ { print int($2 / 1024 / 2) }' /proc/meminfo)
MEMORY=$((768 + bytes * 3 / 1048576))
place=memory
if [ "$MEMORY" -gt "$spare" ]; then
	MEMORY=1024
	machine=smp
	place=disk
fi
export MEMORY

rm -rf "$dir"
mkdir -p "$dir"
cp --reflink=auto "$wav" "$dir/recording.wav"
cat >"$dir/job" <<END
format=$format
rate=$rate
channels=$channels
seconds=$seconds
place=$place
END

say "boot: $machine machine, $MEMORY MiB"
booted=0
while read -r line; do
	say "guest: $line"
done < <(exec "$QEMU/boot.sh" "$kernel" "$image" $machine run "$dir")
wait $! || booted=1

# compare every capture that came back
failed=$booted
rows=0
table="device|buffer|format|played|captured|identical|offset|xruns|time"
notes=
for result in "$dir"/device-*; do
	[ -f "$result" ] || continue
	n=${result##*-}
	rows=$((rows + 1))
	"$wavcmp" compare "$dir/recording.wav" "$dir/capture-$n.raw" \
		"$dir/capture-$n.wav" >"$dir/compare-$n" || failed=1
	rm -f "$dir/capture-$n.raw"
	identical=$(value identical "$dir/compare-$n")
	offset=$(value offset "$dir/compare-$n")
	table+=$'\n'$(printf '%s|' "hw:Virtual,$n" "$(value buffer "$result")" \
		"$format $rate Hz $channels ch" "$frames" \
		"$(value captured "$dir/compare-$n")" "${identical:-no}" \
		"${offset:--}" "$(value xruns "$result")")
	table+="$(value time "$result") s"
	[ "$identical" = yes ] ||
		notes+="hw:Virtual,$n: $(value why "$dir/compare-$n")"$'\n'
	if [ "$(value status "$result")" != "0 0" ]; then
		failed=1
		notes+="hw:Virtual,$n: aplay and arecord ended with status $(value status "$result"): $(cat "$dir"/{aplay,arecord}-"$n".log)"$'\n'
	fi
done
[ $rows -gt 0 ] || failed=1

if [ $rows -gt 0 ]; then
	echo
	align <<<"$table"
	printf '%s' "${notes:+$'\n'$notes}"
	echo
fi
say "captures: $(relative "$dir")/capture-*.wav"
exit $failed
