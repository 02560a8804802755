/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies merged as those of one binding: which rules take part in which decision, and what follows
 * for an object from the rules that match it.
 */
#ifndef PD_POLICY_EFFECTIVE_H
#define PD_POLICY_EFFECTIVE_H

#include "policyd/policy/policy.h"

/* A policy as it is compiled, with the numbers of its symbols. */
struct effective_policy {
	const struct policy *policy;
	enum policy_mode mode;	/* POLICY_AUDIT for all in a rescue */
	uint32_t *rule_symbols; /* one per rule; 0: an allow that is not logged decides nothing */
	uint32_t default_symbols[PD_CLASS_COUNT]; /* 0: the class is not default-deny */
};

struct effective_rule {
	const struct policy *policy;
	const struct policy_rule *rule;
	uint32_t symbol;
	bool enforced; /* takes part in E; all rules take part in T */
};

struct effective {
	struct effective_rule *rules; /* by policy, then as they stand */
	size_t rule_count;
	struct effective_defaults {
		/* Symbols of those that deny, by class; 0: nobody's does. */
		uint32_t enforced[PD_CLASS_COUNT], tested[PD_CLASS_COUNT];
	} defaults;
	bool recheck;
	bool append_only; /* some rule grants append without write */
};

/** effective_init() - merge; the policies must outlive it. 0 or -ENOMEM */
int effective_init(struct effective *effective, const struct effective_policy *const *policies,
		   size_t count);
void effective_done(struct effective *effective);

/* What an automaton accepts: a rule's number times two, plus one when the rule only stands for the
 * creation of the sockets it is about. */
#define EFFECTIVE_ACCEPT(rule, implied) ((uint32_t)(rule)*2 + (implied))

/* Words of the largest struct pd_info: three sections of one entry per permission. */
#define EFFECTIVE_INFO_WORDS (sizeof(struct pd_info) / 4 + 3 * 2 * 32)

/**
 * effective_info() - the decision when exactly the rules @accepts match
 * @accepts: EFFECTIVE_ACCEPT(), sorted
 * @words:   EFFECTIVE_INFO_WORDS of room; gets a struct pd_info with below_* and program 0
 *
 * Returns the words used.
 */
size_t effective_info(const struct effective *effective, enum pd_object object,
		      const uint32_t *accepts, size_t count, uint32_t *words);

/** effective_all_perms() - all permission bits of a kind of object */
uint32_t effective_all_perms(enum pd_object object);

#endif
