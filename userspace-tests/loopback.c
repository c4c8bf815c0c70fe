// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is played is recorded: every frame once, in order, bit for bit, for
 * every format on every device, and silence otherwise.
 */

#include <string.h>
#include "vctl.h"

#define ACCESSES	4
#define LATENCY		333
#define SAMPLES_PER_S	2000000	/* what this program can stamp and check */

static const snd_pcm_access_t accesses[ACCESSES] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
	SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
};

struct job {
	int device;
	struct vt_params play;
	struct vt_params record;
	uint64_t frames;
};

static void open_pair(const struct job *job, struct vt_stream **player,
		      struct vt_stream **recorder)
{
	*player = vt_player(job->device, &job->play);
	*recorder = vt_recorder(job->device, &job->record);
}

static void test_echo(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;

	open_pair(job, &player, &recorder);
	vt_echo(player, recorder, job->frames, job->record.period + 3);
}

/* Four periods of about 4 ms, and the recorder's periods another size */
static void set_pair(struct job *job, const struct vt_params *p)
{
	job->play = *p;
	job->play.period = p->rate / 250 > 16 ? p->rate / 250 : 16;
	job->play.buffer = job->play.period * 4;
	job->play.stop = VT_NEVER;
	job->record = job->play;
	job->record.period = job->play.period * 3 / 4;
	if (job->record.period < 16)
		job->record.period = 16;
	job->record.buffer = job->record.period * 5;
	job->frames = job->play.buffer * 3 + 5;
}

static void run_echo(const struct job *job)
{
	vt_run(test_echo, job, "device %d %s %u ch %u Hz %s %lu/%lu to %s %lu/%lu",
	       job->device, snd_pcm_format_name(job->play.format),
	       job->play.channels, job->play.rate,
	       snd_pcm_access_name(job->play.access), job->play.period,
	       job->play.buffer, snd_pcm_access_name(job->record.access),
	       job->record.period, job->record.buffer);
}

/* Each format once, with a rate, channels and accesses drawn for it */
static unsigned int run_formats(int device, bool count)
{
	static const unsigned int rates[] = {
		5512, 8000, 11025, 12345, 16000, 22050, 32000, 44100, 47999,
		48000, 88200, 96000, 176400, 192000, 384000, 705600, 768000,
	};
	static const unsigned int channels[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 12, 31, 32, 64, 127, 128, 255, 256,
	};
	struct job job = { .device = device };
	struct vt_params p = vt_plain;
	uint64_t seed = 20 + device;
	unsigned int n = 0;

	for (p.format = 0; p.format <= SND_PCM_FORMAT_LAST; p.format++) {
		if (!vt_is_offered(p.format))
			continue;
		n++;
		if (count)
			continue;
		p.rate = rates[vt_random(&seed, ARRAY_SIZE(rates))];
		p.channels = channels[vt_random(&seed, ARRAY_SIZE(channels))];
		while (p.rate * p.channels > SAMPLES_PER_S)
			p.channels /= 2;
		set_pair(&job, &p);
		job.play.access = accesses[vt_random(&seed, ACCESSES)];
		job.record.access = accesses[vt_random(&seed, ACCESSES)];
		if (p.channels > 128) {
			job.play.access = accesses[vt_random(&seed, 2)];
			job.record.access = accesses[vt_random(&seed, 2)];
		}
		run_echo(&job);
	}
	return n;
}

static void run_accesses(int device)
{
	struct job job = { .device = device };
	unsigned int i;

	set_pair(&job, &vt_plain);
	for (i = 0; i < ACCESSES * ACCESSES; i++) {
		job.play.access = accesses[i / ACCESSES];
		job.record.access = accesses[i % ACCESSES];
		run_echo(&job);
	}
}

