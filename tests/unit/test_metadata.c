/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runtimes write about their containers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "tests/unit/stores.h"

#define TOLD(fact) (1u << FACT_##fact)

static void test_docker(void **state)
{
	static const char path[] = "/system.slice/docker-" ID ".scope/container";
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	assert_int_equal(stores_look(s, path, &c, &error), -ENOENT);
	assert_string_equal(c.id, ID);
	assert_string_equal(c.cgroup, "/system.slice/docker-" ID ".scope");
	assert_int_equal(c.told, 0);
	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{\"app\":\"x\","
		   "\"io.kubernetes.pod.name\":\"p\"}}}");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "web");
	assert_string_equal(c.image, "nginx:1");
	assert_string_equal(pairs_get(&c.labels, "app"), "x");
	assert_null(c.pod);
	assert_false(c.told & TOLD(ANNOTATIONS));
	/* numbers that are none of ours */
	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/"
		   "web\",\"Memory\":18446744073709551615,\"Config\":{\"Image\":\"nginx\"}}");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_true(c.told & TOLD(POD) && c.told & TOLD(NAMESPACE)); /* it has none */
	assert_false(c.host_root);
	/* what is no string to us where it counts, and where it does not */
	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/web\",\"Path\":\"a\\u0000b\",\"Config\":{\"Image\":\"nginx\","
		   "\"Env\":[\"x\\u0000\"],\"Labels\":null}}");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/"
		   "web\",\"Config\":{\"Image\":\"nginx\",\"Labels\":{\"a\":\"x\\u0000y\"}}}");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	assert_int_equal(c.told, 0);
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
		bool told, there; /* the image's name */
	} cases[] = {
		{ "/web", "nginx:1", NULL, true, true },
		{ "/k8s_c_p_n_uid_0", "nginx:1", "p", true, true },
		{ "/k8s_c_p_other_uid_0", "nginx:1", NULL, true, true },
		{ "/web", "sha256:" ID, NULL, false, false },
		{ "/web", ID, NULL, false, false },
		{ "/web", "0123456789ab", NULL, false, false },
		{ "/web", "0123456789ac", NULL, true, true },
		{ "/web", "01", NULL, false, true }, /* both, perhaps */
		{ "/web", "db", NULL, true, true },
	};
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_FREE char *text = string_format("{\"Name\":\"%s\",\"Image\":\"sha256:" ID
							"\",\"Config\":{\"Image\":\"%s\",%s}}",
							cases[i].name, cases[i].image, labels);

		stores_put(s, "docker/containers/" ID "/config.v2.json", text);
		assert_int_equal(stores_look(s, path, &c, &error), 0);
		if (cases[i].pod)
			assert_string_equal(c.pod, cases[i].pod);
		else
			assert_null(c.pod);
		assert_int_equal(!!(c.told & TOLD(POD)), !!cases[i].pod);
		assert_int_equal(!!(c.told & TOLD(NAMESPACE)), !!cases[i].pod);
		assert_int_equal(!!(c.told & TOLD(IMAGE)), cases[i].told);
		assert_int_equal(!!c.image, cases[i].there);
	}
	container_done(&c);
}

