#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# init: systemd
# timeout: 900
# kernels: one
#
# The same servers and policies as systemd starts them: policyd by its unit, redis in the mount
# namespace that its unit makes for it.
. /tests/cases/servers.inc.sh

nginx_serves() { s_page 80 / | grep -q Welcome; }
redis_serves() { [ "$(printf 'set key value\nget key\nsave\n' | redis-cli | tr -d '\n')" = OKvalueOK ]; }
sql() { setpriv --reuid=postgres --regid=postgres --init-groups psql -X -q -A -t; }
postgresql_serves() { [ "$(echo 'CREATE TABLE t AS SELECT 7 AS n; SELECT n FROM t; DROP TABLE t; CHECKPOINT' | sql)" = 7 ]; }
all_serve() {
	t_wait 30 nginx_serves
	t_allowed "nginx serves, $1" nginx_serves
	t_wait 30 redis_serves
	t_allowed "redis serves, $1" redis_serves
	t_allowed "PostgreSQL serves, $1" postgresql_serves
}

rm -rf /etc/policyd/policies /var/log/policyd
mkdir -p /etc/policyd/policies
for name in nginx redis postgresql; do cp "/usr/share/policyd/policies/$name.yaml" /etc/policyd/policies/; done
chmod 777 /etc/cron.d
ln -s /etc/hostname /var/www/html/leak
socat TCP-LISTEN:7777,fork,reuseaddr EXEC:/bin/cat &

# A server of many threads; each says what it can read, once asked
cat >/etc/policyd/policies/threads.yaml <<'P'
version: 1
name: threads
match: [{exe: "/usr/bin/python3.*"}]
default: allow
file:
  - {deny: read, path: /etc/hostname}
P
cat >threads.py <<'P'
import _thread, os, time
def serve(number):
    for question in ("free", "found"):
        while not os.path.exists(question):
            time.sleep(0.2)
        try:
            open("/etc/hostname").close()
            answer = "reads"
        except PermissionError:
            answer = "is refused"
        open("%s.%d" % (question, number), "w").write("a thread %s\n" % answer)
for number in range(8):
    _thread.start_new_thread(serve, (number,))
time.sleep(10000)
P
answers() { # QUESTION: of all threads
	touch "$1"
	t_wait 60 test -e "$1.0" -a -e "$1.1" -a -e "$1.2" -a -e "$1.3" -a -e "$1.4" -a -e "$1.5" -a -e "$1.6" -a -e "$1.7"
	sleep 0.5
	sort "$1".? | uniq -c | sed 's/^ *//'
}

### Servers that run when policyd comes
/usr/bin/python3 threads.py &
t_is "threads, free" "8 a thread reads" "$(answers free)"
t_allowed "the servers start, free" systemctl start nginx redis-server postgresql@15-main
all_serve "free"
before="$(cat /run/nginx.pid) $(cat /run/redis/redis-server.pid) $(cat /run/postgresql/15-main.pid)"
t_allowed "policyd's unit starts" systemctl start policyd
t_allowed "it is ready when systemd says so" policyctl status
s_mark
all_serve "found by policyd"
t_is "they are the same" "$before" \
	"$(cat /run/nginx.pid) $(cat /run/redis/redis-server.pid) $(cat /run/postgresql/15-main.pid)"

a_symlink() { [ "$(s_page 80 /leak)" = "$(cat /etc/hostname)" ]; }
a_port() { [ "$(redis-cli config set port 4444)" = OK ] && [ "$(redis-cli -p 4444 config set port 6379)" = OK ]; }
a_program() { [ "$(echo "CREATE TEMP TABLE o (l text); COPY o FROM PROGRAM 'id -un'; TABLE o" | sql)" = postgres ]; }
attacks() {
	s_refused nginx <<-'A'
	a_symlink|file|open|"path":"/etc/hostname"|nginx: a symbolic link out of the web root
	A
	s_refused redis <<-'A'
	a_port|socket|bind|"port":4444|redis: listening on another port
	A
	s_refused postgresql <<-'A'
	a_program|exec|exec|"path":"/usr/bin/dash"|PostgreSQL: COPY FROM PROGRAM
	A
}
s_no_denials "found by policyd: no denials"
t_is "threads, found by policyd" "8 a thread is refused" "$(answers found)"
attacks

### Started by systemd while policyd is there
s_mark
t_allowed "they reload" systemctl reload nginx postgresql@15-main
all_serve "reloaded"
t_allowed "they restart" systemctl restart nginx redis-server postgresql@15-main
all_serve "restarted"
s_no_denials "restarted: no denials"
attacks

### policyd restarts; they stay confined
s_mark
t_allowed "policyd restarts" systemctl restart policyd
t_allowed "and is ready" policyctl status
all_serve "policyd restarted"
s_no_denials "policyd restarted: no denials"
attacks
t_allowed "policyd stops" systemctl stop policyd
t_allowed "nginx goes on" nginx_serves
if a_symlink; then t_fail "and stays confined"; else t_ok "and stays confined"; fi
t_allowed "policyd comes back" systemctl start policyd
s_mark
t_allowed "the servers stop" systemctl stop nginx redis-server postgresql@15-main
t_is "in good order" "inactive inactive inactive" \
	"$(systemctl is-active nginx redis-server postgresql@15-main | tr '\n' ' ' | sed 's/ $//')"
s_no_denials "stopping: no denials"
t_allowed "detach" policyctl detach
t_is "nothing is left" "" "$(ls /sys/fs/bpf)"
t_done
