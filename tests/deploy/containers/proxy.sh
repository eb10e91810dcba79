#!/bin/sh
# Debian's Caddy is older than 2.7, which is what the Caddyfile is written for.
set -eu
sed 's/request_buffers .*/buffer_requests/' /etc/caddy/Caddyfile > /tmp/Caddyfile
exec caddy run --config /tmp/Caddyfile --adapter caddyfile
