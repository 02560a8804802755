#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 900
# kernels: one
#
# Debian's redis under policies/redis.yaml: it does its work without a denial, and what is done with a redis
# that strangers can command is refused.
. /tests/cases/servers.inc.sh

socket=/run/redis/redis-server.sock
log=/var/log/redis/redis-server.log
mkdir -p /run/redis
chown redis:redis /run/redis
# shellcheck disable=SC3045 # dash has it
ulimit -n 20000

redis() { # OPTIONS...: as /etc/init.d/redis-server does
	start-stop-daemon --start --chuid redis:redis --umask 007 --pidfile /run/redis/redis-server.pid \
		--exec /usr/bin/redis-server -- /etc/redis/redis.conf "$@" >/dev/null
	t_wait 30 pong
}
pong() { [ "$(redis-cli ping)" = PONG ]; }
stopped() { ! pgrep redis-server; }
ask() { redis-cli --no-raw "$@"; }
says() { # EXPECTED COMMAND...
	expected=$1
	shift
	t_is "$*" "$expected" "$(redis-cli "$@")"
}
field() { redis-cli info "$1" | tr -d '\r' | sed -n "s/^$2://p"; }
saved() { [ "$(field persistence rdb_bgsave_in_progress)" = 0 ]; }
rewritten() { [ "$(field persistence aof_rewrite_in_progress)$(field persistence aof_rewrite_scheduled)" = 00 ]; }

s_start redis

### Its work
t_allowed "starts" redis
says OK set key value
says value get key
t_is "ten thousand in a pipeline" "errors: 0, replies: 10000" \
	"$(seq 10000 | sed 's/.*/SET key:& value:&/' | redis-cli --pipe | tail -n 1)"
says 10001 dbsize
says value:77 eval "return redis.call('get', KEYS[1])" 1 key:77
says OK save
says "Background saving started" bgsave
t_wait 20 saved
t_is "in a child that succeeds" ok "$(field persistence rdb_last_bgsave_status)"
t_allowed "what it wrote is a database" sh -c 'su redis -s /bin/sh -c "redis-check-rdb /var/lib/redis/dump.rdb" | grep -q "10001 keys read"'
says OK config set appendonly yes
t_wait 20 rewritten
says OK config set save "60 1000"
says OK set key2 value2
says "Background append only file rewriting started" bgrewriteaof
t_wait 20 rewritten
t_is "in a child that succeeds" "ok ok" \
	"$(field persistence aof_last_bgrewrite_status) $(field persistence aof_last_write_status)"
says 1 unlink key:1
t_allowed "threads: large values are freed in another" redis-cli flushall async
says OK set key value
says OK config set maxmemory 100mb
t_is "twenty clients at a time" 20 "$(seq 20 | xargs -P 20 -I % redis-cli set c:% x | grep -c OK)"
t_allowed "ends" redis-cli shutdown save
t_wait 20 stopped
t_allowed "starts again, with its socket" redis --unixsocket $socket --unixsocketperm 770 --appendonly yes
t_is "and has what it had" value "$(redis-cli -s $socket get key)"
t_is "nothing went wrong that it knows of" "" "$(grep -iE 'denied|not permitted' $log)"
t_allowed "ends by a signal" pkill -TERM redis-server
t_wait 20 stopped
t_allowed "and leaves no socket behind" test ! -e $socket
s_no_denials "nothing that redis does was refused"
redis
a_port() { [ "$(redis-cli config set port 4444)" = OK ] && [ "$(redis-cli -p 4444 config set port 6379)" = OK ]; }
echo 'a_port|socket|bind|"port":4444|listening on another port, so it was confined' | s_refused redis
redis-cli shutdown nosave
t_wait 20 stopped

### Attacks: redis itself shall forbid nothing, and the folders belong to everyone
chmod 777 /etc/cron.d /var/www/html
cp /usr/lib/x86_64-linux-gnu/libm.so.6 /var/lib/redis/module.so
cp /etc/hostname /var/lib/redis/copy
chown redis /var/lib/redis/module.so
chmod 755 /var/lib/redis/module.so
socat TCP-LISTEN:7777,fork,reuseaddr EXEC:/bin/cat &
redis --enable-protected-configs yes --enable-module-command yes --enable-debug-command yes

save_to() { # FOLDER NAME
	redis-cli config set dir "$1" dbfilename "$2" && [ "$(redis-cli save)" = OK ] && test -s "$1/$2" && rm "$1/$2"
}
a_cron() { save_to /etc/cron.d evil; }
a_web() { save_to /var/www/html shell.php; }
a_tmp() { save_to /tmp dump.rdb; }
a_rewrite() { [ "$(redis-cli config rewrite)" = OK ]; }
news() { # COMMAND...: what it adds to the log
	lines=$(wc -l <$log)
	redis-cli "$@"
	tail -n "+$((lines + 1))" $log
}
a_module() { news module load /var/lib/redis/module.so | grep 'undefined symbol\|does not export'; }
a_read() {
	redis-cli config set dir /etc dbfilename hostname
	news debug reload nosave noflush | grep 'Wrong signature'
}
a_replica() {
	lines=$(wc -l <$log)
	redis-cli replicaof 127.0.0.1 7777
	since() { tail -n "+$((lines + 1))" $log | grep "$1"; }
	t_wait 10 since 'MASTER <-> REPLICA sync\|Master replied\|Non blocking connect\|Unable to connect'
	since 'MASTER <-> REPLICA sync started\|Master replied\|Non blocking connect' >connected
	redis-cli replicaof no one
	! since 'Unable to connect' && [ -s connected ]
}
a_migrate() { # to an echo, which redis takes for an answer
	redis-cli set stolen x
	a_answer=$(redis-cli migrate 127.0.0.1 7777 stolen 0 1000)
	echo "$a_answer"
	case $a_answer in *connect* | NOKEY) return 1 ;; esac
}

s_twice redis <<A
a_cron|file|create|"path":"/etc/cron.d/temp-[0-9]*.rdb"|a cron job
a_web|file|create|"path":"/var/www/html/temp-[0-9]*.rdb"|a web shell
a_tmp|file|create|"path":"/tmp/temp-[0-9]*.rdb"|a file in /tmp
a_rewrite|file|create|"path":"/etc/redis/redis.conf[^"]*"|its own configuration
a_module|file|mmap|"path":"/var/lib/redis/module.so"|a module it was sent
a_read|file|open|"path":"/etc/hostname"|reading a file as a database
a_replica|socket|connect|"address":"127.0.0.1","port":7777|a rogue master
a_migrate|socket|connect|"address":"127.0.0.1","port":7777|data carried out
a_port|socket|bind|"port":4444|listening on another port
A
says OK config set dir /var/lib/redis dbfilename dump.rdb
s_mark
says OK save
t_allowed "ends" redis-cli shutdown nosave
t_wait 20 stopped
s_no_denials "and no denials on the way"
t_done
