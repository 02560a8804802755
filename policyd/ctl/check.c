/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl check FILE...: lint, compile, size, and the policies' own expectations. No root. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "policyd/base/fd.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/question.h"
#include "policyd/policy/glob.h"
#include "policyd/policy/words.h"

struct check {
	struct ctl *ctl;
	json_t *warnings, *policies;
	unsigned int warned, failed;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void warn(void *context, const struct pd_error *warning)
{
	struct check *check = context;
	char text[ERROR_LINE_MAX];

	check->warned++;
	error_render(warning, text, sizeof(text));
	ctl_warn("warning: %s", text);
	json_array_append_new(check->warnings,
			      json_pack("{s:o, s:I, s:I, s:o}", "file", json_text(warning->file),
					"line", (json_int_t)warning->line, "column",
					(json_int_t)warning->column, "text",
					json_text(warning->text)));
}

static int read_policies(struct check *check, const char *path, struct policy_list *list,
			 struct pd_error *error)
{
	const struct config *config = ctl_config(check->ctl, error);
	struct parse_options options = { .trust_files = true };
	struct parse_sink sink = { warn, check };
	CLEANUP_FREE char *below = NULL;
	const char **dirs;
	struct stat st;
	bool folder;
	int r;

	if (!config)
		return error->code;
	folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	below = folder ? string_format("%s/", path) : strdup(path);
	dirs = below ? include_dirs_near(config, below) : NULL;
	if (!dirs)
		return error_set(error, -ENOMEM, "out of memory");
	options.include_dirs = dirs;
	r = folder ? policy_list_dir(list, path, &options, &sink, error) :
		     policy_list_file(list, path, &options, &sink, error);
	if (!r && folder && !list->count)
		r = error_at(error, -ENOENT, path, 0, 0, "no *.yaml in this folder");
	free((char *)dirs[0]);
	free(dirs);
	return r;
}

/* A program is matched by the path it has once links are followed. */
static void warn_of_link(struct check *check, const struct policy *policy,
			 const struct policy_place *place, const char *key, const char *path)
{
	CLEANUP_FREE char *real = strpbrk(path, "*?[{\\") ? NULL : realpath(path, NULL);
	struct pd_error note;

	if (!real || glob_match_name(path, strlen(path), real, strlen(real), GLOB_ALIASES) == 1)
		return;
	error_at(&note, 0, policy->files[place->file], place->line, place->column,
		 "%s: %.200s is a symbolic link on this machine, and matches nothing: programs go "
		 "by their real path, %.200s",
		 key, path, real);
	warn(check, &note);
}

static void warn_of_links(struct check *check, const struct policy *policy)
{
	for (size_t i = 0; i < policy->match_count; i++)
		if (policy->matches[i].exe)
			warn_of_link(check, policy, &policy->matches[i].place, "exe",
				     policy->matches[i].exe);
	for (size_t i = 0; i < policy->rule_count; i++)
		for (size_t n = 0; n < policy->rules[i].by.count; n++)
			warn_of_link(check, policy, &policy->rules[i].by.items[n].place, "by",
				     policy->rules[i].by.items[n].text);
}

/* How many expectations do not hold, or a negative errno */
static int run_expectations(struct check *check, const struct policy *policy, json_t *failures,
			    struct pd_error *error)
{
	struct answerer *answerer;
	int failed = 0, r;

	if (!policy->expect_count)
		return 0;
	r = answerer_new(policy, &answerer, error);
	if (r)
		return r;
	for (size_t i = 0; i < policy->expect_count; i++) {
		const struct policy_expect *expect = &policy->expects[i];
		char place[ERROR_FILE_MAX + 16], asked[700], text[400];
		struct answer answer;

		r = answerer_ask(answerer, &expect->question, &answer, error);
		if (r)
			break;
		/* An audit-mode policy is held to what it would do when enforced */
		if ((answer.denied || answer.would_deny) == expect->question.deny)
			continue;
		failed++;
		question_text(&expect->question, asked, sizeof(asked));
		answer_text(policy, &expect->question, &answer, text, sizeof(text));
		ctl_place(policy, &expect->place, place, sizeof(place));
		ctl_warn("%s:%u: expected to be %s: %s, but it is %s", place, expect->place.column,
			 expect->question.deny ? "denied" : "allowed", asked, text);
		json_array_append_new(failures,
				      json_pack("{s:o, s:I, s:o, s:s, s:o}", "file",
						json_text(policy->files[expect->place.file]),
						"line", (json_int_t)expect->place.line, "question",
						json_text(asked), "expected",
						expect->question.deny ? "denied" : "allowed",
						"answer", json_text(text)));
	}
	answerer_free(answerer);
	check->failed += (unsigned int)failed;
	return r ? r : failed;
}

/* What load refuses unless it is insisted on. */
static void warn_of_harm(struct check *check, struct policy *policy, const unsigned char *image)
{
	/* Where it would be; PID 1's program and cgroup of here need not be those of there. */
	const struct self self = { .exe = (char *)"/usr/sbin/policyd",
				   .cgroup = (char *)"/system.slice/policyd.service" };
	const struct policy_list list = { .items = &policy, .count = 1 };
	struct pd_error note = { .code = 0 };

	if (policies_harmless(image, &list, &self,
			      (const char *const *)check->ctl->config->allow_dangerous,
			      &note) == -EPERM)
		warn(check, &note);
}

static int compile_one(struct check *check, struct policy *policy, struct compile_stats *ret_stats,
		       struct pd_error *error)
{
	struct policy *const policies[] = { policy };
	const char *const set[] = { policy->name, NULL };
	const char *const *const sets[] = { set };
	struct compile_input input = {
		.policies = policies,
		.policy_count = 1,
		.extra_sets = sets, /* measure also what only policyctl run would bind */
		.extra_set_count = 1,
		.generation = 1,
	};
	struct numbering *numbering = numbering_new();
	struct compiled *compiled;
	int r;

