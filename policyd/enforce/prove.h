/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proof that hooks refuse. A process of its own (the prover) forks canaries: tasks in a mount
 * namespace and an empty root file system of their own, which carry the label of a canary and
 * attempt one operation for each hook. The label names the hook under proof: that one refuses and
 * counts, all others let the canary go.
 */
#ifndef PD_ENFORCE_PROVE_H
#define PD_ENFORCE_PROVE_H

#include "policyd/enforce/enforce.h"

/**
 * prover_run() - have a canary refused by every hook in @hooks
 * @labels_map_fd: the labels map (task storage)
 * @state:         the state map's value; hooks count their refusals in it
 * @canaries:      what the programs under proof know their canaries by
 * @hooks:         bit n: enum pd_hook n, which is attached
 * @ret_proved:    the hooks that refused, also on failure
 *
 * A hook that this machine lets nobody reach (no 32-bit system calls, modules switched off) is
 * neither proved nor a failure: see prover_skipped(). Waits for the canary: some milliseconds.
 * Leaves no process behind, and labels none but the canary.
 *
 * Returns 0, -ENODATA (hooks let the canary through; @error names them), -ECHILD (the prover is
 * gone), -ETIMEDOUT (prover or canary hang: the prover is given up), or what labelling the canary
 * or preparing it gave.
 */
int prover_run(struct prover *prover, int labels_map_fd, struct pd_state *state, uint64_t canaries,
	       uint64_t hooks, uint64_t *ret_proved, struct pd_error *error);

/**
 * prover_skipped() - why the last prover_run() could not prove a hook that it did not fail over
 *
 * Returns a static text, or NULL: the hook was proved, failed, or not asked for.
 */
const char *prover_skipped(const struct prover *prover, enum pd_hook hook);

#endif
