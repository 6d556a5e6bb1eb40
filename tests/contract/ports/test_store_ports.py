"""What the stores of conversations, memberships and users promise, whoever keeps them."""

import asyncio
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, SequenceNumber, UserId, group_conversation_id
from shared.domain.live import Head
from shared.domain.messages.receipt import Receipt
from shared.domain.people.user import Subscription, User
from shared.domain.times import from_ms
from shared.ports import LiveConversation, VersionConflictError
from tests.contract.ports.stores import Stores
from tests.unit.things import ANN, BOB, CAT, NOON, group, member

LATER = NOON + timedelta(minutes=1)
WEEK = NOON + timedelta(days=7)
ALWAYS = from_ms(253_402_300_799_999)


@pytest.fixture
def fresh() -> Conversation:
    return replace(group(), id=group_conversation_id(uuid.uuid4()))


@pytest.fixture
def user() -> User:
    device = Subscription("phone", "https://push.example/1", "p256dh", "auth")
    return User(
        UserId(f"u-{uuid.uuid4()}"), "Ann", "https://x/a", (BOB,), (CAT,), (device,), "text"
    )


def snapshot(
    conversation_id: ConversationId, *, head: int, stamp: int, base: int = 0
) -> LiveConversation:
    known = Head(is_cached=True, sequence=SequenceNumber(head), version=1, at=LATER)
    receipts = (Receipt(conversation_id, BOB, SequenceNumber(head), SequenceNumber(1), LATER),)
    return LiveConversation(conversation_id, known, receipts, (BOB,), stamp, base)


async def test_a_conversation_comes_back_as_it_was(stores: Stores, fresh: Conversation) -> None:
    full = replace(
        fresh,
        members=(member(ANN, "owner"), member(BOB, "admin", history_from=7, muted=LATER)),
        left=(CAT,),
        blocked_by=(ANN,),
    )

    added = await stores.conversations.add(full)

    assert added == full
    assert await stores.conversations.find(full.id) == full
    found = await stores.conversations.find_with_state(full.id)
    assert found is not None
    assert (found[0], found[1].head, found[1].receipts) == (full, 0, ())


async def test_a_conversation_is_added_once(stores: Stores, fresh: Conversation) -> None:
    await stores.conversations.add(fresh)

    assert await stores.conversations.add(replace(fresh, title="Other")) is None
    assert await stores.conversations.find(fresh.id) == fresh


async def test_what_is_not_there_is_not_found(stores: Stores, fresh: Conversation) -> None:
    assert await stores.conversations.find(fresh.id) is None
    assert await stores.conversations.find_with_state(fresh.id) is None
    with pytest.raises(VersionConflictError):
        await stores.conversations.replace(replace(fresh, version=2))


async def test_many_are_found_at_once(stores: Stores, fresh: Conversation) -> None:
    others = [replace(fresh, id=group_conversation_id(uuid.uuid4())) for _ in range(12)]
    for one in others:
        await stores.conversations.add(one)

    found = await stores.conversations.find_many([fresh.id, *(one.id for one in others)])

    assert {one.id for one in found} == {one.id for one in others}
    assert await stores.conversations.find_many([]) == []


async def test_a_change_replaces_the_version_before_its_own(
    stores: Stores, fresh: Conversation
) -> None:
    await stores.conversations.add(fresh)
    changed = replace(fresh, title="Lake", members=fresh.members[:1], left=(BOB, CAT), version=2)

    assert await stores.conversations.replace(changed) == changed

    assert await stores.conversations.find(fresh.id) == changed
    for late in (replace(fresh, title="Late", version=2), replace(fresh, version=4)):
        with pytest.raises(VersionConflictError):
            await stores.conversations.replace(late)
    assert await stores.conversations.find(fresh.id) == changed


