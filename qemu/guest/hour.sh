#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# aplay plays a file of an hour, or of this run's share of it, on the client
# clock, and arecord hears it, byte for byte, in seconds.

. "$(dirname "$0")/lib.sh"

MINUTES=$(share 60)
FRAMES=$((MINUTES * 60 * 8000))
SECONDS_MAX=60
format="-t raw -f U8 -r 8000 -c 1 -D hw:Virtual,0"

uptime_s()
{
	cut -d . -f 1 /proc/uptime
}

# The player opens first, and waits for its file.
play()
{
	mkfifo pipe
	# shellcheck disable=SC2086	# a list of words
	aplay -q $format pipe &
	player=$!
	wait_until 5 stream_is 0 p state || return
	# shellcheck disable=SC2086
	arecord -q $format -s $((FRAMES + 8000)) capture &
	recorder=$!
	wait_until 5 stream_is 0 c RUNNING || return
	cat data >pipe
	wait "$player" && wait "$recorder"
}

cd /tmp || exit 1
seq 1 4500000 | head -c $FRAMES >data
amixer -q -c Virtual cset "iface=PCM,name='PCM Clock',device=0" client

plan 3
before=$(uptime_s)
check "$MINUTES minutes are played and heard" play
took=$(($(uptime_s) - before))
diag "in $took s"
check "in $SECONDS_MAX s at most" [ $took -le $SECONDS_MAX ]
check "byte for byte" cmp -n $FRAMES capture data
finish
