// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/policy/policy.h"

#include <stdlib.h>

#include "policyd/policy/parse.h"

static void strings_done(struct policy_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i].text);
	free(strings->items);
}

void policy_rule_done(struct policy_rule *rule)
{
	strings_done(&rule->paths);
	strings_done(&rule->by);
	free(rule->families);
	free(rule->types);
	free(rule->protocols);
	free(rule->ports);
	free(rule->to);
	*rule = (struct policy_rule){ 0 };
}

static void pairs_free(struct policy_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
	free(pairs);
}

void policy_match_done(struct policy_match *match)
{
	free(match->cgroup);
	free(match->exe);
	free(match->image);
	free(match->container);
	free(match->pod);
	free(match->namespace);
	free(match->runtime);
	pairs_free(match->labels, match->label_count);
	pairs_free(match->annotations, match->annotation_count);
}

bool policy_match_asks_runtime(const struct policy_match *m)
{
	return m->image || m->container || m->pod || m->namespace || m->runtime || m->label_count ||
	       m->annotation_count;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	free(policy->name);
	free(policy->description);
	for (size_t i = 0; i < policy->match_count; i++)
		policy_match_done(&policy->matches[i]);
	free(policy->matches);
	for (size_t i = 0; i < policy->rule_count; i++)
		policy_rule_done(&policy->rules[i]);
	free(policy->rules);
	for (size_t i = 0; i < policy->expect_count; i++)
		policy_rule_done(&policy->expects[i].question);
	free(policy->expects);
	for (size_t i = 0; i < policy->file_count; i++)
		free(policy->files[i]);
	free(policy->files);
	free(policy);
}
