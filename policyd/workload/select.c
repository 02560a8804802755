/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/workload/select.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/array.h"
#include "policyd/base/fd.h"
#include "policyd/policy/glob.h"

/* ---- selectors ------------------------------------------------------------------------------- */

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int copy_pairs(struct policy_pair **to, size_t *to_count, const struct policy_pair *from,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct policy_pair *pair = array_append((void *)to, to_count, sizeof(*pair));

		if (!pair || copy_text(&pair->key, from[i].key) ||
		    copy_text(&pair->value, from[i].value))
			return -ENOMEM;
	}
	return 0;
}

static int copy_match(struct policy_match *to, const struct policy_match *from)
{
	to->place = from->place;
	if (copy_text(&to->cgroup, from->cgroup) || copy_text(&to->image, from->image) ||
	    copy_text(&to->container, from->container) || copy_text(&to->pod, from->pod) ||
	    copy_text(&to->namespace, from->namespace) || copy_text(&to->runtime, from->runtime) ||
	    copy_pairs(&to->labels, &to->label_count, from->labels, from->label_count))
		return -ENOMEM;
	return copy_pairs(&to->annotations, &to->annotation_count, from->annotations,
			  from->annotation_count);
}

int selectors_add(struct selectors *selectors, const struct policy *policy)
{
	struct selector *selector = NULL;

	for (size_t i = 0; i < policy->match_count; i++) {
		const struct policy_match *match = &policy->matches[i];
		struct policy_match *copy;

		if (match->exe)
			continue;
		if (!selector) {
			selector = array_append((void *)&selectors->items, &selectors->count,
						sizeof(*selector));
			if (!selector || copy_text(&selector->policy, policy->name) ||
			    copy_text(&selector->file, policy->files[0]))
				return -ENOMEM;
			selector->enforce = policy->mode == POLICY_ENFORCE;
		}
		copy = array_append((void *)&selector->matches, &selector->count, sizeof(*copy));
		if (!copy || copy_match(copy, match))
			return -ENOMEM;
		if (policy_match_asks_runtime(match)) {
			selectors->any = true;
			selectors->any_enforced |= selector->enforce;
		}
	}
	return 0;
}

void selectors_done(struct selectors *selectors)
{
	for (size_t i = 0; i < selectors->count; i++) {
		struct selector *selector = &selectors->items[i];

		for (size_t k = 0; k < selector->count; k++)
			policy_match_done(&selector->matches[k]);
		free(selector->matches);
		free(selector->policy);
		free(selector->file);
	}
	free(selectors->items);
	*selectors = (struct selectors){ 0 };
}

/* ---- images ---------------------------------------------------------------------------------- */

/* REGISTRY/PATH:TAG@DIGEST. Pointers into one text, each part of the given length. */
struct image_name {
	const char *registry, *path, *tag, *digest;
	int registry_length, path_length, tag_length, digest_length;
};

/* What comes before the first '/' is a registry when it could be a host (the distribution project's rule). */
static bool is_registry(const char *text, size_t length)
{
	return memchr(text, '.', length) || memchr(text, ':', length) ||
	       (length == 9 && !strncmp(text, "localhost", 9));
}

static void split_image(const char *image, struct image_name *ret)
{
	const char *end = image + strcspn(image, "@"), *slash = strchr(image, '/'), *tag = NULL;

	*ret = (struct image_name){ .registry = "docker.io", .registry_length = 9 };
	if (*end) {
		ret->digest = end + 1;
		ret->digest_length = (int)strlen(end + 1);
	}
	if (slash && slash < end && is_registry(image, (size_t)(slash - image))) {
		/* docker.io's other name, which the same images have */
		if (strncmp(image, "index.docker.io/", 16) != 0) {
			ret->registry = image;
			ret->registry_length = (int)(slash - image);
		}
		image = slash + 1;
	}
	for (const char *at = image; at < end; at++)
		if (*at == ':')
			tag = at;
		else if (*at == '/')
			tag = NULL;
	ret->path = image;
	ret->path_length = (int)((tag ? tag : end) - image);
	if (tag) {
		ret->tag = tag + 1;
		ret->tag_length = (int)(end - tag - 1);
	} else if (!ret->digest) {
		ret->tag = "latest";
		ret->tag_length = 6;
	}
}

static int match_text(const char *pattern, const char *text)
{
	return glob_match(pattern, strlen(pattern), text, strlen(text));
}

/* With this beginning, and with and without tag and digest */
static int match_ends(const char *pattern, const char *begin, int begin_length,
		      const struct image_name *name)
{
	int r = 0;

	for (int ends = 0; ends < 4 && !r; ends++) {
		CLEANUP_FREE char *text = NULL;
		bool tag = ends & 1, digest = ends & 2;

		if ((tag && !name->tag) || (digest && !name->digest))
			continue;
		text = string_format("%.*s%s%.*s%s%.*s%s%.*s", begin_length, begin,
				     begin_length ? "/" : "", name->path_length, name->path,
				     tag ? ":" : "", tag ? name->tag_length : 0,
				     tag ? name->tag : "", digest ? "@" : "",
				     digest ? name->digest_length : 0, digest ? name->digest : "");
		r = text ? match_text(pattern, text) : -ENOMEM;
	}
	return r;
}

