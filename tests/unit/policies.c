/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/policies.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policyd/policy/glob.h"

/* ---- by hand --------------------------------------------------------------------------------- */

/* Room for one more, zeroed. Doubles: a reallocation for each of 30,000 rules takes a sanitizer minutes. */
static void *more(void *items, size_t count, size_t size)
{
	unsigned char *array = items;

	if (!(count & (count - 1)))
		array = realloc(items, (count ? 2 * count : 1) * size);
	assert_non_null(array);
	memset(array + count * size, 0, size);
	return array;
}

struct policy *make_policy(const char *name, uint32_t deny_default)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	assert_non_null(policy);
	policy->name = strdup(name);
	policy->deny_default = deny_default;
	policy->default_place = (struct policy_place){ 0, 1, 1 };
	policy->files = calloc(1, sizeof(*policy->files));
	assert_non_null(policy->files);
	policy->files[0] = strdup(name);
	policy->file_count = 1;
	return policy;
}

struct policy_rule *add_rule(struct policy *policy, enum pd_class class, bool deny)
{
	struct policy_rule *rule;

	policy->rules = more(policy->rules, policy->rule_count, sizeof(*policy->rules));
	rule = &policy->rules[policy->rule_count++];
	rule->class = class;
	rule->deny = deny;
	rule->place = (struct policy_place){ 0, policy->rule_count + 1, 3 };
	return rule;
}

void add_string(struct policy_strings *strings, const char *text)
{
	strings->items = more(strings->items, strings->count, sizeof(*strings->items));
	strings->items[strings->count].place = (struct policy_place){ 0, 1, 1 };
	strings->items[strings->count++].text = strdup(text);
}

void add_number(uint16_t **numbers, size_t *count, uint16_t number)
{
	*numbers = more(*numbers, *count, sizeof(**numbers));
	(*numbers)[(*count)++] = number;
}

void add_to(struct policy_rule *rule, int family, const char *address, unsigned int prefix,
	    unsigned int first, unsigned int last)
{
	struct policy_address *to;

	rule->to = more(rule->to, rule->to_count, sizeof(*rule->to));
	to = &rule->to[rule->to_count++];
	to->family = family;
	to->prefix = prefix;
	to->ports = (struct policy_ports){ first, last };
	if (address)
		assert_int_equal(inet_pton(family, address, to->addr), 1);
}

struct policy_match *add_match(struct policy *policy, const char *cgroup, const char *exe)
{
	struct policy_match *match;

	policy->matches = more(policy->matches, policy->match_count, sizeof(*policy->matches));
	match = &policy->matches[policy->match_count++];
	match->cgroup = cgroup ? strdup(cgroup) : NULL;
	match->exe = exe ? strdup(exe) : NULL;
	match->place = (struct policy_place){ 0, 1, 1 };
	return match;
}

struct policy_rule *add_path_rule(struct policy *policy, bool deny, uint32_t perms,
				  const char *path)
{
	enum pd_class class = perms & PD_PATH_EXEC ? PD_CLASS_EXEC :
			      perms & PD_PATH_UNIX ? PD_CLASS_SOCKET :
						     PD_CLASS_FILE;
	struct policy_rule *rule = add_rule(policy, class, deny);

	rule->path_perms = perms;
	add_string(&rule->paths, path);
	return rule;
}

struct compiled *must_compile(struct policy *const *policies, size_t count,
			      struct numbering *numbering)
{
	struct compile_input input = { .policies = policies,
				       .policy_count = count,
				       .generation = 7 };
	struct pd_error error = { .file = "" };
	struct compiled *compiled = NULL;

	if (compile(&input, numbering, &compiled, &error))
		fail_msg("%s:%u:%u: %s", error.file, error.line, error.column, error.text);
	if (image_check(compiled->image, PD_IMAGE_SIZE, &error))
		fail_msg("%s", error.text);
	return compiled;
}

struct compiled *compile_one(struct policy *policy)
{
	struct numbering *numbering = numbering_new();
	struct compiled *compiled = must_compile(&policy, 1, numbering);

	numbering_free(numbering);
	return compiled;
}

const struct pd_slot *slot_at(const struct compiled *c, uint32_t slot)
{
	const struct pd_image *header = (const struct pd_image *)c->image;

	return (const struct pd_slot *)(c->image + header->slots) + slot;
}

/* ---- decisions ------------------------------------------------------------------------------- */

/* One of the two decisions: E with enforced only, T with all. */
struct half {
	bool deny, allow, closed, noisy, audit, kill;
	const struct policy *deny_policy, *audit_policy, *default_policy;
	const struct policy_rule *deny_rule, *audit_rule;
};

static void half_add(struct half *h, const struct policy *policy, const struct policy_rule *rule)
{
	if (rule->deny) {
		if (!h->deny) {
			h->deny_policy = policy;
			h->deny_rule = rule;
		}
		h->deny = true;
		h->noisy |= !rule->quiet;
		h->kill |= rule->kill;
		return;
	}
	h->allow = true;
	if (rule->audit && !h->audit) {
		h->audit = true;
		h->audit_policy = policy;
		h->audit_rule = rule;
	}
}

static void half_close(struct half *h, const struct policy *policy, enum pd_class class,
		       const struct request *request)
{
	bool closed = class == PD_CLASS_GUARD ?
			      *(const unsigned char *)request->name != PD_GUARD_WX :
			      policy->deny_default >> class & 1;

	if (h->default_policy || !closed)
		return;
	h->closed = true;
	h->default_policy = policy;
}