async def test_a_flush_and_a_change_do_not_touch_each_other(
    stores: Stores, fresh: Conversation
) -> None:
    await stores.conversations.add(fresh)

    await stores.conversations.save_state(snapshot(fresh.id, head=5, stamp=10))
    await stores.conversations.replace(replace(fresh, title="Lake", version=2))

    found = await stores.conversations.find_with_state(fresh.id)
    assert found is not None
    assert (found[0].title, found[1].head) == ("Lake", 5)
    assert found[1].receipts == (
        Receipt(fresh.id, BOB, SequenceNumber(5), SequenceNumber(1), LATER),
    )


async def test_a_flush_follows_the_one_it_knows_of(stores: Stores, fresh: Conversation) -> None:
    await stores.conversations.add(fresh)

    await stores.conversations.save_state(snapshot(fresh.id, head=5, stamp=10))
    await stores.conversations.save_state(snapshot(fresh.id, head=7, stamp=11, base=10))

    found = await stores.conversations.find_with_state(fresh.id)
    assert found is not None
    assert (found[1].head, found[1].flush_id) == (7, 11)


@pytest.mark.parametrize(("stamp", "base"), [(9, 0), (11, 0), (11, 9), (12, 11)])
async def test_a_flush_of_a_live_state_that_lost_time_is_refused(
    stores: Stores, fresh: Conversation, stamp: int, base: int
) -> None:
    await stores.conversations.add(fresh)
    await stores.conversations.save_state(snapshot(fresh.id, head=5, stamp=10))

    with pytest.raises(VersionConflictError):
        await stores.conversations.save_state(snapshot(fresh.id, head=3, stamp=stamp, base=base))

    found = await stores.conversations.find_with_state(fresh.id)
    assert found is not None
    assert found[1].head == 5


async def test_a_flush_of_nothing_is_refused(stores: Stores, fresh: Conversation) -> None:
    with pytest.raises(VersionConflictError):
        await stores.conversations.save_state(snapshot(fresh.id, head=5, stamp=10))

    assert await stores.conversations.find(fresh.id) is None


async def test_a_flush_of_a_week_later_waits_until_the_memberships_are_renewed(
    stores: Stores, fresh: Conversation
) -> None:
    async def active_from() -> datetime | None:
        found = await stores.conversations.find_with_state(fresh.id)
        assert found is not None
        return found[1].active_from

    def flush(at: datetime, stamp: int, base: int = 0) -> LiveConversation:
        state = snapshot(fresh.id, head=stamp, stamp=stamp, base=base)
        return replace(state, head=replace(state.head, at=at))

    await stores.conversations.add(fresh)
    assert await active_from() == NOON

    await stores.conversations.save_state(flush(WEEK - timedelta(milliseconds=1), 1))
    with pytest.raises(VersionConflictError):
        await stores.conversations.save_state(flush(WEEK, 2, base=1))
    assert await active_from() == NOON
    await stores.conversations.save_state(flush(WEEK, 2, base=1), active_from=WEEK)
    assert await active_from() == WEEK
    # What is recorded of another flush is not written over for that.
    with pytest.raises(VersionConflictError):
        await stores.conversations.save_state(flush(WEEK, 3, base=1), active_from=LATER)
    await stores.conversations.save_state(flush(WEEK, 3, base=2))
    await stores.conversations.replace(replace(fresh, title="Lake", version=2))

    assert await active_from() == WEEK


