"""What expressions, clauses and functions of the query language give."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from tests.contract.cosmos.harness import Account, new_container, rows, running_account

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
    ("c.n + 2 * 3 - 4 / 2", 9),
    ("(c.n + 1) % 4", 2),
    ("-c.n", -5),
    ("7 & 3 | 8", 11),
    ("1 << 3 ^ 1", 9),
    ("c.s || ' ' || 'world'", "Hello world"),
    ("c.n = 5.0", True),
    ("c.n = '5'", False),
    ("c.t = 1", False),
    ("c.z = null", True),
    ("c.n != null", True),
    ("c.none = null", UNDEFINED),
    ("c.n < '6'", UNDEFINED),
    ("c.none > 1", UNDEFINED),
    ("c.none > 1 OR true", True),
    ("c.none > 1 AND true", UNDEFINED),
    ("c.none > 1 AND false", False),
    ("NOT c.t", False),
    ("NOT c.n", UNDEFINED),
    ("c.n > 3 AND NOT (c.n > 9 OR c.x > 2)", True),
    ("c.n BETWEEN 5 AND 6", True),
    ("c.n NOT BETWEEN 5 AND 6", False),
    ("c.n IN (1, 5, '5')", True),
    ("c.n NOT IN (1, 5)", False),
    ("c.s IN ('hello')", False),
    ("c.s LIKE 'H%o'", True),
    ("c.s LIKE 'h%'", False),
    ("c.s LIKE 'H_llo'", True),
    ("c.s LIKE '[F-J]ello'", True),
    ("c.s NOT LIKE '%z%'", True),
    ("'50%' LIKE '50!%' ESCAPE '!'", True),
    ("c.none ?? 'other'", "other"),
    ("c.z ?? 'other'", None),
    ("c.n > 4 ? 'big' : 'small'", "big"),
    ("c.none ? 1 : 2", 2),
    ("c.list[1]", 1),
    ("c.list[9]", UNDEFINED),
    ("c['map']['odd name']", 1),
    ("c.map.a.b[1]", 20),
    ("{id: c.id, 'none': c.none, deep: [c.n, c.none]}", {"id": "1", "deep": [5]}),
    ("[c.n, {a: c.s}]", [5, {"a": "Hello"}]),
    ("'it\\'s \\u00e9 \\\\ \"q\"'", 'it\'s é \\ "q"'),
    ("0x1F", 31),
    ("1.5e2 + 0.0", 150),
    ("IS_DEFINED(c.none)", False),
    ("IS_NULL(c.z) AND IS_STRING(c.s) AND IS_NUMBER(c.n) AND IS_BOOL(c.t)", True),
    ("IS_ARRAY(c.list) AND IS_OBJECT(c.map) AND IS_PRIMITIVE(c.z)", True),
    ("ARRAY_CONTAINS(c.list, 2)", True),
    ("ARRAY_CONTAINS(c.list, '2')", False),
    ("ARRAY_CONTAINS(c.people, {name: 'ann'}, true)", True),
    ("ARRAY_CONTAINS(c.people, {name: 'ann'})", False),
    ("ARRAY_CONTAINS(c.s, 'H')", UNDEFINED),
    ("ARRAY_LENGTH(c.list)", 3),
    ("ARRAY_SLICE(c.list, 1)", [1, 2]),
    ("ARRAY_SLICE(c.list, -2, 1)", [1]),
    ("ARRAY_CONCAT(c.list, [9])", [3, 1, 2, 9]),
    ("CONTAINS(c.s, 'LL')", False),
    ("CONTAINS(c.s, 'LL', true)", True),
    ("STARTSWITH(c.s, 'he', true) AND ENDSWITH(c.s, 'lo')", True),
    ("STRINGEQUALS(c.s, 'hello', true)", True),
    ("CONCAT(LOWER(c.s), UPPER(c.s))", "helloHELLO"),
    ("LENGTH(c.s) + LENGTH(TRIM('  a '))", 6),
    ("LENGTH(c.n)", UNDEFINED),
    ("SUBSTRING(c.s, 1, 3)", "ell"),
    ("LEFT(c.s, 2) || RIGHT(c.s, 2)", "Helo"),
    ("INDEX_OF(c.s, 'l')", 2),
    ("REPLACE(c.s, 'l', 'L')", "HeLLo"),
    ("REVERSE(c.s)", "olleH"),
    ("REPLICATE('ab', 2)", "abab"),
    ("REGEXMATCH(c.s, '^h', 'i')", True),
    ("TOSTRING(c.n)", "5"),
    ("STRINGTONUMBER('2.5')", 2.5),
    ("STRINGTONUMBER('x')", UNDEFINED),
    ("ABS(-2) + CEILING(1.2) + FLOOR(1.8) + ROUND(2.5)", 8),
    ("POWER(2, 3) + SQRT(9)", 11),
    ("SIGN(-3)", -1),
    ("c.n / 0", UNDEFINED),
    ("EXISTS(SELECT VALUE p FROM p IN c.people WHERE p.age > 35)", True),
    ("EXISTS(SELECT VALUE p FROM p IN c.people WHERE p.age > 45)", False),
    ("ARRAY(SELECT VALUE p.name FROM p IN c.people)", ["ann", "bob"]),
    ("(SELECT VALUE SUM(p.age) FROM p IN c.people)", 70),
]


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS)
async def test_an_expression_gives_its_value(
    container: ContainerProxy, expression: str, value: Any
) -> None:
    found = await rows(container, f"SELECT VALUE {expression} FROM c", "A")

    assert found == ([] if value is UNDEFINED else [value])
    assert value is UNDEFINED or type(found[0]) is type(value)


SELECTS: list[tuple[str, list[Any]]] = [
    ("SELECT c.id, c.n AS number, c.none, c.n + 1 FROM c", [{"id": "1", "number": 5, "$1": 6}]),
    ("SELECT c.s label FROM root c", [{"label": "Hello"}]),
    ("SELECT VALUE p.name FROM c JOIN p IN c.people WHERE p.age < 35", ["ann"]),
    ("SELECT VALUE [p.name, n] FROM c JOIN p IN c.people JOIN n IN c.list WHERE n > 2",
     [["ann", 3], ["bob", 3]]),
    ("SELECT VALUE p FROM p IN c.list ORDER BY p", [1, 2, 3]),
    ("SELECT VALUE n FROM c JOIN n IN (SELECT VALUE m FROM m IN c.list WHERE m > 1)", [3, 2]),
    ("SELECT * FROM c.map.a", [{"b": [10, 20]}]),
    ("SELECT TOP 1 VALUE n FROM c JOIN n IN c.list", [3]),
    ("SELECT TOP @one VALUE n FROM c JOIN n IN c.list", [3]),
    ("SELECT VALUE n FROM c JOIN n IN c.list OFFSET 1 LIMIT @one", [1]),
    ("SELECT DISTINCT VALUE n % 2 FROM c JOIN n IN c.list", [1, 0]),
    ("SELECT VALUE {n: COUNT(1), least: MIN(n), most: MAX(n), mean: AVG(n)} "
     "FROM c JOIN n IN c.list", [{"n": 3, "least": 1, "most": 3, "mean": 2}]),
    ("SELECT n % 2 AS odd, SUM(n) AS total FROM c JOIN n IN c.list GROUP BY n % 2",
     [{"odd": 1, "total": 4}, {"odd": 0, "total": 2}]),
    ("SELECT VALUE COUNT(c.none) FROM c", [0]),
    ("SELECT COUNT(1) AS n FROM c WHERE c.n > 9", [{"n": 0}]),
    ("SELECT VALUE @one", [1]),
    ("select value c.n from c where c.s = \"Hello\" -- a comment\n order by c.n", [5]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SELECTS)
async def test_a_select_gives_its_rows(
    container: ContainerProxy, text: str, expected: list[Any]
) -> None:
    found = await rows(container, text, "A", one=1)

    assert found == expected
