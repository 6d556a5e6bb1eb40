"""The rules of a queue under a clock that the test moves, and under any sequence of events."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, override

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from local.common.model import load_model
from local.servicebus.amqp.encode import encode
from local.servicebus.amqp.types import Described, ULong
from local.servicebus.context import BrokerContext
from local.servicebus.delivery import DeadLetterReason, Delivery, Outcome
from local.servicebus.entities import QueueDefinition, duration_ms, queues_of
from local.servicebus.errors import AmqpError, LockLostError
from local.servicebus.message import Incoming, parse
from local.servicebus.queue import Queue
from local.servicebus.store import Store

STRICT = QueueDefinition(
    "strict",
    lock_ms=1_000,
    max_delivery_count=3,
    duplicate_window_ms=60_000,
    ttl_ms=10_000,
    dead_letters_expired=True,
)


class World:
    """A queue with its dead-letter queue, a store and a clock."""

    def __init__(self, path: Path | str, definition: QueueDefinition = STRICT) -> None:
        self.now_ms = 1_000_000
        self._path = Path(path)
        self._definition = definition
        self.start()

    def start(self) -> None:
        self._soon: list[Callable[[], None]] = []
        self.store = Store(self._path, self._soon.append)
        context = BrokerContext(self.store, lambda: self.now_ms, lambda _: None)
        self.dead = Queue(self._definition, context, None)
        self.queue = Queue(self._definition, context, self.dead)
        for row in self.store.rows(self._definition.name):
            (self.dead if row.dead else self.queue).restore(row)

    def restart(self) -> None:
        self.store.close()
        self.start()

    def send(self, **fields: Any) -> int:
        (number,) = self.queue.send([incoming("x")._replace(**fields)])
        return number

    def take(self) -> Delivery:
        delivery = self.queue.take(lock=True)
        assert delivery is not None
        return delivery

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        self.queue.tick()
        self.dead.tick()


def incoming(text: str) -> Incoming:
    return parse(encode(Described(ULong(0x75), text.encode())))


def token(delivery: Delivery) -> uuid.UUID:
    assert delivery.token is not None
    return delivery.token


@pytest.fixture
def world() -> Iterator[World]:
    made = World(":memory:")
    yield made
    made.store.close()


def test_the_time_to_live_is_the_shorter_one(world: World) -> None:
    world.send(ttl_ms=5_000)
    world.send(ttl_ms=50_000)

    world.wait(5_000)
    alive_then = len(world.queue)
    world.wait(5_000)

    assert (alive_then, len(world.queue), len(world.dead)) == (1, 0, 2)


def test_a_locked_message_expires_only_when_its_lock_ends(world: World) -> None:
    world.send(ttl_ms=500)
    delivery = world.take()

    world.wait(999)
    world.queue.settle(token(delivery), Outcome.COMPLETE)

    assert (len(world.queue), len(world.dead)) == (0, 0)


def test_a_message_that_expired_under_its_lock_is_dead_lettered_when_given_back(
    world: World,
) -> None:
    world.send(ttl_ms=500)
    delivery = world.take()

    world.wait(700)
    world.queue.settle(token(delivery), Outcome.RELEASE)

    assert (len(world.queue), len(world.dead)) == (0, 1)


def test_dead_letters_neither_expire_nor_die_again(world: World) -> None:
    world.send()
    world.queue.settle(token(world.take()), Outcome.DEAD_LETTER, DeadLetterReason("why"))

    world.wait(1_000_000)
    for _ in range(5):
        delivery = world.dead.take(lock=True)
        assert delivery is not None
        with pytest.raises(AmqpError):
            world.dead.settle(token(delivery), Outcome.DEAD_LETTER)
        world.dead.settle(token(delivery), Outcome.ABANDON)

    assert len(world.dead) == 1


def test_a_lock_renewed_in_time_holds_from_then_on(world: World) -> None:
    world.send()
    delivery = world.take()

    world.wait(900)
    assert world.queue.renew(token(delivery)) == world.now_ms + 1_000
    world.wait(900)
    world.queue.settle(token(delivery), Outcome.COMPLETE)

    assert len(world.queue) == 0


def test_a_lock_is_lost_on_time_even_before_the_tick(world: World) -> None:
    world.send()
    delivery = world.take()

    world.now_ms += 1_000

    with pytest.raises(LockLostError):
        world.queue.settle(token(delivery), Outcome.COMPLETE)


def test_the_last_of_the_allowed_deliveries_can_still_succeed(world: World) -> None:
    world.send()
    for _ in range(2):
        world.queue.settle(token(world.take()), Outcome.ABANDON)

    last = world.take()
    assert last.marks.delivery_count == 2
    world.queue.settle(token(last), Outcome.COMPLETE)

    assert (len(world.queue), len(world.dead)) == (0, 0)


def test_an_id_is_free_again_after_the_window(world: World) -> None:
    first = world.send(message_id="same")
    world.wait(59_999)
    repeated = world.send(message_id="same")

    world.wait(1)
    fresh = world.send(message_id="same")

    assert repeated == first
    assert fresh != first


def test_a_scheduled_message_lives_from_its_time_on(world: World) -> None:
    world.send(scheduled_ms=world.now_ms + 30_000)

    world.wait(29_999)
    assert world.queue.take(lock=True) is None
    world.wait(1)
    delivery = world.take()

    assert delivery.marks.enqueued_ms == world.now_ms


def test_stale_appointments_do_not_pile_up(world: World) -> None:
    for _ in range(5_000):
        world.send()
        world.queue.settle(token(world.take()), Outcome.COMPLETE)

    assert len(world.queue._due_times._heap) < 2_000


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    world = World(tmp_path / "messages.db")
    number = world.send()
    world.queue.settle(token(world.take()), Outcome.COMPLETE)

    world.restart()

    assert world.send() > number
    world.store.close()


def test_the_queues_are_those_of_the_data_model() -> None:
    (notifications,) = [queue for queue in queues_of(load_model()) if queue.name == "notifications"]

    assert notifications == QueueDefinition(
        "notifications",
        lock_ms=60_000,
        max_delivery_count=5,
        duplicate_window_ms=600_000,
        ttl_ms=86_400_000,
        dead_letters_expired=True,
    )


@pytest.mark.parametrize("item", [{"name": "q", "requiresSession": True}, {"name": "q", "x": 1}])
def test_a_setting_that_is_not_served_is_refused(item: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not served here"):
        QueueDefinition.parse(item)


@pytest.mark.parametrize(
    ("text", "ms"), [("PT1M", 60_000), ("P1DT2H3M4.5S", 93_784_500), ("PT0.25S", 250)]
)
def test_durations_are_iso_8601(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "P1Y", "PT1M2"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration_ms(text)


class QueueMachine(RuleBasedStateMachine):
    """Any sequence of events against a model: nothing is lost, doubled, or held by two."""

    def __init__(self) -> None:
        super().__init__()
        definition = replace(STRICT, ttl_ms=None, duplicate_window_ms=None)
        self.world = World(":memory:", definition)
        self.alive: set[int] = set()
        self.held: dict[int, tuple[uuid.UUID, int]] = {}  # number -> lock, its end
        self.ended: list[uuid.UUID] = []

    @rule()
    def send(self) -> None:
        self.alive.add(self.world.send())

    @rule(delay_ms=st.integers(1, 3_000))
    def schedule(self, delay_ms: int) -> None:
        self.alive.add(self.world.send(scheduled_ms=self.world.now_ms + delay_ms))

    @rule()
    def take(self) -> None:
        delivery = self.world.queue.take(lock=True)
        if delivery is not None:
            number = delivery.marks.sequence_number
            assert number in self.alive
            assert number not in self.held
            self.held[number] = (token(delivery), self.world.now_ms + 1_000)

    @precondition(lambda self: self.held)
    @rule(outcome=st.sampled_from(Outcome), data=st.data())
    def settle(self, outcome: Outcome, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        lock, _ = self.held.pop(number)
        self.world.queue.settle(lock, outcome)
        self.ended.append(lock)
        if outcome is Outcome.COMPLETE:
            self.alive.remove(number)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        lock, _ = self.held[number]
        self.held[number] = (lock, self.world.queue.renew(lock))

    @rule(ms=st.integers(1, 1_500))
    def wait(self, ms: int) -> None:
        self.world.wait(ms)
        for number, (lock, end_ms) in list(self.held.items()):
            if end_ms <= self.world.now_ms:
                del self.held[number]
                self.ended.append(lock)

    @precondition(lambda self: self.ended)
    @rule(outcome=st.sampled_from(Outcome))
    def settle_late(self, outcome: Outcome) -> None:
        with pytest.raises(LockLostError):
            self.world.queue.settle(self.ended[-1], outcome)

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        queues = (self.world.queue, self.world.dead)
        found = [each.marks.sequence_number for queue in queues for each in queue.peek(0, 250)]
        assert sorted(found) == sorted(self.alive)

    @invariant()
    def the_store_holds_the_same(self) -> None:
        stored = {row.sequence_number for row in self.world.store.rows("strict")}
        assert stored == self.alive

    @override
    def teardown(self) -> None:
        self.world.store.close()


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_sequence_of_events_keeps_every_message = QueueMachine.TestCase
