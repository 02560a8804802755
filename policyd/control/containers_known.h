/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct containers, for the files containers*.c. */
#ifndef PD_CONTROL_CONTAINERS_KNOWN_H
#define PD_CONTROL_CONTAINERS_KNOWN_H

#include <limits.h>

#include "policyd/control/containers.h"

#define KNOWN_BUCKETS 1024u
enum state {
	STATE_WAITED_FOR, /* its runtime has yet to tell, or will not */
	STATE_KNOWN,
	STATE_REFUSED, /* it was waited for too long */
	STATE_LET_GO, /* the same, when there was nothing to be enforced: asked for again when there is */
};

/* A cgroup that is watched because containers are in it: the kernel tells of a cgroup's end only where it was. */
struct watched {
	struct watched *next;
	int number;
	size_t users;
};

struct known {
	struct known *next;	 /* of the same bucket, by cgroup id */
	struct known *next_name; /* of the same bucket, by watch and name */
	struct container facts;
	char *path; /* of the cgroup of the task by which it was found */
	enum state state;
	bool bound; /* as its state and policies want it */
	bool foreign; /* others than root may make cgroups where it is, and call them what they like */
	uint64_t since_ns;
	struct pd_error why; /* it is not known */
	uint64_t again_ns; /* not to be asked for before: what it is made no sense, and takes time to read */
	struct watched *above; /* the cgroup that it is in */
	uint32_t slot;
	const char **policies; /* NULL-terminated, the selectors'; NULL: not asked yet */
	bool held;	       /* somebody is, as the last round found */
	uint64_t denials;
	unsigned int warned; /* bit n: that enum fact n is not told */
	bool succeeds;	     /* somebody else was in its cgroup before, and was known */
};

/* A cgroup in which somebody is held, and of which nothing can be told. */
struct stranger {
	struct stranger *next;
	uint64_t cgroup_id, since_ns;
	bool bound; /* to nothing but refusals */
	bool seen;  /* since the last look through the cgroups */
};

struct containers {
	struct daemon *daemon;
	struct known *by_id[KNOWN_BUCKETS], *by_name[KNOWN_BUCKETS];
	struct watched *watched[KNOWN_BUCKETS]; /* by number */
	size_t count, foreign;			/* all; of these, those that are foreign */
	struct selectors selectors, prepared;
	struct ring *ring;
	struct source *ring_source, *inotify_source;
	struct timer *timer;
	bool awaited;	    /* it is armed because somebody is waited for */
	struct timer *scan; /* while policies ask for containers */
	int inotify;
	struct stranger *strangers;
	size_t stranger_count;
	bool crowded; /* there are too many of them, which has been said since the last look */
	bool begun;   /* policies are in force that we know: until then what is bound stays so */
	uint64_t freed_since_ns; /* somebody who was let go has been seen stopped in each round; 0: not in the last */
	bool scanning; /* scan is armed */
	bool noticed;  /* that cgroups were left has been, since the last change of policies */
	unsigned int foreign_looks; /* at users' cgroups, in this look through all */
	bool settling;		    /* not to be entered again from within */
	bool looking_up;	    /* enforce_watch() is at work for what is being looked up */
	bool unnumbered;	    /* the policies of one of them have no slot yet */
	bool unswept;		    /* one of them is bound since tasks were last labelled */
	uint64_t told_since_ns;	    /* refusals are counted since then: */
	unsigned int told, untold;  /* in the log, and not, as there were too many */
};

/* containers_table.c */

/** known_each() - calls @fn for everybody; it may forget the one it is given */
void known_each(struct containers *all, void (*fn)(struct containers *all, struct known *known));

/** known_find() - by the number of its cgroup; NULL: none */
struct known *known_find(const struct containers *all, uint64_t id);

/** known_path() - of a cgroup's directory. 0 or -ENAMETOOLONG */
int known_path(const char *cgroup, char path[static PATH_MAX]);

/**
 * known_add() - an entry for the cgroup of @facts, whose contents it takes over
 * @path: of the cgroup by which it was found
 *
 * NULL, and @facts stays the caller's: the cgroup is gone, or there is no memory.
 */
struct known *known_add(struct containers *all, struct container *facts, const char *path);

/** known_forget() - and unbind. What it did is told before it is forgotten whose it was. */
void known_forget(struct containers *all, struct known *known);

/** known_forget_if_gone() - is its cgroup no more? */
void known_forget_if_gone(struct containers *all, struct known *known);

/** known_is_reusable() - does the name of its cgroup say nothing of it? */
bool known_is_reusable(const struct known *known);

/** known_is_left() - is nobody in its cgroup, where another container can follow? */
bool known_is_left(const struct known *known);

/** known_free() - the entry alone */
void known_free(struct known *known);

/** known_on_inotify() - what the loop calls when cgroups have ended */
void known_on_inotify(void *context, uint32_t events);

/* containers.c */

/** known_meet() - somebody runs in this cgroup: its container, be it known or waited for; NULL: none */
struct known *known_meet(struct containers *all, const char *path);

/** known_await() - somebody is waited for: see to it soon */
void known_await(struct containers *all);

/** known_settle() - rounds of looking who is held, binding, and letting go, until nothing changes */
void known_settle(struct containers *all);

/* containers_policies.c */

/**
 * known_decide() - all is told: choose the policies that are for it, and bind it
 *
 * 0, or -ENOMEM: it stays waited for, and what it was bound to stays.
 */
int known_decide(struct containers *all, struct known *known);

/** known_bind() - under the number that its policies have in the image in force; without one,
 * all->unnumbered is set */
void known_bind(struct containers *all, struct known *known);

/**
 * known_begin_look_up() - before the runtime's files are read: what may happen meanwhile is noticed when it is bound
 * @path: of the cgroup of a task in it
 *
 * Returns false within another one, which sees to that. Who got true is to set all->looking_up to false at the end.
 */
bool known_begin_look_up(struct containers *all, const char *path);

/**
 * known_look_up() - metadata_find(), and what is to be ignored is known at once: there is nothing to know
 *
 * -EPERM: it is foreign, and what it is called says nothing.
 */
int known_look_up(struct containers *all, const char *path, struct container *ret,
		  struct pd_error *error);

/** known_ask() - the runtime's files. Returns 0 when all is known, and bound; @known may be gone then. */
int known_ask(struct containers *all, struct known *known);

/** known_scan() - all cgroups, for containers that run */
void known_scan(struct containers *all);

/** known_label() - the tasks that run already */
void known_label(struct containers *all);

#endif
