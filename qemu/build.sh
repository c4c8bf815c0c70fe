#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the modules for a guest, and with "tests" the core's own tests and
# the programs of userspace-tests/ too, from a copy of the sources: one tree
# per kernel, and the working tree stays as it is. Prints the directory.
#
# A kernel with a compiler of its own (lane.sh) has everything built by that,
# with W=1; how many warnings it had is in TREE.warnings.
#
# With COVERAGE=1 the modules count what is executed, for coverage.sh, and what
# other debugging adds to them is left out.
#
# usage: build.sh KERNEL [tests]	KERNEL as printed by kernel.sh or lane.sh

set -eu
. "$(dirname "$0")/lib.sh"

kernel=$1
with=${2:-}
release=$(cat "$kernel/release")
kdir=${KDIR:-$(realpath "$kernel/build")}
tree=$CACHE/build/${kernel##*/}${COVERAGE:+.coverage}
log=$tree.log

inside=()
cc=${CC:-gcc}
user_cc=gcc
# What is counted are the branches that the sources have, once each.
kbuild=(${COVERAGE:+GCOV_PROFILE=y KASAN_SANITIZE=n UBSAN_SANITIZE=n
	KCFLAGS="-D__NO_FORTIFY -fno-early-inlining"})
if [ -d "$kernel/compiler" ]; then
	inside=("$QEMU/inside.sh" "$(readlink "$kernel/compiler")")
	cc=$(cat "$kernel/gcc")
	user_cc="$(cat "$kernel/user_gcc") --sysroot=$(readlink "$kernel/user")"
	read -r -a kbuild <"$kernel/kbuild"
	kbuild+=(W=1)
fi

lock "build.${kernel##*/}"
mkdir -p "$tree"

# Objects of another kernel of this name, or of another compiler, are stale;
# make cannot know.
key="$(cat "$kernel/version") $kdir ${kbuild[*]} $("${inside[@]}" "$cc" --version | head -n 1)"
if [ "$(cat "$tree.key" 2>/dev/null)" != "$key" ]; then
	rm -rf "$tree" "$tree.sources"
	mkdir -p "$tree"
	echo "$key" >"$tree.key"
fi

# build WHAT COMMAND...: quiet about success
build()
{
	local what=$1

	shift
	"$@" >>"$log" 2>&1 && return
	grep -m 10 -E '(: (fatal )?error: |undefined|No rule to make|ERROR: )' "$log" >&2 ||
		tail -n 10 "$log" >&2
	die "cannot build $what (log: $(relative "$log"))"
}

# make_modules M [VARIABLE...]
make_modules()
{
	local tree=$1

	shift
	"${inside[@]}" make -C "$kdir" M="$tree" "${kbuild[@]}" CC="$cc" "$@" \
		-j "$(nproc)" modules
}

build_modules()
{
	: >"$log"
	build "the modules for $release" make_modules "$tree" \
		${with:+PCMBUF_TEST=${PCMBUF_TEST-1}}
	# as the driver of somebody else
	[ -z "$with" ] || build "the sample driver for $release" make_modules \
		"$tree/driver/sample" KBUILD_EXTRA_SYMBOLS="$tree/Module.symvers"
}

# Warnings are of files that are compiled: where they count, all are, or none.
copy_sources "$tree"
sources=$(cd "$tree" && find Kbuild core driver -name Kbuild -o -name '*.[chS]' ! -name '*.mod.c' |
	sort | xargs sha256sum | sha256sum)$with
if [ ${#inside[@]} = 0 ]; then
	build_modules
elif [ "$(cat "$tree.sources" 2>/dev/null)" != "$sources" ]; then
	find "$tree" -name '*.o' -delete
	rm -f "$tree.sources"
	build_modules
	grep -c -E "(^$tree/|^[a-z].*\.[chS]:).*warning: |^(WARNING|ERROR): " \
		"$log" >"$tree.warnings" || true
	echo "$sources" >"$tree.sources"
fi

# Kernels of one suite share the test programs.
if [ -n "$with" ] && [ ${#inside[@]} != 0 ]; then
	tests=$CACHE/build/tests.$(readlink "$kernel/user" "$kernel/compiler" |
		sed 's|.*-||' | paste -s -d '-')
	lock "${tests##*/}"
	rm -rf "$tree/tests"
	ln -s "$tests" "$tree/tests"
else
	tests=$tree/tests
fi
log=$tree.tests.log
: >"$log"
mkdir -p "$tests"
# What was built of a source that is gone would be run as if it were there.
for file in "$tests"/*; do
	name=${file##*/}
	[ -e "$TOP/userspace-tests/${name%.o}.c" ] || rm -f "$file"
done
[ -z "$with" ] || build "the test programs" "${inside[@]}" make \
	-C "$TOP/userspace-tests" O="$tests" CC="$user_cc" -j "$(nproc)"

echo "$tree"
