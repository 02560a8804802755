/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_POLICY_PARSE_H
#define PD_POLICY_PARSE_H

#include "policyd/policy/policy.h"

/* Where `include: [base]` looks for base.yaml, first match wins. */
struct parse_options {
	const char *const *include_dirs; /* NULL-terminated */
	bool trust_files; /* do not refuse files others may write (check and test of an ordinary user) */
};

/* Something a person should know that is not an error: a rule that can never decide, a `by:`
 * program the policy lets anyone write ... */
typedef void parse_warning_fn(void *context, const struct pd_error *warning);

struct parse_sink {
	parse_warning_fn *warn; /* may be NULL */
	void *context;
};

/**
 * parse_file() - read a policy and what it includes
 * @path: shown in messages as given
 *
 * The file may hold several YAML documents; each becomes one policy. On success *ret_policies is an
 * array of *ret_count policies, which the caller frees one by one with policy_free() and then free().
 *
 * Bounded in time and memory whatever the input: files above POLICY_FILE_MAX, aliases and anchors,
 * deep nesting, NUL bytes and invalid UTF-8 are errors. Regular files only. Unless
 * options->trust_files, files and directories that anyone but root can write are refused.
 *
 * Returns 0, or a negative errno with @error filled: -EINVAL for a wrong policy, else that of the
 * failing system call. Nothing is returned then.
 */
int parse_file(const char *path, const struct parse_options *options, const struct parse_sink *sink,
	       struct policy ***ret_policies, size_t *ret_count, struct pd_error *error);

/** parse_text() - the same for text in memory; @name stands for the file in messages */
int parse_text(const char *name, const char *text, size_t size, const struct parse_options *options,
	       const struct parse_sink *sink, struct policy ***ret_policies, size_t *ret_count,
	       struct pd_error *error);

/**
 * parse_question() - "OP OBJECT" of policyctl test, as a rule with one permission and one object
 *
 * OP is a file permission, "exec", a socket operation, "capability" or "guard". OBJECT by OP:
 *   /etc/shadow, memfd:x            file permissions and exec; taken literally
 *   /run/x.sock, @abstract          bind, listen, accept, connect, send
 *   10.0.0.1:443, [::1]:443, :80    the same; ":80" is 0.0.0.0:80; tcp unless a protocol stands in
 *                                   front: udp/10.0.0.1:53
 *   inet/stream, packet, netlink/raw/audit   create, and the others for families without ports
 *   net_raw                         capability
 *   mount                           guard
 * @by: the program that asks, NULL for none in particular.
 *
 * ret_rule is as struct policy_expect describes. The caller frees its insides with
 * policy_rule_done(). Returns 0, -EINVAL with @error filled, or -ENOMEM.
 */
int parse_question(const char *op, const char *object, const char *by, struct policy_rule *ret_rule,
		   struct pd_error *error);

/** policy_rule_done() - free what a rule owns, not the rule */
void policy_rule_done(struct policy_rule *rule);

#endif
