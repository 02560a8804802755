#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Random operations on files under random policies: what the rules say of each is worked out by a model that shares nothing
# with policyd (tests/vm/bin/oracle), and the kernel has to say the same. Each seed has a policy and files of its own, every
# other one on an overlay. What is printed of an operation that went wrong is enough to do it again.
# shellcheck disable=SC2154 # of life.inc.sh
. /tests/lib.sh
. /tests/cases/life.inc.sh

SEEDS=$((8 * SOAK))
first=1
[ "$SOAK" = 1 ] || first=$(date +%s) # others each time

prepare
policy "$policies/stays.yaml" stays # hooks are attached once
start_policyd
mkdir -p /o /layers
mount -t tmpfs layers /layers
modprobe overlay
fresh() { # SEED
	umount /o 2>/dev/null
	rm -rf /layers/*
	mkdir /layers/lower /layers/upper /layers/work
	if [ $(($1 % 2)) = 0 ]; then
		mount -t tmpfs o /o && oracle tree "$1"
		return
	fi
	mount --bind /layers/lower /o && oracle tree "$1"
	umount /o
	mount -t overlay -o lowerdir=/layers/lower,upperdir=/layers/upper,workdir=/layers/work o /o
}
: >told
seed=$first
while [ "$seed" -lt $((first + SEEDS)) ]; do
	fresh "$seed"
	oracle policy "$seed" >policy.yaml
	policyctl run --policy "$PWD/policy.yaml" -- /tests/bin/oracle run "$seed" 2000 >out 2>err
	result=$?
	tail -n 1 out >>told
	[ $result = 0 ] || t_fail "seed $seed" "$(tail -n 6 out; grep -v denied err; cat policy.yaml)"
	seed=$((seed + 1))
done
sum() { awk -v n="$1" '{ sum += $(2 * n) } END { print sum + 0 }' told; }
echo "# $SEEDS seeds from $first on: allowed $(sum 1) refused $(sum 2) unclear $(sum 3) wrong $(sum 4)"
t_is "every seed has come to its end" "$SEEDS" "$(grep -c ^allowed told)"
t_is "the rules and the kernel agree on all of them" 0 "$(sum 4)"
t_is "some are allowed" 1 $(($(sum 1) > 100 * SEEDS))
t_is "and some refused" 1 $(($(sum 2) > 100 * SEEDS))
umount /o /layers
t_done
