# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a distribution's kernel consists of, and the directory that describes it
# (see kernel.sh). Sourced, after lib.sh, by those who download: field FIELD
# PACKAGE is theirs.

KERNELS=$CACHE/kernels

# The packages that a release needs: the image and the headers, and what they
# are split into, which differs over the suites.
packages_of()
{
	local queue="linux-image-$1 linux-headers-$1" seen=" " p

	while [ -n "$queue" ]; do
		p=${queue%% *}
		queue=${queue#"$p"}
		queue=${queue# }
		case $seen in *" $p "*) continue ;; esac
		seen+="$p "
		queue+=" $(field Depends "$p" | tr ',' '\n' |
			sed -n 's/^ *\(linux-\(image\|binary\|modules\|base\|headers\|kbuild\)-[^ (]*\).*/\1/p' |
			paste -s -d ' ')"
		queue=${queue# }
		queue=${queue% }
	done
	echo "$seen"
}

# The header packages name each other by absolute path.
rebase_headers()
{
	local root=$1 final=$2 file

	for file in "$root"/usr/src/linux-headers-*/{Makefile,.kernelvariables}; do
		[ ! -f "$file" ] || sed -i "s|/usr/src/|$final/usr/src/|g" "$file"
	done
}

# link NAME TARGET...: to the first of the targets that exists
link()
{
	local name=$1 target

	shift
	for target; do
		[ -e "$target" ] || continue
		ln -sfn "$target" "$name"
		return
	done
	return 1
}

# describe DIR RELEASE VERSION VMLINUZ MODULES BUILD: the last three are lists
describe()
{
	mkdir -p "$1"
	echo "$2" >"$1/release"
	# shellcheck disable=SC2086	# lists of candidates
	link "$1/vmlinuz" $4 || die "no kernel image of $2: looked for $4"
	# shellcheck disable=SC2086
	link "$1/modules" $5 || die "no modules of $2: looked for $5"
	# shellcheck disable=SC2086
	link "$1/build" $6 ||
		die "no headers of $2: looked for $6; get them by: apt-get install linux-headers-$2"
	echo "$3" >"$1/version"
}

# unpack_kernel RELEASE VERSION FILE...: everything happens in a directory of
# its own, which takes its name only when it is complete.
unpack_kernel()
{
	local release=$1 version=$2 dir=$KERNELS/$1 new=$KERNELS/$1.new deb
	local root=$dir/root

	shift 2
	rm -rf "$new"
	mkdir -p "$new/root"
	for deb; do
		dpkg-deb -x "$deb" "$new/root" || return 1
	done
	say "kernel: unpacked $(du -sh "$new" | cut -f 1) into $(relative "$dir")"
	rebase_headers "$new/root" "$root"
	rm -rf "$dir"
	mv "$new" "$dir"
	describe "$dir" "$release" "$version $dir" \
		"$root/boot/vmlinuz-$release $root/boot/vmlinux-$release $root/usr/lib/modules/$release/vmlinuz" \
		"$root/lib/modules/$release $root/usr/lib/modules/$release" \
		"$root/usr/src/linux-headers-$release"
}

# A cached kernel is good if it was unpacked here: its paths are absolute.
is_cached()
{
	local known

	known=$(cat "$KERNELS/$1/version" 2>/dev/null) || return 1
	[ "${known#* }" = "$KERNELS/$1" ] || return 1
	[ -z "${2:-}" ] || [ "${known%% *}" = "$2" ]
}
