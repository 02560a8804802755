/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the image only user space reads: policies, rules, files, the names of slots. All
 * strings stand in one pool, terminated; a string is an offset into it, from the start of the image.
 */
#ifndef PD_POLICY_SYMBOLS_H
#define PD_POLICY_SYMBOLS_H

#include "policyd/policy/effective.h"
#include "policyd/policy/image.h"
#include "policyd/policy/numbering.h"

#define SYMBOLS_TEXT_MAX 200u /* bytes of a rule's text */

/* At image.symbols. All offsets from the start of the image. */
struct symbols_header {
	uint32_t rules; /* struct symbol_rule[rule_count]; rule 0 is unused */
	uint32_t rule_count;
	uint32_t policies; /* struct symbol_policy[policy_count] */
	uint32_t policy_count;
	uint32_t slots; /* uint32_t[slot_count]: offsets of struct symbol_slot, 0 for slot 0 */
	uint32_t pool;	/* strings; the last byte is 0 */
	uint32_t pool_size;
	uint32_t numbering; /* string: numbering_save() */
};

struct symbol_rule {
	uint32_t file, text; /* strings; text of a default is "" */
	uint32_t line;	     /* with SYMBOL_* */
	uint16_t column;     /* UINT16_MAX: that or more */
	uint16_t policy;
};
#define SYMBOL_LINE(line) ((line)&0xffffffu) /* a file has at most 1 MB */
#define SYMBOL_CLASS(line) ((line) >> 24 & 0xfu)
#define SYMBOL_AS_CLASS(class) ((uint32_t)(class) << 24)
#define SYMBOL_DENY 0x10000000u
#define SYMBOL_DEFAULT 0x20000000u

struct symbol_slot {
	struct effective_defaults defaults; /* what PD_RULE_DEFAULT stands for */
	uint32_t count;
	uint32_t names[]; /* strings */
};

struct symbol_policy {
	uint32_t name, description, file; /* strings */
	uint32_t mode, rules, deny_default;
	uint8_t digest[32];
};

/**
 * symbols_number() - give the rules and defaults that can decide something their numbers
 * @next: the first free number; raised
 *
 * Fills rule_symbols (allocated, the caller's) and default_symbols. 0 or -ENOMEM.
 */
int symbols_number(struct effective_policy *policy, uint32_t *next);

/** symbols_write() - write the section; @defaults: one per slot, from 0. 0, -ENOMEM or -E2BIG */
int symbols_write(struct image *image, const struct effective_policy *policies, size_t count,
		  uint32_t rule_count, const struct numbering *numbering,
		  const struct effective_defaults *defaults);

/** symbols_text() - a rule in one line, as in a policy; cut at SYMBOLS_TEXT_MAX bytes */
void symbols_text(const struct policy_rule *rule, char buffer[SYMBOLS_TEXT_MAX + 1]);

#endif
