#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The source of a timer clock stops, is closed, or loses its card: the streams
# stand still and can be killed, nothing waits for anything else, and the next
# to open is told that there is no such timer.

. "$(dirname "$0")/lib.sh"

DRIVER=/sys/bus/platform/drivers/snd_aloop

# play_source [PERIOD], in frames; it has a resolution from now on
play_source()
{
	aplay -q -D hw:Loopback,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size="${1:-480}" --buffer-size=9600 /dev/zero &
	source=$!
	wait_until 5 grep -q RUNNING /proc/asound/Loopback/pcm0p/sub0/status
}

# start_ours [BUFFER], in frames
start_ours()
{
	aplay -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size=480 --buffer-size="${1:-4800}" /dev/zero 2>said &
	ours=$!
	wait_until 10 stream_is 0 p RUNNING
}

position()
{
	sed -n 's/^hw_ptr *: //p' "$CARD/pcm0p/sub0/status"
}

moves()
{
	before=$(position)
	sleep 0.5
	[ "$(position)" -gt "$before" ]
}

stands()
{
	before=$(position)
	sleep 0.5
	[ "$(position)" = "$before" ] && stream_is 0 p RUNNING
}

# no xrun in ticks as long as the periods of the source are
keeps_up()
{
	sleep 2
	cat said
	! [ -s said ] && moves
}

is_over()
{
	! [ -d "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"
}

# kill_ours: at once, whatever it waits for
kill_ours()
{
	kill -KILL "$ours"
	wait_until 5 is_over "$ours" && wait_until 5 stream_is 0 p closed
}

# opens_not DEVICE: for there is no such timer, whatever else there is
opens_not()
{
	aplay -q -D "hw:Virtual,$1" -t raw -f S16_LE -r 48000 -c 2 \
		-d 1 /dev/zero >said 2>&1 && return 1
	cat said
	grep -q 'No such device$' said
}

# opens_alone DEVICE: nor does the kernel look for a module with one, which may
# wait for whom waits for us
opens_alone()
{
	kept=$(cat /proc/sys/kernel/modprobe)
	printf '#!/bin/sh\necho "$@" >>/tmp/loaded\n' >loader
	chmod +x loader
	echo /tmp/loader >/proc/sys/kernel/modprobe
	opens_not "$1"
	status=$?
	echo "$kept" >/proc/sys/kernel/modprobe
	[ "$status" = 0 ] && ! cat loaded
}

cd /tmp || exit 1
modprobe snd-aloop index=5 || bail_out "no snd-aloop"
for device in 0 1; do
	amixer -q -c Virtual cset \
		"iface=PCM,name='PCM Clock Timer',device=$device" 3,5,0,0
done

plan 16
play_source
start_ours
check "we start" [ $? = 0 ]
check "we move with the source" moves
refused "its module stays" modprobe -r -q snd-aloop
kill -KILL $source
wait_until 5 is_over $source
check "it is closed: we stand" stands
play_source
check "it is opened again: we move" moves
kill -KILL $source
wait_until 5 is_over $source
check "it is closed: we can be killed" kill_ours

play_source 16
start_ours 14400
kill -KILL $source
wait_until 5 is_over $source
play_source 4800
check "it comes again with longer periods: we go with each" keeps_up
kill_ours
kill -KILL $source
wait_until 5 is_over $source

play_source
start_ours
check "we start again" [ $? = 0 ]
device=$(basename "$DRIVER"/snd_aloop.*)
echo "$device" >$DRIVER/unbind &
unbind=$!
check "its card goes: its own client is told" wait_until 10 is_over $source
check "we stand" stands
check "another cannot open it" opens_not 1
check "we can be killed" kill_ours
check "then the card is gone" wait_until 10 is_over $unbind
check "nobody can open it any more" opens_not 0
check "no module is looked for" opens_alone 0
check "its module goes" modprobe -r snd-aloop
finish
