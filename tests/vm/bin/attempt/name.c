// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done with a name. */
#include "tests/vm/bin/attempt/attempt.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

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

static int do_setcap(char **a) /* cap_net_raw, which is of no use to it */
{
	const struct vfs_cap_data value = { htole32(VFS_CAP_REVISION_2),
					    { { htole32(1u << 13), 0 } } };

	return result(lsetxattr(a[1], "security.capability", &value, sizeof(value), 0));
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

static int do_exists(char **a)
{
	struct stat st;

	return result(lstat(a[1], &st));
}

const struct command name_commands[] = {
	{ "truncate", 1, do_truncate },	  { "mkdir", 1, do_mkdir },
	{ "rmdir", 1, do_rmdir },	  { "unlink", 1, do_unlink },
	{ "symlink", 2, do_symlink },	  { "mknod", 2, do_mknod },
	{ "rename", 3, do_rename },	  { "link", 2, do_link },
	{ "linkfd", 3, do_linkfd },	  { "chmod", 1, do_chmod },
	{ "fchmod", 2, do_fchmod },	  { "chown", 1, do_chown },
	{ "utimes", 1, do_utimes },	  { "futimes", 2, do_futimes },
	{ "setxattr", 2, do_setxattr },	  { "removexattr", 2, do_removexattr },
	{ "setcap", 1, do_setcap },	  { "setacl", 1, do_setacl },
	{ "removeacl", 1, do_removeacl }, { "setattr", 1, do_setattr },
	{ "exists", 1, do_exists },	  { NULL, 0, NULL },
};
