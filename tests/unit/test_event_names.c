// SPDX-License-Identifier: GPL-2.0-or-later
/* Rule numbers of a compiled image, resolved after the image is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policyd/audit/names.h"
#include "policyd/policy/compile.h"
#include "policyd/policy/parse.h"
#include "tests/unit/fake_ring.h"

static const char text[] = "version: 1\n"
			   "name: web\n"
			   "mode: enforce\n"
			   "match: [{exe: /usr/sbin/nginx}]\n"
			   "default: {file: deny, exec: allow, socket: allow, capability: allow}\n"
			   "file:\n"
			   "  - {allow: read, path: /srv/}\n"
			   "  - {deny: write, path: \"/etc/**\"}\n";

static struct names *compiled_names(void)
{
	struct parse_options options = { .trust_files = true };
	const char *none[] = { NULL };
	struct names *names = names_new();
	struct numbering *numbering = numbering_new();
	struct compile_input input = { .generation = 9 };
	struct compiled *compiled;
	struct policy **policies;
	struct pd_error error = { 0 };
	size_t count;

	options.include_dirs = none;
	if (parse_text("web.yaml", text, strlen(text), &options, NULL, &policies, &count, &error))
		fail_msg("%s", error.text);
	input.policies = policies;
	input.policy_count = count;
	if (compile(&input, numbering, &compiled, &error))
		fail_msg("%s", error.text);
	assert_int_equal(names_add(names, compiled->image), 0);
	compiled_free(compiled);
	numbering_free(numbering);
	for (size_t i = 0; i < count; i++)
		policy_free(policies[i]);
	free(policies);
	return names;
}

static void every_rule_has_its_place(void **state)
{
	struct names *names = compiled_names();
	struct fake_event fake;
	struct event event;
	bool rule = false, by_default = false;

	(void)state;
	fake_event_init(&fake);
	fake.record.generation = 9;
	for (fake.record.rule = 1;; fake.record.rule++) {
		size_t length = fake_event_build(&fake);

		assert_int_equal(event_view(fake.bytes, length, PD_RING_DENIALS, &event), 0);
		names_resolve(names, &event);
		if (!event.symbol.policy)
			break;
		assert_string_equal(event.symbol.policy, "web");
		assert_string_equal(event.policies, "web");
		if (event.symbol.line == 8 && event.symbol.deny && !event.symbol.is_default) {
			assert_string_equal(event.symbol.file, "web.yaml");
			assert_non_null(strstr(event.symbol.text, "/etc/**"));
			rule = true;
		}
		if (event.symbol.is_default && event.symbol.class == PD_CLASS_FILE) {
			assert_int_equal(event.symbol.line, 5);
			by_default = true;
		}
	}
	assert_true(rule);
	assert_true(by_default);
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_rule_has_its_place) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
