"""Which tests run in one process: those that share a stack, and in what order."""

from pathlib import Path

import pytest

from tests.support import spread

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", sorted({*spread.LONGEST, *spread.ALONE}))
def test_every_file_it_names_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_files_that_share_a_stack_are_one_unit() -> None:
    for name, paths in spread.TOGETHER.items():
        assert {spread.unit_of(f"{path}::test_one") for path in paths} == {name}


def test_a_file_is_one_unit_and_a_test_with_its_own_stack_another() -> None:
    one, other = (f"tests/unit/test_ids.py::test_{name}" for name in ("one", "other"))
    long_one, long_other = (f"{spread.ALONE[0]}::test_x[{name}]" for name in ("one", "other"))

    assert spread.unit_of(one) == spread.unit_of(other)
    assert spread.unit_of(long_one) != spread.unit_of(long_other)


@pytest.mark.parametrize("fixture", spread.TOGETHER)
def test_whoever_asks_for_such_a_stack_is_in_its_unit(fixture: str) -> None:
    folder = (ROOT / spread.TOGETHER[fixture][0]).parent
    used = {"two_workers": "two", "broken": "world", "small_stack": "small", "tuned_stack": "tuned"}
    mark = f"{used[fixture]}: World"

    files = {path for path in folder.glob("test_*.py") if mark in path.read_text(encoding="utf-8")}

    named = {ROOT / path for path in spread.TOGETHER[fixture]}
    others = {ROOT / path for paths in spread.TOGETHER.values() for path in paths} - named
    assert files - others <= named
