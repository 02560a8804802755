/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and tables on a terminal. */
#ifndef PD_CTL_PRINT_H
#define PD_CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policyd/audit/event.h"

/** print_event() - one line, for people or as JSON. @flags: EVENT_* */
void print_event(FILE *to, const struct event *event, bool json, unsigned int flags);

/** event_from_json() - an object the daemon sent, as an event to be freed; -errno */
int event_from_json(const json_t *object, struct event **ret_event, struct pd_error *error);

/** print_table() - columns as wide as needed; the last one is not padded. @cells: rows * columns, shown as by print_text() */
void print_table(const char *const *cells, size_t rows, size_t columns);

/** print_text() - of somebody else, with what acts on a terminal escaped */
void print_text(const char *text);

/** string_of() - a string member, "" when there is none */
const char *string_of(const json_t *object, const char *key);

/** number_of() - an integer member, 0 when there is none */
long long number_of(const json_t *object, const char *key);

#endif
