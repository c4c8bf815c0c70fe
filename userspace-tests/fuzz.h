/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer: calls of every kind, in an order and with values that chance
 * brings and a seed repeats, to the files of one card, past any library.
 *
 * The parent watches: it is told of each operation in memory that it shares
 * with the child, so that it can say what was done last whatever became of the
 * child. Each operation has a row in a table (struct fuzz_op) that says in
 * which states it makes sense, what may come back, and what may become of the
 * stream. The numbers an operation draws depend on the seed and on its place
 * in the sequence only.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <sound/asound.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define FUZZ_SLOTS	4	/* two devices, playback and capture */
#define FUZZ_THREADS	2
#define FUZZ_MAPS	2	/* mappings of a slot that a thread keeps */
#define FUZZ_OPS	128	/* rows of all tables together, at most */
#define FUZZ_LOG	64	/* operations that are remembered */
#define FUZZ_ARGS	4
#define FUZZ_SCRATCH	(256 * 1024)	/* bytes, with nothing behind them */

/* States beyond the kernel's: a set of them is a mask of bits */
#define FUZZ_CLOSED	9
#define S_BIT(n)	(1U << (n))
#define S(state)	S_BIT(SNDRV_PCM_STATE_##state)
#define S_CLOSED	S_BIT(FUZZ_CLOSED)
#define S_SET		(S(SETUP) | S(PREPARED) | S(RUNNING) | S(XRUN) | \
			 S(DRAINING) | S(PAUSED))
#define S_OPEN		(S(OPEN) | S_SET)
#define S_RUN		(S(RUNNING) | S(DRAINING))
#define S_ANY		(S_OPEN | S_CLOSED)

/* Sets of errno */
enum {
	E_AGAIN = 1 << 0, E_BADF = 1 << 1, E_BADFD = 1 << 2, E_BUSY = 1 << 3,
	E_FAULT = 1 << 4, E_INTR = 1 << 5, E_INVAL = 1 << 6, E_IO = 1 << 7,
	E_NODEV = 1 << 8, E_NOENT = 1 << 9, E_NOMEM = 1 << 10,
	E_NOSYS = 1 << 11, E_NOTTY = 1 << 12, E_NXIO = 1 << 13,
	E_PERM = 1 << 14, E_PIPE = 1 << 15, E_EXIST = 1 << 16,
	E_ALREADY = 1 << 17, E_ACCES = 1 << 18, E_STRPIPE = 1 << 19,
	E_NOSPC = 1 << 20,
};

/* What there is to know about an operation */
enum {
	FUZZ_STREAM = 1 << 0,	/* is about a stream */
	FUZZ_BLOCKS = 1 << 1,	/* may wait: a signal ends it */
	FUZZ_OWN = 1 << 2,	/* not beside another thread on its stream */
	FUZZ_JUMPS = 1 << 3,	/* the position may go back */
	FUZZ_NEVER = 1 << 4,	/* must never succeed */
	FUZZ_ALONE = 1 << 5,	/* not where a second thread is */
	FUZZ_GROUP = 1 << 6,	/* locks the rings of a linked group in turn */
	FUZZ_LINKS = 1 << 7,	/* changes which streams are linked */
	FUZZ_RARE = 1 << 8,	/* needs more than a few ops to succeed once */
	FUZZ_RACE = 1 << 9,	/* is tried in races first of all */
	FUZZ_STRICT = 1 << 10,	/* for kernels that resume the suspended only, */
	FUZZ_LAX = 1 << 11,	/* and for those that take the others for OPEN */
	FUZZ_WHOLE = 1 << 12,	/* all of a linked group get to .success */
	FUZZ_MOVES = 1 << 13,	/* the others of the group may get to .anyway */
	FUZZ_RING = 1 << 14,	/* EBUSY while another thread uses the ring */
};

/**
 * struct fuzz_slot - a stream
 * @fd: its file, -1 while it is closed
 * @device: number of the PCM device
 * @capture: whether it records
 * @nonblock: how it was opened
 * @group: which linked group it is in, 0 for none
 * @hostile: its appl_ptr is not one that the kernel has looked at
 * @state: as last seen
 * @hw_ptr: as last seen, valid if @tracked
 * @tracked: whether @hw_ptr may be compared
 * @access: from here on as last configured
 */
struct fuzz_slot {
	int fd;
	unsigned int device;
	bool capture;
	bool nonblock;
	unsigned int group;
	bool hostile;
	bool tracked;
	unsigned int state;
	unsigned long hw_ptr;
	unsigned long boundary;
	unsigned int access;
	unsigned int format;
	unsigned int channels;
	unsigned int rate;
	unsigned long period;
	unsigned long buffer;
	unsigned int frame_bytes;
};

/* An operation that was done, as it is remembered */
struct fuzz_entry {
	uint64_t number;
	int16_t op;
	int8_t slot;
	uint8_t before;
	uint8_t after;
	bool over;
	bool odd;		/* with values that may be wrong on purpose */
	uint8_t args;
	int64_t result;
	uint64_t arg[FUZZ_ARGS];
};

struct fuzz_count {
	uint64_t done;
	uint64_t good;
	uint64_t bad[24];
};

