// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times, extended attributes and ACLs. No kernel gives these hooks a path, only the dentry, so the
 * mount is unknown: every one that shows the dentry must allow it, see mounts.h. (chmod, chown and
 * truncate have hooks with paths and are left to those.)
 */
#include "lsm/guard.h"
#include "lsm/judge.h"

static __always_inline int ask_dentry(const volatile struct pd_label *label, __u8 hook,
				      __u8 operation, struct dentry *dentry)
{
	struct task_struct *task = PD_VIEW(struct task_struct, bpf_get_current_task_btf());
	struct super_block *sb = PD_VIEW(struct dentry, dentry)->d_sb;
	struct pd_ask ask;
	int guarded;

	/* memfd and other memory; or a stacked file system at work on its own layers, with its
	 * mounter's credentials, after the upper name was judged */
	if (sb->s_flags & SB_NOUSER)
		return 0;
	if (task->cred != task->real_cred && sb->s_magic != OVERLAYFS_SUPER_MAGIC &&
	    !(task->flags & PF_IO_WORKER))
		return 0;
	guarded = pd_guard_write(label, hook, dentry);
	if (guarded)
		return guarded;
	pd_ask_init(&ask, label, hook, operation, PD_ATTR);
	ask.flags = PD_ASK_LAST;
	ask.dentry = (__u64)dentry;
	return pd_ask_mounts(&ask);
}

static __always_inline int ask_setattr(struct dentry *dentry, struct iattr *attr,
				       const volatile struct pd_label *label)
{
	__u32 valid = PD_VIEW(struct iattr, attr)->ia_valid;

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