/* Rings and periods at the edges of what there is, at 48 kHz */
static const struct {
	snd_pcm_uframes_t play_period, play, record_period, record;
	uint64_t frames;
} shapes[] = {
	{ 16, 32, 16, 32, 4800 },
	{ 16, 64, 16, 48, 4800 },
	{ 16, 16384, 16, 16384, 20000 },
	{ 480, 960, 441, 1323, 10000 },
	{ 997, 2991, 16, 4096, 10000 },
	{ 24000, 48000, 480, 48000, 60000 },
	{ 4800, 9600, 4800, 9600, 30000 },
};

static void run_shapes(int device)
{
	struct job job = { .device = device };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		set_pair(&job, &vt_plain);
		job.play.period = shapes[i].play_period;
		job.play.buffer = shapes[i].play;
		job.record.period = shapes[i].record_period;
		job.record.buffer = shapes[i].record;
		job.frames = shapes[i].frames;
		run_echo(&job);
	}
}

/* What is on its way to a recorder lies otherwise than it does in the ring. */
static void test_latency(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;

	vt_use_latency(job->device, LATENCY);
	open_pair(job, &player, &recorder);
	vt_link(player, recorder);
	vt_play(player, 0, player->p.buffer);
	MUST(snd_pcm_start(player->pcm));
	vt_hear_silence(recorder, LATENCY);
	vt_hear(recorder, 0, player->p.buffer);
}

static void run_latencies(int device)
{
	struct vt_params p = vt_plain;
	struct job job = { .device = device };
	unsigned int i;

	p.channels = 3;
	p.stop = VT_NEVER;
	job.play = p;
	job.record = p;
	for (i = 0; i < ACCESSES; i++) {
		job.play.access = accesses[(i + 1) % ACCESSES];
		job.record.access = accesses[i];
		vt_run(test_latency, &job, "device %d with latency to %s",
		       device, snd_pcm_access_name(accesses[i]));
	}
}

/*
 * More than this program could stamp and check meanwhile: half a ring, made
 * before and looked at afterwards.
 */
static const struct vt_params bursts[] = {
	{ SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 256, 48000 },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_FLOAT_BE, 256, 96000 },
	{ SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_FORMAT_U24_LE,
	  128, 192000 },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_FLOAT64_LE, 8,
	  768000 },
	{ SND_PCM_ACCESS_MMAP_NONINTERLEAVED, SND_PCM_FORMAT_S32_LE, 32,
	  768000 },
};

static void test_burst(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	size_t n = job->play.buffer / 2, good;
	void *heard;

	open_pair(job, &player, &recorder);
	vt_link(player, recorder);
	heard = vt_alloc(n * recorder->frame_bytes);
	vt_play(player, 0, n);
	MUST(snd_pcm_start(player->pcm));
	vt_read(recorder, heard, n);
	good = vt_stamped(recorder, heard, 0, n);
	EXPECT(good == n, "frame %zu of %zu differs", good, n);
}

static void run_bursts(int device)
{
	struct job job = { .device = device };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bursts); i++) {
		job.play = bursts[i];
		job.play.stop = VT_NEVER;
		job.play.buffer = (512 << 10) / bursts[i].channels * 8 /
			snd_pcm_format_physical_width(bursts[i].format);
		job.play.period = job.play.buffer / 8;
		job.record = job.play;
		vt_run(test_burst, &job, "device %d burst of %s %u ch %u Hz",
		       device, snd_pcm_format_name(bursts[i].format),
		       bursts[i].channels, bursts[i].rate);
	}
}

/*
 * The most that there is: 1.5 GB a second, or half of it on a machine of 32
 * bits. The player's end stops the linked recorder, whose ring still shows what
 * it got.
 */
