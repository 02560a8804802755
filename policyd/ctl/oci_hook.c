/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policyctl oci-hook: run by a container runtime as a createRuntime hook. Reads the container's state on
 * standard input and has the container bound to its policies before its first program. A runtime gives up
 * making a container whose hook fails.
 */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/ctl/ctl.h"

#define STATE_MAX (1u << 20)
#define PATIENCE_NS 5000000000ull
#define RETRY_US 50000

/* The state of runtime-spec: id, pid, bundle, and more that is of no interest. NULL with @error */
static json_t *read_request(struct pd_error *error)
{
	CLEANUP_FREE char *text = NULL;
	json_t *state = NULL, *request;
	const char *id, *bundle;
	uint64_t pid;
	size_t size;
	int r = fd_read_all(STDIN_FILENO, STATE_MAX, &text, &size);

	if (r) {
		error_set(error, r, "standard input: %s", strerror(-r));
		return NULL;
	}
	if (json_read(text, size, &state, error))
		return NULL;
	if (!json_get_string(state, "id", &id) || !json_get_string(state, "bundle", &bundle) ||
	    !json_get_unsigned(state, "pid", INT32_MAX, &pid) || !pid) {
		error_set(error, -EINVAL,
			  "standard input: no state of a container that is being made; it is to be "
			  "run by a runtime, as a createRuntime hook");
		json_decref(state);
		return NULL;
	}
	request = request_new(CONTROL_BIND);
	json_object_set_new(request, "id", json_text(id));
	json_object_set_new(request, "bundle", json_text(bundle));
	json_object_set_new(request, "pid", json_integer((json_int_t)pid));
	json_decref(state);
	return request;
}

/* crun shows nobody what its hooks say: so it is said in the system's log, too. */
static int fail(struct ctl *ctl, const struct pd_error *error)
{
	char text[ERROR_LINE_MAX];

	openlog("policyctl", LOG_PID, LOG_DAEMON);
	syslog(LOG_ERR, "oci-hook: no container is made: %s",
	       error_render(error, text, sizeof(text)));
	closelog();
	return ctl_fail(ctl, error);
}

/* -EAGAIN: the engine has yet to write what policyd asks for. */
static int call_until_known(struct ctl *ctl, json_t *request, json_t **ret_reply,
			    struct pd_error *error)
{
	uint64_t begun = clock_boot_ns();
	int r;

	do {
		r = ctl_call(ctl, json_incref(request), ret_reply, error);
		if (r == -EAGAIN)
			usleep(RETRY_US);
	} while (r == -EAGAIN && clock_boot_ns() - begun < PATIENCE_NS);
	json_decref(request);
	return r;
}

static int oci_hook(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct pd_error error = { .code = 0 };
	json_t *request, *reply;

	if (ctl_options(ctl, &command_oci_hook, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind != argc)
		return ctl_usage(&command_oci_hook, "nothing more is needed");
	request = read_request(&error);
	if (!request)
		return fail(ctl, &error);
	if (call_until_known(ctl, request, &reply, &error))
		return fail(ctl, &error);
	return ctl_done(ctl, reply);
}

const struct command command_oci_hook = {
	.name = "oci-hook",
	.usage = "[--json] <STATE",
	.summary = "Bind a container that its runtime is making",
	.help = "A createRuntime hook of the OCI runtime specification; see policyctl(1) for how "
		"podman,\n"
		"docker and containerd are told to run it. When it fails, no container is made.\n",
	.run = oci_hook,
};
