/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/json.h"
#include "policyd/base/text.h"
#include "policyd/policy/words.h"

#define FILES_MAX 256u
#define FORCE_MAX 256u
#define HISTORY_MAX 1024u

/* ---- frames ---------------------------------------------------------------------------------- */

static uint32_t header_get(const unsigned char *data)
{
	return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
	       (uint32_t)data[3] << 24;
}

static void header_put(unsigned char *data, size_t size)
{
	for (unsigned int i = 0; i < CONTROL_HEADER_SIZE; i++)
		data[i] = (unsigned char)(size >> (8 * i));
}

void frame_reader_done(struct frame_reader *reader)
{
	free(reader->data);
	*reader = (struct frame_reader){ .limit = reader->limit };
}

static size_t limit_of(const struct frame_reader *reader)
{
	return reader->limit ? reader->limit : CONTROL_FRAME_MAX;
}

int frame_feed(struct frame_reader *reader, const void *data, size_t size)
{
	if (size > reader->room - reader->used) {
		size_t room = reader->room ? reader->room : 1024;
		unsigned char *larger;

		while (size > room - reader->used)
			room *= 2;
		larger = realloc(reader->data, room);
		if (!larger)
			return -ENOMEM;
		reader->data = larger;
		reader->room = room;
	}
	if (size)
		memcpy(reader->data + reader->used, data, size);
	reader->used += size;
	if (reader->used >= CONTROL_HEADER_SIZE && header_get(reader->data) > limit_of(reader))
		return -EMSGSIZE;
	return 0;
}

bool frame_pending(const struct frame_reader *reader)
{
	return reader->used != 0;
}

int frame_next(struct frame_reader *reader, json_t **ret_object, struct pd_error *error)
{
	json_t *object;
	size_t size;
	int r;

	if (reader->used < CONTROL_HEADER_SIZE)
		return 0;
	size = header_get(reader->data);
	if (size > limit_of(reader))
		return error_set(error, -EMSGSIZE,
				 "a message of %zu bytes is too long: %zu may be sent at once",
				 size, limit_of(reader));
	if (reader->used - CONTROL_HEADER_SIZE < size)
		return 0;
	r = json_read((const char *)reader->data + CONTROL_HEADER_SIZE, size, &object, error);
	size += CONTROL_HEADER_SIZE;
	memmove(reader->data, reader->data + size, reader->used - size);
	reader->used -= size;
	if (!reader->used)
		frame_reader_done(reader); /* an idle client costs no buffer */
	if (r && error)
		error->code = r == -ENOMEM ? r : -EPROTO;
	if (r)
		return r == -ENOMEM ? r : -EPROTO;
	if (!json_is_object(object)) {
		json_decref(object);
		return error_set(error, -EPROTO, "the message is no JSON object");
	}
	*ret_object = object;
	return 1;
}

int frame_encode(const json_t *object, unsigned char **ret_data, size_t *ret_size)
{
	size_t size = json_dumpb(object, NULL, 0, JSON_COMPACT);
	unsigned char *data;

	if (!size)
		return -ENOMEM;
	if (size > CONTROL_FRAME_MAX)
		return -EMSGSIZE;
	data = malloc(CONTROL_HEADER_SIZE + size);
	if (!data)
		return -ENOMEM;
	header_put(data, size);
	json_dumpb(object, (char *)data + CONTROL_HEADER_SIZE, size, JSON_COMPACT);
	*ret_data = data;
	*ret_size = CONTROL_HEADER_SIZE + size;
	return 0;
}

