/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What policyctl and the daemon say to each other: JSON objects on a stream socket, each behind its
 * length (4 bytes, little endian). Pure: no descriptors.
 *
 *   request  {"v":1,"command":"show","name":"web"}
 *   reply    {"ok":true,...}         with "warning":"..." where something is to be known all the same
 *            {"ok":false,"error":{"code":22,"text":"...","file":"web.yaml","line":3,"column":7}}
 *   event    {"event":{...}}             policyd-events(5); between replies, to those who asked
 *   note     {"dropped":12}              events this client was too slow for
 *            {"ended":"..."}             a run is over; the connection closes
 *
 * Descriptors that come along (SCM_RIGHTS) are only to be kept open: see "run".
 */
#ifndef PD_CONTROL_PROTOCOL_H
#define PD_CONTROL_PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policyd/base/error.h"
#include "policyd/policy/policy.h"

#define CONTROL_VERSION 1
#define CONTROL_FRAME_MAX (2u << 20) /* bytes of one object; a policy file has at most 1 MiB */
#define CONTROL_HEADER_SIZE 4u

/* ---- frames ---------------------------------------------------------------------------------- */

/* Bytes on their way to being frames. Zero it to begin. */
struct frame_reader {
	unsigned char *data;
	size_t used, room;
	size_t limit; /* bytes of one frame; 0: CONTROL_FRAME_MAX */
};

/** frame_reader_done() - frees what it holds */
void frame_reader_done(struct frame_reader *reader);

/**
 * frame_feed() - add bytes as they were received
 *
 * Returns 0; -EMSGSIZE when the first frame says it is larger than the limit: the stream is
 * lost then, and frame_next() has the words for it; -ENOMEM. Memory grows with what was received, not with what was
 * announced.
 */
int frame_feed(struct frame_reader *reader, const void *data, size_t size);

/**
 * frame_next() - take the next whole frame
 *
 * Returns 1 with an object for the caller to decref; 0 when more bytes are needed; -EMSGSIZE for one beyond the
 * limit; -EPROTO for what is not a JSON object (@error says why; the frame is taken, but the peer is not to be
 * trusted).
 */
int frame_next(struct frame_reader *reader, json_t **ret_object, struct pd_error *error);

/** frame_pending() - is there the beginning of a frame? */
bool frame_pending(const struct frame_reader *reader);

/** frame_encode() - header and text, to be freed. -ENOMEM, -EMSGSIZE */
int frame_encode(const json_t *object, unsigned char **ret_data, size_t *ret_size);

/** frame_encode_event() - the same for a line of JSON that is an event */
int frame_encode_event(const char *line, size_t length, unsigned char **ret_data, size_t *ret_size);

/* ---- requests -------------------------------------------------------------------------------- */

enum control_command {
	CONTROL_STATUS,
	CONTROL_LIST,
	CONTROL_PS,
	CONTROL_SHOW,
	CONTROL_EVENTS,
	CONTROL_LOAD,
	CONTROL_RELOAD,
	CONTROL_UNLOAD,
	CONTROL_MODE,
	CONTROL_PROVE,
	CONTROL_DETACH,
	CONTROL_RUN,
	CONTROL_RUN_END,
	CONTROL_BIND,
};

/* A policy file sent along. */
struct control_file {
	const char *name; /* as shown in messages and events: an absolute path */
	const char *text;
	size_t size;
	const char *include_dir; /* searched first; NULL: none */
};

/* Strings belong to the JSON object the request was decoded from. */
struct control_request {
	enum control_command command;
	bool changes;		    /* only root may */
	const char *name;	    /* show, unload, mode, run: a policy; may be NULL for run */
	enum policy_mode mode;	    /* mode */
	bool mode_reset;	    /* mode: back to what the file says */
	bool follow;		    /* events */
	uint64_t history;	    /* events: so many of the past */
	struct control_file *files; /* load; run: at most one */
	size_t file_count;
	const char **force; /* load: names that may be dangerous; NULL-terminated */
	const char *cgroup; /* run: absolute path of its cgroup directory */
	bool audit;	    /* run */
	uint64_t pid;	    /* bind: the container's first process */
	const char *id;	    /* bind: as its runtime calls it */
	const char *bundle; /* bind: absolute path of the folder with its config.json */
};

/**
 * request_decode() - an object as a request
 *
 * Returns 0; -EPROTO for another protocol version, an unknown command, an unknown, missing or wrong
 * member, with @error. The caller frees the insides with request_done().
 */
int request_decode(const json_t *object, struct control_request *ret_request,
		   struct pd_error *error);
void request_done(struct control_request *request);

/** request_new() - {"v":1,"command":...}, to be completed by the caller; NULL: no memory */
json_t *request_new(enum control_command command);

/* ---- replies --------------------------------------------------------------------------------- */

/** reply_error() - {"ok":false,"error":...}; NULL: no memory */
json_t *reply_error(const struct pd_error *error);

/** reply_check() - 0 for {"ok":true}; else the peer's code with @error; -EPROTO for what is no reply */
int reply_check(const json_t *reply, struct pd_error *error);

/** json_text() - a JSON string also for bytes that are no UTF-8: these are replaced by '?' */
json_t *json_text(const char *text);

#endif
