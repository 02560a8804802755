// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files by struct file: open, receive, truncate, ioctl, lock, fcntl, map, and read/write again when a
 * policy says `inherited: recheck` or tells appending from writing.
 *
 * file_open is the one place every way of opening passes (open_by_handle_at, /proc/PID/fd, O_TMPFILE,
 * io_uring, the ELF interpreter); O_PATH does not, and grants nothing by itself. Rights are fixed at
 * open time except for what changes the file without having been opened for it.
 */
#include "lsm/guard.h"
#include "lsm/hold.h"
#include "lsm/judge.h"

/* What a descriptor opened like this can do. O_TRUNC writes even with O_RDONLY; access mode 3 asks
 * for both rights while giving neither bit (hence no f_mode). */
static __always_inline __u32 opened_for(struct file *file)
{
	__u32 flags = file->f_flags, mode = file->f_mode, want = 0;

	if (mode & FMODE_READ)
		want |= PD_READ;
	if (mode & FMODE_WRITE)
		want |= flags & O_APPEND ? PD_APPEND : PD_WRITE;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		want |= PD_READ | PD_WRITE;
	if (flags & O_TRUNC)
		want |= PD_WRITE;
	return want;
}

/* The file below a stacked one: judged under its upper name already. On 6.1 overlayfs opens it with
 * the upper path and the lower inode; later kernels mark it. */
static __always_inline int below_stack(struct file *file)
{
	struct super_block *sb = file->f_path.dentry->d_sb;

	if (file->f_mode & FMODE_BACKING)
		return 1;
	return sb->s_magic == OVERLAYFS_SUPER_MAGIC && file->f_inode->i_sb != sb;
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file)
{
	struct pd_ask ask;
	__u32 want;
	int guarded;

	PD_SUBJECT_OR_RETURN(label, file_open);
	file = PD_VIEW(struct file, file);
	if (below_stack(file))
		return 0;
	if (file->f_flags & __FMODE_EXEC) {
		/* The program itself is judged in bprm_check_security; what is opened for
		 * execution after that is its interpreter, of a script or of an ELF file. */
		if (!(label->flags & PD_LABEL_IN_EXEC))
			return 0;
		pd_ask_init(&ask, label, PD_HOOK_file_open, PD_OP_EXEC, PD_EXEC | PD_MMAP_EXEC);
		ask.flags = PD_ASK_ANY;
		pd_ask_object(&ask, file->f_path.dentry, file->f_path.mnt);
		PD_RETURN(pd_ask_name(&ask));
	}
	want = opened_for(file);
	if (want & (PD_WRITE | PD_APPEND)) {
		guarded = pd_guard_write(label, PD_HOOK_file_open, file->f_path.dentry);
		if (guarded)
			PD_RETURN(guarded);
	}
	if (!want)
		return 0;
	if (file->f_path.dentry->d_sb->s_magic == PROC_SUPER_MAGIC &&
	    pd_is_of_memory(file->f_path.dentry)) {
		pd_ask_init(&ask, label, PD_HOOK_file_open, PD_OP_GUARD, PD_USE);
		if (pd_guard_memory(&ask, pd_proc_task(file->f_path.dentry)))
			return -EACCES;
	}
	/* It writes whatever the mapping's protection is. */
	if (want & (PD_WRITE | PD_APPEND) &&
	    file->f_path.dentry->d_sb->s_magic == PROC_SUPER_MAGIC &&
	    pd_is_mem(file->f_path.dentry)) {
		guarded = pd_ask_guard(label, PD_HOOK_file_open, PD_GUARD_WX, 0);
		if (guarded)
			PD_RETURN(guarded);
	}
	pd_ask_init(&ask, label, PD_HOOK_file_open, PD_OP_OPEN, want);
	if ((file->f_flags & __O_TMPFILE) == __O_TMPFILE)
		ask.flags = PD_ASK_LAST;
	pd_ask_object(&ask, file->f_path.dentry, file->f_path.mnt);
	PD_RETURN(pd_ask_name(&ask));
}

/* The rest act on an open file, which may have been unlinked since: it goes by its last name. */
static __always_inline int ask_file(const volatile struct pd_label *label, __u8 hook,
				    __u8 operation, struct file *file, __u32 want, __u32 detail)
{
	struct pd_ask ask;

	pd_ask_init(&ask, label, hook, operation, want);
	ask.flags = PD_ASK_LAST;
	ask.detail = detail;
	pd_ask_object(&ask, file->f_path.dentry, file->f_path.mnt);
	return pd_ask_name(&ask);
}

