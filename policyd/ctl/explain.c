/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl explain EVENT: what happened, who decided, and which rule would have allowed it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/text.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/grant.h"
#include "policyd/ctl/history.h"
#include "policyd/ctl/print.h"
#include "policyd/policy/words.h"

struct wanted {
	enum pd_ring ring;
	uint64_t sequence;
	char *json; /* of the event found; the last one of that number, as boots begin anew */
};

static bool on_past(void *context, struct event *event)
{
	struct wanted *wanted = context;
	size_t size;
	FILE *memory;

	if (event->ring != wanted->ring || event->record->sequence != wanted->sequence)
		return true;
	free(wanted->json);
	wanted->json = NULL;
	memory = open_memstream(&wanted->json, &size);
	if (memory) {
		print_event(memory, event, true, 0);
		fclose(memory);
	}
	return false; /* older ones of this number are of an enforcement that has ended */
}

/* "denials:42", "notices:42", "42" */
static int parse_number(const char *text, struct wanted *wanted)
{
	char *end;

	wanted->ring = PD_RING_DENIALS;
	if (strncmp(text, "notices:", 8) == 0) {
		wanted->ring = PD_RING_NOTICES;
		text += 8;
	} else if (strncmp(text, "denials:", 8) == 0) {
		text += 8;
	}
	wanted->sequence = strtoull(text, &end, 10);
	return *end || end == text || text[0] == '-' ? -EINVAL : 0;
}

static int find_event(struct ctl *ctl, const char *what, char **ret_json, struct pd_error *error)
{
	struct wanted wanted = { .json = NULL };
	size_t size = 0;
	int r;

	if (strcmp(what, "-") == 0) {
		r = fd_read_all(STDIN_FILENO, EVENT_JSON_MAX, ret_json, &size);
		if (r)
			return error_set(error, r, "standard input: %s", strerror(-r));
		return size ? 0 : error_set(error, -ENOENT, "there is no event on standard input");
	}
	if (what[strspn(what, " \t")] == '{') {
		*ret_json = strdup(what);
		return *ret_json ? 0 : error_set(error, -ENOMEM, "out of memory");
	}
	if (parse_number(what, &wanted))
		return error_set(
			error, -EINVAL,
			"'%s' is no event: give a line of JSON, '-' for standard input, or a "
			"number such as denials:42",
			what);
	r = history_read(ctl, on_past, &wanted, error);
	if (r)
		return r;
	if (!wanted.json)
		return error_set(error, -ENOENT, "no event %s is known any more", what);
	*ret_json = wanted.json;
	return 0;
}

static const char *verdict_sentence(const struct event *event)
{
	switch (event->record->verdict) {
	case PD_DENIED:
		return "was refused";
	case PD_WOULD_DENY:
		return "was let through, but would be refused if the policy or rule were not in "
		       "audit "
		       "mode";
	default:
		return "was allowed, and is reported because a rule says so";
	}
}

static void describe(FILE *to, const struct event *event)
{
	const struct pd_event *record = event->record;
	char text[EVENT_HUMAN_MAX / 8], perms[128];
	struct buffer b;

	buffer_init(&b, text, sizeof(text));
	text_escape(&b, event->exe); /* a task names its program and itself as it likes */
	if (event->exe.length)
		buffer_text(&b, ", ");
	text_escape(&b,
		    (struct slice){ record->comm, strnlen(record->comm, sizeof(record->comm)) });
	fprintf(to, "Process %u (%.*s) wanted to ", record->pid, (int)b.used, text);
	buffer_init(&b, text, sizeof(text));
	event_object_text(&b, event);
	if (!b.used)
		buffer_text(&b, "a file without a name");
	if (record->class == PD_CLASS_CAPABILITY)
		fprintf(to, "use the capability %.*s; this ", (int)b.used, text);
	else if (record->class == PD_CLASS_GUARD)
		fprintf(to, "do something that is guarded (%s); this ",
			word_guard((enum pd_guard)record->guard));
	else
		fprintf(to, "%s %.*s, which takes %s; this ",
			word_operation((enum pd_operation)record->operation), (int)b.used, text,
			word_permissions(grant_object(event), record->wanted, perms,
					 sizeof(perms)));
	fprintf(to, "%s", verdict_sentence(event));
	if (record->repeat > 1)
		fprintf(to, ", %u times", record->repeat);
	fputs(".\n", to);
}

