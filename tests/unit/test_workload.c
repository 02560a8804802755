/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers by their cgroups' names, by what runtimes write, and by what policies ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/policy/parse.h"
#include "policyd/workload/metadata.h"
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

/* ---- what runtimes write --------------------------------------------------------------------- */

struct stores {
	char dir[64];
	struct metadata_places places;
};

static void put(const struct stores *s, const char *name, const char *text)
{
	CLEANUP_FREE char *path = string_format("%s/%s", s->dir, name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(dir_make(path, 0755), 0);
	*slash = '/';
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644), 0);
}

static int set_up(void **state)
{
	struct stores *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	strcpy(s->dir, "/tmp/policyd-test.XXXXXX");
	if (!mkdtemp(s->dir)) {
		free(s);
		return -1;
	}
	s->places = (struct metadata_places){
		.docker = string_format("%s/docker", s->dir),
		.podman = string_format("%s/podman", s->dir),
		.crio = string_format("%s/crio", s->dir),
		.containerd = string_format("%s/containerd", s->dir),
		.containerd_meta = string_format("%s/meta.db", s->dir),
		.crun = string_format("%s/crun", s->dir),
		.runc = string_format("%s/runc", s->dir),
		.lxc = string_format("%s/lxc", s->dir),
	};
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stores *s = *state;
	CLEANUP_FREE char *command = string_format("rm -rf %s", s->dir);
	int r = system(command);

	metadata_places_done(&s->places);
	free(s);
	return r;
}

static int look(const struct stores *s, const char *path, struct container *c,
		struct pd_error *error)
{
	*error = (struct pd_error){ .code = 0 };
	return metadata_find(&s->places, path, c, error);
}

#define TOLD(fact) (1u << FACT_##fact)

static void test_docker(void **state)
{
	static const char path[] = "/system.slice/docker-" ID ".scope/container";
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	assert_int_equal(look(s, path, &c, &error), -ENOENT);
	assert_string_equal(c.id, ID);
	assert_string_equal(c.cgroup, "/system.slice/docker-" ID ".scope");
	assert_int_equal(c.told, 0);
	put(s, "docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{\"app\":\"x\","
	    "\"io.kubernetes.pod.name\":\"p\"}}}");
	assert_int_equal(look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "web");
	assert_string_equal(c.image, "nginx:1");
	assert_string_equal(pairs_get(&c.labels, "app"), "x");
	assert_null(c.pod);
	assert_false(c.told & TOLD(ANNOTATIONS));
	/* numbers that are none of ours */
	put(s, "docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/web\",\"Memory\":18446744073709551615,\"Config\":{\"Image\":\"nginx\"}}");
	assert_int_equal(look(s, path, &c, &error), 0);
	container_done(&c);
}

/* An image can have labels, but no name of the container; a number is no name of an image. */
static void test_docker_claims(void **state)
{
	static const char path[] = "/docker/" ID;
	static const char labels[] = "\"Labels\":{\"io.kubernetes.pod.name\":\"p\","
				     "\"io.kubernetes.pod.namespace\":\"n\","
				     "\"io.kubernetes.container.name\":\"c\"}";
	static const struct {
		const char *name, *image, *pod;
		bool told;
	} cases[] = {
		{ "/web", "nginx:1", NULL, true },
		{ "/k8s_c_p_n_uid_0", "nginx:1", "p", true },
		{ "/k8s_c_p_other_uid_0", "nginx:1", NULL, true },
		{ "/web", "sha256:" ID, NULL, false },
		{ "/web", "0123456789ab", NULL, false },
		{ "/web", "0123456789ac", NULL, true },
	};
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_FREE char *text = string_format("{\"Name\":\"%s\",\"Image\":\"sha256:" ID
							"\",\"Config\":{\"Image\":\"%s\",%s}}",
							cases[i].name, cases[i].image, labels);

		put(s, "docker/containers/" ID "/config.v2.json", text);
		assert_int_equal(look(s, path, &c, &error), 0);
		if (cases[i].pod)
			assert_string_equal(c.pod, cases[i].pod);
		else
			assert_null(c.pod);
		assert_int_equal(!!(c.told & TOLD(IMAGE)), cases[i].told);
		assert_int_equal(!!c.image, cases[i].told);
	}
	container_done(&c);
}

