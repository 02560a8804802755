// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * holdpin FILE... - keep what is pinned in bpffs, whatever becomes of the pins, until killed
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		union bpf_attr attr = { .pathname = (uintptr_t)argv[i] };

		if (syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)) < 0) {
			perror(argv[i]);
			return 1;
		}
	}
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
