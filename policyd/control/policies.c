/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/policies.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/policy/decide.h"
#include "policyd/policy/parse_file.h"

void policy_list_done(struct policy_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		policy_free(list->items[i]);
	free(list->items);
	*list = (struct policy_list){ 0 };
}

int policy_list_take(struct policy_list *list, struct policy **policies, size_t count,
		     struct pd_error *error)
{
	struct policy **larger = NULL;
	int r = 0;

	if (count > POLICIES_MAX - list->count)
		r = error_set(error, -E2BIG, "more than %u policies", POLICIES_MAX);
	else if (count)
		larger = realloc(list->items, (list->count + count) * sizeof(*larger));
	if (!r && count && !larger)
		r = error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; r && i < count; i++)
		policy_free(policies[i]);
	if (larger) {
		memcpy(larger + list->count, policies, count * sizeof(*policies));
		list->items = larger;
		list->count += count;
	}
	free(policies);
	return r;
}

int policy_list_file(struct policy_list *list, const char *path,
		     const struct parse_options *options, const struct parse_sink *sink,
		     struct pd_error *error)
{
	struct policy **policies;
	size_t count;
	int r = parse_file(path, options, sink, &policies, &count, error);

	return r ? r : policy_list_take(list, policies, count, error);
}

static int is_policy_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

int policy_list_dir(struct policy_list *list, const char *dir, const struct parse_options *options,
		    const struct parse_sink *sink, struct pd_error *error)
{
	struct dirent **entries;
	int r = options->trust_files ? 0 : file_check_dir(dir, error);
	int count;

	if (r)
		return r;
	count = scandir(dir, &entries, is_policy_file, alphasort);
	if (count < 0)
		return error_at(error, -errno, dir, 0, 0, "%s", strerror(errno));
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = NULL;

		if (!r) {
			path = string_format("%s/%s", dir, entries[i]->d_name);
			r = path ? policy_list_file(list, path, options, sink, error) :
				   error_set(error, -ENOMEM, "out of memory");
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

struct policy *policy_list_find(const struct policy_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i]->name, name) == 0)
			return list->items[i];
	return NULL;
}

int policy_list_check(const struct policy_list *list, struct pd_error *error)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct policy *a = list->items[j], *b = list->items[i];

			if (strcmp(a->name, b->name) == 0)
				return error_at(error, -EEXIST, b->files[0], b->name_place.line,
						b->name_place.column,
						"a policy named '%s' is in %s:%u already", b->name,
						a->files[0], a->name_place.line);
		}
	return 0;
}

int policy_enforceable(const struct policy *policy, struct pd_error *error)
{
	for (size_t i = 0; i < policy->match_count; i++) {
		const struct policy_match *match = &policy->matches[i];

		if (match->exe && policy_match_asks_runtime(match))
			return error_at(
				error, -ENOTSUP, policy->files[match->place.file],
				match->place.line, match->place.column,
				"match: 'exe' together with a selector of containers cannot be "
				"enforced by this version of policyd; leave exe out, and use by: "
				"in the rules");
	}
	return 0;
}

static bool is_allowed(const char *name, const char *const *allowed)
{
	for (; allowed && *allowed; allowed++)
		if (strcmp(*allowed, name) == 0)
			return true;
	return false;
}

static int check_bystander(const unsigned char *image, const struct policy_list *list,
			   const struct bystander *bystander, const char *const *allowed,
			   struct pd_error *error)
{
	uint32_t slot = decide_binding(image, bystander->cgroup, bystander->exe);
	const char **names = slot ? image_slot_policies(image, slot) : NULL;
	int r = 0;

	for (const char **name = names; !r && name && *name; name++) {
		const struct policy *policy = policy_list_find(list, *name);

		if (!policy || policy->mode != POLICY_ENFORCE || !policy->deny_default ||
		    is_allowed(*name, allowed))
			continue;
		r = error_at(
			error, -EPERM, policy->files[0], policy->default_place.line,
			policy->default_place.column,
			"policy '%s' would confine %s and denies by default; narrow its match:, or "
			"insist with 'policyctl load --force-name %s' or allow_dangerous: [%s] in "
			"policyd.yaml",
			*name, bystander->what, *name, *name);
	}
	free(names);
	return r;
}

void self_done(struct self *self)
{
	free(self->exe);
	free(self->cgroup);
	free(self->init_exe);
	free(self->init_cgroup);
	*self = (struct self){ 0 };
}

static char *link_target(const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	return n < 0 ? NULL : strndup(target, (size_t)n);
}

int self_learn(struct self *ret_self, struct pd_error *error)
{
	struct self self = { .exe = link_target("/proc/self/exe") };
	int r;

	if (!self.exe)
		return error_set(error, -errno, "/proc/self/exe: %s", strerror(errno));
	r = cgroup_of(0, &self.cgroup);
	if (r) {
		self_done(&self);
		return error_set(error, r, "/proc/self/cgroup: %s", strerror(-r));
	}
	self.init_exe = link_target("/proc/1/exe");
	if (cgroup_of(1, &self.init_cgroup))
		self.init_cgroup = NULL;
	*ret_self = self;
	return 0;
}

int policies_harmless(const unsigned char *image, const struct policy_list *list,
		      const struct self *self, const char *const *allowed, struct pd_error *error)
{
	/* Names that nothing has, so that only a pattern for everything matches them */
	static const char no_cgroup[] = "/policyd-nowhere.slice/policyd-nobody.scope";
	static const char no_exe[] = "/policyd-nowhere/policyd-nobody";
	const char *init_exe = self->init_exe ? self->init_exe : no_exe;
	const char *init_cgroup = self->init_cgroup ? self->init_cgroup : "/";
	/* As it is now, and as it may be after the next boot, which loads the same policies */
	const struct bystander bystanders[] = {
		{ "every task", no_cgroup, no_exe },
		{ "PID 1", init_cgroup, init_exe },
		{ "PID 1", "/", no_exe },
		{ "PID 1", "/init.scope", no_exe },
		{ "PID 1", "/init.scope", "/usr/lib/systemd/systemd" },
		{ "PID 1", "/init.scope", "/sbin/init" },
		{ "PID 1", "/", "/usr/lib/systemd/systemd" },
		{ "PID 1", "/", "/lib/systemd/systemd" },
		{ "PID 1", "/", "/usr/sbin/init" },
		{ "PID 1", "/", "/sbin/init" },
		{ "policyd itself", self->cgroup, self->exe },
		{ "policyd itself", no_cgroup, self->exe },
		{ "policyd itself", "/system.slice/policyd.service", self->exe },
	};

	for (size_t i = 0; i < sizeof(bystanders) / sizeof(bystanders[0]); i++) {
		int r = check_bystander(image, list, &bystanders[i], allowed, error);

		if (r)
			return r;
	}
	return 0;
}

const char **include_dirs_near(const struct config *config, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char **dirs;
	size_t count = 0;

	while (config->include_dirs[count])
		count++;
	dirs = calloc(count + 2, sizeof(*dirs));
	if (!dirs)
		return NULL;
	dirs[0] = slash ? string_format("%.*s/include", (int)(slash - file), file) :
			  strdup("include");
	if (!dirs[0]) {
		free(dirs);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		dirs[i + 1] = config->include_dirs[i];
	return dirs;
}
