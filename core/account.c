// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounting: how many bytes of buffers a card has, and all cards together.
 *
 * The host counts the buffers it manages in card->total_pcm_alloc_bytes. Ours
 * are counted there as well, so each sees the other's, under a limit of ours.
 */

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "pcmbuf_local.h"

/* Buffers of all cards: what must be zero when the module is unloaded. */
static atomic_long_t snd_pcmbuf_buffers = ATOMIC_LONG_INIT(0);
static atomic_long_t snd_pcmbuf_bytes = ATOMIC_LONG_INIT(0);

static bool snd_pcmbuf_has_room(struct snd_card *card, size_t bytes)
{
	unsigned long limit = snd_pcmbuf_max_alloc_per_card;
	size_t total = card->total_pcm_alloc_bytes;

	lockdep_assert_held(&card->memory_mutex);
	if (bytes > SIZE_MAX - total)
		return false;
	return !limit || total + bytes <= limit;
}

/*
 * Reserve bytes for a buffer, before it is allocated: -ENOMEM when the card
 * would have more than its limit.
 */
int snd_pcmbuf_charge(struct snd_card *card, size_t bytes)
{
	int err = 0;

	mutex_lock(&card->memory_mutex);
	if (snd_pcmbuf_has_room(card, bytes))
		card->total_pcm_alloc_bytes += bytes;
	else
		err = -ENOMEM;
	mutex_unlock(&card->memory_mutex);
	if (err)
		return err;

	atomic_long_inc(&snd_pcmbuf_buffers);
	atomic_long_add(bytes, &snd_pcmbuf_bytes);
	return 0;
}

/* Give back what snd_pcmbuf_charge() reserved. */
void snd_pcmbuf_uncharge(struct snd_card *card, size_t bytes)
{
	mutex_lock(&card->memory_mutex);
	card->total_pcm_alloc_bytes -= bytes;
	mutex_unlock(&card->memory_mutex);

	atomic_long_sub(bytes, &snd_pcmbuf_bytes);
	atomic_long_dec(&snd_pcmbuf_buffers);
}

long snd_pcmbuf_live_buffers(void)
{
	return atomic_long_read(&snd_pcmbuf_buffers);
}

long snd_pcmbuf_live_bytes(void)
{
	return atomic_long_read(&snd_pcmbuf_bytes);
}
