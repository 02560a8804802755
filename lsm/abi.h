/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel programs and user space share: the label a task carries, the image policies are
 * compiled into, and the record of an event. The only header included by both sides.
 *
 * Fixed-width types, explicit padding, host byte order unless said. 0 means "none" wherever a
 * field can be absent. The layouts are pinned by the assertions at the end: changing one means
 * raising PD_ABI, because links and maps outlive the daemon that made them.
 */
#ifndef PD_LSM_ABI_H
#define PD_LSM_ABI_H

#include <linux/types.h>

/* Version of everything in this file; names the folder the maps and links are pinned in. */
#define PD_ABI 5

/* ---- permissions ----------------------------------------------------------------------------- */

/* Automata. Names of every kind (files, programs, unix sockets) go through one automaton, so that
 * a rename can compare all that a name grants, whichever class granted it. */
enum pd_object {
	PD_OBJ_PATH,   /* text: an absolute path, "@abstract", or a pseudo name such as "memfd:" */
	PD_OBJ_SOCKET, /* bytes: struct pd_socket_key */
	PD_OBJ_CAPABILITY, /* one byte: the capability's number */
	PD_OBJ_GUARD,	   /* one byte: enum pd_guard */
	PD_OBJ_COUNT,
};

/* Permission bits of PD_OBJ_PATH. */
enum pd_path_perm {
	PD_READ = 1u << 0,
	PD_WRITE = 1u << 1,
	PD_APPEND = 1u << 2, /* granted and refused together with PD_WRITE by a rule for "write" */
	PD_CREATE = 1u << 3,
	PD_DELETE = 1u << 4,
	PD_LINK = 1u << 5, /* be given a further name */
	PD_ATTR = 1u << 6, /* mode, owner, times, xattrs, ACLs */
	PD_MMAP_EXEC = 1u << 7,
	PD_IOCTL = 1u << 8,
	PD_LOCK = 1u << 9,
	PD_EXEC = 1u << 10,	 /* class exec */
	PD_UNIX_BIND = 1u << 11, /* class socket, from here on */
	PD_UNIX_LISTEN = 1u << 12,
	PD_UNIX_ACCEPT = 1u << 13,
	PD_UNIX_CONNECT = 1u << 14,
	PD_UNIX_SEND = 1u << 15,
};
#define PD_PATH_FILE 0x03ffu
#define PD_PATH_EXEC 0x0400u
#define PD_PATH_UNIX 0xf800u
#define PD_PATH_ALL 0xffffu
/* What a name grants on the object behind it: no rename or link may add to these. Creating,
 * deleting, binding and listening are rights over the name, not over the object. */
#define PD_PATH_CARRIED                                                                            \
	(PD_READ | PD_WRITE | PD_APPEND | PD_LINK | PD_ATTR | PD_MMAP_EXEC | PD_IOCTL | PD_LOCK |  \
	 PD_EXEC | PD_UNIX_CONNECT | PD_UNIX_SEND)

/* Permission bits of PD_OBJ_SOCKET. */
enum pd_socket_perm {
	PD_SOCK_CREATE = 1u << 0,
	PD_SOCK_BIND = 1u << 1,
	PD_SOCK_LISTEN = 1u << 2,
	PD_SOCK_ACCEPT = 1u << 3,
	PD_SOCK_CONNECT = 1u << 4,
	PD_SOCK_SEND = 1u << 5,
};
#define PD_SOCK_ALL 0x3fu

/* The only permission bit of PD_OBJ_CAPABILITY and PD_OBJ_GUARD. */
#define PD_USE 1u

