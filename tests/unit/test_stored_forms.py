"""What is kept in stores and queues comes back as it was, under names that clusters can serve."""

import inspect
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters import items
from shared.adapters.redis import keys as redis_keys
from shared.adapters.service_bus.jobs import envelope, job_from
from shared.domain.ids import SequenceNumber, UserId
from shared.domain.people.notification import NotificationJob
from shared.domain.people.user import Subscription, User
from shared.ports import FeedItem, Job, ReconcileStep, Reflush
from tests.unit.things import (
    ANN,
    BOB,
    CAT,
    GROUP,
    NOON,
    attachment,
    group,
    member,
    message,
    pair,
    receipt,
)


@pytest.mark.parametrize(
    "stored",
    [
        message(7),
        message(body="half a 😀 is no character"),
        replace(message(7), reply_to=SequenceNumber(3), kind="system"),
        message(body="", attachments=(attachment(1), attachment(2, width=3, height=4))),
    ],
)
def test_a_message_comes_back_as_it_was(stored: Any) -> None:
    assert items.message_from_item(items.message_item(stored, bucket=3)) == stored
    assert items.message_from_text(items.message_text(stored)) == stored


@pytest.mark.parametrize(
    "stored",
    [
        group(),
        pair(blocked_by=(BOB,)),
        replace(group(member(ANN, "owner", history_from=9, muted=NOON)), left=(CAT,), version=7),
    ],
)
def test_a_conversation_comes_back_as_it_was(stored: Any) -> None:
    assert items.conversation_from_item(items.conversation_item(stored)) == stored


@pytest.mark.parametrize("stored", [receipt(), receipt(delivered=7, read=3, at=NOON)])
def test_a_receipt_comes_back_as_it_was(stored: Any) -> None:
    item = items.receipt_item(stored)

    assert items.receipt_from_item(GROUP, BOB, item) == stored


def test_a_user_comes_back_as_they_were_with_the_etag_of_what_was_read() -> None:
    device = Subscription("phone", "https://push.example/1", "p", "a")
    stored = User(ANN, "Ann", "https://x/a", (BOB,), (CAT,), (device,), preview="text")

    assert items.user_from_item(items.user_item(stored)) == stored
    assert items.user_from_item({**items.user_item(stored), "_etag": "7"}).etag == "7"


@given(st.lists(st.integers(1, 999_999_999_999), min_size=2, max_size=2, unique=True))
def test_ids_of_messages_sort_as_their_sequences_do(pair_: list[int]) -> None:
    one, other = pair_

    assert (items.sequence_id(one) < items.sequence_id(other)) == (one < other)


NOTICE = NotificationJob(GROUP, SequenceNumber(3), SequenceNumber(7), (ANN, BOB), attempt=1)


JOBS: list[Job] = [
    NOTICE,
    replace(NOTICE, clear=True),
    FeedItem("notify_absent", '{"id": 1}', "KeyError in message_from_item, line 7"),
    Reflush(GROUP, "ValueError"),
    ReconcileStep(1_790_000_000_000, after=""),
]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_comes_back_as_it_was(job: Job) -> None:
    assert job_from(envelope(job).body) == job


@pytest.mark.parametrize(
    ("body", "job"),
    [
        (
            f'{{"conversationId": "{GROUP}", "first": 3, "upTo": 7, '
            '"recipients": ["ann", "bob"], "attempt": 1}',
            NOTICE,
        ),
        (
            '{"function": "notify_absent", "document": "{\\"id\\": 1}", "reason": "x"}',
            FeedItem("notify_absent", '{"id": 1}', "x"),
        ),
        (
            '{"function": "confirm_heads", "document": "{\\"id\\": 1}", "reason": "x"}',
            FeedItem("reconcile_heads", '{"id": 1}', "x"),
        ),
        (
            '{"function": "complete_memberships", "document": "{\\"id\\": 1}", "reason": "x"}',
            FeedItem("reconcile_memberships", '{"id": 1}', "x"),
        ),
        (
            f'{{"function": "flush_receipts", "document": "\\"{GROUP}\\"", "reason": "x"}}',
            Reflush(GROUP, "x"),
        ),
        (
            '{"function": "rebuild", "document": "{\\"run\\": 5, \\"after\\": \\"\\"}", '
            '"reason": "next step"}',
            ReconcileStep(5, after=""),
        ),
    ],
)
def test_a_version_reads_and_writes_what_the_ones_before_it_did(body: str, job: Job) -> None:
    # While one version replaces another, workers of both read the same queue.
    assert job_from(body) == job
    assert json.loads(envelope(job).body) == json.loads(body)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"function": "rebuild", "document": "{}"}'])
def test_a_message_without_a_job_is_refused(body: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        job_from(body)


def job_id(job: Job) -> str:
    return envelope(job).message_id


def test_a_repeat_of_a_notice_has_the_same_id_and_nothing_else_has() -> None:
    others = [
        replace(NOTICE, first=SequenceNumber(4)),
        replace(NOTICE, up_to=SequenceNumber(8)),
        replace(NOTICE, recipients=(ANN,)),
        replace(NOTICE, attempt=2),
    ]

    assert job_id(replace(NOTICE, recipients=(BOB, ANN))) == job_id(NOTICE)
    assert len({job_id(one) for one in [NOTICE, *others]}) == 5


def test_the_id_of_a_notice_fits_the_queue() -> None:
    crowd = tuple(UserId("x" * 128 + str(n)) for n in range(100))

    assert len(job_id(replace(NOTICE, recipients=crowd))) <= 128


NAMES = [
    (name, make)
    for name, make in inspect.getmembers(redis_keys, inspect.isfunction)
    if name not in {"shard_of", "epoch"}
]


@pytest.mark.parametrize(("name", "make"), NAMES)
def test_each_key_has_one_hash_tag_of_its_subject(name: str, make: Any) -> None:
    arguments = [f"part{n}" for n in range(len(inspect.signature(make).parameters))]

    key = make(*arguments)

    assert re.findall(r"\{(.*?)\}", key) == ["part0"]


def test_the_epoch_is_nobodys() -> None:
    assert redis_keys.epoch() == "epoch"  # of all of Redis; no script touches it beside another key


def test_no_two_kinds_of_key_share_a_name() -> None:
    made = [make(*["x"] * len(inspect.signature(make).parameters)) for _, make in NAMES]

    assert len(set(made)) == len(NAMES)


@given(st.text(max_size=20))
def test_every_name_has_its_shard(name: str) -> None:
    assert 0 <= redis_keys.shard_of(name) < redis_keys.SHARDS
