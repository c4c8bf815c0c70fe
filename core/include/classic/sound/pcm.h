/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's <sound/pcm.h> with the classic buffer API added to it, for a
 * driver that has this folder before the kernel's own:
 *
 *	LINUXINCLUDE := -I<core>/include/classic $(LINUXINCLUDE)
 */
#ifndef __SOUND_CLASSIC_PCM_H
#define __SOUND_CLASSIC_PCM_H

#include_next <sound/pcm.h>

#include "../../sound/pcmbuf_classic.h"

#endif /* __SOUND_CLASSIC_PCM_H */