/* What a confined task may not do unless `guard: {allow: [...]}` grants it, but for PD_GUARDS_FREE. */
enum pd_guard {
	PD_GUARD_BPF = 1, /* bpf(2), writing to a bpffs */
	PD_GUARD_MOUNT,	  /* every change of the mount tree, old and new system calls */
	PD_GUARD_USERNS,  /* new user namespaces */
	PD_GUARD_PTRACE, /* ptrace and the /proc/PID reach that shares its check, out of the label */
	PD_GUARD_SIGNAL,   /* signals out of the label */
	PD_GUARD_IO_URING, /* io_uring rings */
	PD_GUARD_PERF,	   /* perf_event_open(2) */
	PD_GUARD_MODULE,   /* kernel modules and kexec images */
	PD_GUARD_CGROUP,   /* writes to a cgroup file system */
	PD_GUARD_KERNEL,   /* writes to what starts usermode helpers or reconfigures the kernel */
	PD_GUARD_TERMINAL, /* what somebody else reads from the terminal, as if it had been typed */
	PD_GUARD_WX, /* memory that was written and is executed; granted unless `memory: {wx: deny}` says otherwise */
	PD_GUARD_COUNT,
};

#define PD_GUARDS_FREE (1u << PD_GUARD_WX)

/*
 * The object of a socket operation. Only the first 4 bytes for "create" and for every operation
 * of a family other than inet and inet6; 10 bytes for an IPv4 address, 22 for IPv6. An IPv4-mapped
 * IPv6 address is written as family AF_INET with 4 address bytes.
 */
struct pd_socket_key {
	__u8 family;	  /* AF_* */
	__u8 type;	  /* SOCK_* without flags */
	__u8 protocol[2]; /* big endian; 0 on inet stream and dgram is written as TCP and UDP */
	__u8 port[2];	  /* big endian */
	__u8 addr[16];
};
#define PD_SOCKET_KEY_BARE 4u
#define PD_SOCKET_KEY_V4 10u
#define PD_SOCKET_KEY_V6 22u

/* ---- the image ------------------------------------------------------------------------------- */

/*
 * All loaded policies, compiled. One value of an array map, swapped whole. Every reference is a
 * byte offset from the start of the image, 4-aligned, below PD_IMAGE_SIZE; readers mask offsets,
 * so that a damaged image can give wrong answers but no wild reads.
 */
#define PD_IMAGE_SIZE (4u << 20) /* the largest array value 6.1 allows (KMALLOC_MAX_SIZE) */
#define PD_IMAGE_MAGIC 0x676d4450u

struct pd_automaton {
	__u32 start;   /* a state, as in lsm/match.h */
	__u32 classes; /* offset of the __u8[256] that maps a byte to its column */
};

struct pd_image {
	__u32 magic;
	__u32 abi;	  /* PD_ABI */
	__u64 generation; /* grows with every image */
	__u32 size;	  /* bytes in use */
	__u32 slot_count;
	__u32 slots;	    /* offset of struct pd_slot[slot_count]; slot 0 is never used */
	__u32 symbols;	    /* offset of what only user space reads (rules, files, names) */
	__u32 symbols_size; /* bytes */
	/* Which slot a task gets: the info of the state reached over its cgroup's path (from
	 * "/" on) and over its program's path give, in info.program, a row and a column. */
	__u32 bind_columns; /* entries in a row */
	__u32 bind_rows;
	__u32 bind_table; /* offset of __u32[rows][columns]: slot, 0 = not bound */
	struct pd_automaton bind_cgroup;
	struct pd_automaton bind_exe;
	__u32 unknown; /* enum pd_unknown: what becomes of containers that nobody has bound */
	__u32 reserved[7];
};

enum pd_unknown {
	PD_UNKNOWN_NONE, /* no policy asks for what only a container's runtime tells */
	PD_UNKNOWN_ALLOW, /* they are free, but for policies by cgroup:, until user space has looked at them */
	PD_UNKNOWN_HOLD, /* their programs are stopped until user space has looked at them */
	PD_UNKNOWN_DENY, /* they execute nothing */
};

/* An effective policy: the policies of one binding, merged. Its number is what labels carry, so a
 * slot keeps its number for as long as a task or binding may name it. */
struct pd_slot {
	__u32 flags;	     /* PD_SLOT_* */
	__u32 program_count; /* at least 1 when live: program 0 is "no program named by a rule" */
	__u32 programs;	     /* offset of struct pd_program[program_count] */
	__u32 reserved;
};
#define PD_SLOT_LIVE 0x1u	/* 0: unknown to this image, everything is denied */
#define PD_SLOT_UNCONFINED 0x2u /* its policies were unloaded: nothing is denied any more */
#define PD_SLOT_RECHECK 0x4u	/* inherited: recheck */
#define PD_SLOT_BY 0x8u		/* has rules with by: */

