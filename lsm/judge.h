/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a hook to a verdict: who asks (the label), what for (a question), what the image says.
 */
#ifndef PD_LSM_JUDGE_H
#define PD_LSM_JUDGE_H

#include "lsm/maps.h"

/* ---- the subject ----------------------------------------------------------------------------- */

/* Stands for a label that exists and cannot be read (see pd_label_hidden()): slot 0 refuses all. */
extern const volatile struct pd_label pd_unreadable;

/**
 * pd_label_hidden() - does the task carry a label that the storage helper did not give?
 *
 * On 6.1 bpf_task_storage_get() may return NULL for storage that is there (a per-CPU lock it only
 * tries). The task's list of storage elements tells the truth. Returns 1 also when the list is too
 * long or cannot be read.
 */
int pd_label_hidden(void);

/* The label of the current task if it is confined, else NULL. A task without any BPF task storage
 * is certainly free: one typed load. */
static __always_inline const volatile struct pd_label *pd_subject(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_label *label;

	if (!PD_VIEW(struct task_struct, task)->bpf_storage)
		return NULL;
	label = bpf_task_storage_get(&labels, task, 0, 0);
	if (!label)
		return pd_label_hidden() ? &pd_unreadable : NULL;
	return label->flags & PD_LABEL_ACTIVE ? label : NULL;
}

/* A canary proves that the hook is attached and finds labels: the hook its label names (0: every
 * hook) counts and refuses it, the others let it go, and so do the programs of another policyd: when one
 * takes over from another, the programs of both are attached. */
int pd_canary(__u32 hook);
extern const volatile __u64 pd_canaries; /* ours, set by user space */

static __always_inline int pd_canary_expects(const volatile struct pd_label *label, __u32 hook)
{
	__u32 expected = label->hook;

	return label->origin == pd_canaries && (!expected || expected == hook);
}

