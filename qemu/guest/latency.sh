#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The latency of a cable: a recorder hears exactly that many frames later, and
# its delay says so.

. "$(dirname "$0")/lib.sh"

FRAMES=48000	# a second

latency_is()
{
	amixer -q -c Virtual cset "iface=PCM,name=PCM Latency,device=$device" "$1"
}

# what the recorder has to wait for beyond what is there to be read
delay_beyond_avail()
{
	awk '$1 == "delay" { delay = $3 } $1 == "avail" { print delay - $3 }' \
		"$CARD/pcm${device}c/sub0/status"
}

# heard_at: by how many frames the recorder hears the player late, counted from
# the instants at which both have started
heard_at()
{
	arecord -q -D "hw:Virtual,$device" -t raw -f S16_LE -r 48000 -c 2 \
		-s 120000 >capture &
	recorder=$!
	wait_until 5 stream_is "$device" c RUNNING || return
	sleep 0.1
	more=$(delay_beyond_avail)
	aplay -q -D "hw:Virtual,$device" -t raw -f S16_LE -r 48000 -c 2 data &
	wait_until 5 stream_is "$device" p RUNNING || return
	started=$(stat_time p)
	began=$(stat_time c)
	wait "$recorder" || return
	wait
	first=$(cmp capture /dev/zero | sed 's/.*\(char\|byte\) \([0-9]*\),.*/\2/')
	cmp -n $((FRAMES * 4)) capture data $((first - 1)) 0 || return
	# both start on the grid, at whole frames
	echo $(((first - 1) / 4 - (started - began) * 48 / 1000)) "$more"
}

# stat_time p|c: trigger_time in us
stat_time()
{
	sed -n 's/^trigger_time: //p' "$CARD/pcm$device$1/sub0/status" |
		awk '{ printf "%.0f\n", $1 * 1e6 }'
}

later_by()
{
	latency_is "$1" || return
	result=$(heard_at) || { echo "$result"; return 1; }
	[ "$result" = "$1 $1" ] ||
		{ echo "later by, delay more than avail by: $result"; return 1; }
}

# a ring that, with the latency, is more than a card has memory for
plays_with()
{
	latency_is "$1" || return
	timeout 10 arecord -q -D "hw:Virtual,$device" -t raw -f S16_LE -r 48000 \
		-c 2 --buffer-size=8388608 --period-size=8192 -s 480 capture 2>&1
	status=$?
	latency_is 0
	return "$status"
}

plays_without_memory()
{
	said=$(plays_with "$1") && return 1
	echo "$said"
	echo "$said" | grep -q 'Unable to install hw params:$'
}

# charged LATENCY: MiB that a cgroup has for a recorder with a ring of 16 MiB
charged()
{
	latency_is "$1" || return
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$group/client" \
		arecord -q -D "hw:Virtual,$device" -t raw -f S16_LE -r 48000 \
		-c 2 --buffer-size=4194304 --period-size=8192 /dev/null &
	recorder=$!
	wait_until 5 stream_is "$device" c RUNNING
	status=$?
	echo $(($(cat "$group/client/memory.current") >> 20))
	kill "$recorder"
	wait "$recorder"
	latency_is 0
	return "$status"
}

# charges LATENCY LEAST MOST
charges()
{
	mib=$(charged "$1") || { echo "$mib"; return 1; }
	if [ "$mib" -lt "$2" ] || [ "$mib" -gt "$3" ]; then
		echo "$mib MiB, not $2 to $3"
		return 1
	fi
}

has_memory_cgroup()
{
	mkdir -p "$group" && mount -t cgroup2 none "$group" &&
		echo +memory >"$group/cgroup.subtree_control" &&
		mkdir "$group/client"
}

check_charges()
{
	if ! has_memory_cgroup 2>/dev/null; then
		skip "a ring is charged to nobody" "no cgroup has memory here"
		skip "that of a latency to its client" "as before"
	else
		check "a ring is charged to nobody" charges 0 0 8
		check "that of a latency to its client" charges 1 16 24
		rmdir "$group/client"
	fi
	umount "$group" 2>/dev/null
}

cd /tmp || exit 1
group=/tmp/cgroup
{ printf '\377'; head -c $((FRAMES * 4 - 1)) /dev/urandom; } >data

plan 14
for device in 0 1; do
	for latency in 0 1 480 25000 0; do
		check "device $device, $latency frames" later_by $latency
	done
done
device=0
check "the largest ring, without latency" plays_with 0
check "and with one more frame there is no memory" plays_without_memory 1
check_charges
finish
