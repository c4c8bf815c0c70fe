#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a debug kernel from the distribution's source package, once, and
# prints the directory that describes it as kernel.sh does. What is kept is the
# image, the modules, and what it takes to build other modules; sources and
# objects go when they are no longer needed.
#
# usage: debug-kernel.sh VERSION PURPOSE	e.g. 6.12 memory
#
#	PURPOSE	a name in qemu/debug/: PURPOSE.config is added to base.config

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"
. "$QEMU/apt.sh"

version=$1
purpose=$2
package=linux-source-$version
name=$version-$purpose
dir=$CACHE/debug/$name
new=$dir.new
log=$dir.log
CC=${CC:-gcc}

# The suite that brings a version as its own.
case $version in
5.10)	suite=bullseye ;;
6.1)	suite=bookworm ;;
6.12)	suite=trixie ;;
*)	suite=sid ;;
esac

# run WHAT COMMAND...: quiet about success
run()
{
	local what=$1

	shift
	"$@" >>"$log" 2>&1 && return
	grep -m 5 -E '(: (fatal )?error: |No rule to make|: not found)' "$log" >&2 ||
		tail -n 5 "$log" >&2
	die "cannot $what $name (log: $(relative "$log"))"
}

build_make()
{
	make -s -C "$new/source" O="$new/objects" CC="$CC" "$@"
}

unpack_source()
{
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		xz -dc -T 0 | tar -x -C "$new/source" --strip-components=1
}

# Every symbol that is asked for must have taken: one that a version has renamed
# would be missed by nobody.
configure()
{
	local line missing=

	cat "$QEMU/debug/base.config" "$QEMU/debug/$purpose.config" >"$new/config"
	run configure build_make KCONFIG_ALLCONFIG="$new/config" allnoconfig
	while read -r line; do
		grep -q -x -F "$line" "$new/objects/.config" || missing+=" $line"
	done < <(grep '^CONFIG_' "$new/config")
	[ -z "$missing" ] || die "$name cannot have:$missing"
}

# The paths in what is kept must be those it will have: hence in two steps.
keep()
{
	local release

	release=$(cat "$new/objects/include/config/kernel.release")
	run install build_make INSTALL_MOD_PATH="$new/kept" INSTALL_MOD_STRIP=1 \
		modules_install
	# shellcheck disable=SC2016	# make fills it in
	run pack build_make run-command \
		KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build '"$new/kept/build"
	cp "$new/objects/arch/x86/boot/bzImage" "$new/kept/vmlinuz"
	cp "$new/objects/System.map" "$new/kept/"
	mv "$new/kept/lib/modules/$release" "$new/kept/modules"
	rm -f "$new/kept/modules/build"
	echo "$release" >"$new/kept/release"
	: >"$new/kept/no-acpi"
	echo "$key $dir" >"$new/kept/version"
}

lock "debug-$name"
apt_open "$suite" amd64
source_version=$(apt_field Version "$package")
[ -n "$source_version" ] || die "$suite has no $package"
key=$source_version-$(cat "$QEMU/debug/base.config" "$QEMU/debug/$purpose.config" \
	"$0" <($CC --version) | sha256sum | cut -c 1-16)
if [ "$(cat "$dir/version" 2>/dev/null)" = "$key $dir" ]; then
	echo "$dir"
	exit
fi

# What was cut off goes on where it was.
if [ "$(cat "$new/key" 2>/dev/null)" != "$key" ]; then
	say "debug kernel $name: unpacking $package ($source_version)"
	rm -rf "$new" "$log"
	mkdir -p "$new/source" "$new/objects"
	deb=$(apt_fetch_only "$package")
	unpack_source "$deb"
	configure
	echo "$key" >"$new/key"
fi
rm -rf "$new/kept"
say "debug kernel $name: building, some 10 minutes of a processor"
run build build_make -j "$(nproc)" bzImage modules
keep
rm -rf "$dir"
mv "$new/kept" "$dir"
rm -rf "$new"
say "debug kernel $name: $(du -sh "$dir" | cut -f 1) in $(relative "$dir")"
echo "$dir"
