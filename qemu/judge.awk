# SPDX-License-Identifier: GPL-2.0-only
#
# Judges one test by what the guest left: the KTAP it printed, its exit status,
# why the guest could not run it (if so), and the lines of the kernel log that
# nobody expected. Prints "PASSED FAILED SKIPPED", and then every line that
# explains a failure.
#
# awk -v status=N -v why=TEXT -f judge.awk kind=log FILE kind=tap FILE

function trouble(text)
{
	failed++
	lines[++count] = text
}

kind == "log" {
	if (!complaints++)
		trouble("the kernel log has lines that nobody expected:")
	lines[++count] = "    " $0
	next
}

# KTAP from here on. Indented lines belong to a subtest, whose result follows.
/^1\.\.[0-9]+/ {
	if (planned != "")
		trouble("a second plan: " $0)
	planned = substr($1, 4) + 0
	if (planned == 0) {
		skipped++
		none = 1
	}
	talk = 0
	next
}

/^(not )?ok( |$)/ {
	results++
	bad = /^not ok/
	number = $(bad ? 3 : 2)
	if (bad) {
		failed++
		for (i = 1; i <= talk; i++)
			lines[++count] = said[i]
		lines[++count] = $0
	} else if (/# *SKIP/) {
		skipped++
	} else {
		passed++
	}
	if (number ~ /^[0-9]+$/ && number + 0 != results)
		trouble("result " results " calls itself " number)
	talk = 0
	next
}

/^Bail out!/ {
	trouble($0)
	next
}

{
	said[++talk] = $0
}

END {
	before = failed
	if (why != "") {
		trouble(why)
	} else if (planned == "") {
		trouble("printed no plan, ended with status " status)
	} else if (results + 0 != planned && !none) {
		trouble("planned " planned " results, printed " results + 0 \
			", ended with status " status)
	} else if (status != 0 && !before && !(status == 4 && passed == 0)) {
		trouble("ended with status " status)
	} else if (status == 0 && before && !complaints) {
		trouble("ended with status 0 in spite of that")
	}
	# What it said at the end may explain why it ended.
	if (failed > before)
		for (i = 1; i <= talk; i++)
			lines[++count] = said[i]
	print passed + 0, failed + 0, skipped + 0
	for (i = 1; i <= count; i++)
		print lines[i]
}
