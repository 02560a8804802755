/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/enforce/enforce.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/enforce/enforcer.h"
#include "policyd/enforce/prove.h"
#include "policyd/policy/decide.h"
#include "policyd.skel.h"

/* Each but the last found a task that was being forked or executing during the one before. */
#define SWEEPS_MAX 50
#define SWEEPS_IDLE 3 /* rounds without progress are enough: what stays unsettled then stays so */
#define SWEEP_PAUSE_US 10000 /* before such a round: who holds what is missing gets on with it */
#define SCRATCH_PER_CPU 4
#define SCRATCH_MIN 16

/* What libbpf has to say is for -d: the error that follows tells it with a remedy, in one line. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	CLEANUP_FREE char *text = NULL;
	char *rest = NULL;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		return 0;
	}
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_debug("%s", line);
	return 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int check_machine(const struct enforce_options *options, struct pd_error *error)
{
	struct probe_result results[PROBE_MAX];
	size_t n = enforce_probe(options->pin_dir, results);

	for (size_t i = 0; i < n; i++) {
		if (results[i].status != PROBE_FAILED)
			continue;
		return error_set(error, -ENOTSUP, "%s", results[i].text);
	}
	return 0;
}

static unsigned int host_mount_namespace(void)
{
	struct stat st;

	if (stat("/proc/1/ns/mnt", &st) && stat("/proc/self/ns/mnt", &st))
		return 0;
	return (unsigned int)st.st_ino;
}

static void size_maps(struct policyd_bpf *skeleton, const struct enforce_options *options)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned int scratch = cpus > 0 ? (unsigned int)cpus * SCRATCH_PER_CPU : SCRATCH_MIN;

	if (scratch < SCRATCH_MIN)
		scratch = SCRATCH_MIN;
	if (scratch > 256)
		scratch = 256;
	bpf_map__set_max_entries(skeleton->maps.scratch, scratch);
	skeleton->rodata->pd_scratch_entries = scratch;
	bpf_map__set_max_entries(skeleton->maps.denials,
				 (unsigned int)options->ring_bytes[PD_RING_DENIALS]);
	bpf_map__set_max_entries(skeleton->maps.notices,
				 (unsigned int)options->ring_bytes[PD_RING_NOTICES]);
}

static int pin_maps(struct enforcer *e, struct pd_error *error)
{
	struct policyd_bpf *s = e->skeleton;
	struct bpf_map *maps[] = { s->maps.labels, s->maps.images,    s->maps.bindings,
				   s->maps.state,  s->maps.denials,   s->maps.notices,
				   s->maps.holds,  s->maps.held_names };
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(maps) / sizeof(maps[0]); i++)
		r = pins_map(&e->pins, maps[i], error);
	/* An eighth of the ring for one container, whatever size a pinned ring turned out to have. */
	s->rodata->pd_share_bytes[PD_RING_DENIALS] = bpf_map__max_entries(s->maps.denials) / 8;
	s->rodata->pd_share_bytes[PD_RING_NOTICES] = bpf_map__max_entries(s->maps.notices) / 8;
	return r;
}

static int explain_load(int code, struct pd_error *error)
{
	if (code == -EACCES)
		return error_set(
			error, -EPROTO,
			"cannot load the BPF programs: this kernel's verifier refuses one; start "
			"with -d to see which and why, and report that");
	if (code == -EPERM)
		return error_set(
			error, -EPERM,
			"the kernel does not let this process load LSM programs; run as root with "
			"CAP_BPF and CAP_PERFMON, outside of a container");
	if (code == -EINVAL)
		return error_set(
			error, -EPROTO,
			"the kernel refused the programs or pinned maps do not fit them; try "
			"policyctl detach, then start again with -d to see why");
	return error_set(error, code, "cannot load the BPF programs: %s", strerror(-code));
}

static void *map_memory(int fd, size_t size, int protection)
{
	long page = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, (size + (size_t)page - 1) & ~((size_t)page - 1), protection,
			MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static size_t state_bytes(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct pd_state) + page - 1) & ~(page - 1);
}

