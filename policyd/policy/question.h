/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `expect:` and policyctl test share: the texts of a question, and the rule they make. */
#ifndef PD_POLICY_QUESTION_H
#define PD_POLICY_QUESTION_H

#include "policyd/policy/policy.h"

enum part {
	PART_OPERATION,
	PART_BY,
	PART_FAMILY,
	PART_TYPE,
	PART_PROTOCOL,
	PART_PATH, /* from here on: what the question is about, of which there is one */
	PART_UNIX,
	PART_TO,
	PART_PORT,
	PART_CAPABILITY,
	PART_GUARD,
	PART_COUNT,
};

struct parts {
	const char *text[PART_COUNT]; /* NULL: not given */
	struct policy_place place[PART_COUNT];
	enum part blame; /* whose text an error is about */
	struct pd_error *error;
};

/**
 * question_build() - the rule that struct policy_expect describes, without its outcome
 *
 * Returns 0; -EINVAL with parts->error filled (no place in it) and parts->blame set to a part that
 * was given; or -ENOMEM. What is in *rule then is the caller's to free.
 */
int question_build(struct parts *parts, struct policy_rule *rule);

#endif