struct verdict expected_verdict(const struct policy *const *policies, size_t count,
				const struct request *request)
{
	enum pd_class class = request_class(request);
	struct half e = { 0 }, t = { 0 };
	struct verdict v = { 0 };
	const struct half *who;
	int r;

	for (size_t p = 0; p < count; p++) {
		bool enforce = policies[p]->mode == POLICY_ENFORCE;

		half_close(&t, policies[p], class, request);
		if (enforce)
			half_close(&e, policies[p], class, request);
		for (size_t i = 0; i < policies[p]->rule_count; i++) {
			const struct policy_rule *rule = &policies[p]->rules[i];

			r = rule_matches(rule, request);
			assert_true(r >= 0);
			if (!r)
				continue;
			half_add(&t, policies[p], rule);
			if (enforce && !rule->audit_mode)
				half_add(&e, policies[p], rule);
		}
	}
	v.deny_e = e.deny || (e.closed && !e.allow);
	v.deny_t = t.deny || (t.closed && !t.allow);
	v.audit = t.audit && !v.deny_e && !v.deny_t;
	v.quiet = t.deny && !t.noisy && (!v.deny_e || e.deny);
	v.kill = e.kill;
	who = v.deny_e ? &e : &t;
	if (v.deny_e || v.deny_t) {
		v.policy = who->deny ? who->deny_policy : who->default_policy;
		v.rule = who->deny ? who->deny_rule : NULL;
	} else if (v.audit) {
		v.policy = t.audit_policy;
		v.rule = t.audit_rule;
	}
	return v;
}

void check_verdict(const unsigned char *image, uint32_t slot, const struct policy *const *policies,
		   size_t count, const struct request *request)
{
	struct verdict v = expected_verdict(policies, count, request);
	uint32_t program = request->program ? decide_program(image, slot, request->program) : 0;
	struct decision d = { 0 };
	struct symbol s = { 0 };

	assert_int_equal(decide(image, slot, program, request->object, request->name,
				request->length, request->perm, &d),
			 0);
	if (d.denied != v.deny_e || d.would_deny != v.deny_t ||
	    !(d.info->audit & request->perm) != !v.audit ||
	    !(d.info->quiet & request->perm) != !v.quiet ||
	    !(d.info->kill & request->perm) != !v.kill)
		fail_msg("object %d \"%.*s\" perm %x by %s: image %d %d audit %x quiet %x kill %x, "
			 "rules %d %d %d %d %d",
			 request->object, (int)request->length, (const char *)request->name,
			 request->perm, request->program ? request->program : "-", d.denied,
			 d.would_deny, d.info->audit, d.info->quiet, d.info->kill, v.deny_e,
			 v.deny_t, v.audit, v.quiet, v.kill);
	if (!v.policy) {
		assert_int_equal(d.rule, 0);
		return;
	}
	assert_int_equal(image_symbol(image, d.rule, &s), 0);
	assert_string_equal(s.policy, v.policy->name);
	assert_int_equal(s.is_default, !v.rule);
	assert_int_equal(s.class, v.rule ? v.rule->class : request_class(request));
	if (v.rule)
		assert_int_equal(s.line, v.rule->place.line);
}

/* ---- at random ------------------------------------------------------------------------------- */

uint32_t lot(struct lots *lots, uint32_t below)
{
	uint64_t x;

	lots->state += 0x9e3779b97f4a7c15ull; /* splitmix64 */
	x = lots->state;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) % below;
}

static void put(char *buffer, size_t size, const char *text)
{
	if (strlen(buffer) + strlen(text) < size)
		strcat(buffer, text);
}

void random_pattern(struct lots *lots, char *buffer, size_t size)
{
	static const char *const parts[] = {
		"a",	    "b",    "c",     "/",    "/a",	    "/b",	    "ab",
		"*",	    "**",   "?",     "[ab]", "[!a]",	    "[a-c]",	    "{a,b}",
		"{a,/b}",   "{,c}", "{*,b}", "\\*",  "{a{b,c},**}", "/bin",	    "/lib*",
		"/usr/bin", "\\a",  "abc",   "/**/", "/var/run",    "{/bin,/sbin}", "[!b-c]",
		"/run",	    "/ab",
	};
	unsigned int count = 1 + lot(lots, 5);
	char whole[64];

	do {
		whole[0] = '\0';
		if (lot(lots, 4))
			put(whole, sizeof(whole), "/");
		for (unsigned int i = 0; i < count; i++)
			put(whole, sizeof(whole),
			    parts[lot(lots, sizeof(parts) / sizeof(parts[0]))]);
		if (!lot(lots, 5))
			put(whole, sizeof(whole), "/");
	} while (strlen(whole) >= size || glob_check(whole, strlen(whole), NULL, NULL));
	strcpy(buffer, whole);
}

size_t random_name(struct lots *lots, char *buffer, size_t size)
{
	static const char *const parts[] = { "a",    "b",	 "c",	 "/",	 "/a",
					     "/b",   "/ab",	 "*",	 "/bin", "/usr/bin",
					     "/run", "/usr/lib", "/usr", "bc",	 "/sbin" };
	unsigned int count = lot(lots, 8);
	size_t length;

	buffer[0] = '\0';
	if (lot(lots, 5))
		put(buffer, size, "/");
	for (unsigned int i = 0; i < count; i++)
		put(buffer, size, parts[lot(lots, sizeof(parts) / sizeof(parts[0]))]);
	length = strlen(buffer);
	if (length && !lot(lots, 6))
		buffer[lot(lots, length)] = (char)(1 + lot(lots, 255));
	return length;
}
