// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Capabilities, and what no confined task gets unless its policy grants it by name: bpf(), mounts,
 * user namespaces, reach into other labels, io_uring, perf, modules. And the one sysctl that would
 * switch every BPF LSM program off.
 *
 * The new mount system calls have no hooks of their own before a tree is attached, and mount_setattr()
 * has none at all. All of them ask for a capability first, which tells them from others by the
 * number of the system call.
 */
#include "lsm/guard.h"

#define CAP_OPT_NOAUDIT 2

/* Does the system call under way ask for CAP_SYS_ADMIN in order to work on mounts? But for the old
 * setns(2) the numbers are the same on every architecture, and for 32-bit programs. */
static __always_inline int changes_mounts(void)
{
	switch (pd_call_number()) {
	case 428: /* open_tree */
	case 429: /* move_mount */
	case 430: /* fsopen */
	case 431: /* fsconfig */
	case 432: /* fsmount */
	case 433: /* fspick */
	case 442: /* mount_setattr */
	case 467: /* open_tree_attr */
		return 1;
#if defined(__TARGET_ARCH_x86)
	case 308: /* setns: x86-64 and x32, i386 */
	case 346:
#else
	case 268:
#endif
		return 1; /* others' namespaces have other names for the same files */
	}
	return 0;
}

SEC("lsm/capable")
int BPF_PROG(capable, const struct cred *cred, struct user_namespace *ns, int cap,
	     unsigned int opts)
{
	PD_SUBJECT_OR_RETURN(label, capable);
	if (cap == CAP_SYS_ADMIN && !(opts & CAP_OPT_NOAUDIT) && changes_mounts()) {
		int refused = pd_ask_guard(label, PD_HOOK_capable, PD_GUARD_MOUNT, 0);

		if (refused)
			PD_RETURN(refused);
	}
	PD_RETURN(pd_ask_capability(label, PD_HOOK_capable, cap,
				    opts & CAP_OPT_NOAUDIT ? PD_ASK_SILENT : 0));
}

#define GUARD_HOOK(name, guard)                                                                    \
	SEC("lsm/" #name)                                                                          \
	int BPF_PROG(name)                                                                         \
	{                                                                                          \
		PD_SUBJECT_OR_RETURN(label, name);                                                 \
		PD_RETURN(pd_ask_guard(label, PD_HOOK_##name, guard, 0));                          \
	}

GUARD_HOOK(sb_remount, PD_GUARD_MOUNT)
GUARD_HOOK(userns_create, PD_GUARD_USERNS)
GUARD_HOOK(perf_event_open, PD_GUARD_PERF)

/* ---- mounts ---------------------------------------------------------------------------------- */

/* In the mount namespace that policyd is in? */
static __always_inline int is_hosts(struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
	struct mnt_namespace *ns = BPF_CORE_READ(mount, mnt_ns);
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	return !shared || BPF_CORE_READ(ns, ns.inum) == shared->host_mnt_ns;
}

/* policyd is to find its policies and its pins where they are, in every mode: something is to be mounted over this
 * place (PD_ASK_OVER), or this mount taken away (PD_ASK_OFF). */
static __noinline int ask_hides(const volatile struct pd_label *label, __u32 hook,
				struct dentry *dentry, struct vfsmount *mnt, __u32 how)
{
	struct pd_ask ask;

	pd_ask_init(&ask, label, hook, PD_OP_GUARD, PD_USE);
	ask.flags = how;
	pd_ask_object(&ask, dentry, mnt);
	return pd_ask_control(&ask);
}

/* Of what mount(2) does these change how others see the mount, or how it may be used. */
static __always_inline int moves_nothing(unsigned long flags)
{
	if (flags & MS_REMOUNT)
		return 1;
	return !(flags & MS_BIND) && flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
}

SEC("lsm/sb_mount")
int BPF_PROG(sb_mount, const char *device, const struct path *path, const char *type,
	     unsigned long flags)
{
	int refused = 0;

	PD_SUBJECT_OR_RETURN(label, sb_mount);
	path = PD_VIEW(struct path, path);
	/* what is to be moved is no more than a text here */
	if ((flags & (MS_MOVE | MS_BIND)) == MS_MOVE && is_hosts(path->mnt) &&
	    !moves_nothing(flags))
		refused = pd_ask_self(label, PD_HOOK_sb_mount, PD_GUARD_MOUNT, 0);
	else if (!moves_nothing(flags))
		refused = ask_hides(label, PD_HOOK_sb_mount, path->dentry, path->mnt, PD_ASK_OVER);
	if (!refused)
		refused = pd_ask_guard(label, PD_HOOK_sb_mount, PD_GUARD_MOUNT, 0);
	PD_RETURN(refused);
}

SEC("lsm/sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mnt)
{
	int refused;

	PD_SUBJECT_OR_RETURN(label, sb_umount);
	mnt = PD_VIEW(struct vfsmount, mnt);
	refused = ask_hides(label, PD_HOOK_sb_umount, mnt->mnt_root, mnt, PD_ASK_OFF);
	if (!refused)
		refused = pd_ask_guard(label, PD_HOOK_sb_umount, PD_GUARD_MOUNT, 0);
	PD_RETURN(refused);
}

SEC("lsm/move_mount")
int BPF_PROG(move_mount, const struct path *from, const struct path *to)
{
	int refused;

	PD_SUBJECT_OR_RETURN(label, move_mount);
	from = PD_VIEW(struct path, from);
	to = PD_VIEW(struct path, to);
	refused = ask_hides(label, PD_HOOK_move_mount, from->dentry, from->mnt, PD_ASK_OFF);
	if (!refused)
		refused = ask_hides(label, PD_HOOK_move_mount, to->dentry, to->mnt, PD_ASK_OVER);
	if (!refused)
		refused = pd_ask_guard(label, PD_HOOK_move_mount, PD_GUARD_MOUNT, 0);
	PD_RETURN(refused);
}

/* Whose root directory that of the namespace is, policyd's becomes another with it. */
SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot, const struct path *old, const struct path *new)
{
	PD_SUBJECT_OR_RETURN(label, sb_pivotroot);
	if (is_hosts(PD_VIEW(struct path, new)->mnt))
		PD_RETURN(pd_ask_self(label, PD_HOOK_sb_pivotroot, PD_GUARD_MOUNT, 0));
	PD_RETURN(pd_ask_guard(label, PD_HOOK_sb_pivotroot, PD_GUARD_MOUNT, 0));
}

/* fsconfig(FSCONFIG_CMD_CREATE); the kernel's own mounts are none of the task's */
SEC("lsm/sb_kern_mount")
int BPF_PROG(sb_kern_mount, struct super_block *sb)
{
	PD_SUBJECT_OR_RETURN(label, sb_kern_mount);
	if (PD_VIEW(struct super_block, sb)->s_flags & (SB_KERNMOUNT | SB_NOUSER))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_sb_kern_mount, PD_GUARD_MOUNT, 0));
}

SEC("lsm/bpf")
int BPF_PROG(bpf, int cmd)
{
	PD_SUBJECT_OR_RETURN(label, bpf);
	PD_RETURN(pd_ask_guard(label, PD_HOOK_bpf, PD_GUARD_BPF, cmd));
}

SEC("lsm/inode_init_security_anon")
int BPF_PROG(inode_init_security_anon, struct inode *inode, const struct qstr *name)
{
	char text[12] = {};

	PD_SUBJECT_OR_RETURN(label, inode_init_security_anon);
	bpf_probe_read_kernel(text, sizeof(text) - 1, PD_VIEW(struct qstr, name)->name);
	if (!pd_same(text, "[io_uring]", 10))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_inode_init_security_anon, PD_GUARD_IO_URING, 0));
}

