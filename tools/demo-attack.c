/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What someone would try who has taken over nginx: preloaded into it by tools/demo-guest.sh, this runs
 * inside the real, confined process, as root, once a line arrives on standard input. Each attempt is
 * reported on the standard output nginx was started with.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int report_fd = -1, order_fd = -1;

/* 0: it worked; otherwise the errno */
struct attack {
	const char *name;
	int (*attempt)(void);
};

static int read_shadow(void)
{
	char byte;
	int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC), saved = 0;

	if (fd < 0)
		return errno;
	if (read(fd, &byte, 1) < 0)
		saved = errno;
	close(fd);
	return saved;
}

static int run(const char *path, char *const argv[])
{
	char *no_preload[] = { NULL };
	pid_t pid;
	int r = posix_spawn(&pid, path, NULL, NULL, argv, no_preload);

	if (r == 0)
		waitpid(pid, NULL, 0);
	return r;
}

static int start_shell(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)":", NULL };

	return run("/bin/sh", argv);
}

static int write_etc(void)
{
	int fd = open("/etc/policyd-demo", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;
	close(fd);
	unlink("/etc/policyd-demo");
	return 0;
}

static int deface(void)
{
	int fd = open("/var/www/html/policyd-demo", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;
	close(fd);
	unlink("/var/www/html/policyd-demo");
	return 0;
}

static int connect_out(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(443),
				  .sin_addr.s_addr = htonl(0xc0000201) }; /* 192.0.2.1 */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), saved = 0;

	if (fd < 0)
		return errno;
	/* No route, no answer: still, it got out of here. */
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    (errno == EACCES || errno == EPERM))
		saved = errno;
	close(fd);
	return saved;
}

static int open_back_door(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(4444) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), saved = 0;

	if (fd < 0)
		return errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0)
		saved = errno;
	close(fd);
	return saved;
}

/* nginx's own program, which it may read, to where it may write */
static int copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), saved = 0;
	struct stat st;

	if (from < 0)
		return errno;
	if (fstat(from, &st) < 0)
		saved = errno;
	while (!saved && st.st_size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);

		if (n <= 0)
			saved = n < 0 ? errno : EIO;
		else
			st.st_size -= n;
	}
	close(from);
	return saved;
}

static int run_copy(void)
{
	static const char path[] = "/var/lib/nginx/policyd-demo";
	char *argv[] = { (char *)path, (char *)"-v", NULL };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), r;

	if (fd < 0)
		return errno;
	r = copy_self(fd);
	close(fd);
	if (!r)
		r = run(path, argv);
	unlink(path);
	return r;
}

static int run_from_memory(void)
{
	char path[32], *argv[] = { (char *)"memory", (char *)"-v", NULL };
	int fd = memfd_create("demo", 0), r;

	if (fd < 0)
		return errno;
	r = copy_self(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!r)
		r = run(path, argv);
	close(fd);
	return r;
}

static int mount_something(void)
{
	if (mount("none", "/mnt", "tmpfs", 0, NULL) < 0)
		return errno;
	umount("/mnt");
	return 0;
}

static int sniff(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int signal_policyd(void)
{
	const char *pid = getenv("DEMO_POLICYD");

	/* Harmless where it works */
	return !pid || kill(atoi(pid), SIGCONT) == 0 ? 0 : errno;
}

static const struct attack attacks[] = {
	{ "read /etc/shadow", read_shadow },
	{ "start a shell", start_shell },
	{ "write to /etc", write_etc },
	{ "deface the web site", deface },
	{ "connect out", connect_out },
	{ "listen on another port", open_back_door },
	{ "run a copied binary", run_copy },
	{ "run a binary from memory", run_from_memory },
	{ "mount a file system", mount_something },
	{ "listen to the network's packets", sniff },
	{ "send policyd a signal", signal_policyd },
};

static void *attack(void *unused)
{
	char byte;

	(void)unused;
	while (read(order_fd, &byte, 1) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int r = attacks[i].attempt();

		if (r == EACCES || r == EPERM)
			dprintf(report_fd, "refused %s\n", attacks[i].name);
		else
			dprintf(report_fd, "worked %s%s%s\n", attacks[i].name, r ? ": " : "",
				r ? strerror(r) : "");
	}
	dprintf(report_fd, "end\n");
	return NULL;
}

__attribute__((constructor)) static void begin(void)
{
	sigset_t all, old;
	pthread_t thread;

	order_fd = dup(STDIN_FILENO);
	report_fd = dup(STDOUT_FILENO);
	unsetenv("LD_PRELOAD");
	/* nginx's signals are for its main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_create(&thread, NULL, attack, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}
