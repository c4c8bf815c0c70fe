# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# An apt of its own for any suite and architecture: nothing of it touches the
# machine's, and no root is needed. Sourced, after lib.sh.
#
#	apt_open SUITE ARCH	from now on the others mean that one
#	apt_field FIELD PACKAGE	of the candidate, empty when there is none
#	apt_fetch PACKAGE...	these and all that they depend on; prints the files
#	apt_fetch_only PACKAGE...	these alone
#
# The mirror is the machine's own; MIRROR="URL [URL of security]" overrides it.
# Every file is downloaded once, into .cache/apt/debs.

APT_DEBS=$CACHE/apt/debs
APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Lists are asked for anew after so many minutes, and if that failed; a mirror
# that is being brought up to date is given so many seconds.
APT_AGE=${APT_AGE:-360}
APT_AGAIN=20
APT_PAUSES=${APT_PAUSES:-30 60}

# apt_mirror NAME: the first that ends in /NAME, in what the machine uses
apt_mirror()
{
	apt-get -o Dir::State::Lists="$apt_dir/none" -o Dir::Cache::pkgcache= \
		-o Dir::Cache::srcpkgcache= update --print-uris 2>/dev/null |
		sed -n "s|^'\(.*/$1\)/dists/.*|\1/|p" | head -n 1
}

apt_sources()
{
	local main security

	read -r main security <<<"${MIRROR:-}" || true
	if [ -z "$main" ]; then
		main=$(apt_mirror debian)
		security=$(apt_mirror debian-security)
	fi
	[ -n "$main" ] ||
		die "no mirror of Debian in this machine's apt sources: name one by MIRROR=URL"
	echo "deb [signed-by=$APT_KEYRING] $main $apt_suite main"
	case $apt_suite in
	sid | unstable | experimental) ;;
	*)	[ -z "$security" ] ||
			echo "deb [signed-by=$APT_KEYRING] $security $apt_suite-security main" ;;
	esac
}

# What the machine's own apt does besides, after an update for example, is
# not for this one.
apt_configuration()
{
	cat <<-END
	#clear APT::Architectures;
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear Acquire::IndexTargets::deb::DEP-11;
	#clear Acquire::IndexTargets::deb::Contents-deb;
	APT::Architecture "$apt_arch";
	APT::Architectures { "$apt_arch"; };
	APT::Sandbox::User "root";
	APT::Install-Recommends "false";
	APT::Keep-Downloaded-Packages "true";
	Acquire::Languages "none";
	Acquire::Retries "2";
	Acquire::http::Timeout "20";
	Acquire::https::Timeout "20";
	Dir::State "$apt_dir/state";
	Dir::State::status "$apt_dir/status";
	Dir::State::extended_states "$apt_dir/extended_states";
	Dir::Cache "$apt_dir/cache";
	Dir::Cache::archives "$APT_DEBS";
	Dir::Cache::pkgcache "pkgcache.bin";
	Dir::Etc::sourcelist "$apt_dir/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	Dir::Log "$apt_dir";
	END
}

apt_trouble()
{
	{
		grep -A 1 '^Err' "$apt_dir/log" | grep -m 1 '^  '
		grep '^E: ' "$apt_dir/log"
		tail -n 1 "$apt_dir/log"
	} | head -n 1 | sed 's/^ *//' | cut -c 1-160
}

apt_ask()
{
	apt-get -q -c "$apt_dir/conf" -o APT::Update::Error-Mode=any update \
		>"$apt_dir/log" 2>&1
}

apt_has_lists()
{
	compgen -G "$apt_dir/state/lists/*_dists_${apt_suite}_main_*_Packages*" \
		>/dev/null
}

# Lists that are there still serve when new ones cannot be had, and those of the
# suite when those of its security updates cannot.
apt_update()
{
	local pause

	for pause in $APT_PAUSES 0; do
		apt_ask && touch "$apt_dir/updated" && return
		if apt_has_lists || ! grep -q 'Mirror sync in progress' "$apt_dir/log"; then
			break
		fi
		[ "$pause" != 0 ] || break
		say "apt: the mirror's lists of $apt_suite $apt_arch do not agree: waiting for $pause s"
		sleep "$pause"
	done
	if apt_has_lists; then
		say "apt: going on with the lists of $apt_suite $apt_arch that are there: $(apt_trouble)"
		touch -d "$((APT_AGE - APT_AGAIN)) minutes ago" "$apt_dir/updated"
	else
		die "cannot fetch the package lists of $apt_suite $apt_arch: $(apt_trouble) (is there a network? log: $(relative "$apt_dir/log"))"
	fi
}

apt_open()
{
	apt_suite=$1
	apt_arch=$2
	apt_dir=$CACHE/apt/$1-$2
	has apt-get || die "no apt here to fetch packages of $1"
	[ -r $APT_KEYRING ] || die "no $APT_KEYRING: get it by: apt-get install debian-archive-keyring"
	mkdir -p "$apt_dir/none/partial"
	exec 6>"$apt_dir.lock"
	flock 6
	apt_sources >"$apt_dir/sources.new"
	if ! cmp -s "$apt_dir/sources.new" "$apt_dir/sources.list"; then
		rm -rf "$apt_dir"
		mkdir -p "$apt_dir/state/lists/partial" "$apt_dir/cache" "$apt_dir/none/partial"
		apt_sources >"$apt_dir/sources.list"
	fi
	: >"$apt_dir/status"
	mkdir -p "$APT_DEBS/partial"
	apt_configuration >"$apt_dir/conf"
	[ -n "$(find "$apt_dir/updated" -mmin "-$APT_AGE" 2>/dev/null)" ] ||
		apt_update
	flock -u 6
}

apt_field()
{
	apt-cache -c "$apt_dir/conf" show --no-all-versions "$2" 2>/dev/null |
		sed -n "s/^$1: //p" | head -n 1 || true
}

# apt_uris COMMAND PACKAGE...: of what the command would download if nothing
# were there
apt_uris()
{
	local command=$1

	shift
	apt-get -q -q -c "$apt_dir/conf" -o Dir::Cache::archives="$apt_dir/none" \
		--print-uris "$command" "$@" \
		2>"$apt_dir/log" ||
		die "apt has not all that is needed of $apt_suite $apt_arch: $(apt_trouble)"
}

# One download at a time: apt takes what another has brought meanwhile.
apt_download()
{
	local files file packages

	[ "$1" != install ] || set -- "$@" --download-only
	files=$(apt_uris "$@") || exit 1
	files=$(sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p" <<<"$files")
	[ -n "$files" ] || die "apt found nothing to get for: $*"
	exec 5>"$APT_DEBS.lock"
	flock 5
	for file in $files; do
		[ -f "$APT_DEBS/$file" ] || packages+=" $file"
	done
	if [ -n "${packages:-}" ]; then
		say "apt: fetching $(wc -w <<<"$packages") packages of $apt_suite $apt_arch"
		(cd "$APT_DEBS" && apt-get -q -y -c "$apt_dir/conf" "$@") \
			>"$apt_dir/log" 2>&1 ||
			die "cannot fetch packages of $apt_suite $apt_arch: $(apt_trouble) (log: $(relative "$apt_dir/log"))"
	fi
	flock -u 5
	for file in $files; do
		[ -f "$APT_DEBS/$file" ] || die "apt did not bring $file"
		echo "$APT_DEBS/$file"
	done
}

apt_fetch()
{
	apt_download install "$@"
}

apt_fetch_only()
{
	apt_download download "$@"
}
