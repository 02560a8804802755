/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct glob_alias glob_aliases[] = {
	{ "/bin", "/usr/bin" },	    { "/sbin", "/usr/sbin" },
	{ "/lib", "/usr/lib" },	    { "/lib32", "/usr/lib32" },
	{ "/lib64", "/usr/lib64" }, { "/libx32", "/usr/libx32" },
	{ "/var/run", "/run" },	    { NULL, NULL },
};

/* A pattern as a program for a set of threads, each at one instruction (Thompson, Pike). */
enum op {
	OP_BYTE,     /* eats `value` */
	OP_SET,	     /* eats a byte of sets[value] */
	OP_STAR,     /* eats any byte but '/' and stays, or goes on */
	OP_GLOBSTAR, /* eats any byte and stays, or goes on */
	OP_FORK,     /* goes on, and to `value` */
	OP_JUMP,     /* goes to `value` */
	OP_MATCH,
};

struct instruction {
	uint16_t op;
	uint16_t value;
};

struct set {
	uint64_t bits[4];
};

struct program {
	struct instruction *code;
	size_t count, room;
	struct set *sets;
	size_t set_count, set_room;
};

struct parser {
	const unsigned char *pattern;
	size_t length, at;
	unsigned int depth;
	struct program *program;
	size_t error_at;
	const char *reason;
	bool no_memory;
};

static void program_done(struct program *program)
{
	free(program->code);
	free(program->sets);
}

static bool set_has(const struct set *set, unsigned char byte)
{
	return set->bits[byte / 64] >> (byte % 64) & 1;
}

/* Makes room for one more of an array. Patterns are at most 64 KB, so doubling cannot overflow. */
static bool grow(struct parser *p, void **items, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *bigger;

	if (count < *room)
		return true;
	bigger = realloc(*items, more * size);
	if (!bigger) {
		p->no_memory = true;
		p->reason = "out of memory";
		return false;
	}
	*items = bigger;
	*room = more;
	return true;
}

static bool fail(struct parser *p, size_t at, const char *reason)
{
	p->error_at = at;
	p->reason = reason;
	return false;
}

static bool emit(struct parser *p, enum op op, size_t value)
{
	struct program *g = p->program;

	if (g->count > UINT16_MAX - 2)
		return fail(p, p->at, "the pattern is too long");
	if (!grow(p, (void **)&g->code, &g->room, g->count, sizeof(*g->code)))
		return false;
	g->code[g->count++] = (struct instruction){ .op = op, .value = value };
	return true;
}

/* One member of a class: a byte, maybe escaped. */
static bool parse_member(struct parser *p, size_t open, unsigned char *ret_byte)
{
	unsigned char c;

	if (p->at >= p->length)
		return fail(p, open, "'[' is never closed; write \\[ for the character itself");
	c = p->pattern[p->at];
	if (c == '[')
		return fail(p, p->at, "'[' within [...]; write \\[ for the character itself");
	if (c == '\\') {
		if (++p->at >= p->length)
			return fail(p, p->at - 1,
				    "'\\' at the end; write \\\\ for the character itself");
		c = p->pattern[p->at];
	}
	if (c == '/')
		return fail(p, p->at, "'/' within [...], which never matches '/'");
	if (c >= 0x80)
		return fail(p, p->at, "only ASCII characters can stand in [...]; use {a,b}");
	p->at++;
	*ret_byte = c;
	return true;
}

static bool parse_members(struct parser *p, size_t open, struct set *set)
{
	unsigned char first, last;
	size_t at;

	while (p->at < p->length && p->pattern[p->at] != ']') {
		at = p->at;
		if (!parse_member(p, open, &first))
			return false;
		last = first;
		if (p->at + 1 < p->length && p->pattern[p->at] == '-' &&
		    p->pattern[p->at + 1] != ']') {
			p->at++;
			if (!parse_member(p, open, &last))
				return false;
			if (last < first)
				return fail(p, at, "the range runs backwards");
		}
		for (unsigned int c = first; c <= last; c++)
			set->bits[c / 64] |= 1ull << (c % 64);
	}
	if (p->at >= p->length)
		return fail(p, open, "'[' is never closed; write \\[ for the character itself");
	p->at++;
	return true;
}

static bool add_set(struct parser *p, struct set *set)
{
	struct program *g = p->program;

	set->bits['/' / 64] &= ~(1ull << ('/' % 64));
	if (!grow(p, (void **)&g->sets, &g->set_room, g->set_count, sizeof(*g->sets)))
		return false;
	g->sets[g->set_count] = *set;
	return emit(p, OP_SET, g->set_count++);
}

