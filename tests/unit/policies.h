/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies made by hand and at random, and what they decide according to their rules one by one. */
#ifndef PD_TESTS_UNIT_POLICIES_H
#define PD_TESTS_UNIT_POLICIES_H

#include "policyd/policy/answer.h"
#include "policyd/policy/compile.h"
#include "policyd/policy/decide.h"

#define DENY_ALL 0x1fu /* of all classes, as a default */

/** make_policy() - empty, enforcing; free with policy_free() */
struct policy *make_policy(const char *name, uint32_t deny_default);
/** add_rule() - a zeroed rule at a line of its own; valid until the next */
struct policy_rule *add_rule(struct policy *policy, enum pd_class class, bool deny);
void add_string(struct policy_strings *strings, const char *text);
void add_number(uint16_t **numbers, size_t *count, uint16_t number);
void add_to(struct policy_rule *rule, int family, const char *address, unsigned int prefix,
	    unsigned int first, unsigned int last);
struct policy_match *add_match(struct policy *policy, const char *cgroup, const char *exe);
/** add_path_rule() - the most common rule, in one call */
struct policy_rule *add_path_rule(struct policy *policy, bool deny, uint32_t perms,
				  const char *path);

/** must_compile() - fails the test with the error's text when it does not */
struct compiled *must_compile(struct policy *const *policies, size_t count,
			      struct numbering *numbering);
/** compile_one() - the same with one policy and fresh numbers: it is in slot 1 */
struct compiled *compile_one(struct policy *policy);
const struct pd_slot *slot_at(const struct compiled *c, uint32_t slot);

/* The decision about a request, from the rules. */
struct verdict {
	bool deny_e, deny_t, audit, quiet, kill;
	const struct policy *policy;	/* whose rule or default decided, NULL: nobody's */
	const struct policy_rule *rule; /* NULL: a default */
};
struct verdict expected_verdict(const struct policy *const *policies, size_t count,
				const struct request *request);
/** check_verdict() - fails the test when the image says something else */
void check_verdict(const unsigned char *image, uint32_t slot, const struct policy *const *policies,
		   size_t count, const struct request *request);

/* Random numbers that are the same in every run. */
struct lots {
	uint64_t state;
};
uint32_t lot(struct lots *lots, uint32_t below);
/** random_pattern() - over a small alphabet, well-formed, at most @size - 1 bytes */
void random_pattern(struct lots *lots, char *buffer, size_t size);
/** random_name() - over the same alphabet, at times with other bytes; returns its length */
size_t random_name(struct lots *lots, char *buffer, size_t size);

#endif
