// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/policy/words.h"

#include <linux/capability.h>
#include <linux/in.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policyd/policy/policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS(name, items, what) const struct words name = { items, COUNT(items), what }

/* Newer than the headers of the oldest build machine. */
#ifndef IPPROTO_L2TP
#define IPPROTO_L2TP 115
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256
#endif
#ifndef AF_MCTP
#define AF_MCTP 45
#endif
#define PROTO_ICMPV6 58
#define PROTO_OSPF 89
#define PROTO_VRRP 112
#define PROTO_IPV6 41

static const struct word file_permissions[] = {
	{ "read", PD_READ },
	{ "write", PD_WRITE | PD_APPEND },
	{ "append", PD_APPEND },
	{ "create", PD_CREATE },
	{ "delete", PD_DELETE },
	{ "link", PD_LINK },
	{ "attr", PD_ATTR },
	{ "mmap_exec", PD_MMAP_EXEC },
	{ "ioctl", PD_IOCTL },
	{ "lock", PD_LOCK },
	{ "rw", PD_READ | PD_WRITE | PD_APPEND },
	{ "modify", PD_WRITE | PD_APPEND | PD_CREATE | PD_DELETE | PD_LINK | PD_ATTR },
	{ "all", PD_PATH_FILE },
};
WORDS(words_file_permissions, file_permissions, "file permission");

static const struct word socket_operations[] = {
	{ "create", PD_SOCK_CREATE }, { "bind", PD_SOCK_BIND },	      { "listen", PD_SOCK_LISTEN },
	{ "accept", PD_SOCK_ACCEPT }, { "connect", PD_SOCK_CONNECT }, { "send", PD_SOCK_SEND },
	{ "all", PD_SOCK_ALL },
};
WORDS(words_socket_operations, socket_operations, "socket operation");

static const struct word families[] = {
	{ "unix", AF_UNIX },
	{ "inet", AF_INET },
	{ "inet6", AF_INET6 },
	{ "netlink", AF_NETLINK },
	{ "packet", AF_PACKET },
	{ "vsock", AF_VSOCK },
	{ "alg", AF_ALG },
	{ "bluetooth", AF_BLUETOOTH },
	{ "can", AF_CAN },
	{ "tipc", AF_TIPC },
	{ "xdp", AF_XDP },
	{ "key", AF_KEY },
	{ "ax25", AF_AX25 },
	{ "ipx", AF_IPX },
	{ "appletalk", AF_APPLETALK },
	{ "netrom", AF_NETROM },
	{ "bridge", AF_BRIDGE },
	{ "atmpvc", AF_ATMPVC },
	{ "x25", AF_X25 },
	{ "rose", AF_ROSE },
	{ "decnet", AF_DECnet },
	{ "netbeui", AF_NETBEUI },
	{ "security", AF_SECURITY },
	{ "ash", AF_ASH },
	{ "econet", AF_ECONET },
	{ "atmsvc", AF_ATMSVC },
	{ "rds", AF_RDS },
	{ "sna", AF_SNA },
	{ "irda", AF_IRDA },
	{ "pppox", AF_PPPOX },
	{ "wanpipe", AF_WANPIPE },
	{ "llc", AF_LLC },
	{ "ib", AF_IB },
	{ "mpls", AF_MPLS },
	{ "iucv", AF_IUCV },
	{ "rxrpc", AF_RXRPC },
	{ "isdn", AF_ISDN },
	{ "phonet", AF_PHONET },
	{ "ieee802154", AF_IEEE802154 },
	{ "caif", AF_CAIF },
	{ "nfc", AF_NFC },
	{ "kcm", AF_KCM },
	{ "qipcrtr", AF_QIPCRTR },
	{ "smc", AF_SMC },
	{ "mctp", AF_MCTP },
	/* other names people know them by */
	{ "local", AF_UNIX },
	{ "ipv4", AF_INET },
	{ "ipv6", AF_INET6 },
};
WORDS(words_families, families, "socket family");

