// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets: what may be created, and whom they may talk to.
 *
 * Addresses are kernel copies here, so nothing can change between check and use. A socket address
 * becomes a struct pd_socket_key; unix sockets are names and go through the automaton of names.
 * AF_UNSPEC dissolves an association in connect() and is taken for the socket's own family by bind()
 * and sendto(). MSG_FASTOPEN connects without socket_connect. Port 0 is a port like any other.
 */
#include "lsm/judge.h"

#define IPPROTO_DCCP 33
#define IPPROTO_SCTP 132
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP 262
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOCK_DCCP 6

static __always_inline void put16(__u8 *to, __u16 host_order)
{
	to[0] = host_order >> 8;
	to[1] = host_order;
}

static __always_inline int is_internet(__u32 family)
{
	return family == AF_INET || family == AF_INET6;
}

/* What the kernel makes of protocol 0: the first of the type. */
static __always_inline __u32 usual_protocol(__u32 type)
{
	switch (type) {
	case SOCK_STREAM:
		return IPPROTO_TCP;
	case SOCK_DGRAM:
		return IPPROTO_UDP;
	case SOCK_SEQPACKET:
		return IPPROTO_SCTP;
	case SOCK_DCCP:
		return IPPROTO_DCCP;
	}
	return 0;
}

static __always_inline void key_bare(struct pd_ask *ask, __u32 family, __u32 type, __u32 protocol)
{
	if (!protocol && is_internet(family))
		protocol = usual_protocol(type);
	if (family == AF_UNIX && type == SOCK_RAW) /* another word for it */
		type = SOCK_DGRAM;
	ask->object = PD_OBJ_SOCKET;
	ask->key.family = family;
	ask->key.type = type;
	put16(ask->key.protocol, protocol);
	ask->key_len = PD_SOCKET_KEY_BARE;
}

static __always_inline void key_v4(struct pd_ask *ask, const __u8 *addr)
{
	ask->key.family = AF_INET;
	__builtin_memcpy(ask->key.addr, addr, 4);
	ask->key_len = PD_SOCKET_KEY_V4;
}

/* An IPv4 address in IPv6 clothes is an IPv4 address. */
static __always_inline void key_v6(struct pd_ask *ask, const __u8 *addr)
{
	static const __u8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (pd_same(addr, mapped, sizeof(mapped))) {
		key_v4(ask, addr + 12);
		return;
	}
	ask->key.family = AF_INET6;
	__builtin_memcpy(ask->key.addr, addr, 16);
	ask->key_len = PD_SOCKET_KEY_V6;
}

static __always_inline void key_of_socket(struct pd_ask *ask, struct socket *sock, struct sock *sk)
{
	key_bare(ask, sk->__sk_common.skc_family, sock->type, sk->sk_protocol);
}

static __always_inline __u32 family_of(const void *address)
{
	__u16 family = 0;

	bpf_probe_read_kernel(&family, sizeof(family), address);
	return family;
}

/* struct sockaddr_in and sockaddr_in6: family, port, then the address at 4 or 8. To be called with
 * the bare key of the socket, whose family decides: others have other addresses (a packet socket
 * does not look at what family its address claims), and an internet socket takes what is neither IPv4
 * nor IPv6 for its own kind (raw sockets do) or fails. */
static __always_inline void key_address(struct pd_ask *ask, const void *address)
{
	__u32 family = family_of(address);
	__u8 raw[28] = {};

	if (!is_internet(ask->key.family))
		return;
	if (!is_internet(family))
		family = ask->key.family;
	bpf_probe_read_kernel(raw, sizeof(raw), address);
	__builtin_memcpy(ask->key.port, raw + 2, 2);
	if (family == AF_INET)
		key_v4(ask, raw + 4);
	else
		key_v6(ask, raw + 8);
}

static __always_inline bool is_unspecified(const __u8 *addr, unsigned int length)
{
	for (unsigned int i = 0; i < length; i++)
		if (addr[i])
			return false;
	return true;
}

/* Whoever connects or sends to the unspecified address of IPv4 reaches the address the socket is bound
 * to, or else loopback; IPv6's leads to loopback, of IPv4 if that is what the socket is bound to. */
