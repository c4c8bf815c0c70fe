# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the test scripts share: KTAP, and ways to handle the card. Sourced.
#
#	plan 2
#	check "it plays" aplay -q -D hw:Virtual,0 x.wav
#	check "it is loud" [ "$level" -gt 100 ]
#	finish
#
# A test prints its plan first and as many results as it planned; finish
# exits with 0, with 1 on failure, with 4 when all was skipped.

CARD=/proc/asound/Virtual
# What programs of a kernel that is slow may take longer, in 1/100 s
# shellcheck disable=SC2034	# for who sources this
SLOW_CS=$((2 * (${VT_SLOW:-1} - 1)))

planned=0
done_so_far=0
not_ok=0
skipped=0

plan()
{
	planned=$1
	echo "KTAP version 1"
	echo "1..$1"
}

diag()
{
	echo "$*" | sed 's/^/# /'
}

pass()
{
	done_so_far=$((done_so_far + 1))
	echo "ok $done_so_far - $1"
}

fail()
{
	done_so_far=$((done_so_far + 1))
	not_ok=$((not_ok + 1))
	echo "not ok $done_so_far - $1"
}

skip()
{
	done_so_far=$((done_so_far + 1))
	skipped=$((skipped + 1))
	echo "ok $done_so_far - $1 # SKIP $2"
}

