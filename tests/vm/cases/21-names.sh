#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# One object, one answer: whatever it is reached through, access is never wider than its real name grants,
# and what has no name that can be trusted is refused under default deny.
. /tests/lib.sh

attempt=/tests/bin/attempt
cat >policy.yaml <<P
version: 1
name: names
default: {file: deny, exec: deny, socket: allow, capability: allow}
exec: [{allow: [/usr/bin/busybox, /tests/bin/attempt]}]
guard: {allow: [userns, mount]}
file:
  - {allow: rw, path: [/dev/null, "$PWD/**"]}
  - {allow: read, path: /tests/}
  - {allow: [read, write, append, create, link, delete, attr, ioctl, lock], path: [/n/ok/, /n/jail/, /n/ovl/, /dev/mqueue/]}
  - {allow: read, path: ["/n/long/**", /n/bound/, "/n/odd/\\\\*", "/n/odd/a b"]}
  - {deny: all, path: ["/n/ok/secret", "/n/ok/secrets/"]}
P
mkdir -p /n/ok/sub /n/ok/secrets /n/no/sub /n/jail/n/ok /n/jail/n/no /n/long /n/odd /n/away /n/bound /n/lazy
for f in /n/ok/f /n/ok/sub/f /n/no/f /n/no/sub/f /n/ok/secret /n/ok/secrets/f /n/jail/n/ok/f /n/jail/n/no/f; do
	echo content >$f
done
ln -s /n/no/f /n/ok/to-no
ln -s /n/ok/f /n/no/to-ok
ln -s /n/no /n/ok/to-no-dir
ln /n/no/f /n/ok/hard # made outside: it is what it is called
ln /n/ok/f /n/no/hard
ln -s /n/no/missing /n/ok/dangling

# Bind mounts made outside: the name is that of the mount
mount --bind /n/no/sub /n/bound
mkdir -p /n/ok/masked /n/hidden
mount --bind /n/ok /n/hidden

# A file system that lives on without a place, and one whose folder was moved out of the mount
mount -t tmpfs lazy /n/lazy
mkdir -p /n/lazy/n/ok
echo content >/n/lazy/f
echo content >/n/lazy/n/ok/f
exec 7</n/lazy
umount -l /n/lazy
mkdir -p /n/away/source/inner /n/away/window
echo content >/n/away/source/inner/f
mount --bind /n/away/source /n/away/window
exec 8</n/away/window/inner
mv /n/away/source/inner /n/away/inner
# Another mount namespace
unshare -m sh -c 'mkdir -p /n/ok; mount -t tmpfs other /n/ok; echo content >/n/ok/f; echo >/n/ok/ready; exec sleep 1000' &
other=$!
sleep 1
exec 9<"/proc/$other/root/n/ok"
# Odd names
printf content >"/n/odd/a b"
printf content >"/n/odd/*"
printf content >/n/odd/star
printf content >"$(printf '/n/ok/\001\n\033\377"\\x')"
printf content >"/n/ok/f (deleted)"
# Long and deep ones
(cd /n/long && $attempt dig 20 190 && $attempt deep 20 190 open w,creat f)
(cd /n/long && $attempt dig 30 140 && $attempt deep 30 140 open w,creat f)
(cd /n/long && $attempt dig 245 1 && $attempt deep 245 1 open w,creat f)
(cd /n/long && $attempt dig 300 1 && $attempt deep 300 1 open w,creat f)
# overlayfs: a file of the lower layer is written to
modprobe overlay
mkdir -p /layers /n/ovl /n/ovl-no
mount -t tmpfs layers /layers
mkdir /layers/lower /layers/upper /layers/work
for f in a b c d e f g h; do echo content >/layers/lower/$f; done
mkdir /layers/lower/dir
echo content >/layers/lower/dir/f
mount -t overlay -o lowerdir=/layers/lower,upperdir=/layers/upper,workdir=/layers/work overlay /n/ovl
mkdir /layers/upper2 /layers/work2
mount -t overlay -o lowerdir=/layers/lower,upperdir=/layers/upper2,workdir=/layers/work2 overlay /n/ovl-no
# Who hands out descriptors
$attempt serve /n/ok/socket &

