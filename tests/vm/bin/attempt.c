// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attempt COMMAND ARGS... - one operation in a test guest; prints "ok" or the name of the error.
 * attempt                 - a table on standard input: EXPECTED COMMAND ARGS..., each line tried in a
 *                           process of its own and told as the cases tell it. Exit status 1: not
 *                           everything was as expected.
 *
 * FLAGS are open(2)'s, comma-separated: r w rw mode3 trunc append creat excl dir path tmpfile
 * nofollow nonblock. PATH may be fd:N. \xHH in a word is that byte. Commands that end in CMD... do something to
 * the process and run CMD in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/falloc.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif
#define EXITED 10000	/* + status: a program ran and failed */
#define SIGNALLED 20000 /* + signal */
#define NO_DESCRIPTOR 30000
#define SECURE 30001
#define NOT_SAME 30002

extern char **environ;

static int run(int argc, char **argv);

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_flag(const char *word)
{
	static const struct {
		const char *name;
		int flag;
	} names[] = {
		{ "r", O_RDONLY },	    { "w", O_WRONLY },	      { "rw", O_RDWR },
		{ "mode3", O_ACCMODE },	    { "trunc", O_TRUNC },     { "append", O_APPEND },
		{ "creat", O_CREAT },	    { "excl", O_EXCL },	      { "dir", O_DIRECTORY },
		{ "path", O_PATH },	    { "tmpfile", O_TMPFILE }, { "nofollow", O_NOFOLLOW },
		{ "nonblock", O_NONBLOCK },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, word))
			return names[i].flag;
	fprintf(stderr, "attempt: flag %s?\n", word);
	_exit(2);
}

static int open_flags(const char *text)
{
	char copy[128], *word, *rest = copy;
	int flags = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, ",")))
		flags |= open_flag(word);
	return flags;
}

static int get(const char *flags, const char *path)
{
	if (!strncmp(path, "fd:", 3))
		return dup(atoi(path + 3));
	return open(path, open_flags(flags) | O_CLOEXEC, 0644);
}

static int again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static int do_open(char **a)
{
	return result(get(a[1], a[2]));
}

static int do_openat(char **a) /* DIR FLAGS NAME */
{
	int dir = get("path", a[1]);

	return dir < 0 ? -errno : result(openat(dir, a[3], open_flags(a[2]), 0644));
}

static int do_reopen(char **a) /* FLAGS PATH FLAGS-AGAIN */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(again(fd, open_flags(a[3])));
}

static int do_deleted(char **a) /* FLAGS PATH FLAGS-AGAIN: unlinked in between */
{
	int fd = get(a[1], a[2]);

	if (fd < 0 || unlink(a[2]) < 0)
		return -errno;
	return result(again(fd, open_flags(a[3])));
}

static int do_tmpfile(char **a) /* DIR NAME: made without a name, then given one */
{
	int fd = get("tmpfile,rw", a[1]);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0)
		return -errno;
	return result(linkat(AT_FDCWD, path, AT_FDCWD, a[2], AT_SYMLINK_FOLLOW));
}

/* ---- what is done with a descriptor ---------------------------------------------------------- */

static int do_read(char **a)
{
	int fd = get("r", a[1]);
	char byte;

	return fd < 0 ? -errno : result(read(fd, &byte, 1));
}

static int do_write(char **a) /* FLAGS PATH */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(write(fd, "x", 1));
}

static int do_ftruncate(char **a) /* FLAGS PATH */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(ftruncate(fd, 0));
}

static int do_fallocate(char **a) /* FLAGS PATH: a hole over what is there */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno :
			result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
}

static int
do_fallocate_high(char **a) /* the same, by a number of which the kernel takes the low half */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno :
			result(syscall(SYS_fallocate | 1L << 32, fd,
				       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0L, 1L));
}

static int do_noappend(char **a) /* FLAGS PATH: write over what is there, through O_APPEND */
{
	int fd = get(a[1], a[2]);
	struct iovec iov = { .iov_base = (void *)"X", .iov_len = 1 };

	return fd < 0 ? -errno : result(syscall(SYS_pwritev2, fd, &iov, 1L, 0L, 0L, RWF_NOAPPEND));
}