static const struct word types[] = {
	{ "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM },	    { "raw", SOCK_RAW },
	{ "rdm", SOCK_RDM },	   { "seqpacket", SOCK_SEQPACKET }, { "dccp", SOCK_DCCP },
	{ "packet", SOCK_PACKET },
};
WORDS(words_types, types, "socket type");

static const struct word ip_protocols[] = {
	{ "tcp", IPPROTO_TCP },	    { "udp", IPPROTO_UDP },    { "icmp", IPPROTO_ICMP },
	{ "icmpv6", PROTO_ICMPV6 }, { "sctp", IPPROTO_SCTP },  { "udplite", IPPROTO_UDPLITE },
	{ "mptcp", IPPROTO_MPTCP }, { "dccp", IPPROTO_DCCP },  { "igmp", IPPROTO_IGMP },
	{ "ipip", IPPROTO_IPIP },   { "ipv6", PROTO_IPV6 },    { "rsvp", IPPROTO_RSVP },
	{ "gre", IPPROTO_GRE },	    { "esp", IPPROTO_ESP },    { "ah", IPPROTO_AH },
	{ "ospf", PROTO_OSPF },	    { "pim", IPPROTO_PIM },    { "vrrp", PROTO_VRRP },
	{ "l2tp", IPPROTO_L2TP },   { "raw", IPPROTO_RAW },    { "smc", IPPROTO_SMC },
	{ "ping", IPPROTO_ICMP },   { "icmp6", PROTO_ICMPV6 },
};
WORDS(words_ip_protocols, ip_protocols, "protocol");

static const struct word netlink_protocols[] = {
	{ "route", NETLINK_ROUTE },	    { "usersock", NETLINK_USERSOCK },
	{ "firewall", NETLINK_FIREWALL },   { "sock_diag", NETLINK_SOCK_DIAG },
	{ "nflog", NETLINK_NFLOG },	    { "xfrm", NETLINK_XFRM },
	{ "selinux", NETLINK_SELINUX },	    { "iscsi", NETLINK_ISCSI },
	{ "audit", NETLINK_AUDIT },	    { "fib_lookup", NETLINK_FIB_LOOKUP },
	{ "connector", NETLINK_CONNECTOR }, { "netfilter", NETLINK_NETFILTER },
	{ "ip6_fw", NETLINK_IP6_FW },	    { "kobject_uevent", NETLINK_KOBJECT_UEVENT },
	{ "generic", NETLINK_GENERIC },	    { "scsitransport", NETLINK_SCSITRANSPORT },
	{ "ecryptfs", NETLINK_ECRYPTFS },   { "rdma", NETLINK_RDMA },
	{ "crypto", NETLINK_CRYPTO },	    { "smc", NETLINK_SMC },
	{ "inet_diag", NETLINK_SOCK_DIAG },
};
WORDS(words_netlink_protocols, netlink_protocols, "netlink protocol");

static const struct word capabilities[] = {
	{ "chown", CAP_CHOWN },
	{ "dac_override", CAP_DAC_OVERRIDE },
	{ "dac_read_search", CAP_DAC_READ_SEARCH },
	{ "fowner", CAP_FOWNER },
	{ "fsetid", CAP_FSETID },
	{ "kill", CAP_KILL },
	{ "setgid", CAP_SETGID },
	{ "setuid", CAP_SETUID },
	{ "setpcap", CAP_SETPCAP },
	{ "linux_immutable", CAP_LINUX_IMMUTABLE },
	{ "net_bind_service", CAP_NET_BIND_SERVICE },
	{ "net_broadcast", CAP_NET_BROADCAST },
	{ "net_admin", CAP_NET_ADMIN },
	{ "net_raw", CAP_NET_RAW },
	{ "ipc_lock", CAP_IPC_LOCK },
	{ "ipc_owner", CAP_IPC_OWNER },
	{ "sys_module", CAP_SYS_MODULE },
	{ "sys_rawio", CAP_SYS_RAWIO },
	{ "sys_chroot", CAP_SYS_CHROOT },
	{ "sys_ptrace", CAP_SYS_PTRACE },
	{ "sys_pacct", CAP_SYS_PACCT },
	{ "sys_admin", CAP_SYS_ADMIN },
	{ "sys_boot", CAP_SYS_BOOT },
	{ "sys_nice", CAP_SYS_NICE },
	{ "sys_resource", CAP_SYS_RESOURCE },
	{ "sys_time", CAP_SYS_TIME },
	{ "sys_tty_config", CAP_SYS_TTY_CONFIG },
	{ "mknod", CAP_MKNOD },
	{ "lease", CAP_LEASE },
	{ "audit_write", CAP_AUDIT_WRITE },
	{ "audit_control", CAP_AUDIT_CONTROL },
	{ "setfcap", CAP_SETFCAP },
	{ "mac_override", CAP_MAC_OVERRIDE },
	{ "mac_admin", CAP_MAC_ADMIN },
	{ "syslog", CAP_SYSLOG },
	{ "wake_alarm", CAP_WAKE_ALARM },
	{ "block_suspend", CAP_BLOCK_SUSPEND },
	{ "audit_read", CAP_AUDIT_READ },
	{ "perfmon", CAP_PERFMON },
	{ "bpf", CAP_BPF },
	{ "checkpoint_restore", CAP_CHECKPOINT_RESTORE },
};
WORDS(words_capabilities, capabilities, "capability");

static const struct word guards[] = {
	{ "bpf", PD_GUARD_BPF },	   { "mount", PD_GUARD_MOUNT },
	{ "userns", PD_GUARD_USERNS },	   { "ptrace", PD_GUARD_PTRACE },
	{ "signal", PD_GUARD_SIGNAL },	   { "io_uring", PD_GUARD_IO_URING },
	{ "perf", PD_GUARD_PERF },	   { "module", PD_GUARD_MODULE },
	{ "cgroup", PD_GUARD_CGROUP },	   { "kernel", PD_GUARD_KERNEL },
	{ "terminal", PD_GUARD_TERMINAL }, { "wx", PD_GUARD_WX },
};
WORDS(words_guards, guards, "guard");
_Static_assert(COUNT(guards) == PD_GUARD_COUNT - 1, "every guard has a name");

static const struct word classes[] = {
	{ "file", PD_CLASS_FILE },     { "exec", PD_CLASS_EXEC },
	{ "socket", PD_CLASS_SOCKET }, { "capability", PD_CLASS_CAPABILITY },
	{ "guard", PD_CLASS_GUARD },
};
WORDS(words_classes, classes, "class");
_Static_assert(COUNT(classes) == PD_CLASS_COUNT, "every class has a name");

static const struct word modes[] = {
	{ "enforce", POLICY_ENFORCE },
	{ "audit", POLICY_AUDIT },
	{ "disabled", POLICY_DISABLED },
};
WORDS(words_modes, modes, "mode");

/* Single bits, as events print them; file and unix rights share an automaton. */
static const struct word path_bits[] = {
	{ "read", PD_READ },	      { "write", PD_WRITE },	     { "append", PD_APPEND },
	{ "create", PD_CREATE },      { "delete", PD_DELETE },	     { "link", PD_LINK },
	{ "attr", PD_ATTR },	      { "mmap_exec", PD_MMAP_EXEC }, { "ioctl", PD_IOCTL },
	{ "lock", PD_LOCK },	      { "exec", PD_EXEC },	     { "bind", PD_UNIX_BIND },
	{ "listen", PD_UNIX_LISTEN }, { "accept", PD_UNIX_ACCEPT },  { "connect", PD_UNIX_CONNECT },
	{ "send", PD_UNIX_SEND },
};
static const struct word use_bits[] = { { "use", PD_USE } };

bool words_find(const struct words *words, const char *name, uint32_t *ret_value)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->items[i].name, name))
			continue;
		*ret_value = words->items[i].value;
		return true;
	}
	return false;
}

