// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hammer COUNTERS SECRET TWIN [PROCESSES [ATTEMPTS]] - try to open SECRET, which has to fail with EACCES or
 * EPERM, and TWIN, which has to succeed, again and again; ATTEMPTS times each process, else for ever. The
 * environment's HAMMER_PAUSE is how many microseconds to sleep in between (0).
 * hammer each LIST - open every file of the list once: "opened N refused N other N"
 * hammer read COUNTERS - "attempts N escaped N refused N other N"
 *
 * escaped: SECRET could be opened. refused: TWIN could not. other: an unexpected errno, of either.
 * The file of counters is mapped before the first attempt, so the policy need only allow it at the start.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct counters {
	unsigned long attempts, escaped, refused, other;
};

static struct counters *map_counters(const char *path, int create)
{
	int fd = open(path, create ? O_RDWR | O_CREAT : O_RDWR, 0644);
	void *at;

	if (fd < 0 || (create && ftruncate(fd, 4096) < 0))
		return NULL;
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

static void add(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void strike(struct counters *c, const char *secret, const char *twin)
{
	int fd = open(secret, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		add(&c->escaped);
		close(fd);
	} else if (errno != EACCES && errno != EPERM) {
		add(&c->other);
	}
	fd = open(twin, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else if (errno == EACCES || errno == EPERM)
		add(&c->refused);
	else
		add(&c->other);
	add(&c->attempts);
}

static int each(const char *list)
{
	unsigned long opened = 0, refused = 0, other = 0;
	char name[4096];
	FILE *names = fopen(list, "re");

	if (!names)
		return 2;
	while (fgets(name, sizeof(name), names)) {
		int fd;

		name[strcspn(name, "\n")] = '\0';
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			opened++;
			close(fd);
		} else if (errno == EACCES || errno == EPERM) {
			refused++;
		} else {
			other++;
		}
	}
	fclose(names);
	printf("opened %lu refused %lu other %lu\n", opened, refused, other);
	return 0;
}

int main(int argc, char **argv)
{
	struct counters *c;
	long processes = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
	long attempts = argc > 5 ? strtol(argv[5], NULL, 10) : -1;
	const char *pause_text = getenv("HAMMER_PAUSE");
	useconds_t pause_us = pause_text ? (useconds_t)strtoul(pause_text, NULL, 10) : 0;

	if (argc == 3 && !strcmp(argv[1], "read")) {
		c = map_counters(argv[2], 0);
		if (!c)
			return 2;
		printf("attempts %lu escaped %lu refused %lu other %lu\n", c->attempts, c->escaped,
		       c->refused, c->other);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "each"))
		return each(argv[2]);
	if (argc < 4)
		return 2;
	c = map_counters(argv[1], 1);
	if (!c) {
		perror(argv[1]);
		return 2;
	}
	for (long i = 0; i < processes; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* Not in the way of what is hammered at: a guest has one thread for all of
			 * its processors. */
			if (attempts < 0)
				setpriority(PRIO_PROCESS, 0, 10);
			for (long n = attempts; n; n -= n > 0) {
				strike(c, argv[2], argv[3]);
				if (pause_us)
					usleep(pause_us);
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	return c->escaped || c->refused || c->other;
}
