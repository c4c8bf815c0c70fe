#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The parameters of snd-pcmbuf: how much memory a card may have, and for whom it
# is preallocated. What is limited is refused with a plain error, and nothing
# else suffers.

. "$(dirname "$0")/lib.sh"

RING=8388608	# frames: 32 MiB
SMALL=2097152	# 8 MiB

# with CORE DRIVER COMMAND...: the modules' parameters, for the command
with()
{
	core=$1 driver=$2
	shift 2
	unload_all || return
	# shellcheck disable=SC2086	# parameters, or none
	modprobe snd-pcmbuf $core && modprobe snd-virtual $driver || return
	"$@"
}

# preallocated KIB...: for each player of the device that does so
preallocated()
{
	n=0
	for kib; do
		is=$(cat "$CARD/pcm1p/sub$n/prealloc") || return
		[ "$is" = "$kib" ] ||
			{ echo "substream $n: $is KiB, not $kib"; return 1; }
		n=$((n + 1))
	done
	round_trip 1 S16_LE 2 000 48000 2
}

# fills COUNT FRAMES: as many players have such a ring at once, and all play
fills()
{
	players=
	for n in $(seq 0 $(($1 - 1))); do
		head -c 384000 /dev/zero | aplay -q -D "hw:Virtual,0,$n" -t raw \
			-f S16_LE -r 48000 -c 2 --buffer-size="$2" \
			--period-size=8192 &
		players="$players $!"
	done
	status=0
	for player in $players; do
		wait "$player" || status=1
	done
	return "$status"
}

# some_refused COUNT FRAMES: who is beyond the limit is told so, the rest play
some_refused()
{
	fills "$@" 2>errors && { echo "all have had their ring"; return 1; }
	grep -q "Cannot allocate memory\|Unable to install hw params" errors ||
		{ cat errors; return 1; }
	round_trip 1 S16_LE 2 000 48000 2
}

# set_to NAME VALUE: what the core has for a parameter
set_to()
{
	[ "$(cat "/sys/module/snd_pcmbuf/parameters/$1")" = "$2" ]
}

# too_much KIB HAS: such a preallocation is beyond the limit, and is refused by
# the write, which leaves what there is
too_much()
{
	file=$CARD/pcm1p/sub0/prealloc
	[ "$(cat "${file}_max")" -ge "$1" ] || return
	# a shell's own echo tells no reason
	env echo "$1" 2>errors >"$file" && { echo "it is taken"; return 1; }
	grep -q "Cannot allocate memory" errors || { cat errors; return 1; }
	head -c 8192 /dev/zero | aplay -q --dump-hw-params -D hw:Virtual,1 \
		-t raw -f S16_LE -r 48000 -c 2 2>&1 |
		grep "^BUFFER_BYTES: .* $(($2 * 1024))]" || return
	preallocated "$2"
}

# same_again KIB: what is preallocated already takes no room anew
same_again()
{
	preallocated "$1" && echo "$1" >"$CARD/pcm1p/sub0/prealloc" &&
		preallocated "$1"
}

# large NAME COMMAND...: where addresses have room for so much
large()
{
	case $(uname -m) in
	i?86 | arm*)	skip "$1" "more than there are addresses for" ;;
	*)		check "$@" ;;
	esac
}

# written by nobody: a limit that moves would not be one for what is there
read_only()
{
	for file in /sys/module/snd_pcmbuf/parameters/*; do
		[ "$(stat -c %a "$file")" = 444 ] ||
			{ echo "$file can be written"; return 1; }
	done
}

# loads PARAMETER: of the core
loads()
{
	unload_all && modprobe snd-pcmbuf "$1"
}

cd /tmp || exit 1
expect_log "^snd_pcmbuf: \`[^']*' invalid for parameter "

plan 17
devices="pcm_substreams=8 buffer_kb=32768"
check "a limit of 128 MiB" with "" "" set_to max_alloc_per_card 134217728
check "the parameters are to be read only" with "" "" read_only
large "128 MiB for a card" with "" "$devices" fills 3 $RING
large "and no more" with "" "$devices" some_refused 5 $RING
large "more if it is so set" \
	with max_alloc_per_card=209715200 "$devices" fills 5 $RING
large "no limit" with max_alloc_per_card=0 "$devices" fills 5 $RING
# 4 GiB and room for two: three only if all of it counts
large "more than 32 bits" \
	with max_alloc_per_card=4320133120 "$devices" fills 3 $SMALL
check "room for two" \
	with max_alloc_per_card=25165824 "$devices" fills 2 $SMALL
check "and not for three" \
	with max_alloc_per_card=25165824 "$devices" some_refused 3 $SMALL
check "nor for a preallocation" \
	with max_alloc_per_card=3145728 buffer_kb=4096 too_much 4096 512
check "but for the same again" \
	with max_alloc_per_card=1048576 pcm_substreams=1 same_again 512
check "four substreams have a buffer" \
	with "" pcm_substreams=6 preallocated 512 512 512 512 0 0
check "as many as are wanted" \
	with maximum_substreams=2 pcm_substreams=6 preallocated 512 512 0 0
check "none" with maximum_substreams=0 pcm_substreams=2 preallocated 0 0
check "nobody" with preallocate_dma=0 pcm_substreams=2 preallocated 0 0
refused "a limit that is no number" loads max_alloc_per_card=much
refused "neither yes nor no" loads preallocate_dma=perhaps
unload_all
finish
