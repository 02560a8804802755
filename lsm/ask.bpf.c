// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all hooks' programs call: whose label it is, and the questions, which are answered elsewhere.
 */
#include "lsm/judge.h"

const volatile __u64 pd_canaries;
const volatile struct pd_label pd_unreadable = { .flags = PD_LABEL_ACTIVE };

#define STORAGE_ELEMENTS_MAX 16

__noinline int pd_label_hidden(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pd_state *shared;
	struct hlist_node *node;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (!shared)
		return 1;
	node = BPF_CORE_READ(task, bpf_storage, list.first);
	for (int i = 0; i < STORAGE_ELEMENTS_MAX; i++) {
		struct bpf_local_storage_elem *element;

		if (!node)
			return 0;
		element =
			(void *)node - bpf_core_field_offset(struct bpf_local_storage_elem, snode);
		if (BPF_CORE_READ(element, sdata.smap, map.id) == shared->label_map_id)
			return 1;
		node = BPF_CORE_READ(node, next);
	}
	return 1;
}

int pd_canary(__u32 hook)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (shared)
		__sync_fetch_and_add(&shared->canary[hook & 63], 1);
	return 0;
}

/* Without a judge nothing is allowed, unless policyd is being detached, when hooks and judges go in whatever
 * order the kernel gets to them. There is nobody to tell of it, either: it counts as a denial without record. */
static __always_inline int without_judge(void)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	if (!shared)
		return -EACCES;
	if (shared->over)
		return 0;
	__sync_fetch_and_add(&shared->rings[PD_RING_DENIALS].generated, 1);
	__sync_fetch_and_add(&shared->rings[PD_RING_DENIALS].lost, 1);
	return -EACCES;
}

/* In its place user space puts the program of judge.bpf.c and the like that is called so, before the hook is
 * attached. Weak, so that the compiler knows nothing of what it does. */
#define QUESTION(name)                                                                             \
	__weak int name(struct pd_ask *ask)                                                        \
	{                                                                                          \
		return ask ? without_judge() : -EACCES;                                            \
	}

QUESTION(pd_ask_name)
QUESTION(pd_ask_mounts)
QUESTION(pd_ask_move)
QUESTION(pd_ask_bytes)
QUESTION(pd_ask_control)
