#!/usr/bin/env bash
# Private PostgreSQL and Redis for tests and for trying kezek out: on unix sockets only, all files in one folder, which
# the caller has made: what comes after its end must not make it again.
#
#   servers.sh start DIR        starts both (idempotent); prints and keeps DIR/env:
#                               PG_CONNINFO=..., REDIS_ADDRESS=...
#   servers.sh stop DIR         stops both; the data stay
#   servers.sh end DIR          stops both and the standby at once, whatever state they are in, and removes DIR
#   servers.sh guard DIR        the same as soon as its standard input ends, so that they never outlive whoever holds
#                               the other end, however that dies
#   servers.sh kill-pg DIR      SIGKILL to the postmaster and all its processes     kill-redis DIR
#   servers.sh restart-pg DIR   a fast stop when it runs, then a start              restart-redis DIR
#   servers.sh standby DIR      a streaming standby of the database beside it, on port 5433 of the same sockets
#   servers.sh promote DIR      makes the standby the primary
#
# The end waits for all that is under way in DIR: what is being started would outlive it. Servers do not inherit that lock.
# As root the database runs as the user postgres, because the server refuses root. When DIR stands in a folder
# that is closed to that user, such as /root, it gets the right to pass (dac_override) and nothing else of root's.
# fsync is on: what is tested is what is used.
set -euo pipefail

fail() {
	echo "servers.sh: $*" >&2
	exit 1
}

