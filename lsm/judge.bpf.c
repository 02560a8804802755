// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The decision: walk the image's automaton over the object, read what the state says, tell.
 *
 * No hooks, but programs all the same: each takes the place of one of the functions of ask.bpf.c in
 * every hook's program (BPF_PROG_TYPE_EXT). So the kernel verifies, compiles and holds this code once
 * and not sixty times, and its stack and its calls do not count as the hook's.
 *
 * When something cannot be determined (no scratch memory, no image, a slot the image does not have, an
 * object without a name) the stricter answer is given.
 */
#include "lsm/judge.h"

#include "lsm/audit.h"
#include "lsm/name.h"

const volatile __u32 pd_scratch_entries = 16;

__hidden struct pd_scratch *pd_scratch_claim(void)
{
	__u32 entries = pd_scratch_entries;
	__u32 at = bpf_get_smp_processor_id() * 2;

	for (int i = 0; i < 8; i++, at++) {
		__u32 index = at % entries;
		struct pd_scratch *s = bpf_map_lookup_elem(&scratch, &index);

		if (s && !__sync_val_compare_and_swap(&s->claimed, 0, 1))
			return s;
	}
	return NULL;
}

/* ---- what the image says --------------------------------------------------------------------- */

#define INFO(image, at, field)                                                                     \
	PD_IMAGE_WORD(image, (at) + __builtin_offsetof(struct pd_info, field))

static __always_inline __u32 state_info(const __u8 *image, __u32 reached)
{
	return pd_state_info(image, reached);
}

/* The offset of the slot's program record; 0 when the label names what the image does not have. */
static __always_inline __u32 find_program(const __u8 *image, __u32 slot, __u32 program,
					  __u32 *ret_flags)
{
	__u32 at;

	*ret_flags = 0;
	if (!slot || slot >= PD_IMAGE_FIELD(image, slot_count))
		return 0;
	at = PD_IMAGE_FIELD(image, slots) + slot * sizeof(struct pd_slot);
	*ret_flags = PD_IMAGE_WORD(image, at);
	if (!(*ret_flags & PD_SLOT_LIVE))
		return 0;
	if (program >= PD_IMAGE_WORD(image, at + __builtin_offsetof(struct pd_slot, program_count)))
		program = 0;
	return PD_IMAGE_WORD(image, at + __builtin_offsetof(struct pd_slot, programs)) +
	       program * sizeof(struct pd_program);
}

static __always_inline void view_of_state(const __u8 *image, __u32 at_state, struct pd_view *v)
{
	__u32 at = state_info(image, at_state);

	v->state = at_state;
	v->info = at;
	v->deny_e = INFO(image, at, deny_e);
	v->deny_t = INFO(image, at, deny_t);
	v->audit = INFO(image, at, audit);
	v->quiet = INFO(image, at, quiet);
	v->kill = INFO(image, at, kill);
	v->any_e = v->all_e = ~v->deny_e;
	v->any_t = v->all_t = ~v->deny_t;
	v->below_any_e = INFO(image, at, below_e_any);
	v->below_all_e = INFO(image, at, below_e_all);
	v->below_any_t = INFO(image, at, below_t_any);
	v->below_all_t = INFO(image, at, below_t_all);
	v->program = INFO(image, at, program) & 0xffff;
	v->reason = PD_REASON_RULE;
}

/* What no name at all is refused: what every name grants. */
static __always_inline void view_of_nameless(const __u8 *image, __u32 start, __u32 reason,
					     struct pd_view *v)
{
	__u32 at = state_info(image, start);

	__builtin_memset(v, 0, sizeof(*v));
	v->any_e = v->below_any_e = INFO(image, at, below_e_any);
	v->all_e = v->below_all_e = INFO(image, at, below_e_all);
	v->any_t = v->below_any_t = INFO(image, at, below_t_any);
	v->all_t = v->below_all_t = INFO(image, at, below_t_all);
	v->deny_e = ~v->all_e;
	v->deny_t = ~v->all_t;
	v->reason = reason;
}

