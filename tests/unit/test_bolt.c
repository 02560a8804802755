/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bbolt database made by hand, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/workload/bolt.h"
#include "policyd/workload/metadata.h"
#include "tests/unit/made_bolt.h"

#define PAGE BOLT_PAGE
#define PAGES 16u

static unsigned char image[PAGES * PAGE];
static char path[64];

/* A page of keys, sorted, at `at`: what they are worth, or the bucket they are. Returns its size. */
struct item {
	const char *key;
	const void *value;
	size_t size;
	bool bucket;
};

static size_t put_leaf(unsigned char *at, uint64_t id, const struct item *items, unsigned int count)
{
	size_t used = 16 + 16 * (size_t)count;

	memset(at, 0, used);
	bolt_put(at, id, 8);
	bolt_put(at + 8, 2, 2);
	bolt_put(at + 10, count, 2);
	for (unsigned int i = 0; i < count; i++) {
		unsigned char *element = at + 16 + 16 * (size_t)i;
		size_t key = strlen(items[i].key);

		bolt_put(element, items[i].bucket, 4);
		bolt_put(element + 4, (uint64_t)(at + used - element), 4);
		bolt_put(element + 8, key, 4);
		bolt_put(element + 12, items[i].size, 4);
		memcpy(at + used, items[i].key, key);
		memcpy(at + used + key, items[i].value, items[i].size);
		used += key + items[i].size;
	}
	return used;
}

/* A bucket that is small enough to be a value */
static size_t put_inline(unsigned char *at, const struct item *items, unsigned int count)
{
	memset(at, 0, 16);
	return 16 + put_leaf(at + 16, 0, items, count);
}

static void put_branch(uint64_t id, const char *const *keys, const uint64_t *children,
		       unsigned int count)
{
	unsigned char *at = image + id * PAGE;
	size_t used = 16 + 16 * (size_t)count;

	bolt_put(at, id, 8);
	bolt_put(at + 8, 1, 2);
	bolt_put(at + 10, count, 2);
	for (unsigned int i = 0; i < count; i++) {
		unsigned char *element = at + 16 + 16 * (size_t)i;

		bolt_put(element, (uint64_t)(at + used - element), 4);
		bolt_put(element + 4, strlen(keys[i]), 4);
		bolt_put(element + 8, children[i], 8);
		memcpy(at + used, keys[i], strlen(keys[i]));
		used += strlen(keys[i]);
	}
}

/* v1/default/containers: one with labels, on the second of two leaves below a branch; v1/version */
static void make(void)
{
	static const char *const keys[] = { "a", "one" };
	static const uint64_t children[] = { 5, 6 };
	unsigned char labels[256], one[512], container[1024], namespace[2048], v1[3000], big[16];
	struct item label[] = { { "app", "demo", 4, false }, { "tier", "web", 3, false } };
	struct item fields[] = { { "image", "localhost/demo:1", 16, false },
				 { "labels", labels, 0, true } };
	struct item first[] = { { "a", one, 0, true } }, second[] = { { "one", one, 0, true } };
	struct item spaces[] = { { "containers", big, 16, true } };
	struct item top[] = { { "default", namespace, 0, true }, { "version", "\x06", 1, false } };
	struct item root[] = { { "v1", v1, 0, true } };

	(void)container;
	memset(image, 0, sizeof(image));
	fields[1].size = put_inline(labels, label, 2);
	first[0].size = second[0].size = put_inline(one, fields, 2);
	put_leaf(image + 5 * PAGE, 5, first, 1);
	put_leaf(image + 6 * PAGE, 6, second, 1);
	put_branch(4, keys, children, 2);
	memset(big, 0, sizeof(big));
	bolt_put(big, 4, 8);
	top[0].size = put_inline(namespace, spaces, 1);
	root[0].size = put_inline(v1, top, 2);
	put_leaf(image + 3 * PAGE, 3, root, 1);
	bolt_put_meta(image + 0 * PAGE, 2, PAGES, 7);
	bolt_put_meta(image + 1 * PAGE, 3, PAGES, 8);
}

