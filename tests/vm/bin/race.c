// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race move folder|mount|mounts|detach DIR - for ever, or until SIGTERM: "rounds N". What is in DIR/p, and so is denied,
 *     never is in DIR/q, and what is in DIR/q, which is allowed, never leaves it. But who reads a name from its end
 *     and is interrupted half way finds folders that have become another's meanwhile:
 *         folder  p/x/d goes to p/y/d, then p/x to q/x; and back: at no time there is a q/x/d
 *         mount   the same with a file system mounted on p/x/d
 *         mounts  two of them, far apart in long names: one is on the other, which is somewhere in p. The one
 *                 goes to p/z, then the other to q; back comes the other, then the one
 *         detach  p/d is a file system that is mounted, taken off (MNT_DETACH), mounted again ...; where it is no
 *                 more, its files have names from its own root on
 * race open folder|mount|mounts|detach DIR SECONDS - open "f" in d, and "f" in its twin e, which is moved in the same way
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
#include <sys/syscall.h>
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

/* Long enough for moves while a name is read. All together less than policyd's depth of 256. */
#define DEPTH_OF_OTHER 110
#define DEPTH_OF_ONE 120
#define ROOM 1024

struct pair { /* of mounts, each with the two places it has in turns */
	char other[2][ROOM], one[2][ROOM];
};

static char *deep(char *end, const char *folder, int depth)
{
	for (; depth; depth--)
		end = stpcpy(stpcpy(end, "/"), folder);
	return end;
}

/* The other one is deep in HERE, and in THERE for a while; the one is deep in it, and in BESIDE meanwhile. */
static void name_pair(struct pair *p, const char *here, const char *there, const char *beside)
{
	deep(stpcpy(p->other[0], here), "a", DEPTH_OF_OTHER);
	deep(stpcpy(p->other[1], there), "a", DEPTH_OF_OTHER);
	deep(stpcpy(p->one[0], p->other[0]), "b", DEPTH_OF_ONE);
	strcpy(p->one[1], beside);
}

static void name_pairs(struct pair *denied, struct pair *allowed)
{
	name_pair(denied, "p/m", "q/m", "p/z");
	name_pair(allowed, "q/n", "q/o", "q/z");
}

static void make_folders(const char *path)
{
	char name[ROOM];

	for (size_t i = 1; path[i - 1]; i++) {
		if (path[i] && path[i] != '/')
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)i, path);
		if (mkdir(name, 0755) && errno != EEXIST)
			must(-1, "make", name);
	}
}

static int open_folder(const char *name)
{
	int fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	must(fd, "open", name);
	return fd;
}

struct pair_fds { /* what is moved, and where to: no name is looked up meanwhile */
	int other, one;
	int to_other[2], to_one[2];
};

static int mount_at(const char *name)
{
	must(mount("race", name, "tmpfs", 0, NULL), "mount", name);
	return open_folder(name);
}

static struct pair_fds mount_pair(const struct pair *p)
{
	struct pair_fds fds;
	int fd;

	make_folders(p->other[0]);
	make_folders(p->other[1]);
	make_folders(p->one[1]);
	for (int i = 0; i < 2; i++)
		fds.to_other[i] = open_folder(p->other[i]);
	fds.other = mount_at(p->other[0]);
	make_folders(p->one[0]);
	for (int i = 0; i < 2; i++)
		fds.to_one[i] = open_folder(p->one[i]);
	fds.one = mount_at(p->one[0]);
	fd = openat(fds.one, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	must(fd, "create f in", p->one[0]);
	close(fd);
	return fds;
}

static void move_by_fd(int from, int to)
{
	must((int)syscall(SYS_move_mount, from, "", to, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
	     "move", "a mount");
}

/* Each pair often enough for an opener to get into step with it. */
static void mounts_round(const struct pair_fds *p)
{
	for (int i = 0; i < 256; i++) {
		move_by_fd(p->one, p->to_one[1]);
		move_by_fd(p->other, p->to_other[1]);
		move_by_fd(p->other, p->to_other[0]);
		move_by_fd(p->one, p->to_one[0]);
	}
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
	int mounts = !strcmp(how, "mounts");
	struct pair_fds denied, allowed;
	unsigned long rounds = 0;
	struct pair p, q;

	signal(SIGTERM, end);
	name_pairs(&p, &q);
	if (mounts) {
		denied = mount_pair(&p);
		allowed = mount_pair(&q);
	}
	for (; !ended; rounds++)
		if (mounts) {
			mounts_round(&denied);
			mounts_round(&allowed);
		} else if (!strcmp(how, "detach"))
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

static int find_denied(const char *how, const struct pair *p)
{
	if (!strcmp(how, "mounts"))
		return find(p->one[0], p->one[1]);
	return !strcmp(how, "detach") ? find("p/d", "p/d") : find("p/x/d", "p/y/d");
}

static int open_all(const char *how, time_t seconds)
{
	int detach = !strcmp(how, "detach"), mounts = !strcmp(how, "mounts"), d = -1, e = -1;
	struct counts denied = { 0 }, allowed = { 0 };
	time_t until = time(NULL) + seconds;
	struct pair p, q;

	name_pairs(&p, &q);

	for (unsigned int i = 0; i % 64 || time(NULL) < until; i++) {
		if (d < 0 || (detach && i % 64 == 0)) {
			if (d >= 0)
				close(d);
			d = find_denied(how, &p);
		}
		if (e < 0)
			e = mounts ? find(q.one[0], q.one[1]) : find("q/u/e", "q/v/e");
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
	fprintf(stderr, "usage: race move folder|mount|mounts|detach DIR, "
			"race open folder|mount|mounts|detach DIR SECONDS\n");
	return 2;
}
