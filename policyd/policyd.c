/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyd: keeps the policies in force, and tells what they decided. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/json.h"
#include "policyd/base/log.h"
#include "policyd/daemon/start.h"

static int usage(FILE *to)
{
	fputs("usage: policyd [-c CONFIG] [-n] [-d] [--probe | --detach]\n\n"
	      "  -c, --config FILE  " CONFIG_PATH "\n"
	      "  -n, --check        check configuration and policies, and exit\n"
	      "  -d, --debug        say more\n"
	      "      --probe        tell as JSON what this machine can enforce, and exit\n"
	      "      --detach       end enforcement that a policyd left behind, and exit\n",
	      to);
	return to == stdout ? 0 : 2;
}

/* 0, 1 and 2 are for what the caller gave us, whatever we open. */
static void open_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * Compiling takes megabytes for a moment; these settings have the kernel get them back. Huge pages would
 * round what stays up to 2 MB.
 */
static void stay_small(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

static int parse_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return *end || end == text || fd < 3 || fd > 1 << 20 ? -1 : (int)fd;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },  { "check", no_argument, NULL, 'n' },
		{ "debug", no_argument, NULL, 'd' },	     { "probe", no_argument, NULL, 'P' },
		{ "private", required_argument, NULL, 'p' }, { "detach", no_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },	     { 0 },
	};
	struct start start = { .config_path = CONFIG_PATH, .private_fd = -1 };
	int option;

	open_standard_fds();
	stay_small();
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "c:ndh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			start.config_path = optarg;
			break;
		case 'n':
			start.action = START_CHECK;
			break;
		case 'd':
			start.debug = true;
			break;
		case 'P':
			start.action = START_PROBE;
			break;
		case 'D':
			start.action = START_DETACH;
			break;
		case 'p':
			start.private_fd = parse_fd(optarg);
			if (start.private_fd < 0)
				return usage(stderr);
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	if (optind != argc)
		return usage(stderr);
	log_open("policyd", start.debug);
	return start_run(&start);
}
