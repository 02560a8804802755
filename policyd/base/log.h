/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the daemon to whoever runs it. Only mains and control log above debug; everything
 * else returns errors. Events are not messages: they go to sinks (audit/sink.h).
 */
#ifndef PD_BASE_LOG_H
#define PD_BASE_LOG_H

#include <stdbool.h>

/* The numbers are syslog's, which journald reads from "<N>" in front of a line. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/** log_open() - once, first thing in main; @program is kept, not copied */
void log_open(const char *program, bool debug);

/**
 * log_write() - one line to stderr, whatever the text holds: control bytes are replaced
 *
 * Never fails: a message that cannot be written is gone. Texts above 2000 bytes are cut.
 */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
