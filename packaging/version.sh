#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the version: it stands in the Kbuild file.

sed -n 's/^SND_VIRTUAL_VERSION := //p' "$(dirname "$0")/../Kbuild"