static void test_flat_out(const void *arg)
{
	const snd_pcm_channel_area_t *areas;
	struct vt_stream *player, *recorder;
	struct job job = *(const struct job *)arg;
	unsigned int channels = sizeof(long) > sizeof(int32_t) ? 256 : 128;
	snd_pcm_uframes_t offset, n = 96, good;

	job.play = (struct vt_params) {
		SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_FLOAT64_LE,
		channels, 768000, 32, 65536 / channels,
	};
	job.record = job.play;
	job.record.stop = VT_NEVER;
	open_pair(&job, &player, &recorder);
	vt_link(player, recorder);
	vt_play(player, 0, n);
	good = n;
	MUST(snd_pcm_mmap_begin(recorder->pcm, &areas, &offset, &good));
	MUST(snd_pcm_start(player->pcm));
	vt_wait_state(player, SND_PCM_STATE_XRUN, VT_SECOND);
	good = vt_stamped(recorder, areas[0].addr, 0, n);
	EXPECT(good == n, "frame %lu of %lu differs", good, n);
}

/* Streams that do not fit together run on, each by itself, in silence. */
static void test_mismatch(const void *arg)
{
	struct vt_stream *player, *recorder;
	const struct job *job = arg;
	struct vt_position pos;
	size_t n = job->record.rate / 10;

	open_pair(job, &player, &recorder);
	vt_play(player, 0, player->p.buffer);
	MUST(snd_pcm_start(recorder->pcm));
	MUST(snd_pcm_start(player->pcm));
	vt_locate(recorder, &pos);
	vt_hear_silence(recorder, n);
	vt_expect_time(vt_now(), pos.trigger + vt_duration(recorder, n),
		       vt_duration(recorder, recorder->p.period) + VT_MS,
		       "silence");
	MUST(snd_pcm_drain(player->pcm));
	EXPECT(snd_pcm_state(recorder->pcm) == SND_PCM_STATE_RUNNING,
	       "the recorder stopped");
}

static void run_mismatches(int device)
{
	struct job job = { .device = device };

	set_pair(&job, &vt_plain);
	job.record.rate = 44100;
	vt_run(test_mismatch, &job, "device %d other rate", device);
	set_pair(&job, &vt_plain);
	job.record.format = SND_PCM_FORMAT_S16_BE;
	vt_run(test_mismatch, &job, "device %d other format", device);
	set_pair(&job, &vt_plain);
	job.record.channels = 4;
	vt_run(test_mismatch, &job, "device %d other channels", device);
}

static const struct job *coming_and_going(const struct job *job)
{
	struct job *slow = vt_alloc(sizeof(*slow));

	*slow = *job;
	slow->play = vt_plain;
	slow->play.buffer = 9600;
	slow->play.stop = VT_NEVER;
	slow->record = slow->play;
	return slow;
}

/* Reads n frames: silence up to some frame, stamped from then on. */
static size_t hear_beginning(struct vt_stream *s, uint64_t first, size_t n)
{
	unsigned char *buf = vt_alloc(n * s->frame_bytes);
	size_t quiet, good;

	vt_read(s, buf, n);
	quiet = vt_silent(s, buf, n);
	good = vt_stamped(s, buf + quiet * s->frame_bytes, first, n - quiet);
	EXPECT(good == n - quiet, "frame %zu after %zu of silence differs",
	       good, quiet);
	return quiet;
}

/* A recorder that starts later hears the frame of that moment, none before. */
static void test_late_recorder(const void *arg)
{
	const struct job *job = coming_and_going(arg);
	struct vt_stream *player, *recorder;
	struct vt_position play, record;
	int64_t first;
	unsigned char *buf;
	int64_t try;

	player = vt_player(job->device, &job->play);
	vt_play(player, 0, 9600);
	MUST(snd_pcm_start(player->pcm));
	vt_locate(player, &play);
	vt_sleep_until(play.trigger + 50 * VT_MS);
	recorder = vt_recorder(job->device, &job->record);
	MUST(snd_pcm_start(recorder->pcm));
	vt_locate(recorder, &record);
	first = vt_frames(player, record.trigger - play.trigger);
	buf = vt_alloc(1000 * recorder->frame_bytes);
	vt_read(recorder, buf, 1000);
	for (try = first - 1; try <= first + 1; try++)
		if (vt_stamped(recorder, buf, try, 1000) == 1000)
			return;
	EXPECT(false, "does not begin with frame %lld", (long long)first);
}

