#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Imperfection from the shell: the clock drifts as told; alsactl never switches
# it on; a stall costs little, however many changes of speed it has missed.

. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing

# control NAME
control()
{
	echo "iface=PCM,name='$1',device=0"
}

spoil()
{
	amixer -q -c Virtual cset "$(control "$1")" -- "$2"
}

# value_is NAME VALUE
value_is()
{
	amixer -c Virtual cget "$(control "$1")" | grep ": values=$2\$"
}

alsactl_card()
{
	alsactl -f "$work/state" "$1" Virtual
}

# lasts SECONDS LEAST MOST: to record that long takes that many hundredths
lasts()
{
	before=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
	arecord -q -D hw:Virtual,0 -f dat -d "$1" /dev/null || return
	took=$(($(cut -d ' ' -f 1 /proc/uptime | tr -d .) - before))
	echo "took $took cs"
	[ "$took" -ge "$2" ] && [ "$took" -le "$3" ]
}

# One tick of this clock is a minute.
stall()
{
	aplay -q -D hw:Loopback,0 -t raw -f S16_LE -r 8000 -c 1 -d 200 \
		--period-size=480000 --buffer-size=960000 /dev/zero &
	player=$!
	arecord -q -D hw:Virtual,0 -f dat /dev/null &
	recorder=$!
	sleep 190
	kill -KILL "$recorder" "$player"
	wait "$player"
	wait "$recorder"
	return 0
}

# costs_at_most US FUNCTION COMMAND...: one call of it, as the tracer sees it
costs_at_most()
{
	most=$1
	function=$2
	shift 2
	echo "$function" >$TRACING/set_graph_function || return
	echo 1 >$TRACING/max_graph_depth
	echo function_graph >$TRACING/current_tracer || return
	"$@"
	sed -n "s/.* \([0-9]*\)\.[0-9]* us  *| *$function.*/\1/p" \
		$TRACING/trace >costs
	echo nop >$TRACING/current_tracer
	echo >$TRACING/set_graph_function
	dearest=$(sort -n costs | tail -n 1)
	echo "$(wc -l <costs) calls, at most $dearest us"
	diag "$(wc -l <costs) calls of $function, at most $dearest us"
	[ -n "$dearest" ] && [ "$dearest" -le "$most" ]
}

# A clock that goes by the PCM of snd-aloop, and wanders and walks
use_slow_clock()
{
	spoil "PCM Clock" timer && spoil "PCM Clock Timer" 3,5,0,0 &&
		spoil "PCM Clock Drift" 0 &&
		spoil "PCM Clock Wander" 1000000 &&
		spoil "PCM Clock Walk" 1000 && spoil "PCM Imperfection" on
}

work=$PWD
mount -t tracefs tracefs $TRACING || bail_out "no tracefs"
modprobe snd-aloop index=5 || bail_out "no snd-aloop"

plan 15
check "a clock that is right" lasts 10 1000 1004
check "set a drift" spoil "PCM Clock Drift" -100000000
check "which does nothing yet" lasts 10 1000 1004
check "switch it on" spoil "PCM Imperfection" on
check "the switch is on" value_is "PCM Imperfection" on
check "the clock is slow" lasts 10 1111 1116

check "store it" alsactl_card store
check "switch it off" spoil "PCM Imperfection" off
check "restore it" alsactl_card restore
check "it is still off" value_is "PCM Imperfection" off
rmmod snd_virtual && modprobe snd-virtual
check "restore it into a new card" alsactl_card restore
check "it is off" value_is "PCM Imperfection" off
check "the drift is restored" value_is "PCM Clock Drift" -100000000

check "a clock that ticks each minute" use_slow_clock
check "a minute is caught up with" costs_at_most 600 vsnd_imperfect_bend stall
modprobe -r snd-aloop
umount $TRACING
finish
