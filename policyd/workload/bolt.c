/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/workload/bolt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"

#define MAGIC 0xED0CDAEDu
#define VERSION 2u
#define PAGE_HEADER 16u
#define ELEMENT 16u
#define BUCKET_HEADER 16u
#define FLAG_BRANCH 0x01u
#define FLAG_LEAF 0x02u
#define ELEMENT_BUCKET 0x01u
#define PAGE_BYTES_MAX (4u << 20)
#define DEPTH_MAX 32
#define KEYS_MAX 65536u
#define WALK_BYTES_MAX (64u << 20) /* of pages, to look through one bucket */

struct bolt {
	int fd;
	uint32_t page_size;
	uint64_t root, pages, txid;
};

/* A page in memory, or the page that is part of a small bucket's value */
struct page {
	unsigned char *memory; /* to be freed; NULL: a part of something else */
	const unsigned char *data;
	size_t size;
	unsigned int flags, count;
};

static uint64_t number(const unsigned char *at, unsigned int bytes)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < bytes; i++)
		n |= (uint64_t)at[i] << 8 * i;
	return n;
}

/* ---- meta ------------------------------------------------------------------------------------ */

#define META_BYTES 64u /* up to and with the checksum */

static bool meta_is_whole(const unsigned char *meta)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (unsigned int i = 0; i < META_BYTES - 8; i++)
		hash = (hash ^ meta[i]) * 0x100000001b3u;
	return number(meta, 4) == MAGIC && number(meta + 4, 4) == VERSION &&
	       number(meta + META_BYTES - 8, 8) == hash;
}

static bool take_meta(int fd, uint32_t at, struct bolt *ret)
{
	unsigned char meta[META_BYTES];
	uint32_t page_size;

	if (pread(fd, meta, sizeof(meta), (off_t)at + PAGE_HEADER) != sizeof(meta) ||
	    !meta_is_whole(meta))
		return false;
	page_size = (uint32_t)number(meta + 8, 4);
	/* The second is the second page: elsewhere it is what somebody has stored. */
	if (page_size < 512 || page_size > 65536 || (at && page_size != at))
		return false;
	ret->page_size = page_size;
	ret->root = number(meta + 16, 8);
	ret->pages = number(meta + 40, 8);
	ret->txid = number(meta + 48, 8);
	return true;
}

/* The newer of the two that is whole. Where the first one is torn, the page size is guessed. */
static int read_meta(int fd, struct bolt *ret)
{
	struct bolt first = { 0 }, second = { 0 };

	if (take_meta(fd, 0, &first)) {
		if (!take_meta(fd, first.page_size, &second) || second.txid < first.txid)
			second = first;
	} else {
		for (uint32_t size = 512; size <= 65536 && !second.page_size; size *= 2)
			take_meta(fd, size, &second);
	}
	if (!second.page_size)
		return -EINVAL;
	ret->page_size = second.page_size;
	ret->root = second.root;
	ret->pages = second.pages;
	ret->txid = second.txid;
	return 0;
}

int bolt_open(const char *path, struct bolt **ret_bolt)
{
	struct bolt *bolt = calloc(1, sizeof(*bolt));
	int r;

	if (!bolt)
		return -ENOMEM;
	bolt->fd = file_open_roots(path);
	r = bolt->fd < 0 ? bolt->fd : read_meta(bolt->fd, bolt);
	if (r) {
		bolt_close(bolt);
		return r;
	}
	*ret_bolt = bolt;
	return 0;
}

void bolt_close(struct bolt *bolt)
{
	if (bolt)
		fd_close(bolt->fd);
	free(bolt);
}

