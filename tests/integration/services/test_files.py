"""Files: granted, uploaded, checked, judged, read and swept."""

from dataclasses import replace

import pytest

from shared.domain.errors import (
    InvalidError,
    NotFoundError,
    NotReadyError,
    RateLimitedError,
    RejectedError,
    TooLargeError,
    UnavailableError,
    UnsupportedTypeError,
)
from shared.domain.events import AttachmentChanged, Push, ToGroup, ToUser
from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.messages.attachment import Attachment
from shared.ports import UploadRecord
from tests.integration.services.world import (
    PNG,
    Worker,
    World,
    by,
    post,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, GROUP

DAY_S = 24 * 3600
NO_FILE = AttachmentId("a-" + "f" * 32)


async def granted(
    worker: Worker,
    conversation_id: ConversationId,
    user: UserId = ANN,
    *,
    content_type: str = "image/png",
    size_bytes: int = len(PNG),
) -> AttachmentId:
    attachment_id, _ = await worker.chat.attachments.grant_upload(
        by(user),
        conversation_id,
        file_name="cat.png",
        content_type=content_type,
        size_bytes=size_bytes,
    )
    return attachment_id


async def send(
    worker: Worker, conversation_id: ConversationId, attachment_id: AttachmentId, number: int = 1
) -> Attachment:
    asked = (Attachment(attachment_id, "", "", 0),)
    posted = await post(worker, conversation_id, number, body="", attachments=asked)
    return posted.message.attachments[0]


async def sent(world: World, worker: Worker) -> tuple[ConversationId, AttachmentId]:
    conversation_id = (await start_pair(worker)).conversation.id
    attachment_id = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, attachment_id, PNG)
    await send(worker, conversation_id, attachment_id)
    return conversation_id, attachment_id


async def link(
    worker: Worker,
    conversation_id: ConversationId,
    attachment_id: AttachmentId,
    user: UserId = BOB,
    *,
    thumbnail: bool = False,
) -> str:
    return await worker.chat.attachments.read_url(
        by(user), conversation_id, attachment_id, thumbnail=thumbnail
    )


async def test_a_file_is_granted_uploaded_sent_and_read(world: World, worker: Worker) -> None:
    conversation_id, attachment_id = await sent(world, worker)

    (stored,) = world.stored(conversation_id)[0].attachments
    assert (stored.file_name, stored.content_type, stored.size_bytes) == (
        "cat.png",
        "image/png",
        20,
    )
    assert (stored.width, stored.height, stored.state) == (640, 480, "clean")
    assert attachment_id in await link(worker, conversation_id, attachment_id)