/* In place of a slot, that of who is held or of a container that stayed unknown: no image has it, so everything
 * is refused. */
#define PD_SLOT_UNKNOWN 0xffffffffu

/* What one program (class of programs named by `by:`) of an effective policy may do. */
struct pd_program {
	struct pd_automaton objects[PD_OBJ_COUNT];
	__u64 capabilities; /* bit n: capability n is allowed without an event; no walk needed */
	__u32 guards;	    /* bit n: guard n is granted */
	__u32 reserved;
};

/*
 * What a state says about the object whose name ends there.
 * E is the decision of what is enforced, T that of everything as if audit rules were enforced too.
 * below_*: the permissions granted by some (any) and by every (all) name that continues with '/'.
 * The rules[] give who decided: the first n_enforced entries for refusals of E, then n_tested for
 * what T refuses and E does not, then n_audited for permissions in `audit`. Every such permission
 * is in exactly one entry of its section.
 */
struct pd_info {
	__u32 deny_e;
	__u32 deny_t; /* a superset of deny_e is not guaranteed: an audit-mode allow may grant */
	__u32 audit;  /* allowed, but logged */
	__u32 quiet;  /* denied without an event */
	__u32 kill;   /* denied by E, and who tries is ended */
	__u32 below_e_any;
	__u32 below_e_all;
	__u32 below_t_any;
	__u32 below_t_all;
	__u16 program; /* PD_OBJ_PATH: the program class entered by executing this name */
	__u8 n_enforced;
	__u8 n_tested;
	__u8 n_audited;
	__u8 pad[3];
	struct {
		__u32 perms;
		__u32 rule; /* a rule's number in the symbols, or PD_RULE_DEFAULT; never 0 */
	} rules[];
};

/* The default of a class, in a rule's place: PD_RULE_DEFAULT | enum pd_class, with PD_RULE_TESTED
 * that of T. Whose default that is depends on the slot and is for user space to find out; so policies
 * that differ in nothing else share their states. */
#define PD_RULE_DEFAULT 0x80000000u
#define PD_RULE_TESTED 0x100u

/* ---- the label ------------------------------------------------------------------------------- */

/* Task storage. Its layout survives upgrades: grow into reserved, never move a field. */
struct pd_label {
	__u32 flags; /* PD_LABEL_* */
	__u32 hook;  /* enum pd_hook that refuses this canary, 0: all; for PD_LABEL_CANARY */
	union {
		struct {
			__u32 slot;
			__u16 program; /* index into the slot's programs */
			__u16 execs;   /* grows with each exec, wraps */
		};
		/* All of them: nobody sees one without the others, and a sweep that looked at a
		 * program cannot overwrite what an exec of another one has set since. */
		__u64 subject;
	};
	__u32 next_slot; /* taken at bprm_committed_creds while PD_LABEL_PREPARED */
	__u32 next_program;
	__u64 binding; /* cgroup id the label came from; 0: exe: or labelled by hand */
	__u64 origin; /* identifies the program that ran when the label was given, see bind.h; a canary's:
			* the policyd that it is for */
	__u64 cgroup;	 /* id of the one it was in then */
	__u64 passed_ns; /* since boot, when a sweep saw it first; with PD_LABEL_PASSED */
};
#define PD_LABEL_ACTIVE 0x1u	/* confined */
#define PD_LABEL_PREPARED 0x2u	/* an exec is under way that will take next_* */
#define PD_LABEL_IN_EXEC 0x4u	/* bprm_check_security has judged the program of this exec */
#define PD_LABEL_CANARY 0x8u	/* .hook of .origin refuses and counts itself in pd_state.canary */
#define PD_LABEL_HOLD 0x10u	/* an exec is under way that is to be held: its names are kept */
#define PD_LABEL_HELD 0x20u	/* stopped before its first instruction; slot is PD_SLOT_UNKNOWN */
#define PD_LABEL_RELEASED 0x40u /* no longer held, but perhaps stopped still */
#define PD_LABEL_DOOMED 0x80u	/* held, and refused since: to be killed */
#define PD_LABEL_PASSED                                                                            \
	0x100u /* not confined: left by a sweep for a later one, and whom it forks, too */

