#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# What may run and be mapped to run, by which way in; and rules that are for one program only.
. /tests/lib.sh

attempt=/tests/bin/attempt
loader=$(find /usr/lib64/ -name 'ld-linux*' | head -n 1)
dynamic=$(readlink -f "$(command -v policyctl)")
cat >policy.yaml <<P
version: 1
name: exec
default: {file: deny, exec: deny, socket: allow, capability: allow}
exec:
  - {allow: [/usr/bin/busybox, /tests/bin/attempt, "/x/bin/*", "/usr/lib*/ld-linux*"]}
  - {deny: /x/bin/denied}
  - {allow: /x/no/only, by: /x/bin/class}
file:
  - {allow: rw, path: [/dev/null, "$PWD/**"]}
  - {allow: read, path: [/tests/, /usr/, /proc/, /x/no/, /x/no0/, /x/ok0/, /x/lib/, /x/bin/, /etc/ld.so.cache]}
  - {allow: mmap_exec, path: ["/usr/lib*/**", /x/ok0/]}
  - {allow: [write, create, delete, link], path: /x/}
  - {allow: mmap_exec, path: /x/lib/mapped}
  - {allow: read, path: /x/for-class, by: [/x/bin/class, /x/bin/sh]}
  - {deny: read, path: /x/lib/f, by: /x/bin/class}
  - {deny: mmap_exec, path: /x/bin/unmapped}
