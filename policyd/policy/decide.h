/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image says, asked in user space with the walk the kernel uses (lsm/match.h), and who in
 * the policies said so.
 */
#ifndef PD_POLICY_DECIDE_H
#define PD_POLICY_DECIDE_H

#include "policyd/policy/compile.h"

/* All functions take PD_IMAGE_SIZE bytes. An image someone else made (pinned by a daemon that is
 * gone, or read from the kernel) is checked once by image_check(); afterwards reading is safe. */
/**
 * image_check() - is this an image, whole and of our layout?
 *
 * Returns 0; -EPROTO with the reason, also when @size is less than PD_IMAGE_SIZE; -ENOMEM.
 */
int image_check(const unsigned char *image, size_t size, struct pd_error *error);

struct decision {
	bool denied;	 /* E */
	bool would_deny; /* T */
	uint32_t rule;	 /* symbol index that decided, 0: an allow that no audit rule watches */
	const struct pd_info *info; /* of the state reached; inside the image */
};

/**
 * decide() - one object, one slot, one program class
 * @object:  enum pd_object; @name/@length: its bytes as the kernel would form them
 * @perms:   all of them are needed
 *
 * Returns 0 or -EINVAL when slot or program are not in the image.
 */
int decide(const unsigned char *image, uint32_t slot, uint32_t program, enum pd_object object,
	   const void *name, size_t length, uint32_t perms, struct decision *ret_decision);

/** decide_program() - the program class entered by executing @path, 0 when no rule names it */
uint32_t decide_program(const unsigned char *image, uint32_t slot, const char *path);

/** decide_binding() - the slot of a task in cgroup @cgroup running @exe; 0: not bound */
uint32_t decide_binding(const unsigned char *image, const char *cgroup, const char *exe);

/* A rule as the image remembers it. Strings point into the image. */
struct symbol {
	const char *policy;
	const char *file;
	unsigned int line, column;
	enum pd_class class;
	bool is_default; /* the policy's default (or the guard's, which needs no line) */
	bool deny;
	const char *text; /* the rule in one line, as a person wrote it, cut at 200 bytes */
};
/** image_rule() - the symbol index of a rule as struct pd_info and events of @slot name it; 0: none */
uint32_t image_rule(const unsigned char *image, uint32_t slot, uint32_t rule);

/** image_symbol() - -ENOENT when there is no such rule */
int image_symbol(const unsigned char *image, uint32_t rule, struct symbol *ret_symbol);

/** image_numbering() - the text for numbering_load(), inside the image; -ENOENT when it has none */
int image_numbering(const unsigned char *image, const char **ret_text, size_t *ret_size);

/* What the image knows of the policies it was made of, in the order they were given. */
struct image_policy {
	const char *name, *description, *file;
	enum policy_mode mode; /* as compiled: a rescue image has POLICY_AUDIT everywhere */
	unsigned int rules;
	uint32_t deny_default;
	unsigned char digest[32];
};
size_t image_policy_count(const unsigned char *image);
int image_policy(const unsigned char *image, size_t index, struct image_policy *ret_policy);
/** image_slot_policies() - names of a slot's policies, NULL-terminated, array to be freed */
const char **image_slot_policies(const unsigned char *image, uint32_t slot);

/*
 * A question answered as a person wants it: which rule of which policy, found by matching each rule
 * of the policies (so that allows are attributed too), and cross-checked with the automaton.
 */
struct answer {
	bool denied, would_deny;
	const struct policy *policy;
	const struct policy_rule *rule; /* NULL: the class's default */
};

/**
 * answer_question() - what would happen, by which rule
 *
 * Compiles the policy into an image of its own (as enforcing when it is disabled), asks it through
 * decide(), and finds the rule independently. Returns 0, -EINVAL (a question that has no answer, e.g.
 * a permission the object cannot have), -EBADE when both ways disagree (a bug: say so), or
 * compile()'s errors.
 */
int answer_question(const struct policy *policy, const struct policy_rule *question,
		    struct answer *ret_answer, struct pd_error *error);

/* Many questions about one policy, which is compiled once. */
struct answerer;
/** answerer_new() - the policy must outlive it; 0 or compile()'s errors */
int answerer_new(const struct policy *policy, struct answerer **ret_answerer,
		 struct pd_error *error);
/** answerer_free() - NULL is fine */
void answerer_free(struct answerer *answerer);
/** answerer_ask() - as answer_question() */
int answerer_ask(const struct answerer *answerer, const struct policy_rule *question,
		 struct answer *ret_answer, struct pd_error *error);

#endif