static __always_inline void key_destination(struct pd_ask *ask, struct sock *sk)
{
	__u8 own[16] = {}, mapped;

	if (ask->key_len == PD_SOCKET_KEY_BARE || !is_unspecified(ask->key.addr, 16))
		return;
	if (ask->key_len == PD_SOCKET_KEY_V4) {
		bpf_probe_read_kernel(own, 4, &sk->__sk_common.skc_rcv_saddr);
		if (is_unspecified(own, 4))
			own[0] = 127, own[3] = 1;
		key_v4(ask, own);
		return;
	}
	bpf_probe_read_kernel(own, sizeof(own), &sk->__sk_common.skc_v6_rcv_saddr);
	mapped = is_unspecified(own, 10) && own[10] == 0xff && own[11] == 0xff;
	__builtin_memset(own, 0, sizeof(own));
	if (mapped) {
		own[0] = 127, own[3] = 1;
		key_v4(ask, own);
	} else {
		own[15] = 1;
		key_v6(ask, own);
	}
}

/* The socket's own end, for listen and accept. */
static __always_inline void key_own(struct pd_ask *ask, struct socket *sock, struct sock *sk)
{
	__u8 addr[16];

	key_of_socket(ask, sock, sk);
	if (!is_internet(ask->key.family))
		return;
	put16(ask->key.port, sk->__sk_common.skc_num);
	if (ask->key.family == AF_INET) {
		bpf_probe_read_kernel(addr, 4, &sk->__sk_common.skc_rcv_saddr);
		key_v4(ask, addr);
	} else {
		bpf_probe_read_kernel(addr, sizeof(addr), &sk->__sk_common.skc_v6_rcv_saddr);
		key_v6(ask, addr);
	}
}

/* ---- unix sockets ---------------------------------------------------------------------------- */

/* Bound in the task's own mount namespace? */
static __always_inline int bound_here(struct vfsmount *mnt)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	return BPF_CORE_READ(mount, mnt_ns) == BPF_CORE_READ(task, nsproxy, mnt_ns);
}

/* Judges by the name a unix socket is bound to; one without a name is nobody's to refuse. One that
 * was bound in another mount namespace (a service manager's, say) goes by what it is called here. */
static __always_inline int ask_unix(const volatile struct pd_label *label, __u8 hook,
				    __u8 operation, struct sock *sk, __u32 want)
{
	struct unix_sock *u = (struct unix_sock *)sk;
	struct dentry *dentry = BPF_CORE_READ(u, path.dentry);
	struct unix_address *addr;
	struct vfsmount *mnt;
	struct pd_ask ask;
	int length;

	pd_ask_init(&ask, label, hook, operation, want);
	ask.flags = PD_ASK_LAST;
	if (dentry) {
		mnt = BPF_CORE_READ(u, path.mnt);
		pd_ask_object(&ask, dentry, mnt);
		return bound_here(mnt) ? pd_ask_name(&ask) : pd_ask_mounts(&ask);
	}
	addr = BPF_CORE_READ(u, addr);
	if (!addr)
		return 0;
	length = BPF_CORE_READ(addr, len) - 3; /* family and the leading NUL */
	if (length < 0)
		return 0;
	ask.flags |= PD_ASK_ABSTRACT;
	ask.dentry = (__u64)addr + bpf_core_field_offset(struct unix_address, name) + 3;
	ask.key_len = length > 107 ? 107 : length;
	return pd_ask_name(&ask);
}

