/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How failures and messages are worded and addressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policyd/base/error.h"
#include "policyd/base/log.h"

/* A place in a file is of use only when it is whole. */
static void long_file_names_are_kept(void **state)
{
	char file[ERROR_FILE_MAX], line[ERROR_LINE_MAX], expected[ERROR_LINE_MAX];
	struct pd_error error;

	(void)state;
	memset(file, 'd', sizeof(file));
	for (size_t i = 0; i < sizeof(file); i += 200)
		file[i] = '/';
	file[sizeof(file) - 1] = '\0';
	error_at(&error, -1, file, 12, 3, "%s", "wrong");
	assert_string_equal(error.file, file);
	snprintf(expected, sizeof(expected), "%s:12:3: wrong", file);
	assert_string_equal(error_render(&error, line, sizeof(line)), expected);
	memset(error.text, 'x', sizeof(error.text) - 1);
	error.line = error.column = ~0u;
	error.text[sizeof(error.text) - 1] = '\0';
	assert_true(strlen(error_render(&error, line, sizeof(line))) < ERROR_LINE_MAX - 1);
}

/* What a message looks like on a standard error that is @fd, with JOURNAL_STREAM naming @stream */
static void log_to(int fd, int stream, char *text, size_t size)
{
	int saved = dup(STDERR_FILENO);
	char value[64];
	struct stat st;
	ssize_t n;

	assert_int_equal(fstat(stream, &st), 0);
	snprintf(value, sizeof(value), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", value, 1);
	dup2(fd, STDERR_FILENO);
	log_open("test", false);
	log_error("hello");
	dup2(saved, STDERR_FILENO);
	close(saved);
	unsetenv("JOURNAL_STREAM");
	n = pread(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
}

static void only_the_journal_gets_levels(void **state)
{
	int journal = memfd_create("journal", MFD_CLOEXEC);
	int file = memfd_create("file", MFD_CLOEXEC);
	char text[64];

	(void)state;
	log_to(journal, journal, text, sizeof(text));
	assert_string_equal(text, "<3>hello\n");
	log_to(file, journal, text, sizeof(text));
	assert_string_equal(text, "test: hello\n");
	close(journal);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_file_names_are_kept),
		cmocka_unit_test(only_the_journal_gets_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