static int find_host_root(struct enforcer *e, struct pd_error *error)
{
	int r = enforcer_iterate(e->skeleton->progs.find_root, NULL, NULL, error);

	if (!r && !e->state->host_root)
		r = error_set(error, -ESRCH, "the root directory of process 1 cannot be found");
	return r;
}

static int map_state(struct enforcer *e, struct pd_error *error)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	e->state = map_memory(bpf_map__fd(e->skeleton->maps.state), sizeof(*e->state),
			      PROT_READ | PROT_WRITE);
	if (!e->state)
		return error_set(error, -errno, "cannot map the counters: %s", strerror(errno));
	if (bpf_obj_get_info_by_fd(bpf_map__fd(e->skeleton->maps.labels), &info, &size))
		return error_set(error, -errno, "cannot ask for the labels map's number: %s",
				 strerror(errno));
	e->state->label_map_id = info.id;
	e->state->over = 0;
	pins_tell(&e->pins, e->state);
	e->state->host_mnt_ns = host_mount_namespace();
	e->state->daemon_tgid = (unsigned int)getpid();
	e->state->helper_tgid = e->prover ? (unsigned int)prover_pid(e->prover) : 0;
	return find_host_root(e, error);
}

/* The image of the daemon before, if there is one. */
static int adopt_image(struct enforcer *e, struct pd_error *error)
{
	__u32 zero = 0, id = 0;
	void *image;
	int fd;

	if (bpf_map_lookup_elem(bpf_map__fd(e->skeleton->maps.images), &zero, &id))
		return 0;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return error_set(error, -errno, "cannot open the pinned image: %s",
				 strerror(errno));
	image = map_memory(fd, PD_IMAGE_SIZE, PROT_READ);
	close(fd);
	if (!image)
		return error_set(error, -errno, "cannot map the pinned image: %s", strerror(errno));
	e->image = image;
	e->image_bytes = PD_IMAGE_SIZE;
	return 0;
}

static int load(struct enforcer *e, const struct enforce_options *options, struct pd_error *error)
{
	int r = judges_announce(&e->judges);

	e->skeleton = r ? NULL : policyd_bpf__open();
	if (!e->skeleton)
		return error_set(error, -ENOMEM, "cannot open the BPF programs: %s",
				 strerror(r ? -r : errno));
	e->judges.skeleton = e->skeleton;
	if (getrandom(&e->skeleton->rodata->pd_canaries, 8, 0) != 8)
		return error_set(error, -errno, "no random number: %s", strerror(errno));
	r = hooks_choose(e->skeleton, e->hooks, error);
	if (r)
		return r;
	size_maps(e->skeleton, options);
	r = pin_maps(e, error);
	if (r)
		return r;
	r = policyd_bpf__load(e->skeleton);
	if (r)
		return explain_load(r, error);
	give_back_instructions(e->skeleton);
	return 0;
}

int enforce_open(const struct enforce_options *options, struct enforcer **ret_enforcer,
		 struct pd_error *error)
{
	struct enforcer *e;
	int r = check_machine(options, error);

	libbpf_set_print(print_libbpf);
	if (r)
		return r;
	e = calloc(1, sizeof(*e));
	if (!e)
		return error_set(error, -ENOMEM, "out of memory");
	e->prover = options->prover;
	r = pins_open(&e->pins, options->pin_dir, &e->adopted, error);
	if (!r) {
		r = load(e, options, error);
		judges_find(&e->judges);
	}
	if (!r)
		r = map_state(e, error);
	if (!r && e->adopted)
		r = adopt_image(e, error);
	if (!r && e->adopted)
		r = attach_adopted(e, error);
	if (r) {
		if (!e->adopted)
			pins_abandon(&e->pins);
		enforce_close(e);
		return r;
	}
	*ret_enforcer = e;
	return 0;
}

/* What is pinned stays attached without our descriptors. */
void enforcer_let_go(struct enforcer *e)
{
	attach_release(e);
	judges_release(&e->judges);
	while (pins_let_go(&e->replaced))
		;
}