/* include/linux/kernel_read_file.h: firmware 1, module 2, kexec image and initramfs 3 and 4, security
 * policy 5, certificate 6; 7.x adds compressed modules. What is not known is taken for code. */
static __always_inline int is_code(int id)
{
	return id >= 2 && id != 6;
}

SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_load_data, int id)
{
	PD_SUBJECT_OR_RETURN(label, kernel_load_data);
	if (!is_code(id))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_kernel_load_data, PD_GUARD_MODULE, id));
}

SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_read_file, struct file *file, int id)
{
	PD_SUBJECT_OR_RETURN(label, kernel_read_file);
	if (!is_code(id))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_kernel_read_file, PD_GUARD_MODULE, id));
}

/* ---- other tasks ----------------------------------------------------------------------------- */

#define PTRACE_MODE_ATTACH 2
#define PTRACE_MODE_NOAUDIT 4
#define PR_SET_MM 35

/* Same policy, same container, same program class: no reach across any of these. A label that
 * cannot be read counts as another one. */
static __always_inline int same_label(const volatile struct pd_label *ours,
				      struct task_struct *task)
{
	struct pd_label *theirs = bpf_task_storage_get(&labels, task, 0, 0);

	return theirs && (theirs->flags & PD_LABEL_ACTIVE) && theirs->slot == ours->slot &&
	       theirs->slot != PD_SLOT_UNKNOWN && theirs->binding == ours->binding &&
	       theirs->program == ours->program;
}

static __always_inline int same_container(const volatile struct pd_label *ours,
					  struct task_struct *task)
{
	struct pd_label *theirs = bpf_task_storage_get(&labels, task, 0, 0);

	return theirs && (theirs->flags & PD_LABEL_ACTIVE) && theirs->slot == ours->slot &&
	       theirs->slot != PD_SLOT_UNKNOWN && theirs->binding == ours->binding;
}

/* By the memory of a program that others may not trace its secrets would come out. */
static __always_inline int dumps_core(int sig)
{
	const __u64 signals = 1ull << 3 | 1ull << 4 | 1ull << 5 | 1ull << 6 | 1ull << 7 |
			      1ull << 8 | 1ull << 11 | 1ull << 24 | 1ull << 25 | 1ull << 31;

	return sig > 0 && sig < 64 && signals >> sig & 1;
}

