// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times, extended attributes and ACLs. No kernel gives these hooks a path, only the dentry, so the
 * mount is unknown: every mount of the file system in the task's namespace that shows the dentry
 * must allow it. Usually there is one. (chmod, chown and truncate have hooks with paths and are
 * left to those.)
 */
#include "lsm/guard.h"
#include "lsm/judge.h"

#define MOUNTS_MAX 256

struct search {
	struct pd_ask *ask;
	__u64 mount; /* struct mount under consideration */
	__u64 end;
	/* whole words: the verifier follows halves of one through every round of the loop */
	__u64 found;
	__u64 complete; /* every mount was looked at */
	__s64 verdict;
};

static __always_inline __u64 next_mount(__u64 mount)
{
	if (bpf_core_field_exists(struct mount___list, mnt_instance))
		return (__u64)BPF_CORE_READ((struct mount___list *)mount, mnt_instance.next) -
		       bpf_core_field_offset(struct mount___list, mnt_instance);
	return (__u64)BPF_CORE_READ((struct mount___chain *)mount, mnt_next_for_sb);
}

static long ask_through(__u32 i, struct search *search)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mount *mount = (struct mount *)search->mount;
	int answer;

	if (!mount || search->mount == search->end) {
		search->complete = 1;
		return 1;
	}
	if (BPF_CORE_READ(mount, mnt_ns) == BPF_CORE_READ(task, nsproxy, mnt_ns)) {
		search->ask->mount = search->mount + bpf_core_field_offset(struct mount, mnt);
		answer = pd_ask_name(search->ask);
		if (answer != PD_ASK_NOT_HERE)
			search->found = 1;
		if (answer < 0) {
			search->verdict = answer;
			return 1;
		}
	}
	search->mount = next_mount(search->mount);
	return 0;
}

static __always_inline int ask_dentry(const volatile struct pd_label *label, __u8 hook,
				      __u8 operation, struct dentry *dentry)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct super_block *sb = dentry->d_sb;
	struct pd_ask ask;
	struct search search = { .ask = &ask };

	/* memfd and other memory; or a stacked file system at work on its own layers, with its
	 * mounter's credentials, after the upper name was judged */
	if (sb->s_flags & SB_NOUSER)
		return 0;
	if (task->cred != task->real_cred && sb->s_magic != OVERLAYFS_SUPER_MAGIC &&
	    !(task->flags & PF_IO_WORKER))
		return 0;
	pd_ask_init(&ask, label, hook, operation, PD_ATTR);
	ask.flags = PD_ASK_LAST | PD_ASK_REACHABLE;
	ask.dentry = (__u64)dentry;
	if (bpf_core_field_exists(struct mount___list, mnt_instance)) {
		__u64 head = (__u64)sb + bpf_core_field_offset(struct super_block___list, s_mounts);
		__u64 shift = bpf_core_field_offset(struct mount___list, mnt_instance);
		__u64 first = 0;

		bpf_probe_read_kernel(&first, sizeof(first), (void *)head);
		search.mount = first - shift;
		search.end = head - shift;
	} else {
		search.mount = (__u64)BPF_CORE_READ((struct super_block___chain *)sb, s_mounts);
	}
	bpf_loop(MOUNTS_MAX, ask_through, &search, 0);
	if (search.verdict || (search.found && search.complete))
		return search.verdict;
	ask.flags = PD_ASK_LAST; /* seen through no mount of ours, or through too many: no name */
	ask.mount = 0;
	return pd_ask_name(&ask);
}

static __always_inline int ask_setattr(struct dentry *dentry, struct iattr *attr,
				       const volatile struct pd_label *label)
{
	__u32 valid = attr->ia_valid;

	if (!(valid & (ATTR_ATIME | ATTR_MTIME)) ||
	    (valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE | ATTR_FORCE)))
		return 0;
	return ask_dentry(label, PD_HOOK_inode_setattr, PD_OP_UTIMES, dentry);
}

/* 6.1; user space loads the one of the two whose arguments the kernel's hook has */
SEC("?lsm/inode_setattr")
int BPF_PROG(inode_setattr, struct dentry *dentry, struct iattr *attr)
{
	PD_SUBJECT_OR_RETURN(label, inode_setattr);
	PD_RETURN(ask_setattr(dentry, attr, label));
}

SEC("?lsm/inode_setattr")
int BPF_PROG(inode_setattr_idmap, void *idmap, struct dentry *dentry, struct iattr *attr)
{
	PD_SUBJECT_OR_RETURN(label, inode_setattr);
	PD_RETURN(ask_setattr(dentry, attr, label));
}

SEC("lsm/inode_setxattr")
int BPF_PROG(inode_setxattr, void *idmap, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, inode_setxattr);
	PD_RETURN(ask_dentry(label, PD_HOOK_inode_setxattr, PD_OP_SETXATTR, dentry));
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, inode_removexattr);
	PD_RETURN(ask_dentry(label, PD_HOOK_inode_removexattr, PD_OP_REMOVEXATTR, dentry));
}

SEC("lsm/inode_set_acl")
int BPF_PROG(inode_set_acl, void *idmap, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, inode_set_acl);
	PD_RETURN(ask_dentry(label, PD_HOOK_inode_set_acl, PD_OP_SETACL, dentry));
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(inode_remove_acl, void *idmap, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, inode_remove_acl);
	PD_RETURN(ask_dentry(label, PD_HOOK_inode_remove_acl, PD_OP_SETACL, dentry));
}

/* Since 6.17: file_setattr(2), which needs no descriptor, and the ioctls before it. */
SEC("lsm/inode_file_setattr")
int BPF_PROG(inode_file_setattr, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, inode_file_setattr);
	PD_RETURN(ask_dentry(label, PD_HOOK_inode_file_setattr, PD_OP_SETATTR, dentry));
}
