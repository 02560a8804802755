/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a policy's keys, from YAML nodes into the model, with errors that say where and what
 * was meant. Shared by the parse*.c files and question.c.
 */
#ifndef PD_POLICY_PARSE_VALUE_H
#define PD_POLICY_PARSE_VALUE_H

#include "policyd/policy/parse.h"
#include "policyd/policy/parse_yaml.h"
#include "policyd/policy/words.h"

/* What all functions here need. All return 0, or a negative errno with *error filled; what they had
 * stored until then stays in the model, for policy_free(). */
struct parser {
	struct policy *policy; /* being filled; its files name the places */
	const struct parse_options *options;
	struct pd_error *error;
};

/** parser_fail() - "file:line:column: ..." at @place; returns -EINVAL */
int parser_fail(const struct parser *parser, const struct policy_place *place, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/** parser_no_memory() - returns -ENOMEM */
int parser_no_memory(const struct parser *parser);

/* Text of a file made fit for a one-line message: control characters escaped, long text cut. */
struct shown {
	char text[120];
};
const char *show(struct shown *shown, const char *text);

/* "; did you mean "x"?", or "" */
const char *show_meant(struct shown *shown, const struct words *words, const char *text);

/**
 * map_take() - sort a map's values by key
 * @keys:   the keys this map may have: values[] is indexed by their .value
 * @values: gets a node, or NULL for an absent key; keys themselves stand just before their values
 *
 * A wrong type, an unknown or a repeated key is an error.
 */
int map_take(const struct parser *parser, const struct node *map, const struct words *keys,
	     const struct node **values);

/** map_key() - the key that belongs to a value found by map_take() */
static inline const struct node *map_key(const struct node *value)
{
	return value - 1;
}

/* A scalar counts as a list of itself. @key names the value in messages throughout. */
int list_check(const struct parser *parser, const char *key, const struct node *node);
size_t list_count(const struct node *node);
const struct node *list_item(const struct node *node, size_t index);

int value_text(const struct parser *parser, const char *key, const struct node *node,
	       const char **ret_text);
int value_copy(const struct parser *parser, const char *key, const struct node *node,
	       char **ret_copy);
int value_bool(const struct parser *parser, const char *key, const struct node *node,
	       bool *ret_value);
int value_word(const struct parser *parser, const char *key, const struct node *node,
	       const struct words *words, uint32_t *ret_value);
/** value_mask() - the union of the words of a list; "all" is only told from the rest by @ret_all */
int value_mask(const struct parser *parser, const char *key, const struct node *node,
	       const struct words *words, uint32_t *ret_mask, bool *ret_all);
/** value_name() - of a policy or an include: [a-z0-9][a-z0-9._-]*; the text stays the node's */
int value_name(const struct parser *parser, const char *key, const struct node *node,
	       const char **ret_name);
/** value_number() - decimal digits without sign or leading zero; false when it is none up to @max */
bool value_number(const char *text, unsigned long max, unsigned long *ret_number);

/* What a pattern is about decides how it may begin. */
enum pattern_kind {
	PATTERN_OBJECT,	 /* an absolute path, or "memfd:", "mqueue:", "nsfs:" */
	PATTERN_PROGRAM, /* an absolute path, of no folder */
	PATTERN_UNIX,	 /* an absolute path or "@abstract" */
	PATTERN_BINDING, /* an absolute path or "**" */
	PATTERN_EXE,	 /* the same for a program */
	PATTERN_TEXT,	 /* anything */
};
int value_pattern(const struct parser *parser, const char *key, const struct node *node,
		  enum pattern_kind kind, const char **ret_pattern);
int value_patterns(const struct parser *parser, const char *key, const struct node *node,
		   enum pattern_kind kind, struct policy_strings *strings);

/** name_reason() - why @text can be the name of no object of that kind; NULL when it can */
const char *name_reason(const char *text, enum pattern_kind kind);

/** strings_add() - append a copy; false: no memory */
bool strings_add(struct policy_strings *strings, const char *text,
		 const struct policy_place *place);
/** numbers_add() - append to a list of families, types or protocols unless it is in it */
bool numbers_add(uint16_t **numbers, size_t *count, uint16_t number);

/* Addresses. Pure: *ret_reason says what is wrong, for a message that quotes the text. */
/** address_ports() - "80" or "8000-8099"; NULL when right, else the reason */
const char *address_ports(const char *text, struct policy_ports *ret_ports);
/**
 * address_parse() - "10.0.0.0/8:5432", "[2001:db8::]/32:443", "2001:db8::/32", "*:53"
 * @ret_meant: filled with the nearest right text when bits are set below the prefix, else ""
 *
 * IPv4-mapped IPv6 networks become the IPv4 networks they stand for, as in the kernel part.
 * Returns NULL when right, else the reason.
 */
const char *address_parse(const char *text, struct policy_address *ret_address,
			  struct shown *ret_meant);

/* Rules; the class decides which keys there are. Each appends to policy->rules. */
int rule_parse(const struct parser *parser, enum pd_class class, const struct node *node);
int rule_parse_guard(const struct parser *parser, const struct node *node);
int rule_parse_memory(const struct parser *parser, const struct node *node);
/** socket_parse() - the keys of a socket rule other than allow, deny and the flags */
struct socket_keys {
	const struct node *family, *type, *protocol, *port, *to, *unix_;
};
int socket_parse(const struct parser *parser, const struct socket_keys *keys,
		 const struct node *operations, struct policy_rule *rule);
/** socket_protocol() - a protocol's name or number, by what family: says */
int socket_protocol(const struct parser *parser, const struct node *node,
		    const struct policy_rule *rule, uint16_t *ret_protocol);

int match_parse(const struct parser *parser, const struct node *list);
int expect_parse(const struct parser *parser, const struct node *list);

/** lint() - warnings about a policy that parsed */
void lint(const struct policy *policy, const struct parse_sink *sink);

#endif