[ $# -eq 2 ] ||
	fail "usage: servers.sh start|stop|end|guard|kill-pg|restart-pg|standby|promote|kill-redis|restart-redis DIR"
verb=$1
dir=$(cd "$2" && pwd) || fail "there is no folder $2"
if [ "$verb" = guard ]; then
	cat >/dev/null
	[ -d "$dir" ] || exit 0
	verb=end
fi
exec 8>"$dir/lock"
if [ "$verb" = end ]; then flock 8; else flock -s 8; fi
if ! [ "$dir/lock" -ef /dev/fd/8 ]; then
	[ "$verb" = end ] || fail "$dir was ended meanwhile"
	exit 0
fi
data=$dir/pg

# pg_config belongs to the development package and may be of another version than the server.
pg_bin() {
	local bin
	bin=$(printf "%s\n" /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
	[ -x "$bin" ] || bin=$(pg_config --bindir 2>/dev/null)/postgres
	[ -x "$bin" ] || fail "no PostgreSQL server here: apt-get install postgresql"
	dirname "$bin"
}
bin=$(pg_bin)

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
pass=()
as_pg() {
	if [ "$(id -u)" -eq 0 ]; then
		(cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "${pass[@]}" -- "$@")
	else
		"$@"
	fi
} 8>&-
if [ "$(id -u)" -eq 0 ] && id postgres >/dev/null 2>&1 && ! as_pg stat "$dir/.." >/dev/null 2>&1; then
	pass=(--inh-caps=+dac_override --ambient-caps=+dac_override)
fi

# Until the command succeeds, 20 seconds at most.
await() {
	local try
	for try in $(seq 1000); do
		"$@" && return 0
		sleep 0.02
	done
	echo "servers.sh: gave up after $try tries: $*" >&2
	return 1
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

# A unix socket's path has at most 107 octets; ".s.PGSQL.5432" goes behind it.
sockets() {
	if [ -s "$dir/sockets" ]; then
		cat "$dir/sockets"
	elif [ "${#dir}" -le 80 ]; then
		echo "$dir/s"
	else
		mktemp -d /tmp/kezek.XXXXXX
	fi
}

prepare() {
	sock=$(sockets)
	mkdir -p "$sock"
	echo "$sock" >"$dir/sockets"
	if [ "$(id -u)" -eq 0 ]; then
		id postgres >/dev/null 2>&1 || fail "there is no user postgres: apt-get install postgresql"
		chmod go+x "$dir"
		chmod 711 "$sock"
		chown postgres: "$sock"
		as_pg stat "$dir/." >/dev/null ||
			fail "the user postgres cannot reach $dir: take another folder, or run this as a user of your own"
	fi
}

# Whether the one in the folder given does.
pg_runs() {
	[ -s "$1/postmaster.pid" ] && as_pg "$bin/pg_ctl" -D "$1" status >/dev/null 2>&1
}

pg_init() {
	[ ! -s "$data/PG_VERSION" ] || return 0
	rm -rf "$data"
	mkdir -m 700 "$data"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$data"
	as_pg "$bin/initdb" -D "$data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust --no-sync >"$dir/initdb.log" 2>&1 ||
		fail "initdb failed: $(tail -n 3 "$dir/initdb.log")"
}

pg_start() {
	pg_runs "$data" && return 0
	as_pg "$bin/pg_ctl" -D "$data" -w -t 60 -l "$data/server.log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$sock' -c fsync=on -c max_connections=100" \
		start >/dev/null 2>&1 || fail "PostgreSQL does not start: $(tail -n 3 "$data/server.log")"
}

pg_ask() {
	as_pg "$bin/psql" -h "$sock" -U postgres -d postgres -qAtX -v ON_ERROR_STOP=1 -c "$1"
}

pg_create() {
	[ "$(pg_ask "select count(*) from pg_roles where rolname = 'kezek'")" = 1 ] || pg_ask "create role kezek login"
	[ "$(pg_ask "select count(*) from pg_database where datname = 'kezek'")" = 1 ] ||
		pg_ask "create database kezek owner kezek"
}

# Stops the one in the folder given, when there is one that runs.
pg_stop() {
	pg_runs "$1" || return 0
	as_pg "$bin/pg_ctl" -D "$1" -w -t 60 -m fast stop >/dev/null || fail "PostgreSQL does not stop"
}

standby_start() {
	as_pg "$bin/pg_basebackup" -D "$dir/standby" -R -X stream -c fast -d "host=$sock user=postgres application_name=standby" \
		>"$dir/standby.log" 2>&1 || fail "pg_basebackup: $(tail -n 3 "$dir/standby.log")"
	as_pg "$bin/pg_ctl" -D "$dir/standby" -w -t 60 -l "$dir/standby/server.log" \
		-o "-p 5433 -c listen_addresses='' -c unix_socket_directories='$sock' -c max_connections=100" \
		start >/dev/null 2>&1 || fail "the standby does not start: $(tail -n 3 "$dir/standby/server.log")"
}

# Backends lead process groups of their own, so the family is found by its parent.
pg_kill() {
	local pid family
	pg_runs "$1" || return 0
	pid=$(head -n 1 "$1/postmaster.pid")
	kill -STOP "$pid"
	family="$pid $(ps -o pid= --ppid "$pid" | tr '\n' ' ')"
	for pid in $family; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in $family; do
		await is_gone "$pid" || fail "process $pid does not end"
	done
}

# One that hears nothing is killed: pg_kill itself leaves it so, when it does not come to its end.
pg_end() {
	! pg_runs "$1" || as_pg "$bin/pg_ctl" -D "$1" -w -t 5 -m immediate stop >/dev/null 2>&1 || pg_kill "$1"
}

redis_ask() {
	redis-cli -s "$sock/redis" "$@" 2>/dev/null
}

redis_runs() {
	[ "$(redis_ask ping)" = PONG ]
}

redis_start() {
	command -v redis-server >/dev/null || fail "no Redis server here: apt-get install redis-server"
	redis_runs && return 0
	rm -f "$sock/redis" "$dir/redis.pid"
	redis-server --port 0 --unixsocket "$sock/redis" --unixsocketperm 700 --daemonize yes --dir "$dir" \
		--pidfile "$dir/redis.pid" --logfile "$dir/redis.log" --save '' --appendonly no >/dev/null 8>&-
	await redis_runs || fail "Redis does not answer: $(tail -n 3 "$dir/redis.log")"
}

redis_end() {
	local pid
	pid=$(cat "$dir/redis.pid" 2>/dev/null) || return 0
	[ "$(ps -o comm= -p "$pid")" = redis-server ] || return 0
	kill "-$1" "$pid" 2>/dev/null || true
	await is_gone "$pid" || fail "Redis does not end"
	rm -f "$dir/redis.pid"
}

case $verb in
start)
	prepare
	pg_init
	pg_start
	pg_create
	redis_start
	printf "PG_CONNINFO='host=%s user=kezek dbname=kezek'\nREDIS_ADDRESS='unix:%s'\n" "$sock" "$sock/redis" |
		tee "$dir/env"
	;;
stop)
	sock=$(sockets)
	pg_stop "$data"
	redis_end TERM
	[ "$sock" = "$dir/s" ] || rm -rf "$sock" "$dir/sockets"
	;;
end)
	sock=$(sockets)
	code=0
	(pg_end "$data") || code=1
	(pg_end "$dir/standby") || code=1
	(redis_end KILL) || code=1
	[ "$sock" = "$dir/s" ] || rm -rf "$sock"
	! mountpoint -q "$dir" || as_root umount -l "$dir" # our lock is on it
	mv -T "$dir" "$dir.ended"                          # at once, so that nobody makes a lock in it meanwhile
	rm -rf "$dir.ended"
	exit $code
	;;
kill-pg)
	pg_kill "$data"
	;;
restart-pg)
	prepare
	pg_stop "$data"
	pg_start
	;;
standby)
	prepare
	mkdir -m 700 "$dir/standby"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$dir/standby"
	standby_start
	;;
promote)
	as_pg "$bin/pg_ctl" -D "$dir/standby" -w -t 60 promote >/dev/null || fail "the standby is not promoted"
	;;
kill-redis)
	sock=$(sockets)
	redis_end KILL
	;;
restart-redis)
	prepare
	redis_end TERM
	redis_start
	;;
*)
	fail "unknown verb $verb"
	;;
esac
