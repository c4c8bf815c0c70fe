#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots one guest, has it do one job, and tells whether it did.
#
# usage: boot.sh KERNEL IMAGE MACHINE JOB DIR
#
#	MACHINE	timed	TCG, one CPU, time is the count of instructions and
#			idle time is skipped: the same figures on every run
#		smp	two CPUs in real time, by $ACCEL (kvm or tcg)
#	JOB	guest/JOB.sh runs in the guest
#	DIR	becomes /share of the guest; also receives console.log,
#		qemu.log and report
#	$MEMORY	of the guest, in MiB
#	$ICOUNT	an instruction of the timed guest takes 2^ICOUNT ns, 1 if not set
#	$MAY_COMPLAIN	set: what the kernel says is judged by somebody else
#	$DISK	file that is the guest's disk; what it writes there is lost
#	$PATIENCE	by which all limits are multiplied, 1 if not set
#
# The guest speaks on a serial port of its own, line by line:
#
#	limit N WHAT	silent for N seconds at most from now on, busy with WHAT
#	end STATUS	the verdict, and the last line
#	anything else	news of the job, passed on to stdout
#
# No verdict, a bad verdict, silence, or a complaint of the kernel: failure.

set -eu
. "$(dirname "$0")/lib.sh"

kernel=$1
image=$2
machine=$3
job=$4
dir=$5
MEMORY=${MEMORY:-1024}
ACCEL=${ACCEL:-tcg}
FIRST_LIMIT=${FIRST_LIMIT:-60}
PATIENCE=${PATIENCE:-1}

# What the kernel says when something is wrong, wherever it says it.
COMPLAINTS='Kernel panic|BUG:|Oops|WARNING:|Call Trace:|general protection|'
COMPLAINTS+='soft lockup|blocked for more than|rcu.*stall|UBSAN:|Bad page|'
COMPLAINTS+='new suspected memory leaks'

qemu_pid=

stop_guest()
{
	[ -n "$qemu_pid" ] || return 0
	kill -KILL "$qemu_pid" 2>/dev/null || true
	qemu_pid=
}
trap stop_guest EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
	printf 'guest %s/%s: %s (console log: %s)\n' \
		"$machine" "$job" "$1" "$(relative "$dir/console.log")" >&2
	stop_guest
	exit 1
}

mkdir -p "$dir"
exec 8>"$dir.lock"
flock -n 8 || die "another guest is using $(relative "$dir")"
rm -f "$dir/report" "$dir/console.log" "$dir/qemu.log"

# shellcheck disable=SC2054	# the commas belong to QEMU
options=(
	-no-user-config -nodefaults -display none -no-reboot
	-m "$MEMORY" -kernel "$kernel/vmlinuz" -initrd "$image"
	-serial "file:$dir/console.log"
	-device virtio-serial
	-chardev file,id=report,path=/dev/stdout
	-device virtserialport,chardev=report,name=report
	-fsdev "local,id=share,path=${dir//,/,,},security_model=none"
	-device virtio-9p,fsdev=share,mount_tag=share
)
# shellcheck disable=SC2054
[ -z "${DISK:-}" ] ||
	options+=(-drive "file=${DISK//,/,,},if=virtio,format=raw,snapshot=on")

# What a machine of each architecture is; a kernel of kernel.sh is x86.
# timed_cpu is for the guests that count instructions.
arch=$(cat "$kernel/arch" 2>/dev/null || echo amd64)
console=ttyS0
qemu=qemu-system-$arch
cpu=max
timed_cpu=
smp=2
# shellcheck disable=SC2054,SC2100	# the commas belong to QEMU; nothing is computed
case $arch in
amd64)	qemu=qemu-system-x86_64
	# Without ERMS and FSRM, else a copy counts one instruction a byte.
	timed_cpu=max,-erms,-fsrm
	# Without ACPI, which a debug kernel would take a minute to read, the
	# processors are found only if each has a socket, and there is no better
	# clock source to fall back to when time jumps in a test. What TCG counts
	# in real time is about the host's clock, which a guest on a busy host
	# cannot find out. Newer kernels check copies only if they are asked to, and
	# keep free memory in sheaves: what was taken out of one stands in it for
	# long, so that no leak is found, but not where memory has red zones.
	if [ -e "$kernel/no-acpi" ]; then
		options+=(-M q35)
		smp=2,sockets=2,cores=1
		APPEND="tsc=reliable hardened_usercopy=1 slab_debug=Z,kmalloc-* ${APPEND:-}"
		khz=$(awk '/^cpu MHz/ { printf "%d", $4 * 1000; exit }' /proc/cpuinfo)
		[ "$machine" = timed ] || [ -z "$khz" ] ||
			APPEND="tsc_early_khz=$khz $APPEND"
	fi
	;;
