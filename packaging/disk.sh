#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the disk of the guest in which packages are tested: a Debian with DKMS,
# a compiler, alsa-utils, and the headers of the guest's kernel and of its -cloud
# sibling, which has no sound. dpkg knows all of it as installed. Prints the
# file.
#
# usage: disk.sh KERNEL IMAGE	as printed by kernel.sh and image.sh
#
# SUITE=NAME	another suite than this machine's own

set -eu -o pipefail
. "$(dirname "$0")/../qemu/lib.sh"

kernel=$1
image=$2
release=$(cat "$kernel/release")
cloud=${release%-*}-cloud-${release##*-}
arch=$(dpkg --print-architecture)
# shellcheck disable=SC1091	# the machine's
suite=${SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-}")}
disk=$CACHE/disk/$release.ext4
root=$CACHE/disk/$release.root
PATH=$PATH:/usr/sbin:/sbin

[ -n "$suite" ] || die "which suite of Debian this is cannot be told: name one by SUITE="
packages=$("$QEMU/suite.sh" "$suite" "$arch" '?essential' dkms gcc make kmod busybox \
	alsa-utils openssl rsync "linux-headers-$release" "linux-headers-$cloud") || exit 1
lock disk
key="$packages $(cat "$kernel/version") $(fingerprint "$TOP/packaging/disk.sh" \
	"$QEMU/image.sh")"
if [ -f "$disk" ] && [ "$(cat "$disk.key" 2>/dev/null)" = "$key" ]; then
	echo "$disk"
	exit
fi

# What dpkg would have written had it installed them.
register_packages()
{
	local file name info=$root/var/lib/dpkg/info

	mkdir -p "$info" "$root"/var/lib/dpkg/{updates,triggers,alternatives,parts} \
		"$root/var/log"
	while read -r file; do
		file=$CACHE/apt/debs/$file
		dpkg-deb -f "$file" | sed '1a Status: install ok installed'
		echo
		# shellcheck disable=SC2016	# for dpkg-deb
		name=$(dpkg-deb -W --showformat '${Package}' "$file")
		[ "$(dpkg-deb -f "$file" Multi-Arch)" != same ] || name+=:$arch
		: >"$info/$name.list"
	done <"$packages/packages" >"$root/var/lib/dpkg/status"
	: >"$root/var/lib/dpkg/available"
}

# The kernel's own modules, as few as the other guests have.
add_kernel()
{
	local from=${image%.cpio}.root/lib/modules/$release to=$root/lib/modules/$release

	cp -r "$from/kernel" "$to/"
	cp "$from"/modules.{order,builtin,builtin.modinfo} "$to/"
	depmod -b "$root" "$release"
}

rm -rf "$root"
mkdir -p "$CACHE/disk"
# Of files that the disk has to itself only new ones are written.
cp -al "$packages" "$root"
mkdir -p "$root/share"
register_packages
add_kernel
rm -f "$disk.new"
unshare -r mke2fs -q -t ext4 -d "$root" "$disk.new" 1500M >&2
rm -rf "$root"
mv "$disk.new" "$disk"
echo "$key" >"$disk.key"
say "disk: $(relative "$disk"), $(du -h "$disk" | cut -f 1)"
echo "$disk"
