"""What the queue promises, whoever keeps it."""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from azure.servicebus import ServiceBusReceiveMode
from azure.servicebus.aio import ServiceBusClient

from shared.adapters.service_bus.jobs import job_from
from shared.adapters.service_bus.queue import QUEUE, ServiceBusQueue
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.domain.ids import SequenceNumber, group_conversation_id
from shared.domain.people.notification import NotificationJob
from shared.ports import Bus, FeedItem, Job, ReconcileStep, Reflush
from tests.contract.ports.ends import no_credential
from tests.twins.bus import MemoryBus
from tests.unit.things import ANN, BOB, GROUP

WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class BusEnd:
    """A queue, and the means to take out what comes at once: so many jobs, or all there are."""

    bus: Bus
    take: Callable[[int], Awaitable[list[Job]]]


@contextlib.asynccontextmanager
async def service_bus_end(connection: str) -> AsyncIterator[BusEnd]:
    bus = ServiceBusQueue(Endpoint(connection, "", ""), no_credential)
    async with ServiceBusClient.from_connection_string(connection) as client:

        async def take(count: int) -> list[Job]:
            found: list[Job] = []
            mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
            async with client.get_queue_receiver(QUEUE, receive_mode=mode) as receiver:
                while len(found) < count:
                    came = await receiver.receive_messages(20, max_wait_time=WAIT_S)
                    assert came, "waited in vain"
                    found += [job_from(str(one)) for one in came]
            return found

        yield BusEnd(bus, take)
    await bus.aclose()


@pytest.fixture(params=["memory", pytest.param("servicebus", marks=pytest.mark.stack)])
async def end(request: pytest.FixtureRequest) -> AsyncIterator[BusEnd]:
    if request.param == "memory":
        bus = MemoryBus()

        async def take(_count: int) -> list[Job]:
            notices = [one.job for one in bus.take() if not one.delay_s]
            return [*notices, *bus.other_jobs]

        yield BusEnd(bus, take)
        return
    async with service_bus_end(request.getfixturevalue("bus_connection")) as real:
        yield real


def nobody_answers(port: int) -> str:
    """Return the connection string of a port that no broker listens on."""
    return (
        f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=k;SharedAccessKey=c2VjcmV0;"
        "UseDevelopmentEmulator=true;"
    )


@pytest.fixture
def job() -> NotificationJob:
    return NotificationJob(
        group_conversation_id(uuid.uuid4()), SequenceNumber(1), SequenceNumber(2), (ANN, BOB)
    )


async def test_a_notice_comes_out_as_it_went_in(end: BusEnd, job: NotificationJob) -> None:
    await end.bus.send(job)

    assert await end.take(1) == [job]


@pytest.mark.parametrize(
    "job",
    [
        FeedItem("notify_absent", '{"id": 1}', "KeyError in message_from_item, line 7"),
        Reflush(GROUP, "ValueError"),
        ReconcileStep(1_790_000_000_000, after=GROUP),
    ],
)
async def test_every_kind_of_job_comes_out_once_as_it_went_in(end: BusEnd, job: Job) -> None:
    fresh = _of_this_run(job)

    await end.bus.send(fresh)
    await end.bus.send(fresh)

    assert await end.take(1) == [fresh]


def _of_this_run(job: Job) -> Job:
    """Return *job* with something new in it: one queue serves all tests, and drops repeats."""
    match job:
        case FeedItem():
            return replace(job, document=json.dumps({"id": uuid.uuid4().hex}))
        case Reflush():
            return replace(job, conversation_id=group_conversation_id(uuid.uuid4()))
        case ReconcileStep():
            return replace(job, after=uuid.uuid4().hex)
        case NotificationJob():
            return job


async def test_a_repeat_is_dropped_whatever_its_delay(end: BusEnd, job: NotificationJob) -> None:
    other = replace(job, attempt=1)

    for one in (job, job, replace(job, recipients=(BOB, ANN)), other):
        await end.bus.send(one)
    await end.bus.send(job, delay_s=60)

    assert await end.take(2) == [job, other]


async def test_a_delayed_notice_does_not_come_at_once(end: BusEnd, job: NotificationJob) -> None:
    later = replace(job, recipients=(ANN,))

    await end.bus.send(later, delay_s=600)
    await end.bus.send(job)

    assert await end.take(1) == [job]


@pytest.mark.slow
async def test_a_queue_that_cannot_be_reached_is_unavailable(job: NotificationJob) -> None:
    bus = ServiceBusQueue(Endpoint(nobody_answers(9), "", ""), no_credential)

    with pytest.raises(UnavailableError):
        await bus.send(job)

    await bus.aclose()


@pytest.mark.stack
async def test_a_broker_that_takes_a_link_is_alive(bus_connection: str) -> None:
    bus = ServiceBusQueue(Endpoint(bus_connection, "", ""), no_credential)

    await bus.probe.check()
    await bus.probe.check()

    await bus.aclose()
