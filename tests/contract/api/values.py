"""Values that a schema of the contract takes, and their neighbours.

It knows the keywords the documents use, and refuses others rather than ignore them.
"""

from collections.abc import Iterator
from typing import Any, Final

from hypothesis import strategies as st

from tests.contract.api.documents import Json, accepts

_SAID_ONLY: Final = {"description", "default", "format"}
_SHORT: Final = 4  # items of a list or map, where the schema lets us

_MARK: Final = "0" * 32
_ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, -1, 0, 1, 1.0, 1.5, 100, 101, 10**12 - 1, 10**12, 10**40, -(10**40)),
    *(26_214_400, 26_214_401, 253_402_300_799_000, 253_402_300_799_001),
    *("", " \t\n", "x", "é", "👍", "7", "..", ". .", "a/b", "a\\b", "a\0", "a\x7f"),
    *("x" * length for length in (128, 129, 200, 201, 255, 256, 2_000, 2_001, 8_000, 8_001)),
    *("direct", "Direct", "text", "nothing", "image/png", "IMAGE/PNG", "text/html"),
    *(
        "amara",
        "a b",
        f"d-{_MARK}",
        f"D-{_MARK}",
        f"a-{_MARK}",
        "5b1f6a3e-2f0b-4c53-9b0e-0d7f0f2f9f10",
    ),
    *([], {}, [None], ["amara"], ["a b"], [1], [["a"]], [{}], {"a": 1}),
    *(["a"] * count for count in (50, 51, 200, 201)),
    *([f"a-{_MARK}"], [{"attachmentId": f"a-{_MARK}"}], [{"attachmentId": 1}], [f"a-{_MARK}"] * 11),
    *({f"d-{_MARK}": 1}, {"x": 0}, {"x": -1}, {"x": 1.0}, {"x": None}, {"x": True}, {"x": 10**12}),
    [{"userId": "amara"}],
    [{"userId": "a b"}],
    *(
        [{"userId": "amara", name: odd}]
        for name in ("displayName", "avatarUrl")
        for odd in (None, "", 1)
    ),
    *([{"userId": "amara", "contacts": odd}] for odd in (None, [], ["ben"], ["b n"], "ben")),
    *([{"userId": "amara"}] * count for count in (100, 101)),
)


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Return a strategy for what *schema*, without references, takes."""
    return _drawn(schema).filter(accepts(schema))


def neighbours(value: Json, schema: Json) -> Iterator[Json]:
    """Yield *value* with each field of *schema* taken away, and with it replaced by what is odd."""
    for name in sorted({*_named(schema), "unknownField"}):
        yield {field: one for field, one in value.items() if field != name}
        for odd in _ODD:
            yield {**value, name: odd}


def _named(schema: Json) -> set[str]:
    parts = [*schema.get("allOf", []), *schema.get("anyOf", [])]
    return {*schema.get("properties", {}), *(name for part in parts for name in _named(part))}


def _drawn(schema: Json) -> st.SearchStrategy[Any]:
    said = {name: one for name, one in schema.items() if name not in _SAID_ONLY}
    if "const" in said:
        return st.just(said["const"])
    if "enum" in said:
        return st.sampled_from(said["enum"])
    if "allOf" in said or "anyOf" in said:
        return _combined(said)
    if isinstance(said.get("type"), list):
        return st.one_of(*(_drawn({**said, "type": one}) for one in said["type"]))
    return _of_type(said)


def _combined(said: Json) -> st.SearchStrategy[Any]:
    rest = {name: one for name, one in said.items() if name not in {"allOf", "anyOf"}}
    if "anyOf" in said:
        return st.one_of(*(_drawn(_merged(rest, one)) for one in said["anyOf"]))
    for part in said["allOf"]:
        rest = _merged(rest, part)
    return _drawn(rest)


def _merged(one: Json, other: Json) -> Json:
    merged = {**one, **other}
    fields, more = one.get("properties", {}), other.get("properties", {})
    if fields or more:
        merged["properties"] = {
            name: {**fields.get(name, {}), **more.get(name, {})} for name in {**fields, **more}
        }
    merged["required"] = [*one.get("required", []), *other.get("required", [])]
    return merged


def _of_type(said: Json) -> st.SearchStrategy[Any]:
    match said["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(said.get("minimum"), said.get("maximum"))
        case "string":
            return _string(said)
        case "array":
            least, most = said.get("minItems", 0), said.get("maxItems", _SHORT)
            items = _drawn(said["items"])
            return st.lists(items, min_size=least, max_size=min(most, least + _SHORT))
        case "object":
            return _object(said)
    raise AssertionError(f"a type of no use here: {said}")


def _string(said: Json) -> st.SearchStrategy[str]:
    most = said.get("maxLength", 20)
    texts = st.text(
        st.characters(exclude_categories=["Cs"]),
        min_size=said.get("minLength", 0),
        max_size=min(most, 40),
    )
    if "pattern" not in said:
        return st.one_of(texts, st.just("x" * most))
    if said["pattern"].startswith("^") and said["pattern"].endswith("$"):
        return st.from_regex(str(said["pattern"]), fullmatch=True)
    return st.one_of(texts, st.just("x" * most))  # the filter sorts them out


def _object(said: Json) -> st.SearchStrategy[Json]:
    fields, needed = said.get("properties", {}), set(said.get("required", []))
    known = st.fixed_dictionaries(
        {name: _drawn(one) for name, one in fields.items() if name in needed},
        optional={name: _drawn(one) for name, one in fields.items() if name not in needed},
    )
    more = said.get("additionalProperties")
    if not isinstance(more, dict):
        return known
    names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    return st.dictionaries(names, _drawn(more), max_size=_SHORT)
