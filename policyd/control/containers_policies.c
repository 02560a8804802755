/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which policies are for which container, and what follows from that. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/containers_known.h"
#include "policyd/control/protocol.h"
#include "policyd/policy/glob.h"
#include "policyd/workload/recognise.h"

#define NONSENSE_NS 500000000ull

/* ---- binding --------------------------------------------------------------------------------- */

/* A selector that cannot be answered is said once for a container and a key. */
static void warn_unanswered(void *context, const struct unanswered *what)
{
	struct known *known = context;
	const struct container *c = &known->facts;

	if (known->warned >> what->fact & 1)
		return;
	known->warned |= 1u << what->fact;
	log_warning("container %s: %s does not tell its '%s', which policy '%s' (%s:%u) asks for; "
		    "the entry does not match",
		    c->name ? c->name : c->id, runtime_name(c->runtime), fact_name(what->fact),
		    what->selector->policy, what->selector->file, what->place.line);
}

static int choose(struct containers *all, struct known *known)
{
	const char **names;
	int r = select_policies(&all->selectors, &known->facts, &names, warn_unanswered, known);

	if (r)
		return r;
	free(known->policies);
	known->policies = names;
	return 0;
}

void known_bind(struct containers *all, struct known *known)
{
	const struct store *store = &all->daemon->store;
	struct pd_error error;
	uint32_t slot = 0, flags = PD_BINDING_CONTAINER;

	known->bound = false;
	if (!all->begun && known->state != STATE_REFUSED)
		return;
	if (known->state == STATE_REFUSED)
		slot = PD_SLOT_UNKNOWN;
	else if (known->state == STATE_KNOWN && known->policies[0])
		slot = compile_slot(store->numbering, known->policies);
	if (known->state == STATE_KNOWN && known->policies[0] && !slot) {
		all->unnumbered = true;
		return;
	}
	/* Of one that nobody knows it is not known either. But who has the host's root in a cgroup that anybody may
	 * make is not held, and somebody else in it is no reason to refuse them. */
	if (known->facts.host_root ||
	    (known->state == STATE_REFUSED && known->facts.runtime != RUNTIME_NONE))
		flags |= PD_BINDING_HOST_ROOT;
	/* What is ignored, or was let go, is none: containers may be in it. */
	if (known->state != STATE_REFUSED && known->facts.runtime == RUNTIME_NONE)
		flags |= PD_BINDING_ITSELF;
	if (known_is_reusable(known))
		flags |= PD_BINDING_REUSED;
	known->slot = slot;
	if (!all->looking_up)
		enforce_watch(all->daemon->enforcer, known->facts.cgroup_id);
	if (enforce_bind(all->daemon->enforcer, known->facts.cgroup_id, slot, flags, &error))
		log_error("container %s: %s", known->facts.cgroup, error.text);
	else
		known->bound = true;
	/* Of a cgroup that was empty before nobody tells that it is. */
	if (flags & PD_BINDING_REUSED &&
	    (enforce_watch_saw(all->daemon->enforcer) || known_is_left(known)))
		enforce_set_emptied(all->daemon->enforcer, known->facts.cgroup_id);
	/* Who runs in one that was held is its runtime, on its way to the first program: no sweep is to meet that. */
	if (known->state == STATE_REFUSED || all->daemon->config->on_unknown == PD_UNKNOWN_ALLOW)
		all->unswept |= slot != 0;
}

int known_decide(struct containers *all, struct known *known)
{
	int r = choose(all, known);

	if (r) {
		known->state = STATE_WAITED_FOR;
		return error_set(&known->why, r, "out of memory");
	}
	known->state = STATE_KNOWN;
	known_bind(all, known);
	return 0;
}

