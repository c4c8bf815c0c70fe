#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The job of make check: runs the tests of /share/tests, one after the other,
# each with a freshly loaded card and a piece of the kernel log of its own.
# What is good or bad is for the host to say: /share/results gets, for each
# test, NAME.tap (what it printed), NAME.log (what the kernel said),
# NAME.expected (patterns that the test told to expect) and NAME.status.

. "$(dirname "$0")/lib.sh"

results=/share/results
# How many times as slow as others this kernel may be, where it is a slow one,
# and what it is too slow for.
slow=$(sed -n 's/.*slow=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -z "$slow" ] || export VT_SLOW="$slow" VT_SKIP=/test/guest/slow.list
# How much of what is only done often is done here, per cent
share=$(sed -n 's/.*share=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -z "$share" ] || export VT_SHARE="$share"
work=/tmp/work

# since_mark: what the kernel said after the last mark; the message, no stamp
since_mark()
{
	dmesg | sed 's/^<[0-9]*>//; s/^\[ *[0-9.]*\] //' |
		awk -v mark="$mark" '$0 == mark { n = NR } { line[NR] = $0 }
			END { for (i = n + 1; i <= NR; i++) print line[i] }'
}

# run_limited SECONDS COMMAND...: in a session of its own, of which nothing is
# left afterwards; 124 when the time was up
run_limited()
{
	seconds=$1
	shift
	rm -f $work/late
	setsid "$@" </dev/null >$work/tap 2>&1 &
	test_pid=$!
	(
		sleep "$seconds"
		touch $work/late
		kill -KILL -$test_pid
	) 2>/dev/null &
	timer=$!
	wait $test_pid 2>/dev/null
	code=$?
	kill $timer 2>/dev/null
	kill -KILL -$test_pid 2>/dev/null
	[ ! -e $work/late ] || code=124
	return $code
}

# run_test NAME SECONDS PARAMETERS
run_test()
{
	program=/test/$1
	flat=$(echo "$1" | tr / _)
	rm -rf $work
	mkdir $work
	cd $work || return
	export EXPECTED_LOG=$work/expected
	: >$EXPECTED_LOG
	: >$work/tap

	mark="snd-virtual-check: $1"
	echo "$mark" >/dev/kmsg
	status=0
	why=

	if [ ! -x "$program" ]; then
		why="there is no such test"
	else
		case $3 in
		none)	;;
		-)	modprobe snd-virtual >$work/load 2>&1 ;;
		*)	# shellcheck disable=SC2086
			modprobe snd-virtual $3 >$work/load 2>&1 ;;
		esac || why="cannot load the card: $(cat $work/load)"
	fi
	if [ -z "$why" ]; then
		run_limited $(($2 * ${slow:-1})) "$program"
		status=$?
		[ $status != 124 ] || why="not done after $(($2 * ${slow:-1})) s"
		unload_all >$work/load 2>&1 ||
			why="${why:+$why; }cannot unload the card: $(cat $work/load)"
	fi

	since_mark >$work/log
	cp $work/tap $results/"$flat".tap
	cp $work/log $results/"$flat".log
	cp $EXPECTED_LOG $results/"$flat".expected
	printf '%s\n%s\n' $status "$why" >$results/"$flat".status
}

# A test may take the shared directory away for a while.
cp /share/tests /tmp/tests
mkdir -p $results
# A kernel that has just come up has something left to do: on PREEMPT_RT whoever
# waited then was woken 4 ms late.
sleep 5
while read -r name _ seconds parameters; do
	# Where a test has the guest's time jump, the host's does not.
	limit=$((seconds * 2 + 60))
	[ $limit -le 3600 ] || limit=3600
	echo "limit $limit $name" >&3
	echo "start $name" >&3
	run_test "$name" "$seconds" "$parameters"
	echo "done $name" >&3
done </tmp/tests
echo "limit 60 the end" >&3

# What gcov has counted, where modules were built for it.
cd /sys/kernel/debug/gcov 2>/dev/null || exit 0
find . -name '*.gcda' | while read -r counts; do
	mkdir -p "/share/gcov/${counts%/*}"
	cat "$counts" >"/share/gcov/$counts"
done
