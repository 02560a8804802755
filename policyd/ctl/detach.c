/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl detach: the only way to end enforcement. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/private.h"

/* No daemon: its program does it, with our configuration. */
static int detach_alone(const struct ctl *ctl)
{
	CLEANUP_FREE char *path = policyd_path();
	pid_t pid = path ? fork() : -1;
	int status;

	if (pid == 0) {
		execl(path, "policyd", "-c", ctl->config_path, "--detach", (char *)NULL);
		ctl_warn("%s: %s", path, strerror(errno));
		_exit(CTL_ERROR);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		ctl_warn("fork: %s", strerror(errno));
		return CTL_ERROR;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return CTL_ERROR;
	if (ctl->json)
		ctl_print(json_pack("{s:b}", "ok", 1));
	return CTL_OK;
}

static int detach(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *reply;
	int r;

	if (ctl_options(ctl, &command_detach, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind != argc)
		return ctl_usage(&command_detach, "nothing more is needed");
	r = ctl_call(ctl, request_new(CONTROL_DETACH), &reply, &error);
	if (r == -ECONNREFUSED)
		return detach_alone(ctl);
	if (r)
		return ctl_fail(ctl, &error);
	if (ctl->json)
		ctl_print(json_incref(reply));
	json_decref(reply);
	return CTL_OK;
}

const struct command command_detach = {
	.name = "detach",
	.usage = "[--json]",
	.summary = "End enforcement, and policyd with it; nothing is left in the kernel",
	.run = detach,
};
