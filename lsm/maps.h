/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps, defined in maps.bpf.c. Labels, images, bindings, state, held names and the rings are pinned and outlive the daemon.
 */
#ifndef PD_LSM_MAPS_H
#define PD_LSM_MAPS_H

#include "lsm/abi.h"
#include "lsm/kernel.h"
#include "lsm/match.h"

/* Task storage: the label. BPF_F_NO_PREALLOC is required by the kernel. */
struct pd_map_labels {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pd_label);
};
extern struct pd_map_labels labels SEC(".maps");

struct pd_map_image {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, PD_IMAGE_SIZE);
};

/* One entry, the image in force. Replacing the inner map is the atomic swap; the old one lives
 * until every program that looked it up has returned (RCU). */
struct pd_map_images {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct pd_map_image);
};
extern struct pd_map_images images SEC(".maps");

/* cgroup id -> explicit binding */
struct pd_map_bindings {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct pd_binding);
};
extern struct pd_map_bindings bindings SEC(".maps");

struct pd_map_state {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pd_state);
};
extern struct pd_map_state state SEC(".maps");

/* What a task has executed that was held before anybody could judge it; kept with the task. Kernels from 7.0
 * on have no more than 8 kB for such a value. */
#define PD_HELD_NAMES 8u
#define PD_HELD_TEXT 2048u /* every name begins below */
enum pd_held_kind {
	PD_HELD_FIRST = 1,   /* the program of an exec; forgets what was there */
	PD_HELD_NEXT,	     /* the interpreter of a script */
	PD_HELD_INTERPRETER, /* that of an ELF file, mapped by the kernel */
};
struct pd_held_name {
	__u64 dentry;
	__u16 at, length; /* in text */
	__u8 kind;
	__u8 status; /* enum pd_name_status */
	__u8 reason;
	__u8 pad;
};
struct pd_held {
	__u32 count;
	__u32 used; /* of text */
	struct pd_held_name names[PD_HELD_NAMES];
	__u8 text[PD_HELD_TEXT + PD_PATH_MAX + 1];
};
struct pd_map_held {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pd_held);
};
extern struct pd_map_held held_names SEC(".maps");

/* Of a map above. Kernels that take the memory without waiting for a lock of their own (kmalloc_nolock(), which
 * may fail while another processor holds it) are asked again, so that no fork or exec fails by chance.
 * Returns NULL when there is no memory, or another helper is at the same storage. */
#define PD_STORAGE_TRIES 4
static __always_inline void *pd_storage_create(void *map, struct task_struct *task)
{
	void *value = NULL;

	for (int i = 0; i < PD_STORAGE_TRIES && !value; i++)
		value = bpf_task_storage_get(map, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return value;
}

/* Wakes user space up: struct pd_hold */
struct pd_map_holds {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
};
extern struct pd_map_holds holds SEC(".maps");

/* Which image judged the exec that a task is in, see label.bpf.c. Direct-mapped: who loses an entry
 * to another task is judged once more. Not pinned. */
#define PD_STAMPS 256u
struct pd_map_stamps {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PD_STAMPS);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct pd_map_stamps stamps SEC(".maps");

/* Sizes are set by user space before loading. */
struct pd_map_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
};
extern struct pd_map_ring denials SEC(".maps");
extern struct pd_map_ring notices SEC(".maps");

/* How often one rule may speak about one operation; see audit.bpf.c */
struct pd_budget_key {
	__u64 generation;
	__u64 binding;
	__u32 rule;
	__u32 slot;
	__u8 operation;
	__u8 ring;
	__u8 reason;
	__u8 guard;
	__u32 pad;
};
struct pd_budget {
	__u64 filled_ns; /* when tokens was last brought up to date */
	__u32 tokens;
	__u32 held; /* suppressed since the last record */
};
struct pd_map_budgets {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pd_budget_key);
	__type(value, struct pd_budget);
};
extern struct pd_map_budgets budgets SEC(".maps");

/* How much of a ring one container may fill before the daemon has drained it */
struct pd_share_key {
	__u64 binding;
	__u32 ring;
	__u32 slot;
};
struct pd_share {
	__u64 epoch; /* of pd_state.epoch */
	__u64 bytes;
};
struct pd_map_shares {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pd_share_key);
	__type(value, struct pd_share);
};
extern struct pd_map_shares shares SEC(".maps");