static void test_podman(void **state)
{
	static const char path[] = "/machine.slice/libpod-" ID ".scope/container";
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	put(s, "podman/overlay-containers/containers.json",
	    "[{\"id\":\"other\",\"names\":[\"o\"]},{\"id\":\"" ID "\",\"names\":[\"web\"],"
	    "\"metadata\":\"{\\\"image-name\\\":\\\"localhost/img:latest\\\"}\"}]");
	assert_int_equal(look(s, path, &c, &error), -ENOENT); /* not all of it yet */
	put(s, "podman/overlay-containers/" ID "/userdata/config.json",
	    "{\"annotations\":{\"a\":\"1\",\"b\":2},\"root\":{\"path\":\"/\"}}");
	assert_int_equal(look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "web");
	assert_string_equal(c.image, "localhost/img:latest");
	assert_string_equal(pairs_get(&c.annotations, "a"), "1");
	assert_true(c.host_root);
	assert_false(c.told & TOLD(LABELS));
	/* What makes no sense is not "not told". */
	put(s, "podman/overlay-containers/containers.json",
	    "[{\"id\":\"" ID "\",\"names\":[\"web\"],\"metadata\":\"{\"}]");
	assert_int_equal(look(s, path, &c, &error), -EINVAL);
	put(s, "podman/overlay-containers/containers.json",
	    "[{\"id\":\"" ID "\",\"names\":[\"web\"]}]");
	assert_int_equal(look(s, path, &c, &error), 0);
	assert_false(c.told & TOLD(IMAGE));
	put(s, "podman/libpod/bolt_state.db", "garbage");
	assert_int_equal(look(s, path, &c, &error), -EINVAL);
	container_done(&c);
}

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

	put(s, "crun/" ID "/status", status);
	assert_int_equal(look(s, "/odd/place", &c, &error), -ENOENT); /* podman has not told yet */
	put(s, "podman/overlay-containers/containers.json",
	    "[{\"id\":\"" ID "\",\"names\":[\"web\"],"
	    "\"metadata\":\"{\\\"image-name\\\":\\\"img\\\"}\"}]");
	put(s, "podman/overlay-containers/" ID "/userdata/config.json",
	    "{\"root\":{\"path\":\"/etc\"}}");
	assert_int_equal(look(s, "/odd/place/deeper", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_PODMAN);
	assert_string_equal(c.cgroup, "/odd/place");
	assert_string_equal(c.name, "web");
	assert_false(c.host_root);
	container_done(&c);
	put(s, "docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/db\",\"Config\":{\"Image\":\"pg\"}}");
	assert_int_equal(
		metadata_from_hook(
			&s->places, ID,
			"/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/" ID, &c,
			&error),
		0);
	assert_int_equal(c.runtime, RUNTIME_DOCKER);
	assert_string_equal(c.name, "db");
	assert_int_equal(look(s, "/parent/of/mine/" ID, &c, &error), 0); /* --cgroup-parent */
	assert_string_equal(c.name, "db");
	assert_int_equal(look(s, "/kubepods/pod1/" ID, &c, &error), 0); /* cri-dockerd's */
	assert_int_equal(c.runtime, RUNTIME_DOCKER);
	container_done(&c);
}

/* Only lxc can have the host's root directory by default. */
static void test_lxc(void **state)
{
	static const struct {
		const char *config;
		bool host_root;
	} cases[] = {
		{ "lxc.uts.name = web\n", true },
		{ "lxc.rootfs.path = dir:/var/lib/lxc/web/rootfs\n", false },
		{ "a = b\n  lxc.rootfs.path=/srv/web", false },
		{ "lxc.rootfs.path = /\n", true },
		{ "lxc.rootfs.path = dir:/\n", true },
		{ "# lxc.rootfs.path = /srv\n", true },
		{ "lxc.rootfs.path = /srv\nlxc.rootfs.path =\n", true },
	};
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	assert_int_equal(look(s, "/lxc.payload.web", &c, &error), 0);
	assert_true(c.host_root);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(s, "lxc/web/config", cases[i].config);
		assert_int_equal(look(s, "/lxc.payload.web", &c, &error), 0);
		if (c.host_root != cases[i].host_root)
			fail_msg("%s", cases[i].config);
	}
	container_done(&c);
}

static void test_kubernetes(void **state)
{
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	put(s, "containerd/k8s.io/" ID "/config.json",
	    "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
	    "\"io.kubernetes.cri.container-name\":\"nginx\","
	    "\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1\","
	    "\"io.kubernetes.cri.sandbox-name\":\"web-0\","
	    "\"io.kubernetes.cri.sandbox-namespace\":\"shop\"},\"root\":{\"path\":\"rootfs\"}}");
	put(s, "containerd/k8s.io/" ID "/rootfs/file", "");
	assert_int_equal(look(s, "/kubepods/besteffort/pod1/" ID, &c, &error), 0);
	assert_string_equal(c.name, "nginx");
	assert_string_equal(c.pod, "web-0");
	assert_string_equal(c.namespace, "shop");
	assert_false(c.host_root);
	put(s, "crio/overlay-containers/" ID "/userdata/config.json",
	    "{\"annotations\":{\"io.kubernetes.container.name\":\"db\","
	    "\"io.kubernetes.cri-o.ImageName\":\"quay.io/x/db:2\","
	    "\"io.kubernetes.pod.name\":\"db-0\",\"io.kubernetes.pod.namespace\":\"shop\","
	    "\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"db\\\"}\"}}");
	assert_int_equal(look(s, "/kubepods.slice/x.slice/crio-" ID ".scope", &c, &error), 0);
	assert_string_equal(c.name, "db");
	assert_string_equal(pairs_get(&c.labels, "app"), "db");
	container_done(&c);
}

