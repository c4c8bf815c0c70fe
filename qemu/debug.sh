#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check-debug: builds debug kernels, or takes them from the cache, boots
# each once per purpose, two versions at a time, and ends with a table and the
# line "N passed, N failed, N skipped". What was said is in out/debug/.
#
#	VERSIONS="6.12 7.2"	of the kernel
#	LANES="self clean faults race", and of the first version coverage
#	TESTS="NAME ..."	these tests only, in the lanes that have them
#	JOBS=N			so many versions at a time
#
# self: every detector speaks when its bug is committed. clean: all tests, and
# then no memory is lost. faults: every allocation and copy fails once, and no
# memory is lost. race: the tests on two processors, on a kernel that sees data
# races, as it proves first. coverage: how much of the modules all that executes.

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

VERSIONS=${VERSIONS:-6.12 7.2}
LANES=${LANES:-}
TESTS=$(xargs <<<"${TESTS:-}")
JOBS=${JOBS:-2}
results=$OUT/debug
export MEMORY=${MEMORY:-2048}
# All that is watched is slow, and so is what watches it; a processor that is
# twice as fast as that of make check makes up for a part.
export PATIENCE=${PATIENCE:-8} FIRST_LIMIT=${FIRST_LIMIT:-240} ICOUNT=0

# commit_bugs KERNEL IMAGE DIR: in a guest, which says what was seen of them
commit_bugs()
{
	MAY_COMPLAIN=1 APPEND="kasan_multi_shot" \
		"$QEMU/boot.sh" "$1" "$2" smp selftest "$3"
}

# self_test KERNEL PURPOSE DIR: one line for each bug, then totals
self_test()
{
	local tree image ok

	tree=$("$QEMU/build.sh" "$1" tests) || die "nothing to try"
	rm -rf "$tree/bugs"
	cp -r "$QEMU/debug/selftest" "$tree/bugs"
	make -s -C "$(realpath "$1/build")" M="$tree/bugs" modules >"$3.build" 2>&1 ||
		die "cannot build the bugs (log: $(relative "$3.build"))"
	image=$("$QEMU/image.sh" "$1" "$tree") || die "nothing to boot"
	rm -rf "$3" "$tree/bugs"
	mkdir -p "$3"
	cp "$QEMU/debug/$2.bugs" "$3/bugs"
	commit_bugs "$1" "$image" "$3" ||
		{ died_early "$3" && commit_bugs "$1" "$image" "$3"; } || true
	# what it does not say is missed
	ok=$(grep -s -c '^ok ' "$3/report") || ok=${ok:-0}
	echo "$ok passed, $(($(wc -l <"$3/bugs") - ok)) failed, 0 skipped"
}

# with_leaks LIST MODE...: its tests, and the last one of each of these guests
with_leaks()
{
	cat "$1"
	shift
	printf 'guest/leaks.sh %s 300 none\n' "$@"
}

# list_tests LANE: in the form of tests.list
list_tests()
{
	case $1 in
	self)	;;
	clean)	with_leaks "$QEMU/tests.list" timed smp later ;;
	faults)	with_leaks "$QEMU/debug/faults.list" timed smp ;;
	race)	grep -E '^[^# ]+ +smp ' "$QEMU/tests.list" ;;
	coverage)
		awk '!seen[$1]++' "$QEMU/tests.list" "$QEMU/debug/faults.list" ;;
	*)	die "LANES: $1: not one of self, clean, faults, race, coverage" ;;
	esac
}

# wanted_in LANE: those of $TESTS that it has
wanted_in()
{
	local test name rest

	for test in $TESTS; do
		while read -r name rest; do
			! is_called "${name:-#}" "$test" || echo "$test"
		done <"$results/$1.list"
	done | sort -u
}

# check_lane VERSION LANE PURPOSE
check_lane()
{
	LIST=$results/$2.list RESULTS=$results/$1-$2 DEBUG_KERNEL=$1-$3 \
		TESTS=$(wanted_in "$2" | paste -s -d ' ') "$QEMU/check.sh"
}

