/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/daemon/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/*
 * Kept, each for a call that is made after the start:
 *   BPF, PERFMON  maps, links and programs of hooks that a new policy needs
 *   NET_ADMIN     attaching the cgroup/sysctl program
 *   KILL          letting held containers go, or ending them: these two signals only, see below
 *   SYSLOG        addresses in /proc/kallsyms (rename_lock, mount_lock) when such programs are loaded
 * Not SYS_ADMIN: nothing is looked up by id, and pins are files of root's own. Not DAC_*, CHOWN: the
 * daemon stays uid 0 and works on root's files; the socket was given its group before.
 */
static const cap_value_t kept[] = { CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYSLOG, CAP_KILL };

static const int calls[] = {
	/* the loop */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch),
	SCMP_SYS(pidfd_open),
	/* the kernel's side */
	SCMP_SYS(bpf),
	/* clients */
	SCMP_SYS(accept4),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(connect),
	/* files: policies, events, what is kept in /run, cgroups */
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(close),
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(pwrite64),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(fcntl),
	SCMP_SYS(dup),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fchmod),
	SCMP_SYS(flock),
	SCMP_SYS(umask),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir),
	/* memory and the process itself */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrlimit),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(tgkill),
	SCMP_SYS(wait4), /* the end of the prover */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static int keep_capabilities(void)
{
	const int count = sizeof(kept) / sizeof(kept[0]);
	cap_t caps = cap_init();
	int r = 0;

	if (!caps)
		return -errno;
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap_get_bound(cap) > 0 && cap_drop_bound(cap) < 0)
			r = -errno;
	if (cap_reset_ambient() < 0 && errno != EINVAL)
		r = -errno;
	if (cap_set_flag(caps, CAP_PERMITTED, count, kept, CAP_SET) < 0 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, count, kept, CAP_SET) < 0 || cap_set_proc(caps) < 0)
		r = -errno;
	cap_free(caps);
	return r;
}

static int add_rules(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(calls) / sizeof(calls[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	/* No new code */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* journald, at the first event and when it was restarted */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* its buffer */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				     SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
				     SCMP_A2(SCMP_CMP_EQ, SO_SNDBUF));
	/* to who was held */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pidfd_send_signal), 1,
				     SCMP_A1(SCMP_CMP_EQ, SIGCONT));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pidfd_send_signal), 1,
				     SCMP_A1(SCMP_CMP_EQ, SIGKILL));
	/* is it a terminal? */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, TCGETS));
	/* own limits only, and only to read */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A2(SCMP_CMP_EQ, 0));
	return r;
}

static int limit_calls(bool debug)
{
	scmp_filter_ctx filter =
		seccomp_init(debug ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return -ENOMEM;
	r = debug ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) : 0;
	if (!r)
		r = add_rules(filter);
	if (!r)
		r = seccomp_load(filter); /* sets no_new_privs first */
	seccomp_release(filter);
	return r;
}

int sandbox_enter(bool debug, struct pd_error *error)
{
	int r = keep_capabilities();

	if (r)
		return error_set(error, r, "capabilities cannot be dropped: %s", strerror(-r));
	r = limit_calls(debug);
	return r ? error_set(error, r, "system calls cannot be limited: %s", strerror(-r)) : 0;
}
