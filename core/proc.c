// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/asound/cardN/pcmD{p,c}/subS/prealloc and prealloc_max: the size of a
 * preallocation in KiB, to be read and, while the substream is closed, changed.
 *
 * The kernel has files of these names for its own buffers. There a write is
 * parsed when the file is closed, so that no error is ever seen, and what is no
 * number frees the buffer. Here write() fails and nothing changes.
 */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <sound/info.h>

#include "pcmbuf_local.h"

/* Bytes of a file: the longest line that is read or taken. */
#define SND_PCMBUF_LINE_MAX	64

/* Smallest preallocation but none, bytes: as the kernel has it. */
#define SND_PCMBUF_PROC_MIN	8192

static ssize_t snd_pcmbuf_proc_print(size_t bytes, char __user *to,
				     size_t count, loff_t pos)
{
	char line[SND_PCMBUF_LINE_MAX];
	int len;

	len = scnprintf(line, sizeof(line), "%zu\n", bytes / 1024);
	return simple_read_from_buffer(to, count, &pos, line, len);
}

static ssize_t snd_pcmbuf_prealloc_read(struct snd_info_entry *entry,
					void *file_private, struct file *file,
					char __user *to, size_t count,
					loff_t pos)
{
	return snd_pcmbuf_proc_print(snd_pcmbuf_slot_bytes(entry->private_data),
				     to, count, pos);
}

static ssize_t snd_pcmbuf_prealloc_max_read(struct snd_info_entry *entry,
					    void *file_private,
					    struct file *file, char __user *to,
					    size_t count, loff_t pos)
{
	struct snd_pcmbuf_slot *slot = entry->private_data;

	return snd_pcmbuf_proc_print(slot->max, to, count, pos);
}

/* One decimal number, with blanks or a line end around it, and nothing else. */
static int snd_pcmbuf_proc_parse(const char __user *from, size_t count,
				 size_t *bytes)
{
	char line[SND_PCMBUF_LINE_MAX];
	unsigned long kib;

	if (count >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, count))
		return -EFAULT;
	line[count] = '\0';
	if (strlen(line) != count)
		return -EINVAL;
	if (kstrtoul(strim(line), 10, &kib) || kib > SIZE_MAX / 1024)
		return -EINVAL;
	*bytes = kib * 1024;
	return 0;
}

static int snd_pcmbuf_slot_resize(struct snd_pcmbuf_slot *slot, size_t size)
{
	struct snd_pcm_substream *substream = slot->substream;
	struct snd_pcmbuf *buf = NULL;

	lockdep_assert_held(&substream->pcm->open_mutex);
	if (substream->runtime)
		return -EBUSY;
	if ((size && size < SND_PCMBUF_PROC_MIN) || size > slot->max)
		return -EINVAL;
	if (PAGE_ALIGN(size) == snd_pcmbuf_slot_bytes(slot))
		return 0;
	if (size) {
		buf = snd_pcmbuf_create(substream, slot->ops, slot->dev, size);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
	}
	snd_pcmbuf_slot_set_limit(slot, buf ? buf->dmab.bytes : 0);
	snd_pcmbuf_slot_store(slot, buf);
	return 0;
}

static ssize_t snd_pcmbuf_prealloc_write(struct snd_info_entry *entry,
					 void *file_private, struct file *file,
					 const char __user *from, size_t count,
					 loff_t pos)
{
	struct snd_pcmbuf_slot *slot = entry->private_data;
	struct mutex *open_mutex = &slot->substream->pcm->open_mutex;
	size_t size;
	int err;

	/* the rest of a line that was too long */
	if (pos)
		return -EINVAL;
	err = snd_pcmbuf_proc_parse(from, count, &size);
	if (err)
		return err;

	mutex_lock(open_mutex);
	err = snd_pcmbuf_slot_resize(slot, size);
	mutex_unlock(open_mutex);
	return err ? err : count;
}

/* The host frees the entry with the PCM, after the last reader and writer. */
static void snd_pcmbuf_prealloc_private_free(struct snd_info_entry *entry)
{
	snd_pcmbuf_slot_store(entry->private_data, NULL);
}

static const struct snd_info_entry_ops snd_pcmbuf_prealloc_ops = {
	.read	= snd_pcmbuf_prealloc_read,
	.write	= snd_pcmbuf_prealloc_write,
};

static const struct snd_info_entry_ops snd_pcmbuf_prealloc_max_ops = {
	.read	= snd_pcmbuf_prealloc_max_read,
};

static struct snd_info_entry *
snd_pcmbuf_proc_add(struct snd_pcmbuf_slot *slot, const char *name,
		    const struct snd_info_entry_ops *ops)
{
	struct snd_info_entry *entry;

	entry = snd_info_create_card_entry(slot->card, name,
					   slot->substream->proc_root);
	if (!entry)
		return NULL;
	entry->content = SNDRV_INFO_CONTENT_DATA;
	entry->c.ops = ops;
	entry->private_data = slot;
	/* zero would let nothing be read or written */
	entry->size = SND_PCMBUF_LINE_MAX;
	return entry;
}

/*
 * The files of a slot. Not having them is no error: there is no place for them
 * under a PCM without nodes of its own.
 */
void snd_pcmbuf_proc_create(struct snd_pcmbuf_slot *slot)
{
	struct snd_info_entry *entry;

	if (!slot->substream->proc_root)
		return;
	entry = snd_pcmbuf_proc_add(slot, "prealloc", &snd_pcmbuf_prealloc_ops);
	if (entry) {
		entry->mode |= 0200;
		entry->private_free = snd_pcmbuf_prealloc_private_free;
		/* later than the card when that is registered already */
		snd_info_register(entry);
	}
	entry = snd_pcmbuf_proc_add(slot, "prealloc_max",
				    &snd_pcmbuf_prealloc_max_ops);
	if (entry)
		snd_info_register(entry);
}
