/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policyd/policy/symbols.h"
#include "tests/unit/policies.h"

/* ---- program classes ------------------------------------------------------------------------- */

static void program_classes(void **state)
{
	struct policy *policy = make_policy("by", DENY_ALL);
	struct numbering *numbering = numbering_new(), *loaded;
	struct compiled *compiled;
	struct pd_error error;
	uint32_t a, both;
	char *text;

	(void)state;
	add_string(&add_path_rule(policy, false, PD_READ, "/secret")->by, "/bin/a*");
	add_string(&add_path_rule(policy, false, PD_WRITE, "/secret")->by, "/usr/bin/ab");
	compiled = must_compile(&policy, 1, numbering);
	assert_int_equal(slot_at(compiled, 1)->program_count, 3);
	assert_true(slot_at(compiled, 1)->flags & PD_SLOT_BY);
	a = decide_program(compiled->image, 1, "/usr/bin/a");
	both = decide_program(compiled->image, 1, "/usr/bin/ab");
	assert_true(a && both && a != both);
	assert_int_equal(decide_program(compiled->image, 1, "/bin/b"), 0);
	compiled_free(compiled);

	/* Rules come and go; the numbers stay, and a class that is gone is like class 0. */
	add_string(&policy->rules[0].by, "/first");
	free(policy->rules[1].by.items[0].text);
	policy->rules[1].by.items[0].text = strdup("/bin/zz");
	text = numbering_save(numbering);
	assert_non_null(text);
	assert_int_equal(numbering_load(text, strlen(text), &loaded, &error), 0);
	free(text);
	compiled = must_compile(&policy, 1, loaded);
	assert_int_equal(decide_program(compiled->image, 1, "/usr/bin/a"), a);
	assert_int_equal(decide_program(compiled->image, 1, "/usr/bin/ab"), a);
	assert_int_equal(slot_at(compiled, 1)->program_count, 5);
	for (int n = 0; n < 2; n++) {
		struct decision d;

		assert_int_equal(decide(compiled->image, 1, n ? both : a, PD_OBJ_PATH, "/secret", 7,
					PD_READ, &d),
				 0);
		assert_int_equal(d.denied, n);
	}
	compiled_free(compiled);
	numbering_free(numbering);
	numbering_free(loaded);
	policy_free(policy);
}

/* Rules with `by:` alone must not cost the other classes states of their own. */
static void classes_share(void **state)
{
	struct policy *policy = make_policy("share", DENY_ALL);
	struct compiled *one, *many;
	char text[64];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "/srv/dir%d/*.{html,css,js}", i * 7919 % 1000);
		add_path_rule(policy, false, PD_READ, text);
	}
	one = compile_one(policy);
	for (int i = 0; i < 20; i++) {
		struct policy_rule *rule = add_path_rule(policy, false, PD_READ, "/secret");

		snprintf(text, sizeof(text), "/usr/bin/p%d", i);
		add_string(&rule->by, text);
	}
	many = compile_one(policy);
	assert_true(many->stats.image_size < one->stats.image_size + 16384);
	compiled_free(one);
	compiled_free(many);
	policy_free(policy);
}

