// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels: who gets one (the gate at exec, the sweep over running tasks), how children inherit it.
 *
 *   bprm_check_security   decides whether this exec enters a policy, and judges it by that policy;
 *                         runs once for a script and once more for its interpreter
 *   bprm_committed_creds  makes it so; until then a failing exec changes nothing. Has another image come
 *                         into force since, that one says what the new program is in
 *   task_alloc            sleepable, so that the child's label can wait for memory; none: no fork
 *   task_newtask          the same again, for a child whose parent was labelled while it was made
 *   iter/task             labels what already runs
 *
 * A binding that cannot be determined refuses the exec; an unreadable label refuses everything.
 */
#include "lsm/judge.h"
#include "lsm/name.h"

#define CGROUP_LEVELS 1024

struct bound {
	__u32 slot;  /* 0: not bound */
	__u32 flags; /* PD_LABEL_EXE */
	__u64 binding;
	__u64 exe_dentry; /* in: the program; 0: none */
	__u64 exe_mount;
};

/* ---- which image ----------------------------------------------------------------------------- */

/* The image in force, and the task: one word for both. */
static __always_inline __u64 stamp_now(void)
{
	const __u8 *image = pd_image_get();
	__u64 generation = 0;

	if (image)
		generation =
			*(const __u64 *)(image + __builtin_offsetof(struct pd_image, generation));
	return bpf_get_current_task() << 16 ^ generation;
}

static __always_inline __u64 *stamp_place(void)
{
	__u32 at = bpf_get_current_task() * 0x9e3779b97f4a7c15ull >> 56;

	return bpf_map_lookup_elem(&stamps, &at);
}

/* Functions of their own for the sake of the hooks' stacks. */
static __noinline int stamp_set(void)
{
	volatile __u64 *stamp = stamp_place();

	if (stamp)
		*stamp = stamp_now();
	return 0;
}

static __noinline int stamp_holds(void)
{
	volatile __u64 *stamp = stamp_place();

	return stamp && *stamp == stamp_now();
}

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
	else
		ret->flags = PD_LABEL_EXE;
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

/* ---- the gate -------------------------------------------------------------------------------- */

static __always_inline int only_asking(struct linux_binprm *bprm)
{
	return bpf_core_field_exists(bprm->is_check) &&
	       BPF_CORE_READ_BITFIELD_PROBED(bprm, is_check);
}

/* Functions of their own, so that their questions do not stand on the hook's stack. */
static __noinline int judge_exec(struct linux_binprm *bprm, __u64 subject, __u64 binding,
				 __u32 *ret_program)
{
	struct file *file = bprm->file;
	struct pd_ask ask;
	int verdict;

	pd_ask_by(&ask, subject, binding, PD_HOOK_bprm_check_security, PD_OP_EXEC, PD_EXEC);
	pd_ask_object(&ask, file->f_path.dentry, file->f_path.mnt);
	verdict = pd_ask_name(&ask);
	*ret_program = ask.entered;
	return verdict;
}

/* Is the task's root directory that of its mount namespace? */
static __always_inline int at_own_root(struct pd_scratch *s)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return s &&
	       pd_name_of(&s->name, (__u64)BPF_CORE_READ(task, fs, root.dentry),
			  (__u64)BPF_CORE_READ(task, fs, root.mnt), 0, 0) == PD_NAME_OK &&
	       s->name.length == 1;
}

/* Whoever traces the task would get the rights of the class it enters; so would whoever chose the root
 * directory from which the program takes its interpreter, or may change it still. */
static __noinline int in_other_hands(struct linux_binprm *bprm)
{
	struct pd_scratch *s;
	int own;

	if (BPF_CORE_READ(bprm, unsafe) & (LSM_UNSAFE_PTRACE | LSM_UNSAFE_SHARE))
		return 1;
	s = pd_scratch_claim();
	if (!s)
		return 1;
	own = at_own_root(s);
	pd_scratch_release(s);
	return !own;
}

static __noinline int judge_traced(const struct pd_label *label)
{
	return pd_ask_guard(label, PD_HOOK_bprm_check_security, PD_GUARD_PTRACE, 0);
}

