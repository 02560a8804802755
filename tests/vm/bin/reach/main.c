// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reach NAME: attempts at what the guard and capabilities keep; see steps.h.
 *
 * Where a PID is wanted: a number, "self", "parent", "child" (made for the step, in the caller's label),
 * or "@FILE" that holds a number.
 */
#include "tests/vm/bin/reach/reach.h"

#include <signal.h>
#include <unistd.h>

int close_result(long fd)
{
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

static const struct step_command *const tables[] = {
	kernel_commands,     mount_commands,  namespace_commands,
	process_commands,    signal_commands, file_commands,
	capability_commands, memory_commands, NULL,
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return steps(argc > 1 ? argv[1] : "reach", tables);
}
