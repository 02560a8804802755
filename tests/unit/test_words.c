// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "policyd/policy/policy.h"
#include "policyd/policy/words.h"

static const struct words *const tables[] = {
	&words_file_permissions, &words_socket_operations,
	&words_families,	 &words_types,
	&words_ip_protocols,	 &words_netlink_protocols,
	&words_capabilities,	 &words_guards,
	&words_classes,		 &words_modes,
};

static void words_are_distinct_and_found(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			uint32_t value;

			assert_true(words_find(tables[t], tables[t]->items[i].name, &value));
			assert_int_equal(value, tables[t]->items[i].value);
			assert_true(words_find(tables[t], words_name(tables[t], value), &value));
			assert_int_equal(value, tables[t]->items[i].value);
			assert_string_equal(words_nearest(tables[t], tables[t]->items[i].name),
					    tables[t]->items[i].name);
		}
	}
}

static void nearest_means_near(void **state)
{
	static const struct {
		const struct words *words;
		const char *written, *meant;
	} cases[] = {
		{ &words_file_permissions, "wirte", "write" },
		{ &words_file_permissions, "reads", "read" },
		{ &words_file_permissions, "mmapexec", "mmap_exec" },
		{ &words_file_permissions, "attributes", "attr" },
		{ &words_file_permissions, "x", NULL },
		{ &words_file_permissions, "bananas", NULL },
		{ &words_file_permissions, "", NULL },
		{ &words_socket_operations, "recv", NULL },
		{ &words_capabilities, "sysadmin", "sys_admin" },
		{ &words_capabilities, "net_bind", "net_bind_service" },
		{ &words_families, "inet4", "inet" },
		{ &words_guards, "iouring", "io_uring" },
	};
	char endless[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *meant = words_nearest(cases[i].words, cases[i].written);

		if (cases[i].meant)
			assert_non_null(meant);
		if (cases[i].meant)
			assert_string_equal(meant, cases[i].meant);
		else
			assert_null(meant);
	}
	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_null(words_nearest(&words_capabilities, endless));
}

static void capabilities_have_prefixes(void **state)
{
	uint32_t number;

	(void)state;
	assert_true(words_capability("CAP_NET_RAW", &number));
	assert_int_equal(number, 13);
	assert_true(words_capability("cap_checkpoint_restore", &number));
	assert_int_equal(number, 40);
	assert_true(words_capability("chown", &number));
	assert_int_equal(number, 0);
	assert_false(words_capability("cap_", &number));
	assert_false(words_capability("all", &number));
	assert_int_equal(words_capabilities.count, 41);
	for (unsigned int i = 0; i < 41; i++)
		assert_non_null(word_capability(i));
	assert_null(word_capability(41));
}

static void everything_in_events_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < PD_OP_COUNT; i++)
		assert_string_not_equal(word_operation((enum pd_operation)i), "unknown");
	for (int i = 0; i < PD_HOOK_COUNT; i++)
		assert_string_not_equal(word_hook((enum pd_hook)i), "unknown");
	for (int i = 0; i < PD_CLASS_COUNT; i++)
		assert_string_not_equal(word_class((enum pd_class)i), "unknown");
	for (int i = 1; i < PD_GUARD_COUNT; i++)
		assert_string_not_equal(word_guard((enum pd_guard)i), "unknown");
	for (int i = 0; i < PD_REASON_COUNT; i++) {
		assert_string_not_equal(word_reason((enum pd_reason)i), "unknown");
		assert_string_not_equal(word_reason_text((enum pd_reason)i), "unknown reason");
	}
	for (int i = PD_ALLOWED; i <= PD_WOULD_DENY; i++)
		assert_string_not_equal(word_verdict((enum pd_verdict)i), "unknown");
	assert_string_equal(word_operation((enum pd_operation)255), "unknown");
	assert_string_equal(word_hook((enum pd_hook)255), "unknown");
	assert_string_equal(word_reason((enum pd_reason)255), "unknown");
	assert_string_equal(word_verdict((enum pd_verdict)0), "unknown");
	assert_string_equal(word_hook(PD_HOOK_file_open), "file_open");
}

static void numbers_have_names_by_family(void **state)
{
	(void)state;
	assert_string_equal(word_family(AF_INET6), "inet6");
	assert_string_equal(word_family(AF_UNIX), "unix");
	assert_null(word_family(200));
	assert_string_equal(word_socktype(SOCK_SEQPACKET), "seqpacket");
	assert_null(word_socktype(9));
	assert_string_equal(word_protocol(AF_INET, IPPROTO_TCP), "tcp");
	assert_string_equal(word_protocol(AF_INET6, 58), "icmpv6");
	assert_string_equal(word_protocol(AF_NETLINK, 0), "route");
	assert_string_equal(word_protocol(AF_NETLINK, 9), "audit");
	assert_null(word_protocol(AF_PACKET, 3));
	assert_null(word_protocol(AF_INET, 250));
}

static void masks_are_listed(void **state)
{
	static const struct {
		enum pd_object object;
		uint32_t perms;
		const char *text;
	} cases[] = {
		{ PD_OBJ_PATH, 0, "none" },
		{ PD_OBJ_PATH, PD_READ, "read" },
		{ PD_OBJ_PATH, PD_READ | PD_WRITE | PD_APPEND, "read, write" },
		{ PD_OBJ_PATH, PD_APPEND | PD_CREATE, "append, create" },
		{ PD_OBJ_PATH, PD_EXEC | PD_UNIX_CONNECT, "exec, connect" },
		{ PD_OBJ_PATH, PD_READ | 1u << 20, "read, 0x100000" },
		{ PD_OBJ_SOCKET, PD_SOCK_ALL, "create, bind, listen, accept, connect, send" },
		{ PD_OBJ_SOCKET, 1u << 6, "0x40" },
		{ PD_OBJ_CAPABILITY, PD_USE, "use" },
		{ PD_OBJ_GUARD, PD_USE, "use" },
	};
	char text[100], small[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(word_permissions(cases[i].object, cases[i].perms, text,
						     sizeof(text)),
				    cases[i].text);
	word_permissions(PD_OBJ_SOCKET, PD_SOCK_ALL, small, sizeof(small));
	assert_string_equal(small, "create,");
	assert_string_equal(word_permission(PD_OBJ_PATH, PD_READ | PD_CREATE, 1), "create");
	assert_null(word_permission(PD_OBJ_PATH, PD_READ | PD_CREATE, 2));
}

static void unix_operations_have_twins(void **state)
{
	(void)state;
	assert_int_equal(words_unix_perms(PD_SOCK_ALL), PD_PATH_UNIX);
	assert_int_equal(words_unix_perms(PD_SOCK_CREATE), 0);
	assert_int_equal(words_unix_perms(PD_SOCK_SEND), PD_UNIX_SEND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_distinct_and_found),
		cmocka_unit_test(nearest_means_near),
		cmocka_unit_test(capabilities_have_prefixes),
		cmocka_unit_test(everything_in_events_has_a_name),
		cmocka_unit_test(numbers_have_names_by_family),
		cmocka_unit_test(masks_are_listed),
		cmocka_unit_test(unix_operations_have_twins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
