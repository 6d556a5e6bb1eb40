"""What presence and notification marks promise, whoever keeps them."""

import asyncio
import json
from typing import Any

import pytest

from shared.domain.ids import ConnectionId, SequenceNumber, UserId
from shared.domain.limits import Limit
from shared.domain.people.presence import Presence
from shared.domain.times import to_ms
from shared.ports import Call
from tests.contract.ports.ends import LEASE_S, LiveEnd
from tests.unit.things import ANN, BOB, CAT, GROUP, NOON, PAIR

TV, PHONE = ConnectionId("tv"), ConnectionId("phone")


async def status(end: LiveEnd, user: UserId = ANN) -> str:
    (presence,) = await end.presence.list_presences([user])
    return presence.status


async def test_who_was_never_heard_of_is_offline(end: LiveEnd) -> None:
    assert await end.presence.list_presences([]) == []
    assert await end.presence.list_presences([ANN, BOB]) == [
        Presence(ANN, "offline", None),
        Presence(BOB, "offline", None),
    ]


async def test_the_first_lease_brings_a_user_online(end: LiveEnd) -> None:
    first = await end.live.enter(Call(ANN, TV))
    second = await end.live.enter(Call(ANN, PHONE))
    again = await end.live.enter(Call(ANN, TV))

    assert [one.came_online for one in (first, second, again)] == [True, False, False]
    assert [one.has_other_connections for one in (first, second, again)] == [False, True, True]
    assert await status(end) == "online"
    assert set(await end.presence.connections(ANN)) == {TV, PHONE}


async def test_a_call_without_a_connection_holds_no_lease(end: LiveEnd) -> None:
    alone = await end.live.enter(Call(ANN))
    await end.live.enter(Call(ANN, TV))
    beside = await end.live.enter(Call(ANN))

    assert (alone.came_online, alone.has_other_connections) == (False, False)
    assert beside.has_other_connections
    assert await end.presence.connections(BOB) == []


async def test_only_the_end_of_the_last_lease_takes_a_user_offline(end: LiveEnd) -> None:
    for connection in (TV, PHONE):
        await end.live.enter(Call(ANN, connection))

    ended = [await end.presence.close(ANN, one) for one in (TV, TV, PHONE, PHONE)]

    assert ended == [False, False, True, False]
    (presence,) = await end.presence.list_presences([ANN])
    assert presence.status == "offline"
    assert presence.last_seen_at is not None


async def test_an_ended_connection_is_not_revived_by_what_comes_late(end: LiveEnd) -> None:
    await end.presence.close(ANN, TV)

    late = await end.live.enter(Call(ANN, TV))

    assert not late.came_online
    assert await status(end) == "offline"


async def test_a_lease_lapses_without_a_sign_and_that_is_found_once(end: LiveEnd) -> None:
    await end.live.enter(Call(ANN, TV))
    assert await end.presence.lapse(limit=10) == []
    found: list[Presence] = []

    async def is_found() -> bool:
        found.extend(await end.presence.lapse(limit=10))
        return bool(found)

    await end.until(is_found)

    assert [(one.user_id, one.status) for one in found] == [(ANN, "offline")]
    assert await status(end) == "offline"
    assert await end.presence.lapse(limit=10) == []
    assert (await end.live.enter(Call(ANN, TV))).came_online


async def test_a_renewed_lease_does_not_lapse(end: LiveEnd) -> None:
    await end.live.enter(Call(ANN, TV))
    for _ in range(4):
        await end.let_pass(LEASE_S * 0.4)
        await end.live.enter(Call(ANN, TV))

        assert await end.presence.lapse(limit=10) == []
        assert await status(end) == "online"


async def test_a_renewed_lease_lapses_in_the_end(end: LiveEnd) -> None:
    await end.live.enter(Call(ANN, TV))
    await end.let_pass(LEASE_S * 0.6)
    await end.live.enter(Call(ANN, PHONE))
    await end.let_pass(LEASE_S * 0.6)
    assert await end.presence.lapse(limit=10) == []

    async def is_found() -> bool:
        return bool(await end.presence.lapse(limit=10))

    await end.until(is_found)


