/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's state, and the change of policies. policyd.c makes one and runs its loop; the private
 * policyd of `policyctl run` is the same with fewer parts (no folders, no pins, no socket).
 */
#ifndef PD_CONTROL_DAEMON_H
#define PD_CONTROL_DAEMON_H

#include <sys/types.h>

#include "policyd/audit/names.h"
#include "policyd/base/loop.h"
#include "policyd/control/store.h"
#include "policyd/enforce/enforce.h"

struct daemon {
	const struct config *config;
	const char *run_dir; /* NULL: private */
	bool rescue;	     /* policyd.enforce=0 */
	int64_t started_us;

	struct loop *loop;
	struct prover *prover;
	struct enforcer *enforcer;
	struct names *names;
	struct store store;
	struct feed *feed;
	struct server *server;
	struct runs *runs;
	struct containers *containers; /* NULL: a private one has none */
	struct watch *watch;	       /* NULL: nobody looks at the folders */
	struct timer *tidy;	       /* while there is something that a former daemon has left */

	/* The last reload that failed, or why running tasks are not confined; code 0: all is well. */
	struct pd_error trouble;
	int64_t trouble_us;
	/* Of running tasks the image in force may be for, some could not be labelled. */
	bool unswept;
	bool kept; /* trouble.text tells of tasks that keep the policies they had */
	/* In force is what a former daemon left, because the policies cannot be loaded. */
	bool stale;
	bool detached;
	bool failed; /* detached, with something left behind: exit with 1 */
};

/** daemon_sweep_again() - label running tasks, of which some could not be when policies were put in force perhaps
 *
 * What it leaves undone is told when policies change; here it would be told for ever. Only when nothing is left
 * undone any more, that is told, and no trouble of @daemon's any more. */
void daemon_sweep_again(struct daemon *daemon);

/** daemon_kernel_says_rescue() - is policyd.enforce=0 on the kernel's command line? */
bool daemon_kernel_says_rescue(void);

/**
 * daemon_apply() - read all policies, with a change, and put them in force: all of them or none
 * @change: may be NULL
 * @force:  swap also when nothing changed
 *
 * *ret_changed (may be NULL): whether an image was swapped in. When it fails the old policies stay in force.
 * Tasks that run already and could not be labelled are no failure, because anyone may start one of which
 * nothing can be told: they are logged, and are @daemon's trouble until a later call has labelled them.
 */
int daemon_apply(struct daemon *daemon, const struct store_change *change, bool force,
		 bool *ret_changed, struct pd_error *error);

/**
 * daemon_begin() - adopt what a former daemon left, take its runs over, and put the policies in force
 *
 * When that fails but something was adopted, it stays in force, stale, and 0 is returned.
 */
int daemon_begin(struct daemon *daemon, struct pd_error *error);

/** daemon_reload() - daemon_apply() without a change, for what happens by itself: the outcome is logged,
 * a failure also remembered for status */
void daemon_reload(struct daemon *daemon);

/** daemon_detach() - end enforcement, before it returns, remove what is kept in run_dir, and quit the loop
 *
 * On failure either all is as it was, or enforcement is over, something is left behind, and the loop quits. */
int daemon_detach(struct daemon *daemon, struct pd_error *error);

/** daemon_forget() - remove what a daemon keeps in @run_dir: policies and modes given by hand, runs */
void daemon_forget(const char *run_dir);

#endif
