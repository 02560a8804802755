#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 900
# kernels: one
#
# Debian's PostgreSQL under policies/postgresql.yaml: it does its work without a denial, and what a
# superuser of the database can do to the machine is refused.
. /tests/cases/servers.inc.sh

data=/var/lib/postgresql/15/main
log=/var/log/postgresql/postgresql-15-main.log

cluster() { pg_ctlcluster 15 main "$@"; }
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; } # su is slow

# One session for all statements: to start psql takes longer than most of them.
connect() {
	exec 5>&- 6<&-
	rm -f asked said
	mkfifo asked said
	as_postgres psql -X -q -A -t <asked >said 2>&1 &
	exec 5>asked 6<said
}
run() { # STATEMENTS: what they say; fails when one of them does
	printf '%s\n;RESET ALL;\n\\echo END\n' "$*" >&5 || return 1
	run_status=0
	while IFS= read -r run_line; do
		case $run_line in
		END) return $run_status ;;
		*ERROR:* | *FATAL:*) run_status=1 ;;
		esac
		printf '%s\n' "$run_line"
	done <&6
	return 2 # the server is gone, and psql with it
}
works() { connect && run "SELECT 1"; }
trap '' PIPE # a server that is gone is an error of run()
says() { # EXPECTED STATEMENTS
	t_is "$(echo "$2" | head -n 1)" "$1" "$(run "$2" 2>&1)"
}
over_tcp() { PGPASSWORD=secret psql -X -q -A -t "host=$1 user=app dbname=app sslmode=$2" -c "$3"; }

s_start postgresql

### Its work
t_allowed "starts" cluster start
connect
says 1000 "CREATE TABLE t (n int PRIMARY KEY, text text);
	INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 1000) i; SELECT count(*) FROM t;"
says 500500 "SELECT sum(n) FROM t"
says "" "CREATE INDEX ON t (text); CHECKPOINT; VACUUM FULL ANALYZE t; VACUUM; REINDEX TABLE t;"
t_is "a sort on the disk" 30000 "$(run "SET work_mem = '64kB'; SELECT count(*) FROM
	(SELECT a.text FROM t a, generate_series(1, 30) ORDER BY 1 OFFSET 0) x" 2>&1)"
t_is "parallel workers and their shared memory" 1000 \
	"$(run "SET force_parallel_mode = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; SELECT count(*) FROM t;" 2>&1)"
says "" "CREATE DATABASE app"
says "" "CREATE ROLE app LOGIN PASSWORD 'secret'; ALTER DATABASE app OWNER TO app;"
for host in localhost 127.0.0.1 ::1; do
	t_is "over TCP and TLS to $host" "t" "$(over_tcp $host require "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()" 2>&1)"
done
t_is "without TLS" 2 "$(over_tcp 127.0.0.1 disable "CREATE TABLE x AS SELECT 2 AS n; SELECT n FROM x" 2>&1)"
says "" "CREATE EXTENSION pgcrypto; CREATE EXTENSION dblink;"
says 900150983cd24fb0d6963f7d28e17f72 "SELECT encode(digest('abc', 'md5'), 'hex')"
says 3 "CREATE FUNCTION f() RETURNS int AS 'BEGIN RETURN 3; END' LANGUAGE plpgsql; SELECT f();"
says 1000 "COPY t TO '$data/t.copy'; CREATE TABLE u (LIKE t); COPY u FROM '$data/t.copy'; SELECT count(*) FROM u;"
says "Europe/Berlin" "SET timezone = 'Europe/Berlin'; SHOW timezone"
says t "SELECT pg_switch_wal() IS NOT NULL"
says "" "ALTER SYSTEM SET log_min_duration_statement = '1h'"
clients() { seq 6 | as_postgres xargs -P 6 -I % psql -X -A -t -c "INSERT INTO u VALUES (%)"; }
t_is "six clients at a time" 6 "$(clients | grep -c 'INSERT 0 1')"
t_is "a dump and its restoration" 1000 "$(su postgres -s /bin/sh -c 'pg_dump -t t postgres | psql -X -q -d app' >/dev/null; PGPASSWORD=secret su postgres -s /bin/sh -c 'psql -X -A -t -d app -c "SELECT count(*) FROM t"')"
t_allowed "reloads" cluster reload
connect
says "1h" "SHOW log_min_duration_statement"
says "" "ALTER SYSTEM SET logging_collector = on"
t_allowed "restarts" cluster restart -m fast
connect
says 1000 "SELECT count(*) FROM t"
says t "SELECT pg_rotate_logfile()"
t_allowed "crashes" sh -c "kill -KILL \$(pgrep -u postgres -f 'postgres: .*checkpointer')"
t_wait 20 works || t_fail "recovers" "$(tail -n 20 $log)"
says 1000 "SELECT count(*) FROM t"
says "" "DROP DATABASE app; ALTER SYSTEM RESET ALL;"
t_allowed "stops" cluster stop -m fast
t_allowed "nothing is left" sh -c '! pgrep -u postgres postgres'
t_is "nothing was refused that it knows of" "" "$(grep -iE 'Permission denied|not permitted' /var/log/postgresql/*)"
s_no_denials "nothing that PostgreSQL does was refused"