/* A path is judged where its node is made, in path_mknod; here only what has no node. */
static __always_inline int ask_bind_unix(const volatile struct pd_label *label,
					 const struct sockaddr *address, int length)
{
	struct pd_ask ask;
	char first = 0;

	bpf_probe_read_kernel(&first, 1, (const char *)address + 2);
	if (length > 2 && first)
		return 0;
	pd_ask_init(&ask, label, PD_HOOK_socket_bind, PD_OP_BIND, PD_UNIX_BIND);
	ask.flags = PD_ASK_ABSTRACT;
	ask.dentry = (__u64)address + 3;
	if (length > 3)
		ask.key_len = length - 3 > 107 ? 107 : length - 3;
	return pd_ask_name(&ask);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(unix_stream_connect, struct sock *sk, struct sock *other)
{
	PD_SUBJECT_OR_RETURN(label, unix_stream_connect);
	PD_RETURN(ask_unix(label, PD_HOOK_unix_stream_connect, PD_OP_CONNECT, other,
			   PD_UNIX_CONNECT));
}

SEC("lsm/unix_may_send")
int BPF_PROG(unix_may_send, struct socket *sock, struct socket *other)
{
	PD_SUBJECT_OR_RETURN(label, unix_may_send);
	PD_RETURN(ask_unix(label, PD_HOOK_unix_may_send, PD_OP_SEND, BPF_CORE_READ(other, sk),
			   PD_UNIX_SEND));
}

/* ---- the socket calls ------------------------------------------------------------------------ */

SEC("lsm/socket_create")
int BPF_PROG(socket_create, int family, int type, int protocol, int kern)
{
	struct pd_ask ask;

	PD_SUBJECT_OR_RETURN(label, socket_create);
	if (kern) /* the kernel's own, e.g. below an MPTCP socket */
		return 0;
	pd_ask_init(&ask, label, PD_HOOK_socket_create, PD_OP_SOCKET, PD_SOCK_CREATE);
	key_bare(&ask, family, type, protocol);
	PD_RETURN(pd_ask_bytes(&ask));
}

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int length)
{
	struct pd_ask ask;
	struct sock *sk;

	PD_SUBJECT_OR_RETURN(label, socket_bind);
	sock = PD_VIEW(struct socket, sock);
	sk = sock->sk;
	if (!sk)
		return -EACCES;
	if (sk->__sk_common.skc_family == AF_UNIX)
		PD_RETURN(ask_bind_unix(label, address, length));
	pd_ask_init(&ask, label, PD_HOOK_socket_bind, PD_OP_BIND, PD_SOCK_BIND);
	key_of_socket(&ask, sock, sk);
	key_address(&ask, address);
	PD_RETURN(pd_ask_bytes(&ask));
}

static __always_inline int ask_own(const volatile struct pd_label *label, __u8 hook, __u8 operation,
				   struct socket *sock, __u32 want, __u32 want_unix)
{
	struct pd_ask ask;
	struct sock *sk;

	sock = PD_VIEW(struct socket, sock);
	sk = sock->sk;
	if (!sk) /* closed underneath; the kernel will say so */
		return -EACCES;
	if (sk->__sk_common.skc_family == AF_UNIX)
		return ask_unix(label, hook, operation, sk, want_unix);
	pd_ask_init(&ask, label, hook, operation, want);
	key_own(&ask, sock, sk);
	return pd_ask_bytes(&ask);
}