SEC("lsm/file_receive")
int BPF_PROG(file_receive, struct file *file)
{
	__u32 want;

	PD_SUBJECT_OR_RETURN(label, file_receive);
	file = PD_VIEW(struct file, file);
	want = opened_for(file); /* O_TRUNC is gone from the flags once a file is open */
	if (!want)
		return 0;
	PD_RETURN(ask_file(label, PD_HOOK_file_receive, PD_OP_RECEIVE, file, want, 0));
}

SEC("lsm/file_truncate")
int BPF_PROG(file_truncate, struct file *file)
{
	PD_SUBJECT_OR_RETURN(label, file_truncate);
	file = PD_VIEW(struct file, file);
	PD_RETURN(ask_file(label, PD_HOOK_file_truncate, PD_OP_TRUNCATE, file, PD_WRITE, 0));
}

/* include/uapi/asm-generic/ioctls.h, sockios.h */
#define EXT4_IOC_MOVE_EXT                                                                          \
	0xc028660f /* changes the bytes of a file that it is only given by number */
#define TIOCSTI 0x5412
#define TIOCLINUX 0x541c
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902

/* Reads what the descriptor's holder knows anyway, or changes the descriptor only. */
static __always_inline int ioctl_harmless(__u32 cmd)
{
	switch (cmd) {
	case 0x5401:	 /* TCGETS: isatty() */
	case 0x802c542a: /* TCGETS2 */
	case 0x540f:	 /* TIOCGPGRP */
	case 0x5413:	 /* TIOCGWINSZ */
	case 0x541b:	 /* FIONREAD */
	case 0x5421:	 /* FIONBIO */
	case 0x5450:	 /* FIONCLEX */
	case 0x5451:	 /* FIOCLEX */
	case 0x5452:	 /* FIOASYNC */
	case 0x5460:	 /* FIOQSIZE */
		return 1;
	}
	return 0;
}

/* Asks for what is told of a file, and changes nothing. */
static __always_inline int ioctl_reads(__u32 cmd)
{
	switch (cmd) {
	case 0x80086601: /* FS_IOC_GETFLAGS, of 64 and 32 bits */
	case 0x80046601:
	case 0x80087601: /* FS_IOC_GETVERSION */
	case 0x80047601:
	case 0x801c581f: /* FS_IOC_FSGETXATTR */
	case 0xc020660b: /* FS_IOC_FIEMAP */
	case 0x2:	 /* FIGETBSZ */
		return 1;
	}
	return 0;
}

/* Choosing who gets this file's signals is sending signals. What is put into a terminal, by TIOCLINUX from its own
 * screen, is read by whoever reads there next: the shell that this was started from. */
static __always_inline int ask_ioctl(const volatile struct pd_label *label, __u8 hook,
				     struct file *file, __u32 cmd)
{
	int guarded;

	if (cmd == FIOSETOWN || cmd == SIOCSPGRP)
		return pd_ask_guard(label, hook, PD_GUARD_SIGNAL, 0);
	if (cmd == TIOCSTI || cmd == TIOCLINUX)
		return pd_ask_guard(label, hook, PD_GUARD_TERMINAL, cmd);
	if (cmd == EXT4_IOC_MOVE_EXT)
		return pd_ask_guard(label, hook, PD_GUARD_KERNEL, cmd);
	if (ioctl_harmless(cmd))
		return 0;
	guarded = ioctl_reads(cmd) ? 0 : pd_guard_write(label, hook, file->f_path.dentry);
	if (guarded)
		return guarded;
	return ask_file(label, hook, PD_OP_IOCTL, file, PD_IOCTL, cmd);
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl, struct file *file, unsigned int cmd)
{
	PD_SUBJECT_OR_RETURN(label, file_ioctl);
	file = PD_VIEW(struct file, file);
	PD_RETURN(ask_ioctl(label, PD_HOOK_file_ioctl, file, cmd));
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat, struct file *file, unsigned int cmd)
{
	PD_SUBJECT_OR_RETURN(label, file_ioctl_compat);
	file = PD_VIEW(struct file, file);
	PD_RETURN(ask_ioctl(label, PD_HOOK_file_ioctl_compat, file, cmd));
}

SEC("lsm/file_lock")
int BPF_PROG(file_lock, struct file *file, unsigned int cmd)
{
	int guarded;

	PD_SUBJECT_OR_RETURN(label, file_lock);
	file = PD_VIEW(struct file, file);
	guarded = pd_guard_write(label, PD_HOOK_file_lock, file->f_path.dentry);
	if (guarded)
		PD_RETURN(guarded);
	PD_RETURN(ask_file(label, PD_HOOK_file_lock, PD_OP_LOCK, file, PD_LOCK, cmd));
}

