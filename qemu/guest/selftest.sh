#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The job that tries the detectors of a debug kernel: commits every bug of
# vsnd-bugs.ko that /share/bugs lists, and sees whether the kernel says what
# stands beside it. News for the host: "ok BUG" or "missed BUG". The kernel ends a
# process that copies too much: what loads modules is not safe after that, so that
# copy has to be the last.

. "$(dirname "$0")/lib.sh"

module=/lib/modules/$(uname -r)/extra/vsnd-bugs.ko

# What the kernel has said since the bug was announced.
said()
{
	dmesg | awk -v mark="vsnd-selftest: $1" \
		'index($0, mark) { n = NR } { line[NR] = $0 }
		END { for (i = n + 1; i <= NR; i++) print line[i] }'
}

# A leak is found by the second look at the earliest.
scan()
{
	[ "$1" = leak ] || return 0
	for _ in 1 2 3; do
		sleep 6
		echo scan >/sys/kernel/debug/kmemleak
	done
}

# whose functions the module calls
modprobe snd-pcm || exit 1
echo 5 >/proc/sys/kernel/hung_task_timeout_secs 2>/dev/null
echo clear 2>/dev/null >/sys/kernel/debug/kmemleak
while read -r bug pattern; do
	echo "limit 120 $bug" >&3
	echo "vsnd-selftest: $bug" >/dev/kmsg
	insmod "$module" bug="$bug" 2>/dev/null
	scan "$bug"
	if said "$bug" | grep -q -E "$pattern"; then
		echo "ok $bug" >&3
	else
		echo "missed $bug" >&3
	fi
done </share/bugs
exit 0