SEC("lsm/socket_listen")
int BPF_PROG(socket_listen, struct socket *sock)
{
	PD_SUBJECT_OR_RETURN(label, socket_listen);
	PD_RETURN(ask_own(label, PD_HOOK_socket_listen, PD_OP_LISTEN, sock, PD_SOCK_LISTEN,
			  PD_UNIX_LISTEN));
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock)
{
	PD_SUBJECT_OR_RETURN(label, socket_accept);
	PD_RETURN(ask_own(label, PD_HOOK_socket_accept, PD_OP_ACCEPT, sock, PD_SOCK_ACCEPT,
			  PD_UNIX_ACCEPT));
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address)
{
	struct pd_ask ask;
	struct sock *sk;
	__u32 own;

	PD_SUBJECT_OR_RETURN(label, socket_connect);
	sock = PD_VIEW(struct socket, sock);
	sk = sock->sk;
	if (!sk)
		return -EACCES;
	own = sk->__sk_common.skc_family;
	if (own == AF_UNIX) /* unix_stream_connect, unix_may_send */
		return 0;
	if (is_internet(own) && family_of(address) == AF_UNSPEC)
		return 0;
	pd_ask_init(&ask, label, PD_HOOK_socket_connect, PD_OP_CONNECT, PD_SOCK_CONNECT);
	key_of_socket(&ask, sock, sk);
	key_address(&ask, address);
	key_destination(&ask, sk);
	PD_RETURN(pd_ask_bytes(&ask));
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(socket_sendmsg, struct socket *sock, struct msghdr *msg)
{
	struct pd_ask ask;
	__u32 own, protocol, want = PD_SOCK_SEND;
	struct sock *sk;
	void *address;

	PD_SUBJECT_OR_RETURN(label, socket_sendmsg);
	sock = PD_VIEW(struct socket, sock);
	msg = PD_VIEW(struct msghdr, msg);
	sk = sock->sk;
	if (!sk)
		return -EACCES;
	address = msg->msg_name;
	own = sk->__sk_common.skc_family;
	if (!address || own == AF_UNIX)
		return 0;
	protocol = sk->sk_protocol;
	if (sock->type == SOCK_STREAM && is_internet(own)) {
		/* TCP looks at the address only to connect with it; others (SCTP) do both */
		if ((protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP) &&
		    !(msg->msg_flags & MSG_FASTOPEN))
			return 0;
		want = PD_SOCK_CONNECT;
	}
	pd_ask_init(&ask, label, PD_HOOK_socket_sendmsg,
		    want == PD_SOCK_SEND ? PD_OP_SEND : PD_OP_CONNECT, want);
	key_of_socket(&ask, sock, sk);
	/* UDP over IPv6 takes this for no address, unless IPV6_ADDRFORM makes it UDP over IPv4, which
	 * takes it for one, before it gets there. */
	if (own == AF_INET6 && family_of(address) == AF_UNSPEC && sock->type == SOCK_DGRAM &&
	    (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE))
		ask.key.family = AF_INET;
	key_address(&ask, address);
	/* A control message may say which own address the unspecified one is. */
	if (ask.key_len == PD_SOCKET_KEY_V4 && is_unspecified(ask.key.addr, 16) &&
	    BPF_CORE_READ(msg, msg_controllen))
		PD_RETURN(pd_ask_guard(label, PD_HOOK_socket_sendmsg, PD_GUARD_KERNEL, 0));
	key_destination(&ask, sk);
	PD_RETURN(pd_ask_bytes(&ask));
}

/* ---- SCTP, which takes addresses through setsockopt() and control messages, too --------------- */

#define SCTP_SOCKOPT_BINDX_ADD 100
#define SCTP_SOCKOPT_CONNECTX 110
#define SCTP_SENDMSG_CONNECT 126
#define SCTP_ADDRESSES_MAX 1024 /* more at once are refused */

struct sock___type {
	__u16 sk_type;
} __core;

struct packed {
	struct pd_ask ask;
	__u64 subject;
	__u64 binding;
	__u64 at; /* the next address */
	__u64 end;
	__u32 family; /* of the socket */
	__u32 type;
	__u32 binds;
	__s32 verdict;
};

static long ask_next(__u32 i, struct packed *p)
{
	if (p->at >= p->end) {
		p->verdict = 0;
		return 1;
	}
	if (p->binds)
		pd_ask_by(&p->ask, p->subject, p->binding, PD_HOOK_socket_bind, PD_OP_BIND,
			  PD_SOCK_BIND);
	else
		pd_ask_by(&p->ask, p->subject, p->binding, PD_HOOK_socket_connect, PD_OP_CONNECT,
			  PD_SOCK_CONNECT);
	key_bare(&p->ask, p->family, p->type, IPPROTO_SCTP);
	key_address(&p->ask, (void *)p->at);
	if (pd_ask_bytes(&p->ask))
		return 1;
	p->at += family_of((void *)p->at) == AF_INET6 ? 28 : 16;
	return 0;
}

SEC("lsm/sctp_bind_connect")
int BPF_PROG(socket_sctp, struct sock *sk, int option, struct sockaddr *address, int length)
{
	struct packed p = {};

	p.binds = option == SCTP_SOCKOPT_BINDX_ADD;
	/* Others are what the peer wants, told in whatever task's context. */
	if (!p.binds && option != SCTP_SOCKOPT_CONNECTX && option != SCTP_SENDMSG_CONNECT)
		return 0;
	PD_SUBJECT_OR_RETURN(label, socket_connect);
	p.subject = label->subject;
	p.binding = label->binding;
	p.family = PD_VIEW(struct sock, sk)->__sk_common.skc_family;
	p.type = BPF_CORE_READ((struct sock___type *)sk, sk_type);
	/* as a number, which may be added to */
	bpf_probe_read_kernel(&p.at, sizeof(p.at), &address);
	p.end = p.at + length;
	p.verdict = -EACCES;
	bpf_loop(SCTP_ADDRESSES_MAX, ask_next, &p, 0);
	PD_RETURN(p.verdict);
}
