# shellcheck shell=bash
# A PostgreSQL server instead of the host `db`, with the tables of another program in `warehouse`, and the rows of the
# measurement in `measured`.
programs=$(find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' | sort -V | tail -1)
data=$DOCS_ROOT/postgresql
as_postgres=()
mkdir "$data"
if [[ $EUID == 0 ]]; then
  as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups)
  chown postgres "$data"
  chmod 711 "$DOCS_ROOT" "$DOCS_ROOT/.."
fi
(cd / && "${as_postgres[@]}" "$programs/initdb" -D "$data" --username postgres --auth trust --no-sync)
(cd / && "${as_postgres[@]}" "$programs/pg_ctl" start -D "$data" -l "$data/log" \
  -o "-p $DOCS_PORT_5432 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off")
cleanup() { (cd / && "${as_postgres[@]}" "$programs/pg_ctl" stop -D "$data" -m immediate); }
export PGHOSTADDR=127.0.0.1 PGPORT=$DOCS_PORT_5432 PGUSER=postgres

psql --quiet --set ON_ERROR_STOP=1 postgres -c 'CREATE ROLE reader LOGIN' -c 'CREATE DATABASE warehouse' \
  -c 'CREATE DATABASE measured'
psql --quiet --set ON_ERROR_STOP=1 warehouse <<'END'
CREATE SCHEMA meta;
CREATE TABLE meta.patterns (id bigint PRIMARY KEY, name text);
CREATE TABLE meta.deployments (id bigint PRIMARY KEY, pattern_id bigint, name text);
GRANT USAGE ON SCHEMA meta TO reader;
GRANT SELECT ON meta.patterns, meta.deployments TO reader;
END

# shellcheck disable=SC2034
URL=postgresql://postgres@db/measured DB=postgresql://postgres@db/measured
seq 100000 | awk 'BEGIN { print "{\"pattern\":{\"id\":1,\"name\":\"CORE_DV_HLS\"}}" }
  { printf "{\"deployment\":{\"id\":%d,\"pattern_id\":1,\"name\":\"to %d\"}}\n", $1, $1 }' |
  deployd import --database "$URL" -
# shellcheck disable=SC2094
deployd token create --database "$URL" --name docs >token
pgbench --initialize --quiet "$DB"
