#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# After all other tests, with every module unloaded: no memory is lost. What has
# changed since the last look is no leak yet, hence more than one.

. "$(dirname "$0")/lib.sh"

file=/sys/kernel/debug/kmemleak

plan 1
if ! [ -e $file ]; then
	skip "no memory is lost" "this kernel does not look for leaks"
	finish
fi
for _ in 1 2 3; do
	sleep 6
	echo scan >$file || bail_out "leaks are not looked for any more"
done
cat $file >leaks
diag "$(grep -c '^unreferenced' leaks) leaks"
diag "$(head -n 60 leaks)"
check "no memory is lost" [ ! -s leaks ]
finish
