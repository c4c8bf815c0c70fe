# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script on the host's side shares: where things are, progress
# with the time that has passed, and errors in one line. Sourced, never run.
#
# Scripts talk to people on stderr; stdout carries only their result, so that
# they can be used as kernel=$(qemu/kernel.sh).

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
QEMU=$TOP/qemu
CACHE=$TOP/.cache
OUT=$TOP/out
export TOP QEMU CACHE OUT
export LC_ALL=C.UTF-8

# One clock for a whole command, whichever script speaks.
: "${STARTED_AT:=${EPOCHREALTIME}}"
export STARTED_AT

# seconds_since T: with one digit, T as in $EPOCHREALTIME
seconds_since()
{
	local us=$(( ${EPOCHREALTIME/./} - ${1/./} ))

	printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

say()
{
	printf '[%6s s] %s\n' "$(seconds_since "$STARTED_AT")" "$*" >&2
}

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# demand_counts NAME...: each of these variables, where it is set, is one
demand_counts()
{
	local name

	for name; do
		case ${!name-1} in
		'' | 0* | *[!0-9]*) die "$name=${!name}: not a number from 1 on" ;;
		esac
	done
}

has()
{
	command -v "$1" >/dev/null 2>&1
}

case $TOP in
*[[:space:]:]*) die "kbuild cannot build in a path with spaces or colons: $TOP" ;;
esac

# relative PATH: as a user at the top of the tree would type it
relative()
{
	printf '%s' "${1#"$TOP"/}"
}

# lock NAME: one command at a time changes a part of the cache
lock()
{
	mkdir -p "$CACHE"
	exec 9>"$CACHE/$1.lock"
	flock -n 9 && return
	say "waiting for another command that uses $(relative "$CACHE")/$1"
	flock 9
}

# own PATH: one command at a time leaves its results there
own()
{
	mkdir -p "${1%/*}"
	exec 6>"$1.lock"
	flock -n 6 || die "another command leaves its results in $(relative "$1")"
}

# descendants PID: the processes that it has started, and those that they have
descendants()
{
	local child

	# shellcheck disable=SC2013	# words of one line
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		echo "$child"
		descendants "$child"
	done
}

# end_children: what this command has started and does not wait for any more
end_children()
{
	# shellcheck disable=SC2046	# a list of words
	kill $(descendants $$) 2>/dev/null || true
}

# is_called NAME WORD: is that a test's name in a list, as one may type it?
is_called()
{
	case $1 in
	"$2" | "$2.sh" | "guest/$2" | "guest/$2.sh") return 0 ;;
	esac
	return 1
}

# died_early DIR: did a guest's kernel die before it ran the first program of
# anybody's? Under QEMU's TCG it may not survive that it patches its own code on
# two processors.
died_early()
{
	[ -s "$1/console.log" ] &&
		! grep -a -q 'Run /[a-z]* as init process' "$1/console.log"
}

# without_excused FILE...: a kernel log, but for reports of what is the kernel's
# own. With SND_DEBUG it minds that a read or a write, before it takes a lock,
# finds no ring after an hw_free, of whatever card. And KCSAN sees many races
# everywhere: ours are those in which an access is made by our modules, or by what
# they call.
without_excused()
{
	awk '
		function begin()
		{
			printf "%s", report
			report = ""
			inside = 1
			excused = 0
		}
		function end()
		{
			if (!excused)
				printf "%s", report
			report = ""
			inside = 0
		}
		/-+\[ cut here \]-+/ { begin() }
		/====================/ && !inside { begin(); report = $0 "\n"; framed = 1; next }
		inside {
			report = report $0 "\n"
			if (/WARNING: (.* )?at __snd_pcm_lib_xfer\+/)
				excused = 1
			if (/BUG: KCSAN: /)
				excused = 1
			if (/ by (task|interrupt|process).*:$/)
				frames = 3
			else if (frames-- > 0 && /\[snd_(virtual|pcmbuf)\]/)
				excused = 0
			if (/---\[ end trace / || (framed && /====================/)) {
				framed = 0
				end()
			}
			next
		}
		{ print }
		END { printf "%s", report }' "$@"
}

# fingerprint PATH...: changes whenever a file below the paths does
fingerprint()
{
	find -H "$@" -type f -printf '%p %s %T@\n' 2>/dev/null |
		sort | sha256sum | cut -c 1-16
}

# copy_sources DIR: what kbuild reads. What was built in DIR stays, what is no
# longer in the tree goes; a file that differs, even an older one, is new to make.
copy_sources()
{
	mkdir -p "$1"
	rsync -r --checksum --delete --prune-empty-dirs --exclude='*.mod.c' \
		--include='*.[chS]' --include=Kbuild --include='*/' \
		--exclude='*' "$TOP/core" "$TOP/driver" "$TOP/Kbuild" "$1/"
}

# copy_module_sources DIR: without tests and samples, for other machines
copy_module_sources()
{
	copy_sources "$1"
	rm -rf "$1"/{core,driver}/{test,sample}
}
