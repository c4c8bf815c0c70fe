// SPDX-License-Identifier: GPL-2.0-only
/* The module stays as long as anybody holds something of it open. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "vpcm.h"

#define MODULE	"snd_virtual"
#define CORE	"snd_pcmbuf"

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) < 0 ? errno : 0;
}

/* Refused, and what was opened is as before */
static void expect_refused(void)
{
	int err = unload(MODULE);

	EXPECT(err == EAGAIN || err == EBUSY, MODULE ": %s", strerror(err));
	err = unload(CORE);
	EXPECT(err == EAGAIN || err == EBUSY, CORE ": %s", strerror(err));
}

static void close_fd(void *data)
{
	int *fd = data;

	close(*fd);
}

static int open_file(const char *fmt, int flags)
{
	int *fd = vt_alloc(sizeof(*fd));
	char path[80];

	snprintf(path, sizeof(path), fmt, vt_card);
	*fd = SYS(open(path, flags));
	vt_defer(close_fd, fd);
	return *fd;
}

static void test_core(const void *arg)
{
	int err = unload(CORE);

	(void)arg;
	EXPECT(err == EAGAIN || err == EBUSY,
	       "the driver's core: %s", strerror(err));
}

static void test_control(const void *arg)
{
	(void)arg;
	open_file("/dev/snd/controlC%d", O_RDWR);
	expect_refused();
}

static void test_proc(const void *arg)
{
	char text[32];
	int fd;

	(void)arg;
	fd = open_file("/proc/asound/card%d/pcm1p/sub0/prealloc", O_RDWR);
	expect_refused();
	EXPECT(SYS(read(fd, text, sizeof(text))) > 0, "nothing to read");
}

static void test_open(const void *arg)
{
	const snd_pcm_stream_t *dir = arg;
	struct vt_stream *s = vt_open(0, 0, *dir, 0);

	expect_refused();
	MUST(vt_configure(s, &vt_plain));
	expect_refused();
}

static void test_running(const void *arg)
{
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;

	(void)arg;
	p.stop = VT_NEVER;
	player = vt_player(0, &p);
	recorder = vt_recorder(0, &p);
	vt_link(player, recorder);
	vt_play(player, 0, 1920);
	MUST(snd_pcm_start(player->pcm));
	expect_refused();
	MUST(snd_pcm_avail(recorder->pcm));
	MUST(snd_pcm_drop(recorder->pcm));
	expect_refused();
}

static void unmap_page(void *at)
{
	munmap(at, 4096);
}

/* A mapping holds the file, and the file the module, also when closed */
static void test_mapped(const void *arg)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;
	char *page;

	(void)arg;
	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	s = vt_player(0, &p);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    vt_descriptor(s), 0);
	EXPECT(page != MAP_FAILED, "mmap: %s", strerror(errno));
	vt_defer(unmap_page, page);
	page[7] = 7;
	vt_close(s);
	expect_refused();
	EXPECT(page[7] == 7, "the page changed");
}

static void test_sequence(const void *arg)
{
	static const snd_pcm_stream_t dir = SND_PCM_STREAM_PLAYBACK;
	unsigned int i;

	(void)arg;
	for (i = 0; i < 20; i++) {
		struct vt_stream *s = vt_open(0, 0, dir, 0);

		expect_refused();
		vt_close(s);
	}
}

int main(int argc, char **argv)
{
	static const snd_pcm_stream_t dirs[] = {
		SND_PCM_STREAM_PLAYBACK, SND_PCM_STREAM_CAPTURE,
	};

	vt_init(argc, argv, 60);
	vt_plan(8);
	vt_run(test_core, NULL, "the core under the driver");
	vt_run(test_control, NULL, "a control device");
	vt_run(test_proc, NULL, "a proc file");
	vt_run(test_open, &dirs[0], "a player");
	vt_run(test_open, &dirs[1], "a recorder");
	vt_run(test_running, NULL, "a running cable");
	vt_run(test_mapped, NULL, "a mapping alone");
	vt_run(test_sequence, NULL, "again and again");
	return vt_finish();
}
