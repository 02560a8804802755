/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side as user space sees it: load, attach, prove, pin, adopt, swap, label. The only
 * room that knows libbpf and the skeleton.
 */
#ifndef PD_ENFORCE_ENFORCE_H
#define PD_ENFORCE_ENFORCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lsm/abi.h"
#include "policyd/base/error.h"

/* ---- what this machine can do ---------------------------------------------------------------- */

enum probe_status { PROBE_OK, PROBE_WARNING, PROBE_FAILED };

struct probe_result {
	const char *what; /* "BPF LSM active", static */
	enum probe_status status;
	char text[320]; /* what was found and, unless OK, the remedy */
};
#define PROBE_MAX 16

/**
 * enforce_probe() - look at everything loading depends on, without loading
 * @pin_dir: has to be in a BPF file system; NULL: nothing is to be pinned
 *
 * Returns the number of results written (at most PROBE_MAX). Needs no root, says so where it lacks it.
 */
size_t enforce_probe(const char *pin_dir, struct probe_result results[PROBE_MAX]);

/* ---- the prover ------------------------------------------------------------------------------ */

/*
 * A process forked before the daemon drops its privileges and sandboxes itself. On request it forks
 * a canary that attempts one operation per hook. It reads nothing but one-byte requests from its
 * parent, and exits when the parent does.
 */
struct prover;
int prover_start(struct prover **ret_prover, struct pd_error *error);
void prover_stop(struct prover *prover);
pid_t prover_pid(const struct prover *prover);

/* ---- the enforcer ---------------------------------------------------------------------------- */

struct enforce_options {
	const char *pin_dir; /* folder in a bpffs, NULL: nothing is pinned and all ends with the
				last descriptor (policyctl run without a daemon) */
	size_t ring_bytes[PD_RING_COUNT]; /* powers of two, multiples of the page size */
	struct prover *prover;
};

struct enforcer;

/**
 * enforce_open() - load the programs, or adopt what is pinned
 *
 * Adopts maps (labels, bindings, rings, counters, image) and links pinned under
 * pin_dir/abi-<PD_ABI>/. Programs of a build other than this one are replaced: ours are attached
 * before the old links are dropped. Nothing is attached when nothing was.
 *
 * Errors, each with a remedy in @error: -ENOTSUP (no BPF LSM, no BTF, cgroup v1, ftrace_enabled=0),
 * -EPERM, -EPROTO (foreign or newer pins), -ENOENT (no bpffs), -E2BIG (a hook's program slots are
 * full, @error names the hook), or what the kernel said. Nothing is left half-loaded.
 */
int enforce_open(const struct enforce_options *options, struct enforcer **ret_enforcer,
		 struct pd_error *error);

/**
 * enforce_tidy() - remove a part of what the daemon before has left behind
 *
 * Its programs first, one at a time because each may take the kernel a tenth of a second, then their judges.
 * Returns in how many milliseconds to call it again, -1: nothing is left.
 */
int enforce_tidy(struct enforcer *enforcer);

/** enforce_close() - let go; what is pinned goes on enforcing */
void enforce_close(struct enforcer *enforcer);

/**
 * enforce_image() - the image in force, mapped read-only; NULL when none was ever swapped in. Readable as
 * far as the image's own size, an adopted one, which has yet to be checked, for PD_IMAGE_SIZE bytes.
 * Valid until the next enforce_swap() or enforce_close().
 */
const unsigned char *enforce_image(const struct enforcer *enforcer);

/**
 * enforce_swap() - put a new image in force
 * @image:  PD_IMAGE_SIZE bytes, its generation above the current one
 * @groups: bit n: enum pd_hook_group n is needed
 *
 * Attaches the hooks that are missing and has each newly attached one proved by a denied canary,
 * then swaps the image in one step, then labels running tasks, then drops hooks no longer needed.
 * On failure the old image stays in force. Whether all running tasks could be labelled: enforce_unswept().
 */
int enforce_swap(struct enforcer *enforcer, const unsigned char *image, uint32_t groups,
		 struct pd_error *error);

/** enforce_begin_anew() - another container is in a cgroup that is bound, and none of its programs has begun */
void enforce_begin_anew(struct enforcer *enforcer, uint64_t cgroup_id);

/**
 * enforce_bind() - tasks of this cgroup, and of those below it, belong to @slot at their next exec
 * @flags: PD_BINDING_*
 *
 * -E2BIG: as many cgroups as there can be are bound.
 */
int enforce_bind(struct enforcer *enforcer, uint64_t cgroup_id, uint32_t slot, uint32_t flags,
		 struct pd_error *error);
int enforce_unbind(struct enforcer *enforcer, uint64_t cgroup_id);

/**
 * enforce_watch() - from now on it is noticed when nobody is left in this cgroup
 *
 * One cgroup at a time. What is bound as PD_BINDING_REUSED is watched by the programs themselves: this is for the time
 * before, and while a binding is changed.
 */
void enforce_watch(struct enforcer *enforcer, uint64_t cgroup_id);
/** enforce_watch_saw() - was nobody left in it, since? */
bool enforce_watch_saw(const struct enforcer *enforcer);

/**
 * enforce_bind_pending() - see to it that it is noticed when nobody is left in a cgroup that is not bound yet
 *
 * Changes nothing for the tasks in it, and nothing at all if it is bound. What cannot be had is done without: then
 * who is held there is looked up without that.
 */
void enforce_bind_pending(struct enforcer *enforcer, uint64_t cgroup_id);

