#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The job of make check-pipewire: PipeWire plays on one device what it records
# from the other. The one that does not drive the graph gets a drift, which
# PipeWire has to measure and to cancel by the pitch control.

. "$(dirname "$0")/lib.sh"
exec >/share/results.tap 2>/share/trouble.log

ROOT=/disk
FORMAT='format: { mediaType: audio, mediaSubtype: raw, format: F32P, rate: 48000, channels: 2, position: [ FL, FR ] }'

inside()
{
	XDG_RUNTIME_DIR=/run LC_ALL=C chroot "$ROOT" "$@"
}

# control NAME: of device 0
control()
{
	echo "iface=PCM,name='$1',device=0"
}

# node NAME: its number, when there is one
node()
{
	inside pw-cli ls Node | awk -v name="\"$1\"" '
		$1 == "id" { id = $2 + 0 }
		$1 == "node.name" && $3 == name { print id }' | grep .
}

# configure NAME DIRECTION: what a session manager would do
configure()
{
	inside pw-cli set-param "$(node "$1")" PortConfig \
		"{ direction: $2, mode: dsp, $FORMAT }"
}

# start_pipewire NAME: with that one as the follower of the other, on device 0,
# the only one of a card of which PipeWire looks for the pitch
start_pipewire()
{
	case $1 in
	sink)	set -- "$1" 1 0 3000 1000 ;;
	source)	set -- "$1" 0 1 1000 3000 ;;
	esac
	sed "s/@recorder@/$2/; s/@player@/$3/; s/@source@/$4/; s/@sink@/$5/" \
		/share/pipewire.conf >"$ROOT/tmp/pipewire.conf"
	XDG_RUNTIME_DIR=/run chroot "$ROOT" pipewire -c /tmp/pipewire.conf \
		>"/share/pipewire-$1.log" 2>&1 &
	echo $! >/tmp/pipewire.pid
	wait_until 20 node source && wait_until 20 node sink &&
		configure source Output && configure sink Input && sleep 1 &&
		inside pw-link source sink &&
		wait_until 10 stream_is "$2" c RUNNING &&
		wait_until 10 stream_is "$3" p RUNNING
}

stop_pipewire()
{
	kill "$(cat /tmp/pipewire.pid)"
	wait_until 5 stream_is 0 "$1" closed
}

# pitch NAME: of device 0
pitch()
{
	amixer -c 0 cget "$(control "$1 Pitch 1000000")" | sed -n 's/.*: values=//p'
}

# cancels NAME PPB: such a drift; the pitch goes where that is made up for, and
# stays there, as near as PipeWire's control loop comes to it
cancels()
{
	amixer -q -c 0 cset "$(control 'PCM Clock Drift')" -- "$2" &&
		amixer -q -c 0 cset "$(control 'PCM Imperfection')" on || return
	sleep 60
	for look in 1 2 3; do
		off=$(($(pitch "$1") - 1000000 + $2 / 1000))
		echo "$1: look $look: off by $off ppm"
		[ "$off" -le 50 ] && [ "$off" -ge -50 ] || return
		sleep 10
	done
}

modprobe -a virtio_blk ext4 crc32c_generic
mkdir "$ROOT"
mount -t ext4 -o ro /dev/vda "$ROOT" || exit
for dir in proc sys dev; do
	mount --bind "/$dir" "$ROOT/$dir"
done
for dir in tmp run; do
	mount -t tmpfs tmp "$ROOT/$dir"
done
echo "limit 1500 PipeWire" >&3
plan 10
check "the card comes" modprobe snd-virtual

check "the recorder drives the player" start_pipewire sink
check "its pitch control is found" \
	grep -q 'found ctl Playback Pitch 1000000' /share/pipewire-sink.log
check "a player that is fast by 200 ppm is slowed down" cancels Playback 200000
check "one that is slow by 100 ppm is sped up" cancels Playback -100000
check "PipeWire goes" stop_pipewire p

check "the player drives the recorder" start_pipewire source
check "its pitch control is found" \
	grep -q 'found ctl Capture Pitch 1000000' /share/pipewire-source.log
check "a recorder that is fast by 200 ppm is slowed down" cancels Capture 200000
check "PipeWire goes again" stop_pipewire c
finish
