/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy read rule by rule, without an automaton: slow, and the measure of what is compiled.
 */
#ifndef PD_POLICY_ANSWER_H
#define PD_POLICY_ANSWER_H

#include "policyd/policy/policy.h"

/* What somebody wants to do. */
struct request {
	enum pd_object object;
	uint32_t perm;	  /* one bit */
	const void *name; /* PD_OBJ_PATH: text; PD_OBJ_SOCKET: struct pd_socket_key; else one byte */
	size_t length;
	const char *program; /* path of the program, NULL: none that a rule names */
};

/** rule_matches() - does a rule speak about a request? 1, 0, -EINVAL for a pattern that is none */
int rule_matches(const struct policy_rule *rule, const struct request *request);

/** request_class() - whose default decides about it */
enum pd_class request_class(const struct request *request);

#endif
