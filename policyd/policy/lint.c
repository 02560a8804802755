// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Warnings. Each is certain: a rule named here does nothing, or does less than it seems to. Rules are
 * compared with those of the same file only, because overriding an include is what a policy is for.
 * All of it stays within LINT_BUDGET comparisons, so that no policy takes long to check.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "policyd/policy/glob.h"
#include "policyd/policy/parse_value.h"

#define LINT_BUDGET 4000000u
#define LINT_GLOB_BUDGET 5000u /* matches of a pattern, which cost more */
#define LINT_WARNINGS_MAX 100u

struct linter {
	const struct policy *policy;
	const struct parse_sink *sink;
	size_t budget, glob_budget;
	unsigned int warnings;
};

static void warn(struct linter *linter, const struct policy_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void warn(struct linter *linter, const struct policy_place *place, const char *format, ...)
{
	struct pd_error warning;
	char text[sizeof(warning.text)];
	va_list args;

	if (linter->warnings++ >= LINT_WARNINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (linter->warnings == LINT_WARNINGS_MAX)
		strcpy(text, "more warnings are left out");
	error_at(&warning, 0, linter->policy->files[place->file], place->line, place->column, "%s",
		 text);
	linter->sink->warn(linter->sink->context, &warning);
}

static bool spend(size_t *budget)
{
	if (!*budget)
		return false;
	--*budget;
	return true;
}

/* ---- rules that say nothing new -------------------------------------------------------------- */

static bool strings_equal(const struct policy_strings *a, const struct policy_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	return true;
}

static bool numbers_equal(const void *a, size_t a_count, const void *b, size_t b_count, size_t size)
{
	return a_count == b_count && (!a_count || !memcmp(a, b, a_count * size));
}

static bool addresses_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->to_count != b->to_count)
		return false;
	for (size_t i = 0; i < a->to_count; i++) {
		const struct policy_address *x = &a->to[i], *y = &b->to[i];

		if (x->family != y->family || x->prefix != y->prefix ||
		    x->ports.first != y->ports.first || x->ports.last != y->ports.last ||
		    memcmp(x->addr, y->addr, sizeof(x->addr)) != 0)
			return false;
	}
	return true;
}

/* The same objects for the same programs; what is done with them may differ. */
static bool objects_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->class == b->class && strings_equal(&a->paths, &b->paths) &&
	       strings_equal(&a->by, &b->by) &&
	       numbers_equal(a->families, a->family_count, b->families, b->family_count,
			     sizeof(uint16_t)) &&
	       numbers_equal(a->types, a->type_count, b->types, b->type_count, sizeof(uint16_t)) &&
	       numbers_equal(a->protocols, a->protocol_count, b->protocols, b->protocol_count,
			     sizeof(uint16_t)) &&
	       numbers_equal(a->ports, a->port_count, b->ports, b->port_count,
			     sizeof(struct policy_ports)) &&
	       addresses_equal(a, b);
}

static uint32_t hash_text(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash * 16777619u;
}

/* Equal objects have equal hashes. */
static uint32_t hash_objects(const struct policy_rule *rule)
{
	uint32_t hash = 2166136261u ^ rule->class ^ rule->place.file << 8;

	for (size_t i = 0; i < rule->paths.count; i++)
		hash = hash_text(hash, rule->paths.items[i].text);
	for (size_t i = 0; i < rule->by.count; i++)
		hash = hash_text(hash, rule->by.items[i].text);
	for (size_t i = 0; i < rule->port_count; i++)
		hash = (hash ^ rule->ports[i].first) * 16777619u;
	for (size_t i = 0; i < rule->to_count; i++)
		for (size_t j = 0; j < sizeof(rule->to[i].addr); j++)
			hash = (hash ^ rule->to[i].addr[j]) * 16777619u;
	return hash;
}

struct entry {
	uint32_t hash;
	const struct policy_rule *rule;
};

