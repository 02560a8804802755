/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/decide.h"

#include <errno.h>
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

static struct policy *sample(void)
{
	struct policy *policy = make_policy("web", DENY_ALL);
	struct policy_rule *rule;

	policy->description = strdup("a server");
	policy->digest[3] = 9;
	add_path_rule(policy, false, PD_READ, "/etc/nginx/");
	add_path_rule(policy, true, PD_READ | PD_WRITE, "/etc/nginx/*.key")->quiet = true;
	add_path_rule(policy, false, PD_EXEC, "/bin/{a,b,c,d,e,f}")->audit = true;
	add_string(&add_path_rule(policy, false, PD_READ, "/secret")->by, "/bin/a");
	rule = add_rule(policy, PD_CLASS_SOCKET, false);
	rule->socket_perms = PD_SOCK_CONNECT;
	add_number(&rule->families, &rule->family_count, AF_INET);
	add_number(&rule->families, &rule->family_count, AF_INET6);
	add_number(&rule->protocols, &rule->protocol_count, 6);
	add_to(rule, AF_INET, "10.0.0.0", 8, 5432, 5432);
	add_rule(policy, PD_CLASS_CAPABILITY, false)->capabilities = 1u << 10;
	add_rule(policy, PD_CLASS_GUARD, false)->guards = 1u << PD_GUARD_USERNS;
	add_match(policy, "/system.slice/web.service", NULL);
	return policy;
}

static struct compiled *compile_sample(void)
{
	struct policy *policy = sample();
	struct numbering *numbering = numbering_new();
	struct compiled *c = must_compile(&policy, 1, numbering);

	numbering_free(numbering);
	policy_free(policy);
	return c;
}

static void symbols(void **state)
{
	struct compiled *c = compile_sample();
	struct image_policy policy;
	struct decision d;
	struct symbol s;

	(void)state;
	assert_int_equal(image_policy_count(c->image), 1);
	assert_int_equal(image_policy(c->image, 0, &policy), 0);
	assert_string_equal(policy.name, "web");
	assert_string_equal(policy.description, "a server");
	assert_string_equal(policy.file, "web");
	assert_int_equal(policy.rules, 7);
	assert_int_equal(policy.deny_default, DENY_ALL);
	assert_int_equal(policy.mode, POLICY_ENFORCE);
	assert_int_equal(policy.digest[3], 9);
	assert_int_equal(image_policy(c->image, 1, &policy), -ENOENT);

	assert_int_equal(decide(c->image, 1, 0, PD_OBJ_PATH, "/etc/nginx/a.key", 16, PD_READ, &d),
			 0);
	assert_true(d.denied && d.info->quiet & PD_READ);
	assert_int_equal(image_symbol(c->image, d.rule, &s), 0);
	assert_string_equal(s.text,
			    "{deny: [read, write], path: \"/etc/nginx/*.key\", quiet: true}");
	assert_int_equal(s.line, 3);
	assert_int_equal(decide(c->image, 1, 0, PD_OBJ_PATH, "/etc/shadow", 11, PD_READ, &d), 0);
	assert_int_equal(image_symbol(c->image, d.rule, &s), 0);
	assert_true(s.is_default && s.class == PD_CLASS_FILE);
	assert_int_equal(decide(c->image, 1, 0, PD_OBJ_PATH, "/usr/bin/c", 10, PD_EXEC, &d), 0);
	assert_false(d.denied);
	assert_int_equal(image_symbol(c->image, d.rule, &s), 0);
	assert_string_equal(s.text, "{allow: \"/bin/{a,b,c,d,e,f}\", audit: true}");
	assert_int_equal(image_symbol(c->image, 0, &s), -ENOENT);
	assert_int_equal(image_symbol(c->image, 9999, &s), -ENOENT);
	assert_int_equal(decide(c->image, 9, 0, PD_OBJ_PATH, "/", 1, PD_READ, &d), -EINVAL);
	assert_int_equal(decide(c->image, 1, 9, PD_OBJ_PATH, "/", 1, PD_READ, &d), -EINVAL);
	compiled_free(c);
}

static void texts(void **state)
{
	struct policy *policy = make_policy("t", 0);
	struct policy_rule *rule = add_rule(policy, PD_CLASS_SOCKET, true);
	char text[SYMBOLS_TEXT_MAX + 1];

	(void)state;
	rule->socket_perms = PD_SOCK_CONNECT | PD_SOCK_SEND;
	add_to(rule, AF_INET, "10.0.0.0", 8, 0, 65535);
	add_to(rule, AF_INET6, "2001:db8::", 32, 443, 445);
	add_to(rule, 0, NULL, 0, 53, 53);
	rule->audit_mode = true;
	symbols_text(rule, text);
	assert_string_equal(text, "{deny: [connect, send], to: [10.0.0.0/8, "
				  "\"[2001:db8::]/32:443-445\", \"*:53\"], mode: audit}");
	for (int i = 0; i < 100; i++)
		add_string(&rule->by, "/usr/bin/program");
	symbols_text(rule, text);
	assert_int_equal(strlen(text), SYMBOLS_TEXT_MAX);
	policy_free(policy);
}

/* ---- damaged images -------------------------------------------------------------------------- */

static void use(const unsigned char *image)
{
	static const char *const names[] = { "/etc/nginx/x.key", "/usr/bin/a", "", "/secret/x" };
	const struct pd_image *header = (const struct pd_image *)image;
	struct image_policy policy;
	struct decision d;
	struct symbol s;

	for (uint32_t slot = 0; slot < header->slot_count; slot++) {
		for (int i = 0; i < 4 * PD_OBJ_COUNT; i++)
			if (!decide(image, slot, 0, i / 4, names[i % 4], strlen(names[i % 4]), 1,
				    &d) &&
			    !image_symbol(image, d.rule, &s))
				assert_true(strlen(s.text) + strlen(s.file) < PD_IMAGE_SIZE);
		decide_program(image, slot, "/bin/a");
		free(image_slot_policies(image, slot));
	}
	decide_binding(image, "/system.slice/web.service", "/bin/a");
	for (size_t i = 0; i < image_policy_count(image); i++)
		image_policy(image, i, &policy);
}

