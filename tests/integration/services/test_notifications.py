"""Notifying the absent: once each, later if they look online, alone if they fail."""

import asyncio
import base64
import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import override

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.push.web_push import WebPush
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.people.notification import Notification, NotificationJob
from shared.domain.people.user import PreviewLevel, Subscription
from shared.services.notifications.notifications import UndeliverableError
from tests.integration.services.world import (
    Worker,
    World,
    by,
    device,
    post,
    run,
    sequence,
    start,
    start_pair,
)
from tests.twins.bus import MemoryNotificationChannel, Queued
from tests.unit.things import ANN, BOB, CAT, DAN, GROUP, NOON, PAIR, message


async def said(world: World, worker: Worker, *members: UserId, count: int = 1) -> ConversationId:
    """Let the first member write to the others; nobody acknowledges."""
    conversation = (await start(worker, *members)).conversation
    for number in range(count):
        await post(worker, conversation.id, number, members[0])
    return conversation.id


async def decided(world: World, worker: Worker, conversation_id: ConversationId) -> list[Queued]:
    await worker.chat.notification_planning.decide(world.stored(conversation_id))
    return world.bus.take()


def shown(world: World) -> dict[str, int]:
    return {name: len(seen) for name, seen in world.channel.shown.items() if seen}


async def test_who_is_away_gets_a_notice_now_and_who_looks_online_later(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT, count=2)
    await worker.chat.connections.connected(by(CAT, "tv"), ConnectionId("tv"))

    queued = await decided(world, worker, conversation_id)

    assert queued == [
        Queued(NotificationJob(conversation_id, sequence(1), sequence(2), (BOB,)), 0),
        Queued(NotificationJob(conversation_id, sequence(1), sequence(2), (CAT,)), 8),
    ]


