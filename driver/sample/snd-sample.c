// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sound card in the style of 2012 to 2019, to read and to learn from. It has
 * three PCM devices, one for each way in which drivers of that time got their
 * buffers. What is played on a device is captured from it, as by a cable.
 *
 * Nothing here knows of snd-pcmbuf. One line in the Kbuild does.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <sound/core.h>
#include <sound/initval.h>
#include <sound/pcm.h>

#define SAMPLE_RATE		48000
#define SAMPLE_FRAME_BYTES	4
#define SAMPLE_BUFFER_BYTES	65536
#define SAMPLE_PIECES		DIV_ROUND_UP(SAMPLE_BUFFER_BYTES, PAGE_SIZE)

static int index = SNDRV_DEFAULT_IDX1;
module_param(index, int, 0444);
MODULE_PARM_DESC(index, "index of the card (default: the first free one)");

static char *id = SNDRV_DEFAULT_STR1;
module_param(id, charp, 0444);
MODULE_PARM_DESC(id, "id string of the card (default: Sample)");

/*
 * The hardware that there is none of: two engines, which walk through the
 * pieces of their buffers, one frame per tick of a common clock.
 */
struct sample_piece {
	dma_addr_t addr;	/* what a real chip would be told */
	void *area;		/* what this one uses instead */
	unsigned int bytes;
};

struct sample_stream {
	struct snd_pcm_substream *substream;	/* NULL when it does not run */
	bool ready;				/* to run: see sample_halt() */
	struct sample_piece table[SAMPLE_PIECES];
	unsigned int piece;			/* where the engine is: */
	unsigned int offset;			/* bytes into that piece */
	snd_pcm_uframes_t pos;			/* frames into the buffer */
	snd_pcm_uframes_t ended;		/* where the last period did */
};

struct sample_chip {
	struct mutex setup;		/* prepare against hw_free and close */
	spinlock_t lock;		/* protects all of the below */
	struct delayed_work work;	/* stands in for the interrupt */
	ktime_t start;			/* when the clock began to tick */
	u64 ticks;			/* how often it did */
	struct sample_stream streams[2];
};

struct sample_card {
	struct sample_chip chips[3];	/* one for each PCM device */
};

static struct platform_device *sample_device;
static struct snd_card *sample_card;

static bool sample_is_running(struct sample_chip *chip)
{
	return chip->streams[SNDRV_PCM_STREAM_PLAYBACK].substream ||
	       chip->streams[SNDRV_PCM_STREAM_CAPTURE].substream;
}

/* Where the engine is; then it goes on by a frame. */
static void *sample_next(struct sample_stream *stream, bool *period_ended)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	struct sample_piece *piece = &stream->table[stream->piece];
	void *frame = piece->area + stream->offset;

	stream->offset += SAMPLE_FRAME_BYTES;
	if (stream->offset >= piece->bytes) {
		stream->offset = 0;
		stream->piece++;
	}
	if (++stream->pos >= runtime->buffer_size) {
		stream->pos = 0;
		stream->piece = 0;
	}
	if (stream->pos % runtime->period_size == 0) {
		stream->ended = stream->pos;
		*period_ended = true;
	}
	return frame;
}

/* Until now, or until a period ends, which is when the hardware interrupts. */
static bool sample_run(struct sample_chip *chip, bool ended[2])
{
	struct sample_stream *play = &chip->streams[SNDRV_PCM_STREAM_PLAYBACK];
	struct sample_stream *rec = &chip->streams[SNDRV_PCM_STREAM_CAPTURE];
	u64 us = ktime_us_delta(ktime_get(), chip->start);
	u64 due = div_u64(us * SAMPLE_RATE, USEC_PER_SEC);
	u32 frame;

	while (chip->ticks < due && !ended[0] && !ended[1]) {
		frame = 0;
		if (play->substream)
			memcpy(&frame, sample_next(play, &ended[0]),
			       SAMPLE_FRAME_BYTES);
		if (rec->substream)
			memcpy(sample_next(rec, &ended[1]), &frame,
			       SAMPLE_FRAME_BYTES);
		chip->ticks++;
	}
	return ended[0] || ended[1];
}

