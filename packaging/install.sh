#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What make install does besides kbuild and depmod.
#
# usage: install.sh sign KDIR MODULE...	by $SIGN_KEY and $SIGN_CERT, else by the
#					key of DKMS, if there is one
#	 install.sh files ROOT		what goes with the modules; ROOT may be ""
#	 install.sh remove ROOT		takes that away again
#
# A file of parameters that somebody has changed stays, and so does what belongs
# to a package.

set -eu
. "$(dirname "$0")/../qemu/lib.sh"

here=$TOP/packaging
DKMS_KEYS=/var/lib/dkms
# what, where, mode
FILES="alsa-card.conf	/usr/share/alsa/cards/snd-virtual.conf	644
modprobe.conf	/etc/modprobe.d/snd-virtual.conf	644
vsndctl		/usr/local/bin/vsndctl			755
vsndctl.1	/usr/local/share/man/man1/vsndctl.1	644
snd-virtual.4	/usr/local/share/man/man4/snd-virtual.4	644"

# A second signature would be valid too, but is of no use.
is_signed()
{
	tail -c 28 "$1" | grep -a -q '^~Module signature appended~$'
}

sign()
{
	local kdir=$1 key=${SIGN_KEY:-} cert=${SIGN_CERT:-} hash module

	shift
	if [ -z "$key" ]; then
		key=$DKMS_KEYS/mok.key
		cert=$DKMS_KEYS/mok.pub
		[ -r "$key" ] && [ -r "$cert" ] || return 0
	fi
	[ -r "$key" ] || die "SIGN_KEY=$key: cannot be read"
	[ -r "$cert" ] || die "SIGN_CERT=$cert: cannot be read"
	[ -x "$kdir/scripts/sign-file" ] ||
		die "no scripts/sign-file in $kdir: cannot sign modules for this kernel"
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' \
		"$kdir/include/config/auto.conf")
	for module; do
		[ -f "$module" ] || die "$module has not been built: make"
		is_signed "$module" || "$kdir/scripts/sign-file" \
			"${hash:-sha256}" "$key" "$cert" "$module"
	done
	echo "signed with $key"
}

# is_packaged FILE: only a file of this very system can be
is_packaged()
{
	has dpkg-query && dpkg-query -S "$1" >/dev/null 2>&1
}

# contents FILE: as it is installed
contents()
{
	sed "s/@VERSION@/$("$here/version.sh")/" "$here/$1"
}

install_files()
{
	local what where mode

	while read -r what where mode; do
		! is_packaged "$1$where" || continue
		case $where in
		/etc/*)	[ ! -e "$1$where" ] || continue ;;
		esac
		mkdir -p "$1${where%/*}"
		contents "$what" >"$1$where"
		chmod "$mode" "$1$where"
	done <<<"$FILES"
}

remove_files()
{
	local what where

	while read -r what where _; do
		! is_packaged "$1$where" || continue
		case $where in
		/etc/*)	cmp -s <(contents "$what") "$1$where" || continue ;;
		esac
		rm -f "$1$where"
	done <<<"$FILES"
}

case ${1:-} in
sign)	shift; sign "$@" ;;
files)	install_files "$2" ;;
remove)	remove_files "$2" ;;
*)	die "usage: install.sh sign KDIR MODULE... | files ROOT | remove ROOT" ;;
esac
