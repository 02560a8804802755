/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A place for what runtimes write, for tests of how it is read. */
#ifndef PD_TESTS_STORES_H
#define PD_TESTS_STORES_H

#include "policyd/workload/metadata.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TOLD(fact) (1u << FACT_##fact)

struct stores {
	char dir[64];
	struct metadata_places places;
};

int stores_set_up(void **state);
int stores_tear_down(void **state);
/** stores_test() - a test that finds empty stores of its own in its state */
#define stores_test(function)                                                                      \
	cmocka_unit_test_setup_teardown(function, stores_set_up, stores_tear_down)

/** stores_put() - a file by its name below the folder of all */
void stores_put(const struct stores *s, const char *name, const char *text);

/** stores_look() - metadata_find() there */
int stores_look(const struct stores *s, const char *path, struct container *c,
		struct pd_error *error);

#endif
