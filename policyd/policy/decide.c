/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/decide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lsm/match.h"
#include "policyd/policy/symbols.h"

static const struct pd_image *header_of(const unsigned char *image)
{
	return (const struct pd_image *)image;
}

static const void *at(const unsigned char *image, uint32_t offset)
{
	return image + offset;
}

/* The info of the state reached, NULL for a name longer than any the kernel asks about. */
static const struct pd_info *walk(const unsigned char *image, const struct pd_automaton *automaton,
				  const void *name, size_t length)
{
	unsigned char text[PD_TEXT_SIZE + 8] = { 0 };
	struct pd_walk w = { .classes = automaton->classes,
			     .state = automaton->start,
			     .end = length };

	if (length > PD_TEXT_SIZE)
		return NULL;
	memcpy(text, name, length);
	while (pd_walk_step(image, text, &w))
		;
	return at(image, pd_state_info(image, w.state));
}

static uint32_t rule_for(const struct pd_info *info, unsigned int first, unsigned int count,
			 uint32_t perms)
{
	for (unsigned int i = first; i < first + count; i++)
		if (info->rules[i].perms & perms)
			return info->rules[i].rule;
	return 0;
}

static const struct pd_program *find_program(const unsigned char *image, uint32_t slot,
					     uint32_t program)
{
	const struct pd_image *header = header_of(image);
	const struct pd_slot *s;

	if (!slot || slot >= header->slot_count)
		return NULL;
	s = (const struct pd_slot *)at(image, header->slots) + slot;
	if (!(s->flags & PD_SLOT_LIVE) || program >= s->program_count)
		return NULL;
	return (const struct pd_program *)at(image, s->programs) + program;
}

int decide(const unsigned char *image, uint32_t slot, uint32_t program, enum pd_object object,
	   const void *name, size_t length, uint32_t perms, struct decision *ret_decision)
{
	const struct pd_program *p = find_program(image, slot, program);
	const struct pd_info *info;
	struct decision d;

	if (!p || object >= PD_OBJ_COUNT)
		return -EINVAL;
	info = walk(image, &p->objects[object], name, length);
	if (!info)
		return -EINVAL;
	d = (struct decision){ .denied = info->deny_e & perms,
			       .would_deny = info->deny_t & perms,
			       .info = info };
	if (d.denied)
		d.rule = rule_for(info, 0, info->n_enforced, perms);
	else if (d.would_deny)
		d.rule = rule_for(info, info->n_enforced, info->n_tested, perms);
	else
		d.rule = rule_for(info, info->n_enforced + info->n_tested, info->n_audited, perms);
	d.rule = image_rule(image, slot, d.rule);
	*ret_decision = d;
	return 0;
}

uint32_t decide_program(const unsigned char *image, uint32_t slot, const char *path)
{
	const struct pd_program *p = find_program(image, slot, 0);
	const struct pd_info *info;

	if (!p)
		return 0;
	info = walk(image, &p->objects[PD_OBJ_PATH], path, strlen(path));
	return info ? info->program : 0;
}

uint32_t decide_binding(const unsigned char *image, const char *cgroup, const char *exe)
{
	const struct pd_image *header = header_of(image);
	const struct pd_info *row = walk(image, &header->bind_cgroup, cgroup, strlen(cgroup));
	const struct pd_info *column = walk(image, &header->bind_exe, exe, strlen(exe));
	const uint32_t *table = at(image, header->bind_table);

	if (!row || !column)
		return 0;
	return table[row->program * header->bind_columns + column->program];
}

/* ---- symbols --------------------------------------------------------------------------------- */

static const struct symbols_header *symbols_of(const unsigned char *image)
{
	return at(image, header_of(image)->symbols);
}

static const struct symbol_slot *symbols_of_slot(const unsigned char *image, uint32_t slot)
{
	const uint32_t *slots = at(image, symbols_of(image)->slots);

	if (!slot || slot >= header_of(image)->slot_count)
		return NULL;
	return at(image, slots[slot]);
}

uint32_t image_rule(const unsigned char *image, uint32_t slot, uint32_t rule)
{
	const struct symbol_slot *s = symbols_of_slot(image, slot);
	uint32_t class = rule & ~(PD_RULE_DEFAULT | PD_RULE_TESTED);

	if (!(rule & PD_RULE_DEFAULT))
		return rule;
	if (!s || class >= PD_CLASS_COUNT)
		return 0;
	return rule & PD_RULE_TESTED ? s->defaults.tested[class] : s->defaults.enforced[class];
}

int image_symbol(const unsigned char *image, uint32_t rule, struct symbol *ret_symbol)
{
	const struct symbols_header *s = symbols_of(image);
	const struct symbol_policy *policy;
	const struct symbol_rule *r;

	if (!rule || rule >= s->rule_count)
		return -ENOENT;
	r = (const struct symbol_rule *)at(image, s->rules) + rule;
	policy = (const struct symbol_policy *)at(image, s->policies) + r->policy;
	*ret_symbol = (struct symbol){
		.policy = at(image, policy->name),
		.file = at(image, r->file),
		.line = SYMBOL_LINE(r->line),
		.column = r->column,
		.class = SYMBOL_CLASS(r->line),
		.is_default = r->line & SYMBOL_DEFAULT,
		.deny = r->line & SYMBOL_DENY,
		.text = at(image, r->text),
	};
	return 0;
}

int image_numbering(const unsigned char *image, const char **ret_text, size_t *ret_size)
{
	*ret_text = at(image, symbols_of(image)->numbering);
	*ret_size = strlen(*ret_text);
	return *ret_size ? 0 : -ENOENT;
}

size_t image_policy_count(const unsigned char *image)
{
	return symbols_of(image)->policy_count;
}

int image_policy(const unsigned char *image, size_t index, struct image_policy *ret_policy)
{
	const struct symbols_header *s = symbols_of(image);
	const struct symbol_policy *p;

	if (index >= s->policy_count)
		return -ENOENT;
	p = (const struct symbol_policy *)at(image, s->policies) + index;
	*ret_policy = (struct image_policy){ .name = at(image, p->name),
					     .description = at(image, p->description),
					     .file = at(image, p->file),
					     .mode = p->mode,
					     .rules = p->rules,
					     .deny_default = p->deny_default };
	memcpy(ret_policy->digest, p->digest, sizeof(p->digest));
	return 0;
}

const char **image_slot_policies(const unsigned char *image, uint32_t slot)
{
	const struct symbol_slot *s = symbols_of_slot(image, slot);
	uint32_t count = s ? s->count : 0;
	const char **result = calloc(count + 1, sizeof(*result));

	for (uint32_t i = 0; i < count && result; i++)
		result[i] = at(image, s->names[i]);
	return result;
}