/* "@name" for an abstract unix socket; its bytes may include NUL. */
static __always_inline int name_abstract(struct pd_name *n, const struct pd_ask *ask)
{
	__u32 length = PD_INDEX(ask->key_len, 127);

	n->at = PD_TEXT_SIZE - length;
	if (length && bpf_probe_read_kernel(&n->text[PD_INDEX(n->at, PD_TEXT_SIZE - 1)], length,
					    (void *)ask->dentry))
		return PD_NAME_NONE;
	n->at--;
	n->text[PD_INDEX(n->at, PD_TEXT_SIZE - 1)] = '@';
	n->length = length + 1;
	n->trail[0] = 0;
	return PD_NAME_OK;
}

/* What the image says of a name. Returns 0 when there is nothing to judge. */
static __always_inline int view_name(const __u8 *image, __u32 program, struct pd_name *n,
				     int status, struct pd_view *v)
{
	__u32 start = PD_IMAGE_WORD(image, program);
	__u32 classes = PD_IMAGE_WORD(image, program + 4);

	if (status == PD_NAME_HANDLE || status == PD_NAME_LAYER)
		return 0;
	if (status == PD_NAME_NONE) {
		view_of_nameless(image, start, n->reason, v);
		return 1;
	}
	view_of_state(image, pd_walk_name(image, n, start, classes), v);
	if (status == PD_NAME_MEMORY) { /* only what runs is of interest */
		v->deny_e &= PD_EXEC | PD_MMAP_EXEC;
		v->deny_t &= PD_EXEC | PD_MMAP_EXEC;
	}
	return 1;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

/* Verdict of E; tells what is worth telling. */
static __always_inline int conclude(struct pd_ask *ask, struct pd_scratch *s)
{
	const struct pd_outcome *o = &s->outcome;
	int denied = o->refused_e ? 1 : 0;

	if (!o->refused_e && !o->refused_t && !o->audited)
		return 0;
	if (pd_ends(ask, o))
		bpf_send_signal(SIGKILL);
	if (o->refused_e && !(o->refused_e & ~o->quiet))
		return denied;
	if (!o->refused_e && o->refused_t && !(o->refused_t & ~o->quiet))
		return 0;
	if (!(ask->flags & PD_ASK_SILENT))
		pd_tell(ask, s);
	return denied;
}

static __always_inline void outcome_of(const struct pd_view *v, __u32 wanted, __u32 flags,
				       struct pd_outcome *o)
{
	o->wanted = wanted;
	o->refused_e = v->deny_e & wanted;
	o->refused_t = v->deny_t & wanted;
	o->audited = v->audit & wanted;
	o->quiet = v->quiet;
	o->kill = v->kill;
	o->info = v->info;
	o->reason = v->reason;
	if (flags & PD_ASK_ANY) {
		if (o->refused_e != wanted)
			o->refused_e = 0;
		if (o->refused_t != wanted)
			o->refused_t = 0;
	}
}

static __always_inline void refuse(struct pd_outcome *o, __u32 wanted, __u32 reason)
{
	__builtin_memset(o, 0, sizeof(*o));
	o->refused_e = o->wanted = wanted;
	o->reason = reason;
}

static __always_inline void forget_names(struct pd_event *e)
{
	e->object_len = e->object2_len = e->key_len = 0;
}

__hidden __u32 pd_slot_flags(__u32 slot)
{
	const __u8 *image = pd_image_get();
	__u32 flags = 0;

	if (image)
		find_program(image, slot, 0, &flags);
	return flags;
}

/* What a question needs first: image, program, scratch. Returns 1 to go on, else the verdict in
 * *ret_verdict: a label that means "unconfined" is allowed, anything unknown refused. */
struct bench {
	const __u8 *image;
	struct pd_scratch *s;
	__u32 program;
};

static __always_inline __u32 why_without_program(const struct pd_ask *ask)
{
	if (ask->flags & PD_ASK_KERNEL)
		return PD_REASON_KERNEL;
	if (ask->slot == PD_SLOT_UNKNOWN)
		return PD_REASON_UNKNOWN;
	return ask->slot ? PD_REASON_STALE : PD_REASON_BUSY;
}

static __always_inline int sit_down(struct pd_ask *ask, struct bench *b, int *ret_verdict)
{
	__u32 flags;

	*ret_verdict = -EACCES;
	b->image = pd_image_get();
	if (!b->image)
		return 0;
	b->program = find_program(b->image, ask->slot, ask->program, &flags);
	if (flags & PD_SLOT_UNCONFINED) {
		ask->entered = 0;
		*ret_verdict = 0;
		return 0;
	}
	b->s = pd_scratch_claim();
	if (!b->s) {
		__u32 zero = 0;
		struct pd_state *shared = bpf_map_lookup_elem(&state, &zero);

		if (shared) { /* refused without a record: at least it is counted */
			__sync_fetch_and_add(&shared->rings[PD_RING_DENIALS].generated, 1);
			__sync_fetch_and_add(&shared->rings[PD_RING_DENIALS].lost, 1);
		}
		return 0;
	}
	forget_names(&b->s->report.event);
	b->s->generation = pd_image_generation(b->image);
	b->s->subject = ask->task;
	if (!b->program && !(ask->flags & PD_ASK_HELD)) {
		if (ask->object == PD_OBJ_PATH && ask->dentry && !(ask->flags & PD_ASK_ABSTRACT)) {
			if (pd_name_of(&b->s->name, ask->dentry, ask->mount, 0, PD_NAME_LAST) ==
			    PD_NAME_OK) {
				b->s->report.event.object_len = b->s->name.length;
			} else if (ask->flags & PD_ASK_REACHABLE) { /* another mount has one */
				pd_scratch_release(b->s);
				*ret_verdict = PD_ASK_NOT_HERE;
				return 0;
			}
		}
		refuse(&b->s->outcome, ask->wanted, why_without_program(ask));
		pd_tell(ask, b->s);
		pd_scratch_release(b->s);
		return 0;
	}
	return 1;
}

static __always_inline __u32 name_flags(const struct pd_ask *ask)
{
	return ask->flags & PD_ASK_LAST ? PD_NAME_LAST : 0;
}

/* The name is in scratch. */
static __always_inline int judge_by_name(struct pd_ask *ask, struct bench *b, int status)
{
	struct pd_view *v = &b->s->view;

	if (!view_name(b->image, b->program, &b->s->name, status, v))
		return 0;
	ask->entered = v->program;
	b->s->report.event.object_len = b->s->name.length;
	outcome_of(v, ask->wanted, ask->flags, &b->s->outcome);
	return conclude(ask, b->s) ? -EACCES : 0;
}

int pd_judge_name(struct pd_ask *ask)
{
	struct bench b;
	int verdict, status;

	if (!ask)
		return -EACCES;
	if (!sit_down(ask, &b, &verdict))
		return verdict;
	if (ask->flags & PD_ASK_ABSTRACT)
		status = name_abstract(&b.s->name, ask);
	else
		status = pd_name_of(&b.s->name, ask->dentry, ask->mount, 0, name_flags(ask));
	if (status == PD_NAME_NONE && b.s->name.reason == PD_REASON_UNREACHABLE &&
	    (ask->flags & PD_ASK_REACHABLE)) {
		pd_scratch_release(b.s);
		return PD_ASK_NOT_HERE;
	}
	verdict = judge_by_name(ask, &b, status);
	pd_scratch_release(b.s);
	return verdict;
}

/* What was kept of a name, as if it had been found just now */
static __always_inline int recall(struct pd_name *n, const struct pd_held *held, __u32 index)
{
	const struct pd_held_name *name = &held->names[PD_INDEX(index, PD_HELD_NAMES - 1)];
	__u32 length = PD_INDEX(name->length, PD_PATH_MAX);

	n->at = PD_TEXT_SIZE - length;
	n->length = length;
	n->trail[0] = name->dentry;
	n->status = name->status;
	n->reason = name->reason;
	if (length && bpf_probe_read_kernel(&n->text[PD_INDEX(n->at, PD_TEXT_SIZE - 1)], length,
					    &held->text[PD_INDEX(name->at, PD_HELD_TEXT - 1)])) {
		n->reason = PD_REASON_RACED;
		return PD_NAME_NONE;
	}
	return name->status;
}

int pd_judge_held(struct pd_ask *ask, const struct pd_held *held, __u32 index)
{
	struct bench b;
	int verdict;

	if (!ask || !held)
		return -EACCES;
	if (!sit_down(ask, &b, &verdict))
		return verdict;
	verdict = recall(&b.s->name, held, index);
	if (b.program) {
		verdict = judge_by_name(ask, &b, verdict);
	} else {
		b.s->report.event.object_len = b.s->name.length;
		refuse(&b.s->outcome, ask->wanted, why_without_program(ask));
		pd_tell(ask, b.s);
		verdict = -EACCES;
	}
	pd_scratch_release(b.s);
	return verdict;
}

SEC("judge/pd_ask_name")
int judge_name(struct pd_ask *ask)
{
	return pd_judge_name(ask);
}

/* Does going by the new name grant anything the old one did not? */
static __always_inline __u32 widened(const struct pd_view *from, const struct pd_view *to,
				     __u32 flags, int tested)
{
	__u32 wider;

	if (from->state && from->state == to->state)
		return 0;
	wider = tested ? to->any_t & ~from->all_t : to->any_e & ~from->all_e;
	if (flags & PD_ASK_DIRECTORY)
		wider |= tested ? to->below_any_t & ~from->below_all_t :
				  to->below_any_e & ~from->below_all_e;
	return wider & PD_PATH_CARRIED;
}

struct widening {
	const __u8 *image;
	struct pd_scratch *s;
	__u32 program; /* the next to be looked at */
	__u32 left;
	__u32 flags; /* of the question */
	__u32 e, t;  /* what somebody gets by the new name */
};

static __always_inline void add_widening(struct widening *w, const struct pd_view *from,
					 const struct pd_view *to)
{
	w->e |= widened(from, to, w->flags, 0);
	w->t |= widened(from, to, w->flags, 1);
	if (w->flags & PD_ASK_EXCHANGE) {
		w->e |= widened(to, from, w->flags, 0);
		w->t |= widened(to, from, w->flags, 1);
	}
}

static long widen_class(__u32 i, struct widening *w)
{
	struct pd_scratch *s = w->s;

	if (!w->left--)
		return 1;
	if (view_name(w->image, w->program, &s->name, s->name.status, &s->class_view) &&
	    view_name(w->image, w->program, &s->other, s->other.status, &s->class_view2))
		add_widening(w, &s->class_view, &s->class_view2);
	w->program += sizeof(struct pd_program);
	return 0;
}

#define PROGRAMS_MAX 65536

/* By the rules of every program class, not of the mover's alone: else it could move things to where
 * others may take them. What is enforced in the low half, what is tested in the high one. */
static __noinline __u64 widened_for_all(struct pd_scratch *s, __u32 slot, __u32 flags)
{
	struct widening w = { .s = s, .image = pd_image_get(), .flags = flags };
	__u32 at;

	if (!s || !w.image)
		return PD_PATH_CARRIED;
	add_widening(&w, &s->view, &s->view2);
	at = PD_IMAGE_FIELD(w.image, slots) + slot * sizeof(struct pd_slot);
	if (PD_IMAGE_WORD(w.image, at) & PD_SLOT_BY) {
		w.left = PD_IMAGE_WORD(w.image,
				       at + __builtin_offsetof(struct pd_slot, program_count));
		w.program =
			PD_IMAGE_WORD(w.image, at + __builtin_offsetof(struct pd_slot, programs));
		bpf_loop(PROGRAMS_MAX, widen_class, &w, 0);
	}
	return w.e | (__u64)w.t << 32;
}

static __always_inline int conclude_move(struct pd_ask *ask, struct bench *b, struct pd_view *from,
					 struct pd_view *to)
{
	struct pd_outcome *o = &b->s->outcome;
	__u64 wide = widened_for_all(b->s, ask->slot, ask->flags);
	__u32 wide_e = (__u32)wide, wide_t = wide >> 32;

	outcome_of(from, ask->wanted, 0, o);
	if (!o->refused_e && (!o->refused_t || (to->deny_e & ask->wanted2)))
		outcome_of(to, ask->wanted2, 0, o);
	if (!o->refused_e && (wide_e || (wide_t && !o->refused_t))) {
		o->refused_e = wide_e;
		o->refused_t = wide_t;
		o->reason = PD_REASON_WIDENS;
		o->quiet = o->kill = 0;
	}
	return conclude(ask, b->s) ? -EACCES : 0;
}

SEC("judge/pd_ask_move")
int judge_move(struct pd_ask *ask)
{
	struct bench b;
	struct pd_view *from, *to;
	int verdict;

	if (!ask)
		return -EACCES;
	if (!sit_down(ask, &b, &verdict))
		return verdict;
	verdict = 0;
	from = &b.s->view;
	to = &b.s->view2;
	/* A stacked file system moving its own lower files was judged at the upper names. */
	if (view_name(b.image, b.program, &b.s->name,
		      pd_name_of(&b.s->name, ask->dentry, ask->mount, 0, name_flags(ask)), from) &&
	    view_name(b.image, b.program, &b.s->other,
		      pd_name_of(&b.s->other, ask->dentry2, ask->mount2, 0, PD_NAME_LAST), to)) {
		b.s->report.event.object_len = b.s->name.length;
		b.s->report.event.object2_len = b.s->other.length;
		verdict = conclude_move(ask, &b, from, to);
	}
	pd_scratch_release(b.s);
	return verdict;
}

/* The capability or guard is granted without an event: the common case, without a walk. */
static __always_inline int granted(const __u8 *image, __u32 program, const struct pd_ask *ask)
{
	__u32 at = program + __builtin_offsetof(struct pd_program, capabilities);
	__u32 bit = ask->key.family;

	if (ask->object == PD_OBJ_GUARD)
		at = program + __builtin_offsetof(struct pd_program, guards);
	else if (ask->object != PD_OBJ_CAPABILITY)
		return 0;
	return PD_IMAGE_WORD(image, at + (bit >> 5 & 1) * 4) >> (bit & 31) & 1;
}

int pd_judge_bytes(struct pd_ask *ask)
{
	struct bench b;
	__u32 at, length;
	int verdict;

	if (!ask)
		return -EACCES;
	if (!sit_down(ask, &b, &verdict))
		return verdict;
	verdict = 0;
	if (ask->flags & PD_ASK_SELF) {
		refuse(&b.s->outcome, ask->wanted, PD_REASON_SELF);
		pd_tell(ask, b.s);
		verdict = -EPERM;
	} else if (!granted(b.image, b.program, ask)) {
		length = ask->key_len > PD_SOCKET_KEY_V6 ? PD_SOCKET_KEY_V6 : ask->key_len;
		at = b.program + (ask->object & 3) * sizeof(struct pd_automaton);
		__builtin_memcpy(b.s->name.text, &ask->key, sizeof(ask->key));
		b.s->name.trail[0] = 0;
		b.s->name.at = 0;
		b.s->name.length = length;
		view_of_state(b.image,
			      pd_walk_name(b.image, &b.s->name, PD_IMAGE_WORD(b.image, at),
					   PD_IMAGE_WORD(b.image, at + 4)),
			      &b.s->view);
		if (ask->object == PD_OBJ_SOCKET) {
			__builtin_memcpy(&b.s->report.event.key, &ask->key, sizeof(ask->key));
			b.s->report.event.key_len = length;
		}
		outcome_of(&b.s->view, ask->wanted, ask->flags, &b.s->outcome);
		if (conclude(ask, b.s))
			verdict = ask->object == PD_OBJ_SOCKET ? -EACCES : -EPERM;
	}
	pd_scratch_release(b.s);
	return verdict;
}

SEC("judge/pd_ask_bytes")
int judge_bytes(struct pd_ask *ask)
{
	return pd_judge_bytes(ask);
}
