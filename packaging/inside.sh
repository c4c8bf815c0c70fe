#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: installs the packages, uses what they bring, upgrades, removes
# and purges them; then the same by make dkms. /share/job has the versions.

# shellcheck disable=SC2154	# the job's variables

cd /tmp || exit 1
# shellcheck disable=SC1091	# the host's
. /share/lib.sh
# shellcheck disable=SC1091	# written by the host
. /share/job

release=$(uname -r)
cloud=${release%-*}-cloud-${release##*-}
updates=/lib/modules/$release/updates/dkms
conf=/etc/modprobe.d/snd-virtual.conf

# files: all that there is on the disk, but for what every use of dpkg, debconf,
# depmod and DKMS leaves: their books, and this machine's key
files()
{
	find / -xdev \( -path /tmp -o -path /share -o -path /var/log \
		-o -path /var/cache/debconf -o -path /var/lib/dpkg \
		-o -path /var/lib/dkms \) -prune -o -print |
		grep -v -E '/lib/modules/[^/]*/modules\.|^/root/' | sort
	find /var/lib/dkms -path '*/snd-virtual*'
}

# logged NAME COMMAND...: what it says is kept in /share
logged()
{
	name=$1
	shift
	"$@" >"/share/$name.log" 2>&1 || {
		tail -n 5 "/share/$name.log"
		return 1
	}
}

# status VERSION: DKMS has it installed for this kernel, and nothing else
status()
{
	now=$(dkms status -m snd-virtual)
	echo "$now"
	[ "$now" = "snd-virtual/$1, $release, x86_64: installed" ]
}

# passed_over: and that is no failure of what installs a kernel
passed_over()
{
	dkms autoinstall -k "$cloud" || return
	dkms build -m snd-virtual -v "$old" -k "$cloud" >build.log 2>&1
	[ $? = 77 ] && grep -q BUILD_EXCLUSIVE build.log && status "$old"
}

# version MODULE VERSION: of the file that modprobe takes
version()
{
	[ "$(modinfo -n "$1")" = "$updates/$1.ko" ] &&
		[ "$(modinfo -F version "$1")" = "$2" ]
}

signed()
{
	modinfo -F signer "$1" | grep -q .
}

load()
{
	modprobe snd-virtual && wait_until 5 [ -e /dev/snd/controlC0 ]
}

unload()
{
	modprobe -r snd-virtual && [ ! -d /sys/module/snd_pcmbuf ]
}

loaded_version()
{
	[ "$(cat /sys/module/snd_virtual/version)" = "$1" ] &&
		[ "$(cat /sys/module/snd_pcmbuf/version)" = "$1" ]
}

# round_trip PCM CHANNELS: a recording, bit for bit
round_trip()
{
	wav=/share/sample-$2.wav
	arecord -q -D "hw:${CARD##*/},0" -t raw -f S16_LE -r 48000 -c "$2" \
		>heard.raw 2>arecord.log &
	recorder=$!
	wait_until 10 stream_is 0 c RUNNING && sleep 0.5 &&
		aplay -q -D "$1" "$wav"
	played=$?
	sleep 1
	kill -INT $recorder
	wait $recorder
	[ $played = 0 ] && /share/wavcmp compare "$wav" heard.raw
}

steers()
{
	vsndctl 1 clock client && vsndctl 1 latency 480 &&
		vsndctl 1 scale 3/2 &&
		[ "$(vsndctl 1)" = "card 0 device 1: clock client, scale 3/2, timer 1,0,3,0, latency 480" ]
}

steps()
{
	vsndctl 0 clock step && vsndctl 0 step 480 && vsndctl 0 clock realtime
}

# man_says PAGE WORD
man_says()
{
	zcat "/usr/share/man/man${1##*.}/$1.gz" | grep -q "^\.TH.*$2"
}

# same FILE FILE
same()
{
	diff "$1" "$2"
}

nothing_left()
{
	files >after
	same before after && ! dpkg -l 'snd-virtual*' 2>/dev/null | grep -v '^un' | grep '^.. *snd-virtual'
}

# make_dkms: a line for each kernel
make_dkms()
{
	logged dkms /share/tree/packaging/dkms.sh || return
	cat /share/dkms.log
	grep -q -x "$release: built and installed, signed by DKMS module signing key" \
		/share/dkms.log &&
		grep -q -x "$cloud: skipped: this kernel has no sound: .*" /share/dkms.log
}

plan 47
files >before
echo "limit 400 building the modules"
check "the packages are installed" logged install dpkg -i \
	"/share/$old/snd-virtual-dkms.deb" "/share/$old/snd-virtual-utils.deb"
check "DKMS has built them for this kernel alone" status "$old"
check "$cloud, which has no sound, is passed over" passed_over
for module in snd-pcmbuf snd-virtual; do
	check "$module has version $old" version $module "$old"
	check "$module is signed" signed $module
done
check "the card comes" load
[ -e "$CARD" ] || bail_out "there is no card"
check "the modules that are loaded are those" loaded_version "$old"
echo "limit 120 using the card"
check "hw plays bit for bit" round_trip hw:Virtual 2
check "front is known" round_trip front:Virtual 2
check "surround51 is known" round_trip surround51:Virtual 6
check "surround71 is known" round_trip surround71:Virtual 8
check "default plays" aplay -q -D default:Virtual /share/sample-2.wav
check "dmix plays" aplay -q -D plug:dmix:Virtual /share/sample-2.wav
check "vsndctl sets and shows a clock" steers
check "vsndctl steps" steps
refused "vsndctl refuses a clock that is none" vsndctl 0 clock sundial
refused "vsndctl refuses a device that is none" vsndctl 7
refused "vsndctl refuses a latency out of range" vsndctl 0 latency 768001
check "the manual of the card has the version" man_says snd-virtual.4 "$old"
check "the manual of vsndctl has the version" man_says vsndctl.1 "$old"
check "the card goes" unload
echo 'options snd-virtual index=7' >>$conf
check "a parameter in $conf is taken" modprobe snd-virtual
check "and works" [ -e /proc/asound/card7 ]
check "the card goes again" unload

echo "limit 400 building the newer modules"
check "the packages are upgraded" logged upgrade dpkg --force-confdef --force-confold -i \
	"/share/$new/snd-virtual-dkms.deb" "/share/$new/snd-virtual-utils.deb"
check "DKMS has the newer ones alone" status "$new"
check "no source of the older is left" [ ! -e "/usr/src/snd-virtual-$old" ]
check "what the user wrote is still there" grep -q '^options snd-virtual index=7' $conf
check "the card comes with it" modprobe snd-virtual
check "the modules that are loaded are the newer" loaded_version "$new"
check "and play bit for bit" round_trip hw:Virtual 2
check "they go" unload

echo "limit 100 removing"
check "the packages are removed" logged remove dpkg -r snd-virtual-dkms snd-virtual-utils
refused "modprobe finds no module" modprobe snd-virtual
check "DKMS knows of none" [ -z "$(dkms status -m snd-virtual)" ]
check "what the user wrote is kept" [ -f $conf ]
check "the packages are purged" logged purge dpkg -P snd-virtual-dkms snd-virtual-utils
check "nothing is left of them" nothing_left

echo "limit 400 building by make dkms"
check "make dkms has a line for each kernel" make_dkms
check "DKMS has built them" status "$old"
check "the card comes" modprobe snd-virtual
check "and plays bit for bit" round_trip hw:Virtual 2
check "it goes" unload
check "make dkms-remove" logged dkms-remove /share/tree/packaging/dkms.sh remove
check "leaves nothing either" nothing_left
finish
