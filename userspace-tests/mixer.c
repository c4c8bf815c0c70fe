// SPDX-License-Identifier: GPL-2.0-only
/* The switch of each device: off, its cable carries silence; on, everything. */

#include "vpcm.h"

#define NAME	"PCM Playback Switch"

static snd_ctl_t *open_card(void)
{
	snd_ctl_t *ctl;
	char name[16];

	snprintf(name, sizeof(name), "hw:%d", vt_card);
	MUST(snd_ctl_open(&ctl, name, 0));
	return ctl;
}

/* Sets the switch; tells whether that was told to those who listen. */
static bool set_switch(int device, bool on)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_t *ctl = open_card();
	snd_ctl_event_t *event;
	int err, told;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_value_set_interface(value, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_value_set_name(value, NAME);
	snd_ctl_elem_value_set_index(value, device);
	snd_ctl_elem_value_set_boolean(value, 0, on);
	snd_ctl_event_alloca(&event);
	MUST(snd_ctl_nonblock(ctl, 1));
	MUST(snd_ctl_subscribe_events(ctl, 1));
	err = snd_ctl_elem_write(ctl, value);
	told = snd_ctl_read(ctl, event);
	MUST(snd_ctl_close(ctl));
	MUST(err);
	EXPECT(told == 1 || told == -EAGAIN, "events: %s", snd_strerror(told));
	return told == 1;
}

static bool get_switch(int device)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_t *ctl = open_card();
	int err;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_value_set_interface(value, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_value_set_name(value, NAME);
	snd_ctl_elem_value_set_index(value, device);
	err = snd_ctl_elem_read(ctl, value);
	MUST(snd_ctl_close(ctl));
	MUST(err);
	return snd_ctl_elem_value_get_boolean(value, 0);
}

static void switch_on(void *device)
{
	set_switch(*(int *)device, true);
}

static void test_values(const void *arg)
{
	const int *device = arg;

	EXPECT(get_switch(*device), "off by default");
	vt_defer(switch_on, (void *)device);
	EXPECT(set_switch(*device, false), "off: nobody was told");
	EXPECT(!get_switch(*device), "does not go off");
	EXPECT(!set_switch(*device, false), "off again: a change was told");
	EXPECT(set_switch(*device, true), "on: nobody was told");
	EXPECT(get_switch(*device), "does not go on");
}

/* Frames heard while it is off are silent; no frame comes late for it. */
static void test_cable(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	unsigned char *buf;
	size_t good, quiet, back;

	vt_defer(switch_on, (void *)device);
	p.stop = VT_NEVER;
	p.buffer = 24000;
	player = vt_player(*device, &p);
	recorder = vt_recorder(*device, &p);
	vt_link(player, recorder);
	vt_play(player, 0, p.buffer);
	MUST(snd_pcm_start(player->pcm));
	vt_hear(recorder, 0, 4800);
	set_switch(*device, false);
	buf = vt_alloc(9600 * recorder->frame_bytes);
	vt_read(recorder, buf, 4800);
	set_switch(*device, true);
	vt_read(recorder, buf + 4800 * recorder->frame_bytes, 4800);
	good = vt_stamped(recorder, buf, 4800, 9600);
	EXPECT(good < 480, "heard %zu frames with the switch off", good);
	buf += good * recorder->frame_bytes;
	quiet = vt_silent(recorder, buf, 9600 - good);
	EXPECT(quiet > 4000 && quiet < 5300, "silence for %zu frames", quiet);
	buf += quiet * recorder->frame_bytes;
	back = vt_stamped(recorder, buf, 4800 + good + quiet,
			  9600 - good - quiet);
	EXPECT(good + quiet + back == 9600,
	       "frame %zu after the switch is on again differs", back);
}

/* A device's switch is its own. */
static void test_others(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	vt_defer(switch_on, (void *)device);
	set_switch(*device, false);
	p.stop = VT_NEVER;
	player = vt_player(!*device, &p);
	recorder = vt_recorder(!*device, &p);
	vt_echo(player, recorder, 6000, 480);
}

/* The player's position before and after the switch has been set */
static void set_at(struct vt_stream *player, int device, bool on,
		   struct vt_position at[2])
{
	vt_locate(player, &at[0]);
	set_switch(device, on);
	vt_locate(player, &at[1]);
}

static void expect_between(size_t n, const struct vt_position at[2],
			   const char *what)
{
	EXPECT((int64_t)n >= at[0].frames && (int64_t)n <= at[1].frames + 1,
	       "%s ends at frame %zu, wanted %lld to %lld", what, n,
	       (long long)at[0].frames, (long long)at[1].frames + 1);
}

/*
 * The recorder has not been told of a frame yet, its period being a second,
 * while the player's ring of 20 ms goes round many times: what was heard and
 * what was silent stays as it was.
 */
static void test_unread(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain, q = vt_plain;
	struct vt_stream *player, *recorder;
	struct vt_position off[2], on[2];
	unsigned char *buf;
	size_t good, i;

	vt_defer(switch_on, (void *)device);
	p.buffer = 960;
	q.period = 48000;
	q.buffer = 96000;
	player = vt_player(*device, &p);
	recorder = vt_recorder(*device, &q);
	vt_link(player, recorder);
	vt_play(player, 0, 960);
	MUST(snd_pcm_start(player->pcm));
	for (i = 2; i < 110; i++) {
		if (i == 25)
			set_at(player, *device, false, off);
		if (i == 73)
			set_at(player, *device, true, on);
		vt_play(player, 480 * i, 480);
	}
	buf = vt_alloc(48000 * recorder->frame_bytes);
	vt_read(recorder, buf, 48000);
	i = vt_stamped(recorder, buf, 0, 48000);
	expect_between(i, off, "what was heard at first");
	i += vt_silent(recorder, buf + i * recorder->frame_bytes, 48000 - i);
	expect_between(i, on, "the silence");
	good = vt_stamped(recorder, buf + i * recorder->frame_bytes, i,
			  48000 - i);
	EXPECT(i + good == 48000, "frame %zu after the switch is on again differs",
	       good);
}

/* It is there for every substream. */
static void test_substreams(const void *arg)
{
	const int *device = arg;
	struct vt_stream *player, *recorder;
	struct vt_params p = vt_plain;
	int sub;

	vt_defer(switch_on, (void *)device);
	set_switch(*device, false);
	p.stop = VT_NEVER;
	p.buffer = 9600;
	for (sub = 0; sub < vt_substreams(); sub++) {
		player = vt_open(*device, sub, SND_PCM_STREAM_PLAYBACK, 0);
		recorder = vt_open(*device, sub, SND_PCM_STREAM_CAPTURE, 0);
		MUST(vt_configure(player, &p));
		MUST(vt_configure(recorder, &p));
		vt_link(player, recorder);
		vt_play(player, 0, p.buffer);
		MUST(snd_pcm_start(player->pcm));
		vt_hear_silence(recorder, 2400);
		vt_close(recorder);
		vt_close(player);
	}
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 30);
	vt_plan(2 * 5);
	for (device = 0; device < 2; device++) {
		vt_run(test_values, &device, "device %d switch on and off",
		       device);
		vt_run(test_cable, &device, "device %d switch and the cable",
		       device);
		vt_run(test_unread, &device,
		       "device %d switch and what nobody has read yet", device);
		vt_run(test_others, &device,
		       "device %d switch and the other device", device);
		vt_run(test_substreams, &device,
		       "device %d switch and every substream", device);
	}
	return vt_finish();
}
