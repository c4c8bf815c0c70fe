#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check-pipewire: has PipeWire find the card's pitch controls and cancel the
# drift of a device by them. A guest with Debian 13's kernel and PipeWire, which
# is the first to know the control of a player; nothing of it is installed here.
# The last line is "N passed, N failed, N skipped".

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

lane=6.12
suite=trixie
dir=$OUT/pipewire

"$QEMU/setup.sh" disk
kernel=$("$QEMU/lane.sh" $lane)
built=$("$QEMU/build.sh" "$kernel")
image=$("$QEMU/image.sh" "$kernel" "$built")
root=$("$QEMU/suite.sh" $suite amd64 '?essential' pipewire pipewire-bin alsa-utils)
say "pipewire: $(sed -n 's/^\(pipewire-bin_.*\)_.*/\1/p' "$root/packages"), kernel $(cat "$kernel/release")"

rm -rf "$dir"
mkdir -p "$dir"
PATH=$PATH:/usr/sbin:/sbin
unshare -r mke2fs -q -t ext4 -d "$root" "$dir/disk" 400M >/dev/null
cp "$QEMU/guest/pipewire.conf" "$dir/"
booted=0
DISK=$dir/disk "$QEMU/boot.sh" "$kernel" "$image" timed pipewire "$dir" || booted=1
rm "$dir/disk"

# Dead before its plan or its last test: that is a failure too.
awk -v booted=$booted '
	/^1\.\./	{ planned = substr($0, 4) }
	/^ok /		{ passed++ }
	/^not ok /	{ failed++ }
	{ print }
	END {
		missing = planned - passed - failed
		if (missing > 0 || (!planned && missing >= 0))
			failed += missing > 0 ? missing : 1
		if (booted && !failed)
			failed = 1
		printf "%d passed, %d failed, 0 skipped\n", passed, failed
		exit failed > 0
	}' "$dir/results.tap"
