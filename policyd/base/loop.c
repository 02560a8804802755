/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "policyd/base/fd.h"

struct loop {
	int fd;
	bool quit;
};

struct source {
	struct loop *loop;
	int fd;
	loop_fn *fn;
	void *context;
};

struct timer {
	int fd;
	struct source *source;
	loop_fn *fn;
	void *context;
};

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd < 0) {
		int r = -errno;

		free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	fd_close(loop->fd);
	free(loop);
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *context,
	     struct source **ret_source)
{
	struct source *source = malloc(sizeof(*source));
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (!source)
		return -ENOMEM;
	*source = (struct source){ loop, fd, fn, context };
	if (epoll_ctl(loop->fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int r = -errno;

		free(source);
		return r;
	}
	*ret_source = source;
	return 0;
}

int loop_modify(struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(source->loop->fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct source *source)
{
	if (!source)
		return;
	epoll_ctl(source->loop->fd, EPOLL_CTL_DEL, source->fd, NULL);
	free(source);
}

static void on_timer(void *context, uint32_t events)
{
	struct timer *timer = context;
	uint64_t count;

	if (read(timer->fd, &count, sizeof(count)) == sizeof(count))
		timer->fn(timer->context, events);
}

int loop_timer_new(struct loop *loop, loop_fn *fn, void *context, struct timer **ret_timer)
{
	struct timer *timer = malloc(sizeof(*timer));
	int r;

	if (!timer)
		return -ENOMEM;
	*timer = (struct timer){ .fn = fn, .context = context };
	timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->fd < 0) {
		r = -errno;
		free(timer);
		return r;
	}
	r = loop_add(loop, timer->fd, EPOLLIN, on_timer, timer, &timer->source);
	if (r) {
		fd_close(timer->fd);
		free(timer);
		return r;
	}
	*ret_timer = timer;
	return 0;
}

void loop_timer_arm(struct timer *timer, int milliseconds)
{
	struct itimerspec when = { .it_value = { .tv_sec = 0 } };

	if (milliseconds >= 0) {
		when.it_value.tv_sec = milliseconds / 1000;
		when.it_value.tv_nsec = milliseconds % 1000 * 1000000L;
		if (!milliseconds)
			when.it_value.tv_nsec = 1; /* 0 would disarm it */
	}
	timerfd_settime(timer->fd, 0, &when, NULL);
}

void loop_timer_free(struct timer *timer)
{
	if (!timer)
		return;
	loop_remove(timer->source);
	fd_close(timer->fd);
	free(timer);
}

int loop_run(struct loop *loop)
{
	while (!loop->quit) {
		struct epoll_event event;
		int n = epoll_wait(loop->fd, &event, 1, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 1) {
			struct source *source = event.data.ptr;

			source->fn(source->context, event.events);
		}
	}
	return 0;
}

void loop_quit(struct loop *loop)
{
	loop->quit = true;
}
