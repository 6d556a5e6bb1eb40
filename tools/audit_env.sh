#!/bin/sh
# Make .cache/audit, the environment of the tools that audit and list the dependencies.
set -eu

cd "$(dirname "$0")/.."
. tools/common.sh

stamp=.cache/audit/.parley-stamp
wanted=$(cksum <requirements-audit.txt)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .cache/audit/bin/python -c '' 2>/dev/null; then
    exit 0
fi
uv=$(find_uv) || fail "uv cannot be found or installed."
say "installing pip-audit and cyclonedx-bom into .cache/audit"
"$uv" venv --quiet --clear --python .venv/bin/python .cache/audit
"$uv" pip sync --quiet --require-hashes --python .cache/audit/bin/python requirements-audit.txt
printf '%s\n' "$wanted" >"$stamp"
