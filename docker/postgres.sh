#!/bin/sh
# Makes the database at the first start, whole or not at all, and becomes the server.
set -eu
data=/data/postgres
if [ ! -d "$data" ]; then
  : "${SEMBLANCE_DATABASE_PASSWORD:?is the password that the database is made with}"
  rm -rf /data/new
  (umask 077; printf '%s' "$SEMBLANCE_DATABASE_PASSWORD" > /tmp/password)
  initdb --pgdata=/data/new --username=semblance --pwfile=/tmp/password \
    --auth=scram-sha-256 --data-checksums --encoding=UTF8 --locale=C > /dev/null
  rm /tmp/password
  echo "host all semblance samenet scram-sha-256" >> /data/new/pg_hba.conf
  echo "CREATE DATABASE semblance" | postgres --single -D /data/new postgres > /dev/null
  sync
  mv /data/new "$data"
fi
unset SEMBLANCE_DATABASE_PASSWORD
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
