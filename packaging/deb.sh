#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make deb: builds the Debian packages from a copy of the sources, and has
# lintian look at them, which must find nothing. They are left in out/deb/;
# their names are the last lines.
#
# VERSION=X	another version than the tree's own
# DEB_DIR=DIR	another place than out/deb

set -eu
. "$(dirname "$0")/../qemu/lib.sh"

dir=${DEB_DIR:-$OUT/deb}
version=${VERSION:-$("$TOP/packaging/version.sh")}
tree=$dir/snd-virtual-$version
log=$dir/build.log
maintainer="${DEBFULLNAME:-snd-virtual contributors} <${DEBEMAIL:-snd-virtual@packages.invalid}>"

# When the sources were last changed: two builds of them are the same.
changed_at()
{
	git -C "$TOP" log -1 --format=%ct 2>/dev/null ||
		find "$TOP/core" "$TOP/driver" "$TOP/Kbuild" "$TOP/packaging" \
			-type f -printf '%Ts\n' | sort -n | tail -n 1
}

write_changelog()
{
	cat <<-END
	snd-virtual ($version) unstable; urgency=medium

	  * Version $version.

	 -- $maintainer  $(date -u -R -d "@$(changed_at)")
	END
}

"$QEMU/setup.sh" deb
lock deb
rm -rf "$dir"
mkdir -p "$dir"
copy_module_sources "$tree"
rsync -r --exclude=/debian "$TOP/packaging" "$tree/"
rsync -r -p "$TOP/packaging/debian" "$tree/"
sed -i "s/^\(SND_VIRTUAL_VERSION := \).*/\1$version/" "$tree/Kbuild"
sed -i "s/@MAINTAINER@/$maintainer/" "$tree/debian/control"
sed -i "s/@VERSION@/$version/" "$tree"/packaging/*.[1-9]
write_changelog >"$tree/debian/changelog"

(cd "$tree" && dpkg-buildpackage -us -uc -b) >"$log" 2>&1 || {
	grep -m 5 -i error "$log" >&2 || tail -n 5 "$log" >&2
	die "cannot build the packages (log: $(relative "$log"))"
}
lintian --allow-root --fail-on error,warning,info \
	--display-info "$dir"/*.changes >"$dir/lintian.log" 2>&1 || {
	cat "$dir/lintian.log" >&2
	die "lintian is not content"
}
for package in "$dir"/*.deb; do
	relative "$package"
	echo
done