/* Value of the bindings map; the key is the __u64 cgroup id. Wins over the cgroup: globs. */
struct pd_binding {
	__u32 slot;
	__u32 flags; /* PD_BINDING_* */
};
#define PD_BINDING_CONTAINER                                                                       \
	0x1u /* for tasks that have left the host's root directory only; slot 0:
				   * no policy is for it */
#define PD_BINDING_HOST_ROOT                                                                       \
	0x2u /* a container with the host's root directory: for all tasks that have
				   * left the host's mount namespace */
#define PD_BINDING_REUSED                                                                          \
	0x10u /* nothing but files says whose its cgroup is: another may follow in it */
#define PD_BINDING_EMPTIED                                                                         \
	0x20u /* nobody was left in it: what was known of it is not true of who is now */
#define PD_BINDING_PENDING                                                                         \
	0x40u /* none yet: there to be marked as above while it is found out whose it is */
#define PD_BINDING_ITSELF 0x4u /* not for the cgroups in it, of which each may be a container's */
#define PD_BINDING_STARTED                                                                         \
	0x8u /* somebody in it has had a root directory of its own: whoever has the host's now,
				   * in another mount namespace, has it from there */

/* ---- held containers ------------------------------------------------------------------------- */

/* In the ring of holds: what user space is to look at. A hint, which may be lost; `release` finds all that are
 * held, and a look through the cgroups the rest. */
struct pd_hold {
	__u64 cgroup;
	__u32 tgid;
	__u32 what; /* enum pd_note */
};

enum pd_note {
	PD_NOTE_UNKNOWN, /* a task has begun a program in a container that nobody has bound, and was let go on */
	PD_NOTE_HELD,	 /* one is held */
	PD_NOTE_EMPTIED, /* nobody is left in a cgroup that is PD_BINDING_REUSED */
};

enum pd_fate {
	PD_FATE_HELD = 1, /* nobody has bound its cgroup yet */
	PD_FATE_FREED,	  /* allowed: to be sent SIGCONT */
	PD_FATE_DOOMED,	  /* its policy refuses what it has executed: to be sent SIGKILL */
};

/* What the program `release` writes for each task that is or was held: this, and the path of its cgroup. */
struct pd_release {
	__u64 cgroup;
	__u32 tgid;
	__u16 path_len;
	__u8 fate;
	__u8 pad;
};

/* ---- hooks ----------------------------------------------------------------------------------- */

/* Which programs are needed, by what loaded policies contain. */
enum pd_hook_group {
	PD_GROUP_CORE, /* whenever a policy is loaded: labels, exec, guard */
	PD_GROUP_FILE, /* names in the file system */
	PD_GROUP_SOCKET,
	PD_GROUP_CAPABILITY, /* and mounts */
	PD_GROUP_RECHECK,    /* inherited: recheck; append without write */
	PD_GROUP_COUNT,
};

