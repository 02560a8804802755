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
#include "policyd/control/feed.h"

#define RETRY_MS 20	  /* while a container's runtime has not written yet what it will */
#define RETRY_SLOW_MS 250 /* when that takes longer than usual */
#define USUAL_NS 2000000000ull
#define SCAN_MS 5000 /* containers and tasks in them that execute nothing are found so */
#define ROUNDS_MAX 8 /* of releasing what binding has made releasable */

/* ---- the table ------------------------------------------------------------------------------- */

static struct known **bucket_of(struct containers *all, uint64_t id)
{
	return &all->by_id[(id ^ id >> 32) % KNOWN_BUCKETS];
}

struct known *known_find(const struct containers *all, uint64_t id)
{
	struct known *known = *bucket_of((struct containers *)all, id);

	while (known && known->facts.cgroup_id != id)
		known = known->next;
	return known;
}

static void known_free(struct known *known)
{
	container_done(&known->facts);
	free(known->path);
	free(known->policies);
	free(known);
}

static void unlink_from(struct known **at, struct known *known, bool by_name)
{
	while (*at && *at != known)
		at = by_name ? &(*at)->next_name : &(*at)->next;
	if (*at)
		*at = by_name ? known->next_name : known->next;
}

static const char *last_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static struct known **bucket_by_name(struct containers *all, int watch, const char *name)
{
	unsigned int hash = (unsigned int)watch;

	while (*name)
		hash = hash * 31 + (unsigned char)*name++;
	return &all->by_name[hash % KNOWN_BUCKETS];
}

static void stop_watching(struct containers *all, struct watched *watched)
{
	struct watched **at = &all->watched[(unsigned int)watched->number % KNOWN_BUCKETS];

	if (--watched->users)
		return;
	while (*at != watched)
		at = &(*at)->next;
	*at = watched->next;
	inotify_rm_watch(all->inotify, watched->number);
	free(watched);
}

/* The directory above this one; the kernel gives it the same number each time. NULL: it is gone, or no memory */
static struct watched *watch_above(struct containers *all, char *path)
{
	char *slash = strrchr(path, '/');
	struct watched *watched;
	int number;

	*slash = '\0';
	number = inotify_add_watch(all->inotify, path, IN_DELETE | IN_ONLYDIR);
	*slash = '/';
	if (number < 0)
		return NULL;
	watched = all->watched[(unsigned int)number % KNOWN_BUCKETS];
	while (watched && watched->number != number)
		watched = watched->next;
	if (!watched) {
		watched = calloc(1, sizeof(*watched));
		if (!watched) {
			inotify_rm_watch(all->inotify, number);
			return NULL;
		}
		watched->number = number;
		watched->next = all->watched[(unsigned int)number % KNOWN_BUCKETS];
		all->watched[(unsigned int)number % KNOWN_BUCKETS] = watched;
	}
	watched->users++;
	return watched;
}

void known_forget(struct containers *all, struct known *known)
{
	struct known **bucket =
		bucket_by_name(all, known->above->number, last_name(known->facts.cgroup));

	feed_drain(all->daemon->feed);
	enforce_unbind(all->daemon->enforcer, known->facts.cgroup_id);
	unlink_from(bucket_of(all, known->facts.cgroup_id), known, false);
	unlink_from(bucket, known, true);
	stop_watching(all, known->above);
	all->count--;
	known_free(known);
}

int known_path(const char *cgroup, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, CGROUP_ROOT "%s", cgroup);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

struct known *known_add(struct containers *all, struct container *facts, const char *path)
{
	struct known *known = calloc(1, sizeof(*known));
	struct known **bucket;
	char full[PATH_MAX];
	uint64_t id;

	if (!known || known_path(facts->cgroup, full))
		goto failed;
	known->path = strdup(path);
	/* before the number is asked for: else it could be gone unseen */
	known->above = watch_above(all, full);
	if (!known->path || !known->above || cgroup_id(full, &id))
		goto failed;
	known->facts = *facts;
	known->facts.cgroup_id = id;
	*facts = (struct container){ 0 };
	known->since_ns = clock_boot_ns();
	known->next = *bucket_of(all, id);
	*bucket_of(all, id) = known;
	bucket = bucket_by_name(all, known->above->number, last_name(known->facts.cgroup));
	known->next_name = *bucket;
	*bucket = known;
	all->count++;
	return known;
failed:
	if (known && known->above)
		stop_watching(all, known->above);
	if (known)
		known_free(known);
	return NULL;
}

