#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The make of the guest in which packages are tested: an emulated processor
# takes minutes to compile, so the host does it, with the same compiler and
# headers, in the same directory, for that is shared. All else that DKMS does
# is done in the guest. See packaging/check.sh.

{
	pwd
	printf '%s\n' "$@"
} >/share/make.new
mv /share/make.new /share/make.request
until [ -e /share/make.status ]; do
	sleep 0.2
done
cat /share/make.output
status=$(cat /share/make.status)
rm /share/make.status
exit "$status"