/* clang-format off */
/* X(program and hook name, group) */
#define PD_HOOKS(X)                                                                                \
	X(task_alloc, CORE)                                                                        \
	X(bprm_check_security, CORE)                                                               \
	X(bprm_committed_creds, CORE)                                                              \
	X(task_prctl, CORE)                                                                        \
	X(file_open, FILE)                                                                         \
	X(file_receive, FILE)                                                                      \
	X(file_truncate, FILE)                                                                     \
	X(file_ioctl, FILE)                                                                        \
	X(file_ioctl_compat, FILE)                                                                 \
	X(file_lock, FILE)                                                                         \
	X(file_fcntl, FILE)                                                                        \
	X(mmap_file, FILE)                                                                         \
	X(file_mprotect, FILE)                                                                     \
	X(path_truncate, FILE)                                                                     \
	X(path_mknod, FILE)                                                                        \
	X(path_mkdir, FILE)                                                                        \
	X(path_symlink, FILE)                                                                      \
	X(path_unlink, FILE)                                                                       \
	X(path_rmdir, FILE)                                                                        \
	X(path_rename, FILE)                                                                       \
	X(path_link, FILE)                                                                         \
	X(path_chmod, FILE)                                                                        \
	X(path_chown, FILE)                                                                        \
	X(inode_setattr, FILE)                                                                     \
	X(inode_setxattr, FILE)                                                                    \
	X(inode_removexattr, FILE)                                                                 \
	X(inode_set_acl, FILE)                                                                     \
	X(inode_remove_acl, FILE)                                                                  \
	X(inode_file_setattr, FILE)                                                                \
	X(file_permission, RECHECK)                                                                \
	X(socket_create, SOCKET)                                                                   \
	X(socket_bind, SOCKET)                                                                     \
	X(socket_listen, SOCKET)                                                                   \
	X(socket_accept, SOCKET)                                                                   \
	X(socket_connect, SOCKET)                                                                  \
	X(socket_sendmsg, SOCKET)                                                                  \
	X(unix_stream_connect, SOCKET)                                                             \
	X(unix_may_send, SOCKET)                                                                   \
	X(capable, CAPABILITY)                                                                     \
	X(sb_mount, CORE)                                                                          \
	X(sb_umount, CORE)                                                                         \
	X(sb_pivotroot, CORE)                                                                      \
	X(sb_kern_mount, CORE)                                                                     \
	X(sb_remount, CORE)                                                                        \
	X(move_mount, CORE)                                                                        \
	X(userns_create, CORE)                                                                     \
	X(ptrace_access_check, CORE)                                                               \
	X(ptrace_traceme, CORE)                                                                    \
	X(task_kill, CORE)                                                                         \
	X(task_setrlimit, CORE)                                                                    \
	X(bpf, CORE)                                                                               \
	X(inode_init_security_anon, CORE)                                                          \
	X(perf_event_open, CORE)                                                                   \
	X(kernel_load_data, CORE)                                                                  \
	X(kernel_read_file, CORE)                                                                  \
	X(bprm_creds_for_exec, CORE)

enum pd_hook {
	PD_HOOK_NONE,
#define PD_HOOK_ENUM(name, group) PD_HOOK_##name,
	PD_HOOKS(PD_HOOK_ENUM)
#undef PD_HOOK_ENUM
	PD_HOOK_COUNT,
};
/* clang-format on */

/* ---- events ---------------------------------------------------------------------------------- */

enum pd_verdict {
	PD_ALLOWED = 1, /* an allow rule with audit: true */
	PD_DENIED,
	PD_WOULD_DENY,
};

/* User-facing class; also orders `default:`. */
enum pd_class {
	PD_CLASS_FILE,
	PD_CLASS_EXEC,
	PD_CLASS_SOCKET,
	PD_CLASS_CAPABILITY,
	PD_CLASS_GUARD,
	PD_CLASS_COUNT,
};

/* Why, when it was not (only) a rule. */
enum pd_reason {
	PD_REASON_RULE,	       /* event.rule decided: a rule or a default */
	PD_REASON_DELETED,     /* no name: unlinked */
	PD_REASON_UNREACHABLE, /* no name: its mount is not in the task's mount namespace, or it
				* is not below its mount's root */
	PD_REASON_TOO_LONG,    /* no name: longer than PD_PATH_MAX */
	PD_REASON_TOO_DEEP,    /* no name: more components than PD_DEPTH_MAX */
	PD_REASON_RACED,       /* no name: it kept changing while it was read */
	PD_REASON_WIDENS,      /* the new name would grant more than the old one */
	PD_REASON_BUSY,	       /* no scratch memory, or the label could not be read */
	PD_REASON_STALE,       /* the label names a policy the image does not have */
	PD_REASON_SELF,	       /* self-protection of policyd: enforced in every mode */
	PD_REASON_UNKNOWN,     /* a container that nobody has bound to its policies yet */
	PD_REASON_KERNEL, /* no capability, for which this kernel forgets to ask: of everybody, in every mode */
	PD_REASON_COUNT,
};

