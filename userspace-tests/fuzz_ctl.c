// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: controls, those of the card and those that users add, with values
 * within their range and others.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fuzz.h"

#define CONTROLS	128
#define USERS		8	/* controls that are added, by their index */
#define STEP_MOST	4096	/* frames: a step takes time */
#define LATENCY_MOST	20000	/* frames, mostly: so does clearing them */

static struct snd_ctl_elem_info controls[CONTROLS];
static struct snd_ctl_elem_value initial[CONTROLS];
static unsigned int control_count;

static bool is_named(const struct snd_ctl_elem_info *c, const char *name)
{
	return !strcmp((const char *)c->id.name, name);
}

/* What the card has, and how it was set */
void fuzz_find_controls(int ctl)
{
	static struct snd_ctl_elem_id ids[CONTROLS];
	struct snd_ctl_elem_list list = { .space = CONTROLS, .pids = ids };
	unsigned int i;

	if (ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_LIST, &list) < 0)
		fuzz_fail("list of controls: %s", strerror(errno));
	control_count = list.used;
	for (i = 0; i < control_count; i++) {
		controls[i].id = ids[i];
		initial[i].id = ids[i];
		if (ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_INFO, &controls[i]) < 0 ||
		    ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_READ, &initial[i]) < 0)
			fuzz_fail("control %s: %s", ids[i].name,
				  strerror(errno));
	}
}

/* As the card was; with every stream closed */
void fuzz_restore_controls(int ctl)
{
	struct snd_ctl_elem_id id = {
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
	};
	unsigned int i;

	for (i = 0; i < control_count; i++) {
		ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_UNLOCK, &controls[i].id);
		if (controls[i].access & SNDRV_CTL_ELEM_ACCESS_WRITE &&
		    ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_WRITE, &initial[i]) < 0)
			fuzz_fail("restoring %s: %s", controls[i].id.name,
				  strerror(errno));
	}
	for (i = 0; i < USERS; i++) {
		snprintf((char *)id.name, sizeof(id.name), "Fuzz %u", i);
		ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_UNLOCK, &id);
		ioctl(ctl, SNDRV_CTL_IOCTL_ELEM_REMOVE, &id);
	}
}

static struct snd_ctl_elem_info *a_control(struct fuzz_thread *t)
{
	return &controls[fuzz_arg(t, fuzz_below(t, control_count))];
}

static void set_user(struct fuzz_thread *t, struct snd_ctl_elem_id *id)
{
	memset(id, 0, sizeof(*id));
	id->iface = SNDRV_CTL_ELEM_IFACE_MIXER;
	snprintf((char *)id->name, sizeof(id->name), "Fuzz %u",
		 (unsigned int)fuzz_arg(t, fuzz_below(t, USERS)));
}

/* One of the card's, one of ours, or none */
static struct snd_ctl_elem_id an_id(struct fuzz_thread *t)
{
	struct snd_ctl_elem_id id;
	unsigned int kind = fuzz_below(t, 8);
	unsigned char *byte = (unsigned char *)&id;

	if (kind > 3)
		return a_control(t)->id;
	set_user(t, &id);
	if (!kind) {
		t->now->odd = true;
		byte[fuzz_below(t, sizeof(id))] = fuzz_draw(t);
	}
	if (kind == 1)
		id.numid = fuzz_once_in(t, 4) ? fuzz_odd(t) :
			   fuzz_below(t, control_count + 10);
	return id;
}

static long run_list(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_id ids[16];
	struct snd_ctl_elem_list list = {
		.offset = fuzz_once_in(t, 4) ? fuzz_odd(t) : fuzz_below(t, 30),
		.space = fuzz_below(t, ARRAY_SIZE(ids) + 1),
		.pids = fuzz_once_in(t, 16) ? (void *)8 : ids,
	};

	(void)s;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_LIST, &list));
}

static long run_info(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_info info = { .id = an_id(t) };

	(void)s;
	info.value.enumerated.item = fuzz_once_in(t, 2) ? 0 : fuzz_odd(t);
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_INFO, &info));
}

