/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snd-virtual: the driver's structures and what its files offer each other.
 */
#ifndef VSND_H
#define VSND_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <sound/control.h>
#include <sound/core.h>
#include <sound/initval.h>
#include <sound/pcm.h>
#include <sound/pcmbuf.h>

#include "clock.h"
#include "imperfect.h"
#include "ring.h"
#include "timeline.h"

/**
 * DOC: words
 *
 * A card has PCM devices; each substream pair of a device is a cable. A cable
 * has two ends, the player's (playback) and the recorder's (capture). An end
 * counts the frames of its stream since START as a u64 that never wraps; in
 * comments "n". Time is that of the clock of the device: CLOCK_MONOTONIC in ns,
 * mostly, but see clock.h.
 */

/**
 * DOC: locks
 *
 * Outermost first:
 *
 * 1. the PCM core's stream lock (interrupts off): trigger, pointer and ack are
 *    called under it
 * 2. &vsnd_cable.lock: everything that both ends touch
 * 3. &vsnd_clock.lock: which cables run, and the timer (leaf)
 *
 * Under 2 and 3 no stream lock is taken and nothing of the PCM core is called.
 * snd_pcm_period_elapsed() is called with none of them held.
 *
 * Mutexes are taken before all of these: &vsnd_pcm.settings, under open_mutex
 * or the card's controls_rwsem; &vsnd_end.setup; and, under controls_rwsem,
 * &vsnd_step.mutex with &vsnd_step.run in it.
 */

/**
 * DOC: the other end
 *
 * An end's ring, runtime and appl_ptr belong to its own stream. The other end
 * touches them only under the cable's lock and only while @running is set.
 * It is set by START and cleared by STOP under that lock, and STOP precedes
 * hw_free and close: so an end never needs a reference to its peer, and never
 * stops it. The PCM core forgets the STOP of a recorder that the drain of a
 * linked player has made us start; vsnd_end_halt() makes up for it, and keeps
 * an end whose buffer may change from being started.
 */

/**
 * DOC: the position
 *
 * What the PCM core is told of an end is worked out under the cable's lock, in
 * the tick and in vsnd_end_look(). The pointer op mostly needs that once more,
 * and takes it without the lock: @pos is written first, then, behind a write
 * barrier, @stale and @tick, which say that it holds. Whoever reads them in the
 * opposite order gets that position or a later one, of frames that have been
 * moved in either case.
 */

#define VSND_NAME		"snd-virtual"
#define VSND_PCMS_MAX		32	/* PCM devices of a card */
#define VSND_SUBSTREAMS_MAX	128	/* substreams of a device */
#define VSND_RATE_MIN		5512	/* frames per second */
#define VSND_RATE_MAX		768000
#define VSND_CHANNELS_MAX	256
#define VSND_PERIOD_MIN		16	/* frames */
#define VSND_PERIODS_MAX	1024
#define VSND_BUFFER_BYTES_MAX	(32U << 20)
#define VSND_SCALE_MAX		1000	/* of either part of a clock's scale */
#define VSND_LATENCY_MAX	768000	/* frames */
#define VSND_PITCH_CONTROLS	3	/* faces of a stream's pitch */

/* ------------------------------------------------------------------------
 * Configuration
 */

/**
 * struct vsnd_buffers - a way to allocate the buffers of a PCM device
 * @name: as the parameter pcm_buffers spells it
 * @type: the core's memory type
 * @prealloc: whether memory is preallocated when the card is made
 * @bytes_max: largest buffer that can be hoped for, bytes; 0 for any
 * @alloc: gives a substream a buffer of the size in bytes; contract of
 *	snd_pcmbuf_malloc_pages()
 * @free: gives it back
 */
struct vsnd_buffers {
	const char *name;
	enum snd_pcmbuf_type type;
	bool prealloc;
	size_t bytes_max;
	int (*alloc)(struct snd_pcm_substream *substream, size_t size);
	int (*free)(struct snd_pcm_substream *substream);
};

/**
 * struct vsnd_pcm_config - what a PCM device is to be
 * @buffers: where its buffers come from
 * @clock: the clock it goes by
 * @scale: multiplier and divisor of its scaled clock
 * @source: ALSA timer of its timer clock
 * @substreams: pairs of playback and capture, 1 to VSND_SUBSTREAMS_MAX
 * @latency: frames by which its recorders hear later
 * @buffer_bytes_max: largest buffer of a stream, bytes
 * @prealloc_bytes: preallocated for each stream, bytes; 0 for none
 * @rate_min: lowest rate, frames per second
 * @rate_max: highest rate, frames per second
 * @channels_min: fewest channels
 * @channels_max: most channels
 */
