/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lsm/match.h"
#include "policyd/policy/symbols.h"
#include "tests/unit/policies.h"

#define DENY_ALL 0x1fu

static struct compiled *compile_one(struct policy *policy)
{
	struct numbering *numbering = numbering_new();
	struct compiled *compiled = must_compile(&policy, 1, numbering);

	numbering_free(numbering);
	return compiled;
}

static const struct pd_slot *slot_at(const struct compiled *c, uint32_t slot)
{
	const struct pd_image *header = (const struct pd_image *)c->image;

	return (const struct pd_slot *)(c->image + header->slots) + slot;
}

/* ---- random policies ------------------------------------------------------------------------- */

static void random_flags(struct lots *lots, struct policy_rule *rule)
{
	rule->audit = !rule->deny && !lot(lots, 4);
	rule->quiet = rule->deny && !lot(lots, 3);
	rule->audit_mode = !lot(lots, 4);
}

static const char *const programs[] = { "/usr/bin/a", "/usr/bin/ab", "/b", "/c/d" };

static void random_by(struct lots *lots, struct policy_rule *rule)
{
	static const char *const by[] = { "/bin/a", "/bin/a*", "/{b,c/*}", "/c/**" };

	while (!lot(lots, 4))
		add_string(&rule->by, by[lot(lots, 4)]);
}

static void random_path_rule(struct lots *lots, struct policy *policy)
{
	struct policy_rule *rule = add_rule(policy, lot(lots, 3), lot(lots, 2));
	char pattern[64];

	do {
		random_pattern(lots, pattern, sizeof(pattern));
		add_string(&rule->paths, pattern);
	} while (!lot(lots, 3));
	rule->path_perms = rule->class == PD_CLASS_EXEC ? PD_EXEC :
			   rule->class == PD_CLASS_FILE ? 1 + lot(lots, 7) :
							  PD_UNIX_BIND * (1 + lot(lots, 3));
	random_flags(lots, rule);
	random_by(lots, rule);
}

static void random_socket_rule(struct lots *lots, struct policy *policy)
{
	static const char *const v4[] = { "10.0.0.0", "10.1.2.3", "192.168.129.0" };
	static const char *const v6[] = { "2001:db8::", "2001:db8::1", "fe80::" };
	struct policy_rule *rule = add_rule(policy, PD_CLASS_SOCKET, lot(lots, 2));
	unsigned int first = lot(lots, 3) * 255 + lot(lots, 3);

	rule->socket_perms = 1 + lot(lots, PD_SOCK_ALL);
	if (!lot(lots, 3))
		add_number(&rule->families, &rule->family_count, AF_INET);
	if (!lot(lots, 4))
		add_number(&rule->families, &rule->family_count, AF_UNIX);
	if (!lot(lots, 3))
		add_number(&rule->types, &rule->type_count, 1 + lot(lots, 3));
	if (!lot(lots, 3))
		add_number(&rule->protocols, &rule->protocol_count, lot(lots, 2) ? 6 : 262);
	if (!lot(lots, 3)) {
		rule->ports = calloc(1, sizeof(*rule->ports));
		rule->ports[rule->port_count++] =
			(struct policy_ports){ first, first + lot(lots, 3) * 256 };
	}
	while (!lot(lots, 2))
		switch (lot(lots, 3)) {
		case 0:
			add_to(rule, AF_INET, v4[lot(lots, 3)], 8 + lot(lots, 25), first, 65535);
			break;
		case 1:
			add_to(rule, AF_INET6, v6[lot(lots, 3)], 16 + lot(lots, 113), 0, first);
			break;
		default:
			add_to(rule, 0, NULL, 0, first, first + 1);
		}
	random_flags(lots, rule);
	random_by(lots, rule);
}

static struct policy *random_policy(struct lots *lots, const char *name)
{
	struct policy *policy = make_policy(name, lot(lots, DENY_ALL + 1));
	unsigned int rules = lot(lots, 6);

	policy->mode = lot(lots, 3) ? POLICY_ENFORCE : POLICY_AUDIT;
	for (unsigned int i = 0; i < rules; i++) {
		struct policy_rule *rule;

		switch (lot(lots, 6)) {
		case 0:
			rule = add_rule(policy, PD_CLASS_CAPABILITY, lot(lots, 2));
			rule->capabilities = lot(lots, 1000);
			random_flags(lots, rule);
			break;
		case 1:
			rule = add_rule(policy, PD_CLASS_GUARD, false);
			rule->guards = lot(lots, 1u << PD_GUARD_COUNT) & ~1u;
			random_flags(lots, rule);
			break;
		case 2:
			random_socket_rule(lots, policy);
			break;
		default:
			random_path_rule(lots, policy);
		}
	}
	return policy;
}

static struct request random_request(struct lots *lots, char *name, size_t size)
{
	struct request r = { .name = name, .length = 1, .perm = PD_USE };
	struct pd_socket_key *key = (struct pd_socket_key *)name;

