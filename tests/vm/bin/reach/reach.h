/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of reach share: each ends in a table of commands. */
#ifndef TESTS_VM_BIN_REACH_H
#define TESTS_VM_BIN_REACH_H

#include <sys/types.h>

#include "tests/vm/bin/steps.h"

/** close_result() - 0 and the descriptor closed, or -errno when it is negative */
int close_result(long fd);

/** pid_of() - whom a word of a step means, see main.c */
pid_t pid_of(const char *text);
/** child_done() - end the child that pid_of() made, if it did */
void child_done(void);

/** apart() - the result of a function that runs in a process of its own, because it changes it */
int apart(int (*run)(char **), char **w);

extern const struct step_command capability_commands[], file_commands[], kernel_commands[],
	memory_commands[], mount_commands[], namespace_commands[], process_commands[],
	signal_commands[];

#endif
