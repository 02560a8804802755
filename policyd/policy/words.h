/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of the policy language and of events, in both directions: what a person writes for a
 * bit or a number, and what an event prints for it. The only place that knows these names.
 */
#ifndef PD_POLICY_WORDS_H
#define PD_POLICY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi.h"

struct word {
	const char *name;
	uint32_t value;
};

/* A vocabulary. Where several words share a value, the first is the one that is printed. */
struct words {
	const struct word *items;
	size_t count;
	const char *what; /* for messages: "file permission" */
};

/* Masks of PD_OBJ_PATH bits; aliases (rw, modify, all) come last. */
extern const struct words words_file_permissions;
/* Masks of PD_OBJ_SOCKET bits, with "all". */
extern const struct words words_socket_operations;
/* Numbers. */
extern const struct words words_families;	   /* AF_* */
extern const struct words words_types;		   /* SOCK_* */
extern const struct words words_ip_protocols;	   /* IPPROTO_* */
extern const struct words words_netlink_protocols; /* NETLINK_* */
extern const struct words words_capabilities;	   /* CAP_*, "all" is not among them */
extern const struct words words_guards;		   /* enum pd_guard */
extern const struct words words_classes;	   /* enum pd_class */
extern const struct words words_modes;		   /* enum policy_mode */

/** words_find() - the value of a word; false when it is none. Case matters. */
bool words_find(const struct words *words, const char *name, uint32_t *ret_value);

/** words_name() - the word for a value, NULL when there is none */
const char *words_name(const struct words *words, uint32_t value);

/**
 * words_nearest() - what was meant
 *
 * Returns the word with the smallest edit distance to @name when it is near enough to be a slip,
 * or one that @name abbreviates; else NULL.
 */
const char *words_nearest(const struct words *words, const char *name);

/** words_capability() - by name, with or without "cap_", in either case */
bool words_capability(const char *name, uint32_t *ret_value);

/** words_unix_perms() - the PD_OBJ_PATH bits that stand for socket operations on unix addresses */
uint32_t words_unix_perms(uint32_t socket_perms);

/*
 * For events. Static strings. The first group never returns NULL ("unknown" for a number of a newer
 * kernel part); the second returns NULL for numbers without a name: print the number.
 */
const char *word_verdict(enum pd_verdict verdict); /* allowed, denied, would_deny */
const char *word_class(enum pd_class class);
const char *word_operation(enum pd_operation operation); /* open, truncate, ... */
const char *word_hook(enum pd_hook hook);		 /* name of the LSM hook */
const char *word_guard(enum pd_guard guard);
const char *word_reason(enum pd_reason reason);	     /* a key: rule, deleted, unreachable ... */
const char *word_reason_text(enum pd_reason reason); /* one sentence for a person */

const char *word_capability(unsigned int capability); /* net_admin, ... */
const char *word_family(unsigned int family);	      /* inet6, ... */
const char *word_socktype(unsigned int type);	      /* stream, ... */
const char *word_protocol(unsigned int family, unsigned int protocol);

/**
 * word_permissions() - a mask as "read, create"
 * @object: the automaton whose bits these are: PD_OBJ_PATH for files, programs and unix addresses
 *
 * Bits without a name are printed in hexadecimal, an empty mask as "none". What does not fit is cut.
 * Returns @buffer, always terminated.
 */
const char *word_permissions(enum pd_object object, uint32_t perms, char *buffer, size_t size);

/* Lookups for a list of names: the n-th permission (from 0) in a mask, NULL past the last. */
const char *word_permission(enum pd_object object, uint32_t perms, size_t n);

#endif
