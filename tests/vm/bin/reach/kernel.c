// SPDX-License-Identifier: GPL-2.0-or-later
/* bpf, io_uring, perf, modules, kexec: the machinery of the kernel. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int do_bpf(char **w)
{
	union bpf_attr attr = { 0 };

	if (w[0]) { /* a pinned object */
		attr.pathname = (uintptr_t)w[0];
		return close_result(syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)));
	}
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	return close_result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int do_io_uring(char **w)
{
	struct io_uring_params params = { 0 };

	(void)w;
	return close_result(syscall(SYS_io_uring_setup, 2, &params));
}

static int do_perf(char **w)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };
	int r = close_result(syscall(SYS_perf_event_open, &attr, pid_of(w[0]), -1, -1, 0));

	child_done();
	return r;
}

static int do_init_module(char **w)
{
	static char nothing[4096];

	(void)w;
	return step_result(syscall(SYS_init_module, nothing, sizeof(nothing), ""));
}

static int do_finit_module(char **w)
{
	int fd = open(w[0], O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = step_result(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return r;
}

static int do_delete_module(char **w)
{
	return step_result(syscall(SYS_delete_module, w[0], O_NONBLOCK));
}

static int do_kexec(char **w)
{
	(void)w;
	return step_result(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

/* FILE: another's bytes, by a number of a descriptor that is only looked at by ext4 */
static int do_move_ext(char **w)
{
	struct {
		uint32_t reserved, donor;
		uint64_t from, to, length, moved;
	} move = { 0 };
	int fd = open(w[0], O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	move.donor = (uint32_t)fd;
	r = step_result(ioctl(fd, _IOWR('f', 15, move), &move));
	close(fd);
	return r;
}

/* To the unspecified address, for which a control message may give another */
static int do_pktinfo(char **w)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	char byte = 0, control[CMSG_SPACE(sizeof(struct in_pktinfo))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_name = &to,
				  .msg_namelen = sizeof(to),
				  .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	(void)w;
	if (fd < 0)
		return -errno;
	head->cmsg_level = IPPROTO_IP;
	head->cmsg_type = IP_PKTINFO;
	head->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(head), &info, sizeof(info));
	r = sendmsg(fd, &message, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* A character, as if it were typed into a terminal of our own */
static int do_type(char **w)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave = -1, r;

	(void)w;
	if (master >= 0 && !unlockpt(master))
		slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	r = slave < 0 ? -errno : step_result(ioctl(slave, TIOCSTI, "x"));
	close(slave);
	close(master);
	return r;
}

const struct step_command kernel_commands[] = {
	{ "type", 0, do_type },
	{ "move_ext", 1, do_move_ext },
	{ "pktinfo", 0, do_pktinfo },
	{ "bpf", 0, do_bpf },
	{ "io_uring", 0, do_io_uring },
	{ "perf", 1, do_perf },
	{ "init_module", 0, do_init_module },
	{ "finit_module", 1, do_finit_module },
	{ "delete_module", 1, do_delete_module },
	{ "kexec", 0, do_kexec },
	{ NULL, 0, NULL },
};
