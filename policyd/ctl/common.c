/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/fd.h"

static void print_help(const struct command *command)
{
	printf("usage: policyctl %s %s\n\n%s\n", command->name, command->usage, command->summary);
	if (command->help)
		printf("\n%s", command->help);
}

int ctl_options(struct ctl *ctl, const struct command *command, int argc, char **argv,
		const char *letters, const struct option *options)
{
	for (;;) {
		int option = getopt_long(argc, argv, letters, options, NULL);

		if (option == 'j') {
			ctl->json = true;
			continue;
		}
		if (option == 'h') {
			print_help(command);
			exit(fflush(stdout) ? CTL_ERROR : CTL_OK);
		}
		return option == -1 ? 0 : option;
	}
}

void ctl_warn(const char *format, ...)
{
	char line[ERROR_LINE_MAX + 200];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fflush(stdout);
	fprintf(stderr, "policyctl: %s\n", line);
}

int ctl_usage(const struct command *command, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	ctl_warn("%s; usage: policyctl %s %s", line, command->name, command->usage);
	return CTL_ERROR;
}

int ctl_print(json_t *object)
{
	if (!object)
		return -ENOMEM;
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return 0;
}

int ctl_fail(const struct ctl *ctl, const struct pd_error *error)
{
	char line[ERROR_LINE_MAX];

	if (ctl->json)
		ctl_print(reply_error(error));
	ctl_warn("%s", error_render(error, line, sizeof(line)));
	return CTL_ERROR;
}

const struct config *ctl_config(struct ctl *ctl, struct pd_error *error)
{
	/* Who may not read it still has the defaults to work with: check and test need no root. */
	if (!ctl->config && strcmp(ctl->config_path, CONFIG_PATH) == 0 &&
	    access(CONFIG_PATH, R_OK) < 0)
		ctl->config = config_default();
	if (!ctl->config && config_read(ctl->config_path, &ctl->config, error))
		return NULL;
	return ctl->config;
}

static bool is_file(const char *what)
{
	return strchr(what, '/') ||
	       (strlen(what) > 5 && strcmp(what + strlen(what) - 5, ".yaml") == 0);
}

int ctl_policy_path(struct ctl *ctl, const char *what, char **ret_path, struct pd_error *error)
{
	const struct config *config = ctl_config(ctl, error);
	const char *dirs[16];
	size_t count = 0;

	if (!config)
		return error->code;
	if (is_file(what)) {
		*ret_path = strdup(what);
		return *ret_path ? 0 : error_set(error, -ENOMEM, "out of memory");
	}
	for (char **dir = config->policy_dirs; *dir && count < 15; dir++)
		dirs[count++] = *dir;
	dirs[count++] = CONFIG_SHARE_DIR;
	for (size_t i = 0; i < count; i++) {
		char *path = string_format("%s/%s.yaml", dirs[i], what);

		if (!path)
			return error_set(error, -ENOMEM, "out of memory");
		if (access(path, F_OK) == 0) {
			*ret_path = path;
			return 0;
		}
		free(path);
	}
	return error_set(error, -ENOENT,
			 "no policy '%s' in %s or " CONFIG_SHARE_DIR
			 "; a file is named with a slash or .yaml",
			 what, config->policy_dirs[0]);
}

int ctl_policy(struct ctl *ctl, const char *what, bool trust, struct policy **ret_policy,
	       struct pd_error *error)
{
	CLEANUP_FREE char *path = NULL;
	struct parse_options options = { .trust_files = trust };
	struct policy_list list = { 0 };
	const char **dirs;
	int r = ctl_policy_path(ctl, what, &path, error);

	if (r)
		return r;
	dirs = include_dirs_near(ctl->config, path);
	if (!dirs)
		return error_set(error, -ENOMEM, "out of memory");
	options.include_dirs = dirs;
	r = policy_list_file(&list, path, &options, NULL, error);
	free((char *)dirs[0]);
	free(dirs);
	if (!r && list.count != 1)
		r = error_at(error, -EINVAL, path, 0, 0,
			     "one policy is needed here, and the file holds %zu", list.count);
	if (!r) {
		*ret_policy = list.items[0];
		list.count = 0;
	}
	policy_list_done(&list);
	return r;
}

int ctl_connect(struct ctl *ctl, struct client **ret_client, struct pd_error *error)
{
	const struct config *config = ctl_config(ctl, error);

	return config ? client_connect(config->socket_path, ret_client, error) : error->code;
}

int ctl_call(struct ctl *ctl, json_t *request, json_t **ret_reply, struct pd_error *error)
{
	struct client *client;
	int r = ctl_connect(ctl, &client, error);

	if (r) {
		json_decref(request);
		return r;
	}
	r = client_call(client, request, ret_reply, error);
	client_free(client);
	if (!r && json_is_string(json_object_get(*ret_reply, "warning")))
		ctl_warn("warning: %s", json_string_value(json_object_get(*ret_reply, "warning")));
	return r;
}

const char *ctl_place(const struct policy *policy, const struct policy_place *place, char *buffer,
		      size_t size)
{
	snprintf(buffer, size, "%s:%u", policy->files[place->file], place->line);
	return buffer;
}

static int read_policy(const char *path, char **ret_text, size_t *ret_size, struct pd_error *error)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_at(error, -errno, path, 0, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_at(error, -EINVAL, path, 0, 0, "not a regular file");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_at(error, -EPERM, path, 0, 0,
				"others may write this file; chmod go-w it");
	r = fd_read_all(fd, POLICY_FILE_MAX, ret_text, ret_size);
	return r ? error_at(error, r, path, 0, 0, "%s",
			    r == -EFBIG ? "larger than 1 MiB" : strerror(-r)) :
		   0;
}

json_t *ctl_policy_file(const char *path, struct pd_error *error)
{
	CLEANUP_FREE char *text = NULL, *absolute = realpath(path, NULL), *include = NULL;
	json_t *object;
	size_t size;

	if (!absolute) {
		error_at(error, -errno, path, 0, 0, "%s", strerror(errno));
		return NULL;
	}
	if (read_policy(path, &text, &size, error))
		return NULL;
	include = string_format("%.*s/include", (int)(strrchr(absolute, '/') - absolute), absolute);
	object = json_pack("{s:s, s:s%, s:s}", "name", absolute, "text", text, size, "include_dir",
			   include ? include : "/");
	if (!object)
		error_at(error, -EINVAL, path, 0, 0, "not UTF-8, or it holds NUL bytes");
	return object;
}

int ctl_done(const struct ctl *ctl, json_t *reply)
{
	if (ctl->json)
		ctl_print(json_incref(reply));
	json_decref(reply);
	return CTL_OK;
}

int ctl_do(struct ctl *ctl, json_t *request)
{
	struct pd_error error = { .code = 0 };
	json_t *reply;

	if (ctl_call(ctl, request, &reply, &error))
		return ctl_fail(ctl, &error);
	return ctl_done(ctl, reply);
}
