/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_DAEMON_NOTIFY_H
#define PD_DAEMON_NOTIFY_H

/**
 * notify() - tell systemd, as sd_notify(3): "READY=1", "RELOADING=1" ...
 *
 * Does nothing without NOTIFY_SOCKET. To be called before the sandbox, or with what it opened there:
 * notify_open() once, first.
 */
void notify_open(void);
void notify(const char *state);

#endif
