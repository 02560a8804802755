/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libbpf keeps each program's instructions, those of all subprograms it calls appended, for as long as the
 * object is open: more than a megabyte that is not read again once the kernel has its own copy.
 */
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policyd/enforce/enforcer.h"
#include "policyd.skel.h"

void give_back_instructions(struct policyd_bpf *skeleton)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct bpf_program *program;

	bpf_object__for_each_program(program, skeleton->obj)
	{
		uintptr_t start = (uintptr_t)bpf_program__insns(program);
		uintptr_t end = start + bpf_program__insn_cnt(program) * sizeof(struct bpf_insn);

		/* Whole pages inside; what surrounds the array is the allocator's. They read as zeros. */
		start = (start + page - 1) & ~(page - 1);
		end &= ~(page - 1);
		if (bpf_program__fd(program) >= 0 && start < end)
			madvise((void *)start, end - start, MADV_DONTNEED);
	}
}
