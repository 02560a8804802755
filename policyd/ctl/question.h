/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question (an expectation, or policyctl test's) and its answer in words. */
#ifndef PD_CTL_QUESTION_H
#define PD_CTL_QUESTION_H

#include "policyd/policy/decide.h"

/** question_text() - "read /etc/shadow", "connect 10.0.0.1:443", "capability net_raw" */
const char *question_text(const struct policy_rule *question, char *buffer, size_t size);

/** answer_text() - "denied by web.yaml:14" or "denied by default" */
const char *answer_text(const struct policy *policy, const struct policy_rule *question,
			const struct answer *answer, char *buffer, size_t size);

/** answer_word() - allowed, denied, would_deny */
const char *answer_word(const struct answer *answer);

#endif
