// SPDX-License-Identifier: GPL-2.0-only
/* What the card says it can do is what it promises, no less and no more. */

#include <stdlib.h>
#include <string.h>
#include "vpcm.h"

struct end {
	int device;
	snd_pcm_stream_t dir;
	struct vt_stream *stream;
	snd_pcm_t *pcm;
	snd_pcm_hw_params_t *hw;	/* everything the stream can do */
};

static void open_end(const struct end *where, struct end *end)
{
	*end = *where;
	end->stream = vt_open(where->device, 0, where->dir, 0);
	end->pcm = end->stream->pcm;
	end->hw = vt_alloc(snd_pcm_hw_params_sizeof());
	MUST(snd_pcm_hw_params_any(end->pcm, end->hw));
}

static void close_ctl(void *ctl)
{
	snd_ctl_close(ctl);
}

static void test_card_names(const void *arg)
{
	snd_ctl_card_info_t *info;
	snd_ctl_t *ctl;
	char name[16];

	(void)arg;
	snd_ctl_card_info_alloca(&info);
	snprintf(name, sizeof(name), "hw:%d", vt_card);
	MUST(snd_ctl_open(&ctl, name, 0));
	vt_defer(close_ctl, ctl);
	MUST(snd_ctl_card_info(ctl, info));
	EXPECT(!strcmp(snd_ctl_card_info_get_driver(info), "snd-virtual"),
	       "driver %s", snd_ctl_card_info_get_driver(info));
	EXPECT(!strncmp(snd_ctl_card_info_get_id(info), "Virtual", 7),
	       "id %s", snd_ctl_card_info_get_id(info));
	EXPECT(!strcmp(snd_ctl_card_info_get_name(info), "Virtual"),
	       "name %s", snd_ctl_card_info_get_name(info));
	EXPECT(!strncmp(snd_ctl_card_info_get_longname(info), "Virtual ", 8) &&
	       atoi(snd_ctl_card_info_get_longname(info) + 8) > 0,
	       "longname %s", snd_ctl_card_info_get_longname(info));
	EXPECT(!strcmp(snd_ctl_card_info_get_mixername(info), "Virtual"),
	       "mixer %s", snd_ctl_card_info_get_mixername(info));
	EXPECT(snd_card_get_index(snd_ctl_card_info_get_id(info)) == vt_card,
	       "the id leads to another card");
}

static void test_device_count(const void *arg)
{
	(void)arg;
	EXPECT(vt_devices() >= 2, "%d devices, wanted one for each path",
	       vt_devices());
}

/* The kind of memory that the module was told to give a device */
static void told_buffers(int device, char *kind, size_t size)
{
	static const char path[] =
		"/sys/module/snd_virtual/parameters/pcm_buffers";
	FILE *f = fopen(path, "r");
	char list[200];
	char *next = list;

	EXPECT(f, "cannot read %s", path);
	if (!fgets(list, sizeof(list), f))
		list[0] = 0;
	fclose(f);
	while (device-- && next) {
		next = strchr(next, ',');
		if (next)
			next++;
	}
	EXPECT(next, "%s: %s", path, list);
	snprintf(kind, size, "%.*s", (int)strcspn(next, ",\n"), next);
}

static void test_identity(const void *arg)
{
	const struct end *end = arg;
	char kind[32], name[64];
	snd_pcm_info_t *info;
	struct end e;

	open_end(end, &e);
	snd_pcm_info_alloca(&info);
	MUST(snd_pcm_info(e.pcm, info));
	EXPECT(snd_pcm_info_get_card(info) == vt_card, "another card");
	EXPECT((int)snd_pcm_info_get_device(info) == end->device,
	       "another device");
	EXPECT(!strcmp(snd_pcm_info_get_id(info), "Virtual"), "id %s",
	       snd_pcm_info_get_id(info));
	told_buffers(end->device, kind, sizeof(kind));
	snprintf(name, sizeof(name), "Virtual %s cable", kind);
	EXPECT(!strcmp(snd_pcm_info_get_name(info), name), "%s, wanted %s",
	       snd_pcm_info_get_name(info), name);
	EXPECT(snd_pcm_info_get_subdevices_count(info) >= 1,
	       "no substreams");
}

