/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/decide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policyd/policy/answer.h"

struct answerer {
	const struct policy *policy;
	struct policy compiled_as; /* shares everything but the mode */
	struct numbering *numbering;
	struct compiled *compiled;
	uint32_t slot;
};

/* Both decisions, and who made them. */
struct finding {
	bool denied, would_deny;
	const struct policy_rule *deny_e, *deny_t; /* NULL: the default */
	const struct policy_rule *allow, *audited;
};

int answerer_new(const struct policy *policy, struct answerer **ret_answerer,
		 struct pd_error *error)
{
	struct answerer *a = calloc(1, sizeof(*a));
	const char *names[] = { policy->name, NULL };
	struct policy *policies[1];
	struct compile_input input = { .policies = policies, .policy_count = 1, .generation = 1 };
	int r;

	if (!a)
		return error_set(error, -ENOMEM, "out of memory");
	a->policy = policy;
	a->compiled_as = *policy;
	if (policy->mode == POLICY_DISABLED)
		a->compiled_as.mode = POLICY_ENFORCE;
	policies[0] = &a->compiled_as;
	a->numbering = numbering_new();
	r = -ENOMEM;
	if (a->numbering)
		r = compile(&input, a->numbering, &a->compiled, error);
	else
		error_set(error, r, "out of memory");
	if (r) {
		answerer_free(a);
		return r;
	}
	a->slot = compile_slot(a->numbering, names);
	*ret_answerer = a;
	return 0;
}

void answerer_free(struct answerer *answerer)
{
	if (!answerer)
		return;
	compiled_free(answerer->compiled);
	numbering_free(answerer->numbering);
	free(answerer);
}

/* ---- the question ---------------------------------------------------------------------------- */

/* The bytes of a question's socket address. */
static bool socket_key(const struct policy_rule *q, struct pd_socket_key *key, size_t *ret_length)
{
	const struct policy_address *to = q->to_count ? &q->to[0] : NULL;

	if (q->family_count != 1 || q->type_count != 1 || q->protocol_count != 1 || q->to_count > 1)
		return false;
	*key = (struct pd_socket_key){ .family = q->families[0],
				       .type = q->types[0],
				       .protocol = { q->protocols[0] >> 8,
						     q->protocols[0] & 0xff } };
	*ret_length = PD_SOCKET_KEY_BARE;
	if (!to)
		return true;
	if (to->family != q->families[0] || to->ports.first != to->ports.last)
		return false;
	key->port[0] = to->ports.first >> 8;
	key->port[1] = to->ports.first & 0xff;
	*ret_length = to->family == AF_INET ? PD_SOCKET_KEY_V4 : PD_SOCKET_KEY_V6;
	memcpy(key->addr, to->addr, to->family == AF_INET ? 4 : 16);
	return true;
}

static bool one_bit(uint64_t bits)
{
	return bits && !(bits & (bits - 1));
}

/* What is asked, in the bytes the kernel would form; @key is room for them. */
static bool make_request(const struct policy_rule *q, struct pd_socket_key *key,
			 struct request *ret_request)
{
	struct request r = { .name = key, .length = 1, .perm = PD_USE };
	uint64_t number = q->class == PD_CLASS_GUARD ? q->guards : q->capabilities;

	r.program = q->by.count ? q->by.items[0].text : NULL;
	switch (q->class) {
	case PD_CLASS_CAPABILITY:
	case PD_CLASS_GUARD:
		if (!one_bit(number))
			return false;
		r.object = q->class == PD_CLASS_GUARD ? PD_OBJ_GUARD : PD_OBJ_CAPABILITY;
		key->family = __builtin_ctzll(number);
		break;
	default:
		if (!one_bit(q->path_perms | (uint64_t)q->socket_perms << 32))
			return false;
		if (q->socket_perms) {
			r.object = PD_OBJ_SOCKET;
			r.perm = q->socket_perms;
			if (!socket_key(q, key, &r.length))
				return false;
			break;
		}
		if (q->paths.count != 1)
			return false;
		r.object = PD_OBJ_PATH;
		r.perm = q->path_perms;
		r.name = q->paths.items[0].text;
		r.length = strlen(r.name);
	}
	*ret_request = r;
	return true;
}

/* ---- rule by rule ---------------------------------------------------------------------------- */

