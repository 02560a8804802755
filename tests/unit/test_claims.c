/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers that are not told by the name of their cgroup, or not by it alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "tests/unit/stores.h"

/* A bundle that is an engine's: it is the engine's container, whatever its cgroup is called. */
static void test_bundles(void **state)
{
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error = { .code = 0 };
	CLEANUP_FREE char *bundle =
		string_format("%s/podman/overlay-containers/" ID "/userdata", s->dir);
	CLEANUP_FREE char *status =
		string_format("{\"cgroup-path\":\"/odd/place\",\"bundle\":\"%s\"}", bundle);

	stores_put(s, "crun/" ID "/status", status);
	assert_int_equal(stores_look(s, "/odd/place", &c, &error),
			 -ENOENT); /* podman has not told yet */
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID "\",\"names\":[\"web\"],"
		   "\"metadata\":\"{\\\"image-name\\\":\\\"img\\\"}\"}]");
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json",
		   "{\"root\":{\"path\":\"/etc\"}}");
	assert_int_equal(stores_look(s, "/odd/place/deeper", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_PODMAN);
	assert_string_equal(c.cgroup, "/odd/place");
	assert_string_equal(c.name, "web");
	assert_false(c.host_root);
	/* What podman tells of it cannot be read: then it is not crun's alone. */
	stores_put(s, "podman/libpod/bolt_state.db", "garbage");
	assert_int_equal(stores_look(s, "/odd/place/deeper", &c, &error), -EINVAL);
	CLEANUP_FREE char *database = string_format("%s/podman/libpod/bolt_state.db", s->dir);
	unlink(database);
	/* Nor cri-o's, which has the same storage. */
	stores_put(s, "podman/overlay-containers/containers.json", "[]");
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json",
		   "{\"annotations\":{\"io.container.manager\":\"libpod\"}}");
	assert_int_equal(stores_look(s, "/odd/place", &c, &error), -ENOENT);
	stores_put(s, "podman/overlay-containers/containers.json", "[{\"id\":\"" ID "\"}]");
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json",
		   "{\"annotations\":{\"io.container.manager\":\"cri-o\","
		   "\"io.kubernetes.container.name\":\"db\"}}");
	assert_int_equal(stores_look(s, "/odd/place", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CRIO);
	assert_string_equal(c.name, "db");
	container_done(&c);
}

