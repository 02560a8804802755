// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/vm/bin/oracle/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_tree(void)
{
	char name[NAME_ROOM];

	for (int i = 0; i < 60; i++) {
		int fd;

		chance_name(name);
		for (char *at = name + sizeof(TOP); (at = strchr(at, '/')); *at++ = '/') {
			*at = '\0';
			mkdir(name, 0755);
		}
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			continue;
		if (write(fd, "content", 7) != 7)
			perror(name);
		close(fd);
	}
}

static int is_wrong(const struct operation *o)
{
	if (!o->error)
		return o->expected == REFUSED;
	return (o->error == EACCES || o->error == EPERM) && o->expected == ALLOWED;
}

static int run(unsigned long seed, long count)
{
	unsigned long allowed = 0, refused = 0, unclear = 0, wrong = 0;
	struct operation o;

	model_begin(seed);
	chance_begin(seed, 3);
	for (long i = 0; i < count; i++) {
		if (!operation_try(&o))
			continue;
		if (is_wrong(&o)) {
			wrong++;
			printf("seed %lu, operation %ld: %s: %s, but the rules %s it\n", seed, i,
			       o.text, o.error ? "refused" : "allowed",
			       o.error ? "allow" : "refuse");
		} else if (o.error && o.error != EACCES) {
			unclear++;
		} else if (o.error) {
			refused++;
		} else {
			allowed++;
		}
	}
	printf("allowed %lu refused %lu unclear %lu wrong %lu\n", allowed, refused, unclear, wrong);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (argc == 3 && !strcmp(argv[1], "policy")) {
		model_begin(seed);
		model_print(stdout);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "tree")) {
		chance_begin(seed, 2);
		make_tree();
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "run"))
		return run(seed, strtol(argv[3], NULL, 10));
	fprintf(stderr, "usage: oracle policy SEED, oracle tree SEED, oracle run SEED COUNT\n");
	return 2;
}
