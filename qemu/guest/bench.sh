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
	echo "limit 300 $name $driver" >&3
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

row_pair()	{ on_each pair bench_cost; }
row_pairs()	{ on_each pairs bench_cost pairs=8; }
row_rw()	{ on_each rw bench_cost client=rw; }
row_rws()	{ on_each rws bench_cost client=rw pairs=8; }
row_wide()	{ on_each wide bench_cost channels=32 format=S32_LE; }

modprobe snd-aloop index=0 pcm_substreams=8 || exit 1
modprobe snd-dummy index=1 pcm_substreams=128 hrtimer=1 fake_buffer=0 || exit 1
# shellcheck disable=SC2086	# a list of words
modprobe snd-virtual index=2 pcm_substreams=128 prealloc_kb=2048 \
	$parameters || exit 1

# shellcheck disable=SC2154	# the job's variable
for row in $rows; do
	echo "row $row" >&3
	row_"$row"
done
echo "limit 30 the end" >&3
