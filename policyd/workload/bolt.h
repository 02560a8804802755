/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a bbolt database that others write: containerd's metadata and podman's state. One key at a time,
 * nothing is locked or mapped.
 *
 * Facts: the format is that of go.etcd.io/bbolt, version 2 (page.go, meta.go). Pages are copied on write and two
 * meta pages take turns, so what the newer one leads to stays as it is until another transaction has been
 * committed; bolt_unchanged() tells whether that has happened.
 */
#ifndef PD_WORKLOAD_BOLT_H
#define PD_WORKLOAD_BOLT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bolt;

/* A value; a bucket within a bucket is one, too. To be freed by bolt_value_done(). */
struct bolt_value {
	unsigned char *data; /* NULL: there is none */
	size_t size;
	bool bucket;
};

/** bolt_open() - 0, or a negative errno: -EINVAL for what is no database, or damaged; -EACCES: not root's */
int bolt_open(const char *path, struct bolt **ret_bolt);
void bolt_close(struct bolt *bolt); /* NULL is fine */

/** bolt_unchanged() - is everything that was read from one moment? */
bool bolt_unchanged(const struct bolt *bolt);

/**
 * bolt_get() - a key
 * @path: names of the buckets it is in and its own, from the root on; NULL-terminated
 *
 * 0; -ENOENT: there is no such key; -EINVAL: damaged, or changed meanwhile; -ENOMEM.
 */
int bolt_get(const struct bolt *bolt, const char *const *path, struct bolt_value *ret);

/**
 * bolt_each() - all keys of a bucket that are no buckets themselves
 *
 * What @fn returns other than 0 ends it. As bolt_get().
 */
int bolt_each(const struct bolt *bolt, const char *const *path,
	      int (*fn)(void *context, const unsigned char *key, size_t key_size,
			const unsigned char *value, size_t value_size),
	      void *context);

void bolt_value_done(struct bolt_value *value);

#endif