/* An exec of a confined task: stays in its slot, may change its program class. */
static __always_inline int exec_confined(struct linux_binprm *bprm, struct pd_label *label)
{
	__u32 program;
	int verdict = judge_exec(bprm, label->subject, label->binding, &program);

	if (verdict || only_asking(bprm))
		return verdict;
	if (program != label->program && in_other_hands(bprm)) {
		verdict = judge_traced(label);
		if (verdict)
			return verdict;
	}
	label->next_slot = label->slot;
	label->next_program = program;
	__sync_fetch_and_or(&label->flags, PD_LABEL_PREPARED | PD_LABEL_IN_EXEC);
	if (program && program != label->program)
		bpf_bprm_opts_set(bprm, BPF_F_BPRM_SECUREEXEC);
	return 0;
}

/* Identifies a program file for as long as a label lives; good enough to tell "still the program it was
 * bound with" from "another one". */
static __always_inline __u64 origin_of(__u64 dentry)
{
	struct inode *inode = BPF_CORE_READ((struct dentry *)dentry, d_inode);

	return dentry ^ (__u64)BPF_CORE_READ(inode, i_ino) << 32;
}

/* An exec of a free task: does it enter a policy? */
static __always_inline int exec_free(struct linux_binprm *bprm, struct pd_label *label)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct bound bound = {};
	struct pd_scratch *s;
	__u32 program;
	int verdict;

	if (label && (label->flags & PD_LABEL_PREPARED) && bprm->interp != bprm->filename) {
		bound.slot = label->next_slot; /* the script of this interpreter was bound */
		bound.binding = label->binding;
		bound.flags = label->flags & PD_LABEL_EXE;
	} else {
		s = pd_scratch_claim();
		if (!s)
			return -EAGAIN;
		/* read as numbers: a function verified on its own takes no typed pointers */
		bound.exe_dentry = (__u64)BPF_CORE_READ(bprm, file, f_path.dentry);
		bound.exe_mount = (__u64)BPF_CORE_READ(bprm, file, f_path.mnt);
		verdict = bind_task(s, task, &bound);
		pd_scratch_release(s);
		if (verdict)
			return verdict;
	}
	if (!bound.slot) {
		if (label) /* of an exec that failed */
			__sync_fetch_and_and(&label->flags,
					     ~(PD_LABEL_PREPARED | PD_LABEL_IN_EXEC));
		return 0;
	}
	verdict = judge_exec(bprm, bound.slot, bound.binding, &program);
	if (verdict || only_asking(bprm))
		return verdict;
	if (!label)
		label = bpf_task_storage_get(&labels, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label)
		return -ENOMEM;
	label->next_slot = bound.slot;
	label->next_program = program;
	label->binding = bound.binding;
	if (bound.exe_dentry) /* not again for a script's interpreter */
		label->origin = origin_of(bound.exe_dentry);
	__sync_fetch_and_and(&label->flags, ~(PD_LABEL_EXE | PD_LABEL_IN_EXEC));
	__sync_fetch_and_or(&label->flags, PD_LABEL_PREPARED | bound.flags);
	return 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label = NULL;

	/* before the image is looked at; once for a script and its interpreter */
	if (bprm->interp == bprm->filename)
		stamp_set();
	if (task->bpf_storage) {
		label = bpf_task_storage_get(&labels, task, 0, 0);
		if (!label && pd_label_hidden())
			return -EAGAIN;
	}
	if (label && (label->flags & PD_LABEL_CANARY)) {
		if (!pd_canary_expects(label, PD_HOOK_bprm_check_security))
			return 0;
		pd_canary(PD_HOOK_bprm_check_security);
		return -EPERM;
	}
	if (label && is_confined(label))
		PD_RETURN(exec_confined(bprm, label));
	PD_RETURN(exec_free(bprm, label));
}

/* The program class of this program in a slot. */
static __always_inline __u32 program_class(struct pd_scratch *s, struct task_struct *task,
					   __u32 slot, __u64 dentry, __u64 mount)
{
	__u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	const __u8 *image = pd_image_get();
	__u32 at, programs;

	if (!image || !dentry || slot >= PD_IMAGE_FIELD(image, slot_count))
		return 0;
	if (pd_name_of(&s->name, dentry, mount, ns, PD_NAME_LAST) != PD_NAME_OK)
		return 0;
	at = PD_IMAGE_FIELD(image, slots) + slot * sizeof(struct pd_slot);
	programs = PD_IMAGE_WORD(image, at + __builtin_offsetof(struct pd_slot, programs));
	return set_number(image, &s->name, programs);
}

