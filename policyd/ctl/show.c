/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl show NAME: a policy as it is in force. */
#include <stdio.h>

#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"

static void print_policy(const json_t *policy)
{
	const json_t *rule;
	size_t i;

	printf("%s: %s", string_of(policy, "name"), string_of(policy, "mode"));
	if (strcmp(string_of(policy, "mode"), string_of(policy, "file_mode")) != 0)
		printf(" (its file says %s)", string_of(policy, "file_mode"));
	printf("\n  file   %s\n", string_of(policy, "file"));
	if (string_of(policy, "description")[0])
		printf("  about  %s\n", string_of(policy, "description"));
	if (string_of(policy, "match")[0])
		printf("  match  %s\n", string_of(policy, "match"));
	json_array_foreach(json_object_get(policy, "decisions"), i, rule) {
		printf("  %s", string_of(rule, "class"));
		if (json_is_true(json_object_get(rule, "default")))
			printf(": %s by default\n",
			       json_is_true(json_object_get(rule, "deny")) ? "deny" : "allow");
		else
			printf(": %s  (%s:%lld)\n", string_of(rule, "text"),
			       string_of(rule, "file"), number_of(rule, "line"));
	}
}

static int show(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *request, *reply;

	if (ctl_options(ctl, &command_show, argc, argv, "h", options))
		return CTL_ERROR;
	if (argc - optind != 1)
		return ctl_usage(&command_show, "one policy's name is needed");
	request = request_new(CONTROL_SHOW);
	json_object_set_new(request, "name", json_text(argv[optind]));
	if (ctl_call(ctl, request, &reply, &error))
		return ctl_fail(ctl, &error);
	if (ctl->json)
		ctl_print(json_incref(reply));
	else
		print_policy(json_object_get(reply, "policy"));
	json_decref(reply);
	return CTL_OK;
}

const struct command command_show = {
	.name = "show",
	.usage = "NAME [--json]",
	.summary = "Show a policy as it is in force, with the rules that can decide",
	.run = show,
};
