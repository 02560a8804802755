#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 400
#
# policyd's own files on a disk, where names are not all that leads to them: links, handles, attributes; and mounts that
# would hide them. For confined root, in audit mode and with mounts granted, too.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

anything='default: {file: allow, exec: allow, socket: allow, capability: allow}'
printf 'mode: audit\n%s\n' "$anything" | confine_policy audit
printf '%s\nguard: {allow: [mount, kernel, cgroup]}\n' "$anything" | confine_policy granted
mkdir -p /disk/a /disk/over /disk/other /disk/more
ln -s /disk/more /link
mkdir -p /etc/policyd/policies
echo 'policy_dirs: [/etc/policyd/policies, /link]' >/etc/policyd/policyd.yaml
mount -t tmpfs other /disk/over
own=/etc/policyd/policies/audit.yaml
echo content >/disk/f
echo content >/disk/over/f
confine_start

for policy in audit granted; do
	# root's file system is policyd's, too: without a name nothing tells its files from others
	cat >table <<-S
	EPERM handle warm w $own /disk
	EPERM handle cold w $own /disk
	EPERM handle cold w /disk/f /disk
	ok handle cold r $own /disk
	ok handle warm w /disk/f /disk
	ok handle cold w /disk/over/f /disk/over
	ok ioctl r $own
	ok ioctl r /disk/f
	EPERM chmod $own
	ok chmod /disk/f
	EPERM setxattr user.x $own
	EPERM setxattr user.x /etc/policyd
	ok setxattr user.x /disk/f
	S
	confine $policy /tests/bin/attempt <table
	t_is "$policy: that table was as expected" 0 $?
	t_denied "$policy: no further name for a policy" confine $policy ln $own /etc/other.yaml
	t_denied "$policy: nor does a file get the name of one" confine $policy ln /disk/f /etc/policyd/policies/new.yaml
	t_allowed "$policy: but for others" confine $policy ln /disk/f /disk/g
	rm /disk/g
	t_denied "$policy: nor is another folder put above them" confine $policy mv /etc /gone
	t_denied "$policy: nor exchanged for it" confine $policy mv -T /disk/other /etc
	t_allowed "$policy: as others may" confine $policy sh -c 'mv /disk/other /disk/moved && mv /disk/moved /disk/other'
	t_denied "$policy: nor is a link on the way" confine $policy rm /link
	t_allowed "$policy: as others are" confine $policy sh -c 'ln -s x /disk/link && rm /disk/link'
	t_allowed "$policy: attributes can be read" confine $policy lsattr $own
	t_denied "$policy: no ACL for a policy" confine $policy setfacl -m u:1000:rw $own
	t_denied "$policy: nor for their folder" confine $policy setfacl -d -m u:1000:rw /etc/policyd/policies
	t_allowed "$policy: but for others" confine $policy setfacl -m u:1000:r /disk/f
	t_denied "$policy: no other times" confine $policy touch -d 2001-01-01 $own
	t_denied "$policy: nor is it made immutable" confine $policy chattr +i $own
	t_allowed "$policy: as others may be" confine $policy sh -c 'chattr +i /disk/f && chattr -i /disk/f'

	confine_steps $policy reach <<-S
	EPERM mount tmpfs /etc/policyd
	EPERM mount tmpfs /etc/policyd/policies
	EPERM mount_bind /disk/f $own
	EPERM mount tmpfs /etc
	EPERM mount tmpfs /
	EPERM mount tmpfs /run/policyd
	EPERM mount tmpfs /proc
	EPERM mount tmpfs /sys/fs/cgroup
	EPERM mount tmpfs /sys/fs/bpf/policyd
	EPERM mount_bind /disk /sys
	EPERM fsmount tmpfs /etc/policyd
	EPERM move_mount /disk/over /etc
	EPERM move_mount /run /disk/a
	EPERM mount_move /disk/over /disk/a
	EPERM umount_detach /sys/fs/bpf
	EPERM umount_detach /sys
	EPERM umount_detach /run
	EPERM pivot_root /disk/over /disk/over
	0 mount_private /
	0 mount tmpfs /disk/a
	0 umount /disk/a
	0 fsmount tmpfs /disk/a
	0 umount_detach /disk/a
	0 mount_bind /etc /disk/a              # others may see the same
	0 mount tmpfs /disk/a/policyd
	0 umount /disk/a/policyd
	0 umount /disk/a
	S
	t_allowed "$policy: in a mount namespace of its own it may" confine $policy \
		unshare -m sh -c 'mount -t tmpfs x /etc/policyd && umount /etc/policyd && mount -t tmpfs x /etc && umount -l /run'
	mount --make-rshared /
	t_like "$policy: but not where others see it" "*permission denied*" \
		"$(confine $policy unshare -m --propagation unchanged mount -t tmpfs x /etc/policyd 2>&1)"
	t_like "$policy: nor is what they see taken away" "*superuser*" \
		"$(confine $policy unshare -m --propagation unchanged umount -l /sys/fs/bpf 2>&1)"
	t_allowed "$policy: elsewhere it may" confine $policy unshare -m --propagation unchanged sh -c 'mount -t tmpfs x /disk/a && umount /disk/a'
	t_allowed "$policy: nor where what is unmounted only is of the same kind" confine $policy sh -c \
		'mount -t proc x /disk/a && umount /disk/a && mount --bind /etc /disk/a && umount /disk/a'
	t_allowed "$policy: the same at another place" confine $policy mount --rbind /sys /disk/a
	t_like "$policy: is not taken away there, for it would be here, too" "*superuser*" \
		"$(confine $policy umount -l /disk/a/fs/bpf 2>&1)"
	mount --make-rprivate /disk/a
	umount -R /disk/a
	mount --make-rprivate /
	t_event "$policy: told as self-protection" "\"policy\":\"$policy\"" '"verdict":"denied"' '"reason":"self"' '"guard":"mount"'
	t_is "$policy: the policies are as they were" 2 "$(find /etc/policyd/policies -name '*.yaml' -links 1 -perm 644 | wc -l)"
	t_allowed "$policy: and policyd answers" policyctl list
done
umount /disk/over
t_allowed "who is not confined may do all of it" sh -c "mount -t tmpfs x /etc/policyd && umount /etc/policyd && ln $own /etc/other.yaml && rm /etc/other.yaml"
t_done