static __always_inline __u64 subject_of(__u32 slot, __u32 program, __u64 execs)
{
	return slot | (__u64)(program & 0xffff) << 32 | execs << 48;
}

/* From here on the task is what it was found to be; a sweep that looked before changes nothing. */
static __always_inline void enter(struct pd_label *label, __u32 slot, __u32 program)
{
	__u64 was = *(volatile __u64 *)&label->subject;

	__sync_lock_test_and_set(&label->subject, subject_of(slot, program, (was >> 48) + 1));
	__sync_fetch_and_or(&label->flags, PD_LABEL_ACTIVE);
	__sync_fetch_and_and(&label->flags, ~(PD_LABEL_PREPARED | PD_LABEL_IN_EXEC));
}

/* Another image came into force during the exec: what does that one say of the new program? Returns 0,
 * or -1 when it cannot be told. */
static __noinline int settle(struct pd_scratch *s, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct bound bound = {};
	struct pd_label *label = NULL;

	if (!s || !bprm)
		return -1;
	bound.exe_dentry = (__u64)BPF_CORE_READ(bprm, file, f_path.dentry);
	bound.exe_mount = (__u64)BPF_CORE_READ(bprm, file, f_path.mnt);
	if (task->bpf_storage)
		label = bpf_task_storage_get(&labels, task, 0, 0);
	if (label && is_confined(label)) {
		bound.slot = label->slot; /* as a sweep has left it */
	} else {
		if (bind_task(s, task, &bound))
			return -1;
		if (!bound.slot) {
			if (label)
				__sync_fetch_and_and(&label->flags,
						     ~(PD_LABEL_PREPARED | PD_LABEL_IN_EXEC));
			return 0;
		}
		if (!label)
			label = bpf_task_storage_get(&labels, task, 0,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!label)
			return -1;
		label->binding = bound.binding;
		label->origin = origin_of(bound.exe_dentry);
		__sync_fetch_and_and(&label->flags, ~PD_LABEL_EXE);
		__sync_fetch_and_or(&label->flags, bound.flags);
	}
	enter(label, bound.slot,
	      program_class(s, task, bound.slot, bound.exe_dentry, bound.exe_mount));
	return 0;
}

/* Too late to refuse: what cannot be told ends the task. */
static __always_inline void settle_or_end(struct linux_binprm *bprm)
{
	struct pd_scratch *s = pd_scratch_claim();

	if (!s || settle(s, bprm))
		bpf_send_signal(9);
	if (s)
		pd_scratch_release(s);
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label = NULL;

	if (task->bpf_storage) {
		label = bpf_task_storage_get(&labels, task, 0, 0);
		if (!label && pd_label_hidden()) {
			bpf_send_signal(9);
			return 0;
		}
	}
	if (label && (label->flags & PD_LABEL_CANARY)) {
		if (pd_canary_expects(label, PD_HOOK_bprm_committed_creds))
			pd_canary(PD_HOOK_bprm_committed_creds);
		return 0;
	}
	if (!stamp_holds())
		settle_or_end(bprm);
	else if (label && (label->flags & PD_LABEL_PREPARED))
		enter(label, label->next_slot, label->next_program);
	return 0;
}

/* ---- inheritance ----------------------------------------------------------------------------- */

static __always_inline void inherit(struct pd_label *child, const volatile struct pd_label *parent)
{
	child->subject = parent->subject;
	child->binding = parent->binding;
	child->origin = parent->origin;
	child->hook = parent->hook;
	child->flags = parent->flags & (PD_LABEL_ACTIVE | PD_LABEL_EXE | PD_LABEL_CANARY);
}

SEC("lsm.s/task_alloc")
int BPF_PROG(task_alloc, struct task_struct *task)
{
	const volatile struct pd_label *parent = pd_subject();
	struct pd_label *child;

	if (!parent)
		return 0;
	if (parent == &pd_unreadable)
		return -EAGAIN;
	if ((parent->flags & PD_LABEL_CANARY) && pd_canary_expects(parent, PD_HOOK_task_alloc)) {
		pd_canary(PD_HOOK_task_alloc);
		return -EPERM;
	}
	child = bpf_task_storage_get(&labels, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!child)
		return -ENOMEM;
	inherit(child, parent);
	return 0;
}

/* A child born into another cgroup leaves no other trace than this. Not in the program above, which
 * may sleep and so must not look at images. The canary is that one's. */