static long run_read(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_value value = { .id = an_id(t) };

	(void)s;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_READ, &value));
}

static long in_range(struct fuzz_thread *t, const struct snd_ctl_elem_info *c,
		     unsigned int i)
{
	long min = c->value.integer.min, max = c->value.integer.max;

	switch (c->type) {
	case SNDRV_CTL_ELEM_TYPE_BOOLEAN:
		return fuzz_below(t, 2);
	case SNDRV_CTL_ELEM_TYPE_ENUMERATED:
		return fuzz_below(t, c->value.enumerated.items);
	}
	if (is_named(c, "PCM Clock Step"))
		max = STEP_MOST;
	if (is_named(c, "PCM Latency") && !fuzz_once_in(t, 32))
		max = fuzz_once_in(t, 2) ? 0 : LATENCY_MOST;
	if (fuzz_once_in(t, 8))
		return fuzz_once_in(t, 2) ? min : max;
	if (is_named(c, "PCM Clock Timer"))
		return i ? fuzz_below(t, 4) : 1 + fuzz_below(t, 3);
	return min + fuzz_below(t, (uint64_t)max - min + 1);
}

static void set_item(struct snd_ctl_elem_value *v,
		     const struct snd_ctl_elem_info *c, unsigned int i, long x)
{
	if (c->type == SNDRV_CTL_ELEM_TYPE_ENUMERATED)
		v->value.enumerated.item[i] = x;
	else
		v->value.integer.value[i] = x;
}

/* What was taken must be a value that the control says it can have. */
static void expect_in_range(struct fuzz_thread *t,
			    const struct snd_ctl_elem_info *c)
{
	struct snd_ctl_elem_value v = { .id = c->id };
	unsigned int i;
	long x;

	if (ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_READ, &v) < 0)
		return;
	for (i = 0; i < c->count && i < 8; i++) {
		x = v.value.integer.value[i];
		if (c->type == SNDRV_CTL_ELEM_TYPE_INTEGER &&
		    (x < c->value.integer.min || x > c->value.integer.max))
			fuzz_fail("%s is %ld, out of %ld to %ld", c->id.name, x,
				  c->value.integer.min, c->value.integer.max);
		if (c->type == SNDRV_CTL_ELEM_TYPE_ENUMERATED &&
		    v.value.enumerated.item[i] >= c->value.enumerated.items)
			fuzz_fail("%s is item %u", c->id.name,
				  v.value.enumerated.item[i]);
	}
}

static long write_checked(struct fuzz_thread *t,
			  const struct snd_ctl_elem_info *c,
			  struct snd_ctl_elem_value *value)
{
	if (ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_WRITE, value) < 0)
		return -errno;
	expect_in_range(t, c);
	return 0;
}

static long run_write(struct fuzz_thread *t, struct fuzz_slot *s)
{
	const struct snd_ctl_elem_info *c = a_control(t);
	struct snd_ctl_elem_value value = { .id = c->id };
	unsigned int i;

	(void)s;
	for (i = 0; i < c->count && i < 8; i++)
		set_item(&value, c, i, fuzz_arg(t, in_range(t, c, i)));
	return write_checked(t, c, &value);
}

/*
 * A step of any length is no garbage, but would take as long as it says; and a
 * long latency would have all PREPAREs after it clear much memory.
 */
static bool takes_long(const struct snd_ctl_elem_info *c, long x)
{
	if (x > INT_MAX)
		return false;
	return (is_named(c, "PCM Clock Step") && x > STEP_MOST) ||
	       (is_named(c, "PCM Latency") && x > LATENCY_MOST);
}

static long run_write_garbage(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_info *c = a_control(t);
	struct snd_ctl_elem_value value = { .id = c->id };
	unsigned int i;
	long x;

	(void)s;
	for (i = 0; i < 8; i++) {
		x = fuzz_odd(t);
		if (takes_long(c, x))
			x = -x;
		set_item(&value, c, i, x);
	}
	fuzz_arg(t, x);
	return write_checked(t, c, &value);
}

