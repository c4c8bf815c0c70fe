// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controls of the clocks: what they offer and refuse, that each device has
 * its own, what a stream is told by each clock, and that every one carries
 * every frame.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include "vctl.h"

#define OFFSET_CONTROL	0x81000000UL	/* of the control page, 64 bit */

static const char *const clocks[] = { "realtime", "client", "step", "scaled" };

struct job {
	int device;
	const char *clock;
	snd_pcm_stream_t dir;
};

/* As the module was told: pcm_clocks, or realtime for the devices beyond it. */
static void wanted_clock(int device, char *name, size_t size)
{
	static const char path[] =
		"/sys/module/snd_virtual/parameters/pcm_clocks";
	FILE *f = fopen(path, "r");
	char text[512] = "", *word, *rest = text;
	int i;

	EXPECT(f, "cannot read %s", path);
	EXPECT(fgets(text, sizeof(text), f), "%s is empty", path);
	fclose(f);
	for (i = 0; (word = strsep(&rest, ",\n")); i++)
		if (i == device && word[0] && word[0] != '(')
			break;
	snprintf(name, size, "%s", word ? word : "realtime");
}

static void test_initial(const void *arg)
{
	static const long hrtimer[] = { 1, 0, 3, 0 };
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_ctl();
	char wanted[32];
	unsigned int i;

	wanted_clock(job->device, wanted, sizeof(wanted));
	EXPECT(!strcmp(vt_clock_get(ctl, job->device), wanted),
	       "goes by %s, wanted %s", vt_clock_get(ctl, job->device),
	       wanted);
	vt_note("device %d: %s", job->device, wanted);
	EXPECT(vt_ctl_get(ctl, VT_SCALE, job->device, 0, 0) == 1 &&
	       vt_ctl_get(ctl, VT_SCALE, job->device, 0, 1) == 1,
	       "not scaled 1,1");
	EXPECT(!vt_ctl_get(ctl, VT_STEP, job->device, 0, 0),
	       "the step does not read 0");
	/* the global timer of the kernel's high resolution timers */
	for (i = 0; i < ARRAY_SIZE(hrtimer); i++)
		EXPECT(vt_ctl_get(ctl, "PCM Clock Timer", job->device, 0, i) ==
		       hrtimer[i], "timer's value %u is %ld", i,
		       vt_ctl_get(ctl, "PCM Clock Timer", job->device, 0, i));
	MUST(vt_clock_set(ctl, job->device, "realtime"));
}

static bool is_told(snd_ctl_t *ctl)
{
	snd_ctl_event_t *event;
	int err;

	snd_ctl_event_alloca(&event);
	err = snd_ctl_read(ctl, event);
	EXPECT(err == 1 || err == -EAGAIN, "events: %s", snd_strerror(err));
	return err == 1;
}

static void test_set(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_ctl(), *listener = vt_ctl();
	int other = (job->device + 1) % vt_devices();

	MUST(snd_ctl_nonblock(listener, 1));
	vt_use_clock(other, "realtime");
	vt_use_clock(job->device, "realtime");
	MUST(snd_ctl_subscribe_events(listener, 1));
	MUST(vt_clock_set(ctl, job->device, job->clock));
	EXPECT(!strcmp(vt_clock_get(ctl, job->device), job->clock),
	       "goes by %s", vt_clock_get(ctl, job->device));
	EXPECT(!strcmp(vt_clock_get(ctl, other), "realtime"),
	       "device %d changed as well", other);
	EXPECT(is_told(listener) == !!strcmp(job->clock, "realtime"),
	       "those who listen were not told the truth");
	MUST(vt_clock_set(ctl, job->device, job->clock));
	EXPECT(!is_told(listener), "no change, and it was told");
	MUST(vt_clock_set(ctl, job->device, "realtime"));
	EXPECT(!strcmp(vt_clock_get(ctl, job->device), "realtime"),
	       "does not come back to realtime");
}

