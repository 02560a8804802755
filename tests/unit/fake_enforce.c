/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_enforce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct enforcer {
	struct fake *fake;
	bool adopted;
};

static struct fake *last; /* for what has no enforcer */

struct fake *fake_new(void)
{
	void *fake = mmap(NULL, sizeof(struct fake), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	last = fake == MAP_FAILED ? NULL : fake;
	return last;
}

void fake_free(struct fake *fake)
{
	munmap(fake, sizeof(*fake));
}

struct enforcer *fake_enforcer(struct fake *fake)
{
	struct enforcer *enforcer = calloc(1, sizeof(*enforcer));

	if (enforcer) {
		enforcer->fake = fake;
		enforcer->adopted = fake->has_image;
	}
	return enforcer;
}

void enforce_close(struct enforcer *enforcer)
{
	free(enforcer);
}

const unsigned char *enforce_image(const struct enforcer *enforcer)
{
	return enforcer->fake->has_image ? enforcer->fake->image : NULL;
}

int enforce_swap(struct enforcer *enforcer, const unsigned char *image, uint32_t groups,
		 struct pd_error *error)
{
	struct fake *fake = enforcer->fake;

	if (fake->fail_swap) {
		fake->fail_swap = false;
		return error_set(error, -EIO, "the fake was told to fail");
	}
	memcpy(fake->image, image, PD_IMAGE_SIZE);
	fake->has_image = true;
	fake->groups = groups;
	fake->swaps++;
	enforce_sweep(enforcer);
	return 0;
}

void enforce_sweep(struct enforcer *enforcer)
{
	struct fake *fake = enforcer->fake;

	fake->sweeps++;
	fake->unswept.code = 0;
	if (fake->fail_sweep)
		error_set(&fake->unswept, -EAGAIN, "the fake cannot tell of a task");
}

const struct pd_error *enforce_unswept(const struct enforcer *enforcer)
{
	return &enforcer->fake->unswept;
}

bool enforce_sweep_unfinished(const struct enforcer *enforcer)
{
	return enforcer->fake->fail_sweep;
}

int enforce_bind(struct enforcer *enforcer, uint64_t cgroup_id, uint32_t slot, uint32_t flags,
		 struct pd_error *error)
{
	struct fake *fake = enforcer->fake;

	(void)flags;

	for (unsigned int i = 0; i < FAKE_BINDINGS; i++)
		if (!fake->bindings[i].cgroup || fake->bindings[i].cgroup == cgroup_id) {
			fake->bindings[i].cgroup = cgroup_id;
			fake->bindings[i].slot = slot;
			fake->binds++;
			return 0;
		}
	return error_set(error, -ENOSPC, "the fake is full");
}

void enforce_begin_anew(struct enforcer *enforcer, uint64_t cgroup_id)
{
	(void)enforcer;
	(void)cgroup_id;
}

void enforce_watch(struct enforcer *enforcer, uint64_t cgroup_id)
{
	(void)enforcer;
	(void)cgroup_id;
}

bool enforce_watch_saw(const struct enforcer *enforcer)
{
	(void)enforcer;
	return false;
}

bool enforce_is_emptied(const struct enforcer *enforcer, uint64_t cgroup_id)
{
	(void)enforcer;
	(void)cgroup_id;
	return false;
}

void enforce_bind_pending(struct enforcer *enforcer, uint64_t cgroup_id)
{
	(void)enforcer;
	(void)cgroup_id;
}

bool enforce_notices(const struct enforcer *enforcer)
{
	(void)enforcer;
	return true;
}

void enforce_set_emptied(struct enforcer *enforcer, uint64_t cgroup_id)
{
	(void)enforcer;
	(void)cgroup_id;
}

int enforce_unbind(struct enforcer *enforcer, uint64_t cgroup_id)
{
	struct fake *fake = enforcer->fake;

	for (unsigned int i = 0; i < FAKE_BINDINGS; i++)
		if (fake->bindings[i].cgroup == cgroup_id) {
			memset(&fake->bindings[i], 0, sizeof(fake->bindings[i]));
			fake->unbinds++;
			return 0;
		}
	return -ENOENT;
}

enum enforce_hold enforce_hold(const struct enforcer *enforcer, int pidfd)
{
	(void)pidfd;
	return enforcer->fake->asker;
}

int enforce_prove(struct enforcer *enforcer, unsigned int *ret_proved, struct pd_error *error)
{
	(void)error;
	enforcer->fake->proofs++;
	*ret_proved = 7;
	return 0;
}

size_t enforce_hooks(const struct enforcer *enforcer, struct hook_status status[PD_HOOK_COUNT])
{
	(void)enforcer;
	status[0] = (struct hook_status){ "file_open", true, true };
	status[1] = (struct hook_status){ "inode_set_acl", false, false };
	return 2;
}

struct pd_state *enforce_state(const struct enforcer *enforcer)
{
	return &enforcer->fake->state;
}

int enforce_ring_fd(const struct enforcer *enforcer, enum pd_ring ring)
{
	(void)enforcer;
	(void)ring;
	return -1;
}

int enforce_tidy(struct enforcer *enforcer)
{
	(void)enforcer;
	return -1;
}

bool enforce_adopted(const struct enforcer *enforcer)
{
	return enforcer->adopted;
}

size_t enforce_link_fds(const struct enforcer *enforcer, int *fds, size_t max)
{
	(void)enforcer;
	(void)fds;
	(void)max;
	return 0;
}

int enforce_detach(const char *pin_dir, struct enforcer *ours, bool *ret_over,
		   struct pd_error *error)
{
	(void)pin_dir;
	(void)ours;
	last->detaches++;
	*ret_over = !last->fail_detach || last->fail_after;
	if (*ret_over)
		last->has_image = false;
	return last->fail_detach ? error_set(error, -EBUSY, "there is something") : 0;
}

size_t enforce_kernel_bytes(const struct enforcer *enforcer)
{
	(void)enforcer;
	return PD_IMAGE_SIZE;
}

int enforce_release(struct enforcer *enforcer,
		    void (*each)(void *context, const struct pd_release *task, const char *cgroup),
		    void *context, struct pd_error *error)
{
	(void)enforcer;
	(void)each;
	(void)context;
	(void)error;
	return 0;
}

bool enforce_is_doomed(const struct enforcer *enforcer, int pidfd)
{
	(void)enforcer;
	(void)pidfd;
	return false;
}

void enforce_bound(struct enforcer *enforcer,
		   void (*each)(void *context, uint64_t cgroup_id, uint32_t flags), void *context)
{
	(void)enforcer;
	(void)each;
	(void)context;
}

int enforce_holds_fd(const struct enforcer *enforcer)
{
	(void)enforcer;
	return -1;
}

void enforce_protect(struct enforcer *enforcer, const char *const *paths)
{
	(void)enforcer;
	(void)paths;
}
