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

/* The last component of a name, as two words; what is longer equals none of ours. */
static __always_inline void pd_last_name(struct dentry *dentry, __u64 name[2])
{
	name[0] = name[1] = 0;
	bpf_probe_read_kernel_str(name, 16, BPF_CORE_READ(dentry, d_name.name));
}
/* Of the name[] that it has filled. */
#define PD_EIGHT(text) (*(const __u64 *)(text))
#define PD_IS(first, rest) (name[0] == PD_EIGHT(first) && name[1] == PD_EIGHT(rest))

/* What tells of a task's memory, among its files in procfs. */
static __always_inline int pd_is_of_memory(struct dentry *dentry)
{
	__u64 name[2];

	pd_last_name(dentry, name);
	return PD_IS("environ", "\0\0\0\0\0\0\0") || PD_IS("auxv\0\0\0", "\0\0\0\0\0\0\0") ||
	       PD_IS("maps\0\0\0", "\0\0\0\0\0\0\0") || PD_IS("smaps\0\0", "\0\0\0\0\0\0\0") ||
	       PD_IS("smaps_ro", "llup\0\0\0") || PD_IS("numa_map", "s\0\0\0\0\0\0") ||
	       PD_IS("pagemap", "\0\0\0\0\0\0\0");
}

static __always_inline int pd_is_mem(struct dentry *dentry)
{
	__u64 name[2];

	pd_last_name(dentry, name);
	return PD_IS("mem\0\0\0\0", "\0\0\0\0\0\0\0");
}

/* Whose file of procfs is this? The thread's number in the initial pid namespace, 0: nobody's. */
static __always_inline __u32 pd_proc_task(struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
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

/* Is this a file system that is a control surface of the kernel, or has a part that is? Those that guard_of()
 * in control.bpf.c knows, told apart here from all others without a call. */
static __always_inline int pd_is_control(__u32 magic)
{
	switch (magic) {
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case BINFMTFS_MAGIC:
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
		return 1;
	}
	return 0;
}

/* Is one of policyd's own folders in this file system? */
static __always_inline int pd_may_be_own(__u32 device)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	for (int i = 0; shared && i < PD_OWN_FOLDERS; i++)
		if (shared->own[i].device == device)
			return 1;
	return 0;
}

/**
 * pd_guard_write() - changing something on a file system that is a control surface of the kernel
 *
 * Whatever its name and wherever it is mounted: cgroupfs, bpffs, debugfs, tracefs, securityfs,
 * binfmt_misc, the switches of procfs and sysfs, what is policyd's in procfs, and its own folders. Returns 0 or -EPERM.
 */
static __always_inline int pd_guard_write(const volatile struct pd_label *label, __u8 hook,
					  struct dentry *dentry)
{
	struct super_block *sb = PD_VIEW(struct dentry, dentry)->d_sb;
	struct pd_ask ask;

	if (!pd_is_control((__u32)sb->s_magic) && !pd_may_be_own(sb->s_dev))
		return 0;
	pd_ask_init(&ask, label, hook, PD_OP_GUARD, PD_USE);
	ask.dentry = (__u64)dentry;
	return pd_ask_control(&ask);
}

#endif