static __always_inline int is_policyd(struct task_struct *task)
{
	struct pd_state *shared;
	__u32 zero = 0, tgid = PD_VIEW(struct task_struct, task)->tgid;

	shared = bpf_map_lookup_elem(&state, &zero);
	return shared && tgid && (tgid == shared->daemon_tgid || tgid == shared->helper_tgid);
}

static __always_inline int ask_reach(const volatile struct pd_label *label, __u8 hook,
				     struct task_struct *task, __u32 mode)
{
	struct pd_ask ask;

	if (is_policyd(task))
		return pd_ask_self(label, hook, PD_GUARD_PTRACE, mode);
	pd_ask_init(&ask, label, hook, PD_OP_GUARD, PD_USE);
	ask.object = PD_OBJ_GUARD;
	ask.key.family = PD_GUARD_PTRACE;
	/* Who traces writes into what is executed. */
	if (same_label(label, task)) {
		if (!(mode & PTRACE_MODE_ATTACH))
			return 0;
		ask.key.family = PD_GUARD_WX;
	}
	ask.key_len = 1;
	ask.detail = mode;
	if (mode & PTRACE_MODE_NOAUDIT)
		ask.flags = PD_ASK_SILENT;
	return pd_ask_bytes(&ask);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode)
{
	PD_SUBJECT_OR_RETURN(label, ptrace_access_check);
	PD_RETURN(ask_reach(label, PD_HOOK_ptrace_access_check, child, mode));
}

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

int pd_guard_memory(struct pd_ask *ask, __u32 number)
{
	struct pd_label ours = {};
	struct task_struct *task;
	int same = 0, policyds = 0;

	/* Without these functions the kernel is older than the way past ptrace_access_check. */
	if (!ask || !bpf_task_from_pid || !bpf_task_release)
		return 0;
	if (!number || number == (__u32)bpf_get_current_pid_tgid())
		return 0;
	ours.slot = ask->slot;
	ours.binding = ask->binding;
	ours.program = ask->program;
	task = bpf_task_from_pid(number);
	if (task) {
		same = task->tgid == bpf_get_current_pid_tgid() >> 32 || same_label(&ours, task);
		policyds = is_policyd(task);
		bpf_task_release(task);
	}
	if (same)
		return 0;
	ask->object = PD_OBJ_GUARD;
	ask->key.family = PD_GUARD_PTRACE;
	ask->key_len = 1;
	if (policyds)
		ask->flags |= PD_ASK_SELF;
	return pd_ask_bytes(ask);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(ptrace_traceme, struct task_struct *parent)
{
	PD_SUBJECT_OR_RETURN(label, ptrace_traceme);
	PD_RETURN(ask_reach(label, PD_HOOK_ptrace_traceme, parent, PTRACE_MODE_ATTACH));
}

SEC("lsm/task_kill")
int BPF_PROG(task_kill, struct task_struct *task, struct kernel_siginfo *info, int sig)
{
	PD_SUBJECT_OR_RETURN(label, task_kill);
	if (!sig) /* does it exist? */
		return 0;
	if (is_policyd(task))
		PD_RETURN(pd_ask_self(label, PD_HOOK_task_kill, PD_GUARD_SIGNAL, sig));
	if (dumps_core(sig) ? same_label(label, task) : same_container(label, task))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_task_kill, PD_GUARD_SIGNAL, sig));
}

/* A limit of processor time kills, others starve. */
SEC("lsm/task_setrlimit")
int BPF_PROG(task_setrlimit, struct task_struct *task, unsigned int resource)
{
	PD_SUBJECT_OR_RETURN(label, task_setrlimit);
	if (is_policyd(task))
		PD_RETURN(pd_ask_self(label, PD_HOOK_task_setrlimit, PD_GUARD_SIGNAL, resource));
	if (task->tgid == bpf_get_current_task_btf()->tgid || same_container(label, task))
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_task_setrlimit, PD_GUARD_SIGNAL, resource));
}

/* Whoever made policyd the owner of a descriptor, by whichever of the ways: no signal comes of it.
 * There is nobody to ask, for this runs in any task's context; policyd itself wants none. */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(guard_sigio, struct task_struct *task)
{
	return is_policyd(task) ? -EPERM : 0;
}

/* PR_SET_MM can change what /proc/PID/exe says, which sweeps and events go by. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option)
{
	PD_SUBJECT_OR_RETURN(label, task_prctl);
	if (option != PR_SET_MM)
		return 0;
	PD_RETURN(pd_ask_guard(label, PD_HOOK_task_prctl, PD_GUARD_PTRACE, option));
}

/* ---- the switch that would turn all of this off ----------------------------------------------- */

/* Needs no trampoline, so it works even while tracing is off. Attached to the root cgroup as long
 * as policyd is loaded: nobody writes kernel.ftrace_enabled. */
SEC("cgroup/sysctl")
int guard_sysctl(struct bpf_sysctl *ctx)
{
	char name[32] = {};

	if (!ctx->write)
		return 1;
	bpf_sysctl_get_name(ctx, name, sizeof(name), 0);
	return !pd_same(name, "kernel/ftrace_enabled", 22);
}
