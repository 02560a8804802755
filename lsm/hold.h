/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_LSM_HOLD_H
#define PD_LSM_HOLD_H

#include "lsm/maps.h"

/**
 * pd_hold_name() - keep the name of what the current task executes, until its container is known
 * @vfsmount: what the dentry is seen through
 * @kind:     enum pd_held_kind
 *
 * Returns 0, -ENOMEM, -EAGAIN (no scratch memory), or -E2BIG when there is no room for one more (after 2 kB of names): the exec
 * is to fail then.
 */
int pd_hold_name(__u64 dentry, __u64 vfsmount, __u32 kind);

#endif
