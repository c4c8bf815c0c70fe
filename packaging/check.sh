#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check-packages: installs the modules into a directory by make install,
# builds the Debian packages of this version and of the next, has them installed,
# used, upgraded, removed and purged in a guest, and has kernels that take
# signed modules only refuse what they should. One list of results; the last line
# is "N passed, N failed, N skipped". Logs are in out/packages/.

set -eu -o pipefail
. "$(dirname "$0")/../qemu/lib.sh"
# shellcheck source=../qemu/guest/lib.sh
. "$QEMU/guest/lib.sh"

dir=$OUT/packages
old=$("$TOP/packaging/version.sh")
new=${old%.*}.$((${old##*.} + 1))
PATH=$PATH:/usr/sbin:/sbin

summary()
{
	local status=$?

	trap - EXIT
	end_children
	[ "$status" = 0 ] || [ "$not_ok" != 0 ] || not_ok=1
	say "logs: $(relative "$dir")"
	printf '%d passed, %d failed, %d skipped\n' \
		$((done_so_far - not_ok - skipped)) "$not_ok" "$skipped"
	[ "$not_ok" = 0 ]
	exit
}
trap summary EXIT
trap 'exit 130' INT TERM

# make_here TARGET [VARIABLE=VALUE...]: of this tree, for the guest's kernel
make_here()
{
	make -C "$tree" KDIR="$kdir" "$@"
}

# make_fails WORDS ARGUMENT...: in one line
make_fails()
{
	local words=$1

	shift
	! make_here "$@" >make.out 2>make.err || return
	cat make.err
	grep -v '^make' make.err >make.said
	[ "$(wc -l <make.said)" = 1 ] && grep -q "$words" make.said
}

# has_installed ROOT: all that belongs there, in this version
has_installed()
{
	local file

	for file in snd-pcmbuf snd-virtual; do
		file=$(find "$1/lib/modules/$release" -name "$file.ko") &&
			[ "$(modinfo -F version "$file")" = "$old" ] || return
	done
	for file in usr/share/alsa/cards/snd-virtual.conf \
		etc/modprobe.d/snd-virtual.conf usr/local/bin/vsndctl; do
		[ -s "$1/$file" ] || return
	done
	grep -q "^\.TH.*$old" "$1/usr/local/share/man/man4/snd-virtual.4"
}

is_empty()
{
	[ -z "$(find "$1" -type f ! -name 'modules.*' -print | tee /dev/stderr)" ]
}

signer()
{
	modinfo -F signer "$(find "$1" -name snd-virtual.ko)"
}

new_key()
{
	openssl req -new -x509 -nodes -days 2 -subj "/CN=$1" -newkey rsa:2048 \
		-keyout "$1.key" -outform DER -out "$1.der" 2>/dev/null
}

# make install, uninstall and what they refuse
test_install()
{
	local root=$work/root conf=etc/modprobe.d/snd-virtual.conf

	check "make install" make_here install INSTALL_MOD_PATH="$root"
	check "all is there" has_installed "$root"
	check "make uninstall" make_here uninstall INSTALL_MOD_PATH="$root"
	check "nothing is left" is_empty "$root"
	make_here install INSTALL_MOD_PATH="$root" >/dev/null 2>&1 || true
	echo "options snd-virtual index=7" >>"$root/$conf"
	make_here install INSTALL_MOD_PATH="$root" >/dev/null 2>&1 || true
	make_here uninstall INSTALL_MOD_PATH="$root" >/dev/null 2>&1 || true
	check "parameters that were changed stay" grep -q index=7 "$root/$conf"
	new_key tester
	check "make install signs" make_here install INSTALL_MOD_PATH="$root" \
		SIGN_KEY="$PWD/tester.key" SIGN_CERT="$PWD/tester.der"
	check "with that key" [ "$(signer "$root")" = tester ]
	check "a key that is not there is named" \
		make_fails 'SIGN_KEY=/none' install INSTALL_MOD_PATH="$root" SIGN_KEY=/none
	mkdir -p cloud/include/{config,generated}
	touch cloud/Makefile
	echo CONFIG_MODULES=y >cloud/include/config/auto.conf
	echo '#define UTS_RELEASE "1.2.3-cloud"' >cloud/include/generated/utsrelease.h
	check "a kernel without sound is named" \
		make_fails '1.2.3-cloud has no sound' KDIR="$PWD/cloud"
}

# build_deb VERSION
build_deb()
{
	local name

	VERSION=$1 DEB_DIR=$dir/$1 "$TOP/packaging/deb.sh" >/dev/null || return
	for name in dkms utils; do
		ln -f "$dir/$1/snd-virtual-${name}_$1_all.deb" \
			"$dir/guest/$1/snd-virtual-$name.deb" || return
	done
}

# A recording of noise of some tenths of a second
sample()
{
	local bytes=$((9600 * $1 * 2)) i header

	header=RIFF
	for i in $((bytes + 36)) WAVE 'fmt ' 16 ; do
		case $i in
		[0-9]*)	header+=$(le32 "$i") ;;
		*)	header+=$i ;;
		esac
	done
	header+=$(le16 1)$(le16 "$1")$(le32 48000)$(le32 $((48000 * $1 * 2)))
	header+=$(le16 $(($1 * 2)))$(le16 16)data$(le32 $bytes)
	printf '%b' "$header"
	head -c $bytes /dev/urandom
}

le16()
{
	printf '\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255))
}

le32()
{
	le16 $(($1 & 65535))
	le16 $(($1 >> 16))
}

# take_results MACHINE JOB DIR: boots, and takes over what the guest says
take_results()
{
	local line booted=0 before=$done_so_far

	while read -r line; do
		case $line in
		"ok "*"# SKIP "*) line=${line#* - }; skip "${line% # SKIP*}" "${line#*# SKIP }" ;;
		"ok "*)		pass "${line#* - }" ;;
		"not ok "*)	fail "${line#* - }" ;;
		"#"*)		echo "$line" ;;
		esac
	done < <(exec "$QEMU/boot.sh" "$kernel" "$image" "$1" "$2" "$3" 2>"$3.trouble")
	wait $! || booted=1
	[ $booted = 0 ] || diag "$(cat "$3.trouble")"
	check "$(basename "$3"): the guest ended well" \
		[ "$booted" = 0 -a "$done_so_far" -gt "$before" ]
}