/* The clock alone: what it takes hold of, all the rest then meets */
static long run_clock(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_value value = {
		.id.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.id.name = "PCM Clock",
		.id.device = fuzz_arg(t, fuzz_below(t, 2)),
		/* mostly the first, which is the default */
		.value.enumerated.item[0] =
			fuzz_arg(t, fuzz_once_in(t, 2) ? 0 : fuzz_below(t, 6)),
	};

	(void)s;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
}

static long run_user_write(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_value value;
	unsigned int i;

	(void)s;
	memset(&value, 0, sizeof(value));
	set_user(t, &value.id);
	for (i = 0; i < 16; i++)
		value.value.integer.value[i] = fuzz_odd(t);
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_WRITE, &value));
}

static long run_add(struct fuzz_thread *t, struct fuzz_slot *s)
{
	static const char names[] = "one\0two\0three";
	struct snd_ctl_elem_info info = {
		.type = 1 + fuzz_below(t, 6),
		.access = SNDRV_CTL_ELEM_ACCESS_READWRITE,
		.count = 1 + fuzz_below(t, 8),
		.value.integer = { 0, 100, 1 },
	};
	struct snd_ctl_elem_info found;
	bool there;

	(void)s;
	set_user(t, &info.id);
	found.id = info.id;
	if (info.type == SNDRV_CTL_ELEM_TYPE_ENUMERATED) {
		memset(&info.value, 0, sizeof(info.value));
		info.value.enumerated.items = 3;
		info.value.enumerated.names_ptr = (unsigned long)names;
		info.value.enumerated.names_length = sizeof(names);
	}
	if (fuzz_once_in(t, 2))
		info.access |= SNDRV_CTL_ELEM_ACCESS_TLV_READWRITE;
	if (fuzz_once_in(t, 3)) {
		info.count = fuzz_odd(t);
		info.access = fuzz_odd(t);
		info.owner = fuzz_once_in(t, 2) ? 1 : fuzz_odd(t);
	}
	if (fuzz_once_in(t, 6))
		info.value.enumerated.names_length = fuzz_odd(t);
	/* to add what is there the kernel has to tell its log about */
	there = !ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_INFO, &found);
	return fuzz_ret(ioctl(t->ctl, there || fuzz_once_in(t, 8) ?
			      SNDRV_CTL_IOCTL_ELEM_REPLACE :
			      SNDRV_CTL_IOCTL_ELEM_ADD, &info));
}

static long run_remove(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_id id = an_id(t);

	(void)s;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_REMOVE, &id));
}

static long run_lock(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_id id = an_id(t);

	(void)s;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_LOCK, &id));
}

static long run_unlock(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_elem_id id = an_id(t);

	(void)s;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_UNLOCK, &id));
}

static long run_tlv(struct fuzz_thread *t, struct fuzz_slot *s)
{
	static const unsigned long requests[] = {
		SNDRV_CTL_IOCTL_TLV_READ, SNDRV_CTL_IOCTL_TLV_WRITE,
		SNDRV_CTL_IOCTL_TLV_COMMAND,
	};
	struct snd_ctl_elem_info info;
	unsigned int data[64] = {
		fuzz_below(t, control_count + USERS + 4),
		fuzz_once_in(t, 6) ? fuzz_odd(t) : 8 * fuzz_below(t, 8),
	};

	(void)s;
	set_user(t, &info.id);
	if (fuzz_once_in(t, 2) &&
	    !ioctl(t->ctl, SNDRV_CTL_IOCTL_ELEM_INFO, &info))
		data[0] = info.id.numid;
	fuzz_arg(t, data[0]);
	/* nothing of the stack behind it is to be overwritten */
	if (data[1] > sizeof(data) - 8 && !fuzz_once_in(t, 8))
		data[1] = sizeof(data) - 8;
	if (data[1] > sizeof(data) - 8)
		return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_TLV_WRITE,
				      data));
	return fuzz_ret(ioctl(t->ctl, requests[fuzz_below(t, 3)], data));
}

