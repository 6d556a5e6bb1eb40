"""Any interleaving of writers, retries, lost replies, lag and loss: 1..n, each message once."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, override

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.domain.errors import UnavailableError
from shared.domain.ids import UserId
from shared.domain.messages.message import Message
from shared.services.messages.posting import Posted
from shared.services.messages.sequencer import Sequencer
from tests.integration.services.world import FastLoop, Worker, World, by, draft, start_pair
from tests.twins.faulty_link import When
from tests.twins.messages import MemoryMessageStore
from tests.unit.things import ANN, BOB

WORKERS = 3
SENDERS = (ANN, BOB)
LONGEST_ATTEMPT_S = 230.0  # what App Service's load balancer allows

workers = st.integers(0, WORKERS - 1)
clocks = st.sampled_from([0.0, 20 * 60.0, -20 * 60.0, 3 * 3600.0, -3 * 3600.0])  # how far ahead


@dataclass(slots=True)
class Outbox:
    """A client: sends one message after another, each until it is acknowledged."""

    user: UserId
    number: int = 1
    tried: bool = False
    acknowledged: dict[int, Message] = field(default_factory=dict)


@dataclass(slots=True)
class Attempt:
    outbox: Outbox
    number: int
    task: asyncio.Task[Posted]
    begun_s: float


class Writers(RuleBasedStateMachine):
    """Every call to the message store stops on its way there and back, until a rule lets it go."""

    sequencer: ClassVar[type[Sequencer]] = Sequencer
    store: ClassVar[type[MemoryMessageStore]] = MemoryMessageStore

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=FastLoop)
        self.waiting: list[asyncio.Future[None]] = []
        self.attempts: list[Attempt] = []
        self.outboxes = [Outbox(user) for user in SENDERS]
        self.now_s = 0.0

    @initialize(bucket_size=st.integers(1, 5), ahead_s=st.tuples(*[clocks] * WORKERS))
    def begin(self, bucket_size: int, ahead_s: tuple[float, ...]) -> None:
        self.world = World(settings={"CHAT_BUCKET_SIZE": str(bucket_size)})
        self.workers = [self._worker(bucket_size, ahead_s=one) for one in ahead_s]
        started = self.runner.run(start_pair(self.workers[0]))
        self.conversation_id = started.conversation.id
        for worker in self.workers:
            worker.messages.link.pause = self._pause

    @rule(sender=st.integers(0, 1), worker=workers)
    def send(self, sender: int, worker: int) -> None:
        outbox = self.outboxes[sender]
        if sum(attempt.outbox is outbox for attempt in self.attempts) >= 3:
            return
        asked = draft(outbox.number, retry=outbox.tried)
        posting = self.workers[worker].chat.posting
        call = posting.post_message(by(outbox.user), self.conversation_id, asked)
        task = self.runner.get_loop().create_task(call)
        self.attempts.append(Attempt(outbox, outbox.number, task, self.now_s))
        outbox.tried = True
        self._settle()

    @rule(picks=st.lists(st.integers(0, 7), min_size=1, max_size=15))
    def go_on(self, picks: list[int]) -> None:
        for pick in picks:
            if self.waiting:
                self.waiting.pop(pick % len(self.waiting)).set_result(None)
                self._settle()

    @rule()
    def go_all_the_way(self) -> None:
        while self.waiting:
            self.go_on([0])

    @rule(sender=st.integers(0, 1), worker=workers)
    def say(self, sender: int, worker: int) -> None:
        self.send(sender, worker)
        self.go_all_the_way()

    @rule(sender=st.integers(0, 1), worker=workers)
    def lose_the_reply(self, sender: int, worker: int) -> None:
        self.fail(worker, "after")
        self.say(sender, worker)

    @precondition(lambda self: self.attempts)
    @rule(pick=st.integers(0, 5))
    def kill(self, pick: int) -> None:
        self.attempts[pick % len(self.attempts)].task.cancel()
        self._settle()

    @rule(worker=workers, when=st.sampled_from(["before", "after"]))
    def fail(self, worker: int, when: When) -> None:
        self.workers[worker].messages.link.fail("append", when=when)

    @rule(worker=workers, hidden=st.integers(1, 8), reads=st.integers(1, 12))
    def lag(self, worker: int, hidden: int, reads: int) -> None:
        self.workers[worker].messages.replica.lag(hidden, reads=reads)

    @rule()
    def lose_live_state(self) -> None:
        self.world.redis.flush()

    @rule(seconds=st.sampled_from([1.0, 200.0, 1_000.0, 100_000.0]))
    def wait(self, seconds: float) -> None:
        oldest = min((attempt.begun_s for attempt in self.attempts), default=self.now_s)
        if not self.attempts or self.now_s + seconds - oldest < LONGEST_ATTEMPT_S:
            self.now_s += seconds
            self.world.clock.advance(seconds)

    @invariant()
    def sequences_have_no_gap(self) -> None:
        stored = self._stored()
        assert [message.sequence for message in stored] == list(range(1, len(stored) + 1))

    @invariant()
    def each_message_is_stored_once(self) -> None:
        pairs = [(message.sender_id, message.client_message_id) for message in self._stored()]
        assert len(set(pairs)) == len(pairs)

    @invariant()
    def each_senders_order_is_kept(self) -> None:
        numbers: defaultdict[UserId, list[str]] = defaultdict(list)
        for message in self._stored():
            numbers[message.sender_id].append(message.client_message_id)
        assert all(sent == sorted(sent) for sent in numbers.values())

    @invariant()
    def what_was_acknowledged_is_stored(self) -> None:
        stored = self._stored()
        for outbox in self.outboxes:
            assert all(message in stored for message in outbox.acknowledged.values())

    @override
    def teardown(self) -> None:
        try:
            self._quiet()
        finally:
            self.waiting = []
            self.runner.close()

    def _quiet(self) -> None:
        for worker in self.workers:
            worker.messages.link.clear()
            worker.messages.replica.lag(0, reads=0)
        self.go_all_the_way()
        assert not self.attempts, "an attempt never ends"
        for sender, outbox in enumerate(self.outboxes):
            while outbox.tried:
                self.say(sender, 0)
        for check in (
            self.sequences_have_no_gap,
            self.each_message_is_stored_once,
            self.each_senders_order_is_kept,
            self.what_was_acknowledged_is_stored,
        ):
            check()
        assert len(self._stored()) == sum(len(one.acknowledged) for one in self.outboxes)

    def _worker(self, bucket_size: int, *, ahead_s: float) -> Worker:
        messages = self.store(bucket_size=bucket_size, table=self.world.message_table)
        made = self.world.worker(ahead_s=ahead_s, messages=messages)
        clock = made.chat.posting.clock
        sequencer = self.sequencer(messages, clock, bucket_size=bucket_size)
        writer = replace(made.chat.posting.writer, sequencer=sequencer)
        posting = replace(made.chat.posting, writer=writer)
        return Worker(replace(made.chat, posting=posting), messages, made.conversations)

    async def _pause(self, _name: str) -> None:
        gate = asyncio.get_running_loop().create_future()
        self.waiting.append(gate)
        try:
            await gate
        except asyncio.CancelledError:
            if gate in self.waiting:
                self.waiting.remove(gate)
            raise

    def _settle(self) -> None:
        self.runner.run(asyncio.sleep(1))
        going = [attempt for attempt in self.attempts if not attempt.task.done()]
        ended = [attempt for attempt in self.attempts if attempt.task.done()]
        self.attempts = going
        for attempt in ended:
            self._end(attempt)

    def _end(self, attempt: Attempt) -> None:
        if attempt.task.cancelled():
            return
        failure = attempt.task.exception()
        if failure is not None:
            assert isinstance(failure, UnavailableError), failure
            return
        outbox = attempt.outbox
        outbox.acknowledged[attempt.number] = attempt.task.result().message
        if attempt.number == outbox.number:
            outbox.number, outbox.tried = outbox.number + 1, False

    def _stored(self) -> list[Message]:
        return self.world.stored(self.conversation_id)


CHECKED = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

TestWriters = Writers.TestCase
TestWriters.settings = CHECKED


class NeverLooks(Sequencer):
    @override
    async def _must_look(self, message: Message, suspicious: bool) -> bool:
        return False


class ForgetsRetries(Sequencer):
    @override
    async def store(self, draft: Message, *, head: Any, retry: bool) -> Any:
        return await super().store(draft, head=head, retry=False)


class AsksForNoProof(Sequencer):
    @override
    async def _look_before(self, message: Message, bucket: int) -> Message | None:
        return (await self._messages.find_original(message, bucket=None)).message


class HasNoUniqueKey(MemoryMessageStore):
    @override
    def collide(self, one: Message, other: Message) -> bool:
        return one.sequence == other.sequence


class HasNoUniqueId(MemoryMessageStore):
    @override
    def collide(self, one: Message, other: Message) -> bool:
        return super().collide(one, other) and one.sequence != other.sequence


def mutant(**changed: type) -> type[Writers]:
    return type("Mutant", (Writers,), changed)


@pytest.mark.parametrize(
    "broken",
    [
        mutant(sequencer=NeverLooks),
        mutant(sequencer=ForgetsRetries),
        mutant(sequencer=AsksForNoProof),
        mutant(store=HasNoUniqueKey),
        mutant(store=HasNoUniqueId),
    ],
    ids=["never looks", "forgets retries", "asks for no proof", "no unique key", "no unique id"],
)
def test_the_machine_catches_a_broken_sequencer(broken: type[Writers]) -> None:
    thorough = settings(CHECKED, max_examples=3_000, phases=[Phase.generate], derandomize=True)

    with pytest.raises((AssertionError, Flaky, ExceptionGroup)):
        run_state_machine_as_test(broken, settings=thorough)