static void too_many_classes(void **state)
{
	struct policy *policy = make_policy("many", DENY_ALL);
	struct compile_input input = { .policies = &policy, .policy_count = 1 };
	struct numbering *numbering = numbering_new();
	struct compiled *compiled;
	struct pd_error error;
	char text[32];

	(void)state;
	for (unsigned int i = 0; i < COMPILE_PROGRAMS_MAX; i++) {
		snprintf(text, sizeof(text), "/bin/%u", i);
		add_string(&add_path_rule(policy, false, PD_READ, "/x")->by, text);
	}
	assert_int_equal(compile(&input, numbering, &compiled, &error), -E2BIG);
	assert_non_null(strstr(error.text, "64 classes"));
	assert_non_null(strstr(error.text, "'policyctl detach'"));
	numbering_free(numbering);
	policy_free(policy);
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void bindings(void **state)
{
	struct policy *p[] = { make_policy("cg", DENY_ALL), make_policy("exe", DENY_ALL),
			       make_policy("both", 0), make_policy("container", 0) };
	struct numbering *numbering = numbering_new();
	struct compiled *c;
	const unsigned char *image;

	(void)state;
	add_match(p[0], "/system.slice/nginx*", NULL);
	add_match(p[1], NULL, "/bin/redis-*");
	add_match(p[2], "/user.slice", "/bin/redis-server");
	add_match(p[3], "/system.slice", NULL)->image = strdup("nginx");
	c = must_compile(p, 4, numbering);
	image = c->image;
#define SLOT(...) compile_slot(numbering, (const char *const[]){ __VA_ARGS__, NULL })
	assert_int_equal(decide_binding(image, "/system.slice/nginx.service", "/x"), SLOT("cg"));
	assert_int_equal(decide_binding(image, "/system.slice/nginx.service/sub", "/x"),
			 SLOT("cg"));
	assert_int_equal(decide_binding(image, "/system.slice", "/x"), 0);
	assert_int_equal(decide_binding(image, "/", "/usr/bin/redis-cli"), SLOT("exe"));
	assert_int_equal(decide_binding(image, "/user.slice/a", "/usr/bin/redis-server"),
			 SLOT("both", "exe"));
	assert_int_equal(decide_binding(image, "/system.slice/nginx1", "/usr/bin/redis-cli"),
			 SLOT("exe", "cg"));
	assert_true(SLOT("exe", "cg") > 0);
	assert_true(SLOT("container") > 0);
	assert_int_equal(SLOT("container", "cg"), 0);
	compiled_free(c);
	numbering_free(numbering);
	for (int i = 0; i < 4; i++)
		policy_free(p[i]);
}

static void unloaded_policies(void **state)
{
	struct policy *p[] = { make_policy("a", DENY_ALL), make_policy("b", 0) };
	static const char *const set[] = { "a", "b", NULL };
	static const char *const *const sets[] = { set };
	struct numbering *numbering = numbering_new();
	struct compile_input input = {
		.policies = p, .policy_count = 2, .extra_sets = sets, .extra_set_count = 1
	};
	struct compiled *c;
	const char **names;
	uint32_t both, a;
	struct decision d;

	(void)state;
	add_path_rule(p[1], true, PD_READ, "/b");
	assert_int_equal(compile(&input, numbering, &c, NULL), 0);
	both = compile_slot(numbering, set);
	a = SLOT("a");
	names = image_slot_policies(c->image, both);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	assert_null(names[2]);
	free(names);
	compiled_free(c);

	/* One of two is gone: the slot lives on with the other. */
	input = (struct compile_input){ .policies = p + 1, .policy_count = 1 };
	assert_int_equal(compile(&input, numbering, &c, NULL), 0);
	assert_int_equal(slot_at(c, both)->flags, PD_SLOT_LIVE);
	assert_int_equal(slot_at(c, a)->flags, PD_SLOT_UNCONFINED);
	assert_int_equal(decide(c->image, both, 0, PD_OBJ_PATH, "/b", 2, PD_READ, &d), 0);
	assert_true(d.denied);
	assert_int_equal(decide(c->image, both, 0, PD_OBJ_PATH, "/c", 2, PD_READ, &d), 0);
	assert_false(d.denied);
	assert_int_equal(decide(c->image, a, 0, PD_OBJ_PATH, "/c", 2, PD_READ, &d), -EINVAL);
	compiled_free(c);

	/* And back: the numbers are what they were. */
	input = (struct compile_input){ .policies = p, .policy_count = 2, .rescue = true };
	assert_int_equal(compile(&input, numbering, &c, NULL), 0);
	assert_int_equal(SLOT("a"), a);
	assert_int_equal(decide(c->image, a, 0, PD_OBJ_PATH, "/c", 2, PD_READ, &d), 0);
	assert_true(!d.denied && d.would_deny);
	compiled_free(c);
	numbering_free(numbering);
	policy_free(p[0]);
	policy_free(p[1]);
}

static void same_name_twice(void **state)
{
	struct policy *p[] = { make_policy("a", 0), make_policy("a", 0) };
	struct compile_input input = { .policies = p, .policy_count = 2 };
	struct numbering *numbering = numbering_new();
	struct compiled *c;
	struct pd_error error;

	(void)state;
	assert_int_equal(compile(&input, numbering, &c, &error), -EINVAL);
	assert_non_null(strstr(error.text, "another policy a"));
	numbering_free(numbering);
	policy_free(p[0]);
	policy_free(p[1]);
}

static void damaged_numbering(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{\"version\":2,\"slots\":[]}",
		"{\"version\":1,\"slots\":[{}]}",
		"{\"version\":1,\"slots\":[{\"policies\":[],\"programs\":[]}]}",
		"{\"version\":1,\"slots\":[{\"policies\":[\"b\",\"a\"],\"programs\":[]}]}",
		"{\"version\":1,\"slots\":[{\"policies\":[\"a\"]},{\"policies\":[\"a\"]}]}",
		"{\"version\":1,\"slots\":[{\"policies\":[1],\"programs\":[]}]}",
		"{\"version\":1,\"slots\":[{\"policies\":[\"\\u0100\"],\"programs\":[]}]}",
		"{\"version\":1,\"slots\":[{\"policies\":[\"a\"],\"programs\":[[\"x\"],[\"x\"]]}]}",
	};
	struct numbering *numbering;
	struct pd_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(numbering_load(texts[i], strlen(texts[i]), &numbering, &error),
				 -EINVAL);
}

/* ---- what is needed -------------------------------------------------------------------------- */

static void hook_groups(void **state)
{
	struct policy *policy = make_policy("g", 0);
	struct compile_input nothing = { .policy_count = 0 };
	struct numbering *numbering = numbering_new();
	struct policy_rule *guard = add_rule(policy, PD_CLASS_GUARD, false);
	struct compiled *c;
	const struct pd_program *program;

	(void)state;
	assert_int_equal(compile(&nothing, numbering, &c, NULL), 0);
	assert_int_equal(c->stats.groups, 0);
	compiled_free(c);
	numbering_free(numbering);

	guard->guards = (1u << PD_GUARD_COUNT) - 2;
	c = compile_one(policy);
	assert_int_equal(c->stats.groups, 1u << PD_GROUP_CORE);
	program = (const struct pd_program *)(c->image + slot_at(c, 1)->programs);
	assert_int_equal(program->guards, (1u << PD_GUARD_COUNT) - 2);
	assert_true(program->capabilities == ~0ull);
	compiled_free(c);

	add_rule(policy, PD_CLASS_CAPABILITY, true)->capabilities = 1ull << 21;
	add_path_rule(policy, true, PD_UNIX_CONNECT, "/run/x");
	policy->recheck = true;
	c = compile_one(policy);
	/* a unix socket's name is given by hooks of files */
	assert_int_equal(c->stats.groups,
			 1u << PD_GROUP_CORE | 1u << PD_GROUP_FILE | 1u << PD_GROUP_SOCKET |
				 1u << PD_GROUP_CAPABILITY | 1u << PD_GROUP_RECHECK);
	program = (const struct pd_program *)(c->image + slot_at(c, 1)->programs);
	assert_true(program->capabilities == ~(1ull << 21));
	assert_true(slot_at(c, 1)->flags & PD_SLOT_RECHECK);
	compiled_free(c);
	policy_free(policy);
}

static void explosion_is_named(void **state)
{
	struct policy *policy = make_policy("boom", DENY_ALL);
	struct compile_input input = { .policies = &policy, .policy_count = 1 };
	struct numbering *numbering = numbering_new();
	struct compiled *c;
	struct pd_error error;

	(void)state;
	add_path_rule(policy, false, PD_READ, "/usr/**");
	add_path_rule(policy, false, PD_READ, "/**a?????????????????????????");
	add_path_rule(policy, false, PD_READ, "/etc/*.conf");
	assert_int_equal(compile(&input, numbering, &c, &error), -E2BIG);
	assert_non_null(strstr(error.text, "/**a?????"));
	assert_string_equal(error.file, "boom");
	numbering_free(numbering);
	policy_free(policy);
}

static void image_overflow_is_named(void **state)
{
	struct policy *policy = make_policy("huge", DENY_ALL);
	struct compile_input input = { .policies = &policy, .policy_count = 1 };
	struct numbering *numbering = numbering_new();
	struct lots lots = { 9 };
	struct compiled *c;
	struct pd_error error;
	char text[32];

	(void)state;
	for (int i = 0; i < 30000; i++) {
		snprintf(text, sizeof(text), "/srv/%08x%08x", lot(&lots, UINT32_MAX),
			 lot(&lots, UINT32_MAX));
		add_path_rule(policy, true, PD_READ, text);
	}
	assert_int_equal(compile(&input, numbering, &c, &error), -E2BIG);
	assert_non_null(strstr(error.text, "policy huge"));
	numbering_free(numbering);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_classes),    cmocka_unit_test(classes_share),
		cmocka_unit_test(too_many_classes),   cmocka_unit_test(bindings),
		cmocka_unit_test(unloaded_policies),  cmocka_unit_test(same_name_twice),
		cmocka_unit_test(damaged_numbering),  cmocka_unit_test(hook_groups),
		cmocka_unit_test(explosion_is_named), cmocka_unit_test(image_overflow_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
