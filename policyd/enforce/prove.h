/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_ENFORCE_PROVE_H
#define PD_ENFORCE_PROVE_H
#include "policyd/enforce/enforce.h"
int prover_run(struct prover *prover, int labels_map_fd, struct pd_state *state, uint64_t hooks,
	       uint64_t *ret_proved, struct pd_error *error);
#endif
