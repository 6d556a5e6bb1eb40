"""What the message store promises, whoever keeps it. Buckets hold three."""

import asyncio
import time
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.cosmos.messages import seconds_between
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber, group_conversation_id
from shared.domain.messages.message import Message
from shared.ports import SequenceTakenError
from tests.contract.ports.stores import BUCKET_SIZE, Stores
from tests.unit.things import ANN, BOB, NOON, attachment, client_id
from tests.unit.things import message as any_message


@pytest.fixture
def place() -> ConversationId:
    return group_conversation_id(uuid.uuid4())


def message(place: ConversationId, sequence: int, **said: object) -> Message:
    return any_message(sequence, conversation_id=place, **said)  # type: ignore[arg-type]


async def fill(stores: Stores, place: ConversationId, count: int) -> list[Message]:
    written = [message(place, number) for number in range(1, count + 1)]
    for one in written:
        await stores.messages.append(one)
    return written


async def test_a_message_comes_back_as_it_was(stores: Stores, place: ConversationId) -> None:
    written = replace(
        message(place, 1, body="Grüße 🐈\n", attachments=(attachment(),)),
        reply_to=SequenceNumber(7),
        kind="system",
    )

    await stores.messages.append(written)

    assert await stores.messages.find(place, SequenceNumber(1)) == written
    assert await stores.messages.find(place, SequenceNumber(2)) is None
    assert await stores.messages.find(place, SequenceNumber(99)) is None


async def test_many_are_found_at_once_in_whatever_buckets(
    stores: Stores, place: ConversationId
) -> None:
    places = [place, *(group_conversation_id(uuid.uuid4()) for _ in range(120))]
    written = await fill(stores, place, 5)
    for one in places[1:4]:
        written += await fill(stores, one, 2)
    asked = [(one, SequenceNumber(2)) for one in places[1:]]

    found = await stores.messages.find_many([(place, SequenceNumber(5)), *asked])

    assert {(one.conversation_id, one.sequence) for one in found} == {
        (place, 5),
        *((one, 2) for one in places[1:4]),
    }
    assert all(one in written for one in found)
    assert await stores.messages.find_many([(place, SequenceNumber(6))]) == []
    assert await stores.messages.find_many([(place, SequenceNumber(4))]) == [written[3]]
    assert await stores.messages.find_many([]) == []


async def test_a_sequence_is_taken_once(stores: Stores, place: ConversationId) -> None:
    first = message(place, 1)
    await stores.messages.append(first)

    with pytest.raises(SequenceTakenError):
        await stores.messages.append(message(place, 1, sender=BOB, number=2))

    assert await stores.messages.find(place, SequenceNumber(1)) == first


async def test_of_many_writers_one_gets_a_sequence(stores: Stores, place: ConversationId) -> None:
    tries = [stores.messages.append(message(place, 1, number=number)) for number in range(8)]

    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(one is None for one in outcomes) == 1
    assert sum(isinstance(one, SequenceTakenError) for one in outcomes) == 7


async def test_a_pair_of_sender_and_id_is_stored_once_in_a_bucket(
    stores: Stores, place: ConversationId
) -> None:
    await stores.messages.append(message(place, 1, number=7))

    with pytest.raises(SequenceTakenError):
        await stores.messages.append(message(place, 2, number=7))
    await stores.messages.append(message(place, 2, number=7, sender=BOB))
    await stores.messages.append(message(place, BUCKET_SIZE + 1, number=7))

    elsewhere = group_conversation_id(uuid.uuid4())
    await stores.messages.append(message(elsewhere, 1, number=7))


@pytest.mark.parametrize(
    ("number", "bucket", "proof", "sequence", "proven"),
    [
        (1, 0, None, 1, True),
        (1, None, None, 1, True),
        (1, 1, None, None, True),
        (5, 1, None, 5, True),
        (5, 0, 3, None, True),
        (5, None, 3, 5, True),
        (9, None, 3, None, True),
        (9, 1, 6, None, False),
        (1, 0, 9, 1, False),
    ],
)
async def test_an_original_is_found_where_it_is_looked_for(
    stores: Stores,
    place: ConversationId,
    number: int,
    bucket: int | None,
    proof: int | None,
    sequence: int | None,
    proven: bool,
) -> None:
    await fill(stores, place, 5)
    asked = message(place, 99, number=number)

    found = await stores.messages.find_original(
        asked, bucket=bucket, proof=None if proof is None else SequenceNumber(proof)
    )

    assert (found.message.sequence if found.message else None) == sequence
    assert found.proven == proven


