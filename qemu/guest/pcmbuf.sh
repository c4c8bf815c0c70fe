#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The core's own tests, which run in the kernel when their file is read, and
# print KTAP themselves.

. "$(dirname "$0")/lib.sh"

file=/sys/kernel/debug/snd-pcmbuf-test

# What the core says to a driver that misuses it, and when memory is short.
expect_log '^platform snd-pcmbuf-test: pcmC[0-9]+D0: the buffer is not from snd-pcmbuf$'
no_memory='^platform snd-pcmbuf-test: pcmC[0-9]+D0'
expect_log "${no_memory}p,0: cannot preallocate (1048576|65536) bytes\$"
expect_log "${no_memory}c,0: cannot preallocate 2097152 bytes\$"

unload()
{
	rmmod snd_pcmbuf_test || bail_out "cannot unload snd-pcmbuf-test"
	rmmod snd_pcmbuf || bail_out "cannot unload snd-pcmbuf"
}

# Who watches the DMA API does not survive that his own memory fails: not where
# he has other tests to watch.
faults=0
if ! [ -e /sys/kernel/debug/dma-api ] || grep -q faults=1 /proc/cmdline; then
	faults=1
	let_all_fail
	expect_log '^DMA-API: cacheline tracking ENOMEM, dma-debug disabled$'
fi
modprobe snd-pcmbuf-test faults=$faults || bail_out "cannot load snd-pcmbuf-test"
cat $file >results || bail_out "cannot read $file"
cat results
for kind in p c; do
	dmesg | grep -q "D0$kind,0: cannot preallocate" ||
		bail_out "nothing is said of memory that is not there"
done
check_kunit snd-pcmbuf
once=$(dmesg | grep -c 'D0: the buffer is not from snd-pcmbuf')
[ "$once" = 1 ] || bail_out "a driver's misuse is told of $once times, not once"
unload

# Without a limit nothing keeps what is absurd from the allocators but the core.
modprobe snd-pcmbuf max_alloc_per_card=0 || bail_out "cannot load snd-pcmbuf"
modprobe snd-pcmbuf-test || bail_out "cannot load snd-pcmbuf-test"
cat $file >unlimited || bail_out "cannot read $file"
grep -q '^not ok' unlimited && {
	grep -B 3 '^not ok' unlimited | sed 's/^/# no limit: /'
	bail_out "not without a limit"
}
check_kunit snd-pcmbuf
unload

grep -q '^not ok' results && exit 1
exit 0
