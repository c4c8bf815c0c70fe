#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the guest's root: an initramfs with busybox, a shell, cmp (of which old
# busyboxes know little), kmod, alsa-lib and alsa-utils, the few kernel modules
# that are needed, and what build.sh built.
# Programs are the host's own, or those that came with the kernel (lane.sh).
# Prints the file.
#
# usage: image.sh KERNEL TREE	as printed by kernel.sh or lane.sh, and build.sh

set -eu
. "$(dirname "$0")/lib.sh"

kernel=$1
tree=$2
release=$(cat "$kernel/release")
image=$CACHE/image/${kernel##*/}.cpio
root=$CACHE/image/${kernel##*/}.root
user=
multiarch=$(cat "$kernel/multiarch" 2>/dev/null || gcc -print-multiarch)
[ ! -d "$kernel/user" ] || user=$(readlink "$kernel/user")

PROGRAMS="dash kmod cmp aplay arecord speaker-test alsactl amixer alsaloop"

# Modules of the kernel, by name or by folder (with a slash); those that a
# kernel has built in, or does not have, are left out.
MODULES="sound/core/ snd-aloop snd-dummy
	virtio_pci virtio_console 9p 9pnet_virtio
	virtio_blk ext4 crc32c_generic"

# program NAME: where it is in $user
program()
{
	local dir

	for dir in /usr/bin /bin /usr/sbin /sbin; do
		if [ -x "$user$dir/$1" ]; then
			echo "$dir/$1"
			return
		fi
	done
	die "no $1 in ${user:-this machine}"
}

# library NAME: where it is in $user
library()
{
	local file

	for file in "$user"{/usr/lib,/lib}{"/$multiarch",,64}/"$1"; do
		if [ -e "$file" ] || [ -L "$file" ]; then
			echo "${file#"$user"}"
			return
		fi
	done
	die "no $1 in ${user:-this machine}"
}

# target FILE: what a link in $user means there, where it may be absolute
target()
{
	local file=$1 to

	while to=$(readlink "$user$file"); do
		case $to in
		/*)	file=$to ;;
		*)	file=${file%/*}/$to ;;
		esac
	done
	echo "$user$file"
}

# libraries_of FILE...: what they need to run, by the names at which it is
# looked for. The files may be of another machine: they are read, not run.
libraries_of()
{
	local -A seen=()
	local queue=("$@") file name path

	while [ ${#queue[@]} -gt 0 ]; do
		file=${queue[0]}
		queue=("${queue[@]:1}")
		while read -r name; do
			[ -z "${seen[$name]:-}" ] || continue
			seen[$name]=1
			case $name in
			/*)	path=$name ;;
			*)	path=$(library "$name") || exit 1 ;;
			esac
			echo "$path"
			queue+=("$(target "$path")")
		done < <(readelf -l -d "$file" 2>/dev/null | sed -n \
			's/.*(NEEDED).*\[\(.*\)\]/\1/p; s/.*program interpreter: \(.*\)\]/\1/p')
	done
}

PATH=$PATH:/usr/sbin:/sbin
lock "image.${kernel##*/}"

busybox=$(program busybox)
programs=()
for name in $PROGRAMS; do
	programs+=("$(program "$name")")
done
mapfile -t tests < <(find "$tree/tests/" -maxdepth 1 -type f -executable)
libraries=$(libraries_of "${programs[@]/#/"$user"}" "${tests[@]}") || exit 1
libraries=$(sort -u <<<"$libraries")

# A kernel that its owner builds himself has other modules under the same name.
# shellcheck disable=SC2046,SC2086	# lists of words
key="$(cat "$kernel/version") $(fingerprint "$QEMU/guest" "$QEMU/image.sh" \
	"$user$busybox" "${programs[@]/#/"$user"}" "${tests[@]}" \
	"$user/usr/share/alsa" $(while read -r file; do target "$file"; done <<<"$libraries") \
	"$kernel/modules") $libraries
$(find "$tree" -name '*.ko' -printf '%p %s %T@\n' | sort | sha256sum)"
if [ -f "$image" ] && [ "$(cat "$image.key" 2>/dev/null)" = "$key" ]; then
	echo "$image"
	exit
fi

# install FILE...: at its own place, links followed
install_files()
{
	local file

	for file; do
		mkdir -p "$root${file%/*}"
		cp "$(target "$file")" "$root$file"
	done
}

# kernel_module FILE: unpacked, whatever the distribution packs it with
kernel_module()
{
	local to=$root/lib/modules/$release/kernel/${1#"$kernel/modules/"}

	[ ! -e "${to%.?z*}" ] || return 0
	mkdir -p "${to%/*}"
	case $1 in
	*.xz)	xz -dc "$1" >"${to%.xz}" ;;
	*.gz)	gzip -dc "$1" >"${to%.gz}" ;;
	*.zst)	zstd -qdc "$1" >"${to%.zst}" ;;
	*)	cp "$1" "$to" ;;
	esac
}

