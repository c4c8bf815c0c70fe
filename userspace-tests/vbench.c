// SPDX-License-Identifier: GPL-2.0-only
/* What the bench programs share: the driver, streams, busy time, figures. */

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "vbench.h"

#define TIMER_LIST	"/proc/timer_list"
#define TIMER_LIST_MAX	(4 << 20)

bool vb_carries;
const char *vb_driver;

static int vb_capture_device, vb_argc;
static char **vb_argv;

/* Where snd-aloop's device 0 is heard; the other drivers have no crossing. */
void vb_init(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s CARD DRIVER [KEY=VALUE...]\n",
			argv[0]);
		exit(2);
	}
	vb_argc = argc;
	vb_argv = argv;
	vb_driver = argv[2];
	vb_carries = strcmp(vb_driver, "dummy");
	vb_capture_device = !strcmp(vb_driver, "aloop");
	vt_init(argc, argv, 24 * 3600);
	vt_plan(1);
}

static void vb_run(const void *arg)
{
	vt_test *const *test = arg;

	(*test)(NULL);
}

int vb_main(vt_test *test)
{
	vt_run(vb_run, &test, "%s", vb_driver);
	return vt_finish();
}

const char *vb_word(const char *key, const char *standard)
{
	size_t len = strlen(key);
	int i;

	for (i = 3; i < vb_argc; i++)
		if (!strncmp(vb_argv[i], key, len) && vb_argv[i][len] == '=')
			return vb_argv[i] + len + 1;
	return standard;
}

long vb_arg(const char *key, long standard)
{
	const char *word = vb_word(key, NULL);

	return word ? atol(word) : standard;
}

void vb_result(const char *key, const char *fmt, ...)
{
	va_list ap;

	printf("result %s ", key);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* As the command line has them: 48 kHz, stereo, 16 bit, 480 x 4 by default */
struct vb_params vb_params(void)
{
	struct vb_params p = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED,
		.format = snd_pcm_format_value(vb_word("format", "S16_LE")),
		.channels = vb_arg("channels", 2),
		.rate = vb_arg("rate", 48000),
		.period = vb_arg("period", 480),
		.periods = vb_arg("periods", 4),
	};

	return p;
}

static int vb_set_hw(struct vb_stream *s)
{
	const struct vb_params *p = &s->p;
	snd_pcm_hw_params_t *hw;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	err = snd_pcm_hw_params_any(s->pcm, hw);
	if (err >= 0)
		err = snd_pcm_hw_params_set_rate_resample(s->pcm, hw, 0);
	if (err >= 0)
		err = snd_pcm_hw_params_set_access(s->pcm, hw, p->access);
	if (err >= 0)
		err = snd_pcm_hw_params_set_format(s->pcm, hw, p->format);
	if (err >= 0)
		err = snd_pcm_hw_params_set_channels(s->pcm, hw, p->channels);
	if (err >= 0)
		err = snd_pcm_hw_params_set_rate(s->pcm, hw, p->rate, 0);
	if (err >= 0)
		err = snd_pcm_hw_params_set_period_size(s->pcm, hw, p->period,
							0);
	if (err >= 0)
		err = snd_pcm_hw_params_set_periods(s->pcm, hw, p->periods, 0);
	if (err >= 0)
		err = snd_pcm_hw_params(s->pcm, hw);
	return err;
}

/* A recorder starts by its first read, a player when its buffer is full. */
static void vb_set_sw(struct vb_stream *s)
{
	bool play = s->dir == SND_PCM_STREAM_PLAYBACK;
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	MUST(snd_pcm_sw_params_current(s->pcm, sw));
	MUST(snd_pcm_sw_params_get_boundary(sw, &s->boundary));
	MUST(snd_pcm_sw_params_set_start_threshold(s->pcm, sw,
						   play ? s->buffer : 1));
	if (s->p.forever) {
		MUST(snd_pcm_sw_params_set_stop_threshold(s->pcm, sw,
							  s->boundary));
		MUST(snd_pcm_sw_params_set_avail_min(s->pcm, sw,
						     s->boundary));
	}
	MUST(snd_pcm_sw_params(s->pcm, sw));
}

static void vb_map(struct vb_stream *s)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, n = s->buffer;

	MUST(snd_pcm_mmap_begin(s->pcm, &areas, &offset, &n));
	s->ring = areas[0].addr;
}

static void vb_close_stream(void *data)
{
	struct vb_stream *s = data;

	snd_pcm_close(s->pcm);
	free(s);
}

