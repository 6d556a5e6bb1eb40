"""Rules of the Cosmos DB stand-in that hold for any values, against models and the SDK itself."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, override

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.partition_key import NonePartitionKeyValue
from hypothesis import given, settings
from hypothesis import strategies as st

from local.cosmos.catalog import Catalog
from local.cosmos.charge import insert, point_read, put
from local.cosmos.container import Container, Key
from local.cosmos.items import Conditions, Items
from local.cosmos.json_values import UNDEFINED, Value, canonical, equal, load, sort_key
from local.cosmos.partition import effective_key
from local.cosmos.protocol import RefusalError
from local.cosmos.sql.plan import Scope
from local.cosmos.sql.query import Request, run_query
from local.cosmos.store import SqlValue, Store

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), TEXT
)
KEYS = st.lists(SCALARS, min_size=1, max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda some: st.one_of(st.lists(some, max_size=3), st.dictionaries(TEXT, some, max_size=3)),
)
FIELDS = ("n", "u")
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.one_of(st.integers(-3, 3), st.sampled_from([1.5, "1", "a", "", None, True, [1]])),
        "u": st.sampled_from([0, 1, "0", None]),
    },
)
OPERATORS: dict[str, Callable[[int], bool]] = {
    "<": lambda found: found < 0,
    "<=": lambda found: found <= 0,
    ">": lambda found: found > 0,
    ">=": lambda found: found >= 0,
}
COMPARISONS = st.tuples(
    st.sampled_from(FIELDS),
    st.sampled_from(["=", "!=", *OPERATORS]),
    st.sampled_from([-1, 0, 1, 1.5, "1", "a", None, True]),
)


@given(KEYS)
def test_a_key_lies_where_the_sdk_says(components: list[Any]) -> None:
    key = PartitionKey(path=["/a", "/b", "/c"][: len(components)])

    position = effective_key(components)

    assert position == key._get_epk_range_for_partition_key(components).min


@given(SCALARS)
def test_a_single_key_lies_where_the_sdk_says(component: Any) -> None:
    position = effective_key([component])

    assert position == PartitionKey(path="/a")._get_epk_range_for_partition_key(component).min


def test_an_absent_key_lies_where_the_sdk_says() -> None:
    key = PartitionKey(path="/a")

    assert (
        effective_key([UNDEFINED])
        == key._get_epk_range_for_partition_key(NonePartitionKeyValue).min
    )


@given(st.lists(SCALARS, min_size=2, max_size=3))
def test_a_prefix_covers_what_lies_under_it(components: list[Any]) -> None:
    prefix = effective_key(components[:-1])

    assert prefix <= effective_key(components) < f"{prefix}FF"


@given(VALUES, VALUES)
def test_two_values_share_a_text_exactly_when_they_are_equal(left: Any, right: Any) -> None:
    assert (canonical(left) == canonical(right)) is equal(left, right)
    assert equal(left, load(canonical(left)))


@given(st.lists(VALUES, max_size=5))
def test_any_values_can_be_sorted(values: list[Any]) -> None:
    keys = sorted(map(sort_key, values))

    assert keys == sorted(map(sort_key, reversed(values)))


class Local:
    """The stand-in without its server: one container keyed by `/pk`, indexing `/n` and `/u`."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory / "cosmos.db")
        catalog = Catalog(self.store)
        self.items = Items(self.store, catalog)
        catalog.create_database({"id": "d"})
        self.catalog = catalog
        self.made = 0

    def container(self, *, indexed: bool) -> Container:
        self.made += 1
        included: list[Any] = [{"path": f"/{name}/?"} for name in FIELDS]
        policy: Any = {"includedPaths": included, "excludedPaths": [{"path": "/*"}]}
        every: Any = {"includedPaths": [{"path": "/*"}], "excludedPaths": []}
        return self.catalog.create_container(
            "d",
            {
                "id": f"c{self.made}",
                "partitionKey": {"paths": ["/pk"], "kind": "Hash", "version": 2},
                "indexingPolicy": policy if indexed else every,
            },
        )


def compares(item: dict[str, Any], comparison: tuple[str, str, Any]) -> bool | None:
    """Say what Cosmos says of one comparison; None where it is undefined."""
    name, operator, value = comparison
    if name not in item:
        return None
    if operator in {"=", "!="}:
        return equal(item[name], value) is (operator == "=")
    left, right = sort_key(item[name]), sort_key(value)
    boolean = isinstance(item[name], bool) and isinstance(value, bool)
    if (left[0] != right[0] and not boolean) or isinstance(item[name], list | dict):
        return None
    return OPERATORS[operator]((left > right) - (left < right))


def holds(item: dict[str, Any], tree: Any) -> bool | None:
    if tree[0] not in {"AND", "OR"}:
        return compares(item, tree)
    word, left, right = tree
    found = {holds(item, left), holds(item, right)}
    decisive = bool(word == "OR")
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def written(tree: Any, parameters: list[Any]) -> str:
    if tree[0] in {"AND", "OR"}:
        return f"({written(tree[1], parameters)} {tree[0]} {written(tree[2], parameters)})"
    name, operator, value = tree
    parameters.append(value)
    return f"c.{name} {operator} @p{len(parameters) - 1}"


TREES = st.recursive(
    COMPARISONS,
    lambda part: st.tuples(st.sampled_from(["AND", "OR"]), part, part),
    max_leaves=4,
)