static int match_image(const char *pattern, const char *image)
{
	static const char library[] = "library/";
	const int skip = sizeof(library) - 1;
	struct image_name name;
	bool official;
	int r;

	split_image(image, &name);
	official = name.registry_length == 9 && !strncmp(name.registry, "docker.io", 9);
	r = match_ends(pattern, name.registry, name.registry_length, &name);
	if (!r)
		r = match_ends(pattern, "", 0, &name);
	if (r || !official)
		return r;
	/* Docker's official images have no folder, or one called library. */
	if (name.path_length > skip && !strncmp(name.path, library, (size_t)skip)) {
		name.path += skip;
		name.path_length -= skip;
		r = match_ends(pattern, "", 0, &name);
		return r ? r : match_ends(pattern, "docker.io", 9, &name);
	}
	if (memchr(name.path, '/', (size_t)name.path_length))
		return 0;
	r = match_ends(pattern, "library", 7, &name);
	return r ? r : match_ends(pattern, "docker.io/library", 17, &name);
}

int select_image(const char *pattern, const char *image)
{
	static const char index[] = "index.docker.io/";
	const size_t begin = strlen("index.");

	/* docker.io's other name, as split_image() has it */
	if (strncmp(pattern, index, sizeof(index) - 1) == 0)
		pattern += begin;
	return match_image(pattern, image);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* 1: matches, 0: does not, -1: cannot be told, or a negative errno other than that */
#define UNTOLD (-1)

static int match_fact(const struct container *c, enum fact fact, const char *pattern,
		      const char *value)
{
	int r = 0;

	if (!pattern)
		return 1;
	if (value)
		r = fact == FACT_IMAGE ? select_image(pattern, value) : match_text(pattern, value);
	return r || c->told >> fact & 1 ? r : UNTOLD;
}

static int match_pairs(const struct container *c, enum fact fact, const struct policy_pair *wanted,
		       size_t count, const struct pairs *pairs)
{
	if (count && !(c->told >> fact & 1))
		return UNTOLD;
	for (size_t i = 0; i < count; i++) {
		const char *value = pairs_get(pairs, wanted[i].key);
		int r = value ? match_text(wanted[i].value, value) : 0;

		if (r != 1)
			return r;
	}
	return 1;
}

/* As match_fact(), for all keys; *ret_fact: the first that cannot be told, when all others match */
static int match_entry(const struct policy_match *m, const struct container *c, enum fact *ret_fact)
{
	const char *runtime = runtime_name(c->runtime);
	int results[FACT_COUNT], untold = -1, r = 1;

	if (m->cgroup)
		r = glob_match_name(m->cgroup, strlen(m->cgroup), c->cgroup, strlen(c->cgroup),
				    GLOB_BELOW);
	if (r == 1 && m->runtime)
		r = match_text(m->runtime, runtime);
	if (r != 1)
		return r;
	results[FACT_NAME] = match_fact(c, FACT_NAME, m->container, c->name);
	results[FACT_IMAGE] = match_fact(c, FACT_IMAGE, m->image, c->image);
	results[FACT_POD] = match_fact(c, FACT_POD, m->pod, c->pod);
	results[FACT_NAMESPACE] = match_fact(c, FACT_NAMESPACE, m->namespace, c->namespace);
	results[FACT_LABELS] = match_pairs(c, FACT_LABELS, m->labels, m->label_count, &c->labels);
	results[FACT_ANNOTATIONS] = match_pairs(c, FACT_ANNOTATIONS, m->annotations,
						m->annotation_count, &c->annotations);
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		if (results[fact] != 1 && results[fact] != UNTOLD)
			return results[fact];
		if (results[fact] == UNTOLD && untold < 0)
			untold = fact;
	}
	if (untold < 0)
		return 1;
	*ret_fact = (enum fact)untold;
	return UNTOLD;
}

int select_policies(const struct selectors *selectors, const struct container *c,
		    const char ***ret_names,
		    void (*unanswered)(void *context, const struct unanswered *what), void *context)
{
	const char **names = calloc(selectors->count + 1, sizeof(*names));
	size_t used = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < selectors->count; i++) {
		const struct selector *selector = &selectors->items[i];
		bool found = false;

		for (size_t k = 0; k < selector->count && !found; k++) {
			struct unanswered what = { .selector = selector,
						   .place = selector->matches[k].place };
			int r = match_entry(&selector->matches[k], c, &what.fact);

			if (r == UNTOLD && unanswered)
				unanswered(context, &what);
			if (r < UNTOLD) {
				free(names);
				return r;
			}
			found = r == 1;
		}
		if (found)
			names[used++] = selector->policy;
	}
	*ret_names = names;
	return 0;
}