async def test_a_file_that_is_no_picture_has_no_size_in_pixels(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    note = await granted(worker, conversation_id, content_type="text/plain", size_bytes=2)
    world.blobs.upload(conversation_id, note, b"hi")

    shown = await send(worker, conversation_id, note)

    assert (shown.width, shown.height) == (None, None)


@pytest.mark.parametrize(
    ("size_bytes", "content_type", "refused"),
    [
        (0, "image/png", InvalidError),
        (2**30, "image/png", TooLargeError),
        (1, "text/html", UnsupportedTypeError),
    ],
)
async def test_a_file_that_is_not_taken_is_refused_before_it_is_uploaded(
    worker: Worker, size_bytes: int, content_type: str, refused: type[Exception]
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id

    with pytest.raises(refused):
        await granted(worker, conversation_id, content_type=content_type, size_bytes=size_bytes)


async def test_a_stranger_uploads_and_reads_nothing(world: World, worker: Worker) -> None:
    conversation_id, attachment_id = await sent(world, worker)

    with pytest.raises(NotFoundError):
        await granted(worker, conversation_id, CAT)
    with pytest.raises(NotFoundError):
        await link(worker, conversation_id, attachment_id, CAT)
    with pytest.raises(NotFoundError):
        await link(worker, conversation_id, NO_FILE)
    with pytest.raises(NotFoundError):
        await link(worker, GROUP, attachment_id)


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted yet"])
async def test_a_late_member_reads_the_files_of_what_they_see(
    world: World, worker: Worker, noted: bool
) -> None:
    group = (await start(worker, ANN, BOB)).conversation.id
    early, late = [await granted(worker, group) for _ in range(2)]
    for one in (early, late):
        world.blobs.upload(group, one, PNG)
    await send(worker, group, early, 1)
    await worker.chat.conversations.add_members(by(ANN), group, user_ids=[CAT])
    await send(worker, group, late, 2)
    if noted:
        await worker.chat.files.process(world.stored(group))

    with pytest.raises(NotFoundError):
        await link(worker, group, early, CAT)
    assert late in await link(worker, group, late, CAT)
    for one in (early, late):
        assert one in await link(worker, group, one, BOB)


async def test_what_one_user_uploads_in_a_day_is_limited() -> None:
    world = World(settings={"CHAT_UPLOAD_QUOTA_BYTES": "50"})
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    for _ in range(2):
        await granted(worker, conversation_id)

    with pytest.raises(RateLimitedError) as refused:
        await granted(worker, conversation_id)

    assert refused.value.retry_after_ms == DAY_S * 1000
    await granted(worker, conversation_id, BOB)
    world.redis_link.down = True
    await granted(worker, conversation_id)
    world.redis_link.down = False
    world.clock.advance(DAY_S)
    await granted(worker, conversation_id)


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (None, InvalidError),
        (PNG + b"more", InvalidError),
        (b"<html>".ljust(len(PNG)), UnsupportedTypeError),
    ],
)
async def test_a_file_that_is_not_what_was_granted_is_not_sent(
    world: World, worker: Worker, content: bytes | None, refused: type[Exception]
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    attachment_id = await granted(worker, conversation_id)
    if content is not None:
        world.blobs.upload(conversation_id, attachment_id, content)

    with pytest.raises(refused, match="attachments"):
        await send(worker, conversation_id, attachment_id)

    assert world.stored(conversation_id) == []


async def test_a_file_of_somebody_else_or_elsewhere_is_not_sent(
    world: World, worker: Worker
) -> None:
    here = (await start_pair(worker)).conversation.id
    there = (await start(worker, ANN, BOB)).conversation.id
    bobs = await granted(worker, here, BOB)
    elsewhere = await granted(worker, there)
    for place, attachment_id in ((here, bobs), (there, elsewhere)):
        world.blobs.upload(place, attachment_id, PNG)

    for attachment_id in (bobs, elsewhere, NO_FILE):
        with pytest.raises(InvalidError, match="attachments"):
            await send(worker, here, attachment_id)


async def test_a_repeat_sends_the_same_file(world: World, worker: Worker) -> None:
    conversation_id, attachment_id = await sent(world, worker)

    again = await send(world.worker(), conversation_id, attachment_id)

    assert again.state == "clean"
    assert len(world.stored(conversation_id)) == 1


async def test_before_it_is_sent_only_the_sender_knows_of_a_file(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    attachment_id = await granted(worker, conversation_id)

    with pytest.raises(NotReadyError):
        await link(worker, conversation_id, attachment_id, ANN)
    with pytest.raises(NotFoundError):
        await link(worker, conversation_id, attachment_id, BOB)


def scanned() -> World:
    return World(settings={"CHAT_ATTACHMENTS_SCANNED": "true"})


async def test_a_scanned_file_waits_for_its_verdict() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id, attachment_id = await sent(world, worker)
    await worker.chat.files.process(world.stored(conversation_id))
    with pytest.raises(NotReadyError):
        await link(worker, conversation_id, attachment_id)

    effects = await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=True)

    (stored,) = world.stored(conversation_id)[0].attachments
    assert stored.state == "clean"
    event = AttachmentChanged(conversation_id, world.stored(conversation_id)[0].sequence, stored)
    assert effects == [Push(event, ToUser(ANN)), Push(event, ToUser(BOB))]
    assert await link(worker, conversation_id, attachment_id)


async def test_a_file_the_scanner_refused_is_neither_read_nor_sent() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id, attachment_id = await sent(world, worker)
    await worker.chat.files.process(world.stored(conversation_id))
    await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=False)
    other = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, other, PNG)
    await worker.chat.files.take_verdict(conversation_id, other, clean=False)

    with pytest.raises(RejectedError):
        await link(worker, conversation_id, attachment_id)
    with pytest.raises(RejectedError):
        await send(worker, conversation_id, other, 2)