static void store(void)
{
	assert_int_equal(file_write_atomic(path, image, sizeof(image), 0644), 0);
}

static const char *get(const char *const *keys)
{
	static char text[64];
	struct bolt_value value;
	struct bolt *bolt;
	int r = bolt_open(path, &bolt);

	if (!r) {
		r = bolt_get(bolt, keys, &value);
		bolt_close(bolt);
	}
	if (r)
		return r == -ENOENT ? "ENOENT" : r == -EINVAL ? "EINVAL" : "?";
	snprintf(text, sizeof(text), "%.*s", (int)value.size, (char *)value.data);
	bolt_value_done(&value);
	return text;
}

static int note(void *context, const unsigned char *key, size_t key_size,
		const unsigned char *value, size_t value_size)
{
	char *text = context;

	snprintf(text + strlen(text), 64 - strlen(text), "%.*s=%.*s ", (int)key_size, key,
		 (int)value_size, value);
	return 0;
}

static const char *const image_of_one[] = { "v1", "default", "containers", "one", "image", NULL };

static void test_reads(void **state)
{
	const char *const missing[] = { "v1", "default", "containers", "two", "image", NULL };
	const char *const beyond[] = { "v1", "version", "x", NULL };
	const char *const labels[] = { "v1", "default", "containers", "a", "labels", NULL };
	char text[64] = "";
	struct bolt *bolt;

	(void)state;
	make();
	store();
	assert_string_equal(get(image_of_one), "localhost/demo:1");
	assert_string_equal(get(missing), "ENOENT");
	assert_string_equal(get(beyond), "ENOENT");
	assert_int_equal(bolt_open(path, &bolt), 0);
	assert_int_equal(bolt_each(bolt, labels, note, text), 0);
	assert_string_equal(text, "app=demo tier=web ");
	assert_true(bolt_unchanged(bolt));
	/* another transaction: file_write_atomic() would make another file */
	bolt_put_meta(image + 0 * PAGE, 3, PAGES, 9);
	FILE *file = fopen(path, "r+");
	assert_int_equal(fwrite(image, PAGE, 1, file), 1);
	fclose(file);
	assert_false(bolt_unchanged(bolt));
	bolt_close(bolt);
	/* of two metas the newer one that is whole counts */
	image[20]++;
	store();
	assert_string_equal(get(image_of_one), "localhost/demo:1");
	image[PAGE + 20]++;
	store();
	assert_string_equal(get(image_of_one), "EINVAL");
}

/* What somebody stores may look like a meta page: it is none where it stands. */
static void test_forged(void **state)
{
	(void)state;
	make();
	bolt_put_meta(image + 2 * PAGE, 6, PAGES, 99);
	bolt_put_meta(image + 8 * PAGE, 6, PAGES, 99);
	store();
	assert_string_equal(get(image_of_one), "localhost/demo:1");
	/* nor where the first one is torn */
	memcpy(image + 2048 + 16, image + 8 * PAGE + 16, 64);
	image[20]++;
	store();
	assert_string_equal(get(image_of_one), "localhost/demo:1");
}