/* What was told, and not until then, counts. */
static int learn(struct containers *all, struct known *known, struct container *facts)
{
	uint64_t id = known->facts.cgroup_id;
	int r;

	container_done(&known->facts);
	known->facts = *facts;
	known->facts.cgroup_id = id;
	*facts = (struct container){ 0 };
	r = known_decide(all, known);
	if (r)
		return r;
	log_debug("container %s is %s's %s, image %s", known->facts.cgroup,
		  runtime_name(known->facts.runtime),
		  known->facts.name ? known->facts.name : known->facts.id,
		  known->facts.image ? known->facts.image : "unknown");
	return 0;
}

/* Below a directory of others' everything is called as they like. */
static int be_foreign(const char *path, struct container *ret, struct pd_error *error)
{
	struct recognised known;

	container_done(ret);
	if (!recognise(path, &known))
		return error_set(error, -ENODATA, "%s: no container's cgroup", path);
	ret->cgroup = strndup(path, known.length);
	ret->id = ret->cgroup ? strdup(strrchr(ret->cgroup, '/') + 1) : NULL;
	if (!ret->id)
		return error_set(error, -ENOMEM, "out of memory");
	return error_set(error, -EPERM,
			 "not only root may make cgroups where it is, so its name says nothing");
}

bool known_begin_look_up(struct containers *all, const char *path)
{
	char full[PATH_MAX];
	uint64_t id = 0;

	if (all->looking_up)
		return false;
	/* Whoever empties the container's empties this one. 0: it is gone */
	if (known_path(path, full) || cgroup_id(full, &id))
		id = 0;
	enforce_watch(all->daemon->enforcer, id);
	all->looking_up = true;
	return true;
}

int known_look_up(struct containers *all, const char *path, struct container *ret,
		  struct pd_error *error)
{
	size_t part = cgroup_roots_part(path);
	CLEANUP_FREE char *roots = strndup(path, part);
	int r = !roots ? -ENOMEM : part ? 0 : -ENODATA;
	bool nobodys;

	if (!r)
		r = metadata_find(&all->daemon->config->runtimes, roots, ret, error);
	nobodys = r == -ENODATA || (r == -ENOENT && ret->runtime == RUNTIME_NONE);
	if (nobodys && path[part])
		r = be_foreign(path, ret, error);
	if (!nobodys || r == -ENODATA || !ret->cgroup)
		return r;
	for (char **glob = all->daemon->config->ignore_cgroups; *glob; glob++)
		if (glob_match_name(*glob, strlen(*glob), path, strlen(path), GLOB_BELOW) == 1) {
			/* a container without a name, which only cgroup: selects */
			ret->host_root = true;
			return 0;
		}
	return r;
}

static int ask(struct containers *all, struct known *known, uint64_t now)
{
	struct container facts = { 0 };
	int r = known_look_up(all, known->path, &facts, &known->why);

	if (r && r != -ENOENT && r != -EAGAIN)
		known->again_ns = now + NONSENSE_NS;
	if (!r && strcmp(facts.cgroup, known->facts.cgroup) != 0) {
		/* It stood for itself, and is a part of one that begins above it. */
		const struct known *other = known_meet(all, known->path);

		r = other && other != known ? 0 : -EAGAIN;
		if (!r)
			known_forget(all, known);
	} else if (!r) {
		r = learn(all, known, &facts);
	}
	container_done(&facts);
	return r;
}

int known_ask(struct containers *all, struct known *known)
{
	uint64_t now = clock_boot_ns();
	bool outermost;
	int r;

	if (now < known->again_ns)
		return -EAGAIN;
	outermost = known_begin_look_up(all, known->path);
	r = ask(all, known, now);
	if (outermost)
		all->looking_up = false;
	return r;
}

void known_label(struct containers *all)
{
	all->unswept = false;
	daemon_sweep_again(all->daemon);
	containers_scan_later(all);
}