SEC("lsm/task_alloc")
int BPF_PROG(task_alloc_guard, struct task_struct *task, __u64 clone_flags)
{
	const volatile struct pd_label *label = pd_subject();

	if (!label || (label->flags & PD_LABEL_CANARY) || !(clone_flags & CLONE_INTO_CGROUP))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_task_alloc, PD_GUARD_CGROUP, 0));
}

/* A parent labelled by a sweep after task_alloc and before the child could be swept. Should there be
 * no memory for the label, the sweep's next pass finds the child, which is in the task list by now. */
SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *task)
{
	const volatile struct pd_label *parent = pd_subject();
	struct pd_label *child;

	if (!parent)
		return 0;
	child = bpf_task_storage_get(&labels, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (child && !(child->flags & PD_LABEL_CANARY)) /* it has not run yet */
		inherit(child, parent);
	return 0;
}

/* ---- tasks that already run ------------------------------------------------------------------ */

/* A labelled task keeps its binding, which may mean other policies by now. If it has executed another
 * program since, or is elsewhere, a look at where it is would tell nothing about the binding: it keeps
 * the policies it has. To one that was bound by its program a cgroup may be added. */
static __always_inline int keeps_policies(const struct pd_label *label, const struct bound *bound,
					  struct pd_state *shared)
{
	if (label->origin != origin_of(bound->exe_dentry)) {
		if (!label->binding && bound->binding)
			__sync_fetch_and_add(&shared->sweep_kept, 1);
		return 1;
	}
	return label->binding && label->binding != bound->binding;
}

static __always_inline void label_task(struct pd_scratch *s, struct task_struct *task,
				       struct pd_state *shared)
{
	struct pd_label *label = bpf_task_storage_get(&labels, task, 0, 0);
	struct bound bound = {};
	struct file *exe;
	__u64 before = 0, after;

	/* Who executes meanwhile says so in the subject: read it before what it executes. */
	if (label)
		before = *(volatile __u64 *)&label->subject;
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe) {
		bound.exe_dentry = (__u64)BPF_CORE_READ(exe, f_path.dentry);
		bound.exe_mount = (__u64)BPF_CORE_READ(exe, f_path.mnt);
	}
	if (bind_task(s, task, &bound)) {
		__sync_fetch_and_add(&shared->sweep_unsettled, 1);
		shared->sweep_pid = task->pid;
		return;
	}
	if (label && is_confined(label)) {
		if (label->flags & PD_LABEL_CANARY)
			return;
		if (!bound.slot || keeps_policies(label, &bound, shared)) {
			bound.slot = (__u32)before;
			bound.binding = label->binding;
			bound.flags = label->flags & PD_LABEL_EXE;
		} else {
			label->binding = bound.binding;
		}
	} else {
		if (!bound.slot)
			return;
		if (!label)
			label = bpf_task_storage_get(&labels, task, 0,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!label) {
			__sync_fetch_and_add(&shared->sweep_failed, 1);
			shared->sweep_pid = task->pid;
			return;
		}
		label->binding = bound.binding;
		label->origin = origin_of(bound.exe_dentry);
	}
	after = subject_of(bound.slot,
			   program_class(s, task, bound.slot, bound.exe_dentry, bound.exe_mount),
			   before >> 48);
	if (after == before && (label->flags & PD_LABEL_ACTIVE))
		return;
	if (__sync_val_compare_and_swap(&label->subject, before, after) != before) {
		__sync_fetch_and_add(&shared->sweep_unsettled, 1); /* it has executed: look again */
		shared->sweep_pid = task->pid;
		return;
	}
	__sync_fetch_and_and(&label->flags, ~PD_LABEL_EXE);
	__sync_fetch_and_or(&label->flags, PD_LABEL_ACTIVE | bound.flags);
	__sync_fetch_and_add(&shared->labelled, 1);
}

SEC("iter/task")
int sweep(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pd_state *shared;
	struct pd_scratch *s;
	__u32 zero = 0, tgid;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (!task || !shared || (task->flags & PF_KTHREAD))
		return 0;
	tgid = task->tgid;
	if (tgid == shared->daemon_tgid || tgid == shared->helper_tgid)
		return 0;
	s = pd_scratch_claim();
	if (!s) {
		__sync_fetch_and_add(&shared->sweep_unsettled, 1);
		shared->sweep_pid = task->pid;
		return 0;
	}
	label_task(s, task, shared);
	pd_scratch_release(s);
	return 0;
}
