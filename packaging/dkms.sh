#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make dkms: gives the sources to DKMS and has it build and install the modules
# for every kernel of this machine, with a line for each. "remove" takes all of
# it away again. The logs of DKMS are left in out/dkms/.
#
# usage: dkms.sh [remove]

set -eu
. "$(dirname "$0")/../qemu/lib.sh"

version=$("$TOP/packaging/version.sh")
source=/usr/src/snd-virtual-$version
logs=$OUT/dkms
PATH=$PATH:/usr/sbin:/sbin

known_versions()
{
	dkms status -m snd-virtual | sed -n 's|^snd-virtual/\([^,: ]*\).*|\1|p' | sort -u
}

# Versions side by side would fight for the kernels.
remove()
{
	local known

	for known in $(known_versions); do
		dkms remove -m snd-virtual -v "$known" --all >"$logs/remove.log" 2>&1 ||
			die "dkms cannot remove $known (log: $(relative "$logs/remove.log"))"
		rm -rf "/usr/src/snd-virtual-$known"
		echo "removed snd-virtual $known"
	done
}

add()
{
	rm -rf "$source"
	copy_module_sources "$source"
	sed "s/#MODULE_VERSION#/$version/" "$TOP/packaging/dkms.conf" >"$source/dkms.conf"
	dkms add -m snd-virtual -v "$version" >"$logs/add.log" 2>&1 ||
		die "dkms does not take the sources (log: $(relative "$logs/add.log"))"
}

# why_not RELEASE: why there can be no module for this kernel, or nothing
why_not()
{
	local build=/lib/modules/$1/build

	if [ ! -e "$build/Makefile" ]; then
		echo "no headers: apt-get install linux-headers-$1"
	elif [ -e "$build/.config" ] && ! grep -q '^CONFIG_SND_PCM=' "$build/.config"; then
		echo "this kernel has no sound: CONFIG_SND_PCM is not set"
	fi
}

# build RELEASE: 1 on failure
build()
{
	local log=$logs/$1.log status=0 why file signer

	why=$(why_not "$1")
	if [ -z "$why" ]; then
		dkms install -m snd-virtual -v "$version" -k "$1" >"$log" 2>&1 ||
			status=$?
		[ $status != 77 ] || why="older than Linux 5.10"
	fi
	if [ -n "$why" ]; then
		echo "$1: skipped: $why"
		return
	fi
	file=$(modinfo -k "$1" -n snd-virtual 2>/dev/null) || status=1
	if [ $status != 0 ]; then
		echo "$1: FAILED (logs: $(relative "$log"), /var/lib/dkms/snd-virtual/$version/build/make.log)"
		return 1
	fi
	signer=$(modinfo -F signer "$file")
	signed=${signed:-$signer}
	echo "$1: built and installed, ${signer:+signed by }${signer:-not signed}"
}

# Whether this machine wants signatures, and if so what is left to do.
tell_about_keys()
{
	local state

	state=$(mokutil --sb-state 2>/dev/null || true)
	case $state in
	*"SecureBoot enabled"*) ;;
	*)	! grep -q -F -e '[integrity]' -e '[confidentiality]' \
			/sys/kernel/security/lockdown 2>/dev/null || state=locked
		[ "$state" = locked ] || return 0 ;;
	esac
	if [ -z "$signed" ]; then
		echo "This kernel takes signed modules only: install openssl, then again make dkms."
	elif ! mokutil --test-key /var/lib/dkms/mok.pub 2>/dev/null | grep -q 'already enrolled'; then
		echo "This kernel takes signed modules only. Once: mokutil --import /var/lib/dkms/mok.pub," \
			"reboot, and choose \"Enroll MOK\" (Documentation/install.rst)."
	fi
}

[ "$(id -u)" = 0 ] || die "make dkms writes to /usr/src and /lib/modules: sudo make dkms"
"$QEMU/setup.sh" dkms
if has dpkg-query && dpkg-query -W -f '${Status}' snd-virtual-dkms 2>/dev/null |
   grep -q ' installed$'; then
	die "the package snd-virtual-dkms is installed and does this already: apt-get remove snd-virtual-dkms"
fi
mkdir -p "$logs"
remove
[ "${1:-}" != remove ] || exit 0

add
failed=0
signed=
for kernel in $(find /lib/modules -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort -V); do
	build "$kernel" || failed=1
done
tell_about_keys
exit $failed
