// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reach NAME: attempts at what the guard and capabilities keep; see steps.h.
 *
 * Where a PID is wanted: a number, "self", "parent", "child" (made for the step, in the caller's label),
 * or "@FILE" that holds a number.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/vm/bin/steps.h"

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

/* ---- processes ------------------------------------------------------------------------------- */

static pid_t child_made;

static void pause_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static pid_t pid_of(const char *text)
{
	char number[32] = "";
	FILE *file;

	if (!strcmp(text, "self"))
		return getpid();
	if (!strcmp(text, "parent"))
		return getppid();
	if (!strcmp(text, "child")) {
		child_made = fork();
		if (child_made == 0)
			pause_for_ever();
		return child_made;
	}
	if (text[0] != '@')
		return atoi(text);
	file = fopen(text + 1, "re");
	if (!file || !fgets(number, sizeof(number), file))
		exit(3);
	fclose(file);
	return atoi(number);
}

static void child_done(void)
{
	if (child_made <= 0)
		return;
	kill(child_made, SIGKILL);
	waitpid(child_made, NULL, 0);
	child_made = 0;
}

/* The result of a function that runs in a process of its own, because it changes it. */
static int apart(int (*run)(char **), char **w)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-run(w));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* ---- bpf, io_uring, perf, modules ------------------------------------------------------------ */

static int close_result(long fd)
{
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

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

/* ---- mounts ---------------------------------------------------------------------------------- */

static int do_mount(char **w)
{
	return step_result(mount(w[0], w[1], w[0], 0, NULL));
}

static int do_mount_bind(char **w)
{
	return step_result(mount(w[0], w[1], NULL, MS_BIND, NULL));
}

static int do_mount_move(char **w)
{
	return step_result(mount(w[0], w[1], NULL, MS_MOVE, NULL));
}

static int do_mount_remount(char **w)
{
	return step_result(mount(NULL, w[0], NULL, MS_REMOUNT | MS_NOATIME, NULL));
}

static int do_mount_private(char **w)
{
	return step_result(mount(NULL, w[0], NULL, MS_PRIVATE, NULL));
}

static int do_umount(char **w)
{
	return step_result(umount2(w[0], 0));
}

static int do_umount_detach(char **w)
{
	return step_result(umount2(w[0], MNT_DETACH));
}

static int pivot(char **w)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return step_result(syscall(SYS_pivot_root, w[0], w[1]));
}

/* NEW OLD: in the namespace we have */
static int do_pivot_root(char **w)
{
	return step_result(syscall(SYS_pivot_root, w[0], w[1]));
}

/* NEW OLD: in a mount namespace of its own */
static int do_pivot_apart(char **w)
{
	return apart(pivot, w);
}

static int new_superblock(const char *type)
{
	int context = fsopen(type, FSOPEN_CLOEXEC), r;

	if (context < 0)
		return -errno;
	r = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : context;
	if (r < 0)
		close(context);
	return r;
}

static int do_fsopen(char **w)
{
	return close_result(fsopen(w[0], FSOPEN_CLOEXEC));
}

static int do_fsconfig(char **w)
{
	int r = new_superblock(w[0]);

	if (r >= 0)
		close(r);
	return r < 0 ? r : 0;
}

