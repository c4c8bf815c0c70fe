#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading and unloading: in what order, how often, not while in use, and
# without leaving memory behind. The kernel's sound core loses a little with
# every card that comes and goes, so snd-dummy does the same for comparison.

. "$(dirname "$0")/lib.sh"

CYCLES=30
extra=/lib/modules/$(uname -r)/extra
page_kb=$(awk '/^KernelPageSize:/ { print $2; exit }' /proc/self/smaps 2>/dev/null)
page_kb=${page_kb:-4}

is_gone()
{
	! [ -e /proc/asound/Virtual ] &&
		[ -z "$(ls -d /sys/devices/platform/snd-virtual* 2>/dev/null)" ]
}

use_count()
{
	cat "/sys/module/$1/refcnt"
}

used_by_driver()
{
	[ "$(use_count snd_pcmbuf)" -ge 1 ] &&
		[ -d /sys/module/snd_pcmbuf/holders/snd_virtual ]
}

# play BYTES DEVICE
play()
{
	head -c "$1" /dev/zero | aplay -q -t raw -f S16_LE -r 48000 -c 2 \
		-D "hw:$2"
}

# cycle: one life of the card, used
cycle()
{
	modprobe snd-virtual && play 9600 Virtual,0 && play 9600 Virtual,1 &&
		rmmod snd_virtual && rmmod snd_pcmbuf
}

# cycle_other: the other kinds of memory, and what a latency takes
cycle_other()
{
	modprobe snd-virtual pcm_buffers=sg,dma latency_frames=100000 &&
		play 9600 Virtual,0 && play 9600 Virtual,1 &&
		arecord -q -t raw -f S16_LE -r 48000 -c 2 -s 4800 \
			-D hw:Virtual,0 >/dev/null &&
		rmmod snd_virtual && rmmod snd_pcmbuf
}

cycle_idle()
{
	modprobe snd-virtual && rmmod snd_virtual && rmmod snd_pcmbuf
}

cycle_driver()
{
	modprobe snd-virtual && rmmod snd_virtual
}

# cycle_drained: gone before the next beat of the drain, which comes in 20 ms
cycle_drained()
{
	modprobe snd-virtual pcm_clocks=client && play 9600 Virtual,0 &&
		rmmod snd_virtual && sleep 0.1
}

cycle_core()
{
	modprobe snd-pcmbuf && rmmod snd_pcmbuf
}

cycle_peer()
{
	modprobe snd-dummy fake_buffer=0 && play 9600 Dummy,0 && rmmod snd_dummy
}

# cycle_refused: a load that fails when all but the card is there
cycle_refused()
{
	insmod "$extra/snd-virtual.ko" buffer_kb=1 2>&1 |
		grep -q "Invalid parameters"
}

# cycle_disabled: a life without a card, in which the sound core takes no part
cycle_disabled()
{
	modprobe snd-virtual enable=0 && rmmod snd_virtual
}

repeat()
{
	left=$1
	shift
	while [ "$left" -gt 0 ]; do
		"$@" || { echo "with $left to go"; return 1; }
		left=$((left - 1))
	done
}

# KiB that are in use, not a cache, nor kept free by the allocator for the next
# who asks on this processor. Pages go to and fro between what is free and what
# is kept by the dozen, so that both are of one file, which tells of one moment.
memory_in_use()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk -v page="$page_kb" '/^(Cached|Buffers|SReclaimable):/ { free += $2 }
		/^MemTotal:/ { total = $2 }
		/^ *pages free/ { free += $3 * page }
		/^ *cpu: / { pagesets = 1 } /^Node/ { pagesets = 0 }
		pagesets && /^ *count: / { free += $2 * page }
		END { print total - free }' /proc/meminfo /proc/zoneinfo
}

# growth COMMAND [CYCLES]: KiB after that many, the first ones not counted
growth()
{
	repeat 10 "$1" >&2 || return
	before=$(memory_in_use)
	repeat "${2:-$CYCLES}" "$1" >&2 || return
	echo $(($(memory_in_use) - before))
}