/* What parent and child share */
struct fuzz_shared {
	uint64_t beat;
	uint64_t ops;
	uint64_t digest;
	uint64_t results;
	uint64_t targets;	/* states that a race was to begin in, */
	uint64_t reached;	/* and those of them that it did */
	char failure[256];
	char failed;
	struct fuzz_entry log[FUZZ_THREADS][FUZZ_LOG];
	uint64_t logged[FUZZ_THREADS];
	struct fuzz_count count[FUZZ_THREADS][FUZZ_OPS];
};

struct fuzz_map {
	unsigned char *at;
	size_t bytes;
	bool writable;
};

/* A thread that does operations, and what only it uses */
struct fuzz_thread {
	unsigned int number;
	uint64_t rng;
	struct fuzz_entry *now;
	bool quiet;		/* a child's: counts nothing */
	int ctl;
	int timer;
	timer_t alarm;
	bool blocking;		/* of the operation under way */
	struct fuzz_map map[FUZZ_SLOTS][FUZZ_MAPS];
	volatile struct snd_pcm_mmap_status *status[FUZZ_SLOTS];
	volatile struct snd_pcm_mmap_control *control[FUZZ_SLOTS];
	unsigned char *scratch;
};

struct fuzz_op {
	const char *name;
	long (*run)(struct fuzz_thread *t, struct fuzz_slot *s);
	unsigned int weight;	/* how often, 1 to 16 */
	unsigned int flags;
	unsigned int likely;	/* states in which it makes sense */
	unsigned int success;	/* states after success; 0: as before */
	unsigned int anyway;	/* states after anything, besides */
	uint32_t errnos;	/* what it may fail with */
	unsigned int access;	/* ways of access it makes sense with; 0: all */
};

/* Of the whole program */
extern struct fuzz_shared *fuzz_shared;
extern struct fuzz_slot fuzz_slots[FUZZ_SLOTS];
extern const struct fuzz_op *fuzz_ops[FUZZ_OPS];
extern unsigned int fuzz_op_count;
extern int fuzz_card;
extern bool fuzz_racing;
extern uint64_t fuzz_seed;

/* The tables, each ended by a row without a name */
extern const struct fuzz_op fuzz_hw_ops[];
extern const struct fuzz_op fuzz_pcm_ops[];
extern const struct fuzz_op fuzz_data_ops[];
extern const struct fuzz_op fuzz_ctl_ops[];
extern const struct fuzz_op fuzz_timer_ops[];
extern const struct fuzz_op fuzz_sys_ops[];

/* fuzz.c */
void fuzz_fail(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
int fuzz_open_ctl(void);

/* fuzz_model.c: chance, the log, one operation and its judgement */
uint64_t fuzz_draw(struct fuzz_thread *t);
uint64_t fuzz_below(struct fuzz_thread *t, uint64_t n);
bool fuzz_once_in(struct fuzz_thread *t, unsigned int n);
uint64_t fuzz_odd(struct fuzz_thread *t);
uint64_t fuzz_arg(struct fuzz_thread *t, uint64_t value);
void fuzz_seed_op(struct fuzz_thread *t, uint64_t number);
const struct fuzz_op *fuzz_choose(struct fuzz_thread *t,
				  const struct fuzz_slot *s, unsigned int state,
				  unsigned int without, unsigned int only);
void fuzz_do(struct fuzz_thread *t, const struct fuzz_op *op,
	     struct fuzz_slot *s, uint64_t number);
int fuzz_index(const struct fuzz_op *op);
const char *fuzz_state_name(unsigned int state);
const char *fuzz_error_name(unsigned int bit);
bool fuzz_look(struct fuzz_slot *s, struct snd_pcm_sync_ptr *sp);
long fuzz_ret(long ret);

/* fuzz_lanes.c: what is done in which order */
struct fuzz_limits {
	uint64_t ops;		/* 0 for any number */
	int64_t until;		/* ns of CLOCK_MONOTONIC, 0 for ever */
	const char *lane;
	const char *only;	/* name of the one operation, or NULL */
	uint64_t first;		/* number of the first operation */
};

bool fuzz_is_lane(const char *lane);
bool fuzz_races(const char *lane);
uint64_t fuzz_least(const struct fuzz_op *op, const char *lane);
void fuzz_live(const struct fuzz_limits *limits);
int64_t fuzz_now(void);
void fuzz_thread_init(struct fuzz_thread *t, unsigned int number);

/* fuzz_pcm.c */
bool fuzz_resumes_any(void);

/* fuzz_hw.c, fuzz_data.c: steps that others need as well */
long fuzz_open_slot(struct fuzz_slot *s, bool nonblock);
void fuzz_close_slot(struct fuzz_thread *t, struct fuzz_slot *s);
long fuzz_set_params(struct fuzz_slot *s, struct snd_pcm_hw_params *p);
void fuzz_plain_params(struct snd_pcm_hw_params *p, unsigned int period,
		       unsigned int buffer);
void fuzz_map_slot(struct fuzz_thread *t, struct fuzz_slot *s);
void fuzz_unmap_slot(struct fuzz_thread *t, struct fuzz_slot *s);
void fuzz_find_files(void);
void fuzz_find_controls(int ctl);
void fuzz_restore_controls(int ctl);
void fuzz_restore_files(void);

/* fuzz_carry.c: the card carries every frame; NULL or why not */
const char *fuzz_carry(unsigned int device);

#endif
