#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Parameters: what is out of range is refused, with one line in the kernel log
# that names the parameter and the range; the extremes of the ranges work.

. "$(dirname "$0")/lib.sh"

WORDS='vmalloc, vmalloc32, continuous, sg, dma'

# parameter=value, and what the driver says about it
bad="
pcm_substreams=0	out of range 1..128
pcm_substreams=129	out of range 1..128
pcm_substreams=4294967295	out of range 1..128
buffer_kb=63		out of range 64..32768
buffer_kb=32769		out of range 64..32768
prealloc_kb=32769	out of range 0..32768
rate_min=5511		out of range 5512..768000
rate_min=768001		out of range 5512..768000
rate_max=5511		out of range 5512..768000
rate_max=768001		out of range 5512..768000
channels_min=0		out of range 1..256
channels_min=257	out of range 1..256
channels_max=0		out of range 1..256
channels_max=257	out of range 1..256
latency_frames=768001	out of range 0..768000
start_grid_us=10001	out of range 0..10000
pcm_buffers=vmaloc	not one of $WORDS
pcm_clocks=realtme	not one of realtime, client, step, scaled, timer
index=32		larger than 31
"

# what goes with another parameter, and what is then out of range
bad_pairs="
rate_max=48000 rate_min=48001		5512..48000
rate_max=48000 rate_min=96000		5512..48000
channels_max=2 channels_min=3		1..2
"

# What is no number never comes to the driver.
no_number="pcm_substreams=-1 buffer_kb=many rate_min= start_grid_us=1.5"

# loaded and with a card: parameters that must work
good="
pcm_substreams=1
pcm_substreams=128
buffer_kb=64
buffer_kb=32768
prealloc_kb=0
prealloc_kb=32768 buffer_kb=32768
rate_min=5512 rate_max=5512
rate_min=768000 rate_max=768000
channels_min=1 channels_max=1
channels_min=256 channels_max=256
start_grid_us=0
start_grid_us=10000
latency_frames=768000
pcm_buffers=vmalloc,vmalloc32,continuous,sg,dma
"

log_lines()
{
	dmesg | wc -l
}

new_lines()
{
	dmesg | tail -n +$((seen + 1)) | sed 's/^<[0-9]*>//; s/^\[ *[0-9.]*\] //'
}

# is_refused PARAMETERS MESSAGE
is_refused()
{
	seen=$(log_lines)
	# shellcheck disable=SC2086	# one, or two
	if modprobe snd-virtual $1 2>/dev/null; then
		echo "it was loaded"
		rmmod snd_virtual
		return 1
	fi
	[ ! -d /sys/module/snd_virtual ] || { echo "it is still there"; return 1; }
	[ "$(new_lines)" = "$2" ] || { echo "the log says: $(new_lines)"; return 1; }
}

# works PARAMETERS...: the card is there, and plays where aplay's defaults fit
works()
{
	modprobe snd-virtual "$@" || return
	[ -d /proc/asound/Virtual ] || { echo "no card"; return 1; }
	for pair; do
		file=/sys/module/snd_virtual/parameters/${pair%%=*}
		[ "$(cat "$file")" = "${pair#*=}" ] ||
			{ echo "$file says $(cat "$file")"; return 1; }
	done
}

# plays DEVICE OPTIONS...
plays()
{
	device=$1
	shift
	head -c 65536 /dev/zero |
		aplay -q -t raw -f U8 "$@" -D "hw:Virtual,$device"
}

# count FILE...: of those that exist
count()
{
	[ -e "$1" ] || set --
	echo $#
}

unload()
{
	rmmod snd_virtual
}