static bool parse_class(struct parser *p)
{
	struct set set = { { 0 } };
	size_t open = p->at++;
	bool negate = false;

	if (p->at < p->length && p->pattern[p->at] == '!') {
		negate = true;
		p->at++;
	} else if (p->at < p->length && p->pattern[p->at] == '^') {
		return fail(p, p->at, "'^' at the start of [...]; write [!...] for all others");
	}
	if (p->at < p->length && p->pattern[p->at] == ']')
		return fail(p, open, "[] matches nothing; write \\[ for the character itself");
	if (!parse_members(p, open, &set))
		return false;
	if (negate)
		for (int i = 0; i < 4; i++)
			set.bits[i] = ~set.bits[i];
	return add_set(p, &set);
}

static bool parse_stars(struct parser *p)
{
	size_t n = 1;

	while (p->at + n < p->length && p->pattern[p->at + n] == '*')
		n++;
	if (n > 2)
		return fail(p, p->at,
			    "more than two '*'; write * within a component, ** across them");
	if (!emit(p, n == 1 ? OP_STAR : OP_GLOBSTAR, 0))
		return false;
	p->at += n;
	return true;
}

static bool parse_one(struct parser *p)
{
	struct set any = { { ~0ull, ~0ull, ~0ull, ~0ull } };
	unsigned char c = p->pattern[p->at];

	switch (c) {
	case '*':
		return parse_stars(p);
	case '?':
		p->at++;
		return add_set(p, &any);
	case '[':
		return parse_class(p);
	case ']':
		return fail(p, p->at, "']' without '['; write \\] for the character itself");
	case '\0':
		return fail(p, p->at, "a NUL byte cannot be part of a name");
	case '\\':
		if (++p->at >= p->length)
			return fail(p, p->at - 1,
				    "'\\' at the end; write \\\\ for the character itself");
		c = p->pattern[p->at];
		if (!c)
			return fail(p, p->at, "a NUL byte cannot be part of a name");
	}
	if (!emit(p, OP_BYTE, c))
		return false;
	p->at++;
	return true;
}

static bool parse_sequence(struct parser *p, size_t *ret_alternatives);

/*
 * {a,b,c}:  FORK 1; a; JUMP 9;  1: FORK 2; b; JUMP 9;  2: c; 9:
 * The jumps to the end are chained through their own values until the end is known.
 */
static bool parse_braces(struct parser *p, size_t *ret_alternatives)
{
	struct program *g = p->program;
	size_t open = p->at, sum = 0, count = 0, jumps = 0, fork, next, one;

	if (++p->depth > GLOB_DEPTH_MAX)
		return fail(p, open, "braces are nested more than 8 deep");
	do {
		p->at++;
		fork = g->count;
		if (!emit(p, OP_FORK, 0) || !parse_sequence(p, &one))
			return false;
		if (p->at >= p->length)
			return fail(p, open,
				    "'{' is never closed; write \\{ for the character itself");
		sum += one;
		count++;
		if (!emit(p, OP_JUMP, jumps))
			return false;
		jumps = g->count - 1;
		g->code[fork].value = g->count;
	} while (p->pattern[p->at] == ',');
	if (count < 2)
		return fail(p, open,
			    "{...} needs a ',' to choose at; write \\{ for the character itself");
	p->at++;
	p->depth--;
	g->code[fork].op = OP_JUMP;
	g->code[fork].value = fork + 1;
	for (; jumps; jumps = next) {
		next = g->code[jumps].value;
		g->code[jumps].value = g->count;
	}
	*ret_alternatives = sum;
	return true;
}

/* Up to the end of the pattern, or of the alternative within braces. */
static bool parse_sequence(struct parser *p, size_t *ret_alternatives)
{
	size_t product = 1, start, n;
	unsigned char c;

	while (p->at < p->length) {
		c = p->pattern[p->at];
		if (p->depth && (c == ',' || c == '}'))
			break;
		if (c == '}')
			return fail(p, p->at,
				    "'}' without '{'; write \\} for the character itself");
		if (c != '{') {
			if (!parse_one(p))
				return false;
			continue;
		}
		start = p->at;
		if (!parse_braces(p, &n))
			return false;
		product *= n;
		if (product > GLOB_ALTERNATIVES_MAX)
			return fail(p, start, "the braces multiply to more than 1024 alternatives");
	}
	*ret_alternatives = product;
	return true;
}

static int parse(struct parser *p)
{
	size_t alternatives;

	if (!p->length)
		fail(p, 0, "the pattern is empty");
	else if (parse_sequence(p, &alternatives) && emit(p, OP_MATCH, 0))
		return 0;
	return p->no_memory ? -ENOMEM : -EINVAL;
}

int glob_check(const char *pattern, size_t length, size_t *ret_error_at, const char **ret_reason)
{
	struct program program = { 0 };
	struct parser p = { .pattern = (const unsigned char *)pattern,
			    .length = length,
			    .program = &program };
	int r = parse(&p);

	program_done(&program);
	if (r && ret_error_at)
		*ret_error_at = p.error_at;
	if (r && ret_reason)
		*ret_reason = p.reason;
	return r;
}

/* The threads of one moment: a list of instructions and who is on it. */
struct threads {
	uint16_t *list;
	uint32_t *seen; /* stamp of the moment an instruction was added in */
	size_t count;
};

