/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/daemon/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/log.h"

#define QUIET_MS 100 /* editors write a file in several steps */
#define FOLDER_EVENTS                                                                              \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |   \
	 IN_MOVE_SELF | IN_ONLYDIR)
/* Of the folder above one that is not there yet */
#define PARENT_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD)

struct watch {
	struct daemon *daemon;
	int fd;
	struct source *source;
	struct timer *timer;
};

static void watch_dir(const struct watch *watch, const char *dir)
{
	CLEANUP_FREE char *parent = NULL;
	char *slash;

	if (inotify_add_watch(watch->fd, dir, FOLDER_EVENTS) >= 0)
		return;
	if (errno != ENOENT) {
		log_warning("%s: cannot be watched (%s); 'policyctl load' reloads", dir,
			    strerror(errno));
		return;
	}
	parent = strdup(dir);
	slash = parent ? strrchr(parent, '/') : NULL;
	if (slash && slash != parent) {
		*slash = '\0';
		inotify_add_watch(watch->fd, parent, PARENT_EVENTS);
	}
}

void watch_again(struct watch *watch)
{
	for (char **dir = watch->daemon->config->policy_dirs; *dir; dir++)
		watch_dir(watch, *dir);
	for (char **dir = watch->daemon->config->include_dirs; *dir; dir++)
		watch_dir(watch, *dir);
}

static void on_quiet(void *context, uint32_t events)
{
	struct watch *watch = context;

	(void)events;
	watch_again(watch);
	daemon_reload(watch->daemon);
}

static void on_change(void *context, uint32_t events)
{
	struct watch *watch = context;
	char buffer[4096] __attribute__((aligned(8)));

	(void)events;
	/* What changed does not matter: everything is read again, and compared by content. */
	while (read(watch->fd, buffer, sizeof(buffer)) > 0)
		;
	loop_timer_arm(watch->timer, QUIET_MS);
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
	free(watch);
}
