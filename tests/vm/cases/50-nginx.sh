#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 900
# kernels: one
#
# Debian's nginx under policies/nginx.yaml: started before policyd and after it, it does its work without
# a denial, and what someone who commands it tries is refused.
. /tests/cases/servers.inc.sh

### What it serves, and what it must not
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout /etc/ssl/private/nginx-test.key \
	-out /etc/ssl/certs/nginx-test.pem 2>/dev/null
head -c 300000 /dev/urandom | base64 >/var/www/html/large.txt
ln -s /etc/hostname /var/www/html/leak
cp /usr/lib/nginx/modules/ngx_http_echo_module.so /tmp/evil.so
cat >/etc/nginx/sites-enabled/test <<'C'
	server {
		listen 443 ssl;
		ssl_certificate /etc/ssl/certs/nginx-test.pem;
		ssl_certificate_key /etc/ssl/private/nginx-test.key;
		root /var/www/html;
	}
	server {
		listen 8080;
		aio threads;
		sendfile off;
		gzip on;
		gzip_types *;
		root /var/www/html;
		location /list/ { alias /var/www/html/; autoindex on; }
		location /etc/ { alias /etc/; autoindex on; }
		location /tmp/ { alias /tmp/; }
		location /out/ { proxy_pass http://127.0.0.1:9999/; }
		location /self/ { proxy_pass http://127.0.0.1:80/; }
		location /name/ { resolver 127.0.0.1:9998; resolver_timeout 2s; set $name stolen.invalid; proxy_pass http://$name/; }
		location /socket/ { proxy_pass http://unix:/run/secret.sock:/; }
	}
C
echo public >/tmp/public.txt
cat >/tmp/reply <<'R'
#!/bin/sh
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.0 200 OK\r\n\r\nreached'
R
chmod +x /tmp/reply
socat TCP-LISTEN:9999,fork,reuseaddr EXEC:/tmp/reply &
socat -u UDP-RECV:9998 OPEN:/tmp/asked,creat,append &
socat UNIX-LISTEN:/run/secret.sock,fork,mode=666 EXEC:/tmp/reply &

get() { curl -s -S -f -k --max-time 20 "$@"; } # a second each, of which most is its start
policy_refuses() { a_symlink || { echo Permission denied; false; }; }
serves() { s_page 80 / | grep -q 'Welcome to nginx'; }
master() { cat /run/nginx.pid; }
log_lines() { wc -l </var/log/nginx/access.log; }

a_alias() { [ "$(s_page 8080 /etc/hostname)" = "$(cat /etc/hostname)" ]; }
a_list() { s_page 8080 /etc/ | grep -q shadow; }
a_tmp() { s_page 8080 /tmp/public.txt | grep -q public; }
a_symlink() { [ "$(s_page 80 /leak)" = "$(cat /etc/hostname)" ]; }
a_proxy() { s_page 8080 /out/ | grep -q reached; }
a_itself() { s_page 8080 /self/ | grep -q Welcome; }
a_socket() { s_page 8080 /socket/ | grep -q reached; }
second() { # CONFIGURATION: another master with it, started like any nginx; and stopped
	printf '%s\nevents {}\nerror_log /var/log/nginx/second.log;\n' "$1" >/etc/nginx/second.conf
	nginx -c /etc/nginx/second.conf || return 1
	t_wait 10 pgrep -f '[m]aster process nginx -c'
	pkill -TERM -f '[m]aster process nginx -c'
	t_wait 10 sh -c "! pgrep -f '[m]aster process nginx -c'"
}
a_port() { second 'pid /run/nginx.pid.oldbin; http { access_log off; server { listen 4444; } }'; }
a_pid() { second 'pid /etc/cron.d/nginx;'; }
a_module() { second 'load_module /tmp/evil.so; pid /run/nginx.pid.oldbin;'; }
a_log() { second 'pid /run/nginx.pid.oldbin; http { access_log /var/www/html/log.php; }'; }
a_name() { # asks a name server
	: >/tmp/asked
	s_page 8080 /name/
	grep -aq stolen /tmp/asked
}

serving='a_alias|file|open|"path":"/etc/hostname"|an alias to a file that all may read
a_list|file|open|"path":"/etc"|a list of /etc
a_tmp|file|open|"path":"/tmp/public.txt"|a file in /tmp
a_symlink|file|open|"path":"/etc/hostname"|a symbolic link out of the web root
a_proxy|socket|connect|"address":"127.0.0.1","port":9999|a connection out
a_itself|socket|connect|"address":"127.0.0.1","port":80|a connection to itself
a_socket|socket|connect|"path":"/run/secret.sock"|a connection to a unix socket'

### Before there is a policyd
t_allowed "free: nginx starts" nginx
t_wait 20 serves
t_allowed "free: an alias to /etc" a_alias
t_allowed "free: a connection out" a_proxy
old=$(master)

### policyd finds it running
s_start nginx
t_allowed "found running: serves" serves
t_is "it is the same nginx" "$old" "$(master)"
echo "$serving" | s_refused nginx
s_mark
t_allowed "found running: reloads" nginx -s reload
sleep 1
t_allowed "and serves" serves
s_no_denials "found running: no denials"

# shellcheck disable=SC2154 # set by s_start
kill -KILL "$daemon"
wait "$daemon"
t_denied "policyd is dead: the confinement is not" policy_refuses
t_allowed "policyd is dead: serves" serves
s_start_daemon
t_allowed "policyd is back: serves" serves
t_denied "and the confinement is what it was" policy_refuses
t_allowed "stops" nginx -s quit
t_wait 20 sh -c '! pgrep -x nginx' || t_fail "nginx has stopped" "$(pgrep -a nginx)"

### Its work, all of it
s_mark
t_allowed "the configuration is tested" nginx -t -q
# by its full name, which it executes to upgrade itself
t_allowed "starts" /usr/sbin/nginx -g 'daemon on; master_process on;'
t_wait 20 serves
t_allowed "serves a page" serves
t_is "404" 404 "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/none)"
t_allowed "TLS" get -o /dev/null https://127.0.0.1/index.nginx-debian.html
t_is "a large page, over TLS, is complete" "$(sha256sum </var/www/html/large.txt)" \
	"$(get https://127.0.0.1/large.txt | sha256sum)"
t_is "by threads and compressed" "$(sha256sum </var/www/html/large.txt)" \
	"$(get --compressed http://127.0.0.1:8080/large.txt | sha256sum)"
t_is "a range" 10 "$(get -r 1000-1009 http://127.0.0.1/large.txt | wc -c)"
t_allowed "a list of files" sh -c 'curl -s http://127.0.0.1:8080/list/ | grep -q large.txt'
t_allowed "IPv6" get -o /dev/null 'http://[::1]/'
t_is "sixty at a time" 60 "$(get --no-progress-meter --parallel -o out_#1 'http://127.0.0.1/index.nginx-debian.html?[1-60]' && cat out_* | grep -c '<title>')"
before=$(log_lines)
s_page 80 / >/dev/null
t_is "the log is written" $((before + 1)) "$(log_lines)"
mv /var/log/nginx/access.log /var/log/nginx/access.log.1
t_allowed "a rotated log is made anew" nginx -s reopen
t_wait 10 test -e /var/log/nginx/access.log
t_wait 10 sh -c "[ \"\$(stat -c %U /var/log/nginx/access.log)\" = www-data ]"
s_page 80 / >/dev/null
t_is "and written" "www-data 1" "$(stat -c %U /var/log/nginx/access.log) $(log_lines)"
old=$(pgrep -P "$(master)" | sort)
t_allowed "a graceful reload" nginx -s reload
t_wait 20 sh -c "! kill -0 ${old%%
*}"
t_allowed "new workers serve" serves
old=$(master)
t_allowed "upgrade in place: a new master" kill -USR2 "$old"
t_wait 20 test -e /run/nginx.pid.oldbin
t_wait 20 sh -c "[ -s /run/nginx.pid ] && [ \"\$(cat /run/nginx.pid)\" != $old ]"
kill -QUIT "$old"
t_wait 20 sh -c "! kill -0 $old"
t_allowed "and serves" serves
t_is "as another process" yes "$([ "$(master)" != "$old" ] && echo yes)"
s_no_denials "nothing that nginx does was refused"
t_denied "though it is confined" policy_refuses

### Attacks
cat >attacks.more <<A
a_port|socket|bind|"port":4444|listening on another port
a_pid|file|create|"path":"/etc/cron.d/nginx"|a file in /etc
a_module|file|open|"path":"/tmp/evil.so"|a module from /tmp
a_log|file|create|"path":"/var/www/html/log.php"|a log in the web root
a_name|socket|socket|"family":"inet","type":"dgram"|a datagram socket
A
{
	echo "$serving"
	cat attacks.more
} | s_twice nginx
t_denied "enforced again: it is" policy_refuses
s_mark
t_allowed "serves to the end" serves
t_allowed "graceful stop" nginx -s quit
t_wait 20 sh -c '! pgrep -x nginx' || t_fail "nginx has stopped" "$(pgrep -a nginx)"
s_no_denials "and no denials on the way"
t_done
