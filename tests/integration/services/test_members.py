"""Members: added, removed, muted; and what a crash or a loss leaves to be completed."""

from dataclasses import replace

import pytest

from shared.domain.errors import (
    NotFoundError,
    UnavailableError,
)
from shared.domain.events import (
    ConversationRemoved,
    Push,
    ToGroup,
    ToUser,
)
from shared.domain.ids import ConnectionId, UserId, direct_conversation_id
from shared.domain.messages.message import MAX_BODY_CHARACTERS
from shared.domain.people.user import User
from tests.integration.services.world import (
    Worker,
    World,
    by,
    post,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, DAN, GROUP, PAIR

CROWD = [UserId(f"user-{n}") for n in range(120)]


async def test_a_removed_member_is_shut_out_of_everything(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    tv = ConnectionId("tv")
    world.hub.connect(CAT, tv)
    await worker.chat.connections.connected(by(CAT, tv), tv)

    changed = await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=CAT)

    assert changed.effects[0] == Push(ConversationRemoved(conversation.id), ToUser(CAT))
    assert world.hub.audience(conversation.id) == set()
    assert world.hub.remembered[CAT] == {}
    places = [one.to for one in changed.effects if isinstance(one, Push)]
    assert ToGroup(conversation.id) in places
    assert places.count(ToUser(CAT)) == 1
    assert await world.memberships.list_all(CAT) == {}
    for worker_ in (worker, world.worker()):
        with pytest.raises(NotFoundError):
            await worker_.chat.history.open(by(CAT), conversation.id)
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


async def test_a_change_that_always_comes_too_late_is_unavailable(worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation

    async def another_is_quicker(name: str) -> None:
        if name == "replace":
            log = worker.conversations.table.logs[conversation.id]
            newer = replace(log[-1].conversation, version=log[-1].conversation.version + 1)
            log.append(replace(log[-1], conversation=newer))

    worker.conversations.link.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="being changed"):
        await worker.chat.conversations.rename(by(ANN), conversation.id, title="Lake")


async def test_a_block_that_always_comes_too_late_is_unavailable(
    world: World, worker: Worker
) -> None:
    await start_pair(worker)
    link = worker.conversations.link

    async def another_is_quicker(name: str) -> None:
        if name == "replace":
            link.pause = nothing
            log = worker.conversations.table.logs[PAIR]
            newer = replace(log[-1].conversation, version=log[-1].conversation.version + 1)
            log.append(replace(log[-1], conversation=newer))
            link.pause = another_is_quicker

    async def nothing(_name: str) -> None:
        return

    link.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="being changed"):
        await worker.chat.accounts.people.set_block(ANN, BOB, blocked=True)


async def test_an_opened_conversation_has_everyones_receipt(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)

    for one in (worker, world.worker()):
        opened = await one.chat.history.open(by(BOB), conversation.id)
        assert opened.latest == 1
        assert [(r.user_id, r.read) for r in opened.receipts] == [(ANN, 1), (BOB, 0)]


async def test_a_change_after_a_crash_is_completed_by_the_change_feed(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    await post(worker, conversation.id, 1)
    world.memberships.link.fail("put", count=2)
    with pytest.raises(UnavailableError):
        await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=[DAN])
    world.memberships.link.fail("remove")
    with pytest.raises(UnavailableError):
        await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=CAT)
    world.memberships.link.clear()
    stored = await worker.conversations.find(conversation.id)
    assert stored is not None

    await world.worker().chat.membership.reconcile(stored)

    assert list(await world.memberships.list_all(DAN)) == [conversation.id]
    assert await world.memberships.list_all(CAT) == {}
    assert [user for user in (ANN, BOB, CAT, DAN) if world.hub.remembered[user]] == [ANN, BOB, DAN]
    world.hub.link.calls.clear()
    await worker.chat.membership.reconcile(stored)
    assert not world.hub.link.calls


@pytest.mark.parametrize(
    "down", ["set_version", "reconciled_version", "put_inbox", "add_group_membership"]
)
async def test_a_reconciliation_waits_for_live_state(
    world: World, worker: Worker, down: str
) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    world.redis.flush()
    await worker.chat.membership.reconcile(conversation)
    newer = replace(conversation, version=2)
    await worker.conversations.replace(newer)
    world.redis_link.fail(down)

    with pytest.raises(UnavailableError):
        await worker.chat.membership.reconcile(newer)

    await worker.chat.membership.reconcile(newer)
    assert await world.live.reconciled_version(conversation.id) == 2


async def test_a_removal_while_signalr_is_down_is_finished_by_the_change_feed(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    world.hub.connect(BOB, ConnectionId("tv"))
    world.hub.link.down = True

    changed = await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=BOB)
    with pytest.raises(UnavailableError):
        await worker.chat.membership.reconcile(changed.conversation)
    world.hub.link.down = False
    await worker.chat.membership.reconcile(changed.conversation)

    assert world.hub.audience(conversation.id) == set()
    assert world.hub.remembered[BOB] == {}


async def test_without_live_state_conversations_are_started_and_changed(
    world: World, worker: Worker
) -> None:
    world.redis_link.down = True

    group = (await start(worker, ANN, BOB)).conversation
    await worker.chat.conversations.add_members(by(ANN), group.id, user_ids=[CAT])
    await worker.chat.conversations.remove_member(by(ANN), group.id, user_id=BOB)

    world.redis_link.down = False
    opened = await world.worker().chat.history.open(by(CAT), group.id)
    assert opened.conversation.member_ids == (ANN, CAT)
    with pytest.raises(NotFoundError):
        await world.worker().chat.history.open(by(BOB), group.id)


async def test_rights_survive_the_loss_of_live_state_whoever_makes_it_known_again(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    stale = world.worker()
    await stale.chat.history.open(by(BOB), group.id)
    world.redis.flush()
    await worker.chat.conversations.remove_member(by(ANN), group.id, user_id=BOB)
    world.redis.flush()

    with pytest.raises(NotFoundError):
        await stale.chat.history.open(by(BOB), group.id)


async def test_a_conversation_that_is_there_is_not_denied_by_a_reader_that_lags(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    other = world.worker()
    other.conversations.replica.lag(1, reads=2)

    opened = await other.chat.history.open(by(BOB), conversation.id)

    assert opened.conversation == conversation


async def test_a_reader_that_lags_for_long_says_so(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    other = world.worker()
    await other.chat.history.open(by(BOB), conversation.id)
    await worker.chat.conversations.rename(by(ANN), conversation.id, title="Lake")
    other.conversations.replica.lag(1, reads=99)

    with pytest.raises(UnavailableError):
        await other.chat.history.open(by(BOB), conversation.id)


def test_the_pair_of_the_tests_is_the_pair() -> None:
    assert direct_conversation_id(BOB, ANN) == PAIR


async def test_what_is_said_of_very_many_long_names_is_a_message_like_any_other() -> None:
    names = [UserId(f"user-{n}") for n in range(99)]
    world = World([User(ANN, "Ann"), *(User(one, "x" * 200) for one in names)])
    worker = world.worker()
    conversation = (await start(worker, ANN)).conversation

    await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=names)

    assert len(world.stored(conversation.id)[0].body) == MAX_BODY_CHARACTERS