void enforce_close(struct enforcer *e)
{
	if (!e)
		return;
	enforcer_let_go(e);
	if (e->image)
		munmap((void *)e->image, e->image_bytes);
	if (e->state) {
		if (e->state->daemon_tgid == (unsigned int)getpid())
			e->state->daemon_tgid = e->state->helper_tgid = 0;
		munmap(e->state, state_bytes());
	}
	policyd_bpf__destroy(e->skeleton);
	free(e);
}

/* ---- swapping -------------------------------------------------------------------------------- */

/* A new inner map with the image in it; -1 with errno. */
static int image_map(const unsigned char *image, void **ret_mapped)
{
	struct bpf_map_create_opts options = { .sz = sizeof(options), .map_flags = BPF_F_MMAPABLE };
	const struct pd_image *head = (const void *)image;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pd_image", 4, PD_IMAGE_SIZE, 1, &options);
	void *at;

	if (fd < 0)
		return -1;
	at = map_memory(fd, PD_IMAGE_SIZE, PROT_READ | PROT_WRITE);
	if (!at) {
		close(fd);
		return -1;
	}
	memcpy(at, image, head->size < PD_IMAGE_SIZE ? head->size : PD_IMAGE_SIZE);
	mprotect(at, PD_IMAGE_SIZE, PROT_READ);
	*ret_mapped = at;
	return fd;
}

/* All that is mapped of the map counts as ours; most of it is empty. */
static void *keep_used(void *mapped, size_t *ret_size)
{
	const struct pd_image *head = mapped;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t used = (head->size + page - 1) & ~(page - 1);

	*ret_size = PD_IMAGE_SIZE;
	if (used < PD_IMAGE_SIZE && !munmap((char *)mapped + used, PD_IMAGE_SIZE - used))
		*ret_size = used;
	return mapped;
}

static int put_image(struct enforcer *e, const unsigned char *image, struct pd_error *error)
{
	__u32 zero = 0;
	void *mapped = NULL;
	int fd = image_map(image, &mapped);
	int r = 0;

	if (fd < 0)
		return error_set(error, -errno,
				 "cannot make a map for the image (%u MB): %s; the memory limit of "
				 "policyd's cgroup may be too low",
				 PD_IMAGE_SIZE >> 20, strerror(errno));
	if (bpf_map_update_elem(bpf_map__fd(e->skeleton->maps.images), &zero, &fd, BPF_ANY))
		r = error_set(error, -errno, "cannot swap the image in: %s", strerror(errno));
	close(fd);
	if (r) {
		munmap(mapped, PD_IMAGE_SIZE);
		return r;
	}
	if (e->image)
		munmap((void *)e->image, e->image_bytes);
	e->image = keep_used(mapped, &e->image_bytes);
	return 0;
}

int enforce_swap(struct enforcer *e, const unsigned char *image, uint32_t groups,
		 struct pd_error *error)
{
	struct attachment fresh;
	int r = attach_groups(e, groups, &fresh, error);

	if (r)
		return r;
	r = put_image(e, image, error);
	if (r) {
		/* The image in force, if any, keeps its hooks and no more. */
		attach_undo(e, &fresh);
		return r;
	}
	enforce_sweep(e);
	attach_drop(e, groups);
	return 0;
}

