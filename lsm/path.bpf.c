// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names: creating, removing, renaming, linking, and changing what a path leads to. These hooks
 * carry the directory's path and the entry's dentry, which is enough for our own walk on every
 * kernel (the helper that gives paths is refused in most of them on 6.1).
 *
 * The dentries of names about to be created are not hashed, so they go by PD_ASK_LAST.
 */
#include "lsm/guard.h"
#include "lsm/judge.h"

static __always_inline int ask_entry(const volatile struct pd_label *label, __u8 hook,
				     __u8 operation, const struct path *dir, struct dentry *dentry,
				     __u32 want, __u32 flags)
{
	struct pd_ask ask;
	int guarded;

	dir = PD_VIEW(struct path, dir);
	guarded = pd_guard_write(label, hook, dir->dentry);
	if (guarded)
		return guarded;
	pd_ask_init(&ask, label, hook, operation, want);
	ask.flags = PD_ASK_LAST | flags;
	pd_ask_object(&ask, dentry, dir->mnt);
	return pd_ask_name(&ask);
}

SEC("lsm/path_mknod")
int BPF_PROG(path_mknod, const struct path *dir, struct dentry *dentry, unsigned short mode)
{
	__u32 type = mode & S_IFMT, flags = 0;

	PD_SUBJECT_OR_RETURN(label, path_mknod);
	if (type == S_IFSOCK)
		PD_RETURN(ask_entry(label, PD_HOOK_path_mknod, PD_OP_BIND, dir, dentry,
				    PD_UNIX_BIND, 0));
	if (type && type != S_IFREG)
		PD_RETURN(ask_entry(label, PD_HOOK_path_mknod, PD_OP_MKNOD, dir, dentry, PD_CREATE,
				    0));
	/* O_CREAT on a name that is not cached: if the file exists after all, the refusal only
	 * takes O_CREAT away and the open goes on. */
	if (!PD_VIEW(struct dentry, dentry)->d_hash.pprev)
		flags = PD_ASK_MAYBE_EXISTS;
	PD_RETURN(
		ask_entry(label, PD_HOOK_path_mknod, PD_OP_CREATE, dir, dentry, PD_CREATE, flags));
}

SEC("lsm/path_mkdir")
int BPF_PROG(path_mkdir, const struct path *dir, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, path_mkdir);
	PD_RETURN(ask_entry(label, PD_HOOK_path_mkdir, PD_OP_MKDIR, dir, dentry, PD_CREATE, 0));
}

SEC("lsm/path_symlink")
int BPF_PROG(path_symlink, const struct path *dir, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, path_symlink);
	PD_RETURN(ask_entry(label, PD_HOOK_path_symlink, PD_OP_SYMLINK, dir, dentry, PD_CREATE, 0));
}

static __always_inline int is_directory(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFDIR;
}

static __always_inline int is_link(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFLNK;
}

/* A folder, or a link, on the way to what is policyd's own leads there still. */
static __always_inline int guard_way(const volatile struct pd_label *label, __u8 hook,
				     struct dentry *dentry)
{
	struct pd_ask ask;

	if (!is_directory(dentry) && !is_link(dentry))
		return pd_guard_write(label, hook, dentry);
	pd_ask_init(&ask, label, hook, PD_OP_GUARD, PD_USE);
	ask.dentry = (__u64)dentry;
	ask.flags = PD_ASK_AWAY;
	return pd_ask_control(&ask);
}

SEC("lsm/path_unlink")
int BPF_PROG(path_unlink, const struct path *dir, struct dentry *dentry)
{
	int guarded;

	PD_SUBJECT_OR_RETURN(label, path_unlink);
	dentry = PD_VIEW(struct dentry, dentry);
	guarded = is_link(dentry) ? guard_way(label, PD_HOOK_path_unlink, dentry) : 0;
	if (guarded)
		PD_RETURN(guarded);
	PD_RETURN(ask_entry(label, PD_HOOK_path_unlink, PD_OP_UNLINK, dir, dentry, PD_DELETE, 0));
}

SEC("lsm/path_rmdir")
int BPF_PROG(path_rmdir, const struct path *dir, struct dentry *dentry)
{
	PD_SUBJECT_OR_RETURN(label, path_rmdir);
	PD_RETURN(ask_entry(label, PD_HOOK_path_rmdir, PD_OP_RMDIR, dir, dentry, PD_DELETE, 0));
}