plan 28

expect_log '^modules\.sh \([0-9]+\): drop_caches: 3$'
expect_log '^snd_virtual: Unknown symbol snd_pcmbuf_[a-z0-9_]+ \(err -2\)$'
modprobe -a snd-pcm snd-timer snd-hrtimer
refused "the driver needs the core" insmod "$extra/snd-virtual.ko"
check "nothing is left of the attempt" is_gone

check "modprobe brings both" modprobe snd-virtual
check "the driver is counted as a user of the core" used_by_driver
refused "the core stays while the driver is there" rmmod snd_pcmbuf
check "nobody uses the card" [ "$(use_count snd_virtual)" = 0 ]

sleep 2 | aplay -q -t raw -f S16_LE -r 48000 -c 2 -D hw:Virtual,0 2>aplay.log &
check "the card is opened" wait_until 5 stream_is 0 p state
check "an open stream uses the driver" [ "$(use_count snd_virtual)" -ge 1 ]
refused "the driver stays while a stream is open" rmmod snd_virtual
wait
check "it is closed again" wait_until 5 stream_is 0 p closed

play 960000 Virtual,1 >play.log 2>&1 &
player=$!
wait_until 5 stream_is 1 p RUNNING
refused "the driver stays while a stream is running" rmmod snd_virtual
wait $player
check "the stream did not notice" [ $? = 0 ]
check "nor did it say so" [ ! -s play.log ]

check "the driver goes" rmmod snd_virtual
check "and is gone" is_gone
check "then the core goes" rmmod snd_pcmbuf

times=$(share 20)
check "$times times the core alone" repeat "$times" cycle_core
check "$times times both, unused" repeat "$times" cycle_idle
modprobe snd-pcmbuf
check "$times times the driver, the core stays" repeat "$times" cycle_driver
check "3 times the driver, after a drain" repeat 3 cycle_drained
rmmod snd_pcmbuf

ours=$(growth cycle)
peers=$(growth cycle_peer)
diag "$CYCLES cycles of load, play and unload: ${ours:-failed} KiB more in use; snd-dummy: ${peers:-failed} KiB"
check "$CYCLES times both, used" [ -n "$ours" ]
# Whatever became free meanwhile was not the driver's.
[ "${peers:-0}" -ge 0 ] || peers=0
# A page a cycle is less than a buffer, and more than the noise.
check "no more memory is lost than with snd-dummy" \
	[ "${ours:-999999}" -le $((${peers:-0} + CYCLES * page_kb)) ]
ours=$(growth cycle_other)
diag "the same with other memory and a latency: ${ours:-failed} KiB"
check "$CYCLES times with other memory and a latency" [ -n "$ours" ]
check "no more is lost then" \
	[ "${ours:-999999}" -le $((${peers:-0} + CYCLES * page_kb)) ]

# What is left behind by each is more than a KiB, if anything is.
expect_log '^snd-virtual: buffer_kb=1: out of range 64\.\.32768$'
modprobe snd-pcmbuf
times=$(share 300)
ours=$(growth cycle_refused "$times")
diag "$times refused loads: ${ours:-failed} KiB"
check "$times times refused" [ -n "$ours" ]
if [ "$SLOW_CS" = 0 ]; then
	check "nothing is lost then" [ "${ours:-999999}" -le 200 ]
else
	skip "nothing is lost then" "a debug kernel keeps what is freed for a while"
fi
# a workqueue that is not destroyed is 1 KiB
times=$(share 100)
ours=$(growth cycle_disabled "$times")
rmmod snd_pcmbuf
diag "$times loads without a card: ${ours:-failed} KiB"
check "$times times without a card" [ -n "$ours" ]
if [ "$SLOW_CS" = 0 ]; then
	check "nor is anything then" [ "${ours:-999999}" -le 50 ]
else
	skip "nor is anything then" "a debug kernel keeps what is freed for a while"
fi
finish
