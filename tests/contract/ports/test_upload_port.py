"""What the ledger of open uploads promises, whoever keeps it: the twin, or Redis."""

import asyncio
import uuid

from shared.domain.ids import AttachmentId, UserId, attachment_id
from tests.contract.ports.ends import LiveEnd
from tests.unit.things import ANN


def made() -> tuple[UserId, list[AttachmentId]]:
    return UserId(f"user-{uuid.uuid4()}"), [attachment_id(uuid.uuid4()) for _ in range(4)]


async def test_so_many_uploads_are_open_at_once(end: LiveEnd) -> None:
    ledger, (user, uploads) = end.uploads, made()

    noted = [await ledger.open(user, one, most=3) for one in uploads]
    await ledger.close(user, uploads[0])
    await ledger.close(user, uploads[0])
    again = await ledger.open(user, uploads[3], most=3)

    assert noted == [True, True, True, False]
    assert again
    assert not await ledger.open(user, uploads[0], most=3)
    assert await ledger.open(ANN, uploads[0], most=1)


async def test_uploads_opened_at_once_are_counted_one_by_one(end: LiveEnd) -> None:
    ledger, (user, uploads) = end.uploads, made()

    noted = await asyncio.gather(*(ledger.open(user, one, most=2) for one in uploads))

    assert sorted(noted) == [False, False, True, True]


async def test_what_is_not_open_is_closed_for_nothing(end: LiveEnd) -> None:
    ledger, (user, uploads) = end.uploads, made()

    await ledger.close(user, uploads[0])

    assert await ledger.open(user, uploads[1], most=1)


async def test_a_user_who_is_forgotten_has_nothing_open(end: LiveEnd) -> None:
    ledger, (user, uploads) = end.uploads, made()
    await ledger.open(user, uploads[0], most=1)

    assert await end.live.forget(user) == 1

    assert await ledger.open(user, uploads[1], most=1)
