// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is told of a verdict: which rule decided, in which mode, and why.
 */
#include "lsm/audit.h"
#include "lsm/judge.h"

static __always_inline __u32 class_of(__u32 object, __u32 perms)
{
	if (object == PD_OBJ_SOCKET)
		return PD_CLASS_SOCKET;
	if (object == PD_OBJ_CAPABILITY)
		return PD_CLASS_CAPABILITY;
	if (object == PD_OBJ_GUARD)
		return PD_CLASS_GUARD;
	if (perms & PD_PATH_EXEC)
		return PD_CLASS_EXEC;
	return perms & PD_PATH_UNIX ? PD_CLASS_SOCKET : PD_CLASS_FILE;
}

/* The rule that decided one of `perms`, in one section of the info's rules. */
static __always_inline __u32 find_rule(const __u8 *image, __u32 info, __u32 skip, __u32 count,
				       __u32 perms)
{
	__u32 at = info + sizeof(struct pd_info) + skip * 8;

	for (__u32 i = 0; i < 16; i++, at += 8) {
		if (i >= count)
			return 0;
		if (PD_IMAGE_WORD(image, at) & perms)
			return PD_IMAGE_WORD(image, at + 4);
	}
	return 0;
}

static __always_inline __u32 rule_for(const __u8 *image, __u32 info, __u32 section, __u32 perms)
{
	__u32 at = info + __builtin_offsetof(struct pd_info, program);
	__u32 counts, enforced, tested, audited;

	/* program is the low half of the word at its offset; the counts follow */
	counts = PD_IMAGE_WORD(image, at) >> 16;
	enforced = counts & 0xff;
	tested = counts >> 8 & 0xff;
	audited = PD_IMAGE_WORD(image, at + 4) & 0xff;
	return find_rule(image, info,
			 section == 0 ? 0 :
			 section == 1 ? enforced :
					enforced + tested,
			 section == 0 ? enforced :
			 section == 1 ? tested :
					audited,
			 perms);
}

/* Not static: verified once by itself, and it has no image pointer to take along, so it looks again. */
__noinline int pd_tell(struct pd_ask *ask, struct pd_scratch *s)
{
	const __u8 *image = pd_image_get();
	struct pd_outcome *o;
	struct pd_event *e;
	__u32 section = 0;

	if (!ask || !s || !image)
		return 0;
	o = &s->outcome;
	e = &s->report.event;
	e->generation = s->generation;
	e->binding = ask->binding;
	e->slot = ask->slot;
	e->wanted = o->wanted;
	e->detail = ask->detail;
	e->operation = ask->operation;
	e->hook = ask->hook;
	e->reason = o->reason;
	e->guard = ask->object == PD_OBJ_GUARD ? ask->key.family : 0;
	e->flags = ask->flags & PD_ASK_MAYBE_EXISTS ? PD_EVENT_MAYBE_EXISTS : 0;
	if (pd_ends(ask, o))
		e->flags |= PD_EVENT_KILLED;
	e->mode = 0;
	if (o->refused_e) {
		e->verdict = PD_DENIED;
		e->refused = o->refused_e;
	} else if (o->refused_t) {
		e->verdict = PD_WOULD_DENY;
		e->refused = o->refused_t;
		e->mode = 1;
		section = 1;
	} else {
		e->verdict = PD_ALLOWED;
		e->refused = o->audited;
		section = 2;
	}
	e->class = class_of(ask->object, e->refused);
	e->rule = 0;
	e->repeat = 1;
	if (o->reason == PD_REASON_RULE && pd_image_generation(image) == s->generation)
		e->rule = rule_for(image, o->info, section, e->refused);
	return pd_report_send(s);
}