/* By hash, then in the order of the file. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->rule > y->rule) - (x->rule < y->rule);
}

static bool covers(const struct policy_rule *a, const struct policy_rule *b)
{
	return !(b->path_perms & ~a->path_perms) && !(b->socket_perms & ~a->socket_perms) &&
	       !(b->capabilities & ~a->capabilities);
}

/* @later stands below @earlier, both about the same objects. True when one of them is superfluous. */
static bool compare_rules(struct linter *linter, const struct policy_rule *earlier,
			  const struct policy_rule *later)
{
	const struct policy_rule *allow = earlier->deny ? later : earlier;
	const struct policy_rule *deny = earlier->deny ? earlier : later;
	bool repeats;

	if (earlier->deny != later->deny) {
		/* an enforced deny ends an audited allow, not the other way round */
		if (!covers(deny, allow) || deny->audit_mode)
			return false;
		warn(linter, &allow->place,
		     "this rule never decides: line %u denies all of it, and deny wins",
		     deny->place.line);
		return true;
	}
	if (earlier->audit != later->audit || earlier->quiet != later->quiet ||
	    earlier->kill != later->kill || earlier->audit_mode != later->audit_mode)
		return false;
	repeats = covers(earlier, later);
	if (!repeats && !covers(later, earlier))
		return false;
	warn(linter, repeats ? &later->place : &earlier->place,
	     "this rule repeats what line %u says",
	     repeats ? earlier->place.line : later->place.line);
	return true;
}

/* Compares the rule at @entry with those of equal hash below it, until one makes it superfluous.
 * False when the budget is used up. */
static bool compare_group(struct linter *linter, const struct entry *entry, const struct entry *end)
{
	for (const struct entry *e = entry + 1; e < end && e->hash == entry->hash; e++) {
		if (!spend(&linter->budget))
			return false;
		if (entry->rule->place.file == e->rule->place.file &&
		    objects_equal(entry->rule, e->rule) &&
		    compare_rules(linter, entry->rule, e->rule))
			break;
	}
	return true;
}

static void lint_repeats(struct linter *linter)
{
	const struct policy *policy = linter->policy;
	struct entry *entries = calloc(policy->rule_count, sizeof(*entries));
	size_t *positions = calloc(policy->rule_count, sizeof(*positions));
	size_t count = policy->rule_count;

	/* without memory there are no warnings, which is no error */
	if (!entries || !positions)
		goto out;
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct entry){ hash_objects(&policy->rules[i]), &policy->rules[i] };
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < count; i++)
		positions[entries[i].rule - policy->rules] = i;
	/* in the order of the file, for the reader */
	for (size_t i = 0; i < count; i++)
		if (policy->rules[i].class != PD_CLASS_GUARD &&
		    !compare_group(linter, entries + positions[i], entries + count))
			break;
out:
	free(positions);
	free(entries);
}

/* ---- rules that do less than they seem to ---------------------------------------------------- */

/* Can there be an inet socket of this type and protocol? Raw sockets take any. */
static bool can_exist(unsigned int type, unsigned int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return type == SOCK_STREAM || type == SOCK_RAW;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return type == SOCK_DGRAM || type == SOCK_RAW;
	default:
		return true;
	}
}

static void lint_socket(struct linter *linter, const struct policy_rule *rule)
{
	if (!rule->type_count || !rule->protocol_count)
		return;
	for (size_t i = 0; i < rule->family_count; i++)
		if (rule->families[i] != AF_INET && rule->families[i] != AF_INET6)
			return;
	for (size_t i = 0; i < rule->type_count; i++)
		for (size_t j = 0; j < rule->protocol_count; j++)
			if (can_exist(rule->types[i], rule->protocols[j]))
				return;
	warn(linter, &rule->place,
	     "this rule never decides: there are no sockets of this type and protocol");
}

/* What is denied about @rule's patterns by it and others with the very same ones. */
static uint32_t denied_together(struct linter *linter, const struct policy_rule *rule)
{
	uint32_t perms = rule->path_perms;

	for (size_t i = 0; i < linter->policy->rule_count; i++) {
		const struct policy_rule *other = &linter->policy->rules[i];

		if (!other->deny || other->class != PD_CLASS_FILE)
			continue;
		if (!spend(&linter->budget))
			return PD_PATH_ALL;
		if (strings_equal(&other->paths, &rule->paths))
			perms |= other->path_perms;
	}
	return perms;
}