static int do_setfl(char **a) /* FLAGS PATH: clear O_APPEND */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(fcntl(fd, F_SETFL, 0));
}

static int do_ioctl(char **a) /* FLAGS PATH */
{
	int fd = get(a[1], a[2]), flags = 0;

	return fd < 0 ? -errno : result(ioctl(fd, FS_IOC_GETFLAGS, &flags));
}

static int do_harmless(char **a) /* FLAGS PATH: FIONREAD, which needs no right */
{
	int fd = get(a[1], a[2]), count;

	return fd < 0 ? -errno : result(ioctl(fd, FIONREAD, &count));
}

static int do_lock(char **a) /* flock|posix|ofd|lease FLAGS PATH */
{
	int fd = get(a[2], a[3]);
	struct flock lock = { .l_type = F_RDLCK };

	if (fd < 0)
		return -errno;
	if (!strcmp(a[1], "flock"))
		return result(flock(fd, LOCK_SH));
	if (!strcmp(a[1], "lease"))
		return result(fcntl(fd, F_SETLEASE, F_RDLCK));
	return result(fcntl(fd, !strcmp(a[1], "ofd") ? F_OFD_SETLK : F_SETLK, &lock));
}

static int do_sendfile(char **a) /* PATH: its bytes into a pipe */
{
	int fd = get("r", a[1]), ends[2];

	return fd < 0 || pipe(ends) < 0 ? -errno : result(sendfile(ends[1], fd, NULL, 1));
}

static int do_list(char **a)
{
	int fd = get("r,dir", a[1]);
	char buffer[4096];

	return fd < 0 ? -errno : result(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)));
}

static int do_map(char **a) /* r|w|rx|rx-later|r-implies-x FLAGS PATH */
{
	int fd = get(a[2], a[3]);
	int protection = !strcmp(a[1], "rx") ? PROT_READ | PROT_EXEC :
			 !strcmp(a[1], "w")  ? PROT_READ | PROT_WRITE :
					       PROT_READ;
	void *at;

	if (fd < 0)
		return -errno;
	if (!strcmp(a[1], "r-implies-x"))
		personality(READ_IMPLIES_EXEC);
	at = mmap(NULL, 4096, protection, protection & PROT_WRITE ? MAP_SHARED : MAP_PRIVATE, fd,
		  0);
	if (at == MAP_FAILED)
		return -errno;
	if (!strcmp(a[1], "rx-later"))
		return result(mprotect(at, 4096, PROT_READ | PROT_EXEC));
	return 0;
}

static int do_map_later(char **a) /* FLAGS PATH: shared and closed, then made writable */
{
	int fd = get(a[1], a[2]);
	void *at = mmap(NULL, 4096, PROT_NONE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? -errno : result(mprotect(at, 4096, PROT_READ | PROT_WRITE));
}

/* ---- what is done with a name ---------------------------------------------------------------- */

static int do_truncate(char **a)
{
	return result(truncate(a[1], 0));
}

static int do_mkdir(char **a)
{
	return result(mkdir(a[1], 0755));
}

static int do_rmdir(char **a)
{
	return result(rmdir(a[1]));
}

static int do_unlink(char **a)
{
	return result(unlink(a[1]));
}

static int do_symlink(char **a) /* TARGET PATH */
{
	return result(symlink(a[1], a[2]));
}

static int do_mknod(char **a) /* fifo|null|file PATH */
{
	if (!strcmp(a[1], "null"))
		return result(mknod(a[2], S_IFCHR | 0666, makedev(1, 3)));
	return result(mknod(a[2], (!strcmp(a[1], "fifo") ? S_IFIFO : S_IFREG) | 0644, 0));
}

static int do_rename(char **a) /* plain|exchange|whiteout|noreplace OLD NEW */
{
	unsigned int flags = !strcmp(a[1], "exchange")	? RENAME_EXCHANGE :
			     !strcmp(a[1], "whiteout")	? RENAME_WHITEOUT :
			     !strcmp(a[1], "noreplace") ? RENAME_NOREPLACE :
							  0;

	return result(renameat2(AT_FDCWD, a[2], AT_FDCWD, a[3], flags));
}

static int do_link(char **a) /* OLD NEW */
{
	return result(link(a[1], a[2]));
}

static int do_linkfd(char **a) /* FLAGS OLD NEW: from a descriptor */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(linkat(fd, "", AT_FDCWD, a[3], AT_EMPTY_PATH));
}

