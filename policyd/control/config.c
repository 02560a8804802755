/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <yaml.h>

#include "policyd/base/fd.h"
#include "policyd/policy/glob.h"
#include "policyd/policy/parse_file.h"

enum key_type {
	KEY_SECTION,
	KEY_PATH,
	KEY_PATHS,
	KEY_NAME,
	KEY_NAMES,
	KEY_SIZE,
	KEY_RING,
	KEY_COUNT,
	KEY_BOOL,
	KEY_STDOUT,
	KEY_UNKNOWN
};

struct key {
	const char *name;
	enum key_type type;
	size_t offset;		/* of the value in struct config */
	const struct key *keys; /* of a section */
};

#define AT(member) offsetof(struct config, member)

static const struct key file_keys[] = {
	{ "path", KEY_PATH, AT(events.file_path), NULL },
	{ "max_size", KEY_SIZE, AT(events.file_max_size), NULL },
	{ "keep", KEY_COUNT, AT(events.file_keep), NULL },
	{ NULL, KEY_SECTION, 0, NULL },
};

static const struct key events_keys[] = {
	{ "file", KEY_SECTION, 0, file_keys },
	{ "stdout", KEY_STDOUT, AT(events.stdout_form), NULL },
	{ "journald", KEY_BOOL, AT(events.journald), NULL },
	{ NULL, KEY_SECTION, 0, NULL },
};

static const struct key socket_keys[] = {
	{ "path", KEY_PATH, AT(socket_path), NULL },
	{ "group", KEY_NAME, AT(socket_group), NULL },
	{ NULL, KEY_SECTION, 0, NULL },
};

static const struct key ring_keys[] = {
	{ "denials", KEY_RING, AT(ring_bytes[PD_RING_DENIALS]), NULL },
	{ "notices", KEY_RING, AT(ring_bytes[PD_RING_NOTICES]), NULL },
	{ NULL, KEY_SECTION, 0, NULL },
};

static const struct key runtime_keys[] = {
	{ "docker", KEY_PATH, AT(runtimes.docker), NULL },
	{ "podman", KEY_PATH, AT(runtimes.podman), NULL },
	{ "cri-o", KEY_PATH, AT(runtimes.crio), NULL },
	{ "containerd", KEY_PATH, AT(runtimes.containerd), NULL },
	{ "containerd_meta", KEY_PATH, AT(runtimes.containerd_meta), NULL },
	{ "crun", KEY_PATH, AT(runtimes.crun), NULL },
	{ "runc", KEY_PATH, AT(runtimes.runc), NULL },
	{ "lxc", KEY_PATH, AT(runtimes.lxc), NULL },
	{ NULL, KEY_SECTION, 0, NULL },
};

static const struct key root_keys[] = {
	{ "policy_dirs", KEY_PATHS, AT(policy_dirs), NULL },
	{ "include_dirs", KEY_PATHS, AT(include_dirs), NULL },
	{ "events", KEY_SECTION, 0, events_keys },
	{ "socket", KEY_SECTION, 0, socket_keys },
	{ "pin_dir", KEY_PATH, AT(pin_dir), NULL },
	{ "rings", KEY_SECTION, 0, ring_keys },
	{ "allow_dangerous", KEY_NAMES, AT(allow_dangerous), NULL },
	{ "on_unknown", KEY_UNKNOWN, AT(on_unknown), NULL },
	{ "ignore_cgroups", KEY_PATHS, AT(ignore_cgroups), NULL },
	{ "hold_seconds", KEY_COUNT, AT(hold_seconds), NULL },
	{ "runtimes", KEY_SECTION, 0, runtime_keys },
	{ NULL, KEY_SECTION, 0, NULL },
};

struct reader {
	const char *name;
	yaml_document_t document;
	struct config *config;
	struct pd_error *error;
};

