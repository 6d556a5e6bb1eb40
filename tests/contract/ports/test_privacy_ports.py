"""What stores and live state promise to an export and an erasure, whoever keeps them."""

import uuid
from dataclasses import replace

from shared.domain.ids import ConversationId, SequenceNumber, UserId, group_conversation_id
from shared.domain.limits import Limit
from shared.domain.messages.message import Message
from shared.domain.people.user import User, tombstone
from shared.ports import Call, InboxEntry
from tests.contract.ports.ends import LiveEnd
from tests.contract.ports.stores import BUCKET_SIZE, Stores
from tests.unit.things import GROUP, NOON, attachment, group, message


def a_user() -> UserId:
    return UserId(f"user-{uuid.uuid4()}")


async def fill(stores: Stores, sender: UserId, count: int) -> list[Message]:
    """Store *count* messages of two people in turn; return those of *sender*."""
    place, other = group_conversation_id(uuid.uuid4()), a_user()
    written = [
        message(number, conversation_id=place, sender=sender if number % 2 else other)
        for number in range(1, count + 1)
    ]
    for one in written:
        await stores.messages.append(one)
    return written[::2]


async def test_what_one_sent_is_listed_in_order_over_all_buckets(stores: Stores) -> None:
    sender = a_user()
    sent = await fill(stores, sender, 4 * BUCKET_SIZE)

    async def listed(after: int, limit: int) -> list[Message]:
        return await stores.messages.list_sent(
            sent[0].conversation_id, sender, after=SequenceNumber(after), limit=limit
        )

    assert await listed(0, 100) == sent
    assert await listed(0, 2) == sent[:2]
    assert await listed(sent[1].sequence, 3) == sent[2:5]
    assert await listed(sent[-1].sequence, 3) == []


async def test_the_conversations_one_wrote_in_are_found_each_once(stores: Stores) -> None:
    sender = a_user()
    written = [await fill(stores, sender, 3) for _ in range(3)]
    await fill(stores, a_user(), 3)

    found = await stores.messages.list_written_in(sender)

    assert found == {sent[0].conversation_id for sent in written}
    assert await stores.messages.list_written_in(a_user()) == set()


async def test_an_erased_message_keeps_all_but_its_content(stores: Stores) -> None:
    place = group_conversation_id(uuid.uuid4())
    written = replace(
        message(5, conversation_id=place, attachments=(attachment(),)), reply_to=SequenceNumber(3)
    )
    await stores.messages.append(written)

    await stores.messages.erase(written)
    await stores.messages.erase(written)

    found = await stores.messages.find(place, SequenceNumber(5))
    assert found == replace(written, body="", attachments=())
    assert found.is_erased
    assert (await stores.messages.find_original(written, bucket=None)).message == found


async def test_a_tombstone_comes_back_as_one(stores: Stores) -> None:
    added = await stores.users.add(User(a_user(), "Ann", contacts=(a_user(),)))
    assert added is not None

    replaced = await stores.users.replace(tombstone(added))

    found = await stores.users.find(added.id)
    assert found == replaced
    assert found.erased


async def test_all_of_one_user_is_forgotten_and_nothing_of_another(end: LiveEnd) -> None:
    user, other = a_user(), a_user()
    for one in (user, other):
        await end.live.enter(Call(one, limit=("messages", Limit(20, 200))))
        await end.fill_inbox(one, [InboxEntry(GROUP, 1)])
        await end.live.fill_group_memberships(one, [])
        await end.live.take_quota(one, 5, most=9)
    await end.seed(group(), message(1, at=NOON), ())

    first, again = await end.live.forget(user), await end.live.forget(user)

    assert first >= 3
    assert again == 0
    assert await end.live.inbox_page(user, limit=9, after=None) is None
    kept = await end.live.inbox_page(other, limit=9, after=None)
    assert kept == [InboxEntry(ConversationId(GROUP), 1)]
    assert await end.live.take_quota(user, 9, most=9) == 0
    assert await end.live.take_quota(other, 9, most=9) > 0
