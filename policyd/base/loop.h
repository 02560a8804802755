/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One epoll loop. One event is taken at a time, so a callback may remove any source, its own too.
 * Nothing is waited for with a timeout: an idle loop never wakes up.
 */
#ifndef PD_BASE_LOOP_H
#define PD_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct source; /* a watched descriptor */
struct timer;

typedef void loop_fn(void *context, uint32_t events);

int loop_new(struct loop **ret_loop); /* 0 or -errno */
void loop_free(struct loop *loop);    /* sources and timers are to be removed before */

/** loop_add() - call @fn when @fd has one of @events (EPOLL*); the descriptor stays the caller's */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *context,
	     struct source **ret_source);
int loop_modify(struct source *source, uint32_t events);
/** loop_remove() - before the descriptor is closed; NULL is fine */
void loop_remove(struct source *source);

/** loop_timer_new() - not armed; costs nothing until it is */
int loop_timer_new(struct loop *loop, loop_fn *fn, void *context, struct timer **ret_timer);
/** loop_timer_arm() - once, in so many milliseconds from now; replaces what was set. -1: never */
void loop_timer_arm(struct timer *timer, int milliseconds);
void loop_timer_free(struct timer *timer); /* NULL is fine */

/** loop_run() - until loop_quit(); returns 0 or -errno of epoll_wait() */
int loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

#endif