async def test_memberships_are_listed_by_when_they_were_active(
    stores: Stores, fresh: Conversation
) -> None:
    user, memberships = UserId(f"u-{uuid.uuid4()}"), stores.memberships
    ids = [group_conversation_id(uuid.uuid4()) for _ in range(5)]
    assert await memberships.list_newest(user, limit=3) == []

    for number, one in enumerate(ids):
        await memberships.put(user, one, NOON, active_from=NOON + timedelta(hours=number))
    await memberships.put(user, ids[0], NOON, active_from=WEEK)  # it is there already

    latest = await memberships.list_newest(user, limit=2)
    assert latest == [(ids[4], NOON + timedelta(hours=4)), (ids[3], NOON + timedelta(hours=3))]
    active = await memberships.list_active(user, after=NOON + timedelta(hours=2))
    assert sorted(active) == sorted(ids[3:])

    # Raised, never lowered; and no membership comes to be by it.
    for at in (WEEK, LATER):
        await memberships.renew(user, ids[1], at)
        await memberships.renew(user, fresh.id, at)
    latest = await memberships.list_newest(user, limit=9)
    assert latest is not None
    assert [latest[0], len(latest)] == [(ids[1], WEEK), 5]
    assert sorted(await memberships.list_all(user)) == sorted(ids)
    await memberships.mute(user, ids[1], LATER)
    assert await memberships.list_active(user, after=NOON + timedelta(days=1)) == [ids[1]]


async def test_a_membership_without_a_bound_may_be_the_newest(stores: Stores) -> None:
    user, memberships = UserId(f"u-{uuid.uuid4()}"), stores.memberships
    older, newer = (group_conversation_id(uuid.uuid4()) for _ in range(2))
    await memberships.put(user, newer, NOON, active_from=WEEK)
    await memberships.put(user, older, NOON)

    assert await memberships.list_newest(user, limit=1) is None
    assert await memberships.list_active(user, after=NOON) == [newer]

    await memberships.renew(user, older, LATER)
    assert await memberships.list_newest(user, limit=9) == [(newer, WEEK), (older, LATER)]


async def test_the_mutes_of_a_full_group_are_read_at_once(
    stores: Stores, fresh: Conversation
) -> None:
    memberships = stores.memberships
    users = [UserId(f"u{number}-{uuid.uuid4()}") for number in range(100)]
    await memberships.put(users[7], fresh.id, NOON)
    await memberships.mute(users[7], fresh.id, LATER)

    assert await memberships.mutes(fresh.id, users) == {users[7]: Mute(LATER, 1)}


async def test_a_mute_is_kept_in_the_membership_until_that_ends(
    stores: Stores, fresh: Conversation
) -> None:
    memberships, other = stores.memberships, group_conversation_id(uuid.uuid4())
    one, two = UserId(f"u-{uuid.uuid4()}"), UserId(f"u-{uuid.uuid4()}")

    assert await memberships.mute(one, fresh.id, LATER) is None
    for user, where in ((one, fresh.id), (one, other), (two, fresh.id)):
        await memberships.put(user, where, NOON)
    assert await memberships.mutes_of(one, [fresh.id, other]) == {}
    assert await memberships.mute(one, fresh.id, LATER) == Mute(LATER, 1)
    assert await memberships.mute(two, fresh.id, ALWAYS) == Mute(ALWAYS, 1)
    assert await memberships.mute(one, fresh.id, None) == Mute(None, 2)
    await memberships.put(one, fresh.id, LATER)

    assert await memberships.mutes_of(one, [fresh.id, other]) == {fresh.id: Mute(None, 2)}
    said = {one: Mute(None, 2), two: Mute(ALWAYS, 1)}
    assert await memberships.mutes(fresh.id, [one, two, CAT]) == said
    assert await memberships.mutes(other, [one, two]) == {}
    assert await memberships.mutes(other, []) == {}
    assert await memberships.mutes_of(one, []) == {}
    assert await memberships.list_all(one) == {fresh.id: NOON, other: NOON}

    await memberships.remove(one, fresh.id)
    await memberships.put(one, fresh.id, NOON)
    assert await memberships.mutes(fresh.id, [one]) == {}


async def test_memberships_are_put_and_removed_again_and_again(
    stores: Stores, fresh: Conversation
) -> None:
    user = UserId(f"u-{uuid.uuid4()}")
    other = group_conversation_id(uuid.uuid4())
    memberships = stores.memberships

    for _ in range(2):
        await memberships.put(user, fresh.id, NOON)
    await memberships.put(user, other, LATER)
    both = await memberships.list_all(user)
    for _ in range(2):
        await memberships.remove(user, fresh.id)

    assert both == {fresh.id: NOON, other: LATER}
    assert await memberships.list_all(user) == {other: LATER}
    assert await memberships.list_all(UserId(f"u-{uuid.uuid4()}")) == {}