struct vsnd_pcm_config {
	const struct vsnd_buffers *buffers;
	enum vsnd_clock_kind clock;
	unsigned int scale[2];
	struct snd_timer_id source;
	unsigned int substreams;
	unsigned int latency;
	size_t buffer_bytes_max;
	size_t prealloc_bytes;
	unsigned int rate_min;
	unsigned int rate_max;
	unsigned int channels_min;
	unsigned int channels_max;
};

/**
 * struct vsnd_config - what a card is to be
 * @index: ALSA card number, negative for any free one
 * @id: ALSA card id
 * @start_grid_ns: START takes effect on a grid of this, ns; 0 for at once
 * @pcm_count: number of PCM devices
 * @pcms: the devices, in order
 *
 * The one way to describe a card. It is the platform data of the card's
 * device: copied by whoever creates that device, freed with it, constant
 * in between. The module's parameters are one way to fill it in.
 */
struct vsnd_config {
	int index;
	char id[16];
	unsigned int start_grid_ns;
	unsigned int pcm_count;
	struct vsnd_pcm_config pcms[VSND_PCMS_MAX];
};

/* ------------------------------------------------------------------------
 * Cable
 */

struct vsnd_cable;
struct vsnd_pcm;

/**
 * struct vsnd_end - one end of a cable: a substream and where it stands
 * @cable: the cable it belongs to
 * @direction: SNDRV_PCM_STREAM_PLAYBACK or _CAPTURE
 * @substream: the open substream, NULL while closed
 * @runtime: its runtime
 * @setup: held by prepare, and while the buffer is taken away at close
 * @ring: its buffer. Written by prepare while not @running.
 * @period: frames between two looks at the stream: a period or, if nobody waits
 *	for its end, half the ring
 * @wakes: whether the client waits for wake-ups
 * @ready: prepared, so that it may start; not while its buffer may change
 * @running: frames pass; see "the other end"
 * @line: which timeline of the cable it goes by; both ends share one while
 *	they run at one rate
 * @from: its frame at which the current run took effect
 * @origin: its frame at which n would have been 0
 * @n: n at the instant up to which the cable has been brought
 * @seen: @n at the last report to the PCM core
 * @pos: @seen as a position in the ring, frames. See "the position".
 * @told: what the PCM core was told last. Protected by the stream lock.
 * @rounds: whole rings that have passed and of which the PCM core has not been
 *	told yet
 * @hw_ptr: the PCM core's hw_ptr once it has taken that report
 * @behind: @rounds may have moved the PCM core's hw_ptr further than @hw_ptr
 * @fresh: n before which its ring holds what it has played a round ago, unless
 *	they have (player); 0 for none
 * @stale: instant from which on that report may no longer hold, ns; 0 for now.
 *	See "the position".
 * @appl_start: the client's appl_ptr at START; after a RESET no appl_ptr at all,
 *	unless the ring goes round
 * @piece: frames that are moved at once at most
 * @next_period: n at which the end of the period is reported
 * @late: frames since that end
 * @event: n at which to look next
 * @moved: n up to which the recorder's ring is written
 * @silent: frames before @moved that were written as silence (recorder).
 *	Prepare sets it without the lock.
 * @mapped: has its client mapped the ring? Then it may write to it at any time.
 * @latency: frames by which the recorder hears later
 * @delay: ring that holds them, while there are any; larger by @latency than
 *	@ring
 * @dragged: known to run by another stream's DRAIN only (recorder)
 * @to_stop: it is about to be stopped, and is to be when its peer is. Set under
 *	the stream lock.
 * @lost: frames were passed that the player had not written (player)
 * @tick: the core is about to look, as far as we know; see "the position"
 * @teller: the task that is having the core look, see vsnd_end_is_told_of()
 *
 * Part of the cable, valid as long as it. Protected by the cable's lock.
 */
struct vsnd_end {
	struct vsnd_cable *cable;
	int direction;
	struct snd_pcm_substream *substream;
	struct snd_pcm_runtime *runtime;
	struct mutex setup;	/* prepare against close, see @setup */
	struct vsnd_ring ring;
	unsigned int period;
	bool wakes;
	bool ready;
	bool running;
	struct vsnd_timeline *line;
	u64 from;
	u64 origin;
	u64 n;
	u64 seen;
	snd_pcm_uframes_t pos;
	snd_pcm_uframes_t told;
	atomic_t rounds;
	snd_pcm_uframes_t hw_ptr;
	bool behind;
	u64 fresh;
	atomic64_t stale;
	snd_pcm_uframes_t appl_start;
	unsigned int piece;
	u64 next_period;
	unsigned int late;
	u64 event;
	u64 moved;
	u64 silent;
	bool mapped;
	unsigned int latency;
	struct vsnd_ring delay;
	bool dragged;
	bool to_stop;
	bool lost;
	bool tick;
	struct task_struct *teller;
};

