/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The containers that are known of, by the number of their cgroup and, for its end, by where it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/control/containers_known.h"
#include "policyd/control/feed.h"

#define FOREIGN_MAX 1024u /* whoever has cgroups of their own may make many */

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

void known_free(struct known *known)
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
	/* Without IN_MASK_ADD the kernel empties the mask of a watch that is there before it sets it again, and
	 * what happens between the two is not told: of 300,000 directories that came and went, 800. */
	number = inotify_add_watch(all->inotify, path, IN_DELETE | IN_ONLYDIR | IN_MASK_ADD);
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
	all->foreign -= known->foreign;
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
	known->foreign = cgroup_is_roots(full) == 0;
	if (known->foreign && all->foreign >= FOREIGN_MAX)
		goto failed;
	all->foreign += known->foreign;
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

/* ---- their end ------------------------------------------------------------------------------- */

bool known_is_reusable(const struct known *known)
{
	enum runtime runtime = known->facts.runtime;

	return runtime == RUNTIME_NONE || runtime == RUNTIME_CRUN || runtime == RUNTIME_RUNC;
}

bool known_is_left(const struct known *known)
{
	char full[PATH_MAX];

	return known_is_reusable(known) && !known_path(known->facts.cgroup, full) &&
	       cgroup_populated(full) == 0;
}

void known_forget_if_gone(struct containers *all, struct known *known)
{
	char full[PATH_MAX];
	uint64_t id;
	int r = known_path(known->facts.cgroup, full);

	if (!r)
		r = cgroup_id(full, &id);
	if (r == -ENOENT || (!r && id != known->facts.cgroup_id))
		known_forget(all, known);
}

static void on_deleted(struct containers *all, int watch, const char *name)
{
	struct known *next;

	for (struct known *known = *bucket_by_name(all, watch, name); known; known = next) {
		next = known->next_name;
		if (known->above->number == watch &&
		    strcmp(last_name(known->facts.cgroup), name) == 0)
			known_forget_if_gone(all, known);
	}
}

void known_on_inotify(void *context, uint32_t events)
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
				known_each(all, known_forget_if_gone);
			else if (event->len)
				on_deleted(all, event->wd, event->name);
		}
	}
}
