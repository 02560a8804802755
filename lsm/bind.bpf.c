// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which slot and which program class: the nearest cgroup that was bound by hand, then globs. No hooks.
 *
 * Verified once by themselves: whoever calls them has a start of the daemon to pay for otherwise.
 */
#include "lsm/bind.h"
#include "lsm/name.h"

#define CGROUP_LEVELS 1024

/* ---- which slot ------------------------------------------------------------------------------ */

struct climb {
	__u64 node;
	__u64 start; /* the task's cgroup */
	__u64 id;
	__u8 *text; /* scratch; NULL: the cgroups' names are of no interest */
	struct pd_binding found;
	__u32 bound;
	__u32 what; /* CGROUP_*, of any of them */
};

/* What the name of a cgroup says: */
#define CGROUP_FOREIGN                                                                             \
	1u /* not systemd's own, so perhaps a container's, or made by what runs in a unit */
#define CGROUP_RUNTIME 2u /* only container runtimes make one of that name */
#define CGROUP_SCOPE 4u	  /* of no kind that systemd's own tools make: perhaps a container's */
#define CGROUP_USERS                                                                               \
	8u /* a user's service manager's: scopes below it are programs of desktops and terminals */

#define CGROUP_DELEGATED                                                                           \
	16u /* made by somebody else than root, who may have chosen a name that says otherwise */

#define EIGHT(text) (*(const __u64 *)(text))
/* Of a little-endian word, the first or the last bytes */
#define BEGINS(word, text, n) (((word) ^ EIGHT(text "\0\0\0\0\0\0\0")) << (64 - 8 * (n)) == 0)
#define ENDS(word, text, n) ((word) >> (64 - 8 * (n)) == EIGHT(text "\0\0\0\0\0\0\0"))

/* By its first 16 and its last 8 bytes; what is longer than `length` of these is NUL. In user space
 * workload/recognise.c tells more. */
__noinline __u32 pd_what_cgroup(__u64 first, __u64 second, __u64 last, __u64 length)
{
	if (ENDS(last, ".scope", 6) &&
	    (BEGINS(first, "docker-", 7) || BEGINS(first, "libpod-", 7) ||
	     (first == EIGHT("cri-cont") && BEGINS(second, "ainerd-", 7)) ||
	     BEGINS(first, "crio-", 5) || BEGINS(first, "crun-", 5) || BEGINS(first, "runc-", 5)))
		return CGROUP_RUNTIME;
	if (first == EIGHT("kubepods") && (length == 8 || second == EIGHT(".slice\0")))
		return CGROUP_RUNTIME;
	if ((first == EIGHT("docker\0") && length == 6) ||
	    (first == EIGHT("payload") && length == 7) || /* systemd-nspawn's */
	    (first == EIGHT("lxc.payl") && BEGINS(second, "oad.", 4)) ||
	    (first == EIGHT("libpod_p") && second == EIGHT("arent\0\0")) ||
	    (first == EIGHT("libpod-p") && BEGINS(second, "ayload-", 7)))
		return CGROUP_RUNTIME;
	if (BEGINS(first, "user@", 5) && ENDS(last, ".service", 8))
		return CGROUP_USERS;
	if (ENDS(last, ".scope", 6) && !BEGINS(first, "session-", 8) &&
	    !BEGINS(first, "init.", 5) && !BEGINS(first, "app-", 4) && !BEGINS(first, "run-", 4))
		return CGROUP_SCOPE;
	if (ENDS(last, ".service", 8) || ENDS(last, ".slice", 6) || ENDS(last, ".scope", 6) ||
	    ENDS(last, ".socket", 7) || ENDS(last, ".mount", 6) || ENDS(last, ".swap", 5))
		return 0;
	return CGROUP_FOREIGN;
}

static __always_inline void look_at_cgroup(struct climb *c, struct kernfs_node *node, __u64 parent)
{
	__u64 *words = (__u64 *)c->text;
	__u32 what = CGROUP_FOREIGN;
	long length;

	if (!words || !parent)
		return;
	words[0] = words[1] = words[2] =
		0; /* the last eight bytes may begin in the first of these */
	length = bpf_probe_read_kernel_str(c->text + 8, 256, BPF_CORE_READ(node, name));
	if (length >= 2 && length <= 256)
		what = pd_what_cgroup(words[1], words[2],
				      *(__u64 *)(c->text + PD_INDEX(length - 1, 255)), length - 1);
	/* What is below it was seen before; what is above it comes yet. */
	if (what == CGROUP_USERS)
		c->what &= ~CGROUP_SCOPE;
	else
		c->what |= what;
}

