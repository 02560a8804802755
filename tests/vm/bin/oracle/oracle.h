/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oracle policy SEED          - a random policy for files below /o, as YAML
 * oracle tree SEED            - random files and folders in /o
 * oracle run SEED COUNT       - COUNT random operations below /o, in a process that the policy of the same SEED
 *                               confines. What policyd.policy(5) says of each is worked out by nothing but the rules, and
 *                               compared with what the kernel answers
 *
 * Prints "allowed N refused N unclear N wrong N", and before that each one that went wrong. Unclear are those that fail
 * for another reason than the policy. The same SEED does the same again.
 *
 * Shares no code with policyd: patterns are matched byte by byte, and rules one after the other.
 */
#ifndef PD_TESTS_VM_ORACLE_H
#define PD_TESTS_VM_ORACLE_H

#include <limits.h>
#include <stdio.h>

#define TOP "/o"
#define NAME_ROOM 512

/* ---- chance ---------------------------------------------------------------------------------- */

void chance_begin(unsigned long seed, unsigned long purpose);
/** chance() - a number below @bound */
unsigned int chance(unsigned int bound);
/** chance_name() - a name below TOP, of folders and names that others have, too */
void chance_name(char name[NAME_ROOM]);

/* ---- what the policy says --------------------------------------------------------------------- */

enum permission {
	MAY_READ = 1 << 0,
	MAY_WRITE = 1 << 1,
	MAY_APPEND = 1 << 2,
	MAY_CREATE = 1 << 3,
	MAY_DELETE = 1 << 4,
	MAY_LINK = 1 << 5,
	MAY_ATTR = 1 << 6,
	MAY_MMAP_EXEC = 1 << 7,
	MAY_IOCTL = 1 << 8,
	MAY_LOCK = 1 << 9,
};

void model_begin(unsigned long seed);
void model_print(FILE *to);
/** model_grants() - which of these permissions does the policy grant on this name? */
unsigned int model_grants(const char *name, unsigned int permissions);

/* ---- operations ------------------------------------------------------------------------------- */

enum verdict { REFUSED, ALLOWED, NOT_TOLD };

struct operation {
	char text[2 * PATH_MAX + 2 * NAME_ROOM + 64];
	enum verdict expected; /* NOT_TOLD: by the rules it may be refused, and need not be */
	int error;	       /* as it came out, 0 or errno */
};

/** operation_try() - a random one; false: there is nothing to be tried */
int operation_try(struct operation *o);

#endif