bool bolt_unchanged(const struct bolt *bolt)
{
	struct bolt now = { 0 };

	return !read_meta(bolt->fd, &now) && now.txid == bolt->txid;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static int take_page(const unsigned char *data, size_t size, struct page *page)
{
	if (size < PAGE_HEADER)
		return -EINVAL;
	page->data = data;
	page->size = size;
	page->flags = (unsigned int)number(data + 8, 2);
	page->count = (unsigned int)number(data + 10, 2);
	if (!(page->flags & (FLAG_BRANCH | FLAG_LEAF)) ||
	    page->count > (size - PAGE_HEADER) / ELEMENT)
		return -EINVAL;
	return 0;
}

static int load_page(const struct bolt *bolt, uint64_t id, struct page *page)
{
	unsigned char head[PAGE_HEADER];
	off_t at = (off_t)(id * bolt->page_size);
	size_t size;
	int r;

	if (id < 2 || id >= bolt->pages || id > INT64_MAX / 65536 ||
	    pread(bolt->fd, head, sizeof(head), at) != sizeof(head) || number(head, 8) != id)
		return -EINVAL;
	size = ((size_t)number(head + 12, 4) + 1) * bolt->page_size;
	if (size > PAGE_BYTES_MAX)
		return -EINVAL;
	page->memory = malloc(size);
	if (!page->memory)
		return -ENOMEM;
	r = pread(bolt->fd, page->memory, size, at) == (ssize_t)size ?
		    take_page(page->memory, size, page) :
		    -EINVAL;
	if (r)
		free(page->memory);
	return r;
}

struct element {
	const unsigned char *key, *value; /* value: of a leaf */
	size_t key_size, value_size;
	uint64_t child; /* of a branch */
	bool bucket;
};

static int element_at(const struct page *page, unsigned int index, struct element *ret)
{
	const unsigned char *at = page->data + PAGE_HEADER + (size_t)index * ELEMENT;
	bool leaf = page->flags & FLAG_LEAF;
	size_t room = page->size - (size_t)(at - page->data);
	size_t pos = number(at + (leaf ? 4 : 0), 4);

	ret->key_size = number(at + (leaf ? 8 : 4), 4);
	ret->value_size = leaf ? number(at + 12, 4) : 0;
	if (pos > room || ret->key_size > room - pos ||
	    ret->value_size > room - pos - ret->key_size)
		return -EINVAL;
	ret->key = at + pos;
	ret->value = ret->key + ret->key_size;
	ret->child = leaf ? 0 : number(at + 8, 8);
	ret->bucket = leaf && number(at, 4) & ELEMENT_BUCKET;
	return 0;
}

static int compare(const struct element *element, const char *key, size_t size)
{
	size_t least = element->key_size < size ? element->key_size : size;
	int r = memcmp(element->key, key, least);

	return r ? r : (element->key_size > size) - (element->key_size < size);
}

/* ---- buckets --------------------------------------------------------------------------------- */

/* A bucket's value: where its first page is, which may follow at once. */
static int bucket_page(const struct bolt *bolt, const struct bolt_value *bucket, struct page *page)
{
	uint64_t root;

	if (bucket->size < BUCKET_HEADER)
		return -EINVAL;
	root = number(bucket->data, 8);
	if (root)
		return load_page(bolt, root, page);
	return take_page(bucket->data + BUCKET_HEADER, bucket->size - BUCKET_HEADER, page);
}

static int copy_value(const struct element *element, struct bolt_value *ret)
{
	ret->data = malloc(element->value_size + 1);
	if (!ret->data)
		return -ENOMEM;
	memcpy(ret->data, element->value, element->value_size);
	ret->data[element->value_size] = '\0';
	ret->size = element->value_size;
	ret->bucket = element->bucket;
	return 0;
}

/* In a leaf the key itself; in a branch the last that is not behind it. 1: go on in *ret_child */
static int find_in_page(const struct page *page, const char *key, size_t size, uint64_t *ret_child,
			struct bolt_value *ret)
{
	struct element element;
	int r;

	*ret_child = 0;
	for (unsigned int i = 0; i < page->count; i++) {
		int order;

		r = element_at(page, i, &element);
		if (r)
			return r;
		order = compare(&element, key, size);
		if (page->flags & FLAG_LEAF) {
			if (!order)
				return copy_value(&element, ret);
		} else if (order <= 0 || !i) {
			*ret_child = element.child;
		} else {
			break;
		}
	}
	return page->flags & FLAG_BRANCH && *ret_child ? 1 : -ENOENT;
}

static int find_key(const struct bolt *bolt, const struct bolt_value *bucket, const char *key,
		    struct bolt_value *ret)
{
	struct page page = { 0 };
	uint64_t child;
	int r = bucket_page(bolt, bucket, &page);

	for (int depth = 0; !r && depth < DEPTH_MAX; depth++) {
		r = find_in_page(&page, key, strlen(key), &child, ret);
		free(page.memory);
		if (r != 1)
			return r;
		page = (struct page){ 0 };
		r = load_page(bolt, child, &page);
	}
	if (!r)
		free(page.memory);
	return r ? r : -EINVAL;
}

int bolt_get(const struct bolt *bolt, const char *const *path, struct bolt_value *ret)
{
	unsigned char root[BUCKET_HEADER] = { 0 };
	struct bolt_value here = { .data = root, .size = sizeof(root), .bucket = true };
	int r = 0;

	for (unsigned int i = 0; i < 8; i++)
		root[i] = (unsigned char)(bolt->root >> 8 * i);
	for (; !r && *path; path++) {
		struct bolt_value next = { 0 };

		r = here.bucket ? find_key(bolt, &here, *path, &next) : -ENOENT;
		if (here.data != root)
			bolt_value_done(&here);
		here = next;
	}
	if (r)
		return r;
	if (here.data == root)
		return -EINVAL;
	*ret = here;
	return 0;
}

struct walk {
	const struct bolt *bolt;
	int (*fn)(void *context, const unsigned char *key, size_t key_size,
		  const unsigned char *value, size_t value_size);
	void *context;
	unsigned int seen;
	size_t bytes; /* of the pages loaded */
};

static int walk_page(struct walk *walk, const struct page *page, int depth)
{
	struct element element;
	int r = 0;

	for (unsigned int i = 0; !r && i < page->count; i++) {
		r = element_at(page, i, &element);
		if (r || ++walk->seen > KEYS_MAX || depth > DEPTH_MAX)
			return r ? r : -EINVAL;
		if (page->flags & FLAG_BRANCH) {
			struct page child = { 0 };

			r = load_page(walk->bolt, element.child, &child);
			walk->bytes += child.size;
			if (!r) {
				r = walk->bytes > WALK_BYTES_MAX ?
					    -EINVAL :
					    walk_page(walk, &child, depth + 1);
				free(child.memory);
			}
		} else if (!element.bucket) {
			r = walk->fn(walk->context, element.key, element.key_size, element.value,
				     element.value_size);
		}
	}
	return r;
}

int bolt_each(const struct bolt *bolt, const char *const *path,
	      int (*fn)(void *context, const unsigned char *key, size_t key_size,
			const unsigned char *value, size_t value_size),
	      void *context)
{
	struct walk walk = { .bolt = bolt, .fn = fn, .context = context };
	struct bolt_value bucket = { 0 };
	struct page page = { 0 };
	int r = bolt_get(bolt, path, &bucket);

	if (!r)
		r = bucket.bucket ? bucket_page(bolt, &bucket, &page) : -ENOENT;
	if (!r) {
		r = walk_page(&walk, &page, 0);
		free(page.memory);
	}
	bolt_value_done(&bucket);
	return r;
}

void bolt_value_done(struct bolt_value *value)
{
	free(value->data);
	*value = (struct bolt_value){ 0 };
}
