#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Chooses the accelerator: prints kvm or tcg. KVM that exists may still hang,
# so it is believed only after a guest has booted with it; what was found is
# remembered until the machine boots again. $ACCEL decides instead, if set.
#
# usage: accel.sh KERNEL IMAGE

set -eu
. "$(dirname "$0")/lib.sh"

PROBE_SECONDS=8
memory=$CACHE/accel
boot_id=$(cat /proc/sys/kernel/random/boot_id)

# remember ACCEL WHY
remember()
{
	printf '%s\n%s\n%s\n' "$boot_id" "$1" "$2" >"$memory"
}

probe()
{
	if [ ! -e /dev/kvm ]; then
		remember tcg "there is no /dev/kvm"
	elif [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		remember tcg "/dev/kvm is not for this user"
	else
		say "accelerator: trying KVM for at most $PROBE_SECONDS s"
		if ACCEL=kvm FIRST_LIMIT=$PROBE_SECONDS timeout -k 2 $((PROBE_SECONDS + 4)) \
		   "$QEMU/boot.sh" "$1" "$2" smp probe "$OUT/probe" >/dev/null 2>&1; then
			remember kvm "a guest booted with it"
		else
			remember tcg "KVM is there, but a guest did not boot with it in $PROBE_SECONDS s"
		fi
	fi
}

case ${ACCEL:-} in
kvm|tcg)
	say "accelerator: $ACCEL, as asked"
	echo "$ACCEL"
	exit
	;;
esac

# What this machine's KVM boots, without asking it
case $(cat "$1/arch" 2>/dev/null) in
'' | amd64 | i386) ;;
*)	say "accelerator: tcg, for another architecture"
	echo tcg
	exit ;;
esac

lock accel
[ "$(head -n 1 "$memory" 2>/dev/null)" = "$boot_id" ] || probe "$1" "$2"
{ read -r _; read -r accel; read -r why; } <"$memory"
say "accelerator: $accel, because $why"
echo "$accel"
