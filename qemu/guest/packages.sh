#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The job of make check-packages: goes into the Debian on the disk, and does
# there what /share/inside.sh says. What that prints are results for the host.

modprobe -a virtio_blk ext4 crc32c_generic
mkdir /disk
mount -t ext4 /dev/vda /disk || exit 1
for dir in proc sys dev share; do
	mount --bind /$dir /disk/$dir
done
mount -t tmpfs tmp /disk/tmp
mount --bind /share/dkms /disk/var/lib/dkms
cp /share/make /disk/usr/bin/make
mkdir -p /dev/shm
ln -s /proc/self/fd /dev/fd
HOME=/root LC_ALL=C chroot /disk /bin/sh /share/inside.sh >&3
status=$?
umount -a -r 2>/dev/null
exit $status
