/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which slot a task belongs to, and which program class: by its cgroup and its program, for the gate
 * and for sweeps.
 */
#ifndef PD_LSM_BIND_H
#define PD_LSM_BIND_H

#include "lsm/judge.h"

struct bound {
	/* in: who, and the program; 0: none */
	__u64 task, exe_dentry, exe_mount;
	/* out */
	__u32 slot;	 /* 0: not bound */
	__u32 unknown;	 /* enum pd_unknown: it is in a container that nobody has bound */
	__u32 container; /* it is in one, known or not */
	__u32 unused;	 /* no hole: 6.1 wants all of it written before it is passed */
	__u64 binding;
};

/**
 * pd_bind() - which slot is a task's, by where it is and what it executes
 * @bound: zeroed, but for what is asked
 *
 * Returns 0, or -EACCES when its cgroups are too many, or their path or the program's name cannot be told.
 */
int pd_bind(struct pd_scratch *s, struct bound *bound);

/**
 * pd_program_class() - of a program in a slot
 * @ns: the task's mount namespace
 *
 * Returns the class, 0 where the slot has none, or PD_NO_CLASS when it has no name to tell it by.
 */
#define PD_NO_CLASS 0x10000u
__u32 pd_program_class(struct pd_scratch *s, __u64 ns, __u32 slot, __u64 dentry, __u64 mount);

static __always_inline __u64 mount_ns_of(struct task_struct *task)
{
	return (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
}

/* A label whose policies are gone confines no more, and must not keep its task from being bound. */
static __always_inline int is_confined(const struct pd_label *label)
{
	return (label->flags & PD_LABEL_ACTIVE) &&
	       !(pd_slot_flags(label->slot) & PD_SLOT_UNCONFINED);
}

/* Identifies a program file for as long as a label lives; good enough to tell "still the program it was
 * bound with" from "another one". */
static __always_inline __u64 origin_of(__u64 dentry)
{
	struct inode *inode = BPF_CORE_READ((struct dentry *)dentry, d_inode);

	return dentry ^ (__u64)BPF_CORE_READ(inode, i_ino) << 32;
}

static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline __u64 subject_of(__u32 slot, __u32 program, __u64 execs)
{
	return slot | (__u64)(program & 0xffff) << 32 | execs << 48;
}

#endif