/**
 * struct vsnd_cable - joins a playback and a capture substream
 * @lock: see "locks"
 * @clock: the clock its device goes by; changes only while both ends are closed
 * @client: its own client clock
 * @plugged: whether the player is heard; else silence. Protected by @lock.
 * @joint: whether both ends run, by one timeline. Protected by @lock.
 * @heard: whether the player's frames go to the recorder now: frame r of the
 *	recorder is frame r + @shift of the player. Protected by @lock.
 * @shift: see @heard
 * @begin: first frame of the recorder that is one of the player's
 * @pitch: rate at which frames pass, ppb of the nominal one. Protected by
 *	@lock.
 * @imperfect: its device's. Protected by @lock.
 * @wobble: how its speed changes by itself. Protected by @lock.
 * @card: the card it belongs to
 * @pcm: the PCM device it belongs to
 * @pitch_controls: what shows @pitch
 * @now: the instant up to which the cable has been brought, ns: time does
 *	not go back for any client. Protected by @lock.
 * @line: timelines of the ends. Protected by @lock.
 * @running: place among the cables of the clock. Protected by the clock's lock.
 * @next_due: next one that the run of its clock under way has found due
 * @deadline: instant at which to look next, ns. Written under @lock.
 * @end: player and recorder, indexed by SNDRV_PCM_STREAM_*
 */
struct vsnd_cable {
	spinlock_t lock;	/* both ends, see above */
	struct vsnd_clock *clock;
	struct vsnd_client client;
	bool plugged;
	bool joint;
	bool heard;
	u64 shift;
	u64 begin;
	u32 pitch;
	struct vsnd_imperfect imperfect;
	struct vsnd_wobble wobble;
	struct snd_card *card;
	struct vsnd_pcm *pcm;
	struct snd_kcontrol *pitch_controls[VSND_PITCH_CONTROLS];
	s64 now;
	struct vsnd_timeline line[2];
	struct list_head running;
	struct vsnd_cable *next_due;
	atomic64_t deadline;
	struct vsnd_end end[2];
};

/**
 * struct vsnd_pcm - a PCM device
 * @card: the card it belongs to
 * @config: what it was made from
 * @pcm: ALSA's device, which owns this
 * @settings: protects @kind, @opened, @imperfect, the scale, the timer's source
 * @kind: the clock it goes by; changes only while @opened is 0
 * @opened: its open streams. Changes under both @pcm->open_mutex and @settings.
 * @scaled: its scaled clock
 * @step: its step clock
 * @follower: its clock on an ALSA timer
 * @heartbeat: keeps the drain of a slow clock from being given up
 * @plugged: state of the switch that plugs its cables. Written with the card's
 *	controls_rwsem held, as @latency is.
 * @latency: frames by which its recorders hear later, from their next prepare on
 * @imperfect: what is to be wrong with it. Protected by @settings.
 * @cables: one for each substream pair, @config->substreams of them
 *
 * Allocated by vsnd_device_create(), freed by the pcm's private_free.
 */
struct vsnd_pcm {
	struct vsnd_card *card;
	const struct vsnd_pcm_config *config;
	struct snd_pcm *pcm;
	struct mutex settings;	/* of its clock, see @settings */
	enum vsnd_clock_kind kind;
	unsigned int opened;
	struct vsnd_hrtimer scaled;
	struct vsnd_step step;
	struct vsnd_follower follower;
	struct delayed_work heartbeat;
	bool plugged;
	unsigned int latency;
	struct vsnd_imperfect imperfect;
	struct vsnd_cable cables[];
};

/**
 * struct vsnd_card - a card
 * @card: ALSA's card, which owns this as its private data
 * @config: what it was made from; lives as long as the parent device
 * @made: instant at which it was made, ns of CLOCK_MONOTONIC
 * @realtime: the clock of all its streams that go by CLOCK_MONOTONIC
 * @pcms: its PCM devices, @config->pcm_count of them
 */