async def test_an_original_is_its_senders_own(stores: Stores, place: ConversationId) -> None:
    await stores.messages.append(message(place, 1, number=7))

    found = await stores.messages.find_original(
        message(place, 9, number=7, sender=BOB), bucket=None
    )

    assert found.message is None


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (1, 7, [1, 2, 3, 4, 5, 6, 7]),
        (2, 4, [2, 3, 4]),
        (3, 3, [3]),
        (4, 6, [4, 5, 6]),
        (7, 20, [7]),
        (8, 9, []),
        (5, 4, []),
        (1, 0, []),
    ],
)
async def test_a_range_is_in_rising_sequence_across_buckets(
    stores: Stores, place: ConversationId, first: int, last: int, expected: list[int]
) -> None:
    written = await fill(stores, place, 7)

    found = await stores.messages.list_range(place, SequenceNumber(first), SequenceNumber(last))

    assert found == [written[number - 1] for number in expected]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("behind", [0, 1, 3])
async def test_the_newest_is_found_from_any_place_at_or_before_it(
    stores: Stores, place: ConversationId, count: int, behind: int
) -> None:
    await fill(stores, place, count)

    newest = await stores.messages.find_newest(
        place, at_least=SequenceNumber(max(0, count - behind))
    )

    assert (newest.sequence if newest else 0) == count


async def test_an_attachment_is_replaced_in_its_message(
    stores: Stores, place: ConversationId
) -> None:
    files = (attachment(1), attachment(2))
    await stores.messages.append(message(place, 4, attachments=files))
    judged = replace(files[1], state="rejected")

    await stores.messages.set_attachment(place, SequenceNumber(4), judged)
    await stores.messages.set_attachment(place, SequenceNumber(5), judged)

    found = await stores.messages.find(place, SequenceNumber(4))
    assert found is not None
    assert found.attachments == (files[0], judged)
    assert found.client_message_id == client_id(4)


async def test_conversations_do_not_mix(stores: Stores, place: ConversationId) -> None:
    await fill(stores, place, 2)
    elsewhere = group_conversation_id(uuid.uuid4())

    assert await stores.messages.list_range(elsewhere, SequenceNumber(1), SequenceNumber(9)) == []
    assert await stores.messages.find_newest(elsewhere, at_least=SequenceNumber(0)) is None
    asked = message(elsewhere, 9, number=1, sender=ANN)
    assert (await stores.messages.find_original(asked, bucket=None)).message is None


def test_a_failure_is_told_apart_from_a_refusal() -> None:
    assert not issubclass(SequenceTakenError, UnavailableError)


async def test_the_store_tells_a_messages_age_by_its_own_clock(
    stores: Stores, place: ConversationId
) -> None:
    long_ago = message(place, 1, at=NOON - timedelta(days=365))  # by the clock of who wrote it
    await stores.messages.append(long_ago)
    first = await stores.messages.age_s(place, SequenceNumber(1))
    assert first is not None
    assert first < 3600

    deadline = time.monotonic() + 30
    while not (age_s := await stores.messages.age_s(place, SequenceNumber(1))):
        assert time.monotonic() < deadline, "it grows no older"
        await asyncio.sleep(0.2)

    assert age_s < 3600
    assert await stores.messages.age_s(place, SequenceNumber(2)) is None


@pytest.mark.parametrize(
    ("written_s", "answered_at", "age_s"),
    [
        (1_700_000_000, "Tue, 14 Nov 2023 22:13:20 GMT", 0),
        (1_700_000_000, "Tue, 14 Nov 2023 22:13:30 GMT", 9),
        (1_700_000_000, "Tue, 14 Nov 2023 22:13:00 GMT", 0),
        (1_700_000_000, "", 0),
        (1_700_000_000, "yesterday", 0),
    ],
)
def test_what_cannot_be_told_counts_as_just_written(
    written_s: int, answered_at: str, age_s: float
) -> None:
    assert seconds_between(written_s, answered_at) == age_s
