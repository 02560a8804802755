/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl ps: the containers that policyd knows. */
#include <stdlib.h>
#include <string.h>

#include "policyd/base/buffer.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"

#define COLUMNS 8
#define CELL_MAX 512

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

/* "web, tls" */
static const char *policies_of(const json_t *container, char cell[static CELL_MAX])
{
	const json_t *policies = json_object_get(container, "policies");
	struct buffer b;

	buffer_init(&b, cell, CELL_MAX - 1);
	for (size_t i = 0; i < json_array_size(policies); i++)
		buffer_format(&b, "%s%s", i ? ", " : "",
			      json_string_value(json_array_get(policies, i)));
	cell[b.used] = '\0';
	return or_dash(cell);
}

/* Ids are long; the beginning tells them apart, as with the runtimes' own lists. */
static const char *short_id(const json_t *container, char cell[static CELL_MAX])
{
	snprintf(cell, CELL_MAX, "%.12s", string_of(container, "id"));
	return cell;
}

static const char *name_of(const json_t *container, char cell[static CELL_MAX])
{
	const char *pod = string_of(container, "pod");
	const char *namespace = string_of(container, "namespace");

	snprintf(cell, CELL_MAX, "%s%s%s%s%s", namespace, namespace[0] ? "/" : "", pod,
		 pod[0] ? "/" : "", or_dash(string_of(container, "name")));
	return cell;
}

static const char *count_of(const json_t *container, const char *key, char cell[static CELL_MAX])
{
	if (!json_is_integer(json_object_get(container, key)))
		return "?";
	snprintf(cell, CELL_MAX, "%lld", number_of(container, key));
	return cell;
}

static void print_containers(const json_t *containers)
{
	static const char *const titles[COLUMNS] = { "STATE", "ID",	  "NAME", "RUNTIME",
						     "IMAGE", "POLICIES", "FREE", "DENIED" };
	size_t count = json_array_size(containers);
	const char **cells = calloc((count + 1) * COLUMNS, sizeof(*cells));
	char(*texts)[5][CELL_MAX] = calloc(count + 1, sizeof(*texts));

	if (cells && texts) {
		memcpy(cells, titles, sizeof(titles));
		for (size_t i = 0; i < count; i++) {
			const json_t *container = json_array_get(containers, i);
			const char **row = cells + (i + 1) * COLUMNS;

			row[0] = string_of(container, "state");
			row[1] = short_id(container, texts[i][0]);
			row[2] = name_of(container, texts[i][1]);
			row[3] = or_dash(string_of(container, "runtime"));
			row[4] = or_dash(string_of(container, "image"));
			row[5] = policies_of(container, texts[i][2]);
			row[6] = count_of(container, "free", texts[i][3]);
			row[7] = count_of(container, "denials", texts[i][4]);
		}
		print_table(cells, count + 1, COLUMNS);
		for (size_t i = 0; i < count; i++) {
			const json_t *container = json_array_get(containers, i);
			const char *why = string_of(container, "why");

			if (!why[0])
				continue;
			print_text(string_of(container, "cgroup"));
			fputs(": ", stdout);
			print_text(why);
			putchar('\n');
		}
	}
	free(texts);
	free(cells);
}

static int ps(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *reply;

	if (ctl_options(ctl, &command_ps, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind != argc)
		return ctl_usage(&command_ps, "nothing more is needed");
	if (ctl_call(ctl, request_new(CONTROL_PS), &reply, &error))
		return ctl_fail(ctl, &error);
	if (ctl->json)
		ctl_print(json_incref(reply));
	else
		print_containers(json_object_get(reply, "containers"));
	json_decref(reply);
	return CTL_OK;
}

const struct command command_ps = {
	.name = "ps",
	.usage = "[--json]",
	.summary = "List the containers, their policies and denials",
	.run = ps,
};
