/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"

void stores_put(const struct stores *s, const char *name, const char *text)
{
	CLEANUP_FREE char *path = string_format("%s/%s", s->dir, name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(dir_make(path, 0755), 0);
	*slash = '/';
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644), 0);
}

int stores_set_up(void **state)
{
	struct stores *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	strcpy(s->dir, "/tmp/policyd-test.XXXXXX");
	if (!mkdtemp(s->dir)) {
		free(s);
		return -1;
	}
	s->places = (struct metadata_places){
		.docker = string_format("%s/docker", s->dir),
		.podman = string_format("%s/podman", s->dir),
		.crio = string_format("%s/crio", s->dir),
		.containerd = string_format("%s/containerd", s->dir),
		.containerd_meta = string_format("%s/meta.db", s->dir),
		.crun = string_format("%s/crun", s->dir),
		.runc = string_format("%s/runc", s->dir),
		.lxc = string_format("%s/lxc", s->dir),
	};
	*state = s;
	return 0;
}

int stores_tear_down(void **state)
{
	struct stores *s = *state;
	CLEANUP_FREE char *command = string_format("rm -rf %s", s->dir);
	int r = system(command);

	metadata_forget_caches();
	metadata_places_done(&s->places);
	free(s);
	return r;
}

int stores_look(const struct stores *s, const char *path, struct container *c,
		struct pd_error *error)
{
	*error = (struct pd_error){ .code = 0 };
	return metadata_find(&s->places, path, c, error);
}