# modes: of the files of the parameters, each once
modes()
{
	stat -c %a /sys/module/snd_virtual/parameters/* | sort -u
}

# comma N WORD: the word N times
comma()
{
	n=$1
	list=$2
	while [ "$n" -gt 1 ]; do
		list=$list,$2
		n=$((n - 1))
	done
	echo "$list"
}

lines()
{
	echo "$1" | grep -c .
}

# offers DEVICE NAME RANGE: aplay shows first what a device can, and newer ones
# then what was chosen
offers()
{
	found=$(head -c 64 /dev/zero | aplay --dump-hw-params -t raw -f U8 \
		-c 2 -r 48000 -D "hw:Virtual,$1" 2>&1 |
		sed -n "s/^$2: *//p" | head -n 1)
	[ "$found" = "$3" ] || { echo "$found"; return 1; }
}

# preallocated DEVICE KIB
preallocated()
{
	for file in /proc/asound/Virtual/pcm"$1"[pc]/sub0/prealloc; do
		[ "$(cat "$file")" = "$2" ] ||
			{ echo "$file: $(cat "$file")"; return 1; }
	done
}

# latency_is DEVICE FRAMES
latency_is()
{
	amixer -c Virtual cget iface=PCM,name='PCM Latency',device="$1" |
		grep -qx " *: values=$2"
}

# made_by DEVICE FUNCTION: of the core, which has made a recorder's buffer
made_by()
{
	arecord -q -D "hw:Virtual,$1" -t raw -f S16_LE -r 48000 -c 2 /dev/null &
	recorder=$!
	wait_until 5 stream_is "$1" c RUNNING && grep -q " $2+" /proc/vmallocinfo
	status=$?
	kill "$recorder"
	wait "$recorder"
	return "$status"
}

plan $(($(lines "$bad") + $(lines "$bad_pairs") + $(echo "$no_number" | wc -w) + 2 * $(lines "$good") + 49))

# The first load of a module says that it is not the kernel's.
modprobe snd-virtual && rmmod snd_virtual

while read -r pair message; do
	[ -n "$pair" ] || continue
	line="snd-virtual: $pair: $message"
	echo "$line" | sed 's/[.]/\\./g; s/^/^/; s/$/$/' >>"$EXPECTED_LOG"
	check "$pair is refused" is_refused "$pair" "$line"
done <<END
$bad
END

while read -r other pair range; do
	[ -n "$pair" ] || continue
	line="snd-virtual: $pair: out of range $range"
	expect_log "^$line\$"
	check "$other $pair is refused" is_refused "$other $pair" "$line"
done <<END
$bad_pairs
END

line="snd-virtual: pcm_clocks: 3 clocks for 2 PCM devices"
expect_log "^$line\$"
check "more clocks than devices are refused" \
	is_refused "pcm_clocks=client,step,scaled" "$line"

for pair in $no_number; do
	line="snd_virtual: \`${pair#*=}' invalid for parameter \`${pair%%=*}'"
	expect_log "^snd_virtual: .* invalid for parameter \`${pair%%=*}'\$"
	check "$pair is refused" is_refused "$pair" "$line"
done

while read -r parameters; do
	[ -n "$parameters" ] || continue
	# shellcheck disable=SC2086	# a list of words
	check "$parameters" works $parameters
	check "$parameters: unload" unload
done <<END
$good
END

check "32 devices" works pcm_buffers="$(comma 32 vmalloc)"
check "32 devices are there" [ "$(count /proc/asound/Virtual/pcm*p)" = 32 ]
check "the last of 32 devices plays" plays 31
unload
refused "33 devices" modprobe snd-virtual pcm_buffers="$(comma 33 vmalloc)"
expect_log '^pcm_buffers: can only take 32 arguments$'
expect_log '^snd_virtual: .* invalid for parameter .pcm_buffers.$'

check "128 substreams" works pcm_substreams=128
check "128 substreams are there" \
	[ "$(count /proc/asound/Virtual/pcm0p/sub*)" = 128 ]
check "the last of 128 substreams plays" plays 0,127
unload

check "32 cards" modprobe snd-virtual enable="$(comma 32 1)"
check "32 cards are there" [ "$(count /proc/asound/card*/pcm0p)" = 32 ]
check "the last of 32 cards has its number" \
	grep -q 'Virtual 32$' /proc/asound/cards
