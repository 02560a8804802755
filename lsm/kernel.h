/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own types, as far as the programs look into them. Offsets come from the running
 * kernel's BTF when the object is loaded (CO-RE), so only names and types must be right, and a field
 * that exists on some kernels only is asked for with bpf_core_field_exists().
 */
#ifndef PD_LSM_KERNEL_H
#define PD_LSM_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef unsigned char bool;
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

#define EPERM 1
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define E2BIG 7
#define CAP_SYS_ADMIN 21
#define CAP_SETFCAP 31
#define SIGKILL 9
#define SIGSTOP 19

/* include/linux/fs.h, fcntl.h, mount.h, magic.h */
#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define __O_TMPFILE 020000000
#define __FMODE_EXEC 0x20
#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_CREATED 0x100000
#define FMODE_BACKING 0x1000000
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFLNK 0120000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4
#define MAY_APPEND 8
#define PROT_WRITE 0x2
#define PROT_EXEC 4
#define MAP_SHARED 1 /* a bit of MAP_SHARED_VALIDATE, too */
#define SB_KERNMOUNT (1 << 22)
#define SB_NOUSER (1u << 31)
#define MS_REMOUNT 0x20
#define MS_BIND 0x1000
#define MS_MOVE 0x2000
#define MS_UNBINDABLE (1 << 17)
#define MS_PRIVATE (1 << 18)
#define MS_SLAVE (1 << 19)
#define MS_SHARED (1 << 20)
#define MNT_INTERNAL 0x4000
#define MNT_NS_INTERNAL ((__u64)-22)
#define ATTR_MODE (1 << 0)
#define ATTR_UID (1 << 1)
#define ATTR_GID (1 << 2)
#define ATTR_SIZE (1 << 3)
#define ATTR_ATIME (1 << 4)
#define ATTR_MTIME (1 << 5)
#define ATTR_FORCE (1 << 9)
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define NSFS_MAGIC 0x6e736673
#define MQUEUE_MAGIC 0x19800202
#define BPF_FS_MAGIC 0xcafe4a11
#define CGROUP_SUPER_MAGIC 0x27e0eb
#define CGROUP2_SUPER_MAGIC 0x63677270
#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define DEBUGFS_MAGIC 0x64626720
#define TRACEFS_MAGIC 0x74726163
#define SECURITYFS_MAGIC 0x73636673
#define BINFMTFS_MAGIC 0x42494e4d
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#define PF_KTHREAD 0x00200000
#define CLONE_INTO_CGROUP 0x200000000ull
#define LSM_UNSAFE_SHARE 1
#define LSM_UNSAFE_PTRACE 2
#define PF_IO_WORKER 0x00000010
#define RWF_NOAPPEND 0x20

/* include/linux/socket.h, in.h */
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define MSG_FASTOPEN 0x20000000

#define __core __attribute__((preserve_access_index))

struct hlist_node {
	struct hlist_node *next;
} __core;

struct hlist_head {
	struct hlist_node *first;
} __core;

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
} __core;

struct list_head {
	struct list_head *next, *prev;
} __core;

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
	struct user_namespace *s_user_ns;
} __core;

struct super_block___list {
	struct list_head s_mounts;
} __core;

struct mount;
struct super_block___chain { /* 7.x */
	struct mount *s_mounts;
} __core;

typedef struct {
	__u32 val;
} kuid_t;

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kuid_t i_gid;
	unsigned long i_ino;
	struct super_block *i_sb;
} __core;

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
		__u64 hash_len;
	};
	const unsigned char *name;
} __core;

typedef struct {
	unsigned int sequence;
} __core seqcount_t;

typedef struct {
	seqcount_t seqcount;
} __core seqcount_spinlock_t;

struct dentry {
	unsigned int d_flags;
	seqcount_spinlock_t d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
} __core;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
} __core;

struct mnt_namespace;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
	int mnt_id;
	int mnt_group_id; /* 0: not shared. The flag that says so has moved in 6.17 */
} __core;

struct mount___list {
	struct list_head mnt_instance;
} __core;

struct mount___chain {
	struct mount *mnt_next_for_sb;
} __core;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} __core;

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
} __core;

struct backing_file {
	struct path user_path;
} __core;

struct vm_area_struct {
	struct file *vm_file;
	void *anon_vma;
} __core;

struct iattr {
	unsigned int ia_valid;
} __core;

