// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an object is called: our own walk over dentries and mounts, and over kernfs nodes.
 *
 * No hooks. When something cannot be determined the object has no name, which callers treat as the
 * strictest name there could be.
 */
#include "lsm/name.h"

/* A rename elsewhere cannot disturb a walk; only one on this very path can. */
#define ATTEMPTS 16
/* for who changes a dentry or a mount and is off its processor in the middle of it */
#define WAITS 4096

#define HEAD_FIELD(type, head, field)                                                              \
	(*(type *)((head) + bpf_core_field_offset(struct dentry, field)))

struct ascent {
	struct pd_name *name;
	__u64 end_dentry, end_mount; /* where a walk ended that led out of reach */
};

static __always_inline long give_up(struct pd_name *n, __u32 reason)
{
	n->status = PD_NAME_NONE;
	n->reason = reason;
	return 1;
}

#define SPREAD 0x9e3779b97f4a7c15ull

/* From a mount's root to the dentry it is mounted on. A mount has no number of its own that tells that it was away
 * and is back: that of its namespace does, without which two that move in turns are seen where they never were
 * at the same time. */
static __always_inline long cross_mount(struct pd_name *n, __u64 *ret_seen)
{
	struct mount *mount = (struct mount *)n->mount;
	__u64 event = BPF_CORE_READ(mount, mnt_ns, event); /* first: it grows last */
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);
	__u64 point = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);

	if (parent == mount) {
		n->status = PD_NAME_OK;
		*ret_seen = 0;
		return 1;
	}
	*ret_seen = ((__u64)mount << 32 ^ point) + event * SPREAD;
	n->root = (__u64)BPF_CORE_READ(parent, mnt.mnt_root);
	n->mount = (__u64)parent;
	n->dentry = point;
	return 0;
}

/* The root of a namespace is its own parent. So, for a moment, is a mount that is being moved, and for good one that
 * was taken off: what is in them is below nothing then, and must not look as if it were at the top. */
static __always_inline long end_at_top(struct pd_name *n)
{
	struct mount *mount = (struct mount *)n->mount;
	struct mnt_namespace *ns = BPF_CORE_READ(mount, mnt_ns);

	if (!ns)
		return give_up(n, PD_REASON_UNREACHABLE);
	return BPF_CORE_READ(ns, root) == mount ? 1 : give_up(n, PD_REASON_RACED);
}

static __always_inline __u64 seen_dentry(__u64 dentry, __u32 seq)
{
	return dentry << 32 | seq;
}

static long ascend(__u32 i, struct ascent *a)
{
	struct pd_name *n = a->name;
	__u8 *head = n->head;
	__u32 length, seq, at;
	__u64 parent, seen;

	if (n->dentry == n->root) {
		long top = cross_mount(n, &seen);

		n->trail[i & (PD_DEPTH_MAX - 1)] = seen;
		return top ? end_at_top(n) : 0;
	}
	if (bpf_probe_read_kernel(head, PD_DENTRY_HEAD, (void *)n->dentry))
		return give_up(n, PD_REASON_UNREACHABLE);
	parent = HEAD_FIELD(__u64, head, d_parent);
	seq = HEAD_FIELD(__u32, head, d_seq);
	length = HEAD_FIELD(__u32, head, d_name.len);
	if (parent == n->dentry) /* a root, but not the mount's: moved out of it, or disconnected */
		return give_up(n, PD_REASON_UNREACHABLE);
	if (seq & 1)
		return give_up(n, PD_REASON_RACED);
	if (length > 255 || n->at <= length + 1)
		return give_up(n, PD_REASON_TOO_LONG);
	at = n->at - length - 1;
	n->text[PD_INDEX(at, PD_TEXT_SIZE - 1)] = '/';
	if (bpf_probe_read_kernel(&n->text[PD_INDEX(at + 1, PD_TEXT_SIZE - 1)],
				  PD_INDEX(length, 255), HEAD_FIELD(void *, head, d_name.name)))
		return give_up(n, PD_REASON_RACED);
	n->trail[i & (PD_DEPTH_MAX - 1)] = seen_dentry(n->dentry, seq);
	n->at = at;
	n->dentry = parent;
	return 0;
}

