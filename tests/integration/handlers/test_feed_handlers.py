"""Feeds, queue, timers and scanner: each hands over what it got, and loses nothing on the way."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from shared.adapters.items import conversation_item, message_item
from shared.adapters.service_bus.jobs import envelope
from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import InvalidError
from shared.domain.events import ToUser
from shared.domain.ids import ConnectionId, ConversationId
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message
from shared.ports import FeedItem, Job, ReconcileStep, Reflush
from tests.integration.handlers.calls import App
from tests.integration.services.world import PNG, by, post, start, start_pair
from tests.unit.things import ANN, BOB, CAT, GROUP, PAIR
from triggers import admin, bus, feed, scan, site, timer

NO_FILE = "a-" + "f" * 32


def messages(*stored: Message) -> func.DocumentList:
    return func.DocumentList(
        func.Document.from_dict(message_item(message, bucket=0)) for message in stored
    )


def conversations(*stored: Conversation) -> func.DocumentList:
    return func.DocumentList(
        func.Document.from_dict(conversation_item(conversation)) for conversation in stored
    )


class Given:
    """A queue message or an event, as far as the handlers look."""

    def __init__(self, content: object) -> None:
        self._content = content
        self.application_properties: dict[str, object] = {}

    def get_body(self) -> bytes:
        return json.dumps(self._content).encode()

    def get_json(self) -> Any:
        return self._content


def queued_as(job: Job) -> Given:
    """Return *job* as the queue delivers it."""
    return Given(json.loads(envelope(job).body))


async def test_stored_messages_become_notices_and_notices_notifications(app: App) -> None:
    await start_pair(app.worker)
    await post(app.worker, PAIR, 1)

    await app.trigger(feed.notify_absent, messages(*app.world.stored(PAIR)))
    (queued,) = app.world.bus.take()
    await app.trigger(bus.deliver_notification, queued_as(queued.job))

    assert [shown.sequence for shown in app.world.channel.shown["bob-phone"]] == [1]


async def test_heads_that_are_behind_are_confirmed(app: App) -> None:
    await start_pair(app.worker)
    app.world.redis_link.fail("record_sent")
    await post(app.worker, PAIR, 1)

    await app.trigger(feed.reconcile_heads, messages(*app.world.stored(PAIR)))

    assert (await app.world.live.head(PAIR)).sequence == 1


async def test_a_batch_of_changed_conversations_is_completed_whole(app: App) -> None:
    made = [(await start(app.worker, ANN, BOB)).conversation for _ in range(3)]
    changed = [replace(conversation, version=2, left=(CAT,)) for conversation in made]

    for conversation in made:
        await app.world.hub.join(ToUser(CAT), conversation.id)

    await app.trigger(feed.reconcile_memberships, conversations(*changed))

    assert app.world.hub.remembered[CAT] == {}


async def test_files_are_processed_and_judged(app: App) -> None:
    await start_pair(app.worker)
    identifier, _ = await app.worker.chat.attachments.grant_upload(
        by(ANN), PAIR, file_name="a.png", content_type="image/png", size_bytes=len(PNG)
    )
    app.world.blobs.upload(PAIR, identifier, PNG)
    grant = await app.world.blobs.find_grant(PAIR, identifier)
    assert grant is not None
    await post(app.worker, PAIR, 1, attachments=(grant.attachment,))
    stored = app.world.stored(PAIR)

    pushes = await app.trigger(feed.process_attachments, messages(*stored))
    place = f"https://x.blob.core.windows.net/attachments/files/{PAIR}/{identifier}"
    verdict = {"blobUri": place, "scanResultType": "Malicious"}
    judged = await app.trigger(scan.attachment_scanned, Given(verdict))

    assert pushes == []
    assert list(app.world.blobs.thumbnails) == [(PAIR, identifier)]
    assert [push["target"] for push in judged] == ["attachmentChanged"] * 2
    assert app.world.stored(PAIR)[0].attachments[0].state == "rejected"


async def pictures(app: App, count: int) -> list[Message]:
    """Send so many messages with a picture each."""
    await start_pair(app.worker)
    for number in range(count):
        identifier, _ = await app.worker.chat.attachments.grant_upload(
            by(ANN), PAIR, file_name="a.png", content_type="image/png", size_bytes=len(PNG)
        )
        app.world.blobs.upload(PAIR, identifier, PNG)
        attachments = (Attachment(identifier, "", "", 0),)
        await post(app.worker, PAIR, number, attachments=attachments)
    return app.world.stored(PAIR)


def hang_at(app: App, *places: int) -> None:
    """Let the decoding of the pictures at these places of a batch never end."""
    begun: list[int] = []

    async def pause(_name: str) -> None:
        begun.append(len(begun))
        if begun[-1] in places:
            await asyncio.sleep(10_000)

    app.world.images.link.pause = pause


async def test_a_picture_that_takes_too_long_goes_into_the_queue_and_the_others_go_on(
    app: App,
) -> None:
    stored = await pictures(app, 4)
    hang_at(app, 2)  # the second one's: each that ends pauses twice

    await app.trigger(feed.process_attachments, messages(*stored))

    others = [message for message in stored if message.sequence != 2]
    assert set(app.world.blobs.thumbnails) == {
        (PAIR, message.attachments[0].attachment_id) for message in others
    }
    (job,) = app.world.bus.other_jobs
    assert isinstance(job, FeedItem)
    assert (job.function, json.loads(job.document)["sequence"]) == ("process_attachments", 2)
    assert job.reason == "longer than its deadline"
    await app.trigger(bus.deliver_notification, queued_as(job))
    assert len(app.world.blobs.thumbnails) == 4


async def test_a_batch_of_nothing_else_ends_long_before_its_worker_would(app: App) -> None:
    stored = await pictures(app, 20)
    hang_at(app, *range(100))
    loop = asyncio.get_running_loop()
    began = loop.time()

    await app.trigger(feed.process_attachments, messages(*stored))

    assert loop.time() - began < 200
    assert len(app.world.bus.other_jobs) == 20


async def test_a_document_from_the_queue_is_given_back_when_it_takes_too_long_again(
    app: App,
) -> None:
    stored = await pictures(app, 1)
    hang_at(app, *range(100))
    document = json.dumps(message_item(stored[0], bucket=0))
    item = Given({"function": "process_attachments", "document": document, "reason": ""})

    with pytest.raises(TimeoutError):
        await app.trigger(bus.deliver_notification, item)


async def test_a_batch_that_takes_too_long_is_handled_one_by_one(app: App) -> None:
    await start_pair(app.worker)
    for number in range(3):
        await post(app.worker, PAIR, number)
    calls: list[str] = []

    async def hang_once(name: str) -> None:
        calls.append(name)
        if calls == ["send"]:
            await asyncio.sleep(10_000)

    app.world.bus.link.pause = hang_once

    await app.trigger(feed.notify_absent, messages(*app.world.stored(PAIR)))

    assert [queued.job.up_to for queued in app.world.bus.take()] == [1, 2, 3]
    assert app.world.bus.other_jobs == []


async def test_a_conversation_is_flushed_again_from_the_queue(app: App) -> None:
    await start_pair(app.worker)
    await post(app.worker, PAIR, 1)

    await app.trigger(bus.deliver_notification, queued_as(Reflush(PAIR, "ValueError")))

    stored = await app.worker.conversations.find_with_state(PAIR)
    assert stored is not None
    assert stored[1].head == 1


async def test_a_reconciliation_of_everything_goes_on_step_by_step_in_the_queue(app: App) -> None:
    await start_pair(app.worker)
    await post(app.worker, PAIR, 1)
    app.world.redis.flush()

    await app.trigger(admin.rebuild, "all")
    steps = app.world.bus.other_jobs
    first, *_ = steps
    await app.trigger(bus.deliver_notification, queued_as(first))
    _, second = steps
    await app.trigger(bus.deliver_notification, queued_as(second))

    assert isinstance(first, ReconcileStep)
    assert isinstance(second, ReconcileStep)
    assert (first.after, second.run, len(steps)) == ("", first.run, 2)
    assert second.after
    assert (await app.world.live.head(PAIR)).sequence == 1


async def test_a_job_of_a_function_that_is_gone_fails_and_so_is_kept(app: App) -> None:
    with pytest.raises(KeyError, match="no_such_function"):
        await app.trigger(
            bus.deliver_notification, queued_as(FeedItem("no_such_function", "{}", "x"))
        )


@pytest.mark.parametrize(
    ("place", "result"),
    [
        (f"https://x/attachments/files/{GROUP}/{NO_FILE}", "No threats found"),
        (f"https://x/attachments/files/{GROUP}/{NO_FILE}", "Scan failed"),
        (f"https://x/attachments/grants/{GROUP}/{NO_FILE}", "Malicious"),
        (f"https://x/attachments/files/x/{NO_FILE}", "Malicious"),
        (f"https://x/attachments/files/{GROUP}/x", "Malicious"),
        ("https://x", "Malicious"),
        ("", None),
    ],
)
async def test_a_verdict_of_nothing_of_ours_changes_nothing(
    app: App, place: str, result: str | None
) -> None:
    event = Given({"blobUri": place, "scanResultType": result})

    assert await app.trigger(scan.attachment_scanned, event) == []


async def test_timers_flush_and_sweep(app: App) -> None:
    group = (await start(app.worker, ANN, BOB)).conversation
    await post(app.worker, group.id, 1)
    await app.worker.chat.connections.connected(by(CAT, "tv"), ConnectionId("tv"))
    app.world.clock.advance(25 * 3600)
    tick: TimerRequest | None = None

    flushed = await app.trigger(timer.flush_receipts, tick)
    swept = await app.trigger(timer.sweep_presence, tick)
    await app.trigger(timer.sweep_uploads, tick)
    await app.trigger(timer.warm_up, None)

    assert [push["target"] for push in flushed] == ["receiptAdvanced"]
    assert [push["target"] for push in swept] == ["presenceChanged"]


async def test_rows_of_the_sites_table_are_taken_over(app: App) -> None:
    rows = [
        {
            "Operation": 1,
            "Item": {
                "UserId": "eve",
                "DisplayName": "Eve",
                "AvatarUrl": None,
                "Contacts": json.dumps([ANN]),
                "Blocked": "[]",
            },
        },
        {"Operation": 2, "Item": {"UserId": BOB}},
    ]

    await app.trigger(site.users_changed, json.dumps(rows))

    eve = await app.world.users.find("eve")  # type: ignore[arg-type]
    bob = await app.world.users.find(BOB)
    assert eve is not None
    assert (eve.display_name, eve.contacts) == ("Eve", (ANN,))
    assert bob is not None
    assert bob.display_name == "Bob"


async def test_a_row_that_cannot_be_is_not_taken(app: App) -> None:
    rows = json.dumps([{"Operation": 0, "Item": {"UserId": "a b"}}])

    with pytest.raises(InvalidError):
        await app.trigger(site.users_changed, rows)


def test_every_is_a_schedule() -> None:
    assert timer.every(5) == "*/5 * * * * *"
    assert ConversationId(GROUP) == GROUP