/* While a stream is open only what is there can be chosen. */
static void test_busy(const void *arg)
{
	const struct job *job = arg;
	int other = (job->device + 1) % vt_devices();
	snd_ctl_t *ctl = vt_ctl();
	struct vt_stream *s;
	unsigned int i;

	vt_use_clock(other, "realtime");
	vt_use_clock(job->device, job->clock);
	s = vt_open(job->device, 0, job->dir, 0);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		if (!strcmp(clocks[i], job->clock))
			continue;
		REFUSED(-EBUSY, vt_clock_set(ctl, job->device, clocks[i]));
		EXPECT(!strcmp(vt_clock_get(ctl, job->device), job->clock),
		       "changed to %s", vt_clock_get(ctl, job->device));
		MUST(vt_clock_set(ctl, other, clocks[i]));
	}
	MUST(vt_configure(s, &vt_plain));
	REFUSED(-EBUSY, vt_clock_set(ctl, job->device,
				     strcmp(job->clock, "step") ? "step" :
				     "client"));
	vt_close(s);
	for (i = 0; i < ARRAY_SIZE(clocks); i++)
		MUST(vt_clock_set(ctl, job->device, clocks[i]));
}

static void test_invalid(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_ctl();
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_info_t *info;
	unsigned int items[3], i;

	snd_ctl_elem_info_alloca(&info);
	vt_ctl_info(ctl, info, VT_CLOCK, job->device, 0);
	EXPECT(snd_ctl_elem_info_get_type(info) == SND_CTL_ELEM_TYPE_ENUMERATED,
	       "not a list");
	EXPECT(snd_ctl_elem_info_get_count(info) == 1, "not one value");
	items[0] = snd_ctl_elem_info_get_items(info);
	items[1] = items[0] + 1;
	items[2] = ~0U;
	vt_use_clock(job->device, job->clock);
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		snd_ctl_elem_value_alloca(&value);
		vt_ctl_name(value, VT_CLOCK, job->device, 0);
		snd_ctl_elem_value_set_enumerated(value, 0, items[i]);
		REFUSED(-EINVAL, snd_ctl_elem_write(ctl, value));
	}
	EXPECT(!strcmp(vt_clock_get(ctl, job->device), job->clock),
	       "goes by %s", vt_clock_get(ctl, job->device));
}

static void test_scale(const void *arg)
{
	static const long good[][2] = {
		{ 1, 1 }, { 1000, 1 }, { 1, 1000 }, { 1000, 1000 }, { 2, 3 },
	};
	static const long bad[][2] = {
		{ 0, 1 }, { 1, 0 }, { -1, 1 }, { 1, -1 }, { 1001, 1 },
		{ 1, 1001 }, { LONG_MAX, 1 }, { 1, LONG_MIN },
		{ VT_BEYOND_INT | 1, 1 },
	};
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_ctl();
	snd_ctl_elem_info_t *info;
	unsigned int i;

	snd_ctl_elem_info_alloca(&info);
	vt_ctl_info(ctl, info, VT_SCALE, job->device, 0);
	EXPECT(snd_ctl_elem_info_get_count(info) == 2, "not two values");
	EXPECT(snd_ctl_elem_info_get_min(info) == 1 &&
	       snd_ctl_elem_info_get_max(info) == 1000, "range %ld..%ld",
	       snd_ctl_elem_info_get_min(info),
	       snd_ctl_elem_info_get_max(info));
	vt_use_scale(job->device, 1, 1);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		MUST(vt_ctl_set(ctl, VT_SCALE, job->device, 0, good[i][0],
				good[i][1]));
		EXPECT(vt_ctl_get(ctl, VT_SCALE, job->device, 0, 0) ==
		       good[i][0] &&
		       vt_ctl_get(ctl, VT_SCALE, job->device, 0, 1) ==
		       good[i][1], "%ld,%ld is not read back", good[i][0],
		       good[i][1]);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		REFUSED(-EINVAL, vt_ctl_set(ctl, VT_SCALE, job->device, 0,
					    bad[i][0], bad[i][1]));
	EXPECT(vt_ctl_get(ctl, VT_SCALE, job->device, 0, 0) == 2 &&
	       vt_ctl_get(ctl, VT_SCALE, job->device, 0, 1) == 3,
	       "a refused value was taken");
}

