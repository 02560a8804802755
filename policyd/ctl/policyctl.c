/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl: ask about policies, and the daemon about what it does with them. */
#include "policyd/ctl/ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
	&command_check,	 &command_test,	  &command_run,	     &command_load,
	&command_unload, &command_list,	  &command_ps,	     &command_show,
	&command_status, &command_mode,	  &command_events,   &command_explain,
	&command_doctor, &command_detach, &command_oci_hook, &command_oci_runtime,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fputs("usage: policyctl [--json] [-c CONFIG] COMMAND ...\n\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(to, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\npolicyctl COMMAND --help tells more; so does policyctl(1).\n", to);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct ctl ctl = { .config_path = CONFIG_PATH };
	const struct command *command;
	int option, status;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			ctl.json = true;
			break;
		case 'c':
			ctl.config_path = optarg;
			break;
		case 'h':
			usage(stdout);
			return CTL_OK;
		case 'V':
			printf("policyctl, protocol %d, abi %d\n", CONTROL_VERSION, PD_ABI);
			return CTL_OK;
		default:
			return CTL_ERROR;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return CTL_ERROR;
	}
	command = find_command(argv[optind]);
	if (!command) {
		ctl_warn("'%s' is no command; policyctl --help lists them", argv[optind]);
		return CTL_ERROR;
	}
	argc -= optind;
	argv += optind;
	optind = 0; /* getopt starts anew */
	status = command->run(&ctl, argc, argv);
	config_free(ctl.config);
	if (fflush(stdout) != 0 && errno != EPIPE) {
		ctl_warn("standard output: %s", strerror(errno));
		return CTL_ERROR;
	}
	return status;
}