	if (!numbering)
		return error_set(error, -ENOMEM, "out of memory");
	r = compile(&input, numbering, &compiled, error);
	numbering_free(numbering);
	if (r)
		return r;
	*ret_stats = compiled->stats;
	warn_of_harm(check, policy, compiled->image);
	compiled_free(compiled);
	return 0;
}

static int check_policy(struct check *check, struct policy *policy, struct pd_error *error)
{
	const enum policy_mode mode = policy->mode;
	struct compile_stats stats = { 0 };
	struct pd_error note = { .code = 0 };
	json_t *failures = json_array();
	double start = now_ms(), took;
	int failed, r;

	if (policy_enforceable(policy, &note))
		warn(check, &note);
	warn_of_links(check, policy);
	if (mode == POLICY_DISABLED)
		policy->mode = POLICY_AUDIT; /* it is checked all the same */
	r = compile_one(check, policy, &stats, error);
	took = now_ms() - start;
	failed = r ? 0 : run_expectations(check, policy, failures, error);
	policy->mode = mode;
	if (r || failed < 0) {
		json_decref(failures);
		return r ? r : failed;
	}
	if (!check->ctl->json) {
		printf("%s: %s: %s, %zu rules, %zu states, %zu.%zu kB, %.1f ms", policy->files[0],
		       policy->name, words_name(&words_modes, mode), stats.rules, stats.states,
		       stats.image_size / 1000, stats.image_size % 1000 / 100, took);
		if (policy->expect_count)
			printf("; %zu of %zu expectations hold",
			       policy->expect_count - (size_t)failed, policy->expect_count);
		putchar('\n');
	}
	json_array_append_new(
		check->policies,
		json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:f, s:I, s:o}", "file",
			  json_text(policy->files[0]), "name", json_text(policy->name), "mode",
			  words_name(&words_modes, mode), "rules", (json_int_t)stats.rules,
			  "states", (json_int_t)stats.states, "image_bytes",
			  (json_int_t)stats.image_size, "compile_ms", took, "expectations",
			  (json_int_t)policy->expect_count, "failures", failures));
	return 0;
}

static int check_files(struct check *check, char **paths, struct pd_error *error)
{
	struct policy_list list = { 0 };
	int r = 0;

	for (; !r && *paths; paths++)
		r = read_policies(check, *paths, &list, error);
	if (!r)
		r = policy_list_check(&list, error);
	for (size_t i = 0; !r && i < list.count; i++)
		r = check_policy(check, list.items[i], error);
	policy_list_done(&list);
	return r;
}

static int check_main(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct check check = { .ctl = ctl };
	struct pd_error error = { .code = 0 };
	int r;

	if (ctl_options(ctl, &command_check, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind == argc)
		return ctl_usage(&command_check, "a policy file is needed");
	check.warnings = json_array();
	check.policies = json_array();
	r = check_files(&check, argv + optind, &error);
	if (!r && ctl->json)
		ctl_print(json_pack("{s:b, s:O, s:O}", "ok", check.failed == 0, "policies",
				    check.policies, "warnings", check.warnings));
	json_decref(check.warnings);
	json_decref(check.policies);
	if (r)
		return ctl_fail(ctl, &error);
	return check.failed ? CTL_NO : CTL_OK;
}

const struct command command_check = {
	.name = "check",
	.usage = "FILE... [--json]",
	.summary = "Check policy files, measure them, and try their expectations",
	.help = "A folder stands for its *.yaml. Includes are looked for in the folder "
		"\"include\"\n"
		"beside the file, then where policyd.yaml says.\n"
		"Exit status: 0 all is well, 1 an expectation does not hold, 2 error.\n",
	.run = check_main,
};