/* A recorder that was there first hears silence up to the player's start. */
static void test_late_player(const void *arg)
{
	const struct job *job = coming_and_going(arg);
	struct vt_stream *player, *recorder;
	struct vt_position play, record;
	int64_t quiet, wanted;

	open_pair(job, &player, &recorder);
	vt_play(player, 0, 4800);
	MUST(snd_pcm_start(recorder->pcm));
	vt_locate(recorder, &record);
	vt_sleep_until(record.trigger + 33333333);
	MUST(snd_pcm_start(player->pcm));
	vt_locate(player, &play);
	wanted = vt_frames(recorder, play.trigger - record.trigger);
	quiet = hear_beginning(recorder, 0, 4800);
	EXPECT(quiet >= wanted - 1 && quiet <= wanted + 1,
	       "silence for %lld frames, wanted %lld", (long long)quiet,
	       (long long)wanted);
}

/* When the player stops, what it had written is not heard any more. */
static void test_dropped_player(const void *arg)
{
	const struct job *job = coming_and_going(arg);
	struct vt_stream *player, *recorder;
	unsigned char *buf;
	size_t good, quiet;

	open_pair(job, &player, &recorder);
	vt_link(player, recorder);
	vt_play(player, 0, 9600);
	MUST(snd_pcm_start(player->pcm));
	MUST(snd_pcm_unlink(player->pcm));
	vt_hear(recorder, 0, 2400);
	MUST(snd_pcm_drop(player->pcm));
	buf = vt_alloc(4800 * recorder->frame_bytes);
	vt_read(recorder, buf, 4800);
	good = vt_stamped(recorder, buf, 2400, 4800);
	quiet = vt_silent(recorder, buf + good * recorder->frame_bytes,
			  4800 - good);
	EXPECT(good < 480, "played on for %zu frames", good);
	EXPECT(good + quiet == 4800, "frame %zu after the end is not silent",
	       quiet);
}

/* A recorder that starts again hears nothing of what it heard before. */
static void test_again(const void *arg)
{
	const struct job *job = coming_and_going(arg);
	struct vt_stream *player, *recorder;
	unsigned int round;

	open_pair(job, &player, &recorder);
	for (round = 0; round < 3; round++) {
		vt_echo(player, recorder, 6000, 0);
		vt_prepare(player);
		vt_prepare(recorder);
		MUST(snd_pcm_start(recorder->pcm));
		vt_hear_silence(recorder, 9600);
		MUST(snd_pcm_drop(recorder->pcm));
		vt_prepare(recorder);
	}
}

static const struct {
	const char *name;
	vt_test *test;
} turns[] = {
	{ "the most there is", test_flat_out },
	{ "late recorder", test_late_recorder },
	{ "late player", test_late_player },
	{ "dropped player", test_dropped_player },
	{ "again and again", test_again },
};

int main(int argc, char **argv)
{
	struct job job = { .device = 0 };
	int devices;
	unsigned int i;

	vt_init(argc, argv, 240);
	devices = vt_devices();
	vt_plan(devices * (run_formats(0, true) + ACCESSES * ACCESSES +
			   ARRAY_SIZE(shapes) + ACCESSES + ARRAY_SIZE(bursts) +
			   3 + ARRAY_SIZE(turns)));
	for (job.device = 0; job.device < devices; job.device++) {
		run_formats(job.device, false);
		run_accesses(job.device);
		run_shapes(job.device);
		run_latencies(job.device);
		run_bursts(job.device);
		run_mismatches(job.device);
		for (i = 0; i < ARRAY_SIZE(turns); i++)
			vt_run(turns[i].test, &job, "device %d %s",
			       job.device, turns[i].name);
	}
	return vt_finish();
}
