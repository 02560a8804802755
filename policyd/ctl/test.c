/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl test POLICY OP OBJECT: what would happen, by which rule. Needs neither root nor daemon. */
#include <stdio.h>
#include <string.h>

#include "policyd/ctl/ctl.h"
#include "policyd/ctl/question.h"
#include "policyd/policy/glob.h"
#include "policyd/policy/words.h"

/* The answer is about the name as given, which on most systems is not the one the kernel asks about. */
static void warn_of_links(const struct policy_rule *question)
{
	const char *name = question->paths.count ? question->paths.items[0].text : "";

	for (const struct glob_alias *alias = glob_aliases; alias->link; alias++) {
		size_t length = strlen(alias->link);

		if (!strncmp(name, alias->link, length) && name[length] == '/')
			ctl_warn("note: where %s is a link, the kernel asks about %s%s instead",
				 alias->link, alias->target, name + length);
	}
}

static int print_answer(const struct ctl *ctl, const struct policy *policy,
			const struct policy_rule *question, const struct answer *answer)
{
	const struct policy *by = answer->policy ? answer->policy : policy;
	char asked[700], text[400];
	json_t *object;

	question_text(question, asked, sizeof(asked));
	if (!ctl->json) {
		answer_text(policy, question, answer, text, sizeof(text));
		printf("%s: %s\n", asked, text);
		return answer->denied ? CTL_NO : CTL_OK;
	}
	object = json_pack("{s:b, s:s, s:o, s:o, s:s}", "ok", 1, "verdict", answer_word(answer),
			   "question", json_text(asked), "policy", json_text(policy->name), "class",
			   word_class(question->class));
	if (answer->rule)
		json_object_set_new(object, "rule",
				    json_pack("{s:o, s:I}", "file",
					      json_text(by->files[answer->rule->place.file]),
					      "line", (json_int_t)answer->rule->place.line));
	else
		json_object_set_new(object, "rule", json_string("default"));
	ctl_print(object);
	return answer->denied ? CTL_NO : CTL_OK;
}

static int test(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "by", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	struct policy_rule question = { 0 };
	struct policy *policy;
	struct answer answer;
	const char *by = NULL;
	int option, r, status;

	while ((option = ctl_options(ctl, &command_test, argc, argv, "b:h", options))) {
		if (option != 'b')
			return CTL_ERROR;
		by = optarg;
	}
	if (argc - optind != 3)
		return ctl_usage(&command_test, "a policy, an operation and an object are needed");
	r = ctl_policy(ctl, argv[optind], true, &policy, &error);
	if (r)
		return ctl_fail(ctl, &error);
	r = parse_question(argv[optind + 1], argv[optind + 2], by, &question, &error);
	if (!r) {
		warn_of_links(&question);
		r = answer_question(policy, &question, &answer, &error);
		status = r ? ctl_fail(ctl, &error) : print_answer(ctl, policy, &question, &answer);
		policy_rule_done(&question);
	} else {
		status = ctl_fail(ctl, &error);
	}
	policy_free(policy);
	return status;
}

const struct command command_test = {
	.name = "test",
	.usage = "POLICY OPERATION OBJECT [--by PROGRAM] [--json]",
	.summary = "Say what a policy would decide, and by which rule",
	.help = "POLICY is a name or a file. OPERATION and OBJECT:\n"
		"  read, write, append, create, ...  /etc/shadow\n"
		"  exec                              /bin/sh\n"
		"  bind, listen, accept, connect, send  10.0.0.1:443, udp/[::1]:53, :80, "
		"/run/x.sock, @name\n"
		"  create                            inet/stream, packet, netlink/raw/audit\n"
		"  capability                        net_raw\n"
		"  guard                             mount\n"
		"Exit status: 0 allowed, 1 denied, 2 error.\n",
	.run = test,
};