async def test_a_batch_seen_twice_queues_nothing_twice(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    await decided(world, worker, conversation_id)

    assert await decided(world, world.worker(), conversation_id) == []


async def test_who_acknowledged_is_left_alone(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    await worker.chat.receipts.acknowledge(
        by(BOB), conversation_id, delivered=sequence(1), read=None
    )

    assert await decided(world, worker, conversation_id) == []


async def test_a_batch_of_several_conversations_is_decided_for_each(
    world: World, worker: Worker
) -> None:
    one = await said(world, worker, ANN, BOB)
    other = await said(world, worker, CAT, DAN)
    unknown = message(1, conversation_id=GROUP)

    await worker.chat.notification_planning.decide(
        [*world.stored(one), *world.stored(other), unknown]
    )

    assert [(one.job.conversation_id, one.job.recipients) for one in world.bus.take()] == [
        (one, (BOB,)),
        (other, (DAN,)),
    ]


async def test_nothing_is_decided_of_nothing(world: World, worker: Worker) -> None:
    await worker.chat.notification_planning.decide([])

    assert world.bus.take() == []


async def test_without_live_state_everyone_is_given_the_time_to_acknowledge(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    await worker.chat.receipt_flush.flush()
    world.redis_link.down = True

    (queued,) = await decided(world, worker, conversation_id)

    assert (queued.job.recipients, queued.delay_s) == ((BOB,), 8)
    assert await worker.chat.notifications.deliver(queued.job) == 1
    assert shown(world) == {"bob-phone": 1}


async def test_a_queue_that_is_down_leaves_the_batch_to_be_decided_again(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    world.bus.link.fail("send")

    with pytest.raises(UnavailableError):
        await decided(world, worker, conversation_id)

    assert len(await decided(world, worker, conversation_id)) == 1


async def test_a_notice_is_shown_on_every_device_once(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT, count=3)
    await worker.chat.devices.subscribe(by(BOB), device("bob-desk"))
    (queued,) = await decided(world, worker, conversation_id)

    notified = await worker.chat.notifications.deliver(queued.job)
    await world.worker().chat.notifications.deliver(queued.job)

    assert notified == 2
    assert shown(world) == {"bob-phone": 1, "bob-desk": 1, "cat-phone": 1}
    (notification,) = world.channel.shown["bob-phone"]
    assert (notification.title, notification.body) == ("Ann in Trip", "3 new messages")
    assert (notification.sequence, notification.tag) == (3, conversation_id)


@pytest.mark.parametrize(
    ("preview", "body"),
    [("nothing", "You have new messages"), ("sender", "New message"), ("text", "hello")],
)
async def test_a_notification_tells_as_much_as_was_chosen(
    world: World, worker: Worker, preview: PreviewLevel, body: str
) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    await worker.chat.accounts.set_preview(by(BOB), preview)
    (queued,) = await decided(world, worker, conversation_id)

    await worker.chat.notifications.deliver(queued.job)

    assert world.channel.shown["bob-phone"][0].body == body


async def test_the_recipients_of_a_notice_are_read_in_one_request(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT, DAN)
    (queued,) = await decided(world, worker, conversation_id)
    before = world.users.link.calls.copy()

    assert await worker.chat.notifications.deliver(queued.job) == 3

    assert world.users.link.calls - before == {"find_many": 1}


async def test_what_was_seen_meanwhile_is_not_shown(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    (queued,) = await decided(world, worker, conversation_id)
    await worker.chat.receipts.acknowledge(
        by(BOB), conversation_id, delivered=sequence(1), read=None
    )

    assert await worker.chat.notifications.deliver(queued.job) == 0
    assert shown(world) == {}


@pytest.mark.parametrize("change", ["mute", "leave", "block"])
async def test_who_wants_nothing_meanwhile_is_shown_nothing(
    world: World, worker: Worker, change: str
) -> None:
    conversation = (await start_pair(worker)).conversation
    if change == "leave":
        conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)
    (queued,) = await decided(world, worker, conversation.id)

    if change == "mute":
        until = NOON + timedelta(hours=1)
        await worker.chat.muting.mute(by(BOB), conversation.id, until=until)
    elif change == "leave":
        await worker.chat.conversations.remove_member(by(BOB), conversation.id, user_id=BOB)
    else:
        await worker.chat.accounts.block(by(BOB), ANN, blocked=True)

    assert await world.worker().chat.notifications.deliver(queued.job) == 0
    assert shown(world) == {}


async def test_what_is_older_than_what_was_shown_is_not_shown(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB, count=2)
    first, second = world.stored(conversation_id)
    await worker.chat.notification_planning.decide([first])
    await worker.chat.notification_planning.decide([second])
    older, newer = world.bus.take()

    await worker.chat.notifications.deliver(newer.job)
    await worker.chat.notifications.deliver(older.job)

    assert [one.sequence for one in world.channel.shown["bob-phone"]] == [2]


async def test_a_recipient_who_fails_is_tried_again_alone_and_later_each_time(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT)
    (queued,) = await decided(world, worker, conversation_id)
    world.channel.failing.add("bob-phone")
    delays = []

    job = queued.job
    assert await worker.chat.notifications.deliver(job) == 1
    for _ in range(5):
        (again,) = world.bus.take()
        job = again.job
        delays.append(again.delay_s)
        if len(delays) < 5:
            assert await worker.chat.notifications.deliver(job) == 0

    assert job.recipients == (BOB,)
    assert delays == sorted(delays)
    assert shown(world) == {"cat-phone": 1}
    with pytest.raises(UndeliverableError):
        await worker.chat.notifications.deliver(job)
    world.channel.failing.clear()
    assert await worker.chat.notifications.deliver(job) == 1
    assert shown(world) == {"bob-phone": 1, "cat-phone": 1}


async def test_a_fault_at_one_recipient_keeps_nothing_from_those_who_joined_later(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT)  # bob is told before cat
    (queued,) = await decided(world, worker, conversation_id)
    world.channel.broken.add("bob-phone")

    assert await worker.chat.notifications.deliver(queued.job) == 1

    (again,) = world.bus.take()
    assert (again.job.recipients, again.job.attempt) == ((BOB,), 1)
    assert shown(world) == {"cat-phone": 1}


async def test_a_fault_at_one_device_keeps_nothing_from_the_users_others(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    await worker.chat.devices.subscribe(by(BOB), device("bob-desk"))
    (queued,) = await decided(world, worker, conversation_id)
    world.channel.broken.add("bob-phone")

    assert await worker.chat.notifications.deliver(queued.job) == 0
    assert shown(world) == {"bob-desk": 1}


async def test_devices_that_hang_do_not_add_up(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT, DAN)
    for user in (BOB, CAT, DAN):
        for number in range(10):
            await worker.chat.devices.subscribe(by(user), device(f"{user}-{number}"))
    (queued,) = await decided(world, worker, conversation_id)

    async def hang(_name: str) -> None:
        await asyncio.sleep(10)
        raise UnavailableError("the push service did not answer")

    world.channel.link.pause = hang
    loop = asyncio.get_running_loop()
    began = loop.time()

    assert await worker.chat.notifications.deliver(queued.job) == 0

    assert loop.time() - began < 30
    assert len(world.bus.take()) == 3


async def test_devices_that_are_gone_are_all_forgotten(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    for number in range(19):
        await worker.chat.devices.subscribe(by(BOB), device(f"bob-{number}"))
    (queued,) = await decided(world, worker, conversation_id)
    world.channel.gone |= {"bob-phone", *(f"bob-{number}" for number in range(19))}

    await worker.chat.notifications.deliver(queued.job)

    bob = await world.users.find(BOB)
    assert bob is not None
    assert bob.subscriptions == ()


async def test_a_device_that_cannot_be_forgotten_now_costs_its_user_alone(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB, CAT)
    (queued,) = await decided(world, worker, conversation_id)
    world.channel.gone.add("bob-phone")
    world.users.link.fail("release_endpoint")

    assert await worker.chat.notifications.deliver(queued.job) == 1

    (again,) = world.bus.take()
    assert again.job.recipients == (BOB,)
    assert shown(world) == {"cat-phone": 1}


class Browsers(MemoryNotificationChannel):
    """Sends to the devices in `real` by Web Push itself, and keeps what the others are shown."""

    def __init__(self, *real: str) -> None:
        super().__init__()
        self.real = real
        key = ec.generate_private_key(ec.SECP256R1())
        raw = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self.web = WebPush(private_key=encoded(raw), subject="mailto:chat@example.org")

    @override
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        if subscription.id in self.real:
            return await self.web.deliver(subscription, notification)
        return await super().deliver(subscription, notification)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://.push.services.mozilla.com/x",
        "https://a..push.services.mozilla.com/x",
        "https://" + "a" * 64 + ".push.services.mozilla.com/x",
    ],
)
async def test_an_endpoint_stored_before_endpoints_were_checked_silences_nobody(
    world: World, endpoint: str
) -> None:
    world.channel = Browsers("bob-old")
    worker = world.worker()
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    bob = await world.users.find(BOB)
    assert bob is not None
    old = Subscription("bob-old", endpoint, encoded(point), encoded(b"0" * 16))
    await world.users.replace(replace(bob, subscriptions=(old, *bob.subscriptions)))
    conversation_id = await said(world, worker, ANN, BOB, CAT)
    (queued,) = await decided(world, worker, conversation_id)

    assert await worker.chat.notifications.deliver(queued.job) == 2

    bob = await world.users.find(BOB)
    assert bob is not None
    assert [one.id for one in bob.subscriptions] == ["bob-phone"]
    assert shown(world) == {"bob-phone": 1, "cat-phone": 1}
    assert world.bus.take() == []


async def test_a_device_that_is_gone_is_forgotten(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    (queued,) = await decided(world, worker, conversation_id)
    world.channel.gone.add("bob-phone")

    await worker.chat.notifications.deliver(queued.job)

    bob = await world.users.find(BOB)
    assert bob is not None
    assert bob.subscriptions == ()


async def test_who_has_no_device_is_not_tried_again(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, DAN)
    (queued,) = await decided(world, worker, conversation_id)

    await worker.chat.notifications.deliver(queued.job)

    assert world.bus.take() == []


async def test_a_sender_who_is_not_known_any_more_is_called_by_their_id(
    world: World, worker: Worker
) -> None:
    ghost = UserId("ghost")
    conversation = (
        await worker.chat.new_conversations.start(
            by(ghost), kind="direct", member_ids=[BOB], title=""
        )
    ).conversation
    await post(worker, conversation.id, 1, ghost)
    (queued,) = await decided(world, worker, conversation.id)

    await worker.chat.notifications.deliver(queued.job)

    assert world.channel.shown["bob-phone"][0].title == "ghost"


async def test_a_notice_of_no_conversation_is_done_with(world: World, worker: Worker) -> None:
    job = NotificationJob(GROUP, sequence(1), sequence(1), (ANN,))

    assert await worker.chat.notifications.deliver(job) == 0


@pytest.mark.parametrize("call", ["claim", "release"])
async def test_without_marks_it_is_rather_shown_twice_than_never(
    world: World, worker: Worker, call: str
) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    (queued,) = await decided(world, worker, conversation_id)
    world.redis_link.fail(call, count=9)
    if call == "release":
        world.channel.failing.add("bob-phone")

    notified = await worker.chat.notifications.deliver(queued.job)

    assert notified == (call == "claim")
    assert shown(world) == ({"bob-phone": 1} if call == "claim" else {})


async def test_a_store_that_lags_loses_no_notification(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    (queued,) = await decided(world, worker, conversation_id)
    other = world.worker()
    other.messages.replica.lag(1, reads=2)

    assert await other.chat.notifications.deliver(queued.job) == 1
    assert shown(world) == {"bob-phone": 1}


async def test_a_store_that_lags_for_long_gives_the_notice_back(
    world: World, worker: Worker
) -> None:
    conversation_id = await said(world, worker, ANN, BOB)
    (queued,) = await decided(world, worker, conversation_id)
    other = world.worker()
    other.messages.replica.lag(1, reads=99)

    with pytest.raises(UnavailableError):
        await other.chat.notifications.deliver(queued.job)


async def test_messages_that_were_seen_are_not_counted(world: World, worker: Worker) -> None:
    conversation_id = await said(world, worker, ANN, BOB, count=5)
    (queued,) = await decided(world, worker, conversation_id)
    await worker.chat.receipts.acknowledge(
        by(BOB), conversation_id, delivered=sequence(3), read=None
    )

    await worker.chat.notifications.deliver(queued.job)

    assert world.channel.shown["bob-phone"][0].body == "2 new messages"


steps = st.tuples(
    st.sampled_from(["post", "acknowledge", "decide", "deliver", "redeliver", "fail", "heal"]),
    st.integers(0, 5),
)


class Absence:
    """Bob is away while ann writes; jobs are decided, delivered, doubled and failed."""

    def __init__(self) -> None:
        self.world = World()
        self.worker = self.world.worker()
        self.taken: list[Queued] = []
        self.decided_of = self.acknowledged = self.count = 0

    async def step(self, what: str, number: int) -> None:
        await getattr(self, what)(number)

    async def post(self, _number: int) -> None:
        self.count += 1
        await post(self.worker, PAIR, self.count)

    async def acknowledge(self, number: int) -> None:
        if self.count:
            self.acknowledged = max(self.acknowledged, number % self.count + 1)
            up_to = SequenceNumber(self.acknowledged)
            await self.worker.chat.receipts.acknowledge(by(BOB), PAIR, delivered=up_to, read=None)

    async def decide(self, _number: int) -> None:
        await self.worker.chat.notification_planning.decide(
            self.world.stored(PAIR)[self.decided_of :]
        )
        self.decided_of = self.count

    async def deliver(self, number: int) -> None:
        if self.world.bus.queued:
            self.taken.append(self.world.bus.queued.pop(number % len(self.world.bus.queued)))
            await self._deliver(self.taken[-1])

    async def redeliver(self, number: int) -> None:
        if self.taken:
            await self._deliver(self.taken[number % len(self.taken)])

    async def fail(self, _number: int) -> None:
        self.world.channel.failing = {"bob-phone"}

    async def heal(self, _number: int) -> None:
        self.world.channel.failing = set()

    async def _deliver(self, queued: Queued) -> None:
        with contextlib.suppress(UndeliverableError):
            await self.worker.chat.notifications.deliver(queued.job)
            return
        self.world.bus.queued.append(queued)  # its dead letter, replayed later


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=25))
def test_each_absent_member_is_notified_of_the_newest_and_never_twice_of_one(
    plan: list[tuple[str, int]],
) -> None:
    async def check() -> None:
        absence = Absence()
        await start_pair(absence.worker)

        for what, number in [*plan, ("heal", 0), ("decide", 0)]:
            await absence.step(what, number)
        while absence.world.bus.queued:
            await absence.deliver(0)

        told = [one.sequence for one in absence.world.channel.shown["bob-phone"]]
        assert len(set(told)) == len(told)
        assert absence.acknowledged >= absence.count or max(told) == absence.count

    run(check())
