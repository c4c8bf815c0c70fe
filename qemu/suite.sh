#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a root directory of packages of any suite and architecture, with all
# that they depend on, and prints it. Nothing is installed on this machine, and
# no root is needed: packages are unpacked, their scripts are not run. A root
# with a shell is entered by inside.sh.
#
# usage: suite.sh [--only] SUITE ARCH PACKAGE...
#
#	--only	these packages alone, without what they depend on
#	PACKAGE	as apt-get install takes it: '?essential' brings the base
#		system, PACKAGE=VERSION a version
#	MIRROR	"URL [URL of security]", instead of the machine's own
#
# A root is named by the exact versions in it: newer ones make a new root.

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"
. "$QEMU/apt.sh"

fetch=apt_fetch
if [ "${1:-}" = --only ]; then
	fetch=apt_fetch_only
	shift
fi
[ $# -ge 3 ] || die "usage: suite.sh [--only] SUITE ARCH PACKAGE..."
suite=$1
arch=$2
shift 2

# skeleton DIR: what packages of merged-/usr suites expect to be there
skeleton()
{
	local name

	mkdir -p "$1"/{proc,sys,dev,tmp,run,root,etc,var/lib/dpkg}
	for name in bin sbin lib lib32 lib64 libx32; do
		mkdir -p "$1/usr/$name"
		ln -s "usr/$name" "$1/$name"
	done
	chmod 1777 "$1/tmp"
}

# unpack DIR FILE...: several at once
unpack()
{
	local dir=$1

	shift
	export dir
	# shellcheck disable=SC2016	# for the inner shell
	printf '%s\n' "$@" | xargs -r -n 1 -P "$(nproc)" bash -c '
		set -o pipefail
		dpkg-deb --fsys-tarfile "$1" |
			tar -x -C "$dir" --no-same-owner --keep-directory-symlink' -
}

# What the packages' scripts would have done that is missed
complete()
{
	local link name

	for name in passwd group; do
		[ -e "$1/etc/$name" ] || cp "$1/usr/share/base-passwd/$name.master" \
			"$1/etc/$name" 2>/dev/null || true
	done
	for link in awk:mawk which:which.debianutils fakeroot:fakeroot-sysv; do
		name=$1/usr/bin/${link%:*}
		[ -e "$name" ] || [ ! -e "$1/usr/bin/${link#*:}" ] ||
			ln -sf "${link#*:}" "$name"
	done
	[ -e "$1/etc/ld.so.conf" ] ||
		echo "include /etc/ld.so.conf.d/*.conf" >"$1/etc/ld.so.conf"
	PATH=$PATH:/usr/sbin:/sbin ldconfig -r "$1" 2>/dev/null || true
}

apt_open "$suite" "$arch"
files=$($fetch "$@")
mapfile -t files <<<"$files"
key=$( (printf '%s\n' "${files[@]##*/}" | sort; cat "$QEMU/suite.sh") |
	sha256sum | cut -c 1-12)
root=$CACHE/suite/$suite-$arch-$key

mkdir -p "$CACHE/suite"
exec 7>"$root.lock"
flock 7
if [ ! -d "$root" ]; then
	rm -rf "$root.new"
	skeleton "$root.new"
	unpack "$root.new" "${files[@]}" ||
		die "cannot unpack packages of $suite $arch into $(relative "$root")"
	printf '%s\n' "${files[@]##*/}" | sort >"$root.new/packages"
	complete "$root.new"
	mv "$root.new" "$root"
	say "apt: unpacked ${#files[@]} packages of $suite $arch, $(du -sh "$root" | cut -f 1), into $(relative "$root")"
fi
echo "$root"
