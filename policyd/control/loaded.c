/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/loaded.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/array.h"
#include "policyd/base/fd.h"
#include "policyd/base/json.h"

static void strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

static void file_done(struct loaded_file *file)
{
	free(file->key);
	free(file->source);
	free(file->text);
	free(file->include_dir);
	strings_free(file->force);
	strings_free(file->names);
	policy_list_done(&file->policies);
	*file = (struct loaded_file){ 0 };
}

void loaded_done(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->count; i++)
		file_done(&loaded->items[i]);
	free(loaded->items);
	*loaded = (struct loaded){ 0 };
}

int loaded_add(struct loaded *loaded, const struct control_file *file, const char *const *force,
	       struct pd_error *error)
{
	struct loaded_file *new =
		array_append((void *)&loaded->items, &loaded->count, sizeof(*new));
	size_t count = 0;

	if (!new)
		return error_set(error, -ENOMEM, "out of memory");
	while (force && force[count])
		count++;
	new->fresh = true;
	new->source = strdup(file->name);
	new->text = malloc(file->size + 1);
	new->size = file->size;
	new->include_dir = file->include_dir ? strdup(file->include_dir) : NULL;
	new->force = calloc(count + 1, sizeof(*new->force));
	if (!new->source || !new->text || !new->force || (file->include_dir && !new->include_dir))
		return error_set(error, -ENOMEM, "out of memory");
	memcpy(new->text, file->text, file->size);
	new->text[file->size] = '\0';
	for (size_t i = 0; i < count; i++) {
		new->force[i] = strdup(force[i]);
		if (!new->force[i])
			return error_set(error, -ENOMEM, "out of memory");
	}
	return 0;
}

static int read_one(const char *path, struct loaded *loaded, struct pd_error *error)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE const char **force = NULL;
	struct control_file file = { 0 };
	json_t *object = NULL;
	json_t *array;
	size_t size;
	int r = file_load(path, 2 * CONTROL_FRAME_MAX, &text, &size);

	if (r)
		return error_at(error, r, path, 0, 0, "%s", strerror(-r));
	r = json_read(text, size, &object, error);
	if (r)
		return r;
	array = json_object_get(object, "force");
	force = calloc(json_array_size(array) + 1, sizeof(*force));
	for (size_t i = 0; force && i < json_array_size(array); i++)
		if (!(force[i] = json_string_value(json_array_get(array, i))))
			break;
	file.size = json_string_length(json_object_get(object, "text"));
	file.include_dir = json_string_value(json_object_get(object, "include_dir"));
	if (!force)
		r = error_set(error, -ENOMEM, "out of memory");
	else if (!json_get_string(object, "source", &file.name) ||
		 !json_get_string(object, "text", &file.text))
		r = error_at(error, -EPROTO, path, 0, 0, "not what policyd keeps here; remove it");
	else
		r = loaded_add(loaded, &file, force, error);
	if (!r)
		loaded->items[loaded->count - 1].fresh = false;
	json_decref(object);
	return r;
}

