/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random policies: what the image decides is what their rules say one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lsm/match.h"
#include "policyd/policy/symbols.h"
#include "tests/unit/policies.h"

/* ---- decisions ------------------------------------------------------------------------------- */

static void random_flags(struct lots *lots, struct policy_rule *rule)
{
	rule->audit = !rule->deny && !lot(lots, 4);
	rule->quiet = rule->deny && !lot(lots, 3);
	rule->kill = rule->deny && !lot(lots, 3);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_policies),
		cmocka_unit_test(below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