static int do_chmod(char **a)
{
	return result(chmod(a[1], 0600));
}

static int do_fchmod(char **a) /* FLAGS PATH; with path: through /proc/self/fd */
{
	int fd = get(a[1], a[2]);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0)
		return -errno;
	return result(open_flags(a[1]) & O_PATH ? chmod(path, 0600) : fchmod(fd, 0600));
}

static int do_chown(char **a)
{
	return result(lchown(a[1], 1, 1));
}

static int do_utimes(char **a)
{
	return result(utimensat(AT_FDCWD, a[1], NULL, AT_SYMLINK_NOFOLLOW));
}

static int do_futimes(char **a) /* FLAGS PATH */
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_nsec = UTIME_OMIT } };
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(futimens(fd, times));
}

static int do_setxattr(char **a) /* NAME PATH */
{
	return result(lsetxattr(a[2], a[1], "x", 1, 0));
}

static int do_removexattr(char **a) /* NAME PATH */
{
	return result(lremovexattr(a[2], a[1]));
}

static int do_setacl(char **a)
{
	static const struct {
		unsigned int version;
		struct {
			unsigned short tag, perm;
			unsigned int id;
		} entries[5];
	} acl = {
		2, { { 1, 6, -1u }, { 2, 7, 1000 }, { 4, 4, -1u }, { 16, 7, -1u }, { 32, 4, -1u } }
	};

	return result(setxattr(a[1], "system.posix_acl_access", &acl, sizeof(acl), 0));
}

static int do_removeacl(char **a)
{
	return result(removexattr(a[1], "system.posix_acl_access"));
}

static int do_setattr(char **a) /* file_setattr(2), Linux 6.17 */
{
	unsigned long long attr[3] = { FS_XFLAG_NODUMP };

	return result(syscall(469, AT_FDCWD, a[1], attr, sizeof(attr), 0));
}

/* ---- mounts and handles ---------------------------------------------------------------------- */

static int do_opentree(char **a) /* DIR FLAGS NAME: through a clone of the mount */
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 ? -errno : result(openat(tree, a[3], open_flags(a[2]), 0644));
}

static int do_fsmount(char **a) /* FLAGS NAME: on a tmpfs that is mounted nowhere */
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0), mount;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, fs, 0, 0);
	return mount < 0 ? -errno : result(openat(mount, a[2], open_flags(a[1]), 0644));
}

static int do_handle(char **a) /* cold|warm FLAGS PATH DIR: open_by_handle_at() through DIR */
{
	char buffer[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	struct file_handle *handle = (void *)buffer;
	int id, place = open(a[4], O_RDONLY | O_CLOEXEC);

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (place < 0 || name_to_handle_at(AT_FDCWD, a[3], handle, &id, 0) < 0)
		return -errno;
	sync();
	for (int i = 0; i < 3 && !strcmp(a[1], "cold"); i++) { /* what was used goes later */
		int drop = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

		if (drop < 0 || write(drop, "3", 1) != 1)
			return -errno;
		close(drop);
	}
	return result(open_by_handle_at(place, handle, open_flags(a[2])));
}

/* ---- memory and pipes ------------------------------------------------------------------------ */

static int copy_into(int to, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	while (st.st_size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);

		if (n <= 0)
			return -errno;
		st.st_size -= n;
	}
	return 0;
}

static int do_memfd(char **a) /* NAME FLAGS: write to it, open it again */
{
	int fd = memfd_create(a[1], MFD_CLOEXEC);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return -errno;
	return result(again(fd, open_flags(a[2])));
}

static int do_pipe(char **a) /* FLAGS: open one end again */
{
	int ends[2];

	if (pipe(ends) < 0)
		return -errno;
	return result(again(ends[0], open_flags(a[1]) | O_NONBLOCK));
}

/* ---- programs -------------------------------------------------------------------------------- */