static __always_inline int is_delegated(struct kernfs_node *node)
{
	struct kernfs_iattrs *attributes = BPF_CORE_READ(node, iattr);

	return attributes && BPF_CORE_READ(attributes, ia_uid.val);
}

/* The nearest of the task's cgroup and those above it that was bound by hand. */
static long climb(__u32 i, struct climb *c)
{
	struct kernfs_node *node = (struct kernfs_node *)c->node;
	struct pd_binding *binding;
	__u64 id;

	if (!node)
		return 1; /* the root was seen */
	if (is_delegated(node))
		c->what |= CGROUP_DELEGATED;
	id = BPF_CORE_READ(node, id);
	binding = bpf_map_lookup_elem(&bindings, &id);
	if (binding && !(binding->flags & (PD_BINDING_EMPTIED | PD_BINDING_PENDING)) &&
	    (c->node == c->start || !(binding->flags & PD_BINDING_ITSELF))) {
		c->found = *binding;
		c->bound = 1;
		c->id = id;
		return 1;
	}
	if (bpf_core_field_exists(struct kernfs_node, parent))
		c->node = (__u64)BPF_CORE_READ(node, parent);
	else
		c->node = (__u64)BPF_CORE_READ((struct kernfs_node___rcu *)node, __parent);
	look_at_cgroup(c, node, c->node);
	return 0;
}

static __always_inline __u32 set_number(const __u8 *image, struct pd_name *n, __u32 automaton)
{
	__u32 reached = pd_walk_name(image, n, PD_IMAGE_WORD(image, automaton),
				     PD_IMAGE_WORD(image, automaton + 4));

	return PD_IMAGE_WORD(image, pd_state_info(image, reached) +
					    __builtin_offsetof(struct pd_info, program)) &
	       0xffff;
}

/* Where a task stands between the host and a container. */
struct whereabouts {
	__u64 ns;	/* its mount namespace */
	__u32 in_host;	/* that is the host's */
	__u32 own_root; /* its root directory is not the host's */
	__u32 cgroup;	/* CGROUP_*, of its cgroup and those above */
	__u32 runtime;	/* it may be one that has yet to set its container up */
};

/* Is it in a container that nobody has bound, as its cgroup's name says? */
static __always_inline int is_unknown(const struct whereabouts *w)
{
	if (w->runtime)
		return 0;
	if (!w->own_root)
		return w->cgroup & CGROUP_RUNTIME;
	return (w->cgroup & (CGROUP_RUNTIME | CGROUP_FOREIGN)) ||
	       (w->cgroup & CGROUP_SCOPE && !w->in_host);
}

/* cgroup: and exe: globs. exe: alone is for tasks of the host's mount namespace. Returns 0, or
 * -EACCES when the cgroup's path or the program's name cannot be told. */
static __always_inline int bind_by_globs(struct pd_scratch *s, __u64 node,
					 const struct whereabouts *w, struct bound *ret)
{
	const __u8 *image = pd_image_get();
	__u32 row = 0, column = 0, columns, rows;
	int status;

	if (!image)
		return 0;
	if (is_unknown(w)) {
		ret->unknown = PD_IMAGE_FIELD(image, unknown);
		ret->container = 1;
	}
	columns = PD_IMAGE_FIELD(image, bind_columns);
	rows = PD_IMAGE_FIELD(image, bind_rows);
	/* A runtime is not to have the policies of its container. But a cgroup is not left by making one within it that
	 * only is called as theirs are. */
	if (rows > 1 && (!w->runtime || w->cgroup & CGROUP_DELEGATED)) {
		if (pd_name_cgroup(&s->name, node) != PD_NAME_OK)
			return -EACCES;
		row = set_number(image, &s->name, __builtin_offsetof(struct pd_image, bind_cgroup));
	}
	if (columns > 1 && w->in_host && ret->exe_dentry) {
		status = pd_name_of(&s->name, ret->exe_dentry, ret->exe_mount, w->ns, PD_NAME_LAST);
		if (status == PD_NAME_OK)
			column = set_number(image, &s->name,
					    __builtin_offsetof(struct pd_image, bind_exe));
		else if (status == PD_NAME_NONE && s->name.reason != PD_REASON_UNREACHABLE)
			return -EACCES; /* it has a name, which may be one that binds */
	}
	if (row >= rows || column >= columns)
		return 0;
	ret->slot = PD_IMAGE_WORD(image,
				  PD_IMAGE_FIELD(image, bind_table) + (row * columns + column) * 4);
	if (row)
		ret->binding = BPF_CORE_READ((struct kernfs_node *)node, id);
	return 0;
}

