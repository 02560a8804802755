// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control surfaces of the kernel, by file system and not by name: which guard has to be granted for a
 * change in one of them. A judge, see judge.bpf.c.
 */
#include "lsm/guard.h"

/* The kernel's own switches among procfs and sysfs files, by their last component: what they hold
 * is run, or acts, outside any label. */
static __always_inline int is_switch(struct dentry *dentry)
{
	__u64 name[2];

	pd_last_name(dentry, name);
	return PD_IS("core_pat", "tern\0\0\0") || PD_IS("modprobe", "\0\0\0\0\0\0\0") ||
	       PD_IS("hotplug", "\0\0\0\0\0\0\0") || PD_IS("poweroff", "_cmd\0\0\0") ||
	       PD_IS("sysrq-tr", "igger\0\0") || PD_IS("uevent_h", "elper\0\0");
}

/* One of the folders that hold policyd's own pins? */
static __always_inline int holds_pins(struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct pd_state *shared;
	__u64 number;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (!shared || !inode || BPF_CORE_READ(dentry, d_sb, s_dev) != shared->pins_device)
		return 0;
	number = BPF_CORE_READ(inode, i_ino);
	for (int i = 0; i < PD_PIN_FOLDERS; i++)
		if (shared->pins[i] && number == shared->pins[i])
			return 1;
	return 0;
}

/* In one of policyd's own folders? Who changes these changes the policies. */
static __always_inline int is_own(struct dentry *dentry)
{
	__u32 zero = 0, device = BPF_CORE_READ(dentry, d_sb, s_dev);
	struct pd_state *shared;

	shared = bpf_map_lookup_elem(&state, &zero);
	for (int depth = 0; shared && depth < PD_OWN_DEPTH; depth++) {
		__u64 inode = BPF_CORE_READ(dentry, d_inode, i_ino);

		for (int i = 0; i < PD_OWN_FOLDERS; i++)
			if (inode && shared->own[i].inode == inode &&
			    shared->own[i].device == device)
				return 1;
		dentry = BPF_CORE_READ(dentry, d_parent);
	}
	return 0;
}

/* Is this one of /proc/PID/... of policyd? oom_score_adj would have it killed, others hinder it. */
static __always_inline int is_policyds(struct dentry *dentry)
{
	__u32 zero = 0, tgid = pd_proc_task(dentry);
	struct pd_state *shared;

	shared = bpf_map_lookup_elem(&state, &zero);
	return shared && tgid && (tgid == shared->daemon_tgid || tgid == shared->helper_tgid);
}

/* The guard that a change needs, 0: none. */
static __always_inline __u32 guard_of(struct dentry *dentry, __u32 *ret_flags)
{
	switch ((__u32)BPF_CORE_READ(dentry, d_sb, s_magic)) {
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return PD_GUARD_CGROUP;
	case BPF_FS_MAGIC:
		if (holds_pins(dentry) || holds_pins(BPF_CORE_READ(dentry, d_parent)))
			*ret_flags |= PD_ASK_SELF;
		return PD_GUARD_BPF;
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case BINFMTFS_MAGIC:
		return PD_GUARD_KERNEL;
	case PROC_SUPER_MAGIC:
		if (is_policyds(dentry)) {
			*ret_flags |= PD_ASK_SELF;
			return PD_GUARD_KERNEL;
		}
		/* fallthrough */
	case SYSFS_MAGIC:
		return is_switch(dentry) ? PD_GUARD_KERNEL : 0;
	}
	if (!is_own(dentry))
		return 0;
	*ret_flags |= PD_ASK_SELF;
	return PD_GUARD_KERNEL;
}

SEC("judge/pd_ask_control")
int judge_control(struct pd_ask *ask)
{
	__u32 guard;

	if (!ask)
		return -EPERM;
	guard = guard_of((struct dentry *)ask->dentry, &ask->flags);
	if (!guard)
		return 0;
	ask->object = PD_OBJ_GUARD;
	ask->key.family = guard;
	ask->key_len = 1;
	return pd_judge_bytes(ask);
}
