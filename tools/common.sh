# Shared by the scripts beside it; source it from the project's root.

say() {
    printf 'setup: %s\n' "$1" >&2
}

fail() {
    printf 'parley: %s\n' "$1" >&2
    exit 1
}

may_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

apt_install() {
    apt-get update -qq >.cache/apt.log 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        >>.cache/apt.log 2>&1
}

is_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1
}

# Print the first uv that runs. A pyenv shim may stand on PATH and refuse, so each is tried.
find_uv() {
    for uv in uv "$HOME/.local/bin/uv" .cache/uv/bin/uv "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/uv; do
        if "$uv" --version >/dev/null 2>&1; then
            command -v "$uv"
            return
        fi
    done
    python=$(command -v python3) || return 1
    say "installing uv into .cache/uv"
    if ! "$python" -m venv .cache/uv >/dev/null 2>&1; then
        may_apt && apt_install python3-venv && "$python" -m venv --clear .cache/uv >&2 || return 1
    fi
    .cache/uv/bin/python -m pip install --quiet uv >&2 || return 1
    printf '%s\n' .cache/uv/bin/uv
}

# Print a Python 3.13: the one on PATH, pyenv's newest, else one that uv ($1) finds or installs.
find_python() {
    for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python python3.13 python3; do
        if is_python "$python"; then
            found=$("$python" -c 'import sys; print(sys.executable)')
        fi
    done
    if [ -n "${found:-}" ]; then
        printf '%s\n' "$found"
        return
    fi
    "$1" python find --no-project 3.13 2>/dev/null && return
    say "installing Python 3.13"
    "$1" python install --quiet 3.13 >&2 && "$1" python find --no-project 3.13
}
