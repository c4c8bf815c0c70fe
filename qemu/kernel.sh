#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Finds the kernel of the guest, fetches it when the cache has none of that
# version, and prints the directory that describes it:
#
#	release		what uname -r will say	vmlinuz		to boot
#	version		changes when the rest does	modules		/lib/modules/RELEASE
#	build		to compile modules against
#
# By default it is the newest kernel that apt knows. It is unpacked, never
# installed. From the environment:
#
#	KVER=RELEASE	another release, from its package or as installed
#	KERNEL=FILE	an image; its modules as installed, or those of KDIR
#	KDIR=DIR	a build directory; a tree that was built in full brings
#			the image and the modules too

set -eu
. "$(dirname "$0")/lib.sh"
. "$QEMU/packages.sh"

APT=(-q -y -o APT::Sandbox::User=root -o Acquire::Retries=1
     -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
METAPACKAGE=linux-image-$(dpkg --print-architecture 2>/dev/null || echo amd64)

# field FIELD PACKAGE: of the candidate version, empty when apt has none
field()
{
	apt-cache show --no-all-versions "$2" 2>/dev/null |
		sed -n "s/^$1: //p" | head -n 1
}

update_lists()
{
	local as_root=()

	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	say "kernel: asking apt for newer lists"
	"${as_root[@]}" apt-get "${APT[@]}" update >"$CACHE/apt.log" 2>&1
}

# what the metapackage stands for, e.g. 6.1.0-56-amd64
newest_release()
{
	field Depends "$METAPACKAGE" | sed -n 's/^linux-image-\([^ ,]*\).*/\1/p'
}

# fetch RELEASE VERSION: by the machine's apt
fetch()
{
	local release=$1 new=$KERNELS/$1.debs packages

	packages=$(packages_of "$release")
	say "kernel: fetching $release ($2)"
	rm -rf "$new"
	mkdir -p "$new"
	# shellcheck disable=SC2086	# a list of words
	(cd "$new" && apt-get "${APT[@]}" download $packages) \
		>"$CACHE/apt.log" 2>&1 || return 1
	unpack_kernel "$release" "$2" "$new"/*.deb || return 1
	rm -rf "$new"
}

newest_cached()
{
	local dir

	for dir in "$KERNELS"/*/; do
		dir=${dir%/}
		is_cached "${dir##*/}" && echo "${dir##*/}"
	done | sort -V | tail -n 1
}

# what apt offers, or the cache when apt offers nothing
packaged()
{
	local release=${KVER:-} version

	[ -n "$release" ] || release=$(newest_release)
	if [ -z "$release" ]; then
		update_lists || true
		release=$(newest_release)
	fi
	version=$(field Version "linux-image-${release:-none}")

	if [ -n "$version" ]; then
		if is_cached "$release" "$version" ||
		   fetch "$release" "$version" ||
		   { update_lists && packaged_again "$release"; }; then
			echo "$KERNELS/$release"
			return
		fi
	fi
	cached_instead "$release"
}

# The version may have changed with the lists.
packaged_again()
{
	fetch "$1" "$(field Version "linux-image-$1")"
}

cached_instead()
{
	local release=$1

	[ -n "${KVER:-}" ] || release=$(newest_cached)
	if [ -n "$release" ] && is_cached "$release"; then
		say "kernel: apt cannot fetch one now, using $release from the cache"
		echo "$KERNELS/$release"
		return
	fi
	if [ -n "${KVER:-}" ] && [ -n "$(newest_release)" ] &&
	   [ -z "$(field Version "linux-image-$KVER")" ]; then
		die "apt has no kernel $KVER; it has $(newest_release)"
	fi
	die "cannot fetch ${1:-$METAPACKAGE}, the guest's kernel, by apt: is there a network? (log: $(relative "$CACHE/apt.log"); by hand: apt-get update; or name one you have: KERNEL=vmlinuz KDIR=dir)"
}

# The release stands in the header of an x86 image.
release_of_image()
{
	local at

	[ "$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null)" = HdrS ] ||
		die "$1: not an x86 kernel image: say which release it is by KVER="
	at=$(od -An -tu2 -j526 -N2 "$1")
	dd if="$1" bs=1 skip=$((at + 512)) count=100 2>/dev/null |
		tr '\0' '\n' | head -n 1 | cut -d ' ' -f 1
}

# an image and modules that somebody else put there
local_kernel()
{
	local image=$1 release=$2 dir=$KERNELS/local-$2

	image=$(realpath -e "$image" 2>/dev/null) ||
		die "KERNEL=$1: no such file"
	[ -n "$release" ] || release=$(release_of_image "$image")
	dir=$KERNELS/local-$release
	rm -rf "$dir"
	describe "$dir" "$release" \
		"$(fingerprint "$image") ${KDIR:-}" "$image" \
		"${image%/boot/*}/lib/modules/$release /lib/modules/$release ${KDIR:-}" \
		"${KDIR:-/lib/modules/$release/build $KERNELS/$release/build}"
	echo "$dir"
}

lock kernels
mkdir -p "$KERNELS"

if [ -n "${KDIR:-}" ]; then
	[ -d "$KDIR" ] || die "KDIR=$KDIR: no such directory"
	KDIR=$(realpath "$KDIR")
	built=$KDIR/arch/x86/boot/bzImage
	[ -n "${KERNEL:-}" ] || [ ! -f "$built" ] || KERNEL=$built
	[ -n "${KVER:-}" ] || KVER=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		"$KDIR/include/generated/utsrelease.h" 2>/dev/null) ||
		die "KDIR=$KDIR: not the build directory of a kernel"
fi

if [ -n "${KERNEL:-}" ]; then
	local_kernel "$KERNEL" "${KVER:-}"
elif [ -n "${KVER:-}" ] && ! is_cached "$KVER" &&
     [ -z "$(field Version "linux-image-$KVER")" ] &&
     [ -f "/boot/vmlinuz-$KVER" ]; then
	local_kernel "/boot/vmlinuz-$KVER" "$KVER"
else
	has apt-get || die "no apt here to fetch a kernel: name one by KERNEL=vmlinuz KDIR=dir"
	packaged
fi
