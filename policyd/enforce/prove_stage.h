/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the prover's three processes: enforcer, prover and canary.
 */
#ifndef PD_ENFORCE_PROVE_STAGE_H
#define PD_ENFORCE_PROVE_STAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lsm/abi.h"

/* Requests to the prover, one byte each. Anything else, or the end of the socket, ends it. */
#define PROVE_CANARY 'c'  /* reply: struct prove_reply with the canary's pidfd */
#define PROVE_DISMISS 'd' /* end the canary; reply: struct prove_reply */

struct prove_reply {
	int32_t result; /* 0 or -errno */
};

enum prove_turn { PROVE_TURN_CANARY, PROVE_TURN_ENFORCER };

/* Memory shared by all three. The canary reports here, because no hook can refuse it that. */
struct prove_stage {
	_Atomic uint32_t turn; /* enum prove_turn; a futex */
	uint32_t hook;	       /* written by the enforcer: what to attempt */
	int32_t result;	       /* written by the canary: 0 or -errno */
	char step[48];	       /* written by the canary: what it could not prepare */
};

/** stage_pass() - wake the other side up */
void stage_pass(struct prove_stage *stage, enum prove_turn turn);

/**
 * stage_wait() - wait until it is @turn's turn
 * @timeout_ms: -1: for ever
 *
 * Returns false when it is not, after the time or a signal.
 */
bool stage_wait(struct prove_stage *stage, enum prove_turn turn, int timeout_ms);

/** stage_refused() - is this what a hook that refuses gives? */
bool stage_refused(int result);

/**
 * canary_main() - the canary: prepare, then attempt what stage->hook says, again and again
 *
 * Passes the turn after each. Ends after an operation that was not refused, because that may have
 * changed anything (its namespaces, its tracer), and when @parent does.
 */
_Noreturn void canary_main(struct prove_stage *stage, pid_t parent);

/* Where the canary finds what attempts need, in its own root. */
#define CANARY_FILE "/file"
#define CANARY_DIR "/dir"
#define CANARY_SCRIPT "/script"	  /* executable, its interpreter is missing; not open for writing */
#define CANARY_PROGRAM "/program" /* an ELF executable that exits */
#define CANARY_LISTENER "/listener" /* a listening stream socket */

/**
 * canary_attempt() - one operation that reaches this hook, harmless should it not be refused
 *
 * Returns 0 or -errno; -ENOSYS: this machine has no such operation. bprm_committed_creds replaces
 * the process and returns only when it fails. Needs no memory but the stack.
 */
int canary_attempt(enum pd_hook hook);

#endif
