/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which slot a task belongs to, and which program class: by its cgroup and its program, for the gate
 * and for sweeps.
 */
#ifndef PD_LSM_BIND_H
#define PD_LSM_BIND_H

#include "lsm/judge.h"
#include "lsm/name.h"

#define CGROUP_LEVELS 1024

struct bound {
	__u32 slot; /* 0: not bound */
	__u32 pad;
	__u64 binding;
	__u64 exe_dentry; /* in: the program; 0: none */
	__u64 exe_mount;
};

/* ---- which slot ------------------------------------------------------------------------------ */

struct climb {
	__u64 node;
	__u64 id;
	__u32 slot;
};

/* The nearest of the task's cgroup and those above it that was bound by hand. */
static long climb(__u32 i, struct climb *c)
{
	struct kernfs_node *node = (struct kernfs_node *)c->node;
	struct pd_binding *binding;
	__u64 id;

	if (!node)
		return 1; /* the root was seen */
	id = BPF_CORE_READ(node, id);
	binding = bpf_map_lookup_elem(&bindings, &id);
	if (binding) {
		c->slot = binding->slot;
		c->id = id;
		return 1;
	}
	if (bpf_core_field_exists(struct kernfs_node, parent))
		c->node = (__u64)BPF_CORE_READ(node, parent);
	else
		c->node = (__u64)BPF_CORE_READ((struct kernfs_node___rcu *)node, __parent);
	return 0;
}

static __always_inline __u32 set_number(const __u8 *image, struct pd_name *n, __u32 automaton)
{
	__u32 reached = pd_walk_name(image, n, PD_IMAGE_WORD(image, automaton),
				     PD_IMAGE_WORD(image, automaton + 4));

	return PD_IMAGE_WORD(image, pd_state_info(image, reached) +
					    __builtin_offsetof(struct pd_info, program)) &
	       0xffff;
}

/* cgroup: and exe: globs. exe: alone is for tasks of the host's mount namespace. Returns 0, or
 * -EACCES when the cgroup's path or the program's name cannot be told. */
static __always_inline int bind_by_globs(struct pd_scratch *s, __u64 node, __u64 ns, __u32 in_host,
					 struct bound *ret)
{
	const __u8 *image = pd_image_get();
	__u32 row = 0, column = 0, columns, rows;
	int status;

	if (!image)
		return 0;
	columns = PD_IMAGE_FIELD(image, bind_columns);
	rows = PD_IMAGE_FIELD(image, bind_rows);
	if (rows > 1) {
		if (pd_name_cgroup(&s->name, node) != PD_NAME_OK)
			return -EACCES;
		row = set_number(image, &s->name, __builtin_offsetof(struct pd_image, bind_cgroup));
	}
	if (columns > 1 && in_host && ret->exe_dentry) {
		status = pd_name_of(&s->name, ret->exe_dentry, ret->exe_mount, ns, PD_NAME_LAST);
		if (status == PD_NAME_OK)
			column = set_number(image, &s->name,
					    __builtin_offsetof(struct pd_image, bind_exe));
		else if (status == PD_NAME_NONE && s->name.reason != PD_REASON_UNREACHABLE)
			return -EACCES; /* it has a name, which may be one that binds */
	}
	if (row >= rows || column >= columns)
		return 0;
	ret->slot = PD_IMAGE_WORD(image,
				  PD_IMAGE_FIELD(image, bind_table) + (row * columns + column) * 4);
	if (row)
		ret->binding = BPF_CORE_READ((struct kernfs_node *)node, id);
	return 0;
}

static __always_inline __u32 host_namespace(void)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	return shared ? shared->host_mnt_ns : 0;
}

static __noinline int bind_task(struct pd_scratch *s, struct task_struct *task, struct bound *ret)
{
	struct climb c = { .node = (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn) };
	__u64 node = c.node;
	__u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	__u32 in_host = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == host_namespace();

	bpf_loop(CGROUP_LEVELS, climb, &c, 0);
	if (c.slot) {
		ret->slot = c.slot;
		ret->binding = c.id;
		return 0;
	}
	if (c.node) /* deeper than we looked */
		return -EACCES;
	return bind_by_globs(s, node, ns, in_host, ret);
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

/* The program class of this program in a slot; PD_NO_CLASS when it has no name to tell it by. */
#define PD_NO_CLASS 0x10000u
static __always_inline __u32 program_class(struct pd_scratch *s, struct task_struct *task,
					   __u32 slot, __u64 dentry, __u64 mount)
{
	__u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	const __u8 *image = pd_image_get();
	__u32 at, programs;
	int status;

	if (!image || !dentry || slot >= PD_IMAGE_FIELD(image, slot_count))
		return 0;
	at = PD_IMAGE_FIELD(image, slots) + slot * sizeof(struct pd_slot);
	if (!(PD_IMAGE_WORD(image, at) & PD_SLOT_BY))
		return 0;
	status = pd_name_of(&s->name, dentry, mount, ns, PD_NAME_LAST);
	if (status == PD_NAME_NONE)
		return PD_NO_CLASS;
	if (status != PD_NAME_OK && status != PD_NAME_MEMORY)
		return 0;
	programs = PD_IMAGE_WORD(image, at + __builtin_offsetof(struct pd_slot, programs));
	return set_number(image, &s->name, programs);
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