__attribute__((format(printf, 3, 4))) static int
wrong(struct reader *reader, const yaml_node_t *node, const char *format, ...)
{
	char text[sizeof(reader->error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_at(reader->error, -EINVAL, reader->name,
			(unsigned int)node->start_mark.line + 1,
			(unsigned int)node->start_mark.column + 1, "%s", text);
}

static void strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

static char **strings_one(const char *first, const char *second)
{
	char **strings = calloc(3, sizeof(*strings));

	if (!strings)
		return NULL;
	strings[0] = first ? strdup(first) : NULL;
	strings[1] = second ? strdup(second) : NULL;
	if ((first && !strings[0]) || (second && !strings[1])) {
		strings_free(strings);
		return NULL;
	}
	return strings;
}

/* The text of a scalar, or NULL with the error set */
static const char *scalar(struct reader *reader, const yaml_node_t *node, const char *key)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0) {
		wrong(reader, node, "%s: a value is missing here", key);
		return NULL;
	}
	if (memchr(text, 0, node->data.scalar.length)) {
		wrong(reader, node, "%s: NUL bytes cannot be part of a value", key);
		return NULL;
	}
	return text;
}

static int set_string(struct reader *reader, const yaml_node_t *node, const struct key *key,
		      char **value)
{
	const char *text = scalar(reader, node, key->name);
	bool path = key->type == KEY_PATH || key->type == KEY_PATHS;
	const char *reason;

	if (!text)
		return -EINVAL;
	if (path && (text[0] != '/' || strlen(text) >= 4096))
		return wrong(reader, node, "%s: '%s' is no absolute path", key->name, text);
	if (key->offset == AT(ignore_cgroups) && glob_check(text, strlen(text), NULL, &reason))
		return wrong(reader, node, "%s: '%s': %s", key->name, text, reason);
	if (!path && strpbrk(text, "/ \t\n"))
		return wrong(reader, node, "%s: '%s' is no name", key->name, text);
	free(*value);
	*value = strdup(text);
	return *value ? 0 : error_set(reader->error, -ENOMEM, "out of memory");
}

static int set_strings(struct reader *reader, const yaml_node_t *node, const struct key *key,
		       char ***value)
{
	size_t count, n = 0;
	char **strings;
	int r = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return wrong(reader, node, "%s: a list is needed, [one, two]", key->name);
	count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (count == 0 && key->type == KEY_PATHS)
		return wrong(reader, node,
			     "%s: the list is empty; leave the key out for the default", key->name);
	strings = calloc(count + 1, sizeof(*strings));
	if (!strings)
		return error_set(reader->error, -ENOMEM, "out of memory");
	for (n = 0; !r && n < count; n++)
		r = set_string(reader,
			       yaml_document_get_node(&reader->document,
						      node->data.sequence.items.start[n]),
			       key, &strings[n]);
	if (r) {
		strings_free(strings);
		return r;
	}
	strings_free(*value);
	*value = strings;
	return 0;
}

static int set_number(struct reader *reader, const yaml_node_t *node, const struct key *key,
		      uint64_t *value)
{
	const char *text = scalar(reader, node, key->name);
	unsigned long long number;
	unsigned int shift = 0;
	char *end;

	if (!text)
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (key->type != KEY_COUNT && *end)
		shift = strcmp(end, "K") == 0 ? 10 :
			strcmp(end, "M") == 0 ? 20 :
			strcmp(end, "G") == 0 ? 30 :
						0;
	if (text[0] < '0' || text[0] > '9' || errno || (*end && !shift) ||
	    number > (1ull << 40) >> shift)
		return wrong(reader, node, "%s: '%s' is no number%s", key->name, text,
			     key->type == KEY_COUNT ? "" : " of bytes (as 4096, 256K, 1M)");
	number <<= shift;
	if (key->type == KEY_COUNT && number > 1000)
		return wrong(reader, node, "%s: at most 1000", key->name);
	if (key->type == KEY_RING &&
	    (number & (number - 1) || number < (16u << 10) || number > (64u << 20)))
		return wrong(reader, node, "%s: a power of two between 16K and 64M is needed",
			     key->name);
	if (key->type == KEY_SIZE && number && number < (64u << 10))
		return wrong(reader, node, "%s: at least 64K, or 0 for no rotation", key->name);
	*value = number;
	return 0;
}

