/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policyctl run: a command in a cgroup of its own, under a policy for as long as it lives. By the daemon,
 * or, where none runs, by a private policyd. Whoever dies first, the command is never left without
 * its policy: see policyd/control/runs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/ctl/ctl.h"
#include "policyd/ctl/print.h"
#include "policyd/ctl/private.h"

struct runner {
	struct ctl *ctl;
	const char *policy;
	bool audit;
	char **command;
	char *cgroup;
	struct client *client; /* NULL: the daemon is gone */
	pid_t private_pid;     /* 0: the system's daemon */
	pid_t guardian;	       /* 0: none, as the system's daemon needs none */
	pid_t child;	       /* 0: it has ended */
	int status;	       /* of waitpid() */
	int go;		       /* closed: the child executes the command */
	int signals;
	bool foreground; /* the child is a process group of its own, with the terminal */
	bool bound;	 /* the policy is in force for the cgroup */
	bool ended;	 /* the daemon has said that all is over */
};

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

/* ---- the child ------------------------------------------------------------------------------- */

static void child_main(const struct runner *runner, int go)
{
	sigset_t none;
	char byte = 0; /* as it stays when the runner has given up or is gone */

	if (runner->foreground) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid()); /* SIGTTOU is ignored until below */
	}
	/* Not before we are in the cgroup and it is bound: the exec is what confines. */
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	if (byte != 'g')
		_exit(125);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(runner->command[0], runner->command);
	dprintf(STDERR_FILENO, "policyctl: %s: %s\n", runner->command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int start_child(struct runner *runner, struct pd_error *error)
{
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set(error, -errno, "pipe: %s", strerror(errno));
	/* With the terminal as output too: in "run ... | less" it is the pager's as well. */
	runner->foreground = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
			     tcgetpgrp(STDIN_FILENO) == getpgrp();
	runner->child = fork();
	if (runner->child == 0) {
		fd_close(pipes[1]);
		child_main(runner, pipes[0]);
	}
	fd_close(pipes[0]);
	runner->go = pipes[1];
	if (runner->child < 0) {
		r = -errno;
		runner->child = 0;
		return error_set(error, r, "fork: %s", strerror(-r));
	}
	if (runner->foreground)
		setpgid(runner->child, runner->child);
	r = cgroup_add(runner->cgroup, runner->child);
	return r ? error_set(error, r, "%s: %s", runner->cgroup, strerror(-r)) : 0;
}

static void take_terminal_back(const struct runner *runner)
{
	if (runner->foreground)
		tcsetpgrp(STDIN_FILENO, getpgrp());
}

/* ---- events and the daemon's word ------------------------------------------------------------- */

static void show_object(struct runner *runner, const json_t *object)
{
	const json_t *record = json_object_get(object, "event");
	struct event *event;

	if (json_object_get(object, "dropped"))
		ctl_warn("%lld events were not shown: too many at once",
			 number_of(object, "dropped"));
	else if (json_object_get(object, "ok")) /* or an error: then nothing is to be waited for */
		runner->ended = true;
	else if (record && !event_from_json(record, &event, NULL)) {
		print_event(stderr, event, runner->ctl->json,
			    isatty(STDERR_FILENO) ? EVENT_COLOUR : 0);
		event_free(event);
	}
}

static void lose_daemon(struct runner *runner)
{
	if (runner->private_pid) {
		/* The descriptors that came along keep the policy in force: they are closed last. */
		ctl_warn("the private policyd has died; killing the command");
		run_cgroup_end(runner->cgroup);
	} else {
		ctl_warn("policyd is gone; the policy stays in force, events are not shown any "
			 "more");
	}
	client_free(runner->client);
	runner->client = NULL;
}

static void show_events(struct runner *runner, bool wait)
{
	struct pd_error error;
	json_t *object;
	int r;

	while (runner->client && !runner->ended) {
		r = client_receive(runner->client, wait, &object, &error);
		if (r == -EAGAIN) {
			if (!wait)
				return;
			continue;
		}
		if (r) {
			lose_daemon(runner);
			return;
		}
		show_object(runner, object);
		json_decref(object);
	}
}

/* ---- the request ----------------------------------------------------------------------------- */

static int ask(struct runner *runner, bool by_name, struct pd_error *error)
{
	CLEANUP_FREE char *path = NULL;
	json_t *request = request_new(CONTROL_RUN), *file, *reply;
	int r;

	if (!request)
		return error_set(error, -ENOMEM, "out of memory");
	json_object_set_new(request, "cgroup", json_string(runner->cgroup));
	if (by_name) {
		json_object_set_new(request, "name", json_string(runner->policy));
	} else {
		json_object_set_new(request, "audit", json_boolean(runner->audit));
		r = ctl_policy_path(runner->ctl, runner->policy, &path, error);
		file = r ? NULL : ctl_policy_file(path, error);
		if (!file) {
			json_decref(request);
			return error->code ? error->code : -EINVAL;
		}
		json_object_set_new(request, "files", json_pack("[o]", file));
	}
	r = client_call(runner->client, request, &reply, error);
	if (r)
		return r;
	if (json_is_true(json_object_get(reply, "rescue")))
		ctl_warn("policyd.enforce=0 is on the kernel's command line: NOTHING IS ENFORCED");
	json_decref(reply);
	return 0;
}

static int bind_policy(struct runner *runner, struct pd_error *error)
{
	bool named = !strchr(runner->policy, '/') && !strstr(runner->policy, ".yaml");
	int r = ctl_connect(runner->ctl, &runner->client, error);

	if (r == -ECONNREFUSED)
		r = private_start(runner->ctl->config_path, &runner->client, &runner->private_pid,
				  error);
	if (r)
		return r;
	if (named && !runner->audit && !runner->private_pid) {
		r = ask(runner, true, error);
		if (r != -ENOENT)
			return r;
	}
	return ask(runner, false, error);
}

/* ---- while it runs --------------------------------------------------------------------------- */

static void on_stop(const struct runner *runner)
{
	take_terminal_back(runner);
	kill(getpid(), SIGSTOP);
	/* Somebody continued us */
	if (runner->foreground)
		tcsetpgrp(STDIN_FILENO, runner->child);
	kill(runner->foreground ? -runner->child : runner->child, SIGCONT);
}

static void reap(struct runner *runner)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != runner->child)
			continue; /* the private policyd: its connection tells */
		if (WIFSTOPPED(status)) {
			if (runner->foreground)
				on_stop(runner);
			continue;
		}
		runner->status = status;
		runner->child = 0;
	}
}