	if (!lot(lots, 2))
		r.program = programs[lot(lots, 4)];
	r.object = lot(lots, 3) ? PD_OBJ_PATH : lot(lots, PD_OBJ_COUNT);
	switch (r.object) {
	case PD_OBJ_PATH:
		r.length = random_name(lots, name, size);
		r.perm = 1u << lot(lots, 16);
		break;
	case PD_OBJ_SOCKET:
		memset(name, 0, sizeof(*key));
		key->family = lot(lots, 3) ? AF_INET : lot(lots, 2) ? AF_INET6 : AF_UNIX;
		key->type = 1 + lot(lots, 3);
		key->protocol[0] = lot(lots, 2);
		key->protocol[1] = lot(lots, 2) ? 6 : 17;
		r.perm = 1u << lot(lots, 6);
		r.length = PD_SOCKET_KEY_BARE;
		if (key->family == AF_UNIX || r.perm == PD_SOCK_CREATE)
			break;
		r.length = key->family == AF_INET ? PD_SOCKET_KEY_V4 : PD_SOCKET_KEY_V6;
		key->port[0] = lot(lots, 4);
		key->port[1] = lot(lots, 2) ? lot(lots, 3) : 253 + lot(lots, 3);
		memcpy(key->addr, key->family == AF_INET ? "\x0a\x01\x02\x03" : "\x20\x01\x0d\xb8",
		       4);
		key->addr[lot(lots, 4)] ^= 1u << lot(lots, 8);
		break;
	default:
		name[0] = (char)lot(lots, 12);
	}
	return r;
}

static void random_policies(void **state)
{
	static const char *const names[] = { "one", "two", "three" };
	struct lots lots = { 7 };
	struct policy *policies[3];
	char name[128] __attribute__((aligned(8)));

	(void)state;
	for (int round = 0; round < 600; round++) {
		size_t count = 1 + lot(&lots, 3);
		struct numbering *numbering = numbering_new();
		const char *set[4] = { NULL };
		const char *const *sets[] = { set };
		struct compile_input input = { .policies = policies,
					       .policy_count = count,
					       .extra_sets = sets,
					       .extra_set_count = 1 };
		struct compiled *compiled = NULL;
		struct pd_error error;
		uint32_t slot;

		for (size_t i = 0; i < count; i++) {
			policies[i] = random_policy(&lots, names[i]);
			set[i] = names[i];
		}
		if (compile(&input, numbering, &compiled, &error) ||
		    image_check(compiled->image, PD_IMAGE_SIZE, &error))
			fail_msg("%s", error.text);
		slot = compile_slot(numbering, set);
		for (int n = 0; n < 60; n++) {
			struct request r = random_request(&lots, name, sizeof(name));

			check_verdict(compiled->image, slot, (const struct policy *const *)policies,
				      count, &r);
		}
		compiled_free(compiled);
		numbering_free(numbering);
		for (size_t i = 0; i < count; i++)
			policy_free(policies[i]);
	}
}

/* ---- below ----------------------------------------------------------------------------------- */

struct masks {
	uint32_t e_any, e_all, t_any, t_all;
};

/* Everything below a name by feeding the walk every byte from every state it finds. */
static struct masks masks_below(const unsigned char *image, const struct pd_automaton *automaton,
				uint32_t from)
{
	static const unsigned char slash[PD_TEXT_SIZE + 8] = "/";
	struct masks m = { 0, PD_PATH_ALL, 0, PD_PATH_ALL };
	struct pd_walk w = { .classes = automaton->classes, .state = from, .end = 1 };
	unsigned char text[PD_TEXT_SIZE + 8] = { 0 };
	uint32_t *met = malloc(20000 * sizeof(*met));
	size_t count = 0, done = 0;

	assert_non_null(met);
	pd_walk_step(image, slash, &w);
	met[count++] = w.state;
	for (; done < count; done++) {
		const struct pd_info *info =
			(const struct pd_info *)(image + pd_state_info(image, met[done]));

		m.e_any |= PD_PATH_ALL & ~info->deny_e;
		m.e_all &= ~info->deny_e;
		m.t_any |= PD_PATH_ALL & ~info->deny_t;
		m.t_all &= ~info->deny_t;
		for (int b = 1; b < 256; b++) {
			size_t i;

			text[0] = b;
			w = (struct pd_walk){ automaton->classes, met[done], 0, 1 };
			pd_walk_step(image, text, &w);
			for (i = 0; i < count && met[i] != w.state; i++)
				;
			if (i == count)
				met[count++] = w.state;
		}
	}
	free(met);
	return m;
}

static void below(void **state)
{
	struct lots lots = { 8 };
	char name[64];

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct policy *policy = random_policy(&lots, "p");
		struct compiled *compiled = compile_one(policy);
		const struct pd_program *program =
			(const struct pd_program *)(compiled->image +
						    slot_at(compiled, 1)->programs);
		struct decision d;

		for (int n = 0; n < 5; n++) {
			size_t length = n ? random_name(&lots, name, sizeof(name)) : 0;
			unsigned char text[PD_TEXT_SIZE + 8] = { 0 };
			struct pd_walk w = { program->objects[0].classes, program->objects[0].start,
					     0, length };
			struct masks m;

			memcpy(text, name, length);
			while (pd_walk_step(compiled->image, text, &w))
				;
			m = masks_below(compiled->image, &program->objects[0], w.state);
			assert_int_equal(decide(compiled->image, 1, 0, PD_OBJ_PATH, name, length,
						PD_READ, &d),
					 0);
			assert_int_equal(d.info->below_e_any, m.e_any);
			assert_int_equal(d.info->below_e_all, m.e_all);
			assert_int_equal(d.info->below_t_any, m.t_any);
			assert_int_equal(d.info->below_t_all, m.t_all);
		}
		compiled_free(compiled);
		policy_free(policy);
	}
}

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
		cmocka_unit_test(random_policies),    cmocka_unit_test(below),
		cmocka_unit_test(program_classes),    cmocka_unit_test(classes_share),
		cmocka_unit_test(too_many_classes),   cmocka_unit_test(bindings),
		cmocka_unit_test(unloaded_policies),  cmocka_unit_test(same_name_twice),
		cmocka_unit_test(damaged_numbering),  cmocka_unit_test(hook_groups),
		cmocka_unit_test(explosion_is_named), cmocka_unit_test(image_overflow_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
