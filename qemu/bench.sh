#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make bench: measures snd-virtual, snd-aloop and snd-dummy side by side in one
# guest, where time is the count of instructions, and says which of the rows in
# bench.list are met. The table and the figures are left in out/bench.json,
# what the programs printed in out/bench/.
#
# BENCH="ROW ..." measures only these rows of bench.list.
# PARAMETERS="NAME=VALUE ..." are given to snd-virtual.

set -eu
. "$(dirname "$0")/lib.sh"

dir=$OUT/bench
json=$OUT/bench.json

all=$(sed 's/ *|.*//; /^#/d; /^ *$/d' "$QEMU/bench.list" | awk '!seen[$0]++')
rows=${BENCH:-$all}
for row in $rows; do
	grep -qx "$row" <<<"$all" ||
		die "BENCH=$row: no such row; there are: $(tr '\n' ' ' <<<"$all")"
done

"$QEMU/setup.sh"
kernel=$("$QEMU/kernel.sh")
release=$(cat "$kernel/release")
say "kernel: $release"
tree=$("$QEMU/build.sh" "$kernel" tests)
say "build: done"
image=$("$QEMU/image.sh" "$kernel" "$tree")

rm -rf "$dir" "$json"
mkdir -p "$dir"
cat >"$dir/job" <<END
rows="$(tr '\n' ' ' <<<"$rows")"
parameters="${PARAMETERS:-}"
END
touch "$dir/results"

say "boot: timed machine"
booted=0
while read -r line; do
	say "guest: $line"
done < <(exec "$QEMU/boot.sh" "$kernel" "$image" timed bench "$dir")
wait $! || booted=1

status=0
echo
awk -v rows="$(tr '\n' ' ' <<<"$rows")" -v json="$json" -v kernel="$release" \
	-f "$QEMU/bench.awk" "$QEMU/bench.list" "$dir/results" || status=1
echo
say "figures: $(relative "$json")"
[ "$booted" = 0 ] && [ $status = 0 ]
