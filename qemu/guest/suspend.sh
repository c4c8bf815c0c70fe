#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the program suspend, without the shared directory meanwhile: its device
# does not come back from a suspend.

. "$(dirname "$0")/lib.sh"

for line in "PM: suspend (entry|exit|debug)" "Filesystems sync:" "Freezing " \
	"OOM killer (dis|en)abled" "printk: Suspending console" \
	"Restarting tasks" "(PM: )?random: crng reseeded"; do
	expect_log "^$line"
done
status=100
umount /share && rmmod 9pnet_virtio && {
	/test/suspend
	status=$?
}
modprobe 9pnet_virtio
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share
exit $status