/* Values that a control does not have */
static const struct {
	const char *name;
	unsigned int count;
	long values[4];
} refused[] = {
	{ VT_LATENCY, 1, { -1 } },
	{ VT_LATENCY, 1, { 768001 } },
	{ VT_LATENCY, 1, { LONG_MIN } },
	{ VT_LATENCY, 1, { LONG_MAX } },
	{ VT_LATENCY, 1, { VT_BEYOND_INT } },
	{ "PCM Clock Timer", 4, { 0, 0, 0, 0 } },
	{ "PCM Clock Timer", 4, { 4, 0, 0, 0 } },
	{ "PCM Clock Timer", 4, { 1, -1, 0, 0 } },
	{ "PCM Clock Timer", 4, { 1, 0, -1, 0 } },
	{ "PCM Clock Timer", 4, { 1, 0, 0, -1 } },
	{ "PCM Clock Timer", 4, { VT_BEYOND_INT, 0, 0, 0 } },
	{ "PCM Clock Timer", 4, { 1, 0, 0, VT_BEYOND_INT } },
};

static void test_refused(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_elem_value_t *value;
	snd_ctl_t *ctl = vt_ctl();
	long before[4];
	unsigned int i, j;

	snd_ctl_elem_value_alloca(&value);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		snd_ctl_elem_value_clear(value);
		vt_ctl_name(value, refused[i].name, job->device, 0);
		MUST(snd_ctl_elem_read(ctl, value));
		for (j = 0; j < refused[i].count; j++) {
			before[j] = snd_ctl_elem_value_get_integer(value, j);
			snd_ctl_elem_value_set_integer(value, j,
						       refused[i].values[j]);
		}
		REFUSED(-EINVAL, snd_ctl_elem_write(ctl, value));
		for (j = 0; j < refused[i].count; j++)
			EXPECT(vt_ctl_get(ctl, refused[i].name, job->device, 0,
					  j) == before[j],
			       "%s was changed", refused[i].name);
	}
}

/* What a control says of itself, and a value that it does have */
static const struct {
	const char *name;
	unsigned int count;
	long min, max, values[4];
} allowed[] = {
	{ VT_LATENCY, 1, 0, 768000, { 768000 } },
	{ VT_SCALE, 2, 1, 1000, { 3, 1000 } },
	{ "PCM Clock Timer", 4, 0, INT_MAX, { 3, 31, 70005, 70007 } },
};

/* true if it is a change */
static bool set_values(snd_ctl_t *ctl, const char *name, int device,
		       const long *values, unsigned int count)
{
	snd_ctl_elem_value_t *value;
	unsigned int i;

	snd_ctl_elem_value_alloca(&value);
	vt_ctl_name(value, name, device, 0);
	for (i = 0; i < count; i++)
		snd_ctl_elem_value_set_integer(value, i, values[i]);
	return MUST(snd_ctl_elem_write(ctl, value));
}

/* Read as it was written, to the last value, and those who listen are told. */
static void test_told(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_t *ctl = vt_ctl(), *listener = vt_ctl();
	snd_ctl_elem_info_t *info;
	unsigned int i, j;
	long before[4];

	snd_ctl_elem_info_alloca(&info);
	MUST(snd_ctl_nonblock(listener, 1));
	MUST(snd_ctl_subscribe_events(listener, 1));
	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		const char *name = allowed[i].name;
		unsigned int n = allowed[i].count;

		vt_ctl_info(ctl, info, name, job->device, 0);
		EXPECT(snd_ctl_elem_info_get_count(info) == n &&
		       snd_ctl_elem_info_get_min(info) == allowed[i].min &&
		       snd_ctl_elem_info_get_max(info) == allowed[i].max,
		       "%s has %u values of %ld to %ld", name,
		       snd_ctl_elem_info_get_count(info),
		       snd_ctl_elem_info_get_min(info),
		       snd_ctl_elem_info_get_max(info));
		for (j = 0; j < n; j++)
			before[j] = vt_ctl_get(ctl, name, job->device, 0, j);
		set_values(ctl, name, job->device, allowed[i].values, n);
		EXPECT(is_told(listener), "%s: nobody was told", name);
		for (j = 0; j < n; j++)
			EXPECT(vt_ctl_get(ctl, name, job->device, 0, j) ==
			       allowed[i].values[j], "%s: value %u is %ld",
			       name, j, vt_ctl_get(ctl, name, job->device, 0, j));
		set_values(ctl, name, job->device, allowed[i].values, n);
		EXPECT(!is_told(listener), "%s: no change was told", name);
		set_values(ctl, name, job->device, before, n);
		EXPECT(is_told(listener), "%s: not told of the way back", name);
	}
}

