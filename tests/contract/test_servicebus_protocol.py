"""What the broker does with clients that are no SDK: strangers, the hostile, the exact."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.servicebus._pyamqp.utils import generate_sas_token
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import MessageSizeExceededError, ServiceBusAuthenticationError

from local.common.keys import load_or_create
from local.servicebus.amqp.encode import encode
from local.servicebus.amqp.frames import AMQP_HEADER, SASL_HEADER, SASL_TYPE
from local.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    SaslInit,
    Transfer,
)
from local.servicebus.amqp.types import Described, Symbol, UInt, ULong
from tests.contract.servicebus.harness import (
    Bus,
    collect_leaks,
    connection_string,
    launch,
    message,
)
from tests.contract.servicebus.raw import RawClient, raw_client
from tests.leaks import SDK_LEAKS

pytestmark = [pytest.mark.stack, *SDK_LEAKS]

BODY = encode(Described(ULong(0x75), b"hello"))
ACCEPTED, RELEASED = 0x24, 0x26
COORDINATOR = Described(ULong(0x30), [])


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    started = launch(tmp_path_factory.mktemp("servicebus"))
    yield started
    started.stop()
    collect_leaks()


@pytest.fixture
def key(bus: Bus) -> str:
    return load_or_create(bus.directory).servicebus


@pytest.fixture
async def raw(bus: Bus, key: str) -> AsyncIterator[RawClient]:
    """Give a client that may use every queue."""
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()
        assert await client.authorize(bus.ports.servicebus, key, "") == 202
        yield client


def sas(bus: Bus, key: str, path: str, *, expiry: int | None = None) -> str:
    sign: Any = generate_sas_token
    audience = f"sb://127.0.0.1:{bus.ports.servicebus}/{path}"
    return str(sign(audience, "RootManageSharedAccessKey", key, expiry))


def error_of(performative: Any) -> str:
    return str(performative.error.value[0])


# Who may come in


@pytest.mark.parametrize(
    ("name", "reason"),
    [("RootManageSharedAccessKey", "signature is wrong"), ("other", "key name is unknown")],
)
async def test_a_wrong_key_is_refused(bus: Bus, name: str, reason: str) -> None:
    text = connection_string(bus.ports.servicebus, "wrong", name)
    async with ServiceBusClient.from_connection_string(text, retry_total=0) as client:
        with pytest.raises(ServiceBusAuthenticationError) as caught:
            await client.get_queue_sender("plain-0").send_messages(message())

    said = str(caught.value.inner_exception)
    assert "401" in said
    assert reason in said


async def test_an_expired_token_or_one_for_another_queue_is_refused(bus: Bus, key: str) -> None:
    tokens = [sas(bus, key, "plain-0", expiry=1_600_000_000), sas(bus, key, "plain-1")]
    for token in tokens:
        async with raw_client(bus.ports.servicebus) as client:
            await client.start()

            status = await client.authorize(bus.ports.servicebus, key, "plain-0", token=token)

            assert status == 401


async def test_a_good_token_as_a_signature_is_enough(bus: Bus, key: str) -> None:
    text = (
        f"Endpoint=sb://127.0.0.1:{bus.ports.servicebus};UseDevelopmentEmulator=true;"
        f"SharedAccessSignature={sas(bus, key, 'plain-39')}"
    )
    async with ServiceBusClient.from_connection_string(text, retry_total=0) as client:
        await client.get_queue_sender("plain-39").send_messages(message())


@pytest.mark.parametrize("token", ["", "eyJhbGciOiJub25lIn0.e30.", "SharedAccessSignature sr=x"])
async def test_what_is_no_signature_is_refused(bus: Bus, key: str, token: str) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()

        assert await client.authorize(bus.ports.servicebus, key, "plain-0", token=token) == 401


@pytest.mark.parametrize("path", ["plain-0", "plain-0/$management", "nowhere"])
@pytest.mark.parametrize("receives", [True, False])
async def test_without_a_token_nothing_is_attached(bus: Bus, path: str, receives: bool) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()
        client.attach("link", 0, path, receives=receives)

        refused = await client.expect(Attach)

        assert (refused.source if receives else refused.target) is None
        assert error_of(await client.expect(Detach)) == "amqp:unauthorized-access"


async def test_a_token_opens_its_own_queue_only(bus: Bus, key: str) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()
        assert await client.authorize(bus.ports.servicebus, key, "plain-1") == 202
        for handle, path in enumerate(["plain-1", "plain-1/$DeadLetterQueue", "plain-10"]):
            client.attach(path, handle, path, receives=True)

        links = [await client.expect(Attach) for _ in range(3)]

        assert [link.source is not None for link in links] == [True, True, False]


async def test_a_link_ends_with_the_token_it_was_opened_with(bus: Bus, key: str) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()
        token = sas(bus, key, "plain-2", expiry=int(time.time()) + 2)
        port = bus.ports.servicebus
        assert await client.authorize(port, key, "plain-2", token=token) == 202
        client.attach("link", 0, "plain-2", receives=True)
        assert (await client.expect(Attach)).source is not None

        assert error_of(await client.expect(Detach)) == "amqp:unauthorized-access"


# What is not served


@pytest.mark.parametrize(
    ("address", "receives", "more", "condition"),
    [
        ("nowhere", True, {}, "amqp:not-found"),
        ("plain-0/$DeadLetterQueue", False, {}, "amqp:not-allowed"),
        ("topic/Subscriptions/one", True, {}, "amqp:not-implemented"),
        ("", False, {"target": COORDINATOR}, "amqp:not-implemented"),
    ],
)
async def test_what_is_not_served_is_refused(
    raw: RawClient, address: str, receives: bool, more: dict[str, Any], condition: str
) -> None:
    raw.attach("link", 0, address, receives=receives, **more)

    await raw.expect(Attach)
    detached = await raw.expect(Detach)

    assert error_of(detached) == condition
    assert detached.closed


# Credit, windows, settlement


async def test_no_message_comes_without_credit_and_no_more_than_credit(raw: RawClient) -> None:
    raw.attach("out", 0, "plain-3", receives=False)
    await raw.expect(Flow)
    for number in range(5):
        raw.transfer(0, number, BODY)
        await raw.expect(Disposition)
    raw.attach("in", 1, "plain-3", receives=True)
    await raw.expect(Attach)

    raw.give_credit(1, 2)
    ids = [(await raw.expect(Transfer)).delivery_id for _ in range(2)]
    raw.give_credit(1, 10, delivery_count=2, drain=True)
    ids += [(await raw.expect(Transfer)).delivery_id for _ in range(3)]
    drained = await raw.expect(Flow)

    assert len(set(ids)) == 5
    assert (drained.link_credit, drained.delivery_count, drained.drain) == (0, 12, True)


async def test_a_full_session_window_holds_messages_back(bus: Bus, key: str) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start(window=3, max_frame_size=UInt(512))
        assert await client.authorize(bus.ports.servicebus, key, "") == 202
        client.attach("out", 0, "plain-4", receives=False)
        await client.expect(Flow)
        big = encode(Described(ULong(0x75), b"x" * 2_000))
        client.transfer(0, 1, big)
        assert (await client.expect(Disposition)).state.descriptor == ACCEPTED
        client.attach("in", 1, "plain-4", receives=True)
        await client.expect(Attach)

        client.give_credit(1, 1, next_incoming=1, window=2)
        parts = [await client.expect_with_payload(Transfer) for _ in range(2)]
        client.give_credit(1, 1, window=100, next_incoming=3)
        while parts[-1][0].more:
            parts.append(await client.expect_with_payload(Transfer))

        assert len(parts) > 4
        assert b"x" * 2_000 in b"".join(payload for _, payload in parts)


async def test_a_range_of_deliveries_is_settled_at_once(bus: Bus, raw: RawClient) -> None:
    raw.attach("out", 0, "plain-5", receives=False)
    await raw.expect(Flow)
    for number in range(3):
        raw.transfer(0, number, BODY, settled=True)
    raw.attach("in", 1, "plain-5", receives=True)
    raw.give_credit(1, 10)
    first = (await raw.expect(Transfer)).delivery_id
    for _ in range(2):
        await raw.expect(Transfer)

    raw.settle(first, ACCEPTED, [], last=UInt(first + 2))
    echoes = [await raw.expect(Disposition) for _ in range(3)]

    assert [echo.first - first for echo in echoes] == [0, 1, 2]
    assert all(echo.settled and echo.state.descriptor == ACCEPTED for echo in echoes)


async def test_a_released_message_comes_back_uncounted(raw: RawClient) -> None:
    raw.attach("out", 0, "plain-6", receives=False)
    await raw.expect(Flow)
    raw.transfer(0, 1, BODY, settled=True)
    raw.attach("in", 1, "plain-6", receives=True)
    raw.give_credit(1, 2)
    transfer, once = await raw.expect_with_payload(Transfer)

    raw.settle(transfer.delivery_id, RELEASED, [], settled=True)
    again, twice = await raw.expect_with_payload(Transfer)

    assert again.delivery_tag != transfer.delivery_tag
    assert once[:12] == twice[:12]  # the header with its delivery count


async def test_settling_twice_says_that_the_lock_is_lost(raw: RawClient) -> None:
    raw.attach("out", 0, "plain-7", receives=False)
    await raw.expect(Flow)
    raw.transfer(0, 1, BODY, settled=True)
    raw.attach("in", 1, "plain-7", receives=True)
    raw.give_credit(1, 1)
    delivery_id = (await raw.expect(Transfer)).delivery_id

    raw.settle(delivery_id, ACCEPTED, [])
    raw.settle(delivery_id, ACCEPTED, [])
    first, second = [await raw.expect(Disposition) for _ in range(2)]

    assert first.state.descriptor == ACCEPTED
    assert second.state.value[0].value[0] == "com.microsoft:message-lock-lost"


async def test_a_malformed_message_is_rejected_and_the_link_lives(raw: RawClient) -> None:
    raw.attach("out", 0, "plain-8", receives=False)
    await raw.expect(Flow)

    raw.transfer(0, 1, b"\x00\x53\x99nonsense")
    rejected = await raw.expect(Disposition)
    raw.transfer(0, 2, BODY)
    accepted = await raw.expect(Disposition)

    assert rejected.state.value[0].value[0] == "amqp:decode-error"
    assert accepted.state.descriptor == ACCEPTED


async def test_an_aborted_delivery_leaves_nothing(bus: Bus, raw: RawClient) -> None:
    before = bus.metrics()["sent"]
    raw.attach("out", 0, "plain-9", receives=False)
    await raw.expect(Flow)

    raw.transfer(0, 1, BODY, more=True)
    raw.send(Transfer(UInt(0), aborted=True))
    raw.transfer(0, 2, BODY)
    await raw.expect(Disposition)

    assert bus.metrics()["sent"] == before + 1


async def test_a_message_over_the_limit_is_refused(bus: Bus, raw: RawClient) -> None:
    raw.attach("out", 0, "plain-11", receives=False)
    await raw.expect(Flow)
    for more in (True,) * 9 + (False,):
        raw.transfer(0, 1, b"x" * 60_000, more=more)

    state = (await raw.expect(Disposition)).state
    assert state.value[0].value[0] == "amqp:link:message-size-exceeded"

    async with bus.client() as client, client.get_queue_sender("plain-11") as sender:
        with pytest.raises(MessageSizeExceededError):
            await sender.send_messages(message("x" * 300_000))


async def test_a_batch_is_stored_whole_or_not_at_all(bus: Bus, raw: RawClient) -> None:
    before = bus.metrics()["sent"]
    raw.attach("out", 0, "plain-12", receives=False)
    await raw.expect(Flow)
    batch = b"".join(encode(Described(ULong(0x75), part)) for part in (BODY, b"nonsense"))

    raw.send(Transfer(UInt(0), UInt(1), b"1", UInt(0x80013700)), batch)

    assert (await raw.expect(Disposition)).state.descriptor == 0x25
    assert bus.metrics()["sent"] == before


# The life of a connection


async def test_heartbeats_keep_an_idle_connection(bus: Bus) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start(idle_time_out=UInt(200))

        for _ in range(3):
            assert await client.next() == (None, b"")


async def test_end_and_close_are_answered(raw: RawClient) -> None:
    raw.send(End())
    assert (await raw.expect(End)).error is None

    raw.send(Close())

    assert (await raw.expect(Close)).error is None
    assert await raw.hung_up()


async def test_a_handle_in_use_ends_the_session(raw: RawClient) -> None:
    raw.attach("one", 0, "plain-0", receives=True)
    raw.attach("two", 0, "plain-0", receives=True)

    assert error_of(await raw.expect(End)) == "amqp:session:handle-in-use"


async def test_another_sasl_mechanism_is_refused(bus: Bus) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        client.write(SASL_HEADER)
        client.send(SaslInit(Symbol("PLAIN"), b"\0user\0password"), kind=SASL_TYPE)

        await client.next()
        outcome = await client.next()

        assert outcome
        assert outcome[0].code == 1
        assert await client.hung_up()


@pytest.mark.parametrize(
    "header", [AMQP_HEADER, b"AMQP\x00\x00\x09\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" * 9]
)
async def test_another_protocol_is_told_what_is_spoken(bus: Bus, header: bytes) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        client.write(header)

        assert await client.hung_up()
        assert client.headers == [SASL_HEADER]


async def test_frames_out_of_turn_end_the_connection(bus: Bus) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()

        client.send(Open(container_id="again"))

        assert error_of(await client.expect(Close)) == "amqp:not-allowed"
        assert await client.hung_up()


async def test_a_frame_that_is_too_large_ends_the_connection(bus: Bus) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()

        client.write(b"\x7f\xff\xff\xff\x02\x00\x00\x00")

        assert error_of(await client.expect(Close)) == "amqp:decode-error"
        assert await client.hung_up()


async def test_hostile_bytes_leave_the_broker_unharmed(bus: Bus, raw: RawClient) -> None:
    chance = random.Random(20_261_124)
    good = [
        SASL_HEADER,
        AMQP_HEADER,
        encode(Described(ULong(0x10), ["x"])),
        encode(Described(ULong(0x14), [UInt(0), UInt(0), b"tag"])),
    ]

    async def attack() -> None:
        async with raw_client(bus.ports.servicebus) as client:
            if chance.random() < 0.7:
                await client.start()
            for _ in range(20):
                body = chance.choice(good) if chance.random() < 0.5 else chance.randbytes(40)
                size = len(body) + 8 if chance.random() < 0.8 else chance.randrange(2**32)
                client.write(size.to_bytes(4) + b"\x02\x00\x00\x00" + body)
            await asyncio.gather(asyncio.wait_for(client.hung_up(), 0.2), return_exceptions=True)

    before = bus.pid
    await asyncio.gather(*(attack() for _ in range(60)))

    raw.attach("out", 0, "plain-13", receives=False)
    await raw.expect(Flow)
    raw.transfer(0, 1, BODY)
    assert (await raw.expect(Disposition)).state.descriptor == ACCEPTED
    assert bus.pid == before
    assert bus.metrics()["sent"] > 0


@pytest.mark.parametrize(
    "performative",
    [
        Begin(None, UInt(0), UInt(1), UInt(1)),
        Flow(UInt(0), UInt(1), UInt(0), UInt(1), UInt(77), UInt(0), UInt(5)),
        Transfer(UInt(77), UInt(0), b"tag"),
        Detach(UInt(77)),
        Disposition(role=True, first=UInt(5), last=UInt(2**32 - 1)),
        Disposition(role=True, first=UInt(5), last=UInt(1)),
    ],
)
async def test_frames_about_nothing_do_no_harm(bus: Bus, performative: Any) -> None:
    async with raw_client(bus.ports.servicebus) as client:
        await client.start()

        client.send(performative)
        client.send(Close())

        await client.expect(Close)
        assert await client.hung_up()
