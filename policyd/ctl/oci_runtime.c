/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policyctl oci-runtime: stands in front of an OCI runtime, for engines that know of no hooks (docker). Adds
 * "policyctl oci-hook" to the configuration of a container that is to be made, and becomes the runtime.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/base/json_splice.h"
#include "policyd/ctl/ctl.h"
#include "policyd/workload/oci_command.h"

#define CONFIG_BYTES_MAX (16u << 20)

static bool is_first(const json_t *config, const char *const path[static 2], const json_t *hook)
{
	const json_t *list = json_object_get(json_object_get(config, path[0]), path[1]);

	return json_equal(json_array_get(list, 0), hook);
}

/*
 * Go's JSON, and so runc, takes "Hooks" for "hooks" as well, and what comes last replaces what came before: it would be
 * ours. Beyond ASCII there are two letters of which it takes the other case for an ASCII one: long s and Kelvin sign.
 */
static bool is_alike(const char *key, const char *name)
{
	for (; *name; name++) {
		if (*name == 's' && strncmp(key, "\xc5\xbf", 2) == 0)
			key += 2;
		else if (*name == 'k' && strncmp(key, "\xe2\x84\xaa", 3) == 0)
			key += 3;
		else if ((*key | 0x20) == (*name | 0x20)) /* names are letters */
			key++;
		else
			return false;
	}
	return !*key;
}

static int refuse_alike(json_t *object, const char *name, struct pd_error *error)
{
	const char *key;
	json_t *member;

	json_object_foreach(object, key, member)
		if (strcmp(key, name) != 0 && is_alike(key, name))
			return error_set(error, -EINVAL,
					 "it has a member that some runtimes take for \"%s\", and "
					 "others do not",
					 name);
	return 0;
}

/* *ret is NULL when it is there already. Ours comes first: what it binds holds for the others' programs, too. */
static int put_hook(const char *text, const char *self, char **ret, struct pd_error *error)
{
	static const char *const path[] = { "hooks", "createRuntime", NULL };
	json_t *hook = json_pack("{s:s, s:[s,s]}", "path", self, "args", "policyctl", "oci-hook");
	char *item = hook ? json_dumps(hook, JSON_COMPACT) : NULL;
	json_t *config = NULL;
	int r = item ? json_read_foreign(text, strlen(text), &config, error) : -ENOMEM;

	if (!r)
		r = refuse_alike(config, path[0], error);
	if (!r)
		r = refuse_alike(json_object_get(config, path[0]), path[1], error);
	if (!r && is_first(config, path, hook)) { /* of a bundle that has been used before */
		*ret = NULL;
		goto done;
	}
	json_decref(config);
	config = NULL;
	if (!r) {
		r = json_splice_first(text, path, item, ret);
		if (r == -EINVAL)
			error_set(error, r, "its hooks are no lists of hooks");
	}
	/* What comes of it is what was meant, or no container is made. */
	if (!r)
		r = json_read_foreign(*ret, strlen(*ret), &config, error);
	if (!r && !is_first(config, path, hook))
		r = error_set(error, -EINVAL, "the hook cannot be added");
done:
	json_decref(config);
	json_decref(hook);
	free(item);
	return r == -ENOMEM ? error_set(error, r, "out of memory") : r;
}

/*
 * Where the runtime reads it. Only crun lets it have another name, and looks for that in the working directory, not in
 * the bundle. No bundle's name is none for runc, and for crun a mistake.
 */
static char *config_path(const struct oci_command *command)
{
	if (strcmp(command->config, "config.json") != 0)
		return strdup(command->config);
	return string_format("%s/%s", command->bundle[0] ? command->bundle : ".", command->config);
}

static int add_hook(const struct oci_command *command, struct pd_error *error)
{
	CLEANUP_FREE char *path = config_path(command);
	CLEANUP_FREE char *text = NULL, *changed = NULL;
	struct pd_error why = { .code = 0 };
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t size;
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	struct stat st;
	int r = !path ? -ENOMEM : n < 0 || fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (!r)
		r = fd_read_all(fd, CONFIG_BYTES_MAX, &text, &size);
	if (r)
		return error_at(error, r, path, 0, 0, "%s", strerror(-r));
	self[n] = '\0';
	if (strlen(text) != size)
		return error_at(error, -EINVAL, path, 0, 0, "it holds NUL bytes");
	r = put_hook(text, self, &changed, &why);
	if (r)
		return error_at(error, r, path, 0, 0, "%s", why.text);
	if (!changed)
		return 0;
	r = file_replace(path, changed, strlen(changed), &st);
	return r ? error_at(error, r, path, 0, 0, "%s", strerror(-r)) : 0;
}

static int oci_runtime(struct ctl *ctl, int argc, char **argv)
{
	struct pd_error error = { .code = 0 };
	struct oci_command command;

	if (argc < 2 || argv[1][0] == '-') /* its options are the runtime's */
		return ctl_usage(&command_oci_runtime, "a runtime is needed");
	if (oci_command_read(argc - 2, argv + 2, &command, &error) ||
	    (command.makes && add_hook(&command, &error)))
		return ctl_fail(ctl, &error);
	execvp(argv[1], argv + 1);
	error_set(&error, -errno, "%s: %s", argv[1], strerror(errno));
	return ctl_fail(ctl, &error);
}

const struct command command_oci_runtime = {
	.name = "oci-runtime",
	.usage = "RUNTIME ARGUMENTS...",
	.summary = "Run an OCI runtime, with oci-hook added to what it makes",
	.run = oci_runtime,
};