static void test_podman(void **state)
{
	static const char path[] = "/machine.slice/libpod-" ID ".scope/container";
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"other\",\"names\":[\"o\"]},{\"id\":\"" ID "\",\"names\":[\"web\"],"
		   "\"metadata\":\"{\\\"image-name\\\":\\\"localhost/img:latest\\\"}\"}]");
	assert_int_equal(stores_look(s, path, &c, &error), -ENOENT); /* not all of it yet */
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json",
		   "{\"annotations\":{\"a\":\"1\"},\"root\":{\"path\":\"/\"}}");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "web");
	assert_string_equal(c.image, "localhost/img:latest");
	assert_string_equal(pairs_get(&c.annotations, "a"), "1");
	assert_true(c.host_root);
	assert_false(c.told & TOLD(LABELS));
	/* What makes no sense is not "not told". */
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID "\",\"names\":[\"web\"],\"metadata\":\"{\"}]");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID "\",\"names\":[\"web\"]}]");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_false(c.told & TOLD(IMAGE));
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID "\",\"metadata\":7}]");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	/* Another's is not ours. */
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"x\",\"names\":[\"a\\u0000\"]},{\"id\":\"" ID
		   "\",\"names\":[\"web\"]}]");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID "\",\"names\":[\"web\\u0000\"]}]");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID
		   "\",\"metadata\":\"{\\\"image-name\\\":\\\"a\\\\u0000\\\"}\"}]");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	stores_put(s, "podman/overlay-containers/containers.json",
		   "[{\"id\":\"" ID "\",\"names\":[\"web\"]}]");
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json",
		   "{\"annotations\":{\"a\":\"1\",\"b\":2}}");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json", "{}");
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	stores_put(s, "podman/libpod/bolt_state.db", "garbage");
	assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
	container_done(&c);
}

/* Bytes read by this process so far; 0: the kernel does not tell */
static unsigned long long bytes_read(void)
{
	FILE *file = fopen("/proc/self/io", "r");
	unsigned long long bytes = 0;

	if (file && fscanf(file, "rchar: %llu", &bytes) != 1)
		bytes = 0;
	if (file)
		fclose(file);
	return bytes;
}

#define OTHERS 1000u
static void put_list(const struct stores *s, const char *name)
{
	CLEANUP_FREE char *text = calloc(OTHERS, 100);
	size_t used = 1;

	assert_non_null(text);
	text[0] = '[';
	for (unsigned int i = 0; i < OTHERS; i++)
		used += (size_t)sprintf(text + used, "{\"id\":\"%064x\"},", i);
	sprintf(text + used, "{\"id\":\"" ID "\",\"names\":[\"%s\"]}]", name);
	stores_put(s, "podman/overlay-containers/containers.json", text);
}

/* A long list is read once, until it is another. */
static void test_podman_again(void **state)
{
	static const char path[] = "/libpod_parent/libpod-" ID;
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;
	CLEANUP_FREE char *file =
		string_format("%s/podman/overlay-containers/containers.json", s->dir);
	unsigned long long before;
	struct stat st;

	put_list(s, "web");
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json", "{}");
	usleep(150000);
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	before = bytes_read();
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "web");
	if (before)
		assert_true(bytes_read() - before < OTHERS * 70);
	/* another file of the same size and age */
	assert_int_equal(stat(file, &st), 0);
	put_list(s, "box");
	const struct timespec times[] = { st.st_atim, st.st_mtim };
	assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "box");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(stores_look(s, path, &c, &error), -ENOENT);
	container_done(&c);
}

/* In the second of two lists, where those with --rm are: the long first one is not read for each of them. */
static void test_podman_rm(void **state)
{
	static const char path[] = "/libpod_parent/libpod-" ID;
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;
	CLEANUP_FREE char *first =
		string_format("%s/podman/overlay-containers/containers.json", s->dir);
	CLEANUP_FREE char *second =
		string_format("%s/podman/overlay-containers/volatile-containers.json", s->dir);
	unsigned long long before;

	put_list(s, "short-lived");
	stores_put(s, "podman/overlay-containers/" ID "/userdata/config.json", "{}");
	assert_int_equal(rename(first, second), 0);
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "short-lived");
	put_list(s, "other");
	CLEANUP_FREE char *text = NULL;
	size_t size;
	assert_int_equal(file_load(first, 1 << 20, &text, &size), 0);
	*strstr(text, ID) = 'f'; /* another's */
	stores_put(s, "podman/overlay-containers/containers.json", text);
	usleep(150000);
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	before = bytes_read();
	assert_int_equal(stores_look(s, path, &c, &error), 0);
	assert_string_equal(c.name, "short-lived");
	if (before)
		assert_true(bytes_read() - before < OTHERS * 70);
	container_done(&c);
}

