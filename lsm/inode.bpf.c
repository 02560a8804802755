// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times, extended attributes and ACLs. No kernel gives these hooks a path, only the dentry, so the
 * mount is unknown: every one that shows the dentry must allow it, see mounts.bpf.c. (chmod, chown and
 * truncate have hooks with paths and are left to those.)
 *
 * And of everybody, confined or not, the capabilities for security.* that some kernels forget to ask for.
 */
#include "lsm/guard.h"
#include "lsm/judge.h"

/* ---- what policies say ------------------------------------------------------------------------ */

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

/* ---- security.* on kernels that forget to ask for capabilities -------------------------------- */

/* Set by user space. Before inode_xattr_skipcap (6.10, and what took it over) a kernel with BPF among its LSMs asks
 * nobody: what the BPF stub says, 0, counts instead of what commoncap would. */
const volatile __u32 pd_forgets_xattrs;

#define NAMESPACES_MAX 33    /* user namespaces nest no deeper: kernel/user_namespace.c */
#define PREFIX_LENGTH 9	     /* of "security." */
#define CAPABILITY_LENGTH 20 /* of "security.capability" and its NUL */

static __always_inline int has_capability(const struct cred *cred, __u32 capability)
{
	__u64 capabilities = 0;

	bpf_probe_read_kernel(&capabilities, sizeof(capabilities), &cred->cap_effective);
	return capabilities >> capability & 1;
}

/* As ns_capable() in the kernel. */
static __noinline int is_capable_in(struct user_namespace *ns, __u32 capability)
{
	const struct cred *cred = BPF_CORE_READ(bpf_get_current_task_btf(), cred);
	struct user_namespace *own = BPF_CORE_READ(cred, user_ns);
	int level = BPF_CORE_READ(own, level);

	for (int i = 0; i < NAMESPACES_MAX; i++) {
		struct user_namespace *parent;

		if (ns == own)
			return has_capability(cred, capability);
		if (BPF_CORE_READ(ns, level) <= level)
			return 0;
		parent = BPF_CORE_READ(ns, parent);
		if (parent == own && BPF_CORE_READ(ns, owner.val) == BPF_CORE_READ(cred, euid.val))
			return 1;
		ns = parent;
	}
	return 0;
}

static __always_inline int has_number(const struct uid_gid_map *map, __u32 number)
{
	__u32 extents = BPF_CORE_READ(map, nr_extents);

	for (__u32 i = 0; i < PD_EXTENTS; i++) {
		if (i >= extents || extents > PD_EXTENTS)
			return 0;
		if (number - BPF_CORE_READ(map, extent[i].lower_first) <
		    BPF_CORE_READ(map, extent[i].count))
			return 1;
	}
	return 0;
}

/* As capable_wrt_inode_uidgid() in the kernel, by the owners that the file system has, whatever the mount makes of them;
 * and in namespaces with more ranges of them than we see nobody may. */
static __noinline int is_capable_of(struct dentry *dentry, __u32 capability)
{
	const struct cred *cred = BPF_CORE_READ(bpf_get_current_task_btf(), cred);
	struct user_namespace *own = BPF_CORE_READ(cred, user_ns);

	return has_capability(cred, capability) &&
	       has_number(&own->uid_map, BPF_CORE_READ(dentry, d_inode, i_uid.val)) &&
	       has_number(&own->gid_map, BPF_CORE_READ(dentry, d_inode, i_gid.val));
}

/* While policyd is detached a hook may be there still, and refuses nothing. */
static __always_inline int is_over(void)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	return shared && shared->over;
}

/* Which capability should the kernel ask for? 0: none, or it does ask. A value of no length is no capability that could
 * be set, and takes away what there is. */
static __always_inline __u32 forgotten(__u32 operation, const char *attribute, __u64 size)
{
	char name[CAPABILITY_LENGTH + 4] = {};

	if (bpf_probe_read_kernel_str(name, sizeof(name), attribute) < 0)
		return CAP_SYS_ADMIN;
	if (!pd_same(name, "security.", PREFIX_LENGTH))
		return 0;
	if (!pd_same(name, "security.capability", CAPABILITY_LENGTH))
		return CAP_SYS_ADMIN;
	return operation == PD_OP_SETXATTR && size ? 0 : CAP_SETFCAP;
}

/* Whoever it is, confined or not. Returns -EPERM, or the capability that a policy has to grant; 0: none. */
static __noinline int ask_kernel(__u32 operation, struct dentry *dentry, const char *attribute,
				 __u64 size)
{
	__u32 capability = forgotten(operation, attribute, size);
	struct pd_ask ask;

	if (!capability || is_over())
		return 0;
	if (capability == CAP_SETFCAP ?
		    is_capable_of(dentry, capability) :
		    is_capable_in(BPF_CORE_READ(dentry, d_sb, s_user_ns), capability))
		return capability;
	pd_ask_by(&ask, 0, 0,
		  operation == PD_OP_SETXATTR ? PD_HOOK_inode_setxattr : PD_HOOK_inode_removexattr,
		  operation, PD_ATTR);
	ask.flags = PD_ASK_LAST | PD_ASK_KERNEL;
	ask.dentry = (__u64)dentry;
	pd_ask_mounts(&ask);
	return -EPERM;
}

SEC("lsm/inode_setxattr")
int BPF_PROG(inode_setxattr, void *idmap, struct dentry *dentry, const char *name,
	     const void *value, unsigned long size)
{
	int r = pd_forgets_xattrs ? ask_kernel(PD_OP_SETXATTR, dentry, name, size) : 0;

	if (r < 0)
		return -EPERM;
	PD_SUBJECT_OR_RETURN(label, inode_setxattr);
	if (r)
		r = pd_ask_capability(label, PD_HOOK_inode_setxattr, r, 0);
	if (!r)
		r = ask_dentry(label, PD_HOOK_inode_setxattr, PD_OP_SETXATTR, dentry);
	PD_RETURN(r);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry, const char *name)
{
	int r = pd_forgets_xattrs ? ask_kernel(PD_OP_REMOVEXATTR, dentry, name, 0) : 0;

	if (r < 0)
		return -EPERM;
	PD_SUBJECT_OR_RETURN(label, inode_removexattr);
	if (r)
		r = pd_ask_capability(label, PD_HOOK_inode_removexattr, r, 0);
	if (!r)
		r = ask_dentry(label, PD_HOOK_inode_removexattr, PD_OP_REMOVEXATTR, dentry);
	PD_RETURN(r);
}

/* ---- ACLs, and what chattr changes ------------------------------------------------------------ */

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
