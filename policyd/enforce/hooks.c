/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/enforce/hooks.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policyd.skel.h"

static const char *const hook_names[PD_HOOK_COUNT] = {
#define NAME(name, group) [PD_HOOK_##name] = #name,
	PD_HOOKS(NAME)
#undef NAME
};

static const enum pd_hook_group hook_groups[PD_HOOK_COUNT] = {
#define GROUP(name, group) [PD_HOOK_##name] = PD_GROUP_##group,
	PD_HOOKS(GROUP)
#undef GROUP
};

/* Absent on some kernels, which do the same by other hooks or not at all: 6.1 truncates through path_truncate and
 * sets ACLs through inode_setxattr; early 6.1.y had one ioctl hook for both word sizes; file_setattr(2)
 * is 6.17's, and AT_EXECVE_CHECK is 6.14's. */
static bool may_be_absent(enum pd_hook hook)
{
	return hook == PD_HOOK_file_truncate || hook == PD_HOOK_inode_set_acl ||
	       hook == PD_HOOK_inode_remove_acl || hook == PD_HOOK_inode_file_setattr ||
	       hook == PD_HOOK_file_ioctl_compat || hook == PD_HOOK_bprm_creds_for_exec;
}

struct kernel {
	int parameters[PD_HOOK_COUNT]; /* of its hooks; -1: it has none of that name */
	bool has_exec_check;	       /* AT_EXECVE_CHECK, from 6.14 on */
	bool asks_for_xattrs;	       /* who may set security.*, see lsm/inode.bpf.c */
	/* Reading and making labels counts in a variable of the processor ... */
	bool counts_label_users;
	/* ... which from 6.2 on LSM programs do not mind. */
	bool has_helper_that_minds;
};

static void look_at_function(const struct btf *btf, const struct btf_type *type, const char *name,
			     struct kernel *ret)
{
	static const char prefix[] = "bpf_lsm_";

	if (!strcmp(name, "bpf_task_storage_get_recur"))
		ret->has_helper_that_minds = true;
	if (!strcmp(name, "bpf_lsm_inode_xattr_skipcap"))
		ret->asks_for_xattrs = true;
	if (strncmp(name, prefix, sizeof(prefix) - 1))
		return;
	for (int i = 1; i < PD_HOOK_COUNT; i++)
		if (!strcmp(name + sizeof(prefix) - 1, hook_names[i]))
			ret->parameters[i] = btf_vlen(btf__type_by_id(btf, type->type));
}

static bool has_member(const struct btf *btf, const struct btf_type *type, const char *name)
{
	for (int i = 0; i < btf_vlen(type); i++) {
		const char *member = btf__name_by_offset(btf, btf_members(type)[i].name_off);

		if (member && !strcmp(member, name))
			return true;
	}
	return false;
}

/* In one pass: a search by name takes as long. */
static void look_at_kernel(const struct btf *btf, struct kernel *ret)
{
	unsigned int count = btf__type_cnt(btf);

	memset(ret, 0, sizeof(*ret));
	memset(ret->parameters, -1, sizeof(ret->parameters));
	for (unsigned int id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name;

		if (!btf_is_func(type) && !btf_is_var(type) && !btf_is_struct(type))
			continue;
		name = btf__name_by_offset(btf, type->name_off);
		if (!name)
			continue;
		if (btf_is_func(type))
			look_at_function(btf, type, name, ret);
		else if (btf_is_var(type) && !strcmp(name, "bpf_task_storage_busy"))
			ret->counts_label_users = true;
		else if (btf_is_struct(type) && !strcmp(name, "linux_binprm"))
			ret->has_exec_check |= has_member(btf, type, "is_check");
	}
	if (!ret->has_exec_check)
		ret->parameters[PD_HOOK_bprm_creds_for_exec] = -1;
}

/* While a program sleeps in making a label, 6.1 hides the labels of all other tasks of that processor. */
static bool may_sleep_over_labels(const struct kernel *kernel)
{
	return !kernel->counts_label_users || kernel->has_helper_that_minds;
}

/* SELinux and Smack ask by themselves, and for less of their own attributes. */
static bool forgets_xattrs(const struct kernel *kernel)
{
	return !kernel->asks_for_xattrs && !probe_has_lsm("selinux") && !probe_has_lsm("smack");
}

static struct bpf_program *choose(struct policyd_bpf *skeleton, const char *name, int parameters)
{
	const char *chosen = name;
	struct bpf_program *program;

	/* 6.3 put the mount's idmap in front of this hook's arguments */
	if (!strcmp(name, "inode_setattr") && parameters == 3)
		chosen = "inode_setattr_idmap";
	program = bpf_object__find_program_by_name(skeleton->obj, chosen);
	if (program)
		bpf_program__set_autoload(program, true);
	return program;
}

int hooks_choose(struct policyd_bpf *skeleton, struct hook hooks[PD_HOOK_COUNT],
		 struct pd_error *error)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *program;
	struct kernel kernel;
	int r = 0;

	if (!btf)
		return error_set(error, -ENOTSUP,
				 "this kernel has no type information (/sys/kernel/btf/vmlinux); "
				 "use one built with CONFIG_DEBUG_INFO_BTF, as Debian's are");
	bpf_object__for_each_program(program, skeleton->obj)
	{
		enum bpf_prog_type type = bpf_program__type(program);

		bpf_program__set_autoload(program, type != BPF_PROG_TYPE_LSM);
	}
	bpf_program__set_autoload(skeleton->progs.guard_sigio, true);
	bpf_program__set_autoload(skeleton->progs.task_alloc_guard, true);
	bpf_program__set_autoload(skeleton->progs.socket_sctp, true);
	look_at_kernel(btf, &kernel);
	btf__free(btf);
	skeleton->rodata->pd_forgets_xattrs = forgets_xattrs(&kernel);
	if (may_sleep_over_labels(&kernel))
		bpf_program__set_flags(skeleton->progs.task_alloc, BPF_F_SLEEPABLE);
	for (int i = 1; i < PD_HOOK_COUNT; i++) {
		hooks[i] = (struct hook){ .name = hook_names[i], .group = hook_groups[i] };
		/* asked of everybody, whatever the policies are about */
		if (skeleton->rodata->pd_forgets_xattrs &&
		    (i == PD_HOOK_inode_setxattr || i == PD_HOOK_inode_removexattr))
			hooks[i].group = PD_GROUP_CORE;
		if (kernel.parameters[i] >= 0)
			hooks[i].program = choose(skeleton, hook_names[i], kernel.parameters[i]);
		if (!hooks[i].program && !may_be_absent((enum pd_hook)i)) {
			r = error_set(
				error, -ENOTSUP,
				"this kernel has no LSM hook %s for BPF; 6.1 or newer is needed",
				hook_names[i]);
			break;
		}
	}
	return r;
}
