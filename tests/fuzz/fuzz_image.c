/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compiled image with the fuzzer's changes (offset, value): what image_check() lets pass can be
 * read in every way without harm. An input that begins like an image is taken as one instead.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct change {
	uint32_t offset, value;
};

static struct compiled *sample(void)
{
	static char *files[] = { (char *)"f" };
	static struct policy_string paths[] = { { .text = (char *)"/etc/{a,b,c,d,e,f}/*.conf" },
						{ .text = (char *)"/usr/lib/libcrypto.so.3" } };
	static struct policy_string by[] = { { .text = (char *)"/bin/a*" } };
	static struct policy_rule rules[] = {
		{ .class = PD_CLASS_FILE,
		  .path_perms = PD_READ,
		  .paths = { paths, 2 },
		  .audit = true },
		{ .class = PD_CLASS_FILE,
		  .path_perms = PD_WRITE,
		  .deny = true,
		  .paths = { paths, 1 },
		  .by = { by, 1 } },
		{ .class = PD_CLASS_CAPABILITY, .capabilities = 0xff0f },
	};
	static struct policy_match match[] = { { .cgroup = (char *)"/a/*" } };
	static struct policy policy = { .name = (char *)"p",
					.deny_default = 7,
					.rules = rules,
					.rule_count = 3,
					.matches = match,
					.match_count = 1,
					.files = files,
					.file_count = 1 };
	struct policy *policies[] = { &policy };
	struct compile_input input = { .policies = policies, .policy_count = 1 };
	struct numbering *numbering = numbering_new();
	struct compiled *compiled = NULL;

	if (!numbering || compile(&input, numbering, &compiled, NULL))
		abort();
	numbering_free(numbering);
	return compiled;
}

static void use(const unsigned char *image)
{
	static const char *const names[] = { "/etc/c/a.conf", "/usr/lib/libcrypto.so.3", "/bin/ab",
					     "\n", "" };
	const struct pd_image *header = (const struct pd_image *)image;
	struct image_policy policy;
	struct decision d;
	struct symbol s;
	size_t sum = 0;

	for (uint32_t slot = 0; slot < header->slot_count; slot++) {
		const char **set = image_slot_policies(image, slot);

		for (uint32_t i = 0; i < 5 * PD_OBJ_COUNT * 2; i++) {
			const char *name = names[i % 5];

			if (!decide(image, slot, i & 1, i / 10, name, strlen(name), 3, &d) &&
			    !image_symbol(image, d.rule, &s))
				sum += strlen(s.text) + strlen(s.file) + strlen(s.policy);
		}
		for (size_t i = 0; set && set[i]; i++)
			sum += strlen(set[i]);
		free(set);
		sum += decide_program(image, slot, "/bin/ab");
	}
	sum += decide_binding(image, "/a/b", "/bin/ab");
	for (size_t i = 0; i < image_policy_count(image); i++)
		if (!image_policy(image, i, &policy))
			sum += strlen(policy.name) + strlen(policy.description);
	__asm__ volatile("" : : "r"(sum));
}

/* The pages after the image are the sanitizer's: a read past its end is a report. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct compiled *original;
	unsigned char *image;
	struct change c;

	if (!original)
		original = sample();
	if (size > 65536)
		return 0;
	image = calloc(1, PD_IMAGE_SIZE);
	if (!image)
		return 0;
	if (size >= sizeof(struct pd_image) && !memcmp(data, original->image, 8)) {
		memcpy(image, data, size);
	} else {
		memcpy(image, original->image, original->stats.image_size);
		for (size_t at = 0; at + sizeof(c) <= size; at += sizeof(c)) {
			memcpy(&c, data + at, sizeof(c));
			c.offset = c.offset % original->stats.image_size & ~3u;
			memcpy(image + c.offset, &c.value, sizeof(c.value));
		}
	}
	if (!image_check(image, PD_IMAGE_SIZE, NULL))
		use(image);
	free(image);
	return 0;
}
