/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The customs are those of research on Debian 12's runtimes, both cgroup drivers; cri-o's from its documents. */
#include "policyd/workload/recognise.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct component {
	const char *text;
	size_t length;
};

static bool begins(const struct component *c, const char *prefix)
{
	size_t n = strlen(prefix);

	return c->length > n && strncmp(c->text, prefix, n) == 0;
}

static bool ends(const struct component *c, const char *suffix)
{
	size_t n = strlen(suffix);

	return c->length > n && strncmp(c->text + c->length - n, suffix, n) == 0;
}

static bool is(const struct component *c, const char *name)
{
	return c->length == strlen(name) && strncmp(c->text, name, c->length) == 0;
}

/* As in lsm/bind.bpf.c: of scopes those that systemd's own tools make */
static bool is_unit(const struct component *c)
{
	static const char *const suffixes[] = { ".slice", ".service", ".socket", ".mount",
						".swap" };
	static const char *const scopes[] = { "session-", "init.", "app-", "run-" };

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (begins(c, scopes[i]) && ends(c, ".scope"))
			return true;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (ends(c, suffixes[i]))
			return true;
	return false;
}

bool recognise_is_long_id(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return length == 64;
}

static bool take_id(struct recognised *ret, enum runtime runtime, const char *text, size_t length)
{
	if (!length || length >= sizeof(ret->id))
		return false;
	ret->runtime = runtime;
	memcpy(ret->id, text, length);
	ret->id[length] = '\0';
	return true;
}

/* systemd writes '-' in a name as \x2d. */
static bool take_escaped(struct recognised *ret, enum runtime runtime, const char *text,
			 size_t length)
{
	size_t used = 0;

	if (!take_id(ret, runtime, text, length))
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned int byte;

		if (text[i] == '\\' && i + 3 < length && text[i + 1] == 'x' &&
		    isxdigit((unsigned char)text[i + 2]) && isxdigit((unsigned char)text[i + 3])) {
			char digits[3] = { text[i + 2], text[i + 3], '\0' };

			byte = (unsigned int)strtoul(digits, NULL, 16);
			i += 3;
		} else {
			byte = (unsigned char)text[i];
		}
		if (!byte || byte == '/')
			return false;
		ret->id[used++] = (char)byte;
	}
	ret->id[used] = '\0';
	return true;
}

/* PREFIX-ID.scope, as the systemd driver of runc and crun makes them */
static bool scope(const struct component *c, const char *prefix, enum runtime runtime, bool long_id,
		  struct recognised *ret)
{
	size_t n = strlen(prefix);
	size_t length;

	if (!begins(c, prefix) || !ends(c, ".scope"))
		return false;
	length = c->length - n - strlen(".scope");
	return (!long_id || recognise_is_long_id(c->text + n, length)) &&
	       take_id(ret, runtime, c->text + n, length);
}

static bool by_scope(const struct component *c, struct recognised *ret)
{
	return scope(c, "docker-", RUNTIME_DOCKER, true, ret) ||
	       scope(c, "libpod-", RUNTIME_PODMAN, true, ret) ||
	       scope(c, "cri-containerd-", RUNTIME_CONTAINERD, true, ret) ||
	       scope(c, "nerdctl-", RUNTIME_CONTAINERD, true, ret) ||
	       scope(c, "crio-", RUNTIME_CRIO, true, ret) ||
	       scope(c, "crun-", RUNTIME_CRUN, false, ret) ||
	       scope(c, "runc-", RUNTIME_RUNC, false, ret);
}

/* The cgroupfs drivers, by what a cgroup is called and the one above it */
static bool by_folder(const struct component *above, const struct component *c, bool in_kubernetes,
		      struct recognised *ret)
{
	if (begins(c, "lxc.payload."))
		return take_id(ret, RUNTIME_LXC, c->text + strlen("lxc.payload."),
			       c->length - strlen("lxc.payload."));
	if (begins(c, "libpod-payload-") && recognise_is_long_id(c->text + 15, c->length - 15))
		return take_id(ret, RUNTIME_PODMAN, c->text + 15, c->length - 15);
	if (begins(c, "libpod-") && recognise_is_long_id(c->text + 7, c->length - 7))
		return take_id(ret, RUNTIME_PODMAN, c->text + 7, c->length - 7);
	if (begins(c, "crio-") && recognise_is_long_id(c->text + 5, c->length - 5))
		return take_id(ret, RUNTIME_CRIO, c->text + 5, c->length - 5);
	if (!recognise_is_long_id(c->text, c->length))
		return false;
	if (is(above, "docker"))
		return take_id(ret, RUNTIME_DOCKER, c->text, c->length);
	return in_kubernetes && take_id(ret, RUNTIME_CONTAINERD, c->text, c->length);
}

/* nspawn's container is the part called payload of its unit, which it names itself if it does not register it. */
static bool by_machine(const struct component *above, const struct component *c, bool in_machines,
		       struct recognised *ret)
{
	static const char template[] = "systemd-nspawn@";

	if (!is(c, "payload"))
		return false;
	if (begins(above, "machine-") && ends(above, ".scope"))
		return take_escaped(ret, RUNTIME_NSPAWN, above->text + strlen("machine-"),
				    above->length - strlen("machine-") - strlen(".scope"));
	if (begins(above, template) && ends(above, ".service"))
		return take_escaped(ret, RUNTIME_NSPAWN, above->text + strlen(template),
				    above->length - strlen(template) - strlen(".service"));
	return in_machines && ends(above, ".scope") &&
	       take_escaped(ret, RUNTIME_NSPAWN, above->text, above->length - strlen(".scope"));
}

/* A folder of engines' containers, or a slice: what bears another name may be a container of its own. */
static bool is_engines(const struct component *c, bool in_kubernetes)
{
	if (in_kubernetes && (begins(c, "kubepods") || is(c, "kubepods") || begins(c, "pod") ||
			      is(c, "besteffort") || is(c, "burstable")))
		return true;
	return ends(c, ".slice") || is(c, "docker") || is(c, "libpod_parent");
}

bool recognise(const char *path, struct recognised *ret)
{
	struct component above = { "", 0 };
	bool in_kubernetes = false, in_machines = false, foreign = false, claimable = false;

	for (const char *at = path; *at == '/' && at[1];) {
		struct component c = { .text = at + 1, .length = strcspn(at + 1, "/") };

		ret->above = claimable ? (size_t)(at - path) : 0;
		at = c.text + c.length;
		ret->length = (size_t)(at - path);
		if (by_scope(&c, ret) || by_machine(&above, &c, in_machines, ret) ||
		    by_folder(&above, &c, in_kubernetes, ret))
			return true;
		foreign |= !is_unit(&c);
		if (begins(&c, "kubepods") || is(&c, "kubepods"))
			in_kubernetes = true;
		in_machines = is(&above, "machine.slice");
		claimable |= !is_engines(&c, in_kubernetes);
		above = c;
	}
	return foreign && take_id(ret, RUNTIME_NONE, above.text, above.length);
}
