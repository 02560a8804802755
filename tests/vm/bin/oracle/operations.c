// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on files, and what policyd.policy(5) says each of them takes. */
#include "tests/vm/bin/oracle/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a new name may not grant that the old one does not. */
#define OF_OBJECT                                                                                  \
	(MAY_READ | MAY_WRITE | MAY_APPEND | MAY_LINK | MAY_ATTR | MAY_MMAP_EXEC | MAY_IOCTL |     \
	 MAY_LOCK)

/* ---- names ----------------------------------------------------------------------------------- */

enum type { NOTHING, FILE_, FOLDER, LINK, OTHER };

static enum type type_of(const char *name)
{
	struct stat st;

	if (lstat(name, &st) < 0)
		return NOTHING;
	return S_ISREG(st.st_mode) ? FILE_ :
	       S_ISDIR(st.st_mode) ? FOLDER :
	       S_ISLNK(st.st_mode) ? LINK :
				     OTHER;
}

/* The name without symbolic links, but for a last one: none of that is judged. False: there is no such folder. */
static int find_parent(const char *name, char real[PATH_MAX])
{
	char folder[NAME_ROOM];
	const char *last = strrchr(name, '/');

	snprintf(folder, sizeof(folder), "%.*s", (int)(last - name), name);
	if (!realpath(folder, real) || strlen(real) + strlen(last) >= PATH_MAX)
		return 0;
	strcat(real, last);
	return 1;
}

/* The same of what the name leads to. */
static int find_object(const char *name, char real[PATH_MAX])
{
	return realpath(name, real) != NULL;
}

static enum verdict verdict_of(unsigned int granted, unsigned int wanted)
{
	return granted == wanted ? ALLOWED : REFUSED;
}

static enum verdict says(const char *name, unsigned int wanted)
{
	return verdict_of(model_grants(name, wanted), wanted);
}

static int failed(long r)
{
	return r < 0 ? errno : 0;
}

/* ---- on one name ------------------------------------------------------------------------------ */

static int try_open(struct operation *o)
{
	static const struct {
		int flags;
		unsigned int wanted;
	} modes[] = {
		{ O_RDONLY, MAY_READ },
		{ O_WRONLY, MAY_WRITE },
		{ O_RDWR, MAY_READ | MAY_WRITE },
		{ O_WRONLY | O_APPEND, MAY_APPEND },
		{ O_RDWR | O_APPEND, MAY_READ | MAY_APPEND },
		{ O_RDONLY | O_TRUNC, MAY_READ | MAY_WRITE },
		{ O_WRONLY | O_TRUNC | O_APPEND, MAY_WRITE | MAY_APPEND },
	};
	unsigned int mode = chance(COUNT(modes)), wanted = modes[mode].wanted;
	int flags = modes[mode].flags | (chance(2) ? O_CREAT : 0), fd;
	char name[NAME_ROOM], real[PATH_MAX];

	chance_name(name);
	if (type_of(name) != NOTHING) {
		if (!find_object(name, real))
			return 0;
		if (type_of(real) == OTHER) /* a fifo: it would wait */
			flags |= O_NONBLOCK;
		/* the kernel truncates nothing but files */
		if (flags & O_TRUNC && type_of(real) != FILE_)
			return 0;
	} else if (!(flags & O_CREAT) || !find_parent(name, real)) {
		return 0;
	} else {
		wanted |= MAY_CREATE;
	}
	snprintf(o->text, sizeof(o->text), "open 0%o %s (%s)", (unsigned int)flags, name, real);
	o->expected = says(real, wanted);
	fd = open(name, flags | O_CLOEXEC, 0644);
	o->error = failed(fd);
	if (fd >= 0)
		close(fd);
	return 1;
}

static int do_mkdir(const char *name)
{
	return mkdir(name, 0755);
}

static int do_symlink(const char *name)
{
	static const char *const targets[] = { TOP "/a", TOP "/b/a", "a", "../ab" };

	return symlink(targets[chance(COUNT(targets))], name);
}

static int do_mkfifo(const char *name)
{
	return mkfifo(name, 0644);
}

static int do_truncate(const char *name)
{
	return truncate(name, 1);
}

static int do_chmod(const char *name)
{
	return chmod(name, 0755);
}

static int do_utimes(const char *name)
{
	return utimensat(AT_FDCWD, name, NULL, 0);
}

static int do_setxattr(const char *name)
{
	return setxattr(name, "trusted.oracle", "x", 1, 0);
}

