#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A job of make check-packages: the kernel was told to take signed modules only.
# /share/signed has them signed by a key that it does not know. Results are for
# the host.

. "$(dirname "$0")/lib.sh"

extra=/lib/modules/$(uname -r)/extra

# says WORDS COMMAND...: it fails, and says why
says()
{
	words=$1
	shift
	if "$@" >out 2>&1; then
		echo "it was accepted"
		return 1
	fi
	cat out
	grep -q "$words" out
}

results()
{
	plan 5
	check "the kernel's own modules load" modprobe -a snd-pcm snd-hrtimer
	check "one without a signature is refused" \
		says 'Key was rejected\|Operation not permitted' insmod "$extra/snd-pcmbuf.ko"
	check "one signed by an unknown key is refused" \
		says 'Key was rejected\|Operation not permitted\|Required key not available' \
		insmod /share/signed/snd-pcmbuf.ko
	check "modprobe says so in one line" [ "$(modprobe snd-virtual 2>&1 | wc -l)" = 1 ]
	check "no trace of them is left" [ ! -e /sys/module/snd_pcmbuf ]
	dmesg | grep -i -E 'lockdown:|rejected' | sed 's/^\[[ 0-9.]*\] /# /' | sort -u
	finish
}

results >&3