i386)	# An AMD of 32 bits is not for two, says Linux.
	cpu=max,vendor=GenuineIntel
	timed_cpu=max,-erms,-fsrm
	;;
arm64)	qemu="qemu-system-aarch64"
	options+=(-M virt)
	# Not all processors of QEMU have pages of 16 KiB, and few are quick.
	cpu="cortex-a57"
	case $(cat "$kernel/release") in *-16k) cpu=max,pauth-impdef=on ;; esac
	console=ttyAMA0
	;;
armhf)	qemu=qemu-system-arm
	options+=(-M virt,highmem=off)
	cpu="cortex-a15"
	console=ttyAMA0
	;;
riscv64)
	options+=(-M virt)
	cpu=rv64
	;;
s390x)	options+=(-M s390-ccw-virtio)
	console=ttysclp0
	;;
ppc64el)
	qemu=qemu-system-ppc64
	options+=(-M pseries)
	cpu=power9
	console=hvc0
	;;
*)	die "no machine for $arch in qemu/boot.sh"
	;;
esac
has "$qemu" || die "no $qemu here to boot a kernel of $arch"

case $machine-$ACCEL in
timed-*)
	# shellcheck disable=SC2054
	options+=(-accel tcg,thread=single -smp 1 -cpu "${timed_cpu:-$cpu}"
		-icount "shift=${ICOUNT:-1},sleep=off" -rtc base=2000-01-01,clock=vm -seed 1)
	;;
smp-kvm)
	options+=(-accel kvm -smp "$smp" -cpu host)
	;;
smp-tcg)
	# shellcheck disable=SC2054
	options+=(-accel tcg,thread=multi -smp "$smp" -cpu "$cpu")
	;;
*)
	die "no machine $machine with $ACCEL: timed or smp, tcg or kvm"
	;;
esac

# Not a word is lost from the kernel log, and a panic ends the guest. The check
# of the timer fails on a host that is busy.
options+=(-append "console=$console loglevel=7 panic=-1 log_buf_len=4M \
printk.devkmsg=on random.trust_cpu=on no_timer_check job=$job machine=$machine ${APPEND:-}")

# ran: the processor time that QEMU has had, in s
ran()
{
	awk '{ sub(/.*\) /, ""); print int(($12 + $13) / 100) }' \
		"/proc/$qemu_pid/stat" 2>/dev/null || echo 0
}

# On a machine that is busy with other things a guest is slow to speak. It hangs
# when it was given its limit of processor time, or five minutes more to get that.
hangs()
{
	waited=$((waited + limit))
	[ $(($(ran) - heard_at)) -ge "$limit" ] ||
		[ $waited -ge $((limit + 300)) ]
}

# The pipe ends with QEMU.
exec 7< <(exec "$qemu" "${options[@]}" </dev/null 2>"$dir/qemu.log" 6>&- 8>&-)
qemu_pid=$!
verdict=
what=boot
limit=$((FIRST_LIMIT * PATIENCE))
waited=0
heard_at=0
part=
while true; do
	status=0
	read -r -t "$limit" -u 7 line || status=$?
	if [ $status -gt 128 ]; then
		! hangs || fail "hangs: nothing heard for $waited s, in $what"
		part+=$line
		continue
	fi
	line=$part$line
	part=
	waited=0
	heard_at=$(ran)
	[ $status = 0 ] || break
	printf '%s\n' "$line" >>"$dir/report"
	case $line in
	limit\ *)
		read -r _ limit what <<<"$line"
		limit=$((limit * PATIENCE))
		;;
	end\ *)
		verdict=${line#end }
		limit=60
		what=power-off
		;;
	*)
		printf '%s\n' "$line"
		;;
	esac
done

status=0
wait "$qemu_pid" || status=$?
qemu_pid=
[ $status = 0 ] ||
	fail "QEMU failed with status $status: $(tail -n 1 "$dir/qemu.log")"
complaint=
[ -n "${MAY_COMPLAIN:-}" ] ||
	complaint=$(tr -d '\r' <"$dir/console.log" | without_excused - |
		grep -a -m 1 -E "$COMPLAINTS") || true
[ -z "$complaint" ] || fail "the kernel complains: ${complaint:0:150}"
[ -n "$verdict" ] || fail "ended without a verdict, in $what"
[ "$verdict" = 0 ] || fail "the job failed with status $verdict"
