// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events. For each ring: generated = records + lost + suppressed, exactly, whatever happens: the
 * counters are added to atomically, each event to `generated` and to one of the three fates.
 *
 * What keeps one task from drowning the others:
 *   repeats   the same rule refusing the same operation on the same object: a few, then one a
 *             second, carrying the number of those that were held back;
 *   rules     a token bucket for each rule and binding;
 *   shares    between two drains by the daemon one binding fills at most an eighth of a ring, so
 *             with a dead reader a single denial elsewhere still finds room.
 */
#include "lsm/audit.h"
#include "lsm/name.h"

/* Functions that are not static here are so that the verifier looks at each once, by itself, instead
 * of once for every way to reach it. */

#define SECOND 1000000000ull
#define REPEAT_BURST 4u
#define REPEAT_RATE 1u
#define RULE_BURST 512u
#define RULE_RATE 64u

const volatile __u32 pd_share_bytes[PD_RING_COUNT] = { 128 << 10, 32 << 10 };

/* Takes a token; when there is none, the event is held and counted for the next one. */
static __noinline int budget_take(struct pd_budget_key *key, __u32 burst, __u32 rate,
				  __u32 *ret_held)
{
	struct pd_budget *b = bpf_map_lookup_elem(&budgets, key);
	__u64 now = bpf_ktime_get_boot_ns();
	struct pd_budget fresh = { .filled_ns = now, .tokens = burst - 1 };
	__u64 earned;

	*ret_held = 0;
	if (!b) {
		bpf_map_update_elem(&budgets, key, &fresh, BPF_NOEXIST);
		return 1;
	}
	earned = (now - b->filled_ns) / (SECOND / rate);
	if (earned) {
		b->filled_ns = now;
		b->tokens = b->tokens + earned > burst ? burst : b->tokens + earned;
	}
	if (b->tokens) {
		b->tokens--; /* two at once may share a token; the counters do not depend on it */
		*ret_held = __sync_lock_test_and_set(&b->held, 0);
		return 1;
	}
	__sync_fetch_and_add(&b->held, 1);
	return 0;
}

__noinline int pd_share_take(struct pd_event *e, __u32 ring, __u64 epoch, __u32 bytes)
{
	struct pd_share_key key = { .ring = ring };
	struct pd_share fresh = { .epoch = epoch, .bytes = bytes };
	struct pd_share *share;

	if (!e)
		return 0;
	key.binding = e->binding;
	key.slot = e->slot;
	share = bpf_map_lookup_elem(&shares, &key);
	if (!share) {
		bpf_map_update_elem(&shares, &key, &fresh, BPF_NOEXIST);
		return 1;
	}
	if (share->epoch != epoch) {
		share->epoch = epoch;
		share->bytes = 0;
	}
	if (share->bytes + bytes > pd_share_bytes[ring & 1])
		return 0;
	__sync_fetch_and_add(&share->bytes, bytes);
	return 1;
}

static __always_inline void budget_key(const struct pd_event *e, __u32 ring, __u64 object,
				       struct pd_budget_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->generation = e->generation;
	key->binding = e->binding;
	key->rule = e->rule;
	key->slot = e->slot;
	key->operation = e->operation;
	key->ring = ring;
	key->reason = e->reason;
	key->guard = e->guard;
	key->pad = (__u32)object ^ (__u32)(object >> 32) ^ e->detail;
}

/* Is this event to be told now? Sets event.repeat. */
__noinline int pd_within_budget(struct pd_event *e, __u32 ring, __u64 object)
{
	struct pd_budget_key key;
	__u32 held, unused;

	if (!e)
		return 0;
	budget_key(e, ring, object, &key);
	e->repeat = 0; /* counted as held already, if not told */
	if (!budget_take(&key, REPEAT_BURST, REPEAT_RATE, &held))
		return 0;
	e->repeat = 1 + held;
	key.operation = 0;
	key.pad = 0;
	return budget_take(&key, RULE_BURST, RULE_RATE, &unused);
}

/* An event that was within its own budget is not told after all: the next one tells of it. */
__noinline int pd_hold_back(struct pd_event *e, __u32 ring, __u64 object)
{
	struct pd_budget_key key;
	struct pd_budget *b;

	if (!e)
		return 0;
	budget_key(e, ring, object, &key);
	b = bpf_map_lookup_elem(&budgets, &key);
	if (b)
		__sync_fetch_and_add(&b->held, e->repeat);
	return 0;
}

