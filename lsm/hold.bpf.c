// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Containers that start before anybody has said which policies they have. What they execute first is
 * allowed, so that it can be stopped before its first instruction; its names are kept, and judged when the
 * container is known. Until then the task is refused everything.
 *
 * `release` is run by user space whenever cgroups have been bound, and says who is to be sent what. When nobody
 * is left in a cgroup whose name says nothing of its container, it is unknown again.
 */
#include "lsm/hold.h"

#include "lsm/bind.h"
#include "lsm/judge.h"
#include "lsm/name.h"

/* ---- keeping --------------------------------------------------------------------------------- */

static __always_inline int keep(struct pd_held *h, const struct pd_name *n, __u64 dentry,
				__u32 kind)
{
	__u32 index = h->count, length = 0, at = h->used;
	struct pd_held_name *name;

	if (n->status == PD_NAME_OK || n->status == PD_NAME_MEMORY)
		length = n->length;
	if (index >= PD_HELD_NAMES || length > PD_PATH_MAX || at >= PD_HELD_TEXT)
		return -E2BIG;
	if (length &&
	    bpf_probe_read_kernel(&h->text[PD_INDEX(at, PD_HELD_TEXT - 1)],
				  PD_INDEX(length, PD_PATH_MAX),
				  &n->text[PD_INDEX(PD_TEXT_SIZE - length, PD_TEXT_SIZE - 1)]))
		return -EAGAIN;
	name = &h->names[PD_INDEX(index, PD_HELD_NAMES - 1)];
	name->dentry = dentry;
	name->at = at;
	name->length = length;
	name->kind = kind;
	name->status = n->status;
	name->reason = n->reason;
	h->used = at + length;
	h->count = index + 1;
	return 0;
}

/* The kernel maps an interpreter piece by piece. */
static __always_inline int is_kept(const struct pd_held *h, __u64 dentry)
{
	const struct pd_held_name *last = &h->names[PD_INDEX(h->count - 1, PD_HELD_NAMES - 1)];

	return h->count && last->kind == PD_HELD_INTERPRETER && last->dentry == dentry;
}

__noinline int pd_hold_name(__u64 dentry, __u64 vfsmount, __u32 kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_scratch *s;
	struct pd_held *h;
	int r;

	h = pd_storage_create(&held_names, task);
	if (!h)
		return -ENOMEM;
	if (kind == PD_HELD_FIRST)
		h->count = h->used = 0;
	else if (is_kept(h, dentry))
		return 0;
	s = pd_scratch_claim();
	if (!s)
		return -EAGAIN;
	pd_name_of(&s->name, dentry, vfsmount, 0, 0);
	r = keep(h, &s->name, dentry, kind);
	pd_scratch_release(s);
	return r;
}

/* ---- releasing ------------------------------------------------------------------------------- */

/* As in bprm_check_security, and for the ELF interpreter, which belongs to the new program, as in
 * mmap_file. Returns the program class after the exec, or a negative errno when one of the names is
 * refused. */
__noinline int pd_try_held(struct pd_ask *ask, const struct pd_held *h)
{
	__u32 entered = 0;

	if (!ask || !h || !h->count)
		return -EACCES;
	for (__u32 i = 0; i < PD_HELD_NAMES && i < h->count; i++) {
		__u32 mapped = h->names[i].kind == PD_HELD_INTERPRETER;

		ask->wanted = mapped ? PD_MMAP_EXEC : PD_EXEC;
		ask->operation = mapped ? PD_OP_MMAP : PD_OP_EXEC;
		ask->hook = mapped ? PD_HOOK_mmap_file : PD_HOOK_bprm_check_security;
		ask->program = mapped ? entered : 0;
		ask->entered = 0;
		if (pd_judge_held(ask, h, i))
			return -EACCES;
		if (!mapped)
			entered = ask->entered & 0xffff;
	}
	return entered;
}

/* Has a signal stopped the task, or is about to? */
#define TASK_STOPPED 0x4
#define JOBCTL_STOP_PENDING (1ul << 17)
static __always_inline int is_stopped(struct task_struct *task)
{
	return (BPF_CORE_READ(task, __state) & TASK_STOPPED) ||
	       (BPF_CORE_READ(task, jobctl) & JOBCTL_STOP_PENDING) ||
	       (BPF_CORE_READ(task, signal, shared_pending.signal.sig[0]) >> (SIGSTOP - 1) & 1);
}

/* Functions of their own, so that what they need does not stand on the stack below the judge's. */
static __noinline int look(struct pd_scratch *s, struct task_struct *task, struct bound *bound)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	if (exe) {
		bound->exe_dentry = (__u64)BPF_CORE_READ(exe, f_path.dentry);
		bound->exe_mount = (__u64)BPF_CORE_READ(exe, f_path.mnt);
	}
	return pd_bind(s, bound) || bound->unknown > PD_UNKNOWN_ALLOW;
}