# lane VERSION LANE
lane()
{
	local dir=$results/$1-$2 purpose=memory kernel

	case $2 in
	race|coverage) purpose=$2 ;;
	esac
	kernel=$("$QEMU/debug-kernel.sh" "$1" "$purpose") || die "no kernel"
	case $2 in
	self)	self_test "$kernel" memory "$dir" ;;
	clean)	SHARE=20 APPEND="slow=20" check_lane "$1" clean memory ;;
	faults)	APPEND="faults=1" check_lane "$1" faults memory ;;
	# it watches one access in so many, of everything that the kernel does
	race)	self_test "$kernel" race "$dir-self"
		APPEND="kcsan.skip_watch=400" check_lane "$1" race race ;;
	coverage)
		ICOUNT=1 COVERAGE=1 check_lane "$1" coverage coverage || true
		LEAST=${TESTS:+0 0} \
			"$QEMU/coverage.sh" "$CACHE/build/$1-coverage.coverage" "$dir" ;;
	esac
}

# lanes VERSION: what is executed is much the same on all; a lane that has none of
# the tests that are wanted is of no use
lanes()
{
	local default="self clean faults race" name

	[ "$1" != "${VERSIONS%% *}" ] || default+=" coverage"
	for name in ${LANES:-$default}; do
		if [ -z "$TESTS" ] || [ "$name" = self ] ||
		   [ -n "$(wanted_in "$name")" ]; then
			echo "$name"
		fi
	done
}

# check_names: before hours are spent on it
check_names()
{
	local all=${LANES:-self clean faults race coverage} name test

	for name in $all; do
		list_tests "$name" >"$results/$name.list"
	done
	for test in $TESTS; do
		for name in $all; do
			! wanted_in "$name" | grep -q -x -F -e "$test" || continue 2
		done
		die "TESTS: $test: in none of the lanes $all"
	done
}

# run_version VERSION: its lanes, one after the other
run_version()
{
	local name log began status

	for name in $(lanes "$1"); do
		began=$EPOCHREALTIME
		log=$results/$1-$name.log
		status=0
		lane "$1" "$name" 2>&1 | tee "$log" | sed -u "s/^/$1 $name: /" ||
			status=1
		echo $status >"${log%.log}.status"
		seconds_since "$began" >"${log%.log}.seconds"
	done
}

# judge_lane VERSION LANE: adds it up and prints its row; no totals are a failure,
# and so is a bad end of what counts none
judge_lane()
{
	local base=$results/$1-$2 mark=ok counts i

	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$base.log" |
		awk '{ p += $1; f += $2; s += $3 } END { if (NR) print p, f, s; else print 0, 1, 0 }')
	read -r -a counts <<<"$counts"
	[ "${counts[1]}" != 0 ] || counts[1]=$(cat "$base.status")
	for i in 0 1 2; do
		total[i]=$((total[i] + counts[i]))
	done
	[ "${counts[1]}" = 0 ] || mark=FAIL
	printf '%-5s%-8s%-10s%8d%8d%8d%9s\n' $mark "$1" "$2" "${counts[@]}" \
		"$(cat "$base.seconds")"
}

trap end_children EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
demand_counts JOBS
own "$results"
mkdir -p "$results"
check_names
"$QEMU/setup.sh" debug
say "debug: $VERSIONS; $JOBS at a time"
for version in $VERSIONS; do
	while [ "$(jobs -r | wc -l)" -ge "$JOBS" ]; do
		wait -n || true
	done
	run_version "$version" &
done
wait

total=(0 0 0)
printf '\n%-5s%-8s%-10s%8s%8s%8s%9s\n' '' kernel lane passed failed skipped seconds
for version in $VERSIONS; do
	for name in $(lanes "$version"); do
		judge_lane "$version" "$name"
		grep '^both modules' "$results/$version-$name.log" || true
	done
done
say "results: $(relative "$results")"
printf '%d passed, %d failed, %d skipped\n' "${total[@]}"
[ "${total[1]}" = 0 ]
