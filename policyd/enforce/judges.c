/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/enforce/judges.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lsm/abi.h"
#include "policyd.skel.h"

#define SECTION "judge/"
#define ASKS                                                                                       \
	"pd_ask_" /* what the names of the functions that judges take the place of begin with */
#define FUNCTIONS_MAX 128 /* in one program */
#define PIN_NAME 96

static int handler; /* libbpf's number of ours; libbpf has one table for the whole process */

/* The functions a loaded program has, by their BTF types. Returns how many, or a negative errno. */
static int functions_of(int fd, unsigned int types[static FUNCTIONS_MAX])
{
	struct bpf_func_info functions[FUNCTIONS_MAX];
	struct bpf_prog_info info = {
		.func_info = (uintptr_t)functions,
		.nr_func_info = FUNCTIONS_MAX,
		.func_info_rec_size = sizeof(functions[0]),
	};
	__u32 size = sizeof(info);

	memset(functions, 0, sizeof(functions));
	memset(types, 0, FUNCTIONS_MAX * sizeof(types[0]));
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.nr_func_info > FUNCTIONS_MAX)
		return -E2BIG;
	for (unsigned int i = 0; i < info.nr_func_info; i++)
		types[i] = functions[i].type_id;
	return (int)info.nr_func_info;
}

static bool has_function(int fd, unsigned int type)
{
	unsigned int types[FUNCTIONS_MAX];
	int n = functions_of(fd, types);

	for (int i = 0; i < n; i++)
		if (types[i] == type)
			return true;
	return false;
}

static int type_of(const struct judges *judges, const char *function)
{
	return btf__find_by_name_kind(bpf_object__btf(judges->skeleton->obj), function,
				      BTF_KIND_FUNC);
}

/* The kernel verifies a judge against a program that is loaded and has the function. libbpf loads in the
 * order of the object's sections, in which judges come last. */
static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const struct judges *judges = (const struct judges *)cookie;
	const char *function = bpf_program__section_name(program) + strlen(SECTION);
	int type = type_of(judges, function);
	struct bpf_program *other;

	if (type < 0)
		return type;
	bpf_object__for_each_program(other, judges->skeleton->obj)
	{
		int fd = bpf_program__fd(other);

		if (bpf_program__type(other) != BPF_PROG_TYPE_LSM || fd < 0 ||
		    !has_function(fd, (unsigned int)type))
			continue;
		options->attach_prog_fd = (unsigned int)fd;
		options->attach_btf_id = (unsigned int)type;
		return 0;
	}
	return -ENOENT;
}

int judges_announce(struct judges *judges)
{
	struct libbpf_prog_handler_opts options = {
		.sz = sizeof(options),
		.cookie = (long)judges,
		.prog_prepare_load_fn = prepare,
	};

	handler = libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_EXT, 0, &options);
	return handler < 0 ? handler : 0;
}

void judges_find(struct judges *judges)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	struct bpf_program *program;
	int type;

	if (handler > 0)
		libbpf_unregister_prog_handler(handler);
	handler = 0;
	if (!judges->skeleton)
		return;
	bpf_object__for_each_program(program, judges->skeleton->obj)
	{
		int fd = bpf_program__fd(program);
		struct judge *judge = &judges->all[judges->count];

		if (bpf_program__type(program) != BPF_PROG_TYPE_EXT || fd < 0 ||
		    judges->count == JUDGES_MAX)
			continue;
		judge->function = bpf_program__section_name(program) + strlen(SECTION);
		type = type_of(judges, judge->function);
		if (type < 0)
			continue;
		judge->type = (unsigned int)type;
		judge->program = fd;
		judges->count++;
	}
	if (judges->count && !bpf_obj_get_info_by_fd(judges->all[0].program, &info, &size))
		snprintf(judges->prefix, sizeof(judges->prefix), "%u-", info.id);
}

/* Takes the descriptor over. */
static int keep(struct judges *judges, int link)
{
	int *links = realloc(judges->links, (judges->link_count + 1) * sizeof(*links));

	if (!links) {
		close(link);
		return -ENOMEM;
	}
	judges->links = links;
	links[judges->link_count++] = link;
	return 0;
}

static void pin_name(const struct judges *judges, const char *function, const char *name,
		     char pin[static PIN_NAME])
{
	snprintf(pin, PIN_NAME, "%s%s-%s", judges->prefix, name, function);
}

static int link_one(struct judges *judges, const struct pins *pins, const struct judge *judge,
		    int fd, const char *name, struct pd_error *error)
{
	struct bpf_link_create_opts options = { .sz = sizeof(options),
						.target_btf_id = judge->type };
	char pin[PIN_NAME];
	int r, link = bpf_link_create(judge->program, fd, 0, &options);

	if (link < 0)
		return error_set(
			error, -errno,
			"cannot put %s into the program of hook %s: %s; restart policyd, with "
			"-d to see more",
			judge->function, name, strerror(errno));
	if (!pins->dir[0])
		return keep(judges, link) ? error_set(error, -ENOMEM, "out of memory") : 0;
	pin_name(judges, judge->function, name, pin);
	r = pins_judge(pins, link, pin, error);
	close(link);
	return r;
}

static const struct judge *judge_of(const struct judges *judges, unsigned int type)
{
	for (size_t i = 0; i < judges->count; i++)
		if (judges->all[i].type == type)
			return &judges->all[i];
	return NULL;
}

/* Does the function ask, so that something has to answer? */
static bool asks(const struct judges *judges, unsigned int function)
{
	const struct btf *btf = bpf_object__btf(judges->skeleton->obj);
	const struct btf_type *type = btf__type_by_id(btf, function);
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	return !name || !strncmp(name, ASKS, strlen(ASKS));
}

/* The program has none of its judges again, so that they can be put in at the next attempt. */
static void undo(struct judges *judges, const struct pins *pins, size_t links, const char *name)
{
	char pin[PIN_NAME];

	while (judges->link_count > links)
		close(judges->links[--judges->link_count]);
	for (size_t i = 0; i < judges->count; i++) {
		pin_name(judges, judges->all[i].function, name, pin);
		pins_drop_judge(pins, pin);
	}
}

int judges_link(struct judges *judges, const struct pins *pins, struct bpf_program *program,
		const char *name, struct pd_error *error)
{
	size_t links = judges->link_count;
	unsigned int types[FUNCTIONS_MAX];
	int fd = bpf_program__fd(program);
	int r = 0, n = functions_of(fd, types);

	if (n <= 0)
		return error_set(error, n ? n : -EPERM,
				 "cannot ask for the functions of hook %s's program: %s", name,
				 n ? strerror(-n) : "the kernel names none");
	for (int k = 0; !r && k < n; k++) {
		const struct judge *judge = judge_of(judges, types[k]);

		if (judge)
			r = link_one(judges, pins, judge, fd, name, error);
		else if (asks(judges, types[k]))
			r = error_set(error, -ENOENT,
				      "the program of hook %s asks what no program answers; "
				      "restart policyd, with -d to see more",
				      name);
	}
	if (r)
		undo(judges, pins, links, name);
	return r;
}

void judges_release(struct judges *judges)
{
	for (size_t i = 0; i < judges->link_count; i++)
		close(judges->links[i]);
	free(judges->links);
	judges->links = NULL;
	judges->link_count = 0;
}