static void sample_work(struct work_struct *work)
{
	struct sample_chip *chip = container_of(to_delayed_work(work),
						struct sample_chip, work);
	struct snd_pcm_substream *substreams[2];
	bool interrupted;
	int i;

	do {
		bool ended[2] = { false, false };

		spin_lock_irq(&chip->lock);
		interrupted = sample_is_running(chip) && sample_run(chip, ended);
		for (i = 0; i < 2; i++)
			substreams[i] = ended[i] ?
				chip->streams[i].substream : NULL;
		if (sample_is_running(chip))
			schedule_delayed_work(&chip->work, 1);
		spin_unlock_irq(&chip->lock);

		/* not under the lock: this calls pointer, and maybe trigger */
		for (i = 0; i < 2; i++)
			if (substreams[i])
				snd_pcm_period_elapsed(substreams[i]);
	} while (interrupted);
}

/*
 * Before a buffer changes or goes; mutex_unlock(&chip->setup) after that. The
 * middle layer may start a stream for a DRAIN while it frees its buffer, and
 * prepares a linked stream with its group while it closes it. So what is halted
 * here starts only when it has been prepared again, and that takes a buffer.
 */
static struct sample_chip *sample_halt(struct snd_pcm_substream *substream)
{
	struct sample_chip *chip = snd_pcm_substream_chip(substream);
	struct sample_stream *stream = &chip->streams[substream->stream];

	mutex_lock(&chip->setup);
	spin_lock_irq(&chip->lock);
	stream->ready = false;
	stream->substream = NULL;
	stream->piece = 0;
	stream->offset = 0;
	stream->pos = 0;
	stream->ended = 0;
	spin_unlock_irq(&chip->lock);

	/* the last interrupt is over; the other stream has more of them */
	flush_delayed_work(&chip->work);
	return chip;
}

static const struct snd_pcm_hardware sample_hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
		SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_BLOCK_TRANSFER |
		SNDRV_PCM_INFO_BATCH,
	.formats = SNDRV_PCM_FMTBIT_S16_LE,
	.rates = SNDRV_PCM_RATE_48000,
	.rate_min = SAMPLE_RATE,
	.rate_max = SAMPLE_RATE,
	.channels_min = 2,
	.channels_max = 2,
	.buffer_bytes_max = SAMPLE_BUFFER_BYTES,
	.period_bytes_min = 4096,	/* some of the work's delays */
	.period_bytes_max = SAMPLE_BUFFER_BYTES / 2,
	.periods_min = 2,
	.periods_max = 64,
};

static int sample_open(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;

	runtime->hw = sample_hardware;
	return snd_pcm_hw_constraint_integer(runtime,
					     SNDRV_PCM_HW_PARAM_PERIODS);
}

/*
 * The first way, of USB and FireWire drivers, which copy by themselves: memory
 * that is contiguous for the kernel alone, and no preparation in the probe.
 */
static int sample_vmalloc_hw_params(struct snd_pcm_substream *substream,
				    struct snd_pcm_hw_params *params)
{
	struct sample_chip *chip = sample_halt(substream);
	int err = snd_pcm_lib_alloc_vmalloc_buffer(substream,
						   params_buffer_bytes(params));

	mutex_unlock(&chip->setup);
	return err;
}

static int sample_vmalloc_hw_free(struct snd_pcm_substream *substream)
{
	struct sample_chip *chip = sample_halt(substream);
	int err = snd_pcm_lib_free_vmalloc_buffer(substream);

	mutex_unlock(&chip->setup);
	return err;
}

/* The second way: the kind of memory was said, and some kept, in the probe. */
static int sample_pages_hw_params(struct snd_pcm_substream *substream,
				  struct snd_pcm_hw_params *params)
{
	struct sample_chip *chip = sample_halt(substream);
	int err = snd_pcm_lib_malloc_pages(substream,
					   params_buffer_bytes(params));

	mutex_unlock(&chip->setup);
	return err;
}

static int sample_pages_hw_free(struct snd_pcm_substream *substream)
{
	struct sample_chip *chip = sample_halt(substream);
	int err = snd_pcm_lib_free_pages(substream);

	mutex_unlock(&chip->setup);
	return err;
}