cat >table <<T
ok open r /n/ok/f
EACCES open r /n/no/f
EACCES open r /n/ok/secret
# symbolic links: where they lead to
EACCES open r /n/ok/to-no
ok open r /n/no/to-ok
EACCES open r /n/ok/to-no-dir/f
EACCES truncate /n/ok/to-no
EACCES open w,creat /n/ok/dangling
ok chmod /n/no/to-ok
# hard links that exist: each name by itself
ok open r /n/ok/hard
EACCES open r /n/no/hard
# relative and roundabout
ok in /n/no open r ../ok/f
EACCES in /n/ok open r ../no/f
EACCES in /n/ok open r secrets/../secret
ok in /n/ok open r secrets/../f
EACCES open r /proc/self/root/n/no/f
ok open r /proc/self/root/n/ok/f
EACCES in /n/ok openat ../no r f
ok in /n/no openat ../ok r f
EACCES open r /n/ok/../no/./f
# a bind mount made outside
ok open r /n/bound/f
EACCES open w /n/bound/f
EACCES open r /n/no/sub/f
EACCES open r /n/hidden/f
# chroot changes no name
ok chroot /n/jail open r /n/ok/f
ok chroot /n/jail open r /n/no/f
EACCES escape /n/jail r n/no/f
ok escape /n/jail r n/ok/f
EACCES chroot /n/no open r /f
EACCES chroot /n/ok open r /secret
# detached and foreign mounts, an escaped folder
EACCES openat fd:7 r f
EACCES openat fd:7 w,creat new
EACCES openat fd:7 r n/ok/f
EACCES utimes /proc/self/fd/7/n/ok/f
EACCES setxattr trusted.x /proc/self/fd/7/n/ok/f
EACCES openat fd:8 r f
EACCES openat fd:9 r f
EACCES in /proc/$other/root open r n/ok/f
EACCES opentree /n/ok r f
EACCES opentree /n/ok w,creat new
EACCES fsmount w,creat f
EACCES unshare mount opentree /n/ok r f
ok unshare mount open r /n/ok/f
EACCES unshare mount open r /n/no/f
EACCES unshare user open r /n/no/f
ok unshare user open r /n/ok/f
# unlinked
ok open w,creat /n/ok/gone
EACCES deleted r /n/ok/gone r
ok open r /n/ok/f\x20(deleted)
# odd bytes
ok open r /n/odd/a\x20b
ok open r /n/odd/*
EACCES open r /n/odd/star
ok open r /n/ok/\x01\x0a\x1b\xff\x22\x5cx
EACCES open w,creat /n/no/\x01\x0a\x1b\xff
# too long, too deep
ok in /n/long deep 20 190 open r f
EACCES in /n/long deep 30 140 open r f
EACCES in /n/long deep 30 140 unlink f
ok in /n/long deep 245 1 open r f
EACCES in /n/long deep 300 1 open r f
EACCES in /n/long deep 300 1 open w,creat g
# memory and pipes are no files, and cannot be named as if
ok memfd x rw
ok memfd /n/no/f r
EACCES mapmemfd /n/ok/f
EACCES mapmemfd /tests/bin/attempt
ok pipe r
ok pipe w
# what O_PATH and /proc/self/fd give again
EACCES reopen path /n/no/f r
EACCES reopen path /n/ok/secret rw
ok reopen path /n/ok/f rw
ok reopen r /n/ok/f rw
EACCES reopen r /n/bound/f rw
EACCES fchmod path /n/no/f
ok fchmod path /n/ok/f
# descriptors from others
ok receive /n/ok/socket r /n/ok/f read fd:50
nothing receive /n/ok/socket r /n/no/f read fd:50
nothing receive /n/ok/socket rw /n/no/f
nothing receive /n/ok/socket mode3 /n/no/f
nothing receive /n/ok/socket rw /n/bound/f
ok receive /n/ok/socket r /n/bound/f
ok receive /n/ok/socket path /n/no openat fd:50 path f
EACCES receive /n/ok/socket path /n/no openat fd:50 r f
nothing receive /n/ok/socket r,dir /n/no
nothing receive /n/ok/socket r /proc/self/ns/mnt
# overlayfs, over its lower and its upper layer
ok open r /n/ovl/a
ok open w /n/ovl/a
ok content content /n/ovl/b
ok open rw,append /n/ovl/b
ok truncate /n/ovl/c
ok chmod /n/ovl/d
ok chown /n/ovl/d
ok utimes /n/ovl/e
ok setxattr trusted.x /n/ovl/e
ok rename plain /n/ovl/f /n/ovl/f2
ok link /n/ovl/g /n/ovl/g2
ok unlink /n/ovl/h
ok unlink /n/ovl/dir/f
ok rmdir /n/ovl/dir
ok mkdir /n/ovl/dir
ok write w,creat /n/ovl/new
ok map r rw /n/ovl/new
EACCES map rx r /n/ovl/new
EACCES map rx-later r /n/ovl/a
EACCES map rx-later r /n/ovl/b
ok deleted r /n/ovl/new path
EACCES open r /n/ovl-no/a
EACCES truncate /n/ovl-no/a
EACCES utimes /n/ovl-no/a
EACCES setxattr trusted.x /n/ovl-no/a
EACCES open r /layers/lower/a
EACCES open w /layers/upper/a
# times, attributes and ACLs are judged through every mount that shows the object
EACCES utimes /n/bound/f
EACCES utimes /n/no/f
EACCES utimes /n/ok/secret
EACCES setxattr trusted.x /n/no/f
EACCES setacl /n/no/f
ok utimes /n/jail/n/ok/f
ok setxattr trusted.x /n/jail/n/ok/f
ok setacl /n/jail/n/ok/f
T
policyctl run --json --policy "$PWD/policy.yaml" -- $attempt <table 2>events
t_is "the table was as expected" 0 $?
kill $other
t_is "nothing of it was changed" "content content content" "$(cat /n/no/f /n/bound/f /layers/lower/a | xargs)"

reason() { # REASON PATTERN
	t_allowed "event: $1" sh -c "grep -F '\"reason\":\"$1\"' events | grep -q '$2'"
}
reason deleted '"operation":"open"'
reason unreachable '"operation":"open".*not in the task'
reason too_long '"operation":"unlink"'
reason too_deep '"operation":"open"'
t_allowed "event: odd bytes are escaped" grep -qF '"path_bytes":"2f6e2f6e6f2f010a1bff"' events
t_allowed "event: receiving" grep -q '"operation":"receive","permissions":\["read"\],"object":{"path":"/n/no/f"}' events
t_allowed "event: memory by a name nobody chooses" grep -q '"operation":"mmap".*"object":{"anonymous":"memfd:"}' events
t_is "every event is one line of JSON" 0 "$(grep -vc '^{"version":1,.*}$' events)"
t_done
