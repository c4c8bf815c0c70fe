#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154	# the job's variables
#
# The job of make run: aplay plays, arecord captures, on each PCM device.
# /share/job says what, /share/device-N what came of it.

# shellcheck disable=SC1091,SC2154	# written by the host
. /share/job

CARD=/proc/asound/Virtual

# now: seconds since boot, with two digits
now()
{
	cut -d ' ' -f 1 /proc/uptime
}

minus()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'
}

# wait_for_state DEVICE STATE: of its capture, 5 s at most
wait_for_state()
{
	tries=100
	until grep -q "state: $2" "$CARD/pcm${1}c/sub0/status"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# play_device DEVICE BUFFER
play_device()
{
	arecord -D "hw:Virtual,$1" -t raw -f "$format" -r "$rate" \
		-c "$channels" >"$dir/capture-$1.raw" 2>"/tmp/arecord-$1.log" &
	recorder=$!
	wait_for_state "$1" RUNNING
	sleep 0.2

	begin=$(now)
	aplay -D "hw:Virtual,$1" $dir/recording.wav >"/tmp/aplay-$1.log" 2>&1
	played=$?
	end=$(now)

	# arecord hands on whole periods: the last one must come.
	sleep 0.5
	kill -INT $recorder
	wait $recorder
	captured=$?
	# 1 is how arecord ends on a signal.
	[ $captured != 1 ] || ! grep -q 'Aborted by signal' "/tmp/arecord-$1.log" ||
		captured=0

	[ $dir = /share ] || mv "$dir/capture-$1.raw" /share/
	cp "/tmp/aplay-$1.log" "/tmp/arecord-$1.log" /share/
	cat >"/share/device-$1" <<-END
	buffer=$2
	status=$played $captured
	xruns=$(cat "/tmp/aplay-$1.log" "/tmp/arecord-$1.log" |
		grep -c -E '(under|over)run!!!')
	time=$(minus "$end" "$begin")
	END
}

echo "limit 60 loading the modules" >&3
modprobe snd-virtual || exit 1
echo "booted, the card is there: $(sed -n '2s/^ *//p' /proc/asound/cards)" >&3

size=$(($(stat -c %s /share/recording.wav) / 1024))
dir=/share
if [ "$place" = memory ]; then
	echo "limit $((60 + size / 10240)) copying the recording" >&3
	cp /share/recording.wav /tmp/ || exit 1
	dir=/tmp
fi

device=0
for buffer in $(tr ',' ' ' </sys/module/snd_virtual/parameters/pcm_buffers); do
	echo "limit $((60 + seconds * 4 + size / 5120)) playing on hw:Virtual,$device" >&3
	echo "playing $seconds s on hw:Virtual,$device ($buffer)" >&3
	play_device $device "$buffer"
	device=$((device + 1))
done

echo "limit 30 unloading" >&3
modprobe -r snd-virtual