static int set_bool(struct reader *reader, const yaml_node_t *node, const struct key *key,
		    bool *value)
{
	const char *text = scalar(reader, node, key->name);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return wrong(reader, node, "%s: 'true' or 'false' is needed, not '%s'", key->name,
			     text);
	*value = text[0] == 't';
	return 0;
}

/* One of three words, the number of which is the value */
static int set_word(struct reader *reader, const yaml_node_t *node, const struct key *key,
		    const char *const words[3], unsigned int *value)
{
	const char *text = scalar(reader, node, key->name);

	if (!text)
		return -EINVAL;
	for (unsigned int i = 0; i < 3; i++)
		if (strcmp(text, words[i]) == 0) {
			*value = i;
			return 0;
		}
	return wrong(reader, node, "%s: '%s', '%s' or '%s' is needed, not '%s'", key->name,
		     words[0], words[1], words[2], text);
}

static const char *const stdout_words[] = {
	[STDOUT_OFF] = "off",
	[STDOUT_JSON] = "json",
	[STDOUT_HUMAN] = "human",
};
static const char *const unknown_words[] = {
	[PD_UNKNOWN_ALLOW - 1] = "allow",
	[PD_UNKNOWN_HOLD - 1] = "hold",
	[PD_UNKNOWN_DENY - 1] = "deny",
};

static int set_section(struct reader *reader, const yaml_node_t *node, const struct key *keys,
		       const char *name);

static int set_key(struct reader *reader, const yaml_node_t *node, const struct key *key)
{
	void *value = (char *)reader->config + key->offset;
	unsigned int word;
	int r;

	switch (key->type) {
	case KEY_SECTION:
		if (key->keys == file_keys && node->type == YAML_SCALAR_NODE &&
		    strcmp((const char *)node->data.scalar.value, "off") == 0) {
			free(reader->config->events.file_path);
			reader->config->events.file_path = NULL;
			return 0;
		}
		return set_section(reader, node, key->keys, key->name);
	case KEY_PATH:
	case KEY_NAME:
		return set_string(reader, node, key, value);
	case KEY_PATHS:
	case KEY_NAMES:
		return set_strings(reader, node, key, value);
	case KEY_SIZE:
	case KEY_RING:
	case KEY_COUNT:
		return set_number(reader, node, key, value);
	case KEY_BOOL:
		return set_bool(reader, node, key, value);
	case KEY_STDOUT:
		return set_word(reader, node, key, stdout_words, value);
	case KEY_UNKNOWN:
		r = set_word(reader, node, key, unknown_words, &word);
		if (!r)
			reader->config->on_unknown = (enum pd_unknown)(word + 1);
		return r;
	}
	return -EINVAL;
}

/* "path, max_size, keep" */
static const char *key_names(const struct key *keys, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (; keys->name && used < size; keys++)
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? ", " : "",
					 keys->name);
	return buffer;
}

static int set_section(struct reader *reader, const yaml_node_t *node, const struct key *keys,
		       const char *name)
{
	uint64_t seen = 0;
	char names[256];

	if (node->type != YAML_MAPPING_NODE)
		return wrong(reader, node, "%s: keys are needed here: %s", name,
			     key_names(keys, names, sizeof(names)));
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key_node = yaml_document_get_node(&reader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
		const char *text = scalar(reader, key_node, name);
		const struct key *key = keys;
		int r;

		if (!text)
			return -EINVAL;
		while (key->name && strcmp(key->name, text) != 0)
			key++;
		if (!key->name)
			return wrong(reader, key_node, "unknown key '%s'; known here: %s", text,
				     key_names(keys, names, sizeof(names)));
		if (seen & 1ull << (key - keys))
			return wrong(reader, key_node, "key '%s' is given twice", text);
		seen |= 1ull << (key - keys);
		r = set_key(reader, value, key);
		if (r)
			return r;
	}
	return 0;
}