/* Its runtime has not written a state yet, but says by the hook what will be in it. */
static int learn_from_hook(struct containers *all, struct known *known, const char *id,
			   const char *bundle, struct pd_error *error)
{
	struct container facts = { .cgroup = strdup(known->facts.cgroup) };
	int r = facts.cgroup ? metadata_from_hook(&all->daemon->config->runtimes, id, bundle,
						  &facts, error) :
			       -ENOMEM;

	/* Of the one before, that it has begun is no more true. */
	if (!r && known->state == STATE_KNOWN)
		enforce_begin_anew(all->daemon->enforcer, known->facts.cgroup_id);
	if (!r)
		r = learn(all, known, &facts);
	container_done(&facts);
	return r;
}

/* Nothing tells of it but its bundle. */
static bool is_bare(const struct known *known)
{
	return !known->foreign && known_is_reusable(known);
}

/* A cgroup that is used again may be known as the one before: by a file that was left over. While anybody else is in
 * it, it is the other's; and so is a cgroup within the other's. */
static bool may_be_another(const struct known *known, pid_t pid, const char *path, uint64_t asked)
{
	char full[PATH_MAX];

	return strcmp(path, known->facts.cgroup) == 0 && !known_path(path, full) &&
	       ((known->succeeds && known->since_ns >= asked) || cgroup_is_alone(full, pid));
}

/* The container that a cgroup above this one is known to belong to; NULL: none */
static const struct known *known_above(const struct containers *all, const char *path)
{
	char full[PATH_MAX];
	uint64_t id;

	if (known_path(path, full))
		return NULL;
	for (char *slash; (slash = strrchr(full, '/')) > full + sizeof(CGROUP_ROOT) - 1;) {
		const struct known *known;

		*slash = '\0';
		known = cgroup_id(full, &id) ? NULL : known_find(all, id);
		if (known && known->state == STATE_KNOWN && known->facts.runtime != RUNTIME_NONE)
			return known;
	}
	return NULL;
}

/* The outermost container counts, whatever a hook says of one within. */
static int refuse_within(const struct known *known, const struct known *above,
			 struct pd_error *error)
{
	struct pd_error why = known->why;

	return error_set(error, -EEXIST,
			 "its cgroup %s is in that of container %s, and the runtime's files do "
			 "not tell whose it is: %s",
			 known->facts.cgroup, above->facts.id, why.text);
}

/* An engine knows more of it than its bundle does, and has written that or is about to. *known is NULL or another
 * one after a failure. */
static int ask_for_hook(struct containers *all, struct known **known, const char *path,
			struct pd_error *error)
{
	(*known)->again_ns = 0;
	if (known_ask(all, *known))
		return error_set(error, -EAGAIN, "it is not known yet what it is: %s",
				 (*known)->why.text);
	*known = known_meet(all, path); /* it may be another's part */
	return *known && (*known)->state == STATE_KNOWN ?
		       0 :
		       error_set(error, -EAGAIN, "it is not known yet what it is");
}

int containers_bind(struct containers *all, pid_t pid, const char *id, const char *bundle,
		    json_t *reply, struct pd_error *error)
{
	CLEANUP_FREE char *path = NULL;
	uint64_t cgroup, asked = clock_boot_ns();
	const struct known *above;
	struct known *known;
	json_t *policies;
	int r = cgroup_of(pid, &path);

	if (r)
		return error_set(error, -ESRCH, "process %d: %s", (int)pid, strerror(-r));
	known = known_meet(all, path);
	if (!known)
		return error_set(error, -ENODATA, "process %d is in no container's cgroup (%s)",
				 (int)pid, path);
	above = known->state == STATE_KNOWN ? NULL : known_above(all, path);
	if (is_bare(known) && above)
		r = refuse_within(known, above, error);
	else if (is_bare(known) && may_be_another(known, pid, path, asked))
		r = learn_from_hook(all, known, id, bundle, error);
	else if (known->state != STATE_KNOWN)
		r = ask_for_hook(all, &known, path, error);
	if (r)
		return r;
	if (!all->begun)
		return error_set(error, -ESTALE,
				 "the policies cannot be loaded; see 'policyctl status'");
	cgroup = known->facts.cgroup_id;
	if (all->unnumbered)
		r = daemon_apply(all->daemon, NULL, true, NULL, error);
	if (!r && all->unnumbered)
		r = error_set(error, -EAGAIN, "its policies have no number");
	if (r)
		return r;
	known = known_find(all, cgroup); /* who applies them may have forgotten it */
	if (!known || known->state != STATE_KNOWN || !known->bound)
		return error_set(error, -EIO, "it cannot be bound; see policyd's log");
	policies = json_array();
	for (const char **name = known->policies; name && *name; name++)
		json_array_append_new(policies, json_text(*name));
	json_object_set_new(reply, "policies", policies);
	if (known->facts.name)
		json_object_set_new(reply, "name", json_text(known->facts.name));
	return 0;
}

