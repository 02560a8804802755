/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/enforce/enforcer.h"
#include "policyd/enforce/prove.h"
#include "policyd.skel.h"

static const char *const extra_names[EXTRA_COUNT] = {
	[EXTRA_TASK_NEWTASK] = "task_newtask", [EXTRA_TASK_ALLOC_GUARD] = "task_alloc_guard",
	[EXTRA_GUARD_SYSCTL] = "guard_sysctl", [EXTRA_GUARD_SIGIO] = "guard_sigio",
	[EXTRA_SOCKET_SCTP] = "socket_sctp",
};

#define KERNEL_ENOTSUPP 524 /* include/linux/errno.h: the kernel's own, no libc knows it */

static int explain_attach(const char *name, int code, struct pd_error *error)
{
	if (code == -E2BIG)
		return error_set(error, code,
				 "hook %s has no room: the most BPF programs that the kernel takes "
				 "(36 or 38) are attached to it already; see them with bpftool "
				 "link, and detach some",
				 name);
	if (code == -KERNEL_ENOTSUPP)
		return error_set(error, code,
				 "this kernel cannot attach BPF programs to functions (hook %s); "
				 "on arm64 use 6.12 or newer",
				 name);
	return error_set(error, code, "cannot attach to hook %s: %s", name, strerror(-code));
}

static int attach_hook(struct enforcer *e, int i, struct pd_error *error)
{
	struct hook *hook = &e->hooks[i];
	int r = 0;

	if (!(e->judged >> i & 1))
		r = judges_link(&e->judges, &e->pins, hook->program, hook->name, error);
	if (r)
		return r;
	e->judged |= 1ull << i;
	e->links[i] = bpf_program__attach(hook->program);
	if (!e->links[i])
		return explain_attach(hook->name, -errno, error);
	r = pins_link(&e->pins, e->links[i], hook->name, error);
	if (r) {
		bpf_link__destroy(e->links[i]);
		e->links[i] = NULL;
	}
	return r;
}

static void drop_hook(struct enforcer *e, int i)
{
	pins_drop_link(&e->pins, e->hooks[i].name);
	/* destroy also unpins when the pin is ours; the descriptor was the last reference */
	bpf_link__destroy(e->links[i]);
	e->links[i] = NULL;
	e->unproved &= ~(1ull << i);
}

static struct bpf_program *extra_program(const struct enforcer *e, int i)
{
	switch (i) {
	case EXTRA_GUARD_SYSCTL:
		return e->skeleton->progs.guard_sysctl;
	case EXTRA_GUARD_SIGIO:
		return e->skeleton->progs.guard_sigio;
	case EXTRA_TASK_ALLOC_GUARD:
		return e->skeleton->progs.task_alloc_guard;
	case EXTRA_SOCKET_SCTP: /* a canary would load the module */
		return e->skeleton->progs.socket_sctp;
	default:
		return e->skeleton->progs.task_newtask;
	}
}

static struct bpf_link *attach_extra(struct enforcer *e, int i)
{
	struct bpf_link *link;
	int root;

	if (i != EXTRA_GUARD_SYSCTL)
		return bpf_program__attach(extra_program(e, i));
	root = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return NULL;
	link = bpf_program__attach_cgroup(e->skeleton->progs.guard_sysctl, root);
	close(root);
	return link;
}

static int attach_extras(struct enforcer *e, struct pd_error *error)
{
	int r;

	for (int i = 0; i < EXTRA_COUNT; i++) {
		if (e->extras[i])
			continue;
		r = 0;
		if (!(e->extras_judged >> i & 1))
			r = judges_link(&e->judges, &e->pins, extra_program(e, i), extra_names[i],
					error);
		if (r)
			return r;
		e->extras_judged |= 1u << i;
		e->extras[i] = attach_extra(e, i);
		if (!e->extras[i])
			return explain_attach(extra_names[i], -errno, error);
		r = pins_link(&e->pins, e->extras[i], extra_names[i], error);
		if (r)
			return r;
	}
	return 0;
}

static void drop_extras(struct enforcer *e)
{
	for (int i = 0; i < EXTRA_COUNT; i++) {
		pins_drop_link(&e->pins, extra_names[i]);
		bpf_link__destroy(e->extras[i]);
		e->extras[i] = NULL;
	}
}

static bool wanted(const struct enforcer *e, int i, uint32_t groups)
{
	return e->hooks[i].program && (groups & (1u << e->hooks[i].group));
}

