/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/containers_known.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policyd/audit/ring.h"
#include "policyd/base/cgroup.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"

#define RETRY_MS 20	  /* while a container's runtime has not written yet what it will */
#define RETRY_SLOW_MS 250 /* when that takes longer than usual */
#define USUAL_NS 2000000000ull
#define SCAN_MS 5000 /* containers and tasks in them that execute nothing are found so */
#define STRANGERS_MAX 1024u
#define ROUNDS_MAX 8 /* of releasing what binding has made releasable */

/* ---- meeting --------------------------------------------------------------------------------- */

void known_await(struct containers *all)
{
	if (!all->awaited)
		loop_timer_arm(all->timer, RETRY_MS);
	all->awaited = true;
}

/* Who is known to be in a cgroup, or is from now on. */
static struct known *meet(struct containers *all, struct container *facts, const char *path, int r,
			  const struct pd_error *why, bool may_forget)
{
	struct known *known;
	char full[PATH_MAX];
	bool succeeds = false;
	uint64_t id;

	if (r == -ENODATA || !facts->cgroup || known_path(facts->cgroup, full) ||
	    cgroup_id(full, &id))
		return NULL;
	known = known_find(all, id);
	if (may_forget && enforce_is_emptied(all->daemon->enforcer, id)) {
		succeeds = known;
		if (known)
			known_forget(all, known);
		else
			enforce_unbind(all->daemon->enforcer, id);
		known = NULL;
	}
	if (known)
		return known;
	known = known_add(all, facts, path);
	if (!known)
		return NULL;
	known->succeeds = succeeds;
	if (known_is_reusable(known))
		enforce_bind_pending(all->daemon->enforcer, id);
	known->why = *why;
	known->state = STATE_WAITED_FOR;
	if (r || known_decide(all, known))
		known_await(all);
	return known;
}

struct known *known_meet(struct containers *all, const char *path)
{
	struct container facts = { 0 };
	struct pd_error why = { .code = 0 };
	struct known *known;
	bool outermost = known_begin_look_up(all, path);
	int r = known_look_up(all, path, &facts, &why);

	/* From within, who called may still hold on to what is known. */
	known = meet(all, &facts, path, r, &why, outermost);
	if (outermost)
		all->looking_up = false;
	container_done(&facts);
	return known;
}

/* ---- what is told ---------------------------------------------------------------------------- */

/* Users can have containers refused as fast as they like. */
#define TOLD_MAX 20u
#define TOLD_NS 10000000000ull

static void tell_untold(struct containers *all)
{
	if (clock_boot_ns() - all->told_since_ns < TOLD_NS)
		return;
	if (all->untold)
		log_error("%u more containers like these; see policyctl ps", all->untold);
	all->told_since_ns = clock_boot_ns();
	all->told = all->untold = 0;
}

static bool may_tell(struct containers *all)
{
	tell_untold(all);
	if (all->told < TOLD_MAX) {
		all->told++;
		return true;
	}
	all->untold++;
	return false;
}

/* ---- releasing ------------------------------------------------------------------------------- */

static void send_signal(const struct containers *all, pid_t pid, int number)
{
	CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	/* It may have ended, and another have its number: that one is not to be killed. */
	if (pidfd < 0 || (number == SIGKILL && !enforce_is_doomed(all->daemon->enforcer, pidfd)))
		return;
	if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) && errno != ESRCH)
		log_error("process %d: cannot be sent signal %d: %s", (int)pid, number,
			  strerror(errno));
}

struct round {
	struct containers *all;
	bool progress;
	bool waiting, patiently; /* for one at least; for none that has just begun */
	bool freed;		 /* somebody: until he is seen to run, a stop is taken for ours */
};

static void wait_for(struct round *round, uint64_t since_ns)
{
	if (!round->waiting)
		round->patiently = true;
	round->waiting = true;
	if (clock_boot_ns() - since_ns < USUAL_NS)
		round->patiently = false;
}

static struct stranger *find_stranger(struct containers *all, uint64_t cgroup_id)
{
	struct stranger *stranger = all->strangers;