/* Any word changed: refused, or still safe to read (which the sanitizers watch). */
static void damaged_images(void **state)
{
	static const uint32_t values[] = {
		0, 1, 3, 0x7fffffff, 0xffffffff, PD_IMAGE_SIZE, PD_IMAGE_SIZE - 4
	};
	struct compiled *c = compile_sample();
	uint32_t *words = (uint32_t *)c->image;
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < c->stats.image_size / 4; i++) {
		uint32_t was = words[i];

		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]) + 2; v++) {
			words[i] = v < sizeof(values) / sizeof(values[0]) ? values[v] :
				   v & 1				  ? was + 4 :
									    was ^ 2;
			if (image_check(c->image, PD_IMAGE_SIZE, NULL))
				refused++;
			else
				use(c->image);
		}
		words[i] = was;
	}
	assert_true(refused > c->stats.image_size / 4);
	assert_int_equal(image_check(c->image, PD_IMAGE_SIZE, NULL), 0);
	assert_int_equal(image_check(c->image, PD_IMAGE_SIZE - 1, NULL), -EPROTO);
	assert_int_equal(image_check(c->image, 3, NULL), -EPROTO);
	compiled_free(c);
}

/* ---- questions ------------------------------------------------------------------------------- */

static void ask_path(struct answerer *a, uint32_t perm, const char *path, const char *by,
		     struct answer *ret)
{
	struct policy_rule q = { .class = perm & PD_EXEC ? PD_CLASS_EXEC : PD_CLASS_FILE,
				 .path_perms = perm };
	struct pd_error error;

	add_string(&q.paths, path);
	if (by)
		add_string(&q.by, by);
	if (answerer_ask(a, &q, ret, &error))
		fail_msg("%s", error.text);
	free(q.paths.items[0].text);
	free(q.paths.items);
	if (by)
		free(q.by.items[0].text);
	free(q.by.items);
}

static void questions(void **state)
{
	struct policy *policy = sample();
	struct policy_rule q = { .class = PD_CLASS_CAPABILITY };
	struct answerer *a;
	struct answer answer;

	(void)state;
	policy->mode = POLICY_DISABLED;
	assert_int_equal(answerer_new(policy, &a, NULL), 0);
	ask_path(a, PD_READ, "/etc/nginx/x", NULL, &answer);
	assert_true(!answer.denied && answer.rule == &policy->rules[0]);
	ask_path(a, PD_READ, "/etc/nginx/x.key", NULL, &answer);
	assert_true(answer.denied && answer.rule == &policy->rules[1]);
	ask_path(a, PD_EXEC, "/opt/c", NULL, &answer);
	assert_true(answer.denied && !answer.rule);
	ask_path(a, PD_EXEC, "/usr/bin/c", NULL, &answer);
	assert_true(!answer.denied && answer.rule == &policy->rules[2]);
	ask_path(a, PD_READ, "/secret", NULL, &answer);
	assert_true(answer.denied && !answer.rule);
	ask_path(a, PD_READ, "/secret", "/usr/bin/a", &answer);
	assert_true(!answer.denied && answer.rule == &policy->rules[3]);
	q.capabilities = 1u << 10;
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), 0);
	assert_true(!answer.denied && answer.rule == &policy->rules[5]);
	q.capabilities |= 1;
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), -EINVAL);
	answerer_free(a);

	q = (struct policy_rule){ .class = PD_CLASS_GUARD, .guards = 1u << PD_GUARD_MOUNT };
	assert_int_equal(answer_question(policy, &q, &answer, NULL), 0);
	assert_true(answer.denied && !answer.rule);
	policy->mode = POLICY_AUDIT;
	assert_int_equal(answer_question(policy, &q, &answer, NULL), 0);
	assert_true(!answer.denied && answer.would_deny);
	policy_free(policy);
}

static void socket_questions(void **state)
{
	struct policy *policy = sample();
	struct policy_rule q = { .class = PD_CLASS_SOCKET, .socket_perms = PD_SOCK_CONNECT };
	struct answerer *a;
	struct answer answer;

	(void)state;
	add_number(&q.families, &q.family_count, AF_INET);
	add_number(&q.types, &q.type_count, SOCK_STREAM);
	add_number(&q.protocols, &q.protocol_count, 6);
	add_to(&q, AF_INET, "10.9.8.7", 32, 5432, 5432);
	assert_int_equal(answerer_new(policy, &a, NULL), 0);
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), 0);
	assert_true(!answer.denied && answer.rule == &policy->rules[4]);
	q.to->ports.first = q.to->ports.last = 5433;
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), 0);
	assert_true(answer.denied && !answer.rule);
	q.socket_perms = PD_SOCK_CREATE;
	q.to_count = 0;
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), 0);
	assert_false(answer.denied);
	q.families[0] = AF_INET6;
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), 0);
	assert_false(answer.denied);
	q.families[0] = AF_UNIX;
	assert_int_equal(answerer_ask(a, &q, &answer, NULL), 0);
	assert_true(answer.denied);
	answerer_free(a);
	free(q.families);
	free(q.types);
	free(q.protocols);
	free(q.to);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols),	    cmocka_unit_test(texts),
		cmocka_unit_test(damaged_images),   cmocka_unit_test(questions),
		cmocka_unit_test(socket_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
