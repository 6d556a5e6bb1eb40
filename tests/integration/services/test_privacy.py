"""Exporting and erasing one user over twins: all of it, in bounded steps, others untouched."""

from collections import Counter

import pytest

from shared.domain.errors import (
    BlockedError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
    UserNotFoundError,
)
from shared.domain.events import ConversationRemoved, PresenceChanged, ToUser
from shared.domain.ids import ConversationId, UserId
from shared.domain.messages.attachment import Attachment
from shared.domain.people.user import ERASED_NAME, Principal
from shared.services.people.accounts import Profile
from shared.services.user_data import walk as user_data_walk
from shared.services.user_data.erasure import ErasureStep
from shared.services.user_data.export import ExportStep
from tests.integration.services.world import (
    PNG,
    Worker,
    World,
    by,
    device,
    post,
    pushed,
    sequence,
    start,
    start_pair,
)
from tests.twins.system import NOON
from tests.unit.things import ANN, BOB, CAT, DAN


async def erase(worker: Worker, user_id: UserId = ANN) -> list[ErasureStep]:
    steps = [await worker.chat.erasure.step(user_id, None)]
    while steps[-1].position is not None:
        steps.append(await worker.chat.erasure.step(user_id, steps[-1].position))
    return steps


async def export(worker: Worker, user_id: UserId = ANN) -> list[ExportStep]:
    steps = [await worker.chat.export.step(user_id, None)]
    while steps[-1].position is not None:
        steps.append(await worker.chat.export.step(user_id, steps[-1].position))
    return steps


def removed(steps: list[ErasureStep]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for step in steps:
        for line in step.removed:
            counted[line.what] += line.count
    return counted


async def post_picture(world: World, worker: Worker, conversation_id: ConversationId) -> Attachment:
    """Let ann send one picture, whose small copy is made."""
    attachment_id, _ = await worker.chat.attachments.grant_upload(
        by(ANN), conversation_id, file_name="a.png", content_type="image/png", size_bytes=len(PNG)
    )
    world.blobs.upload(conversation_id, attachment_id, PNG)
    asked = Attachment(attachment_id, "", "", 0)
    posted = await post(worker, conversation_id, 900, attachments=(asked,))
    await worker.chat.files.process([posted.message])
    return posted.message.attachments[0]


def contents(world: World, conversation_id: ConversationId) -> list[tuple[str, str]]:
    return [(one.sender_id, one.body) for one in world.stored(conversation_id)]


async def test_an_export_holds_account_conversations_messages_and_files(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, BOB, ANN, title="Trip")).conversation
    pair = (await start_pair(worker)).conversation
    await post(worker, group.id, 1, body="mine")
    await post(worker, group.id, 2, BOB, body="not mine")
    picture = await post_picture(world, worker, pair.id)

    steps = await export(worker)

    user = steps[0].user
    assert user is not None
    assert (user.display_name, set(user.contacts)) == ("Ann", {BOB, CAT, DAN})
    places = {one.conversation_id: one for step in steps for one in step.conversations}
    found = places[group.id]
    assert found.conversation is not None
    assert found.conversation.title == "Trip"
    assert found.receipt is not None
    assert found.receipt.read == 1
    assert set(places) == {group.id, pair.id}
    messages = [one for step in steps for one in step.messages]
    assert sorted(one.body for one in messages) == ["hello", "mine"]
    files = [one for step in steps for one in step.files]
    assert [(one.attachment.attachment_id, one.url) for one in files] == [
        (picture.attachment_id, f"memory://files/{pair.id}/{picture.attachment_id}")
    ]


async def test_what_was_sent_to_a_group_left_long_ago_is_exported_too(worker: Worker) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await post(worker, group.id, 1, body="before I left")
    await worker.chat.conversations.remove_member(by(ANN), group.id, user_id=ANN)

    steps = await export(worker)

    (place,) = [one for step in steps for one in step.conversations]
    assert (place.conversation_id, place.conversation) == (group.id, None)
    assert "before I left" in [one.body for step in steps for one in step.messages]


