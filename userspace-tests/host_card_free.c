// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card that is taken away under its clients, by unbinding its device. They
 * are told, their mappings stay theirs, and the device is not let go before the
 * last of them is gone: some kernels free a card that is closed later by way of
 * a device which is no more.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "vhost.h"

#define DRIVER		"/sys/bus/platform/drivers/snd-virtual/"
#define DEVICE		"snd-virtual.0"
#define LIMIT		(20 * VT_SECOND)	/* the machine may be slow */
#define BYTES		16384
#define STAMP		0x33
#define PREALLOCATED	1	/* the device of a default card with files */

static void write_file(const char *path, const char *text)
{
	int fd = SYS(open(path, O_WRONLY));

	SYS(write(fd, text, strlen(text)));
	SYS(close(fd));
}

static void live_unbinding(const void *arg)
{
	const int *pipe = arg;
	char go;

	SYS(read(pipe[0], &go, 1));
	write_file(DRIVER "unbind", DEVICE);
}

/*
 * A process that will unbind the device when it is told to. It is made before
 * anything is opened: what it inherited it would wait for itself.
 */
static pid_t fork_unbinding(int pipe_fds[2])
{
	SYS(pipe(pipe_fds));
	return vt_fork(live_unbinding, pipe_fds);
}

static void unbind(const int pipe_fds[2])
{
	SYS(write(pipe_fds[1], "", 1));
	SYS(close(pipe_fds[0]));
	SYS(close(pipe_fds[1]));
}

static void wait_until_gone(int fd)
{
	int64_t until = vt_now() + LIMIT;

	while (!ioctl(fd, VH_PREPARE) || errno != ENODEV) {
		EXPECT(vt_now() < until, "the card does not go: %m");
		vt_sleep_until(vt_now() + VT_MS);
	}
}

static void expect_bound(pid_t unbinding, const char *who)
{
	int status;

	vt_sleep_until(vt_now() + 100 * VT_MS);
	EXPECT(!waitpid(unbinding, &status, WNOHANG),
	       "the device is gone, and %s is not", who);
}

static void expect_stamped(const unsigned char *ring, const char *when)
{
	size_t i;

	for (i = 0; i < BYTES; i++)
		EXPECT(ring[i] == STAMP, "%s: byte %zu is %#x", when, i,
		       ring[i]);
}

/* Bound again, it is a card as before. */
static void bind_again(int device)
{
	int64_t until = vt_now() + LIMIT;
	char path[40];

	write_file(DRIVER "bind", DEVICE);
	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%dp", vt_card, device);
	while (access(path, R_OK | W_OK)) {
		EXPECT(vt_now() < until, "no %s", path);
		vt_sleep_until(vt_now() + VT_MS);
	}
	vt_carry(device, 0, SND_PCM_ACCESS_RW_INTERLEAVED, 480);
}

static struct vt_stream *mapped_player(int device, unsigned char **ring)
{
	struct vt_params p = vt_plain;
	struct vt_stream *s;

	p.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	p.period = 4096;
	p.buffer = 16384;
	p.stop = VT_NEVER;
	s = vt_player(device, &p);
	*ring = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		     vt_descriptor(s), 0);
	EXPECT(*ring != MAP_FAILED, "mmap: %m");
	memset(*ring, STAMP, BYTES);
	return s;
}

static void test_streams(const void *arg)
{
	const int *device = arg;
	struct vt_params p = vt_plain;
	struct vt_stream *player, *recorder;
	unsigned char *ring, buf[480 * 4];
	pid_t unbinding;
	int fds[2];

	unbinding = fork_unbinding(fds);
	p.stop = VT_NEVER;
	player = mapped_player(*device, &ring);
	recorder = vt_recorder(*device, &p);
	vt_link(player, recorder);
	MUST(snd_pcm_start(player->pcm));
	vt_read(recorder, buf, 480);

	unbind(fds);
	wait_until_gone(vt_descriptor(player));
	REFUSED(-ENODEV, snd_pcm_readi(recorder->pcm, buf, 480));
	expect_stamped(ring, "taken away");
	expect_bound(unbinding, "a recorder");
	vt_close(recorder);
	expect_bound(unbinding, "a player");
	vt_close(player);
	expect_bound(unbinding, "a mapping");
	expect_stamped(ring, "closed");
	SYS(munmap(ring, BYTES));
	vt_reap(unbinding, 0);
	bind_again(*device);
}

/* Before the card is gone or after, but not in between */
static void expect_plain(long done, long bytes, const char *what)
{
	EXPECT(done == bytes || (done < 0 && errno == EIO), "%s: %ld, %m", what,
	       done);
}

/* Nobody streams, but a file of the core's is open. */
static void test_proc(const void *arg)
{
	const int *device = arg;
	char path[64], text[32];
	pid_t unbinding;
	long bytes;
	int fd, fds[2];

	unbinding = fork_unbinding(fds);
	snprintf(path, sizeof(path), "/proc/asound/card%d/pcm%dp/sub0/prealloc",
		 vt_card, *device);
	fd = SYS(open(path, O_RDWR));
	bytes = SYS(pread(fd, text, sizeof(text), 0));
	unbind(fds);
	vt_sleep_until(vt_now() + 20 * VT_MS);
	expect_plain(read(fd, text, sizeof(text)), bytes, "read");
	expect_plain(pwrite(fd, "64\n", 3, 0), 3, "write");
	SYS(close(fd));
	vt_reap(unbinding, 0);
	bind_again(*device);
}

int main(int argc, char **argv)
{
	int device;

	vt_init(argc, argv, 110);
	vt_plan(3);
	for (device = 0; device < 2; device++)
		vt_run(test_streams, &device,
		       "device %d taken away under its streams", device);
	vt_run(test_proc, &(int){ PREALLOCATED },
	       "device %d taken away under a file of procfs", PREALLOCATED);
	return vt_finish();
}
