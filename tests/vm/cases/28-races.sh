#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# processors: at once
#
# Names are read while they change: folders, mounts and what is mounted move all the time, and who opens by a
# descriptor is never let through to what is denied, nor kept from what is allowed.
. /tests/lib.sh
. /tests/cases/life.inc.sh

SECONDS_EACH=$((8 * SOAK))
cat >policy.yaml <<P
version: 1
name: race
default: {file: allow, exec: allow, socket: allow, capability: allow}
file: [{deny: read, path: "/race/p/**"}]
P
online() { echo "$1" >/sys/devices/system/cpu/cpu1/online; }
fresh() { # a place with nothing in it
	umount -l /race 2>/dev/null
	mkdir -p /race
	mount -t tmpfs race /race && mount --make-private /race
}
laid_out() { # nothing yet but folders
	fresh
	mkdir -p /race/p/x /race/p/y /race/p/d /race/q/u /race/q/v
}
with_files() { # FOLDER...
	for folder; do
		mkdir -p "$folder"
		echo content >"$folder/f"
	done
}
raced() { # HOW [REFUSED]: a pattern for how often what is allowed may be refused
	online 1
	race move "$1" /race >moved 2>&1 &
	mover=$!
	policyctl run --policy "$PWD/policy.yaml" -- race open "$1" /race $SECONDS_EACH >opened 2>err || tail -n 3 err
	kill $mover
	wait $mover
	online 0
	t_like "$1: all went on moving" "rounds [1-9]*" "$(cat moved)"
	echo "# $1: $(cat moved), $(cat opened)"
	t_like "$1: what is denied is never opened, by any name" "denied: opened 0 refused [1-9]*" "$(cat opened)"
	t_like "$1: what is allowed is opened" "*allowed: opened [1-9]* refused ${2:-0} *" "$(cat opened)"
}

prepare
policy "${policies:?}/stays.yaml" stays # so that hooks are attached now, while there is one processor: see tests/vm/run
start_policyd
laid_out
with_files /race/p/x/d /race/q/u/e
raced folder

laid_out
for place in p/x/d p/y/d q/u/e q/v/e; do mkdir -p "/race/$place"; done
mount -t tmpfs d /race/p/x/d && mount -t tmpfs e /race/q/u/e
with_files /race/p/x/d /race/q/u/e
raced mount

# Mounts that move at full speed disturb every name that takes longer to read than the next move, here of 230 folders.
laid_out
raced mounts '[0-9]*' # but some are opened

laid_out
with_files /race/q/u/e
raced detach
umount -l /race
t_done
