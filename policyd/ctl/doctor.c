/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl doctor: can this machine enforce, and does it? The proof is a refused canary per hook. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"
#include "policyd/ctl/private.h"

struct doctor {
	struct ctl *ctl;
	json_t *results;
	bool failed;
};

static void tell(struct doctor *doctor, const char *status, const char *what, const char *text)
{
	if (strcmp(status, "failed") == 0)
		doctor->failed = true;
	if (!doctor->ctl->json)
		printf("%-7s  %s%s%s\n", status, what, text[0] ? ": " : "", text);
	json_array_append_new(doctor->results,
			      json_pack("{s:s, s:o, s:o}", "status", status, "what",
					json_text(what), "text", json_text(text)));
}

/* What `policyd --probe` writes, as JSON */
static int run_probe(const char *config_path, json_t **ret_object, struct pd_error *error)
{
	CLEANUP_FREE char *path = policyd_path(), *text = NULL;
	int pipes[2], r;
	size_t size;
	pid_t pid;

	if (!path || pipe(pipes) < 0)
		return error_set(error, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		fd_close(pipes[0]);
		fd_close(pipes[1]);
		execl(path, "policyd", "--config", config_path, "--probe", (char *)NULL);
		_exit(127);
	}
	fd_close(pipes[1]);
	r = pid < 0 ? -errno : fd_read_all(pipes[0], 1 << 20, &text, &size);
	fd_close(pipes[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (r || !size)
		return error_set(error, r ? r : -ENOENT, "%s --probe does not answer", path);
	return json_read(text, size, ret_object, error);
}

static void probe(struct doctor *doctor)
{
	struct pd_error error = { .code = 0 };
	const json_t *results;
	json_t *object;

	if (run_probe(doctor->ctl->config_path, &object, &error)) {
		tell(doctor, "failed", "policyd", error.text);
		return;
	}
	results = json_object_get(object, "results");
	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *result = json_array_get(results, i);

		tell(doctor, string_of(result, "status"), string_of(result, "what"),
		     string_of(result, "text"));
	}
	json_decref(object);
}

/* A policy that needs every hook, on a cgroup in which nothing runs */
static int prepare_private(struct client *client, const char *cgroup, struct pd_error *error)
{
	static const char text[] = "version: 1\nname: doctor\ndefault: deny\n";
	json_t *request = request_new(CONTROL_RUN), *reply;
	int r;

	json_object_set_new(request, "cgroup", json_string(cgroup));
	json_object_set_new(request, "files",
			    json_pack("[{s:s, s:s}]", "name", "doctor", "text", text));
	r = client_call(client, request, &reply, error);
	if (!r)
		json_decref(reply);
	return r;
}

/* By a policyd that has every hook attached for as long as this takes. */
static int prove_private(struct doctor *doctor, json_t **ret_reply, struct pd_error *error)
{
	CLEANUP_FREE char *cgroup = NULL;
	struct client *client;
	pid_t pid;
	int r = private_start(doctor->ctl->config_path, &client, &pid, error);

	if (r)
		return r;
	r = run_cgroup_new(&cgroup, error);
	if (!r)
		r = prepare_private(client, cgroup, error);
	if (!r)
		r = client_call(client, request_new(CONTROL_PROVE), ret_reply, error);
	client_free(client);
	if (cgroup)
		run_cgroup_end(cgroup);
	return r;
}

static int prove(struct doctor *doctor, const char **ret_by, json_t **ret_reply,
		 struct pd_error *error)
{
	int r = ctl_call(doctor->ctl, request_new(CONTROL_PROVE), ret_reply, error);

	*ret_by = "by the running policyd";
	if (r == -ECONNREFUSED) {
		*ret_by = "by a policyd of its own, as none is running";
		return prove_private(doctor, ret_reply, error);
	}
	if (r || number_of(*ret_reply, "proved"))
		return r;
	/* Without policies no hook is attached, and none has been asked. */
	json_decref(*ret_reply);
	*ret_by = "by a policyd of its own, as the running one has no policies";
	return prove_private(doctor, ret_reply, error);
}

static void proof(struct doctor *doctor)
{
	struct pd_error error = { .code = 0 };
	char text[ERROR_LINE_MAX + 100], line[ERROR_LINE_MAX];
	const char *by;
	json_t *reply;
	long long proved;

	if (geteuid() != 0) {
		tell(doctor, "warning", "proof", "only root can have enforcement proved");
		return;
	}
	if (prove(doctor, &by, &reply, &error)) {
		tell(doctor, "failed", "proof", error_render(&error, line, sizeof(line)));
		return;
	}
	proved = number_of(reply, "proved");
	json_decref(reply);
	snprintf(text, sizeof(text), "%lld hooks refused what they had to, %s", proved, by);
	tell(doctor, proved ? "ok" : "failed", "proof", text);
}

static void daemon_state(struct doctor *doctor)
{
	struct pd_error error = { .code = 0 };
	const char *state;
	json_t *reply;
	int r = ctl_call(doctor->ctl, request_new(CONTROL_STATUS), &reply, &error);

	if (r) {
		tell(doctor, r == -ECONNREFUSED ? "warning" : "failed", "daemon", error.text);
		return;
	}
	state = string_of(reply, "state");
	if (json_object_get(reply, "trouble"))
		tell(doctor, "failed", "daemon",
		     string_of(json_object_get(reply, "trouble"), "text"));
	else if (strcmp(state, "rescue") == 0)
		tell(doctor, "failed", "daemon", "policyd.enforce=0: nothing is enforced");
	else
		tell(doctor, "ok", "daemon", state);
	json_decref(reply);
}

static int doctor_main(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct doctor doctor = { .ctl = ctl, .results = json_array() };

	if (ctl_options(ctl, &command_doctor, argc, argv, "h", options))
		return CTL_ERROR;
	if (optind != argc)
		return ctl_usage(&command_doctor, "nothing more is needed");
	probe(&doctor);
	daemon_state(&doctor);
	proof(&doctor);
	if (ctl->json)
		ctl_print(json_pack("{s:b, s:O}", "ok", !doctor.failed, "results", doctor.results));
	json_decref(doctor.results);
	return doctor.failed ? CTL_NO : CTL_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.usage = "[--json]",
	.summary = "Find out whether this machine can enforce, and prove that it does",
	.help = "Exit status: 0 it can, 1 something failed (each line says what to do).\n",
	.run = doctor_main,
};
