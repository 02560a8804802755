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

/* @mount: only as seen by this one, 0: by any */
static __always_inline int is_in(const struct pd_folder *folders, int count, struct dentry *dentry,
				 __u32 mount)
{
	__u32 device = BPF_CORE_READ(dentry, d_sb, s_dev);
	__u64 inode = BPF_CORE_READ(dentry, d_inode, i_ino);

	for (int i = 0; i < count; i++)
		if (inode && folders[i].inode == inode && folders[i].device == device &&
		    (!mount || folders[i].mount == mount))
			return 1;
	return 0;
}

/* Opened by its handle while no name of it is cached: then it has none that could be looked at. */
static __always_inline int is_disconnected(struct dentry *dentry)
{
	return BPF_CORE_READ(dentry, d_parent) == dentry &&
	       BPF_CORE_READ(dentry, d_sb, s_root) != dentry;
}

/* In one of policyd's own folders? */
static __always_inline int is_own(struct dentry *dentry, __u32 mount)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	for (int depth = 0; shared && depth < PD_OWN_DEPTH; depth++) {
		if (is_in(shared->own, PD_OWN_FOLDERS, dentry, mount))
			return 1;
		dentry = BPF_CORE_READ(dentry, d_parent);
	}
	return 0;
}

/* ---- mounts ---------------------------------------------------------------------------------- */

/* Does policyd see anything that it needs by this mount? */
static __always_inline int is_needed(__u32 mount)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	for (int i = 0; shared && i < PD_ABOVE_FOLDERS; i++)
		if (mount && shared->above[i].mount == mount)
			return 1;
	return 0;
}

/* Does policyd come past here, by this mount, on its way to what is its own, or to what it knows tasks and cgroups
 * by? */
static __always_inline int is_on_way(struct dentry *dentry, __u32 mount)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	return (shared && is_in(shared->above, PD_ABOVE_FOLDERS, dentry, mount)) ||
	       holds_pins(dentry) || is_own(dentry, mount);
}

/* Would what is mounted there, or taken off, hide what policyd needs? What is done to a mount that is shared may be done
 * to policyd's. */
static __always_inline int hides(const struct pd_ask *ask)
{
	struct mount *mount = (void *)ask->mount - bpf_core_field_offset(struct mount, mnt);
	__u32 id = BPF_CORE_READ(mount, mnt_id);

	if (ask->flags & PD_ASK_OVER)
		return is_on_way((struct dentry *)ask->dentry,
				 BPF_CORE_READ(mount, mnt_group_id) ? 0 : id);
	if (is_needed(id))
		return 1;
	/* one that is nowhere is its own parent */
	if (BPF_CORE_READ(mount, mnt_parent) == mount ||
	    !BPF_CORE_READ(mount, mnt_parent, mnt_group_id))
		return 0;
	return is_on_way(BPF_CORE_READ(mount, mnt_mountpoint), 0);
}

/* ---- files ----------------------------------------------------------------------------------- */

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
	/* Who changes these changes the policies. */
	if (is_disconnected(dentry) ? !pd_may_be_own(BPF_CORE_READ(dentry, d_sb, s_dev)) :
				      !is_own(dentry, 0))
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
	if (ask->flags & (PD_ASK_OVER | PD_ASK_OFF)) {
		guard = hides(ask) ? PD_GUARD_MOUNT : 0;
		ask->flags |= PD_ASK_SELF;
	} else {
		guard = guard_of((struct dentry *)ask->dentry, &ask->flags);
		if (!guard && ask->flags & PD_ASK_AWAY &&
		    is_on_way((struct dentry *)ask->dentry, 0)) {
			guard = PD_GUARD_KERNEL;
			ask->flags |= PD_ASK_SELF;
		}
	}
	if (!guard)
		return 0;
	ask->object = PD_OBJ_GUARD;
	ask->key.family = guard;
	ask->key_len = 1;
	return pd_judge_bytes(ask);
}