SEC("lsm/path_rename")
int BPF_PROG(path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int how)
{
	struct pd_ask ask;
	int guarded;

	PD_SUBJECT_OR_RETURN(label, path_rename);
	old_dir = PD_VIEW(struct path, old_dir);
	old_dentry = PD_VIEW(struct dentry, old_dentry);
	new_dir = PD_VIEW(struct path, new_dir);
	new_dentry = PD_VIEW(struct dentry, new_dentry);
	/* both names are in one file system; the entry itself may be one of policyd's folders */
	guarded = guard_way(label, PD_HOOK_path_rename, old_dentry);
	if (!guarded)
		guarded = guard_way(label, PD_HOOK_path_rename, new_dentry);
	if (guarded)
		PD_RETURN(guarded);
	pd_ask_init(&ask, label, PD_HOOK_path_rename, PD_OP_RENAME, PD_DELETE);
	ask.wanted2 = PD_CREATE;
	ask.flags = PD_ASK_LAST;
	if (new_dentry->d_inode)
		ask.wanted2 |= PD_DELETE;
	if (how & (RENAME_EXCHANGE | RENAME_WHITEOUT)) /* something appears at the old name */
		ask.wanted |= PD_CREATE;
	if (how & RENAME_EXCHANGE)
		ask.flags |= PD_ASK_EXCHANGE;
	if (is_directory(old_dentry) || ((how & RENAME_EXCHANGE) && is_directory(new_dentry)))
		ask.flags |= PD_ASK_DIRECTORY;
	pd_ask_object(&ask, old_dentry, old_dir->mnt);
	ask.dentry2 = (__u64)new_dentry;
	ask.mount2 = (__u64)new_dir->mnt;
	PD_RETURN(pd_ask_move(&ask));
}

SEC("lsm/path_link")
int BPF_PROG(path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	struct pd_ask ask;
	int guarded;

	PD_SUBJECT_OR_RETURN(label, path_link);
	new_dir = PD_VIEW(struct path, new_dir);
	guarded = pd_guard_write(label, PD_HOOK_path_link, old_dentry);
	if (!guarded)
		guarded = pd_guard_write(label, PD_HOOK_path_link, new_dir->dentry);
	if (guarded)
		PD_RETURN(guarded);
	pd_ask_init(&ask, label, PD_HOOK_path_link, PD_OP_LINK, PD_LINK);
	ask.wanted2 = PD_CREATE;
	ask.flags = PD_ASK_LAST; /* linkat() of an O_TMPFILE: "#inode" in its directory */
	/* link(2) takes both names from one mount, or fails with EXDEV before this hook */
	pd_ask_object(&ask, old_dentry, new_dir->mnt);
	ask.dentry2 = (__u64)new_dentry;
	ask.mount2 = (__u64)new_dir->mnt;
	PD_RETURN(pd_ask_move(&ask));
}

static __always_inline int ask_path(const volatile struct pd_label *label, __u8 hook,
				    __u8 operation, const struct path *path, __u32 want)
{
	struct pd_ask ask;
	int guarded;

	path = PD_VIEW(struct path, path);
	guarded = pd_guard_write(label, hook, path->dentry);
	if (guarded)
		return guarded;
	pd_ask_init(&ask, label, hook, operation, want);
	ask.flags = PD_ASK_LAST;
	pd_ask_object(&ask, path->dentry, path->mnt);
	return pd_ask_name(&ask);
}

/* 6.1: truncate, ftruncate and O_TRUNC; later kernels: truncate only, the rest in file_truncate */
SEC("lsm/path_truncate")
int BPF_PROG(path_truncate, const struct path *path)
{
	PD_SUBJECT_OR_RETURN(label, path_truncate);
	PD_RETURN(ask_path(label, PD_HOOK_path_truncate, PD_OP_TRUNCATE, path, PD_WRITE));
}

SEC("lsm/path_chmod")
int BPF_PROG(path_chmod, const struct path *path)
{
	PD_SUBJECT_OR_RETURN(label, path_chmod);
	PD_RETURN(ask_path(label, PD_HOOK_path_chmod, PD_OP_CHMOD, path, PD_ATTR));
}

SEC("lsm/path_chown")
int BPF_PROG(path_chown, const struct path *path)
{
	PD_SUBJECT_OR_RETURN(label, path_chown);
	PD_RETURN(ask_path(label, PD_HOOK_path_chown, PD_OP_CHOWN, path, PD_ATTR));
}