static void test_info_flags(const void *arg)
{
	struct end e;
	unsigned int i;

	open_end(arg, &e);
	struct {
		const char *name;
		int has, wanted;
	} flags[] = {
		{ "BLOCK_TRANSFER",
		  snd_pcm_hw_params_is_block_transfer(e.hw), 1 },
		{ "PAUSE", snd_pcm_hw_params_can_pause(e.hw), 1 },
		{ "RESUME", snd_pcm_hw_params_can_resume(e.hw), 1 },
		{ "SYNC_START", snd_pcm_hw_params_can_sync_start(e.hw), 1 },
		{ "NO_PERIOD_WAKEUP",
		  snd_pcm_hw_params_can_disable_period_wakeup(e.hw), 1 },
		{ "BATCH", snd_pcm_hw_params_is_batch(e.hw), 0 },
		{ "DOUBLE", snd_pcm_hw_params_is_double(e.hw), 0 },
		{ "HALF_DUPLEX", snd_pcm_hw_params_is_half_duplex(e.hw), 0 },
		{ "JOINT_DUPLEX",
		  snd_pcm_hw_params_is_joint_duplex(e.hw), 0 },
		{ "OVERRANGE", snd_pcm_hw_params_can_overrange(e.hw), 0 },
		{ "MMAP_SAMPLE_RESOLUTION",
		  snd_pcm_hw_params_can_mmap_sample_resolution(e.hw), 1 },
	};
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT(flags[i].has == flags[i].wanted, "%s is %d, wanted %d",
		       flags[i].name, flags[i].has, flags[i].wanted);
}

static void test_accesses(const void *arg)
{
	static const bool wanted[] = {
		[SND_PCM_ACCESS_MMAP_INTERLEAVED] = true,
		[SND_PCM_ACCESS_MMAP_NONINTERLEAVED] = true,
		[SND_PCM_ACCESS_MMAP_COMPLEX] = false,
		[SND_PCM_ACCESS_RW_INTERLEAVED] = true,
		[SND_PCM_ACCESS_RW_NONINTERLEAVED] = true,
	};
	struct end e;
	unsigned int a;
	bool has;

	open_end(arg, &e);
	for (a = 0; a < ARRAY_SIZE(wanted); a++) {
		has = !snd_pcm_hw_params_test_access(e.pcm, e.hw, a);
		EXPECT(has == wanted[a], "%s %s", snd_pcm_access_name(a),
		       has ? "is offered" : "is missing");
	}
}

static void test_formats(const void *arg)
{
	snd_pcm_format_t f;
	struct end e;
	bool has;

	open_end(arg, &e);
	for (f = 0; f <= SND_PCM_FORMAT_LAST; f++) {
		if (!snd_pcm_format_name(f))
			continue;
		has = !snd_pcm_hw_params_test_format(e.pcm, e.hw, f);
		EXPECT(has == vt_is_offered(f), "%s %s",
		       snd_pcm_format_name(f),
		       has ? "is offered" : "is missing");
	}
}

static void test_rates(const void *arg)
{
	static const unsigned int inside[] = {
		5512, 5513, 8000, 11025, 22050, 44100, 47999, 48000, 96000,
		192000, 352800, 384000, 705600, 767999, 768000,
	};
	unsigned int min, max, i;
	int dir = 0;
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_get_rate_min(e.hw, &min, &dir));
	EXPECT(min == 5512 && !dir, "from %u, direction %d", min, dir);
	MUST(snd_pcm_hw_params_get_rate_max(e.hw, &max, &dir));
	EXPECT(max == 768000 && !dir, "to %u, direction %d", max, dir);
	for (i = 0; i < ARRAY_SIZE(inside); i++)
		MUST(snd_pcm_hw_params_test_rate(e.pcm, e.hw, inside[i], 0));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_rate(e.pcm, e.hw, 5511, 0));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_rate(e.pcm, e.hw, 768001, 0));
}

static void test_channels(const void *arg)
{
	unsigned int min, max, n;
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_get_channels_min(e.hw, &min));
	MUST(snd_pcm_hw_params_get_channels_max(e.hw, &max));
	EXPECT(min == 1 && max == 256, "%u to %u", min, max);
	for (n = min; n <= max; n++)
		MUST(snd_pcm_hw_params_test_channels(e.pcm, e.hw, n));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_channels(e.pcm, e.hw, 0));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_channels(e.pcm, e.hw, 257));
}