static void lint_deny_write(struct linter *linter, const struct policy_rule *rule)
{
	if (!rule->deny || !(rule->path_perms & PD_WRITE) ||
	    (linter->policy->deny_default & (1u << PD_CLASS_FILE)))
		return;
	if (denied_together(linter, rule) & (PD_DELETE | PD_CREATE))
		return;
	warn(linter, &rule->place,
	     "deny write leaves these files to be replaced: create, delete, link and attr stay "
	     "allowed "
	     "by default; \"modify\" is all of them");
}

static bool matches(struct linter *linter, const struct policy_rule *rule, const char *name,
		    bool *ret_unsure)
{
	for (size_t i = 0; i < rule->paths.count; i++) {
		const char *pattern = rule->paths.items[i].text;
		int ret;

		if (!spend(&linter->glob_budget)) {
			*ret_unsure = true;
			return false;
		}
		ret = glob_match_name(pattern, strlen(pattern), name, strlen(name),
				      GLOB_ALIASES | GLOB_DIRECTORY);
		if (ret < 0)
			*ret_unsure = true;
		if (ret > 0)
			return true;
	}
	return false;
}

/* Whether any program has @perm on @name: the rule that says so, or the default. */
static bool anyone_may(struct linter *linter, const char *name, uint32_t perm,
		       const struct policy_rule **ret_rule)
{
	bool allowed = !(linter->policy->deny_default & (1u << PD_CLASS_FILE)), unsure = false;

	*ret_rule = NULL;
	for (size_t i = 0; i < linter->policy->rule_count; i++) {
		const struct policy_rule *rule = &linter->policy->rules[i];

		if (rule->class != PD_CLASS_FILE || !(rule->path_perms & perm))
			continue;
		/* a rule for some programs only, or only for the log, decides for nobody else */
		if ((rule->by.count && !rule->deny) || !matches(linter, rule, name, &unsure))
			continue;
		if (rule->deny)
			return false;
		if (!allowed)
			*ret_rule = rule;
		allowed = true;
	}
	return allowed && !unsure;
}

/* How any program may put another one in the place of @name; NULL: not at all. */
static const char *anyone_changes(struct linter *linter, const char *name,
				  const struct policy_rule **ret_rule)
{
	const struct policy_rule *deleter;

	if (anyone_may(linter, name, PD_WRITE, ret_rule))
		return "write";
	if (!anyone_may(linter, name, PD_DELETE, &deleter) ||
	    !anyone_may(linter, name, PD_CREATE, ret_rule))
		return NULL;
	if (!*ret_rule)
		*ret_rule = deleter;
	return "replace";
}

static void lint_by(struct linter *linter, const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->by.count; i++) {
		const struct policy_string *by = &rule->by.items[i];
		const struct policy_rule *writer;
		const char *how;

		/* which programs a pattern means is not known here */
		how = strpbrk(by->text, "*?[{\\") ? NULL :
						    anyone_changes(linter, by->text, &writer);
		if (!how)
			continue;
		if (writer)
			warn(linter, &by->place,
			     "by: every program may %s %s (%s:%u), and so become what this rule "
			     "trusts",
			     how, by->text, linter->policy->files[writer->place.file],
			     writer->place.line);
		else
			warn(linter, &by->place,
			     "by: every program may %s %s by default, and so become what this "
			     "rule trusts",
			     how, by->text);
	}
}

void lint(const struct policy *policy, const struct parse_sink *sink)
{
	struct linter linter = {
		.policy = policy,
		.sink = sink,
		.budget = LINT_BUDGET,
		.glob_budget = LINT_GLOB_BUDGET,
	};

	if (!policy->rule_count)
		return;
	lint_repeats(&linter);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->class == PD_CLASS_FILE)
			lint_deny_write(&linter, rule);
		if (rule->class == PD_CLASS_SOCKET)
			lint_socket(&linter, rule);
		lint_by(&linter, rule);
	}
}
