/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event as user space sees it: the kernel's record plus what the record's numbers mean. Made from a
 * record (event_view()) or from the JSON of another process (event_parse_json()); rendered as JSON
 * or as a line for people. policyd-events(5) documents the schema.
 */
#ifndef PD_AUDIT_EVENT_H
#define PD_AUDIT_EVENT_H

#include "lsm/abi.h"
#include "policyd/base/buffer.h"
#include "policyd/policy/decide.h"

#define EVENT_VERSION 1 /* of the JSON schema */

/* Upper bounds of a rendered line, newline included. */
#define EVENT_JSON_MAX (128u << 10)
#define EVENT_HUMAN_MAX (64u << 10)

/* Whose container; what is not known is NULL. */
struct event_container {
	const char *id, *name, *image, *pod, *namespace, *runtime;
};

struct event {
	const struct pd_event *record; /* fixed part; lengths checked */
	enum pd_ring ring;
	int64_t time_us;  /* since 1970 UTC */
	const char *host; /* may be NULL */
	/* Slices of the record's tail, not terminated, any bytes. */
	struct slice object, object2, exe, cgroup;
	/* Who decided. symbol.policy is NULL when record->rule is 0 or its image is not known. */
	struct symbol symbol;
	/* Names of the policies the subject is under, "a, b"; may be NULL. */
	const char *policies;
	const struct event_container *container; /* NULL: none, or none that is known */
};

/**
 * event_view() - check a record and point into it
 * @data: 8-aligned; must stay while the view is used
 *
 * Fills everything but time_us, host, symbol, policies and container, which are zeroed. Returns 0, or -EPROTO for a record
 * that is too short, whose lengths do not add up, or whose numbers are outside abi.h's.
 */
int event_view(const void *data, size_t length, enum pd_ring ring, struct event *ret_event);

/** event_json() - append one line of JSON, newline included, valid whatever the names hold */
void event_json(struct buffer *b, const struct event *event);

#define EVENT_COLOUR 0x1u  /* ANSI colours on the verdict */
#define EVENT_DATE 0x2u	   /* the day in front of the time */
#define EVENT_NO_TIME 0x4u /* the log has its own */

/**
 * event_human() - append one readable line, newline included
 * @flags: EVENT_*
 *
 * No control byte of a name gets through (text_escape()); without EVENT_COLOUR there is no ESC at all.
 *
 *   10:32:05 denied nginx[812] open(write) /etc/passwd — policy web, rule web.yaml:14: deny write /etc/passwd
 */
void event_human(struct buffer *b, const struct event *event, unsigned int flags);

/** event_object_text() - append only the object, as in event_human(): a path, tcp 10.0.0.1:443 ... */
void event_object_text(struct buffer *b, const struct event *event);

/** event_explanation() - a sentence for a reason; NULL for PD_REASON_RULE and unknown ones */
const char *event_explanation(unsigned int reason);

/**
 * event_parse_json() - read a line event_json() wrote, here or on another machine
 *
 * The result owns what it points to; free it with event_free(). Unknown members are ignored;
 * unknown words (of a newer daemon) become 0. Rendering it again gives the same line but for what
 * JSON does not carry. Returns 0, -EINVAL, -EPROTO (another version), -ENOMEM, with @error filled.
 */
int event_parse_json(const char *text, size_t length, struct event **ret_event,
		     struct pd_error *error);
void event_free(struct event *event);

#endif