/* What the driver does not offer is skipped: that is no failure of its. */
struct vb_stream *vb_open(snd_pcm_stream_t dir, int device, int subdevice,
			  const struct vb_params *p)
{
	struct vb_stream *s = calloc(1, sizeof(*s));
	char name[40];
	int err;

	EXPECT(s, "out of memory");
	if (dir == SND_PCM_STREAM_CAPTURE)
		device += vb_capture_device;
	snprintf(name, sizeof(name), "hw:%d,%d,%d", vt_card, device, subdevice);
	err = snd_pcm_open(&s->pcm, name, dir, 0);
	if (err < 0) {
		free(s);
		if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
			vt_skip("no stream %s", name);
		EXPECT(false, "open %s: %s", name, snd_strerror(err));
	}
	vt_defer(vb_close_stream, s);
	s->dir = dir;
	s->p = *p;
	s->buffer = p->period * p->periods;
	s->frame_bytes = p->channels *
			 snd_pcm_format_physical_width(p->format) / 8;
	err = vb_set_hw(s);
	if (err == -EINVAL)
		vt_skip("not offered");
	MUST(err);
	vb_set_sw(s);
	if (p->access == SND_PCM_ACCESS_MMAP_INTERLEAVED)
		vb_map(s);
	return s;
}

void vb_open_pair(struct vb_pair *pair, int device, int subdevice,
		  const struct vb_params *p)
{
	pair->recorder = vb_open(SND_PCM_STREAM_CAPTURE, device, subdevice, p);
	pair->player = vb_open(SND_PCM_STREAM_PLAYBACK, device, subdevice, p);
}

void vb_close(struct vb_stream *s)
{
	vt_undo(vb_close_stream, s);
}

void vb_close_pair(struct vb_pair *pair)
{
	vb_close(pair->player);
	vb_close(pair->recorder);
}

/* Frames played or recorded since the stream was prepared */
uint64_t vb_position(struct vb_stream *s)
{
	snd_pcm_sframes_t avail = MUST(snd_pcm_avail(s->pcm));

	if (s->dir == SND_PCM_STREAM_PLAYBACK)
		avail -= s->buffer;
	return s->done + avail;
}

int64_t vb_ns(const struct vb_stream *s, uint64_t frames)
{
	return frames / s->p.rate * VT_SECOND +
	       frames % s->p.rate * VT_SECOND / s->p.rate;
}

/*
 * Every sample of a frame is its number plus one, in the upper bits; the first
 * two bytes of a sample would do, so the length must stay below 65535.
 */
void vb_stamp(const struct vb_stream *s, void *frames, unsigned int first,
	      unsigned int n, unsigned int length)
{
	size_t bytes = s->frame_bytes / s->p.channels;
	unsigned char *p = frames;
	unsigned int channel;
	uint16_t number;

	for (; n; n--, first++)
		for (channel = 0; channel < s->p.channels; channel++) {
			number = first % length + 1;
			memset(p, 0, bytes);
			memcpy(p + bytes - 2, &number, 2);
			p += bytes;
		}
}

/* The number of a frame, or -1 if it is none that was stamped */
int vb_number(const struct vb_stream *s, const void *frame,
	      unsigned int length)
{
	size_t bytes = s->frame_bytes / s->p.channels;
	const unsigned char *p = frame;
	uint16_t first, number;
	unsigned int channel;

	memcpy(&first, p + bytes - 2, 2);
	if (!first || first > length)
		return -1;
	for (channel = 1; channel < s->p.channels; channel++) {
		memcpy(&number, p + (channel + 1) * bytes - 2, 2);
		if (number != first)
			return -1;
	}
	return first - 1;
}

/*
 * How long the processors have been idle, ns. No other file tells it as
 * exactly; idle time does not pass while we read.
 */
static int64_t vb_idle(void)
{
	static const char key[] = ".idle_sleeptime";
	char *text = vt_alloc(TIMER_LIST_MAX), *p = text;
	int fd = SYS(open(TIMER_LIST, O_RDONLY));
	size_t have = 0;
	int64_t idle = 0;
	ssize_t n;

	do {
		n = SYS(read(fd, text + have, TIMER_LIST_MAX - 1 - have));
		have += n;
	} while (n);
	close(fd);
	EXPECT((p = strstr(p, key)), TIMER_LIST " tells no idle time");
	for (; p; p = strstr(p, key)) {
		p += strcspn(p, ":") + 1;
		idle += strtoll(p, &p, 10);
	}
	vt_undo(free, text);
	return idle;
}

/* Sleeps, and tells what the processor had to do meanwhile */
void vb_watch(struct vb_window *w, int64_t length)
{
	int64_t idle = vb_idle();
	int64_t begin = vt_now();
	int64_t end;

	vt_sleep_until(begin + length);
	end = vt_now();
	w->length = end - begin;
	w->busy = w->length - (vb_idle() - idle);
}

static int vb_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void vb_sort(double *x, unsigned int n)
{
	qsort(x, n, sizeof(*x), vb_compare);
}

double vb_median(double *x, unsigned int n)
{
	vb_sort(x, n);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* What looking at the clock costs, ns */
double vb_clock_cost(void)
{
	double ns[99];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ns); i++) {
		ns[i] = -vt_now();
		ns[i] += vt_now();
	}
	return vb_median(ns, ARRAY_SIZE(ns));
}