/* Docker's containers, wherever they are, also where its containerd is the machine's */
static void test_docker_elsewhere(void **state)
{
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error = { .code = 0 };

	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/db\",\"Config\":{\"Image\":\"pg\"}}");
	assert_int_equal(
		metadata_from_hook(
			&s->places, ID,
			"/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/" ID, &c,
			&error),
		0);
	assert_int_equal(c.runtime, RUNTIME_DOCKER);
	assert_string_equal(c.name, "db");
	assert_int_equal(stores_look(s, "/parent/of/mine/" ID, &c, &error),
			 0); /* --cgroup-parent */
	assert_string_equal(c.name, "db");
	assert_int_equal(stores_look(s, "/kubepods/pod1/" ID, &c, &error), 0); /* cri-dockerd's */
	assert_int_equal(c.runtime, RUNTIME_DOCKER);
	stores_put(s, "containerd/moby/" ID "/config.json", "{}");
	assert_int_equal(stores_look(s, "/kubepods/pod1/" ID, &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_DOCKER);
	assert_string_equal(c.name, "db");
	assert_int_equal(stores_look(s, "/moby/" ID, &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_DOCKER);
	stores_put(s, "docker/containers/" ID "/config.v2.json", "{");
	assert_int_equal(stores_look(s, "/kubepods/pod1/" ID, &c, &error), -EINVAL);
	assert_int_equal(stores_look(s, "/moby/" ID, &c, &error), -EINVAL);
	container_done(&c);
}

/* Those whose cgroups could be anybody's */
static void test_claims(void **state)
{
	struct stores *s = *state;
	struct container c = { .cgroup_id = 7 };
	struct pd_error error;

	assert_int_equal(stores_look(s, "/a/web/container", &c, &error), -ENOENT);
	assert_string_equal(c.cgroup, "/a/web/container");
	stores_put(s, "crun/other/status", "{\"cgroup-path\":\"/a/other\",\"bundle\":\"/none\"}");
	stores_put(s, "crun/half/status", "{\"cgroup-pa");
	stores_put(s, "bundle/config.json", "{\"annotations\":{\"k\":\"v\"}}");
	CLEANUP_FREE char *status =
		string_format("{\"cgroup-path\":\"/a/web\",\"bundle\":\"%s/bundle\"}", s->dir);
	stores_put(s, "crun/web/status", status);
	assert_int_equal(stores_look(s, "/a/web/container", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CRUN);
	assert_string_equal(c.cgroup, "/a/web");
	assert_string_equal(c.name, "web");
	assert_string_equal(pairs_get(&c.annotations, "k"), "v");
	assert_int_equal(c.cgroup_id, 7);
	assert_int_equal(stores_look(s, "/a/webber", &c, &error), -ENOENT);
	CLEANUP_FREE char *runc =
		string_format("{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/b/db\"},"
			      "\"config\":{\"labels\":[\"x\",\"bundle=%s/bundle\"]}}",
			      s->dir);
	stores_put(s, "runc/db/state.json", runc);
	assert_int_equal(stores_look(s, "/b/db", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_RUNC);
	assert_string_equal(c.cgroup, "/b/db");
	stores_put(s, "containerd/default/one/config.json", "{}");
	assert_int_equal(stores_look(s, "/default/one/deeper", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CONTAINERD);
	assert_string_equal(c.cgroup, "/default/one");
	assert_string_equal(c.namespace, "default");
	stores_put(s, "crun/box/status",
		   "{\"cgroup-path\":\"/system.slice/crun-box.scope/container\"}");
	assert_int_equal(stores_look(s, "/system.slice/crun-box.scope/container", &c, &error), 0);
	assert_string_equal(c.cgroup, "/system.slice/crun-box.scope");
	assert_string_equal(c.name, "box");
	assert_int_equal(stores_look(s, "/system.slice/crun-box.scope", &c, &error), 0);
	assert_int_equal(stores_look(s, "/init.scope", &c, &error), -ENODATA);
	/* A container may call cgroups below its own as it likes. */
	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/free\",\"Config\":{\"Image\":\"free\"}}");
	assert_int_equal(stores_look(s, "/default/one/x/docker-" ID ".scope", &c, &error), 0);
	assert_string_equal(c.cgroup, "/default/one");
	assert_string_equal(c.name, "one");
	stores_put(s, "crun/inner/status", "{\"cgroup-path\":\"/default/one/inner\"}");
	assert_int_equal(stores_look(s, "/default/one/inner", &c, &error), 0);
	assert_string_equal(c.cgroup, "/default/one");
	stores_put(s, "crun/outer/status", "{\"cgroup-path\":\"/default\"}");
	assert_int_equal(stores_look(s, "/default/one/x", &c, &error), 0);
	assert_string_equal(c.name, "outer");
	/* One is a container's that was killed, and which one cannot be told. */
	stores_put(s, "runc/stale/state.json", "{\"cgroup_paths\":{\"\":\"/a/web\"}}");
	assert_int_equal(stores_look(s, "/a/web", &c, &error), -EEXIST);
	assert_non_null(strstr(error.text, "crun/web and "));
	assert_non_null(strstr(error.text, "runc/stale say that it is theirs"));
	stores_put(s, "crun/all/status", "{\"cgroup-path\":\"/a\"}");
	assert_int_equal(stores_look(s, "/a/web", &c, &error), 0);
	assert_string_equal(c.name, "all");
	container_done(&c);
}

/* containerd's in a folder of any name, by --cgroup-parent, and docker's plugins */
static void test_containerd_elsewhere(void **state)
{
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	assert_int_equal(stores_look(s, "/mine/" ID, &c, &error), -ENOENT);
	assert_int_equal(stores_look(s, "/system.slice/docker-" ID ".scope", &c, &error), -ENOENT);
	stores_put(s, "containerd/plugins.moby/" ID "/config.json", "{}");
	assert_int_equal(stores_look(s, "/mine/" ID, &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CONTAINERD);
	assert_string_equal(c.cgroup, "/mine/" ID);
	assert_int_equal(stores_look(s, "/system.slice/docker-" ID ".scope", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CONTAINERD);
	assert_string_equal(c.name, ID);
	assert_string_equal(c.namespace, "plugins.moby");
	container_done(&c);
}

/* Above a cgroup with an engine's name, whatever is no engine's own folder may be claimed. */
static void test_claims_above(void **state)
{
	static const struct {
		const char *claimed, *below;
	} cases[] = {
		{ "/system.slice/web.service", "" },
		{ "/system.slice/a.scope", "/x" },
		{ "/kubepods/web", "" },
		{ "/docker/web", "" },
		{ "/libpod_parent/web/x.service", "" },
		{ "/web", "/x.slice" },
	};
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/free\",\"Config\":{\"Image\":\"free\"}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_FREE char *state_of =
			string_format("{\"cgroup-path\":\"%s\"}", cases[i].claimed);
		CLEANUP_FREE char *path =
			string_format("%s%s/docker-" ID ".scope", cases[i].claimed, cases[i].below);
		CLEANUP_FREE char *file = string_format("%s/crun/outer/status", s->dir);

		unlink(file);
		assert_int_equal(stores_look(s, path, &c, &error), 0);
		assert_string_equal(c.name, "free");
		stores_put(s, "crun/outer/status", state_of);
		assert_int_equal(stores_look(s, path, &c, &error), 0);
		assert_string_equal(c.cgroup, cases[i].claimed);
		assert_string_equal(c.name, "outer");
	}
	container_done(&c);
}

/* A claim that we have no descriptors left to read: nothing else is believed instead. */
static void test_claims_unread(void **state)
{
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;
	struct rlimit was, few;
	int next, r;

	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/free\",\"Config\":{\"Image\":\"free\"}}");
	stores_put(s, "crun/outer/status", "{\"cgroup-path\":\"/web\"}");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	next = dup(0);
	assert_true(next > 0);
	close(next);
	few = (struct rlimit){ .rlim_cur = (rlim_t)next + 1, .rlim_max = was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = stores_look(s, "/web/docker-" ID ".scope", &c, &error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(stores_look(s, "/web/docker-" ID ".scope", &c, &error), 0);
	assert_string_equal(c.name, "outer");
	container_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stores_test(test_bundles),	 stores_test(test_docker_elsewhere),
		stores_test(test_claims),	 stores_test(test_claims_above),
		stores_test(test_claims_unread), stores_test(test_containerd_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