/* The PCM core refuses WRITEN and READN of more than 128 channels. */
static void test_planar_channels(const void *arg)
{
	const snd_pcm_access_t rwn = SND_PCM_ACCESS_RW_NONINTERLEAVED;
	const snd_pcm_access_t mmn = SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
	unsigned int max;
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_access(e.pcm, e.hw, rwn));
	MUST(snd_pcm_hw_params_get_channels_max(e.hw, &max));
	EXPECT(max == 128, "%u channels at most", max);
	MUST(snd_pcm_hw_params_test_channels(e.pcm, e.hw, 1));
	MUST(snd_pcm_hw_params_test_channels(e.pcm, e.hw, 128));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_channels(e.pcm, e.hw, 129));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_channels(e.pcm, e.hw, 256));
	MUST(snd_pcm_hw_params_any(e.pcm, e.hw));
	MUST(snd_pcm_hw_params_set_channels(e.pcm, e.hw, 129));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_access(e.pcm, e.hw, rwn));
	MUST(snd_pcm_hw_params_test_access(e.pcm, e.hw, mmn));
}

static void test_period_sizes(const void *arg)
{
	snd_pcm_uframes_t min;
	struct end e;
	int dir = 0;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_format(e.pcm, e.hw, SND_PCM_FORMAT_U8));
	MUST(snd_pcm_hw_params_set_channels(e.pcm, e.hw, 1));
	MUST(snd_pcm_hw_params_set_rate(e.pcm, e.hw, 48000, 0));
	MUST(snd_pcm_hw_params_get_period_size_min(e.hw, &min, &dir));
	EXPECT(min == 16, "from %lu frames", min);
	MUST(snd_pcm_hw_params_test_period_size(e.pcm, e.hw, 17, 0));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_period_size(e.pcm, e.hw, 15,
							    0));
}

static void test_period_counts(const void *arg)
{
	unsigned int max, n;
	struct end e;
	int dir = 0;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_format(e.pcm, e.hw, SND_PCM_FORMAT_U8));
	MUST(snd_pcm_hw_params_set_channels(e.pcm, e.hw, 1));
	MUST(snd_pcm_hw_params_set_rate(e.pcm, e.hw, 48000, 0));
	MUST(snd_pcm_hw_params_get_periods_max(e.hw, &max, &dir));
	EXPECT(max == 1024, "%u periods at most", max);
	MUST(snd_pcm_hw_params_set_period_size(e.pcm, e.hw, 16, 0));
	for (n = 2; n <= 1024; n++)
		MUST(snd_pcm_hw_params_test_periods(e.pcm, e.hw, n, 0));
}

/*
 * The PCM core tells one period from the next by its own ticks when the
 * position is the same: a single period must last five of them.
 */
static void test_one_period(const void *arg)
{
	snd_pcm_uframes_t enough = 5 * vt_jiffy() * 48000 / VT_SECOND, min;
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_format(e.pcm, e.hw, SND_PCM_FORMAT_S16_LE));
	MUST(snd_pcm_hw_params_set_channels(e.pcm, e.hw, 2));
	MUST(snd_pcm_hw_params_set_rate(e.pcm, e.hw, 48000, 0));
	MUST(snd_pcm_hw_params_set_periods(e.pcm, e.hw, 1, 0));
	MUST(snd_pcm_hw_params_get_buffer_size_min(e.hw, &min));
	EXPECT(min == enough, "one of %lu frames is offered", min);
	MUST(snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw, enough));
	MUST(snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw, 48000));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw,
							    enough - 1));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw, 16));
}

static unsigned int fewest_periods(struct end *e, unsigned int rate,
				   snd_pcm_uframes_t buffer)
{
	unsigned int min;
	int dir = 0;

	MUST(snd_pcm_hw_params_any(e->pcm, e->hw));
	MUST(snd_pcm_hw_params_set_rate(e->pcm, e->hw, rate, 0));
	MUST(snd_pcm_hw_params_set_buffer_size(e->pcm, e->hw, buffer));
	MUST(snd_pcm_hw_params_get_periods_min(e->hw, &min, &dir));
	return min;
}

/* A shorter buffer is not offered with a single period. */
static void test_two_periods(const void *arg)
{
	const int64_t ticks = 5 * vt_jiffy();
	snd_pcm_uframes_t enough = ticks * 48000 / VT_SECOND;
	unsigned int min, rate = 768000;
	struct end e;

	open_end(arg, &e);
	min = fewest_periods(&e, 48000, enough);
	EXPECT(min == 1, "%u periods of 5 ticks", min);
	min = fewest_periods(&e, 48000, enough - 1);
	EXPECT(min > 1, "%u periods of less", min);
	/* less by a part of a microsecond, which the core counts in; and even */
	while (!(ticks * rate % VT_SECOND) ||
	       ticks * rate % VT_SECOND >= VT_US * rate ||
	       ticks * rate / VT_SECOND % 2)
		rate--;
	min = fewest_periods(&e, rate, ticks * rate / VT_SECOND);
	EXPECT(min > 1, "%u periods of a bit less, %u Hz", min, rate);
}

