#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Each file permission by itself: what needs it is done in a folder that grants everything, and refused in
# one that grants everything but it. Then append-only files, and names that change.
. /tests/lib.sh

permissions="read write append create delete link attr mmap_exec ioctl lock"
policy=$PWD/policy.yaml
{
	cat <<-P
	version: 1
	name: file
	default: {file: deny, exec: deny, socket: allow, capability: allow}
	exec: [{allow: [/usr/bin/busybox, /tests/bin/attempt]}]
	file:
	  - {allow: rw, path: [/dev/null, "$PWD/**"]}
	  - {allow: read, path: /tests/}
	  - {allow: all, path: [/t/all/, "/t/not-*/**"]}
	  - {allow: [read, append], path: /t/log/}
	  - {allow: all, path: /t/part/}
	  - {deny: read, path: "/t/part/*/secret"}
	  - {deny: [read, mmap_exec], path: "/t/part/*/exec/**"}
	P
	for p in $permissions; do echo "  - {deny: $p, path: /t/not-$p/}"; done
} >"$policy"

fill() { # DIR
	mkdir -p "$1/d/sub" "$1/empty"
	for f in f g h i j k; do echo content >"$1/$f"; done
}
for d in all log part; do fill /t/$d; done
for p in $permissions; do fill "/t/not-$p"; done
mkdir -p /t/part/d/exec /t/part/e /t/none
echo secret >/t/part/d/secret
echo content >/t/none/f
for d in /t/*; do
	/tests/bin/attempt setxattr trusted.old "$d/f" >/dev/null
	/tests/bin/attempt setacl "$d/g" >/dev/null
done

twins() { # PERMISSION COMMAND...: @ is the folder
	p=$1
	shift
	printf 'ok %s\n' "$*" | sed 's|@|/t/all|g'
	printf 'EACCES %s\n' "$*" | sed "s|@|/t/not-$p|g"
}

{
	twins read open r @/f
	twins read open r,append @/f
	twins read open rw @/f
	twins read open mode3 @/f
	twins read open r,creat @/f
	twins read list @
	twins read reopen path @/f r
	twins read openat @ r f
	twins write open w @/f
	twins write open rw @/f
	twins write open mode3 @/f
	twins write open r,trunc @/f
	twins write open w,trunc @/f
	twins write open w,creat @/f
	twins write reopen path @/f w
	twins write reopen path @/f r,trunc
	twins write truncate @/f
	twins write tmpfile @ @/t1
	twins append open w,append @/f
	twins append open rw,append @/f
	twins append open w,append,creat @/f
	twins create open w,creat,excl @/n1
	twins create open w,creat @/n2
	twins create mknod file @/n3
	twins create mknod fifo @/n4
	twins create mknod null @/n5
	twins create mkdir @/n6
	twins create symlink /etc/shadow @/n7
	twins create tmpfile @ @/n8
	twins create link /t/all/f @/n9
	printf '%s\n' "ok rename plain /t/all/empty /t/all/n10" "EACCES rename plain /t/all/n10 /t/not-create/n10"
	twins create rename whiteout @/h @/d/h
	printf '%s\n' "EACCES rename whiteout /t/not-create/i /t/all/n15" "ok rename plain /t/not-create/i /t/all/n15"
	echo "ok mkdir /t/all/empty"
	twins delete unlink @/i
	twins delete rmdir @/empty
	twins delete rename plain @/j /t/all/d/j
	printf '%s\n' "ok rename plain /t/all/d/j /t/all/k" "EACCES rename plain /t/all/k /t/not-delete/k"
	twins delete rename exchange @/f @/g
	twins create rename exchange @/f @/g
	twins link link @/f @/n11
	twins link linkfd path @/f @/n12
	twins link linkfd r @/f @/n13
	twins link tmpfile @ @/n14
	twins attr chmod @/f
	twins attr fchmod r @/f
	twins attr fchmod path @/f
	twins attr chown @/f
	twins attr utimes @/f
	twins attr futimes r @/f
	twins attr setxattr trusted.new @/f
	twins attr removexattr trusted.old @/f
	twins attr setacl @/f
	twins attr removeacl @/f
	twins mmap_exec map rx r @/f
	twins mmap_exec map rx-later r @/f
	twins mmap_exec map r-implies-x r @/f
	twins ioctl ioctl r @/f
	twins lock lock flock r @/f
	twins lock lock posix r @/f
	twins lock lock ofd r @/f
	twins lock lock lease r @/f
	cat <<-T
	# what one right does not take from another
	ok open r /t/not-write/f
	ok open w /t/not-read/f
	ok truncate /t/not-read/f
	ok open w,creat /t/not-create/f
	ok map r r /t/not-mmap_exec/f
	ok harmless r /t/not-ioctl/f
	ok chmod /t/not-write/g
	ok open path /t/not-read/f
	ok exists /t/not-read/f
	EACCES open r /t/none/f
	EACCES list /t/none
	EACCES open r,creat /t/none/new
	ENOENT exists /t/none/new
	ENOENT open r /t/none/new
	# append-only: no way to change what is there
	ok write w,append /t/log/f
	ok write rw,append /t/log/f
	EACCES open w /t/log/f
	EACCES open rw /t/log/f
	EACCES open mode3 /t/log/f
	EACCES open w,append,trunc /t/log/f
	EACCES truncate /t/log/f
	EACCES ftruncate w,append /t/log/f
	ok ftruncate w,append /t/all/f
	EACCES setfl w,append /t/log/f
	ok setfl w,append /t/all/f
	ok map r rw,append /t/log/f
	EACCES map w rw,append /t/log/f
	EACCES map-later rw,append /t/log/f
	ok map w rw,append /t/all/f
	ok map-later rw,append /t/all/f
	EACCES fallocate w,append /t/log/f
	EACCES fallocate-high w,append /t/log/f
	ok fallocate-high w,append /t/all/g
	ok fallocate w,append /t/all/g
	EACCES open w,creat,append /t/log/new
	EACCES unlink /t/log/f
	EACCES rename plain /t/log/f /t/log/g
	EACCES rename exchange /t/log/f /t/all/f
	ok content content /t/log/f
	# a new name never grants more: one way is refused, the other is not
	EACCES rename plain /t/not-read/g /t/all/r1
	ok rename plain /t/all/g /t/not-read/r1
	EACCES rename plain /t/not-read/r1 /t/all/g
	EACCES link /t/not-read/g /t/all/r2
	ok link /t/all/k /t/not-read/r2
	EACCES rename exchange /t/not-read/g /t/all/k
	EACCES rename exchange /t/all/k /t/not-read/g
	EACCES rename plain /t/not-mmap_exec/g /t/all/r3
	EACCES link /t/not-attr/g /t/all/r4
	EACCES rename whiteout /t/not-lock/g /t/all/r5
	ok rename whiteout /t/all/k /t/not-lock/r5
	EACCES rename noreplace /t/not-ioctl/g /t/all/r6
	# the same for what is below a folder
	EACCES rename plain /t/not-read/d /t/all/d1
	EACCES rename plain /t/part/d /t/all/d2
	EACCES rename exchange /t/part/d /t/all/d
	EACCES rename exchange /t/all/d /t/part/d
	ok rename plain /t/part/d /t/part/dd
	EACCES read /t/part/dd/secret
	ok rename exchange /t/part/dd /t/part/e
	EACCES read /t/part/e/secret
	EACCES rename plain /t/part/e/secret /t/part/e/open
	EACCES link /t/part/e/secret /t/part/e/open
	ok rename plain /t/all/d /t/all/d3
	ok rename plain /t/all/d3 /t/part/d3
	T
} >table

# pwritev2(RWF_NOAPPEND) is Linux 6.9's
if [ "$(/tests/bin/attempt noappend w,append /t/all/f)" = ok ]; then
	printf '%s\n' "EACCES noappend w,append /t/log/f" "ok noappend w,append /t/all/f" "ok content content /t/log/f" >>table
else
	t_skip "this kernel has no RWF_NOAPPEND"
fi

policyctl run --json --policy "$policy" -- /tests/bin/attempt <table 2>events
t_is "the table was as expected" 0 $?

event() { # OPERATION PERMISSIONS PATH RULE: denied by that line of the policy
	line=$(grep -n -- "$4" "$policy" | cut -d: -f1)
	# shellcheck disable=SC2016 # of the inner shell
	t_allowed "event: $1 $3, by line $line" sh -c 'grep -F "$1" events | grep -F "$2" | grep -q "$3"' sh \
		"\"verdict\":\"denied\",\"mode\":\"enforce\",\"class\":\"${5:-file}\",\"operation\":\"$1\",\"permissions\":[$2]" \
		"\"object\":{\"path\":\"$3" "\"policy\":\"file\",\"\(rule\|default\)\":{.*\"line\":$line,"
}
for p in read write append; do event open "\"$p\"" /t/not-$p/f "deny: $p, path: /t/not-"; done
event truncate '"write"' /t/not-write/f "deny: write, path: /t/not-"
for o in create mknod mkdir symlink; do event $o '"create"' /t/not-create/n "deny: create"; done
event unlink '"delete"' /t/not-delete/i "deny: delete"
event rmdir '"delete"' /t/not-delete/empty "deny: delete"
event rename '"delete"' /t/not-delete/f "deny: delete"
event link '"link"' /t/not-link/f "deny: link"
for o in chmod chown utimes setxattr; do event $o '"attr"' /t/not-attr/f "deny: attr"; done
for o in mmap mprotect; do event $o '"mmap_exec"' /t/not-mmap_exec/f "deny: mmap_exec, path: /t/not-"; done
event ioctl '"ioctl"' /t/not-ioctl/f "deny: ioctl"
event lock '"lock"' /t/not-lock/f "deny: lock"
event open '"read"' /t/none/f "^default:"
event fcntl '"write"' /t/log/f "^default:"
event mmap '"write"' /t/log/f "^default:"
event write '"write"' /t/log/f "^default:"
t_like "event: what a new name would have granted" '*"operation":"link","permissions":\["read"\],"object":{"path":"/t/not-read/g"},"target":{"path":"/t/all/r2"}*"reason":"widens"*' \
	"$(grep r2 events)"
t_done
