// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One operation per hook, for the canary. Only the hook under proof refuses it, so an attempt may
 * open and make what it needs. Not refused, each either does nothing, or ends with the canary: its
 * root file system and its mount namespace are its own, its sockets are unix sockets.
 */
#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <ucontext.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/enforce/prove_stage.h"

static int done(long result)
{
	return result < 0 ? -errno : 0;
}

static int done_fd(int fd)
{
	if (fd < 0)
		return -errno;
	fd_close(fd);
	return 0;
}

static int open_file(void)
{
	return open(CANARY_FILE, O_RDWR | O_CLOEXEC);
}

/* ---- tasks and programs ---------------------------------------------------------------------- */

static int try_task_alloc(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
	return done(child);
}

static int try_exec(const char *path)
{
	char *arguments[] = { (char *)path, NULL }, *environment[] = { NULL };

	return done(execve(path, arguments, environment));
}

static int try_bprm_check_security(void)
{
	return try_exec(CANARY_SCRIPT); /* let through: its interpreter is missing */
}

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000 /* <linux/fcntl.h>, from 6.14 on */
#endif

static int try_bprm_creds_for_exec(void)
{
	char *arguments[] = { (char *)CANARY_SCRIPT, NULL }, *environment[] = { NULL };

	return done(syscall(SYS_execveat, AT_FDCWD, CANARY_SCRIPT, arguments, environment,
			    AT_EXECVE_CHECK));
}

static int try_bprm_committed_creds(void)
{
	return try_exec(CANARY_PROGRAM);
}

static int try_task_prctl(void)
{
	return done(prctl(PR_GET_DUMPABLE));
}

static int try_task_setrlimit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return -errno;
	return done(setrlimit(RLIMIT_CORE, &limit));
}

static int try_userns_create(void)
{
	return done(unshare(CLONE_NEWUSER));
}

static int try_capable(void)
{
	return done_fd(fsopen("tmpfs", FSOPEN_CLOEXEC));
}

/* The one question about another task that neither Yama nor hidepid has a say in. */
static int try_ptrace_access_check(void)
{
	void *head;
	size_t size;

	return done(syscall(SYS_get_robust_list, getppid(), &head, &size));
}