static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFSIGNALED(status))
		return SIGNALLED + WTERMSIG(status);
	return WEXITSTATUS(status) ? EXITED + WEXITSTATUS(status) : 0;
}

/* In a child, which writes errno into a pipe if it comes back. */
static int execute(int fd, const char *path, char **argv)
{
	int failed[2], error = 0, ended;
	pid_t pid;

	if (pipe2(failed, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		if (fd >= 0)
			syscall(SYS_execveat, fd, path ? path : "", argv, environ,
				path ? 0 : AT_EMPTY_PATH);
		else
			execv(path, argv);
		error = errno;
		if (write(failed[1], &error, sizeof(error)) < 0)
			_exit(99);
		_exit(98);
	}
	close(failed[1]);
	if (read(failed[0], &error, sizeof(error)) < 0)
		error = EIO;
	close(failed[0]);
	ended = wait_for(pid);
	return error ? -error : ended;
}

static int do_exec(char **a) /* PROGRAM ARGS... */
{
	return execute(-1, a[1], a + 1);
}

static int do_fexec(char **a) /* FLAGS PROGRAM ARGS... */
{
	int fd = get(a[1], a[2]);

	if (fd >= 0) /* a script's interpreter has to find it again */
		fcntl(fd, F_SETFD, 0);
	return fd < 0 ? -errno : execute(fd, NULL, a + 2);
}

static int do_execdeleted(char **a) /* PROGRAM ARGS... */
{
	int fd = get("r", a[1]);

	if (fd < 0 || unlink(a[1]) < 0)
		return -errno;
	return execute(fd, NULL, a + 1);
}

static int do_execmemfd(char **a) /* NAME PROGRAM ARGS...: a copy of it in memory */
{
	int fd = memfd_create(a[1], MFD_CLOEXEC), copied;

	if (fd < 0)
		return -errno;
	copied = copy_into(fd, a[2]);
	if (!copied) {
		int readable = again(fd, O_RDONLY); /* ETXTBSY while it can be written */

		close(fd);
		fd = readable;
	}
	return copied ? copied : fd < 0 ? -errno : execute(fd, NULL, a + 2);
}

static int do_mapmemfd(char **a) /* NAME */
{
	int fd = memfd_create(a[1], MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return -errno;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) == MAP_FAILED ? -errno :
											  0;
}

static int do_secure(char **a)
{
	(void)a;
	return getauxval(AT_SECURE) ? SECURE : 0;
}

/* ---- descriptors from elsewhere -------------------------------------------------------------- */

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* SOCKET: for each "FLAGS PATH" it is sent, opens that and sends the descriptor. Never returns. */
static int do_serve(char **a)
{
	struct sockaddr_un address;
	int listener = unix_socket(a[1], &address), client;

	if (bind(listener, (void *)&address, sizeof(address)) < 0 || listen(listener, 8) < 0)
		return -errno;
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		char text[PATH_MAX] = "", control[CMSG_SPACE(sizeof(int))] = "", *path;
		struct iovec iov = { .iov_base = text, .iov_len = 1 };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		int fd = -1;

		if (recv(client, text, sizeof(text) - 1, 0) > 0 && (path = strchr(text, ' '))) {
			*path++ = '\0';
			fd = get(text, path);
		}
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
							     .cmsg_type = SCM_RIGHTS,
							     .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
		if (fd >= 0)
			sendmsg(client, &message, 0);
		close(fd);
		close(client);
	}
	return -errno;
}

static int do_receive(char **a) /* SOCKET FLAGS PATH [CMD...]; CMD knows it as fd:50 */
{
	struct sockaddr_un address;
	int s = unix_socket(a[1], &address), fd;
	char text[PATH_MAX], control[CMSG_SPACE(sizeof(int))] = "", *more[16] = { NULL };
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int count = 0;

	snprintf(text, sizeof(text), "%s %s", a[2], a[3]);
	if (connect(s, (void *)&address, sizeof(address)) < 0 ||
	    send(s, text, strlen(text), 0) < 0 || recvmsg(s, &message, 0) < 0)
		return -errno;
	if (message.msg_controllen < sizeof(struct cmsghdr))
		return NO_DESCRIPTOR;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	dup2(fd, 50);
	while (a[4 + count] && count < 15) {
		more[count] = a[4 + count];
		count++;
	}
	return count ? run(count, more) : 0;
}