/* What the task did; which permissions that took is in event.wanted */
enum pd_operation {
	PD_OP_NONE,
	PD_OP_OPEN,
	PD_OP_TRUNCATE,
	PD_OP_CREATE,
	PD_OP_MKDIR,
	PD_OP_MKNOD,
	PD_OP_SYMLINK,
	PD_OP_UNLINK,
	PD_OP_RMDIR,
	PD_OP_RENAME,
	PD_OP_LINK,
	PD_OP_CHMOD,
	PD_OP_CHOWN,
	PD_OP_UTIMES,
	PD_OP_SETXATTR,
	PD_OP_REMOVEXATTR,
	PD_OP_SETACL,
	PD_OP_MMAP,
	PD_OP_MPROTECT,
	PD_OP_IOCTL,
	PD_OP_LOCK,
	PD_OP_FCNTL,
	PD_OP_RECEIVE, /* a descriptor from another task */
	PD_OP_READ,
	PD_OP_WRITE,
	PD_OP_EXEC,
	PD_OP_SOCKET,
	PD_OP_BIND,
	PD_OP_LISTEN,
	PD_OP_ACCEPT,
	PD_OP_CONNECT,
	PD_OP_SEND,
	PD_OP_CAPABLE,
	PD_OP_GUARD, /* event.guard says which */
	PD_OP_PRCTL,
	PD_OP_SETATTR,	  /* file_setattr(2), FS_IOC_SETFLAGS */
	PD_OP_EXEC_CHECK, /* AT_EXECVE_CHECK: may it be executed? */
	PD_OP_COUNT,
};

#define PD_PATH_MAX 4095u  /* bytes of a name: PATH_MAX without its NUL */
#define PD_DEPTH_MAX 256u  /* components, mounts crossed included */
#define PD_EXE_MAX 512u	   /* bytes of the subject's program in an event; longer is cut in front */
#define PD_CGROUP_MAX 512u /* bytes of the subject's cgroup in an event; longer is cut in front */

/*
 * One event: this header, then object_len + object2_len + exe_len + cgroup_len bytes in that
 * order, none of them terminated.
 */
struct pd_event {
	__u64 sequence;	  /* per ring, from 1, no gaps among generated events */
	__u64 time_ns;	  /* CLOCK_BOOTTIME */
	__u64 generation; /* of the image that decided; rule is meaningful in it only */
	__u64 cgroup_id;
	__u64 binding; /* as in the label */
	__u32 rule;    /* 0: none, see reason */
	__u32 slot;
	__u32 repeat;  /* 1 + events of the same rule and operation suppressed since the last one */
	__u32 wanted;  /* permissions the operation took */
	__u32 refused; /* those refused (or, for allowed, those audited) */
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid; /* real ids in the initial user namespace */
	__u32 gid;
	__u32 detail; /* capability number; signal; ioctl command; clone flags ... by operation */
	__u8 verdict; /* enum pd_verdict */
	__u8 mode;    /* 0: enforce decided, 1: audit decided */
	__u8 class;   /* enum pd_class */
	__u8 operation;
	__u8 reason;
	__u8 hook;  /* enum pd_hook */
	__u8 guard; /* enum pd_guard for PD_CLASS_GUARD */
	__u8 flags; /* PD_EVENT_* */
	__u16 object_len;
	__u16 object2_len; /* new name of rename and link */
	__u16 exe_len;
	__u16 cgroup_len;
	__u16 key_len; /* bytes of key in use; 0: not a socket address */
	__u8 pad[2];
	struct pd_socket_key key;
	__u8 pad2[2];
	char comm[16];
	__u8 pad3[4];
};
#define PD_EVENT_CUT_EXE 0x1u
#define PD_EVENT_CUT_CGROUP 0x2u
#define PD_EVENT_MAYBE_EXISTS                                                                      \
	0x4u /* create refused, but the file may have existed: the kernel \
				    * then opened it without O_CREAT */

#define PD_EVENT_KILLED 0x8u /* the task that tried was sent SIGKILL */

/* Rings: denials and everything else, so that noise cannot push a denial out. */
enum pd_ring {
	PD_RING_DENIALS,
	PD_RING_NOTICES,
	PD_RING_COUNT,
};