def all_rows(
    local: Local, container: Container, text: str, parameters: dict[str, Value]
) -> list[Any]:
    """Return the rows of a query in the partition `A`, read in pages of two."""
    found: list[Any] = []
    token: str | None = None
    scope = Scope(epk=Key(("A",)).epk)
    for _ in range(50):
        page = run_query(local.store, container, Request(text, parameters, scope, 2, token))
        found += map(load, page.rows)
        token = page.continuation
        if token is None:
            return found
    message = "the pages do not end"
    raise AssertionError(message)


@settings(deadline=None, max_examples=150)
@given(st.lists(ITEMS, max_size=8), TREES, st.booleans(), st.sampled_from([None, "ASC", "DESC"]))
def test_a_query_finds_what_the_model_finds(
    tmp_path_factory: pytest.TempPathFactory,
    stored: list[dict[str, Any]],
    tree: Any,
    indexed: bool,
    direction: str | None,
) -> None:
    async def run() -> None:
        local = Local(tmp_path_factory.mktemp("property"))
        container = local.container(indexed=indexed)
        for at, fields in enumerate(stored):
            item = {"id": str(at), "pk": "A", **fields}
            local.items.create(container, Key(("A",)), item)
        values: list[Any] = []
        text = f"SELECT VALUE c.id FROM c WHERE {written(tree, values)}"
        parameters = {f"@p{at}": value for at, value in enumerate(values)}
        if direction is not None:
            text += f" ORDER BY c.n {direction}"

        found = all_rows(local, container, text, parameters)

        expected = [str(at) for at, item in enumerate(stored) if holds(item, tree) is True]
        assert sorted(found) == sorted(expected)
        if direction is not None:
            keys = [sort_key(stored[int(at)].get("n", UNDEFINED)) for at in found]
            assert keys == sorted(keys, reverse=direction == "DESC")
        local.store.close()

    with asyncio.Runner() as runner:
        runner.run(run())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), max_size=12))
def test_only_a_writer_who_saw_the_newest_version_changes_it(
    tmp_path_factory: pytest.TempPathFactory, attempts: list[tuple[int, int]]
) -> None:
    """Writers remember versions; the model is a counter that only the newest one may move."""

    async def run() -> None:
        local = Local(tmp_path_factory.mktemp("property"))
        container = local.container(indexed=True)
        key = Key(("A",))
        seen = [local.items.create(container, key, {"id": "1", "pk": "A", "n": 0}).etag] * 4
        newest, total = seen[0], 0
        for writer, step in attempts:
            operations: Any = {"operations": [{"op": "incr", "path": "/n", "value": step}]}
            guard = Conditions(seen[writer])
            if seen[writer] == newest:
                local.items.patch(container, key, "1", operations, guard)
                total += step
            else:
                with pytest.raises(RefusalError, match="pre-condition"):
                    local.items.patch(container, key, "1", operations, guard)
            read = local.items.read(container, key, "1")
            seen[writer] = newest = read.etag
            current = load(read.text)
            assert isinstance(current, dict)
            assert current["n"] == total
        local.store.close()

    with asyncio.Runner() as runner:
        runner.run(run())


def test_the_published_charges_hold() -> None:
    kb = 1024

    assert point_read(kb) == 1
    assert point_read(100 * kb) == 10
    assert insert(kb, 0, 0) == 5.5
    assert put(kb, 0, 0) == 2 * insert(kb, 0, 0)
    assert insert(kb, 10, 0) > insert(kb, 1, 0) > insert(kb, 0, 0)


class ExplainedStore(Store):
    """A store that keeps SQLite's plan of each statement it runs."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.plans: list[str] = []

    @override
    def select(self, sql: str, parameters: Sequence[SqlValue]) -> sqlite3.Cursor:
        plan = self.db.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
        self.plans.append("; ".join(str(step[-1]) for step in plan))
        return super().select(sql, parameters)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        (
            "SELECT * FROM c WHERE c.sequence >= @n AND c.sequence <= @n ORDER BY c.sequence",
            "sequence_order (epk=? AND <expr>>? AND <expr><?)",
        ),
        ("SELECT TOP 1 * FROM c ORDER BY c.sequence DESC", "sequence_order (epk=?)"),
        (
            "SELECT * FROM c WHERE c.sender = @s AND c.client = @s",
            "unique_0 (unique_0=? AND epk=?)",
        ),
        ("SELECT * FROM c WHERE c.id IN (@s)", "id (epk=? AND id=?)"),
    ],
)
async def test_the_queries_of_the_app_read_by_an_index(
    tmp_path: Path, text: str, index: str
) -> None:
    store = ExplainedStore(tmp_path / "cosmos.db")
    catalog = Catalog(store)
    catalog.create_database({"id": "d"})
    included: list[Any] = [{"path": f"/{name}/?"} for name in ("sequence", "sender", "client")]
    container = catalog.create_container(
        "d",
        {
            "id": "messages",
            "partitionKey": {"paths": ["/pk"], "kind": "Hash", "version": 2},
            "uniqueKeyPolicy": {"uniqueKeys": [{"paths": ["/sender", "/client"]}]},
            "indexingPolicy": {"includedPaths": included, "excludedPaths": [{"path": "/*"}]},
        },
    )

    scope = Scope(epk=Key(("A",)).epk)
    run_query(store, container, Request(text, {"@n": 1, "@s": "x"}, scope, 10))

    assert store.plans == [f"SEARCH items_1 USING INDEX items_1_{index}"]
    store.close()
