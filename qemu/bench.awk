# SPDX-License-Identifier: GPL-2.0-only
#
# Makes of what the guest measured the table for the terminal and the JSON.
#
# usage: awk -v rows="ROW ..." -v json=FILE -v kernel=RELEASE -f bench.awk
#	bench.list results
#
# Exits with 1 if an asked row was not met, or could not be measured but for
# something that the driver does not have yet.

function trim(s)
{
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

function quote(s)
{
	gsub(/[\\"]/, "\\\\&", s)
	gsub(/[[:cntrl:]]/, " ", s)
	return "\"" s "\""
}

# The reason why there is no figure, or nothing
function why(name, driver)
{
	if ((name, driver, "failed") in value)
		return value[name, driver, "failed"]
	if ((name, driver, "none") in value)
		return value[name, driver, "none"]
	return ""
}

function reasons(name)
{
	return sprintf("\"why\": {\"aloop\": %s, \"dummy\": %s, \"virtual\": %s}",
		quote(why(name, "aloop")), quote(why(name, "dummy")),
		quote(why(name, "virtual")))
}

function figure(name, driver, key)
{
	return (name, driver, key) in value ? value[name, driver, key] : ""
}

# What the peers have: of prealloc too it is in params
function peer(name, driver, key)
{
	return figure(name == "prealloc" ? "params" : name, driver, key)
}

function best_peer(name, key, asked,	a, d)
{
	a = peer(name, "aloop", key)
	d = peer(name, "dummy", key)
	if (asked ~ /aloop/ || d == "")
		return a
	if (a == "")
		return d
	if (asked ~ /^>/)
		return a + 0 > d + 0 ? a : d
	return a + 0 < d + 0 ? a : d
}

function is_met(mine, asked, best,	part, limit)
{
	split(asked, part, " ")
	limit = part[2]
	if (part[3] != "") {
		if (best == "")
			return "?"
		limit *= best
	}
	if (part[1] == "<")
		return mine + 0 < limit ? "yes" : "no"
	if (part[1] == "<=")
		return mine + 0 <= limit ? "yes" : "no"
	return mine + 0 >= limit ? "yes" : "no"
}

# Pairs held, and how the cost of one grows, out of the cases many-N
function gather_many(	d, i, n, driver, drivers, eight, all)
{
	n = split("aloop dummy virtual", drivers, " ")
	for (d = 1; d <= n; d++) {
		driver = drivers[d]
		for (i = 1; i <= 128; i *= 2) {
			if (figure("many-" i, driver, "busy") == "")
				break
			value["many", driver, "pairs"] = i
		}
		eight = figure("many-8", driver, "busy_per_pair")
		all = figure("many-128", driver, "busy_per_pair")
		if (eight + 0 && all != "")
			value["many", driver, "growth"] = sprintf("%.3f", all / eight)
	}
}

function number(s)
{
	return s == "" ? "null" : s ~ /^-?[0-9]+(\.[0-9]+)?$/ ? s : quote(s)
}

# A figure for the table: of a driver that did not do what was measured the
# reason is told below.
function show(s, name, driver, at)
{
	if (s != "")
		return s
	if (!((name, driver, "failed") in value))
		return "-"
	note = "  " at ", " driver ": " value[name, driver, "failed"] "\n"
	if (index(failures, note) == 0)
		failures = failures note
	return "failed"
}

function judge(i,	name, key, mine, best, ratio, met, text)
{
	name = case_of[i]
	key = key_of[i]
	mine = figure(name, "virtual", key)
	best = best_peer(name, key, asked[i])
	ratio = mine != "" && best + 0 ? sprintf("%.3f", mine / best) : ""
	text = why(name, "virtual")
	if (mine == "")
		met = "no"
	else
		met = asked[i] == "-" ? "-" : is_met(mine, asked[i], best)
	if (asked[i] != "-")
		count[met]++
	if (met == "no" || met == "?")
		missed = missed "  " what[i] ": " \
			(mine == "" ? (text == "" ? "no figure" : text) : \
			 mine " " unit[i] ", asked " asked[i] \
			 (best == "" ? "" : " of " best)) "\n"
	printf "%-30s %9s %9s %9s %7s  %-13s %-6s %s\n", what[i],
		show(peer(name, "aloop", key), name, "aloop", what[i]),
		show(peer(name, "dummy", key), name, "dummy", what[i]),
		show(mine, name, "virtual", what[i]), show(ratio), asked[i],
		unit[i], met
	printf "%s\n    {\"row\": %s, \"what\": %s, \"unit\": %s, " \
		"\"aloop\": %s, \"dummy\": %s, \"virtual\": %s, \"ratio\": %s, " \
		"\"asked\": %s, \"met\": %s, %s}", n_rows++ ? "," : "",
		quote(row[i]), quote(what[i]), quote(unit[i]),
		number(peer(name, "aloop", key)),
		number(peer(name, "dummy", key)), number(mine), number(ratio),
		quote(asked[i]), quote(met), reasons(name) >json
}

function grow(i,	n, k, at, a, d, v, name, first, text)
{
	n = split(grown[row[i]], at, " ")
	printf "\n%-20s %10s %10s %10s   us/s\n", what[i], "aloop", "dummy",
		"virtual"
	printf "%s\n    %s: [", n_tables++ ? "," : "", quote(row[i]) >json
	for (k = 1; k <= n; k++) {
		name = row[i] "-" at[k]
		a = figure(name, "aloop", "busy")
		d = figure(name, "dummy", "busy")
		v = figure(name, "virtual", "busy")
		text = at[k] " " what[i]
		printf "%20s %10s %10s %10s\n", at[k],
			show(a, name, "aloop", text),
			show(d, name, "dummy", text),
			show(v, name, "virtual", text)
		printf "%s\n      {\"at\": %s, \"aloop\": %s, \"dummy\": %s, " \
			"\"virtual\": %s, %s}", first++ ? "," : "", at[k],
			number(a), number(d), number(v), reasons(name) >json
		if (v == "")
			missed = missed "  " text ": " why(name, "virtual") "\n"
	}
	printf "\n    ]" >json
}

BEGIN {
	n = split(rows, part, " ")
	for (i = 1; i <= n; i++)
		wanted[part[i]] = 1
}

FNR == NR {
	if (/^#/ || !NF)
		next
	split($0, part, "|")
	if (!(trim(part[1]) in wanted))
		next
	lines++
	row[lines] = trim(part[1])
	split(trim(part[2]), pair, ":")
	case_of[lines] = pair[1]
	key_of[lines] = pair[2]
	unit[lines] = trim(part[3])
	asked[lines] = trim(part[4])
	what[lines] = trim(part[5])
	next
}

{
	name = $1
	driver = $2
	key = $3
	sub(/^[^ ]+ [^ ]+ [^ ]+ */, "")
	value[name, driver, key] = $0
	if (match(name, /-[0-9]+$/)) {
		family = substr(name, 1, RSTART - 1)
		at_value = substr(name, RSTART + 1)
		if (!((family, at_value) in seen)) {
			seen[family, at_value] = 1
			grown[family] = grown[family] " " at_value
		}
	}
}

END {
	gather_many()
	printf "{\n  \"kernel\": %s,\n  \"rows\": [", quote(kernel) >json
	printf "%-30s %9s %9s %9s %7s  %-13s %-6s %s\n", "", "aloop", "dummy",
		"virtual", "ratio", "asked", "unit", "met"
	for (i = 1; i <= lines; i++)
		if (case_of[i] != "grow")
			judge(i)
	printf "\n  ],\n  \"growth\": {" >json
	for (i = 1; i <= lines; i++)
		if (case_of[i] == "grow")
			grow(i)
	printf "\n  }\n}\n" >json
	if (failures != "")
		printf "\nNot done as it should be:\n%s", failures
	if (missed != "")
		printf "\nNot met, or without a figure:\n%s", missed
	bad = count["no"] + count["?"]
	printf "\n%d asked figures met, %d not\n", count["yes"], bad
	exit bad > 0
}
