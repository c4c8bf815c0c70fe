#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check: builds everything, runs the tests of tests.list in guests, one
# guest for each kind of machine, and judges them. The last line is
# "N passed, N failed, N skipped"; what the tests printed is in out/check/.
#
# TESTS="NAME ..." runs only these: names as in the list, guest/ and .sh may
# be left out. LANE=NAME takes a kernel of lanes.list, and out/lanes/NAME/.
# DEBUG_KERNEL=VERSION-PURPOSE takes a kernel of debug-kernel.sh.
# SHARE=N does N per cent of what a test does for long or often: races, kills,
# the fuzzers' operations.
# LIST=file is another list, RESULTS=dir another place for what comes of it.

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

dir=${RESULTS:-$OUT/check}
[ -z "${LANE:-}" ] || dir=$OUT/lanes/${LANE//[\/:]/-}
share=${SHARE:-100}
passed=0
failed=0
skipped=0

# The totals are the last word, whatever happened before.
summary()
{
	local status=$?

	trap - EXIT
	end_children
	[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
	say "results: $(relative "$dir")"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" = 0 ]
	exit
}
trap summary EXIT
trap 'exit 130' INT TERM

# wanted NAME [TESTS]: by $TESTS, where all are wanted if it is empty
wanted()
{
	local test

	[ -n "${TESTS:-}" ] || return 0
	for test in ${2:-$TESTS}; do
		! is_called "$1" "$test" || return 0
	done
	return 1
}

# A name that is misspelt would pass for ever.
check_names()
{
	local test name rest

	for test in ${TESTS:-}; do
		while read -r name rest; do
			! wanted "${name:-#}" "$test" || continue 2
		done <"${LIST:-$QEMU/tests.list}"
		die "TESTS: $test: not in $(relative "${LIST:-$QEMU/tests.list}")"
	done
}

# why_not NAME: the reason for which the lane cannot do it, if there is one
why_not()
{
	local lane name reason this=${LANE:-${DEBUG_KERNEL:+debug:$DEBUG_KERNEL}}

	[ -n "$this" ] || return
	while read -r lane name reason; do
		[ "$name" = "$1" ] || continue
		# shellcheck disable=SC2254	# a pattern
		case $this in $lane) echo "$reason"; return ;; esac
	done <"$QEMU/lanes.skip"
	return 1
}

# select_tests MACHINE: their lines of the list
select_tests()
{
	local name machine rest

	while read -r name machine rest; do
		case $name in '' | '#'*) continue ;; esac
		if [ "$machine" = "$1" ] && wanted "$name" &&
		   ! why_not "$name" >/dev/null; then
			echo "$name $machine $rest"
		fi
	done <"${LIST:-$QEMU/tests.list}"
}

# What the lane cannot do is skipped, and said.
skip_tests()
{
	local name rest reason

	while read -r name rest; do
		case $name in '' | '#'*) continue ;; esac
		if wanted "$name" && reason=$(why_not "$name"); then
			skipped=$((skipped + 1))
			printf 'skip %-24s%s\n' "$name" "$reason"
			echo "$name: $reason" >>"$dir/skips"
		fi
	done <"${LIST:-$QEMU/tests.list}"
}

# unexpected BASE: the lines of a test's kernel log that match no pattern; all of
# them if one cannot be used
unexpected()
{
	[ -f "$1.log" ] || return 0
	cat "$QEMU/expected.log" "$1.expected" 2>/dev/null |
		sed '/^ *$/d; /^#/d' >"$1.patterns"
	without_excused "$1.log" >"$1.rest"
	grep -a -v -E -f "$1.patterns" "$1.rest" 2>&1 || [ $? = 1 ] ||
		cat "$1.rest"
}