static int try_ptrace_traceme(void)
{
	return done(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_task_kill(void)
{
	return done(kill(getpid(), 0));
}

/* ---- open files ------------------------------------------------------------------------------ */

static int try_file_open(void)
{
	return done_fd(open(CANARY_FILE, O_RDONLY | O_CLOEXEC));
}

/* A descriptor that the hook refuses is missing from a message that arrives all the same. */
static int try_file_receive(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec text = { .iov_base = &(char){ 0 }, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	CLEANUP_FD int ours = -1, theirs = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	*(int *)CMSG_DATA(&control.header) = ours;
	if (sendmsg(ours, &message, MSG_NOSIGNAL) < 0)
		return -errno;
	message.msg_controllen = sizeof(control);
	if (recvmsg(theirs, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
		return -errno;
	if (!CMSG_FIRSTHDR(&message))
		return message.msg_flags & MSG_CTRUNC ? -EPERM : -EIO;
	fd_close(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)));
	return 0;
}

static int try_file_truncate(void)
{
	CLEANUP_FD int fd = open_file();

	return done(ftruncate(fd, 0));
}

static int try_file_ioctl(void)
{
	CLEANUP_FD int fd = open_file();

	return done(ioctl(fd, FIOCLEX));
}

#ifdef __x86_64__
/* Without IA32 emulation "int $0x80" faults: step over its two bytes. */
static void no_compat(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)number;
	(void)info;
	interrupted->uc_mcontext.gregs[REG_RIP] += 2;
	interrupted->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
}

static int try_file_ioctl_compat(void)
{
	enum { COMPAT_IOCTL = 54 };
	struct sigaction step = { .sa_sigaction = no_compat, .sa_flags = SA_SIGINFO }, before;
	CLEANUP_FD int fd = open_file();
	int result;

	if (fd < 0 || sigaction(SIGSEGV, &step, &before) < 0)
		return -errno;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(COMPAT_IOCTL), "b"(fd), "c"(FIOCLEX), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	sigaction(SIGSEGV, &before, NULL);
	return result;
}
#else
static int try_file_ioctl_compat(void)
{
	return -ENOSYS; /* takes a 32-bit program */
}
#endif

static int try_file_lock(void)
{
	CLEANUP_FD int fd = open_file();

	return done(flock(fd, LOCK_SH | LOCK_NB));
}

static int try_file_fcntl(void)
{
	CLEANUP_FD int fd = open_file();

	return done(fcntl(fd, F_GETFL));
}

static int try_mmap_file(void)
{
	CLEANUP_FD int fd = open_file();
	void *memory = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	munmap(memory, 1);
	return 0;
}

static int try_file_mprotect(void)
{
	CLEANUP_FD int fd = open_file();
	void *memory = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	int r;

	if (memory == MAP_FAILED)
		return -errno;
	r = done(mprotect(memory, 1, PROT_READ | PROT_EXEC));
	munmap(memory, 1);
	return r;
}

static int try_file_permission(void)
{
	CLEANUP_FD int fd = open_file();
	char byte;

	return done(pread(fd, &byte, 1, 0));
}

/* ---- names ----------------------------------------------------------------------------------- */

static int try_path_truncate(void)
{
	return done(truncate(CANARY_FILE, 0));
}

static int try_path_mknod(void)
{
	return done(mknod("/node", S_IFREG | 0600, 0));
}

static int try_path_mkdir(void)
{
	return done(mkdir("/made", 0700));
}

static int try_path_symlink(void)
{
	return done(symlink(CANARY_FILE, "/symlink"));
}

static int try_path_unlink(void)
{
	return done(unlink(CANARY_FILE));
}

static int try_path_rmdir(void)
{
	return done(rmdir(CANARY_DIR));
}

static int try_path_rename(void)
{
	return done(rename(CANARY_FILE, "/renamed"));
}

static int try_path_link(void)
{
	return done(link(CANARY_FILE, "/link"));
}

static int try_path_chmod(void)
{
	return done(chmod(CANARY_FILE, 0600));
}

static int try_path_chown(void)
{
	return done(chown(CANARY_FILE, (uid_t)-1, (gid_t)-1));
}

/* ---- attributes: no kernel's tmpfs had "user." before 6.6, all have "trusted." --------------- */

#define ATTRIBUTE "trusted.policyd"

static int try_inode_setattr(void)
{
	return done(utimensat(AT_FDCWD, CANARY_FILE, NULL, 0));
}

static int try_inode_setxattr(void)
{
	return done(setxattr(CANARY_FILE, ATTRIBUTE, "", 0, 0));
}

static int try_inode_removexattr(void)
{
	if (setxattr(CANARY_FILE, ATTRIBUTE, "", 0, 0) < 0)
		return -errno;
	return done(removexattr(CANARY_FILE, ATTRIBUTE));
}

static int try_inode_set_acl(void)
{
	const struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[3];
	} acl = {
		.header = { .a_version = htole32(POSIX_ACL_XATTR_VERSION) },
		.entries = {
			{ htole16(ACL_USER_OBJ), htole16(ACL_READ), htole32(ACL_UNDEFINED_ID) },
			{ htole16(ACL_GROUP_OBJ), 0, htole32(ACL_UNDEFINED_ID) },
			{ htole16(ACL_OTHER), 0, htole32(ACL_UNDEFINED_ID) },
		},
	};

	return done(setxattr(CANARY_FILE, "system.posix_acl_access", &acl, sizeof(acl), 0));
}

static int try_inode_remove_acl(void)
{
	return done(removexattr(CANARY_FILE, "system.posix_acl_access"));
}

static int try_inode_file_setattr(void)
{
	CLEANUP_FD int fd = open_file();
	int flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return -errno;
	return done(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int try_socket_create(void)
{
	return done_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int bind_any(int fd) /* to an abstract name that the kernel chooses */
{
	const struct sockaddr address = { .sa_family = AF_UNIX };

	return bind(fd, &address, sizeof(address.sa_family));
}

static int try_socket_bind(void)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return done(bind_any(fd));
}

static int listen_any(int *ret_fd)
{
	*ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind_any(*ret_fd) < 0 ? -1 : listen(*ret_fd, 1);
}

static int try_socket_listen(void)
{
	CLEANUP_FD int fd = -1;

	return done(listen_any(&fd));
}

static int try_socket_accept(void)
{
	CLEANUP_FD int fd = -1;

	if (listen_any(&fd) < 0)
		return -errno;
	return done_fd(accept4(fd, NULL, NULL, SOCK_CLOEXEC)); /* let through: EAGAIN */
}

static int try_connect(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CANARY_LISTENER };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return done(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int try_socket_connect(void)
{
	return try_connect();
}

static int try_unix_stream_connect(void)
{
	return try_connect();
}

static int try_send(void)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = done(send(pair[0], "", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	fd_close(pair[0]);
	fd_close(pair[1]);
	return r;
}

static int try_socket_sendmsg(void)
{
	return try_send();
}

static int try_unix_may_send(void)
{
	return try_send();
}

/* ---- mounts ---------------------------------------------------------------------------------- */

static int try_sb_mount(void)
{
	return done(mount(NULL, "/", NULL, MS_PRIVATE, NULL)); /* it is private */
}

static int try_sb_umount(void)
{
	return done(umount2("/", MNT_DETACH));
}

static int try_sb_pivotroot(void)
{
	return done(syscall(SYS_pivot_root, "/", "/")); /* let through: EBUSY */
}

static int try_sb_kern_mount(void)
{
	CLEANUP_FD int context = fsopen("tmpfs", FSOPEN_CLOEXEC);

	return done(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

static int try_sb_remount(void)
{
	return done(mount(NULL, "/", NULL, MS_REMOUNT, NULL));
}

static int try_move_mount(void)
{
	CLEANUP_FD int tree = open_tree(AT_FDCWD, CANARY_DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return done(move_mount(tree, "", AT_FDCWD, CANARY_DIR, MOVE_MOUNT_F_EMPTY_PATH));
}

/* ---- the kernel ------------------------------------------------------------------------------ */

static int try_bpf(void)
{
	unsigned int id = 0;

	return bpf_map_get_next_id(0, &id);
}

/* Where io_uring is switched off by sysctl nobody gets as far as the hook by it. */
static int try_inode_init_security_anon(void)
{
	struct io_uring_params parameters = { 0 };
	int r = done_fd((int)syscall(SYS_io_uring_setup, 1, &parameters));

	if (r != -EPERM && r != -ENOSYS)
		return r;
	return done_fd((int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
}

static int try_perf_event_open(void)
{
	struct perf_event_attr event = { .type = PERF_TYPE_SOFTWARE,
					 .size = PERF_ATTR_SIZE_VER0,
					 .config = PERF_COUNT_SW_DUMMY,
					 .disabled = 1,
					 .exclude_kernel = 1 };

	return done_fd((int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

static int try_kernel_load_data(void)
{
	static const char no_module[128] = "canary";

	return done(syscall(SYS_init_module, no_module, sizeof(no_module), ""));
}

static int try_kernel_read_file(void)
{
	CLEANUP_FD int fd = open(CANARY_SCRIPT, O_RDONLY | O_CLOEXEC);

	return done(syscall(SYS_finit_module, fd, "", 0));
}

int canary_attempt(enum pd_hook hook)
{
#define ATTEMPT(name, group) [PD_HOOK_##name] = try_##name,
	static int (*const attempts[PD_HOOK_COUNT])(void) = { PD_HOOKS(ATTEMPT) };
#undef ATTEMPT

	return hook > PD_HOOK_NONE && hook < PD_HOOK_COUNT ? attempts[hook]() : -EINVAL;
}