/* ---- policies -------------------------------------------------------------------------------- */

int containers_prepare(struct containers *all, const struct policy_list *policies)
{
	selectors_done(&all->prepared);
	for (size_t i = 0; i < policies->count; i++)
		if (policies->items[i]->mode != POLICY_DISABLED &&
		    selectors_add(&all->prepared, policies->items[i])) {
			selectors_done(&all->prepared);
			return -ENOMEM;
		}
	return 0;
}

int containers_sets(const struct containers *all, const char *const **ret_sets[], size_t *ret_count)
{
	const char *const **sets = calloc(all->count + 1, sizeof(*sets));
	size_t used = 0;
	int r = 0;

	if (!sets)
		return -ENOMEM;
	for (unsigned int i = 0; !r && i < KNOWN_BUCKETS; i++)
		for (const struct known *known = all->by_id[i]; !r && known; known = known->next) {
			const char **names;

			if (known->state != STATE_KNOWN)
				continue;
			r = select_policies(&all->prepared, &known->facts, &names, NULL, NULL);
			if (!r && names[0])
				sets[used++] = (const char *const *)names;
			else if (!r)
				free(names);
		}
	if (r) {
		containers_sets_free(sets, used);
		return r;
	}
	*ret_sets = sets;
	*ret_count = used;
	return 0;
}

void containers_sets_free(const char *const **sets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)sets[i]);
	free(sets);
}

static void rebind(struct containers *all, struct known *known)
{
	if (known->state == STATE_KNOWN) {
		if (known_decide(all, known)) {
			log_error("container %s: out of memory; it is asked about anew",
				  known->facts.cgroup);
			known_await(all);
		}
		return;
	}
	/* Who was let go is held again. */
	if (known->state == STATE_LET_GO) {
		enforce_unbind(all->daemon->enforcer, known->facts.cgroup_id);
		if (known_is_reusable(known))
			enforce_bind_pending(all->daemon->enforcer, known->facts.cgroup_id);
	}
	known->state = STATE_WAITED_FOR;
	known->bound = false;
	known->since_ns = clock_boot_ns();
	known->again_ns = 0;
	if (known_ask(all, known))
		known_await(all);
}

static void lose_policies(struct containers *all, struct known *known)
{
	(void)all;
	free(known->policies); /* the names are the selectors' */
	known->policies = NULL;
}

/* While no policy was in force it was not noticed when cgroups were left. */
static void forget_unnoticed(struct containers *all, struct known *known)
{
	if (known_is_reusable(known))
		known_forget(all, known);
}

void containers_commit(struct containers *all)
{
	if (!all->noticed)
		known_each(all, forget_unnoticed);
	all->noticed = enforce_notices(all->daemon->enforcer);
	known_each(all, lose_policies);
	selectors_done(&all->selectors);
	all->selectors = all->prepared;
	all->prepared = (struct selectors){ 0 };
	all->unnumbered = false;
	all->begun = true;
	/* While nobody asked for containers, nobody told of them. */
	if (all->selectors.any)
		known_scan(all);
	known_each(all, rebind);
	if (all->count)
		known_label(all);
	known_settle(all);
	containers_scan_later(all);
}
