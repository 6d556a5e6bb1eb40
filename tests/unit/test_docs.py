"""The documents name what there is, and what they refer to is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain import errors
from tests.functions import registered
from tests.stack import ROOT

DOCS = ROOT / "docs"
SOURCES = [
    ROOT / "function_app.py",
    *(ROOT / "shared").rglob("*.py"),
    *(ROOT / "triggers").glob("*.py"),
]
COMING = {"reliability.md"}  # linked already; held to the rest once it is there
READERS = ("shared/config.py", "shared/timing.py")
_SETTING = re.compile(
    r'"((?:CHAT_|AZURE_|WEBSITE_)[A-Z_]+|[A-Z][A-Za-z]+Connection(?:String)?)"|%(CHAT_[A-Z_]+)%'
)


def pages() -> list[Path]:
    return [*DOCS.rglob("*.md"), *DOCS.glob("*.yaml")]


def words(*names: str) -> set[str]:
    """Return every name that stands in these pages of `docs/`, or in all of them."""
    chosen = [DOCS / name for name in names] or pages()
    text = "\n".join(page.read_text(encoding="utf-8") for page in chosen)
    return set(re.findall(r"[A-Za-z0-9_]+", text))


def settings() -> set[str]:
    """Return the settings that the app reads or that its bindings name."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in READERS]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "triggers").glob("*.py")]
    return {one or other for text in texts for one, other in _SETTING.findall(text)}


def codes(kind: type[errors.ChatError] = errors.ChatError) -> Iterator[str]:
    yield kind.code
    for leaf in kind.__subclasses__():
        yield from codes(leaf)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def references() -> Iterator[tuple[str, str, str]]:
    """Yield where the code refers to a page, that page, and the anchor there or ''."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for page, anchor in re.findall(r"(docs/[\w/.-]+?\.md)(?:#([\w-]+))?", text):
            yield str(path.relative_to(ROOT)), page, anchor


def test_every_function_is_named() -> None:
    assert set(registered()) - words() == set()


def test_every_setting_is_named() -> None:
    found = settings()

    assert {"CHAT_BUCKET_SIZE", "CosmosConnection", "CHAT_SQL_TABLE"} <= found
    assert found - words() == set()


def test_every_error_code_is_in_the_catalogue() -> None:
    assert set(codes()) - words("protocol.md") == set()


@pytest.mark.parametrize(("source", "page", "anchor"), sorted(set(references())))
def test_what_the_code_refers_to_is_there(source: str, page: str, anchor: str) -> None:
    path = ROOT / page

    assert path.exists(), f"{source} refers to {page}"
    assert not anchor or anchor in anchors(path), f"{source} refers to {page}#{anchor}"


@pytest.mark.parametrize(
    "page", [page for page in pages() if page.suffix == ".md"], ids=lambda it: it.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)", text):
        path = (page.parent / target).resolve() if target else page
        if path.name in COMING and not path.exists():
            continue
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_the_tests_that_a_page_names_are_there() -> None:
    missing = []

    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        for path, name in re.findall(
            r"`((?:tests|sdk|web|shared|triggers|local|tools|bench|infra)/[\w/.-]+)(?:::(\w+))?`",
            text,
        ):
            file = ROOT / path
            if not file.exists() or (name and name not in file.read_text(encoding="utf-8")):
                missing.append(f"{page.name}: {path}::{name}")

    assert missing == []
