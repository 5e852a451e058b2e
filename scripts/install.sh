#!/bin/sh
# Installs a lock into .venv, which it makes first: install.sh LOCK STAMP
set -eu
lock=$1 stamp=$2

say() { echo "$*" >&2; }

newest_python() {
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$name" ] && "$name" -c \
            'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    say "Python 3.11 or newer is needed (set PYTHON=/path/to/it)."
    exit 1
}

# Debian keeps venv in a package of its own.
add_venv_package() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing python3-venv ..."
        { apt-get update && apt-get install -y --no-install-recommends python3-venv; } \
            >/dev/null 2>&1
    fi
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(newest_python)
    "$python" -m venv .venv >/dev/null 2>&1 || {
        add_venv_package || true
        "$python" -m venv --clear .venv || {
            say "No virtual environment could be made: install python3-venv."
            exit 1
        }
    }
fi

if ! cmp -s "$lock" "$stamp"; then
    say "Installing $lock (the first time takes a minute) ..."
    .venv/bin/python -m pip install -qq --disable-pip-version-check \
        --require-hashes -r "$lock"
fi
cp "$lock" "$stamp"
