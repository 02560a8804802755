/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl status: is anything enforced, by what, and did anything get lost? */
#include <stdio.h>
#include <string.h>

#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"

static const char *state_text(const char *state)
{
	static const char *const texts[][2] = {
		{ "enforcing", "enforcing" },
		{ "auditing", "nothing is enforced: all policies are in audit mode or disabled" },
		{ "idle", "nothing is enforced: there are no policies" },
		{ "rescue",
		  "NOTHING IS ENFORCED: policyd.enforce=0 is on the kernel's command line" },
		{ "stale", "enforcing what a former policyd left: the policies cannot be loaded" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i][0], state) == 0)
			return texts[i][1];
	return state;
}

static void print_ring(const json_t *events, const char *name)
{
	const json_t *ring = json_object_get(events, name);

	printf("%-10s %lld generated, %lld delivered, %lld suppressed, %lld lost", name,
	       number_of(ring, "generated"), number_of(ring, "delivered"),
	       number_of(ring, "suppressed"), number_of(ring, "lost"));
	if (number_of(ring, "sink_lost"))
		printf(", %lld that nobody could keep", number_of(ring, "sink_lost"));
	putchar('\n');
}

static void print_sinks(const json_t *sinks)
{
	const json_t *sink;
	size_t i;

	json_array_foreach(sinks, i, sink) {
		printf("%-10s %s %s, %lld written, %lld lost", i ? "" : "events to",
		       string_of(sink, "kind"), string_of(sink, "target"),
		       number_of(sink, "written"), number_of(sink, "lost"));
		if (string_of(sink, "error")[0])
			printf(": %s", string_of(sink, "error"));
		putchar('\n');
	}
}

static void print_status(const json_t *reply)
{
	const json_t *image = json_object_get(reply, "image");
	const json_t *hooks = json_object_get(reply, "hooks");
	const json_t *events = json_object_get(reply, "events");
	const json_t *memory = json_object_get(reply, "memory");
	const json_t *trouble = json_object_get(reply, "trouble");

	printf("%-10s %s\n", "state", state_text(string_of(reply, "state")));
	if (trouble)
		printf("%-10s %s (%s)\n", "trouble", string_of(trouble, "text"),
		       string_of(trouble, "time"));
	printf("%-10s process %lld since %s%s\n", "policyd", number_of(reply, "pid"),
	       string_of(reply, "since"),
	       json_is_true(json_object_get(reply, "adopted")) ? ", took over from another" : "");
	printf("%-10s %lld in force, %lld rules, %lld commands under 'policyctl run'\n", "policies",
	       number_of(reply, "policies"), number_of(image, "rules"), number_of(reply, "runs"));
	printf("%-10s generation %lld, %lld states, %lld effective policies, %lld kB\n", "image",
	       number_of(image, "generation"), number_of(image, "states"),
	       number_of(image, "slots"), number_of(image, "bytes") / 1000);
	printf("%-10s %zu attached\n", "hooks",
	       json_array_size(json_object_get(hooks, "attached")));
	print_ring(events, "denials");
	print_ring(events, "notices");
	print_sinks(json_object_get(events, "sinks"));
	printf("%-10s %lld kB resident, %lld kB in the kernel\n", "memory",
	       number_of(memory, "resident") / 1000, number_of(memory, "kernel") / 1000);
}

static int status(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *reply;
	int answer;

	if (ctl_options(ctl, &command_status, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind != argc)
		return ctl_usage(&command_status, "nothing more is needed");
	if (ctl_call(ctl, request_new(CONTROL_STATUS), &reply, &error))
		return ctl_fail(ctl, &error);
	answer = json_object_get(reply, "trouble") ||
				 strcmp(string_of(reply, "state"), "rescue") == 0 ?
			 CTL_NO :
			 CTL_OK;
	if (ctl->json)
		ctl_print(json_incref(reply));
	else
		print_status(reply);
	json_decref(reply);
	return answer;
}

const struct command command_status = {
	.name = "status",
	.usage = "[--json]",
	.summary = "Tell whether policies are enforced, and whether all is well",
	.help = "Exit status: 0 all is well, 1 the last reload failed or rescue mode, 2 no "
		"answer.\n",
	.run = status,
};
