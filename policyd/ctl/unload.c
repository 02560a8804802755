/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl unload NAME: the opposite of load. */
#include "policyd/ctl/ctl.h"

static int unload(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	json_t *request;

	if (ctl_options(ctl, &command_unload, argc, argv, "h", options))
		return CTL_ERROR;
	if (argc - optind != 1)
		return ctl_usage(&command_unload, "one policy's name is needed");
	request = request_new(CONTROL_UNLOAD);
	json_object_set_new(request, "name", json_text(argv[optind]));
	return ctl_do(ctl, request);
}

const struct command command_unload = {
	.name = "unload",
	.usage = "NAME [--json]",
	.summary = "Take a policy away that was loaded with 'policyctl load'",
	.help = "The other policies of its file go with it. Tasks that were under it alone are "
		"not\n"
		"confined any more.\n",
	.run = unload,
};