### Attacks, by the database's superuser
t_allowed "starts" cluster start
connect
chmod 777 /etc/cron.d
mkdir /srv/space
chown postgres /srv/space
cp /usr/lib/postgresql/15/lib/pgcrypto.so $data/evil.so
cp /usr/lib/postgresql/15/lib/pgcrypto.so /tmp/evil.so
ln -s /etc/debian_version $data/link
chown postgres $data/evil.so
run "CREATE TABLE o (line text);"
version=$(cat /etc/debian_version)

a_from_program() { [ "$(run "TRUNCATE o; COPY o FROM PROGRAM 'id -un'; TABLE o")" = postgres ]; }
a_to_program() { run "COPY t TO PROGRAM 'cat >/tmp/stolen'" && rm /tmp/stolen; }
a_from_file() { [ "$(run "TRUNCATE o; COPY o FROM '/etc/debian_version'; TABLE o")" = "$version" ]; }
a_to_file() { run "COPY o TO '/etc/cron.d/evil'" && rm /etc/cron.d/evil; }
a_link() { [ "$(run "TRUNCATE o; COPY o FROM '$data/link'; TABLE o")" = "$version" ]; }
a_read() { [ "$(run "SELECT pg_read_file('/etc/debian_version')")" = "$version" ]; }
a_list() { run "SELECT pg_ls_dir('/etc')" | grep shadow; }
a_import() { run "SELECT lo_import('/etc/debian_version', 4711); SELECT lo_unlink(4711);"; }
a_export() {
	run "SELECT lo_from_bytea(4712, 'evil')"
	run "SELECT lo_export(4712, '/etc/cron.d/exported')"
	a_status=$?
	run "SELECT lo_unlink(4712)"
	[ $a_status = 0 ] && rm /etc/cron.d/exported
}
language_c() { run "CREATE FUNCTION evil(bytea, text) RETURNS bytea AS '$1', 'pg_digest' LANGUAGE C; DROP FUNCTION evil"; }
a_library() { language_c $data/evil.so; }
a_library_tmp() { language_c /tmp/evil.so; }
a_connect() { run "SELECT dblink_connect('host=127.0.0.1 user=app password=secret dbname=postgres')"; }
a_space() {
	run "CREATE TABLESPACE evil LOCATION '/srv/space'" && run "DROP TABLESPACE evil"
}

s_twice postgresql <<A
a_from_program|exec|exec|"path":"/usr/bin/dash"|COPY FROM PROGRAM
a_to_program|exec|exec|"path":"/usr/bin/dash"|COPY TO PROGRAM
a_from_file|file|open|"path":"/etc/debian_version"|COPY FROM a file that all may read
a_to_file|file|create|"path":"/etc/cron.d/evil"|COPY TO /etc/cron.d
a_link|file|open|"path":"/etc/debian_version"|COPY FROM a symbolic link in the cluster
a_read|file|open|"path":"/etc/debian_version"|pg_read_file
a_list|file|open|"path":"/etc"|pg_ls_dir
a_import|file|open|"path":"/etc/debian_version"|lo_import
a_export|file|create|"path":"/etc/cron.d/exported"|lo_export to /etc/cron.d
a_library|file|mmap|"path":"$data/evil.so"|a library in the cluster
a_library_tmp|file|open|"path":"/tmp/evil.so"|a library in /tmp
a_connect|socket|connect|"address":"127.0.0.1","port":5432|a connection out, even to itself
a_space|file|[a-z]*|"path":"/srv/space[^"]*"|a tablespace elsewhere
A
s_mark
says 1000 "SELECT count(*) FROM t"
t_allowed "stops" cluster stop
s_no_denials "and no denials on the way"
t_done