int frame_encode_event(const char *line, size_t length, unsigned char **ret_data, size_t *ret_size)
{
	static const char before[] = "{\"event\":", after[] = "}";
	const size_t before_size = sizeof(before) - 1;
	unsigned char *data, *at;

	while (length && line[length - 1] == '\n')
		length--;
	if (length + before_size + 1 > CONTROL_FRAME_MAX)
		return -EMSGSIZE;
	data = malloc(CONTROL_HEADER_SIZE + before_size + length + 1);
	if (!data)
		return -ENOMEM;
	header_put(data, before_size + length + 1);
	at = data + CONTROL_HEADER_SIZE;
	memcpy(at, before, before_size);
	memcpy(at + before_size, line, length);
	at[before_size + length] = (unsigned char)after[0];
	*ret_data = data;
	*ret_size = CONTROL_HEADER_SIZE + before_size + length + 1;
	return 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

enum member {
	HAS_NAME = 1u << 0,
	HAS_MODE = 1u << 1,
	HAS_FOLLOW = 1u << 2,
	HAS_HISTORY = 1u << 3,
	HAS_FILES = 1u << 4,
	HAS_FORCE = 1u << 5,
	HAS_CGROUP = 1u << 6,
	HAS_AUDIT = 1u << 7,
	HAS_PID = 1u << 8,
	HAS_ID = 1u << 9,
	HAS_BUNDLE = 1u << 10,
};

static const char *const member_names[] = { "name",  "mode",  "follow", "history",
					    "files", "force", "cgroup", "audit",
					    "pid",   "id",    "bundle" };

static const struct command {
	const char *name;
	bool changes;
	unsigned int needed, optional; /* enum member */
} commands[] = {
	[CONTROL_STATUS] = { "status", false, 0, 0 },
	[CONTROL_LIST] = { "list", false, 0, 0 },
	[CONTROL_PS] = { "ps", false, 0, 0 },
	[CONTROL_SHOW] = { "show", false, HAS_NAME, 0 },
	[CONTROL_EVENTS] = { "events", false, 0, HAS_FOLLOW | HAS_HISTORY },
	[CONTROL_LOAD] = { "load", true, HAS_FILES, HAS_FORCE },
	[CONTROL_RELOAD] = { "reload", true, 0, 0 },
	[CONTROL_UNLOAD] = { "unload", true, HAS_NAME, 0 },
	[CONTROL_MODE] = { "mode", true, HAS_NAME | HAS_MODE, 0 },
	[CONTROL_PROVE] = { "prove", true, 0, 0 },
	[CONTROL_DETACH] = { "detach", true, 0, 0 },
	[CONTROL_RUN] = { "run", true, HAS_CGROUP, HAS_NAME | HAS_FILES | HAS_AUDIT },
	[CONTROL_RUN_END] = { "run-end", true, 0, 0 },
	[CONTROL_BIND] = { "bind", true, HAS_PID | HAS_ID | HAS_BUNDLE, 0 },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int wrong_member(struct pd_error *error, const char *name)
{
	return error_set(error, -EPROTO, "member '%s' of the request is wrong", name);
}

static int decode_file(const json_t *object, struct control_file *file, struct pd_error *error)
{
	const json_t *text = json_object_get(object, "text");
	const json_t *include_dir = json_object_get(object, "include_dir");

	if (!json_is_object(object) || !json_get_string(object, "name", &file->name) ||
	    !json_is_string(text) || (include_dir && !json_is_string(include_dir)) ||
	    json_object_size(object) != (include_dir ? 3 : 2))
		return wrong_member(error, "files");
	file->text = json_string_value(text);
	file->size = json_string_length(text);
	file->include_dir = json_string_value(include_dir);
	if (!file->name[0] || strlen(file->name) > 4096 || file->size > POLICY_FILE_MAX ||
	    (file->include_dir && file->include_dir[0] != '/'))
		return wrong_member(error, "files");
	return 0;
}

static int decode_files(const json_t *array, struct control_request *request,
			struct pd_error *error)
{
	size_t count = json_array_size(array);

	if (!json_is_array(array) || !count || count > FILES_MAX)
		return wrong_member(error, "files");
	request->files = calloc(count, sizeof(*request->files));
	if (!request->files)
		return error_set(error, -ENOMEM, "out of memory");
	request->file_count = count;
	for (size_t i = 0; i < count; i++) {
		int r = decode_file(json_array_get(array, i), &request->files[i], error);

		if (r)
			return r;
	}
	return 0;
}

static int decode_force(const json_t *array, struct control_request *request,
			struct pd_error *error)
{
	size_t count = json_array_size(array);

	if (!json_is_array(array) || count > FORCE_MAX)
		return wrong_member(error, "force");
	request->force = calloc(count + 1, sizeof(*request->force));
	if (!request->force)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		request->force[i] = json_string_value(json_array_get(array, i));
		if (!request->force[i])
			return wrong_member(error, "force");
	}
	return 0;
}

static int decode_mode(const json_t *object, struct control_request *request,
		       struct pd_error *error)
{
	const char *text;
	uint32_t mode;

	if (!json_get_string(object, "mode", &text))
		return wrong_member(error, "mode");
	if (strcmp(text, "default") == 0) {
		request->mode_reset = true;
		return 0;
	}
	if (!words_find(&words_modes, text, &mode))
		return error_set(error, -EPROTO, "mode is enforce, audit, disabled or default");
	request->mode = (enum policy_mode)mode;
	return 0;
}

static int decode_members(const json_t *object, unsigned int members,
			  struct control_request *request, struct pd_error *error)
{
	int r = 0;

	if (members & HAS_NAME && (!json_get_string(object, "name", &request->name) ||
				   !request->name[0] || strlen(request->name) > POLICY_NAME_MAX))
		return wrong_member(error, "name");
	if (members & HAS_FOLLOW && !json_get_bool(object, "follow", &request->follow))
		return wrong_member(error, "follow");
	if (members & HAS_HISTORY &&
	    !json_get_unsigned(object, "history", HISTORY_MAX, &request->history))
		return wrong_member(error, "history");
	if (members & HAS_AUDIT && !json_get_bool(object, "audit", &request->audit))
		return wrong_member(error, "audit");
	if (members & HAS_CGROUP && (!json_get_string(object, "cgroup", &request->cgroup) ||
				     request->cgroup[0] != '/' || strlen(request->cgroup) > 1024))
		return wrong_member(error, "cgroup");
	if (members & HAS_PID &&
	    (!json_get_unsigned(object, "pid", INT32_MAX, &request->pid) || !request->pid))
		return wrong_member(error, "pid");
	if (members & HAS_ID && (!json_get_string(object, "id", &request->id) || !request->id[0] ||
				 strchr(request->id, '/') || strlen(request->id) > 1024))
		return wrong_member(error, "id");
	if (members & HAS_BUNDLE && (!json_get_string(object, "bundle", &request->bundle) ||
				     request->bundle[0] != '/' || strlen(request->bundle) > 4095))
		return wrong_member(error, "bundle");
	if (members & HAS_MODE)
		r = decode_mode(object, request, error);
	if (!r && members & HAS_FILES)
		r = decode_files(json_object_get(object, "files"), request, error);
	if (!r && members & HAS_FORCE)
		r = decode_force(json_object_get(object, "force"), request, error);
	return r;
}

/* NULL: @error says why not */
static const struct command *decode_command(const json_t *object, struct pd_error *error)
{
	const char *name;
	uint64_t version;

	if (!json_get_unsigned(object, "v", UINT32_MAX, &version) || version != CONTROL_VERSION) {
		error_set(error, -EPROTO,
			  "policyctl and policyd are of different versions: this daemon speaks "
			  "protocol %d",
			  CONTROL_VERSION);
		return NULL;
	}
	if (!json_get_string(object, "command", &name)) {
		error_set(error, -EPROTO, "the request has no command");
		return NULL;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	error_set(error, -EPROTO, "unknown command '%.40s'", name);
	return NULL;
}

int request_decode(const json_t *object, struct control_request *ret_request,
		   struct pd_error *error)
{
	struct control_request request = { 0 };
	const struct command *command = decode_command(object, error);
	unsigned int members = 0;
	const char *key;
	json_t *value;
	int r;

	if (!command)
		return -EPROTO;
	json_object_foreach((json_t *)object, key, value) {
		unsigned int i = 0;

		if (strcmp(key, "v") == 0 || strcmp(key, "command") == 0)
			continue;
		while (i < sizeof(member_names) / sizeof(member_names[0]) &&
		       strcmp(key, member_names[i]) != 0)
			i++;
		if (!((command->needed | command->optional) & 1u << i))
			return error_set(error, -EPROTO, "'%s' has no member '%.40s'",
					 command->name, key);
		members |= 1u << i;
	}
	if ((members & command->needed) != command->needed)
		return error_set(error, -EPROTO, "'%s' lacks a member", command->name);
	request.command = (enum control_command)(command - commands);
	request.changes = command->changes;
	r = decode_members(object, members, &request, error);
	if (!r && request.command == CONTROL_RUN &&
	    (request.name != NULL) + request.file_count != 1)
		r = error_set(error, -EPROTO, "'run' takes one policy, by name or as a file");
	if (r) {
		request_done(&request);
		return r;
	}
	*ret_request = request;
	return 0;
}

void request_done(struct control_request *request)
{
	free(request->files);
	free(request->force);
	*request = (struct control_request){ 0 };
}

json_t *request_new(enum control_command command)
{
	return json_pack("{s:i, s:s}", "v", CONTROL_VERSION, "command", commands[command].name);
}

/* ---- replies --------------------------------------------------------------------------------- */

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string || !text)
		return string;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p;) {
		uint32_t rune;
		size_t n = text_next(p, strlen(p), &rune);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	string = json_string(copy);
	free(copy);
	return string;
}

