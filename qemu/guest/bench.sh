#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The job of make bench: the same clients on each driver, row by row. What they
# measure goes to /share/results, line by line:
#
#	CASE DRIVER KEY VALUE
#	CASE DRIVER failed WHY		it did not do what was measured
#	CASE DRIVER none WHY		it does not offer it
#
# /share/job says which rows.

# shellcheck disable=SC1091
. /share/job

RESULTS=/share/results
LOG=/share/log
DRIVERS="aloop dummy virtual"

# card DRIVER: its number
card()
{
	case $1 in
	aloop)		echo 0 ;;
	dummy)		echo 1 ;;
	virtual)	echo 2 ;;
	esac
}

# result CASE DRIVER KEY VALUE...
result()
{
	echo "$@" >>$RESULTS
}

# measure CASE DRIVER PROGRAM [KEY=VALUE...]
measure()
{
	name=$1
	driver=$2
	program=$3
	shift 3
	echo "limit 600 $name $driver" >&3
	tap=/tmp/$name.$driver
	/test/"$program" "$(card "$driver")" "$driver" "$@" >"$tap" 2>&1
	status=$?
	{ echo "$name $driver: $program $*"; sed 's/^/	/' "$tap"; } >>$LOG
	sed -n "s/^result /$name $driver /p" "$tap" >>$RESULTS
	why=$(sed -n 's/^ok .* # SKIP //p' "$tap" | head -n 1)
	if [ -n "$why" ]; then
		result "$name" "$driver" none "$why"
	elif [ $status != 0 ]; then
		why=$(sed -n 's/^# \([^ ]*: \)*//p; s/^Bail out! //p' "$tap" |
			head -n 1)
		result "$name" "$driver" failed "${why:-status $status}"
	fi
}

# on_each CASE PROGRAM [KEY=VALUE...]
on_each()
{
	what=$1
	shift
	for d in $DRIVERS; do
		measure "$what" "$d" "$@"
	done
}

row_step()	{ on_each step bench_time what=step; }
row_wakeup()	{ on_each wakeup bench_time what=wakeup; }
row_pair()	{ on_each pair bench_cost runs=5; }
row_pairs()	{ on_each pairs bench_cost runs=5 pairs=8; }
row_rw()	{ on_each rw bench_cost runs=5 client=rw; }
row_rws()	{ on_each rws bench_cost runs=5 client=rw pairs=8; }
row_wide()	{ on_each wide bench_cost runs=5 channels=32 format=S32_LE; }

row_calls()
{
	on_each calls bench_calls
	on_each lone bench_calls recorder=0
}

# An hour for each driver, all at the same time: time is theirs to share
row_rate()
{
	after=0
	for d in $DRIVERS; do
		measure rate "$d" bench_time what=rate after=$after &
		after=$((after + 2))
	done
	wait
}

# The smallest period of which two make a loop, for each driver
row_loop()
{
	for d in $DRIVERS; do
		for period in 16 24 32 48 64 96 128 192 256 384 512 768 1024; do
			measure loop-$period "$d" bench_loop period=$period periods=2
			latency=$(sed -n "s/^loop-$period $d latency //p" $RESULTS)
			[ -z "$latency" ] || break
			! grep -q "^loop-$period $d none" $RESULTS || continue 2
		done
		if [ -n "$latency" ]; then
			result loop "$d" frames "$period"
			result loop "$d" latency "$latency"
		else
			result loop "$d" failed "none of the periods makes a loop"
		fi
	done
}

# Device 1 of snd-virtual is the one whose memory is preallocated.
row_params()
{
	on_each params bench_params
	measure prealloc virtual bench_params device=1
}

# grow CASE KEY VALUES...: one case for each value
grow()
{
	what=$1
	key=$2
	shift 2
	for d in $DRIVERS; do
		for value; do
			set_of=$value
			# A period of 10 ms at any rate
			[ "$key" != rate ] || set_of="$value period=$((value / 100))"
			# shellcheck disable=SC2086	# a list of words
			measure "$what-$value" "$d" bench_cost $key=$set_of
		done
	done
}

row_many()	{ grow many pairs 1 2 4 8 16 32 64 128; }
row_channels()	{ grow channels channels 2 4 8 16 32 64 128 256; }
row_periods()	{ grow periods period 64 128 256 480 1024 4096 16384 48000; }
row_rates()	{ grow rates rate 8000 16000 32000 48000 96000 192000 384000 768000; }

# The same as pair, pairs and rws, but no two clients start together.
row_apart()
{
	on_each pair-apart bench_cost runs=5 apart_us=3700
	on_each pairs-apart bench_cost runs=5 pairs=8 apart_us=3700
	on_each rws-apart bench_cost runs=5 client=rw pairs=8 apart_us=3700
}

# The clock that goes as fast as its clients is chosen when the card is made.
row_hour()
{
	if ! modinfo -F parm snd-virtual | grep -q '^pcm_clocks:'; then
		result hour virtual none "there is no client clock"
		return
	fi
	modprobe -r snd-virtual
	if modprobe snd-virtual index=2 pcm_clocks=client; then
		measure hour virtual bench_hour period=6000
		modprobe -r snd-virtual
	else
		result hour virtual failed "the module refuses pcm_clocks=client"
	fi
	load_virtual
}

load_virtual()
{
	# shellcheck disable=SC2086,SC2154	# a list of words, the job's
	modprobe snd-virtual index=2 pcm_substreams=128 prealloc_kb=2048 \
		$parameters
}

# What would wake up on its own account, now and then, is kept asleep.
echo never >/sys/kernel/mm/transparent_hugepage/enabled
echo 0 >/proc/sys/vm/compaction_proactiveness
echo 3600 >/proc/sys/vm/stat_interval
echo 0 >/proc/sys/kernel/watchdog

modprobe snd-aloop index=0 pcm_substreams=8 || exit 1
modprobe snd-dummy index=1 pcm_substreams=128 hrtimer=1 fake_buffer=0 || exit 1
load_virtual || exit 1

# shellcheck disable=SC2154	# the job's variable
for row in $rows; do
	echo "row $row" >&3
	"row_$row"
done
echo "limit 30 the end" >&3