static __always_inline struct task_struct *subject(const struct pd_scratch *s)
{
	return (struct task_struct *)(s->subject ? s->subject : bpf_get_current_task());
}

static __always_inline void add_subject(struct pd_event *e, struct task_struct *task)
{
	e->pid = BPF_CORE_READ(task, tgid);
	e->tid = BPF_CORE_READ(task, pid);
	e->ppid = BPF_CORE_READ(task, real_parent, tgid);
	e->uid = BPF_CORE_READ(task, real_cred, uid.val);
	e->gid = BPF_CORE_READ(task, real_cred, gid.val);
	e->time_ns = bpf_ktime_get_boot_ns();
	e->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&e->comm, task, comm);
}

/* Appends the end of a name, at most `most` bytes of it. Returns the bytes appended. */
__noinline __u32 pd_append(struct pd_report *r, struct pd_name *n, __u32 at, __u32 most)
{
	__u32 length;

	if (!r || !n)
		return 0;
	length = n->length;
	if (length > most)
		length = most;
	if (!length ||
	    bpf_probe_read_kernel(&r->data[PD_INDEX(at, PD_REPORT_MASK)],
				  PD_INDEX(length, PD_PATH_MAX),
				  &n->text[PD_INDEX(PD_TEXT_SIZE - length, PD_TEXT_SIZE - 1)]))
		return 0;
	return length;
}

static __always_inline __u32 add_names(struct pd_scratch *s)
{
	struct task_struct *task = subject(s);
	struct pd_event *e = &s->report.event;
	__u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	__u32 at = 0;

	if (e->object_len)
		at += pd_append(&s->report, &s->name, at, PD_PATH_MAX);
	if (e->object2_len)
		at += pd_append(&s->report, &s->other, at, PD_PATH_MAX);
	e->exe_len = e->cgroup_len = 0;
	if (exe) {
		int got = pd_name_of(&s->other, (__u64)BPF_CORE_READ(exe, f_path.dentry),
				     (__u64)BPF_CORE_READ(exe, f_path.mnt), ns, PD_NAME_LAST);

		if (got == PD_NAME_OK || got == PD_NAME_MEMORY) {
			if (s->other.length > PD_EXE_MAX)
				e->flags |= PD_EVENT_CUT_EXE;
			e->exe_len = pd_append(&s->report, &s->other, at, PD_EXE_MAX);
			at += e->exe_len;
		}
	}
	if (pd_name_cgroup(&s->other, (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn)) ==
	    PD_NAME_OK) {
		if (s->other.length > PD_CGROUP_MAX)
			e->flags |= PD_EVENT_CUT_CGROUP;
		e->cgroup_len = pd_append(&s->report, &s->other, at, PD_CGROUP_MAX);
		at += e->cgroup_len;
	}
	return at;
}

int pd_report_send(struct pd_scratch *s)
{
	struct pd_state *shared;
	struct pd_ring_counters *count;
	struct pd_event *e;
	__u32 zero = 0, ring, size;
	__u64 object;
	long failed;

	if (!s)
		return 0;
	e = &s->report.event;
	shared = bpf_map_lookup_elem(&state, &zero);
	if (!shared)
		return 0;
	ring = e->verdict == PD_DENIED ? PD_RING_DENIALS : PD_RING_NOTICES;
	count = &shared->rings[ring];
	e->sequence = __sync_fetch_and_add(&count->generated, 1) + 1;
	object = s->name.trail[0];
	if (e->key_len)
		__builtin_memcpy(&object, &e->key, sizeof(object));
	if (!pd_within_budget(e, ring, object)) {
		pd_hold_back(e, ring, object);
		__sync_fetch_and_add(&count->suppressed, 1);
		return 0;
	}
	add_subject(e, subject(s));
	size = sizeof(*e) + add_names(s);
	if (size > sizeof(*e) + PD_REPORT_DATA)
		size = sizeof(*e) + PD_REPORT_DATA;
	if (!pd_share_take(e, ring, shared->epoch, size)) {
		pd_hold_back(e, ring, object);
		__sync_fetch_and_add(&count->suppressed, 1);
		return 0;
	}
	if (ring == PD_RING_DENIALS)
		failed = bpf_ringbuf_output(&denials, &s->report, size, 0);
	else
		failed = bpf_ringbuf_output(&notices, &s->report, size, 0);
	if (failed) {
		e->repeat--; /* itself it counts as lost */
		pd_hold_back(e, ring, object);
		__sync_fetch_and_add(&count->lost, 1);
	}
	return 0;
}