struct pd_ring_counters {
	__u64 generated;  /* = records in the ring + lost + suppressed, always */
	__u64 lost;	  /* the ring was full */
	__u64 suppressed; /* over budget, or a repeat; told later by event.repeat */
	__u64 reserved;
};

#define PD_PIN_FOLDERS 5

/* A folder by its file system's s_dev and its inode number; 0: none. And the mnt_id of the mount policyd sees it by */
struct pd_folder {
	__u64 inode;
	__u32 device;
	__u32 mount;
};
#define PD_OWN_FOLDERS 16 /* settings, policies, includes, and what the daemon keeps in /run */
#define PD_ABOVE_FOLDERS                                                                           \
	48 /* those above them and above the pins; where policyd reads who is in which cgroup */
#define PD_OWN_DEPTH 4 /* folders below these are protected as deep as this */

/* The single value of the state map; user space maps it. */
struct pd_state {
	struct pd_ring_counters rings[PD_RING_COUNT];
	__u64 canary[64];   /* by enum pd_hook: refusals given to canary tasks */
	__u32 label_map_id; /* the labels map's id: finds a label the storage helper hides on 6.1 */
	__u32 host_mnt_ns;  /* inode number of the host's mount namespace */
	__u32 daemon_tgid;  /* never labelled, protected from confined tasks; 0: none */
	__u32 helper_tgid;
	__u64 delivered[PD_RING_COUNT]; /* written by the daemon: records taken and kept */
	__u64 sink_lost[PD_RING_COUNT]; /* written by the daemon: records no sink could keep */
	__u64 labelled;			/* by sweeps */
	__u64 epoch;			/* raised by the daemon when it has drained the rings */
	__u64 sweep_failed;		/* tasks a sweep could not label for want of memory */
	__u64 sweep_unsettled;		/* tasks whose binding a sweep could not tell this time */
	__u64 sweep_kept; /* tasks that executed another program since they were bound by their
			   * program, and so did not get the policies of their cgroup */
	__u64 pins[PD_PIN_FOLDERS]; /* inode numbers of the folders that hold the pins; 0: none */
	__u32 pins_device;	    /* s_dev of their file system */
	__u32 sweep_pid;	    /* the last task that a sweep failed at */
	/* Written by the daemon: the records of a ring before counted_to are counted, and .delivered and
	 * .sink_lost are to be these two, whether or not they had been written yet when it was killed. */
	__u64 counted_to[PD_RING_COUNT]; /* a position in the ring */
	__u64 counted_delivered[PD_RING_COUNT];
	__u64 counted_lost[PD_RING_COUNT];
	__u64 over; /* being detached: hooks that have lost their judges already refuse nothing */
	__u64 host_root;    /* the dentry of the root directory of PID 1; set by `find_root` */
	__u64 sweep_passed; /* tasks that a sweep left for a later one: see runs_container() */
	/* Whose cgroup it is takes time to find out: is nobody left in .asked meanwhile? Set by the daemon. .emptying
	 * and .emptied count before and after what is done about any cgroup. */
	__u64 asked, asked_emptied, emptying, emptied;
	struct pd_folder own[PD_OWN_FOLDERS];
	struct pd_folder above[PD_ABOVE_FOLDERS]; /* what is mounted there hides what policyd needs */
};

#define PD_ASSERT(what) _Static_assert(what, #what)
PD_ASSERT(sizeof(struct pd_socket_key) == PD_SOCKET_KEY_V6);
PD_ASSERT(sizeof(struct pd_image) == 96);
PD_ASSERT(sizeof(struct pd_slot) == 16);
PD_ASSERT(sizeof(struct pd_program) == 48);
PD_ASSERT(sizeof(struct pd_info) == 44);
PD_ASSERT(sizeof(struct pd_label) == 56);
PD_ASSERT(sizeof(struct pd_event) == 152);
PD_ASSERT(sizeof(struct pd_release) == 16);
PD_ASSERT(sizeof(struct pd_state) == 816 + 16 * (PD_OWN_FOLDERS + PD_ABOVE_FOLDERS));
PD_ASSERT(PD_HOOK_COUNT <= 64);

#endif
