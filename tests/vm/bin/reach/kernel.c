// SPDX-License-Identifier: GPL-2.0-or-later
/* bpf, io_uring, perf, modules, kexec: the machinery of the kernel. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <stdint.h>
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

const struct step_command kernel_commands[] = {
	{ "bpf", 0, do_bpf },
	{ "io_uring", 0, do_io_uring },
	{ "perf", 1, do_perf },
	{ "init_module", 0, do_init_module },
	{ "finit_module", 1, do_finit_module },
	{ "delete_module", 1, do_delete_module },
	{ "kexec", 0, do_kexec },
	{ NULL, 0, NULL },
};