json_t *reply_error(const struct pd_error *error)
{
	json_t *object = json_object();

	json_object_set_new(object, "code", json_integer(-error->code));
	json_object_set_new(object, "text", json_text(error->text));
	if (error->file[0])
		json_object_set_new(object, "file", json_text(error->file));
	if (error->line) {
		json_object_set_new(object, "line", json_integer(error->line));
		json_object_set_new(object, "column", json_integer(error->column));
	}
	return json_pack("{s:b, s:o}", "ok", 0, "error", object);
}

int reply_check(const json_t *reply, struct pd_error *error)
{
	const json_t *object = json_object_get(reply, "error");
	const char *text, *file = "";
	uint64_t code, line = 0, column = 0;
	bool ok;

	if (!json_get_bool(reply, "ok", &ok))
		return error_set(error, -EPROTO, "the daemon's answer is not understood");
	if (ok)
		return 0;
	if (!json_get_string(object, "text", &text) ||
	    !json_get_unsigned(object, "code", 4095, &code) || !code)
		return error_set(error, -EPROTO, "the daemon failed without saying why");
	json_get_string(object, "file", &file);
	json_get_unsigned(object, "line", UINT32_MAX, &line);
	json_get_unsigned(object, "column", UINT32_MAX, &column);
	return error_at(error, -(int)code, file, (unsigned int)line, (unsigned int)column, "%s",
			text);
}
