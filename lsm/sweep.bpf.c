// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks that already run when policies come: an iterator over all of them, which user space lets run
 * until a round labels nobody any more. What it could not do is counted, and told by user space.
 */
#include "lsm/bind.h"
#include "lsm/judge.h"
#include "lsm/name.h"

static __always_inline void count(__u64 *counter, struct pd_state *shared, struct task_struct *task)
{
	__sync_fetch_and_add(counter, 1);
	shared->sweep_pid = task->pid;
}

/* A labelled task keeps its binding, which may mean other policies by now. If it has executed another
 * program since, or is elsewhere, a look at where it is would tell nothing about the binding: it keeps
 * the policies it has. To one that was bound by its program, policies may come that are for the cgroup
 * it was in then and still is. */
static __always_inline int keeps_policies(const struct pd_label *label, const struct bound *bound,
					  struct pd_state *shared, struct task_struct *task)
{
	int elsewhere;

	if (!bound->slot)
		return 1;
	if (label->binding)
		elsewhere = label->binding != bound->binding;
	else
		elsewhere = bound->binding && label->cgroup != cgroup_of(task);
	if (elsewhere)
		return 1;
	if (label->origin == origin_of(bound->exe_dentry))
		return 0;
	if (!label->binding && bound->binding)
		count(&shared->sweep_kept, shared, task);
	return 1;
}

/* Which class, if the program's name does not tell: the one it is in. Returns 0 or -1. */
static __always_inline int class_after(__u32 found, __u32 slot, __u64 before, __u32 *ret_class)
{
	*ret_class = found & 0xffff;
	if (!(found & PD_NO_CLASS))
		return 0;
	if ((__u32)before == slot)
		*ret_class = before >> 32 & 0xffff;
	return (__u32)before && (__u32)before != slot ? -1 : 0;
}

/* How long a runtime may take from its fork in a container to the exec of the container's program, and where a machine
 * is slow or hooks are, as long as it may still mount: it would fail in the middle of that. */
#define STARTING_NS 10000000000ull
#define MOUNTING_NS 60000000000ull

static __always_inline int is_young(struct task_struct *task, __u64 since)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u64 capabilities = 0;
	int mounts;

	bpf_probe_read_kernel(&capabilities, sizeof(capabilities), &cred->cap_effective);
	/* not the one that anybody has in a user namespace of their own */
	mounts = capabilities >> CAP_SYS_ADMIN & 1 &&
		 BPF_CORE_READ(cred, user_ns) == BPF_CORE_READ(task, nsproxy, mnt_ns, user_ns);
	return bpf_ktime_get_boot_ns() - since <= (mounts ? MOUNTING_NS : STARTING_NS);
}

/* Is this perhaps a runtime's own process that makes a container, or joins one? It still mounts what is the host's and
 * opens what has no name in the container, and then executes, which is judged. Its program is no file of the mount
 * namespace it is in. So can others be, and fork for ever without executing anything: since when a sweep has known
 * them, their children inherit. Who has been confined or held before is none. */
static __noinline int runs_container(struct pd_scratch *s, struct task_struct *task,
				     const struct bound *bound)
{
	struct pd_label *label = bpf_task_storage_get(&labels, task, 0, 0);
	__u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	int status;

	if (!bound->container || !bound->exe_dentry)
		return 0;
	if (label)
		return (label->flags & PD_LABEL_PASSED) && is_young(task, label->passed_ns);
	if (!is_young(task, BPF_CORE_READ(task, start_boottime)))
		return 0;
	status = pd_name_of(&s->name, bound->exe_dentry, bound->exe_mount, ns, PD_NAME_LAST);
	if (status != PD_NAME_MEMORY &&
	    (status != PD_NAME_NONE || s->name.reason != PD_REASON_UNREACHABLE))
		return 0;
	label = pd_storage_create(&labels, task);
	if (!label || (label->flags & PD_LABEL_ACTIVE))
		return 0;
	label->passed_ns = bpf_ktime_get_boot_ns();
	__sync_fetch_and_or(&label->flags, PD_LABEL_PASSED);
	return 1;
}

static __always_inline void label_task(struct pd_scratch *s, struct task_struct *task,
				       struct pd_state *shared)
{
	struct pd_label *label = bpf_task_storage_get(&labels, task, 0, 0);
	struct bound bound = { .task = (__u64)task };
	struct file *exe;
	__u64 before = 0, after;
	__u32 class;
	int confined, kept;

	/* Who executes meanwhile says so in the subject: read it before what it executes. */
	if (label)
		before = *(volatile __u64 *)&label->subject;
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe) {
		bound.exe_dentry = (__u64)BPF_CORE_READ(exe, f_path.dentry);
		bound.exe_mount = (__u64)BPF_CORE_READ(exe, f_path.mnt);
	}
	confined = label && is_confined(label);
	if (label && (label->flags & (PD_LABEL_CANARY | PD_LABEL_HELD)))
		return;
	if (pd_bind(s, &bound)) {
		count(&shared->sweep_unsettled, shared, task);
		return;
	}
	kept = confined && keeps_policies(label, &bound, shared, task);
	if (kept)
		bound.slot = (__u32)before;
	if (!bound.slot)
		return;
	if (!confined && runs_container(s, task, &bound)) {
		__sync_fetch_and_add(&shared->sweep_passed, 1);
		return;
	}
	class = pd_program_class(s, mount_ns_of(task), bound.slot, bound.exe_dentry,
				 bound.exe_mount);
	if (class_after(class, bound.slot, confined ? before : 0, &class)) {
		count(&shared->sweep_unsettled, shared, task);
		return;
	}
	after = subject_of(bound.slot, class, before >> 48);
	if (confined && after == before)
		return;
	if (!label) {
		label = pd_storage_create(&labels, task);
		if (!label) {
			count(&shared->sweep_failed, shared, task);
			return;
		}
	}
	/* On failure it has executed or been labelled meanwhile: the next round looks again. */
	if (__sync_val_compare_and_swap(&label->subject, before, after) != before) {
		count(&shared->sweep_unsettled, shared, task);
		return;
	}
	if (!kept)
		label->binding = bound.binding;
	if (!confined) {
		label->origin = origin_of(bound.exe_dentry);
		label->cgroup = cgroup_of(task);
	}
	__sync_fetch_and_or(&label->flags, PD_LABEL_ACTIVE);
	__sync_fetch_and_and(&label->flags, ~PD_LABEL_PASSED);
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
		count(&shared->sweep_unsettled, shared, task);
		return 0;
	}
	label_task(s, task, shared);
	pd_scratch_release(s);
	return 0;
}