struct ns_common {
	unsigned int inum;
} __core;

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
	struct user_namespace *user_ns;
	__u64 event; /* grows with every change of where its mounts are */
} __core;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
} __core;

struct fs_struct {
	struct path root;
} __core;

struct kernfs_iattrs {
	kuid_t ia_uid;
} __core;

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
	__u64 id;
	struct kernfs_iattrs *iattr; /* NULL: root's */
} __core;

struct kernfs_node___rcu { /* 6.15 on */
	struct kernfs_node *__parent;
} __core;

struct cgroup_root {
	int hierarchy_id; /* 0: version 2 */
} __core;

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
} __core;

struct css_set {
	struct cgroup *dfl_cgrp;
} __core;

struct mm_struct {
	struct file *exe_file;
} __core;

/* One number since 6.3, two halves before, the lower one first */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kuid_t uid;
	kuid_t gid;
	kuid_t euid;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
} __core;

struct uid_gid_extent {
	__u32 first;
	__u32 lower_first; /* in the initial user namespace */
	__u32 count;
} __core;

#define PD_EXTENTS 5
struct uid_gid_map {
	struct uid_gid_extent extent[PD_EXTENTS]; /* of more there is only a pointer here */
	__u32 nr_extents;
} __core;

struct user_namespace {
	struct uid_gid_map uid_map;
	struct uid_gid_map gid_map;
	struct user_namespace *parent;
	int level;
	kuid_t owner;
} __core;

struct bpf_local_storage_map {
	struct {
		__u32 id;
	} map;
} __core;

struct bpf_local_storage_data {
	struct bpf_local_storage_map *smap;
} __core;

struct bpf_local_storage_elem {
	struct hlist_node snode;
	struct bpf_local_storage_data sdata;
} __core;

struct bpf_local_storage {
	struct hlist_head list;
} __core;

struct upid {
	int nr;
} __core;

struct pid {
	unsigned int level;
	struct upid numbers[0];
} __core;

struct sigpending {
	struct {
		unsigned long sig[1];
	} signal;
} __core;

struct notification;

struct seccomp_filter {
	struct notification *notif;
	struct seccomp_filter *prev;
} __core;

struct seccomp {
	struct seccomp_filter *filter;
} __core;

struct signal_struct {
	int nr_threads;
	struct sigpending shared_pending;
} __core;

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	unsigned long jobctl;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	const struct cred *cred;
	const struct cred *real_cred;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	struct bpf_local_storage *bpf_storage;
	struct pid *thread_pid;
	struct signal_struct *signal;
	unsigned long long start_boottime;
	struct seccomp seccomp;
	char comm[16];
} __core;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r9, bp;
} __core;
#endif

struct linux_binprm {
	struct file *file;
	int unsafe;
	const char *filename;
	const char *interp;
	unsigned int is_check : 1; /* 6.14 on: AT_EXECVE_CHECK */
} __core;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
} __core;

struct sock_common {
	__u32 skc_rcv_saddr;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_rcv_saddr;
	__u32 skc_daddr;
	__u16 skc_dport;
} __core;

struct socket;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	struct socket *sk_socket;
} __core;

struct socket {
	short type;
	struct sock *sk;
} __core;

struct unix_address {
	int len;
	struct {
		unsigned short sun_family;
		char sun_path[108];
	} name[0];
} __core;

struct unix_sock {
	struct unix_address *addr;
	struct path path;
} __core;

struct sockaddr {
	unsigned short sa_family;
	char sa_data[14];
};

struct msghdr {
	unsigned long msg_controllen;
	void *msg_name;
	int msg_namelen;
	unsigned int msg_flags;
} __core;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
} __core;

struct bpf_iter__task {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
} __core;

/*
 * From 6.2 on the verifier asks of every load through a pointer that it trusts whether what is loaded can be
 * trusted as well, by searching the names of all the kernel's types, up to four times. A view is the same
 * pointer without the trust: it can be read through, and passed to no helper.
 */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;
#define PD_VIEW(type, pointer)                                                                     \
	((type *)(bpf_rdonly_cast ? bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)) :      \
				    (void *)(pointer)))

/* memcmp() for constants: no libc here, and clang expands only short ones. */
static __always_inline bool pd_same(const void *a, const void *b, unsigned int length)
{
	const unsigned char *x = a, *y = b;

	for (unsigned int i = 0; i < length; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

struct kernel_siginfo;
struct user_namespace;

#endif
