/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl load [FILE...]: put more policies in force, or read them all again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"

/* Errors are cheaper here, and the file's owner and mode are the daemon's concern as much as ours. */
static int read_strictly(struct ctl *ctl, const char *path, struct pd_error *error)
{
	const struct config *config = ctl_config(ctl, error);
	struct parse_options options = { .trust_files = false };
	struct policy_list list = { 0 };
	const char **dirs = config ? include_dirs_near(config, path) : NULL;
	int r;

	if (!config)
		return error->code;
	if (!dirs)
		return error_set(error, -ENOMEM, "out of memory");
	options.include_dirs = dirs;
	r = policy_list_file(&list, path, &options, NULL, error);
	free((char *)dirs[0]);
	free(dirs);
	policy_list_done(&list);
	return r;
}

static int add_file(struct ctl *ctl, json_t *files, const char *path, struct pd_error *error)
{
	int r = read_strictly(ctl, path, error);
	json_t *file;

	if (r)
		return r;
	file = ctl_policy_file(path, error);
	if (!file)
		return error->code;
	return json_array_append_new(files, file) ? error_set(error, -ENOMEM, "out of memory") : 0;
}

static int send(struct ctl *ctl, json_t *request)
{
	struct pd_error error = { .code = 0 };
	json_t *reply;

	if (ctl_call(ctl, request, &reply, &error))
		return ctl_fail(ctl, &error);
	if (ctl->json) {
		ctl_print(reply);
		return CTL_OK;
	}
	printf("%lld policies in force%s\n", number_of(reply, "policies"),
	       json_is_true(json_object_get(reply, "changed")) ? "" : ", nothing has changed");
	json_decref(reply);
	return CTL_OK;
}

static int load(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "force-name", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *force = json_array(), *files = json_array(), *request;
	int option, r = 0;

	while ((option = ctl_options(ctl, &command_load, argc, argv, "h", options))) {
		if (option != 'f') {
			json_decref(force);
			json_decref(files);
			return CTL_ERROR;
		}
		json_array_append_new(force, json_text(optarg));
	}
	for (int i = optind; !r && i < argc; i++)
		r = add_file(ctl, files, argv[i], &error);
	request = request_new(optind == argc ? CONTROL_RELOAD : CONTROL_LOAD);
	if (optind < argc) {
		json_object_set(request, "files", files);
		json_object_set(request, "force", force);
	}
	json_decref(force);
	json_decref(files);
	if (r) {
		json_decref(request);
		return ctl_fail(ctl, &error);
	}
	return send(ctl, request);
}

const struct command command_load = {
	.name = "load",
	.usage = "[--force-name NAME]... [--json] [FILE...]",
	.summary = "Load policy files until the next boot; without any, read all policies again",
	.help = "All or nothing: when one policy is wrong, what is in force stays in force. A file "
		"loaded\n"
		"again, or one with a policy of the same name, replaces the former. To be loaded "
		"at each\n"
		"start a policy belongs into /etc/policyd/policies.\n"
		"  --force-name NAME  this policy may confine policyd, PID 1 or every task\n",
	.run = load,
};
