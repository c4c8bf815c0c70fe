// SPDX-License-Identifier: GPL-2.0-only
/* See vfault.h. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "vfault.h"

static int fail_nth = -1;

void vf_init(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	if (fail_nth >= 0)
		return;
	printf("Bail out! this kernel cannot inject faults\n");
	exit(1);
}

void vf_begin(int nth)
{
	char text[12];
	int length = snprintf(text, sizeof(text), "%d", nth);

	SYS(pwrite(fail_nth, text, length, 0));
}

/*
 * What reads the answer may itself be the one that fails, and that is a call
 * which had nothing left to fail.
 */
bool vf_end(void)
{
	char text[12] = "";
	int err = errno;
	bool used = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 &&
		    !atoi(text);

	while (!used && pwrite(fail_nth, "0", 1, 0) < 0)
		;
	errno = err;
	return used;
}
