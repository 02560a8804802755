/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers by their cgroups' names, and by what policies ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/policy/parse.h"
#include "policyd/workload/recognise.h"
#include "policyd/workload/select.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- names of cgroups ------------------------------------------------------------------------ */

static void test_recognise(void **state)
{
	static const struct {
		const char *path, *own, *id;
		enum runtime runtime;
	} cases[] = {
		{ "/system.slice/docker-" ID ".scope", NULL, ID, RUNTIME_DOCKER },
		{ "/system.slice/docker-" ID ".scope/container/x",
		  "/system.slice/docker-" ID ".scope", ID, RUNTIME_DOCKER },
		{ "/docker/" ID, NULL, ID, RUNTIME_DOCKER },
		{ "/docker/" ID "/docker/" ID, "/docker/" ID, ID, RUNTIME_DOCKER },
		{ "/machine.slice/libpod-" ID ".scope/container",
		  "/machine.slice/libpod-" ID ".scope", ID, RUNTIME_PODMAN },
		{ "/machine.slice/machine-libpod_pod_ab.slice/libpod-" ID ".scope", NULL, ID,
		  RUNTIME_PODMAN },
		{ "/libpod_parent/libpod-" ID, NULL, ID, RUNTIME_PODMAN },
		{ "/system.slice/web.service/libpod-payload-" ID "/container",
		  "/system.slice/web.service/libpod-payload-" ID, ID, RUNTIME_PODMAN },
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
		  ".scope/container",
		  "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
		  ID, RUNTIME_PODMAN },
		{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podab_c.slice/"
		  "cri-containerd-" ID ".scope",
		  NULL, ID, RUNTIME_CONTAINERD },
		{ "/kubepods/besteffort/pod12-34/" ID, NULL, ID, RUNTIME_CONTAINERD },
		{ "/kubepods.slice/kubepods-podab.slice/crio-" ID ".scope", NULL, ID,
		  RUNTIME_CRIO },
		{ "/kubepods/pod12/crio-" ID, NULL, ID, RUNTIME_CRIO },
		{ "/system.slice/runc-web.scope", NULL, "web", RUNTIME_RUNC },
		{ "/system.slice/crun-web.scope/container", "/system.slice/crun-web.scope", "web",
		  RUNTIME_CRUN },
		{ "/lxc.payload.web/init.scope", "/lxc.payload.web", "web", RUNTIME_LXC },
		{ "/machine.slice/machine-my\\x2dbox.scope/payload/system.slice/x.service",
		  "/machine.slice/machine-my\\x2dbox.scope/payload", "my-box", RUNTIME_NSPAWN },
		{ "/machine.slice/systemd-nspawn@box.service/payload", NULL, "box",
		  RUNTIME_NSPAWN },
		{ "/machine.slice/my\\x2dbox.scope/payload/x",
		  "/machine.slice/my\\x2dbox.scope/payload", "my-box", RUNTIME_NSPAWN },
		{ "/default/web", NULL, "web", RUNTIME_NONE },
		{ "/system.slice/nix-daemon.service/build", NULL, "build", RUNTIME_NONE },
		/* not what they look like */
		{ "/system.slice/docker-short.scope/x", NULL, "x", RUNTIME_NONE },
		{ "/system.slice/docker-short.scope", NULL, "docker-short.scope", RUNTIME_NONE },
		{ "/system.slice/my-box.scope", NULL, "my-box.scope", RUNTIME_NONE },
		{ "/system.slice/nerdctl-" ID ".scope", NULL, ID, RUNTIME_CONTAINERD },
		{ "/system.slice/libpod-conmon-" ID ".scope/x", NULL, "x", RUNTIME_NONE },
		{ "/machine.slice/machine-qemu.scope/libvirt/payload", NULL, "payload",
		  RUNTIME_NONE },
		{ "/machine.slice/machine-a\\x2fb.scope/payload", NULL, "payload", RUNTIME_NONE },
		{ "/machine.slice/box.scope/x/payload", NULL, "payload", RUNTIME_NONE },
		{ "/system.slice/box.scope/payload", NULL, "payload", RUNTIME_NONE },
		{ "/system.slice/web.service/payload", NULL, "payload", RUNTIME_NONE },
		{ "/system.slice/web.service/libpod-payload-short", NULL, "libpod-payload-short",
		  RUNTIME_NONE },
		{ "/" ID, NULL, ID, RUNTIME_NONE },
	};
	static const char *const none[] = { "/",
					    "",
					    "/user.slice/app-x.scope",
					    "/system.slice/run-r1.scope",
					    "/init.scope",
					    "/user.slice/user-0.slice/session-1.scope" };
	struct recognised r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *own = cases[i].own ? cases[i].own : cases[i].path;

		if (!recognise(cases[i].path, &r) || r.runtime != cases[i].runtime ||
		    strcmp(r.id, cases[i].id) != 0 || r.length != strlen(own) ||
		    strncmp(own, cases[i].path, r.length) != 0)
			fail_msg("%s: %d %s %zu", cases[i].path, r.runtime, r.id, r.length);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (recognise(none[i], &r))
			fail_msg("%s is no container's", none[i]);
}

#define TOLD(fact) (1u << FACT_##fact)

/* ---- what policies ask for ------------------------------------------------------------------- */

