#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prepares a kernel of lanes.list: fetches it, the compiler of its suite and a
# user space of its architecture, and prints the directory that describes all
# of it, as kernel.sh does. It has besides what kernel.sh writes:
#
#	arch		of the kernel, as Debian calls it
#	kbuild		what make needs to be told
#	compiler	a root to build in
#	gcc		the name of its compiler for the kernel
#	user_gcc	and for the tests
#	multiarch	the folder of its libraries
#	user		a root of the guest's programs, and of what these are built with
#
# usage: lane.sh LANE

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"
. "$QEMU/apt.sh"
. "$QEMU/packages.sh"

lane=$1
read -r _ suite package _ < <(grep -E "^${lane//./\\.}[[:space:]]" "$QEMU/lanes.list") ||
	die "$lane: not in qemu/lanes.list"
arch=amd64
version=${lane#*:}
[ "$version" = "$lane" ] || arch=${lane%:*}
version=${version%%-*}
user_arch=${arch#*/}
arch=${arch%/*}

field()
{
	apt_field "$@"
}

# triplet ARCH: as its compilers call it
triplet()
{
	case $1 in
	amd64)	echo x86_64-linux-gnu ;;
	i386)	echo i686-linux-gnu ;;
	arm64)	echo aarch64-linux-gnu ;;
	armhf)	echo arm-linux-gnueabihf ;;
	ppc64el) echo powerpc64le-linux-gnu ;;
	*)	echo "$1-linux-gnu" ;;
	esac
}

# kbuild_arch ARCH: as the kernel calls it
kbuild_arch()
{
	case $1 in
	amd64 | i386) echo x86 ;;
	armhf)	echo arm ;;
	riscv64) echo riscv ;;
	s390x)	echo s390 ;;
	ppc64el) echo powerpc ;;
	*)	echo "$1" ;;
	esac
}

# The metapackage names the release, or a package that has it.
resolve_release()
{
	local release

	release=$(field Depends "$package" |
		sed -n 's/^\(.*, *\)\?linux-image-\([^ ,]*\).*/\2/p')
	case $release in
	'')	die "$suite $arch has no $package" ;;
	"$version".* | "$version"[-+~]*) echo "$release" ;;
	*)	die "$lane: $suite has $release now, not $version: change qemu/lanes.list" ;;
	esac
}

# The programs of kbuild run on this machine: they come from its index, in the
# same version; all else from that of the kernel's architecture.
fetch_kernel()
{
	local p names kbuild='' others='' files

	names=$(packages_of "$release")
	for p in $names; do
		case $p in
		linux-kbuild-*)	kbuild+=" $p=$(field Version "$p")" ;;
		*)		others+=" $p" ;;
		esac
	done
	# shellcheck disable=SC2086	# lists of words
	files=$(apt_fetch_only $others) || exit 1
	apt_open "$suite" amd64
	# shellcheck disable=SC2086
	files+=" $(apt_fetch_only $kbuild)" || exit 1
	apt_open "$suite" "$arch"
	# shellcheck disable=SC2086
	unpack_kernel "$release" "$image_version" $files ||
		die "cannot unpack the kernel $release"
}

# All that follows comes from the lists and from the scripts.
dir=$CACHE/lanes/${lane//[\/:]/-}
lists=
for a in $user_arch amd64 $arch; do
	apt_open "$suite" "$a"
	lists+=" $(stat -c %Y "$apt_dir/updated" 2>/dev/null || echo 0)"
done
key="$CACHE $lists ${MIRROR:-} $(cat "$QEMU"/{apt,packages,suite,lane}.sh "$QEMU/lanes.list" | sha256sum)"
if [ "$(cat "$dir/key" 2>/dev/null)" = "$key" ] && [ -d "$dir/compiler" ] &&
   [ -d "$dir/user" ] && [ -e "$dir/vmlinuz" ] && [ -d "$dir/build" ]; then
	echo "$dir"
	exit
fi

release=$(resolve_release)
image_version=$(field Version "linux-image-$release")
[ -n "$image_version" ] || die "$suite $arch has no linux-image-$release"
kbuild=$(packages_of "$release" | tr ' ' '\n' | grep '^linux-kbuild-' | head -n 1)
gcc=$(field Depends "linux-headers-$release" | grep -o 'gcc-[0-9]*' | head -n 1)
exec 4>"$KERNELS.$release.lock"
flock 4
is_cached "$release" "$image_version" || fetch_kernel
flock -u 4

cross=$(triplet "$arch")
user_cross=$(triplet "$user_arch")
compilers="$gcc-${cross//_/-}"
[ "$arch" = amd64 ] && compilers=$gcc
[ "$user_cross" = "$cross" ] || compilers+=" $gcc-${user_cross//_/-}"
# With W=1 kbuild looks at comments too, by perl or python.
# shellcheck disable=SC2086	# a list of words
compiler=$("$QEMU/suite.sh" "$suite" amd64 '?essential' make gcc perl python3 "$kbuild" $compilers)
user=$("$QEMU/suite.sh" "$suite" "$user_arch" \
	alsa-utils busybox-static dash diffutils kmod libasound2-dev libc6-dev)

kernel=$KERNELS/$release
rm -rf "$dir"
describe "$dir" "$release" "$image_version $compiler $user" \
	"$(readlink "$kernel/vmlinuz")" "$(readlink "$kernel/modules")" \
	"$(readlink "$kernel/build")"
echo "$arch" >"$dir/arch"
echo "$cross-$gcc" >"$dir/gcc"
echo "$user_cross-$gcc" >"$dir/user_gcc"
echo "${user_cross/#i686/i386}" >"$dir/multiarch"
# Of the kernel's configuration, what needs pahole is left out.
echo "ARCH=$(kbuild_arch "$arch") CROSS_COMPILE=$cross- CONFIG_DEBUG_INFO_BTF_MODULES=" \
	>"$dir/kbuild"
ln -s "$compiler" "$dir/compiler"
ln -s "$user" "$dir/user"
echo "$key" >"$dir/key"
echo "$dir"
