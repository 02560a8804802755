// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/enforce/prove.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/enforce/prove_stage.h"

#define PATIENCE_MS 20000 /* for one answer: a machine may be busy, or emulated */
#define TRIES 3		  /* a refusal that was not counted: the label could not be read (6.1) */

struct prover {
	pid_t pid;
	int socket; /* -1: given up */
	struct prove_stage *stage;
	uint64_t proved;
	int results[PD_HOOK_COUNT]; /* of what was not proved: 0 or -errno */
};

static const char *const hook_names[PD_HOOK_COUNT] = {
#define HOOK_NAME(name, group) [PD_HOOK_##name] = #name,
	PD_HOOKS(HOOK_NAME)
#undef HOOK_NAME
};

/* ---- the prover's side ----------------------------------------------------------------------- */

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static int send_reply(int socket, int result, int fd)
{
	struct prove_reply reply = { .result = result };
	struct iovec text = { .iov_base = &reply, .iov_len = sizeof(reply) };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };

	if (fd >= 0) {
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		*(int *)CMSG_DATA(&control.header) = fd;
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* What attempts take; anything else the prover has no use for. */
static int keep_capabilities(void)
{
	static const cap_value_t kept[] = { CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_MODULE,
					    CAP_SYS_PTRACE };
	const int count = sizeof(kept) / sizeof(kept[0]);
	cap_t caps = cap_init();
	int r = 0;

	if (!caps)
		return -errno;
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
		bool keep = false;

		for (int i = 0; i < count; i++)
			keep |= kept[i] == cap;
		if (!keep && cap_get_bound(cap) > 0 && cap_drop_bound(cap) < 0)
			r = -errno;
	}
	if (cap_set_flag(caps, CAP_PERMITTED, count, kept, CAP_SET) < 0 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, count, kept, CAP_SET) < 0 || cap_set_proc(caps) < 0)
		r = -errno;
	cap_free(caps);
	return r;
}

/* Of what the parent had, keeps the socket. Signals for a whole group or cgroup are the parent's
 * business: when it ends so does the prover. */
