/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine has of what loading needs. Reads only. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policyd/enforce/enforce.h"
#include "policyd/enforce/hooks.h"
#include "policyd/enforce/pins.h"

#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif

#define put(result, name, outcome, ...)                                                            \
	do {                                                                                       \
		(result)->what = (name);                                                           \
		(result)->status = (outcome);                                                      \
		snprintf((result)->text, sizeof((result)->text), __VA_ARGS__);                     \
	} while (0)

/* First line of a small file, without its newline; false: cannot be read. */
static bool first_line(const char *path, char *buffer, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok;

	if (!file)
		return false;
	ok = fgets(buffer, (int)size, file);
	fclose(file);
	if (ok)
		buffer[strcspn(buffer, "\n")] = '\0';
	return ok;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

bool probe_has_lsm(const char *name)
{
	char list[256];

	return first_line("/sys/kernel/security/lsm", list, sizeof(list)) && has_word(list, name);
}

static void probe_kernel(struct probe_result *result)
{
	struct utsname name;

	uname(&name);
	put(result, "kernel", PROBE_OK, "%s %s", name.release, name.machine);
}

static void probe_lsm(struct probe_result *result)
{
	char list[256];

	if (!first_line("/sys/kernel/security/lsm", list, sizeof(list)))
		put(result, "BPF LSM", PROBE_FAILED,
		    "cannot read /sys/kernel/security/lsm: %s; mount securityfs on "
		    "/sys/kernel/security, "
		    "or this kernel has no LSM support",
		    strerror(errno));
	else if (!has_word(list, "bpf"))
		put(result, "BPF LSM", PROBE_FAILED,
		    "the kernel runs without the BPF LSM (active: %.160s); add bpf to the lsm= "
		    "boot "
		    "parameter",
		    list);
	else
		put(result, "BPF LSM", PROBE_OK, "active (%.200s)", list);
}

static void probe_btf(struct probe_result *result)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		put(result, "kernel types", PROBE_FAILED,
		    "this kernel has no type information (/sys/kernel/btf/vmlinux); use one built "
		    "with "
		    "CONFIG_DEBUG_INFO_BTF, as Debian's are");
	else
		put(result, "kernel types", PROBE_OK, "/sys/kernel/btf/vmlinux");
}

static void probe_cgroup(struct probe_result *result)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs))
		put(result, "cgroup v2", PROBE_FAILED,
		    "nothing is mounted on /sys/fs/cgroup; mount -t cgroup2 cgroup2 "
		    "/sys/fs/cgroup");
	else if ((unsigned int)fs.f_type != CGROUP2_SUPER_MAGIC)
		put(result, "cgroup v2", PROBE_FAILED,
		    "/sys/fs/cgroup is a cgroup v1 or hybrid hierarchy, where a task's place "
		    "cannot be "
		    "told; boot with systemd.unified_cgroup_hierarchy=1");
	else
		put(result, "cgroup v2", PROBE_OK, "/sys/fs/cgroup");
}

static void probe_bpffs(struct probe_result *result, const char *pin_dir)
{
	if (!pins_in_bpffs(pin_dir))
		put(result, "BPF file system", PROBE_FAILED,
		    "%.150s is in no BPF file system, so enforcement could not outlive the daemon; "
		    "mount -t bpf bpf /sys/fs/bpf, or set pin_dir: in policyd.yaml",
		    pin_dir);
	else
		put(result, "BPF file system", PROBE_OK, "%.250s", pin_dir);
}

static void probe_ftrace(struct probe_result *result)
{
	char value[16];

	if (!first_line("/proc/sys/kernel/ftrace_enabled", value, sizeof(value)))
		put(result, "ftrace", PROBE_WARNING,
		    "cannot read kernel.ftrace_enabled; LSM programs need it to be 1");
	else if (strcmp(value, "1"))
		put(result, "ftrace", PROBE_FAILED,
		    "kernel.ftrace_enabled is %.8s, which turns every BPF LSM program off; "
		    "sysctl kernel.ftrace_enabled=1",
		    value);
	else
		put(result, "ftrace", PROBE_OK, "kernel.ftrace_enabled is 1");
}

static void probe_kptr(struct probe_result *result)
{
	char value[16];

	if (first_line("/proc/sys/kernel/kptr_restrict", value, sizeof(value)) &&
	    !strcmp(value, "2"))
		put(result, "kernel addresses", PROBE_WARNING,
		    "kernel.kptr_restrict is 2: caches that watch the kernel's rename and mount "
		    "counters "
		    "stay off; enforcement is not affected. sysctl kernel.kptr_restrict=1 turns "
		    "them on");
	else
		put(result, "kernel addresses", PROBE_OK, "readable by root");
}

static void probe_privilege(struct probe_result *result)
{
	if (geteuid())
		put(result, "privilege", PROBE_FAILED,
		    "not root: loading needs CAP_BPF and CAP_PERFMON; use sudo");
	else
		put(result, "privilege", PROBE_OK, "root");
}

static void probe_jit(struct probe_result *result)
{
	char value[16];

	if (first_line("/proc/sys/net/core/bpf_jit_enable", value, sizeof(value)) &&
	    !strcmp(value, "0"))
		put(result, "BPF compiler", PROBE_FAILED,
		    "net.core.bpf_jit_enable is 0, and LSM programs must be compiled; "
		    "sysctl net.core.bpf_jit_enable=1");
	else
		put(result, "BPF compiler", PROBE_OK, "enabled");
}

size_t enforce_probe(const char *pin_dir, struct probe_result results[PROBE_MAX])
{
	static void (*const probes[])(struct probe_result *) = {
		probe_kernel, probe_lsm, probe_btf,  probe_cgroup,
		probe_ftrace, probe_jit, probe_kptr, probe_privilege,
	};
	size_t n = sizeof(probes) / sizeof(probes[0]);

	for (size_t i = 0; i < n; i++)
		probes[i](&results[i]);
	if (pin_dir)
		probe_bpffs(&results[n++], pin_dir);
	return n;
}