/* ---- a process changed, then CMD ------------------------------------------------------------- */

static int length(char **a)
{
	int n = 0;

	while (a[n])
		n++;
	return n;
}

static int rest(char **a)
{
	return run(length(a), a);
}

static int do_in(char **a) /* DIR CMD... */
{
	return chdir(a[1]) < 0 ? -errno : rest(a + 2);
}

static int do_chroot(char **a) /* DIR CMD... */
{
	return chroot(a[1]) < 0 || chdir("/") < 0 ? -errno : rest(a + 2);
}

static int do_escape(char **a) /* DIR FLAGS NAME: NAME below the old root, from inside a chroot */
{
	int root = open("/", O_PATH | O_CLOEXEC);

	if (root < 0 || chroot(a[1]) < 0)
		return -errno;
	return result(openat(root, a[3], open_flags(a[2])));
}

static int do_unshare(char **a) /* mount|user|cgroup|pid CMD... */
{
	int flags = !strcmp(a[1], "mount") ? CLONE_NEWNS :
		    !strcmp(a[1], "user")  ? CLONE_NEWUSER :
		    !strcmp(a[1], "pid")   ? CLONE_NEWPID :
					     CLONE_NEWCGROUP;

	return unshare(flags) < 0 ? -errno : rest(a + 2);
}

static int do_setns(char **a) /* PATH CMD... */
{
	int fd = get("r", a[1]);

	return fd < 0 || setns(fd, 0) < 0 ? -errno : rest(a + 2);
}

static int child(char **a)
{
	int r = rest(a);
	/* 0, an error, or a program's status, in what an exit status can hold */
	return r <= 0 ? -r : r > EXITED && r < EXITED + 50 ? 200 + r - EXITED : 250;
}

static int from_child(int r)
{
	if (r > EXITED && r < EXITED + 200)
		return EXITED - r;
	return r > EXITED + 200 && r < EXITED + 250 ? r - 200 : r;
}

static int do_fork(char **a) /* CMD... */
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(child(a + 1));
	return from_child(wait_for(pid));
}

static int do_into(char **a) /* CGROUP CMD...: born there */
{
	int fd = open(a[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (unsigned int)fd };
	pid_t pid;

	if (fd < 0)
		return -errno;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(child(a + 2));
	return from_child(wait_for(pid));
}

struct job {
	char **argv;
	int result;
};

static void *job(void *context)
{
	struct job *j = context;

	j->result = rest(j->argv);
	return NULL;
}

static int do_thread(char **a) /* CMD... */
{
	struct job j = { .argv = a + 1 };
	pthread_t thread;
	int error = pthread_create(&thread, NULL, job, &j);

	if (error)
		return -error;
	pthread_join(thread, NULL);
	return j.result;
}

static int do_deep(char **a) /* COUNT LENGTH CMD...: that many folders down */
{
	int count = atoi(a[1]), size = atoi(a[2]);
	char name[256] = "";

	memset(name, 'd', (size_t)size);
	for (int i = 0; i < count; i++)
		if (chdir(name) < 0)
			return -errno;
	return rest(a + 3);
}

static int do_dig(char **a) /* COUNT LENGTH: makes what "deep" goes down */
{
	int count = atoi(a[1]), size = atoi(a[2]);
	char name[256] = "";

	memset(name, 'd', (size_t)size);
	for (int i = 0; i < count; i++)
		if ((mkdir(name, 0755) < 0 && errno != EEXIST) || chdir(name) < 0)
			return -errno;
	return 0;
}

/* ---- tasks that already run ------------------------------------------------------------------ */

struct tally { /* of all tasks that share the file */
	unsigned long opened, refused, tasks;
};

static struct tally *share_tally(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof(struct tally)) < 0)
		return NULL;
	at = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

static void tally_open(struct tally *tally, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	__atomic_add_fetch(fd < 0 ? &tally->refused : &tally->opened, 1, __ATOMIC_RELAXED);
	close(fd);
}

