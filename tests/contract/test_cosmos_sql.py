"""What the expressions and clauses of the query language give, and which are refused."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.cosmos.harness import REAL, Account, new_container, rows, running_account

pytestmark = pytest.mark.stack

ITEM: dict[str, Any] = {
    "id": "1",
    "pk": "A",
    "n": 5,
    "x": 1.5,
    "s": "Hello",
    "t": True,
    "z": None,
    "list": [3, 1, 2],
    "people": [{"name": "ann", "age": 30}, {"name": "bob", "age": 40}],
    "map": {"a": {"b": [10, 20]}, "odd name": 1},
}
UNDEFINED = object()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def container(account: Account) -> AsyncIterator[ContainerProxy]:
    async with account.databases() as database:
        container = await new_container(database)
        await container.create_item(ITEM)
        yield container


EXPRESSIONS: list[tuple[str, Any]] = [
    ("c.n = 5.0", True),
    ("c.n = -5", False),
    ("c.n = '5'", False),
    ("c.t = 1", False),
    ("c.z = null", True),
    ("c.n != null", True),
    ("c.n <> 5", False),
    ("c.none = null", UNDEFINED),
    ("c.n < '6'", UNDEFINED),
    ("c.none > 1", UNDEFINED),
    ("c.none > 1 OR true", True),
    ("c.none > 1 AND true", UNDEFINED),
    ("c.none > 1 AND false", False),
    ("NOT c.t", False),
    ("NOT c.n", UNDEFINED),
    ("c.n > 3 AND NOT (c.n >= 9 OR c.x > 2)", True),
    ("c.n IN (1, 5, '5')", True),
    ("c.n NOT IN (1, 5)", False),
    ("c.none IN (1)", UNDEFINED),
    ("c.s IN ('hello')", False),
    ("c['map']['odd name']", 1),
    ("c.map.a.b", [10, 20]),
    ("'it\\'s \\u00e9 \\\\ \"q\"'", 'it\'s é \\ "q"'),
    ("0x1F", 31),
    ("1.5e2", 150),
    ("IS_DEFINED(c.none)", False),
    ("is_defined(c.z) and not is_defined(c.none)", True),
]


async def test_an_expression_gives_its_value(container: ContainerProxy) -> None:
    found = {
        expression: await rows(container, f"SELECT VALUE {expression} FROM c", "A")
        for expression, _ in EXPRESSIONS
    }

    for expression, value in EXPRESSIONS:
        assert found[expression] == ([] if value is UNDEFINED else [value]), expression
        assert value is UNDEFINED or type(found[expression][0]) is type(value), expression


SELECTS: list[tuple[str, list[Any]]] = [
    ("SELECT c.id, c.n AS number, c.none, c.n = 5 FROM c", [{"id": "1", "number": 5, "$1": True}]),
    ("SELECT c.s label FROM root c", [{"label": "Hello"}]),
    ("SELECT * FROM c WHERE c.n = 5 ORDER BY c.n", [ITEM]),
    ("SELECT VALUE c FROM c", [ITEM]),
    ("SELECT TOP 0 * FROM c", []),
    ("SELECT TOP @one VALUE c.n FROM c", [5]),
    ("SELECT DISTINCT VALUE c.n FROM c", [5]),
    ("SELECT VALUE @one FROM c", [1]),
    ('select value c.n from c where c.s = "Hello" -- a comment\n order by c.n', [5]),
]


async def test_a_select_gives_its_rows(container: ContainerProxy) -> None:
    for text, expected in SELECTS:
        found = await rows(container, text, "A", one=1)

        assert [without_system(row) for row in found] == expected, text


def without_system(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {name: value for name, value in row.items() if not name.startswith("_")}


UNSERVED = [
    ("SELECT VALUE COUNT(1) FROM c", "The function COUNT"),
    ("SELECT VALUE ARRAY_CONTAINS(c.list, 1) FROM c", "The function ARRAY_CONTAINS"),
    ("SELECT VALUE udf.f(c) FROM c", "A user-defined function"),
    ("SELECT VALUE p FROM c JOIN p IN c.people", "JOIN"),
    ("SELECT VALUE p FROM p IN c.people", "FROM a part of the items"),
    ("SELECT * FROM c.map", "FROM a part of the items"),
    ("SELECT c.n FROM c GROUP BY c.n", "GROUP"),
    ("SELECT * FROM c OFFSET 1 LIMIT 1", "OFFSET"),
    ("SELECT * FROM c ORDER BY c.a, c.b", "ORDER BY several properties"),
    ("SELECT * FROM c WHERE c.s LIKE 'H%'", "LIKE"),
    ("SELECT * FROM c WHERE c.n BETWEEN 1 AND 2", "BETWEEN"),
    ("SELECT * FROM c WHERE EXISTS(SELECT VALUE 1 FROM c)", "EXISTS"),
    ("SELECT VALUE (SELECT VALUE 1 FROM c) FROM c", "SELECT"),
    ("SELECT VALUE c.n + 1 FROM c", "+"),
    ("SELECT VALUE c.s || 'x' FROM c", "||"),
    ("SELECT VALUE c.none ?? 1 FROM c", "??"),
    ("SELECT VALUE c.t ? 1 : 2 FROM c", "?"),
    ("SELECT VALUE c.list[0] FROM c", "An array's element"),
    ("SELECT VALUE {a: c.n} FROM c", "{"),
    ("SELECT VALUE [c.n] FROM c", "["),
]


@pytest.mark.skipif(bool(REAL), reason="a real account serves the whole language")
async def test_a_part_of_the_language_that_is_not_served_is_refused_by_name(
    container: ContainerProxy,
) -> None:
    for text, named in UNSERVED:
        with pytest.raises(CosmosHttpResponseError) as refused:
            await rows(container, text, "A")

        assert refused.value.status_code == 400
        assert f"{named} " in str(refused.value), text
        assert "not implemented by the local stand-in" in str(refused.value), text
