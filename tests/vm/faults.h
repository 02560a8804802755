/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Included before lsm/policyd.bpf.c for policyd-faulty: wherever the programs ask for memory, change a map or take what
 * another processor may be at, is a point that can be told to fail. A point is a place in the source, so that in a loop
 * all tries of it fail.
 *
 * For bpftool there is the map .data.faults: the point that fails (0: none), after how many times that it does not, how
 * often at most, and whether anybody came by each. Not a map with keys, which would be on the programs' stacks. At most,
 * since without some of it nobody executes anything, bpftool neither.
 */
#ifndef PD_TESTS_VM_FAULTS_H
#define PD_TESTS_VM_FAULTS_H

#include "lsm/kernel.h"

#define PD_FAULT_POINTS 128

struct {
	__u32 at, spared, left;
	__u32 seen[PD_FAULT_POINTS];
} volatile pd_faults SEC(".data.faults");

static __always_inline int pd_fails(__u32 point)
{
	pd_faults.seen[point] = 1;
	if (pd_faults.at != point)
		return 0;
	if (pd_faults.spared) {
		pd_faults.spared--;
		return 0;
	}
	if (!pd_faults.left)
		return 0;
	pd_faults.left--;
	return 1;
}

/* 0 is no point */
#define PD_FAILS()                                                                                 \
	({                                                                                         \
		enum { point = __COUNTER__ + 1 };                                                  \
		_Static_assert(point < PD_FAULT_POINTS, "too many points");                        \
		pd_fails(point);                                                                   \
	})

#define bpf_task_storage_get(...) (PD_FAILS() ? NULL : bpf_task_storage_get(__VA_ARGS__))
#define bpf_map_update_elem(...) (PD_FAILS() ? -ENOMEM : bpf_map_update_elem(__VA_ARGS__))
#define bpf_ringbuf_output(...) (PD_FAILS() ? -EAGAIN : bpf_ringbuf_output(__VA_ARGS__))
#define __sync_val_compare_and_swap(at, old, new)                                                  \
	(PD_FAILS() ? ~(old) : __sync_val_compare_and_swap(at, old, new))

#endif