	while (stranger && stranger->cgroup_id != cgroup_id)
		stranger = stranger->next;
	if (stranger)
		return stranger;
	if (all->stranger_count < STRANGERS_MAX)
		stranger = calloc(1, sizeof(*stranger));
	if (!stranger) {
		if (!all->crowded)
			log_error("more than %u cgroups of which nothing can be told, or no memory "
				  "to "
				  "note them: who is held in others stays held until some are gone",
				  STRANGERS_MAX);
		all->crowded = true;
		return NULL;
	}
	stranger->cgroup_id = cgroup_id;
	stranger->since_ns = clock_boot_ns();
	stranger->next = all->strangers;
	all->strangers = stranger;
	all->stranger_count++;
	return stranger;
}

/* Its cgroup has no path that we could follow, there is no memory to note it, or too many are noted. */
static void meet_stranger(struct round *round, uint64_t cgroup_id)
{
	struct containers *all = round->all;
	struct stranger *stranger = find_stranger(all, cgroup_id);
	struct pd_error error;

	wait_for(round, stranger ? stranger->since_ns : 0);
	if (!stranger)
		return;
	stranger->seen = true;
	if (stranger->bound || clock_boot_ns() - stranger->since_ns <
				       all->daemon->config->hold_seconds * 1000000000ull)
		return;
	if (may_tell(all))
		log_error("cgroup number %llu: somebody is held there, and what it is "
			  "cannot be told, so it is refused",
			  (unsigned long long)cgroup_id);
	if (enforce_bind(all->daemon->enforcer, cgroup_id, PD_SLOT_UNKNOWN,
			 PD_BINDING_CONTAINER | PD_BINDING_HOST_ROOT, &error)) {
		log_error("%s", error.text);
		return;
	}
	stranger->bound = true;
	round->progress = true;
}

static void forget_strangers(struct containers *all)
{
	all->crowded = false;
	for (struct stranger **at = &all->strangers, *stranger = *at; stranger; stranger = *at) {
		if (stranger->seen) {
			stranger->seen = false;
			at = &stranger->next;
			continue;
		}
		/* It may have become known since, and been bound as that. */
		if (stranger->bound && !known_find(all, stranger->cgroup_id))
			enforce_unbind(all->daemon->enforcer, stranger->cgroup_id);
		*at = stranger->next;
		free(stranger);
		all->stranger_count--;
	}
}

/* Users may have thousands wait in cgroups of theirs, of which nothing is known: that is not looked up for each anew. */
static struct known *meet_held(struct containers *all, const struct pd_release *task,
			       const char *cgroup)
{
	struct known *known = known_find(all, task->cgroup);
	uint64_t now = clock_boot_ns();

	if (known && known->foreign && known->state == STATE_WAITED_FOR && now < known->again_ns)
		return known;
	known = known_meet(all, cgroup);
	if (known && known->foreign && known->state == STATE_WAITED_FOR)
		known->again_ns = now + RETRY_SLOW_MS * 1000000ull;
	return known;
}

static void on_held(void *context, const struct pd_release *task, const char *cgroup)
{
	struct round *round = context;
	struct known *known;
	uint64_t since;

	if (task->fate != PD_FATE_HELD) {
		round->freed |= task->fate == PD_FATE_FREED;
		send_signal(round->all, (pid_t)task->tgid,
			    task->fate == PD_FATE_DOOMED ? SIGKILL : SIGCONT);
		return;
	}
	known = meet_held(round->all, task, cgroup);
	if (!known) {
		meet_stranger(round, task->cgroup);
		return;
	}
	known->held = true;
	since = known->since_ns;
	if (known->state == STATE_WAITED_FOR) {
		if (known->foreign || known_ask(round->all, known)) {
			wait_for(round, since);
			return;
		}
		known = known_meet(round->all, cgroup); /* it may be another's part */
	} else if (!known->bound) {
		known_bind(round->all, known);
	}
	if (known && known->bound)
		round->progress = true;
	else
		wait_for(round, since);
}

static void clear_held(struct containers *all, struct known *known)
{
	(void)all;
	known->held = false;
}