/* Adds an instruction and all that can be reached from it without eating a byte. */
static void follow(const struct program *g, struct threads *t, uint32_t now, uint16_t *stack,
		   uint16_t pc)
{
	size_t depth = 0;

	stack[depth++] = pc;
	while (depth) {
		pc = stack[--depth];
		if (t->seen[pc] == now)
			continue;
		t->seen[pc] = now;
		switch (g->code[pc].op) {
		case OP_JUMP:
			stack[depth++] = g->code[pc].value;
			continue;
		case OP_FORK:
			stack[depth++] = g->code[pc].value;
			stack[depth++] = pc + 1;
			continue;
		case OP_STAR:
		case OP_GLOBSTAR:
			stack[depth++] = pc + 1;
			break;
		}
		t->list[t->count++] = pc;
	}
}

static void step(const struct program *g, const struct threads *from, struct threads *to,
		 uint32_t now, uint16_t *stack, unsigned char byte)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		const struct instruction *in = &g->code[from->list[i]];

		switch (in->op) {
		case OP_BYTE:
			if (in->value == byte)
				follow(g, to, now, stack, from->list[i] + 1);
			break;
		case OP_SET:
			if (set_has(&g->sets[in->value], byte))
				follow(g, to, now, stack, from->list[i] + 1);
			break;
		case OP_STAR:
			if (byte != '/')
				follow(g, to, now, stack, from->list[i]);
			break;
		case OP_GLOBSTAR:
			follow(g, to, now, stack, from->list[i]);
			break;
		}
	}
}

static int run(const struct program *g, const char *name, size_t length)
{
	struct threads a, b, swap;
	/* Every instruction is put on the stack by at most two others, and once to start. */
	size_t words = g->count * (2 + 2 + 3) + 8;
	uint32_t *memory = calloc(words, sizeof(*memory));
	uint16_t *stack;
	int matched = 0;

	if (!memory)
		return -ENOMEM;
	a = (struct threads){ .seen = memory, .list = (uint16_t *)(memory + 2 * g->count) };
	b = (struct threads){ .seen = memory + g->count, .list = a.list + g->count };
	stack = b.list + g->count;
	follow(g, &a, 1, stack, 0);
	for (size_t i = 0; i < length && a.count; i++) {
		step(g, &a, &b, i + 2, stack, name[i]);
		swap = a;
		a = b;
		b = swap;
	}
	for (size_t i = 0; i < a.count; i++)
		matched |= g->code[a.list[i]].op == OP_MATCH;
	free(memory);
	return matched;
}

int glob_match(const char *pattern, size_t length, const char *name, size_t name_length)
{
	struct program program = { 0 };
	struct parser p = { .pattern = (const unsigned char *)pattern,
			    .length = length,
			    .program = &program };
	int r = parse(&p);

	if (!r)
		r = run(&program, name, name_length);
	program_done(&program);
	return r;
}

bool glob_ends_in_slash(const char *pattern, size_t length)
{
	size_t escapes = 0;

	if (!length || pattern[length - 1] != '/')
		return false;
	while (escapes + 1 < length && pattern[length - 2 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0;
}

/* The pattern as it stands, or with "/" or everything below appended. */
static int match_below(const char *pattern, size_t length, const char *name, size_t name_length,
		       unsigned int flags)
{
	bool slash = glob_ends_in_slash(pattern, length);
	int r;

	if (!(slash && flags & GLOB_DIRECTORY) && !(flags & GLOB_BELOW))
		return glob_match(pattern, length, name, name_length);
	if (slash)
		length--;
	if (length) {
		r = glob_match(pattern, length, name, name_length);
		if (r)
			return r;
	}
	for (size_t i = 0; i < name_length; i++) {
		if (name[i] != '/')
			continue;
		r = length ? glob_match(pattern, length, name, i) : i == 0;
		if (r)
			return r;
	}
	return 0;
}

/* A name below an alias's target is also known by the name below its link. */
static int match_alias(const struct glob_alias *alias, const char *pattern, size_t length,
		       const char *name, size_t name_length, unsigned int flags)
{
	size_t target = strlen(alias->target), link = strlen(alias->link);
	char *other;
	int r;

	if (name_length < target || memcmp(name, alias->target, target) ||
	    (name_length > target && name[target] != '/'))
		return 0;
	other = malloc(link + name_length - target + 1);
	if (!other)
		return -ENOMEM;
	memcpy(other, alias->link, link);
	memcpy(other + link, name + target, name_length - target);
	r = match_below(pattern, length, other, link + name_length - target, flags);
	free(other);
	return r;
}

int glob_match_name(const char *pattern, size_t length, const char *name, size_t name_length,
		    unsigned int flags)
{
	int r = match_below(pattern, length, name, name_length, flags);

	if (!(flags & GLOB_ALIASES))
		return r;
	for (const struct glob_alias *alias = glob_aliases; !r && alias->link; alias++)
		r = match_alias(alias, pattern, length, name, name_length, flags);
	return r;
}
