#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# alsactl stores and restores the mixer, and its switches do what they say:
# off is silence on that device's cable, and on that one only.

. "$(dirname "$0")/lib.sh"

# switch_control DEVICE
switch_control()
{
	echo "iface=MIXER,name='PCM Playback Switch',index=$1"
}

set_switch()
{
	amixer -q -c Virtual cset "$(switch_control "$1")" "$2"
}

switch_is()
{
	amixer -c Virtual cget "$(switch_control "$1")" | grep ": values=$2"
}

# hears DEVICE: something else than silence, while a noise plays
hears()
{
	arecord -q -D "hw:Virtual,$1" -t raw -f S16_LE -r 48000 -c 2 \
		>capture 2>arecord.log &
	recorder=$!
	wait_until 5 stream_is "$1" c RUNNING || return 2
	aplay -q -D "hw:Virtual,$1" -t raw -f S16_LE -r 48000 -c 2 noise || return 2
	sleep 0.3
	kill -INT "$recorder"
	wait "$recorder"
	[ "$(stat -c %s capture)" -gt "$(stat -c %s noise)" ] || return 2
	[ "$(tr -d '\0' <capture | head -c 1 | wc -c)" -eq 1 ]
}

is_silent()
{
	hears "$1"
	[ $? = 1 ]
}

alsactl_card()
{
	alsactl -f "$work/$2" "$1" Virtual
}

work=$PWD
head -c 48000 /dev/urandom >noise

plan 15
check "device 0 is on at first" switch_is 0 on
check "device 1 is on at first" switch_is 1 on
check "store both on" alsactl_card store both-on

check "switch device 0 off" set_switch 0 off
check "device 0 is silent" is_silent 0
check "device 1 is heard" hears 1
check "store one off" alsactl_card store one-off

check "restore both on" alsactl_card restore both-on
check "device 0 is on again" switch_is 0 on
check "device 0 is heard again" hears 0

check "restore one off" alsactl_card restore one-off
check "device 0 is off again" switch_is 0 off
check "device 1 is still on" switch_is 1 on
rmmod snd_virtual && modprobe snd-virtual
check "on after a reload" switch_is 0 on
check "restore into the new card" \
	sh -c "alsactl -f $work/one-off restore Virtual &&
		amixer -c Virtual cget \"$(switch_control 0)\" | grep ': values=off'"
finish