/* An order rather than a state, which alsactl is not to mind */
static void test_step_info(const void *arg)
{
	const struct job *job = arg;
	snd_ctl_elem_info_t *info;

	snd_ctl_elem_info_alloca(&info);
	vt_ctl_info(vt_ctl(), info, VT_STEP, job->device, 0);
	EXPECT(snd_ctl_elem_info_get_count(info) == 1 &&
	       snd_ctl_elem_info_get_min(info) == -1 &&
	       snd_ctl_elem_info_get_max(info) == INT_MAX,
	       "range %ld..%ld", snd_ctl_elem_info_get_min(info),
	       snd_ctl_elem_info_get_max(info));
	EXPECT(snd_ctl_elem_info_is_volatile(info), "not volatile");
}

/* Not while a stream goes by it; another clock's streams do not mind. */
static void test_scale_busy(const void *arg)
{
	const struct job *job = arg;
	int other = (job->device + 1) % vt_devices();
	snd_ctl_t *ctl = vt_ctl();
	struct vt_stream *s;

	vt_use_scale(job->device, 1, 1);
	vt_use_scale(other, 1, 1);
	vt_use_clock(job->device, job->clock);
	s = vt_open(job->device, 0, job->dir, 0);
	if (strcmp(job->clock, "scaled")) {
		MUST(vt_ctl_set(ctl, VT_SCALE, job->device, 0, 5, 7));
	} else {
		REFUSED(-EBUSY,
			vt_ctl_set(ctl, VT_SCALE, job->device, 0, 5, 7));
		EXPECT(vt_ctl_get(ctl, VT_SCALE, job->device, 0, 0) == 1,
		       "changed");
	}
	MUST(vt_ctl_set(ctl, VT_SCALE, other, 0, 5, 7));
	vt_close(s);
	MUST(vt_ctl_set(ctl, VT_SCALE, job->device, 0, 7, 5));
}

/* The core measures by jiffies what only realtime can stand. */
static void test_offer(const void *arg)
{
	const struct job *job = arg;
	bool realtime = !strcmp(job->clock, "realtime");
	struct vt_params p = vt_plain;
	snd_pcm_hw_params_t *hw;
	struct vt_stream *s;
	int type, err;

	vt_use_clock(job->device, job->clock);
	s = vt_open(job->device, 0, job->dir, SND_PCM_NONBLOCK);
	snd_pcm_hw_params_alloca(&hw);
	MUST(snd_pcm_hw_params_any(s->pcm, hw));
	EXPECT(MUST(snd_pcm_hw_params_can_disable_period_wakeup(hw)) ==
	       realtime, "period wake-ups can%s be done without",
	       realtime ? "not" : "");
	EXPECT(MUST(snd_pcm_hw_params_can_pause(hw)), "no pause");
	EXPECT(MUST(snd_pcm_hw_params_can_sync_start(hw)), "no sync start");
	/* of the link, absolute; estimated and synchronized are no card's */
	for (type = 2; type <= 5; type++)
		EXPECT(MUST(snd_pcm_hw_params_supports_audio_ts_type(hw, type))
		       == (realtime && type <= 3), "audio stamps of type %d",
		       type);
	p.period = 9600;
	p.buffer = 9600;
	err = vt_configure(s, &p);
	EXPECT(err == (realtime ? 0 : -EINVAL), "one period: %s",
	       snd_strerror(err));
	p.buffer = 19200;
	MUST(vt_configure(s, &p));
}

