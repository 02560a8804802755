/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_LSM_GUARD_H
#define PD_LSM_GUARD_H

#include "lsm/judge.h"

/* The kernel's own switches among procfs and sysfs files, by their last component: what they hold
 * is run, or acts, outside any label. */
static __always_inline int pd_is_switch(struct dentry *dentry)
{
	char name[16] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name);
#define PD_IS(text) pd_same(name, text, sizeof(text))
	return PD_IS("core_pattern") || PD_IS("modprobe") || PD_IS("hotplug") ||
	       PD_IS("poweroff_cmd") || PD_IS("sysrq-trigger") || PD_IS("uevent_helper");
#undef PD_IS
}

/**
 * pd_guard_write() - changing something on a file system that is a control surface of the kernel
 *
 * Whatever its name and wherever it is mounted: cgroupfs, bpffs, debugfs, tracefs, securityfs,
 * binfmt_misc, and the switches of procfs and sysfs. Returns 0 or -EPERM.
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
		guard = PD_GUARD_BPF;
		break;
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case BINFMTFS_MAGIC:
		guard = PD_GUARD_KERNEL;
		break;
	case PROC_SUPER_MAGIC:
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