async def test_steps_are_bounded_and_lose_nothing(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_data_walk, "CONVERSATIONS_AT_ONCE", 2)
    monkeypatch.setattr(user_data_walk, "MESSAGES_AT_ONCE", 3)
    for place in range(5):
        group = (await start(worker, ANN, BOB)).conversation
        for number in range(place + 1):
            await post(worker, group.id, place * 10 + number, body=f"{place}.{number}")

    steps = await export(worker)

    assert max(len(step.messages) for step in steps) == 3
    assert max(len(step.conversations) for step in steps) == 2
    assert len([one for step in steps for one in step.conversations]) == 5
    bodies = [one.body for step in steps for one in step.messages]
    assert sorted(bodies) == [f"{place}.{n}" for place in range(5) for n in range(place + 1)]


async def test_a_conversation_of_many_steps_is_erased_to_its_end(
    world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_data_walk, "MESSAGES_AT_ONCE", 3)
    group = (await start(worker, ANN, BOB)).conversation
    for number in range(7):
        await post(worker, group.id, number)

    steps = await erase(worker)

    assert removed(steps)["contents of messages"] == 7
    assert removed(steps)["groups left"] == 1
    assert contents(world, group.id) == [(ANN, "")] * 7
    last = world.redis.data.conversations[group.id].last
    assert last is not None
    assert (last.sequence, last.body) == (7, "")