void known_each(struct containers *all, void (*fn)(struct containers *all, struct known *known))
{
	struct known *next;

	for (unsigned int i = 0; i < KNOWN_BUCKETS; i++)
		for (struct known *known = all->by_id[i]; known; known = next) {
			next = known->next;
			fn(all, known);
		}
}

/* ---- meeting --------------------------------------------------------------------------------- */

struct known *known_meet(struct containers *all, const char *path)
{
	struct container facts = { 0 };
	struct pd_error why = { .code = 0 };
	struct known *known;
	char full[PATH_MAX];
	uint64_t id;
	int r = known_look_up(all, path, &facts, &why);

	if (r == -ENODATA || !facts.cgroup || known_path(facts.cgroup, full) ||
	    cgroup_id(full, &id)) {
		container_done(&facts);
		return NULL;
	}
	known = known_find(all, id);
	if (known) {
		container_done(&facts);
		return known;
	}
	known = known_add(all, &facts, path);
	container_done(&facts);
	if (!known)
		return NULL;
	known->why = why;
	known->state = r ? STATE_WAITED_FOR : STATE_KNOWN;
	if (!r && !known_choose(all, known))
		known_bind(all, known);
	return known;
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
};

static void wait_for(struct round *round, uint64_t since_ns)
{
	if (!round->waiting)
		round->patiently = true;
	round->waiting = true;
	if (clock_boot_ns() - since_ns < USUAL_NS)
		round->patiently = false;
}

/* Its cgroup has no path that we could follow, or there is no memory to note it. */
static void meet_stranger(struct round *round, uint64_t cgroup_id)
{
	struct containers *all = round->all;
	struct stranger **at = &all->strangers, *stranger;
	struct pd_error error;

	while (*at && (*at)->cgroup_id != cgroup_id)
		at = &(*at)->next;
	stranger = *at;
	if (!stranger) {
		stranger = calloc(1, sizeof(*stranger));
		if (!stranger) {
			wait_for(round, clock_boot_ns());
			return;
		}
		stranger->cgroup_id = cgroup_id;
		stranger->since_ns = clock_boot_ns();
		*at = stranger;
	}
	wait_for(round, stranger->since_ns);
	if (clock_boot_ns() - stranger->since_ns <
	    all->daemon->config->hold_seconds * 1000000000ull)
		return;
	log_error(
		"cgroup number %llu: somebody is held there, and what it is cannot be told, so it "
		"is refused",
		(unsigned long long)cgroup_id);
	if (enforce_bind(all->daemon->enforcer, cgroup_id, PD_SLOT_UNKNOWN, PD_BINDING_CONTAINER,
			 &error))
		log_error("%s", error.text);
	else
		round->progress = true;
	*at = stranger->next;
	free(stranger);
}