#define F_SETFL 4
#define F_SETOWN 8
#define F_SETOWN_EX 15

/* The process's own number, in the pid namespace it would use for itself. */
static __always_inline int own_pid(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	int nr = 0;

	if (level > 32)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid));
	return nr;
}

SEC("lsm/file_fcntl")
int BPF_PROG(file_fcntl, struct file *file, unsigned int cmd, unsigned long arg)
{
	PD_SUBJECT_OR_RETURN(label, file_fcntl);
	file = PD_VIEW(struct file, file);
	if (cmd == F_SETFL && (file->f_flags & O_APPEND) && !(arg & O_APPEND) &&
	    (file->f_mode & FMODE_WRITE))
		PD_RETURN(ask_file(label, PD_HOOK_file_fcntl, PD_OP_FCNTL, file, PD_WRITE, cmd));
	if (cmd == F_SETOWN_EX || (cmd == F_SETOWN && (int)arg && (int)arg != own_pid()))
		PD_RETURN(pd_ask_guard(label, PD_HOOK_file_fcntl, PD_GUARD_SIGNAL, 0));
	return 0;
}

static __always_inline int ask_map(const volatile struct pd_label *label, __u8 hook, __u8 operation,
				   struct dentry *dentry, struct vfsmount *mount)
{
	struct pd_ask ask;

	/* rules about executing grant and refuse this as well */
	pd_ask_init(&ask, label, hook, operation, PD_MMAP_EXEC);
	pd_ask_object(&ask, dentry, mount);
	return pd_ask_name(&ask);
}

/* Over overlayfs a mapping is of the lower file, which remembers the path it was opened by. */
static __always_inline int ask_mapped(const volatile struct pd_label *label, __u8 hook,
				      __u8 operation, struct file *file)
{
	if (bpf_core_type_exists(struct backing_file) &&
	    (BPF_CORE_READ(file, f_mode) & FMODE_BACKING))
		return ask_map(label, hook, operation,
			       BPF_CORE_READ((struct backing_file *)file, user_path.dentry),
			       BPF_CORE_READ((struct backing_file *)file, user_path.mnt));
	return ask_map(label, hook, operation, BPF_CORE_READ(file, f_path.dentry),
		       BPF_CORE_READ(file, f_path.mnt));
}

/* Memory that is executed: anonymous, or written by the task that is to execute it. Few policies ask. */
static __always_inline int ask_written(const volatile struct pd_label *label, __u8 hook)
{
	return pd_ask_guard(label, hook, PD_GUARD_WX, 0);
}

/* memfd, System V shared memory, and what is mapped as shared without a file */
static __always_inline int is_memory(struct file *file)
{
	return BPF_CORE_READ(file, f_path.dentry, d_sb, s_flags) & (SB_NOUSER | SB_KERNMOUNT);
}

/* 6.12's verifier takes the argument for one that is there, and leaves out what is done when it is not. */
static __always_inline int is_missing(struct file *file)
{
	__u64 number;

	bpf_probe_read_kernel(&number, sizeof(number), &file);
	return !number;
}

/* inherited: recheck; and a label that cannot be read, or names a slot the image does not have. */
static __always_inline int rechecks(__u32 slot_flags)
{
	return (slot_flags & PD_SLOT_RECHECK) ||
	       !(slot_flags & (PD_SLOT_LIVE | PD_SLOT_UNCONFINED));
}

/* What a mapping can do that its descriptor was not asked for when it was opened. Now, whatever
 * its protection: mprotect() may give it what the descriptor allows. */
static __always_inline __u32 mapped_for(const volatile struct pd_label *label, struct file *file,
					unsigned long flags)
{
	__u32 recheck = rechecks(pd_slot_flags(label->slot)), want = 0;

	/* a program is mapped by the kernel, which was asked about that */
	if (recheck && file->f_mode & FMODE_READ && !(file->f_flags & __FMODE_EXEC))
		want |= PD_READ;
	/* O_APPEND binds no mapping */
	if (flags & MAP_SHARED && file->f_mode & FMODE_WRITE &&
	    (recheck || file->f_flags & O_APPEND))
		want |= PD_WRITE;
	return want;
}

/* The program of an exec, while the kernel maps it: judged in bprm_check_security, by the class that
 * executed it, which this task has left since. No descriptor leads to this struct file. */
