"""History: pages by sequence, from both ends and in the middle."""

import pytest

from tests.integration.app.people import Person, World, code_of

pytestmark = pytest.mark.stack

COUNT = 120


@pytest.fixture
async def talk(world: World) -> tuple[Person, str]:
    """Give a conversation of 120 messages, the nth of which says n."""
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    for number in range(1, COUNT + 1):
        await (ann if number % 2 else bob).say(conversation_id, str(number))
    return ann, conversation_id


async def test_pages_of_120_messages_have_no_gaps_and_right_edges(
    talk: tuple[Person, str],
) -> None:
    ann, conversation_id = talk

    async def page(query: str) -> list[int]:
        return [item["sequence"] for item in await ann.read(conversation_id, query)]

    assert await page("") == list(range(71, 121))
    assert await page("limit=100") == list(range(21, 121))
    assert await page("limit=1") == [120]
    assert await page("before=21&limit=100") == list(range(1, 21))
    assert await page("before=1") == []
    assert await page("before=0") == []
    assert await page("before=100000&limit=2") == [119, 120]
    assert await page("after=0&limit=3") == [1, 2, 3]
    assert await page("after=118") == [119, 120]
    assert await page("after=120") == []
    assert await page("after=100000") == []
    assert await page("after=10&before=14") == [11, 12, 13]
    assert await page("after=10&before=14&limit=2") == [11, 12]
    assert await page("after=14&before=10") == []


async def test_walking_either_way_meets_every_message_once_in_rising_order(
    talk: tuple[Person, str],
) -> None:
    ann, conversation_id = talk
    back: list[str] = []
    forth: list[str] = []

    before = COUNT + 1
    while page := await ann.read(conversation_id, f"before={before}&limit=33"):
        back = [item["body"] for item in page] + back
        before = page[0]["sequence"]
    after = 0
    while page := await ann.read(conversation_id, f"after={after}&limit=33"):
        forth += [item["body"] for item in page]
        after = page[-1]["sequence"]

    assert back == [str(number) for number in range(1, COUNT + 1)]
    assert forth == back


async def test_a_page_names_the_newest_sequence_wherever_it_ends(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    path = f"/conversations/{conversation_id}/messages"

    empty = await bob.good("GET", path)
    for _ in range(3):
        await ann.say(conversation_id)
    page = await bob.good("GET", f"{path}?before=2")

    assert empty == {"items": [], "latestSequence": 0}
    assert page["latestSequence"] == 3
    assert [item["sequence"] for item in page["items"]] == [1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e1", "limit"),
        ("limit=%D9%A3", "limit"),
        ("before=-1", "before"),
        ("before=1.5", "before"),
        ("after=x", "after"),
        ("after=99999999999999999999", "after"),
        ("before=1&before=2", "before"),
    ],
)
async def test_a_wrong_query_is_refused_by_the_name_of_its_field(
    world: World, query: str, field: str
) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)

    reply = await ann.call("GET", f"/conversations/{conversation_id}/messages?{query}")

    assert (reply.status, code_of(reply)) == (400, "invalid")
    assert field in reply.json["detail"]
