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
	[EXTRA_GUARD_SYSCTL] = PINS_GUARD,   [EXTRA_TASK_NEWTASK] = "task_newtask",
	[EXTRA_GUARD_SIGIO] = "guard_sigio", [EXTRA_TASK_ALLOC_GUARD] = "task_alloc_guard",
	[EXTRA_SOCKET_SCTP] = "socket_sctp", [EXTRA_CGROUP_EMPTIED] = "cgroup_emptied",
};

#define TIDY_SOON_MS 20
#define TIDY_LATE_MS 30000  /* the kernel may take ten seconds to get to a pin that is gone */
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
	return e->links[i] ? 0 : explain_attach(hook->name, -errno, error);
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
	case EXTRA_CGROUP_EMPTIED:
		return e->skeleton->progs.cgroup_emptied;
	default:
		return e->skeleton->progs.task_newtask;
	}
}

static struct bpf_link *link_extra(struct enforcer *e, int i)
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

static int attach_extra(struct enforcer *e, int i, struct pd_error *error)
{
	int r = 0;

	if (!(e->extras_judged >> i & 1))
		r = judges_link(&e->judges, &e->pins, extra_program(e, i), extra_names[i], error);
	if (r)
		return r;
	e->extras_judged |= 1u << i;
	e->extras[i] = link_extra(e, i);
	return e->extras[i] ? 0 : explain_attach(extra_names[i], -errno, error);
}

/* Attached and proved: now it may outlive us. */
static int pin(struct enforcer *e, const struct attachment *fresh, struct pd_error *error)
{
	int r = 0;

	for (int i = 0; !r && i < EXTRA_COUNT; i++)
		if (fresh->extras >> i & 1)
			r = pins_link(&e->pins, e->extras[i], extra_names[i], error);
	for (int i = 1; !r && i < PD_HOOK_COUNT; i++)
		if (fresh->hooks >> i & 1)
			r = pins_link(&e->pins, e->links[i], e->hooks[i].name, error);
	return r;
}

/* Detach; what is pinned stays attached until the kernel has forgotten the pin. The extras backwards, so
 * that what protects all the others goes last. */
static void let_go(struct enforcer *e, const struct attachment *gone)
{
	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (gone->hooks >> i & 1) {
			bpf_link__destroy(e->links[i]);
			e->links[i] = NULL;
		}
	for (int i = EXTRA_COUNT - 1; i >= 0; i--)
		if (gone->extras >> i & 1) {
			bpf_link__destroy(e->extras[i]);
			e->extras[i] = NULL;
		}
}

static void drop(struct enforcer *e, const struct attachment *gone)
{
	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (gone->hooks >> i & 1)
			pins_drop_link(&e->pins, e->hooks[i].name);
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (gone->extras >> i & 1)
			pins_drop_link(&e->pins, extra_names[i]);
	let_go(e, gone);
}

static bool wanted(const struct enforcer *e, int i, uint32_t groups)
{
	return e->hooks[i].program && (groups & (1u << e->hooks[i].group));
}

/* Did every hook in the mask refuse the canary? */
static int prove(struct enforcer *e, uint64_t hooks, uint64_t *ret_proved, struct pd_error *error)
{
	*ret_proved = 0;
	if (!e->prover || !hooks)
		return 0;
	return prover_run(e->prover, bpf_map__fd(e->skeleton->maps.labels), e->state,
			  e->skeleton->rodata->pd_canaries, hooks, ret_proved, error);
}

/* What is missing of these; *fresh says what was attached, also on failure. */
static int attach(struct enforcer *e, uint64_t hooks, unsigned int extras, struct attachment *fresh,
		  struct pd_error *error)
{
	uint64_t proved;
	int r = 0;

	*fresh = (struct attachment){ 0 };
	for (int i = 0; !r && i < EXTRA_COUNT; i++) {
		if (e->extras[i] || !(extras >> i & 1))
			continue;
		r = attach_extra(e, i, error);
		if (!r)
			fresh->extras |= 1u << i;
	}
	for (int i = 1; !r && i < PD_HOOK_COUNT; i++) {
		if (e->links[i] || !(hooks >> i & 1))
			continue;
		r = attach_hook(e, i, error);
		if (!r)
			fresh->hooks |= 1ull << i;
	}
	return r ? r : prove(e, fresh->hooks, &proved, error);
}