#define PD_SUBJECT_OR_RETURN(label, hook_name)                                                     \
	const volatile struct pd_label *label = pd_subject();                                      \
	if (!label)                                                                                \
		return 0;                                                                          \
	if (label->flags & PD_LABEL_CANARY) {                                                      \
		if (!pd_canary_expects(label, PD_HOOK_##hook_name))                                \
			return 0;                                                                  \
		pd_canary(PD_HOOK_##hook_name);                                                    \
		return -EPERM;                                                                     \
	}

/* ---- the question ---------------------------------------------------------------------------- */

/* struct pd_ask is in maps.h */
#define PD_ASK_LAST 0x1u	  /* an unlinked object goes by its last name */
#define PD_ASK_ANY 0x2u		  /* one of the wanted permissions is enough */
#define PD_ASK_EXCHANGE 0x4u	  /* rename: both names change places */
#define PD_ASK_DIRECTORY 0x8u	  /* rename: a whole subtree moves */
#define PD_ASK_MAYBE_EXISTS 0x10u /* create: the file may exist */
#define PD_ASK_SILENT 0x20u	  /* no event */
#define PD_ASK_ABSTRACT 0x40u	  /* unix: dentry points to key_len bytes of an abstract name */
#define PD_ASK_REACHABLE 0x80u	  /* answer PD_ASK_NOT_HERE if not below this mount */
#define PD_ASK_SELF 0x100u	  /* self-protection: refused in every mode */
#define PD_ASK_HELD 0x200u	  /* of names that were kept */
#define PD_ASK_OVER 0x400u	  /* something is to be mounted there */
#define PD_ASK_OFF 0x800u	  /* the mount is to be taken away */
#define PD_ASK_AWAY 0x1000u	  /* the name is to lead elsewhere, or nowhere */
#define PD_ASK_KERNEL 0x2000u	  /* what the kernel should have refused */
#define PD_ASK_NOT_HERE 1

static __always_inline void pd_ask_by(struct pd_ask *ask, __u64 subject, __u64 binding, __u8 hook,
				      __u8 operation, __u32 wanted)
{
	__builtin_memset(ask, 0, sizeof(*ask));
	ask->binding = binding;
	ask->slot = (__u32)subject;
	ask->program = subject >> 32 & 0xffff;
	ask->hook = hook;
	ask->operation = operation;
	ask->wanted = wanted;
}

/* The subject in one read: a sweep may change it. */
static __always_inline void pd_ask_init(struct pd_ask *ask, const volatile struct pd_label *label,
					__u8 hook, __u8 operation, __u32 wanted)
{
	pd_ask_by(ask, label->subject, label->binding, hook, operation, wanted);
}

static __always_inline void pd_ask_object(struct pd_ask *ask, struct dentry *dentry,
					  struct vfsmount *mount)
{
	ask->dentry = (__u64)dentry;
	ask->mount = (__u64)mount;
}

/** pd_slot_flags() - PD_SLOT_* of a label's slot, 0 when the image does not have it */
__hidden __u32 pd_slot_flags(__u32 slot);

/* Each of these judges, tells about it, and returns 0 or -EACCES (-EPERM for capabilities and
 * guards), already clamped for the 6.12 verifier by the caller's PD_RETURN. They are defined in
 * ask.bpf.c and answered by programs of judge.bpf.c. */

/** pd_ask_name() - may the subject do this to the named object? */
int pd_ask_name(struct pd_ask *ask);
/**
 * pd_ask_mounts() - pd_ask_name() for a dentry whose mount is unknown or not the task's
 * @ask: as for pd_ask_name(), but for the mount
 *
 * Each mount of the task's namespace that shows the dentry has to allow it. Seen through none, or
 * through too many to look at, it has no name.
 */
int pd_ask_mounts(struct pd_ask *ask);
/** pd_ask_move() - rename or link: both names, and the new one must not grant more than the old */
int pd_ask_move(struct pd_ask *ask);
/** pd_ask_bytes() - sockets, capabilities and guards: the object is ask.key */
int pd_ask_bytes(struct pd_ask *ask);

/** pd_ask_control() - may the subject change something at ask.dentry, on a file system that is a control
 * surface of the kernel? Any guard that this needs is asked for. With PD_ASK_OVER or
 * PD_ASK_OFF: does it leave policyd what is its own? */
int pd_ask_control(struct pd_ask *ask);

/* What answers pd_ask_name() and pd_ask_bytes(), for other programs that answer. */
int pd_judge_name(struct pd_ask *ask);
int pd_judge_bytes(struct pd_ask *ask);

/** pd_judge_held() - pd_judge_name() for the name number @index of those kept of a held exec */
int pd_judge_held(struct pd_ask *ask, const struct pd_held *held, __u32 index);

/* 6.12 verifies return values to be in [-4095, 0]; clang may turn `x ? -1 : 0` into a negation it
 * cannot follow. */
#define PD_RETURN(value)                                                                           \
	do {                                                                                       \
		int _r = (value);                                                                  \
		asm volatile("" : "+r"(_r));                                                       \
		if (_r >= 0)                                                                       \
			return 0;                                                                  \
		return _r < -4095 ? -EACCES : _r;                                                  \
	} while (0)

/* What is no more than a number: a capability, a guard. Returns 0 or -EPERM. */
static __always_inline int pd_ask_number(const volatile struct pd_label *label, __u8 hook,
					 __u8 operation, __u8 object, __u8 number, __u32 detail,
					 __u32 flags)
{
	struct pd_ask ask;

	pd_ask_init(&ask, label, hook, operation, PD_USE);
	ask.object = object;
	ask.key.family = number;
	ask.key_len = 1;
	ask.detail = detail;
	ask.flags = flags;
	return pd_ask_bytes(&ask);
}

static __always_inline int pd_ask_capability(const volatile struct pd_label *label, __u8 hook,
					     __u32 capability, __u32 flags)
{
	return pd_ask_number(label, hook, PD_OP_CAPABLE, PD_OBJ_CAPABILITY, capability, capability,
			     flags);
}

/* A guard without a grant. */
static __always_inline int pd_ask_guard(const volatile struct pd_label *label, __u8 hook,
					__u8 guard, __u32 detail)
{
	return pd_ask_number(label, hook, PD_OP_GUARD, PD_OBJ_GUARD, guard, detail, 0);
}

/* The same when it is policyd itself that is reached for. */
static __always_inline int pd_ask_self(const volatile struct pd_label *label, __u8 hook, __u8 guard,
				       __u32 detail)
{
	return pd_ask_number(label, hook, PD_OP_GUARD, PD_OBJ_GUARD, guard, detail, PD_ASK_SELF);
}

/* ---- what becomes of it, for tell.bpf.c too --------------------------------------------------- */

/**
 * pd_ends() - is who asks to be ended?
 *
 * Not for what the kernel, or an interpreter, only asks, nor when it may go on without what was
 * refused; and who is held is no more than looked at here.
 */
static __always_inline int pd_ends(const struct pd_ask *ask, const struct pd_outcome *o)
{
	return o->refused_e & o->kill && !ask->task && ask->operation != PD_OP_EXEC_CHECK &&
	       !(ask->flags & (PD_ASK_SILENT | PD_ASK_MAYBE_EXISTS));
}

/* ---- the image, for bind.h too ---------------------------------------------------------------- */

/** pd_image_get() - the image in force, NULL before the first */
static __always_inline const __u8 *pd_image_get(void)
{
	__u32 zero = 0;
	void *inner = bpf_map_lookup_elem(&images, &zero);

	return inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
}

#define PD_IMAGE_FIELD(image, field)                                                               \
	PD_IMAGE_WORD(image, __builtin_offsetof(struct pd_image, field))

/** pd_image_generation() - the number of an image, which grows with every one */
static __always_inline __u64 pd_image_generation(const __u8 *image)
{
	return *(const __u64 *)(image + __builtin_offsetof(struct pd_image, generation));
}

/** pd_scratch_claim() - memory for one program run; NULL when all is in use */
__hidden struct pd_scratch *pd_scratch_claim(void);
static __always_inline void pd_scratch_release(struct pd_scratch *s)
{
	__sync_lock_test_and_set(&s->claimed, 0);
}

#define PD_STEPS 1 /* of the walk in one round of the loop: more is faster, and verifies slower */

struct pd_walker {
	const __u8 *image;
	const __u8 *text;
	struct pd_walk *w;
};

static long pd_walk_some(__u32 i, struct pd_walker *walker)
{
	for (int k = 0; k < PD_STEPS; k++)
		if (!pd_walk_step(walker->image, walker->text, walker->w))
			return 1;
	return 0;
}

/* Walks one automaton over the name in `n`. Returns the state. */
static __always_inline __u32 pd_walk_name(const __u8 *image, struct pd_name *n, __u32 start,
					  __u32 classes)
{
	struct pd_walker walker = { .image = image, .text = n->text, .w = &n->walk };

	n->walk.classes = classes;
	n->walk.state = start;
	n->walk.at = n->at;
	n->walk.end = n->at + n->length;
	bpf_loop(PD_TEXT_SIZE / PD_STEPS + 1, pd_walk_some, &walker, 0);
	return n->walk.state;
}

#endif
