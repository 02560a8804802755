// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks that already run: they open a file for ever, and are counted. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct tally { /* of all tasks that share the file */
	unsigned long opened, refused, tasks;
};

static struct tally *share_tally(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof(struct tally)) < 0)
		return NULL;
	at = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

static void tally_open(struct tally *tally, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	__atomic_add_fetch(fd < 0 ? &tally->refused : &tally->opened, 1, __ATOMIC_RELAXED);
	close(fd);
}

static int
do_relay(char **a) /* PATH TALLY MB: each task opens PATH, forks with that much memory, ends */
{
	struct tally *tally = share_tally(a[2]);
	size_t size = (size_t)atoi(a[3]) << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!tally || memory == MAP_FAILED)
		return -errno;
	madvise(memory, size, MADV_NOHUGEPAGE); /* page by page takes fork() longer */
	memset(memory, 1, size);
	for (;;) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (pid == 0)
			__atomic_add_fetch(&tally->tasks, 1, __ATOMIC_RELAXED);
		else
			usleep(1000);
		tally_open(tally, a[1]);
	}
}

struct opener {
	struct tally *tally;
	const char *path;
};

static void *open_for_ever(void *context)
{
	struct opener *o = context;

	__atomic_add_fetch(&o->tally->tasks, 1, __ATOMIC_RELAXED);
	for (;;) {
		tally_open(o->tally, o->path);
		usleep(5000);
	}
	return NULL;
}

static int do_threads(char **a) /* PATH TALLY COUNT: all of them open PATH, for ever */
{
	struct opener o = { share_tally(a[2]), a[1] };
	pthread_t thread;

	if (!o.tally)
		return -errno;
	for (int i = 1; i < atoi(a[3]); i++)
		if (pthread_create(&thread, NULL, open_for_ever, &o))
			return -EAGAIN;
	open_for_ever(&o);
	return 0;
}

static int do_tally(char **a) /* TALLY opened|refused|tasks */
{
	const struct tally *tally = share_tally(a[1]);

	if (!tally)
		return -errno;
	printf("%lu\n", !strcmp(a[2], "opened")	 ? tally->opened :
			!strcmp(a[2], "refused") ? tally->refused :
						   tally->tasks);
	exit(0);
}

const struct command running_commands[] = {
	{ "relay", 3, do_relay },
	{ "threads", 3, do_threads },
	{ "tally", 2, do_tally },
	{ NULL, 0, NULL },
};
