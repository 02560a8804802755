/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/workload/oci_command.h"

#include <errno.h>
#include <string.h>

/* Options before the command that take a value, be it the next argument; of runc and crun */
static const char *const global_values[] = { "--root",		"--log",  "--log-format",
					     "--log-level",	"--criu", "--rootless",
					     "--cgroup-manager" };
static const char *const global_flags[] = { "--debug", "--systemd-cgroup", "--version",
					    "-v",      "--help",	   "-h",
					    "--usage" };

/* And those after it, of create, run and restore, but for what take_option() knows */
static const char *const values[] = { "--console-socket",    "--pid-file",
				      "--preserve-fds",	     "--image-path",
				      "--work-path",	     "--parent-path",
				      "--page-server",	     "--lsm-profile",
				      "--lsm-mount-context", "--manage-cgroups-mode",
				      "--pidfd-socket",	     "--empty-ns" };

#define IS_ONE_OF(list, text) is_one_of(list, sizeof(list) / sizeof((list)[0]), text)
static bool is_one_of(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

/* The first argument that is no option, or argc. What we do not know could have the command for its value. */
static int find_command(int argc, char **argv, struct pd_error *error)
{
	int i;

	for (i = 0; i < argc && argv[i][0] == '-'; i++) {
		if (IS_ONE_OF(global_values, argv[i]))
			i++;
		else if (!strchr(argv[i], '=') && !IS_ONE_OF(global_flags, argv[i]))
			return error_set(
				error, -EINVAL,
				"'%s': an option of the runtime that is not known to policyctl "
				"oci-runtime; write its value behind '='",
				argv[i]);
	}
	return i < argc ? i : argc;
}

/* --NAME VALUE, --NAME=VALUE and -N VALUE. Returns 1 when it was there, and *i is at its end; what runtimes read
 * differently is an error. */
static int take_option(const char *name, char letter, int argc, char **argv, int *i,
		       const char **ret, struct pd_error *error)
{
	const char *arg = argv[*i];
	size_t length = strlen(name);

	if (arg[0] != '-' || !arg[1])
		return 0;
	if (strncmp(arg, "--", 2) == 0 && strncmp(arg + 2, name, length) == 0 &&
	    arg[2 + length] == '=') {
		*ret = arg + length + 3;
		return 1;
	}
	if ((arg[1] == letter && !arg[2]) || (arg[1] == '-' && strcmp(arg + 2, name) == 0)) {
		if (*i + 1 >= argc)
			return error_set(error, -EINVAL, "'%s' needs a value", arg);
		*ret = argv[++*i];
		return 1;
	}
	if (arg[1] == '-' && arg[2] && strncmp(arg + 2, name, strcspn(arg + 2, "=")) == 0)
		return error_set(error, -EINVAL,
				 "'%s': not every runtime reads this alike; write --%s VALUE", arg,
				 name);
	return 0;
}

int oci_command_read(int argc, char **argv, struct oci_command *ret, struct pd_error *error)
{
	static const char *const making[] = { "create", "run", "restore" };
	int i = find_command(argc, argv, error), r = 0;
	const char *id = NULL;

	*ret = (struct oci_command){ .bundle = ".", .config = "config.json" };
	if (i < 0)
		return i;
	ret->makes = i < argc && IS_ONE_OF(making, argv[i]);
	for (i++; ret->makes && i < argc && r >= 0 && strcmp(argv[i], "--") != 0; i++) {
		const char *arg = argv[i];

		/* Of crun these are several options, of runc one that is written out. */
		if (arg[0] == '-' && arg[1] && arg[1] != '-' && arg[2])
			return error_set(error, -EINVAL,
					 "'%s': not every runtime reads this alike; write options "
					 "one by one, by their whole names behind '--'",
					 arg);
		r = take_option("bundle", 'b', argc, argv, &i, &ret->bundle, error);
		if (!r)
			r = take_option("config", 'f', argc, argv, &i, &ret->config, error);
		/* runc reads none there, crun does. */
		if (r == 1 && id)
			r = error_set(error, -EINVAL,
				      "'%s' after '%s': not every runtime reads options behind "
				      "the id; write them before it, and other options' values "
				      "behind '='",
				      arg, id);
		else if (!r && IS_ONE_OF(values, arg))
			i++;
		else if (!r && arg[0] != '-')
			id = arg;
	}
	return r < 0 ? r : 0;
}