#define ALL_EXTRAS ((1u << EXTRA_COUNT) - 1)

int attach_groups(struct enforcer *e, uint32_t groups, struct attachment *ret_fresh,
		  struct pd_error *error)
{
	uint64_t hooks = 0;
	int r;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (wanted(e, i, groups))
			hooks |= 1ull << i;
	r = attach(e, hooks, groups ? ALL_EXTRAS : 0, ret_fresh, error);
	if (!r)
		r = pin(e, ret_fresh, error);
	if (r)
		drop(e, ret_fresh);
	return r;
}

void attach_undo(struct enforcer *e, const struct attachment *fresh)
{
	drop(e, fresh);
}

void attach_drop(struct enforcer *e, uint32_t groups)
{
	struct attachment gone = { 0 };

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i] && !wanted(e, i, groups))
			gone.hooks |= 1ull << i;
	/* The kernel gets to the hooks some time later, and must be able to. */
	if (!groups)
		gone.extras = ALL_EXTRAS & ~(1u << EXTRA_GUARD_SYSCTL);
	drop(e, &gone);
}

void attach_release(struct enforcer *e)
{
	const struct attachment all = { .hooks = UINT64_MAX, .extras = ALL_EXTRAS };

	let_go(e, &all);
	e->judged = e->extras_judged = 0;
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
	struct attachment fresh;
	unsigned int extras = 0;
	uint64_t hooks = 0;
	int r;

	pins_hold(e->pins.dir, &e->replaced);
	/* Whatever the daemon before had attached stays attached. */
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (pinned(e, "task_alloc") || pinned(e, extra_names[i]))
			extras |= 1u << i;
	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->hooks[i].program && pinned(e, e->hooks[i].name))
			hooks |= 1ull << i;
	/* Ours go on beside the old ones and take their pins over when they are proved: at no moment is a
	 * hook without a program, and when ours are no good, the old ones stay. */
	r = attach(e, hooks, extras, &fresh, error);
	if (r) {
		let_go(e, &fresh);
		pins_drop_judges(&e->pins, e->judges.prefix, true);
		return r;
	}
	r = pin(e, &fresh, error);
	if (r)
		return r; /* some of ours and the rest of the old ones: all of them proved */
	pins_drop_other_links(&e->pins, is_ours, e);
	return 0;
}

int enforce_tidy(struct enforcer *e)
{
	if (!e->adopted || !e->pins.dir[0] || e->tidied)
		return -1;
	if (pins_let_go(&e->replaced))
		return TIDY_SOON_MS;
	if (!e->settling) {
		e->settling = true;
		return TIDY_LATE_MS;
	}
	pins_drop_judges(&e->pins, e->judges.prefix, false);
	e->tidied = true;
	return -1;
}

static uint64_t attached(const struct enforcer *e)
{
	uint64_t hooks = 0;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i])
			hooks |= 1ull << i;
	return hooks;
}

int enforce_prove(struct enforcer *e, unsigned int *ret_proved, struct pd_error *error)
{
	uint64_t proved;
	int r;

	if (!e->prover)
		return error_set(error, -ENODATA, "there is no prover process; restart policyd");
	r = prove(e, attached(e), &proved, error);
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

/* One more descriptor; beyond the room there is it counts. */
static void give(int fd, int *fds, size_t max, size_t *n)
{
	if (*n < max)
		fds[*n] = fd;
	(*n)++;
}

size_t enforce_link_fds(const struct enforcer *e, int *fds, size_t max)
{
	size_t n = 0;

	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (e->links[i])
			give(bpf_link__fd(e->links[i]), fds, max, &n);
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (e->extras[i])
			give(bpf_link__fd(e->extras[i]), fds, max, &n);
	for (size_t i = 0; i < e->judges.link_count; i++)
		give(e->judges.links[i], fds, max, &n);
	return n;
}