static __always_inline void find_whereabouts(struct task_struct *task, struct whereabouts *ret)
{
	struct pd_state *shared;
	__u32 zero = 0;

	shared = bpf_map_lookup_elem(&state, &zero);
	ret->ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	ret->in_host = shared &&
		       BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == shared->host_mnt_ns;
	ret->own_root = !shared || (__u64)BPF_CORE_READ(task, fs, root.dentry) != shared->host_root;
	ret->runtime = 0;
}

/* May one who has the host's root directory be a container's runtime, on its way to its own? In another mount namespace
 * than the host's that is so before the container has begun: after, somebody in it has mounted the host's over /. */
static __always_inline int may_be_runtime(const struct climb *c, const struct whereabouts *w)
{
	struct pd_binding *binding;

	if (!w->own_root)
		return w->in_host ||
		       !(c->found.flags & (PD_BINDING_HOST_ROOT | PD_BINDING_STARTED));
	if (c->found.flags & PD_BINDING_STARTED)
		return 0;
	binding = bpf_map_lookup_elem(&bindings, &c->id);
	if (binding)
		__sync_fetch_and_or(&binding->flags, PD_BINDING_STARTED);
	return 0;
}

__noinline int pd_bind(struct pd_scratch *s, struct bound *bound)
{
	struct climb c = {};
	struct task_struct *task;
	struct whereabouts w;
	__u64 node;

	if (!s || !bound)
		return -EACCES;
	task = (struct task_struct *)bound->task;
	node = (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	find_whereabouts(task, &w);
	c.node = c.start = node;
	c.text = s->name.text;
	bpf_loop(CGROUP_LEVELS, climb, &c, 0);
	w.cgroup = c.what;
	if (c.bound) {
		bound->container = c.found.flags & PD_BINDING_CONTAINER;
		w.runtime = bound->container && may_be_runtime(&c, &w);
		if (!w.runtime && (c.found.slot || !bound->container)) {
			bound->slot = c.found.slot;
			bound->binding = c.id;
			return 0;
		}
		/* It is known, and no policy selects it; one may be for a cgroup in it. */
		if (!w.runtime)
			w.cgroup = 0;
	} else if (c.node) { /* deeper than we looked */
		return -EACCES;
	} else {
		w.runtime = c.what & CGROUP_RUNTIME && !w.own_root && w.in_host;
	}
	return bind_by_globs(s, node, &w, bound);
}

/* ---- which program class ---------------------------------------------------------------------- */

__noinline __u32 pd_program_class(struct pd_scratch *s, __u64 ns, __u32 slot, __u64 dentry,
				  __u64 mount)
{
	const __u8 *image = pd_image_get();
	__u32 at, programs;
	int status;

	if (!s || !image || !dentry || slot >= PD_IMAGE_FIELD(image, slot_count))
		return 0;
	at = PD_IMAGE_FIELD(image, slots) + slot * sizeof(struct pd_slot);
	if (!(PD_IMAGE_WORD(image, at) & PD_SLOT_BY))
		return 0;
	status = pd_name_of(&s->name, dentry, mount, ns, PD_NAME_LAST);
	if (status == PD_NAME_NONE)
		return PD_NO_CLASS;
	if (status != PD_NAME_OK && status != PD_NAME_MEMORY)
		return 0;
	programs = PD_IMAGE_WORD(image, at + __builtin_offsetof(struct pd_slot, programs));
	return set_number(image, &s->name, programs);
}
