// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race move folder|mount|detach DIR - for ever, or until SIGTERM: "rounds N". What is in DIR/p, and so is denied,
 *     never is in DIR/q, and what is in DIR/q, which is allowed, never leaves it. But who reads a name from its end
 *     and is interrupted half way finds folders that have become another's meanwhile:
 *         folder  p/x/d goes to p/y/d, then p/x to q/x; and back: at no time there is a q/x/d
 *         mount   the same with a file system mounted on p/x/d
 *         detach  p/d is a file system that is mounted, taken off (MNT_DETACH), mounted again ...; where it is no
 *                 more, its files have names from its own root on
 * race open folder|mount|detach DIR SECONDS - open "f" in d, and "f" in its twin e, which is moved in the same way
 *     within q, by descriptors of d and e: "denied: opened N refused N other N, allowed: opened N refused N other N"
 *
 * Denied ones that are opened are escapes; so is a refusal of allowed ones a fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static void must(int r, const char *what, const char *name)
{
	if (r >= 0)
		return;
	fprintf(stderr, "race: %s %s: %s\n", what, name, strerror(errno));
	exit(2);
}

static void move_folder(const char *from, const char *to)
{
	must(rename(from, to), "rename", from);
}

static void move_mount_of(const char *from, const char *to)
{
	must(mount(from, to, NULL, MS_MOVE, NULL), "move", from);
}

static void move_round(void (*move)(const char *, const char *))
{
	move("p/x/d", "p/y/d");
	move_folder("p/x", "q/x");
	move_folder("q/x", "p/x");
	move("p/y/d", "p/x/d");
	move("q/u/e", "q/v/e");
	move_folder("q/u", "q/w");
	move_folder("q/w", "q/u");
	move("q/v/e", "q/u/e");
}

static void detach_round(void)
{
	const struct timespec some = { .tv_nsec = 2000000 };
	int fd;

	must(mount("race", "p/d", "tmpfs", 0, NULL), "mount", "p/d");
	fd = open("p/d/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	must(fd, "create", "p/d/f");
	close(fd);
	nanosleep(&some, NULL); /* to be found there */
	must(umount2("p/d", MNT_DETACH), "take off", "p/d");
}

static int move_all(const char *how)
{
	unsigned long rounds = 0;

	signal(SIGTERM, end);
	for (; !ended; rounds++)
		if (!strcmp(how, "detach"))
			detach_round();
		else
			move_round(strcmp(how, "mount") ? move_folder : move_mount_of);
	printf("rounds %lu\n", rounds);
	return 0;
}

struct counts {
	unsigned long opened, refused, other;
};

static void try(int dir, struct counts *counts)
{
	int fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		counts->opened++;
		close(fd);
	} else if (errno == EACCES) {
		counts->refused++;
	} else {
		counts->other++;
	}
}

static int open_with_file(const char *folder)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstatat(fd, "f", &st, 0) < 0) { /* what it was mounted on */
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Wherever it is at the moment */
static int find(const char *here, const char *there)
{
	int fd;

	do {
		fd = open_with_file(here);
		if (fd < 0)
			fd = open_with_file(there);
	} while (fd < 0);
	return fd;
}

static void print(const char *what, const struct counts *counts)
{
	printf("%s: opened %lu refused %lu other %lu", what, counts->opened, counts->refused,
	       counts->other);
}

static int open_all(const char *how, time_t seconds)
{
	struct counts denied = { 0 }, allowed = { 0 };
	int detach = !strcmp(how, "detach"), d = -1, e = -1;
	time_t until = time(NULL) + seconds;

	for (unsigned int i = 0; i % 64 || time(NULL) < until; i++) {
		if (d < 0 || (detach && i % 64 == 0)) {
			if (d >= 0)
				close(d);
			d = detach ? find("p/d", "p/d") : find("p/x/d", "p/y/d");
		}
		if (e < 0)
			e = find("q/u/e", "q/v/e");
		try(d, &denied);
		try(e, &allowed);
	}
	print("denied", &denied);
	print(", allowed", &allowed);
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && !chdir(argv[3])) {
		if (!strcmp(argv[1], "move") && argc == 4)
			return move_all(argv[2]);
		if (!strcmp(argv[1], "open") && argc == 5)
			return open_all(argv[2], atoi(argv[4]));
	}
	fprintf(stderr, "usage: race move folder|mount|detach DIR, race open folder|mount|detach "
			"DIR SECONDS\n");
	return 2;
}