static void test_image(void **state)
{
	static const struct {
		const char *pattern, *image;
		int expected;
	} cases[] = {
		{ "nginx", "nginx", 1 },
		{ "nginx", "docker.io/library/nginx:1.25", 1 },
		{ "nginx:1.*", "docker.io/library/nginx:1.25", 1 },
		{ "docker.io/library/nginx:*", "nginx", 1 },
		{ "docker.io/library/nginx:latest", "nginx", 1 },
		{ "docker.io/nginx", "nginx", 1 },
		{ "library/nginx", "nginx:1", 1 },
		{ "docker.io/library/nginx", "docker.io/nginx", 1 },
		{ "nginx:2*", "nginx:1.25", 0 },
		{ "nginx", "nginx-extra", 0 },
		{ "nginx", "evil.example/library/nginx", 0 },
		{ "docker.io/**", "evil.example/nginx", 0 },
		{ "shop/web", "registry.example:5000/shop/web:7", 1 },
		{ "registry.example:5000/shop/*", "registry.example:5000/shop/web:7", 1 },
		{ "registry.example:5000/**", "registry.example:5000/shop/web:7", 1 },
		{ "web:7", "registry.example:5000/shop/web:7", 0 },
		{ "localhost/img", "localhost/img:latest", 1 },
		{ "img", "localhost/img:latest", 1 },
		{ "nginx@sha256:ab", "nginx@sha256:ab", 1 },
		{ "nginx:1@sha256:ab", "docker.io/library/nginx:1@sha256:ab", 1 },
		{ "nginx:latest", "nginx@sha256:ab", 0 },
		{ "nginx", "nginx@sha256:ab", 1 },
		{ "sha256:ab", "sha256:ab", 1 },
		{ "docker.io/library/nginx", "index.docker.io/library/nginx:1", 1 },
		{ "nginx:1", "index.docker.io/library/nginx:1", 1 },
		{ "index.docker.io/library/nginx:*", "nginx:1", 1 },
		{ "index.docker.io/shop/web", "docker.io/shop/web:1", 1 },
		{ "index.docker.io/nginx", "evil.example/nginx", 0 },
		{ "nginx", "index.docker.io.evil.example/nginx", 1 },
		{ "docker.io/nginx", "index.docker.io.evil.example/nginx", 0 },
		{ "*", "anything", 1 },
		{ "*", "", 1 },
		{ "a", ":::@@//", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (select_image(cases[i].pattern, cases[i].image) != cases[i].expected)
			fail_msg("%s against %s is not %d", cases[i].pattern, cases[i].image,
				 cases[i].expected);
}

static char untold[256];

static void note(void *context, const struct unanswered *what)
{
	(void)context;
	snprintf(untold + strlen(untold), sizeof(untold) - strlen(untold), "%s:%s ",
		 what->selector->policy, fact_name(what->fact));
}

static const char *chosen(const struct selectors *selectors, const struct container *c)
{
	static char text[256];
	const char **names;

	text[0] = untold[0] = '\0';
	assert_int_equal(select_policies(selectors, c, &names, note, NULL), 0);
	for (size_t i = 0; names[i]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", names[i]);
	free(names);
	return text;
}

static void test_select(void **state)
{
	static const char text[] =
		"version: 1\nname: everyone\nmatch: [{container: \"*\"}]\ndefault: deny\n"
		"---\nversion: 1\nname: web\nmatch: [{image: nginx, label: {app: \"w*\"}}, "
		"{pod: web}]\ndefault: deny\n"
		"---\nversion: 1\nname: slice\nmatch: [{cgroup: /machine.slice/**}]\ndefault: "
		"deny\n"
		"---\nversion: 1\nname: program\nmatch: [{exe: /x}]\ndefault: deny\n"
		"---\nversion: 1\nname: run\nmatch: [{runtime: crun, annotation: {k: v}}]\n"
		"default: deny\n";
	struct parse_options options = { .trust_files = true };
	struct selectors selectors = { 0 };
	struct container c = { .cgroup = (char *)"/machine.slice/libpod-1.scope",
			       .runtime = RUNTIME_PODMAN,
			       .id = (char *)"1",
			       .told = TOLD(NAME) | TOLD(IMAGE) };
	struct policy **policies;
	struct pd_error error;
	size_t count;

	(void)state;
	assert_int_equal(parse_text("t", text, sizeof(text) - 1, &options, NULL, &policies, &count,
				    &error),
			 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(selectors_add(&selectors, policies[i]), 0);
		policy_free(policies[i]);
	}
	free(policies);
	assert_true(selectors.any && selectors.any_enforced);
	assert_int_equal(selectors.count, 4);
	assert_string_equal(chosen(&selectors, &c), "slice "); /* it has no name */
	assert_string_equal(untold, "web:pod ");
	c.name = (char *)"a";
	c.image = (char *)"docker.io/library/nginx:1";
	assert_string_equal(chosen(&selectors, &c), "everyone slice ");
	assert_string_equal(untold, "web:label web:pod ");
	/* perhaps its name: it may match, but not speak against others */
	c.told &= ~TOLD(IMAGE);
	assert_string_equal(chosen(&selectors, &c), "everyone slice ");
	assert_string_equal(untold, "web:label web:pod ");
	c.image = (char *)"01";
	assert_string_equal(chosen(&selectors, &c), "everyone slice ");
	assert_string_equal(untold, "web:image web:pod ");
	c.image = (char *)"docker.io/library/nginx:1";
	c.told |= TOLD(IMAGE) | TOLD(LABELS) | TOLD(POD);
	assert_string_equal(chosen(&selectors, &c), "everyone slice ");
	assert_string_equal(untold, "");
	assert_int_equal(pairs_add(&c.labels, "app", "web"), 0);
	c.runtime = RUNTIME_CRUN;
	c.cgroup = (char *)"/web";
	assert_string_equal(chosen(&selectors, &c), "everyone web ");
	assert_string_equal(untold, "run:annotation ");
	pairs_done(&c.labels);
	selectors_done(&selectors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recognise),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