/* The second pass: is everything as the first one saw it? */
static long check(__u32 i, struct ascent *a)
{
	struct pd_name *n = a->name;
	__u8 *head = n->head;
	__u64 seen;

	if (n->dentry == n->root) {
		long top = cross_mount(n, &seen);

		if (n->trail[i & (PD_DEPTH_MAX - 1)] != seen)
			return give_up(n, PD_REASON_RACED);
		return top;
	}
	if (bpf_probe_read_kernel(head, PD_DENTRY_HEAD, (void *)n->dentry))
		return give_up(n, PD_REASON_RACED);
	seen = seen_dentry(n->dentry, HEAD_FIELD(__u32, head, d_seq));
	if (n->trail[i & (PD_DEPTH_MAX - 1)] != seen)
		return give_up(n, PD_REASON_RACED);
	n->dentry = HEAD_FIELD(__u64, head, d_parent);
	return 0;
}

static __always_inline void start_over(struct pd_name *n)
{
	struct mount *mount = (struct mount *)n->leaf_mount;

	n->dentry = n->leaf;
	n->mount = (__u64)mount;
	n->root = (__u64)BPF_CORE_READ(mount, mnt.mnt_root);
	n->status = PD_NAME_NONE;
	n->reason = PD_REASON_TOO_DEEP;
}

/* Are the dentry and the mount that a walk stumbled over whole again? */
static long is_whole(__u32 i, struct ascent *a)
{
	struct mount *mount = (struct mount *)a->name->mount;
	__u8 *head = a->name->head;

	if (BPF_CORE_READ(mount, mnt_parent) == mount &&
	    BPF_CORE_READ(mount, mnt_ns, root) != mount)
		return 0;
	return bpf_probe_read_kernel(head, PD_DENTRY_HEAD, (void *)a->name->dentry) ||
	       !(HEAD_FIELD(__u32, head, d_seq) & 1);
}

/* One attempt at a name; what it came to is in status and reason. */
static long attempt(__u32 i, struct ascent *a)
{
	struct pd_name *n = a->name;

	n->at = PD_TEXT_SIZE;
	start_over(n);
	bpf_loop(PD_DEPTH_MAX, ascend, a, 0);
	if (n->status == PD_NAME_OK) {
		start_over(n);
		bpf_loop(PD_DEPTH_MAX, check, a, 0);
	}
	if (n->status == PD_NAME_OK)
		return 1;
	/* A mount's old parent with its new place ends out of reach, too: but hardly twice at the same. */
	if (n->reason == PD_REASON_UNREACHABLE &&
	    (n->dentry != a->end_dentry || n->mount != a->end_mount)) {
		a->end_dentry = n->dentry;
		a->end_mount = n->mount;
		return 0;
	}
	if (n->reason != PD_REASON_RACED)
		return 1;
	bpf_loop(WAITS, is_whole, a, 0);
	return 0;
}

/* "memfd:" and the like: a constant in place of a name the task may choose freely. */
static __always_inline void put_text(struct pd_name *n, const char *text, __u32 length)
{
	n->at = PD_TEXT_SIZE - length;
	for (__u32 i = 0; i < length; i++)
		n->text[PD_TEXT_SIZE - length + i] = text[i];
}
#define PUT_TEXT(n, text) put_text(n, text, sizeof(text) - 1)

/* An object whose mount is not in the task's mount namespace. */
static __noinline int name_foreign(struct pd_name *n, __u64 dentry, __u64 vfsmount, __u64 ns)
{
	struct vfsmount *mnt = (struct vfsmount *)vfsmount;
	struct super_block *sb = BPF_CORE_READ(mnt, mnt_sb);
	unsigned long flags = BPF_CORE_READ(sb, s_flags);
	unsigned long magic = BPF_CORE_READ(sb, s_magic);

	n->reason = PD_REASON_UNREACHABLE;
	if (magic == NSFS_MAGIC) { /* not SB_NOUSER: its files may be bind mounted */
		PUT_TEXT(n, "nsfs:");
		return PD_NAME_OK;
	}
	if (flags & SB_NOUSER) {
		if (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC) {
			PUT_TEXT(n, "memfd:");
			return PD_NAME_MEMORY;
		}
		return PD_NAME_HANDLE;
	}
	if (magic == MQUEUE_MAGIC) {
		const unsigned char *name = BPF_CORE_READ((struct dentry *)dentry, d_name.name);
		__u32 length = BPF_CORE_READ((struct dentry *)dentry, d_name.len);

		if (length > 255)
			return PD_NAME_NONE;
		n->at = PD_TEXT_SIZE - PD_INDEX(length, 255);
		if (bpf_probe_read_kernel(&n->text[PD_INDEX(n->at, PD_TEXT_SIZE - 1)],
					  PD_INDEX(length, 255), name))
			return PD_NAME_NONE;
		n->at -= 8;
		__builtin_memcpy(&n->text[PD_INDEX(n->at, PD_TEXT_SIZE - 1)], "mqueue:/", 8);
		return PD_NAME_OK;
	}
	/* overlayfs and the like open the file below through a private clone of its mount */
	if (ns == MNT_NS_INTERNAL && !(BPF_CORE_READ(mnt, mnt_flags) & MNT_INTERNAL))
		return PD_NAME_LAYER;
	return PD_NAME_NONE;
}

