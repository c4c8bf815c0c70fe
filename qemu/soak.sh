#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make soak: what make check does for a minute, for as long as is wanted; what
# only shows when it is done very often; and known defects of the kernel.
#
# SOAK=N	length in minutes or so, on a machine that is idle; sets:
# OPS=N		operations of each lane of the fuzzer with one thread
# RACES=N	operations of each lane with two
# KILLS=N	clients killed at any moment
# LOADS=N	times that the module is loaded, and a tenth of it with clients, from 10 on
# XRUNS=N	xruns of each end, each recovered from
# USERS=N	rounds of users who want it all
# STALE=N	hand-overs of a ring from one owner to the next
# HOURS=N	simulated, through a cable (default: 24)
# STALLS=N	stalls, jumps and settings of the time, with each of four clocks
# PRESSURE=N	neighbours who leave hardly any memory
# SEED=N	of all that is drawn (default: the time)

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

for name in SOAK OPS RACES KILLS LOADS XRUNS USERS STALE HOURS STALLS \
	PRESSURE SEED; do
	[ -n "${!name:-}" ] || unset $name
done
demand_counts SOAK OPS RACES KILLS LOADS XRUNS USERS STALE HOURS STALLS \
	PRESSURE SEED

minutes=${SOAK:-30}
ops=${OPS:-$((minutes * 20000))}
races=${RACES:-$((minutes * 5000))}
kills=${KILLS:-$((minutes * 300))}
loads=${LOADS:-$((minutes * 200))}
xruns=${XRUNS:-$((minutes * 300))}
users=${USERS:-$((minutes * 3))}
stale=${STALE:-$((minutes * 3400))}
hours=${HOURS:-24}
stalls=${STALLS:-$((minutes * 20))}
pressure=${PRESSURE:-$minutes}
seed=${SEED:-$(date +%s)}
dir=$OUT/soak
[ "$loads" -ge 10 ] || die "LOADS=$loads: a tenth of it is none"

# A guest is given an hour for a part, times PATIENCE: several times what all of
# them take on this machine, in seconds.
patience=$((1 + (ops / 1000 + races / 100 + kills / 20 + loads / 2 + xruns / 4 +
		 users * 5 + stale / 100 + hours * 20 + stalls + pressure * 20) /
		3600))

# Guest's seconds: generous, for each part watches itself.
make_list()
{
	cat <<-END
	guest/fuzz.sh		timed $((600 + ops / 50)) -
	soak_stale		timed $((600 + stale)) pcm_buffers=vmalloc,continuous,sg,dma,vmalloc32
	soak_xrun		timed $((600 + 4 * xruns)) -
	soak_cable		timed $((600 + hours * 3700)) -
	soak_stall		timed $((600 + stalls * 800)) -
	soak_pressure		timed $((600 + pressure * 60)) pcm_buffers=vmalloc,continuous,sg,dma,vmalloc32 pcm_substreams=2 buffer_kb=32768 prealloc_kb=0
	guest/fuzz-race.sh	smp $((600 + races / 20 + kills)) -
	soak_load		smp $((600 + loads * 4)) -
	soak_users		smp $((600 + users * 10)) pcm_substreams=16 buffer_kb=32768
	END
}

# What the tests counted, for what was counted is the result here.
print_counts()
{
	local file

	for file in "$dir"/*/results/*.tap; do
		[ -f "$file" ] || continue
		printf '%s\n' "${file##*/}"
		sed -n 's/^# /    /p' "$file"
	done
}

# known_defect JOB [CARD]: the kernel's own, in a guest that cannot be used after
# it; what it said is left in a report.
known_defect()
{
	local kernel image

	kernel=$("$QEMU/kernel.sh") && image=$("$QEMU/build.sh" "$kernel" tests) &&
		image=$("$QEMU/image.sh" "$kernel" "$image") || return
	ACCEL=$("$QEMU/accel.sh" "$kernel" "$image") APPEND="CARD=${2:-}" \
		"$QEMU/boot.sh" "$kernel" "$image" smp "$1" "$dir/$1${2:+-$2}"
}

# It is ours if only this card hangs.
link_prepare()
{
	known_defect link-prepare snd-aloop || return
	known_defect link-prepare snd-virtual || return
	grep -q 'time: hangs' "$dir/link-prepare-snd-aloop/report" ||
		! grep -q 'time: hangs' "$dir/link-prepare-snd-virtual/report"
}

# judged NAME COMMAND...: in the words of check.sh, and counted with its tests
judged()
{
	local name=$1

	shift
	if "$@" >&2; then
		say "ok: $name"
		counts[0]=$((counts[0] + 1))
	else
		say "FAIL: $name"
		counts[1]=$((counts[1] + 1))
	fi
}

mkdir -p "$dir"
own "$OUT/soak.list"
make_list >"$OUT/soak.list"
say "soak: seed $seed, $ops operations a lane, $races of two threads, $kills kills, $loads loads, $xruns xruns, $users rounds of users, $stale hand-overs, $hours hours, $stalls stalls, $pressure greedy neighbours"
PATIENCE=$patience LIST=$OUT/soak.list RESULTS=$dir \
	APPEND="FUZZ_OPS=$ops FUZZ_RACES=$races FUZZ_SEED=$seed FUZZ_KILLS=$kills \
SOAK_LOADS=$loads SOAK_XRUNS=$xruns SOAK_USERS=$users SOAK_STALE=$stale \
SOAK_SEED=$seed SOAK_HOURS=$hours SOAK_STALLS=$stalls \
SOAK_PRESSURE=$pressure" \
	"$QEMU/check.sh" | tee "$OUT/soak.verdict" >&2 || true
print_counts
totals=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
	"$OUT/soak.verdict")
read -r -a counts <<<"${totals:-0 1 0}"
judged "linked streams prepared at the same time: only what hangs snd-aloop" \
	link_prepare
judged "a linked stream paused in an unseen xrun: does not hang" \
	known_defect link-pause
printf '%d passed, %d failed, %d skipped\n' "${counts[@]}"
[ "${counts[1]}" = 0 ]
