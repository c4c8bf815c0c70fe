#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints how much of both modules was executed, by what gcov counted in the
# guests of check.sh with COVERAGE=1. DIR/unreached gets the lines that were not,
# and those of which a branch was not taken.
#
# usage: coverage.sh TREE DIR	TREE that build.sh made, DIR of the results
#
#	$LEAST	of the lines and of the branches, %: fails with less; 98 and 95
#		if not set

set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

tree=$1
dir=$2
least=${LEAST:-98 95}

# merge MODULE: the counts of all guests, beside the notes that explain them
merge()
{
	local all=() guest to=$dir/gcov/$1

	for guest in "$dir"/*/gcov"$tree/$1"; do
		[ -d "$guest" ] || continue
		rm -rf "$guest/test" "$guest/sample"
		all+=("$guest")
	done
	[ ${#all[@]} != 0 ] || die "no guest has counted anything of $1"
	rm -rf "$to"
	mkdir -p "$to"
	cp -r "${all[0]}/." "$to"
	for guest in "${all[@]:1}"; do
		gcov-tool merge -o "$to.both" "$to" "$guest"
		rm -rf "$to"
		mv "$to.both" "$to"
	done
	cp -t "$to" "$tree/$1"/*.gcno
}

# A file that was never executed has no counts, but has lines.
explain()
{
	cd "$dir/gcov/$1"
	gcov -b -c ./*.gcno >gcov.log 2>&1 || die "gcov: $(tail -n 1 gcov.log)"
}

for module in core driver; do
	merge $module
	(explain $module)
done
awk '
	/^ *-: *0:Source:/ {
		sub(/^.*Source:/, "")
		# what headers bring is not of the modules
		ours = match($0, /(core|driver)\/[a-z_]+\.c$/) && !/\.mod\.c$/
		file = substr($0, RSTART)
		next
	}
	!ours { next }
	/^branch/ {
		branches[file]++
		if (/taken [1-9]/)
			taken[file]++
		else if (run)
			missed(line ": a branch is never taken: " text)
		next
	}
	/^ *[0-9#=*-]+: *[0-9]+:/ {
		split($0, part, ":")
		line = part[2] + 0
		text = $0
		sub(/^[^:]*:[^:]*:[ \t]*/, "", text)
		run = part[1] ~ /[0-9]/
		if (part[1] ~ /-$/)
			next
		lines[file]++
		if (run)
			hit[file]++
		else
			missed(line ": never executed: " text)
	}
	function missed(what)
	{
		if (what != last)
			print file ":" what >unreached
		last = what
	}
	function row(name, l, h, b, t)
	{
		printf "%-24s%7d%8.1f %%%7d%8.1f %%\n", name, l, 100 * h / l,
			b, b ? 100 * t / b : 100
	}
	END {
		printf "%-24s%7s%10s%7s%10s\n", "", "lines", "executed",
			"branches", "taken"
		n = asorti_files()
		for (i = 1; i <= n; i++) {
			f = order[i]
			row(f, lines[f], hit[f], branches[f], taken[f])
			l += lines[f]; h += hit[f]; b += branches[f]; t += taken[f]
		}
		row("both modules", l, h, b, t)
		split(least, limit)
		if (100 * h < limit[1] * l || 100 * t < limit[2] * b) {
			printf "less than %d %% and %d %%\n", limit[1], limit[2]
			exit 1
		}
	}
	function asorti_files(   f, i, j, n)
	{
		for (f in lines) {
			for (i = n++; i > 0 && order[i] > f; i--)
				order[i + 1] = order[i]
			order[i + 1] = f
		}
		return n
	}
' least="$least" unreached="$dir/unreached" "$dir"/gcov/{core,driver}/*.c.gcov
say "coverage: what is not reached is in $(relative "$dir/unreached")"
