/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl mode NAME MODE: override what a policy's file says, until the next boot. */
#include "policyd/ctl/ctl.h"

static int mode(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	json_t *request;

	if (ctl_options(ctl, &command_mode, argc, argv, "h", options))
		return CTL_ERROR;
	if (argc - optind != 2)
		return ctl_usage(&command_mode, "a policy's name and a mode are needed");
	request = request_new(CONTROL_MODE);
	json_object_set_new(request, "name", json_text(argv[optind]));
	json_object_set_new(request, "mode", json_text(argv[optind + 1]));
	return ctl_do(ctl, request);
}

const struct command command_mode = {
	.name = "mode",
	.usage = "NAME enforce|audit|disabled|default [--json]",
	.summary = "Set a policy's mode until the next boot",
	.help = "  enforce   refuse what the policy does not allow\n"
		"  audit     refuse nothing, report what would be refused\n"
		"  disabled  as if the policy were not there\n"
		"  default   what its file says\n",
	.run = mode,
};
