#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the modules for a guest, and with "tests" the core's own tests and
# the programs of userspace-tests/ too, from a copy of the sources: one tree
# per kernel, and the working tree stays as it is. Prints the directory.
#
# usage: build.sh KERNEL [tests]	KERNEL as printed by kernel.sh

set -eu
. "$(dirname "$0")/lib.sh"

kernel=$1
with=${2:-}
release=$(cat "$kernel/release")
kdir=${KDIR:-$(readlink "$kernel/build")}
tree=$CACHE/build/$release
log=$tree.log

lock build
mkdir -p "$tree"

# Objects of another kernel of this name, or of another compiler, are stale;
# make cannot know.
key="$(cat "$kernel/version") $kdir $(${CC:-gcc} --version | head -n 1)"
if [ "$(cat "$tree.key" 2>/dev/null)" != "$key" ]; then
	rm -rf "$tree"
	mkdir -p "$tree"
	echo "$key" >"$tree.key"
fi

# build WHAT COMMAND...: quiet about success
build()
{
	local what=$1

	shift
	"$@" >"$log" 2>&1 && return
	grep -m 10 -E '(: (fatal )?error: |undefined|No rule to make|ERROR: )' "$log" >&2 ||
		tail -n 10 "$log" >&2
	die "cannot build $what (log: $(relative "$log"))"
}

copy_sources "$tree"
build "the modules for $release" make -C "$kdir" M="$tree" \
	CC="${CC:-gcc}" ${with:+PCMBUF_TEST=${PCMBUF_TEST-1}} -j "$(nproc)" modules
# as the driver of somebody else
[ -z "$with" ] || build "the sample driver for $release" make -C "$kdir" \
	M="$tree/driver/sample" KBUILD_EXTRA_SYMBOLS="$tree/Module.symvers" \
	CC="${CC:-gcc}" modules

mkdir -p "$tree/tests"
[ -z "$with" ] || build "the test programs" make -C "$TOP/userspace-tests" \
	O="$tree/tests" -j "$(nproc)"

echo "$tree"
