/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML as policies use it: scalars, lists and maps with their places. Anchors, aliases, merge keys,
 * tags and deep nesting are refused here, so nothing above needs to fear a small file that becomes
 * a large tree.
 */
#ifndef PD_POLICY_PARSE_YAML_H
#define PD_POLICY_PARSE_YAML_H

#include "policyd/policy/policy.h"

#define YAML_DEPTH_MAX 12u

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
};

struct node {
	enum node_kind kind;
	bool quoted;		   /* scalar: in quotes or a block */
	struct policy_place place; /* .file is left to the caller of yaml_next() */
	char *text;		   /* scalar: no NUL in it */
	struct node *items;	   /* map: key, value, key, value ... */
	size_t count;		   /* map: keys and values */
};

struct yaml_reader;

/**
 * yaml_open() - start reading a stream of documents
 * @file:  for messages; @file and @text must outlive the reader
 * @index: for the places' .file
 *
 * The whole text is checked for NUL bytes and invalid UTF-8 first. Returns 0, -EINVAL with @error
 * filled, or -ENOMEM.
 */
int yaml_open(const char *file, uint16_t index, const char *text, size_t size,
	      struct yaml_reader **ret_reader, struct pd_error *error);

/** yaml_next() - the next document, or NULL in *ret_node after the last; errors as yaml_open() */
int yaml_next(struct yaml_reader *reader, struct node **ret_node, struct pd_error *error);

void yaml_close(struct yaml_reader *reader);

void node_free(struct node *node);

#endif
