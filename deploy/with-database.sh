#!/bin/sh
# Starts the portal with the database of compose.yaml, whose password is in a file.
set -eu
password=$(cat /run/secrets/database_password)
export DATABASE_URL="postgres://portal:${password}@${DATABASE_HOST}/portal"
exec python manage.py portal "$@"