static void settle_later(struct containers *all, const struct round *round)
{
	uint64_t now = clock_boot_ns();
	bool soon = round->progress || (round->waiting && !round->patiently);

	/* Or he stops himself, for as long as he likes. */
	if (!round->freed)
		all->freed_since_ns = 0;
	else if (!all->freed_since_ns)
		all->freed_since_ns = now;
	soon |= round->freed && now - all->freed_since_ns < USUAL_NS;
	if (soon || round->waiting || round->freed)
		loop_timer_arm(all->timer, soon ? RETRY_MS : RETRY_SLOW_MS);
}

void known_settle(struct containers *all)
{
	struct round round = { .all = all, .progress = true };
	struct pd_error error;
	char text[ERROR_LINE_MAX];
	bool recompiled = false;

	if (all->settling)
		return;
	all->settling = true;
	for (int i = 0; i < ROUNDS_MAX && round.progress; i++) {
		round.progress = round.waiting = round.patiently = false;
		known_each(all, clear_held);
		if (enforce_release(all->daemon->enforcer, on_held, &round, &error)) {
			log_error("%s; held containers stay held",
				  error_render(&error, text, sizeof(text)));
			wait_for(&round, clock_boot_ns());
			break;
		}
		if (all->unnumbered && !recompiled) {
			recompiled = true;
			all->unnumbered = false;
			if (daemon_apply(all->daemon, NULL, true, NULL, &error))
				log_error("%s; a container waits for its policies",
					  error_render(&error, text, sizeof(text)));
			else
				round.progress = true;
		}
	}
	all->settling = false;
	settle_later(all, &round);
}

/* One that it was not known of in time which policies it has, or that could not be bound to them */
static void expire(struct containers *all, struct known *known)
{
	uint64_t age = clock_boot_ns() - known->since_ns;
	bool refuse = !all->begun || (all->selectors.any_enforced && !all->daemon->rescue);
	char text[ERROR_LINE_MAX] = "it cannot be bound to its policies";

	/* Who is in it now has not been waited for yet. */
	if (known->state == STATE_WAITED_FOR &&
	    enforce_is_emptied(all->daemon->enforcer, known->facts.cgroup_id))
		return;
	if (known->state == STATE_REFUSED || known->state == STATE_LET_GO ||
	    (known->state == STATE_KNOWN && (known->bound || !known->held)) ||
	    age < all->daemon->config->hold_seconds * 1000000000ull)
		return;
	if (known->state == STATE_WAITED_FOR)
		error_render(&known->why, text, sizeof(text));
	else if (!all->begun)
		snprintf(text, sizeof(text), "the policies cannot be loaded");
	known->state = refuse ? STATE_REFUSED : STATE_LET_GO;
	if (may_tell(all))
		log_error("container %s: after %llu s it is still not known which policies "
			  "it has (%s), so %s; see 'runtimes' in policyd.yaml(5)",
			  known->facts.cgroup,
			  (unsigned long long)all->daemon->config->hold_seconds, text,
			  refuse ? "it is refused" : "no policy is for it");
	known_bind(all, known);
}

static void keep_asking(struct containers *all, struct known *known)
{
	uint64_t age = clock_boot_ns() - known->since_ns;

	if (known->state != STATE_WAITED_FOR)
		return;
	/* Who made the cgroup does not change. */
	if (known->foreign || known_ask(all, known))
		loop_timer_arm(all->timer, age > USUAL_NS ? RETRY_SLOW_MS : RETRY_MS);
}

/* ---- what the loop calls --------------------------------------------------------------------- */

static void on_timer(void *context, uint32_t events)
{
	struct containers *all = context;

	(void)events;
	all->awaited = false;
	/* In this order: policyd may have been stopped since it asked, or the machine. */
	known_each(all, keep_asking);
	known_each(all, expire);
	known_settle(all);
	if (all->unswept)
		known_label(all);
}

/* What others can make more and more of is kept only while somebody is in it. So is a cgroup whose name says nothing of
 * the container: another may follow in it, or has. */
static void tidy(struct containers *all, struct known *known)
{
	char full[PATH_MAX];

	if (known_is_left(known) ||
	    enforce_is_emptied(all->daemon->enforcer, known->facts.cgroup_id) ||
	    (known->state != STATE_WAITED_FOR && known->foreign &&
	     !known_path(known->facts.cgroup, full) && cgroup_populated(full) == 0))
		known_forget(all, known); /* and met again, if somebody is in it */
	else
		known_forget_if_gone(all, known);
}

