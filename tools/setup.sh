#!/bin/sh
# Install what is missing and build what is stale. Repeating it costs a fraction of a second.
#
#   tools/setup.sh         the Python environment, the npm packages, redis-server, the page
#   tools/setup.sh test    and Chromium, for the tests in a browser, and faketime, for skewed clocks
set -eu

cd "$(dirname "$0")/.."
. tools/common.sh

require_node() {
    command -v node >/dev/null 2>&1 ||
        fail "node is missing: install Node.js 20 or later (nodejs.org), then run this again."
    command -v npm >/dev/null 2>&1 ||
        fail "npm is missing: install it beside Node.js, then run this again."
    version=$(node --version 2>/dev/null) || fail "node does not run: install Node.js 20 or later."
    major=${version#v}
    major=${major%%.*}
    [ "$major" -ge 20 ] || fail "Node.js 20 or later is needed, and this is $version."
}

install_python_packages() {
    stamp=.venv/.parley-stamp
    wanted=$(cksum <requirements-dev.txt)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null && return
    uv=$(find_uv) || fail "uv cannot be found or installed: install it (docs.astral.sh/uv), then run this again."
    if ! is_python .venv/bin/python; then
        python=$(find_python "$uv") ||
            fail "Python 3.13 cannot be found or installed: install it, then run this again."
        say "making the Python environment .venv"
        "$uv" venv --quiet --clear --python "$python" .venv
    fi
    say "installing the Python packages"
    "$uv" pip sync --quiet --require-hashes --python .venv/bin/python requirements-dev.txt
    printf '%s\n' "$wanted" >"$stamp"
}

install_npm_packages() {
    [ -f package-lock.json ] || fail "package-lock.json is missing: this is no whole clone."
    stamp=node_modules/.parley-stamp
    wanted=$(cksum <package-lock.json)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
    say "installing the npm packages"
    npm ci --no-audit --no-fund --loglevel=error >&2
    printf '%s\n' "$wanted" >"$stamp"
}

build_page() {
    built=web/dist/index.html
    if [ -f "$built" ] &&
        [ -z "$(find sdk web package-lock.json -name node_modules -prune -o -name dist -prune -o \
            -type f -newer "$built" -print 2>/dev/null | head -n 1)" ]; then
        return
    fi
    say "building the page"
    npm run build --silent >.cache/build.log 2>&1 || {
        cat .cache/build.log >&2
        fail "the page could not be built."
    }
    touch "$built"
}

# Redis as on PATH, else Debian's when we may; else the Python environment holds one.
install_redis() {
    command -v redis-server >/dev/null 2>&1 && return
    if may_apt; then
        say "installing redis-server"
        apt_install redis-server || say "apt has no redis-server; the one in .venv serves"
    fi
}

install_browser() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return
    done
    may_apt || fail "Chromium is missing: install it, then run this again (or make test-unit without)."
    say "installing Chromium"
    apt_install chromium || fail "Chromium could not be installed with apt."
}

# A worker with another clock: the test that needs it says so and is skipped where there is none.
install_faketime() {
    for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do
        [ -e "$library" ] && return
    done
    if may_apt; then
        say "installing faketime"
        apt_install faketime || say "apt has no faketime; the test of skewed clocks will be skipped"
    fi
}

mkdir -p .cache
require_node
install_python_packages
install_npm_packages
install_redis
build_page
if [ "${1:-}" = test ]; then
    install_browser
    install_faketime
fi