async def test_who_left_does_not_lapse_too(end: LiveEnd) -> None:
    await end.live.enter(Call(ANN, TV))
    await end.presence.close(ANN, TV)

    await end.let_pass(LEASE_S * 1.2)

    assert await end.presence.lapse(limit=10) == []


async def test_a_connection_that_ends_after_a_loss_is_news(end: LiveEnd) -> None:
    await end.live.enter(Call(ANN, TV))
    await end.lose()

    assert await end.presence.close(ANN, TV)
    assert not await end.presence.close(ANN, TV)


async def test_a_lost_lease_heals_with_the_next_call(end: LiveEnd) -> None:
    await end.live.enter(Call(ANN, TV))
    await end.lose()
    assert await status(end) == "offline"

    assert (await end.live.enter(Call(ANN, TV))).came_online
    assert await status(end) == "online"


async def test_a_refused_call_renews_the_lease_and_leaves_its_news_to_the_next(
    end: LiveEnd,
) -> None:
    limit = ("other", Limit(per_second=0.001, burst=1))
    await end.live.enter(Call(ANN, limit=limit))

    refused = await end.live.enter(Call(ANN, TV, limit))
    following = await end.live.enter(Call(ANN, TV))

    assert refused.wait_ms > 0
    assert (refused.came_online, following.came_online) == (False, True)


async def test_watching_tells_what_was_watched_before(end: LiveEnd) -> None:
    assert await end.presence.swap_watched(TV, [ANN, BOB]) == set()
    assert await end.presence.swap_watched(TV, [BOB, CAT]) == {ANN, BOB}
    assert await end.presence.swap_watched(PHONE, [ANN]) == set()
    assert await end.presence.swap_watched(TV, []) == {BOB, CAT}
    assert await end.presence.swap_watched(TV, []) == set()


async def test_the_website_is_told(end: LiveEnd) -> None:
    said = [Presence(ANN, "online", NOON), Presence(BOB, "offline", None)]

    for one in said:
        await end.presence.publish(one)

    async def came() -> bool:
        return len(end.published) == len(said)

    await end.until(came)
    assert [_as_json(one) for one in end.published] == [
        {"userId": ANN, "status": "online", "lastSeenAt": to_ms(NOON)},
        {"userId": BOB, "status": "offline", "lastSeenAt": None},
    ]


def _as_json(told: Any) -> Any:
    if isinstance(told, bytes):
        return json.loads(told)
    at = told.last_seen_at
    return {"userId": told.user_id, "status": told.status, "lastSeenAt": to_ms(at) if at else None}


async def test_typing_is_news_once_in_a_while(end: LiveEnd) -> None:
    async def typed() -> bool:
        return await end.presence.mark_typing(ANN, PAIR, typing=True)

    async def stopped() -> bool:
        return await end.presence.mark_typing(ANN, PAIR, typing=False)

    assert await typed()
    assert not await typed()
    assert await end.presence.mark_typing(BOB, PAIR, typing=True)
    assert not await end.presence.mark_typing(CAT, PAIR, typing=False)
    assert await end.presence.mark_typing(ANN, PAIR, typing=False)
    assert not await end.presence.mark_typing(ANN, PAIR, typing=False)
    assert not await typed()
    await end.until(typed)
    await end.until(stopped)
    assert not await typed()


async def test_typing_cannot_be_toggled_into_a_flood(end: LiveEnd) -> None:
    news = [
        await end.presence.mark_typing(ANN, PAIR, typing=number % 2 == 0) for number in range(40)
    ]

    assert news == [True, True] + [False] * 38


