#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check-kernels: runs check.sh on the kernels of lanes.list, two at a time,
# and ends with a table of all and the line "N passed, N failed, N skipped".
# What each of them said is in out/lanes/.
#
#	KERNELS="LANE ..."	these, instead of the list's defaults
#	TESTS="NAME ..."	these tests only
#	JOBS=N			so many kernels at a time
#	SHARE=N			per cent of what a test does for long or often

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

JOBS=${JOBS:-2}
results=$OUT/lanes
# Several guests share the processors, and emulated ones of another kind are
# slow: silence does not mean so soon that one hangs.
export PATIENCE=${PATIENCE:-5}
# What one lane does in full in make check, many do in part.
export SHARE=${SHARE:-30}
list=$QEMU/lanes.list

# lanes DEFAULT: their names, by a regular expression for the last column
lanes()
{
	sed -n -E "s/^([^#[:space:]]+)[[:space:]].*[[:space:]]($1)\$/\1/p" "$list"
}

# base LANE: of the files about it
base()
{
	echo "$results/${1//[\/:]/-}"
}

# about LANE KEY: what check.sh wrote about it
about()
{
	local value

	value=$(sed -n "s/^$2=//p" "$(base "$1")/about" 2>/dev/null) || true
	echo "${value:--}"
}

# news LANE: what is worth to be seen while it happens; of good tests, each tenth
news()
{
	local line finished=0

	while IFS= read -r line; do
		case $line in
		'ok  '*)
			finished=$((finished + 1))
			[ $((finished % 10)) = 0 ] || continue
			line="$finished tests are done"
			;;
		FAIL* | error:* | skip\ * | \[* | '     |'* | '     >'*) ;;
		*)	continue ;;
		esac
		printf '%-17s%s\n' "$1:" "$line"
	done
}

# run_lane LANE: leaves its output, and how long it took, in seconds of the
# clock and of the processors
run_lane()
{
	local log

	log=$(base "$1")
	TIMEFORMAT='%0R %0U %0S'
	{
		time LANE=$1 "$QEMU/check.sh" 2>&1 | tee "$log.log" | news "$1"
	} 2>"$log.time" || true
}

# judge_lane LANE: adds it up. A warning is a failure; so is an end without
# totals.
judge_lane()
{
	local counts warnings

	counts=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
		"$(base "$1").log" 2>/dev/null)
	read -r passed failed skipped <<<"${counts:-0 1 0}"
	warnings=$(about "$1" warnings)
	case $warnings in 0 | -) ;; *) failed=$((failed + 1)) ;; esac
	total=($((total[0] + passed)) $((total[1] + failed)) $((total[2] + skipped)))
}

# row FIELD...
row()
{
	printf '%-4s %-16s %-28s %-8s %-10s %8s %7s %7s %8s %7s %7s\n' "$@"
}

minutes()
{
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

table()
{
	local lane mark real user system

	printf '\n'
	row '' lane kernel arch compiler warnings passed failed skipped time CPU
	for lane; do
		judge_lane "$lane"
		mark=ok
		[ "$failed" = 0 ] || mark=FAIL
		read -r real user system <"$(base "$lane").time" || true
		row $mark "$lane" "$(about "$lane" release)" "$(about "$lane" arch)" \
			"$(about "$lane" compiler)" "$(about "$lane" warnings)" \
			"$passed" "$failed" "$skipped" "$(minutes "${real:-0}")" \
			"$(minutes $((${user:-0} + ${system:-0})))"
	done
}

# Why something was skipped, and by which lanes; what went wrong
reasons()
{
	local lane

	printf '\n'
	for lane; do
		sed "s|^|$lane\t|" "$(base "$lane")/skips" 2>/dev/null || true
	done | awk -F '\t' '
		!($2 in lanes) { order[++n] = $2 }
		{ lanes[$2] = lanes[$2] " " $1 }
		END { for (i = 1; i <= n; i++)
			print "skipped: " order[i] " (" substr(lanes[order[i]], 2) ")" }'
	for lane; do
		case $(about "$lane" warnings) in
		0 | -)	;;
		*)	echo "$lane: FAIL warnings of the compiler (log: $(relative "$CACHE/build/${lane//[\/:]/-}.log"))" ;;
		esac
		grep -h -E '^(FAIL|error:|     \|)' "$(base "$lane").log" |
			sed "s|^|$lane: |" || true
	done
}

trap end_children EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
demand_counts JOBS SHARE
own "$results"
[ -n "${KERNELS:-}" ] || KERNELS=$(lanes yes | paste -s -d ' ')
arches=
for lane in $KERNELS; do
	lanes 'yes|no' | grep -q -x -F -e "$lane" ||
		die "KERNELS: $lane: not in qemu/lanes.list"
	case $lane in
	*:*)	arches+=" ${lane%%[:/]*}" ;;
	esac
done
# shellcheck disable=SC2086	# a list of words
"$QEMU/setup.sh" $arches

mkdir -p "$results"
say "kernels: $KERNELS; $JOBS at a time"
# shellcheck disable=SC2086	# a list of words
for lane in $KERNELS; do
	rm -rf "$(base "$lane")" "$(base "$lane")".{log,time}
	while [ "$(jobs -r | wc -l)" -ge "$JOBS" ]; do
		wait -n || true
	done
	run_lane "$lane" &
done
wait

total=(0 0 0)
# shellcheck disable=SC2086
table $KERNELS
# shellcheck disable=SC2086
reasons $KERNELS
say "results: $(relative "$results")"
printf '%d passed, %d failed, %d skipped\n' "${total[@]}"
[ "${total[1]}" = 0 ]