/* What is to become of one that is held: it stays held, it is bound or free, or it is doomed. */
static __always_inline __u32 fate_of(struct pd_scratch *s, struct task_struct *task,
				     struct pd_label *label)
{
	struct bound bound = { .task = (__u64)task };
	__u64 was = *(volatile __u64 *)&label->subject;
	int class = 0;

	if (label->flags & PD_LABEL_DOOMED)
		return PD_FATE_DOOMED;
	if (look(s, task, &bound))
		return PD_FATE_HELD;
	if (bound.slot) {
		pd_ask_by(&s->ask, bound.slot, bound.binding, 0, 0, 0);
		s->ask.task = (__u64)task;
		s->ask.flags = PD_ASK_HELD;
		class = pd_try_held(&s->ask, bpf_task_storage_get(&held_names, task, 0, 0));
		if (class < 0) {
			__sync_fetch_and_or(&label->flags, PD_LABEL_DOOMED);
			return PD_FATE_DOOMED;
		}
	}
	label->binding = bound.binding;
	label->origin = origin_of(bound.exe_dentry);
	label->cgroup = cgroup_of(task);
	__sync_fetch_and_or(&label->flags, PD_LABEL_RELEASED);
	if (__sync_val_compare_and_swap(&label->subject, was,
					subject_of(bound.slot, class, (was >> 48) + 1)) != was)
		return PD_FATE_HELD;
	__sync_fetch_and_and(&label->flags,
			     bound.slot ? ~PD_LABEL_HELD : ~(PD_LABEL_HELD | PD_LABEL_ACTIVE));
	bpf_task_storage_delete(&held_names, task);
	return PD_FATE_FREED;
}

/* Tells user space. The cgroup's path is the name in scratch. */
static __noinline int write(struct seq_file *seq, struct pd_scratch *s, struct task_struct *task,
			    __u32 fate)
{
	struct pd_release out = { .cgroup = cgroup_of(task), .tgid = task->tgid, .fate = fate };
	__u32 length = 0;

	if (pd_name_cgroup(&s->name, (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn)) ==
	    PD_NAME_OK)
		length = PD_INDEX(s->name.length, PD_PATH_MAX);
	out.path_len = length;
	bpf_seq_write(seq, &out, sizeof(out));
	if (length)
		bpf_seq_write(seq, &s->name.text[PD_INDEX(PD_TEXT_SIZE - length, PD_TEXT_SIZE - 1)],
			      length);
	return 0;
}

static __always_inline void release_task(struct seq_file *seq, struct pd_scratch *s,
					 struct task_struct *task, struct pd_label *label)
{
	__u32 fate = PD_FATE_FREED;

	if (label->flags & PD_LABEL_HELD) {
		fate = fate_of(s, task, label);
	} else if (!is_stopped(task)) {
		__sync_fetch_and_and(&label->flags, ~PD_LABEL_RELEASED);
		return;
	}
	write(seq, s, task, fate);
}

SEC("iter/task")
int release(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pd_label *label;
	struct pd_scratch *s;

	if (!task)
		return 0;
	label = bpf_task_storage_get(&labels, task, 0, 0);
	if (!label || !(label->flags & (PD_LABEL_HELD | PD_LABEL_RELEASED)))
		return 0;
	s = pd_scratch_claim();
	if (!s)
		return 0; /* the next time */
	release_task(ctx->meta->seq, s, task, label);
	pd_scratch_release(s);
	return 0;
}

/* ---- the next in a cgroup ---------------------------------------------------------------------- */

/* Under the lock that whoever enters the cgroup takes, too. The order matters: enforce_watch() relies on it. */
SEC("tp_btf/cgroup_notify_populated")
int BPF_PROG(cgroup_emptied, struct cgroup *cgroup, const char *path, int populated)
{
	struct pd_hold note = { .what = PD_NOTE_EMPTIED };
	struct pd_binding *binding;
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (populated || !shared ||
	    BPF_CORE_READ(cgroup, root, hierarchy_id)) /* another's, of version 1 */
		return 0;
	note.cgroup = BPF_CORE_READ(cgroup, kn, id);
	__sync_fetch_and_add(&shared->emptying, 1);
	if (*(volatile __u64 *)&shared->asked == note.cgroup)
		__sync_fetch_and_add(&shared->asked_emptied, 1);
	binding = bpf_map_lookup_elem(&bindings, &note.cgroup);
	if (binding && binding->flags & PD_BINDING_REUSED &&
	    !(binding->flags & PD_BINDING_EMPTIED)) {
		__sync_fetch_and_or(&binding->flags, PD_BINDING_EMPTIED);
		bpf_ringbuf_output(&holds, &note, sizeof(note), 0);
	}
	__sync_fetch_and_add(&shared->emptied, 1);
	return 0;
}

SEC("iter/task")
int find_root(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (task && shared && task->pid == 1)
		shared->host_root = (__u64)BPF_CORE_READ(task, fs, root.dentry);
	return 0;
}
