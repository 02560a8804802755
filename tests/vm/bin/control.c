// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients of policyd's control socket that policyctl would never be.
 *
 * control reload COUNT FILE A B  put A, then B, in FILE's place by turns, and have policyd reload each time
 * control ask JSON               send one request as it is, print the first answer
 * control raw HEX...             send these bytes, print how the peer ends it: "reply ...", "closed", "silent"
 * control random COUNT           so many connections of random bytes
 * control flood COUNT            connect so many times and keep all of them open, until killed
 * control half COUNT             so many with half a request each, kept open until killed
 * control deaf COUNT             follow events so many times and never read, until killed
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const path = "/run/policyd/policyd.sock";

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror(path);
		exit(3);
	}
	return fd;
}

static int put(int fd, const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int put_request(int fd, const char *json)
{
	uint32_t size = (uint32_t)strlen(json);

	return put(fd, &size, sizeof(size)) || put(fd, json, size) ? -1 : 0;
}

/* 1: an answer; 0: the peer closed; -1: nothing within so many milliseconds */
static int get(int fd, char *text, size_t room, int patience)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint32_t size, have = 0;

	if (poll(&ready, 1, patience) <= 0)
		return -1;
	if (recv(fd, &size, sizeof(size), MSG_WAITALL) != sizeof(size) || size >= room)
		return 0;
	while (have < size) {
		ssize_t n = recv(fd, text + have, size - have, 0);

		if (n <= 0)
			return 0;
		have += (uint32_t)n;
	}
	text[size] = '\0';
	return 1;
}

static char answer[4 << 20];

static int ask(const char *json)
{
	int fd = dial(), r = put_request(fd, json);

	if (!r)
		r = get(fd, answer, sizeof(answer), 60000) == 1 ? 0 : -1;
	close(fd);
	return r;
}

/* A link to the file, renamed over the old one: never half written */
static int replace(const char *file, const char *with)
{
	char fresh[4096];

	snprintf(fresh, sizeof(fresh), "%s.new", file);
	unlink(fresh);
	return link(with, fresh) || rename(fresh, file) ? -1 : 0;
}

static int reload(long count, const char *file, char **with)
{
	int fd = dial();

	for (long i = 0; i < count; i++) {
		if (replace(file, with[i & 1])) {
			perror(file);
			return 1;
		}
		if (put_request(fd, "{\"v\":1,\"command\":\"reload\"}") ||
		    get(fd, answer, sizeof(answer), 60000) != 1) {
			fprintf(stderr, "reload %ld: no answer\n", i);
			return 1;
		}
		if (!strstr(answer, "\"ok\":true")) {
			fprintf(stderr, "reload %ld: %s\n", i, answer);
			return 1;
		}
	}
	close(fd);
	return 0;
}

static int raw(char **hex, int count)
{
	int fd = dial();

	for (int i = 0; i < count; i++)
		for (const char *at = hex[i]; at[0] && at[1]; at += 2) {
			char pair[3] = { at[0], at[1], '\0' };
			unsigned char byte = (unsigned char)strtoul(pair, NULL, 16);

			if (put(fd, &byte, 1))
				break;
		}
	switch (get(fd, answer, sizeof(answer), 3000)) {
	case 1:
		printf("reply %s\n", answer);
		break;
	case 0:
		puts("closed");
		break;
	default:
		puts("silent");
	}
	return 0;
}

static int noise(long count)
{
	static const uint32_t plausible = 16;
	unsigned char bytes[8192];

	for (long i = 0; i < count; i++) {
		int fd = dial();
		size_t size = 1 + (size_t)rand() % (sizeof(bytes) - 1);

		if (getrandom(bytes, size, 0) < 0)
			return 1;
		if (i & 1) /* a length that may be; of what follows, at times, less is sent */
			memcpy(bytes, &plausible, sizeof(plausible));
		put(fd, bytes, size);
		close(fd);
	}
	return 0;
}

static int keep(long count, const char *what)
{
	static const char follow[] =
		"{\"v\":1,\"command\":\"events\",\"history\":0,\"follow\":true}";

	for (long i = 0; i < count; i++) {
		int fd = dial();

		if (!strcmp(what, "deaf"))
			put_request(fd, follow);
		else if (!strcmp(what, "half"))
			put(fd, "\x40\x00\x00\x00{\"v\":1,", 11);
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(what, "reload") && argc == 6)
		return reload(strtol(argv[2], NULL, 10), argv[3], argv + 4);
	if (!strcmp(what, "ask")) {
		if (ask(argv[2]))
			return 1;
		puts(answer);
		return 0;
	}
	if (!strcmp(what, "raw"))
		return raw(argv + 2, argc - 2);
	if (!strcmp(what, "random"))
		return noise(strtol(argv[2], NULL, 10));
	if (!strcmp(what, "flood") || !strcmp(what, "half") || !strcmp(what, "deaf"))
		return keep(strtol(argv[2], NULL, 10), what);
	return 2;
}
