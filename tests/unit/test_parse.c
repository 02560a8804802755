// SPDX-License-Identifier: GPL-2.0-or-later
/* What the parser puts into the model; its messages are tested by tests/golden. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policyd/base/sha256.h"
#include "policyd/policy/parse.h"

#define HEAD "version: 1\nname: x\ndefault: deny\n"

/* One policy from text; fails the test on an error. */
static struct policy *parse(const char *text)
{
	struct pd_error error = { .text = "" };
	struct policy **policies = NULL, *policy;
	size_t count = 0;

	if (parse_text("test", text, strlen(text), NULL, NULL, &policies, &count, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	assert_int_equal(count, 1);
	policy = policies[0];
	free(policies);
	return policy;
}

static struct policy *parse_rules(const char *rules)
{
	char text[2000];

	snprintf(text, sizeof(text), HEAD "%s", rules);
	return parse(text);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* ---- the model ------------------------------------------------------------------------------- */

static void document(void **state)
{
	struct policy *policy = parse("version: 1\n"
				      "name: web\n"
				      "description: d\n"
				      "mode: audit\n"
				      "default: {socket: allow}\n"
				      "inherited: recheck\n"
				      "match:\n"
				      "  - {exe: /x, label: {a: b, c: 'd*'}}\n"
				      "  - {cgroup: /y}\n");

	(void)state;
	assert_string_equal(policy->name, "web");
	assert_string_equal(policy->description, "d");
	assert_int_equal(policy->mode, POLICY_AUDIT);
	assert_true(policy->recheck);
	assert_int_equal(policy->deny_default, 1u << PD_CLASS_FILE | 1u << PD_CLASS_EXEC |
						       1u << PD_CLASS_CAPABILITY |
						       1u << PD_CLASS_GUARD);
	assert_int_equal(policy->default_place.line, 5);
	assert_int_equal(policy->default_place.column, 10);
	assert_int_equal(policy->name_place.line, 2);
	assert_int_equal(policy->match_count, 2);
	assert_string_equal(policy->matches[0].exe, "/x");
	assert_null(policy->matches[0].cgroup);
	assert_int_equal(policy->matches[0].label_count, 2);
	assert_string_equal(policy->matches[0].labels[1].key, "c");
	assert_string_equal(policy->matches[0].labels[1].value, "d*");
	assert_string_equal(policy->matches[1].cgroup, "/y");
	assert_int_equal(policy->file_count, 1);
	assert_string_equal(policy->files[0], "test");
	policy_free(policy);
}

static void guard_is_always_denied(void **state)
{
	struct policy *policy = parse("version: 1\nname: x\ndefault: allow\n"
				      "guard: {allow: [bpf, kernel]}\n");

	(void)state;
	assert_int_equal(policy->deny_default, 1u << PD_CLASS_GUARD);
	assert_int_equal(policy->rule_count, 1);
	assert_int_equal(policy->rules[0].class, PD_CLASS_GUARD);
	assert_int_equal(policy->rules[0].guards, 1u << PD_GUARD_BPF | 1u << PD_GUARD_KERNEL);
	policy_free(policy);
}

static void file_permissions(void **state)
{
	static const struct {
		const char *words;
		uint32_t perms;
	} cases[] = {
		{ "read", PD_READ },
		{ "write", PD_WRITE | PD_APPEND },
		{ "append", PD_APPEND },
		{ "[read, lock, ioctl]", PD_READ | PD_LOCK | PD_IOCTL },
		{ "rw", PD_READ | PD_WRITE | PD_APPEND },
		{ "modify", PD_WRITE | PD_APPEND | PD_CREATE | PD_DELETE | PD_LINK | PD_ATTR },
		{ "all", PD_PATH_FILE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		struct policy *policy;

		snprintf(text, sizeof(text), "file:\n  - {allow: %s, path: /a}\n", cases[i].words);
		policy = parse_rules(text);
		assert_int_equal(policy->rules[0].path_perms, cases[i].perms);
		assert_int_equal(policy->rules[0].socket_perms, 0);
		policy_free(policy);
	}
}

static void flags_and_places(void **state)
{
	struct policy *policy = parse_rules("file:\n"
					    "  - {allow: read, path: [/a, /b], audit: true}\n"
					    "  - {deny: read, path: /c, by: [/p, /q], quiet: true, "
					    "kill: true, mode: audit}\n");
	const struct policy_rule *a = &policy->rules[0], *b = &policy->rules[1];

	(void)state;
	assert_true(a->audit && !a->deny && !a->quiet && !a->kill && !a->audit_mode);
	assert_true(!b->audit && b->deny && b->quiet && b->kill && b->audit_mode);
	assert_int_equal(a->place.line, 5);
	assert_int_equal(a->place.column, 5);
	assert_int_equal(a->paths.count, 2);
	assert_string_equal(a->paths.items[1].text, "/b");
	assert_int_equal(a->paths.items[1].place.column, 30);
	assert_int_equal(b->by.count, 2);
	assert_string_equal(b->by.items[1].text, "/q");
	policy_free(policy);
}

static void exec_both_ways(void **state)
{
	struct policy *policy = parse_rules("exec:\n"
					    "  - {allow: [/a, '/b*']}\n"
					    "  - {deny: exec, path: /c}\n");

	(void)state;
	assert_int_equal(policy->rules[0].path_perms, PD_EXEC | PD_MMAP_EXEC);
	assert_int_equal(policy->rules[0].paths.count, 2);
	assert_int_equal(policy->rules[1].path_perms, PD_EXEC | PD_MMAP_EXEC);
	assert_string_equal(policy->rules[1].paths.items[0].text, "/c");
	assert_true(policy->rules[1].deny);
	policy_free(policy);
}

static void capabilities(void **state)
{
	struct policy *policy = parse_rules("capability:\n"
					    "  - {allow: [CHOWN, cap_bpf]}\n"
					    "  - {deny: all}\n");

	(void)state;
	assert_int_equal(policy->rules[0].capabilities, 1ull | 1ull << 39);
	assert_int_equal(policy->rules[1].capabilities, (1ull << 41) - 1);
	policy_free(policy);
}

static void socket_halves(void **state)
{
	static const struct {
		const char *rule;
		uint32_t socket_perms, path_perms;
		size_t families, paths;
		uint16_t first_family;
	} cases[] = {
		{ "allow: connect", PD_SOCK_CONNECT, PD_UNIX_CONNECT, 0, 2, 0 },
		{ "allow: create", PD_SOCK_CREATE, 0, 0, 0, 0 },
		{ "allow: all, family: unix", PD_SOCK_CREATE, PD_PATH_UNIX, 1, 2, AF_UNIX },
		{ "allow: [create, send], family: [unix, inet]", PD_SOCK_CREATE | PD_SOCK_SEND,
		  PD_UNIX_SEND, 2, 2, AF_UNIX },
		{ "allow: connect, unix: /x", 0, PD_UNIX_CONNECT, 1, 1, AF_UNIX },
		{ "allow: all, unix: ['@x', /y, /z]", 0, PD_PATH_UNIX, 1, 3, AF_UNIX },
		{ "allow: [bind, listen], port: 80", PD_SOCK_BIND | PD_SOCK_LISTEN, 0, 2, 0,
		  AF_INET },
		{ "deny: all, port: 80", PD_SOCK_ALL & ~(uint32_t)PD_SOCK_CREATE, 0, 2, 0,
		  AF_INET },
		{ "deny: all, to: '*'", PD_SOCK_CONNECT | PD_SOCK_SEND, 0, 2, 0, AF_INET },
		{ "allow: create, protocol: tcp", PD_SOCK_CREATE, 0, 2, 0, AF_INET },
		{ "allow: connect, to: '::1', family: ipv6", PD_SOCK_CONNECT, 0, 1, 0, AF_INET6 },
		{ "deny: all, family: packet", PD_SOCK_ALL, 0, 1, 0, AF_PACKET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		struct policy *policy;
		const struct policy_rule *rule;

		snprintf(text, sizeof(text), "socket:\n  - {%s}\n", cases[i].rule);
		policy = parse_rules(text);
		rule = &policy->rules[0];
		assert_int_equal(rule->socket_perms, cases[i].socket_perms);
		assert_int_equal(rule->path_perms, cases[i].path_perms);
		assert_int_equal(rule->family_count, cases[i].families);
		assert_int_equal(rule->paths.count, cases[i].paths);
		if (rule->family_count)
			assert_int_equal(rule->families[0], cases[i].first_family);
		policy_free(policy);
	}
}

static void socket_numbers(void **state)
{
	struct policy *policy = parse_rules(
		"socket:\n"
		"  - {allow: bind, type: [stream, 5, 1], protocol: [tcp, 262], port: [0, 80-90], "
		"family: inet}\n"
		"  - {allow: create, family: netlink, protocol: [route, 15]}\n"
		"  - {allow: connect, to: [10.0.0.1, '[::1]'], port: [1, 2-3, 4]}\n");
	const struct policy_rule *rule = policy->rules;

	(void)state;
	assert_int_equal(rule->type_count, 2);
	assert_int_equal(rule->types[1], SOCK_SEQPACKET);
	assert_int_equal(rule->protocol_count, 2);
	assert_int_equal(rule->protocols[1], 262);
	assert_int_equal(rule->port_count, 2);
	assert_int_equal(rule->ports[0].first, 0);
	assert_int_equal(rule->ports[0].last, 0);
	assert_int_equal(rule->ports[1].first, 80);
	assert_int_equal(rule->ports[1].last, 90);
	rule++;
	assert_int_equal(rule->protocols[0], 0);
	assert_int_equal(rule->protocols[1], 15);
	rule++;
	assert_int_equal(rule->port_count, 0);
	assert_int_equal(rule->to_count, 6);
	assert_int_equal(rule->to[1].family, AF_INET);
	assert_int_equal(rule->to[1].ports.first, 2);
	assert_int_equal(rule->to[1].ports.last, 3);
	assert_int_equal(rule->to[5].family, AF_INET6);
	assert_int_equal(rule->to[5].ports.first, 4);
	policy_free(policy);
}

static void addresses(void **state)
{
	static const struct {
		const char *text, *addr;
		uint8_t family, prefix;
		uint16_t first, last;
	} cases[] = {
		{ "10.0.0.0/8:5432", "10.0.0.0", AF_INET, 8, 5432, 5432 },
		{ "10.0.0.1", "10.0.0.1", AF_INET, 32, 0, 65535 },
		{ "0.0.0.0/0:1-2", "0.0.0.0", AF_INET, 0, 1, 2 },
		{ "172.16.0.0/11:*", NULL, 0, 0, 0, 0 }, /* refused: bits below the prefix */
		{ "172.0.0.0/11:*", "172.0.0.0", AF_INET, 11, 0, 65535 },
		{ "[2001:db8::]/32:443", "2001:db8::", AF_INET6, 32, 443, 443 },
		{ "[2001:db8::]/31", "2001:db8::", AF_INET6, 31, 0, 65535 },
		{ "2001:db8::/32", "2001:db8::", AF_INET6, 32, 0, 65535 },
		{ "::", "::", AF_INET6, 128, 0, 65535 },
		{ "::/0", "::", AF_INET6, 0, 0, 65535 },
		{ "[::1]:0", "::1", AF_INET6, 128, 0, 0 },
		{ "::ffff:10.1.2.0/120", "10.1.2.0", AF_INET, 24, 0, 65535 },
		{ "[::ffff:10.1.2.3]:9", "10.1.2.3", AF_INET, 32, 9, 9 },
		{ "::ffff:0:0/96", "0.0.0.0", AF_INET, 0, 0, 65535 },
		{ "::ffff:0:0/95", NULL, 0, 0, 0, 0 },
		{ "10.0.0.0/8:", NULL, 0, 0, 0, 0 },
		{ "10.0.0.0/:5", NULL, 0, 0, 0, 0 },
		{ "10.0.0.0/08", NULL, 0, 0, 0, 0 },
		{ "010.0.0.0/8", NULL, 0, 0, 0, 0 },
		{ "10.0.0/8", NULL, 0, 0, 0, 0 },
		{ "[::1]x", NULL, 0, 0, 0, 0 },
		{ "[::1]/129", NULL, 0, 0, 0, 0 },
		{ "[fe80::1%lo]:1", NULL, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy **policies;
		const struct policy_address *to;
		struct pd_error error;
		uint8_t addr[16] = { 0 };
		char text[200];
		size_t count;
		int ret;

		snprintf(text, sizeof(text), HEAD "socket:\n  - {allow: connect, to: \"%s\"}\n",
			 cases[i].text);
		ret = parse_text("test", text, strlen(text), NULL, NULL, &policies, &count, &error);
		if (!cases[i].addr) {
			assert_int_equal(ret, -EINVAL);
			continue;
		}
		assert_int_equal(ret, 0);
		to = policies[0]->rules[0].to;
		assert_int_equal(inet_pton(cases[i].family, cases[i].addr, addr), 1);
		assert_int_equal(to->family, cases[i].family);
		assert_int_equal(to->prefix, cases[i].prefix);
		assert_memory_equal(to->addr, addr, sizeof(addr));
		assert_int_equal(to->ports.first, cases[i].first);
		assert_int_equal(to->ports.last, cases[i].last);
		policy_free(policies[0]);
		free(policies);
	}
}

/* ---- questions ------------------------------------------------------------------------------- */

static void questions(void **state)
{
	static const struct {
		const char *op, *object;
		enum pd_class class;
		uint32_t path_perms, socket_perms;
		int family, type, protocol, port; /* -1: none */
	} cases[] = {
		{ "read", "/etc/*", PD_CLASS_FILE, PD_READ, 0, -1, -1, -1, -1 },
		{ "write", "/x", PD_CLASS_FILE, PD_WRITE, 0, -1, -1, -1, -1 },
		{ "create", "/x", PD_CLASS_FILE, PD_CREATE, 0, -1, -1, -1, -1 },
		{ "exec", "memfd:x", PD_CLASS_EXEC, PD_EXEC, 0, -1, -1, -1, -1 },
		{ "connect", "/run/x", PD_CLASS_SOCKET, PD_UNIX_CONNECT, 0, -1, -1, -1, -1 },
		{ "bind", "@x", PD_CLASS_SOCKET, PD_UNIX_BIND, 0, -1, -1, -1, -1 },
		{ "connect", "1.2.3.4:5", PD_CLASS_SOCKET, 0, PD_SOCK_CONNECT, AF_INET, SOCK_STREAM,
		  IPPROTO_TCP, 5 },
		{ "send", "udp/[::1]:53", PD_CLASS_SOCKET, 0, PD_SOCK_SEND, AF_INET6, SOCK_DGRAM,
		  IPPROTO_UDP, 53 },
		{ "bind", ":80", PD_CLASS_SOCKET, 0, PD_SOCK_BIND, AF_INET, SOCK_STREAM,
		  IPPROTO_TCP, 80 },
		{ "connect", "icmp/1.2.3.4", PD_CLASS_SOCKET, 0, PD_SOCK_CONNECT, AF_INET, SOCK_RAW,
		  IPPROTO_ICMP, 0 },
		{ "create", "packet", PD_CLASS_SOCKET, 0, PD_SOCK_CREATE, AF_PACKET, SOCK_RAW, 0,
		  -1 },
		{ "create", "inet6/dgram", PD_CLASS_SOCKET, 0, PD_SOCK_CREATE, AF_INET6, SOCK_DGRAM,
		  IPPROTO_UDP, -1 },
		{ "create", "netlink/dgram/audit", PD_CLASS_SOCKET, 0, PD_SOCK_CREATE, AF_NETLINK,
		  SOCK_DGRAM, 9, -1 },
		{ "bind", "netlink/raw/route", PD_CLASS_SOCKET, 0, PD_SOCK_BIND, AF_NETLINK,
		  SOCK_RAW, 0, -1 },
		{ "create", "unix", PD_CLASS_SOCKET, 0, PD_SOCK_CREATE, AF_UNIX, SOCK_STREAM, 0,
		  -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_rule rule;
		struct pd_error error;

		assert_int_equal(parse_question(cases[i].op, cases[i].object, "/by", &rule, &error),
				 0);
		assert_int_equal(rule.class, cases[i].class);
		assert_int_equal(rule.path_perms, cases[i].path_perms);
		assert_int_equal(rule.socket_perms, cases[i].socket_perms);
		assert_int_equal(rule.by.count, 1);
		if (cases[i].path_perms) {
			assert_int_equal(rule.paths.count, 1);
			assert_string_equal(rule.paths.items[0].text, cases[i].object);
		}
		assert_int_equal(rule.family_count ? rule.families[0] : -1, cases[i].family);
		assert_int_equal(rule.type_count ? rule.types[0] : -1, cases[i].type);
		assert_int_equal(rule.protocol_count ? rule.protocols[0] : -1, cases[i].protocol);
		assert_int_equal(rule.to_count ? rule.to[0].ports.last : -1, cases[i].port);
		policy_rule_done(&rule);
	}
}

static void wrong_questions(void **state)
{
	static const struct {
		const char *op, *object, *by, *text;
	} cases[] = {
		{ "reed", "/x", NULL, "unknown operation \"reed\"; did you mean \"read\"?" },
		{ "conect", "/x", NULL, "unknown operation \"conect\"; did you mean \"connect\"?" },
		{ "rw", "/x", NULL, "\"rw\" is several; ask one at a time" },
		{ "all", "/x", NULL, "\"all\" is several; ask one at a time" },
		{ "read", "x", NULL,
		  "\"x\": must begin with '/' (or be \"memfd:\", \"mqueue:\" or "
		  "\"nsfs:\" for files without a path)" },
		{ "read", "/a//b", NULL, "\"/a//b\": \"//\" never occurs in a path" },
		{ "read", "", NULL,
		  "\"\": must begin with '/' (or be \"memfd:\", \"mqueue:\" or "
		  "\"nsfs:\" for files without a path)" },
		{ "read", "/x", "y", "\"y\": must begin with '/'" },
		{ "connect", "10.0.0.0/8:1", NULL, "\"10.0.0.0/8:1\" is not one address" },
		{ "connect", "10.0.0.1", NULL, "\"10.0.0.1\" needs one port, as in 10.0.0.1:443" },
		{ "connect", "inet", NULL, "\"inet\" needs an address for this operation" },
		{ "create", "ine", NULL, "unknown socket family \"ine\"; did you mean \"inet\"?" },
		{ "create", "@x", NULL,
		  "a socket has no address yet when it is created; ask about "
		  "family unix" },
		{ "capability", "sysadmin", NULL,
		  "unknown capability \"sysadmin\"; did you mean \"sys_admin\"?" },
		{ "guard", "mnt", NULL, "unknown guard \"mnt\"; did you mean \"mount\"?" },
		{ "", "", NULL, "unknown operation \"\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_rule rule;
		struct pd_error error;

		assert_int_equal(parse_question(cases[i].op, cases[i].object, cases[i].by, &rule,
						&error),
				 -EINVAL);
		assert_string_equal(error.text, cases[i].text);
	}
}

/* ---- files ----------------------------------------------------------------------------------- */

static int parse_path(const char *path, const struct parse_options *options, char *message,
		      size_t size, unsigned char *ret_digest)
{
	struct policy **policies;
	struct pd_error error;
	size_t count;
	int ret = parse_file(path, options, NULL, &policies, &count, &error);

	message[0] = '\0';
	if (ret) {
		snprintf(message, size, "%s", error.text);
		return ret;
	}
	if (ret_digest)
		memcpy(ret_digest, policies[0]->digest, 32);
	for (size_t i = 0; i < count; i++)
		policy_free(policies[i]);
	free(policies);
	return 0;
}

static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/test-parse-XXXXXX");

	*state = folder;
	return !folder || !mkdtemp(folder) || chdir(folder);
}

static int leave_folder(void **state)
{
	static const char *const names[] = { "p.yaml", "inc/a.yaml", "inc/b.yaml", "fifo",
					     "link",   "inc",	     NULL };

	for (size_t i = 0; names[i]; i++)
		remove(names[i]);
	rmdir(*state);
	free(*state);
	return chdir("/");
}

static void includes_and_digest(void **state)
{
	static const char *const dirs[] = { "nowhere", "inc", NULL };
	struct parse_options options = { .include_dirs = dirs, .trust_files = true };
	unsigned char before[32], after[32], again[32];
	struct policy **policies;
	struct pd_error error;
	char message[700];
	size_t count;

	(void)state;
	assert_int_equal(mkdir("inc", 0755), 0);
	write_file("p.yaml", HEAD "include: [a, b]\nfile:\n  - {allow: read, path: /p}\n", 0644);
	write_file("inc/a.yaml", "version: 1\ninclude: b\nfile:\n  - {allow: read, path: /a}\n",
		   0644);
	write_file("inc/b.yaml", "version: 1\nfile:\n  - {allow: read, path: /b}\n", 0644);
	assert_int_equal(parse_file("p.yaml", &options, NULL, &policies, &count, &error), 0);
	assert_int_equal(policies[0]->rule_count, 3);
	assert_string_equal(policies[0]->rules[0].paths.items[0].text, "/b");
	assert_string_equal(policies[0]->rules[1].paths.items[0].text, "/a");
	assert_string_equal(policies[0]->rules[2].paths.items[0].text, "/p");
	assert_int_equal(policies[0]->file_count, 3);
	assert_string_equal(policies[0]->files[policies[0]->rules[0].place.file], "inc/b.yaml");
	assert_int_equal(policies[0]->rules[0].place.line, 3);
	policy_free(policies[0]);
	free(policies);

	assert_int_equal(parse_path("p.yaml", &options, message, sizeof(message), before), 0);
	assert_int_equal(parse_path("p.yaml", &options, message, sizeof(message), again), 0);
	assert_memory_equal(before, again, 32);
	write_file("inc/b.yaml", "version: 1\nfile:\n  - {allow: read, path: /c}\n", 0644);
	assert_int_equal(parse_path("p.yaml", &options, message, sizeof(message), after), 0);
	assert_memory_not_equal(before, after, 32);
}

static void only_root_may_write(void **state)
{
	struct parse_options trust = { .trust_files = true };
	char message[700];

	write_file("p.yaml", HEAD, 0664);
	assert_int_equal(parse_path("p.yaml", &trust, message, sizeof(message), NULL), 0);
	assert_int_equal(parse_path("p.yaml", NULL, message, sizeof(message), NULL), -EPERM);
	assert_int_equal(chmod("p.yaml", 0644), 0);
	if (geteuid() != 0)
		return; /* the file is not root's, and cannot be made so */
	assert_int_equal(parse_path("p.yaml", NULL, message, sizeof(message), NULL), 0);
	assert_int_equal(chmod(*state, 0777), 0);
	assert_int_equal(parse_path("p.yaml", NULL, message, sizeof(message), NULL), -EPERM);
	/* nobody can replace root's file in a sticky directory, but a link in it may be anybody's */
	assert_int_equal(chmod(*state, 01777), 0);
	assert_int_equal(parse_path("p.yaml", NULL, message, sizeof(message), NULL), -EPERM);
	assert_int_equal(chmod(*state, 0700), 0);
	assert_int_equal(symlink("p.yaml", "link"), 0);
	assert_int_equal(parse_path("link", NULL, message, sizeof(message), NULL), 0);
	assert_int_equal(chown("p.yaml", 1, 0), 0);
	assert_int_equal(parse_path("link", NULL, message, sizeof(message), NULL), -EPERM);
	assert_non_null(strstr(message, "user 1"));
}

static void only_regular_files(void **state)
{
	struct parse_options trust = { .trust_files = true };
	char message[700];

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(parse_path("fifo", &trust, message, sizeof(message), NULL), -EINVAL);
	assert_int_equal(parse_path(".", &trust, message, sizeof(message), NULL), -EINVAL);
	assert_int_equal(parse_path("/dev/zero", &trust, message, sizeof(message), NULL), -EINVAL);
	assert_int_equal(parse_path("missing", &trust, message, sizeof(message), NULL), -ENOENT);
	write_file("p.yaml", "", 0644);
	assert_int_equal(truncate("p.yaml", POLICY_FILE_MAX + 1), 0);
	assert_int_equal(parse_path("p.yaml", &trust, message, sizeof(message), NULL), -EFBIG);
}

static void sha256(void **state)
{
	/* FIPS 180-4 examples: "abc", and a million times "a" */
	static const unsigned char abc[4] = { 0xba, 0x78, 0x16, 0xbf };
	static const unsigned char million[4] = { 0xcd, 0xc7, 0x6e, 0x5c };
	unsigned char digest[32];
	struct sha256 hash;

	(void)state;
	sha256_init(&hash);
	sha256_add(&hash, "abc", 3);
	sha256_finish(&hash, digest);
	assert_memory_equal(digest, abc, 4);
	assert_int_equal(digest[31], 0xad);
	sha256_init(&hash);
	for (int i = 0; i < 1000000; i++)
		sha256_add(&hash, "a", 1);
	sha256_finish(&hash, digest);
	assert_memory_equal(digest, million, 4);
	assert_int_equal(digest[31], 0xd0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document),
		cmocka_unit_test(guard_is_always_denied),
		cmocka_unit_test(file_permissions),
		cmocka_unit_test(flags_and_places),
		cmocka_unit_test(exec_both_ways),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(socket_halves),
		cmocka_unit_test(socket_numbers),
		cmocka_unit_test(addresses),
		cmocka_unit_test(questions),
		cmocka_unit_test(wrong_questions),
		cmocka_unit_test_setup_teardown(includes_and_digest, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(only_root_may_write, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(only_regular_files, enter_folder, leave_folder),
		cmocka_unit_test(sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
