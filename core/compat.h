/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What older kernels lack, in the newest kernel's words. Included before every
 * file of this tree; the only place where a kernel version may be asked.
 * Documentation/porting.rst lists the blocks and tells how to drop one.
 *
 * A distribution may have brought a function back to an older kernel: so each
 * block takes in the kernel's own header first, and then puts a macro over
 * what is there or not. A member of a struct cannot be asked for, and goes by
 * the release.
 */
#ifndef __PCMBUF_COMPAT_H
#define __PCMBUF_COMPAT_H

#include <linux/version.h>

/*
 * How to ask __vmalloc() for memory that may be refused, but for which nobody is
 * killed: 6.19 and 7.0 warn of all flags but a few, and this is not one of them.
 */
#include <linux/gfp.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
#define vmalloc_mayfail	__GFP_NORETRY
#else
#define vmalloc_mayfail	__GFP_RETRY_MAYFAIL
#endif

/* The map_sg op says why it could not since 5.15, and 0 until 5.14. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
#define dma_map_sg_error(err)	(0)
#else
#define dma_map_sg_error(err)	(err)
#endif

/* hrtimer_setup(): since 6.13; hrtimer_init(): until 6.14 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>
#define hrtimer_setup(timer, callback, clock, mode)	\
	do {						\
		struct hrtimer *__timer = (timer);	\
							\
		hrtimer_init(__timer, clock, mode);	\
		__timer->function = (callback);		\
	} while (0)
#endif

/* A PCM stream's device: a structure of its own since 6.6, a part of it before. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define snd_pcm_stream_device(stream)	(&(stream)->dev)
#else
#define snd_pcm_stream_device(stream)	((stream)->dev)
#endif

/*
 * The op with which a driver moves the samples itself: copy, from and to an
 * iov_iter, since 6.6. Until 6.5 copy_user and copy_kernel, of which the middle
 * layer looks at the first.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define snd_pcm_copy_op			copy_user
#define snd_pcm_copy_samples		void __user
#else
#define snd_pcm_copy_op			copy
#define snd_pcm_copy_samples		struct iov_iter
#endif

/*
 * Until 6.4 a PAUSE looks where the stream is, with the lock of its group held;
 * and an xrun wants that lock to stop the group. Whether it is held.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#include <sound/pcm.h>
#define snd_pcm_group_is_locked(substream)	\
	(snd_pcm_stream_linked(substream) && \
	 spin_is_locked(&(substream)->group->lock))
#else
#define snd_pcm_group_is_locked(substream)	false
#endif

/* vm_flags_set(): since 6.3, where vm_flags became constant */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <linux/mm.h>
#define vm_flags_set(area, flags)	((void)((area)->vm_flags |= (flags)))
#endif

/* What the PCM core writes plainly, under a lock of its own, read without it */
#define snd_pcm_peek(word)	data_race(READ_ONCE(word))

/*
 * The state of a stream, and that in which it was suspended last, OPEN if never:
 * in the runtime since 6.1; until 6.0 in the page that user space maps, and can
 * write to. __snd_pcm_set_state() came with the move.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#define snd_pcm_runtime_state(runtime)	snd_pcm_peek((runtime)->status->state)
#define __snd_pcm_set_state(runtime, value) \
	WRITE_ONCE((runtime)->status->state, value)
#define snd_pcm_suspended_state(runtime) \
	((runtime)->status->suspended_state)
#define snd_pcm_state_is_private	false
#else
#define snd_pcm_runtime_state(runtime)	snd_pcm_peek((runtime)->state)
#define snd_pcm_suspended_state(runtime)	((runtime)->suspended_state)
#define snd_pcm_state_is_private	true
#endif

/* SYSTEM_SLEEP_PM_OPS(), pm_sleep_ptr(): since 5.17, and in late 5.10 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
#include <linux/pm.h>
#ifndef SYSTEM_SLEEP_PM_OPS
#define SYSTEM_SLEEP_PM_OPS(suspend_fn, resume_fn)	\
	.suspend = suspend_fn,				\
	.resume = resume_fn,				\
	.freeze = suspend_fn,				\
	.thaw = resume_fn,				\
	.poweroff = suspend_fn,				\
	.restore = resume_fn,
#endif
#ifndef pm_sleep_ptr
#define pm_sleep_ptr(ptr)	(IS_ENABLED(CONFIG_PM_SLEEP) ? (ptr) : NULL)
#endif
#endif

/*
 * snd_devm_card_new(): since 5.15. Until 5.14 a card that is freed with its
 * parent's other managed resources has to be built from snd_card_new().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
#include <linux/device.h>
#include <sound/core.h>

static inline void snd_devm_card_free_compat(void *card)
{
	snd_card_free(card);
}

static inline int snd_devm_card_new_compat(struct device *parent, int idx,
					   const char *xid,
					   struct module *module,
					   size_t extra_size,
					   struct snd_card **card_ret)
{
	int err;

	err = snd_card_new(parent, idx, xid, module, extra_size, card_ret);
	if (err < 0)
		return err;
	return devm_add_action_or_reset(parent, snd_devm_card_free_compat,
					*card_ret);
}

#define snd_devm_card_new	snd_devm_card_new_compat
#endif

#endif /* __PCMBUF_COMPAT_H */
