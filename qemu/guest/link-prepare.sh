#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A job of its own for each card, $CARD, for what hangs in it hangs for ever and
# keeps a lock that all cards share: a known defect of the kernel's core.

modprobe "$CARD" index=0 || exit 2
echo "limit 90 link-prepare" >&3
# not through a pipe: what hangs keeps it open
/test/link_prepare 0 >text
status=$?
echo "$CARD: linked streams prepared at the same time: $(cat text)" >&3
[ $status -le 1 ]
