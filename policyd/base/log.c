/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/error.h"

/* The one piece of process state outside main: where its messages go. */
static struct {
	const char *program;
	bool debug, journal;
} log_state = { .program = "policyd" };

/* systemd tells which socket is the journal's (systemd.exec(5)); the variable outlives redirections. */
static bool is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
	       st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *program, bool debug)
{
	log_state.program = program;
	log_state.debug = debug;
	log_state.journal = is_journal(STDERR_FILENO);
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[ERROR_LINE_MAX + 200];
	size_t used;
	va_list args;
	int n;

	if (level == LOG_LEVEL_DEBUG && !log_state.debug)
		return;
	n = log_state.journal ? snprintf(line, sizeof(line), "<%d>", (int)level) :
				snprintf(line, sizeof(line), "%s: ", log_state.program);
	used = n > 0 ? (size_t)n : 0;
	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	for (size_t i = used; line[i]; i++, used++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return; /* nobody to tell */
}