# The whole tree is large and depmod slow on it: names are followed by what
# each module says that it depends on.
kernel_modules()
{
	local -A path=()
	local queue=() name file

	while read -r file; do
		name=${file##*/}
		name=${name%.ko*}
		path[${name//-/_}]=$file
	done < <(find "$kernel/modules/" -name '*.ko*' -type f)

	for name in $MODULES; do
		case $name in
		*/)	while read -r file; do
				name=${file##*/}
				queue+=("${name%.ko*}")
			done < <(find "$kernel/modules/" -path "*/$name*.ko*") ;;
		*)	queue+=("$name") ;;
		esac
	done

	while [ ${#queue[@]} -gt 0 ]; do
		name=${queue[0]//-/_}
		queue=("${queue[@]:1}")
		file=${path[$name]:-}
		[ -n "$file" ] || continue
		unset "path[$name]"
		kernel_module "$file"
		# shellcheck disable=SC2207	# names of modules have no blanks
		queue+=($(modinfo -F depends "$file" | tr ',' ' '))
	done
}

rm -rf "$root"
mkdir -p "$root"/{proc,sys,dev,tmp,run,share,test,bin,lib,usr/bin,usr/lib} \
	"$root/lib/modules/$release/extra" "$root"/var/{lib/alsa,lock}

# The first process has busybox make the links to itself.
cp "$(target "$busybox")" "$root/bin/busybox"

# shellcheck disable=SC2086
install_files "${programs[@]}" $libraries
for tool in modprobe insmod rmmod lsmod depmod modinfo; do
	ln -sf "$(program kmod)" "$root/bin/$tool"
done
# The shell of busybox would run busybox's own modprobe, whatever $PATH says.
ln -sf "$(program dash)" "$root/bin/sh"
mkdir -p "$root/usr/share"
cp -r "$user/usr/share/alsa" "$root/usr/share/"
rm -rf "$root"/usr/share/alsa/{ucm,ucm2,topology}

kernel_modules
find "$tree" -name '*.ko' -exec cp -t "$root/lib/modules/$release/extra" {} +
for file in builtin builtin.modinfo order; do
	[ ! -f "$kernel/modules/modules.$file" ] ||
		cp "$kernel/modules/modules.$file" "$root/lib/modules/$release/"
done
depmod -b "$root" "$release"

cp -r "$QEMU/guest" "$root/test/"
cp "$QEMU/guest/init" "$root/init"
[ ${#tests[@]} = 0 ] || cp -t "$root/test" "${tests[@]}"

(cd "$root" && find . | cpio -o -H newc --quiet -R 0:0) >"$image.new"
mv "$image.new" "$image"
echo "$key" >"$image.key"
say "image: $(relative "$image"), $(($(stat -c %s "$image") / 1048576)) MiB"
echo "$image"