const char *words_name(const struct words *words, uint32_t value)
{
	for (size_t i = 0; i < words->count; i++)
		if (words->items[i].value == value)
			return words->items[i].name;
	return NULL;
}

#define DISTANCE_MAX_LENGTH 32u

/* Edit distance with swapped neighbours counted once; lengths at most DISTANCE_MAX_LENGTH. */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int rows[3][DISTANCE_MAX_LENGTH + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		above[j] = (unsigned int)j;
	memset(rows[0], 0, sizeof(rows[0]));
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *spare;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned int best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b_length];
}

const char *words_nearest(const struct words *words, const char *name)
{
	size_t length = strlen(name);
	unsigned int best = (unsigned int)(length / 3 > 2 ? length / 3 : 2);
	const char *found = NULL;

	if (length < 2 || length > DISTANCE_MAX_LENGTH)
		return NULL;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i].name;
		size_t word_length = strlen(word);
		unsigned int d;

		if (word_length > DISTANCE_MAX_LENGTH)
			continue;
		d = distance(name, length, word, word_length);
		/* a word of which nothing is left is no slip of the pen */
		if (d >= word_length || d >= length)
			continue;
		if (d < best || (d == best && !found)) {
			best = d;
			found = word;
		}
	}
	if (found)
		return found;
	for (size_t i = 0; i < words->count && length >= 3; i++) {
		const char *word = words->items[i].name;
		size_t word_length = strlen(word);

		if (!strncmp(word, name, length) ||
		    (word_length >= 3 && !strncmp(word, name, word_length)))
			return word;
	}
	return NULL;
}

