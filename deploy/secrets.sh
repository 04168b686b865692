#!/bin/sh
# Makes what docker-compose.yml reads from files, once: what is there already stays. Keys of providers go into theirs:
#   printf %s "$OPENAI_API_KEY" > deploy/secrets/openai_api_key
# The folder is for its owner alone. The files in it may be read by anybody who gets that far: the container's user is
# another than the one who made them.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # NAME VALUE
    [ -e "secrets/$1" ] || printf %s "$2" > "secrets/$1"
    chmod 644 "secrets/$1"
}

keep django_secret_key "$(random 48)"
keep metrics_token "$(random 24)"
keep postgres_password "$(random 24)"
keep database_url "postgres://dialogix:$(cat secrets/postgres_password)@postgres:5432/dialogix"
for name in openai_api_key anthropic_api_key gemini_api_key; do keep "$name" ""; done
