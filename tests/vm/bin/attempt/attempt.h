/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of attempt share: each ends in a table of commands. */
#ifndef TESTS_VM_BIN_ATTEMPT_H
#define TESTS_VM_BIN_ATTEMPT_H

#include <sys/types.h>

/* argv[0] is the command, NULL ends the arguments; returns 0, -errno or one of those below. */
struct command {
	const char *name; /* NULL: the end of the table */
	int arguments;	  /* at least */
	int (*run)(char **argv);
};

#define EXITED 10000	/* + status: a program ran and failed */
#define SIGNALLED 20000 /* + signal */
#define NO_DESCRIPTOR 30000
#define SECURE 30001
#define NOT_SAME 30002

extern const struct command open_commands[], descriptor_commands[], name_commands[],
	mount_commands[], exec_commands[], pass_commands[], process_commands[], running_commands[];

/** run() - a command with its arguments; ends the process when there is none such */
int run(int argc, char **argv);

/** result() - what a system call returned as what a command returns */
int result(long r);

/** open_flags() - of FLAGS as main.c lists them; ends the process for others */
int open_flags(const char *text);
/** get() - a descriptor of PATH, or a copy of the one that it names as fd:N; -1 and errno */
int get(const char *flags, const char *path);
/** again() - another one of the same, through /proc/self/fd; -1 and errno */
int again(int fd, int flags);

/** wait_for() - the end of a child as a command's result */
int wait_for(pid_t pid);

#endif