# judge MACHINE NAME SECONDS WHY: prints the result and adds it up; WHY is for
# a test of which nothing came back
judge()
{
	local base=$dir/$1/results/${2//\//_} status=none why=$4 verdict counts
	local mark=ok tap=/dev/null

	if [ -f "$base.status" ]; then
		{ read -r status; read -r why; } <"$base.status" || true
		[ ! -f "$base.tap" ] || tap=$base.tap
	fi
	verdict=$(awk -v status="$status" -v why="$why" -f "$QEMU/judge.awk" \
		kind=log <(unexpected "$base") kind=tap "$tap")
	read -r -a counts <<<"${verdict%%$'\n'*}"
	passed=$((passed + counts[0]))
	failed=$((failed + counts[1]))
	skipped=$((skipped + counts[2]))
	sed -n 's/^ok [0-9]* *-* *\(.*[^ ]\) *# SKIP */\1: /p' "$tap" |
		sed "s|^|$2: |" >>"$dir/skips"

	[ "${counts[1]}" = 0 ] || mark=FAIL
	printf '%-5s%-24s%4d passed, %d failed, %d skipped %7s s\n' \
		$mark "$2" "${counts[@]}" "$3"
	if [ $mark = FAIL ]; then
		tail -n +2 <<<"$verdict" | sed 's/^/     | /'
		[ "$tap" = /dev/null ] || printf '     > %s\n' "$(relative "$tap")"
	fi
}

# boot_machine MACHINE: its guest, as lines of "MACHINE news". A kernel that
# clears all memory by itself would hide what the core forgets to clear.
boot_machine()
{
	APPEND="init_on_alloc=0 page_poison=1 share=$share ${APPEND:-}" \
	"$QEMU/boot.sh" "$kernel" "$image" "${1/later/timed}" check "$dir/$1" \
		2>"$dir/$1/trouble" | sed -u "s/^/$1 /"
}

# run_machine MACHINE: a kernel that dies early has one more chance.
run_machine()
{
	local status=0

	boot_machine "$1" || status=1
	if [ $status = 1 ] && died_early "$dir/$1"; then
		cp "$dir/$1/console.log" "$dir/$1/console-died.log"
		echo "$1 again $(cat "$dir/$1/trouble")"
		status=0
		boot_machine "$1" || status=1
	fi
	echo "$1 over $status"
}

# run_machines MACHINE...: those that have tests, one after the other
run_machines()
{
	local machine

	for machine; do
		[ ! -d "$dir/$machine" ] || run_machine "$machine"
	done
}

# close_machine MACHINE STATUS: judges what its guest did not come to, and
# the guest itself
close_machine()
{
	local why name

	why=$(cat "$dir/$1/trouble")
	[ -n "$why" ] || [ "$2" = 0 ] || why="the guest ended with status $2"
	while read -r name _; do
		[ -n "${judged[$1 $name]:-}" ] ||
			judge "$1" "$name" - "no result came back"
	done <"$dir/$1/tests"
	[ -n "$why" ] || return 0
	failed=$((failed + 1))
	printf 'FAIL %s\n' "$why"
}

case $share in *[!0-9]* | '' | 0*) die "SHARE: $share: not a share per cent" ;; esac
check_names
own "$dir"
"$QEMU/setup.sh"
if [ -n "${LANE:-}" ]; then
	kernel=$("$QEMU/lane.sh" "$LANE")
elif [ -n "${DEBUG_KERNEL:-}" ]; then
	kernel=$("$QEMU/debug-kernel.sh" "${DEBUG_KERNEL%-*}" "${DEBUG_KERNEL##*-}")
else
	kernel=$("$QEMU/kernel.sh")
fi
say "kernel: $(cat "$kernel/release")"
tree=$("$QEMU/build.sh" "$kernel" tests)
say "build: done"
rm -rf "$dir"
mkdir -p "$dir"
cat >"$dir/about" <<-END
	release=$(cat "$kernel/release")
	arch=$(cat "$kernel/arch" 2>/dev/null || true)
	compiler=$(sed 's/.* /gcc /' "$tree.key")
	warnings=$(cat "$tree.warnings" 2>/dev/null || true)
END
image=$("$QEMU/image.sh" "$kernel" "$tree")
machines=()
skip_tests
for machine in timed smp later; do
	[ -n "$(select_tests $machine)" ] || continue
	mkdir -p "$dir/$machine"
	select_tests $machine >"$dir/$machine/tests"
	machines+=("$machine")
done
case " ${machines[*]} " in
*\ smp\ *)	ACCEL=$("$QEMU/accel.sh" "$kernel" "$image")
		export ACCEL ;;
esac

say "boot: ${machines[*]}, $(cat "$dir"/*/tests | wc -l) tests"
declare -A began=() judged=()
left=${#machines[@]}
exec 3< <(run_machines timed & run_machines smp later & wait)
guests=$!
while [ "$left" -gt 0 ] && read -r -u 3 machine news what; do
	case $news in
	start)
		began[$machine]=$EPOCHREALTIME
		;;
	again)
		say "$machine: booted again, for it died in its boot: $what"
		;;
	done)
		judge "$machine" "$what" "$(seconds_since "${began[$machine]}")" ''
		judged["$machine $what"]=1
		;;
	over)
		close_machine "$machine" "$what"
		left=$((left - 1))
		;;
	esac
done
wait "$guests" || true
[ "$left" = 0 ] || die "lost sight of the guests"
