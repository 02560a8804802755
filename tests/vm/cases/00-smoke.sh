#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest is what the other cases rely on: a stock kernel whose active LSMs include bpf.
. /tests/lib.sh

t_like "bpf is among the active LSMs" '*,bpf*' "$(cat /sys/kernel/security/lsm)"
t_allowed "the kernel carries BTF" test -s /sys/kernel/btf/vmlinux
t_is "bpffs is mounted" bpf_fs "$(stat -f -c %T /sys/fs/bpf | sed 's/^UNKNOWN.*/bpf_fs/')"
t_allowed "cgroup2 is mounted" test -e /sys/fs/cgroup/cgroup.controllers
t_is "the case has a cgroup of its own" "0::/case" "$(cat /proc/self/cgroup)"
t_is "there are two processors" 2 "$(grep -c ^processor /proc/cpuinfo)"
t_allowed "loopback is up" ping -c 1 127.0.0.1
t_allowed "modules can be loaded" modprobe overlay
t_allowed "root reads /etc/shadow" cat /etc/shadow
t_denied "a user does not" su user -c 'cat /etc/shadow'
t_done
