#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The clock that follows an ALSA timer: what is played arrives whole, in the
# source's own time; sources that are not there, or are its own, are refused.

. "$(dirname "$0")/lib.sh"

FRAMES=24000	# half a second

source_is()
{
	amixer -q -c Virtual cset "iface=PCM,name=PCM Clock Timer,device=0" "$1"
}

uptime_cs()
{
	cut -d ' ' -f 1 /proc/uptime | tr -d .
}

# goes_by SOURCE LEAST MOST: a loop lasts that long, in hundredths of a second
goes_by()
{
	source_is "$1" || return
	arecord -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		-s $((FRAMES * 2)) >capture &
	recorder=$!
	wait_until 5 stream_is 0 c RUNNING || return
	before=$(uptime_cs)
	aplay -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size=480 --buffer-size=4800 data || return
	took=$(($(uptime_cs) - before))
	wait "$recorder" || return
	first=$(cmp capture /dev/zero | sed 's/.*\(char\|byte\) \([0-9]*\),.*/\2/')
	echo "heard from byte $first on, in $took cs"
	cmp -n $((FRAMES * 4)) capture data $((first - 1)) 0 || return
	[ "$took" -ge "$2" ] && [ "$took" -le $(($3 + SLOW_CS)) ]
}

# outlasts SOURCE FRAMES: no ring is so short that a tick passes all of it
outlasts()
{
	source_is "$1" || return
	aplay -v -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size=16 --buffer-size=32 data >said 2>&1 || return
	buffer=$(sed -n 's/^ *buffer_size *: //p' said)
	echo "buffer: $buffer frames"
	[ "$buffer" -gt "$2" ]
}

# another card's PCM is the source, while it runs
goes_by_loopback()
{
	aplay -q -D hw:Loopback,0 -t raw -f S16_LE -r 48000 -c 2 -d 5 \
		--period-size=480 --buffer-size=4800 /dev/zero &
	player=$!
	goes_by "$1" 49 60
	status=$?
	wait "$player"
	return "$status"
}

# nobody runs the source: time stands still, and goes on with it
stands_still()
{
	source_is "$1" || return
	aplay -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size=480 --buffer-size=4800 data &
	player=$!
	wait_until 5 stream_is 0 p RUNNING || return
	sleep 1
	grep 'hw_ptr *: 0$' "$CARD/pcm0p/sub0/status" || return
	aplay -q -D hw:Loopback,0 -t raw -f S16_LE -r 48000 -c 2 -d 2 \
		--period-size=480 --buffer-size=4800 /dev/zero || return
	wait "$player"
}

# opens_not SOURCE ERROR: and it is the one that tells why
opens_not()
{
	source_is "$1" || return
	aplay -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 data >said 2>&1 &&
		return 1
	cat said
	grep -q "$2\$" said
}

clock_is()
{
	amixer -q -c Virtual cset "iface=PCM,name=PCM Clock,device=0" "$1"
}

# goes_with CLOCK SOURCE STATUS: is another source taken while CLOCK is in use?
goes_with()
{
	source_is 1,0,3,0 && clock_is "$1" || return
	aplay -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 data &
	player=$!
	wait_until 5 stream_is 0 p RUNNING || return
	source_is "$2"
	status=$?
	wait "$player"
	clock_is timer
	echo "amixer: $status"
	[ "$status" = "$3" ]
}

cd /tmp || exit 1
{ printf '\377'; head -c $((FRAMES * 4 - 1)) /dev/urandom; } >data
modprobe snd-hrtimer
modprobe snd-aloop index=5 || bail_out "no snd-aloop"
own=$(readlink $CARD | tr -d "[:lower:]")

plan 14
check "a high-resolution timer" goes_by 1,0,3,0 50 55
check "the system's timer" goes_by 1,0,0,0 50 55
check "the smallest ring is longer than a tick" outlasts 1,0,3,0 48
check "another card's PCM" goes_by_loopback 3,5,0,0
check "a source that does not run" stands_still 3,5,0,0
check "a PCM of the own card is refused" opens_not "3,$own,1,0" "Invalid argument"
check "a card that is not there" opens_not 3,7,0,0 "No such device"
check "a card that there cannot be" opens_not 3,32,0,0 "No such device"
check "nor much later" opens_not 2,100000,0,0 "No such device"
check "nor ever" opens_not 3,2147483647,0,0 "No such device"
check "a timer that is not there" opens_not 1,0,9,0 "No such device"
check "no other source while one is followed" goes_with timer 1,0,0,0 1
check "another source while none is" goes_with realtime 1,0,0,0 0
check "and the first again" goes_by 1,0,3,0 50 55
modprobe -r snd-aloop
finish
