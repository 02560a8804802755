// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * net NAME: attempts with sockets; see steps.h. Sockets have names of one letter.
 *
 * Addresses: 192.0.2.1:80  [2001:db8::1]:80  /path  @abstract  auto (unix autobind)  unspec
 *            nl (netlink)  ll (packet, on lo)  vm:CID:PORT  alg:TYPE:NAME
 * "FAMILY/ADDRESS" writes another family into it, "ADDRESS,LENGTH" gives another length.
 */
#include <arpa/inet.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vm/bin/steps.h"

static int sockets[128];

struct word {
	const char *name;
	int value;
};

static const struct word families[] = {
	{ "unspec", AF_UNSPEC }, { "unix", AF_UNIX },	    { "inet", AF_INET },
	{ "inet6", AF_INET6 },	 { "netlink", AF_NETLINK }, { "packet", AF_PACKET },
	{ "vsock", AF_VSOCK },	 { "alg", AF_ALG },	    { "smc", AF_SMC },
	{ "rds", AF_RDS },	 { "tipc", AF_TIPC },	    { "key", AF_KEY },
	{ "xdp", AF_XDP },	 { "can", AF_CAN },	    { NULL, 0 },
};

static const struct word types[] = {
	{ "stream", SOCK_STREAM },
	{ "dgram", SOCK_DGRAM },
	{ "raw", SOCK_RAW },
	{ "rdm", SOCK_RDM },
	{ "seqpacket", SOCK_SEQPACKET },
	{ "packet", SOCK_PACKET },
	{ "dccp", SOCK_DCCP },
	{ NULL, 0 },
};

static const struct word protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP },
	{ "udplite", IPPROTO_UDPLITE },
	{ "mptcp", IPPROTO_MPTCP },
	{ "raw", IPPROTO_RAW },
	{ "route", NETLINK_ROUTE },
	{ "audit", NETLINK_AUDIT },
	{ "uevent", NETLINK_KOBJECT_UEVENT },
	{ "generic", NETLINK_GENERIC },
	{ NULL, 0 },
};

static int lookup(const struct word *words, const char *text)
{
	for (; words->name; words++)
		if (!strcmp(words->name, text))
			return words->value;
	return (int)strtol(text, NULL, 0);
}

static int *fd_of(const char *name)
{
	return &sockets[name[0] & 127];
}

/* ---- addresses ------------------------------------------------------------------------------- */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_nl nl;
	struct sockaddr_ll ll;
	struct sockaddr_vm vm;
	struct sockaddr_alg alg;
	struct sockaddr_storage storage;
};

static socklen_t parse_ip(char *text, union address *a)
{
	char *port = strrchr(text, ':');

	*port++ = '\0';
	if (text[0] == '[') {
		text[strlen(text) - 1] = '\0';
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)atoi(port));
		inet_pton(AF_INET6, text + 1, &a->in6.sin6_addr);
		if (IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr))
			a->in6.sin6_scope_id = if_nametoindex("lo");
		return sizeof(a->in6);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)atoi(port));
	inet_pton(AF_INET, text, &a->in.sin_addr);
	return sizeof(a->in);
}

static socklen_t parse_unix(const char *text, union address *a)
{
	size_t length = strlen(text);

	a->un.sun_family = AF_UNIX;
	if (!strcmp(text, "auto"))
		return sizeof(a->un.sun_family);
	memcpy(a->un.sun_path, text, length);
	if (text[0] == '@')
		a->un.sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] != '@'));
}

static socklen_t parse_plain(char *text, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (text[0] == '/' || text[0] == '@' || !strcmp(text, "auto"))
		return parse_unix(text, a);
	if (!strcmp(text, "unspec"))
		return sizeof(a->in);
	if (!strcmp(text, "nl")) {
		a->nl.nl_family = AF_NETLINK;
		return sizeof(a->nl);
	}
	if (!strcmp(text, "ll")) {
		a->ll.sll_family = AF_PACKET;
		a->ll.sll_ifindex = (int)if_nametoindex("lo");
		a->ll.sll_protocol = htons(0x88b5);
		a->ll.sll_halen = 6;
		return sizeof(a->ll);
	}
	if (sscanf(text, "vm:%u:%u", &a->vm.svm_cid, &a->vm.svm_port) == 2) {
		a->vm.svm_family = AF_VSOCK;
		return sizeof(a->vm);
	}
	if (sscanf(text, "alg:%13[^:]:%63s", (char *)a->alg.salg_type, (char *)a->alg.salg_name) ==
	    2) {
		a->alg.salg_family = AF_ALG;
		return sizeof(a->alg);
	}
	return parse_ip(text, a);
}

