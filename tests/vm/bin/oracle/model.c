// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy, and what it says of a name. */
#include "tests/vm/bin/oracle/oracle.h"

#include <string.h>

#define RULES_MAX 12

static struct rule {
	int deny;
	unsigned int permissions;
	char pattern[NAME_ROOM];
} rules[RULES_MAX];
static int rule_count, deny_by_default;

/* ---- chance ---------------------------------------------------------------------------------- */

static unsigned long state;

void chance_begin(unsigned long seed, unsigned long purpose)
{
	state = (seed * 2 + 1) * 0x9e3779b97f4a7c15ul ^ purpose * 0xbf58476d1ce4e5b9ul;
	for (int i = 0; i < 8; i++)
		chance(2);
}

unsigned int chance(unsigned int bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % bound;
}

static const char *const names[] = {
	"a", "b", "ab", "a.txt", "b.txt", "x (deleted)", "c d", "\xff\x01", ".a", "{", "*", "[a]",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

void chance_name(char name[NAME_ROOM])
{
	char *end = stpcpy(name, TOP);

	for (unsigned int depth = 1 + chance(3); depth; depth--)
		end = stpcpy(stpcpy(end, "/"), names[chance(chance(3) ? 5 : NAMES)]);
}

/* ---- patterns, as policyd.policy(5) has them --------------------------------------------------- */

static int matches(const char *p, const char *s);

static int matches_any_byte(const char *rest, const char *s, int slashes)
{
	for (;; s++) {
		if (matches(rest, s))
			return 1;
		if (!*s || (*s == '/' && !slashes))
			return 0;
	}
}

static int matches_set(const char *p, const char *s)
{
	int negated = p[1] == '!', in = 0;
	unsigned char byte = (unsigned char)*s;

	for (p += negated ? 2 : 1; *p != ']'; p++) {
		unsigned char from = (unsigned char)*p, to = from;

		if (p[1] == '-' && p[2] != ']') {
			to = (unsigned char)p[2];
			p += 2;
		}
		in |= byte >= from && byte <= to;
	}
	return byte && byte != '/' && in != negated && matches(p + 1, s + 1);
}

/* Each alternative in place of the braces; none in braces of their own. */
static int matches_either(const char *p, const char *s)
{
	const char *end = strchr(p, '}');
	char one[NAME_ROOM];

	while (p < end) {
		size_t length = strcspn(++p, ",}");

		snprintf(one, sizeof(one), "%.*s%s", (int)length, p, end + 1);
		if (matches(one, s))
			return 1;
		p += length;
	}
	return 0;
}

static int matches(const char *p, const char *s)
{
	switch (*p) {
	case '\0':
		return !*s;
	case '?':
		return *s && *s != '/' && matches(p + 1, s + 1);
	case '*':
		return matches_any_byte(p[1] == '*' ? p + 2 : p + 1, s, p[1] == '*');
	case '[':
		return matches_set(p, s);
	case '{':
		return matches_either(p, s);
	case '\\':
		p++;
	}
	return *p == *s && matches(p + 1, s + 1);
}

static int is_for(const struct rule *rule, const char *name)
{
	size_t length = strlen(rule->pattern);
	char pattern[NAME_ROOM + 2];

	strcpy(pattern, rule->pattern);
	if (pattern[length - 1] != '/')
		return matches(pattern, name);
	strcpy(pattern + length, "**"); /* all that is below, and itself: */
	if (matches(pattern, name))
		return 1;
	pattern[length - 1] = '\0';
	return matches(pattern, name);
}

unsigned int model_grants(const char *name, unsigned int permissions)
{
	unsigned int allowed = deny_by_default ? 0 : permissions, denied = 0;

	for (int i = 0; i < rule_count; i++)
		if (!is_for(&rules[i], name))
			continue;
		else if (rules[i].deny)
			denied |= rules[i].permissions;
		else
			allowed |= rules[i].permissions;
	return permissions & allowed & ~denied;
}

/* ---- a policy -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned int permissions;
} words[] = {
	{ "read", MAY_READ },	  { "write", MAY_WRITE | MAY_APPEND },
	{ "append", MAY_APPEND }, { "create", MAY_CREATE },
	{ "delete", MAY_DELETE }, { "link", MAY_LINK },
	{ "attr", MAY_ATTR },	  { "mmap_exec", MAY_MMAP_EXEC },
	{ "ioctl", MAY_IOCTL },	  { "lock", MAY_LOCK },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

/* A name of files as a pattern that stands for it alone */
static char *put_name(char *to, const char *name)
{
	if (*name == '\xff') /* nothing that YAML could say */
		return stpcpy(to, "??");
	for (; *name; *to++ = *name++)
		if (strchr("{}[]*?\\", *name))
			*to++ = '\\';
	*to = '\0';
	return to;
}

static char *put_component(char *to)
{
	static const char *const patterns[] = { "*",	 "?",	    "a*",	 "*.txt", "[ab]",
						"[!a]*", "{a,b}",   "{a,b}.txt", "{,.}a", "**",
						"?*",	 "*[a-b]*", "**.txt",	 "x *",	  "*d*" };

	if (chance(2))
		return put_name(to, names[chance(chance(3) ? 5 : NAMES)]);
	return stpcpy(to, patterns[chance(sizeof(patterns) / sizeof(patterns[0]))]);
}

static void choose_rule(struct rule *rule)
{
	char *end = stpcpy(rule->pattern, TOP);

	rule->deny = chance(2) == 0;
	for (unsigned int depth = 1 + chance(3); depth; depth--) {
		*end++ = '/';
		end = put_component(end);
	}
	if (!chance(6))
		strcpy(end, "/");
	do
		for (size_t i = 0; i < WORDS; i++)
			if (!chance(3))
				rule->permissions |= words[i].permissions;
	while (!rule->permissions);
}

void model_begin(unsigned long seed)
{
	chance_begin(seed, 1);
	memset(rules, 0, sizeof(rules));
	rule_count = 2 + (int)chance(RULES_MAX - 2);
	deny_by_default = chance(2) == 0;
	for (int i = 0; i < rule_count; i++)
		choose_rule(&rules[i]);
}

static void print_permissions(FILE *to, unsigned int permissions)
{
	const char *comma = "";

	for (size_t i = 0; i < WORDS; i++)
		/* "append" only where "write" has not said so */
		if ((permissions & words[i].permissions) == words[i].permissions &&
		    (words[i].permissions != MAY_APPEND || !(permissions & MAY_WRITE))) {
			fprintf(to, "%s%s", comma, words[i].name);
			comma = ", ";
		}
}

void model_print(FILE *to)
{
	fprintf(to,
		"version: 1\nname: oracle\n"
		"default: {file: %s, exec: allow, socket: allow, capability: allow}\nfile:\n",
		deny_by_default ? "deny" : "allow");
	for (int i = 0; i < rule_count; i++) {
		fprintf(to, "  - {%s: [", rules[i].deny ? "deny" : "allow");
		print_permissions(to, rules[i].permissions);
		fprintf(to, "], path: '%s'}\n", rules[i].pattern);
	}
}