static int
do_relay(char **a) /* PATH TALLY MB: each task opens PATH, forks with that much memory, ends */
{
	struct tally *tally = share_tally(a[2]);
	size_t size = (size_t)atoi(a[3]) << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!tally || memory == MAP_FAILED)
		return -errno;
	madvise(memory, size, MADV_NOHUGEPAGE); /* page by page takes fork() longer */
	memset(memory, 1, size);
	for (;;) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (pid == 0)
			__atomic_add_fetch(&tally->tasks, 1, __ATOMIC_RELAXED);
		else
			usleep(1000);
		tally_open(tally, a[1]);
	}
}

struct opener {
	struct tally *tally;
	const char *path;
};

static void *open_for_ever(void *context)
{
	struct opener *o = context;

	__atomic_add_fetch(&o->tally->tasks, 1, __ATOMIC_RELAXED);
	for (;;) {
		tally_open(o->tally, o->path);
		usleep(5000);
	}
	return NULL;
}

static int do_threads(char **a) /* PATH TALLY COUNT: all of them open PATH, for ever */
{
	struct opener o = { share_tally(a[2]), a[1] };
	pthread_t thread;

	if (!o.tally)
		return -errno;
	for (int i = 1; i < atoi(a[3]); i++)
		if (pthread_create(&thread, NULL, open_for_ever, &o))
			return -EAGAIN;
	open_for_ever(&o);
	return 0;
}

static int do_tally(char **a) /* TALLY opened|refused|tasks */
{
	const struct tally *tally = share_tally(a[1]);

	if (!tally)
		return -errno;
	printf("%lu\n", !strcmp(a[2], "opened")	 ? tally->opened :
			!strcmp(a[2], "refused") ? tally->refused :
						   tally->tasks);
	exit(0);
}

static int do_user(char **a) /* CMD...: as another user, who made the process dumpable */
{
	return setgid(1000) < 0 || setuid(1000) < 0 ? -errno : rest(a + 1);
}

static int do_content(char **a) /* TEXT PATH: does the file begin with it? */
{
	int fd = get("r", a[2]);
	char text[256] = "";

	if (fd < 0 || read(fd, text, strlen(a[1])) < 0)
		return -errno;
	return strcmp(text, a[1]) ? NOT_SAME : 0;
}

static int do_exists(char **a)
{
	struct stat st;

	return result(lstat(a[1], &st));
}

/* ---- the commands ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int arguments; /* at least */
	int (*run)(char **argv);
} commands[] = {
	{ "open", 2, do_open },
	{ "openat", 3, do_openat },
	{ "reopen", 3, do_reopen },
	{ "deleted", 3, do_deleted },
	{ "tmpfile", 2, do_tmpfile },
	{ "read", 1, do_read },
	{ "write", 2, do_write },
	{ "ftruncate", 2, do_ftruncate },
	{ "fallocate", 2, do_fallocate },
	{ "fallocate-high", 2, do_fallocate_high },
	{ "noappend", 2, do_noappend },
	{ "setfl", 2, do_setfl },
	{ "ioctl", 2, do_ioctl },
	{ "harmless", 2, do_harmless },
	{ "lock", 3, do_lock },
	{ "sendfile", 1, do_sendfile },
	{ "list", 1, do_list },
	{ "map", 3, do_map },
	{ "map-later", 2, do_map_later },
	{ "truncate", 1, do_truncate },
	{ "mkdir", 1, do_mkdir },
	{ "rmdir", 1, do_rmdir },
	{ "unlink", 1, do_unlink },
	{ "symlink", 2, do_symlink },
	{ "mknod", 2, do_mknod },
	{ "rename", 3, do_rename },
	{ "link", 2, do_link },
	{ "linkfd", 3, do_linkfd },
	{ "chmod", 1, do_chmod },
	{ "fchmod", 2, do_fchmod },
	{ "chown", 1, do_chown },
	{ "utimes", 1, do_utimes },
	{ "futimes", 2, do_futimes },
	{ "setxattr", 2, do_setxattr },
	{ "removexattr", 2, do_removexattr },
	{ "setacl", 1, do_setacl },
	{ "removeacl", 1, do_removeacl },
	{ "setattr", 1, do_setattr },
	{ "opentree", 3, do_opentree },
	{ "fsmount", 2, do_fsmount },
	{ "handle", 4, do_handle },
	{ "memfd", 2, do_memfd },
	{ "pipe", 1, do_pipe },
	{ "exec", 1, do_exec },
	{ "fexec", 2, do_fexec },
	{ "execdeleted", 1, do_execdeleted },
	{ "execmemfd", 2, do_execmemfd },
	{ "mapmemfd", 1, do_mapmemfd },
	{ "secure", 0, do_secure },
	{ "serve", 1, do_serve },
	{ "receive", 3, do_receive },
	{ "in", 2, do_in },
	{ "chroot", 2, do_chroot },
	{ "escape", 3, do_escape },
	{ "unshare", 2, do_unshare },
	{ "setns", 2, do_setns },
	{ "fork", 1, do_fork },
	{ "into", 2, do_into },
	{ "thread", 1, do_thread },
	{ "deep", 3, do_deep },
	{ "dig", 2, do_dig },
	{ "user", 1, do_user },
	{ "relay", 3, do_relay },
	{ "threads", 3, do_threads },
	{ "tally", 2, do_tally },
	{ "content", 2, do_content },
	{ "exists", 1, do_exists },
};