static void note(struct finding *f, const struct policy_rule *rule, bool enforced, bool *allow_e,
		 bool *allow_t)
{
	if (rule->deny) {
		f->would_deny = true;
		f->deny_t = f->deny_t ? f->deny_t : rule;
		if (!enforced)
			return;
		f->denied = true;
		f->deny_e = f->deny_e ? f->deny_e : rule;
		return;
	}
	*allow_t = true;
	*allow_e |= enforced;
	f->allow = f->allow ? f->allow : rule;
	if (rule->audit && !f->audited)
		f->audited = rule;
}

static bool request_is_free(const struct request *request)
{
	return PD_GUARDS_FREE >> *(const unsigned char *)request->name & 1;
}

static int find(const struct policy *policy, const struct request *request, struct finding *ret)
{
	struct finding f = { 0 };
	bool allow_e = false, allow_t = false, enforce = policy->mode == POLICY_ENFORCE;
	enum pd_class class = request_class(request);
	bool closed = class == PD_CLASS_GUARD ? !request_is_free(request) :
						policy->deny_default >> class & 1;
	int r;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		r = rule_matches(rule, request);
		if (r < 0)
			return r;
		if (r)
			note(&f, rule, enforce && !rule->audit_mode, &allow_e, &allow_t);
	}
	f.denied |= enforce && closed && !allow_e;
	f.would_deny |= closed && !allow_t;
	*ret = f;
	return 0;
}

/* ---- both ways ------------------------------------------------------------------------------- */

/* Does the symbol the automaton gave stand for the rule found (NULL: the default)? */
static bool same_rule(const struct answerer *a, uint32_t number, const struct policy_rule *rule,
		      enum pd_class class)
{
	struct symbol s;

	if (image_symbol(a->compiled->image, number, &s))
		return false;
	if (!rule)
		return s.is_default && s.class == class;
	return !s.is_default && s.line == rule->place.line && s.column == rule->place.column;
}

static bool agree(const struct answerer *a, const struct decision *d, const struct finding *f,
		  enum pd_class class)
{
	if (d->denied != f->denied || d->would_deny != f->would_deny)
		return false;
	if (f->denied)
		return same_rule(a, d->rule, f->deny_e, class);
	if (f->would_deny)
		return same_rule(a, d->rule, f->deny_t, class);
	return f->audited ? same_rule(a, d->rule, f->audited, class) : !d->rule;
}

int answerer_ask(const struct answerer *a, const struct policy_rule *question,
		 struct answer *ret_answer, struct pd_error *error)
{
	const unsigned char *image = a->compiled->image;
	struct pd_socket_key key = { 0 };
	struct request request;
	struct decision d;
	struct finding f;
	uint32_t program;
	int r;

	if (!make_request(question, &key, &request))
		return error_set(error, -EINVAL,
				 "a question needs one permission and one object that can have it");
	program = request.program ? decide_program(image, a->slot, request.program) : 0;
	r = decide(image, a->slot, program, request.object, request.name, request.length,
		   request.perm, &d);
	if (r)
		return error_set(error, -EINVAL, "the name is longer than any the kernel asks for");
	r = find(&a->compiled_as, &request, &f);
	if (r)
		return error_set(error, r, r == -ENOMEM ? "out of memory" : "a malformed pattern");
	if (!agree(a, &d, &f, request_class(&request)))
		return error_set(
			error, -EBADE,
			"policy %s: the compiled policy says %s, its rules say %s: this is "
			"a bug in policyd, please report it",
			a->policy->name,
			d.denied     ? "denied" :
			d.would_deny ? "would_deny" :
				       "allowed",
			f.denied     ? "denied" :
			f.would_deny ? "would_deny" :
				       "allowed");
	*ret_answer = (struct answer){ .denied = f.denied,
				       .would_deny = f.would_deny,
				       .policy = a->policy };
	if (f.denied)
		ret_answer->rule = f.deny_e;
	else if (f.would_deny)
		ret_answer->rule = f.deny_t;
	else
		ret_answer->rule = f.audited ? f.audited : f.allow;
	return 0;
}

int answer_question(const struct policy *policy, const struct policy_rule *question,
		    struct answer *ret_answer, struct pd_error *error)
{
	struct answerer *a = NULL;
	int r = answerer_new(policy, &a, error);

	if (a)
		r = answerer_ask(a, question, ret_answer, error);
	answerer_free(a);
	return r;
}
