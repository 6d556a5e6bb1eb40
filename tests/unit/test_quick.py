"""`make quick` runs what a change can break; its table names what is there."""

import fnmatch
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import quick


@pytest.mark.parametrize("test", sorted({one for tests in quick.TESTS.values() for one in tests}))
def test_every_test_it_names_is_there(test: str) -> None:
    assert list(quick.ROOT.glob(test))


def files() -> list[str]:
    """Return every file of the project's own folders, as `git diff` names them."""
    folders = {one.partition("/")[0] for one in [*quick.TESTS, *quick.NPM] if "/" in one}
    found = [path for one in folders for path in _walk(quick.ROOT / one)]
    found += [path for path in quick.ROOT.iterdir() if path.is_file()]
    return [str(path.relative_to(quick.ROOT)) for path in found]


def _walk(folder: Path) -> Iterator[Path]:
    for path, folders, names in folder.walk():
        folders[:] = [one for one in folders if one not in {"node_modules", "dist", "__pycache__"}]
        yield from (path / name for name in names)


def test_every_pattern_matches_a_file_that_is_there() -> None:
    there = files()
    patterns = [*quick.TESTS, *quick.WHOLE, *quick.NPM]

    assert [one for one in patterns if not fnmatch.filter(there, one)] == []


@pytest.mark.parametrize(
    ("changed", "test"),
    [
        ("shared/domain/messages/message.py", "tests/unit"),
        ("shared/services/messages/posting.py", "tests/integration/services"),
        ("triggers/hub.py", "tests/integration/handlers"),
        ("shared/ports/message_store.py", "tests/contract/ports"),
        ("local/cosmos/sql/query.py", "tests/contract/test_cosmos_*.py"),
        ("docs/protocol.md", "tests/unit/test_docs.py"),
        ("tests/contract/test_site_push.py", "tests/contract/test_site_push.py"),
    ],
)
def test_a_changed_file_runs_the_tests_it_can_break(changed: str, test: str) -> None:
    found = quick.tests_for([changed])

    assert test in found["rules"] | found["whole"]


def test_a_part_that_was_changed_is_started_and_a_service_is_not() -> None:
    found = quick.tests_for(["local/signalr/app.py", "shared/services/messages/posting.py"])

    assert "tests/contract/test_signalr_*.py" in found["whole"]
    assert set(quick.RULES) == found["rules"]


def test_a_change_of_the_docs_runs_no_type_checker() -> None:
    (command,) = quick.commands_for(["docs/protocol.md"])

    assert command[-1] == "tests/unit/test_docs.py"


def test_the_commands_for_python_are_checks_first_then_tests() -> None:
    commands = list(quick.commands_for(["triggers/hub.py"]))

    names = [command[0].rpartition("/")[2] for command in commands]
    assert names == ["ruff", "ruff", "mypy", "lint-imports", "python"]


def test_a_file_that_is_gone_is_not_checked() -> None:
    assert list(quick.commands_for(["shared/gone.py"])) == []


def test_every_python_file_that_runs_has_a_test() -> None:
    places = ("shared/", "triggers/", "local/", "bench/", "tools/")
    python = [one for one in files() if one.startswith(places) and one.endswith(".py")]

    assert [one for one in python if not any(fnmatch.fnmatch(one, p) for p in quick.TESTS)] == []