static long run_events(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_event events[4];
	int on = fuzz_arg(t, fuzz_below(t, 4));
	long ret;

	(void)s;
	if (ioctl(t->ctl, SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS, &on) < 0)
		return -errno;
	ret = fuzz_ret(read(t->ctl, events, fuzz_below(t, sizeof(events) + 1)));
	return ret == -EAGAIN ? 0 : ret;
}

/* For a moment: with one that is not there no stream can be opened. */
static long prefer(struct fuzz_thread *t, int n)
{
	const int none = -1;

	if (ioctl(t->ctl, SNDRV_CTL_IOCTL_PCM_PREFER_SUBDEVICE, &n) < 0)
		return -errno;
	return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_PCM_PREFER_SUBDEVICE,
			      &none));
}

static long run_card(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_ctl_card_info card;
	struct snd_pcm_info pcm = {
		.device = fuzz_once_in(t, 8) ? fuzz_odd(t) : fuzz_below(t, 3),
		.subdevice = fuzz_once_in(t, 8) ? fuzz_odd(t) : 0,
		.stream = fuzz_once_in(t, 8) ? (int)fuzz_odd(t) :
			  (int)fuzz_below(t, 2),
	};
	int n = fuzz_once_in(t, 4) ? (int)fuzz_odd(t) : -1;

	(void)s;
	switch (fuzz_arg(t, fuzz_below(t, 5))) {
	case 0:
		return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_CARD_INFO,
				      &card));
	case 1:
		return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_PCM_NEXT_DEVICE,
				      &n));
	case 2:
		return prefer(t, n);
	case 3:
		return fuzz_ret(ioctl(t->ctl, fuzz_draw(t) & 0xffffff, NULL));
	default:
		return fuzz_ret(ioctl(t->ctl, SNDRV_CTL_IOCTL_PCM_INFO, &pcm));
	}
}

#define PUT	(E_INVAL | E_PERM | E_BUSY | E_AGAIN | E_NODEV | E_NOMEM)
#define FIND	(E_NOENT | E_INVAL)

const struct fuzz_op fuzz_ctl_ops[] = {
	{ "ctl list", run_list, 1, 0, S_ANY, 0, 0, E_FAULT },
	{ "ctl info", run_info, 1, 0, S_ANY, 0, 0, FIND },
	{ "ctl read", run_read, 2, 0, S_ANY, 0, 0, FIND | E_PERM },
	{ "ctl write", run_write, 4, FUZZ_RACE, S_ANY, 0, 0, PUT },
	{ "ctl write garbage", run_write_garbage, 2, 0, S_ANY, 0, 0, PUT },
	{ "ctl clock", run_clock, 2, FUZZ_RARE, S_CLOSED, 0, 0, PUT },
	{ "ctl user write", run_user_write, 1, FUZZ_RARE, S_ANY, 0, 0,
	  FIND | E_PERM },
	{ "ctl add", run_add, 1, 0, S_ANY, 0, 0,
	  FIND | E_BUSY | E_NOMEM | E_FAULT | E_PERM },
	{ "ctl remove", run_remove, 1, 0, S_ANY, 0, 0,
	  FIND | E_BUSY | E_PERM },
	{ "ctl lock", run_lock, 1, 0, S_ANY, 0, 0,
	  FIND | E_BUSY },
	{ "ctl unlock", run_unlock, 2, 0, S_ANY, 0, 0,
	  FIND | E_PERM },
	{ "ctl tlv", run_tlv, 1, FUZZ_RARE, S_ANY, 0, 0,
	  FIND | E_NXIO | E_PERM | E_FAULT | E_NOMEM | E_NOSPC },
	{ "ctl events", run_events, 1, 0, S_ANY, 0, 0, E_BADFD | E_INVAL },
	{ "ctl card", run_card, 1, 0, S_ANY, 0, 0,
	  E_NXIO | E_INVAL | E_NOTTY | E_FAULT | E_NOENT | E_NODEV },
	{ }
};
