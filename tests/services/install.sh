#!/bin/sh
# Programs that tests need and that no wheel brings. Debian's are installed where they are missing and we are root.
set -eu

PATH="$PATH:/usr/sbin"

found() {
    for name in "$@"; do
        if command -v "$name" >&2; then return 0; fi
    done
    return 1
}

missing=
found ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome 2>/dev/null || missing="$missing chromium"
found nginx 2>/dev/null || missing="$missing nginx"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! found apt-get 2>/dev/null; then
    echo "Tests need:$missing. Install what is missing; CHROMIUM may name a Chromium or Chrome outside of PATH." >&2
    exit 1
fi
echo "Installing what tests need:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
# shellcheck disable=SC2086  # one word each
apt-get install -qq -y --no-install-recommends $missing >&2
