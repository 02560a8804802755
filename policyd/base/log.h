/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the daemon to whoever runs it. Only mains and control log above LOG_DEBUG; everything
 * else returns errors. Events are not messages: they go to sinks (audit/sink.h).
 */
#ifndef PD_BASE_LOG_H
#define PD_BASE_LOG_H

#include <stdbool.h>
#include <stdarg.h>
#include <syslog.h> /* LOG_ERR .. LOG_DEBUG */

#include "policyd/base/error.h"

struct log {
	int fd; /* usually 2 */
	int level; /* messages above it (LOG_INFO, LOG_DEBUG ...) are dropped */
	bool prefix; /* "<4>" in front of a line, for journald reading our stderr */
	char name[32]; /* "policyd" in front of the text when there is no prefix */
};

/** log_init() - to stderr; the prefix is chosen when $JOURNAL_STREAM names our stderr */
void log_init(struct log *log, const char *name, int level);

/**
 * log_write() - one line, whatever the text holds: control bytes are escaped
 * @log:   NULL: nothing happens
 * @level: LOG_*
 *
 * Never fails: a message that cannot be written is gone. Texts above 2000 bytes are cut.
 */
void log_write(const struct log *log, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** log_failure() - an error object as one line, with file:line:column */
void log_failure(const struct log *log, int level, const struct pd_error *error);

#define log_error(log, ...) log_write((log), LOG_ERR, __VA_ARGS__)
#define log_warning(log, ...) log_write((log), LOG_WARNING, __VA_ARGS__)
#define log_notice(log, ...) log_write((log), LOG_NOTICE, __VA_ARGS__)
#define log_info(log, ...) log_write((log), LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write((log), LOG_DEBUG, __VA_ARGS__)

#endif