static int try_one(struct operation *o)
{
	static const struct {
		const char *text;
		int (*run)(const char *name);
		unsigned int wanted;
		int follows; /* a symbolic link */
	} all[] = {
		{ "mkdir", do_mkdir, MAY_CREATE, 0 },	   { "mkdir", do_mkdir, MAY_CREATE, 0 },
		{ "symlink", do_symlink, MAY_CREATE, 0 },  { "mkfifo", do_mkfifo, MAY_CREATE, 0 },
		{ "rmdir", rmdir, MAY_DELETE, 0 },	   { "unlink", unlink, MAY_DELETE, 0 },
		{ "truncate", do_truncate, MAY_WRITE, 1 }, { "chmod", do_chmod, MAY_ATTR, 1 },
		{ "utimensat", do_utimes, MAY_ATTR, 1 },   { "setxattr", do_setxattr, MAY_ATTR, 1 },
	};
	unsigned int which = chance(COUNT(all));
	char name[NAME_ROOM], real[PATH_MAX];

	chance_name(name);
	if (!(all[which].follows ? find_object(name, real) : find_parent(name, real)))
		return 0;
	snprintf(o->text, sizeof(o->text), "%s %s (%s)", all[which].text, name, real);
	o->expected = says(real, all[which].wanted);
	o->error = failed(all[which].run(name));
	return 1;
}

/* ---- on an open file --------------------------------------------------------------------------- */

static int do_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

static int do_ioctl(int fd)
{
	int flags = 0;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags);
}

static int do_map(int fd)
{
	void *at = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -1;
	munmap(at, 1);
	return 0;
}

static int do_ftruncate(int fd)
{
	return ftruncate(fd, 2);
}

static int do_fchmod(int fd)
{
	return fchmod(fd, 0755);
}

static int try_descriptor(struct operation *o)
{
	static const struct {
		const char *text;
		int (*run)(int fd);
		unsigned int wanted;
		int flags;
	} all[] = {
		{ "flock", do_lock, MAY_LOCK, O_RDONLY },
		{ "ioctl", do_ioctl, MAY_IOCTL, O_RDONLY },
		{ "mmap", do_map, MAY_MMAP_EXEC, O_RDONLY },
		{ "ftruncate", do_ftruncate, MAY_WRITE, O_WRONLY | O_APPEND },
		{ "fchmod", do_fchmod, MAY_ATTR, O_RDONLY },
	};
	unsigned int which = chance(COUNT(all));
	char name[NAME_ROOM], real[PATH_MAX];
	int fd;

	chance_name(name);
	if (!find_object(name, real) || type_of(real) != FILE_)
		return 0;
	fd = open(name, all[which].flags | O_CLOEXEC);
	if (fd < 0)
		return 0;
	snprintf(o->text, sizeof(o->text), "%s %s (%s)", all[which].text, name, real);
	o->expected = says(real, all[which].wanted);
	o->error = failed(all[which].run(fd));
	if (o->error == ENOTTY) /* it came that far */
		o->error = 0;
	close(fd);
	return 1;
}

/* ---- on two names ------------------------------------------------------------------------------ */

static int widens(const char *from, const char *to)
{
	return (model_grants(to, OF_OBJECT) & ~model_grants(from, OF_OBJECT)) != 0;
}

static int try_link(struct operation *o)
{
	char old[NAME_ROOM], new[NAME_ROOM], real_old[PATH_MAX], real_new[PATH_MAX];

	chance_name(old);
	chance_name(new);
	if (!find_parent(old, real_old) || !find_parent(new, real_new) || type_of(new) != NOTHING ||
	    type_of(old) == FOLDER)
		return 0;
	snprintf(o->text, sizeof(o->text), "link %s %s (%s %s)", old, new, real_old, real_new);
	o->expected = says(real_old, MAY_LINK) == ALLOWED &&
				      says(real_new, MAY_CREATE) == ALLOWED &&
				      !widens(real_old, real_new) ?
			      ALLOWED :
			      REFUSED;
	o->error = failed(linkat(AT_FDCWD, old, AT_FDCWD, new, 0));
	return 1;
}

static int try_rename(struct operation *o)
{
	unsigned int flags = chance(4) ? 0 : RENAME_EXCHANGE;
	char old[NAME_ROOM], new[NAME_ROOM], real_old[PATH_MAX], real_new[PATH_MAX];
	unsigned int on_old = MAY_DELETE, on_new = MAY_CREATE;
	int folders, right;

	chance_name(old);
	chance_name(new);
	if (!find_parent(old, real_old) || !find_parent(new, real_new) ||
	    !strcmp(real_old, real_new) || type_of(old) == NOTHING)
		return 0;
	folders = type_of(old) == FOLDER || type_of(new) == FOLDER;
	if (type_of(new) != NOTHING)
		on_new |= MAY_DELETE;
	if (flags)
		on_old = on_new = MAY_CREATE | MAY_DELETE;
	right = says(real_old, on_old) == ALLOWED && says(real_new, on_new) == ALLOWED;
	if (widens(real_old, real_new) || (flags && widens(real_new, real_old)))
		right = 0;
	snprintf(o->text, sizeof(o->text), "rename %s%s %s (%s %s)", flags ? "exchange " : "", old,
		 new, real_old, real_new);
	/* of a folder all that may be below it counts, too */
	o->expected = !right ? REFUSED : folders ? NOT_TOLD : ALLOWED;
	o->error = failed(syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, flags));
	return 1;
}

int operation_try(struct operation *o)
{
	static int (*const all[])(struct operation * o) = { try_open,  try_open,       try_one,
							    try_one,   try_descriptor, try_link,
							    try_rename };

	memset(o, 0, sizeof(*o));
	return all[chance(COUNT(all))](o);
}