/* Which of the hooks in the mask did not refuse the canary. */
static int prove(struct enforcer *e, uint64_t hooks, struct pd_error *error)
{
	uint64_t proved = 0;

	if (!e->prover || !hooks)
		return 0;
	return prover_run(e->prover, bpf_map__fd(e->skeleton->maps.labels), e->state, hooks,
			  &proved, error);
}

void attach_undo(struct enforcer *e, uint64_t fresh)
{
	bool left = false;

	for (int i = 1; i < PD_HOOK_COUNT; i++) {
		if (fresh >> i & 1)
			drop_hook(e, i);
		left = left || e->links[i];
	}
	if (!left)
		drop_extras(e);
}

int attach_groups(struct enforcer *e, uint32_t groups, uint64_t *ret_fresh, struct pd_error *error)
{
	uint64_t fresh = 0;
	int r = 0;

	if (groups)
		r = attach_extras(e, error);
	for (int i = 1; !r && i < PD_HOOK_COUNT; i++) {
		if (e->links[i] || !wanted(e, i, groups))
			continue;
		r = attach_hook(e, i, error);
		if (!r)
			fresh |= 1ull << i;
	}
	if (!r)
		r = prove(e, fresh | e->unproved, error);
	if (r) {
		attach_undo(e, fresh);
		return r;
	}
	e->unproved = 0;
	*ret_fresh = fresh;
	return 0;
}

void attach_drop(struct enforcer *e, uint32_t groups)
{
	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i] && !wanted(e, i, groups))
			drop_hook(e, i);
	if (!groups)
		drop_extras(e);
}

/* ---- taking over ----------------------------------------------------------------------------- */

static bool is_ours(void *context, const char *name)
{
	struct enforcer *e = context;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i] && !strcmp(e->hooks[i].name, name))
			return true;
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (e->extras[i] && !strcmp(extra_names[i], name))
			return true;
	return false;
}

static bool pinned(const struct enforcer *e, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/links/%s", e->pins.dir, name);
	return !access(path, F_OK);
}

int attach_adopted(struct enforcer *e, struct pd_error *error)
{
	uint64_t hooks = 0;
	int r = 0;

	pins_hold(e->pins.dir, &e->replaced);
	/* Ours go on beside the old ones and take their pins over one by one: at no moment is a hook
	 * without a program. Whatever the daemon before had attached stays attached. */
	if (pinned(e, "task_alloc"))
		r = attach_extras(e, error);
	for (int i = 1; !r && i < PD_HOOK_COUNT; i++)
		if (e->hooks[i].program && pinned(e, e->hooks[i].name)) {
			r = attach_hook(e, i, error);
			if (!r)
				e->unproved |= 1ull << i;
		}
	if (r)
		return r;
	pins_drop_other_links(&e->pins, is_ours, e);
	/* Only now: before, an old program could have done the refusing. */
	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i])
			hooks |= 1ull << i;
	return prove(e, hooks, error);
}

bool enforce_tidy(struct enforcer *e)
{
	if (!e->adopted || !e->pins.dir[0])
		return false;
	if (pins_let_go(&e->replaced))
		return true;
	pins_drop_other_judges(&e->pins, e->judges.prefix);
	return false;
}

int enforce_prove(struct enforcer *e, unsigned int *ret_proved, struct pd_error *error)
{
	uint64_t hooks = 0, proved = 0;
	int r = 0;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i])
			hooks |= 1ull << i;
	if (!e->prover)
		return error_set(error, -ENODATA, "there is no prover process; restart policyd");
	if (hooks)
		r = prover_run(e->prover, bpf_map__fd(e->skeleton->maps.labels), e->state, hooks,
			       &proved, error);
	*ret_proved = (unsigned int)__builtin_popcountll(proved);
	return r;
}

size_t enforce_hooks(const struct enforcer *e, struct hook_status status[PD_HOOK_COUNT])
{
	size_t n = 0;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		status[n++] = (struct hook_status){ .name = e->hooks[i].name,
						    .available = e->hooks[i].program,
						    .attached = e->links[i] };
	return n;
}

size_t enforce_link_fds(const struct enforcer *e, int *fds, size_t max)
{
	size_t n = 0;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i] && n < max)
			fds[n++] = bpf_link__fd(e->links[i]);
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (e->extras[i] && n < max)
			fds[n++] = bpf_link__fd(e->extras[i]);
	for (size_t i = 0; i < e->judges.link_count && n < max; i++)
		fds[n++] = e->judges.links[i];
	return n;
}