static int is_kept(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

int loaded_read(const char *dir, struct loaded *loaded, struct pd_error *error)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_kept, alphasort);
	int r = 0;

	if (count < 0)
		return errno == ENOENT ? 0 :
					 error_at(error, -errno, dir, 0, 0, "%s", strerror(errno));
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = NULL;

		if (!r) {
			path = string_format("%s/%s", dir, entries[i]->d_name);
			r = path ? read_one(path, loaded, error) :
				   error_set(error, -ENOMEM, "out of memory");
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int remember_names(struct loaded_file *file, struct policy *const *policies, size_t count)
{
	file->names = calloc(count + 1, sizeof(*file->names));
	if (!file->names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		file->names[i] = strdup(policies[i]->name);
		if (!file->names[i])
			return -ENOMEM;
	}
	file->key = count ? strdup(policies[0]->name) : NULL;
	return file->key ? 0 : -ENOMEM;
}

int loaded_parse(struct loaded_file *file, char *const *include_dirs, struct pd_error *error)
{
	CLEANUP_FREE const char **dirs = NULL;
	struct parse_options options = { .trust_files = false };
	struct policy **policies;
	size_t count = 0, used = 0;
	int r;

	while (include_dirs[count])
		count++;
	dirs = calloc(count + 2, sizeof(*dirs));
	if (!dirs)
		return error_set(error, -ENOMEM, "out of memory");
	if (file->include_dir)
		dirs[used++] = file->include_dir;
	for (size_t i = 0; i < count; i++)
		dirs[used++] = include_dirs[i];
	options.include_dirs = dirs;
	r = parse_text(file->source, file->text, file->size, &options, NULL, &policies, &count,
		       error);
	if (r)
		return r;
	if (!count) {
		free(policies);
		return error_at(error, -EINVAL, file->source, 0, 0, "there is no policy in it");
	}
	r = remember_names(file, policies, count);
	if (r) {
		for (size_t i = 0; i < count; i++)
			policy_free(policies[i]);
		free(policies);
		return error_set(error, r, "out of memory");
	}
	return policy_list_take(&file->policies, policies, count, error);
}

static bool replaces(const struct loaded_file *fresh, const struct loaded_file *old)
{
	if (strcmp(fresh->source, old->source) == 0)
		return true;
	for (char **a = fresh->names; a && *a; a++)
		for (char **b = old->names; b && *b; b++)
			if (strcmp(*a, *b) == 0)
				return true;
	return false;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct loaded_file *)a)->key, ((const struct loaded_file *)b)->key);
}

void loaded_settle(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->count; i++)
		for (size_t j = 0; j < i; j++)
			if (loaded->items[i].fresh && !loaded->items[j].fresh &&
			    replaces(&loaded->items[i], &loaded->items[j]))
				loaded->items[j].gone = true;
	if (loaded->count)
		qsort(loaded->items, loaded->count, sizeof(loaded->items[0]), by_key);
}

struct loaded_file *loaded_find(struct loaded *loaded, const char *name)
{
	for (size_t i = 0; i < loaded->count; i++)
		for (char **own = loaded->items[i].names; own && *own; own++)
			if (!loaded->items[i].gone && strcmp(*own, name) == 0)
				return &loaded->items[i];
	return NULL;
}

static int write_one(const char *dir, const struct loaded_file *file)
{
	CLEANUP_FREE char *path = string_format("%s/%s.json", dir, file->key);
	CLEANUP_FREE char *text = NULL;
	json_t *force = json_array(), *object;

	for (char **name = file->force; *name; name++)
		json_array_append_new(force, json_string(*name));
	object = json_pack("{s:s, s:s%, s:o}", "source", file->source, "text", file->text,
			   file->size, "force", force);
	if (object && file->include_dir)
		json_object_set_new(object, "include_dir", json_string(file->include_dir));
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return path && text ? file_write_atomic(path, text, strlen(text), 0600) : -ENOMEM;
}

static int remove_one(const char *dir, const struct loaded_file *file)
{
	CLEANUP_FREE char *path = string_format("%s/%s.json", dir, file->key);

	if (!path)
		return -ENOMEM;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int loaded_write(const char *dir, const struct loaded *loaded, struct pd_error *error)
{
	int r = dir_make(dir, 0700);

	/* Removing comes first: a fresh file may have the key of the one it replaces. */
	for (size_t i = 0; !r && i < loaded->count; i++)
		if (loaded->items[i].gone && !loaded->items[i].fresh)
			r = remove_one(dir, &loaded->items[i]);
	for (size_t i = 0; !r && i < loaded->count; i++)
		if (loaded->items[i].fresh && !loaded->items[i].gone)
			r = write_one(dir, &loaded->items[i]);
	if (!r)
		return 0;
	loaded_unwrite(dir, loaded);
	return error_at(error, r, dir, 0, 0, "%s", strerror(-r));
}

void loaded_unwrite(const char *dir, const struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->count; i++)
		if (loaded->items[i].fresh)
			remove_one(dir, &loaded->items[i]);
	for (size_t i = 0; i < loaded->count; i++)
		if (loaded->items[i].gone && !loaded->items[i].fresh)
			write_one(dir, &loaded->items[i]);
}
