#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The step clock makes a shell script the master of what happens before what:
# a player, a recorder, a switch that is thrown, a step in the middle of a
# period, a drain. At whatever pace it goes, twice the same script is twice the
# same sound, byte for byte, and so is what procfs says meanwhile.

. "$(dirname "$0")/lib.sh"

step()
{
	amixer -q -c Virtual cset \
		"iface=PCM,name='PCM Clock Step',device=0" -- "$1"
}

# hear NAME FRAMES: by a client that wakes up for each period
hear()
{
	arecord -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size=480 --buffer-size=1920 -s "$2" "$1" &
}

# at DIRECTION: where a stream is
at()
{
	sed -n 's/^hw_ptr *: //p' "$CARD/pcm0$1/sub0/status"
}

is_at()
{
	[ "$(at "$1")" = "$2" ]
}

has_read()
{
	[ "$(sed -n 's/^appl_ptr *: //p' "$CARD/pcm0c/sub0/status")" = "$1" ]
}

# or does not mean to, for it drains
has_written()
{
	! stream_is 0 p RUNNING ||
		[ "$(sed -n 's/^appl_ptr *: //p' "$CARD/pcm0p/sub0/status")" -ge "$1" ]
}

# dawdle: for some ms, other ones each time
dawdle()
{
	sleep "0.0$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
}

# periods N: each is heard, and another written, before the next
periods()
{
	left=$1
	while [ "$left" -gt 0 ]; do
		dawdle
		heard=$((heard + 480))
		step 480 || return
		wait_until 10 has_read "$heard" || return
		left=$((left - 1))
		position=$(at p)
		wait_until 10 has_written $((${position:-0} + 1440)) || return
		echo "player at $(at p), recorder at $(at c)"
	done
}

# play NAME: the interleaving
play()
{
	heard=0
	hear "$1" 19200
	recorder=$!
	wait_until 10 stream_is 0 c RUNNING || return
	periods 2 || return
	aplay -q -D hw:Virtual,0 -t raw -f S16_LE -r 48000 -c 2 \
		--period-size=480 --buffer-size=1920 data &
	player=$!
	wait_until 10 stream_is 0 p RUNNING || return
	periods 3 || return
	step 123
	amixer -q -c Virtual cset "$switch" off || return
	step 300
	amixer -q -c Virtual cset "$switch" on || return
	step 57
	heard=$((heard + 480))
	wait_until 10 has_read "$heard" || return
	periods 33 || return
	step 480
	wait "$player" && wait "$recorder"
}

# once NAME: the script's words and its sound
once()
{
	play "$1.sound" >"$1.words"
}

cd /tmp || exit 1
head -c 38400 /dev/urandom >data
amixer -q -c Virtual cset "iface=PCM,name='PCM Clock',device=0" step
switch="iface=MIXER,name='PCM Playback Switch'"

plan 6
check "once" once first
check "and again, at another pace" once second
check "the sound is the same" cmp first.sound second.sound
check "the positions are the same" cmp first.words second.words
check "the switch was thrown where it should be" \
	cmp -n 1200 first.sound /dev/zero $((4 * (960 + 1440 + 123))) 0
refused "and only there" \
	cmp -n 1204 first.sound /dev/zero $((4 * (960 + 1440 + 123))) 0
finish