/* The middle layer may have left out hw_free: a client can forge its state. */
static int sample_close(struct snd_pcm_substream *substream)
{
	return sample_pages_hw_free(substream);
}

/* The whole buffer is one piece. */
static int sample_fill_table(struct snd_pcm_substream *substream,
			     struct sample_piece *piece)
{
	unsigned int bytes = snd_pcm_lib_buffer_bytes(substream);

	if (substream->runtime->dma_bytes < bytes)
		return -EBADFD;
	piece->addr = substream->runtime->dma_addr;
	piece->area = substream->runtime->dma_area;
	piece->bytes = bytes;
	return 0;
}

/*
 * The third way: like the second, but the buffer is in pieces for the chip,
 * which takes pieces of a page at most. Without a buffer they have no bytes.
 */
static int sample_fill_sg_table(struct snd_pcm_substream *substream,
				struct sample_piece *piece)
{
	unsigned int bytes = snd_pcm_lib_buffer_bytes(substream);
	unsigned int ofs, most;

	for (ofs = 0; ofs < bytes; ofs += piece++->bytes) {
		most = min_t(unsigned int, bytes - ofs, PAGE_SIZE);
		piece->addr = snd_pcm_sgbuf_get_addr(substream, ofs);
		piece->area = snd_pcm_sgbuf_get_ptr(substream, ofs);
		piece->bytes = snd_pcm_sgbuf_get_chunk_size(substream, ofs,
							    most);
		if (!piece->bytes)
			return -EBADFD;
	}
	return 0;
}

static int sample_prepare_with(struct snd_pcm_substream *substream,
			       int (*fill)(struct snd_pcm_substream *substream,
					   struct sample_piece *piece))
{
	struct sample_chip *chip = sample_halt(substream);
	struct sample_stream *stream = &chip->streams[substream->stream];
	int err = fill(substream, stream->table);

	spin_lock_irq(&chip->lock);
	stream->ready = !err;
	spin_unlock_irq(&chip->lock);
	mutex_unlock(&chip->setup);
	return err;
}

static int sample_prepare(struct snd_pcm_substream *substream)
{
	return sample_prepare_with(substream, sample_fill_table);
}

static int sample_sg_prepare(struct snd_pcm_substream *substream)
{
	return sample_prepare_with(substream, sample_fill_sg_table);
}

/*
 * The middle layer suspends every stream, of whatever driver, and takes it for
 * stopped then, though the driver should refuse: no STOP follows, not even when
 * it is closed. Who does not promise SNDRV_PCM_INFO_RESUME is prepared anew.
 */
static int sample_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct sample_chip *chip = snd_pcm_substream_chip(substream);
	struct sample_stream *stream = &chip->streams[substream->stream];
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&chip->lock, flags);
	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
		if (!stream->ready) {
			err = -EBADFD;
			break;
		}
		if (!sample_is_running(chip)) {
			chip->start = ktime_get();
			chip->ticks = 0;
		}
		stream->substream = substream;
		schedule_delayed_work(&chip->work, 1);
		break;
	case SNDRV_PCM_TRIGGER_STOP:
	case SNDRV_PCM_TRIGGER_SUSPEND:
		stream->substream = NULL;
		break;
	default:
		err = -EINVAL;
	}
	spin_unlock_irqrestore(&chip->lock, flags);
	return err;
}

/* By periods: that is what SNDRV_PCM_INFO_BATCH says. */
static snd_pcm_uframes_t sample_pointer(struct snd_pcm_substream *substream)
{
	struct sample_chip *chip = snd_pcm_substream_chip(substream);

	return chip->streams[substream->stream].ended;
}

static const struct snd_pcm_ops sample_vmalloc_ops = {
	.open = sample_open,
	.close = sample_close,
	.ioctl = snd_pcm_lib_ioctl,
	.hw_params = sample_vmalloc_hw_params,
	.hw_free = sample_vmalloc_hw_free,
	.prepare = sample_prepare,
	.trigger = sample_trigger,
	.pointer = sample_pointer,
	.page = snd_pcm_lib_get_vmalloc_page,
};

