// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/enforce/prove_stage.h"

void stage_pass(struct prove_stage *stage, enum prove_turn turn)
{
	atomic_store(&stage->turn, turn);
	syscall(SYS_futex, &stage->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool stage_wait(struct prove_stage *stage, enum prove_turn turn, int timeout_ms)
{
	struct timespec timeout = { .tv_sec = timeout_ms / 1000,
				    .tv_nsec = timeout_ms % 1000 * 1000000L };
	uint32_t now = atomic_load(&stage->turn);

	if (now != (uint32_t)turn)
		syscall(SYS_futex, &stage->turn, FUTEX_WAIT, now, timeout_ms < 0 ? NULL : &timeout,
			NULL, 0);
	return atomic_load(&stage->turn) == (uint32_t)turn;
}

bool stage_refused(int result)
{
	return result == -EPERM || result == -EACCES;
}

/* ---- what the attempts need ------------------------------------------------------------------ */

static int errno_unless(bool ok)
{
	return ok ? 0 : -errno;
}

/* An empty file system, mounted over "/" and entered as switch_root does: by this the canary is not
 * "chrooted", which would keep it from making user namespaces. */
static int enter_root(void)
{
	CLEANUP_FD int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	CLEANUP_FD int root = -1;

	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "1m", 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	root = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return errno_unless(root >= 0 && unshare(CLONE_NEWNS) == 0 &&
			    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			    move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
			    fchdir(root) == 0 && chroot(".") == 0);
}

static int write_file(const char *path, mode_t mode, const void *text, size_t size)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd_write_full(fd, text, size);
}

/* exit(0) */
static const unsigned char exit_code[] = {
#if defined(__x86_64__)
	0xb8, 0x3c, 0x00, 0x00, 0x00, /* mov $60, %eax */
	0x31, 0xff,		      /* xor %edi, %edi */
	0x0f, 0x05,		      /* syscall */
#define CANARY_MACHINE EM_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
	0xa8, 0x0b, 0x80, 0xd2, /* mov x8, #93 */
	0x00, 0x00, 0x80, 0xd2, /* mov x0, #0 */
	0x01, 0x00, 0x00, 0xd4, /* svc #0 */
#define CANARY_MACHINE EM_AARCH64
#else
	0
#define CANARY_MACHINE EM_NONE /* exec fails with ENOEXEC */
#endif
};

static int make_program(void)
{
	enum { BASE = 0x400000 };
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		unsigned char code[sizeof(exit_code)];
	} program = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = CANARY_MACHINE,
			.e_version = EV_CURRENT,
			.e_entry = BASE + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.segment = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = BASE,
			.p_paddr = BASE,
			.p_filesz = sizeof(program),
			.p_memsz = sizeof(program),
			.p_align = 0x10000,
		},
	};

	memcpy(program.code, exit_code, sizeof(exit_code));
	return write_file(CANARY_PROGRAM, 0700, &program, sizeof(program));
}

static int make_files(void)
{
	static const char script[128] = "#!/nothing\n";
	static const char text[128] = "canary\n";
	int r = write_file(CANARY_FILE, 0600, text, sizeof(text));

	if (!r)
		r = write_file(CANARY_SCRIPT, 0700, script, sizeof(script));
	if (!r)
		r = make_program();
	return r ? r : errno_unless(mkdir(CANARY_DIR, 0700) == 0);
}

static int make_listener(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CANARY_LISTENER };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* stays open */

	return errno_unless(fd >= 0 &&
			    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			    listen(fd, 8) == 0);
}

/* ---- the process ----------------------------------------------------------------------------- */

static int prepare(struct prove_stage *stage)
{
	static const struct {
		const char *what;
		int (*make)(void);
	} steps[] = {
		{ "a root file system", enter_root },
		{ "files", make_files },
		{ "a socket", make_listener },
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(steps) / sizeof(steps[0]); i++) {
		snprintf(stage->step, sizeof(stage->step), "%s", steps[i].what);
		r = steps[i].make();
	}
	return r;
}

void canary_main(struct prove_stage *stage, pid_t parent)
{
	int r;

	prctl(PR_SET_NAME, "policyd-canary");
	r = errno_unless(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	if (getppid() != parent)
		_exit(1);
	if (!r)
		r = prepare(stage);
	stage->result = r;
	stage_pass(stage, PROVE_TURN_ENFORCER);
	if (r)
		_exit(1);
	do {
		while (!stage_wait(stage, PROVE_TURN_CANARY, -1))
			;
		r = canary_attempt((enum pd_hook)stage->hook);
		stage->result = r;
		stage_pass(stage, PROVE_TURN_ENFORCER);
	} while (stage_refused(r));
	_exit(0);
}
