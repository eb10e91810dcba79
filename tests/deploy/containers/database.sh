#!/bin/sh
# Does with Debian's PostgreSQL what the variables in compose.yaml ask of the image there.
set -eu
data=/var/lib/postgresql/data
bin=$(ls -d /usr/lib/postgresql/*/bin)
mkdir -p "$data" /run/postgresql
chown postgres:postgres "$data" /run/postgresql
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -s "$data/PG_VERSION" ]; then
    cp "$POSTGRES_PASSWORD_FILE" /run/postgresql/password
    chown postgres:postgres /run/postgresql/password
    as "$bin/initdb" --pgdata="$data" --username="$POSTGRES_USER" --encoding=UTF8 \
        --auth-local=trust --auth-host=scram-sha-256 --pwfile=/run/postgresql/password
    rm /run/postgresql/password
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    echo "CREATE DATABASE \"$POSTGRES_DB\"" | as "$bin/postgres" --single -D "$data" postgres
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups \
    "$bin/postgres" -D "$data" -c listen_addresses='*'