static void blame(FILE *to, const struct event *event)
{
	const struct symbol *symbol = &event->symbol;
	const char *reason = event_explanation(event->record->reason);

	if (reason)
		fprintf(to, "Why: %s\n", reason);
	if (!symbol->policy) {
		if (!reason)
			fputs("Which rule decided is not known any more.\n", to);
		return;
	}
	if (symbol->is_default && symbol->line && symbol->class != PD_CLASS_GUARD)
		fprintf(to,
			"No rule of policy %s is about it, and its default for %s (%s:%u) is to "
			"deny.\n",
			symbol->policy, word_class(symbol->class), symbol->file, symbol->line);
	else if (symbol->is_default)
		fprintf(to, "No rule of policy %s grants it, and %s is denied unless granted.\n",
			symbol->policy, word_class(symbol->class));
	else
		fprintf(to, "The rule at %s:%u of policy %s decided:\n\n    %s\n\n", symbol->file,
			symbol->line, symbol->policy, symbol->text ? symbol->text : "");
}

/* What would help where no rule for the object can. */
static const char *no_snippet(unsigned int reason)
{
	switch (reason) {
	case PD_REASON_DELETED:
	case PD_REASON_UNREACHABLE:
	case PD_REASON_TOO_LONG:
	case PD_REASON_TOO_DEEP:
	case PD_REASON_RACED:
		return "Only rules for every name can allow what is done to a file without one.";
	case PD_REASON_WIDENS:
		return "It is allowed where the old name grants as much as the new one.";
	default:
		return "No rule can allow this.";
	}
}

static void advise(FILE *to, const struct event *event)
{
	char snippet[8192];

	if (event->record->verdict == PD_ALLOWED)
		return;
	if (event->symbol.policy && !event->symbol.is_default && event->symbol.deny) {
		fputs("A deny wins over every allow: to permit this, change or remove that rule.\n",
		      to);
		return;
	}
	if (grant_snippet(event, snippet, sizeof(snippet)))
		fprintf(to, "%s\n", no_snippet(event->record->reason));
	else
		fprintf(to, "To allow it, policy %s would need:\n\n%s",
			event->symbol.policy ? event->symbol.policy :
			event->policies	     ? event->policies :
					       "in question",
			snippet);
}

static void print_json(const struct event *event)
{
	char snippet[8192], *text = NULL;
	json_t *object;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return;
	describe(memory, event);
	blame(memory, event);
	fclose(memory);
	object = json_pack("{s:b, s:o}", "ok", 1, "text", json_text(text));
	if (event->record->verdict != PD_ALLOWED &&
	    !(event->symbol.policy && !event->symbol.is_default && event->symbol.deny) &&
	    !grant_snippet(event, snippet, sizeof(snippet)))
		json_object_set_new(object, "would_allow", json_text(snippet));
	ctl_print(object);
	free(text);
}

static int explain(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	CLEANUP_FREE char *json = NULL;
	struct event *event;
	int r;

	if (ctl_options(ctl, &command_explain, argc, argv, "h", options))
		return CTL_ERROR;
	if (argc - optind > 1)
		return ctl_usage(&command_explain, "one event is enough");
	r = find_event(ctl, optind < argc ? argv[optind] : "-", &json, &error);
	if (!r)
		r = json ? event_parse_json(json, strlen(json), &event, &error) : -ENOENT;
	if (r)
		return ctl_fail(ctl, &error);
	if (ctl->json) {
		print_json(event);
	} else {
		describe(stdout, event);
		blame(stdout, event);
		advise(stdout, event);
	}
	event_free(event);
	return CTL_OK;
}

const struct command command_explain = {
	.name = "explain",
	.usage = "[EVENT] [--json]",
	.summary = "Explain an event: what happened, why, and what would allow it",
	.help = "EVENT is a line of JSON, '-' (or nothing) for one on standard input, or a number "
		"as in\n"
		"the event: denials:42, notices:7.\n",
	.run = explain,
};
