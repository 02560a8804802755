/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policyctl: what its commands share. Each command is a file that ends in its struct command.
 */
#ifndef PD_CTL_CTL_H
#define PD_CTL_CTL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include "policyd/control/client.h"
#include "policyd/control/config.h"
#include "policyd/control/policies.h"

/* Exit statuses; "no" is the negative answer of commands that ask something. */
enum { CTL_OK = 0, CTL_NO = 1, CTL_ERROR = 2 };

struct ctl {
	const char *config_path;
	struct config *config; /* read on first use, ctl_config() */
	bool json;
};

struct command {
	const char *name;
	const char *usage;				    /* arguments */
	const char *summary;				    /* one line */
	const char *help;				    /* options and more, may be NULL */
	int (*run)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the command */
};

extern const struct command command_check, command_test, command_run, command_load, command_unload,
	command_list, command_show, command_status, command_mode, command_events, command_explain,
	command_doctor, command_detach, command_ps, command_oci_hook, command_oci_runtime;

/** ctl_options() - getopt_long() with --json and --help handled; 0 ends, '?' is a wrong option */
int ctl_options(struct ctl *ctl, const struct command *command, int argc, char **argv,
		const char *letters, const struct option *options);

/** ctl_usage() - "policyctl: ..." and the usage line; returns CTL_ERROR */
int ctl_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** ctl_fail() - the error on stderr in one line and, with --json, on stdout; returns CTL_ERROR */
int ctl_fail(const struct ctl *ctl, const struct pd_error *error);

/** ctl_warn() - "policyctl: ..." on stderr */
void ctl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** ctl_print() - JSON in one piece on stdout; takes the reference */
int ctl_print(json_t *object);

/** ctl_config() - the configuration, NULL with @error when it is wrong */
const struct config *ctl_config(struct ctl *ctl, struct pd_error *error);

/** ctl_policy() - the one policy that a file or name stands for. @trust: see struct parse_options */
int ctl_policy(struct ctl *ctl, const char *what, bool trust, struct policy **ret_policy,
	       struct pd_error *error);

/** ctl_policy_path() - the file behind a name, or the file itself; to be freed */
int ctl_policy_path(struct ctl *ctl, const char *what, char **ret_path, struct pd_error *error);

/** ctl_policy_file() - a file as requests carry it: {"name","text","include_dir"}; NULL with @error */
json_t *ctl_policy_file(const char *path, struct pd_error *error);

/** ctl_connect() - to the daemon; -ECONNREFUSED with a remedy when there is none */
int ctl_connect(struct ctl *ctl, struct client **ret_client, struct pd_error *error);

/** ctl_call() - connect, ask, close. The reply is ok and the caller's */
int ctl_call(struct ctl *ctl, json_t *request, json_t **ret_reply, struct pd_error *error);

/** ctl_done() - a reply of which there is nothing to show but, with --json, itself; takes it over. CTL_OK */
int ctl_done(const struct ctl *ctl, json_t *reply);

/** ctl_do() - ctl_call() for which there is nothing to show but, with --json, the reply; an exit status */
int ctl_do(struct ctl *ctl, json_t *request);

/** ctl_place() - "file:line" of a rule in a buffer of its policy's */
const char *ctl_place(const struct policy *policy, const struct policy_place *place, char *buffer,
		      size_t size);

#endif
