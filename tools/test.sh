#!/bin/sh
# Run the stages named, all by default, each to its end, and say at the end how each went.
#
#   tools/test.sh [check] [python] [e2e] [npm]
#
# Two lanes run side by side: the Python tests, which wait much, beside the rest, which computes. Each
# stage's output is shown whole when it ends. PARLEY_LANES=1 runs one stage after the other, and
# PARLEY_PROCESSES=2 has fewer processes for the Python tests.
set -u

cd "$(dirname "$0")/.."

# Where it is set, every process of every stack compiles all it imports: three times the work.
unset PYTHONDONTWRITEBYTECODE

bin=.venv/bin
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

# stage NAME COMMAND...: run a command, show what it said, note how it went.
stage() {
    name=$1
    shift
    said=$(mktemp "$reports/said.XXXXXX")
    begun=$(date +%s)
    if "$@" >"$said" 2>&1; then
        outcome=passed
    else
        outcome=FAILED
    fi
    took=$(($(date +%s) - begun))
    {
        printf '\n== %s: %s\n' "$name" "$outcome"
        cat "$said"
    } >"$said.whole"
    cat "$said.whole" # one write for one stage, or the lanes' lines would mix
    printf '  %-28s %-8s %4d s\n' "$name" "$outcome" "$took" >>"$reports/summary"
}

spelling() {
    git ls-files -z '*.md' '*.py' '*.ts' '*.tsx' '*.mjs' '*.sh' '*.yaml' '*.bicep' |
        xargs -0 $bin/codespell
}

check() {
    stage "format" $bin/ruff format --check --quiet .
    stage "lint" $bin/ruff check --quiet .
    stage "types" $bin/mypy .
    stage "layers" $bin/lint-imports --no-logo
    stage "table of layers" $bin/python tools/layers.py check
    stage "spelling" spelling
    stage "prose" $bin/python tools/prose.py
    stage "dead code" $bin/vulture
    stage "pinned packages" $bin/python tools/requirements.py check
}

# One run of all of them, the longest first: see tests/support/spread.py. Much is waiting, so it
# takes more processes than there are processors. Tests assert counts and not times, so they may
# share the machine.
python_tests() {
    stage "Python" $bin/python -m pytest -q -n "${PARLEY_PROCESSES:-4}" --durations=25 tests
}

npm_stages() {
    stage "npm: lint" npm run --silent lint
    stage "npm: types" npm run --silent typecheck
    stage "npm: sdk and page" npm run --silent test:unit
}

e2e() {
    # tools/setup.sh, which make runs first, has built the page.
    stage "real client and browsers" env PARLEY_PAGE_IS_BUILT=1 npm run --silent test:e2e
}

first_lane() {
    for group in $groups; do
        [ "$group" = python ] && python_tests
    done
}

second_lane() {
    for group in $groups; do
        case $group in
        check | e2e) $group ;;
        npm) npm_stages ;;
        esac
    done
}

groups=${*:-check npm e2e python}
for group in $groups; do
    case $group in
    check | python | e2e | npm) ;;
    *)
        printf 'usage: tools/test.sh [check] [python] [e2e] [npm]\n' >&2
        exit 2
        ;;
    esac
done

: >"$reports/summary"
if [ "${PARLEY_LANES:-2}" = 1 ]; then
    first_lane
    second_lane
else
    first_lane &
    second_lane
    wait
fi

printf '\n== summary\n'
cat "$reports/summary"
failed=$(grep -c ' FAILED ' "$reports/summary")
if [ "$failed" -gt 0 ]; then
    printf '%d stage(s) failed\n' "$failed"
    exit 1
fi
printf 'all stages passed\n'