/* More labels than are taken make it unknown, not one without labels. */
static void test_many_labels(void **state)
{
	static unsigned char labels[20000], fields[21000];
	static char names[PAIRS_MAX + 1][8];
	struct metadata_places places = metadata_default_places;
	struct item label[PAIRS_MAX + 1], one = { "one", fields, 0, true };
	struct item field[] = { { "image", "demo", 4, false }, { "labels", labels, 0, true } };
	CLEANUP_FREE char *bundles = string_format("%s.bundles", path);
	CLEANUP_FREE char *bundle = string_format("%s/default/one/rootfs", bundles);
	CLEANUP_FREE char *config = string_format("%s/default/one/config.json", bundles);
	CLEANUP_FREE char *command = string_format("rm -rf %s", bundles);
	struct container c = { 0 };
	struct pd_error error = { .code = 0 };

	(void)state;
	places.crun = places.runc = places.docker = bundles;
	places.containerd = bundles;
	places.containerd_meta = path;
	assert_int_equal(dir_make(bundle, 0755), 0);
	assert_int_equal(file_write_atomic(config, "{\"root\":{\"path\":\"rootfs\"}}", 26, 0644),
			 0);
	for (unsigned int i = 0; i <= PAIRS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "l%04u", i);
		label[i] = (struct item){ names[i], "x", 1, false };
	}
	for (unsigned int more = 0; more < 2; more++) {
		make();
		field[1].size = put_inline(labels, label, PAIRS_MAX + more);
		one.size = put_inline(fields, field, 2);
		put_leaf(image + 6 * PAGE, 6, &one, 1);
		bolt_put(image + 6 * PAGE + 12, 5, 4);
		store();
		assert_int_equal(metadata_find(&places, "/default/one", &c, &error),
				 more ? -E2BIG : 0);
		assert_int_equal(c.labels.count, more ? 0 : PAIRS_MAX);
		if (!more)
			assert_string_equal(c.image, "demo");
	}
	container_done(&c);
	assert_int_equal(system(command), 0);
}

/* Every byte, one after the other, is another one: nothing bad happens. */
static void test_damaged(void **state)
{
	unsigned int whole = 0;

	(void)state;
	make();
	for (size_t at = 2 * PAGE; at < 7 * PAGE; at++) {
		unsigned char was = image[at];
		FILE *file;

		if (at % PAGE > 600) /* nothing is there */
			continue;
		for (unsigned int change = 1; change < 256; change *= 7) {
			image[at] = (unsigned char)(was ^ change);
			file = fopen(path, "w");
			assert_int_equal(fwrite(image, sizeof(image), 1, file), 1);
			fclose(file);
			whole += strcmp(get(image_of_one), "localhost/demo:1") == 0;
		}
		image[at] = was;
	}
	assert_true(whole > 0);
	assert_int_equal(truncate(path, 5 * PAGE), 0);
	assert_string_equal(get(image_of_one), "EINVAL");
	assert_int_equal(truncate(path, 0), 0);
	assert_string_equal(get(image_of_one), "EINVAL");
}

/* A page that leads to itself */
static void test_loop(void **state)
{
	static const char *const keys[] = { "a", "b" };
	static const uint64_t children[] = { 4, 4 };

	(void)state;
	make();
	put_branch(4, keys, children, 2);
	store();
	assert_string_equal(get(image_of_one), "EINVAL");
}

/* Few keys that take long to look through: pages of a megabyte, which lead to each other */
static void test_large(void **state)
{
	static const char *const path_of[] = { "v1", "default", "containers", NULL };
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	uint64_t up[10], down[10];
	struct bolt *bolt;
	char text[64] = "";

	(void)state;
	make();
	for (unsigned int i = 0; i < 10; i++) {
		up[i] = 5;
		down[i] = 6;
	}
	put_branch(4, names, up, 10);
	put_branch(5, names, down, 10);
	put_leaf(image + 6 * PAGE, 6, NULL, 0);
	for (unsigned int extra = 0; extra < 2; extra++) {
		if (extra)
			bolt_put(image + 6 * PAGE + 12, 255, 4);
		store();
		assert_int_equal(truncate(path, 2 << 20), 0);
		assert_int_equal(bolt_open(path, &bolt), 0);
		assert_int_equal(bolt_each(bolt, path_of, note, text), extra ? -EINVAL : 0);
		bolt_close(bolt);
	}
}

static int set_up(void **state)
{
	(void)state;
	strcpy(path, "/tmp/policyd-test.XXXXXX");
	return fd_close(mkstemp(path)) != -1;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	    cmocka_unit_test(test_forged),
		cmocka_unit_test(test_many_labels), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_loop),	    cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
