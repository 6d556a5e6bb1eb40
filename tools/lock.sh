#!/bin/sh
# Pin the Python packages: requirements.txt for what is deployed, requirements-dev.txt for all that is
# worked with, requirements-audit.txt for the tools of `make audit` and `make sbom`.
# Versions already pinned stay while pyproject.toml allows them; `tools/lock.sh --upgrade` renews.
set -eu

cd "$(dirname "$0")/.."
. tools/common.sh

uv=$(find_uv) || fail "uv cannot be found or installed."

compile() {
    "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.13 \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@" >/dev/null
}

compile --group dev --group infra --group local --generate-hashes -o requirements-dev.txt "$@"
compile --constraints requirements-dev.txt -o requirements.txt "$@"
# The group alone, without the project's own dependencies: the tools have an environment of their own.
.venv/bin/python tools/requirements.py group audit |
    "$uv" pip compile - --quiet --universal --python-version 3.13 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        -o requirements-audit.txt "$@" >/dev/null
.venv/bin/python tools/requirements.py stamp