bool words_capability(const char *name, uint32_t *ret_value)
{
	if (!strncasecmp(name, "cap_", 4))
		name += 4;
	for (size_t i = 0; i < COUNT(capabilities); i++) {
		if (strcasecmp(capabilities[i].name, name))
			continue;
		*ret_value = capabilities[i].value;
		return true;
	}
	return false;
}

uint32_t words_unix_perms(uint32_t socket_perms)
{
	static const struct {
		uint32_t socket, path;
	} same[] = {
		{ PD_SOCK_BIND, PD_UNIX_BIND },	    { PD_SOCK_LISTEN, PD_UNIX_LISTEN },
		{ PD_SOCK_ACCEPT, PD_UNIX_ACCEPT }, { PD_SOCK_CONNECT, PD_UNIX_CONNECT },
		{ PD_SOCK_SEND, PD_UNIX_SEND },
	};
	uint32_t perms = 0;

	for (size_t i = 0; i < COUNT(same); i++)
		if (socket_perms & same[i].socket)
			perms |= same[i].path;
	return perms;
}

const char *word_verdict(enum pd_verdict verdict)
{
	switch (verdict) {
	case PD_ALLOWED:
		return "allowed";
	case PD_DENIED:
		return "denied";
	case PD_WOULD_DENY:
		return "would_deny";
	}
	return "unknown";
}

const char *word_class(enum pd_class class)
{
	const char *name = words_name(&words_classes, class);

	return name ? name : "unknown";
}

const char *word_operation(enum pd_operation operation)
{
	static const char *const names[] = {
		[PD_OP_NONE] = "none",
		[PD_OP_OPEN] = "open",
		[PD_OP_TRUNCATE] = "truncate",
		[PD_OP_CREATE] = "create",
		[PD_OP_MKDIR] = "mkdir",
		[PD_OP_MKNOD] = "mknod",
		[PD_OP_SYMLINK] = "symlink",
		[PD_OP_UNLINK] = "unlink",
		[PD_OP_RMDIR] = "rmdir",
		[PD_OP_RENAME] = "rename",
		[PD_OP_LINK] = "link",
		[PD_OP_CHMOD] = "chmod",
		[PD_OP_CHOWN] = "chown",
		[PD_OP_UTIMES] = "utimes",
		[PD_OP_SETXATTR] = "setxattr",
		[PD_OP_REMOVEXATTR] = "removexattr",
		[PD_OP_SETACL] = "setacl",
		[PD_OP_MMAP] = "mmap",
		[PD_OP_MPROTECT] = "mprotect",
		[PD_OP_IOCTL] = "ioctl",
		[PD_OP_LOCK] = "lock",
		[PD_OP_FCNTL] = "fcntl",
		[PD_OP_RECEIVE] = "receive",
		[PD_OP_READ] = "read",
		[PD_OP_WRITE] = "write",
		[PD_OP_EXEC] = "exec",
		[PD_OP_SOCKET] = "socket",
		[PD_OP_BIND] = "bind",
		[PD_OP_LISTEN] = "listen",
		[PD_OP_ACCEPT] = "accept",
		[PD_OP_CONNECT] = "connect",
		[PD_OP_SEND] = "send",
		[PD_OP_CAPABLE] = "capable",
		[PD_OP_GUARD] = "guard",
		[PD_OP_PRCTL] = "prctl",
		[PD_OP_SETATTR] = "setattr",
		[PD_OP_EXEC_CHECK] = "exec_check",
	};

	_Static_assert(COUNT(names) == PD_OP_COUNT, "every operation has a name");
	return (size_t)operation < COUNT(names) ? names[operation] : "unknown";
}

