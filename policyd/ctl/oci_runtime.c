/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policyctl oci-runtime: stands in front of an OCI runtime, for engines that know of no hooks (docker). Adds
 * "policyctl oci-hook" to the configuration of a container that is to be made, and becomes the runtime.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/ctl/ctl.h"

#define CONFIG_BYTES_MAX (16u << 20)

/* The folder that is given to the runtime's create or run; NULL: it makes nothing */
static const char *bundle_of(int argc, char **argv)
{
	const char *bundle = ".";
	bool makes = false;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "create") || !strcmp(argv[i], "run"))
			makes = true;
		else if ((!strcmp(argv[i], "--bundle") || !strcmp(argv[i], "-b")) && i + 1 < argc)
			bundle = argv[++i];
		else if (!strncmp(argv[i], "--bundle=", 9))
			bundle = argv[i] + 9;
	}
	return makes ? bundle : NULL;
}

/* Ours comes first: what it binds holds for the others' programs, too. */
static int put_hook(json_t *config, const char *self)
{
	json_t *hooks = json_object_get(config, "hooks"), *list;
	json_t *hook = json_pack("{s:s, s:[s,s]}", "path", self, "args", "policyctl", "oci-hook");

	if (!json_is_object(hooks)) {
		hooks = json_object();
		json_object_set_new(config, "hooks", hooks);
	}
	list = json_object_get(hooks, "createRuntime");
	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(hooks, "createRuntime", list);
	}
	return hook && !json_array_insert_new(list, 0, hook) ? 0 : -ENOMEM;
}

static int add_hook(const char *bundle, struct pd_error *error)
{
	CLEANUP_FREE char *path = string_format("%s/config.json", bundle);
	CLEANUP_FREE char *text = NULL, *changed = NULL;
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	json_t *config = NULL;
	struct stat st;
	size_t size;
	int r = path ? file_load(path, CONFIG_BYTES_MAX, &text, &size) : -ENOMEM;

	if (r || n < 0 || stat(path, &st) < 0)
		return error_at(error, r ? r : -errno, path, 0, 0, "%s", strerror(r ? -r : errno));
	self[n] = '\0';
	r = json_read(text, size, &config, error);
	if (r)
		return error_at(error, r, path, 0, 0, "no configuration of a container");
	r = put_hook(config, self);
	changed = r ? NULL : json_dumps(config, JSON_COMPACT);
	json_decref(config);
	r = changed ? file_write_atomic(path, changed, strlen(changed), st.st_mode & 0777) :
		      -ENOMEM;
	return r ? error_at(error, r, path, 0, 0, "%s", strerror(-r)) : 0;
}

static int oci_runtime(struct ctl *ctl, int argc, char **argv)
{
	struct pd_error error = { .code = 0 };
	const char *bundle;

	if (argc < 2 || argv[1][0] == '-') /* its options are the runtime's */
		return ctl_usage(&command_oci_runtime, "a runtime is needed");
	bundle = bundle_of(argc - 2, argv + 2);
	if (bundle && add_hook(bundle, &error))
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
