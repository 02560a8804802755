/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder in the host's bpffs that keeps enforcement alive without a daemon:
 *   PIN_DIR/abi-N/maps/NAME   labels, images, bindings, state, denials, notices
 *   PIN_DIR/abi-N/links/NAME  one for each attached program
 *   PIN_DIR/abi-N/judges/...  what is put into those programs, see judges.h
 */
#ifndef PD_ENFORCE_PINS_H
#define PD_ENFORCE_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "policyd/base/error.h"

struct bpf_link;
struct pd_state;
struct bpf_map;

struct pins {
	char dir[200]; /* PIN_DIR/abi-N; "": nothing is pinned */
};

/** pins_in_bpffs() - is a folder, or where it would be made, in a BPF file system? */
bool pins_in_bpffs(const char *path);

/**
 * pins_open() - find or make the folder
 * @pin_dir: NULL: nothing will be pinned
 *
 * Returns 0; -ENOENT when pin_dir is in no bpffs; -EPROTO when it holds pins of another layout version;
 * -EPERM; -EINVAL when others may write to it.
 */
int pins_open(struct pins *pins, const char *pin_dir, bool *ret_found, struct pd_error *error);

/** pins_abandon() - remove the folder again, and the maps in it, unless it has links: where opening went no further */
void pins_abandon(const struct pins *pins);

/**
 * pins_tell() - the folders, for the programs that keep confined tasks away from them
 *
 * Fills state->pins and pins_device; zeroes when nothing is pinned.
 */
void pins_tell(const struct pins *pins, struct pd_state *state);

/** pins_map() - have a map pinned, or taken from its pin, when the object is loaded. A pinned map's
 * size wins over the one asked for. */
int pins_map(const struct pins *pins, struct bpf_map *map, struct pd_error *error);

/** pins_link() - pin a link, in one step replacing one of that name, which lets go of its program */
int pins_link(const struct pins *pins, struct bpf_link *link, const char *name,
	      struct pd_error *error);
/** pins_judge() - pin the link of a judge; a new name each time */
int pins_judge(const struct pins *pins, int link, const char *name, struct pd_error *error);
/** pins_drop_judge() - one, if it is there */
void pins_drop_judge(const struct pins *pins, const char *name);
/** pins_drop_judges() - those whose names begin with the prefix, or those whose do not */
void pins_drop_judges(const struct pins *pins, const char *prefix, bool with);

/* The link of the program that keeps everybody from kernel.ftrace_enabled. A kernel whose tracing is switched
 * off in the middle of a detachment never traces again: this one goes last. */
#define PINS_GUARD "guard_sysctl"

#define PINS_HELD_MAX 96
/* Links of hooks, held open. Their programs go, at the latest, when they are closed: in that moment, and not
 * some seconds later as when a pin alone is removed. 6.1 and 6.12 take more than a tenth of a second for
 * each. */
struct pins_held {
	struct pins_held_one {
		int fd;
		char name[64];
	} all[PINS_HELD_MAX];
	size_t count;
	size_t guards; /* of them, those at the beginning that guard the others; let go of last */
};
/** pins_hold() - the hooks' links in a layout's folder, PIN_DIR/abi-N */
void pins_hold(const char *layout, struct pins_held *ret);
/** pins_let_go() - close one; false: there is none left */
bool pins_let_go(struct pins_held *held);
/** pins_restore() - pin what is held again, where it is not pinned. Returns 0 or a negative errno. */
int pins_restore(const char *layout, const struct pins_held *held);

/** pins_empty() - remove all files of a folder but the one called @but, or NULL. Returns 0, also when there is
 * no such folder, or what the kernel says. */
int pins_empty(const char *path, const char *but, struct pd_error *error);

/** pins_drop_link() - the program goes once no descriptor is left */
void pins_drop_link(const struct pins *pins, const char *name);
/** pins_drop_other_links() - links pinned by another build under names ours does not have */
void pins_drop_other_links(const struct pins *pins,
			   bool (*is_ours)(void *context, const char *name), void *context);

#endif