static __always_inline int finish(struct pd_name *n, int status)
{
	n->status = status;
	n->length = PD_TEXT_SIZE - n->at;
	return status;
}

int pd_name_of(struct pd_name *n, __u64 dentry, __u64 vfsmount, __u64 ours, __u32 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ascent a = { .name = n };
	struct mount *mount;
	__u64 ns;

	if (!n)
		return PD_NAME_NONE;
	n->at = PD_TEXT_SIZE;
	n->trail[0] = dentry; /* tells objects without a name apart, too */
	n->leaf = dentry;
	n->leaf_mount = vfsmount - bpf_core_field_offset(struct mount, mnt);
	mount = (struct mount *)n->leaf_mount;
	ns = (__u64)BPF_CORE_READ(mount, mnt_ns);
	if (!ours)
		ours = (__u64)BPF_CORE_READ(task, nsproxy,
					    mnt_ns); /* 0 in a task that is exiting */
	if (!ns || ns != ours)
		return finish(n, name_foreign(n, dentry, vfsmount, ns));
	if (!(flags & PD_NAME_LAST) && !BPF_CORE_READ((struct dentry *)dentry, d_hash.pprev) &&
	    (__u64)BPF_CORE_READ((struct dentry *)dentry, d_parent) != dentry) {
		n->reason = PD_REASON_DELETED;
		return finish(n, PD_NAME_NONE);
	}
	bpf_loop(ATTEMPTS, attempt, &a, 0);
	if (n->status != PD_NAME_OK)
		return finish(n, PD_NAME_NONE);
	/* A mount that is taken off leaves its namespace before it leaves its parent, where the walk
	 * would have ended too early. */
	if ((__u64)BPF_CORE_READ(mount, mnt_ns) != ours) {
		n->reason = PD_REASON_UNREACHABLE;
		return finish(n, PD_NAME_NONE);
	}
	if (n->at == PD_TEXT_SIZE) {
		n->at--;
		n->text[PD_TEXT_SIZE - 1] = '/';
	}
	return finish(n, PD_NAME_OK);
}

static long ascend_cgroup(__u32 i, struct ascent *a)
{
	struct pd_name *n = a->name;
	struct kernfs_node *node = (struct kernfs_node *)n->dentry;
	__u64 parent, name;
	long length;

	/* The other name's text is not in use; kernfs has no lengths, so read forward first. */
	if (bpf_core_field_exists(struct kernfs_node, parent))
		parent = (__u64)BPF_CORE_READ(node, parent);
	else
		parent = (__u64)BPF_CORE_READ((struct kernfs_node___rcu *)node, __parent);
	if (!parent) {
		n->status = PD_NAME_OK;
		return 1;
	}
	name = (__u64)BPF_CORE_READ(node, name);
	length = bpf_probe_read_kernel_str(&n->text[PD_TEXT_SIZE], 256, (void *)name);
	if (length < 2 || length > 256 || n->at <= length)
		return give_up(n, PD_REASON_TOO_LONG);
	length--; /* the NUL */
	n->at -= length + 1;
	n->text[PD_INDEX(n->at, PD_TEXT_SIZE - 1)] = '/';
	bpf_probe_read_kernel(&n->text[PD_INDEX(n->at + 1, PD_TEXT_SIZE - 1)],
			      PD_INDEX(length, 255), (void *)name);
	n->dentry = parent;
	return 0;
}

int pd_name_cgroup(struct pd_name *n, __u64 kernfs_node)
{
	struct ascent a = { .name = n };

	if (!n)
		return PD_NAME_NONE;
	n->at = PD_TEXT_SIZE;
	n->status = PD_NAME_NONE;
	n->reason = PD_REASON_TOO_DEEP;
	n->dentry = kernfs_node;
	bpf_loop(PD_DEPTH_MAX, ascend_cgroup, &a, 0);
	if (n->status != PD_NAME_OK)
		return finish(n, PD_NAME_NONE);
	if (n->at == PD_TEXT_SIZE) {
		n->at--;
		n->text[PD_TEXT_SIZE - 1] = '/';
	}
	return finish(n, PD_NAME_OK);
}
