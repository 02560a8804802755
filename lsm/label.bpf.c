// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels: who gets one at the gate, which is exec, and how children inherit it. Tasks that already run
 * get theirs in sweep.bpf.c.
 *
 *   bprm_check_security   decides whether this exec enters a policy, and judges it by that policy;
 *                         runs once for a script and once more for its interpreter
 *   bprm_creds_for_exec   answers AT_EXECVE_CHECK (Linux 6.14), after which nothing is executed
 *   bprm_committed_creds  makes it so; until then a failing exec changes nothing. Has another image come
 *                         into force since, that one says what the new program is in
 *   task_alloc            sleepable where the kernel bears that, so that the child's label can wait for
 *                         memory; none: no fork
 *   task_newtask          the same again, for a child whose parent was labelled while it was made
 *
 * A binding that cannot be determined refuses the exec; an unreadable label refuses everything.
 */
#include "lsm/bind.h"
#include "lsm/hold.h"
#include "lsm/judge.h"
#include "lsm/name.h"

/* ---- which image ----------------------------------------------------------------------------- */

/* The image in force, and the task: one word for both. */
static __always_inline __u64 stamp_now(void)
{
	const __u8 *image = pd_image_get();

	return bpf_get_current_task() << 16 ^ (image ? pd_image_generation(image) : 0);
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

/* ---- the gate -------------------------------------------------------------------------------- */

/* Functions of their own, so that their questions do not stand on the hook's stack. */
static __noinline int judge_exec(struct linux_binprm *bprm, __u64 subject, __u64 binding,
				 __u32 hook, __u32 *ret_program)
{
	struct file *file = PD_VIEW(struct linux_binprm, bprm)->file;
	struct pd_ask ask;
	int verdict;

	pd_ask_by(&ask, subject, binding, hook,
		  hook == PD_HOOK_bprm_creds_for_exec ? PD_OP_EXEC_CHECK : PD_OP_EXEC, PD_EXEC);
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

#define FILTERS_MAX 32

/* Does anybody answer its system calls in the kernel's place (SECCOMP_RET_USER_NOTIF)? */
static __always_inline int is_supervised(struct task_struct *task)
{
	struct seccomp_filter *filter = BPF_CORE_READ(task, seccomp.filter);

	for (int i = 0; i < FILTERS_MAX; i++) {
		if (!filter)
			return 0;
		if (BPF_CORE_READ(filter, notif))
			return 1;
		filter = BPF_CORE_READ(filter, prev);
	}
	return 1;
}

/* Whoever traces the task would get the rights of the class it enters; so would whoever chose the root
 * directory from which the program takes its interpreter, or may change it still. */
static __noinline int in_other_hands(struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_scratch *s;
	int own;

	if (BPF_CORE_READ(bprm, unsafe) & (LSM_UNSAFE_PTRACE | LSM_UNSAFE_SHARE))
		return 1;
	/* another thread may change the root directory until it is gone */
	if (BPF_CORE_READ(task, signal, nr_threads) > 1 || is_supervised(task))
		return 1;
	s = pd_scratch_claim();
	if (!s)
		return 1;
	own = at_own_root(s);
	pd_scratch_release(s);
	return !own;
}

static __noinline int judge_traced(const struct pd_label *label, __u32 hook)
{
	return pd_ask_guard(label, hook, PD_GUARD_PTRACE, 0);
}

/* An exec of a confined task: stays in its slot, may change its program class. */
static __always_inline int exec_confined(struct linux_binprm *bprm, struct pd_label *label)
{
	__u32 program;
	int verdict = judge_exec(bprm, label->subject, label->binding, PD_HOOK_bprm_check_security,
				 &program);

	if (verdict)
		return verdict;
	if (program != label->program && in_other_hands(bprm)) {
		verdict = judge_traced(label, PD_HOOK_bprm_check_security);
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

#define UNDER_WAY (PD_LABEL_PREPARED | PD_LABEL_IN_EXEC | PD_LABEL_HOLD)

/* Wakes user space up. */
static __noinline int tell_of_unknown(__u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_hold note = { .cgroup = cgroup_of(task),
				.tgid = bpf_get_current_pid_tgid() >> 32,
				.what = what };

	return bpf_ringbuf_output(&holds, &note, sizeof(note), 0);
}

/* An exec in a container that nobody has bound yet: keep what it executes, to be judged later. */
static __always_inline int hold_exec(struct linux_binprm *bprm, struct pd_label *label, __u32 kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	int r;

	if (!label)
		label = pd_storage_create(&labels, task);
	if (!label)
		return -ENOMEM;
	r = pd_hold_name((__u64)BPF_CORE_READ(bprm, file, f_path.dentry),
			 (__u64)BPF_CORE_READ(bprm, file, f_path.mnt), kind);
	if (!r)
		__sync_fetch_and_or(&label->flags, PD_LABEL_HOLD);
	return r;
}

/* Which policies would a free task enter by this program? */
static __always_inline int bind_exec(struct linux_binprm *bprm, struct bound *bound)
{
	struct pd_scratch *s = pd_scratch_claim();
	int r;

	if (!s)
		return -EAGAIN;
	/* read as numbers: a function verified on its own takes no typed pointers */
	bound->exe_dentry = (__u64)BPF_CORE_READ(bprm, file, f_path.dentry);
	bound->exe_mount = (__u64)BPF_CORE_READ(bprm, file, f_path.mnt);
	r = pd_bind(s, bound);
	pd_scratch_release(s);
	return r;
}

/* An exec of a free task: does it enter a policy? */
static __always_inline int exec_free(struct linux_binprm *bprm, struct pd_label *label)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct bound bound = { .task = bpf_get_current_task() };
	__u32 program;
	int verdict;

	if (label && (label->flags & PD_LABEL_HOLD) && bprm->interp != bprm->filename)
		return hold_exec(bprm, label, PD_HELD_NEXT);
	if (label && (label->flags & PD_LABEL_PREPARED) && bprm->interp != bprm->filename) {
		bound.slot = label->next_slot; /* the script of this interpreter was bound */
		bound.binding = label->binding;
	} else {
		verdict = bind_exec(bprm, &bound);
		if (verdict)
			return verdict;
	}
	if (label) /* of an exec that failed */
		__sync_fetch_and_and(&label->flags, bound.slot ? ~PD_LABEL_HOLD : ~UNDER_WAY);
	if (bound.unknown == PD_UNKNOWN_HOLD)
		return hold_exec(bprm, label, PD_HELD_FIRST);
	if (bound.unknown)
		tell_of_unknown(PD_NOTE_UNKNOWN);
	if (bound.unknown == PD_UNKNOWN_DENY)
		bound.slot = PD_SLOT_UNKNOWN;
	if (!bound.slot)
		return 0;
	verdict =
		judge_exec(bprm, bound.slot, bound.binding, PD_HOOK_bprm_check_security, &program);
	if (verdict)
		return verdict;
	if (!label)
		label = pd_storage_create(&labels, task);
	if (!label)
		return -ENOMEM;
	label->next_slot = bound.slot;
	label->next_program = program;
	label->binding = bound.binding;
	if (bound.exe_dentry) /* not again for a script's interpreter */
		label->origin = origin_of(bound.exe_dentry);
	label->cgroup = cgroup_of(task);
	__sync_fetch_and_and(&label->flags, ~PD_LABEL_IN_EXEC);
	__sync_fetch_and_or(&label->flags, PD_LABEL_PREPARED);
	return 0;
}

/* The label of who executes or asks, confined or not, or NULL. Returns 1 to go on, else what the hook returns. */
static __always_inline int label_at_gate(__u32 hook, struct pd_label **ret_label)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label;

	*ret_label = NULL;
	if (!PD_VIEW(struct task_struct, task)->bpf_storage)
		return 1;
	label = bpf_task_storage_get(&labels, task, 0, 0);
	if (!label)
		return pd_label_hidden() ? -EAGAIN : 1;
	*ret_label = label;
	if (!(label->flags & PD_LABEL_CANARY))
		return 1;
	if (!pd_canary_expects(label, hook))
		return 0;
	pd_canary(hook);
	return -EPERM;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm)
{
	struct pd_label *label;
	int r;

	/* before the image is looked at; once for a script and its interpreter */
	if (bprm->interp == bprm->filename)
		stamp_set();
	r = label_at_gate(PD_HOOK_bprm_check_security, &label);
	if (r <= 0)
		PD_RETURN(r);
	if (label && is_confined(label)) {
		/* Left by an exec that failed, before a sweep came. Of a script's that is under way it stays: the
		 * script was not judged yet. */
		if ((label->flags & PD_LABEL_HOLD) && bprm->interp == bprm->filename)
			__sync_fetch_and_and(&label->flags, ~PD_LABEL_HOLD);
		PD_RETURN(exec_confined(bprm, label));
	}
	PD_RETURN(exec_free(bprm, label));
}

/* A free task asks of a program: would it enter a policy by it, and may it? */
static __always_inline int asked_free(struct linux_binprm *bprm)
{
	struct bound bound = { .task = bpf_get_current_task() };
	__u32 program;
	int verdict = bind_exec(bprm, &bound);

	if (verdict)
		return verdict;
	if (bound.unknown > PD_UNKNOWN_ALLOW) /* nothing begins that could be held */
		bound.slot = PD_SLOT_UNKNOWN;
	if (!bound.slot)
		return 0;
	return judge_exec(bprm, bound.slot, bound.binding, PD_HOOK_bprm_creds_for_exec, &program);
}

/* A confined one asks. */
static __always_inline int asked_confined(struct linux_binprm *bprm, const struct pd_label *label)
{
	__u32 program;
	int verdict = judge_exec(bprm, label->subject, label->binding, PD_HOOK_bprm_creds_for_exec,
				 &program);

	if (!verdict && program != label->program && in_other_hands(bprm))
		verdict = judge_traced(label, PD_HOOK_bprm_creds_for_exec);
	return verdict;
}

/* Only where the kernel has AT_EXECVE_CHECK: execveat(2) with it comes here and goes no further. */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(bprm_creds_for_exec, struct linux_binprm *bprm)
{
	struct pd_label *label;
	int r;

	if (!BPF_CORE_READ_BITFIELD_PROBED(bprm, is_check))
		return 0;
	r = label_at_gate(PD_HOOK_bprm_creds_for_exec, &label);
	if (r <= 0)
		PD_RETURN(r);
	if (label && is_confined(label))
		PD_RETURN(asked_confined(bprm, label));
	PD_RETURN(asked_free(bprm));
}

/* From here on the task is what it was found to be, and a sweep that looked before changes nothing.
 * Returns 0, or -1 when a sweep was there since `was` was read. */
static __always_inline int enter(struct pd_label *label, __u64 was, __u32 slot, __u32 program)
{
	__u64 now = subject_of(slot, program, (was >> 48) + 1);

	if (__sync_val_compare_and_swap(&label->subject, was, now) != was)
		return -1;
	__sync_fetch_and_or(&label->flags, PD_LABEL_ACTIVE);
	__sync_fetch_and_and(&label->flags,
			     ~(PD_LABEL_PREPARED | PD_LABEL_IN_EXEC | PD_LABEL_PASSED));
	return 0;
}

/* The task was free when its exec was judged: is it bound by the image that is in force now? */
static __always_inline int settle_free(struct pd_scratch *s, struct task_struct *task,
				       struct pd_label *found, struct bound *bound)
{
	struct pd_label *label = found;
	__u64 was = label ? *(volatile __u64 *)&label->subject : 0;
	__u32 program;

	if (pd_bind(s, bound) ||
	    bound->unknown > PD_UNKNOWN_ALLOW) /* nobody has kept what it executes */
		return -1;
	if (!bound->slot) {
		if (label)
			__sync_fetch_and_and(&label->flags,
					     ~(PD_LABEL_PREPARED | PD_LABEL_IN_EXEC));
		return 0;
	}
	if (!label)
		label = pd_storage_create(&labels, task);
	if (!label || (!found && (label->flags & PD_LABEL_ACTIVE))) /* a sweep was quicker */
		return -1;
	label->binding = bound->binding;
	label->origin = origin_of(bound->exe_dentry);
	label->cgroup = cgroup_of(task);
	program = pd_program_class(s, mount_ns_of(task), bound->slot, bound->exe_dentry,
				   bound->exe_mount);
	return enter(label, was, bound->slot, program & 0xffff);
}

/* Another image came into force during the exec, or a sweep was there: what does the image in force say
 * of the new program? Returns 0, or -1 when it cannot be told. Not static: verified once by itself. */
__noinline int pd_settle(struct pd_scratch *s, struct bound *bound)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label = NULL;
	__u32 program;
	__u64 was;

	if (!s || !bound)
		return -1;
	if (PD_VIEW(struct task_struct, task)->bpf_storage)
		label = bpf_task_storage_get(&labels, task, 0, 0);
	if (!label || !is_confined(label))
		return settle_free(s, task, label, bound);
	was = *(volatile __u64 *)&label->subject; /* as a sweep may have left it */
	program = pd_program_class(s, mount_ns_of(task), (__u32)was, bound->exe_dentry,
				   bound->exe_mount);
	return enter(label, was, (__u32)was, program & 0xffff);
}

/* Whoever sends it SIGCONT gains nothing: until it is released everything is refused. The signal comes first:
 * who is seen to be held may be let go at once, and what stopped them later would be for ever. */
static __always_inline void hold(struct pd_label *label, __u64 was)
{
	__sync_fetch_and_and(&label->flags, ~PD_LABEL_RELEASED);
	bpf_send_signal(SIGSTOP);
	*(volatile __u64 *)&label->subject = subject_of(PD_SLOT_UNKNOWN, 0, (was >> 48) + 1);
	label->binding = label->origin = 0;
	label->cgroup = cgroup_of(bpf_get_current_task_btf());
	__sync_fetch_and_or(&label->flags, PD_LABEL_ACTIVE | PD_LABEL_HELD);
	__sync_fetch_and_and(&label->flags, ~(UNDER_WAY | PD_LABEL_PASSED));
	tell_of_unknown(PD_NOTE_HELD);
}

/* It was free when its exec was judged, and now it is in a container that nobody knows: of what it executes the
 * last program is known still. */
static __noinline int hold_unjudged(struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label = pd_storage_create(&labels, task);

	if (!label || pd_hold_name((__u64)BPF_CORE_READ(bprm, file, f_path.dentry),
				   (__u64)BPF_CORE_READ(bprm, file, f_path.mnt), PD_HELD_FIRST))
		return -1;
	hold(label, *(volatile __u64 *)&label->subject);
	return 0;
}

#define SETTLE_TRIES 4

/* Too late to refuse: what cannot be told ends the task, and counts as a denial that left no record. */
static __noinline int settle_or_end(struct linux_binprm *bprm)
{
	struct pd_state *shared;
	struct pd_scratch *s;
	__u32 zero = 0, unknown = 0;
	int failed = -1;

	for (int i = 0; i < SETTLE_TRIES && failed; i++) {
		struct bound bound = {
			.task = bpf_get_current_task(),
			.exe_dentry = (__u64)BPF_CORE_READ(bprm, file, f_path.dentry),
			.exe_mount = (__u64)BPF_CORE_READ(bprm, file, f_path.mnt),
		};

		s = pd_scratch_claim();
		if (!s)
			continue;
		failed = pd_settle(s, &bound);
		pd_scratch_release(s);
		unknown = bound.unknown;
	}
	if (!failed)
		return 0;
	if (unknown == PD_UNKNOWN_HOLD && !hold_unjudged(bprm))
		return 0;
	bpf_send_signal(SIGKILL);
	shared = bpf_map_lookup_elem(&state, &zero);
	if (shared) {
		__sync_fetch_and_add(&shared->rings[PD_RING_DENIALS].generated, 1);
		__sync_fetch_and_add(&shared->rings[PD_RING_DENIALS].lost, 1);
	}
	return 0;
}

/* Is what was prepared what is to be? Else a sweep has labelled the task during its exec, or moved it. */
static __always_inline int as_prepared(const struct pd_label *label, __u64 was)
{
	if (!(label->flags & PD_LABEL_PREPARED))
		return !(label->flags & PD_LABEL_ACTIVE);
	return !(label->flags & PD_LABEL_ACTIVE) || (__u32)was == label->next_slot ||
	       !is_confined(label);
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label = NULL;
	__u64 was = 0;

	if (PD_VIEW(struct task_struct, task)->bpf_storage) {
		label = bpf_task_storage_get(&labels, task, 0, 0);
		if (!label && pd_label_hidden()) {
			bpf_send_signal(SIGKILL);
			return 0;
		}
	}
	if (label) {
		was = *(volatile __u64 *)&label->subject;
		if (label->flags & PD_LABEL_CANARY) {
			if (pd_canary_expects(label, PD_HOOK_bprm_committed_creds))
				pd_canary(PD_HOOK_bprm_committed_creds);
			return 0;
		}
		if (label->flags & PD_LABEL_HOLD) {
			hold(label, was);
			return 0;
		}
	}
	if (!stamp_holds() || (label && !as_prepared(label, was)))
		settle_or_end(bprm);
	else if (label && (label->flags & PD_LABEL_PREPARED) &&
		 enter(label, was, label->next_slot, label->next_program))
		settle_or_end(bprm);
	return 0;
}

/* ---- inheritance ----------------------------------------------------------------------------- */

static __always_inline void inherit(struct pd_label *child, const volatile struct pd_label *parent)
{
	child->subject = parent->subject;
	child->binding = parent->binding;
	child->origin = parent->origin;
	child->cgroup = parent->cgroup;
	child->hook = parent->hook;
	child->flags = parent->flags & (PD_LABEL_ACTIVE | PD_LABEL_CANARY);
}

/* Whom a sweep has left for later is not forgotten by forking. The child of one that a sweep came upon in the middle of
 * his fork may have been confined since. Returns 0 or -ENOMEM. */
static __always_inline int inherit_passed(struct task_struct *task)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct pd_label *parent, *child;

	if (!PD_VIEW(struct task_struct, current)->bpf_storage)
		return 0;
	parent = bpf_task_storage_get(&labels, current, 0, 0);
	if (!parent || !(parent->flags & PD_LABEL_PASSED))
		return 0;
	child = pd_storage_create(&labels, task);
	if (!child)
		return -ENOMEM;
	if (child->flags & (PD_LABEL_ACTIVE | PD_LABEL_CANARY))
		return 0;
	child->passed_ns = parent->passed_ns;
	__sync_fetch_and_or(&child->flags, PD_LABEL_PASSED);
	return 0;
}

/* User space makes it sleepable where the kernel bears that: see enforce/hooks.c. */
SEC("lsm/task_alloc")
int BPF_PROG(task_alloc, struct task_struct *task)
{
	const volatile struct pd_label *parent = pd_subject();
	struct pd_label *child;

	if (!parent)
		return inherit_passed(task);
	if (parent == &pd_unreadable)
		return -EAGAIN;
	if (parent->flags & PD_LABEL_HELD) /* it would be another that has to be let go */
		return -EACCES;
	if ((parent->flags & PD_LABEL_CANARY) && pd_canary_expects(parent, PD_HOOK_task_alloc)) {
		pd_canary(PD_HOOK_task_alloc);
		return -EPERM;
	}
	child = pd_storage_create(&labels, task);
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

	if (!parent) {
		inherit_passed(task); /* again: he may have been passed over since task_alloc */
		return 0;
	}
	child = pd_storage_create(&labels, task);
	if (child && !(child->flags & PD_LABEL_CANARY)) /* it has not run yet */
		inherit(child, parent);
	return 0;
}