@pytest.mark.parametrize("released", [True, False])
async def test_a_mark_is_claimed_once(end: LiveEnd, released: bool) -> None:
    claim, release = end.marks.claim, end.marks.release

    assert await claim(ANN, GROUP, SequenceNumber(5), by="one")
    assert not await claim(ANN, GROUP, SequenceNumber(5), by="other")
    assert not await claim(ANN, GROUP, SequenceNumber(4), by="other")
    assert await claim(ANN, PAIR, SequenceNumber(1), by="one")
    assert await claim(BOB, GROUP, SequenceNumber(1), by="one")
    await release(ANN, GROUP, SequenceNumber(5 if released else 4))

    assert await claim(ANN, GROUP, SequenceNumber(5), by="other") == released
    assert await claim(ANN, GROUP, SequenceNumber(6), by="other")


async def test_a_claim_that_was_never_confirmed_is_its_own_notices_again(end: LiveEnd) -> None:
    await end.marks.claim(ANN, GROUP, SequenceNumber(5), by="one")

    again = await end.marks.claim(ANN, GROUP, SequenceNumber(5), by="one")
    await end.marks.confirm(ANN, GROUP, SequenceNumber(5))

    assert again
    assert not await end.marks.claim(ANN, GROUP, SequenceNumber(5), by="one")
    assert await end.marks.claim(ANN, GROUP, SequenceNumber(6), by="other")


async def test_a_confirmed_mark_never_goes_back(end: LiveEnd) -> None:
    await end.marks.confirm(ANN, GROUP, SequenceNumber(5))
    await end.marks.confirm(ANN, GROUP, SequenceNumber(3))

    assert await end.marks.list_notified([(ANN, GROUP)]) == [5]


async def test_marks_are_read_many_at_once(end: LiveEnd) -> None:
    await end.marks.confirm(ANN, GROUP, SequenceNumber(5))
    await end.marks.confirm(BOB, PAIR, SequenceNumber(7))
    await end.marks.claim(ANN, PAIR, SequenceNumber(2), by="one")

    found = await end.marks.list_notified([(ANN, GROUP), (ANN, PAIR), (BOB, PAIR)])

    assert found == [5, 0, 7]
    assert await end.marks.list_notified([]) == []


async def opened(end: LiveEnd, name: str, most: int = 3) -> list[ConnectionId]:
    connection = ConnectionId(name)
    await end.live.enter(Call(ANN, connection))
    return await end.presence.open(ANN, connection, most=most)


async def test_a_new_connection_ends_the_lease_of_the_oldest_above_the_most(end: LiveEnd) -> None:
    ended = [await opened(end, name) for name in ("c", "b", "a", "e", "d")]
    again = await opened(end, "b")  # a late second `connected` of one that was ended

    assert ended == [[], [], [], ["c"], ["b"]]
    assert again == []
    assert sorted(await end.presence.connections(ANN)) == ["a", "d", "e"]
    await end.live.enter(Call(ANN, ConnectionId("c")))
    assert sorted(await end.presence.connections(ANN)) == ["a", "d", "e"]
    assert await opened(end, "f", most=1) == ["a", "e", "d"]
    assert await end.presence.connections(BOB) == []


async def test_connections_that_ended_by_themselves_do_not_count(end: LiveEnd) -> None:
    for name in ("a", "b", "c"):
        await opened(end, name)
    await end.presence.close(ANN, ConnectionId("b"))

    assert await opened(end, "d") == []
    assert await opened(end, "d") == []
    assert await opened(end, "e") == ["a"]


async def test_a_connection_whose_opening_was_missed_is_the_oldest(end: LiveEnd) -> None:
    await opened(end, "a")
    await end.live.enter(Call(ANN, ConnectionId("z")))
    await opened(end, "b")

    assert await opened(end, "c") == ["z"]


async def test_five_hundred_calls_at_once_get_what_the_bucket_holds(end: LiveEnd) -> None:
    call = Call(ANN, limit=("other", Limit(per_second=0.001, burst=200)))

    states = await asyncio.gather(*(end.live.enter(call) for _ in range(500)))

    assert len([one for one in states if not one.wait_ms]) == 200
