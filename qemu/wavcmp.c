// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at a recording before it is played, and compares it frame by frame
 * with what was captured while it played.
 *
 *	wavcmp info RECORDING
 *	wavcmp compare RECORDING RAW [WAV]
 *
 * RAW holds the captured frames alone, in the recording's own format; with
 * WAV they are written there too, under the recording's own header. Results
 * are "key=value" lines on stdout; trouble is one line on stderr.
 * Exit status: 0 yes, 1 a frame differs, 2 cannot tell.
 *
 * The capture must be: silence, then every frame of the recording, then
 * silence. Where the recording begins is found from the first frame that is
 * not silent, of both; so a recording may begin with silence, and none can
 * match in two places.
 */

#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A data chunk this long or longer lasts to the end of the file: aplay. */
#define LENGTH_UNKNOWN	0x7ffffffeu

#define RIFF_HEADER	12
#define CHUNK_HEADER	8
#define FMT_MIN		16
#define FMT_EXTENSIBLE	40

enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_EXTENSIBLE = 0xfffe };

/* A whole file, read-only. */
struct file {
	const char *name;
	const unsigned char *data;
	uint64_t size;
};

struct wav {
	struct file file;
	const unsigned char *fmt;	/* body of the fmt chunk */
	uint32_t fmt_size;
	const unsigned char *frames;
	uint64_t count;			/* of frames */
	const char *format;		/* ALSA's name of it */
	unsigned int channels;
	unsigned int rate;
	unsigned int frame_bytes;
	unsigned char silence;		/* every byte of a silent frame */
};

