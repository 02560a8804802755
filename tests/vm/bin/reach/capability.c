// SPDX-License-Identifier: GPL-2.0-or-later
/* What takes a capability. */
#include "tests/vm/bin/reach/reach.h"

#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

const struct step_command capability_commands[] = {
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