async def test_a_verdict_before_the_send_counts() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    attachment_id = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, attachment_id, PNG)

    assert await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=True) == []
    assert (await send(worker, conversation_id, attachment_id)).state == "clean"


async def test_a_verdict_between_send_and_change_feed_reaches_the_message() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id, attachment_id = await sent(world, worker)
    seen_by_feed = world.stored(conversation_id)

    early = await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=False)
    effects = await worker.chat.files.process(seen_by_feed)

    assert early == []
    assert len(effects) == 2
    assert world.stored(conversation_id)[0].attachments[0].state == "rejected"


async def test_a_verdict_while_a_file_is_sent_is_not_overwritten() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    attachment_id = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, attachment_id, PNG)

    async def judge(name: str) -> None:
        if name == "replace_grant":
            world.blobs.link.pause = quietly
            await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=False)

    async def quietly(_name: str) -> None:
        return

    world.blobs.link.pause = judge

    with pytest.raises(RejectedError):
        await send(worker, conversation_id, attachment_id)


async def test_a_verdict_of_no_file_says_nothing(worker: Worker) -> None:
    assert await worker.chat.files.take_verdict(GROUP, NO_FILE, clean=True) == []


async def test_a_picture_gets_a_small_copy_once(world: World, worker: Worker) -> None:
    conversation_id, attachment_id = await sent(world, worker)
    large = await link(worker, conversation_id, attachment_id, thumbnail=True)

    effects = await worker.chat.files.process(world.stored(conversation_id))
    await worker.chat.files.process(world.stored(conversation_id))

    small = await link(worker, conversation_id, attachment_id, thumbnail=True)
    assert effects == []
    assert ("files" in large, "thumbnails" in small) == (True, True)
    assert world.blobs.link.calls["put_thumbnail"] == 1


async def grant_of(
    world: World, conversation_id: ConversationId, attachment_id: AttachmentId
) -> UploadRecord:
    found = await world.blobs.find_grant(conversation_id, attachment_id)
    assert found is not None
    return found


async def test_the_attempt_is_recorded_before_a_picture_is_decoded(
    world: World, worker: Worker
) -> None:
    conversation_id, attachment_id = await sent(world, worker)
    recorded: list[int] = []

    async def end_the_worker(_name: str) -> None:
        grant = await grant_of(world, conversation_id, attachment_id)
        recorded.append(grant.thumbnail_tries)
        raise MemoryError

    world.images.link.pause = end_the_worker
    for _ in range(2):
        with pytest.raises(MemoryError):
            await world.worker().chat.files.process(world.stored(conversation_id))

    effects = await world.worker().chat.files.process(world.stored(conversation_id))

    grant = await grant_of(world, conversation_id, attachment_id)
    assert recorded == [1, 2]
    assert effects == []
    assert (grant.sequence, grant.has_thumbnail) == (1, False)


async def test_a_worker_that_ends_once_costs_no_small_copy(world: World, worker: Worker) -> None:
    conversation_id, attachment_id = await sent(world, worker)
    world.images.link.fail("thumbnail")
    with pytest.raises(UnavailableError):
        await worker.chat.files.process(world.stored(conversation_id))

    await world.worker().chat.files.process(world.stored(conversation_id))

    assert (await grant_of(world, conversation_id, attachment_id)).has_thumbnail


async def test_a_file_erased_before_it_is_decoded_leaves_nothing(
    world: World, worker: Worker
) -> None:
    conversation_id, attachment_id = await sent(world, worker)

    async def erase(name: str) -> None:
        if name == "read":
            await world.blobs.settle(conversation_id, attachment_id, keep=False)

    world.blobs.link.pause = erase

    assert await worker.chat.files.process(world.stored(conversation_id)) == []
    assert world.images.link.calls["thumbnail"] == 0
    assert world.blobs.thumbnails == {}