/* ---- scratch memory -------------------------------------------------------------------------- */

/* Names are built from the end of the first PD_TEXT_SIZE bytes towards the front; the rest lets
 * masked offsets write a whole component and lets the walk read eight bytes at the end. */
#define PD_NAME_SLACK 264
/* A dentry's first bytes hold everything a walk needs, on every kernel so far; a kernel that moves
 * a field beyond them is refused by its verifier when the program is loaded. */
#define PD_DENTRY_HEAD 64
struct pd_name {
	__u8 text[PD_TEXT_SIZE + PD_NAME_SLACK];
	__u32 at;		   /* first byte of the name */
	__u32 length;		   /* bytes */
	__u32 status;		   /* enum pd_name_status */
	__u32 reason;		   /* enum pd_reason when PD_NAME_NONE */
	__u64 trail[PD_DEPTH_MAX]; /* what the first pass saw: pointer << 32 | d_seq */
	__u64 leaf;		   /* the object, and the struct mount it is seen through */
	__u64 leaf_mount;
	/* where the walk stands */
	__u64 dentry;
	__u64 mount; /* struct mount */
	__u64 root;  /* its root dentry */
	struct pd_walk walk;
	__u8 head[PD_DENTRY_HEAD]; /* of the dentry under consideration */
};

#define PD_REPORT_DATA (2 * PD_PATH_MAX + PD_EXE_MAX + PD_CGROUP_MAX)
#define PD_REPORT_MASK 16383 /* next power of two - 1 */
struct pd_report {
	struct pd_event event;
	__u8 data[PD_REPORT_MASK + 1 + PD_PATH_MAX];
};

/* What the image says about one name. Grants as sets: for an object with a name both are what the
 * name grants; for one without they span every name it could have. */
struct pd_view {
	__u32 deny_e, deny_t, audit, quiet, kill;
	__u32 any_e, all_e, any_t, all_t;
	__u32 below_any_e, below_all_e, below_any_t, below_all_t;
	__u32 info; /* offset; 0: no rule to blame */
	__u32 state;
	__u32 program;
	__u32 reason; /* enum pd_reason */
};

/* What comes of a question, and is to be told. */
struct pd_outcome {
	__u32 refused_e, refused_t, audited, quiet, kill;
	__u32 info;
	__u32 reason;
	__u32 wanted;
};

/* A question, see judge.h */
struct pd_ask {
	__u64 dentry; /* the object, seen through the struct vfsmount */
	__u64 mount;
	__u64 dentry2; /* rename, link: the new name */
	__u64 mount2;
	__u64 binding;
	__u64 task; /* whose question it is; 0: the current task's */
	__u32 slot;
	__u32 program;
	__u32 entered;	/* out: the program class that executing the object enters */
	__u32 wanted;	/* permissions on the object; all are needed */
	__u32 wanted2;	/* permissions on the new name */
	__u32 detail;	/* goes into the event */
	__u32 flags;	/* PD_ASK_* */
	__u8 operation; /* enum pd_operation */
	__u8 hook;	/* enum pd_hook */
	__u8 object;	/* enum pd_object, for pd_ask_bytes() */
	__u8 key_len;
	struct pd_socket_key key; /* pd_ask_bytes(): the object */
	__u8 pad[2];
};

/* Claimed by one program run at a time: programs may be preempted, so per-CPU memory would be
 * shared by two of them. */
struct pd_scratch {
	__u32 claimed;
	__u32 pad;
	__u64 generation; /* of the image that decides */
	__u64 subject;	  /* the task that is judged; 0: the current one */
	struct pd_name name;
	struct pd_name other; /* second name of rename and link; subject names in events */
	struct pd_report report;
	struct pd_view view;
	struct pd_view view2;			/* of the second name */
	struct pd_view class_view, class_view2; /* the same as another program class has it */
	struct pd_outcome outcome;
	struct pd_ask ask; /* of `release`, which has no room for it on its stack */
};
#define PD_SCRATCH_MAX 256u /* entries; user space lowers it to what the machine's CPUs need */

struct pd_map_scratch {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PD_SCRATCH_MAX);
	__type(key, __u32);
	__type(value, struct pd_scratch);
};
extern struct pd_map_scratch scratch SEC(".maps");

#endif