struct vsnd_card {
	struct snd_card *card;
	const struct vsnd_config *config;
	s64 made;
	struct vsnd_hrtimer realtime;
	struct vsnd_pcm *pcms[VSND_PCMS_MAX];
};

/* main.c */
extern struct workqueue_struct *vsnd_workqueue;

/* card.c */
extern struct platform_driver vsnd_driver;

/* mixer.c */
int vsnd_mixer_create(struct vsnd_card *card);

/* control.c */
struct snd_kcontrol *vsnd_control_add(struct vsnd_pcm *pcm,
				      unsigned int subdevice,
				      const struct snd_kcontrol_new *template,
				      void *data);
int vsnd_control_create(struct vsnd_pcm *pcm);

/* device.c */
int vsnd_device_create(struct vsnd_card *card, unsigned int device);
const char *vsnd_device_clock_name(enum vsnd_clock_kind kind);
int vsnd_device_find_clock(const char *name);
int vsnd_device_set_clock(struct vsnd_pcm *pcm, enum vsnd_clock_kind kind);
int vsnd_device_set_scale(struct vsnd_pcm *pcm, unsigned int mul,
			  unsigned int div);
int vsnd_device_set_source(struct vsnd_pcm *pcm,
			   const struct snd_timer_id *source);
void vsnd_device_drain(struct vsnd_pcm *pcm);
int vsnd_device_open(struct vsnd_pcm *pcm);
void vsnd_device_close(struct vsnd_pcm *pcm);

/* pcm.c */
void vsnd_pcm_set_ops(struct snd_pcm *pcm, enum vsnd_clock_kind clock);

/* hw.c */
int vsnd_hw_constrain(struct snd_pcm_substream *substream,
		      const struct vsnd_pcm_config *config,
		      const struct vsnd_clock *clock);
void vsnd_hw_check_wakeups(struct snd_pcm_hw_params *params,
			   const struct vsnd_clock_ops *clock);

/* buffers.c */
const struct vsnd_buffers *vsnd_buffers_find(const char *name);
size_t vsnd_buffers_bytes_max(const struct vsnd_pcm_config *config);
int vsnd_buffers_prepare(struct vsnd_pcm *pcm);

/* end.c */
void vsnd_end_open(struct vsnd_end *end, struct snd_pcm_substream *substream);
void vsnd_end_close(struct vsnd_end *end);
int vsnd_end_prepare(struct vsnd_end *end);
void vsnd_end_undelay(struct vsnd_end *end);
void vsnd_end_forget_silence(struct vsnd_end *end);
void vsnd_end_map(struct vsnd_end *end);
void vsnd_end_silence(struct vsnd_end *end, unsigned int channel, size_t pos,
		      size_t bytes);
int vsnd_end_start(struct vsnd_end *end, s64 *at);
void vsnd_end_stop(struct vsnd_end *end, s64 now);
void vsnd_end_halt(struct vsnd_end *end);
void vsnd_end_reset(struct vsnd_end *end);
void vsnd_end_hurry(struct vsnd_end *end);
void vsnd_end_moved(struct vsnd_end *end);

/* cable.c */
void vsnd_cable_init(struct vsnd_cable *cable, struct vsnd_pcm *pcm);
void vsnd_cable_join(struct vsnd_cable *cable, struct vsnd_end *end, s64 at);
void vsnd_cable_connect(struct vsnd_cable *cable, u64 earliest);
void vsnd_cable_bend(struct vsnd_cable *cable, s64 at);
void vsnd_cable_set_pitch(struct vsnd_cable *cable, u32 pitch);
void vsnd_cable_plug(struct vsnd_cable *cable, bool plugged);

/* tick.c */
void vsnd_cable_fill(struct vsnd_cable *cable);
s64 vsnd_cable_advance(struct vsnd_cable *cable, s64 now);
snd_pcm_uframes_t vsnd_end_look(struct vsnd_end *end, s64 now);
void vsnd_end_plan(struct vsnd_end *end);
s64 vsnd_cable_instant(const struct vsnd_cable *cable);
bool vsnd_cable_schedule(struct vsnd_cable *cable);
bool vsnd_cable_tick(struct vsnd_cable *cable, s64 now);
bool vsnd_cable_tell(struct vsnd_cable *cable);

/* stamp.c */
void vsnd_stamp_start(struct snd_pcm_runtime *runtime, s64 at);
void vsnd_stamp_get(struct vsnd_end *end, struct timespec64 *system,
		    struct timespec64 *audio,
		    const struct snd_pcm_audio_tstamp_config *config,
		    struct snd_pcm_audio_tstamp_report *report);

#endif /* VSND_H */
