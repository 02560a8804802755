/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an OCI runtime (runc, crun) is asked to do by its arguments.
 */
#ifndef PD_WORKLOAD_OCI_COMMAND_H
#define PD_WORKLOAD_OCI_COMMAND_H

#include <stdbool.h>

#include "policyd/base/error.h"

/* Strings are the arguments'. */
struct oci_command {
	bool makes;	    /* a container; the rest is for one that does */
	const char *bundle; /* the folder */
	const char *config; /* the file in it; with crun it may have another name, or be elsewhere */
};

/**
 * oci_command_read() - the arguments behind the runtime's name
 *
 * -EINVAL for what runtimes read differently, or could be a command or an option's value: who makes containers is not
 * to be misunderstood. Facts: runc 1.1's and crun 1.8's --help and their sources' option tables.
 */
int oci_command_read(int argc, char **argv, struct oci_command *ret, struct pd_error *error);

#endif