static int run(int argc, char **argv)
{
	for (size_t i = 0; argc && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		if (argc <= commands[i].arguments)
			break;
		return commands[i].run(argv);
	}
	fprintf(stderr, "attempt: %s: what?\n", argc ? argv[0] : "");
	_exit(2); /* not exit(): it would move the table's offset */
}

static const char *told(int r)
{
	static char text[32];

	if (r == NO_DESCRIPTOR)
		return "nothing";
	if (r == SECURE)
		return "secure";
	if (r == NOT_SAME)
		return "other";
	if (r >= SIGNALLED)
		snprintf(text, sizeof(text), "signal-%d", r - SIGNALLED);
	else if (r >= EXITED)
		snprintf(text, sizeof(text), "exit-%d", r - EXITED);
	else
		return r ? strerrorname_np(-r) : "ok";
	return text;
}

/* ---- a table --------------------------------------------------------------------------------- */

static void unescape(char *word)
{
	char *to = word;

	while (*word) {
		unsigned int byte;

		if (!strncmp(word, "\\x", 2) && sscanf(word + 2, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			word += 4;
		} else {
			*to++ = *word++;
		}
	}
	*to = '\0';
}

static int split(char *line, char **words)
{
	int n = 0;

	for (char *word = strtok(line, " \t\n"); word && n < 30; word = strtok(NULL, " \t\n")) {
		unescape(word);
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

/* In a process of its own; its word comes through a pipe. */
static void answer(int argc, char **argv, char *text, size_t size)
{
	int ends[2];
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0)
		exit(2);
	pid = fork();
	if (pid == 0) {
		const char *word = told(run(argc, argv));

		if (write(ends[1], word, strlen(word)) < 0)
			_exit(2);
		_exit(0);
	}
	close(ends[1]);
	n = pid < 0 ? 0 : read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	if (pid < 0 || n <= 0)
		snprintf(text, size, "no answer");
	close(ends[0]);
	waitpid(pid, NULL, 0);
}

static int table(void)
{
	char line[8192], copy[8192], got[64], *words[32];
	int failed = 0;

	while (fgets(line, sizeof(line), stdin)) {
		int n;

		line[strcspn(line, "\n")] = '\0';
		snprintf(copy, sizeof(copy), "%s", line);
		n = split(copy, words);
		if (n < 2 || words[0][0] == '#')
			continue;
		answer(n - 1, words + 1, got, sizeof(got));
		if (strcmp(got, words[0]) != 0)
			failed = 1;
		printf("%s - %s%s%s\n", strcmp(got, words[0]) ? "not ok" : "ok", line,
		       strcmp(got, words[0]) ? ": " : "", strcmp(got, words[0]) ? got : "");
	}
	fflush(stdout);
	return failed;
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 2)
		return table();
	for (int i = 1; i < argc; i++)
		unescape(argv[i]);
	r = run(argc - 1, argv + 1);
	puts(told(r));
	return r ? 1 : 0;
}