const char *word_hook(enum pd_hook hook)
{
	static const char *const names[] = { [PD_HOOK_NONE] = "none",
#define HOOK_NAME(name, group) [PD_HOOK_##name] = #name,
					     PD_HOOKS(HOOK_NAME)
#undef HOOK_NAME
	};

	return (size_t)hook < COUNT(names) ? names[hook] : "unknown";
}

const char *word_guard(enum pd_guard guard)
{
	const char *name = words_name(&words_guards, guard);

	return name ? name : "unknown";
}

static const struct {
	const char *key, *text;
} reasons[] = {
	[PD_REASON_RULE] = { "rule", "a rule or the default decided" },
	[PD_REASON_DELETED] = { "deleted", "the file has no name any more (deleted)" },
	[PD_REASON_UNREACHABLE] = { "unreachable", "the file has no name here (not in the task's "
						   "mount namespace)" },
	[PD_REASON_TOO_LONG] = { "too_long", "the file's name is too long to be judged" },
	[PD_REASON_TOO_DEEP] = { "too_deep", "the file lies too deep to be judged" },
	[PD_REASON_RACED] = { "raced", "the file's name kept changing while it was read" },
	[PD_REASON_WIDENS] = { "widens", "the new name would grant more than the old one" },
	[PD_REASON_BUSY] = { "busy", "no memory to decide in, or the label could not be read" },
	[PD_REASON_STALE] = { "stale", "the task's policy is not in the loaded image" },
	[PD_REASON_SELF] = { "self", "policyd protects itself, in every mode" },
	[PD_REASON_UNKNOWN] = { "unknown_container",
				"it is not known yet which policies this container has" },
	[PD_REASON_KERNEL] = { "kernel", "no policy: this kernel forgets to ask for CAP_SYS_ADMIN "
					 "or CAP_SETFCAP here" },
};

const char *word_reason(enum pd_reason reason)
{
	return (size_t)reason < COUNT(reasons) ? reasons[reason].key : "unknown";
}

const char *word_reason_text(enum pd_reason reason)
{
	return (size_t)reason < COUNT(reasons) ? reasons[reason].text : "unknown reason";
}

const char *word_capability(unsigned int capability)
{
	return words_name(&words_capabilities, capability);
}

const char *word_family(unsigned int family)
{
	return words_name(&words_families, family);
}

const char *word_socktype(unsigned int type)
{
	return words_name(&words_types, type);
}

const char *word_protocol(unsigned int family, unsigned int protocol)
{
	if (family == AF_NETLINK)
		return words_name(&words_netlink_protocols, protocol);
	if (family == AF_INET || family == AF_INET6)
		return words_name(&words_ip_protocols, protocol);
	return NULL;
}

static const struct word *bits_of(enum pd_object object, size_t *ret_count)
{
	switch (object) {
	case PD_OBJ_PATH:
		*ret_count = COUNT(path_bits);
		return path_bits;
	case PD_OBJ_SOCKET:
		*ret_count = COUNT(socket_operations) - 1; /* without "all" */
		return socket_operations;
	default:
		*ret_count = COUNT(use_bits);
		return use_bits;
	}
}

const char *word_permission(enum pd_object object, uint32_t perms, size_t n)
{
	size_t count;
	const struct word *bits = bits_of(object, &count);

	/* the word "write" means both */
	if (object == PD_OBJ_PATH && (perms & PD_WRITE))
		perms &= ~(uint32_t)PD_APPEND;
	for (size_t i = 0; i < count; i++)
		if ((perms & bits[i].value) && !n--)
			return bits[i].name;
	return NULL;
}

const char *word_permissions(enum pd_object object, uint32_t perms, char *buffer, size_t size)
{
	size_t used = 0, count;
	const struct word *bits = bits_of(object, &count);
	const char *name;

	if (!size)
		return buffer;
	buffer[0] = '\0';
	for (size_t n = 0; (name = word_permission(object, perms, n)) && used < size; n++)
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", n ? ", " : "", name);
	for (size_t i = 0; i < count; i++)
		perms &= ~bits[i].value;
	if (perms && used < size)
		used += (size_t)snprintf(buffer + used, size - used, "%s0x%x", used ? ", " : "",
					 perms);
	if (!used)
		snprintf(buffer, size, "none");
	return buffer;
}