/* The core maps it on machines whose caches it trusts, for 64 bits only. */
#if defined(__x86_64__) || defined(__powerpc64__)
#define PAGE_IS_MAPPED	true
#else
#define PAGE_IS_MAPPED	false
#endif

/* Whoever moves in a mapped ring has to tell the client clock. */
static void test_control_page(const void *arg)
{
	const struct job *job = arg;
	struct vt_stream *s;
	void *page;

	vt_use_clock(job->device, job->clock);
	s = vt_stream(job->device, job->dir, &vt_plain);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    vt_descriptor(s), OFFSET_CONTROL);
	if (page != MAP_FAILED)
		munmap(page, 4096);
	EXPECT((page != MAP_FAILED) ==
	       (PAGE_IS_MAPPED && strcmp(job->clock, "client")), "the control page can%s be mapped",
	       page == MAP_FAILED ? "not" : "");
}

/* The same few frames by any clock, less than a ring */
static void carry(int device, const char *clock)
{
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;

	p.stop = VT_NEVER;
	player = vt_player(device, &p);
	recorder = vt_recorder(device, &vt_plain);
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	if (!strcmp(clock, "step"))
		MUST(vt_ctl_set(vt_ctl(), VT_STEP, device, 0, 1000, 0));
	vt_hear(recorder, 0, 1000);
	vt_close(recorder);
	vt_close(player);
}

static void test_carry(const void *arg)
{
	const struct job *job = arg;
	unsigned int i;

	vt_use_clock(job->device, job->clock);
	carry(job->device, job->clock);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		MUST(vt_clock_set(vt_ctl(), job->device, clocks[i]));
		carry(job->device, clocks[i]);
		MUST(vt_clock_set(vt_ctl(), job->device, job->clock));
		carry(job->device, job->clock);
	}
}

static const struct {
	const char *name;
	vt_test *test;
	bool ends;		/* for player and recorder each */
} tests[] = {
	{ "is set and read", test_set },
	{ "is kept while a stream is open", test_busy, true },
	{ "is kept when nonsense is asked for", test_invalid },
	{ "scale while a stream is open", test_scale_busy, true },
	{ "offers what it can", test_offer, true },
	{ "control page", test_control_page, true },
	{ "carries every frame, to others and back", test_carry },
};

static void run_clock(struct job *job)
{
	unsigned int i, end;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		for (end = 0; end < (tests[i].ends ? 2 : 1); end++) {
			job->dir = end ? SND_PCM_STREAM_CAPTURE :
					 SND_PCM_STREAM_PLAYBACK;
			vt_run(tests[i].test, job, "device %d %s %s%s%s",
			       job->device, job->clock, tests[i].name,
			       tests[i].ends ? ", " : "", tests[i].ends ?
			       snd_pcm_stream_name(job->dir) : "");
		}
}

int main(int argc, char **argv)
{
	struct job job;
	unsigned int i;
	int devices;

	vt_init(argc, argv, 60);
	devices = vt_devices();
	/* seven tests, four of them twice */
	vt_plan(devices * (5 + 11 * ARRAY_SIZE(clocks)));
	for (job.device = 0; job.device < devices; job.device++)
		vt_run(test_initial, &job, "device %d is as the module was told",
		       job.device);
	for (job.device = 0; job.device < devices; job.device++) {
		vt_run(test_scale, &job, "device %d scale's range", job.device);
		vt_run(test_refused, &job, "device %d other ranges", job.device);
		vt_run(test_told, &job, "device %d other values", job.device);
		vt_run(test_step_info, &job, "device %d step", job.device);
		for (i = 0; i < ARRAY_SIZE(clocks); i++) {
			job.clock = clocks[i];
			run_clock(&job);
		}
	}
	return vt_finish();
}
