/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_LSM_GUARD_H
#define PD_LSM_GUARD_H

#include "lsm/judge.h"

struct pt_regs___call {
#if defined(__TARGET_ARCH_x86)
	unsigned long orig_ax;
#elif defined(__TARGET_ARCH_arm64)
	int syscallno;
#endif
} __core;

/* The system call under way, by the number the kernel goes by: the low half of the register, and on
 * x86 without the bit that marks x32. */
static __always_inline __u32 pd_call_number(void)
{
	struct pt_regs___call *regs;

	regs = (struct pt_regs___call *)bpf_task_pt_regs(bpf_get_current_task_btf());
#if defined(__TARGET_ARCH_x86)
	return (__u32)BPF_CORE_READ(regs, orig_ax) & ~0x40000000u;
#elif defined(__TARGET_ARCH_arm64)
	return (__u32)BPF_CORE_READ(regs, syscallno);
#endif
}

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
} __core;

/* The kernel's own switches among procfs and sysfs files, by their last component: what they hold
 * is run, or acts, outside any label. */
static __always_inline int pd_is_switch(struct dentry *dentry)
{
	__u64 name[2] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name);
#define PD_EIGHT(text) (*(const __u64 *)(text))
#define PD_IS(first, rest) (name[0] == PD_EIGHT(first) && name[1] == PD_EIGHT(rest))
	return PD_IS("core_pat", "tern\0\0\0") || PD_IS("modprobe", "\0\0\0\0\0\0\0") ||
	       PD_IS("hotplug", "\0\0\0\0\0\0\0") || PD_IS("poweroff", "_cmd\0\0\0") ||
	       PD_IS("sysrq-tr", "igger\0\0") || PD_IS("uevent_h", "elper\0\0");
}

/* What tells of a task's memory, among its files in procfs. */
static __always_inline int pd_is_of_memory(struct dentry *dentry)
{
	__u64 name[2] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name);
	return PD_IS("environ", "\0\0\0\0\0\0\0") || PD_IS("auxv\0\0\0", "\0\0\0\0\0\0\0") ||
	       PD_IS("maps\0\0\0", "\0\0\0\0\0\0\0") || PD_IS("smaps\0\0", "\0\0\0\0\0\0\0") ||
	       PD_IS("smaps_ro", "llup\0\0\0") || PD_IS("numa_map", "s\0\0\0\0\0\0") ||
	       PD_IS("pagemap", "\0\0\0\0\0\0\0");
#undef PD_IS
#undef PD_EIGHT
}

/* Whose file of procfs is this? The thread's number in the initial pid namespace, 0: nobody's. */
static __always_inline __u32 pd_proc_task(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	struct proc_inode *at;
	struct pid *pid;
	__u32 number = 0;

	if (!inode)
		return 0;
	at = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	pid = BPF_CORE_READ(at, pid);
	if (pid)
		bpf_probe_read_kernel(&number, sizeof(number),
				      (void *)pid + bpf_core_field_offset(struct pid, numbers));
	return number;
}

/**
 * pd_guard_memory() - opening one of the files that pd_is_of_memory() knows
 * @ask:    begun with pd_ask_init() for the guard
 * @number: as from pd_proc_task()
 *
 * Asks for the guard "ptrace" when the task is another label's. Kernels of 2025 and later let a
 * reader with CAP_PERFMON pass without asking ptrace_access_check. Returns 0 or -EPERM.
 */
int pd_guard_memory(struct pd_ask *ask, __u32 number);

/* One of the folders that hold policyd's own pins? */
static __always_inline int pd_holds_pins(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (!shared || !inode || dentry->d_sb->s_dev != shared->pins_device)
		return 0;
	for (int i = 0; i < 4; i++)
		if (shared->pins[i] && inode->i_ino == shared->pins[i])
			return 1;
	return 0;
}

/* Is this one of /proc/PID/... of policyd? oom_score_adj would have it killed, others hinder it. */
static __always_inline int pd_is_policyds(struct dentry *dentry)
{
	__u32 zero = 0, tgid = pd_proc_task(dentry);
	struct pd_state *shared;

	shared = bpf_map_lookup_elem(&state, &zero);
	return shared && tgid && (tgid == shared->daemon_tgid || tgid == shared->helper_tgid);
}

/**
 * pd_guard_write() - changing something on a file system that is a control surface of the kernel
 *
 * Whatever its name and wherever it is mounted: cgroupfs, bpffs, debugfs, tracefs, securityfs,
 * binfmt_misc, the switches of procfs and sysfs, and what is policyd's in procfs. Returns 0 or -EPERM.
 */
static __always_inline int pd_guard_write(const volatile struct pd_label *label, __u8 hook,
					  struct dentry *dentry)
{
	__u8 guard;

	switch ((__u32)dentry->d_sb->s_magic) {
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		guard = PD_GUARD_CGROUP;
		break;
	case BPF_FS_MAGIC:
		if (pd_holds_pins(dentry) || pd_holds_pins(dentry->d_parent))
			return pd_ask_self(label, hook, PD_GUARD_BPF, 0);
		guard = PD_GUARD_BPF;
		break;
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case BINFMTFS_MAGIC:
		guard = PD_GUARD_KERNEL;
		break;
	case PROC_SUPER_MAGIC:
		if (pd_is_policyds(dentry))
			return pd_ask_self(label, hook, PD_GUARD_KERNEL, 0);
		/* fallthrough */
	case SYSFS_MAGIC:
		if (!pd_is_switch(dentry))
			return 0;
		guard = PD_GUARD_KERNEL;
		break;
	default:
		return 0;
	}
	return pd_ask_guard(label, hook, guard, 0);
}

#endif
