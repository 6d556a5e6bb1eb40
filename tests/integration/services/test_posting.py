"""Sending: store first, push second; once, whatever is lost on the way."""

from dataclasses import replace

import pytest

from shared.domain.errors import (
    BlockedError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from shared.domain.events import MessagePosted, Push, ToGroup, ToUser
from shared.domain.limits import Limit
from shared.ports import Call
from tests.integration.services.world import (
    Worker,
    World,
    by,
    draft,
    post,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, DAN, GROUP


async def test_messages_are_numbered_from_one_without_a_gap(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    posted = [
        await post(worker, conversation.id, n, user) for n, user in enumerate((ANN, BOB, ANN))
    ]

    assert [one.message.sequence for one in posted] == [1, 2, 3]
    assert not any(one.repeated for one in posted)
    assert world.stored(conversation.id) == [one.message for one in posted]


async def test_a_message_to_a_pair_is_pushed_to_the_other_and_to_the_senders_other_devices(
    worker: Worker,
) -> None:
    conversation = (await start_pair(worker)).conversation
    call = by(ANN, "phone")
    await worker.chat.connections.connected(by(ANN, "desk"), call.connection_id)  # type: ignore[arg-type]

    alone = await worker.chat.posting.post_message(by(BOB, "tv"), conversation.id, draft(1))
    both = await worker.chat.posting.post_message(call, conversation.id, draft(2))

    event = MessagePosted(alone.message)
    assert [one for one in alone.effects if isinstance(one.event, MessagePosted)] == [  # type: ignore[union-attr]
        Push(event, ToUser(ANN))
    ]
    event = MessagePosted(both.message)
    assert both.effects == [Push(event, ToUser(BOB)), Push(event, ToUser(ANN))]


async def test_a_device_that_connects_while_its_users_message_is_stored_is_pushed_to(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    link = worker.messages.link

    async def connect_meanwhile(name: str) -> None:
        if name == "append":
            await world.live.enter(by(ANN, "desk"))

    link.pause = connect_meanwhile
    posted = await worker.chat.posting.post_message(by(ANN, "phone"), conversation.id, draft(1))

    event = MessagePosted(posted.message)
    assert posted.effects[-2:] == [Push(event, ToUser(BOB)), Push(event, ToUser(ANN))]


async def test_a_message_to_a_group_is_one_push_however_many_members(worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB, CAT, DAN)).conversation

    posted = await post(worker, conversation.id, 1)

    assert posted.effects == [Push(MessagePosted(posted.message), ToGroup(conversation.id))]


async def test_a_repeat_returns_the_original_and_is_pushed_again(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    first = await post(worker, conversation.id, 1, body="first")

    again = await post(worker, conversation.id, 1, body="other", retry=True)

    assert again.repeated
    assert again.message == first.message
    assert again.effects == first.effects
    assert len(world.stored(conversation.id)) == 1


async def test_two_senders_may_use_one_client_message_id(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation

    await post(worker, conversation.id, 1, ANN)
    await post(worker, conversation.id, 1, BOB)

    assert [one.sender_id for one in world.stored(conversation.id)] == [ANN, BOB]


async def test_a_lost_reply_is_answered_with_the_original(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    worker.messages.link.fail("append", when="after")

    with pytest.raises(UnavailableError):
        await post(worker, conversation.id, 1)
    again = await post(worker, conversation.id, 1, retry=True)

    assert again.repeated
    assert again.message.sequence == 1
    assert len(world.stored(conversation.id)) == 1


async def test_what_was_not_stored_is_stored_by_the_retry(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    worker.messages.link.fail("append", when="before")

    with pytest.raises(UnavailableError):
        await post(worker, conversation.id, 1)
    again = await post(worker, conversation.id, 1, retry=True)

    assert not again.repeated
    assert len(world.stored(conversation.id)) == 1


async def test_a_retry_finds_its_original_buckets_ago() -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "2"})
    worker = world.worker()
    conversation = (await start_pair(worker)).conversation
    first = await post(worker, conversation.id, 0)
    for number in range(1, 8):
        await post(worker, conversation.id, number)

    again = await post(world.worker(), conversation.id, 0, retry=True)

    assert (again.message, again.repeated) == (first.message, True)
    assert len(world.stored(conversation.id)) == 8


async def test_a_send_is_one_request_to_the_store_and_two_to_live_state(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)
    links = worker.messages.link, worker.conversations.link, world.users.link, world.redis_link
    for link in links:
        link.calls.clear()

    await post(worker, conversation.id, 2)

    assert [dict(link.calls) for link in links] == [
        {"append": 1},
        {},
        {},
        {"enter_conversation": 1, "record_sent": 1},
    ]


async def test_without_live_state_messages_are_stored_in_order(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)
    world.redis_link.down = True

    posted = [await post(one, conversation.id, n) for n, one in ((2, worker), (3, world.worker()))]

    assert [one.message.sequence for one in posted] == [2, 3]


async def test_what_was_sent_while_live_state_was_lost_is_its_head_again(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)
    world.redis.flush()

    posted = await post(world.worker(), conversation.id, 2)

    head = await world.live.head(conversation.id)
    assert posted.message.sequence == 2
    assert (head.is_cached, head.sequence) == (True, 2)


async def test_a_stranger_posts_nowhere(worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation

    with pytest.raises(NotFoundError):
        await post(worker, conversation.id, 1, CAT)
    with pytest.raises(NotFoundError):
        await post(worker, GROUP, 1, ANN)


@pytest.mark.parametrize("blocker", [ANN, BOB])
async def test_a_block_stops_both_sides_on_every_worker(
    world: World, worker: Worker, blocker: str
) -> None:
    conversation = (await start_pair(worker)).conversation
    other_worker = world.worker()
    await post(other_worker, conversation.id, 1)

    one, other = (ANN, BOB) if blocker == ANN else (BOB, ANN)
    await worker.chat.accounts.block(by(one), other, blocked=True)

    for sender in (ANN, BOB):
        with pytest.raises(BlockedError):
            await post(other_worker, conversation.id, 2, sender)
    await worker.chat.accounts.block(by(one), other, blocked=False)
    assert (await post(other_worker, conversation.id, 2)).message.sequence == 2


async def test_a_removed_member_posts_no_more_on_any_worker(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    other_worker = world.worker()
    await post(other_worker, conversation.id, 1, BOB)

    await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=BOB)

    with pytest.raises(NotFoundError):
        await post(other_worker, conversation.id, 2, BOB)


async def test_a_limit_holds_across_workers(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    call = replace(by(ANN), limit=("messages", Limit(per_second=1, burst=2)))

    for number, one in enumerate((worker, world.worker())):
        await one.chat.posting.post_message(call, conversation.id, draft(number))
    with pytest.raises(RateLimitedError) as refused:
        await worker.chat.posting.post_message(call, conversation.id, draft(2))

    assert refused.value.retry_after_ms == 1001
    world.clock.advance(1.1)
    await worker.chat.posting.post_message(call, conversation.id, draft(2))


async def test_a_worker_keeps_the_limits_while_live_state_is_down(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    limit = ("messages", Limit(per_second=1, burst=2))
    await worker.chat.posting.post_message(Call(ANN, limit=limit), conversation.id, draft(1))
    world.redis_link.down = True

    await worker.chat.posting.post_message(Call(ANN, limit=limit), conversation.id, draft(2))
    with pytest.raises(RateLimitedError) as refused:
        await worker.chat.posting.post_message(Call(ANN, limit=limit), conversation.id, draft(3))
    await worker.chat.posting.post_message(Call(BOB, limit=limit), conversation.id, draft(4))

    assert 0 < (refused.value.retry_after_ms or 0) <= 1001
    assert len(world.stored(conversation.id)) == 3


@pytest.mark.parametrize("late_s", [0, 20 * 60, -20 * 60, 3 * 3600, -3 * 3600])
@pytest.mark.parametrize("writer_s", [0, 20 * 60, -20 * 60, 3 * 3600, -3 * 3600])
async def test_a_first_attempt_that_comes_late_is_found_whatever_the_workers_clocks_say(
    writer_s: int, late_s: int
) -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "3"})
    writer, late = world.worker(ahead_s=writer_s), world.worker(ahead_s=late_s)
    place = (await start_pair(writer)).conversation.id
    await post(writer, place, 1, retry=True)
    for number in range(2, 6):  # the next bucket is open, by another worker's clock
        await post(writer, place, number)

    posted = await post(late, place, 1)

    assert posted.repeated
    assert posted.message.sequence == 1
    assert len(world.stored(place)) == 5


async def test_an_old_bucket_costs_no_look() -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "3"})
    worker = world.worker(ahead_s=-3 * 3600)
    place = (await start_pair(worker)).conversation.id
    for number in range(1, 5):
        await post(worker, place, number)
    other = world.worker(ahead_s=3 * 3600)
    await post(other, place, 5)
    looks = other.messages.link.calls["find_original"]

    world.clock.advance(15 * 60 + 1)
    await post(other, place, 6, user=BOB)

    assert other.messages.link.calls["find_original"] == looks
    assert other.messages.link.calls["age_s"] == 1
