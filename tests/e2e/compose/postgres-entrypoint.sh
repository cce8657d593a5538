#!/bin/sh
# The part of the public image's entrypoint that docker-compose.yml relies on: POSTGRES_PASSWORD, first start, TCP.
set -eu
[ "${1:-}" = postgres ] || exec "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    file=$(mktemp)
    printf '%s' "${POSTGRES_PASSWORD:?}" >"$file"
    initdb -D "$PGDATA" -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile="$file" -E UTF8 --no-locale
    rm -f "$file"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec "$@" -c 'listen_addresses=*'