const unsigned char *enforce_image(const struct enforcer *e)
{
	return e->image;
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* What sweeps have counted so far. */
struct tally {
	unsigned long long labelled, failed, unsettled, kept, passed;
};

static struct tally tally_now(const struct enforcer *e)
{
	return (struct tally){ e->state->labelled, e->state->sweep_failed,
			       e->state->sweep_unsettled, e->state->sweep_kept,
			       e->state->sweep_passed };
}

static void explain_sweep(struct enforcer *e, const struct tally *before)
{
	struct tally now = tally_now(e);

	if (now.failed != before->failed)
		error_set(&e->unswept, -ENOMEM,
			  "%llu running tasks could not be labelled for want of memory and stay "
			  "unconfined until they can; restart them, or free memory",
			  now.failed - before->failed);
	else if (now.unsettled != before->unsettled)
		error_set(
			&e->unswept, -EAGAIN,
			"of %llu running tasks, process %u for one, it cannot be told whether a "
			"policy is for them (the cgroup is too deep, or its or the program's name "
			"too long or changing), so they stay as they were until it can; end them, "
			"or move what is named so",
			now.unsettled - before->unsettled, e->state->sweep_pid);
	else if (now.kept != before->kept)
		error_set(&e->unswept, -EBUSY,
			  "%llu running tasks, process %u for one, keep the policies they have and "
			  "do not get those of their cgroup, because they have executed another "
			  "program since they were confined; restart them",
			  now.kept - before->kept, e->state->sweep_pid);
}

void enforce_sweep(struct enforcer *e)
{
	struct tally before, now;
	int idle = 0;

	e->sweep_unfinished = false;
	e->unswept.code = 0;
	if (!e->links[PD_HOOK_task_alloc]) /* nothing is enforced, nobody to label */
		return;
	/* What fails may be short of something for a moment only; the last round counts. */
	for (int i = 0; i < SWEEPS_MAX && idle < SWEEPS_IDLE; i++) {
		if (idle)
			usleep(SWEEP_PAUSE_US);
		before = tally_now(e);
		e->sweep_unfinished = true; /* perhaps: another is to come */
		if (enforcer_iterate(e->skeleton->progs.sweep, NULL, NULL, &e->unswept))
			return;
		now = tally_now(e);
		e->sweep_unfinished = now.failed != before.failed ||
				      now.unsettled != before.unsettled;
		if (now.labelled == before.labelled && !e->sweep_unfinished)
			break;
		idle = now.labelled == before.labelled ? idle + 1 : 0;
	}
	e->sweep_unfinished |= now.passed != before.passed;
	explain_sweep(e, &before);
}

const struct pd_error *enforce_unswept(const struct enforcer *e)
{
	return &e->unswept;
}

bool enforce_sweep_unfinished(const struct enforcer *e)
{
	return e->sweep_unfinished;
}

/* Its policies were unloaded. */
static bool slot_unconfined(const struct enforcer *e, uint32_t number)
{
	const struct pd_image *head = (const void *)e->image;
	const struct pd_slot *slots;

	if (!head || number >= head->slot_count)
		return false;
	slots = (const void *)(e->image + head->slots);
	return slots[number].flags & PD_SLOT_UNCONFINED;
}

/* Who may use bpf() could take its policies away without asking; audit mode refuses it to nobody. */
static bool may_use_bpf(const struct enforcer *e, const struct pd_label *label)
{
	static const unsigned char bpf = PD_GUARD_BPF;
	struct decision decision;

	return e->image &&
	       !decide(e->image, label->slot, label->program, PD_OBJ_GUARD, &bpf, 1, PD_USE,
		       &decision) &&
	       !decision.denied;
}

enum enforce_hold enforce_hold(const struct enforcer *e, int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct pd_label label;

	if (!bpf_map_lookup_elem(bpf_map__fd(e->skeleton->maps.labels), &pidfd, &label)) {
		if (!(label.flags & PD_LABEL_ACTIVE) || slot_unconfined(e, label.slot))
			return ENFORCE_FREE;
		return may_use_bpf(e, &label) ? ENFORCE_FOLLOWED : ENFORCE_CONFINED;
	}
	/* Not there is what the kernel also says of a process that has ended meanwhile. */
	return errno == ENOENT && poll(&ended, 1, 0) == 0 ? ENFORCE_FREE : ENFORCE_CONFINED;
}

/* ---- looking in ------------------------------------------------------------------------------ */

struct pd_state *enforce_state(const struct enforcer *e)
{
	return e->state;
}

int enforce_ring_fd(const struct enforcer *e, enum pd_ring ring)
{
	return bpf_map__fd(ring == PD_RING_DENIALS ? e->skeleton->maps.denials :
						     e->skeleton->maps.notices);
}

bool enforce_adopted(const struct enforcer *e)
{
	return e->adopted && e->image;
}

static size_t map_bytes(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(file);
	return (size_t)bytes;
}

size_t enforce_kernel_bytes(const struct enforcer *e)
{
	struct bpf_map *map;
	size_t total = e->image ? PD_IMAGE_SIZE : 0;

	bpf_object__for_each_map(map, e->skeleton->obj) if (bpf_map__fd(map) >= 0)
		total += map_bytes(bpf_map__fd(map));
	return total;
}