/* TYPE [TARGET]: all of fsopen, fsconfig, fsmount, move_mount */
static int do_fsmount(char **w)
{
	int context = new_superblock(w[0]), tree, r = 0;

	if (context < 0)
		return context;
	tree = fsmount(context, FSMOUNT_CLOEXEC, 0);
	r = tree < 0 ? -errno : 0;
	if (!r && w[1])
		r = step_result(move_mount(tree, "", AT_FDCWD, w[1], MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
	close(context);
	return r;
}

static int do_open_tree(char **w)
{
	return close_result(open_tree(AT_FDCWD, w[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

/* PATH FILE: reads a file through a tree that is not attached */
static int do_read_in_tree(char **w)
{
	int tree = open_tree(AT_FDCWD, w[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), r;

	if (tree < 0)
		return -errno;
	r = close_result(openat(tree, w[1], O_RDONLY | O_CLOEXEC));
	close(tree);
	return r;
}

static int do_move_mount(char **w)
{
	return step_result(move_mount(AT_FDCWD, w[0], AT_FDCWD, w[1], 0));
}

/* PATH: of the mount, read-only */
static int do_mount_setattr(char **w)
{
	struct {
		uint64_t set, clear, propagation, userns_fd;
	} attr = { .set = MOUNT_ATTR_NOATIME, .clear = MOUNT_ATTR__ATIME };

	return step_result(syscall(SYS_mount_setattr, AT_FDCWD, w[0], 0, &attr, sizeof(attr)));
}

/* PATH: reconfigure its file system */
static int do_fspick(char **w)
{
	int context = fspick(AT_FDCWD, w[0], FSPICK_CLOEXEC), r;

	if (context < 0)
		return -errno;
	r = step_result(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	close(context);
	return r;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static int namespace_flag(const char *name)
{
	if (!strcmp(name, "user"))
		return CLONE_NEWUSER;
	if (!strcmp(name, "mnt"))
		return CLONE_NEWNS;
	return strcmp(name, "pid") ? CLONE_NEWUTS : CLONE_NEWPID;
}

static int unshare_one(char **w)
{
	return step_result(unshare(namespace_flag(w[0])));
}

static int do_unshare(char **w)
{
	return apart(unshare_one, w);
}

static int do_clone(char **w)
{
	long pid = syscall(SYS_clone, namespace_flag(w[0]) | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(0);
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int setns_one(char **w)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid_of(w[0]), w[1]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : step_result(setns(fd, 0));
}

/* PID mnt|user|... */
static int do_setns(char **w)
{
	return apart(setns_one, w);
}

/* ---- into other processes -------------------------------------------------------------------- */

static int do_attach(char **w)
{
	pid_t pid = pid_of(w[0]);
	int r = step_result(ptrace(PTRACE_ATTACH, pid, NULL, NULL));

	if (!r) {
		waitpid(pid, NULL, 0);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	child_done();
	return r;
}

static int do_seize(char **w)
{
	int r = step_result(ptrace(PTRACE_SEIZE, pid_of(w[0]), NULL, NULL));

	child_done();
	return r;
}

static int traceme(char **w)
{
	(void)w;
	return step_result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int do_traceme_child(char **w)
{
	return apart(traceme, w);
}

static int transfer(char **w, ssize_t (*move)(pid_t, const struct iovec *, unsigned long,
					      const struct iovec *, unsigned long, unsigned long))
{
	static long data;
	struct iovec local = { &data, sizeof(data) };
	int r = step_result(move(pid_of(w[0]), &local, 1, &local, 1, 0));

	child_done();
	return r;
}

static int do_vm_read(char **w)
{
	int r = transfer(w, process_vm_readv);

	return r == -EFAULT ? 0 : r; /* it was let in, and is another program */
}

static int do_vm_write(char **w)
{
	int r = transfer(w, process_vm_writev);

	return r == -EFAULT ? 0 : r;
}

/* PID FILE [w]: opens /proc/PID/FILE */
static int do_proc(char **w)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid_of(w[0]), w[1]);
	r = close_result(open(path, (w[2] ? O_RDWR : O_RDONLY) | O_CLOEXEC));
	child_done();
	return r;
}

static int do_pidfd_getfd(char **w)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid_of(w[0]), 0), r;

	if (pidfd < 0)
		return -errno;
	r = close_result(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	close(pidfd);
	child_done();
	return r;
}

static int do_kcmp(char **w)
{
	int r = step_result(syscall(SYS_kcmp, getpid(), pid_of(w[0]), 1, 0, 0));

	child_done();
	return r;
}

static int do_set_mm(char **w)
{
	(void)w;
	return step_result(prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0)) == -EPERM ? -EPERM : 0;
}

/* ---- signals --------------------------------------------------------------------------------- */

/* PID SIGNAL */
static int do_kill(char **w)
{
	int r = step_result(kill(pid_of(w[0]), atoi(w[1])));

	child_done();
	return r;
}

static int do_killpg(char **w)
{
	return step_result(kill(-getpgid(pid_of(w[0])), atoi(w[1])));
}

static int do_tgkill(char **w)
{
	pid_t pid = pid_of(w[0]);
	int r = step_result(syscall(SYS_tgkill, pid, pid, atoi(w[1])));

	child_done();
	return r;
}

static int do_tkill(char **w)
{
	int r = step_result(syscall(SYS_tkill, pid_of(w[0]), atoi(w[1])));

	child_done();
	return r;
}

static int do_sigqueue(char **w)
{
	union sigval value = { 0 };
	int r = step_result(sigqueue(pid_of(w[0]), atoi(w[1]), value));

	child_done();
	return r;
}

static int do_pidfd_kill(char **w)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid_of(w[0]), 0), r;

	if (pidfd < 0)
		return -errno;
	r = step_result(syscall(SYS_pidfd_send_signal, pidfd, atoi(w[1]), NULL, 0));
	close(pidfd);
	child_done();
	return r;
}

/* Sends data to a socket whose owner then gets the signal */
static int rouse(int fds[2], int signal_number)
{
	int r = 0;

	if (signal_number)
		r = step_result(fcntl(fds[0], F_SETSIG, signal_number));
	if (!r)
		r = step_result(fcntl(fds[0], F_SETFL, O_ASYNC));
	if (!r && write(fds[1], "x", 1) != 1)
		r = -errno;
	close(fds[0]);
	close(fds[1]);
	return r;
}

/* HOW PID [SIGNAL]: HOW is setown, setown_ex, fiosetown, siocspgrp, setown_group */
static int do_sigio(char **w)
{
	struct f_owner_ex owner = { .type = F_OWNER_PID };
	int fds[2], r, pid = pid_of(w[1]);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	owner.pid = pid;
	if (!strcmp(w[0], "setown"))
		r = step_result(fcntl(fds[0], F_SETOWN, pid));
	else if (!strcmp(w[0], "setown_group"))
		r = step_result(fcntl(fds[0], F_SETOWN, -getpgid(pid)));
	else if (!strcmp(w[0], "setown_ex"))
		r = step_result(fcntl(fds[0], F_SETOWN_EX, &owner));
	else
		r = step_result(
			ioctl(fds[0], !strcmp(w[0], "fiosetown") ? FIOSETOWN : SIOCSPGRP, &pid));
	if (!r)
		r = rouse(fds, w[2] ? atoi(w[2]) : 0);
	child_done();
	return r;
}

/* Do our own signals of this kind reach us? */
static volatile sig_atomic_t roused;

static void on_rouse(int signal_number)
{
	(void)signal_number;
	roused = 1;
}

static int do_sigio_own(char **w)
{
	int fds[2], r;

	(void)w;
	signal(SIGIO, on_rouse);
	roused = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	r = step_result(fcntl(fds[0], F_SETOWN, getpid()));
	if (!r)
		r = rouse(fds, 0);
	signal(SIGIO, SIG_DFL);
	return r ? r : roused ? 0 : -ENODATA;
}

/* PID: a processor time limit that would soon kill it */
static int do_prlimit(char **w)
{
	struct rlimit limit = { 3600, 3600 };
	int r = step_result(prlimit(pid_of(w[0]), RLIMIT_CPU, &limit, NULL));

	child_done();
	return r;
}

/* ---- files of the kernel --------------------------------------------------------------------- */

/* FILE TEXT */
static int do_write(char **w)
{
	int fd = open(w[0], O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = step_result(write(fd, w[1], strlen(w[1])));
	close(fd);
	return r;
}

static int do_read(char **w)
{
	return close_result(open(w[0], O_RDONLY | O_CLOEXEC));
}

/* FILE r|rw: maps it, shared */
static int do_map_file(char **w)
{
	int writes = w[1][1] == 'w', fd = open(w[0], (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return -errno;
	at = mmap(NULL, 1, PROT_READ | (writes ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return -errno;
	munmap(at, 1);
	return 0;
}

static int do_mkdir(char **w)
{
	return step_result(mkdir(w[0], 0755));
}

static int do_rmdir(char **w)
{
	return step_result(rmdir(w[0]));
}

static int do_unlink(char **w)
{
	return step_result(unlink(w[0]));
}

/* ---- capabilities ---------------------------------------------------------------------------- */

static int setuid_one(char **w)
{
	return step_result(syscall(SYS_setuid, atoi(w[0])));
}

static int do_setuid(char **w)
{
	return apart(setuid_one, w);
}

static int setgid_one(char **w)
{
	return step_result(syscall(SYS_setgid, atoi(w[0])));
}

static int do_setgid(char **w)
{
	return apart(setgid_one, w);
}

static int do_chown(char **w)
{
	return step_result(chown(w[0], (uid_t)atoi(w[1]), (gid_t)-1));
}

static int chroot_one(char **w)
{
	return step_result(chroot(w[0]));
}

static int do_chroot(char **w)
{
	return apart(chroot_one, w);
}

static int do_sethostname(char **w)
{
	return step_result(sethostname(w[0], strlen(w[0])));
}

static int nice_one(char **w)
{
	return step_result(setpriority(PRIO_PROCESS, 0, atoi(w[0])));
}

static int do_nice(char **w)
{
	return apart(nice_one, w);
}

static int do_mknod(char **w)
{
	return step_result(mknod(w[0], S_IFCHR | 0600, 0x103));
}

static int do_settime(char **w)
{
	struct timespec now;

	(void)w;
	clock_gettime(CLOCK_REALTIME, &now);
	return step_result(clock_settime(CLOCK_REALTIME, &now));
}

static int do_reboot(char **w)
{
	(void)w;
	return step_result(reboot(RB_DISABLE_CAD));
}

/* Asks without audit for CAP_SYS_ADMIN: overcommit accounting does at every private mapping. */
static int do_map(char **w)
{
	void *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)w;
	if (at == MAP_FAILED)
		return -errno;
	munmap(at, 1 << 20);
	return 0;
}

static const struct step_command commands[] = {
	{ "bpf", 0, do_bpf },
	{ "io_uring", 0, do_io_uring },
	{ "perf", 1, do_perf },
	{ "init_module", 0, do_init_module },
	{ "finit_module", 1, do_finit_module },
	{ "delete_module", 1, do_delete_module },
	{ "kexec", 0, do_kexec },
	{ "mount", 2, do_mount },
	{ "mount_bind", 2, do_mount_bind },
	{ "mount_move", 2, do_mount_move },
	{ "mount_remount", 1, do_mount_remount },
	{ "mount_private", 1, do_mount_private },
	{ "umount", 1, do_umount },
	{ "umount_detach", 1, do_umount_detach },
	{ "pivot_root", 2, do_pivot_root },
	{ "pivot_apart", 2, do_pivot_apart },
	{ "fsopen", 1, do_fsopen },
	{ "fsconfig", 1, do_fsconfig },
	{ "fsmount", 1, do_fsmount },
	{ "open_tree", 1, do_open_tree },
	{ "read_in_tree", 2, do_read_in_tree },
	{ "move_mount", 2, do_move_mount },
	{ "mount_setattr", 1, do_mount_setattr },
	{ "fspick", 1, do_fspick },
	{ "unshare", 1, do_unshare },
	{ "clone", 1, do_clone },
	{ "setns", 2, do_setns },
	{ "attach", 1, do_attach },
	{ "seize", 1, do_seize },
	{ "traceme", 0, traceme },
	{ "traceme_child", 0, do_traceme_child },
	{ "vm_read", 1, do_vm_read },
	{ "vm_write", 1, do_vm_write },
	{ "proc", 2, do_proc },
	{ "pidfd_getfd", 1, do_pidfd_getfd },
	{ "kcmp", 1, do_kcmp },
	{ "set_mm", 0, do_set_mm },
	{ "kill", 2, do_kill },
	{ "killpg", 2, do_killpg },
	{ "tgkill", 2, do_tgkill },
	{ "tkill", 2, do_tkill },
	{ "sigqueue", 2, do_sigqueue },
	{ "pidfd_kill", 2, do_pidfd_kill },
	{ "sigio", 2, do_sigio },
	{ "sigio_own", 0, do_sigio_own },
	{ "prlimit", 1, do_prlimit },
	{ "write", 2, do_write },
	{ "read", 1, do_read },
	{ "map_file", 2, do_map_file },
	{ "mkdir", 1, do_mkdir },
	{ "rmdir", 1, do_rmdir },
	{ "unlink", 1, do_unlink },
	{ "setuid", 1, do_setuid },
	{ "setgid", 1, do_setgid },
	{ "chown", 2, do_chown },
	{ "chroot", 1, do_chroot },
	{ "sethostname", 1, do_sethostname },
	{ "nice", 1, do_nice },
	{ "mknod", 1, do_mknod },
	{ "settime", 0, do_settime },
	{ "reboot", 0, do_reboot },
	{ "map", 0, do_map },
	{ NULL, 0, NULL },
};

static const struct step_command *const tables[] = { commands, NULL };

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return steps(argc > 1 ? argv[1] : "reach", tables);
}