check "32 cards: unload" unload
check "32 cards are gone" [ "$(count /proc/asound/card*/pcm0p)" = 0 ]

check "index, id and enable" \
	modprobe snd-virtual enable=1,0,1 index=31,99,3 id=First,None,Third
check "the first card is at its index" [ "$(cat /proc/asound/card31/id)" = First ]
check "the third card is at its index" [ "$(cat /proc/asound/card3/id)" = Third ]
check "the second card is not there" [ ! -e /proc/asound/None ]
unload

modprobe snd-virtual
check "parameters are to be read only" [ "$(modes)" = 444 ]
unload

check "no card at all" modprobe snd-virtual enable=0
check "then there is none" [ ! -e /proc/asound/Virtual ]
unload

modprobe snd-sample index=4
expect_log '^snd-virtual snd-virtual\.0: cannot find the slot for index 4 '
# as older kernels put it, and as newer ones do
expect_log '^snd-virtual: probe of snd-virtual\.0 failed with error -16$'
expect_log '^snd-virtual snd-virtual\.0: probe with driver snd-virtual failed with error -16$'
refused "a number of a card that is taken" modprobe snd-virtual index=4
check "nothing is left of the attempt" [ ! -d /sys/module/snd_virtual ]
rmmod snd_sample

# what they are good for, beyond being accepted
modprobe snd-virtual pcm_buffers=vmalloc,continuous,dma rate_min=22050 \
	rate_max=96000 channels_min=2 channels_max=5 buffer_kb=100 \
	prealloc_kb=60 latency_frames=77
for device in 0 1 2; do
	check "device $device: rates" offers $device RATE "[22050 96000]"
	check "device $device: channels" offers $device CHANNELS "[2 5]"
	check "device $device: latency" latency_is $device 77
done
for device in 1 2; do
	check "device $device: preallocation" preallocated $device 60
	check "device $device: buffers" offers $device BUFFER_BYTES "[32 61440]"
done
unload
modprobe snd-virtual pcm_buffers=vmalloc,continuous,dma buffer_kb=100 \
	prealloc_kb=0
for device in 0 1 2; do
	check "device $device: buffers of buffer_kb" \
		offers $device BUFFER_BYTES "[16 102400]"
done
unload
# no more than the page allocator has in one piece, where that is needed
modprobe snd-virtual pcm_buffers=sg,continuous,dma buffer_kb=32768 prealloc_kb=0
check "32 MiB of pages are offered" offers 0 BUFFER_BYTES "[16 33554432]"
for device in 1 2; do
	check "device $device: 4 MiB in one piece" \
		offers $device BUFFER_BYTES "[16 4194304]"
done
unload
modprobe snd-virtual pcm_buffers=sg,continuous
check "nothing is preallocated for sg" preallocated 0 0
check "so that all is offered" offers 0 BUFFER_BYTES "[16 2097152]"
unload
modprobe snd-virtual pcm_buffers=vmalloc,vmalloc32,sg
check "vmalloc is what it says" made_by 0 snd_pcmbuf_vmalloc_alloc
check "vmalloc32 is" made_by 1 snd_pcmbuf_vmalloc_32_alloc
check "sg is" made_by 2 snd_pcmbuf_sg_alloc
unload
modprobe snd-virtual rate_min=48000 rate_max=48000
check "the only rate plays" plays 0 -r 48000
check "and there is no other" offers 0 RATE 48000
unload
check "the only number of channels plays, and there is no other" sh -c '
	modprobe snd-virtual channels_min=6 channels_max=6 &&
	head -c 6000 /dev/zero | aplay -q -t raw -f U8 -c 6 -D hw:Virtual,0 &&
	! head -c 5000 /dev/zero | aplay -q -t raw -f U8 -c 5 \
		-D hw:Virtual,0 2>/dev/null'
unload
finish
