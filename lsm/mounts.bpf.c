// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects of which only the dentry is known, or that were opened through another mount namespace: the
 * task may see them through any mount of their file system in its own, so all that show the dentry
 * have to allow what is asked. Usually there is one.
 *
 * Inline, since 6.1 allows eight frames of calls, which the way from here to an event takes.
 */
#include "lsm/judge.h"

#define MOUNTS_MAX 16384 /* in all mount namespaces */

struct search {
	struct pd_ask *ask;
	__u64 mount; /* struct mount under consideration */
	__u64 end;
	/* whole words: the verifier follows halves of one through every round of the loop */
	__u64 found;
	__u64 complete; /* every mount was looked at */
	__s64 verdict;
};

static __always_inline __u64 first_mount(const struct pd_ask *ask)
{
	struct dentry *dentry = (struct dentry *)ask->dentry;
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);

	if (bpf_core_field_exists(struct mount___list, mnt_instance))
		return (__u64)BPF_CORE_READ((struct super_block___list *)sb, s_mounts.next) -
		       bpf_core_field_offset(struct mount___list, mnt_instance);
	return (__u64)BPF_CORE_READ((struct super_block___chain *)sb, s_mounts);
}

/* What the last mount of a file system leads to. */
static __always_inline __u64 no_mount(const struct pd_ask *ask)
{
	struct dentry *dentry = (struct dentry *)ask->dentry;

	if (!bpf_core_field_exists(struct mount___list, mnt_instance))
		return 0;
	return (__u64)BPF_CORE_READ(dentry, d_sb) +
	       bpf_core_field_offset(struct super_block___list, s_mounts) -
	       bpf_core_field_offset(struct mount___list, mnt_instance);
}

/* One that was taken off meanwhile leads nowhere: then look at all of them again. */
static __always_inline void next_mount(struct search *search)
{
	__u64 list = bpf_core_field_exists(struct mount___list, mnt_instance);
	__u64 shift = list ? bpf_core_field_offset(struct mount___list, mnt_instance) : 0;
	__u64 at = list ? shift : bpf_core_field_offset(struct mount___chain, mnt_next_for_sb);
	__u64 next;

	if (bpf_probe_read_kernel(&next, sizeof(next), (void *)(search->mount + at)))
		search->mount = first_mount(search->ask);
	else
		search->mount = next - shift;
}

static long ask_through(__u32 i, struct search *search)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mount *mount = (struct mount *)search->mount;
	int answer;

	if (!mount || search->mount == search->end) {
		search->complete = 1;
		return 1;
	}
	if (BPF_CORE_READ(mount, mnt_ns) == BPF_CORE_READ(task, nsproxy, mnt_ns)) {
		search->ask->mount = search->mount + bpf_core_field_offset(struct mount, mnt);
		answer = pd_judge_name(search->ask);
		if (answer != PD_ASK_NOT_HERE)
			search->found = 1;
		if (answer < 0) {
			search->verdict = answer;
			return 1;
		}
	}
	next_mount(search);
	return 0;
}

SEC("judge/pd_ask_mounts")
int judge_mounts(struct pd_ask *ask)
{
	struct search search = { .ask = ask };

	if (!ask)
		return -EACCES;
	search.mount = first_mount(ask);
	search.end = no_mount(ask);
	ask->flags |= PD_ASK_REACHABLE;
	bpf_loop(MOUNTS_MAX, ask_through, &search, 0);
	if (search.verdict || (search.found && search.complete))
		return search.verdict;
	ask->flags &= ~PD_ASK_REACHABLE;
	ask->mount = 0;
	return pd_judge_name(ask);
}
