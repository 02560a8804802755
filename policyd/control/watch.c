/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/array.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"

#define QUIET_MS 100	 /* editors write a file in several steps */
#define PATIENCE_MS 1000 /* who never stops writing does not put a reload off for ever */
#define LINKS_MAX 8	 /* one leading to another; the kernel follows 40 */
#define SELF_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FOLDER_EVENTS                                                                              \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | SELF_EVENTS)
/* Of the folder above a name that is not there yet, or is a link and may become another */
#define NAME_EVENTS (IN_CREATE | IN_MOVED_TO | SELF_EVENTS)

struct watch {
	struct daemon *daemon;
	int fd;
	struct source *source;
	struct timer *timer;
	uint64_t first_ns; /* of the events not acted upon; 0: there are none */
	int *numbers;	   /* of what is watched */
	size_t count;
	int complained; /* errno */
};

static int add(struct watch *watch, const char *dir, uint32_t events)
{
	/* IN_MASK_ADD: what is asked for already is not to be interrupted */
	int number = inotify_add_watch(watch->fd, dir, events | IN_MASK_ADD);
	int *place;

	if (number < 0)
		return -errno;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->numbers[i] == number)
			return 0;
	place = array_append((void *)&watch->numbers, &watch->count, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = number;
	return 0;
}

/* The folder that the last name of @path is in, whatever that name is */
static int add_above(struct watch *watch, const char *path, uint32_t events)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *above = strndup(path, slash > path ? (size_t)(slash - path) : 1);

	return above ? add(watch, above, events) : -ENOMEM;
}

static int follow(struct watch *watch, const char *path, uint32_t events, unsigned int links);

static int follow_link(struct watch *watch, const char *link, uint32_t events, unsigned int links)
{
	CLEANUP_FREE char *path = NULL;
	char target[4096];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (target[0] == '/')
		path = strdup(target);
	else
		path = string_format("%.*s/%s", (int)(strrchr(link, '/') - link), link, target);
	return !path ? -ENOMEM : links ? follow(watch, path, events, links - 1) : -ELOOP;
}

/* Watch each name on the way of an absolute path, and the folder at its end for @events. */
static int follow(struct watch *watch, const char *path, uint32_t events, unsigned int links)
{
	CLEANUP_FREE char *way = strdup(path);
	int r = way ? 0 : -ENOMEM;

	for (size_t at = 1, length = strlen(path); !r && at < length; at++) {
		struct stat st;
		bool last;

		at += strcspn(path + at, "/");
		if (path[at - 1] == '/')
			continue;
		last = !path[at + strspn(path + at, "/")];
		way[at] = '\0';
		if (lstat(way, &st) < 0)
			return errno == ENOENT ? add_above(watch, way, NAME_EVENTS) : -errno;
		if (S_ISLNK(st.st_mode)) {
			r = add_above(watch, way, NAME_EVENTS);
			if (!r)
				r = follow_link(watch, way, last ? events : SELF_EVENTS, links);
		} else {
			r = add(watch, way, last ? events : SELF_EVENTS);
		}
		way[at] = path[at];
	}
	return r;
}

static void watch_dir(struct watch *watch, const char *dir)
{
	int r = follow(watch, dir, FOLDER_EVENTS, LINKS_MAX);

	if (r && r != watch->complained)
		log_warning("%s: cannot be watched (%s); 'policyctl load' reloads", dir,
			    strerror(-r));
	if (r)
		watch->complained = r;
}

void watch_again(struct watch *watch)
{
	int *former;
	size_t count;

	if (!watch)
		return;
	former = watch->numbers;
	count = watch->count;
	watch->numbers = NULL;
	watch->count = 0;
	for (char **dir = watch->daemon->config->policy_dirs; *dir; dir++)
		watch_dir(watch, *dir);
	for (char **dir = watch->daemon->config->include_dirs; *dir; dir++)
		watch_dir(watch, *dir);
	for (size_t i = 0; i < count; i++) {
		bool kept = false;

		for (size_t j = 0; !kept && j < watch->count; j++)
			kept = watch->numbers[j] == former[i];
		if (!kept)
			inotify_rm_watch(watch->fd, former[i]);
	}
	free(former);
}

static void on_quiet(void *context, uint32_t events)
{
	struct watch *watch = context;

	(void)events;
	watch->first_ns = 0;
	daemon_reload(watch->daemon);
}

static void on_change(void *context, uint32_t events)
{
	struct watch *watch = context;
	char buffer[4096] __attribute__((aligned(8)));
	uint64_t now = clock_boot_ns(), waited;
	bool changed = false;
	ssize_t n;

	(void)events;
	/* What changed does not matter: everything is read again, and compared by content. */
	while ((n = read(watch->fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			/* That alone tells of a watch that we have ended ourselves. */
			changed = changed || !(event->mask & IN_IGNORED);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	if (!changed)
		return;
	if (!watch->first_ns)
		watch->first_ns = now;
	waited = (now - watch->first_ns) / 1000000;
	loop_timer_arm(watch->timer, waited + QUIET_MS < PATIENCE_MS ? QUIET_MS :
				     waited < PATIENCE_MS	     ? (int)(PATIENCE_MS - waited) :
								       0);
}

int watch_new(struct daemon *daemon, struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->daemon = daemon;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = watch->fd < 0 ?
		    -errno :
		    loop_add(daemon->loop, watch->fd, EPOLLIN, on_change, watch, &watch->source);
	if (!r)
		r = loop_timer_new(daemon->loop, on_quiet, watch, &watch->timer);
	if (r) {
		watch_free(watch);
		return r;
	}
	watch_again(watch);
	*ret_watch = watch;
	return 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	loop_remove(watch->source);
	loop_timer_free(watch->timer);
	fd_close(watch->fd);
	free(watch->numbers);
	free(watch);
}