/* Restored from a checkpoint, moved into the cgroup, or run within another's process: no exec tells of it. */
static void on_scan(void *context, uint32_t events)
{
	struct containers *all = context;

	(void)events;
	all->scanning = false;
	if (all->selectors.any) {
		known_each(all, tidy);
		forget_strangers(all);
		known_scan(all);
	}
	known_label(all);
	known_settle(all);
	tell_untold(all);
	containers_scan_later(all);
}

void containers_scan_later(struct containers *all)
{
	bool more = all->selectors.any || enforce_sweep_unfinished(all->daemon->enforcer);

	/* Whoever has policies applied again and again does not put it off. */
	if (more != all->scanning)
		loop_timer_arm(all->scan, more ? SCAN_MS : -1);
	all->scanning = more;
}

/* One that was not held: its cgroup is to be asked for while it lives. */
static bool meet_by_pid(struct containers *all, pid_t pid)
{
	CLEANUP_FREE char *path = NULL;
	struct known *known;

	if (cgroup_of(pid, &path))
		return false;
	known = known_meet(all, path);
	return known && known->slot;
}

/* If somebody is in it again, that is looked at when he executes something, or in the next look. */
static void forget_left(struct containers *all, uint64_t cgroup_id)
{
	struct known *known = known_find(all, cgroup_id);

	if (known && known_is_left(known))
		known_forget(all, known);
}

static void on_ring(void *context, uint32_t events)
{
	struct containers *all = context;
	struct ring_record record;
	bool held = false, label = false;

	(void)events;
	while (ring_next(all->ring, &record)) {
		const struct pd_hold *note = record.data;

		if (record.length < sizeof(*note))
			continue;
		if (note->what == PD_NOTE_HELD)
			held = true;
		else if (note->what == PD_NOTE_EMPTIED)
			forget_left(all, note->cgroup);
		else
			label |= meet_by_pid(all, (pid_t)note->tgid);
	}
	ring_commit(all->ring);
	if (held || all->unnumbered)
		known_settle(all);
	if (label)
		known_label(all);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

int containers_new(struct daemon *daemon, struct containers **ret_containers,
		   struct pd_error *error)
{
	struct containers *all = calloc(1, sizeof(*all));
	int r, holds = enforce_holds_fd(daemon->enforcer);

	if (!all)
		return error_set(error, -ENOMEM, "out of memory");
	all->daemon = daemon;
	all->noticed = enforce_image(daemon->enforcer); /* by the programs that it is from */
	all->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = all->inotify < 0 ? error_set(error, -errno, "inotify: %s", strerror(errno)) : 0;
	if (!r)
		r = ring_open(holds, 0, &all->ring, error);
	if (!r) {
		r = loop_add(daemon->loop, all->inotify, EPOLLIN, known_on_inotify, all,
			     &all->inotify_source);
		if (!r)
			r = loop_add(daemon->loop, holds, EPOLLIN, on_ring, all, &all->ring_source);
		if (!r)
			r = loop_timer_new(daemon->loop, on_timer, all, &all->timer);
		if (!r)
			r = loop_timer_new(daemon->loop, on_scan, all, &all->scan);
		if (r)
			error_set(error, r, "epoll: %s", strerror(-r));
	}
	if (r) {
		containers_free(all);
		return r;
	}
	*ret_containers = all;
	return 0;
}

static void free_known(struct containers *all, struct known *known)
{
	(void)all;
	known_free(known);
}

void containers_free(struct containers *all)
{
	if (!all)
		return;
	known_each(all, free_known);
	for (struct stranger *next, *stranger = all->strangers; stranger; stranger = next) {
		next = stranger->next;
		free(stranger);
	}
	for (unsigned int i = 0; i < KNOWN_BUCKETS; i++)
		for (struct watched *next, *watched = all->watched[i]; watched; watched = next) {
			next = watched->next;
			free(watched);
		}
	loop_remove(all->ring_source);
	loop_remove(all->inotify_source);
	loop_timer_free(all->timer);
	loop_timer_free(all->scan);
	if (all->ring)
		ring_close(all->ring);
	fd_close(all->inotify);
	selectors_done(&all->selectors);
	selectors_done(&all->prepared);
	metadata_forget_caches();
	free(all);
}
