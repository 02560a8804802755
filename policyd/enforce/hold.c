/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that look at all tasks, and containers that are held until they are known. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/enforce/enforcer.h"
#include "policyd.skel.h"

int enforcer_iterate(struct bpf_program *program,
		     int (*take)(void *context, const unsigned char *data, size_t size),
		     void *context, struct pd_error *error)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	unsigned char buffer[4096];
	ssize_t n;
	int fd, r = 0;

	if (!link)
		return error_set(error, -errno, "cannot look at running tasks: %s",
				 strerror(errno));
	fd = bpf_iter_create(bpf_link__fd(link));
	bpf_link__destroy(link);
	if (fd < 0)
		return error_set(error, -errno, "cannot look at running tasks: %s",
				 strerror(errno));
	do {
		n = read(fd, buffer, sizeof(buffer));
		if (n > 0 && take)
			r = take(context, buffer, (size_t)n);
	} while (!r && (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))));
	if (n < 0)
		r = error_set(error, -errno, "looking at running tasks failed: %s",
			      strerror(errno));
	close(fd);
	return r;
}

/* What `release` writes, put together from pieces. */
struct reading {
	void (*each)(void *context, const struct pd_release *task, const char *cgroup);
	void *context;
	size_t used;
	_Alignas(struct pd_release) unsigned char record[sizeof(struct pd_release) + PD_PATH_MAX +
							 1];
};

static int take(void *context, const unsigned char *data, size_t size)
{
	struct reading *reading = context;
	struct pd_release *task = (void *)reading->record;

	for (size_t i = 0; i < size; i++) {
		reading->record[reading->used++] = data[i];
		if (reading->used < sizeof(*task))
			continue;
		if (task->path_len > PD_PATH_MAX)
			return -EPROTO;
		if (reading->used < sizeof(*task) + task->path_len)
			continue;
		reading->record[reading->used] = '\0';
		reading->each(reading->context, task, (char *)reading->record + sizeof(*task));
		reading->used = 0;
	}
	return 0;
}

int enforce_release(struct enforcer *e,
		    void (*each)(void *context, const struct pd_release *task, const char *cgroup),
		    void *context, struct pd_error *error)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int r;

	if (!reading)
		return error_set(error, -ENOMEM, "out of memory");
	reading->each = each;
	reading->context = context;
	r = enforcer_iterate(e->skeleton->progs.release, take, reading, error);
	free(reading);
	return r;
}

bool enforce_is_doomed(const struct enforcer *e, int pidfd)
{
	struct pd_label label;

	return !bpf_map_lookup_elem(bpf_map__fd(e->skeleton->maps.labels), &pidfd, &label) &&
	       label.flags & PD_LABEL_DOOMED;
}

int enforce_holds_fd(const struct enforcer *e)
{
	return bpf_map__fd(e->skeleton->maps.holds);
}
