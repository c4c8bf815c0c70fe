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

# Both modules, the core last; quiet when nothing is loaded.
unload_all()
{
	for module in snd_pcmbuf_test snd_virtual snd_pcmbuf; do
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
