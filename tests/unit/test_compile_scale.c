/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How time, memory and the image grow with the rules. The rules are synthetic, in the proportions of
 * real profiles; every third denies, so that it needs states of its own. Prints what it measures;
 * the limits asserted are generous, for sanitizers and loaded machines.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policyd/policy/numbering.h"
#include "policyd/policy/symbols.h"
#include "tests/unit/policies.h"

static const char *pick(struct lots *lots, const char *const *words, uint32_t count)
{
	return words[lot(lots, count)];
}
#define PICK(lots, words) pick(lots, words, sizeof(words) / sizeof((words)[0]))

static void synthetic_path(struct lots *lots, int i, char *path, size_t size)
{
	static const char *const common[] = {
		"/usr/lib/**",		 "/usr/share/**",  "/etc/**",
		"/proc/*/status",	 "/tmp/**",	   "/home/*/.cache/**",
		"/srv/*/public/**.html", "/var/log/*.log",
	};
	static const char *const apps[] = {
		"nginx", "postgres", "redis", "python3", "java", "node",
		"mysql", "grafana",  "vault", "consul",	 "git",	 "cron"
	};
	static const char *const subs[] = { "conf.d", "modules", "cache",     "data",
					    "log",    "plugins", "templates", "certs" };
	static const char *const words[] = { "alpha", "beta",  "gamma", "delta", "kappa", "sigma",
					     "omega", "theta", "zeta",	"iota",	 "rho",	  "tau" };
	const char *app = PICK(lots, apps), *sub = PICK(lots, subs), *word = PICK(lots, words);
	uint32_t kind = lot(lots, 100);

	if (i < 8)
		snprintf(path, size, "%s", common[i]);
	else if (kind < 35)
		snprintf(path, size, "/var/lib/%s/%s%d/%s/**", app, word, i, sub);
	else if (kind < 60)
		snprintf(path, size, "/etc/%s/%s/%s%d.conf", app, sub, word, i);
	else if (kind < 75)
		snprintf(path, size, "/opt/%s%d/%s/*.so", word, i, sub);
	else if (kind < 90)
		snprintf(path, size, "/srv/%s/*/%s/%s%d/**", app, sub, word, i);
	else
		snprintf(path, size, "/home/*/.%s/%s%d/*.{json,yaml}", app, word, i);
}

static struct policy *synthetic_policy(struct lots *lots, const char *name, int rules)
{
	struct policy *policy = make_policy(name, DENY_ALL);
	char path[128];

	for (int i = 0; i < rules; i++) {
		synthetic_path(lots, i, path, sizeof(path));
		add_path_rule(policy, i % 3 == 2,
			      i % 3 ? PD_READ | PD_WRITE | PD_APPEND : (uint32_t)PD_READ, path);
	}
	return policy;
}

static void measure(int policies, int rules, double seconds_max, size_t image_max)
{
	struct policy **set = calloc(policies, sizeof(*set));
	struct numbering *numbering = numbering_new();
	struct lots lots = { 10 };
	struct timespec before, after;
	struct compiled *c;
	char name[40];
	double seconds;

	assert_non_null(set);
	for (int i = 0; i < policies; i++) {
		snprintf(name, sizeof(name), "policy-%d", i);
		set[i] = synthetic_policy(&lots, name, rules);
		snprintf(name, sizeof(name), "/system.slice/%d.service", i);
		add_match(set[i], name, NULL);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	c = must_compile(set, policies, numbering);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	seconds = (double)(after.tv_sec - before.tv_sec) +
		  (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	print_message("%5d x %5d rules: %7zu states, %8zu bytes, %6.1f ms with the check\n",
		      policies, rules, c->stats.states, c->stats.image_size, seconds * 1e3);
	assert_true(seconds < seconds_max);
	assert_true(c->stats.image_size <= image_max);
	compiled_free(c);
	numbering_free(numbering);
	for (int i = 0; i < policies; i++)
		policy_free(set[i]);
	free(set);
}

static void one_policy(void **state)
{
	(void)state;
	measure(1, 20, 1, 20000);
	measure(1, 500, 2, 150000);
	measure(1, 5000, 10, 1 << 20);
	measure(1, 20000, 30, PD_IMAGE_SIZE);
}

static void many_policies(void **state)
{
	(void)state;
	measure(100, 50, 10, 3 << 19);
	measure(1000, 20, 30, PD_IMAGE_SIZE);
}

/* Numbers are used up by policies that come and go; what is said then is what helps. */
static void numbers_run_out(void **state)
{
	struct policy *policy = make_policy("x", 0);
	struct compile_input input = { .policies = &policy, .policy_count = 1 };
	struct numbering *numbering = numbering_new();
	struct compiled *compiled = NULL;
	struct pd_error error;
	char name[16];
	int r = 0;

	(void)state;
	for (unsigned int i = 0; i < COMPILE_SLOTS_MAX; i++) {
		const char *const names[] = { name, NULL };
		uint32_t slot;

		snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(numbering_slot(numbering, names, &slot), 0);
	}
	r = compile(&input, numbering, &compiled, &error);
	assert_int_equal(r, -E2BIG);
	assert_non_null(strstr(error.text, "more than 4096 policies"));
	assert_non_null(strstr(error.text, "'policyctl detach'"));
	numbering_free(numbering);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_policy),
		cmocka_unit_test(many_policies),
		cmocka_unit_test(numbers_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
