"""Uploads that were never sent: swept until none is left, and of their real size."""

import asyncio

import pytest

from shared.domain.errors import InvalidError, RateLimitedError
from shared.domain.ids import AttachmentId, ConversationId, UserId
from tests.integration.services.test_files import granted, send
from tests.integration.services.world import PNG, Worker, World, start_pair
from tests.unit.things import ANN, BOB

HOUR_S = 3600
DAY_S = 24 * HOUR_S


async def swept(world: World) -> int:
    """Sweep, as the hourly timer does."""
    return await world.worker().chat.upload_sweep.sweep()


async def uploaded(
    world: World, worker: Worker, conversation_id: ConversationId, content: bytes = PNG
) -> AttachmentId:
    attachment_id = await granted(worker, conversation_id)
    world.blobs.upload(conversation_id, attachment_id, content)
    return attachment_id


async def is_kept(world: World, conversation_id: ConversationId, one: AttachmentId) -> bool:
    found = await world.blobs.find_upload(conversation_id, one)
    return found is not None and await world.blobs.find_grant(conversation_id, one) is not None


async def test_what_was_never_sent_is_swept_after_a_day(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    kept = await uploaded(world, worker, conversation_id)
    await send(worker, conversation_id, kept)
    lost = await uploaded(world, worker, conversation_id)
    world.clock.advance(DAY_S - 1)
    assert await swept(world) == 0
    world.clock.advance(HOUR_S + 1)
    young = await uploaded(world, worker, conversation_id)

    assert await swept(world) == 1
    assert await swept(world) == 0

    assert not await is_kept(world, conversation_id, lost)
    assert await world.blobs.find_grant(conversation_id, lost) is None
    for one in (kept, young):
        assert await is_kept(world, conversation_id, one)


async def test_a_sweep_goes_on_until_nothing_is_left() -> None:
    limits = {"CHAT_LIMIT_OPEN_UPLOADS": "2000"}
    world = World(settings=limits)
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    for _ in range(1_100):
        await granted(worker, conversation_id)
    world.clock.advance(DAY_S + HOUR_S)

    assert await swept(world) == 1_100

    assert world.blobs.grants == {}


async def test_a_sweep_ends_in_time_and_goes_on_later(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    for _ in range(90):
        await granted(worker, conversation_id)
    world.clock.advance(DAY_S + HOUR_S)

    async def be_slow(name: str) -> None:
        await asyncio.sleep(30 if name == "settle" else 0)

    world.blobs.link.pause = be_slow
    loop = asyncio.get_running_loop()
    began = loop.time()

    first = await swept(world)

    assert 0 < first < 90
    assert loop.time() - began < 290
    assert first + await swept(world) == 90


async def test_an_upload_that_fails_holds_up_no_other(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    for _ in range(5):
        await granted(worker, conversation_id)
    world.clock.advance(DAY_S + HOUR_S)
    world.blobs.link.fail("settle", count=2)

    assert await swept(world) == 5  # the second listing brings them again


async def test_a_storage_that_fails_at_everything_ends_the_sweep(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await granted(worker, conversation_id)
    world.clock.advance(DAY_S + HOUR_S)
    world.blobs.link.fail("settle", count=9_999)

    assert await swept(world) == 0


async def test_a_marker_without_a_grant_is_swept_too(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await uploaded(world, worker, conversation_id)
    world.blobs.grants.clear()  # a worker ended before it deleted the marker
    world.clock.advance(DAY_S + HOUR_S)

    await swept(world)

    assert world.blobs.unsettled == {}
    assert world.blobs.files == {}


async def used_up(worker: Worker, conversation_id: ConversationId, user: UserId = ANN) -> bool:
    try:
        await granted(worker, conversation_id, user, size_bytes=1)
    except RateLimitedError:
        return True
    return False


async def test_the_sweep_charges_real_bytes() -> None:
    world = World(settings={"CHAT_UPLOAD_QUOTA_BYTES": "5000"})
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    large = await uploaded(world, worker, conversation_id, PNG + bytes(6_000))
    fair = await uploaded(world, worker, conversation_id)
    world.clock.advance(2 * HOUR_S)

    await swept(world)

    assert await used_up(worker, conversation_id)
    assert not await used_up(worker, conversation_id, BOB)
    assert not await is_kept(world, conversation_id, large)
    with pytest.raises(InvalidError):
        await send(worker, conversation_id, large)
    assert (await send(worker, conversation_id, fair)).attachment_id == fair


async def test_a_large_upload_that_no_early_look_saw_is_charged_at_the_end() -> None:
    world = World(settings={"CHAT_UPLOAD_QUOTA_BYTES": "5000"})
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    large = await uploaded(world, worker, conversation_id, PNG + bytes(6_000))
    world.clock.advance(DAY_S + HOUR_S)

    assert await swept(world) == 1

    assert await used_up(worker, conversation_id)
    assert await world.blobs.find_grant(conversation_id, large) is None


async def test_an_early_look_frees_what_was_never_uploaded() -> None:
    world = World(settings={"CHAT_LIMIT_OPEN_UPLOADS": "2"})
    worker = world.worker()
    conversation_id = (await start_pair(worker)).conversation.id
    await granted(worker, conversation_id)
    await uploaded(world, worker, conversation_id)
    assert await used_up(worker, conversation_id)
    world.clock.advance(2 * HOUR_S)

    await swept(world)

    assert not await used_up(worker, conversation_id)
    assert await used_up(worker, conversation_id)


async def test_an_early_look_settles_what_was_sent(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    kept = await uploaded(world, worker, conversation_id)
    await send(worker, conversation_id, kept)
    world.clock.advance(2 * HOUR_S)

    await swept(world)

    assert world.blobs.unsettled == {}
    assert await is_kept(world, conversation_id, kept)
