#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes sure that the tools which build and boot a guest are there: installs
# what is missing by apt when it may, else says which command would.
#
# usage: setup.sh [WORD...]
#
#	style, deb, dkms	adds what make style, deb or dkms needs
#	packages		adds what make check-packages needs
#	debug			adds what make check-debug needs
#	disk			adds what makes a disk
#	ARCH			adds what boots guests of that architecture

set -eu
. "$(dirname "$0")/lib.sh"

# What is looked for, and the package that brings it. (Of perl, the base that is
# always there is not enough for checkpatch.)
needs="
gcc				gcc
make				make
cpio				cpio
rsync				rsync
xz				xz-utils
modinfo				kmod
dash				dash
busybox				busybox-static
qemu-system-x86_64		qemu-system-x86
aplay				alsa-utils
/usr/share/sounds/alsa/Front_Center.wav	alsa-utils
/usr/include/stdio.h		libc6-dev
/usr/include/alsa/asoundlib.h	libasound2-dev
/usr/include/libelf.h		libelf-dev
"
style_needs="
sparse				sparse
shellcheck			shellcheck
clang				clang
corelist			perl
"

deb_needs="
dpkg-buildpackage		dpkg-dev
/usr/share/build-essential/list	build-essential
dh				debhelper
dh_dkms				dh-dkms
lintian				lintian
"
dkms_needs="
dkms				dkms
openssl				openssl
rsync				rsync
"
debug_needs="
flex				flex
bison				bison
bc				bc
/usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring
"
disk_needs="
mke2fs				e2fsprogs
"
packages_needs="
openssl				openssl
/usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring
"

# apt-get is quiet about success and keeps its tale for failure.
apt_get()
{
	local log=$CACHE/apt.log

	mkdir -p "$CACHE"
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" \
		>"$log" 2>&1
}

missing_packages()
{
	local what package

	while read -r what package; do
		[ -n "$what" ] || continue
		[ -e "$what" ] || has "$what" || echo "$package"
	done <<<"$1" | sort -u
}

PATH=$PATH:/usr/sbin:/sbin
n=$'\n'
for word; do
	case $word in
	style)	needs+=$style_needs ;;
	deb)	needs+=$deb_needs ;;
	dkms)	needs=$dkms_needs ;;
	debug)	needs+=$debug_needs ;;
	packages) needs+=$deb_needs$packages_needs$disk_needs ;;
	disk)	needs+=$disk_needs ;;
	amd64)	;;
	i386)	needs+="qemu-system-i386 qemu-system-x86$n" ;;
	arm64)	needs+="qemu-system-aarch64 qemu-system-arm$n" ;;
	armhf)	needs+="qemu-system-arm qemu-system-arm$n" ;;
	ppc64el) needs+="qemu-system-ppc64 qemu-system-ppc$n" ;;
	*)	needs+="qemu-system-$word qemu-system-misc$n" ;;
	esac
done

missing=$(missing_packages "$needs" | paste -s -d ' ')
[ -n "$missing" ] || exit 0

if ! has apt-get; then
	die "missing: $missing; install what your distribution calls these packages of Debian"
fi

as_root=()
if [ "$(id -u)" != 0 ]; then
	as_root=(sudo)
	sudo -n true 2>/dev/null || { [ -t 0 ] && has sudo && sudo true; } ||
		die "missing: $missing; get it by: sudo apt-get install $missing"
fi

say "setup: installing $missing"
# shellcheck disable=SC2086	# a list of words
if ! apt_get install --no-install-recommends $missing; then
	apt_get update || true
	apt_get install --no-install-recommends $missing ||
		die "apt cannot install: $missing; is there a network? (log: $(relative "$CACHE/apt.log"); by hand: apt-get update && apt-get install $missing)"
fi

left=$(missing_packages "$needs" | paste -s -d ' ')
[ -z "$left" ] || die "still missing after apt installed it: $left"