static void on_signal(struct runner *runner)
{
	struct signalfd_siginfo info;

	while (read(runner->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(runner);
		/* What the terminal sends reaches the child by itself when it shares our group. */
		else if (runner->child && (runner->foreground || info.ssi_code != SI_KERNEL))
			kill(runner->child, (int)info.ssi_signo);
	}
}

static void wait_for_child(struct runner *runner)
{
	while (runner->child) {
		struct pollfd fds[] = {
			{ .fd = runner->signals, .events = POLLIN },
			{ .fd = runner->client ? client_fd(runner->client) : -1, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			show_events(runner, false);
		if (fds[0].revents)
			on_signal(runner);
	}
}

static int block_signals(struct runner *runner, struct pd_error *error)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGTTOU, SIG_IGN); /* we print and hand the terminal over from the background */
	runner->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return runner->signals < 0 ? error_set(error, -errno, "signalfd: %s", strerror(errno)) : 0;
}

/* What is left in the cgroup ends, then the policy goes, then the last events come. */
static void finish(struct runner *runner)
{
	struct pd_error error;

	if (runner->client && runner->bound &&
	    !client_send(runner->client, request_new(CONTROL_RUN_END), &error))
		show_events(runner, true);
	run_cgroup_end(runner->cgroup); /* while the policy is in force for sure */
	guardian_end(runner->guardian);
	/* The private policyd ends with its connection. Nobody needs to wait for it: 6.1 and 6.12 take more
	 * than a tenth of a second for each hook that they let go of. */
	client_free(runner->client);
	runner->client = NULL;
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_command(struct runner *runner)
{
	struct pd_error error = { .code = 0 };
	int r = block_signals(runner, &error);

	if (!r)
		r = run_cgroup_new(&runner->cgroup, &error);
	if (r)
		return ctl_fail(runner->ctl, &error);
	r = bind_policy(runner, &error);
	runner->bound = !r;
	if (!r && runner->private_pid) {
		runner->guardian =
			guardian_start(runner->client, runner->private_pid, runner->cgroup, &error);
		r = runner->guardian < 0 ? runner->guardian : 0;
	}
	if (!r)
		r = start_child(runner, &error);
	if (!r && write(runner->go, "g", 1) != 1)
		r = error_set(&error, -errno, "pipe: %s", strerror(errno));
	runner->go = fd_close(runner->go);
	if (!r)
		wait_for_child(runner);
	finish(runner);
	if (runner->child)
		waitpid(runner->child, &runner->status, 0);
	take_terminal_back(runner);
	fd_close(runner->signals);
	free(runner->cgroup);
	return r ? ctl_fail(runner->ctl, &error) : exit_status(runner->status);
}

static int run_main(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "audit", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct runner runner = { .ctl = ctl, .go = -1 };
	int option;

	while ((option = ctl_options(ctl, &command_run, argc, argv, "+p:ah", options))) {
		if (option == 'p')
			runner.policy = optarg;
		else if (option == 'a')
			runner.audit = true;
		else
			return CTL_ERROR;
	}
	if (!runner.policy)
		return ctl_usage(&command_run, "--policy is missing");
	if (optind == argc)
		return ctl_usage(&command_run, "a command is needed");
	if (geteuid() != 0) {
		ctl_warn("only root can confine a command");
		return CTL_ERROR;
	}
	runner.command = argv + optind;
	return run_command(&runner);
}

const struct command command_run = {
	.name = "run",
	.usage = "--policy FILE|NAME [--audit] [--json] -- COMMAND [ARGS...]",
	.summary = "Run a command under a policy, which ends with it",
	.help = "Needs root; works with and without a daemon. The policy's match: does not matter "
		"here.\n"
		"  --policy  a file, or the name of a policy that is loaded or installed\n"
		"  --audit   refuse nothing, report what would be refused\n"
		"  --json    print events as JSON lines\n"
		"Events go to standard error. When the command ends, what it left running is "
		"killed.\n"
		"Exit status: the command's, or 128 and the signal that killed it; 126 or 127 when "
		"it\n"
		"cannot be executed; 2 when the policy is wrong or cannot be put in force.\n",
	.run = run_main,
};