P
mkdir -p /x/bin /x/no /x/no0 /x/ok0 /x/lib
echo content >/x/for-class
echo content >/x/hidden
echo content >/x/lib/f
for f in /x/bin/class /x/bin/plain /x/bin/unmapped /x/bin/denied /x/no/attempt /x/no/only /x/bin/gone /x/bin/gone2; do cp $attempt $f; done
cp /usr/bin/busybox /x/bin/sh
cp /usr/bin/busybox /x/no/sh
cp "$dynamic" /x/bin/dynamic
cp "$dynamic" /x/no/dynamic
cp "$dynamic" /x/lib/mapped
cp "$loader" /x/no0/ld-linux-x86-64.so.2
cp "$loader" /x/ok0/ld-linux-x86-64.so.2
sed 's|/lib64/ld-linux|/x/no0/ld-linux|' "$dynamic" >/x/bin/dynamic-no
sed 's|/lib64/ld-linux|/x/ok0/ld-linux|' "$dynamic" >/x/bin/dynamic-ok
printf '#!/usr/bin/busybox sh\nexit 0\n' >/x/bin/script
printf '#!/usr/bin/busybox sh\nexit 0\n' >/x/no/script
printf '#!/x/no/sh\nexit 0\n' >/x/bin/script-no
printf '#!/x/bin/script\n' >/x/bin/nested
printf '#!/x/no/script\n' >/x/bin/nested-no
printf '#!/x/bin/sh\nread a </x/for-class\n' >/x/bin/script-class
printf '#!/usr/bin/busybox sh\nread a </x/for-class\n' >/x/bin/script-free
chmod +x /x/bin/* /x/no/*
ln -s /x/no/attempt /x/bin/to-no
ln -s /x/bin/class /x/no/to-class
ln -s /x/no/no-such /x/bin/dangling
ln /x/bin/class /x/bin/class-hard

cat >table <<T
# programs, by each way to name one
ok exec $attempt exists /
ok exec /x/bin/class exists /
EACCES exec /x/bin/denied exists /
EACCES exec /x/no/attempt exists /
EACCES exec /x/bin/to-no exists /
ok exec /x/no/to-class exists /
ENOENT exec /x/bin/dangling
ok fexec r /x/bin/class exists /
ok fexec path /x/bin/class exists /
EACCES fexec r /x/no/attempt exists /
EACCES fexec path /x/no/attempt exists /
EACCES exec /proc/self/root/x/no/attempt exists /
EACCES chroot /x exec /no/attempt exists /
ok chroot /x exec /bin/plain exists /
ok chroot /x chroot / exec /bin/plain exists /
# a program that rules name by by: does not take its interpreter from a root that others chose
EPERM chroot /x exec /bin/class exists /
EPERM chroot /x chroot / exec /bin/class exists /
ok chroot / exec /x/bin/class exists /
# nor is it in anybody else's hands
ok handsexec alone /x/bin/class exists /
EPERM handsexec traced /x/bin/class exists /
EPERM handsexec shared /x/bin/class exists /
EPERM handsexec threads /x/bin/class exists /
EPERM handsexec supervised /x/bin/class exists /
ok handsexec shared /x/bin/plain exists /
ok handsexec threads /x/bin/plain exists /
ok handsexec supervised /x/bin/plain exists /
# nor does a name give to one program what it could not read, whoever moves it there
EACCES rename plain /x/hidden /x/for-class
exit-1 exec /x/bin/class rename plain /x/hidden /x/for-class
EACCES rename exchange /x/hidden /x/for-class
ok rename plain /x/hidden /x/hidden2
# an exec rule grants mapping, which another may refuse
ok map rx r /x/bin/plain
ok exec /x/bin/unmapped exists /
EACCES map rx r /x/bin/unmapped
EACCES map rx-later r /x/bin/unmapped
EACCES map rx r /x/no/attempt
# scripts: they and their interpreters
ok exec /x/bin/script
EACCES exec /x/no/script
EACCES exec /x/bin/script-no
ok exec /x/bin/nested
EACCES exec /x/bin/nested-no
ok fexec r /x/bin/script
EACCES fexec r /x/no/script
EACCES fexec r /x/bin/script-no
# the interpreter of an ELF file, and the way around: it as the program
ok exec /x/bin/dynamic --help
ok exec /x/bin/dynamic-ok --help
EACCES exec /x/bin/dynamic-no --help
EACCES exec /x/no/dynamic --help
ok exec $loader /x/bin/dynamic --help
ok exec $loader /x/lib/mapped --help
exit-127 exec $loader /x/no/dynamic --help
# mapping by hand
ok map rx r /x/lib/mapped
ok map rx r /x/bin/class
EACCES map rx r /x/no/attempt
EACCES map rx r /x/lib/f
EACCES map rx-later r /x/no/attempt
EACCES map r-implies-x r /x/no/attempt
ok map r r /x/no/attempt
ok map r-implies-x r /x/lib/mapped
# what is no file, or none any more
EACCES execmemfd x $attempt exists /
EACCES execmemfd /x/bin/class $attempt exists /
EACCES mapmemfd x
EACCES execdeleted /x/bin/gone exists /
ok fexec r /x/bin/gone2 exists /
# made by itself
EACCES link /x/no/attempt /x/bin/made
EACCES rename plain /x/no/attempt /x/bin/made
EACCES link /x/lib/f /x/bin/made
ok link /x/bin/class /x/bin/made
# rules for one program: by its name, inherited, and left by executing another
EACCES open r /x/for-class
ok exec /x/bin/class open r /x/for-class
ok exec /x/no/to-class open r /x/for-class
ok fexec path /x/bin/class open r /x/for-class
ok exec /x/bin/class fork open r /x/for-class
ok exec /x/bin/class thread open r /x/for-class
exit-1 exec /x/bin/class-hard open r /x/for-class
exit-1 exec /x/bin/class exec $attempt open r /x/for-class
ok exec /x/bin/class exec /x/bin/class open r /x/for-class
ok open r /x/lib/f
exit-1 exec /x/bin/class open r /x/lib/f
ok exec /x/bin/class exec $attempt open r /x/lib/f
EACCES exec /x/no/only exists /
ok exec /x/bin/class exec /x/no/only exists /
ok exec /x/bin/script-class
exit-1 exec /x/bin/script-free
# entering one drops what the one before put into the environment
ok secure
ok exec $attempt secure
exit-1 exec /x/bin/class secure
ok exec /x/bin/class exec /x/bin/class secure
ok exec /x/bin/class exec $attempt secure
T
# AT_EXECVE_CHECK is Linux 6.14's: it is answered as an execution is, and changes nothing
if [ "$($attempt execcheck /usr/bin/busybox exists /)" = ok ]; then
	cat >>table <<-'T'
	ok execcheck /x/bin/plain exists /
	ok execcheck /x/bin/class exists /
	EACCES execcheck /x/no/attempt exists /
	EACCES execcheck /x/bin/denied exists /
	EACCES execcheck /x/no/only exists /
	EACCES execcheck /x/no/script exists /
	ok execcheck /x/bin/script-no exists /
	ok chroot /x execcheck /bin/plain exists /
	EPERM chroot /x execcheck /bin/class exists /
	EACCES execcheck /x/bin/class open r /x/for-class
	ok execcheck /x/bin/class open r /x/lib/f
	T
else
	t_skip "this kernel has no AT_EXECVE_CHECK"
fi
policyctl run --json --policy "$PWD/policy.yaml" -- $attempt <table 2>events
t_is "the table was as expected" 0 $?

event() { # TEXT PATTERN
	t_allowed "event: $1" grep -q "\"class\":\"${3:-exec}\",\"operation\":$2" events
}
event "a denied program, by its rule" '"exec","permissions":\["exec"\],"object":{"path":"/x/bin/denied"},"policy":"exec","rule":{"file":"[^"]*/policy.yaml","line":6,'
event "by the default" '"exec","permissions":\["exec"\],"object":{"path":"/x/no/attempt"},"policy":"exec","default":{.*"line":3,'
event "an interpreter" '"exec",.*"object":{"path":"/x/no/sh"}'
event "the interpreter of an ELF file" '"exec",.*"object":{"path":"/x/no0/ld-linux-x86-64.so.2"}'
event "mapped by the loader" '"mmap",.*"object":{"path":"/x/no/dynamic"}.*"exe":"/usr/lib64/ld-linux' file
event "memory" '"exec",.*"object":{"anonymous":"memfd:"}'
event "deleted" '"exec",.*"reason":"deleted"'
t_allowed "event: the program it was refused to" grep -q '"object":{"path":"/x/lib/f"}.*"line":15,.*"exe":"/x/bin/class"' events
t_done