# spare FUNCTION: what is asked for by it does not fail
spare()
{
	# shellcheck disable=SC2046	# two words: where it begins and ends
	set -- $(awk -v name="$1" '
		begin && $1 != begin { print "0x" begin, "0x" $1; exit }
		$3 == name { begin = $1 }' /proc/kallsyms)
	[ $# = 2 ] || bail_out "it is not known what to spare"
	for dir in failslab fail_page_alloc; do
		echo "$1" >/sys/kernel/debug/$dir/reject-start
		echo "$2" >/sys/kernel/debug/$dir/reject-end
	done
}

# Faults are injected wherever memory is asked for, and silently; but not where
# who looks for leaks takes note of it: he would look no more.
let_all_fail()
{
	for knob in failslab/ignore-gfp-wait fail_page_alloc/ignore-gfp-wait \
		    fail_page_alloc/ignore-gfp-highmem; do
		knob=/sys/kernel/debug/$knob
		[ ! -e "$knob" ] || echo N >"$knob"
	done
	for knob in fail_page_alloc/min-order failslab/verbose \
		    fail_page_alloc/verbose fail_usercopy/verbose; do
		knob=/sys/kernel/debug/$knob
		[ ! -e "$knob" ] || echo 0 >"$knob"
	done
	[ -e /sys/kernel/debug/kmemleak ] || return 0
	spare __alloc_object
	expect_log '^kmemleak: Cannot allocate a scan area, scanning the full object$'
}

# check NAME COMMAND...: what the command prints is shown if it fails
check()
{
	what=$1
	shift
	if output=$("$@" 2>&1); then
		pass "$what"
	else
		diag "failed: $*"
		[ -z "$output" ] || diag "$output"
		fail "$what"
	fi
}

# refused NAME COMMAND...: which must fail
refused()
{
	what=$1
	shift
	if output=$("$@" 2>&1); then
		diag "succeeded, but should not: $*"
		fail "$what"
	else
		pass "$what"
	fi
}

# check_kunit SUITE: where the kernel has KUnit, it has run the same tests when
# their module was loaded
check_kunit()
{
	kunit=/sys/kernel/debug/kunit/$1/results
	[ -d /sys/kernel/debug/kunit ] || return 0
	grep -q "^ok .* $1\$" "$kunit" && ! grep -q 'not ok' "$kunit" && return
	grep -B 3 'not ok' "$kunit" | sed 's/^/# KUnit: /'
	bail_out "KUnit's suite $1 has failed"
}

# bail_out WHY: for what makes all the rest impossible
bail_out()
{
	echo "Bail out! $*"
	exit 1
}

finish()
{
	[ $done_so_far = "$planned" ] && [ $not_ok = 0 ] || exit 1
	[ $skipped != "$planned" ] || exit 4
	exit 0
}

# expect_log REGEXP: a line of the kernel log that is meant to be there
expect_log()
{
	echo "$1" >>"$EXPECTED_LOG"
}

# suspending COMMAND...: without the shared directory meanwhile, the device of
# which does not come back from a suspend. On a busy machine it takes its time.
suspending()
{
	for line in "PM: suspend (entry|exit|debug)" "Filesystems sync:" \
		"Freezing " "OOM killer (dis|en)abled" \
		"printk: Suspending console" "Restarting tasks" \
		"(PM: )?random: crng reseeded" \
		"pci [0-9a-f:.]+: [^ ]+ took [0-9]+ usecs"; do
		expect_log "^$line"
	done
	status=100
	umount /share && rmmod 9pnet_virtio && {
		"$@"
		status=$?
	}
	modprobe 9pnet_virtio
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share
	return $status
}

# What this tree builds, the core last; quiet when nothing is loaded.
unload_all()
{
	for module in snd_pcmbuf_test snd_sample snd_virtual snd_pcmbuf; do
		[ ! -d /sys/module/$module ] || rmmod $module || return
	done
}

# wait_until SECONDS COMMAND...
wait_until()
{
	tries=$(($1 * 20))
	shift
	until "$@"; do
		[ $tries -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.05
	done
}

# stream_is DEVICE DIRECTION STATE: p or c, e.g. RUNNING or closed
stream_is()
{
	grep -q "$3" "$CARD/pcm$1$2/sub0/status"
}

# silence: without end, in bytes of the format
silence()
{
	tr '\0' "\\$quiet" </dev/zero
}

# The player's frames, at their place in the capture, nothing else around.
same_frames()
{
	first=$(silence | cmp capture - 2>/dev/null |
		sed 's/.*\(char\|byte\) \([0-9]*\),.*/\2/')
	[ -n "$first" ] || { echo "the capture is silent"; return 1; }
	before=$((first - 1))
	[ $((before % frame)) = 0 ] ||
		{ echo "heard at byte $before: not a whole frame"; return 1; }
	# busybox's cmp tells of every byte
	cmp -n "$size" capture data "$before" 0 >differ ||
		{ head -n 1 differ; return 1; }
	tail -c +$((before + size + 1)) capture >rest
	[ -s rest ] || { echo "the capture ends too early"; return 1; }
	silence | cmp -n "$(stat -c %s rest)" rest - >/dev/null ||
		{ echo "sound after the end"; return 1; }
	[ "$before" -gt 0 ] || { echo "no silence before it"; return 1; }
}

# round_trip DEVICE FORMAT BYTES SILENCE RATE CHANNELS [OPTIONS...]: is a
# quarter of a second from aplay what arecord captures on the same device of
# $CARD? BYTES of a sample; SILENCE is a byte of it, in octal. The data begin
# with a byte that is silence nowhere.
round_trip()
{
	device=$1 format=$2 quiet=$4 rate=$5 channels=$6
	frame=$(($3 * $6))
	shift 6
	size=$((rate * frame / 4 / frame * frame))
	{ printf '\377'; cat /dev/urandom; } | head -c "$size" >data
	set -- "$@" -q -D "hw:${CARD##*/},$device" -t raw -f "$format" \
		-r "$rate" -c "$channels"

	arecord "$@" >capture 2>arecord.log &
	recorder=$!
	wait_until 5 stream_is "$device" c RUNNING ||
		{ cat arecord.log; return 1; }
	sleep 0.1
	aplay "$@" data >aplay.log 2>&1
	status=$?
	sleep 0.3
	kill -INT "$recorder"
	wait "$recorder"
	# the two ways in which arecord takes the signal
	grep -v -E 'Aborted by signal|read error: Interrupted system call' \
		aplay.log arecord.log && return 1
	[ "$status" = 0 ] || { echo "aplay: status $status"; return 1; }
	same_frames
}

# share N: of so many operations, what this run is to do
share()
{
	echo $((($1 * ${VT_SHARE:-100} + 99) / 100))
}

# prove_locking 0|1: whether lockdep watches, where there is one
prove_locking()
{
	[ ! -e /proc/sys/kernel/prove_locking ] ||
		echo "$1" >/proc/sys/kernel/prove_locking
}

# fuzz_lane LANE OPS SEED: two results. What it counted is printed in any case;
# what it skipped is skipped here. Of two threads and a linked group lockdep
# believes what is not so: see vh_without_lockdep().
fuzz_lane()
{
	[ "$1" != race-linked ] || prove_locking 0
	/test/fuzz lane="$1" ops="$2" seed="$3" >fuzz.log 2>&1
	status=$?
	[ "$1" != race-linked ] || prove_locking 1
	diag "$(cat fuzz.log)"
	check "lane $1, $2 operations, seed $3" [ $status = 0 ]
	why=$(sed -n 's/^ok .*each kind has succeeded # SKIP //p' fuzz.log)
	if [ -n "$why" ]; then
		skip "lane $1: each kind has succeeded" "$why"
	else
		check "lane $1: each kind has succeeded" \
			grep -q '^ok .*each kind has succeeded$' fuzz.log
	fi
}
