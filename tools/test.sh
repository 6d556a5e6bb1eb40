#!/bin/sh
# Run the stages named, all by default, each to its end, and say at the end how each went.
#
#   tools/test.sh [check] [python] [e2e] [npm]
set -u

cd "$(dirname "$0")/.."

bin=.venv/bin
results=
failed=0

stage() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    begun=$(date +%s)
    if "$@"; then
        outcome=passed
    else
        outcome=FAILED
        failed=$((failed + 1))
    fi
    results="$results$(printf '  %-28s %-8s %4d s' "$name" "$outcome" $(($(date +%s) - begun)))
"
}

check() {
    stage "format" $bin/ruff format --check --quiet .
    stage "lint" $bin/ruff check --quiet .
    stage "types" $bin/mypy .
    stage "layers" $bin/lint-imports --no-logo
    stage "pinned packages" $bin/python tools/requirements.py check
}

python() {
    stage "Python: unit" $bin/python -m pytest -q tests/unit
    # Much of these two is waiting: two processes halve it. What is gated on there is counted, not timed.
    stage "Python: contract" $bin/python -m pytest -q -n 2 --dist loadfile tests/contract
    stage "Python: integration" $bin/python -m pytest -q -n 2 --dist loadfile tests/integration
    # Tests that share a stack share a process too: they are of one xdist_group.
    stage "Python: reliability" $bin/python -m pytest -q -n 2 --dist loadgroup tests/reliability
}

npm_stages() {
    stage "npm: lint" npm run --silent lint
    stage "npm: types" npm run --silent typecheck
    stage "npm: sdk and page" npm run --silent test:unit
}

e2e() {
    stage "real client and browsers" npm run --silent test:e2e
}

for group in ${*:-check python npm e2e}; do
    case $group in
    check | python | e2e) $group ;;
    npm) npm_stages ;;
    *)
        printf 'usage: tools/test.sh [check] [python] [e2e] [npm]\n' >&2
        exit 2
        ;;
    esac
done

printf '\n== summary\n%s' "$results"
if [ "$failed" -gt 0 ]; then
    printf '%d stage(s) failed\n' "$failed"
    exit 1
fi
printf 'all stages passed\n'