async def test_what_is_no_picture_gets_no_small_copy(world: World, worker: Worker) -> None:
    conversation_id = (await start(worker, ANN, BOB)).conversation.id
    note = await granted(worker, conversation_id, content_type="text/plain", size_bytes=2)
    world.blobs.upload(conversation_id, note, b"hi")
    await send(worker, conversation_id, note)
    world.images.sizes.clear()
    broken = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, broken, PNG)
    await send(worker, conversation_id, broken, 2)

    await worker.chat.files.process(world.stored(conversation_id))

    assert world.blobs.thumbnails == {}


async def test_a_verdict_in_a_group_is_one_push() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id = (await start(worker, ANN, BOB)).conversation.id
    attachment_id = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, attachment_id, PNG)
    await send(worker, conversation_id, attachment_id)
    await worker.chat.files.process(world.stored(conversation_id))

    (push,) = await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=True)

    assert isinstance(push, Push)
    assert push.to == ToGroup(conversation_id)


async def test_a_grant_that_is_always_changed_by_others_is_unavailable(
    world: World, worker: Worker
) -> None:
    conversation_id, attachment_id = await sent(world, worker)

    async def another_is_quicker(name: str) -> None:
        if name == "replace_grant":
            for place, grant in world.blobs.grants.items():
                world.blobs.grants[place] = replace(grant, etag=grant.etag + "+")

    world.blobs.link.pause = another_is_quicker

    with pytest.raises(UnavailableError):
        await worker.chat.files.take_verdict(conversation_id, attachment_id, clean=True)


async def test_a_verdict_of_a_conversation_that_is_gone_tells_nobody() -> None:
    world = scanned()
    worker = world.worker()
    conversation_id, attachment_id = await sent(world, worker)
    await worker.chat.files.process(world.stored(conversation_id))
    world.conversation_table.logs.clear()

    effects = await world.worker().chat.files.take_verdict(
        conversation_id, attachment_id, clean=True
    )

    assert effects == []


async def test_a_file_larger_than_its_grant_is_refused_deleted_and_charged() -> None:
    world = World(settings={"CHAT_UPLOAD_QUOTA_BYTES": "1000"})
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    attachment_id = await granted(worker, conversation_id, size_bytes=10)
    world.blobs.upload(conversation_id, attachment_id, PNG + bytes(2_000))

    with pytest.raises(InvalidError, match="attachments"):
        await send(worker, conversation_id, attachment_id)

    assert await world.blobs.find_upload(conversation_id, attachment_id) is None
    with pytest.raises(RateLimitedError):
        await granted(worker, conversation_id, size_bytes=1)
    world.blobs.upload(conversation_id, attachment_id, PNG[:10])  # the link still holds
    assert (await send(worker, conversation_id, attachment_id)).size_bytes == 10


async def test_a_user_has_so_many_uploads_open_at_once() -> None:
    world = World(settings={"CHAT_LIMIT_OPEN_UPLOADS": "3"})
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    first, _, _ = [await granted(worker, conversation_id) for _ in range(3)]
    world.blobs.upload(conversation_id, first, PNG)
    with pytest.raises(RateLimitedError, match="not sent") as refused:
        await granted(worker, conversation_id)
    assert refused.value.retry_after_ms == 3_600_000
    await granted(worker, conversation_id, BOB)

    await send(worker, conversation_id, first)
    await worker.chat.files.process(world.stored(conversation_id))

    await granted(worker, conversation_id)
    with pytest.raises(RateLimitedError, match="not sent"):
        await granted(worker, conversation_id)


async def test_an_upload_that_the_quota_refuses_is_not_open() -> None:
    limits = {"CHAT_LIMIT_OPEN_UPLOADS": "1", "CHAT_UPLOAD_QUOTA_BYTES": "50"}
    world = World(settings=limits)
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    with pytest.raises(RateLimitedError, match="today"):
        await granted(worker, conversation_id, size_bytes=51)

    assert await granted(worker, conversation_id, size_bytes=50)
