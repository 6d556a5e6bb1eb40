"""Starting conversations, and changing who is in them."""

import asyncio

import pytest

from shared.domain.errors import (
    BlockedError,
    ConversationFullError,
    ForbiddenError,
    InvalidError,
    RateLimitedError,
    UserNotFoundError,
)
from shared.domain.events import (
    ConversationChanged,
    MessagePosted,
    Push,
    ToGroup,
    ToUser,
)
from shared.domain.ids import UserId
from shared.domain.limits import Limit
from shared.domain.people.user import User
from shared.ports import Call
from tests.integration.services.world import (
    Worker,
    World,
    by,
    post,
    pushed,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, DAN, PAIR

CROWD = [UserId(f"user-{n}") for n in range(120)]


def crowded() -> World:
    return World([User(user, user.title()) for user in (ANN, BOB, *CROWD)])


async def test_a_pair_has_one_conversation_whoever_starts_it(world: World, worker: Worker) -> None:
    first = await start_pair(worker, ANN, BOB)

    second = await start_pair(world.worker(), BOB, ANN)

    assert first.conversation.id == second.conversation.id == PAIR
    assert (first.created, second.created) == (True, False)
    assert second.conversation.member_ids == (ANN, BOB)


async def test_both_may_start_it_at_once(world: World, worker: Worker) -> None:
    started = await asyncio.gather(
        start_pair(worker, ANN, BOB), start_pair(world.worker(), BOB, ANN)
    )

    assert sorted(one.created for one in started) == [False, True]
    for user in (ANN, BOB):
        assert list(await world.memberships.list_all(user)) == [PAIR]


async def test_a_new_conversation_is_news_to_its_members(world: World, worker: Worker) -> None:
    pair_ = await start_pair(worker)
    group = await start(worker, ANN, BOB)

    event = ConversationChanged(pair_.conversation, pair_.latest)
    assert pair_.effects == [Push(event, ToUser(ANN)), Push(event, ToUser(BOB))]
    event = ConversationChanged(group.conversation, group.latest)
    assert group.effects == [Push(event, ToGroup(group.conversation.id))]
    for user in (ANN, BOB):
        assert list(world.hub.remembered[user]) == [group.conversation.id]


@pytest.mark.parametrize("others", [[], [ANN], [BOB, CAT]])
async def test_a_direct_conversation_is_of_two(worker: Worker, others: list[UserId]) -> None:
    with pytest.raises(InvalidError, match="memberIds"):
        await worker.chat.new_conversations.start(
            by(ANN), kind="direct", member_ids=others, title=""
        )


async def test_members_are_users_of_the_website(worker: Worker) -> None:
    with pytest.raises(UserNotFoundError):
        await start_pair(worker, ANN, UserId("nobody"))
    with pytest.raises(UserNotFoundError):
        await start(worker, ANN, BOB, UserId("nobody"))


async def test_who_is_not_fed_yet_may_start_a_conversation(worker: Worker) -> None:
    started = await start_pair(worker, UserId("newcomer"), BOB)

    assert started.created


@pytest.mark.parametrize(("blocker", "blocked"), [(ANN, BOB), (BOB, ANN)])
async def test_a_block_stands_between_a_pair_and_in_groups(
    worker: Worker, blocker: UserId, blocked: UserId
) -> None:
    await worker.chat.accounts.block(by(blocker), blocked, blocked=True)
    group = (await start(worker, ANN, CAT)).conversation

    with pytest.raises(BlockedError):
        await start_pair(worker, ANN, BOB)
    with pytest.raises(BlockedError):
        await start(worker, ANN, BOB, CAT)
    with pytest.raises(BlockedError):
        await worker.chat.conversations.add_members(by(ANN), group.id, user_ids=[BOB])


@pytest.mark.parametrize("blocker", [ANN, BOB])
@pytest.mark.parametrize("turns", range(12))
async def test_a_block_holds_however_it_meets_the_start_of_the_conversation(
    world: World, worker: Worker, blocker: UserId, turns: int
) -> None:
    blocked = BOB if blocker == ANN else ANN

    async def block() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await world.worker().chat.accounts.block(by(blocker), blocked, blocked=True)

    await asyncio.gather(start_pair(worker, ANN, BOB), block(), return_exceptions=True)

    conversation = await worker.conversations.find(PAIR)
    assert conversation is None or conversation.blocked_by == (blocker,)


async def test_starting_is_limited(worker: Worker) -> None:
    call = Call(ANN, limit=("conversations", Limit(per_second=0.1, burst=1)))
    await worker.chat.new_conversations.start(call, kind="group", member_ids=[BOB], title="")

    with pytest.raises(RateLimitedError):
        await worker.chat.new_conversations.start(call, kind="direct", member_ids=[BOB], title="")


async def test_the_hundred_and_first_member_does_not_get_in() -> None:
    world = crowded()
    worker = world.worker()
    full = (await start(worker, ANN, *CROWD[:99])).conversation

    with pytest.raises(ConversationFullError):
        await start(worker, ANN, *CROWD[:100])
    with pytest.raises(ConversationFullError):
        await worker.chat.conversations.add_members(by(ANN), full.id, user_ids=[BOB])

    assert len(full.members) == 100


async def test_of_many_who_are_added_at_once_a_hundred_get_in() -> None:
    world = crowded()
    worker = world.worker()
    conversation = (await start(worker, ANN, *CROWD[:95])).conversation

    added = await asyncio.gather(
        *(
            world.worker().chat.conversations.add_members(by(ANN), conversation.id, user_ids=[user])
            for user in CROWD[95:103]
        ),
        return_exceptions=True,
    )

    stored = await worker.conversations.find(conversation.id)
    assert stored is not None
    assert len(stored.members) == 100
    assert sum(isinstance(one, ConversationFullError) for one in added) == 4


async def test_a_newcomer_is_let_in_and_sees_what_comes(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)

    changed = await worker.chat.conversations.add_members(
        by(ANN), conversation.id, user_ids=[CAT, DAN]
    )

    said = world.stored(conversation.id)[-1]
    assert (said.sequence, said.kind, said.body) == (2, "system", "Ann added Cat, Dan")
    for user in (CAT, DAN):
        assert list(world.hub.remembered[user]) == [conversation.id]
    assert changed.latest == 2
    page = await worker.chat.history.list_messages(
        by(CAT), conversation.id, before=None, after=None, limit=50
    )
    assert [message.sequence for message, _ in page.messages] == [2]
    inbox = await worker.chat.inbox.list_conversations(by(CAT), limit=10, after=None)
    assert [item.unread_count for item in inbox.items] == [1]


async def test_adding_tells_of_those_only_who_were_not_there(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=[BOB, CAT])

    assert [one.body for one in world.stored(conversation.id)] == ["Ann added Cat"]


async def test_adding_whom_one_has_changes_nothing(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    changed = await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=[BOB])

    assert changed.conversation == conversation
    assert pushed(changed.effects) == []
    assert world.stored(conversation.id) == []


async def test_a_member_may_not_add_or_rename(worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    with pytest.raises(ForbiddenError):
        await worker.chat.conversations.add_members(by(BOB), conversation.id, user_ids=[CAT])
    with pytest.raises(ForbiddenError):
        await worker.chat.conversations.rename(by(BOB), conversation.id, title="Mine")


@pytest.mark.parametrize(
    ("title", "said"),
    [("Lake", "Ann renamed the conversation to “Lake”"), ("", "Ann removed the title")],
)
async def test_a_new_title_is_said_to_all(
    world: World, worker: Worker, title: str, said: str
) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    changed = await worker.chat.conversations.rename(by(ANN), conversation.id, title=title)

    assert (changed.conversation.title, changed.conversation.version) == (title, 2)
    events = [one.event for one in pushed(changed.effects)]
    assert events[0] == ConversationChanged(changed.conversation, events[0].latest)  # type: ignore[union-attr]
    assert isinstance(events[1], MessagePosted)
    assert [one.body for one in world.stored(conversation.id)] == [said]