/* The host's root directory, unless it is told otherwise */
static void test_lxc(void **state)
{
	static const struct {
		const char *config;
		bool host_root;
	} cases[] = {
		{ "", true },
		{ "lxc.uts.name = web\n", true },
		{ "lxc.rootfs.path = dir:/etc\n", false },
		{ "a = b\n  lxc.rootfs.path=/etc \r", false },
		{ "lxc.rootfs.path = overlay:/:/x\n", false },
		{ "lxc.rootfs.path = /dev/null\n", false },
		{ "lxc.rootfs.path = '/etc'\n", false },
		{ "lxc.rootfs.path = \"/\"\n", true },
		{ "lxc.rootfs.path = /\n", true },
		{ "lxc.rootfs.path = //\n", true },
		{ "lxc.rootfs.path = dir:/etc/..\n", true },
		{ "lxc.rootfs.path = /none/of/that\n", true },
		{ "# lxc.rootfs.path = /etc\n", true },
		{ "lxc.rootfs.path = /etc\nlxc.rootfs.path =\n", true },
		{ "lxc.rootfs.path = /etc\n\nlxc.include = /root/x\n", true },
		{ "lxc.include = /root/x\nlxc.rootfs.path = /etc\n", false },
		{ "lxc.rootfs.path = /etc\nlxc.include = /usr/share/lxc/config/x\n", false },
	};
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	assert_int_equal(stores_look(s, "/lxc.payload.web", &c, &error), 0);
	assert_true(c.host_root);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stores_put(s, "lxc/web/config", cases[i].config);
		assert_int_equal(stores_look(s, "/lxc.payload.web", &c, &error), 0);
		if (c.host_root != cases[i].host_root)
			fail_msg("%s", cases[i].config);
	}
	assert_int_equal(stores_look(s, "/machine.slice/machine-x.scope/payload", &c, &error), 0);
	assert_true(c.host_root); /* /mnt, perhaps, as which the host's is mounted */
	/* the second cgroup of web, the only one of db-1, and of one of the two */
	stores_put(s, "lxc/web/config", "lxc.rootfs.path = /etc\n");
	assert_int_equal(stores_look(s, "/lxc.payload.web-1", &c, &error), 0);
	assert_string_equal(c.name, "web");
	assert_false(c.host_root);
	assert_int_equal(c.told >> FACT_NAME & 1, 1);
	stores_put(s, "lxc/db-1/config", "lxc.rootfs.path = /etc\n");
	assert_int_equal(stores_look(s, "/lxc.payload.db-1", &c, &error), 0);
	assert_string_equal(c.name, "db-1");
	assert_false(c.host_root);
	assert_int_equal(c.told >> FACT_NAME & 1, 1);
	stores_put(s, "lxc/db/config", "lxc.rootfs.path = /etc\n");
	assert_int_equal(stores_look(s, "/lxc.payload.db-1", &c, &error), -EEXIST);
	assert_non_null(
		strstr(error.text, "db-1 or another cgroup of db: no monitor tells, and both"));
	assert_int_equal(stores_look(s, "/lxc.payload.job-1", &c, &error), -EEXIST);
	assert_non_null(strstr(error.text, "job-1 or another cgroup of job"));
	assert_int_equal(stores_look(s, "/lxc.payload.job-x", &c, &error), 0);
	assert_int_equal(c.told >> FACT_NAME & 1, 1);
	container_done(&c);
}

