#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
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
mkdir -p /race
mount -t tmpfs race /race && mount --make-private /race

laid_out() { # nothing yet but folders
	mkdir -p /race/p/x /race/p/y /race/p/d /race/q/u /race/q/v
}
with_files() { # FOLDER...
	for folder; do
		mkdir -p "$folder"
		echo content >"$folder/f"
	done
}
raced() { # HOW: sets $rounds, $denied, $allowed
	race move "$1" /race >moved 2>&1 &
	mover=$!
	policyctl run --policy "$PWD/policy.yaml" -- race open "$1" /race $SECONDS_EACH >opened 2>err || tail -n 3 err
	kill $mover
	wait $mover
	t_like "$1: all went on moving" "rounds [1-9]*" "$(cat moved)"
	echo "# $1: $(cat moved), $(cat opened)"
	t_like "$1: what is denied is never opened, by any name" "denied: opened 0 refused [1-9]*" "$(cat opened)"
	t_like "$1: what is allowed always is" "*allowed: opened [1-9]* refused 0 *" "$(cat opened)"
}

laid_out
with_files /race/p/x/d /race/q/u/e
raced folder

rm -rf /race/*
laid_out
for place in p/x/d p/y/d q/u/e q/v/e; do mkdir -p "/race/$place"; done
mount -t tmpfs d /race/p/x/d && mount -t tmpfs e /race/q/u/e
with_files /race/p/x/d /race/q/u/e
raced mount
umount /race/p/x/d /race/q/u/e 2>/dev/null

rm -rf /race/*
laid_out
with_files /race/q/u/e
raced detach
umount -l /race
t_done
