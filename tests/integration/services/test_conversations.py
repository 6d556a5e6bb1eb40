"""Starting conversations, and changing who is in them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import (
    BlockedError,
    ConversationFullError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
    UserNotFoundError,
)
from shared.domain.events import (
    ConversationChanged,
    ConversationRemoved,
    JoinGroup,
    LeaveGroup,
    MessagePosted,
    Push,
    ToConnection,
    ToGroup,
    ToUser,
)
from shared.domain.ids import ConnectionId, UserId, direct_conversation_id
from shared.domain.limits import Limit
from shared.domain.live import Call
from shared.domain.message import MAX_BODY_CHARACTERS
from shared.domain.user import User
from tests.integration.services.world import (
    Worker,
    World,
    by,
    joins,
    leaves,
    post,
    pushed,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, DAN, GROUP, NOON, PAIR

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


async def test_a_new_conversation_is_news_to_its_members(worker: Worker) -> None:
    pair_ = await start_pair(worker)
    group = await start(worker, ANN, BOB)

    event = ConversationChanged(pair_.conversation, pair_.latest)
    assert pair_.effects == [Push(event, ToUser(ANN)), Push(event, ToUser(BOB))]
    event = ConversationChanged(group.conversation, group.latest)
    assert group.effects == [
        JoinGroup(ToUser(ANN), group.conversation.id),
        JoinGroup(ToUser(BOB), group.conversation.id),
        Push(event, ToGroup(group.conversation.id)),
    ]


@pytest.mark.parametrize("others", [[], [ANN], [BOB, CAT]])
async def test_a_direct_conversation_is_of_two(worker: Worker, others: list[UserId]) -> None:
    with pytest.raises(InvalidError, match="memberIds"):
        await worker.chat.conversations.start(by(ANN), kind="direct", member_ids=others, title="")


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


async def test_a_block_between_others_is_theirs(worker: Worker) -> None:
    await worker.chat.accounts.block(by(BOB), CAT, blocked=True)

    started = await start(worker, ANN, BOB, CAT)

    assert started.created


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
    await worker.chat.conversations.start(call, kind="group", member_ids=[BOB], title="")

    with pytest.raises(RateLimitedError):
        await worker.chat.conversations.start(call, kind="direct", member_ids=[BOB], title="")


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
    assert joins(changed.effects) == [
        JoinGroup(ToUser(CAT), conversation.id),
        JoinGroup(ToUser(DAN), conversation.id),
    ]
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


async def test_a_removed_member_is_shut_out_of_everything(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    await worker.chat.presences.connected(by(CAT, "tv"), ConnectionId("tv"))

    changed = await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=CAT)

    assert leaves(changed.effects) == [
        LeaveGroup(ToUser(CAT), conversation.id),
        LeaveGroup(ToConnection(ConnectionId("tv")), conversation.id),
    ]
    places = [one.to for one in changed.effects if isinstance(one, Push)]
    assert changed.effects.index(
        Push(ConversationRemoved(conversation.id), ToUser(CAT))
    ) < changed.effects.index(
        next(one for one in pushed(changed.effects) if one.to == ToGroup(conversation.id))
    )
    assert places.count(ToUser(CAT)) == 1
    assert await world.memberships.list_all(CAT) == {}
    for worker_ in (worker, world.worker()):
        with pytest.raises(NotFoundError):
            await worker_.chat.conversations.open(by(CAT), conversation.id)
        inbox = await worker_.chat.inbox.list_conversations(by(CAT), limit=10, after=None)
        assert inbox.items == []
    assert world.stored(conversation.id)[-1].body == "Ann removed Cat"


async def test_the_owner_who_leaves_hands_over(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation

    changed = await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=ANN)

    owner = changed.conversation.find_member(BOB)
    assert owner is not None
    assert owner.role == "owner"
    assert world.stored(conversation.id)[-1].body == "Ann left"
    assert (await worker.chat.conversations.rename(by(BOB), conversation.id, title="Ours")).latest


async def test_the_last_one_out_says_nothing(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN)).conversation

    changed = await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=ANN)

    assert changed.conversation.members == ()
    assert world.stored(conversation.id) == []


async def test_nobody_removes_who_is_not_there(worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    with pytest.raises(NotFoundError, match="member"):
        await worker.chat.conversations.remove_member(
            by(ANN), conversation.id, user_id=UserId("nobody")
        )
    with pytest.raises(NotFoundError, match="conversation"):
        await worker.chat.conversations.remove_member(by(CAT), conversation.id, user_id=ANN)
    with pytest.raises(NotFoundError):
        await worker.chat.conversations.rename(by(ANN), GROUP, title="x")


async def test_muting_is_told_to_oneself_only(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    until = NOON + timedelta(hours=1)

    changed = await worker.chat.conversations.mute(by(BOB), conversation.id, until=until)

    assert [one.to for one in pushed(changed.effects)] == [ToUser(BOB)]
    inbox = await world.worker().chat.inbox.list_conversations(by(BOB), limit=10, after=None)
    assert [item.muted for item in inbox.items] == [True]
    assert world.stored(conversation.id) == []


async def test_a_change_that_always_comes_too_late_is_unavailable(worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    async def another_is_quicker(name: str) -> None:
        if name == "replace":
            log = worker.conversations.table.logs[conversation.id]
            newer = replace(log[-1].conversation, version=log[-1].conversation.version + 1)
            log.append(replace(log[-1], conversation=newer))

    worker.conversations.line.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="being changed"):
        await worker.chat.conversations.rename(by(ANN), conversation.id, title="Lake")
    with pytest.raises(UnavailableError, match="being changed"):
        await worker.chat.conversations.mute(by(ANN), conversation.id, until=None)


async def test_a_block_that_always_comes_too_late_is_unavailable(
    world: World, worker: Worker
) -> None:
    await start_pair(worker)
    line = worker.conversations.line

    async def another_is_quicker(name: str) -> None:
        if name == "replace":
            line.pause = nothing
            await world.worker().chat.conversations.mute(by(BOB), PAIR, until=None)
            line.pause = another_is_quicker

    async def nothing(_name: str) -> None:
        return

    line.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="being changed"):
        await worker.chat.conversations.set_block(ANN, BOB, blocked=True)


async def test_an_opened_conversation_has_everyones_receipt(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)

    for one in (worker, world.worker()):
        opened = await one.chat.conversations.open(by(BOB), conversation.id)
        assert opened.latest == 1
        assert [(r.user_id, r.read) for r in opened.receipts] == [(ANN, 1), (BOB, 0)]


async def test_a_change_after_a_crash_is_completed_by_the_change_feed(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    await post(worker, conversation.id, 1)
    world.memberships.line.fail("put", count=2)
    with pytest.raises(UnavailableError):
        await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=[DAN])
    world.memberships.line.fail("remove")
    with pytest.raises(UnavailableError):
        await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=CAT)
    world.memberships.line.clear()
    stored = await worker.conversations.find(conversation.id)
    assert stored is not None

    effects = await world.worker().chat.membership.repair(stored)

    assert list(await world.memberships.list_all(DAN)) == [conversation.id]
    assert await world.memberships.list_all(CAT) == {}
    assert leaves(effects) == [LeaveGroup(ToUser(CAT), conversation.id)]
    assert JoinGroup(ToUser(DAN), conversation.id) in effects
    assert await worker.chat.membership.repair(stored) == []


async def test_a_repair_of_a_pair_tells_nobody(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    world.redis_line.down = True

    assert await worker.chat.membership.repair(conversation) == []


async def test_without_live_state_conversations_are_started_and_changed(
    world: World, worker: Worker
) -> None:
    world.redis_line.down = True

    group = (await start(worker, ANN, BOB)).conversation
    await worker.chat.conversations.add_members(by(ANN), group.id, user_ids=[CAT])
    await worker.chat.conversations.remove_member(by(ANN), group.id, user_id=BOB)

    world.redis_line.down = False
    opened = await world.worker().chat.conversations.open(by(CAT), group.id)
    assert opened.conversation.member_ids == (ANN, CAT)
    with pytest.raises(NotFoundError):
        await world.worker().chat.conversations.open(by(BOB), group.id)


async def test_rights_survive_the_loss_of_live_state_whoever_makes_it_known_again(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    stale = world.worker()
    await stale.chat.conversations.open(by(BOB), group.id)
    world.redis.flush()
    await worker.chat.conversations.remove_member(by(ANN), group.id, user_id=BOB)
    world.redis.flush()

    # Within its few blind seconds this worker may still believe its copy; no longer than that.
    await asyncio.gather(stale.chat.conversations.open(by(BOB), group.id), return_exceptions=True)

    with pytest.raises(NotFoundError):
        await stale.chat.conversations.open(by(BOB), group.id)


async def test_a_conversation_that_is_there_is_not_denied_by_a_reader_that_lags(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    other = world.worker()
    other.conversations.replica.lag(1, reads=2)

    opened = await other.chat.conversations.open(by(BOB), conversation.id)

    assert opened.conversation == conversation


async def test_a_reader_that_lags_for_long_says_so(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    other = world.worker()
    await other.chat.conversations.open(by(BOB), conversation.id)
    await worker.chat.conversations.rename(by(ANN), conversation.id, title="Lake")
    other.conversations.replica.lag(1, reads=99)

    with pytest.raises(UnavailableError):
        await other.chat.conversations.open(by(BOB), conversation.id)


def test_the_pair_of_the_tests_is_the_pair() -> None:
    assert direct_conversation_id(BOB, ANN) == PAIR


async def test_what_is_said_of_very_many_long_names_is_a_message_like_any_other() -> None:
    names = [UserId(f"user-{n}") for n in range(99)]
    world = World([User(ANN, "Ann"), *(User(one, "x" * 200) for one in names)])
    worker = world.worker()
    conversation = (await start(worker, ANN)).conversation

    await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=names)

    assert len(world.stored(conversation.id)[0].body) == MAX_BODY_CHARACTERS