static void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("error: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

static unsigned int le16(const unsigned char *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static void put_le32(unsigned char *p, uint64_t value)
{
	int i;

	if (value > UINT32_MAX)
		value = UINT32_MAX;
	for (i = 0; i < 4; i++)
		p[i] = value >> 8 * i;
}

static struct file file_open(const char *name)
{
	struct file file = { .name = name, .data = NULL };
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a file", name);
	file.size = st.st_size;
	if (file.size) {
		void *map = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (map == MAP_FAILED)
			die("%s: %s", name, strerror(errno));
		file.data = map;
	}
	close(fd);
	return file;
}

/* the format as aplay takes it, NULL if it does not */
static const char *wav_format(const struct wav *wav, unsigned int tag)
{
	unsigned int bits = le16(wav->fmt + 14);
	unsigned int bytes = le16(wav->fmt + 12) / wav->channels;

	if (tag == TAG_FLOAT)
		return bits == 32 && bytes == 4 ? "FLOAT_LE" : NULL;
	if (bits == 8 && bytes == 1)
		return "U8";
	if (bits == 16 && bytes == 2)
		return "S16_LE";
	if (bits == 24 && bytes == 3)
		return "S24_3LE";
	if (bits == 24 && bytes == 4)
		return "S24_LE";
	if (bits == 32 && bytes == 4)
		return "S32_LE";
	return NULL;
}

static void wav_read_fmt(struct wav *wav)
{
	/* What follows the tag in the identifiers of PCM and float. */
	static const unsigned char guid[14] = {
		0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00,
		0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71
	};
	const char *name = wav->file.name;
	unsigned int tag;

	if (wav->fmt_size < FMT_MIN)
		die("%s: broken WAV file: its fmt chunk is too short", name);
	tag = le16(wav->fmt);
	if (tag == TAG_EXTENSIBLE) {
		if (wav->fmt_size < FMT_EXTENSIBLE ||
		    memcmp(wav->fmt + 26, guid, sizeof(guid)))
			die("%s: WAV format unknown to aplay", name);
		tag = le16(wav->fmt + 24);
	}
	if (tag != TAG_PCM && tag != TAG_FLOAT)
		die("%s: WAV format 0x%04x, compressed or unknown to aplay",
		    name, tag);

	wav->channels = le16(wav->fmt + 2);
	wav->rate = le32(wav->fmt + 4);
	if (!wav->channels || !wav->rate)
		die("%s: broken WAV file: %u channels, %u Hz", name,
		    wav->channels, wav->rate);
	wav->format = wav_format(wav, tag);
	if (!wav->format)
		die("%s: aplay plays no %s samples of %u bits in %u bytes", name,
		    tag == TAG_FLOAT ? "float" : "PCM", le16(wav->fmt + 14),
		    le16(wav->fmt + 12) / wav->channels);
	wav->frame_bytes = le16(wav->fmt + 12);
	wav->silence = strcmp(wav->format, "U8") ? 0 : 0x80;
}

/* Chunks may stand in any order and number; the first data chunk is played. */
static struct wav wav_open(const char *name)
{
	struct wav wav = { .file = file_open(name) };
	const unsigned char *p = wav.file.data;
	uint64_t left = wav.file.size, size;

	if (left < RIFF_HEADER || memcmp(p, "RIFF", 4) || memcmp(p + 8, "WAVE", 4))
		die("%s: not a WAV file", name);
	p += RIFF_HEADER;
	left -= RIFF_HEADER;

	for (;;) {
		if (left < CHUNK_HEADER)
			die("%s: broken WAV file: no %s chunk", name,
			    wav.fmt ? "data" : "fmt");
		size = le32(p + 4);
		left -= CHUNK_HEADER;
		if (wav.fmt && !memcmp(p, "data", 4))
			break;
		if (!memcmp(p, "data", 4))
			die("%s: aplay needs the fmt chunk before the data chunk",
			    name);
		if (size + (size & 1) > left)
			die("%s: broken WAV file: it ends within a chunk", name);
		if (!wav.fmt && !memcmp(p, "fmt ", 4)) {
			wav.fmt = p + CHUNK_HEADER;
			wav.fmt_size = size;
			wav_read_fmt(&wav);
		}
		p += CHUNK_HEADER + size + (size & 1);
		left -= size + (size & 1);
	}

	if (size >= LENGTH_UNKNOWN || size > left)
		size = left;
	wav.frames = p + CHUNK_HEADER;
	wav.count = size / wav.frame_bytes;
	if (!wav.count)
		die("%s: holds no frame", name);
	return wav;
}

/* the first frame from @from on that is not silent, @count if none */
static uint64_t first_sound(const struct wav *wav, const unsigned char *frames,
			    uint64_t from, uint64_t count)
{
	uint64_t at = from * wav->frame_bytes, end = count * wav->frame_bytes;

	while (at < end && frames[at] == wav->silence)
		at++;
	return at / wav->frame_bytes;
}

/* the first frame that differs, @count if none */
static uint64_t first_difference(const unsigned char *a, const unsigned char *b,
				 uint64_t count, unsigned int frame_bytes)
{
	const uint64_t step = 65536;
	uint64_t n = 0;

	while (count - n >= step &&
	       !memcmp(a + n * frame_bytes, b + n * frame_bytes,
		       step * frame_bytes))
		n += step;
	while (n < count && !memcmp(a + n * frame_bytes, b + n * frame_bytes,
				    frame_bytes))
		n++;
	return n;
}

static int differs(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("identical=no\nwhy=", stdout);
	vprintf(format, ap);
	putchar('\n');
	va_end(ap);
	return 1;
}

static int compare(const struct wav *wav, const unsigned char *captured,
		   uint64_t count)
{
	uint64_t sound = first_sound(wav, wav->frames, 0, wav->count);
	uint64_t heard = first_sound(wav, captured, 0, count);
	uint64_t offset, n;

	if (sound == wav->count) {
		if (heard != count)
			return differs("the recording is silent, the capture is not, at frame %llu",
				  (unsigned long long)heard);
		if (count < wav->count)
			return differs("the capture is shorter than the recording");
		puts("identical=yes\noffset=silent");
		return 0;
	}
	if (heard == count)
		return differs("the capture is silent");
	if (heard < sound)
		return differs("sound at frame %llu, the recording has %llu silent frames first",
			  (unsigned long long)heard, (unsigned long long)sound);
	offset = heard - sound;
	printf("offset=%llu\n", (unsigned long long)offset);

	n = wav->count;
	if (n > count - offset)
		n = count - offset;
	n = first_difference(wav->frames, captured + offset * wav->frame_bytes,
			     n, wav->frame_bytes);
	if (n < wav->count && offset + n == count)
		return differs("the capture ends after %llu frames of the recording",
			  (unsigned long long)n);
	if (n < wav->count)
		return differs("frame %llu of the recording differs",
			  (unsigned long long)n);

	n = first_sound(wav, captured, offset + wav->count, count);
	if (n < count)
		return differs("sound after the recording's end, at frame %llu of the capture",
			  (unsigned long long)n);
	puts("identical=yes");
	return 0;
}

static void write_wav(const struct wav *wav, const struct file *raw,
		      const char *name)
{
	unsigned char header[RIFF_HEADER + CHUNK_HEADER] = "RIFF----WAVEfmt ";
	unsigned char data[CHUNK_HEADER] = "data";
	uint64_t fmt_size = wav->fmt_size + (wav->fmt_size & 1);
	FILE *out = fopen(name, "wb");

	put_le32(header + 4, 4 + CHUNK_HEADER + fmt_size + CHUNK_HEADER +
		 raw->size + (raw->size & 1));
	put_le32(header + 16, wav->fmt_size);
	put_le32(data + 4, raw->size);
	if (!out ||
	    fwrite(header, sizeof(header), 1, out) != 1 ||
	    fwrite(wav->fmt, fmt_size, 1, out) != 1 ||
	    fwrite(data, sizeof(data), 1, out) != 1 ||
	    (raw->size && fwrite(raw->data, raw->size, 1, out) != 1) ||
	    ((raw->size & 1) && fputc(0, out) == EOF) ||
	    fclose(out))
		die("%s: %s", name, strerror(errno));
}

static void print_info(const struct wav *wav)
{
	printf("format=%s\nrate=%u\nchannels=%u\nframes=%llu\nbytes=%llu\n",
	       wav->format, wav->rate, wav->channels,
	       (unsigned long long)wav->count,
	       (unsigned long long)(wav->count * wav->frame_bytes));
}

int main(int argc, char **argv)
{
	struct wav wav;
	struct file raw;

	if (argc == 3 && !strcmp(argv[1], "info")) {
		wav = wav_open(argv[2]);
		print_info(&wav);
		return 0;
	}
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "compare")) {
		wav = wav_open(argv[2]);
		raw = file_open(argv[3]);
		if (argc == 5)
			write_wav(&wav, &raw, argv[4]);
		printf("captured=%llu\n",
		       (unsigned long long)(raw.size / wav.frame_bytes));
		return compare(&wav, raw.data, raw.size / wav.frame_bytes);
	}
	die("usage: wavcmp info RECORDING | compare RECORDING RAW [WAV]");
}