static void on_held(void *context, const struct pd_release *task, const char *cgroup)
{
	struct round *round = context;
	struct known *known;
	uint64_t since;

	if (task->fate != PD_FATE_HELD) {
		send_signal(round->all, (pid_t)task->tgid,
			    task->fate == PD_FATE_DOOMED ? SIGKILL : SIGCONT);
		return;
	}
	known = known_meet(round->all, cgroup);
	if (!known) {
		meet_stranger(round, task->cgroup);
		return;
	}
	known->held = true;
	since = known->since_ns;
	if (known->state == STATE_WAITED_FOR) {
		if (known_ask(round->all, known)) {
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
	if (round.waiting || round.progress)
		loop_timer_arm(all->timer,
			       round.waiting && round.patiently ? RETRY_SLOW_MS : RETRY_MS);
}

/* One that it was not known of in time which policies it has, or that could not be bound to them */
static void expire(struct containers *all, struct known *known)
{
	uint64_t age = clock_boot_ns() - known->since_ns;
	bool refuse = !all->begun || (all->selectors.any_enforced && !all->daemon->rescue);
	char text[ERROR_LINE_MAX] = "it cannot be bound to its policies";

	if ((known->state != STATE_WAITED_FOR && (known->bound || !known->held)) ||
	    known->state == STATE_REFUSED ||
	    age < all->daemon->config->hold_seconds * 1000000000ull)
		return;
	if (known->state == STATE_WAITED_FOR)
		error_render(&known->why, text, sizeof(text));
	else if (!all->begun)
		snprintf(text, sizeof(text), "the policies cannot be loaded");
	known->state = refuse ? STATE_REFUSED : STATE_KNOWN;
	log_error("container %s: after %llu s it is still not known which policies it has (%s), so "
		  "%s; see 'runtimes' in policyd.yaml(5)",
		  known->facts.cgroup, (unsigned long long)all->daemon->config->hold_seconds, text,
		  refuse ? "it is refused" : "no policy is for it");
	known_bind(all, known);
}

static void keep_asking(struct containers *all, struct known *known)
{
	uint64_t age = clock_boot_ns() - known->since_ns;

	if (known->state != STATE_WAITED_FOR)
		return;
	if (known_ask(all, known))
		loop_timer_arm(all->timer, age > USUAL_NS ? RETRY_SLOW_MS : RETRY_MS);
}

/* ---- what the loop calls --------------------------------------------------------------------- */

static void on_timer(void *context, uint32_t events)
{
	struct containers *all = context;

	(void)events;
	known_each(all, expire);
	known_each(all, keep_asking);
	known_settle(all);
}

/* Restored from a checkpoint, moved into the cgroup, or run within another's process: no exec tells of it. */
static void on_scan(void *context, uint32_t events)
{
	struct containers *all = context;

	(void)events;
	known_scan(all);
	known_label(all);
	known_settle(all);
	known_scan_later(all);
}

void known_scan_later(struct containers *all)
{
	loop_timer_arm(all->scan, all->selectors.any ? SCAN_MS : -1);
}

/* One that was not held: its cgroup is to be asked for while it lives. */
static bool meet_by_pid(struct containers *all, pid_t pid)
{
	CLEANUP_FREE char *path = NULL;
	struct known *known;

	if (cgroup_of(pid, &path))
		return false;
	known = known_meet(all, path);
	if (known && known->state == STATE_WAITED_FOR)
		loop_timer_arm(all->timer, RETRY_MS);
	return known && known->slot;
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
		if (note->held)
			held = true;
		else
			label |= meet_by_pid(all, (pid_t)note->tgid);
	}
	ring_commit(all->ring);
	if (held || all->unnumbered)
		known_settle(all);
	if (label)
		known_label(all);
}

static void forget_if_gone(struct containers *all, struct known *known)
{
	char full[PATH_MAX];
	uint64_t id;

	if (known_path(known->facts.cgroup, full) || cgroup_id(full, &id) ||
	    id != known->facts.cgroup_id)
		known_forget(all, known);
}

static void on_deleted(struct containers *all, int watch, const char *name)
{
	struct known *next;

	for (struct known *known = *bucket_by_name(all, watch, name); known; known = next) {
		next = known->next_name;
		if (known->above->number == watch &&
		    strcmp(last_name(known->facts.cgroup), name) == 0)
			forget_if_gone(all, known);
	}
}

static void on_inotify(void *context, uint32_t events)
{
	struct containers *all = context;
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t n;

	(void)events;
	while ((n = read(all->inotify, buffer, sizeof(buffer))) > 0) {
		const struct inotify_event *event;

		for (char *at = buffer; at < buffer + n; at += sizeof(*event) + event->len) {
			event = (const void *)at;
			if (event->mask & IN_Q_OVERFLOW)
				known_each(all, forget_if_gone);
			else if (event->len)
				on_deleted(all, event->wd, event->name);
		}
	}
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
	all->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = all->inotify < 0 ? error_set(error, -errno, "inotify: %s", strerror(errno)) : 0;
	if (!r)
		r = ring_open(holds, 0, &all->ring, error);
	if (!r) {
		r = loop_add(daemon->loop, all->inotify, EPOLLIN, on_inotify, all,
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
	free(all);
}