static socklen_t parse(const char *given, union address *a)
{
	char text[256], *comma, *slash, *rest = text;
	socklen_t length;

	snprintf(text, sizeof(text), "%s", given);
	comma = strrchr(text, ',');
	if (comma)
		*comma++ = '\0';
	slash = text[0] == '/' || text[0] == '@' ? NULL : strchr(text, '/');
	if (slash) {
		*slash = '\0';
		rest = slash + 1;
	}
	length = parse_plain(rest, a);
	if (slash)
		a->sa.sa_family = (sa_family_t)lookup(families, text);
	return comma ? (socklen_t)atoi(comma) : length;
}

/* ---- commands -------------------------------------------------------------------------------- */

static int opened(const char *name, int fd)
{
	struct timeval limit = { .tv_sec = 3 };
	int one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (*fd_of(name) > 0)
		close(*fd_of(name));
	*fd_of(name) = fd;
	return 0;
}

/* NAME FAMILY TYPE PROTOCOL */
static int do_socket(char **w)
{
	int family = lookup(families, w[1]), type = lookup(types, w[2]);

	return opened(w[0], socket(family, type, lookup(protocols, w[3])));
}

static int do_pair(char **w)
{
	int fds[2], r = socketpair(lookup(families, w[0]), lookup(types, w[1]), 0, fds);
	char byte = 'x';

	if (r < 0)
		return -errno;
	r = step_result(write(fds[0], &byte, 1) == 1 ? (int)read(fds[1], &byte, 1) : -1);
	close(fds[0]);
	close(fds[1]);
	return r;
}

static int do_bind(char **w)
{
	union address a;
	socklen_t length = parse(w[1], &a);

	return step_result(bind(*fd_of(w[0]), &a.sa, length));
}

static int do_connect(char **w)
{
	union address a;
	socklen_t length = parse(w[1], &a);

	return step_result(connect(*fd_of(w[0]), &a.sa, length));
}

static int do_listen(char **w)
{
	return step_result(listen(*fd_of(w[0]), 8));
}

/* LISTENER NAME */
static int do_accept(char **w)
{
	return opened(w[1], accept(*fd_of(w[0]), NULL, NULL));
}

static int send_flags(char **w, int flags)
{
	union address a;
	socklen_t length = parse(w[1], &a);
	char data[64] = "data";

	return step_result(
		sendto(*fd_of(w[0]), data, sizeof(data), flags | MSG_NOSIGNAL, &a.sa, length));
}

static int do_sendto(char **w)
{
	return send_flags(w, 0);
}

static int do_fastopen(char **w)
{
	return send_flags(w, MSG_FASTOPEN);
}

static int do_send(char **w)
{
	char data[64] = "data";

	return step_result(send(*fd_of(w[0]), data, sizeof(data), MSG_NOSIGNAL));
}

/* NAME ADDRESS...: sendmsg() for one, sendmmsg() for more; 0 only when all went */
static int do_sendmsg(char **w)
{
	struct mmsghdr messages[STEP_WORDS] = { 0 };
	union address a[STEP_WORDS];
	char data[16] = "data";
	struct iovec iov = { data, sizeof(data) };
	int n = 0, r, fd = *fd_of(w[0]);

	for (; w[n + 1]; n++) {
		messages[n].msg_hdr.msg_name = &a[n];
		messages[n].msg_hdr.msg_namelen = parse(w[n + 1], &a[n]);
		messages[n].msg_hdr.msg_iov = &iov;
		messages[n].msg_hdr.msg_iovlen = 1;
	}
	if (n == 1)
		return step_result(sendmsg(fd, &messages[0].msg_hdr, MSG_NOSIGNAL));
	r = sendmmsg(fd, messages, (unsigned int)n, MSG_NOSIGNAL);
	if (r < 0)
		return -errno;
	if (r == n)
		return 0;
	/* the error of the one that failed is only told by the next call */
	return step_result(sendmmsg(fd, messages + r, 1, MSG_NOSIGNAL));
}