static int read_document(struct reader *reader, const char *text, size_t size)
{
	yaml_document_t second;
	yaml_node_t *root;
	yaml_parser_t parser;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return error_set(reader->error, -ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &reader->document)) {
		r = error_at(reader->error, -EINVAL, reader->name,
			     (unsigned int)parser.problem_mark.line + 1,
			     (unsigned int)parser.problem_mark.column + 1, "not YAML: %s",
			     parser.problem ? parser.problem : "unreadable");
		yaml_parser_delete(&parser);
		return r;
	}
	root = yaml_document_get_root_node(&reader->document);
	if (root && !(root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
		r = set_section(reader, root, root_keys, "configuration");
	if (!r && root) {
		if (!yaml_parser_load(&parser, &second))
			r = error_at(reader->error, -EINVAL, reader->name,
				     (unsigned int)parser.problem_mark.line + 1,
				     (unsigned int)parser.problem_mark.column + 1, "not YAML: %s",
				     parser.problem ? parser.problem : "unreadable");
		else {
			if (yaml_document_get_root_node(&second))
				r = wrong(reader, yaml_document_get_root_node(&second),
					  "one document is enough");
			yaml_document_delete(&second);
		}
	}
	yaml_document_delete(&reader->document);
	yaml_parser_delete(&parser);
	return r;
}

#define HOLD_SECONDS 30

struct config *config_default(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->policy_dirs = strings_one("/etc/policyd/policies", NULL);
	config->include_dirs =
		strings_one("/etc/policyd/policies/include", CONFIG_SHARE_DIR "/include");
	config->allow_dangerous = strings_one(NULL, NULL);
	config->ignore_cgroups = strings_one(NULL, NULL);
	config->events.file_path = strdup("/var/log/policyd/events.jsonl");
	config->events.file_max_size = 64u << 20;
	config->events.file_keep = 4;
	config->socket_path = strdup(CONFIG_RUN_DIR "/policyd.sock");
	config->pin_dir = strdup("/sys/fs/bpf/policyd");
	config->on_unknown = PD_UNKNOWN_HOLD;
	config->hold_seconds = HOLD_SECONDS;
	config->ring_bytes[PD_RING_DENIALS] = 1u << 20;
	config->ring_bytes[PD_RING_NOTICES] = 256u << 10;
	if (!config->policy_dirs || !config->include_dirs || !config->allow_dangerous ||
	    !config->ignore_cgroups || !config->events.file_path || !config->socket_path ||
	    !config->pin_dir || metadata_places_copy(&config->runtimes, &metadata_default_places)) {
		config_free(config);
		return NULL;
	}
	return config;
}

int config_parse(const char *name, const char *text, size_t size, struct config **ret_config,
		 struct pd_error *error)
{
	struct reader reader = { .name = name, .error = error, .config = config_default() };
	int r;

	if (!reader.config)
		return error_set(error, -ENOMEM, "out of memory");
	r = read_document(&reader, text, size);
	if (r) {
		config_free(reader.config);
		return r;
	}
	*ret_config = reader.config;
	return 0;
}

int config_read(const char *path, struct config **ret_config, struct pd_error *error)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r;

	if (strcmp(path, CONFIG_PATH) == 0 && access(path, F_OK) < 0 && errno == ENOENT)
		return config_parse(path, "", 0, ret_config, error);
	r = file_read(path, geteuid() != 0, &text, &size, error);
	if (r)
		return r;
	if (size > CONFIG_SIZE_MAX)
		return error_at(error, -EFBIG, path, 0, 0, "larger than 64 kB");
	return config_parse(path, text, size, ret_config, error);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	strings_free(config->policy_dirs);
	strings_free(config->include_dirs);
	strings_free(config->allow_dangerous);
	strings_free(config->ignore_cgroups);
	free(config->events.file_path);
	free(config->socket_path);
	free(config->socket_group);
	free(config->pin_dir);
	metadata_places_done(&config->runtimes);
	free(config);
}
