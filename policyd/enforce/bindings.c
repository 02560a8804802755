/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which cgroup belongs to which slot, told by number. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "policyd/enforce/enforcer.h"
#include "policyd.skel.h"

static int bindings_fd(const struct enforcer *e)
{
	return bpf_map__fd(e->skeleton->maps.bindings);
}

int enforce_bind(struct enforcer *e, uint64_t cgroup_id, uint32_t slot, uint32_t flags,
		 struct pd_error *error)
{
	struct pd_binding binding = { 0 };
	__u64 key = cgroup_id;

	/* These are known to the programs only. */
	bpf_map_lookup_elem(bindings_fd(e), &key, &binding);
	binding.slot = slot;
	binding.flags = flags | (binding.flags & (PD_BINDING_STARTED | PD_BINDING_EMPTIED));
	if (bpf_map_update_elem(bindings_fd(e), &key, &binding, BPF_ANY))
		return error_set(error, -errno, "cannot bind cgroup %llu: %s",
				 (unsigned long long)cgroup_id, strerror(errno));
	return 0;
}

void enforce_begin_anew(struct enforcer *e, uint64_t cgroup_id)
{
	struct pd_binding binding;
	__u64 key = cgroup_id;

	if (bpf_map_lookup_elem(bindings_fd(e), &key, &binding))
		return;
	binding.flags &= ~PD_BINDING_STARTED;
	bpf_map_update_elem(bindings_fd(e), &key, &binding, BPF_EXIST);
}

/* ---- who is left ------------------------------------------------------------------------------ */

#define AT_IT_MAX 100000 /* looks at a program that runs for a microsecond with interrupts off */

void enforce_watch(struct enforcer *e, uint64_t cgroup_id)
{
	uint64_t begun;

	__atomic_store_n(&e->state->asked, cgroup_id, __ATOMIC_SEQ_CST);
	/* One that is at it has not seen that; there are no two at a time. */
	begun = __atomic_load_n(&e->state->emptying, __ATOMIC_SEQ_CST);
	for (int i = 0; i < AT_IT_MAX; i++)
		if (__atomic_load_n(&e->state->emptied, __ATOMIC_SEQ_CST) >= begun)
			break;
	e->watched = __atomic_load_n(&e->state->asked_emptied, __ATOMIC_SEQ_CST);
}

bool enforce_watch_saw(const struct enforcer *e)
{
	return __atomic_load_n(&e->state->asked_emptied, __ATOMIC_SEQ_CST) != e->watched;
}

void enforce_bind_pending(struct enforcer *e, uint64_t cgroup_id)
{
	const struct pd_binding binding = { .flags = PD_BINDING_CONTAINER | PD_BINDING_REUSED |
						     PD_BINDING_PENDING };
	__u64 key = cgroup_id;

	bpf_map_update_elem(bindings_fd(e), &key, &binding, BPF_NOEXIST);
}

bool enforce_notices(const struct enforcer *e)
{
	return e->extras[EXTRA_CGROUP_EMPTIED];
}

bool enforce_is_emptied(const struct enforcer *e, uint64_t cgroup_id)
{
	struct pd_binding binding;
	__u64 key = cgroup_id;

	return !bpf_map_lookup_elem(bindings_fd(e), &key, &binding) &&
	       binding.flags & PD_BINDING_EMPTIED;
}

void enforce_set_emptied(struct enforcer *e, uint64_t cgroup_id)
{
	struct pd_binding binding;
	__u64 key = cgroup_id;

	if (bpf_map_lookup_elem(bindings_fd(e), &key, &binding))
		return;
	binding.flags |= PD_BINDING_EMPTIED;
	bpf_map_update_elem(bindings_fd(e), &key, &binding, BPF_EXIST);
}

/* ---- all of them ------------------------------------------------------------------------------ */

int enforce_unbind(struct enforcer *e, uint64_t cgroup_id)
{
	__u64 key = cgroup_id;

	return bpf_map_delete_elem(bindings_fd(e), &key) ? -errno : 0;
}

void enforce_bound(struct enforcer *e,
		   void (*each)(void *context, uint64_t cgroup_id, uint32_t flags), void *context)
{
	int fd = bindings_fd(e);
	struct pd_binding binding;
	__u64 key, next;
	int more = !bpf_map_get_next_key(fd, NULL, &key);

	while (more) {
		/* before it may be unbound */
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!bpf_map_lookup_elem(fd, &key, &binding))
			each(context, key, binding.flags);
		key = next;
	}
}
