// SPDX-License-Identifier: GPL-2.0-only
/* The fuzzer: the timers that streams are, through /dev/snd/timer. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fuzz.h"

static long run_open(struct fuzz_thread *t, struct fuzz_slot *s)
{
	int tread = fuzz_arg(t, fuzz_below(t, 2));

	(void)s;
	if (t->timer >= 0)
		close(t->timer);
	t->timer = open("/dev/snd/timer", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->timer < 0)
		return -errno;
	return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_TREAD, &tread));
}

/* That of the stream, mostly; only those of PCMs, for others are the kernel's */
static void set_id(struct fuzz_thread *t, struct fuzz_slot *s,
		   struct snd_timer_id *id)
{
	*id = (struct snd_timer_id){
		.dev_class = SNDRV_TIMER_CLASS_PCM,
		.dev_sclass = SNDRV_TIMER_SCLASS_NONE,
		.card = fuzz_card,
		.device = s->device,
		.subdevice = s->capture,
	};
	if (fuzz_once_in(t, 6))
		id->card = fuzz_odd(t);
	if (fuzz_once_in(t, 6))
		id->device = fuzz_odd(t);
	if (fuzz_once_in(t, 6))
		id->subdevice = fuzz_odd(t);
	if (fuzz_once_in(t, 12))
		id->dev_sclass = fuzz_odd(t);
}

static long run_select(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_timer_select select;

	memset(&select, 0, sizeof(select));
	set_id(t, s, &select.id);
	return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_SELECT, &select));
}

static long run_params(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_timer_params params = {
		.flags = fuzz_once_in(t, 4) ? fuzz_odd(t) : fuzz_below(t, 8),
		.ticks = fuzz_once_in(t, 4) ? fuzz_odd(t) : 1,
		.queue_size = fuzz_once_in(t, 4) ? fuzz_odd(t) : 64,
		.filter = fuzz_once_in(t, 2) ? 0 : 1 << fuzz_below(t, 12),
	};

	(void)s;
	return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_PARAMS, &params));
}

static long run_go(struct fuzz_thread *t, struct fuzz_slot *s)
{
	static const unsigned long requests[] = {
		SNDRV_TIMER_IOCTL_START, SNDRV_TIMER_IOCTL_STOP,
		SNDRV_TIMER_IOCTL_CONTINUE, SNDRV_TIMER_IOCTL_PAUSE,
	};

	(void)s;
	return fuzz_ret(ioctl(t->timer,
			      requests[fuzz_arg(t, fuzz_below(t, 4))]));
}

static long run_ask(struct fuzz_thread *t, struct fuzz_slot *s)
{
	union {
		struct snd_timer_info info;
		struct snd_timer_status status;
		struct snd_timer_id id;
		struct snd_timer_ginfo ginfo;
		struct snd_timer_gstatus gstatus;
	} u;

	memset(&u, 0, sizeof(u));
	switch (fuzz_arg(t, fuzz_below(t, 5))) {
	case 0:
		return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_INFO, &u));
	case 1:
		return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_STATUS, &u));
	case 2:
		set_id(t, s, &u.id);
		return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_NEXT_DEVICE,
				      &u));
	case 3:
		set_id(t, s, &u.ginfo.tid);
		return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_GINFO, &u));
	default:
		set_id(t, s, &u.gstatus.tid);
		return fuzz_ret(ioctl(t->timer, SNDRV_TIMER_IOCTL_GSTATUS,
				      &u));
	}
}

static long run_read(struct fuzz_thread *t, struct fuzz_slot *s)
{
	struct snd_timer_tread events[4];
	long ret;

	(void)s;
	ret = fuzz_ret(read(t->timer, events,
			    fuzz_arg(t, fuzz_below(t, sizeof(events) + 1))));
	return ret == -EAGAIN ? 0 : ret;
}

#define TIMER	(E_BADFD | E_BADF | E_INVAL)

const struct fuzz_op fuzz_timer_ops[] = {
	{ "timer open", run_open, 1, FUZZ_RACE, S_ANY, 0, 0, E_BUSY },
	{ "timer select", run_select, 2, FUZZ_RACE, S_OPEN, 0, 0,
	  TIMER | E_NODEV | E_BUSY | E_NOMEM },
	{ "timer params", run_params, 1, 0, S_OPEN, 0, 0, TIMER | E_NOMEM },
	{ "timer go", run_go, 2, FUZZ_RACE, S_OPEN, 0, 0, TIMER | E_BUSY },
	{ "timer ask", run_ask, 1, 0, S_OPEN, 0, 0, TIMER | E_NODEV | E_NOTTY },
	{ "timer read", run_read, 1, 0, S_OPEN, 0, 0, TIMER },
	{ }
};