static const struct snd_pcm_ops sample_pages_ops = {
	.open = sample_open,
	.close = sample_close,
	.ioctl = snd_pcm_lib_ioctl,
	.hw_params = sample_pages_hw_params,
	.hw_free = sample_pages_hw_free,
	.prepare = sample_prepare,
	.trigger = sample_trigger,
	.pointer = sample_pointer,
};

static const struct snd_pcm_ops sample_sg_ops = {
	.open = sample_open,
	.close = sample_close,
	.ioctl = snd_pcm_lib_ioctl,
	.hw_params = sample_pages_hw_params,
	.hw_free = sample_pages_hw_free,
	.prepare = sample_sg_prepare,
	.trigger = sample_trigger,
	.pointer = sample_pointer,
	.page = snd_pcm_sgbuf_ops_page,
};

static int sample_new_pcm(struct snd_card *card, int device, const char *name,
			  const struct snd_pcm_ops *ops, struct snd_pcm **rpcm)
{
	struct sample_card *sample = card->private_data;
	struct sample_chip *chip = &sample->chips[device];
	struct snd_pcm *pcm;
	int err;

	err = snd_pcm_new(card, name, device, 1, 1, &pcm);
	if (err < 0)
		return err;
	mutex_init(&chip->setup);
	spin_lock_init(&chip->lock);
	INIT_DELAYED_WORK(&chip->work, sample_work);
	pcm->private_data = chip;
	strscpy(pcm->name, name, sizeof(pcm->name));
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_PLAYBACK, ops);
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_CAPTURE, ops);
	*rpcm = pcm;
	return 0;
}

static int sample_new_pcms(struct snd_card *card)
{
	struct snd_pcm *pcm;
	int err;

	err = sample_new_pcm(card, 0, "vmalloc", &sample_vmalloc_ops, &pcm);
	if (err < 0)
		return err;

	err = sample_new_pcm(card, 1, "continuous", &sample_pages_ops, &pcm);
	if (err < 0)
		return err;
	snd_pcm_lib_preallocate_pages_for_all(pcm, SNDRV_DMA_TYPE_CONTINUOUS,
					      snd_dma_continuous_data(GFP_KERNEL),
					      SAMPLE_BUFFER_BYTES / 2,
					      SAMPLE_BUFFER_BYTES);

	err = sample_new_pcm(card, 2, "scatter-gather", &sample_sg_ops, &pcm);
	if (err < 0)
		return err;
	snd_pcm_lib_preallocate_pages_for_all(pcm, SNDRV_DMA_TYPE_DEV_SG,
					      card->dev, SAMPLE_BUFFER_BYTES,
					      SAMPLE_BUFFER_BYTES);
	return 0;
}

static int sample_new_card(struct device *dev)
{
	struct snd_card *card;
	int err;

	err = snd_card_new(dev, index, id, THIS_MODULE,
			   sizeof(struct sample_card), &card);
	if (err < 0)
		return err;
	strscpy(card->driver, "Sample", sizeof(card->driver));
	strscpy(card->shortname, "Sample", sizeof(card->shortname));
	strscpy(card->longname, "Sample of the classic buffer API",
		sizeof(card->longname));

	err = sample_new_pcms(card);
	if (err >= 0)
		err = snd_card_register(card);
	if (err < 0) {
		snd_card_free(card);
		return err;
	}
	sample_card = card;
	return 0;
}

static int __init sample_init(void)
{
	int err;

	sample_device = platform_device_register_simple("snd-sample", -1,
							NULL, 0);
	if (IS_ERR(sample_device))
		return PTR_ERR(sample_device);
	err = sample_new_card(&sample_device->dev);
	if (err < 0)
		platform_device_unregister(sample_device);
	return err;
}

static void __exit sample_exit(void)
{
	snd_card_free(sample_card);
	platform_device_unregister(sample_device);
}

module_init(sample_init);
module_exit(sample_exit);

MODULE_AUTHOR("snd-virtual contributors");
MODULE_DESCRIPTION("sample of a driver that uses the classic buffer API");
MODULE_LICENSE("GPL");