# make_inside DIR CWD ARGUMENT...: where the guest's /var/lib/dkms is in its place
make_inside()
{
	# shellcheck disable=SC2016	# for the shells inside
	DIR=$1 ROOT=$root unshare -r -m sh -c '
		mount --bind "$DIR/dkms" "$ROOT/var/lib/dkms"
		shift
		exec "$QEMU/inside.sh" "$ROOT" sh -c "cd \"\$1\" && shift && exec make \"\$@\"" \
			make "$@"' sh "$@"
}

# serve_make DIR: compiles for the guest, see make.sh, until it is ended
serve_make()
{
	local words

	while true; do
		sleep 0.2
		[ -e "$1/make.request" ] || continue
		mapfile -t words <"$1/make.request"
		rm "$1/make.request"
		make_inside "$1" "${words[@]}" </dev/null >"$1/make.output" 2>&1 &&
			echo 0 >"$1/status.new" || echo 2 >"$1/status.new"
		mv "$1/status.new" "$1/make.status"
	done
}

test_packages()
{
	local server root

	mkdir -p "$dir/guest/$old" "$dir/guest/$new"
	check "make deb, and lintian finds nothing" build_deb "$old"
	check "the same for $new" build_deb "$new"
	gcc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -static \
		-o "$dir/guest/wavcmp" "$QEMU/wavcmp.c"
	cp "$QEMU/guest/lib.sh" "$TOP/packaging/inside.sh" "$dir/guest/"
	cp "$TOP/packaging/make.sh" "$dir/guest/make"
	mkdir "$dir/guest/dkms"
	rsync -r -p "$tree/" "$dir/guest/tree"
	for channels in 2 6 8; do
		sample $channels >"$dir/guest/sample-$channels.wav"
	done
	printf 'old=%s\nnew=%s\n' "$old" "$new" >"$dir/guest/job"
	DISK=$("$TOP/packaging/disk.sh" "$kernel" "$image") || exit 1
	export DISK
	root=$(cut -d ' ' -f 1 "$DISK.key")
	serve_make "$dir/guest" &
	server=$!
	take_results smp packages "$dir/guest"
	kill $server
	wait $server 2>/dev/null || true
}

# What a kernel refuses under Secure Boot, without having to boot with it
test_signing()
{
	local option

	for option in module.sig_enforce=1 lockdown=integrity; do
		mkdir -p "$dir/$option/signed"
		find "$work/root" -name '*.ko' -exec cp -t "$dir/$option/signed" {} +
		APPEND=$option take_results timed signing "$dir/$option"
	done
}

own "$dir"
"$QEMU/setup.sh" packages
kernel=$("$QEMU/kernel.sh")
release=$(cat "$kernel/release")
kdir=$(readlink "$kernel/build")
built=$("$QEMU/build.sh" "$kernel")
image=$("$QEMU/image.sh" "$kernel" "$built")
ACCEL=$("$QEMU/accel.sh" "$kernel" "$image")
export ACCEL
say "packages: $old and $new, kernel $release"

rm -rf "$dir"
mkdir -p "$dir"
work=$dir/work
tree=$work/tree
copy_sources "$tree"
cp -r "$TOP/Makefile" "$TOP/packaging" "$tree/"
mkdir "$tree/qemu"
cp "$QEMU/lib.sh" "$QEMU/setup.sh" "$tree/qemu/"
cd "$work"
make_here >build.log 2>&1 || die "cannot build (log: $(relative "$work/build.log"))"

echo "KTAP version 1"
[ -n "${ONLY_PACKAGES:-}" ] || test_install
[ -n "${ONLY_PACKAGES:-}" ] || test_signing
test_packages
echo "1..$done_so_far"
