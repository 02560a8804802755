// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fillhook HOOK - attach BPF programs that allow everything to an LSM hook until its trampoline has no room
 * for another one; print how many, and keep them until killed
 *
 * No libbpf here: the helpers of the guests are static.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Bytes behind struct btf_type, by its kind */
static size_t extra(const struct btf_type *type)
{
	size_t vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * 12;
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* The number of the function's type; 0: none */
static uint32_t find_function(const char *name)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
	const struct btf_header *header;
	const char *at, *end, *strings;
	struct stat st;
	char *data;
	size_t have = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !(data = malloc((size_t)st.st_size)))
		return 0;
	while ((n = read(fd, data + have, (size_t)st.st_size - have)) > 0)
		have += (size_t)n;
	close(fd);
	header = (const void *)data;
	at = data + header->hdr_len + header->type_off;
	end = at + header->type_len;
	strings = data + header->hdr_len + header->str_off;
	for (uint32_t id = 1; at < end; id++) {
		const struct btf_type *type = (const void *)at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(strings + type->name_off, name)) {
			free(data);
			return id;
		}
		at += sizeof(*type) + extra(type);
	}
	free(data);
	return 0;
}

static int attach_one(uint32_t function)
{
	static const struct bpf_insn allow[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_LSM,
		.expected_attach_type = BPF_LSM_MAC,
		.attach_btf_id = function,
		.insns = (uint64_t)(uintptr_t)allow,
		.insn_cnt = 2,
		.license = (uint64_t)(uintptr_t) "GPL",
	};
	union bpf_attr attach = { 0 };
	long program = bpf(BPF_PROG_LOAD, &load);

	if (program < 0)
		return -1;
	attach.raw_tracepoint.prog_fd = (uint32_t)program;
	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attach) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	char name[128];
	uint32_t function;
	int count = 0;

	if (argc != 2)
		return 2;
	snprintf(name, sizeof(name), "bpf_lsm_%s", argv[1]);
	function = find_function(name);
	if (!function) {
		fprintf(stderr, "%s: no such function\n", name);
		return 2;
	}
	while (count < 100 && attach_one(function) == 0)
		count++;
	printf("%d %s\n", count, strerror(errno));
	fflush(stdout);
	pause();
	return 0;
}