/** enforce_notices() - is it noticed at all? Not while no policy is in force */
bool enforce_notices(const struct enforcer *enforcer);

/** enforce_is_emptied() - was nobody left in it since it was bound? Then its tasks count as those of an unknown one */
bool enforce_is_emptied(const struct enforcer *enforcer, uint64_t cgroup_id);
/** enforce_set_emptied() - as if that had been noticed; nothing if it is not bound */
void enforce_set_emptied(struct enforcer *enforcer, uint64_t cgroup_id);

/** enforce_bound() - calls @each for every bound cgroup, in no order; @each may unbind it */
void enforce_bound(struct enforcer *enforcer,
		   void (*each)(void *context, uint64_t cgroup_id, uint32_t flags), void *context);

/**
 * enforce_release() - judge and let go, or doom, held tasks whose cgroups have been bound meanwhile
 * @each: told of every task that is held or was until now, and of its cgroup's path (not below any mount;
 *        "" if it has none). It is to send the signal that its fate asks for.
 *
 * Those that were let go are told about until they are seen to run. Returns 0, or a negative errno.
 */
int enforce_release(struct enforcer *enforcer,
		    void (*each)(void *context, const struct pd_release *task, const char *cgroup),
		    void *context, struct pd_error *error);

/** enforce_is_doomed() - is this process held, and its program refused? */
bool enforce_is_doomed(const struct enforcer *enforcer, int pidfd);

/** enforce_holds_fd() - map descriptor of the ring that tells that somebody is held; not to be closed */
int enforce_holds_fd(const struct enforcer *enforcer);

/** enforce_sweep() - label every running task that a binding covers; what is left undone: enforce_unswept() */
void enforce_sweep(struct enforcer *enforcer);

/**
 * enforce_unswept() - what the last sweep left undone, and why
 *
 * Its code is 0 (nothing), -ENOMEM, -EAGAIN (of some tasks it cannot be told whether a policy is for them), -EBUSY (some
 * keep the policies they have until they are started again), or what the kernel said. Valid until the next sweep.
 */
const struct pd_error *enforce_unswept(const struct enforcer *enforcer);

/** enforce_sweep_unfinished() - has the last sweep left a task for one some seconds later?
 *
 * What it could not label, for want of memory perhaps. And a container runtime's own process that sets a container up,
 * which is not to be confined before it executes; if it never does, it is by a sweep after 10 seconds. */
bool enforce_sweep_unfinished(const struct enforcer *enforcer);

enum enforce_hold {
	ENFORCE_FREE,	  /* no policy has anything to do with it */
	ENFORCE_FOLLOWED, /* its policies let it use bpf(): audit mode, or they grant it */
	ENFORCE_CONFINED,
};
/**
 * enforce_hold() - what policies mean to a process
 *
 * One that has ended counts as confined: nobody knows what it was.
 */
enum enforce_hold enforce_hold(const struct enforcer *enforcer, int pidfd);

/**
 * enforce_prove() - have a canary refused by every attached hook
 *
 * Returns 0, or -ENODATA with @error naming the hooks that did not refuse. *ret_proved: how many did.
 */
int enforce_prove(struct enforcer *enforcer, unsigned int *ret_proved, struct pd_error *error);

struct hook_status {
	const char *name;
	bool available; /* this kernel has the hook */
	bool attached;
};
/** enforce_hooks() - returns the number written, at most PD_HOOK_COUNT */
size_t enforce_hooks(const struct enforcer *enforcer, struct hook_status status[PD_HOOK_COUNT]);

/**
 * enforce_protect() - folders that confined tasks may change nothing in, in whatever mode
 * @paths: NULL-terminated; what is not there is left out, and so are those beyond PD_OWN_FOLDERS
 *
 * In place of those that were named before.
 */
void enforce_protect(struct enforcer *enforcer, const char *const *paths);

/** enforce_state() - counters shared with the kernel; valid until enforce_close() */
struct pd_state *enforce_state(const struct enforcer *enforcer);

/** enforce_ring_fd() - map descriptor of a ring, to be mmap()ed by audit/ring.h; not to be closed */
int enforce_ring_fd(const struct enforcer *enforcer, enum pd_ring ring);

/** enforce_adopted() - true when enforce_open() found pinned state and took it over */
bool enforce_adopted(const struct enforcer *enforcer);

/** enforce_link_fds() - descriptors that keep enforcement alive while open; up to @max, not to be
 * closed by the caller. Returns how many there are. */
size_t enforce_link_fds(const struct enforcer *enforcer, int *fds, size_t max);

/**
 * enforce_detach() - end enforcement and leave nothing behind
 *
 * @ours: whose descriptors keep what is pinned attached, too: they are released; or NULL
 *
 * Looks at everything first, then removes links, then maps, then the folder, and returns when no hook has a program any more, which
 * takes seconds on older kernels: nothing is refused any more, meanwhile. Works also on pins of another
 * layout version or of a build that is gone. Returns 0 also when nothing was there, and what the kernel says.
 * *ret_over, also on failure: nothing is enforced any more, and @ours is good for nothing but
 * enforce_close(); else all is as it was.
 */
int enforce_detach(const char *pin_dir, struct enforcer *ours, bool *ret_over,
		   struct pd_error *error);

/** enforce_kernel_bytes() - memory the maps take, as the kernel reports it */
size_t enforce_kernel_bytes(const struct enforcer *enforcer);

#endif
