/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/effective.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PERMS_MAX 32

/* One of the two decisions while it is made. */
struct verdict {
	uint32_t allow, deny; /* by rules */
	uint32_t audit;	      /* granted by a rule that wants to see it */
	uint32_t noisy;	      /* refused by a rule that wants to see it */
	uint32_t kill;	      /* refused by a rule that ends who tries */
	uint32_t deny_rule[PERMS_MAX], audit_rule[PERMS_MAX]; /* the first, by permission */
};

/* What no policy has to grant */
static const struct policy_rule free_guards = { .class = PD_CLASS_GUARD, .guards = PD_GUARDS_FREE };

int effective_init(struct effective *effective, const struct effective_policy *const *policies,
		   size_t count)
{
	size_t rules = 0;

	*effective = (struct effective){ 0 };
	for (size_t i = 0; i < count; i++)
		rules += policies[i]->policy->rule_count;
	effective->rules = calloc(rules + 2, sizeof(*effective->rules));
	if (!effective->rules)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct effective_policy *p = policies[i];
		bool enforced = p->mode == POLICY_ENFORCE;

		effective->recheck |= p->policy->recheck;
		for (size_t n = 0; n < p->policy->rule_count; n++) {
			const struct policy_rule *rule = &p->policy->rules[n];

			effective->rules[effective->rule_count++] = (struct effective_rule){
				.policy = p->policy,
				.rule = rule,
				.symbol = p->rule_symbols[n],
				.enforced = enforced && !rule->audit_mode,
			};
			if (!rule->deny && rule->path_perms & PD_APPEND &&
			    !(rule->path_perms & PD_WRITE))
				effective->append_only = true;
		}
		for (int c = 0; c < PD_CLASS_COUNT; c++) {
			if (enforced && !effective->defaults.enforced[c])
				effective->defaults.enforced[c] = p->default_symbols[c];
			if (!effective->defaults.tested[c])
				effective->defaults.tested[c] = p->default_symbols[c];
		}
	}
	if (count)
		effective->rules[effective->rule_count++] = (struct effective_rule){
			.policy = policies[0]->policy,
			.rule = &free_guards,
			.enforced = true,
		};
	return 0;
}

void effective_done(struct effective *effective)
{
	free(effective->rules);
	*effective = (struct effective){ 0 };
}

uint32_t effective_all_perms(enum pd_object object)
{
	switch (object) {
	case PD_OBJ_PATH:
		return PD_PATH_ALL;
	case PD_OBJ_SOCKET:
		return PD_SOCK_ALL;
	default:
		return PD_USE;
	}
}

/* Which class's default decides about a permission. */
static enum pd_class perm_class(enum pd_object object, uint32_t perm)
{
	switch (object) {
	case PD_OBJ_PATH:
		if (perm & PD_PATH_EXEC)
			return PD_CLASS_EXEC;
		return perm & PD_PATH_UNIX ? PD_CLASS_SOCKET : PD_CLASS_FILE;
	case PD_OBJ_SOCKET:
		return PD_CLASS_SOCKET;
	case PD_OBJ_CAPABILITY:
		return PD_CLASS_CAPABILITY;
	default:
		return PD_CLASS_GUARD;
	}
}

static uint32_t accept_perms(const struct effective *effective, enum pd_object object,
			     uint32_t accept)
{
	const struct policy_rule *rule = effective->rules[accept / 2].rule;

	switch (object) {
	case PD_OBJ_PATH:
		return rule->path_perms & PD_PATH_ALL;
	case PD_OBJ_SOCKET:
		return accept & 1 ? (uint32_t)PD_SOCK_CREATE : rule->socket_perms & PD_SOCK_ALL;
	default:
		return PD_USE;
	}
}

static void remember(uint32_t *first, uint32_t perms, uint32_t symbol)
{
	for (; perms; perms &= perms - 1)
		first[__builtin_ctz(perms)] = symbol;
}

static void verdict_add(struct verdict *v, const struct effective_rule *rule, uint32_t perms)
{
	if (rule->rule->deny) {
		remember(v->deny_rule, perms & ~v->deny, rule->symbol);
		v->deny |= perms;
		if (!rule->rule->quiet)
			v->noisy |= perms;
		if (rule->rule->kill)
			v->kill |= perms;
		return;
	}
	v->allow |= perms;
	if (rule->rule->audit) {
		remember(v->audit_rule, perms & ~v->audit, rule->symbol);
		v->audit |= perms;
	}
}

/* Adds what defaults refuse to what rules refuse. */
static void verdict_close(struct verdict *v, const struct effective *effective,
			  enum pd_object object, bool enforced)
{
	uint32_t open = effective_all_perms(object) & ~v->allow & ~v->deny;

	for (; open; open &= open - 1) {
		enum pd_class class = perm_class(object, open & -open);
		uint32_t symbol = enforced ? effective->defaults.enforced[class] :
					     effective->defaults.tested[class];

		if (!symbol)
			continue;
		v->deny_rule[__builtin_ctz(open)] = PD_RULE_DEFAULT | class |
						    (enforced ? 0 : PD_RULE_TESTED);
		v->deny |= open & -open;
	}
}

/* Entries for the permissions of one section, each rule once; returns how many. */
static unsigned int put_rules(uint32_t *entries, uint32_t perms, const uint32_t *rules)
{
	unsigned int count = 0;

	while (perms) {
		uint32_t rule = rules[__builtin_ctz(perms)], same = 0;

		for (uint32_t rest = perms; rest; rest &= rest - 1)
			if (rules[__builtin_ctz(rest)] == rule)
				same |= rest & -rest;
		entries[2 * count] = same;
		entries[2 * count + 1] = rule;
		perms &= ~same;
		count++;
	}
	return count;
}

size_t effective_info(const struct effective *effective, enum pd_object object,
		      const uint32_t *accepts, size_t count, uint32_t *words)
{
	struct verdict e = { 0 }, t = { 0 };
	struct pd_info info = { 0 };
	uint32_t *entries = words + sizeof(info) / 4;
	uint32_t loud;

	for (size_t i = 0; i < count; i++) {
		const struct effective_rule *rule = &effective->rules[accepts[i] / 2];
		uint32_t perms = accept_perms(effective, object, accepts[i]);

		verdict_add(&t, rule, perms);
		if (rule->enforced)
			verdict_add(&e, rule, perms);
	}
	/* Quiet is what only quiet rules refuse, in whichever decision refuses it. */
	loud = t.noisy | ~t.deny;
	info.quiet = e.deny;
	verdict_close(&e, effective, object, true);
	loud |= e.deny & ~info.quiet;
	verdict_close(&t, effective, object, false);
	info.deny_e = e.deny;
	info.kill = e.kill;
	info.deny_t = t.deny;
	info.quiet = ~loud & effective_all_perms(object);
	info.audit = t.audit & ~e.deny & ~t.deny;
	info.n_enforced = put_rules(entries, info.deny_e, e.deny_rule);
	entries += 2 * info.n_enforced;
	info.n_tested = put_rules(entries, t.deny & ~e.deny, t.deny_rule);
	entries += 2 * info.n_tested;
	info.n_audited = put_rules(entries, info.audit, t.audit_rule);
	entries += 2 * info.n_audited;
	memcpy(words, &info, sizeof(info));
	return entries - words;
}