static __always_inline int own_program(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return file->f_flags & __FMODE_EXEC && BPF_CORE_READ(task, mm, exe_file) == file;
}

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	__u32 want;
	int answer;

	PD_SUBJECT_OR_RETURN(label, mmap_file);
	if (is_missing(file)) {
		if (prot & PROT_EXEC)
			PD_RETURN(ask_written(label, PD_HOOK_mmap_file));
		return 0;
	}
	file = PD_VIEW(struct file, file);
	if (own_program(file))
		return 0;
	if (label->flags & PD_LABEL_HELD &&
	    file->f_flags & __FMODE_EXEC) /* as above: the kernel's own */
		PD_RETURN(pd_hold_name((__u64)BPF_CORE_READ(file, f_path.dentry),
				       (__u64)BPF_CORE_READ(file, f_path.mnt),
				       PD_HELD_INTERPRETER));
	want = mapped_for(label, file, flags);
	if (want) {
		answer = ask_file(label, PD_HOOK_mmap_file, PD_OP_MMAP, file, want, 0);
		if (answer)
			PD_RETURN(answer);
	}
	/* prot, not reqprot: it includes what READ_IMPLIES_EXEC adds */
	if (!(prot & PROT_EXEC))
		return 0;
	if (prot & PROT_WRITE || is_memory(file)) {
		answer = ask_written(label, PD_HOOK_mmap_file);
		if (answer)
			PD_RETURN(answer);
	}
	/* remap_file_pages() asks about what is mapped, which over overlayfs is the lower file */
	PD_RETURN(ask_mapped(label, PD_HOOK_mmap_file, PD_OP_MMAP, file));
}

SEC("lsm/file_mprotect")
int BPF_PROG(file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
	struct file *file;
	int answer;

	PD_SUBJECT_OR_RETURN(label, file_mprotect);
	if (!(prot & PROT_EXEC))
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	/* what is a file's has pages of its own once it was written to */
	if (!file || prot & PROT_WRITE || BPF_CORE_READ(vma, anon_vma) || is_memory(file)) {
		answer = ask_written(label, PD_HOOK_file_mprotect);
		if (answer)
			PD_RETURN(answer);
	}
	if (!file)
		return 0;
	PD_RETURN(ask_mapped(label, PD_HOOK_file_mprotect, PD_OP_MPROTECT, file));
}

/*
 * Is the write under way one that O_APPEND does not bind? fallocate() and the ioctls of its kind make
 * holes, pwritev2() and the asynchronous interfaces have a flag against it, and no hook tells which of
 * them is at work: the number of the system call does. x32's and i386's numbers mean nothing else on
 * x86-64 that gets here.
 */
static __always_inline int overwrites(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	switch (pd_call_number()) {
	case 16: /* ioctl: x86-64, i386, x32 */
	case 54:
	case 514:
	case 285: /* fallocate: x86-64 and x32, i386 */
	case 324:
	case 209: /* io_submit: x86-64, i386, x32 */
	case 248:
	case 544:
	case 426: /* io_uring_enter */
		return 1;
	case 328: /* pwritev2: x86-64, x32; i386 has fewer registers */
	case 547:
		return (BPF_CORE_READ(regs, r9) & RWF_NOAPPEND) != 0;
	case 379:
		return (BPF_CORE_READ(regs, bp) & RWF_NOAPPEND) != 0;
	}
#endif
	return (PD_VIEW(struct task_struct, task)->flags & PF_IO_WORKER) != 0;
}

SEC("lsm/file_permission")
int BPF_PROG(file_permission, struct file *file, int mask)
{
	__u32 want = 0, writes = mask & (MAY_WRITE | MAY_APPEND), appends, flags;

	PD_SUBJECT_OR_RETURN(label, file_permission);
	file = PD_VIEW(struct file, file);
	appends = file->f_flags & O_APPEND;
	flags = pd_slot_flags(label->slot);
	if ((!rechecks(flags) && !(appends && writes)) || below_stack(file))
		return 0;
	if (writes && appends && overwrites())
		want |= PD_WRITE;
	if (rechecks(flags)) {
		if (mask & MAY_READ && !(file->f_flags & __FMODE_EXEC))
			want |= PD_READ;
		if (writes)
			want |= appends ? PD_APPEND : PD_WRITE;
	}
	if (!want)
		return 0;
	PD_RETURN(ask_file(label, PD_HOOK_file_permission,
			   want & PD_READ ? PD_OP_READ : PD_OP_WRITE, file, want, 0));
}
