/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_ENFORCE_HOOKS_H
#define PD_ENFORCE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lsm/abi.h"
#include "policyd/base/error.h"

/** probe_has_lsm() - is an LSM of this name active? See probe.c; false also when that cannot be read */
bool probe_has_lsm(const char *name);

struct bpf_program;
struct policyd_bpf;

/* One hook of PD_HOOKS on this kernel. */
struct hook {
	const char *name;
	enum pd_hook_group group;
	struct bpf_program *program; /* NULL: the kernel has no such hook and needs none */
};

/**
 * hooks_choose() - which programs to load, by what the running kernel's BTF has
 * @hooks: indexed by enum pd_hook; filled
 *
 * Sets autoload of every program of the skeleton. Siblings for different signatures are told apart by
 * the number of parameters, never by version. Returns 0; -ENOTSUP when there is no BTF, or a hook is
 * missing that no other replaces.
 */
int hooks_choose(struct policyd_bpf *skeleton, struct hook hooks[PD_HOOK_COUNT],
		 struct pd_error *error);

#endif
