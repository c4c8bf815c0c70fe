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

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 30);
	vt_plan(2 * 3);
	for (device = 0; device < 2; device++) {
		vt_run(test_values, &device, "device %d switch on and off",
		       device);
		vt_run(test_cable, &device, "device %d switch and the cable",
		       device);
		vt_run(test_others, &device,
		       "device %d switch and the other device", device);
	}
	return vt_finish();
}
