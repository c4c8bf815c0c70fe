#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command inside a root that suite.sh made, without being root: in
# namespaces of its own, with /proc, the machine's /dev, an empty /tmp, and
# this tree at the same place as outside. Only the tree is writable for good.
#
# usage: inside.sh ROOT COMMAND...	which begins at the top of the tree

set -eu
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: inside.sh ROOT COMMAND..."
root=$1
shift
[ -d "$root" ] || die "$root: no such directory"
unshare -r -m -p -f true 2>/dev/null ||
	die "no user namespaces for this user here: run it as root, or allow them (sysctl kernel.unprivileged_userns_clone=1)"

export root
# shellcheck disable=SC2016	# for the shell inside
exec unshare -r -m -p -f --kill-child bash -c '
	set -e
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs tmp "$root/tmp"
	mkdir -p "$root$TOP"
	mount --rbind "$TOP" "$root$TOP"
	# The shell stays, to be the one that orphans come to.
	chroot "$root" /usr/bin/env -C "$TOP" \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp "$@" || exit
	exit 0' inside "$@"
