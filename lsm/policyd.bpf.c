// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All programs, compiled as one: linkers of 2022 cannot put together objects that call the same function of
 * the kernel. In the order of loading: a judge is verified against programs that are loaded already.
 */
#include "lsm/maps.bpf.c"

#include "lsm/ask.bpf.c"
#include "lsm/audit.bpf.c"
#include "lsm/bind.bpf.c"
#include "lsm/file.bpf.c"
#include "lsm/guard.bpf.c"
#include "lsm/inode.bpf.c"
#include "lsm/hold.bpf.c"
#include "lsm/label.bpf.c"
#include "lsm/name.bpf.c"
#include "lsm/path.bpf.c"
#include "lsm/socket.bpf.c"
#include "lsm/sweep.bpf.c"
#include "lsm/tell.bpf.c"

#include "lsm/judge.bpf.c"

#include "lsm/control.bpf.c"
#include "lsm/mounts.bpf.c"