/* Every number of periods is whole: a ring of 2.5 periods is refused. */
static void test_whole_periods(const void *arg)
{
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_period_size(e.pcm, e.hw, 480, 0));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw,
							    1200));
	MUST(snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw, 1440));
}

static void test_shortest_buffer(const void *arg)
{
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_rate(e.pcm, e.hw, 768000, 0));
	/* 250 us are 192 frames at this rate */
	MUST(snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw, 192));
	REFUSED(-EINVAL, snd_pcm_hw_params_test_buffer_size(e.pcm, e.hw,
							    160));
}

/*
 * The largest ring that is offered can be had, in every shape; how large that
 * is depends on the device's parameters, and no less than 512 KiB.
 */
static void test_largest_buffer(const void *arg)
{
	static const unsigned int channels[] = { 1, 2, 8, 256 };
	const snd_pcm_access_t rwi = SND_PCM_ACCESS_RW_INTERLEAVED;
	const struct end *end = arg;
	snd_pcm_uframes_t max, got;
	struct end e;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(channels); i++) {
		open_end(end, &e);
		MUST(snd_pcm_hw_params_set_access(e.pcm, e.hw, rwi));
		MUST(snd_pcm_hw_params_set_format(e.pcm, e.hw,
						  SND_PCM_FORMAT_S16_LE));
		MUST(snd_pcm_hw_params_set_channels(e.pcm, e.hw, channels[i]));
		MUST(snd_pcm_hw_params_set_rate(e.pcm, e.hw, 48000, 0));
		MUST(snd_pcm_hw_params_get_buffer_size_max(e.hw, &max));
		EXPECT(max * channels[i] * 2 >= 512 << 10,
		       "%lu bytes at %u channels", max * channels[i] * 2,
		       channels[i]);
		MUST(snd_pcm_hw_params_set_buffer_size_last(e.pcm, e.hw,
							    &got));
		MUST(snd_pcm_hw_params(e.pcm, e.hw));
		EXPECT(got * 10 >= max * 9, "offered %lu, had %lu", max, got);
		vt_close(e.stream);
	}
}

/* It may be a single period. */
static void test_largest_period(const void *arg)
{
	snd_pcm_uframes_t max, one;
	struct end e;

	open_end(arg, &e);
	MUST(snd_pcm_hw_params_set_format(e.pcm, e.hw, SND_PCM_FORMAT_S16_LE));
	MUST(snd_pcm_hw_params_set_channels(e.pcm, e.hw, 2));
	MUST(snd_pcm_hw_params_set_rate(e.pcm, e.hw, 48000, 0));
	MUST(snd_pcm_hw_params_get_buffer_size_max(e.hw, &max));
	MUST(snd_pcm_hw_params_set_periods(e.pcm, e.hw, 1, 0));
	MUST(snd_pcm_hw_params_get_buffer_size_max(e.hw, &one));
	EXPECT(one == max, "%lu frames in one period, %lu in many", one, max);
}

static const struct {
	const char *name;
	vt_test *test;
} tests[] = {
	{ "identity", test_identity },
	{ "info flags", test_info_flags },
	{ "accesses", test_accesses },
	{ "formats", test_formats },
	{ "rates 5512 to 768000", test_rates },
	{ "channels 1 to 256", test_channels },
	{ "non-interleaved calls to 128 channels", test_planar_channels },
	{ "period sizes from 16 frames", test_period_sizes },
	{ "period counts to 1024", test_period_counts },
	{ "one period from 5 ticks", test_one_period },
	{ "two periods below", test_two_periods },
	{ "whole periods only", test_whole_periods },
	{ "buffers from 250 us", test_shortest_buffer },
	{ "largest buffer", test_largest_buffer },
	{ "largest period", test_largest_period },
};

int main(int argc, char **argv)
{
	struct end end;
	unsigned int i;

	vt_init(argc, argv, 60);
	vt_plan(2 + 2 * 2 * ARRAY_SIZE(tests));
	vt_run(test_card_names, NULL, "card names");
	vt_run(test_device_count, NULL, "two devices");
	for (end.device = 0; end.device < 2; end.device++)
		for (end.dir = 0; end.dir <= SND_PCM_STREAM_LAST; end.dir++)
			for (i = 0; i < ARRAY_SIZE(tests); i++)
				vt_run(tests[i].test, &end,
				       "device %d %s: %s", end.device,
				       snd_pcm_stream_name(end.dir),
				       tests[i].name);
	return vt_finish();
}