/* A bundle's root directory */
static void test_roots(void **state)
{
	static const struct {
		const char *root;
		bool host_root;
	} cases[] = {
		{ "", true },
		{ "\"path\":\"/\"", true },
		{ "\"path\":\"/etc/..\"", true },
		{ "\"path\":\"none\"", true },
		{ "\"path\":\"rootfs\"", false },
		{ "\"path\":\"hosts\"", true },
		{ "\"path\":\"ours\"", true }, /* not followed, so not known */
		{ "\"path\":\"link/rootfs\"", false },
	};
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;
	CLEANUP_FREE char *bundle = string_format("%s/containerd/default/one", s->dir);
	CLEANUP_FREE char *ours = string_format("%s/ours", bundle);
	CLEANUP_FREE char *link = string_format("%s/link", bundle);
	CLEANUP_FREE char *hosts = string_format("%s/hosts", bundle);

	stores_put(s, "containerd/default/one/rootfs/file", "");
	assert_int_equal(symlink("rootfs", ours), 0);
	assert_int_equal(symlink(".", link), 0);
	assert_int_equal(symlink("/", hosts), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_FREE char *config = string_format("{\"root\":{%s}}", cases[i].root);

		stores_put(s, "containerd/default/one/config.json", config);
		assert_int_equal(stores_look(s, "/default/one", &c, &error), 0);
		if (c.host_root != cases[i].host_root)
			fail_msg("%s", cases[i].root);
	}
	stores_put(s, "containerd/default/one/config.json", "{\"root\":{\"path\":[]}}");
	assert_int_equal(stores_look(s, "/default/one", &c, &error), -EINVAL);
	container_done(&c);
}

static void test_kubernetes(void **state)
{
	struct stores *s = *state;
	struct container c = { 0 };
	struct pd_error error;

	stores_put(s, "containerd/k8s.io/" ID "/config.json",
		   "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
		   "\"io.kubernetes.cri.container-name\":\"nginx\","
		   "\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1\","
		   "\"io.kubernetes.cri.sandbox-name\":\"web-0\","
		   "\"io.kubernetes.cri.sandbox-namespace\":\"shop\"},\"root\":{\"path\":"
		   "\"rootfs\"}}");
	stores_put(s, "containerd/k8s.io/" ID "/rootfs/file", "");
	assert_int_equal(stores_look(s, "/kubepods/besteffort/pod1/" ID, &c, &error), 0);
	assert_string_equal(c.name, "nginx");
	assert_string_equal(c.pod, "web-0");
	assert_string_equal(c.namespace, "shop");
	assert_false(c.host_root);
	stores_put(s, "crio/overlay-containers/" ID "/userdata/config.json",
		   "{\"annotations\":{\"io.kubernetes.container.name\":\"db\","
		   "\"io.kubernetes.cri-o.ImageName\":\"quay.io/x/db:2\","
		   "\"io.kubernetes.pod.name\":\"db-0\",\"io.kubernetes.pod.namespace\":\"shop\","
		   "\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"db\\\"}\"}}");
	assert_int_equal(stores_look(s, "/kubepods.slice/x.slice/crio-" ID ".scope", &c, &error),
			 0);
	assert_string_equal(c.name, "db");
	assert_string_equal(pairs_get(&c.labels, "app"), "db");
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
		stores_put(s, "docker/containers/" ID "/config.v2.json", texts[i]);
		assert_int_equal(stores_look(s, path, &c, &error), -EINVAL);
		assert_int_equal(c.told, 0);
		assert_string_equal(error.file, file);
	}
	unlink(file);
	assert_int_equal(mkfifo(file, 0644), 0);
	assert_int_equal(stores_look(s, path, &c, &error), -EACCES);
	unlink(file);
	assert_int_equal(symlink("/etc/passwd", file), 0);
	assert_int_equal(stores_look(s, path, &c, &error), -EACCES);
	unlink(file);
	stores_put(s, "docker/containers/" ID "/config.v2.json",
		   "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx\"}}");
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(stores_look(s, path, &c, &error), -EACCES);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(truncate(file, 5 << 20), 0);
	assert_int_equal(stores_look(s, path, &c, &error), -EFBIG);
	container_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stores_test(test_docker),    stores_test(test_docker_claims),
		stores_test(test_podman),    stores_test(test_podman_again),
		stores_test(test_podman_rm), stores_test(test_lxc),
		stores_test(test_roots),     stores_test(test_kubernetes),
		stores_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