async def test_an_erased_user_leaves_an_id_and_nothing_else(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    pair = (await start_pair(worker)).conversation
    await post(worker, group.id, 1, body="gone")
    await post(worker, group.id, 2, BOB, body="stays")
    await worker.chat.inbox.list_conversations(by(ANN), limit=10, after=None)

    await erase(worker)

    user = await world.users.find(ANN)
    assert user is not None
    assert (user.display_name, user.contacts, user.blocked) == (ERASED_NAME, (), ())
    assert (user.subscriptions, user.avatar_url) == ((), "")
    assert contents(world, group.id) == [(ANN, ""), (BOB, "stays")]
    assert [one.sequence for one in world.stored(group.id)] == [1, 2]
    assert await world.memberships.list_all(ANN) == {}
    assert ANN not in str(world.redis.data.inboxes.keys())
    assert world.redis.data.forget(ANN) == 0
    assert await world.memberships.list_all(BOB) == {
        group.id: NOON,
        pair.id: NOON,
    }


async def test_a_receipt_says_what_was_removed_where(world: World, worker: Worker) -> None:
    await start_pair(worker)
    group = (await start(worker, ANN, BOB)).conversation
    await post(worker, group.id, 1)
    await post_picture(world, worker, group.id)

    counted = removed(await erase(worker))

    assert counted["contents of messages"] == 2
    assert counted["files with their small copies and grants"] == 1
    assert counted["groups left"] == 1
    assert counted["direct conversations closed"] == 1
    assert counted["memberships"] == 2
    assert counted["profile and settings"] == 1
    assert counted["contacts"] == 3
    assert counted["push subscriptions"] == 1
    assert counted["keys of the user"] > 0


async def test_files_go_with_their_small_copies_and_grants(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    picture = await post_picture(world, worker, group.id)
    assert world.blobs.thumbnails

    await erase(worker)

    assert world.blobs.thumbnails == {}
    assert await world.blobs.find_grant(group.id, picture.attachment_id) is None
    assert await world.blobs.find_upload(group.id, picture.attachment_id) is None


async def test_a_thumbnail_that_is_made_meanwhile_goes_too(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    attachment_id, _ = await worker.chat.attachments.grant_upload(
        by(ANN), group.id, file_name="b.png", content_type="image/png", size_bytes=len(PNG)
    )
    world.blobs.upload(group.id, attachment_id, PNG)
    posted = await post(worker, group.id, 1, attachments=(Attachment(attachment_id, "", "", 0),))

    async def pause(name: str) -> None:
        if name == "put_thumbnail":
            await world.blobs.settle(group.id, attachment_id, keep=False)

    world.blobs.link.pause = pause
    await worker.chat.files.process([posted.message])

    assert world.blobs.thumbnails == {}


async def test_a_group_passes_to_the_longest_standing_without_a_word(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, ANN, BOB, CAT)).conversation
    await post(worker, group.id, 1, BOB)

    steps = await erase(worker)

    now = await worker.conversations.find(group.id)
    assert now is not None
    assert [(one.user_id, one.role) for one in now.members] == [(BOB, "owner"), (CAT, "member")]
    assert len(world.stored(group.id)) == 1
    effects = [effect for step in steps for effect in step.effects]
    assert world.hub.remembered[ANN] == {}
    told = [one.to for one in pushed(effects) if isinstance(one.event, ConversationRemoved)]
    assert told == [ToUser(ANN)]


async def test_watchers_hear_that_the_erased_are_offline(worker: Worker) -> None:
    steps = await erase(worker)

    (push,) = [one for one in pushed(steps[-1].effects) if isinstance(one.event, PresenceChanged)]
    assert isinstance(push.event, PresenceChanged)
    assert [(one.user_id, one.status) for one in push.event.presences] == [(ANN, "offline")]


async def test_the_inbox_of_others_shows_no_more_of_it(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await worker.chat.inbox.list_conversations(by(BOB), limit=10, after=None)
    await post(worker, group.id, 1, body="gone")

    await erase(worker)

    page = await world.worker().chat.inbox.list_conversations(by(BOB), limit=10, after=None)
    (item,) = page.items
    assert item.row.last is not None
    assert (item.row.last.sequence, item.row.last.body) == (1, "")


async def test_a_live_state_that_is_behind_shows_no_more_of_it_either(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await post(worker, group.id, 1, body="gone")
    world.redis_link.fail("record_sent")
    await post(worker, group.id, 2, body="gone too")

    await erase(worker)

    last = world.redis.data.conversations[group.id].last
    assert last is not None
    assert (last.sequence, last.body) == (2, "")


async def test_an_erased_user_gets_in_nowhere(worker: Worker) -> None:
    pair = (await start_pair(worker)).conversation

    await erase(worker)

    with pytest.raises(ForbiddenError):
        await worker.chat.accounts.ensure(Principal(ANN))
    with pytest.raises(NotFoundError):
        await post(worker, pair.id, 1)
    with pytest.raises(ForbiddenError):
        await start_pair(worker)
    with pytest.raises(ForbiddenError):
        await start(worker, ANN, BOB)


async def test_nobody_reaches_an_erased_user(world: World, worker: Worker) -> None:
    pair = (await start_pair(worker)).conversation
    await post(worker, pair.id, 1, BOB, body="what I wrote stays mine")

    await erase(worker)

    with pytest.raises(BlockedError):
        await post(worker, pair.id, 2, BOB)
    with pytest.raises(UserNotFoundError):
        await start_pair(worker, CAT, ANN)
    with pytest.raises(UserNotFoundError):
        await start(worker, CAT, ANN)
    seen = await worker.chat.history.list_messages(
        by(BOB), pair.id, before=None, after=None, limit=10
    )
    assert [one.body for one, _ in seen.messages] == ["what I wrote stays mine"]
    assert ANN not in [one.user.id for one in await worker.chat.accounts.contacts(by(BOB))]


async def test_neither_a_late_feed_nor_a_reconciliation_brings_an_erased_user_back(
    world: World, worker: Worker
) -> None:
    pair = (await start_pair(worker)).conversation
    await erase(worker)
    world.redis.flush()  # and with it the note that the memberships are complete

    await worker.chat.accounts.feed([Profile(ANN, "Ann again", "/a.png", (BOB,), (CAT,))])
    now = await worker.conversations.find(pair.id)
    assert now is not None
    await worker.chat.membership.reconcile(now)

    user = await world.users.find(ANN)
    assert user is not None
    assert (user.display_name, user.contacts) == (ERASED_NAME, ())
    assert await world.memberships.list_all(ANN) == {}
    assert pair.id in await world.memberships.list_all(BOB)


async def test_emptied_messages_notify_nobody(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await post(worker, group.id, 1)
    await erase(worker)
    world.redis.flush()

    await worker.chat.notification_planning.decide(world.stored(group.id))

    assert world.bus.take() == []


async def test_repeating_any_step_changes_nothing(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    await post(worker, group.id, 1)
    steps = await erase(worker)
    before = contents(world, group.id), await worker.conversations.find(group.id)

    again = [
        await worker.chat.erasure.step(ANN, position)
        for position in (None, *(step.position for step in steps[:-1]))
    ]

    assert [line for step in again for line in step.removed] == []
    assert [step.position for step in again][-1] is None
    assert (contents(world, group.id), await worker.conversations.find(group.id)) == before


def fail_once(world: World, worker: Worker, *, at_call: int) -> None:
    """Make the services behind *worker* fail at one moment, counted before and after each call."""
    left = Counter(moments=at_call)

    async def pause(_name: str) -> None:
        left["moments"] -= 1
        if left["moments"] == 0:
            raise UnavailableError("the service is down")

    for link in (
        *(worker.messages.link, worker.conversations.link, world.users.link),
        *(world.memberships.link, world.blobs.link, world.redis_link),
    ):
        link.pause = pause


async def erase_stubbornly(worker: Worker) -> int:
    """Take each step until it succeeds; return how many calls it took."""
    position = None
    for tries in range(1, 20):
        try:
            step = await worker.chat.erasure.step(ANN, position)
        except UnavailableError:
            continue
        position = step.position
        if position is None:
            return tries
    return 20


@pytest.mark.parametrize("fault", range(1, 60, 3))
async def test_an_erasure_that_fails_anywhere_is_completed_by_calling_again(
    world: World, worker: Worker, fault: int
) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    pair = (await start_pair(worker)).conversation
    await post(worker, group.id, 1)
    await post_picture(world, worker, group.id)
    await worker.chat.inbox.list_conversations(by(BOB), limit=10, after=None)
    fail_once(world, worker, at_call=fault)

    tries = await erase_stubbornly(worker)

    assert tries < 20
    assert {body for sender, body in contents(world, group.id) if sender == ANN} == {""}
    assert world.blobs.thumbnails == {}
    assert await world.memberships.list_all(ANN) == {}
    for conversation_id in (group.id, pair.id):
        now = await worker.conversations.find(conversation_id)
        assert now is not None
        assert now.find_member(ANN) is None
    last = world.redis.data.conversations[group.id].last
    assert last is not None
    assert last.body == ""


async def test_the_others_data_is_as_it_was(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, ANN, CAT)).conversation
    await post(worker, group.id, 1, BOB, body="one")
    await post(worker, group.id, 2, CAT, body="two")
    await worker.chat.receipts.acknowledge(by(CAT), group.id, delivered=None, read=sequence(1))
    before = [await world.users.find(user) for user in (BOB, CAT, DAN)]

    await erase(worker)

    assert contents(world, group.id) == [(BOB, "one"), (CAT, "two")]
    assert [await world.users.find(user) for user in (BOB, CAT, DAN)] == before


async def test_someone_chat_has_never_heard_of_is_not_found(worker: Worker) -> None:
    with pytest.raises(UserNotFoundError):
        await worker.chat.erasure.step(UserId("nobody"), None)
    with pytest.raises(UserNotFoundError):
        await worker.chat.export.step(UserId("nobody"), None)


async def test_an_erasure_leaves_no_owner_of_an_endpoint(world: World, worker: Worker) -> None:
    await worker.chat.devices.subscribe(by(ANN), device("ann-desk"))
    assert ANN in world.users.owners.values()

    await erase(worker)

    assert world.users.owners == {}
