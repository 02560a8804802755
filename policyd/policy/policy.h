/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One policy document as its author meant it: what parse.c makes of the YAML, includes merged in,
 * and what compile.c makes an automaton of. Plain data.
 */
#ifndef PD_POLICY_POLICY_H
#define PD_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi.h"
#include "policyd/base/error.h"

/* Limits, all in one place; each is an error that names it, never a silent cut. */
#define POLICY_FILE_MAX (1u << 20) /* bytes of one YAML file */
#define POLICY_NAME_MAX 63u
#define POLICY_PATTERN_MAX 4096u /* bytes of one glob */
#define POLICY_RULES_MAX 65535u	 /* of one policy, includes merged */
#define POLICY_INCLUDE_DEPTH 16u
#define POLICY_FILES_MAX 64u	  /* a policy and its includes */
#define POLICY_DOCUMENTS_MAX 256u /* policies of one file */

enum policy_mode {
	POLICY_ENFORCE,
	POLICY_AUDIT,
	POLICY_DISABLED,
};

/* Where something stands: file is an index into policy.files. */
struct policy_place {
	uint16_t file;
	uint32_t line;	 /* from 1 */
	uint32_t column; /* from 1 */
};

struct policy_string {
	char *text; /* UTF-8 or any bytes but NUL, as written after YAML unescaping */
	struct policy_place place;
};

struct policy_strings {
	struct policy_string *items;
	size_t count;
};

/* Where a socket rule's peer or own address may lie. Ports inclusive, host byte order. */
struct policy_ports {
	uint16_t first, last;
};

struct policy_address {
	uint8_t family;		   /* AF_INET or AF_INET6; 0: any address */
	uint8_t prefix;		   /* bits */
	uint8_t addr[16];	   /* network byte order; 4 bytes for AF_INET */
	struct policy_ports ports; /* 0-65535: any */
};

/* What one rule, expectation or test is about. `perms` uses the bits of the automaton the rule
 * belongs to (lsm/abi.h): PD_OBJ_PATH for file, exec and unix rules, and so on. */
struct policy_rule {
	enum pd_class class; /* as written: file, exec, socket, capability, guard */
	bool deny;
	bool audit;	 /* allow: log it */
	bool quiet;	 /* deny: do not log it */
	bool kill;	 /* deny: end who tries */
	bool audit_mode; /* mode: audit on the rule; policy mode not yet considered */
	struct policy_place place;

	uint32_t path_perms; /* PD_OBJ_PATH bits: file, exec, and unix operations of socket rules */
	struct policy_strings paths; /* file, exec: globs; socket: `unix:` globs */
	struct policy_strings by;    /* programs; empty: any */

	uint32_t socket_perms; /* PD_OBJ_SOCKET bits */
	/* socket: what is left out (count 0) matches anything */
	uint16_t *families;
	size_t family_count;
	uint16_t *types;
	size_t type_count;
	uint16_t *protocols;
	size_t protocol_count;
	struct policy_ports *ports; /* `port:` */
	size_t port_count;
	struct policy_address *to; /* `to:` */
	size_t to_count;

	uint64_t capabilities; /* bit n: capability n */
	uint32_t guards;       /* bit n: enum pd_guard n */
};

/* One entry of match:. Every key given must match; a policy applies when any entry does. Absent
 * keys are NULL. All values are globs. */
struct policy_match {
	char *cgroup; /* absolute path below the cgroup root */
	char *exe;
	/* container selectors */
	char *image, *container, *pod, *namespace, *runtime;
	struct policy_pair {
		char *key, *value;
	} * labels, *annotations;
	size_t label_count, annotation_count;
	struct policy_place place;
};

/*
 * One entry of expect:, or a question of policyctl test: one permission bit and one literal object.
 * deny is the expected outcome. `by` holds at most one program. Names are bytes as they are, not
 * patterns: no escapes. The object is, by class,
 *   file, exec   one path and one bit in path_perms ("write" is PD_WRITE alone)
 *   socket       either one path ("/..." or "@...") and one PD_UNIX_* bit in path_perms, or one bit
 *                in socket_perms and exactly one family, type and protocol, as they stand in
 *                struct pd_socket_key; one `to` with all bits of its prefix and one port when the
 *                object is an address (the peer's, or the own one for bind, listen and accept),
 *                none when the key is bare
 *   capability, guard   one bit
 */
struct policy_expect {
	struct policy_rule question;
	struct policy_place place;
};

struct policy {
	char *name;
	char *description; /* may be NULL */
	enum policy_mode mode;
	bool recheck;	       /* inherited: recheck */
	uint32_t deny_default; /* bit n: enum pd_class n is default-deny; guard always is */
	struct policy_place default_place; /* of `default:` */
	struct policy_place name_place;

	struct policy_match *matches;
	size_t match_count;
	struct policy_rule *rules; /* includes first, then the document's own, each in order */
	size_t rule_count;
	struct policy_expect *expects;
	size_t expect_count;

	char **files; /* files[0] is the document itself */
	size_t file_count;
	unsigned char digest[32]; /* of all files' bytes; tells whether a reload changed it */
};

/** policy_match_done() - free what an entry of match: owns, not the entry */
void policy_match_done(struct policy_match *match);

/** policy_match_asks_runtime() - does it ask for what only a container's runtime tells? */
bool policy_match_asks_runtime(const struct policy_match *match);

/** policy_free() - everything parse made; NULL is fine */
void policy_free(struct policy *policy);

#endif