/* Those whose cgroups could be anybody's */
static void test_claims(void **state)
{
	struct stores *s = *state;
	struct container c = { .cgroup_id = 7 };
	struct pd_error error;

	assert_int_equal(look(s, "/a/web/container", &c, &error), -ENOENT);
	assert_string_equal(c.cgroup, "/a/web/container");
	put(s, "crun/other/status", "{\"cgroup-path\":\"/a/other\",\"bundle\":\"/none\"}");
	put(s, "crun/half/status", "{\"cgroup-pa");
	put(s, "bundle/config.json", "{\"annotations\":{\"k\":\"v\"}}");
	CLEANUP_FREE char *status =
		string_format("{\"cgroup-path\":\"/a/web\",\"bundle\":\"%s/bundle\"}", s->dir);
	put(s, "crun/web/status", status);
	assert_int_equal(look(s, "/a/web/container", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CRUN);
	assert_string_equal(c.cgroup, "/a/web");
	assert_string_equal(c.name, "web");
	assert_string_equal(pairs_get(&c.annotations, "k"), "v");
	assert_int_equal(c.cgroup_id, 7);
	assert_int_equal(look(s, "/a/webber", &c, &error), -ENOENT);
	CLEANUP_FREE char *runc =
		string_format("{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/b/db\"},"
			      "\"config\":{\"labels\":[\"x\",\"bundle=%s/bundle\"]}}",
			      s->dir);
	put(s, "runc/db/state.json", runc);
	assert_int_equal(look(s, "/b/db", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_RUNC);
	assert_string_equal(c.cgroup, "/b/db");
	put(s, "containerd/default/one/config.json", "{}");
	assert_int_equal(look(s, "/default/one/deeper", &c, &error), 0);
	assert_int_equal(c.runtime, RUNTIME_CONTAINERD);
	assert_string_equal(c.cgroup, "/default/one");
	assert_string_equal(c.namespace, "default");
	put(s, "crun/box/status", "{\"cgroup-path\":\"/system.slice/crun-box.scope/container\"}");
	assert_int_equal(look(s, "/system.slice/crun-box.scope/container", &c, &error), 0);
	assert_string_equal(c.cgroup, "/system.slice/crun-box.scope");
	assert_string_equal(c.name, "box");
	assert_int_equal(look(s, "/system.slice/crun-box.scope", &c, &error), 0);
	assert_int_equal(look(s, "/init.scope", &c, &error), -ENODATA);
	/* A container may call cgroups below its own as it likes. */
	put(s, "docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/free\",\"Config\":{\"Image\":\"free\"}}");
	assert_int_equal(look(s, "/default/one/x/docker-" ID ".scope", &c, &error), 0);
	assert_string_equal(c.cgroup, "/default/one");
	assert_string_equal(c.name, "one");
	put(s, "crun/inner/status", "{\"cgroup-path\":\"/default/one/inner\"}");
	assert_int_equal(look(s, "/default/one/inner", &c, &error), 0);
	assert_string_equal(c.cgroup, "/default/one");
	put(s, "crun/outer/status", "{\"cgroup-path\":\"/default\"}");
	assert_int_equal(look(s, "/default/one/x", &c, &error), 0);
	assert_string_equal(c.name, "outer");
	container_done(&c);
}

/* Nothing of this may do harm or be believed. */
static void test_hostile(void **state)
{
	static const char path[] = "/docker/" ID;
	static const char *const texts[] = { "",
					     "{",
					     "[]",
					     "{\"Name\":1}",
					     "{\"Name\":\"/x\"}",
					     "{\"Name\":\"/x\",\"Config\":[]}",
					     "\xff\xfe" };
	struct stores *s = *state;
	CLEANUP_FREE char *file =
		string_format("%s/docker/containers/" ID "/config.v2.json", s->dir);
	struct container c = { 0 };
	struct pd_error error;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(s, "docker/containers/" ID "/config.v2.json", texts[i]);
		assert_int_equal(look(s, path, &c, &error), -EINVAL);
		assert_int_equal(c.told, 0);
		assert_string_equal(error.file, file);
	}
	unlink(file);
	assert_int_equal(mkfifo(file, 0644), 0);
	assert_int_equal(look(s, path, &c, &error), -EACCES);
	unlink(file);
	assert_int_equal(symlink("/etc/passwd", file), 0);
	assert_int_equal(look(s, path, &c, &error), -EACCES);
	unlink(file);
	put(s, "docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx\"}}");
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(look(s, path, &c, &error), -EACCES);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(truncate(file, 5 << 20), 0);
	assert_int_equal(look(s, path, &c, &error), -EFBIG);
	container_done(&c);
}

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
	c.told |= TOLD(LABELS) | TOLD(POD);
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
		cmocka_unit_test_setup_teardown(test_docker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_podman, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_docker_claims, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bundles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lxc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kubernetes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_claims, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
