"""Check what a change touches: `make quick`, for the inner loop. `make test` remains the gate.

Compares the work tree with the branch point from main (BASE=... for another), finds the tests that
`TESTS` names for each changed file, and runs them beside the cheap checks. It starts no whole
stack: tests marked `stack` or `slow` run only if their own file was changed, or if the part they
start is what was changed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

RULES = ("tests/unit", "tests/integration/services", "tests/integration/handlers")
DOCS = ("tests/unit/test_docs.py",)

# A changed file, and the tests that it can break. A file takes the tests of every pattern that it
# matches; `*` matches slashes too.
TESTS: Mapping[str, tuple[str, ...]] = {
    "shared/*": RULES,
    "triggers/*": RULES,
    "function_app.py": RULES,
    "tests/twins/*": (*RULES, "tests/contract/ports"),
    "shared/ports/*": ("tests/contract/ports",),
    "shared/adapters/*": ("tests/contract/ports",),
    "shared/adapters/*image*": ("tests/contract/test_images.py",),
    "shared/adapters/*notification_hub*": ("tests/contract/test_notification_hubs.py",),
    "local/*": ("tests/integration/test_stack_rules.py",),
    "local/cosmos/*": ("tests/contract/test_cosmos_*.py",),
    "local/host/*": ("tests/contract/test_host_*.py",),
    "local/proxy/*": ("tests/contract/test_proxy_*.py",),
    "local/servicebus/*": ("tests/contract/test_servicebus_*.py",),
    "local/signalr/*": ("tests/contract/test_signalr_*.py",),
    "local/site/*": ("tests/contract/test_site_*.py",),
    "infra/*": ("tests/unit/infra", "tests/unit/capacity"),
    "bench/*": ("tests/unit/capacity",),
    "docs/*.yaml": ("tests/contract/api/test_documents.py", "tests/contract/api/test_parsers.py"),
    "*.md": DOCS,
    "docs/*": DOCS,
    "Makefile": DOCS,
    "tools/*": ("tests/unit",),
    "pyproject.toml": ("tests/unit",),
    "tests/unit/things.py": RULES,
    "tests/support/*": ("tests/unit",),
    "tests/reliability/*": ("tests/reliability/test_checker.py",),
}
# Tests of these patterns run with all that they start: it is what was changed, and is no stack.
WHOLE = ("local/*",)
NPM = {"sdk/*": "sdk", "web/*": "web"}


def changed_files(base: str) -> list[str]:
    """Return every file that differs from where this branch left *base*, tracked or not."""
    point = _git("merge-base", "HEAD", base)[0]
    return sorted({*_git("diff", "--name-only", point), *_git(*_UNTRACKED)})


def tests_for(changed: Iterable[str]) -> dict[str, set[str]]:
    """Return the tests of *changed* files: under `whole` those that may start what they test.

    Args:
        changed: Paths from the project's root.

    """
    found: dict[str, set[str]] = {"rules": set(), "whole": set()}
    for path in changed:
        if _is_test(path):
            found["whole"].add(path)
        kind = "whole" if any(fnmatchcase(path, one) for one in WHOLE) else "rules"
        for pattern, tests in TESTS.items():
            if fnmatchcase(path, pattern):
                found[kind].update(tests)
    found["rules"] -= found["whole"]
    return found


def commands_for(changed: list[str]) -> Iterator[list[str]]:
    """Give the commands to run for *changed* files, cheapest first."""
    there = [path for path in changed if (ROOT / path).exists()]
    python = [path for path in there if path.endswith(".py")]
    if python:
        yield [_BIN + "ruff", "format", "--check", "--quiet", *python]
        yield [_BIN + "ruff", "check", "--quiet", *python]
        yield [_BIN + "mypy", "."]
    if any(path.startswith(("shared/", "triggers/")) for path in python):
        yield [_BIN + "lint-imports", "--no-logo"]
    found = tests_for(there)
    if found["rules"]:
        yield [*_PYTEST, "-m", "not stack and not slow", *_expanded(found["rules"])]
    if found["whole"]:
        yield [*_PYTEST, "-m", "not slow", *_expanded(found["whole"])]
    for pattern, package in NPM.items():
        if any(fnmatchcase(path, pattern) for path in there):
            yield ["npm", "run", "--silent", "typecheck", "-w", package]
            yield ["npm", "run", "--silent", "test", "-w", package, "--", "--changed", _base()]


def main() -> int:
    """Run every command, to its end; return 1 if one failed."""
    changed = changed_files(_base())
    if not changed:
        sys.stdout.write("nothing differs from main\n")
        return 0
    begun, failed = time.monotonic(), 0
    for command in commands_for(changed):
        words = [word.removeprefix(_BIN) for word in command]
        sys.stdout.write(f"\n== {' '.join(words)[:160]}\n")
        sys.stdout.flush()
        # Status 5 of pytest: every test that was named is one of those left out.
        code = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603
        failed += code not in ({0, 5} if "pytest" in words else {0})
    sys.stdout.write(f"\n{len(changed)} files, {time.monotonic() - begun:.0f} s: ")
    sys.stdout.write(f"{failed} failed\n" if failed else "good; make test is the gate\n")
    return min(failed, 1)


_BIN = f"{ROOT}/.venv/bin/"
_PYTEST = (_BIN + "python", "-m", "pytest", "-q")
_UNTRACKED = ("ls-files", "--others", "--exclude-standard")


def _base() -> str:
    return os.environ.get("BASE", "main")  # noqa: TID251


def _git(*words: str) -> list[str]:
    git = ["git", *words]
    done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.splitlines()


def _is_test(path: str) -> bool:
    return fnmatchcase(path, "tests/*/test_*.py")


def _expanded(tests: Iterable[str]) -> list[str]:
    """Return paths in place of patterns, as a shell does, without those inside another one."""
    paths = {str(path.relative_to(ROOT)) for one in tests for path in ROOT.glob(one)}
    return sorted(one for one in paths if not any(str(up) in paths for up in Path(one).parents))


if __name__ == "__main__":
    sys.exit(main())
