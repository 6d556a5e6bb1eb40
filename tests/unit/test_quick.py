"""`make quick` runs what a change can break; its table names what is there."""

from fnmatch import fnmatchcase

import pytest

from tools import quick


@pytest.mark.parametrize("test", sorted({one for tests in quick.TESTS.values() for one in tests}))
def test_every_test_it_names_is_there(test: str) -> None:
    assert list(quick.ROOT.glob(test))


@pytest.mark.parametrize("pattern", sorted({*quick.TESTS, *quick.WHOLE, *quick.NPM}))
def test_every_pattern_matches_a_file_that_is_there(pattern: str) -> None:
    assert list(quick.ROOT.glob(pattern.replace("*/", "**/")))


@pytest.mark.parametrize(
    ("changed", "test"),
    [
        ("shared/domain/message.py", "tests/unit"),
        ("shared/services/posting.py", "tests/integration/services"),
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
    found = quick.tests_for(["local/signalr/app.py", "shared/services/posting.py"])

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
    patterns = [*quick.TESTS]
    places = ("shared", "triggers", "local", "bench", "tools")
    files = [path for place in places for path in (quick.ROOT / place).rglob("*.py")]
    names = [str(path.relative_to(quick.ROOT)) for path in files]

    assert [n for n in names if not any(fnmatchcase(n, one) for one in patterns)] == []