static int settle(int *socket, pid_t parent)
{
	sigset_t none;
	int r, null;

	prctl(PR_SET_NAME, "policyd-prover");
	for (int number = 1; number < NSIG; number++)
		signal(number, number == SIGINT || number == SIGTERM || number == SIGHUP ||
					       number == SIGQUIT || number == SIGPIPE ?
				       SIG_IGN :
				       SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	r = keep_capabilities(); /* before PDEATHSIG, which a change of credentials may clear */
	if (*socket != 3) {
		if (dup3(*socket, 3, O_CLOEXEC) < 0)
			return -errno;
		*socket = 3;
	}
	close_range(0, 2, 0);
	close_range(4, ~0u, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == 0) {
		dup3(0, 1, O_CLOEXEC);
		dup3(0, 2, O_CLOEXEC);
	}
	if (!r && (chdir("/") < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0))
		r = -errno;
	if (getppid() != parent)
		_exit(1);
	return r;
}

static void dismiss(pid_t *canary)
{
	if (*canary > 0) {
		kill(*canary, SIGKILL);
		while (waitpid(*canary, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*canary = 0;
}

static int send_canary(int socket, struct prove_stage *stage, pid_t *ret_canary)
{
	CLEANUP_FD int pidfd = -1;
	pid_t prover = getpid(), canary;

	canary = fork();
	if (canary < 0)
		return send_reply(socket, -errno, -1);
	if (canary == 0) {
		fd_close(socket);
		canary_main(stage, prover);
	}
	*ret_canary = canary;
	pidfd = pidfd_open(canary, 0);
	return pidfd < 0 ? send_reply(socket, -errno, -1) : send_reply(socket, 0, pidfd);
}

static _Noreturn void prover_main(int socket, struct prove_stage *stage, pid_t parent)
{
	int r = settle(&socket, parent);
	pid_t canary = 0;
	char request;
	ssize_t n;

	if (r) {
		send_reply(socket, r, -1);
		_exit(1);
	}
	r = send_reply(socket, 0, -1);
	while (!r) {
		n = recv(socket, &request, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		dismiss(&canary);
		if (n != 1 || (request != PROVE_CANARY && request != PROVE_DISMISS))
			break;
		r = request == PROVE_CANARY ? send_canary(socket, stage, &canary) :
					      send_reply(socket, 0, -1);
	}
	dismiss(&canary);
	_exit(0);
}

/* ---- the enforcer's side --------------------------------------------------------------------- */

/* A prover that did not answer may do so later, to another question: it is not asked again. */
static int give_up(struct prover *prover, int code, struct pd_error *error)
{
	prover->socket = fd_close(prover->socket);
	if (code == -ETIMEDOUT)
		return error_set(error, code, "the prover does not answer; restart policyd");
	return error_set(error, -ECHILD, "the prover process is gone; restart policyd");
}

/* *ret_fd: the descriptor that came along, -1: none */
static int receive_reply(struct prover *prover, int *ret_result, int *ret_fd)
{
	struct pollfd ready = { .fd = prover->socket, .events = POLLIN };
	struct prove_reply reply;
	struct iovec text = { .iov_base = &reply, .iov_len = sizeof(reply) };
	union control control;
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n;

	*ret_fd = -1;
	do
		n = poll(&ready, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	n = recvmsg(prover->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n > 0 && CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_RIGHTS)
		*ret_fd = *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message));
	if (n != sizeof(reply)) {
		*ret_fd = fd_close(*ret_fd);
		return -ECHILD;
	}
	*ret_result = reply.result;
	return 0;
}

static int ask(struct prover *prover, char request, int *ret_fd, struct pd_error *error)
{
	int result = 0, r = 0;

	if (prover->socket < 0 || send(prover->socket, &request, 1, MSG_NOSIGNAL) != 1)
		r = -ECHILD;
	if (!r)
		r = receive_reply(prover, &result, ret_fd);
	if (r)
		return give_up(prover, r, error);
	if (request == PROVE_CANARY && !result && *ret_fd < 0)
		return give_up(prover, -ECHILD, error);
	return result ? error_set(error, result, "the prover cannot fork a canary: %s",
				  strerror(-result)) :
			0;
}

int prover_start(struct prover **ret_prover, struct pd_error *error)
{
	struct prover *prover = calloc(1, sizeof(*prover));
	int pair[2] = { -1, -1 }, result = 0, fd = -1, r = 0;
	pid_t parent = getpid();

	if (!prover)
		return error_set(error, -ENOMEM, "out of memory");
	prover->socket = -1;
	prover->stage = mmap(NULL, sizeof(*prover->stage), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (prover->stage == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		r = -errno;
	if (!r) {
		prover->socket = pair[0];
		prover->pid = fork();
		if (prover->pid == 0)
			prover_main(pair[1], prover->stage, parent);
		r = prover->pid < 0 ? -errno : 0;
	}
	fd_close(pair[1]); /* so that the end of the prover is the end of the socket */
	if (!r)
		r = receive_reply(prover, &result, &fd);
	if (!r)
		r = result;
	if (r) {
		prover_stop(prover);
		return error_set(error, r, "the prover process cannot be started: %s",
				 strerror(-r));
	}
	*ret_prover = prover;
	return 0;
}

void prover_stop(struct prover *prover)
{
	fd_close(prover->socket); /* it ends */
	if (prover->pid > 0)
		while (waitpid(prover->pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (prover->stage != MAP_FAILED)
		munmap(prover->stage, sizeof(*prover->stage));
	free(prover);
}

pid_t prover_pid(const struct prover *prover)
{
	return prover->pid;
}

/* ---- a run ----------------------------------------------------------------------------------- */

struct run {
	struct prover *prover;
	int labels;
	uint64_t canaries;
	volatile const uint64_t *counts; /* by enum pd_hook */
	int canary;			 /* pidfd */
	struct pd_error *error;
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Returns 0 (the canary passed the turn), 1 (it ended without), or -ETIMEDOUT. */
static int await_canary(const struct run *run)
{
	struct pollfd gone = { .fd = run->canary, .events = POLLIN };
	long deadline = now_ms() + PATIENCE_MS;

	while (!stage_wait(run->prover->stage, PROVE_TURN_ENFORCER, 2)) {
		if (poll(&gone, 1, 0) == 1)
			return stage_wait(run->prover->stage, PROVE_TURN_ENFORCER, 0) ? 0 : 1;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
	}
	return 0;
}

static int new_canary(struct run *run)
{
	struct prove_stage *stage = run->prover->stage;
	int r;

	stage_pass(stage, PROVE_TURN_CANARY);
	r = ask(run->prover, PROVE_CANARY, &run->canary, run->error);
	if (r)
		return r;
	r = await_canary(run);
	if (r < 0)
		return give_up(run->prover, r, run->error);
	if (r > 0)
		return error_set(run->error, -ECHILD, "the canary was killed");
	r = stage->result;
	return r ? error_set(run->error, r, "the canary cannot have %.48s of its own: %s",
			     stage->step, strerror(-r)) :
		   0;
}

/* Returns 0, 1 (the canary is gone), or -errno. */
static int attempt(struct run *run, int hook, int *ret_result)
{
	const struct pd_label label = { .flags = PD_LABEL_ACTIVE | PD_LABEL_CANARY,
					.hook = (uint32_t)hook,
					.origin = run->canaries };
	struct prove_stage *stage = run->prover->stage;
	int r;

	if (bpf_map_update_elem(run->labels, &run->canary, &label, BPF_ANY) < 0) {
		r = -errno;
		return error_set(run->error, r, "the canary cannot be labelled: %s", strerror(-r));
	}
	stage->hook = (uint32_t)hook;
	stage->result = 0;
	stage_pass(stage, PROVE_TURN_CANARY);
	r = await_canary(run);
	if (r < 0)
		return give_up(run->prover, r, run->error);
	*ret_result = stage->result;
	return r;
}

/* Returns 0, 1 (the canary is gone, or about to go), or -errno. */
static int prove_hook(struct run *run, int hook)
{
	uint64_t before = run->counts[hook];
	bool counted = false;
	int result = 0, r = 0;

	for (int try = 0; try < TRIES && !counted; try++) {
		r = attempt(run, hook, &result);
		if (r < 0)
			return r;
		counted = run->counts[hook] != before;
		if (r || !stage_refused(result))
			break;
	}
	/* This hook cannot refuse: it counts an exec that succeeds. */
	if (hook == PD_HOOK_bprm_committed_creds)
		counted &= r == 1;
	else
		counted &= r == 0 && stage_refused(result);
	if (counted)
		run->prover->proved |= 1ull << hook;
	run->prover->results[hook] = result;
	return r || !stage_refused(result);
}

/* The exec comes last: it ends the canary. */
static int next_hook(uint64_t hooks)
{
	const uint64_t exec = 1ull << PD_HOOK_bprm_committed_creds;

	return __builtin_ctzll(hooks & ~exec ? hooks & ~exec : hooks);
}

/* One canary, for as many hooks as it survives. */
static int run_canary(struct run *run, uint64_t *hooks)
{
	int r = new_canary(run);

	while (!r && *hooks) {
		int hook = next_hook(*hooks);

		*hooks &= ~(1ull << hook);
		r = prove_hook(run, hook);
	}
	run->canary = fd_close(run->canary);
	return r < 0 ? r : 0;
}

/* Nobody gets there: the system call is missing, or refused to all, or (user namespaces) used up. */
static bool out_of_reach(int result)
{
	return result == -ENOSYS || result == -ENOSPC || stage_refused(result);
}

static int verdict(const struct prover *prover, uint64_t hooks, struct pd_error *error)
{
	char names[480] = "";
	size_t used = 0;

	for (int hook = 1; hook < PD_HOOK_COUNT; hook++) {
		int result = prover->results[hook];

		if (!((hooks & ~prover->proved) >> hook & 1) || out_of_reach(result))
			continue;
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s (%s)",
						 used ? ", " : "", hook_names[hook],
						 result ? strerror(-result) : "done");
	}
	if (!used)
		return 0;
	return error_set(error, -ENODATA, "hooks did not refuse what a test process did: %s",
			 names);
}

int prover_run(struct prover *prover, int labels_map_fd, struct pd_state *state, uint64_t canaries,
	       uint64_t hooks, uint64_t *ret_proved, struct pd_error *error)
{
	struct run run = { .prover = prover,
			   .labels = labels_map_fd,
			   .canaries = canaries,
			   .counts = (volatile const uint64_t *)state->canary,
			   .canary = -1,
			   .error = error };
	uint64_t left;
	int r = 0, none = -1;

	hooks &= ((1ull << (PD_HOOK_COUNT - 1)) - 1) << 1;
	left = hooks;
	prover->proved = 0;
	memset(prover->results, 0, sizeof(prover->results));
	while (!r && left)
		r = run_canary(&run, &left);
	if (prover->socket >= 0 && hooks) {
		int dismissed = ask(prover, PROVE_DISMISS, &none, r ? NULL : error);

		r = r ? r : dismissed;
	}
	*ret_proved = prover->proved;
	return r ? r : verdict(prover, hooks, error);
}

const char *prover_skipped(const struct prover *prover, enum pd_hook hook)
{
	int result = prover->results[hook];

	if ((prover->proved >> hook & 1) || !out_of_reach(result))
		return NULL;
	if (hook == PD_HOOK_file_ioctl_compat && result == -ENOSYS)
		return "32-bit system calls are not to be had here";
	if (result == -ENOSYS)
		return "this kernel cannot do what the hook would refuse";
	if (result == -ENOSPC)
		return "a limit of this machine is reached before the hook is";
	return "something else refuses it to everybody, before the hook is reached";
}
