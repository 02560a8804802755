/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl list: the policies in force. */
#include <stdlib.h>
#include <string.h>

#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"

#define COLUMNS 5

static void print_policies(const json_t *policies)
{
	size_t count = json_array_size(policies);
	const char **cells = calloc((count + 1) * COLUMNS, sizeof(*cells));
	char(*rules)[24] = calloc(count + 1, sizeof(*rules));
	static const char *const titles[COLUMNS] = { "NAME", "MODE", "RULES", "MATCH", "FILE" };

	if (cells && rules) {
		memcpy(cells, titles, sizeof(titles));
		for (size_t i = 0; i < count; i++) {
			const json_t *policy = json_array_get(policies, i);
			const char **row = cells + (i + 1) * COLUMNS;

			snprintf(rules[i], sizeof(rules[i]), "%lld", number_of(policy, "rules"));
			row[0] = string_of(policy, "name");
			row[1] = string_of(policy, "mode");
			row[2] = rules[i];
			row[3] = string_of(policy, "match")[0] ? string_of(policy, "match") : "-";
			row[4] = string_of(policy, "file");
		}
		print_table(cells, count + 1, COLUMNS);
	}
	free(rules);
	free(cells);
}

static int list(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *reply;

	if (ctl_options(ctl, &command_list, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind != argc)
		return ctl_usage(&command_list, "nothing more is needed");
	if (ctl_call(ctl, request_new(CONTROL_LIST), &reply, &error))
		return ctl_fail(ctl, &error);
	if (ctl->json)
		ctl_print(json_incref(reply));
	else
		print_policies(json_object_get(reply, "policies"));
	json_decref(reply);
	return CTL_OK;
}

const struct command command_list = {
	.name = "list",
	.usage = "[--json]",
	.summary = "List the policies in force",
	.run = list,
};