async def test_a_user_comes_back_as_they_were(stores: Stores, user: User) -> None:
    added = await stores.users.add(user)

    assert added is not None
    assert replace(added, etag="") == user
    assert added.etag
    assert await stores.users.find(user.id) == added


async def test_a_user_is_added_once(stores: Stores, user: User) -> None:
    added = await stores.users.add(user)

    assert await stores.users.add(replace(user, display_name="Other")) is None
    assert await stores.users.find(user.id) == added


async def test_a_user_is_replaced_as_they_were_read(stores: Stores, user: User) -> None:
    added = await stores.users.add(user)
    assert added is not None

    changed = await stores.users.replace(replace(added, display_name="Anna", subscriptions=()))

    assert changed.etag != added.etag
    assert await stores.users.find(user.id) == changed
    with pytest.raises(VersionConflictError):
        await stores.users.replace(replace(added, display_name="Late"))
    again = await stores.users.replace(replace(changed, blocked=()))
    assert await stores.users.find(user.id) == again


async def test_a_user_who_is_not_there_is_not_found(stores: Stores, user: User) -> None:
    assert await stores.users.find(user.id) is None
    with pytest.raises(VersionConflictError):
        await stores.users.replace(replace(user, etag="none"))


async def test_many_users_are_found_at_once(stores: Stores, user: User) -> None:
    others = [replace(user, id=UserId(f"u-{uuid.uuid4()}")) for _ in range(12)]
    for one in others:
        await stores.users.add(one)

    found = await stores.users.find_many([user.id, *(one.id for one in others)])

    assert {one.id for one in found} == {one.id for one in others}
    assert await stores.users.find_many([]) == []


async def test_an_endpoint_has_one_owner(stores: Stores, user: User) -> None:
    endpoint, other = f"https://push.example/{uuid.uuid4()}", UserId(f"u-{uuid.uuid4()}")
    users = stores.users
    nobody = await users.find_endpoint_owner(endpoint)

    first = await users.claim_endpoint(endpoint, user.id, after=None)
    second = await users.claim_endpoint(endpoint, other, after=None)
    owner = await users.find_endpoint_owner(endpoint)
    taken = await users.claim_endpoint(endpoint, other, after=user.id)
    late = await users.claim_endpoint(endpoint, user.id, after=user.id)

    assert (nobody, owner) == (None, user.id)
    assert (first, second, taken, late) == (True, False, True, False)
    assert await users.find_endpoint_owner(endpoint) == other


async def test_an_endpoint_is_released_by_its_owner_alone(stores: Stores, user: User) -> None:
    endpoint, users = f"https://push.example/{uuid.uuid4()}", stores.users
    await users.claim_endpoint(endpoint, user.id, after=None)

    await users.release_endpoint(endpoint, UserId("somebody-else"))
    kept = await users.find_endpoint_owner(endpoint)
    for _ in range(2):
        await users.release_endpoint(endpoint, user.id)

    assert kept == user.id
    assert await users.find_endpoint_owner(endpoint) is None
    assert not await users.claim_endpoint(endpoint, user.id, after=UserId("somebody-else"))
    assert await users.claim_endpoint(endpoint, user.id, after=None)


async def test_of_many_claims_at_once_one_holds(stores: Stores, user: User) -> None:
    endpoint, users = f"https://push.example/{uuid.uuid4()}", stores.users
    claimants = [UserId(f"u-{number}") for number in range(5)]

    held = await asyncio.gather(
        *(users.claim_endpoint(endpoint, one, after=None) for one in claimants)
    )

    assert sorted(held) == [False] * 4 + [True]
    assert await users.find_endpoint_owner(endpoint) == claimants[held.index(True)]
