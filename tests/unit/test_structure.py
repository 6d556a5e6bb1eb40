"""The structure that docs/architecture.md promises: small modules, short functions, few storeys."""

from pathlib import Path

import pytest

from tools.structure import Service, longest_chain, services, sizes

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "folder",
    [
        "shared/adapters",
        "shared/domain",
        "shared/ports",
        "shared/services",
        "triggers",
        "local",
        "tools",
    ],
)
def test_no_module_has_more_than_300_lines_and_no_function_more_than_40(folder: str) -> None:
    found = sizes(ROOT, folder)

    assert {name: lines for name, lines in found.modules.items() if lines > 300} == {}
    assert {name: lines for name, lines in found.functions.items() if lines > 40} == {}


def test_no_room_of_the_chat_has_more_than_ten_files() -> None:
    rooms = [ROOT / "shared", *(path for path in (ROOT / "shared").rglob("*") if path.is_dir())]
    files = {
        str(room): len([path for path in room.glob("*.py") if path.stem != "__init__"])
        for room in rooms
    }

    assert {room: count for room, count in files.items() if count > 10} == {}


def test_no_service_has_more_than_six_collaborators() -> None:
    found = services(ROOT)

    assert found
    assert [one.name for one in found.values() if one.collaborators > 6] == []


def test_services_stand_on_at_most_five_storeys() -> None:
    assert len(longest_chain(services(ROOT))) <= 5


def test_a_chain_is_as_long_as_the_services_in_it() -> None:
    base = Service("Base", (), ("Clock",))
    middle = Service("Middle", ("Base",), ())
    top = Service("Top", ("Base", "Middle"), ("Clock", "Bus"))

    assert longest_chain({one.name: one for one in (top, base, middle)}) == (
        "Top",
        "Middle",
        "Base",
    )
    assert top.collaborators == 4