/* Has something come? */
static int do_recv(char **w)
{
	char data[256];

	return step_result(recv(*fd_of(w[0]), data, sizeof(data), MSG_DONTWAIT));
}

static int do_close(char **w)
{
	int *fd = fd_of(w[0]), r = close(*fd);

	*fd = 0;
	return step_result(r);
}

/* NAME OPTION VALUE */
static int do_option(char **w)
{
	static const struct {
		const char *name;
		int level, option;
	} options[] = {
		{ "passcred", SOL_SOCKET, SO_PASSCRED },
		{ "v6only", IPPROTO_IPV6, IPV6_V6ONLY },
		{ "addrform", IPPROTO_IPV6, IPV6_ADDRFORM },
		{ "fastopen", IPPROTO_TCP, TCP_FASTOPEN },
		{ "fastopen_connect", IPPROTO_TCP, TCP_FASTOPEN_CONNECT },
	};
	int value = atoi(w[2]);

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strcmp(options[i].name, w[1]))
			return step_result(setsockopt(*fd_of(w[0]), options[i].level,
						      options[i].option, &value, sizeof(value)));
	return -EINVAL;
}

#define SCTP_SOCKOPT_BINDX_ADD 100
#define SCTP_SOCKOPT_CONNECTX 110

/* NAME ADDRESS... */
static int sctp_option(char **w, int option)
{
	char packed[STEP_WORDS * sizeof(struct sockaddr_in6)];
	socklen_t length = 0;

	for (int i = 1; w[i]; i++) {
		union address a;
		socklen_t one = parse(w[i], &a);

		memcpy(packed + length, &a, one);
		length += one;
	}
	return step_result(setsockopt(*fd_of(w[0]), IPPROTO_SCTP, option, packed, length));
}

static int do_connectx(char **w)
{
	return sctp_option(w, SCTP_SOCKOPT_CONNECTX);
}

static int do_bindx(char **w)
{
	return sctp_option(w, SCTP_SOCKOPT_BINDX_ADD);
}

/* Is the port that the kernel chose there? */
static int do_port(char **w)
{
	union address a;
	socklen_t length = sizeof(a);

	if (getsockname(*fd_of(w[0]), &a.sa, &length) < 0)
		return -errno;
	return a.in.sin_port ? 0 : -ENODATA;
}

/* What was opened stays, for others */
__attribute__((noreturn)) static int do_pause(char **w)
{
	(void)w;
	for (;;)
		pause();
}

static int do_unlink(char **w)
{
	return step_result(unlink(w[0]));
}

/* COMMAND...: with another user's identity, in a process of its own */
static int do_user(char **w);

static const struct step_command commands[] = {
	{ "socket", 4, do_socket },	{ "pair", 2, do_pair },
	{ "bind", 2, do_bind },		{ "connect", 2, do_connect },
	{ "listen", 1, do_listen },	{ "accept", 2, do_accept },
	{ "sendto", 2, do_sendto },	{ "sendmsg", 2, do_sendmsg },
	{ "fastopen", 2, do_fastopen }, { "send", 1, do_send },
	{ "recv", 1, do_recv },		{ "close", 1, do_close },
	{ "option", 3, do_option },	{ "connectx", 2, do_connectx },
	{ "bindx", 2, do_bindx },	{ "port", 1, do_port },
	{ "unlink", 1, do_unlink },	{ "user", 2, do_user },
	{ "pause", 0, do_pause },	{ NULL, 0, NULL },
};

static const struct step_command *const tables[] = { commands, NULL };

static int do_user(char **w)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int r = setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ? -errno : 0;

		_exit(-(r ? r : step_run(tables, w)));
	}
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return steps(argc > 1 ? argv[1] : "net", tables);
}
