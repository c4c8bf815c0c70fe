#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Devices that root binds to the driver by hand, as driver_override lets him do
# with any device of the bus: they describe no card of ours, and get none.

. "$(dirname "$0")/lib.sh"

BUS=/sys/bus/platform
OURS=$BUS/drivers/snd-virtual

# bind_by_hand DEVICE: true if the driver takes it
bind_by_hand()
{
	echo snd-virtual >"$BUS/devices/$1/driver_override" || return
	echo "$1" >"$OURS/bind"
	status=$?
	echo >"$BUS/devices/$1/driver_override"
	return "$status"
}

# Those that nobody has
free_devices()
{
	for device in "$BUS"/devices/*; do
		[ -e "$device/driver" ] || basename "$device"
	done
}

# bind_all DEVICE...: true if the driver takes any
bind_all()
{
	for device; do
		! bind_by_hand "$device" || return 0
	done
	return 1
}

cards()
{
	find /proc/asound -maxdepth 1 -name "card[0-9]*" | sort
}

# its card has a device of its own, which no driver is bound to
modprobe snd-sample || bail_out "no sample driver"
before=$(cards)
free=$(free_devices)
ours=$(basename "$OURS"/snd-virtual.*)

plan 5
check "another driver's device is free" [ ! -e $BUS/devices/snd-sample/driver ]
refused "it is not taken" bind_by_hand snd-sample
# shellcheck disable=SC2086	# a list
refused "nor is any other that is free" bind_all $free
diag "tried: $(echo "$free" | tr "\n" " ")"
echo "$ours" >$OURS/unbind
check "one of ours is" bind_by_hand "$ours"
check "there are as many cards as before" [ "$(cards)" = "$before" ]
modprobe -r snd-sample
finish
